"""Points shrunk into a ball are in it by exact arithmetic, whatever kernel evaluates their norms."""

from fractions import Fraction

import numpy as np
import pytest

from moltheory.objectives import NormBall
from moltheory.solvers._ball import ball_step


def _is_inside(point: np.ndarray, ball: NormBall) -> bool:
    exact = [Fraction(float(a)) for a in point]
    if ball.norm == "l1":
        return sum(map(abs, exact)) <= Fraction(ball.radius)
    return sum(a * a for a in exact) <= Fraction(ball.radius) ** 2


@pytest.mark.parametrize("norm", ["l1", "l2"])
@pytest.mark.parametrize("radius", [5e-324, 1e-300, 1e-3, 0.7, 1.0, 3e7, 1e300])
@pytest.mark.parametrize("d", [1, 3, 50])
def test_points_are_inside_exactly(rng, norm, radius, d):
    """Also where squares overflow or vanish, and for norms that round to the radius."""
    ball = NormBall(radius, norm=norm)
    near = rng.standard_normal((60, d))
    near *= (radius / ball.size(near))[:, None] * (1.0 + rng.integers(-9, 10, (60, 1)) * 2.0**-53)
    sizes = 10.0 ** rng.uniform(-310, 300, (20, 1))
    points = np.concatenate([near, rng.standard_normal((20, d)) * sizes, np.eye(d) * radius, np.zeros((1, d))])
    inside = ball.inside(points)
    assert all(_is_inside(one, ball) for one in inside)
    # Sums in any order find them inside too.
    for _ in range(3 if radius < 1e150 else 0):
        order = rng.permutation(d)
        size = np.abs(inside[:, order]).sum(axis=1) if norm == "l1" else np.linalg.norm(inside[:, order], axis=1)
        assert (size <= radius).all()
    assert np.array_equal(ball.inside(inside), inside)


@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_it_is_the_projection_along_the_ray_but_for_rounding(rng, norm):
    ball = NormBall(0.3, norm=norm)
    points = rng.standard_normal((100, 7))
    inside = ball.inside(points)
    expected = points * np.minimum(1.0, 0.3 / ball.size(points))[:, None]
    assert inside == pytest.approx(expected, rel=1e-14)
    small = 0.01 * points
    assert np.array_equal(ball.inside(small), small)


def test_what_is_not_finite_does_not_pass_for_a_point():
    found = NormBall(1.0).inside(np.array([[np.inf, 1.0], [np.nan, 0.0], [0.1, 0.2]]))
    assert np.isnan(found[:2]).any(axis=1).all()
    assert found[2].tolist() == [0.1, 0.2]


@pytest.mark.parametrize("d", [1, 3, 20])
@pytest.mark.parametrize("radius", [1e-8, 0.7, 1e8])
def test_a_step_of_the_ball_ends_in_it_exactly(rng, d, radius):
    """The old step left the ball by one rounding of theta + p on kernels without AVX-512."""
    ball = NormBall(radius)
    factor = rng.standard_normal((200, d, d)) * 10.0 ** rng.uniform(-6, 6, (200, 1, d))
    curvature = np.swapaxes(factor, -1, -2) @ factor
    theta = ball.inside(rng.standard_normal((200, d)) * radius)
    gradients = rng.standard_normal((200, d)) * 10.0 ** rng.uniform(-9, 9, (200, 1))
    step = ball_step(ball, theta, gradients, curvature)
    assert all(_is_inside(one, ball) for one in theta + step)


def test_a_step_solves_its_model_with_features_of_any_size(rng):
    """At the end g + H p + nu (theta + p) = 0 with nu >= 0, and nu = 0 inside."""
    ball, d = NormBall(2.0), 4
    sizes = 10.0 ** rng.uniform(-4, 4, (300, 1, d))
    factor = rng.standard_normal((300, 6, d)) * sizes
    curvature = np.swapaxes(factor, -1, -2) @ factor
    theta = ball.inside(rng.standard_normal((300, d)))
    gradients = rng.standard_normal((300, d)) * sizes[:, 0] * 10.0 ** rng.uniform(-2, 4, (300, 1))
    step = ball_step(ball, theta, gradients, curvature)
    end = theta + step
    slope = gradients + (curvature @ step[..., None])[..., 0]
    # By least squares in units of the features, as slopes of large ones have large rounding.
    inverse = 1.0 / np.diagonal(curvature, axis1=-2, axis2=-1)
    nu = np.maximum(-(inverse * slope * end).sum(axis=-1) / (inverse * end**2).sum(axis=-1), 0.0)
    met = ball.size(end) > ball.radius * (1 - 1e-12)
    assert met.any()
    assert (~met).any()
    nu[~met] = 0.0
    # How far the model is above its minimum, against how far it was: solved to unit diagonal.
    system = curvature + nu[:, None, None] * np.eye(d)
    size = np.sqrt(np.diagonal(system, axis1=-2, axis2=-1))
    unit = system / size[:, :, None] / size[:, None, :]
    left, before = ((v / size) for v in (slope + nu[:, None] * end, gradients + nu[:, None] * theta))
    decrements = [(v * np.linalg.solve(unit, v[..., None])[..., 0]).sum(axis=-1) for v in (left, before)]
    # The end is some roundings inside of the boundary.
    assert (decrements[0] <= 1e-14 * decrements[1]).all()
