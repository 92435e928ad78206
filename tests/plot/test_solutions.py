"""What `plot.sweep` and `plot.cells` draw: the points found, and for which weights."""

import numpy as np
import pytest

import moltheory as mt
from moltheory.scalarization import Chebyshev, EpsilonConstraint, WeightedSum, simplex_grid
from tests.plot._shown import data, overlapping_texts, random_world

_POINTS = np.array([[0.0, 1.0], [0.3, 0.4], [1.0, 0.0], [0.7, 0.7]])


def _sweep(world, kind=WeightedSum, divisions=10, **options):
    grid = simplex_grid(world.true.n_objectives, divisions)
    return mt.solve_front(world.true, scalarizations=[kind(w) for w in grid], **options)


def test_points_of_a_sweep_in_the_plane():
    world = random_world(20)
    sweep = _sweep(world)
    ax = mt.plot.sweep(sweep)
    np.testing.assert_array_equal(data(ax, "_certified"), sweep.points)
    distinct = len(np.unique(sweep.points, axis=0))
    assert f"11 scalarizations: {distinct} distinct front points" in " ".join(ax.get_title("left").split())
    # The weights written beside a point are those that return it.
    first = {}
    for w, point in zip(simplex_grid(2, 10)[:, 0], sweep.points, strict=True):
        first.setdefault(tuple(point), []).append(w)
    texts = {text.get_text() for text in ax.texts if text.get_text()}
    ranges = {f"w₀ = {min(w):.2g} to {max(w):.2g}" if len(w) > 1 else f"w₀ = {w[0]:.2g}" for w in first.values()}
    assert texts <= ranges
    assert len(texts) >= 2
    assert overlapping_texts(ax.figure) == []


def test_certified_gaps_and_failures_are_said():
    ls = mt.problems.MultiTaskLeastSquares([np.eye(2), [[2, 1], [1, 2]]], [[1, 0], [0, 1]], [0.5, 0.5])
    assert "certified gap at most" in " ".join(mt.plot.sweep(_sweep(ls)).get_title("left").split())
    world = random_world(20)
    limits = [EpsilonConstraint([np.inf, bound]) for bound in (0.9, -1.0)]
    sweep = mt.solve_front(world.true, scalarizations=limits, on_failure="mark")
    ax = mt.plot.sweep(sweep)
    assert "1 infeasible" in " ".join(ax.get_title("left").split())
    np.testing.assert_array_equal(data(ax, "_certified"), sweep.points[:1])


@pytest.mark.parametrize("size", [1, 30])
def test_three_objectives_are_parallel_lines(size):
    sweep = _sweep(random_world(size, 3), Chebyshev, divisions=6)
    ax = mt.plot.sweep(sweep, theme="dark")
    low, high = sweep.points.min(axis=0), sweep.points.max(axis=0)
    scaled = np.where(high > low, (sweep.points - low) / np.where(high > low, high - low, 1.0), 0.5)
    drawn = np.array([line.get_ydata() for line in ax.lines])
    order = np.lexsort(scaled.T)
    np.testing.assert_allclose(np.unique(drawn, axis=0), np.unique(scaled[order], axis=0))
    assert {text.get_text().removeprefix("best in ") for text in ax.texts} >= {"objective 0"} if size > 1 else True
    assert overlapping_texts(ax.figure) == []


def test_cells_of_two_objectives():
    ax = mt.plot.cells(_POINTS, names=["a", "b", "c", "d"], objectives=["error", "cost"], widths=0.02)
    for name, (first, second) in zip("abc", _POINTS.tolist(), strict=False):
        np.testing.assert_allclose(data(ax, name), [[0.0, second], [1.0, first]])
    assert data(ax, "_d").size == 4
    # Two cells meet where both sums are equal: w 0.3 + (1 - w) 0.4 = 1 - w, and so on.
    spans = {(round(p.get_x(), 9), round(p.get_x() + p.get_width(), 9)) for p in ax.patches}
    for ends in ((2 / 3, 1.0), (4 / 11, 2 / 3), (0.0, 4 / 11)):
        assert (round(ends[0], 9), round(ends[1], 9)) in spans
    share = mt.solvers.certified_share(_POINTS, widths=0.02)
    assert f"3 of 4 points are returned by some weighted sum; for sure at {share:.0%}" in " ".join(
        ax.get_title("left").split()
    )
    assert overlapping_texts(ax.figure) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_cells_of_three_objectives_have_their_shares(theme):
    points = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0], [0.35, 0.3, 0.4]])
    ax = mt.plot.cells(points, theme=theme)
    areas = []
    for patch in ax.patches:
        x, y = patch.get_xy()[:-1].T
        areas.append(0.5 * abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / (np.sqrt(3) / 4))
    np.testing.assert_allclose(areas, mt.solvers.weight_cells(points).share, atol=1e-12)
    assert overlapping_texts(ax.figure) == []


