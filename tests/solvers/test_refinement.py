"""Adaptive refinement: the certificate is never below the gap observed, and few weights suffice."""

from collections.abc import Callable

import numpy as np
import pytest

from moltheory.objectives import BlackBoxObjectives, ConvexObjectives, FiniteObjectives, QuadraticObjectives
from moltheory.scalarization import WeightedSum, simplex_grid
from moltheory.solvers import RefinedFront, refine_front, sandwich_gap, solve_front
from tests.solvers._samplers import ellipsoid, lattice, sphere

Array = np.ndarray
Solve = Callable[[Array], Array]


def _observed(front: RefinedFront, solve: Solve, steps: int) -> float:
    """The largest ``phi - psi`` on a grid of weights: what the certificate must not be below, from exact values."""
    unit = front.scale
    u = lattice(unit.size, steps) / steps
    w = u / unit
    w /= w.sum(axis=1, keepdims=True)
    exact = (w * solve(w)).sum(axis=1)
    hull = (w @ front.points.T).min(axis=1)
    # In units of the scale, weights u = w * unit / total.
    return float(((hull - exact) / (w * unit).sum(axis=1)).max())


def _cases(n: int) -> dict[str, Solve]:
    skewed = np.array([1.0, 0.02, 0.3, 0.5])[:n]
    return {"sphere": sphere(np.ones(n)), "ellipsoid": ellipsoid(skewed)}


@pytest.mark.parametrize("case", ["sphere", "ellipsoid"])
@pytest.mark.parametrize(("n", "tolerance", "steps"), [(2, 1e-4, 5000), (3, 0.02, 150), (4, 0.1, 25)])
def test_certificate_covers_what_is_observed(n: int, tolerance: float, steps: int, case: str) -> None:
    solve = _cases(n)[case]
    front = refine_front(solve, n_objectives=n, tolerance=tolerance)
    assert front.converged
    assert front.gap <= tolerance
    observed = _observed(front, solve, steps)
    assert observed <= front.gap * (1.0 + 1e-9) + 1e-14
    # The certificate is not idle either: within a small factor of the truth for smooth fronts.
    assert observed >= front.gap / 20.0
    # Every attainable point plus the gap is above the hull: v + t 1 in I.
    w = simplex_grid(n, 12)
    shifted = solve(w) + front.gap
    assert ((shifted @ w.T) >= (w @ front.points.T).min(axis=1)[None] - 1e-12).all()
    assert front.outside(solve(w)).max() <= 1e-12


def test_two_parabolas_have_the_known_gap() -> None:
    """Values theta^2 and (theta - 1)^2: psi(w) = w_1 w_2 and even halving, so gap = 1 / (8 * 4^r) x 1 after rounds."""
    objectives = QuadraticObjectives(np.ones((2, 1, 1)), [[0.0], [1.0]], [0.0, 0.0])
    front = refine_front(objectives, tolerance=1e-3)
    sizes, gaps = zip(*front.history, strict=True)
    assert sizes == (2, 3, 5, 9, 17, 33)
    np.testing.assert_allclose(gaps, [0.5 / 4**r for r in range(6)], rtol=1e-9)
    w = front.weights
    np.testing.assert_allclose(front.lower, w[:, 0] * w[:, 1], atol=1e-14)
    np.testing.assert_allclose(front.points, np.stack([w[:, 1] ** 2, w[:, 0] ** 2], axis=1), atol=1e-14)


def test_three_quadratics_with_a_closed_form(rng: np.random.Generator) -> None:
    """|theta - c_i|^2: psi(w) = sum w_i |c_i|^2 - |sum w_i c_i|^2."""
    centers = rng.normal(size=(3, 2))
    objectives = QuadraticObjectives(np.tile(np.eye(2), (3, 1, 1)), centers, np.zeros(3))
    front = refine_front(objectives, tolerance=0.05)
    assert front.converged
    w = lattice(3, 150) / 150.0
    psi = w @ (centers**2).sum(axis=1) - ((w @ centers) ** 2).sum(axis=1)
    hull = (w @ front.points.T).min(axis=1)
    assert (hull - psi).max() <= front.gap + 1e-12
    # Lower interpolation on the pieces covers the simplex: the areas sum to one.
    assert np.abs(np.linalg.det(front.weights[front.pieces])).sum() == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize(("n", "tolerance", "factor"), [(2, 1e-4, 5.0), (3, 0.01, 3.0)])
