"""Stability of regularized weighted sums: exact where losses are linear, by replacement of every example for ridge."""

import itertools
import math

import numpy as np
import pytest
from scipy.stats import binom

from moltheory.bounds import regularized_sum, uniform_stability


def _linear(means, weights, penalty):
    """Minimiser of sum w_k theta mean_k + penalty theta^2."""
    return -(np.asarray(weights) * means).sum(axis=-1) / (2 * penalty)


def test_linear_losses_attain_the_stability():
    """Losses theta z, z = +-1: one replaced example of the second objective moves theta by exactly beta."""
    weights, penalty, sizes = np.array([0.3, 0.7]), 0.4, np.array([5, 20])
    found = uniform_stability(sizes, weights=weights, penalty=penalty, lipschitz=1.0)
    for k in range(2):
        before, after = np.zeros(2), np.zeros(2)
        before[k], after[k] = 0.2, 0.2 - 2 / sizes[k]
        moved = abs(_linear(before, weights, penalty) - _linear(after, weights, penalty))
        assert found[:, k] == pytest.approx([moved, moved])
        # The constant for the removal of an example, taken for a replacement.
        assert moved > found[0, k] / 2 * 1.9
    shared = uniform_stability(10, weights=weights, penalty=penalty, lipschitz=1.0, shared=True)
    moved = abs(_linear(np.zeros(2), weights, penalty) - _linear(np.full(2, -0.2), weights, penalty))
    assert shared == pytest.approx([moved, moved])


def _ridge(x, y, weights, penalty):
    gram = sum(w * a.T @ a / len(a) for w, a in zip(weights, x, strict=True))
    return np.linalg.solve(
        gram + penalty * np.eye(x[0].shape[1]), sum(w * a.T @ b / len(a) for w, a, b in zip(weights, x, y, strict=True))
    )


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("weights", [[0.5, 0.5], [0.95, 0.05], [1.0, 0.0]])
@pytest.mark.parametrize("penalty", [0.05, 2.0])
def test_ridge_by_replacing_every_example(shared, weights, penalty):
    rng = np.random.default_rng(0)
    sizes, d = (12, 12) if shared else (12, 30), 3
    x = [rng.choice([-1.0, 1.0], (n, d)) / math.sqrt(d) for n in sizes]
    if shared:
        x[1] = x[0]
    y = [rng.choice([-1.0, 1.0], n) for n in sizes]
    lipschitz = 2 * (1 + 1 / math.sqrt(penalty))
    n = 12 if shared else sizes
    stability = uniform_stability(n, weights=weights, penalty=penalty, lipschitz=lipschitz, shared=shared)
    theta = _ridge(x, y, weights, penalty)
    probes = np.array(list(itertools.product([-1.0, 1.0], repeat=d))) / math.sqrt(d)

    def largest(other):
        return max(np.abs((probes @ theta - s) ** 2 - (probes @ other - s) ** 2).max() for s in (-1, 1))

    worst = np.zeros(2)
    for k in range(1 if shared else 2):
        for i, sign in itertools.product(range(sizes[k]), (-1.0, 1.0)):
            moved_x, moved_y = [a.copy() for a in x], [b.copy() for b in y]
            for j in (0, 1) if shared else (k,):
                moved_x[j][i], moved_y[j][i] = -x[k][i][::-1], sign
            worst[k] = max(worst[k], largest(_ridge(moved_x, moved_y, weights, penalty)))
    if shared:
        assert worst[0] <= stability.min()
    else:
        assert (worst <= stability.min(axis=0) + 1e-15).all()
        assert worst[1] == 0 or weights[1] > 0
    assert np.linalg.norm(theta) <= 1 / math.sqrt(penalty)


def _gaps(sizes, success, weights, penalty):
    """All counts of +1 of two objectives, their probabilities, and the gaps of the losses theta z, (c0, c1, 2)."""
    counts = [np.arange(n + 1) for n in sizes]
    p = np.multiply.outer(*(binom.pmf(c, n, q) for c, n, q in zip(counts, sizes, success, strict=True)))
    means = np.stack(np.meshgrid(*(2 * c / n - 1 for c, n in zip(counts, sizes, strict=True)), indexing="ij"), axis=-1)
    theta = _linear(means, weights, penalty)
    return p, theta[..., None] * (2 * np.array(success) - 1 - means)


@pytest.mark.parametrize("sizes", [(1, 1), (10, 200), (300, 300)])
@pytest.mark.parametrize("success", [(0.5, 0.5), (0.9, 0.5), (0.02, 0.98)])
@pytest.mark.parametrize("delta", [0.5, 0.05, 0.001])
def test_level_exactly(sizes, success, delta):
    weights, penalty = [0.6, 0.4], 0.2
    # The minimiser lies in +-1/(2 penalty), and losses in twice that.
    common = {"weights": weights, "penalty": penalty, "lipschitz": 1.0}
    p, gaps = _gaps(sizes, success, weights, penalty)
    width = regularized_sum(sizes, delta=delta, loss_range=1 / penalty, **common).width
    assert p[(np.abs(gaps) > width).any(axis=-1)].sum() <= delta
    own = np.diagonal(uniform_stability(sizes, **common))
    # The mean gap is below the stability; the gap itself is not.
    assert (np.abs((p[..., None] * gaps).sum(axis=(0, 1))) <= own).all()
    if delta == 0.05 and sizes == (300, 300):
        assert p[(np.abs(gaps) > own).any(axis=-1)].sum() > delta


