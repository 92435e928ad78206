"""Weight cells and certified shares: golden values, fine grids, and what sampling can do at worst."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moltheory.solvers import cell_members, certified_cells, certified_share, support_kinds, weight_cells
from moltheory.solvers._weight_sets import _volumes
from tests.golden import assert_golden, exact
from tests.solvers._samplers import integer_points, lattice

CONVEX = [[0.0, 1.0], [0.3, 0.4], [1.0, 0.0]]


def test_golden_cells_and_certified_share() -> None:
    cells = weight_cells(CONVEX)
    assert cells.exact_share == (Fraction(1, 3), Fraction(10, 33), Fraction(4, 11))
    (a, b), (c, d), (e, f) = cells.intervals  # type: ignore[misc]
    assert (b, e) == (1.0, 0.0)
    assert a == d == float(exact("reach.cells.upper_break"))
    assert c == f == float(exact("reach.cells.lower_break"))
    assert_golden(certified_share(CONVEX, widths=0.02), "reach.certified_share.c.02")


def test_three_symmetric_points_share_the_simplex_and_a_center_takes_its_part() -> None:
    corners = np.eye(3) * -1.0
    assert weight_cells(corners).exact_share == (Fraction(1, 3),) * 3
    # The center -t 1 beats corner i where w_i < t: for t = 1/2 the middle triangle, a quarter of the simplex.
    cells = weight_cells([*corners.tolist(), [-0.5, -0.5, -0.5]])
    assert cells.exact_share == (Fraction(1, 4),) * 4
    assert sorted(map(tuple, cells.vertices[3].tolist())) == [(0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)]


@settings(max_examples=60)
@given(st.sampled_from([1, 2, 3]).flatmap(integer_points))
def test_cells_partition_the_simplex(points: np.ndarray) -> None:
    cells = weight_cells(points)
    assert cells.exact_share is not None
    assert sum(s for s, d in zip(cells.exact_share, cells.distinct, strict=True) if d) == 1
    assert cells.total == 1.0
    for vertices, share, kind in zip(cells.vertices, cells.share, support_kinds(points), strict=True):
        assert (len(vertices) > 0) == (kind not in ("unsupported", "dominated"))
        assert (share > 0) == (kind == "extreme")
        np.testing.assert_allclose(vertices.sum(axis=1), 1.0, rtol=1e-14)
    for k, vertices in enumerate(cells.vertices):
        if len(vertices):
            # Corners are rounded: the sum at them is smallest up to that.
            sums = vertices @ points.T
            assert (sums[:, k] <= sums.min(axis=1) + 1e-12).all()


@pytest.mark.parametrize(("n_objectives", "steps", "tolerance"), [(2, 4000, 0.002), (3, 120, 0.02)])
def test_shares_agree_with_a_fine_grid(n_objectives: int, steps: int, tolerance: float) -> None:
    @settings(max_examples=25)
    @given(integer_points(n_objectives, largest=9, most=8), st.sampled_from([0.0, 0.25, 0.5]))
    def check(points: np.ndarray, width: float) -> None:
        # Centers of small cells of the lattice, so that no weight is on a border by construction.
        w = lattice(n_objectives, steps) + 1.0 / 3.0
        w /= w.sum(axis=1, keepdims=True)
        sums = np.sort(w @ np.unique(points, axis=0).T, axis=1)
        margin = sums[:, 1] - sums[:, 0] if sums.shape[1] > 1 else np.full(len(w), np.inf)
        share = (margin > 2.0 * width).mean()
        assert abs(certified_share(points, widths=width) - share) < tolerance
        best = (w @ points.T <= sums[:, :1] + 1e-12).mean(axis=0)
        np.testing.assert_allclose(weight_cells(points).share, best, atol=tolerance)

    check()


def test_inside_a_certified_cell_no_risks_within_the_widths_move_the_minimiser(rng: np.random.Generator) -> None:
    points, widths = rng.random((8, 3)), np.array([0.02, 0.03, 0.01])
    cells = certified_cells(points, widths=widths)
    assert 0.0 < cells.total < 1.0
    for k, vertices in enumerate(cells.vertices):
        if len(vertices) < 3:
            continue
        for w in rng.dirichlet(np.ones(len(vertices)), size=20) @ vertices:
            # The worst case: the minimiser looks worse by C and all others better by C.
            seen = points - widths
            seen[k] = points[k] + widths
            assert np.argmin(seen @ w) == k


def test_outside_the_certified_cells_some_risks_within_the_widths_move_it(rng: np.random.Generator) -> None:
    points = np.array(CONVEX)
    certified = [ends for ends in certified_cells(points, widths=0.02).intervals if ends is not None]
    for first in rng.random(300):
        w = np.array([first, 1.0 - first])
        best = int(np.argmin(points @ w))
        seen = points - 0.02
        seen[best] += 0.04
        inside = any(low < first < high for low, high in certified)
        assert (np.argmin(seen @ w) == best) == inside


def test_widths_of_zero_certify_almost_all_and_large_ones_nothing() -> None:
    assert certified_share(CONVEX, widths=0.0) == 1.0
    assert certified_share(CONVEX, widths=1.0) == 0.0
    assert certified_share([[0.5, 0.5], [0.5, 0.5]], widths=9.0) == 1.0
    # A rival exactly twice the widths away ties everywhere.
    assert certified_share([[0.25, 0.25], [0.5, 0.5]], widths=0.125) == 0.0
    assert certified_share([[0.25, 0.25], [0.5, 0.625]], widths=0.125) == 1.0


def test_dominated_rivals_count() -> None:
    assert certified_share([*CONVEX, [0.31, 0.41]], widths=0.02) < certified_share(CONVEX, widths=0.02)


@settings(max_examples=30)
@given(integer_points(3, most=6), st.permutations(range(3)))
def test_equivariance(points: np.ndarray, columns: list[int]) -> None:
    cells = weight_cells(points)
    moved = weight_cells(points[::-1][:, columns] * 2.0 + 5.0)
    assert moved.exact_share == cells.exact_share[::-1]  # type: ignore[index]
    both = certified_share(points * 2.0, widths=[0.5, 0.25, 1.0])
    assert both == certified_share(points[:, columns] * 4.0, widths=np.array([1.0, 0.5, 2.0])[columns])


def test_rounded_volumes_agree_with_exact_areas(rng: np.random.Generator) -> None:
    points, widths = np.unique(rng.random((12, 3)), axis=0), np.array([0.01, 0.0, 0.02])
    np.testing.assert_allclose(_volumes(points, widths)[0], certified_cells(points, widths=widths).share, atol=1e-9)


def test_four_objectives(rng: np.random.Generator) -> None:
    points = rng.random((10, 4))
    cells = weight_cells(points)
    assert cells.exact_share is None
    assert cells.total == pytest.approx(1.0, abs=1e-9)
    w = rng.dirichlet(np.ones(4), size=20_000)
    np.testing.assert_allclose(cells.share, np.bincount(np.argmin(w @ points.T, axis=1), minlength=10) / 2e4, atol=0.02)
    assert certified_share(points, widths=0.01) < 1.0


def test_members_of_cells_keep_exact_ties() -> None:
    points = [[0.1, 0.3], [0.2, 0.2], [0.3, 0.1], [0.2, 0.2]]
    assert cell_members(points, weights=[[0.1, 0.1]]).all()
    assert cell_members(points, weights=[[2.0, 1.0], [0.0, 1.0]]).tolist() == [
        [True, False, False, False],
        [False, False, True, False],
    ]


def test_refusals(refuses) -> None:  # type: ignore[no-untyped-def]
    refuses("points", weight_cells, [])
    refuses("points", weight_cells, [[np.nan, 1.0]])
    refuses("widths", certified_share, CONVEX, widths=-0.1)
    refuses("widths", certified_share, CONVEX, widths=[0.1, 0.1, 0.1])
    refuses("widths", certified_share, CONVEX, widths=np.nan)
    refuses("weights", cell_members, CONVEX, weights=[[0.0, 0.0]])
    refuses("weights", cell_members, CONVEX, weights=[[1.0, 0.0, 0.0]])
    refuses("intervals", lambda: weight_cells([[0.0, 1.0, 2.0]]).intervals)