def test_many_points_and_equal_ones():
    rng = np.random.default_rng(0)
    for points in (rng.random((300, 2)), rng.random((60, 3)), np.ones((3, 2)), [[1.0, 2.0]]):
        ax = mt.plot.cells(points)
        found = mt.solvers.weight_cells(points)
        inside = (found.share[found.distinct] > 0).sum()
        assert f"{inside} of {found.distinct.sum()} point" in " ".join(ax.get_title("left").split())
        assert overlapping_texts(ax.figure) == []


def test_refusals(refuses):
    world = random_world(5)
    assert "moltheory.solve_front" in refuses("sweep", mt.plot.sweep, world)
    batch = mt.solve_front(world.sample(5, replicates=2, rng=0), scalarizations=[WeightedSum([1, 1])])
    refuses("sweep", mt.plot.sweep, batch)
    lost = mt.solve_front(world.true, scalarizations=[EpsilonConstraint([np.inf, -1.0])], on_failure="mark")
    assert "no hypothesis" in refuses("sweep", mt.plot.sweep, lost)
    refuses("points", mt.plot.cells, [[1.0]])
    refuses("points", mt.plot.cells, np.eye(4))
    refuses("names", mt.plot.cells, _POINTS, names=["a"])
    refuses("widths", mt.plot.cells, _POINTS, widths=-1.0)
    refuses("ax", mt.plot.cells, _POINTS, ax=3)


def _with_points(points, gap):
    """Return a sweep of a world whose points and gaps are replaced by these."""
    from dataclasses import replace

    sweep = _sweep(random_world(20), divisions=len(points) - 1)
    return replace(sweep, points=np.array(points), gap=np.full(len(points), gap))


def test_points_that_differ_by_rounding_or_their_gaps_are_one():
    apart = [[0.0, 1.0], [1e-16, 1.0], [0.5, 0.5], [0.5 + 1e-15, 0.5 - 1e-15], [1.0, 0.0]]
    for points, gap, count in ((apart, 0.0, 3), ([[0.3, 0.4]] * 2 + [[0.3 + 1e-16, 0.4]], 1e-16, 1)):
        ax = mt.plot.sweep(_with_points(points, gap))
        noun = "point" if count == 1 else "points"
        assert f"{count} distinct front {noun}" in " ".join(ax.get_title("left").split())
        assert len(np.unique(data(ax, "_certified"), axis=0)) == count
        assert len([text for text in ax.texts if text.get_text()]) == count
        assert np.ptp(ax.get_xlim()) > 0.01
        np.testing.assert_allclose(data(ax, "_certified"), points, atol=1e-12)
    for gap, count in ((1e-6, 3), (1e-3, 2)):
        ax = mt.plot.sweep(_with_points([[0.0, 1.0], [1e-4, 1.0 - 1e-4], [1.0, 0.0]], gap))
        assert f"{count} distinct front points" in " ".join(ax.get_title("left").split())


def test_every_listed_cell_of_three_objectives_has_a_number():
    points = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0], [0.35, 0.3, 0.4], [0.335, 0.33, 0.385]])
    ax = mt.plot.cells(points, names=["a" * 60, "b", "c", "d", "e"])
    share = mt.solvers.weight_cells(points).share
    (listed,) = [text.get_text() for text in ax.texts if text.get_text().startswith("cells")]
    order = np.argsort(-share, kind="stable")
    rows = listed.split("\n")[1:]
    assert [row.split()[0] for row in rows] == [str(k + 1) for k in range((share > 0).sum())]
    assert [row.split()[1][0] for row in rows] == ["abcde"[k] for k in order[: len(rows)]]
    assert {str(k + 1) for k in range(len(rows))} <= {text.get_text() for text in ax.texts}
    assert overlapping_texts(ax.figure) == []
