"""Continuous fronts of three and four objectives: simplices of neighbors, what they miss, and errors without a grid."""

import itertools

import numpy as np
import pytest
from scipy.optimize import linprog, minimize

from moltheory.experiments import WeightedFrontComparison, asymmetry
from moltheory.experiments._mixtures import between_members, largest_distance
from moltheory.experiments._simplices import Lattice, gaps_under_simplices, lowest_of_mixtures, nearest_mixtures
from moltheory.objectives import QuadraticObjectives
from moltheory.problems import LinearPopulation, MultiTaskLeastSquares


def _round(n_tasks, noise=0.5):
    """Risks |theta - e_k|^2 + noise^2, whose front is theta(w) = w."""
    return MultiTaskLeastSquares([np.eye(n_tasks)] * n_tasks, np.eye(n_tasks), [noise] * n_tasks)


def _skewed(seed=0):
    rng = np.random.default_rng(seed)
    roots = rng.standard_normal((3, 3, 3))
    return MultiTaskLeastSquares(
        roots @ roots.transpose(0, 2, 1) + np.eye(3), rng.standard_normal((3, 3)), np.full(3, 0.5)
    )


@pytest.mark.parametrize(("n", "divisions"), [(2, 5), (3, 1), (3, 6), (4, 3)])
def test_small_simplices_cover_all_weights(n, divisions):
    lattice = Lattice(n, divisions)
    rng = np.random.default_rng(0)
    edges = rng.dirichlet(np.ones(n), 50) * (rng.random((50, n)) < 0.5) + np.eye(n)[0] * 1e-3
    points = np.concatenate([rng.dirichlet(np.ones(n), 200), lattice.weights, edges / edges.sum(axis=1, keepdims=True)])
    rows, shares = lattice.mixture(points)
    assert (shares >= -1e-12).all()
    np.testing.assert_allclose((shares[:, :, None] * lattice.weights[rows]).sum(axis=1), points, atol=1e-12)
    known = {frozenset(simplex) for simplex in lattice.simplices.tolist()}
    assert len(known) == divisions ** (n - 1)
    assert all(frozenset(row) in known for row, share in zip(rows.tolist(), shares, strict=True) if share.min() > 1e-9)
    # Equal volumes fill the whole.
    corners = lattice.weights[lattice.simplices]
    volumes = np.abs(np.linalg.det(corners))
    np.testing.assert_allclose(volumes, 1.0 / divisions ** (n - 1), rtol=1e-9)


def _game(values):
    """The value of a matrix game by a linear program."""
    m, n = values.shape
    above = np.column_stack([values.T, -np.ones(n)])
    found = linprog([0] * m + [1], above, np.zeros(n), [[1] * m + [0]], [1], [(0, None)] * m + [(None, None)])
    return found.fun


@pytest.mark.parametrize(("m", "n"), [(3, 3), (4, 4), (3, 2)])
def test_mixtures_are_those_of_a_linear_program(m, n):
    rng = np.random.default_rng(m + n)
    values = rng.standard_normal((m, n, 30))
    # Ties and constant rows.
    values[..., 15:] = np.round(values[..., 15:])
    best, shares = lowest_of_mixtures(values)
    np.testing.assert_allclose(best, [_game(values[..., k]) for k in range(30)], atol=1e-8)
    np.testing.assert_allclose(np.einsum("jm,jim->im", shares, values).max(axis=0), best, atol=1e-12)


def test_the_nearest_simplex_is_that_of_all():
    rng = np.random.default_rng(2)
    lattice = Lattice(3, 3)
    members, points = rng.random((2, len(lattice.weights), 3)), rng.random((2, 5, 3))
    for sign in (1.0, -1.0):
        distance, place, shares = nearest_mixtures(points, members, lattice.simplices, sign=sign)
        for r, k in itertools.product(range(2), range(5)):
            every = [_game(sign * (members[r][rows] - points[r, k])) for rows in lattice.simplices]
            assert distance[r, k] == pytest.approx(max(0.0, min(every)), abs=1e-8)
            there = shares[r, k] @ members[r][lattice.simplices[place[r, k]]]
            assert max(0.0, (sign * (there - points[r, k])).max()) == pytest.approx(distance[r, k], abs=1e-12)


def test_what_simplices_miss_is_bounded_and_not_by_less():
    lattice, problem = Lattice(3, 4), _skewed()
    points = problem.true.risks(problem.true.minimisers(lattice.weights))
    bounds = gaps_under_simplices(lattice.weights, points, lattice.simplices)
    fine = Lattice(3, 40)
    true = problem.true.risks(problem.true.minimisers(fine.weights))
    short = nearest_mixtures(true[None], points[None], lattice.simplices, sign=1.0)[0]
    assert 0.1 * bounds.max() < short.max() <= bounds.max()
    # Where nothing but the supporting planes is known, all of the bound can be missed: the point 0 is above them all.
    corner = Lattice(3, 1)
    at = 2.0 * (1.0 - np.eye(3))[corner.weights.argmax(axis=1)]
    assert (corner.weights * at).sum(axis=1).max() == 0.0
    bound = gaps_under_simplices(corner.weights, at, corner.simplices)
    assert bound == pytest.approx(4.0 / 3.0, rel=1e-12)
    missed = nearest_mixtures(np.zeros((1, 1, 3)), at[None], corner.simplices, sign=1.0)[0]
    assert missed == pytest.approx(4.0 / 3.0, rel=1e-12)