def test_far_fewer_weights_than_an_even_grid(n: int, tolerance: float, factor: float) -> None:
    solve = ellipsoid(np.array([1.0, 0.01, 0.3])[:n])
    front = refine_front(solve, n_objectives=n, tolerance=tolerance)
    assert front.converged
    budget = int(factor * len(front.points))
    steps = budget - 1 if n == 2 else int((2.0 * budget) ** 0.5) - 1
    even = simplex_grid(n, steps)
    assert len(even) > 0.8 * budget
    assert sandwich_gap(even, solve(even)) > tolerance


def test_gap_never_grows_and_budget_is_kept() -> None:
    front = refine_front(sphere(np.ones(3)), n_objectives=3, tolerance=1e-6, max_points=40)
    assert front.status == "max_points reached"
    assert len(front.points) == 40 == front.history[-1][0]
    gaps = np.array([gap for _, gap in front.history])
    assert (np.diff(gaps) <= 1e-12).all()
    assert front.gap == gaps[-1] > 1e-6
    assert len(refine_front(sphere(np.ones(2)), n_objectives=2, tolerance=1e-9, max_points=17).points) == 17


@pytest.mark.parametrize("n", [2, 3])
def test_polyhedral_fronts_end_with_no_gap(n: int, rng: np.random.Generator) -> None:
    vertices = 1.0 - (lambda w: w / np.linalg.norm(w, axis=1, keepdims=True))(np.abs(rng.normal(size=(6, n))))
    front = refine_front(lambda w: vertices[np.argmin(w @ vertices.T, axis=1)], n_objectives=n, tolerance=1e-9)
    assert front.converged
    assert front.gap <= 1e-12
    assert len(front.points) < 60


@pytest.mark.parametrize("n", [2, 3])
def test_a_single_best_point_needs_the_unit_weights_only(n: int) -> None:
    front = refine_front(lambda w: np.ones_like(w), n_objectives=n, tolerance=1e-9)
    assert front.gap == 0.0
    assert len(front.points) == n


def test_inexact_solves_count_in_the_certificate_and_stop_the_refinement() -> None:
    exact, error = sphere(np.ones(2)), 1e-3

    def solve(w: Array) -> tuple[Array, Array]:
        found = exact(w)
        return found + 0.5 * error, (w * found).sum(axis=1) - 0.5 * error

    front = refine_front(solve, n_objectives=2, tolerance=1e-5, max_points=5000)
    assert front.status == "limited by the accuracy of the solves"
    assert error * 0.99 <= front.gap < 1.2 * error
    assert len(front.points) < 400
    assert _observed(front, exact, 2000) <= front.gap
    good = refine_front(solve, n_objectives=2, tolerance=2e-3)
    assert good.converged


@pytest.mark.parametrize("n", [2, 3])
def test_units_of_the_objectives(n: int) -> None:
    unit = np.array([1.0, 100.0, 0.01])[:n]
    plain = refine_front(sphere(np.ones(n)), n_objectives=n, tolerance=0.02)

    def scaled(w: Array) -> Array:
        u = w * unit
        return sphere(np.ones(n))(u / u.sum(axis=1, keepdims=True)) * unit

    front = refine_front(scaled, n_objectives=n, tolerance=0.02, scale=unit)
    # The same front in other units needs the same effort and has the same gap, up to ties among the worst pieces.
    assert front.converged
    assert abs(len(front.points) - len(plain.points)) <= 3
    assert _observed(front, scaled, 60) <= front.gap + 1e-12
    assert sandwich_gap(front.weights, front.points, scale=unit) == pytest.approx(front.gap, rel=0.3)
    if n == 2:
        np.testing.assert_allclose(np.sort(front.points / unit, axis=0), np.sort(plain.points, axis=0), atol=1e-12)


def test_gap_of_a_sweep_ignores_order_and_length_of_weights(rng: np.random.Generator) -> None:
    for n, steps in ((2, 12), (3, 6)):
        w = simplex_grid(n, steps)
        points = ellipsoid(np.array([1.0, 0.2, 0.5])[:n])(w)
        gap = sandwich_gap(w, points)
        order = rng.permutation(len(w))
        assert sandwich_gap(w[order] * rng.uniform(0.5, 2.0, (len(w), 1)), points[order]) == pytest.approx(
            gap, rel=1e-6
        )
        looser = sandwich_gap(w, points, lower=(w * points).sum(axis=1) - 0.01)
        assert looser == pytest.approx(gap + 0.01, rel=1e-6)


