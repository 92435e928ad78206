"""Objectives from functions: agreement with other kinds, certificates, balls, refusals."""

import numpy as np
import pytest

import moltheory as mt
from moltheory.objectives import NormBall, QuadraticObjectives, SmoothObjectives
from moltheory.scalarization import Chebyshev, PNorm, WeightedSum
from moltheory.solvers._result import Status

_CURVATURE = np.array([[[1.0, 0.3], [0.3, 2.0]], [[3.0, 0.0], [0.0, 0.5]], [[1.0, -0.2], [-0.2, 1.0]]])
_CENTER = np.array([[0.0, 0.0], [2.0, -1.0], [-1.0, 1.0]])
_GRID = np.linspace(0.0, 1.0, 21)


def _quadratic(n=2):
    return QuadraticObjectives(_CURVATURE[:n], _CENTER[:n], np.zeros(n))


def _as_functions(n=2, shift=0.0, **options):
    """The same objectives as functions; `shift` (R,) moves the centers of a batch."""
    a, shift = _CURVATURE[:n], np.asarray(shift)
    center = _CENTER[:n] + shift[..., None, None]

    def moved(theta):
        return theta[..., :, None, :] - center[..., None, :, :]

    return SmoothObjectives(
        lambda theta: np.einsum("...ni,nij,...nj->...n", moved(theta), a, moved(theta)),
        lambda theta: 2.0 * np.einsum("nij,...nj->...ni", a, moved(theta)),
        lambda theta: np.broadcast_to(2.0 * a, (*theta.shape[:-1], n, 2, 2)),
        n_objectives=n,
        dimension=2,
        batch_shape=shift.shape,
        **options,
    )


def _cosh(**options):
    return SmoothObjectives(
        lambda x: np.cosh(x[..., None, :] - _CENTER[:2]).sum(axis=-1),
        lambda x: np.sinh(x[..., None, :] - _CENTER[:2]),
        lambda x: np.cosh(x[..., None, :] - _CENTER[:2])[..., None] * np.eye(2),
        n_objectives=2,
        dimension=2,
        **options,
    )


def _sums(n=2):
    if n == 2:
        return [WeightedSum([t, 1.0 - t]) for t in _GRID]
    return [WeightedSum(w) for w in mt.scalarization.simplex_grid(3, 5)]


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("kind", ["sums", "maxima"])
def test_the_front_is_that_of_the_closed_form(n, kind):
    weights = [u.weights for u in _sums(n)]
    chosen = _sums(n) if kind == "sums" else [Chebyshev(w, augmentation=0.1) for w in weights]
    modulus = 2.0 * np.linalg.eigvalsh(_CURVATURE[:n])[:, 0]
    found = mt.solve_front(_as_functions(n, strong_convexity=modulus), scalarizations=chosen)
    exact = mt.solve_front(_quadratic(n), scalarizations=chosen)
    assert found.rigorous.all()
    assert (found.status == Status.CERTIFIED).all()
    assert found.gap.max() < 1e-12
    assert np.allclose(found.solutions, exact.solutions, atol=1e-7)
    assert (np.abs(found.values - exact.values) <= found.gap + exact.gap + 1e-13).all()
    assert found.methods == ("newton",) * len(chosen)


def test_without_a_stated_modulus_the_gap_is_an_estimate_and_said_to_be():
    found = mt.solve_front(_cosh(), scalarizations=_sums())
    certified = mt.solve_front(_cosh(strong_convexity=1.0), scalarizations=_sums())
    assert not found.rigorous.any()
    assert certified.rigorous.all()
    assert "no strong convexity is known" in found.message(0)
    assert np.allclose(found.solutions, certified.solutions, atol=1e-9)


def test_gaps_scale_with_the_weights_and_hold():
    far = [WeightedSum([50.0, 50.0])]
    one, many = (mt.solve_front(_cosh(strong_convexity=1.0), scalarizations=u) for u in (_sums()[10:11], far))
    assert np.allclose(one.solutions, many.solutions, atol=1e-8)
    assert np.allclose(100.0 * one.values, many.values)


@pytest.mark.parametrize("radius", [0.05, 0.7, 1.5, 50.0])
def test_on_a_ball_no_point_of_it_is_better(radius, rng):
    objectives = _cosh(ball=NormBall(radius))
    found = mt.solve_front(objectives, scalarizations=_sums())
    assert found.rigorous.all()
    assert found.gap.max() < 1e-8
    assert (np.linalg.norm(found.solutions, axis=1) <= radius).all()
    angle = np.linspace(0.0, 2.0 * np.pi, 721)
    disk = radius * np.sqrt(rng.uniform(size=(200, 1))) * np.stack([np.cos(angle[:200]), np.sin(angle[:200])], axis=1)
    rim = radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    risks = objectives.risks(np.concatenate([disk, rim]))
    for u, value, gap in zip(_sums(), found.values, found.gap, strict=True):
        assert value - gap <= u(risks).min() + 1e-12


def test_on_the_rim_the_gradient_points_inward():
    # Stationarity: the gradient is a nonpositive multiple of the point.
    objectives = _cosh(ball=NormBall(0.3))
    weights = np.array([[0.2, 0.8]])
    found = mt.solve_front(objectives, scalarizations=[WeightedSum(weights[0])])
    theta = found.solutions[0]
    g = weights[0] @ objectives.gradients(theta[None])[0]
    assert np.linalg.norm(theta) == pytest.approx(0.3, rel=1e-12)
    assert np.allclose(g, (g @ theta) / 0.09 * theta, atol=1e-9)
    assert g @ theta < 0.0


