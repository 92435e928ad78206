"""Metric entropies against packings and covers made by hand, chaining against exact complexities, and the level."""

import itertools
import math
from functools import partial

import numpy as np
import pytest

from moltheory.bounds import (
    dudley_complexity,
    linear_complexity,
    linear_metric_entropy,
    lipschitz_class,
    lipschitz_metric_entropy,
    rademacher_complexity,
)
from tests.bounds.test_class_levels import believable

UNIT = {"weight_norm": 1.0, "input_norm": 1.0}


def test_linear_entropies_by_an_independent_formula():
    for eps, d in ((0.7, 3), (0.3, 40), (0.05, 40)):
        k = math.ceil((2.0 * 1.5 / eps) ** 2)
        volume = d * math.log(1 + 2 * 3.0 / eps)
        # h(p) M is at least the log of the binomial coefficient, by less than half the log of M.
        counted = math.log(math.comb(2 * d + k, k))
        found = float(linear_metric_entropy(eps, weight_norm=1.5, input_norm=2.0, dimension=d)[0])
        assert min(volume, counted) <= found <= min(volume, counted + math.log(2 * d + k))
    assert (linear_metric_entropy([1.0, 7.0], dimension=3, **UNIT) == 0).all()
    few = linear_metric_entropy(0.1, dimension=1000, n=5, **UNIT)
    assert few == linear_metric_entropy(0.1, n=5, **UNIT) == linear_metric_entropy(0.1, dimension=5, **UNIT)


@pytest.mark.parametrize("d", [1, 2, 10, 100])
def test_linear_entropies_exceed_the_volume_ratio(d):
    """On n = d orthonormal inputs the functions fill a ball of radius rho / sqrt(d)."""
    eps = np.geomspace(1e-3, 0.9, 60)
    least = d * np.log(1.0 / (math.sqrt(d) * eps))
    assert (linear_metric_entropy(eps, dimension=d, **UNIT) >= least).all()
    if d == 1:
        # Half of the interval is enough for a wrong count; the exact number is 1/eps rounded up.
        assert (np.log1p(0.5 / eps) < np.log(np.ceil(1.0 / eps))).any()
    if d == 100:
        # Maurey's lemma with rho/eps in place of its square.
        k = np.ceil(1.0 / eps)
        assert (k * np.log1p(2.0 * d / k) + 2.0 * d * np.log1p(k / (2.0 * d)) < least).any()


def test_lipschitz_entropies_exceed_packings():
    eps = np.geomspace(0.01, 0.4, 40)
    # Zigzags with nodes a little more than eps apart: two of them differ by more than 2 eps at the first difference.
    zigzag = (np.ceil(1.0 / eps) - 1.0) * math.log(2.0)
    found = lipschitz_metric_entropy(eps, lipschitz=1.0, dimension=1, loss_range=2.0)
    assert (found >= zigzag).all()
    assert (found / 2.0 < zigzag).any()
    for d in (2, 3):
        # Cones of height a little more than eps, up or down.
        cones = (np.ceil(1.0 / (2.0 * eps)) - 1.0) ** d * math.log(2.0)
        found = lipschitz_metric_entropy(eps, lipschitz=1.0, dimension=d, loss_range=2.0)
        assert (found >= cones).all()
        assert (lipschitz_metric_entropy(eps, lipschitz=1.0, dimension=d - 1, loss_range=2.0) < cones).any()


def test_lipschitz_entropies_by_an_independent_formula():
    for eps, slope, d, side, width, norm in ((0.1, 1.0, 1, 1.0, 1.0, "sup"), (0.07, 2.0, 3, 0.5, 4.0, "l2")):
        smallest = math.inf
        for k in range(2, 33):
            eta = eps / (1 + (k - 1) * (math.sqrt(d) / 2 if norm == "l2" else 0.5))
            cells = math.ceil(side * slope / ((k - 1) * eta)) ** d
            values = math.ceil(width / (2 * eta))
            smallest = min(smallest, math.log(values * min(k, values) ** (cells - 1)))
        found = lipschitz_metric_entropy(eps, lipschitz=slope, dimension=d, side=side, loss_range=width, norm=norm)
        assert found[0] == pytest.approx(smallest, rel=1e-12)


def _cover(f, d, k, inside, eps, slope, width):
    """The piecewise constant function of the proof near f, and from how many it was chosen."""
    eta = eps / (1 + (k - 1) * inside)
    m = max(math.ceil(slope * eta**-1 / (k - 1)), 1)
    several = max(math.ceil(width / (2 * eta)), 1)
    values, count, last = {}, 1, None
    for cell in itertools.product(range(m), repeat=d):
        # Line by line, each against the last; the order only has to visit neighbors.
        snake = tuple(c if sum(cell[:i]) % 2 == 0 else m - 1 - c for i, c in enumerate(cell))
        target = f((np.array(snake) + 0.5) / m)
        if last is None or several < k:
            value = (min(math.floor(target / (2 * eta)), several - 1) + 0.5) * 2 * eta
            count *= several
        else:
            step = min(max(math.floor((target - last + k * eta) / (2 * eta)), 0), k - 1)
            value = last - k * eta + (2 * step + 1) * eta
            count *= k
        values[snake] = last = value
    return lambda x: values[tuple(np.minimum(np.floor(x * m), m - 1).astype(int))], count


