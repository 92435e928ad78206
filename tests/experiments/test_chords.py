"""Distances to continuous fronts: chords against plain searches, what chords miss, and errors that no grid shows in."""

import itertools

import numpy as np
import pytest
from scipy.optimize import linprog, minimize_scalar

from moltheory.experiments import WeightedFrontComparison, asymmetry, flat_directions
from moltheory.experiments._chords import above_front, gap_under_chords, short_of_targets
from moltheory.problems import MultiTaskLeastSquares

S2 = [[2.0, 1.0, 0.0], [1.0, 2.0, 1.0], [0.0, 1.0, 2.0]]


def _two(noise=0.5):
    return MultiTaskLeastSquares([np.eye(3), S2], [[1, 0, 0], [0, 0, 1]], [noise, noise])


def _by_search(targets, members, sign):
    """The same distance from 20,001 points of every chord."""
    share = np.linspace(0.0, 1.0, 20_001)[:, None]
    line = np.concatenate([(1 - share) * a + share * b for a, b in itertools.pairwise(members)])
    return np.array([max(0.0, (sign * (line - t)).max(axis=1).min()) for t in targets])


@pytest.mark.parametrize("seed", range(4))
def test_distances_to_chords_are_those_of_a_search(seed):
    rng = np.random.default_rng(seed)
    targets, members = rng.random((6, 2)), rng.random((3, 5, 2))
    found = short_of_targets(targets[None], members)
    for r in range(3):
        np.testing.assert_allclose(found[r], _by_search(targets, members[r], 1.0), atol=1e-4)
    each = rng.random((3, 4, 2))
    np.testing.assert_array_equal(short_of_targets(each, members)[1], short_of_targets(each[1:2], members[1:2])[0])
    first = np.sort(rng.random(7))
    front = np.stack([first, (1.0 - np.sqrt(first)) ** 2], axis=1)
    points = rng.random((20, 2)) * 1.5 - 0.2
    np.testing.assert_allclose(above_front(points, front), _by_search(points, front, -1.0), atol=1e-4)


def _gap_by_programs(weights, points, gap):
    """The largest shortfall over all vectors above the lines, with one linear program for each chord."""
    worst = -np.inf
    for k in range(len(points) - 1):
        # Variables v1, v2, s, t: v + (t, t) is the point s of chord k.
        step = points[k + 1] - points[k]
        equal = np.array([[1.0, 0.0, -step[0], 1.0], [0.0, 1.0, -step[1], 1.0]])
        above = np.concatenate([-weights, np.zeros((len(weights), 2))], axis=1)
        limits = gap - (weights * points).sum(axis=1)
        found = linprog([0, 0, 0, -1.0], above, limits, equal, points[k], [(None, None)] * 2 + [(0, 1), (None, None)])
        worst = max(worst, -found.fun)
    return worst


@pytest.mark.parametrize("gap", [0.0, 1e-3])
def test_what_chords_miss_is_bounded_and_hardly_more(gap):
    problem = _two()
    weights = problem.front_weights(9)
    points = problem.true.risks(problem.true.minimisers(weights))
    rng = np.random.default_rng(3)
    moved = points + gap * rng.random(points.shape)
    bound = float(gap_under_chords(weights, moved, np.asarray(gap)))
    exact = _gap_by_programs(weights, moved, gap)
    assert exact <= bound + 1e-12
    assert bound <= exact * (1.0 + 1e-9) if gap == 0.0 else bound <= exact + gap
    fine = problem.true.risks(problem.true.minimisers(problem.front_weights(4001)))
    assert short_of_targets(fine[None], moved[None]).max() <= bound
    # Half of the bound, as a wrong factor would have it, is not enough for lines that meet on a front of lines.
    lines = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    corners = np.array([[0.0, 1.0], [0.25, 0.25], [1.0, 0.0]])
    assert float(gap_under_chords(lines, corners, np.asarray(0.0))) == pytest.approx(
        _gap_by_programs(lines, corners, 0.0), rel=1e-9
    )