def test_a_forgotten_union_over_objectives_is_caught():
    """One example each, ten objectives that share it: each errs for one value, so one of them always does."""
    # theta is 0 without weights, and losses are constant functions of theta: only the confidence term is left.
    for delta in np.linspace(0.01, 0.99, 25):
        found = regularized_sum(1, weights=[0.0] * 10, penalty=1.0, lipschitz=0.0, delta=delta, shared=True)
        assert found.width.min() >= 0.9
    assert regularized_sum(1, weights=[0.0], penalty=1.0, lipschitz=0.0, delta=0.9, shared=True).width[0] < 0.9


def test_one_objective_is_bousquet_and_elisseeff():
    n, sigma, kappa, penalty, top, delta = 400, 0.7, 1.3, 0.2, 2.5, 0.05
    removal = sigma**2 * kappa**2 / (2 * penalty * n)
    # Both sides at once, hence log(2/delta).
    by_hand = 2 * removal + (4 * n * removal + top) * math.sqrt(math.log(2 / delta) / (2 * n))
    common = {"weights": [1.0], "penalty": penalty, "lipschitz": sigma * kappa, "delta": delta, "loss_range": top}
    for shared in (False, True):
        assert float(regularized_sum(n, shared=shared, **common)) == pytest.approx(by_hand, rel=1e-12)


def test_several_objectives_by_the_sum_over_samples():
    sizes, ranges, delta = [50, 300, 7], [1.0, 0.5, 3.0], 0.05
    given = {"weights": [[0.2, 0.5, 0.3], [0.0, 1.0, 0.4]], "penalty": 0.3, "lipschitz": [0.5, 2.0, 1.0]}
    found = regularized_sum(sizes, delta=delta, loss_range=ranges, **given).width
    for row, matrix in enumerate(uniform_stability(sizes, **given)):
        for j in range(3):
            total = sum(n * (2 * matrix[j, k] + (k == j) * ranges[j] / n) ** 2 for k, n in enumerate(sizes))
            by_hand = matrix[j, j] + math.sqrt(math.log(2 * 2 * 3 / delta) / 2 * total)
            assert found[row, j] == pytest.approx(by_hand, rel=1e-12)
            assert matrix[j, 1] == pytest.approx(given["lipschitz"][j] * given["weights"][row][1] * 2.0 / (0.3 * 300))


def test_weights_near_a_row_are_covered():
    """Weights chosen after the data: the gap moves by at most G r / lambda, and by that much in the worst sample."""
    rng, penalty = np.random.default_rng(1), 0.5
    rows = np.array([[0.25, 0.75], [0.75, 0.25]])
    plain = regularized_sum([9, 9], weights=rows, penalty=penalty, lipschitz=1.0, delta=0.1)
    wide = regularized_sum([9, 9], weights=rows, penalty=penalty, lipschitz=1.0, delta=0.1, radius=0.5)
    extra = (wide.width - plain.width)[0, 0]
    assert plain.width.shape == (2, 2)
    single = regularized_sum([9, 9], weights=rows[0], penalty=penalty, lipschitz=1.0, delta=0.05)
    assert plain.width[0] == pytest.approx(single.width)
    largest = 0.0
    for _ in range(2000):
        means, true = rng.uniform(-1, 1, 2).round(), rng.uniform(-1, 1, 2).round()
        moved = rows[0] + np.array([1, -1]) * rng.uniform(-0.25, 0.25)
        gap = [_linear(means, w, penalty) * (true - means) for w in (rows[0], moved)]
        largest = max(largest, np.abs(gap[0] - gap[1]).max())
    assert extra == pytest.approx(1.0)
    assert 0.95 < largest <= 1.0


def test_objectives_that_are_known_are_free():
    common = {"weights": [0.5, 0.5], "penalty": 0.3, "lipschitz": [1.0, 2.0], "delta": 0.1}
    found = regularized_sum([50, math.inf], **common)
    assert found.width[1] == 0
    alone = regularized_sum(50, **(common | {"weights": [0.5], "lipschitz": 1.0}))
    assert found.width[0] == pytest.approx(float(alone))
    assert (regularized_sum([math.inf, math.inf], **common).width == 0).all()
    sizes = [regularized_sum(n, **common).width.max() for n in (1, 10, 100, 10**6)]
    assert (np.diff(sizes) < 0).all()
    assert regularized_sum(3, **common).vacuous.all()


def test_refusals(refuses):
    given = {"weights": [0.5, 0.5], "penalty": 1.0, "lipschitz": 1.0}
    for function, more in ((uniform_stability, {}), (regularized_sum, {"delta": 0.1})):
        for penalty in (0.0, 1e-320, -1.0, math.nan, math.inf, "x", None):
            refuses("penalty", function, 9, **(given | more | {"penalty": penalty}))
        for weights in ([-0.1, 1.1], [], [math.nan, 1.0], 0.5, [[[1.0]]]):
            refuses("weights", function, 9, **(given | more | {"weights": weights}))
        for n in (0, [9], [9, 9, 9], [9.5, 2], True, [0, 3]):
            refuses("n", function, n, **(given | more))
        refuses("n", function, [9, 9], shared=True, **(given | more))
        for lipschitz in (-1.0, [1.0, 1.0, 1.0], math.nan):
            refuses("lipschitz", function, 9, **(given | more | {"lipschitz": lipschitz}))
    refuses("delta", regularized_sum, 9, delta=1.0, **given)
    refuses("radius", regularized_sum, 9, delta=0.1, radius=-1.0, **given)
    refuses("loss_range", regularized_sum, 9, delta=0.1, loss_range=[1.0] * 3, **given)
