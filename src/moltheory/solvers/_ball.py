"""Newton steps that stay in a Euclidean ball."""

from __future__ import annotations

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.objectives import NormBall
from moltheory.objectives._coordinates import Coordinates
from moltheory.solvers._smooth_objective import solved_systems

__all__ = ["ball_step"]


def ball_step(
    ball: NormBall, theta: FloatArray, gradients: FloatArray, curvature: FloatArray, frame: Coordinates | None = None
) -> FloatArray:
    r"""Return the steps p (..., d) that minimise :math:`g'p + p'Hp/2` with theta + p in the ball.

    Points theta are in the ball; so is the floating-point sum theta + p, on every processor (see `NormBall`). With a
    `frame` all of these are in its coordinates, and the ball is one of their parameters, met up to rounding.

    Notes
    -----
    With a multiplier nu >= 0 the end point is :math:`y = \theta - (H + \nu)^{-1}(g + \nu\theta)`: nu = 0 inside, and
    otherwise the root of the secular equation :math:`\|y(\nu)\| = r`: Newton on :math:`1/\|y\|`, concave in nu, rises to it
    from the left (More and Sorensen 1983, doi 10.1137/0904038). Systems are scaled to unit diagonal, so that features of
    any size count, which an eigendecomposition of H would lose to rounding.
    """
    if frame is None:
        metric = np.eye(theta.shape[-1])
    else:
        metric = np.swapaxes(frame.inverse, -1, -2) @ frame.inverse
        metric = metric[:, None]

    def turned(points: FloatArray) -> FloatArray:
        """Half the slopes of the squared norms of the parameters."""
        return points if frame is None else frame.push(frame.to_original_units(points))

    nu = np.zeros(theta.shape[:-1])
    if frame is None:
        # |y| >= |H theta - g| / (trace + nu) puts the start to the left of the root, and nearer than 0.
        target = np.linalg.norm((curvature @ theta[..., None])[..., 0] - gradients, axis=-1)
        nu = np.maximum(target / ball.radius - np.trace(curvature, axis1=-2, axis2=-1), 0.0)
    here = turned(theta)
    for _ in range(100):
        system = curvature + nu[..., None, None] * metric
        y = theta - solved_systems(system, gradients + nu[..., None] * here)
        length = ball.size(y if frame is None else frame.to_original_units(y))
        excess = length / ball.radius - 1.0
        if not (excess > 1e-15).any():
            break
        slope = turned(y)
        fall = (slope * solved_systems(system, slope)).sum(axis=-1)
        more = np.divide(excess * length**2, fall, out=np.zeros(nu.shape), where=(excess > 0.0) & (fall > 0.0))
        nu = nu + more
        if not (more > 1e-15 * nu).any():
            break
    end = ball.inside(y) if frame is None else frame.forth(ball.inside(frame.to_original_units(y)))
    found: FloatArray = end - theta
    return found
