"""The bound from the fat-shattering dimension: by hand, the completions of its proof by brute force, and its level."""

import itertools
import math

import numpy as np
import pytest

from moltheory import FiniteWorld
from moltheory.bounds import fat_shattering_class, fat_shattering_dimension, margin_class, vc
from moltheory.bounds._fat_shattering import log_completions
from tests.bounds.test_class_levels import believable


def _sum(m, d):
    return sum(math.comb(m, j) for j in range(min(m, d) + 1))


def _complexity(n, d):
    """With integers: no floating-point logarithm decides how many mistakes there are."""
    k = _sum(2 * n, d).bit_length() - 1
    return math.sqrt(2 * math.log(_sum(2 * n, k)) / n)


def test_by_hand():
    found = fat_shattering_class([40, math.inf, 300], dimension=3, delta=0.1)
    by_hand = [_complexity(n, 3) + math.sqrt(math.log(2 * 2 / 0.1) / (2 * n)) for n in (40, 300)]
    assert found.width == pytest.approx([by_hand[0], 0.0, by_hand[1]], rel=1e-12)
    grid = fat_shattering_class(1000, dimension=[0, 2, 9], delta=0.1, n_objectives=4)
    assert grid.width.shape == (3, 4)
    rest = math.sqrt(math.log(2 * 3 * 4 / 0.1) / 2000)
    assert grid.width[:, 1] == pytest.approx([rest, _complexity(1000, 2) + rest, _complexity(1000, 9) + rest])
    assert grid.scope == "margin"
    assert (fat_shattering_class(10**18, dimension=5, delta=1e-300).width < 1e-6).all()


@pytest.mark.parametrize(("n", "d"), [(n, d) for n in (1, 2, 5, 30, 200) for d in (0, 1, 2, 4, 60, 500)])
def test_mistakes_are_counted_as_with_integers(n, d):
    # Also where the number of shattered sets is a power of two, as that of all subsets.
    k = _sum(2 * n, d).bit_length() - 1
    assert log_completions(2 * n, d) == pytest.approx(math.log(_sum(2 * n, k)), rel=1e-12)


def _shattered(partial, points):
    """All sets of points that partial functions (rows; -1 is no value) shatter."""
    found = set()
    for size in range(len(points) + 1):
        for subset in itertools.combinations(points, size):
            patterns = {row for row in map(tuple, partial[:, subset]) if -1 not in row}
            if len(patterns) == 2**size and len(partial):
                found.add(subset)
    return found


def _completed(partial):
    """The total functions that the halving algorithm makes of partial ones."""
    points = range(partial.shape[1])
    found = []
    for row in partial:
        kept, answer = partial, []
        for z in points:
            counts = [len(_shattered(kept[kept[:, z] == c], points)) for c in (0, 1)]
            value = int(counts[1] > counts[0])
            if row[z] not in (-1, value):
                value = int(row[z])
                kept = kept[kept[:, z] == value]
            answer.append(value)
        found.append(tuple(answer))
    return found


def test_partial_functions_have_few_completions():
    rng = np.random.default_rng(0)
    cube = np.array(list(itertools.product([0, 1], repeat=4)))
    for partial in [cube, *(rng.integers(-1, 2, size=(rng.integers(1, 9), 4)) for _ in range(25))]:
        sets = _shattered(partial, range(4))
        d = max(map(len, sets))
        completed = _completed(partial)
        assert all((np.array(total) == row)[row >= 0].all() for total, row in zip(completed, partial, strict=True))
        assert math.log(len(set(completed))) <= log_completions(4, d) + 1e-9
    # One mistake fewer would not do for all sixteen functions of four points.
    assert len(set(_completed(cube))) > _sum(4, 3)


def _margin_fractions(scores, labels, gamma):
    """Errors, margins below gamma, and margins <= -gamma, (s, H, 3)."""
    margins = labels[:, None] * scores
    return np.stack([margins <= 0, margins < gamma, margins <= -gamma], axis=2).astype(float)


