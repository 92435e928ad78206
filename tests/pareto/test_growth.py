"""Work does not explode for inputs that many rows share something with: equal rows, ties, sorted rows, long fronts."""

import time

import numpy as np
import pytest

import moltheory as mt
from moltheory.pareto import additive_epsilon, hausdorff, igd_plus, pareto_rank
from moltheory.pareto._gaps import front_rows, nearest_on_staircase

Array = np.ndarray

_SHAPES = {
    "equal": lambda n, rng: np.ones((n, 2)),
    "half equal": lambda n, rng: np.concatenate([np.ones((n // 2, 2)), rng.random((n - n // 2, 2))]),
    "constant": lambda n, rng: np.column_stack([np.ones(n), rng.random(n)]),
    "increasing": lambda n, rng: np.sort(rng.random((n, 2)), axis=0),
    "front": lambda n, rng: np.column_stack([np.linspace(0, 1, n), np.linspace(1, 0, n)]),
    "tied": lambda n, rng: rng.integers(0, 5, (n, 2)).astype(float),
    "random": lambda n, rng: rng.random((n, 2)),
}
_PAIRED = {
    "coverage": mt.coverage_error,
    "purity": mt.purity_error,
    "hausdorff": hausdorff,
    "igd_plus": igd_plus,
    "epsilon": additive_epsilon,
}
_SINGLE = {
    "nondominated": mt.nondominated,
    "rank": pareto_rank,
    "front": mt.pareto_front,
    "hypervolume": lambda x: mt.hypervolume(x, reference=[2.0, 2.0]),
}


@pytest.mark.parametrize("shape", _SHAPES)
def test_50000_rows_take_no_time(shape: str) -> None:
    points = _SHAPES[shape](50_000, np.random.default_rng(0))
    for name, function in {**_SINGLE, **_PAIRED}.items():
        arguments = (points,) if name in _SINGLE else (points, points[::-1])
        start = time.process_time()
        function(*arguments)
        # A tenth of a second to a second; work that grows with the square takes minutes.
        assert time.process_time() - start < 10.0, name


@pytest.mark.parametrize("shape", _SHAPES)
@pytest.mark.parametrize("sizes", [(1, 1), (1, 9), (9, 1), (2, 3), (40, 25), (300, 280)])
def test_what_is_left_out_changes_no_bit(shape: str, sizes: tuple[int, int]) -> None:
    rng = np.random.default_rng(sum(sizes))
    ours, theirs = (_SHAPES[shape](n, rng) for n in sizes)
    theirs = theirs + rng.choice([-0.25, 0.0, 0.1])
    scale = np.array([0.3, 7.0])
    differences = ours[:, None] - theirs
    assert mt.coverage_error(ours, theirs) == max(0.0, differences.max(axis=2).min(axis=0).max())
    assert additive_epsilon(ours, theirs) == differences.max(axis=2).min(axis=0).max()
    front = theirs[mt.nondominated(theirs)]
    gaps = np.maximum((ours[:, None] - front) / scale, 0.0).max(axis=2)
    assert mt.coverage_error(ours, theirs, scale=scale) == gaps.min(axis=0).max()
    assert mt.purity_error(ours, theirs, scale=scale) == gaps.min(axis=1).max()
    lengths = np.sqrt((differences**2).sum(axis=2))
    assert hausdorff(ours, theirs) == pytest.approx(max(lengths.min(axis=0).max(), lengths.min(axis=1).max()))
    norms = np.sqrt((np.maximum(differences, 0.0) ** 2).sum(axis=2))
    assert igd_plus(ours, theirs) == pytest.approx(norms.min(axis=0).mean(), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("seed", range(4))
def test_igd_plus_of_two_objectives_is_that_of_all_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ours, theirs = (np.sort(rng.random(400)).round(1 + seed) for _ in range(2))
    points = np.stack([ours, 1.0 - ours**2], axis=1)
    reference = np.stack([theirs, 1.0 - theirs], axis=1) + rng.normal(0.0, 0.1, (400, 2))
    norms = np.sqrt((np.maximum(points[:, None] - reference, 0.0) ** 2).sum(axis=2)).min(axis=0)
    assert igd_plus(points, reference) == pytest.approx(norms.mean(), rel=1e-12)


def test_ranks_of_chains_in_many_objectives() -> None:
    value = np.random.default_rng(0).permutation(50_000).astype(float)
    ranks = value.astype(np.int64)
    np.testing.assert_array_equal(pareto_rank(np.stack([value, value**3, 2.0 * value, 0.0 * value], axis=1)), ranks)
    np.testing.assert_array_equal(pareto_rank(np.ones((50_000, 4))), 0)
    three = np.random.default_rng(1).random((600, 3))
    np.testing.assert_array_equal(pareto_rank(np.hstack([three, three**2, three[:, :0]])), pareto_rank(three))


def test_gaps_beyond_the_largest_float() -> None:
    inner = front_rows(np.array([[-1e308, 1e308], [0.0, 0.0], [1e308, -1e308]]))
    outer = np.array([[1e308, -1e308], [-1e308, -1e308], [-1e308, 1e308]])
    np.testing.assert_array_equal(nearest_on_staircase(outer, inner, None), [0.0, 1e308, 0.0])
    assert additive_epsilon([[1e308, 1e308]], [[-1e308, -1e308]]) == np.inf