@pytest.mark.parametrize("norm", ["sup", "l2"])
@pytest.mark.parametrize(("d", "k"), [(1, 2), (1, 3), (2, 2), (2, 5), (2, 9)])
def test_the_cover_of_lipschitz_functions_covers(norm, d, k):
    rng = np.random.default_rng(0)
    order, inside = (np.inf, 0.5) if norm == "sup" else (2, math.sqrt(d) / 2)
    eps, slope, width = 0.15, 1.0, 1.5
    wrong = []
    for _ in range(6):
        points, offsets = rng.random((4, d)), rng.random(4)
        for f in (
            lambda x, p=points, a=offsets: float(np.min(a + slope * np.linalg.norm(x - p, ord=order, axis=1))),
            lambda x: float(0.1 + slope * (x.sum() / math.sqrt(d) if norm == "l2" else x.max())),
        ):
            g, count = _cover(f, d, k, inside, eps, slope, width)
            narrow, _ = _cover(f, d, k, 0.5 if norm == "l2" else 0.2, eps, slope, width)
            xs = np.concatenate([rng.random((300, d)), (np.arange(200)[:, None] + 1e-9) / 200 * np.ones(d)])
            assert max(abs(f(x) - g(x)) for x in xs) <= eps * (1 + 1e-9)
            wrong.append(max(abs(f(x) - narrow(x)) for x in xs))
            entropy = lipschitz_metric_entropy(eps, lipschitz=slope, dimension=d, loss_range=width, norm=norm)
            assert float(entropy[0]) <= math.log(count) + 1e-9
    if d == 2 and k == 9:
        # Cells too wide for the norm.
        assert max(wrong) > eps


def test_chaining_of_a_finite_class_is_massarts_lemma():
    found = dudley_complexity(lambda eps: np.full(eps.shape, math.log(50)), 100, radius=3.0, lipschitz=2.0)
    assert found.value == pytest.approx(6.0 * math.sqrt(2 * math.log(50) / 100), rel=1e-8)
    assert (found.n, found.empirical, found.delta, found.certificate) == (100, False, 0.0, 0.0)
    # Few functions far, many near: the way over the few is shorter than the straight one.
    near = dudley_complexity(lambda eps: np.where(eps >= 0.5, math.log(4), 20.0), 100, radius=1.0).value
    assert near == pytest.approx(1.5 * math.sqrt(2 * math.log(4) / 100) + 0.5 * math.sqrt(2 * 20 / 100), rel=1e-6)
    assert near < math.sqrt(2 * 20 / 100)
    # One function has none, and the trivial bound is the radius.
    assert dudley_complexity(np.zeros_like, 100, radius=1.0).value < 1e-8
    assert dudley_complexity(lambda eps: np.full(eps.shape, math.inf), 100, radius=1.0).value == 1.0


@pytest.mark.parametrize("spread", ["flat", "skewed", "tied"])
def test_chaining_exceeds_exact_complexities(spread):
    rng = np.random.default_rng(1)
    for n, size in ((4, 3), (8, 60), (10, 150)):
        losses = {
            "flat": rng.random((n, size)),
            "skewed": rng.random((n, size)) ** 8,
            "tied": rng.integers(0, 2, (n, size)).astype(float),
        }[spread]
        distance = np.sqrt(((losses[:, :, None] - losses[:, None, :]) ** 2).mean(axis=0))
        order = np.argsort(distance.max(axis=0))

        def entropy(eps, distance=distance, order=order):
            """Greedy covers by members of the class."""
            sizes = []
            for e in eps:
                left, count = np.ones(order.size, bool), 0
                for j in order:
                    if left[j]:
                        left &= distance[j] > e
                        count += 1
                sizes.append(count)
            return np.log(sizes)

        radius = float(distance[order[0]].max())
        exact = rademacher_complexity(losses, method="exact").value
        grid = radius * np.exp2(-np.arange(241) / 8)
        assert dudley_complexity(entropy, n, radius=radius).value >= exact
        # One scale alone, without the way to it.
        single = (grid * (1 + np.sqrt(2 * entropy(grid) / n))).min()
        assert single < exact