def test_a_large_ball_changes_nothing():
    free = mt.solve_front(_cosh(strong_convexity=1.0), scalarizations=_sums())
    inside = mt.solve_front(_cosh(strong_convexity=1.0, ball=NormBall(1e6)), scalarizations=_sums())
    assert np.allclose(free.solutions, inside.solutions, atol=1e-8)


def test_a_batch_is_its_entries():
    shifts = np.array([0.0, 0.5, -3.0])
    batch = mt.solve_front(_as_functions(shift=shifts, ball=NormBall(1.0)), scalarizations=_sums())
    assert batch.points.shape == (3, len(_GRID), 2)
    for r, shift in enumerate(shifts):
        one = mt.solve_front(_as_functions(shift=shift, ball=NormBall(1.0)), scalarizations=_sums())
        assert np.allclose(batch.solutions[r], one.solutions, atol=1e-9)


def test_a_linear_objective_on_a_ball_goes_to_the_rim():
    slope = np.array([[3.0, 4.0], [0.0, 0.0]])
    objectives = SmoothObjectives(
        lambda x: x @ slope.T,
        lambda x: np.broadcast_to(slope, (*x.shape[:-1], 2, 2)),
        lambda x: np.zeros((*x.shape[:-1], 2, 2, 2)),
        n_objectives=2,
        dimension=2,
        ball=NormBall(2.0),
    )
    found = mt.solve_front(objectives, scalarizations=[WeightedSum([1.0, 0.0]), WeightedSum([0.0, 1.0])])
    assert np.allclose(found.solutions[0], [-1.2, -1.6], atol=1e-12)
    # The second objective is constant: every point minimises it.
    assert found.gap.max() < 1e-12
    assert found.points[1, 1] == 0.0


def test_refinement_takes_them():
    refined = mt.solvers.refine_front(_cosh(strong_convexity=1.0), tolerance=1e-2)
    assert refined.gap <= 1e-2


def test_check_derivatives_finds_wrong_ones(refuses):
    good = _cosh(strong_convexity=1.0)
    assert good.check_derivatives([0.3, -0.4]) < 1e-8
    given = {"n_objectives": 2, "dimension": 2}
    off = SmoothObjectives(good.value, lambda x: 1.001 * good.gradient(x), good.hessian, **given)
    refuses("gradient", off.check_derivatives, [0.3, -0.4])
    off = SmoothObjectives(good.value, good.gradient, lambda x: 1.001 * good.hessian(x), **given)
    refuses("hessian", off.check_derivatives, [0.3, -0.4])
    refuses("strong_convexity", _cosh(strong_convexity=1.2).check_derivatives, [0.0, 0.0])
    refuses("point", good.check_derivatives, [0.3])
    batch = _as_functions(shift=np.array([0.0, 1.0]))
    assert batch.check_derivatives([0.3, -0.4]) < 1e-8


def test_refusals(refuses):
    good = _cosh()
    functions = (good.value, good.gradient, good.hessian)
    given = {"n_objectives": 2, "dimension": 2}
    refuses("value", SmoothObjectives, "x", *functions[1:], **given)
    refuses("value", SmoothObjectives, lambda x: x[:, :1], *functions[1:], **given)
    refuses(
        "gradient", SmoothObjectives, functions[0], lambda x: np.full((len(x), 2, 2), np.nan), functions[2], **given
    )
    refuses("hessian", SmoothObjectives, *functions[:2], lambda x: np.zeros((2, 2)), **given)
    refuses("strong_convexity", SmoothObjectives, *functions, strong_convexity=-1.0, **given)
    refuses("strong_convexity", SmoothObjectives, *functions, strong_convexity=[1.0, 1.0, 1.0], **given)
    refuses("ball", SmoothObjectives, *functions, ball=1.0, **given)
    refuses("batch_shape", SmoothObjectives, *functions, batch_shape=[2], **given)
    refuses("names", SmoothObjectives, *functions, names=["a", "a"], **given)
    refuses("n_objectives", SmoothObjectives, *functions, n_objectives=0, dimension=2)
    refuses("hypotheses", good.risks, [[0.0, 0.0, 0.0]])
    with np.errstate(over="ignore"):
        refuses("value", good.risks, [[1e4, 0.0]])
    solve = mt.solve_front
    refuses("scalarizations", solve, good, scalarizations=[PNorm([1.0, 1.0], 2.0)])
    refuses("scalarizations", solve, _cosh(ball=NormBall(1.0)), scalarizations=[Chebyshev([1.0, 1.0])])
    refuses("objectives", solve, _cosh(ball=NormBall(1.0, norm="l1")), scalarizations=_sums())
    refuses("method", solve, good, scalarizations=_sums(), method="cvxpy")


def test_functions_never_see_the_callers_array():
    def spoil(theta):
        found = theta[..., :1] ** 2 + theta[..., 1:] ** 2
        theta[:] = np.nan
        return found

    objectives = SmoothObjectives(
        spoil,
        lambda x: 2.0 * x[..., None, :],
        lambda x: np.broadcast_to(2.0 * np.eye(2), (*x.shape[:-1], 1, 2, 2)),
        n_objectives=1,
        dimension=2,
    )
    points = np.ones((3, 2))
    objectives.risks(points)
    assert (points == 1.0).all()
    assert mt.solve_front(objectives, scalarizations=[WeightedSum([1.0])]).points[0, 0] == 0.0