def test_logistic_losses_with_ridge_are_certified(rng: np.random.Generator) -> None:
    x = rng.normal(size=(2, 40, 3))
    y = (rng.random((2, 40)) < 0.5).astype(float)
    objectives = ConvexObjectives(list(x), list(y), losses="logistic", ridge=0.1)
    front = refine_front(objectives, tolerance=1e-3)
    assert front.converged
    assert front.rigorous
    assert front.solutions is not None
    np.testing.assert_allclose(objectives.risks(front.solutions), front.points, atol=1e-12)
    w = simplex_grid(2, 60)
    sweep = solve_front(objectives, scalarizations=[WeightedSum(row) for row in w])
    assert ((w @ front.points.T).min(axis=1) - (sweep.values - sweep.gap)).max() <= front.gap + 1e-12
    assert front.outside(sweep.points).max() <= 1e-9
    # Mixed hypotheses do at least as well as mixed risks: the inner approximation is attained.
    mixed = objectives.risks(0.5 * (front.solutions[1:] + front.solutions[:-1]))
    assert (mixed <= 0.5 * (front.points[1:] + front.points[:-1]) + 1e-12).all()


def test_estimated_gaps_are_not_called_rigorous(rng: np.random.Generator) -> None:
    x = rng.normal(size=(2, 60, 2))
    y = (rng.random((2, 60)) < 0.5).astype(float)
    front = refine_front(ConvexObjectives(list(x), list(y), losses="smoothed-hinge"), tolerance=1e-2)
    assert front.converged
    assert not front.rigorous


def test_finite_classes_and_singular_quadratics() -> None:
    points = np.array([[0.0, 1.0], [0.3, 0.4], [0.9, 0.9], [1.0, 0.0]])
    front = refine_front(FiniteObjectives(points), tolerance=1e-9)
    assert front.converged
    assert set(np.asarray(front.solutions).tolist()) == {0, 1, 3}
    curvature = np.array([np.diag([1.0, 0.0]), np.diag([0.0, 1.0])])
    flat = refine_front(QuadraticObjectives(curvature, [[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0]), tolerance=1e-6)
    # Each objective has a parameter of its own, so both are 0 at once; the unit weights leave the other one free.
    assert flat.converged
    assert (flat.points.min(axis=0) <= 1e-12).all()


def test_no_claimed_front_beats_the_outer_approximation() -> None:
    solve = sphere(np.ones(2))
    front = refine_front(solve, n_objectives=2, tolerance=1e-3)
    w = simplex_grid(2, 50)
    assert front.outside(solve(w) - 0.01).min() > 0.005


def test_refusals(refuses) -> None:  # type: ignore[no-untyped-def]
    solve = sphere(np.ones(2))
    quadratic = QuadraticObjectives(np.ones((2, 1, 1)), [[0.0], [1.0]], [0.0, 0.0])
    batch = QuadraticObjectives(np.ones((5, 2, 1, 1)), np.zeros((5, 2, 1)), np.zeros((5, 2)))
    refuses("n_objectives", refine_front, solve, tolerance=0.1)
    refuses("n_objectives", refine_front, quadratic, n_objectives=3, tolerance=0.1)
    refuses("n_objectives", refine_front, solve, n_objectives=1, tolerance=0.1)
    refuses("problem", refine_front, batch, tolerance=0.1)
    black_box = BlackBoxObjectives(lambda x: x, [0.0, 0.0], [1.0, 1.0], n_objectives=2)
    refuses("problem", refine_front, black_box, tolerance=0.1)
    refuses("problem", refine_front, 3, tolerance=0.1)
    refuses("problem", refine_front, lambda w: w[:, :1], n_objectives=2, tolerance=0.1)
    refuses("problem", refine_front, lambda w: w * np.nan, n_objectives=2, tolerance=0.1)
    # Maximising instead of minimising contradicts itself at once.
    refuses("problem", refine_front, lambda w: w, n_objectives=2, tolerance=0.1)
    refuses("tolerance", refine_front, solve, n_objectives=2, tolerance=0.0)
    refuses("tolerance", refine_front, solve, n_objectives=2, tolerance=np.nan)
    refuses("max_points", refine_front, solve, n_objectives=2, tolerance=0.1, max_points=1)
    refuses("scale", refine_front, solve, n_objectives=2, tolerance=0.1, scale=[0.0, 1.0])
    refuses("weights", sandwich_gap, [[0.5, 0.5], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]])
    refuses("points", sandwich_gap, [[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0, 1.0], [1.0, 0.0, 1.0]])
    refuses("points", sandwich_gap, [[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]])
    refuses("lower", sandwich_gap, [[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]], lower=[0.0])