def test_chaining_exceeds_the_exact_complexity_of_linear_functions_and_is_below_the_integral():
    rng = np.random.default_rng(2)
    for n, d in ((4, 2), (10, 3), (12, 40)):
        inputs = rng.standard_normal((n, d))
        inputs /= np.linalg.norm(inputs, axis=1, keepdims=True)
        entropy = partial(linear_metric_entropy, n=n, dimension=d, **UNIT)
        assert dudley_complexity(entropy, n, radius=1.0).value >= linear_complexity(
            inputs, weight_norm=1.0, method="exact"
        ).value * (1 - 1e-12)
    entropy = partial(linear_metric_entropy, dimension=5, **UNIT)
    eps = np.geomspace(1e-6, 1, 20_001)
    height = np.sqrt(entropy(eps) / 1000)
    # Left sums of a decreasing function, from above.
    integral = np.append(np.cumsum((height[:-1] * np.diff(eps))[::-1])[::-1], 0.0)
    assert dudley_complexity(entropy, 1000, radius=1.0).value <= (4 * eps + 6 * math.sqrt(2) * integral).min()


@pytest.mark.parametrize(("d", "n"), [(1, 40), (6, 50), (6, 5000)])
@pytest.mark.parametrize("skewed", [False, True])
def test_lipschitz_class_by_simulation(d, n, skewed):
    """On the corners of a box every function into [0, 1] is Lipschitz in the sup-norm: the total variation distance."""
    runs, delta = 4000, 0.05
    p = np.full(2**d, 2.0**-d)
    if skewed:
        p = np.append(np.full(2**d - 1, 0.1 / (2**d - 1)), 0.9)
    counts = np.random.default_rng(3).multinomial(n, p, size=runs)
    deviation = np.abs(counts / n - p).sum(axis=1) / 2
    width = float(lipschitz_class(n, lipschitz=1.0, dimension=d, delta=delta))
    assert believable(int((deviation > width).sum()), runs, delta)
    if d == 6 and not skewed:
        # The complexity forgotten.
        assert not believable(int((deviation > math.sqrt(math.log(2 / delta) / (2 * n))).sum()), runs, delta)


def test_lipschitz_class_depends_on_each_objective():
    both = lipschitz_class([900, 400], lipschitz=[1.0, 3.0], dimension=2, side=0.5, delta=0.1, loss_range=[1.0, 2.0])
    one = lipschitz_class(400, lipschitz=3.0, dimension=2, side=0.5, delta=0.05, loss_range=2.0)
    assert both.width[1] == pytest.approx(float(one), rel=1e-12)
    # Doubling the box and halving the slope changes nothing; a constant has the width of one mean.
    assert float(lipschitz_class(400, lipschitz=1.5, dimension=2, delta=0.05, loss_range=2.0)) == pytest.approx(
        float(one)
    )
    assert lipschitz_class(50, lipschitz=1.0, dimension=3, delta=0.1, loss_range=0.0).width == [0.0]
    assert lipschitz_class(50, lipschitz=1e300, dimension=300, delta=0.1).vacuous.all()


def test_ends_of_the_floats():
    for eps in (1e-320, 1e-200, 1e-30, 1e300):
        linear = linear_metric_entropy(eps, dimension=3, **UNIT)[0]
        smooth = lipschitz_metric_entropy(eps, lipschitz=1.0, dimension=3)[0]
        assert linear == smooth == 0 if eps > 1 else 50 < linear <= smooth
    assert linear_metric_entropy(1.0, n=3, weight_norm=0.0, input_norm=1.0) == 0
    assert (lipschitz_metric_entropy([1e-9, 1e-3], lipschitz=0.0, dimension=9) < 21).all()
    assert (lipschitz_metric_entropy([1e-9, 1e-3], lipschitz=1.0, side=0.0, dimension=9) < 21).all()


def test_refusals(refuses):
    for eps in (0.0, -1.0, math.nan, math.inf, [], "x"):
        refuses("resolution", linear_metric_entropy, eps, dimension=3, **UNIT)
        refuses("resolution", lipschitz_metric_entropy, eps, lipschitz=1.0, dimension=1)
    refuses("dimension", linear_metric_entropy, 0.1, **UNIT)
    refuses("dimension", linear_metric_entropy, 0.1, dimension=0, **UNIT)
    refuses("n", linear_metric_entropy, 0.1, n=2.5, **UNIT)
    refuses("weight_norm", linear_metric_entropy, 0.1, dimension=1, weight_norm=-1.0, input_norm=1.0)
    refuses("norm", lipschitz_metric_entropy, 0.1, lipschitz=1.0, dimension=1, norm="l1")
    refuses("side", lipschitz_metric_entropy, 0.1, lipschitz=1.0, dimension=1, side=-1.0)
    for wrong in (lambda e: e[:-1], lambda e: -e, lambda e: np.full(e.shape, math.nan), lambda e: "x"):
        refuses("entropy", dudley_complexity, wrong, 10, radius=1.0)
    refuses("radius", dudley_complexity, np.zeros_like, 10, radius=0.0)
    refuses("n", dudley_complexity, np.zeros_like, 0, radius=1.0)
    refuses("lipschitz", lipschitz_class, [5, 5], lipschitz=[1.0, 1.0, 1.0], dimension=1, delta=0.1)
    refuses("dimension", lipschitz_class, [math.inf], lipschitz=1.0, dimension=0, delta=0.1)