def test_what_chords_miss_falls_with_the_square_of_the_step():
    problem = _two()
    missed = []
    for count in (26, 51, 101):
        weights = problem.front_weights(count)
        points = problem.true.risks(problem.true.minimisers(weights))
        missed.append(float(gap_under_chords(weights, points, np.asarray(0.0))))
    assert 3.7 < missed[0] / missed[1] < 4.3
    assert 3.7 < missed[1] / missed[2] < 4.3


def test_errors_are_those_of_a_grid_a_hundred_times_finer():
    problem = _two()
    sample = problem.sample(2000, replicates=3, rng=1)
    columns = WeightedFrontComparison(problem)(sample)
    weights = problem.front_weights(60_001)
    true = problem.true.risks(problem.true.minimisers(weights))
    found = problem.true.risks(sample.minimisers(weights)[0])
    shortfall = min_max = 0.0
    for target in true[::600]:
        min_max = max(min_max, float((found - target).max(axis=1).min()))
    for member in found[::600]:
        shortfall = max(shortfall, float((member - true).max(axis=1).min()))
    assert columns["coverage_error"][0] == pytest.approx(min_max, abs=3e-5)
    assert columns["purity_error"][0] == pytest.approx(shortfall, abs=3e-5)
    assert columns["coverage_error"][0] < columns["purity_error"][0] / 10


def test_the_grid_does_not_show():
    """Both errors have the power of n that theory gives them, down to below the step of the grid."""
    table = asymmetry(_two(), sizes=[100, 10_000], replicates=100, rng=0)
    means = table.groupby("size")[["coverage_error", "purity_error", "discretization"]].mean()
    assert 60 < means["coverage_error"][100] / means["coverage_error"][10_000] < 200
    assert 6 < means["purity_error"][100] / means["purity_error"][10_000] < 20
    assert (table["discretization"] < 2e-4).all()
    coarse = asymmetry(_two(), sizes=[10_000], replicates=100, rng=0, n_points=12, refine=5)
    difference = coarse["coverage_error"].mean() - means["coverage_error"][10_000]
    assert 0 < difference < coarse["discretization"].mean()


def _member(w, mu, z):
    """The empirical minimiser inside the disk, from the equations of its gradient."""
    system = np.array([[2.0, 0.0], [0.0, w * mu + 2.0 * (1.0 - w)]])
    return np.linalg.solve(system, [1.0 - w, -w * z])


@pytest.mark.parametrize("mu", [1.0, 0.1])
def test_coverage_on_the_disk_is_that_of_the_continuous_front(mu):
    table = flat_directions(sizes=[400], replicates=2, rng=5, moduli=(mu,))
    row = table[table["modulus"] == mu].iloc[0]
    worst = 0.0
    for t in np.linspace(0.0, 0.5, 26):

        def short(w, t=t):
            first, second = _member(w, mu, row["uniform_deviation"])
            return max(first**2 + 0.5 * mu * second**2 - t**2, (first - 0.5) ** 2 + second**2 - (t - 0.5) ** 2)

        near = 1.0 - 2.0 * t
        spans = [(0.0, 1.0), (max(0.0, near - 0.05), min(1.0, near + 0.05)), (max(0.0, near - 0.2), near)]
        worst = max(
            worst, min(minimize_scalar(short, bounds=b, options={"xatol": 1e-12}, method="bounded").fun for b in spans)
        )
    assert row["coverage_error"] == pytest.approx(worst, rel=2e-3)


def test_coverage_falls_with_and_without_curvature():
    """With curvature like 1 / n; the step of the weights, once 4e-3 of it at any n, is seen no more."""
    table = flat_directions(sizes=[100, 10_000], replicates=60, rng=0, moduli=(1.0, 0.0))
    means = table.pivot_table(index="size", columns="case", values="coverage_error")
    assert 40 < means["mu = 1"][100] / means["mu = 1"][10_000] < 250
    assert means["mu = 0 (flat)"][10_000] < means["mu = 0 (flat)"][100] / 8
    purity = table.pivot_table(index="size", columns="case", values="purity_error")
    assert (means["mu = 1"] < purity["mu = 1"]).all()