@pytest.mark.parametrize("law", [[1 / 6] * 6, [0.5, 0.3, 0.1, 0.05, 0.03, 0.02], [0.95, 0.01, 0.01, 0.01, 0.01, 0.01]])
def test_level_by_enumeration(law):
    """All scores in {-1, -0.5, 0, 0.5, 1} of three inputs with either label, ties at 0 and at the margin included."""
    scores = np.array(list(itertools.product([-1.0, -0.5, 0.0, 0.5, 1.0], repeat=3))).T
    world = FiniteWorld(law, _margin_fractions(np.repeat(scores, 2, axis=0), np.tile([1, -1], 3), 0.5))
    truth = world.true_risks[:, 0]
    for n in (1, 4, 6):

        def deviation(risks, truth=truth):
            return np.maximum(truth - risks[..., 1], risks[..., 2] - truth).max(axis=-1)

        for delta in (0.9, 0.1):
            width = float(fat_shattering_class(n, dimension=3, delta=delta))
            assert world.exact(n).probability(lambda r, w=width: deviation(r) > w) <= delta
        bare = math.sqrt(math.log(2 / 0.14) / (2 * n))
        if n > 1 and law[0] < 0.5:
            # Without the term of the class the event fails more often than promised.
            assert world.exact(n).probability(lambda r, w=bare: deviation(r) > w) > 0.14


def test_level_by_simulation():
    """Inputs uniform on d cells, labels by lot: the votes of the cells deviate most, at any margin up to 1."""
    d, n, runs, delta = 50, 5000, 1000, 0.05
    rng = np.random.default_rng(1)
    cells = rng.multinomial(n, np.full(d, 1 / d), size=runs)
    wrong = rng.binomial(cells, 0.5)
    deviation = 0.5 - np.minimum(wrong, cells - wrong).sum(axis=1) / n
    width = float(fat_shattering_class(n, dimension=d, delta=delta))
    assert width < 1.0
    assert believable(int((deviation > width).sum()), runs, delta)
    assert not believable(int((deviation > math.sqrt(math.log(2 / delta) / (2 * n))).sum()), runs, delta)


def test_margins_are_what_the_bound_is_about():
    """Linear classifiers that learn by heart: no empirical error, half of all wrong, and margins far below gamma."""
    n, d, gamma = 10_000, 100_000, 1.0
    fat = fat_shattering_dimension(gamma / 2, weight_norm=1.0, input_norm=1.0)
    width = float(fat_shattering_class(n, dimension=fat, delta=0.05))
    seen = np.unique(np.random.default_rng(2).integers(d, size=n)).size
    error = 0.5 * (1 - seen / d)
    margin = 1 / math.sqrt(d)
    assert error > 0.0 + width  # added to the empirical error rate it would be wrong
    assert error <= float(margin < gamma) + width


def test_more_examples_and_smaller_dimensions_help():
    sizes = [fat_shattering_class(n, dimension=4, delta=0.1).width[0] for n in (100, 10**3, 10**4, 10**6, 10**12)]
    assert (np.diff(sizes) < 0).all()
    dimensions = fat_shattering_class(10**6, dimension=[0, 1, 2, 5, 30, 10**4], delta=0.1).width[:, 0]
    assert (np.diff(dimensions) > 0).all()
    deltas = [fat_shattering_class(100, dimension=2, delta=delta).width[0] for delta in (1e-300, 0.05, 0.999)]
    assert (np.diff(deltas) < 0).all()
    # More than a VC dimension is asked of, less is said; and less than of a norm.
    assert vc(10**5, dimension=4, delta=0.1).width < fat_shattering_class(10**5, dimension=4, delta=0.1).width
    ball = margin_class(10**5, margin=0.5, weight_norm=1.0, input_norm=1.0, delta=0.1)
    assert ball.width < fat_shattering_class(10**5, dimension=16, delta=0.1).width
    assert fat_shattering_class(70 * 16, dimension=16, delta=0.1).width < 1.0


def test_refusals(refuses):
    for dimension in (-1, 0.5, math.nan, math.inf, [], "x", [[1]], True):
        refuses("dimension", fat_shattering_class, 50, dimension=dimension, delta=0.1)
    for n in (0, -1, 1.5, math.nan, "x", [1.5], True):
        refuses("n", fat_shattering_class, n, dimension=1, delta=0.1)
    for delta in (0.0, 1.0, math.nan):
        refuses("delta", fat_shattering_class, 50, dimension=1, delta=delta)
