"""Supported points: against fine grids of weights, linear programs and invariances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moltheory.pareto import nondominated
from moltheory.scalarization import Chebyshev, WeightedSum
from moltheory.solvers import chebyshev_weights, support_kinds, supported
from moltheory.solvers._support import _by_programs
from tests.solvers._samplers import integer_points, lattice

NONCONVEX = np.array([[0.0, 1.0], [0.6, 0.6], [1.0, 0.0]])


def test_the_middle_point_is_unsupported_and_chebyshev_reaches_it() -> None:
    assert support_kinds(NONCONVEX).tolist() == ["extreme", "unsupported", "extreme"]
    for w in lattice(2, 500):
        assert np.argmin(WeightedSum(w)(NONCONVEX)) != 1
    z = np.array([-0.1, -0.1])
    values = Chebyshev(chebyshev_weights(NONCONVEX[1], ideal=z), ideal=z)(NONCONVEX)
    assert np.argmin(values) == 1
    assert (np.delete(values, 1) > values[1] + 0.1).all()


@pytest.mark.parametrize(
    ("points", "kinds"),
    [
        ([[0.1, 0.3], [0.2, 0.2], [0.3, 0.1]], ["extreme", "positive", "extreme"]),
        ([[0, 1], [0, 1], [1, 0]], ["extreme", "extreme", "extreme"]),
        ([[1, 1]], ["extreme"]),
        ([[0, 0], [0, 1], [1, 0], [1, 1]], ["extreme", "weak", "weak", "dominated"]),
        ([[3], [1], [1]], ["dominated", "extreme", "extreme"]),
        ([[0, 0, 1], [0, 0.6, 0.6], [0, 1, 0]], ["extreme", "boundary", "extreme"]),
        ([[3, 0, 0], [0, 3, 0], [0, 0, 3], [1, 1, 1]], ["extreme"] * 3 + ["positive"]),
        ([[3, 0, 0], [0, 3, 0], [0, 0, 3], [1, 1, 1.1]], ["extreme"] * 3 + ["unsupported"]),
    ],
)
def test_known_kinds(points: list[list[float]], kinds: list[str]) -> None:
    assert support_kinds(points).tolist() == kinds


def _kinds_on_a_lattice(points: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return reached, reached by positive weights, and the only minimiser (with its equals), on the lattice."""
    w = lattice(points.shape[1], steps)
    sums = w @ points.T
    best = sums == sums.min(axis=1, keepdims=True)
    groups = np.unique(points, axis=0, return_inverse=True)[1].reshape(-1)
    same = groups[:, None] == groups[None, :]
    alone = (best[:, :, None] == (same[None] & best[:, :, None])).all(axis=1) & best
    return best.any(axis=0), best[(w > 0).all(axis=1)].any(axis=0), alone.any(axis=0)


@pytest.mark.parametrize(("n_objectives", "steps", "largest"), [(2, 840, 6), (3, 24, 2)])
def test_never_fewer_than_a_grid_of_weights_finds(n_objectives: int, steps: int, largest: int) -> None:
    @settings(max_examples=60)
    @given(integer_points(n_objectives, largest=largest))
    def check(points: np.ndarray) -> None:
        kinds = support_kinds(points)
        reached, positive, alone = _kinds_on_a_lattice(points, steps)
        best = nondominated(points)
        assert np.isin(kinds[reached & best], ["extreme", "positive", "boundary"]).all()
        assert (kinds[reached & ~best] == "weak").all()
        assert np.isin(kinds[positive], ["extreme", "positive"]).all()
        assert (kinds[alone & best] == "extreme").all()
        # Interior cells of such small integers hold a lattice point, so the grid misses none either.
        if n_objectives == 2:
            np.testing.assert_array_equal(kinds == "extreme", alone & best)

    check()


@settings(max_examples=40)
@given(st.sampled_from([2, 3]).flatmap(lambda n: integer_points(n, most=7)))
def test_linear_programs_agree_with_exact_cells(points: np.ndarray) -> None:
    distinct = np.unique(points, axis=0)
    np.testing.assert_array_equal(_by_programs(distinct), support_kinds(distinct))


@settings(max_examples=50)
@given(integer_points(3), st.randoms(use_true_random=False))
def test_permutations_and_scales_change_nothing(points: np.ndarray, random: object) -> None:
    rows = np.arange(len(points))
    columns = np.arange(3)
    random.shuffle(rows), random.shuffle(columns)  # type: ignore[attr-defined]
    kinds = support_kinds(points)
    np.testing.assert_array_equal(support_kinds(points[rows][:, columns]), kinds[rows])
    np.testing.assert_array_equal(support_kinds(points * [3.0, 0.5, 7.0] - [1.0, 0.0, 2.0]), kinds)


def test_four_objectives_on_a_sphere_and_inside_it(rng: np.random.Generator) -> None:
    w = np.abs(rng.normal(size=(30, 4)))
    ball = 1.0 - w / np.linalg.norm(w, axis=1, keepdims=True)
    # A point above the mixture of two others by less than the ball is deep is non-dominated or not, never supported.
    above = 0.5 * (ball[:15] + ball[15:]) + 1e-6
    kinds = support_kinds(np.concatenate([ball, above]))
    assert (kinds[:30] == "extreme").all()
    assert np.isin(kinds[30:], ["unsupported", "dominated"]).all()


def test_boundary_and_positive_differ_with_four_objectives() -> None:
    points = [[0, 0, 0, 1], [0, 0, 0.6, 0.6], [0, 0, 1, 0]]
    assert support_kinds(points).tolist() == ["extreme", "boundary", "extreme"]
    assert supported(points).all()
    assert supported(points, weights="positive").tolist() == [True, False, True]


def test_refusals(refuses) -> None:  # type: ignore[no-untyped-def]
    refuses("points", supported, [])
    refuses("points", supported, [1.0, 2.0])
    refuses("points", support_kinds, [[0.0, np.nan]])
    refuses("points", support_kinds, [[0.0, np.inf]])
    refuses("weights", supported, [[0.0, 1.0]], weights="any")


def test_inputs_are_not_written_to() -> None:
    points = NONCONVEX.copy()
    points.flags.writeable = False
    support_kinds(points)