@pytest.mark.parametrize(("n_tasks", "n_points"), [(3, 6), (4, 10)])
def test_both_errors_in_closed_form(n_tasks, n_points):
    """A sample whose minimisers are all moved off the simplex by eta (1, ..., 1) is worse by N eta^2 everywhere."""
    problem = _round(n_tasks)
    eta = np.array([0.0, 1e-3, 0.03])
    centers = np.eye(n_tasks) + eta[:, None, None]
    sample = QuadraticObjectives(
        np.broadcast_to(np.eye(n_tasks), (3, n_tasks, n_tasks, n_tasks)), centers, np.full((3, n_tasks), 0.25)
    )
    columns = WeightedFrontComparison(problem, n_points=n_points, refinement=1)(sample)
    # The corners of the grid are 1 / 2 apart: members, and simplices alone, are off by far more.
    np.testing.assert_allclose(columns["coverage_error"], n_tasks * eta**2, rtol=1e-4, atol=1e-13)
    np.testing.assert_allclose(columns["purity_error"], n_tasks * eta**2, rtol=1e-4, atol=1e-13)


def _by_programs(targets, solve, starts, sign):
    """The largest distance of targets from a continuous front, by nonlinear programs from several weights."""
    worst = 0.0
    for target in targets:

        def beyond(x, target=target):
            w = np.clip(x[:3], 0.0, None)
            return sign * (solve(w / w.sum()) - target)

        first = sorted(starts, key=lambda w: beyond(w).max())[:2]
        rules = [
            {"type": "eq", "fun": lambda x: x[:3].sum() - 1.0},
            {"type": "ineq", "fun": lambda x, beyond=beyond: x[3] - beyond(x)},
        ]
        found = [
            minimize(
                lambda x: x[3],
                np.append(w, beyond(w).max()),
                method="SLSQP",
                bounds=[(0, 1)] * 3 + [(None, None)],
                constraints=rules,
                options={"ftol": 1e-13, "maxiter": 200},
            ).x
            for w in first
        ]
        worst = max(worst, min(beyond(x).max() for x in found))
    return worst


@pytest.mark.parametrize("n", [pytest.param(100, marks=pytest.mark.slow), 30_000])
def test_errors_are_those_of_nonlinear_programs(n):
    problem = _skewed()
    sample = problem.sample(n, replicates=2, rng=0)
    compare = WeightedFrontComparison(problem, n_points=15, refinement=1)
    columns = compare(sample)
    weights, true, one = compare.weights, problem.true, sample.entry(0)

    def member(objectives):
        return lambda w: true.risks(objectives.minimisers(w[None]))[0]

    starts = Lattice(3, 12).weights
    covered = _by_programs(compare.true_points, member(one), starts, 1.0)
    assert columns["coverage_error"][0] == pytest.approx(covered, rel=1e-3)
    pure = _by_programs(true.risks(one.minimisers(weights)), member(true), starts, -1.0)
    assert columns["purity_error"][0] == pytest.approx(pure, rel=1e-3)


def test_the_grid_does_not_show():
    """Coverage error has the power of n that theory gives it, far below the step of the grid and what simplices miss."""
    table = asymmetry(_round(3), sizes=[300, 30_000], replicates=6, rng=0, n_points=15, refine=4)
    means = table.groupby("size")[["coverage_error", "purity_error", "discretization"]].mean()
    assert 50 < means["coverage_error"][300] / means["coverage_error"][30_000] < 200
    assert 5 < means["purity_error"][300] / means["purity_error"][30_000] < 20
    assert means["coverage_error"][30_000] < means["discretization"][30_000] / 20
    finer = asymmetry(_round(3), sizes=[30_000], replicates=6, rng=0, n_points=15, refine=16)
    assert means["coverage_error"][30_000] == pytest.approx(finer["coverage_error"].mean(), rel=0.05)
    assert finer["discretization"].max() < means["discretization"][30_000] / 3


def test_mixtures_of_other_objectives():
    """Without a closed form minimisers are mixed; every distance is attained and at most that of the simplices."""
    problem, lattice = _skewed(), Lattice(3, 16)
    sample = problem.sample(300, replicates=2, rng=1)
    solutions = sample.minimisers(lattice.weights)
    risks = problem.true.risks
    found = np.stack([risks(s) for s in solutions])
    own = Lattice(3, 4).weights[None]
    targets = risks(problem.true.minimisers(own[0]))[None]
    nearest = nearest_mixtures(targets, found, lattice.simplices, sign=1.0)
    exact, _ = largest_distance(targets, own, nearest, lattice, between_members(sample, solutions, lattice, risks))
    mixed, _ = largest_distance(targets, own, nearest, lattice, between_members(object(), solutions, lattice, risks))
    assert (mixed <= nearest[0].max(axis=1)).all()
    np.testing.assert_allclose(mixed, exact, rtol=0.4)
    rng = np.random.default_rng(0)
    inputs = [np.column_stack([rng.normal(shift, 1.0, 40).clip(-1.5, 1.5), np.ones(40)]) for shift in (-0.5, 0.0, 0.5)]
    labels = [rng.integers(0, 2, 40) for _ in range(3)]
    groups = LinearPopulation(inputs, labels, losses="logistic", radius=2.0, input_norm=2.0, ridge=0.05)
    columns = WeightedFrontComparison(groups, n_points=3, refinement=5)(groups.sample(60, replicates=1, rng=0))
    assert (columns["coverage_error"] <= 2 * columns["uniform_deviation"] + columns["discretization"]).all()
    assert np.isfinite(columns["discretization"]).all()


def test_refusals(refuses):
    refuses("n_points", WeightedFrontComparison, _round(3), n_points=2)
    refuses("refine", asymmetry, _round(5), sizes=[30], replicates=1, rng=0, refine=2)
