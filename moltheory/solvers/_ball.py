"""Newton steps that stay in a Euclidean ball."""

from __future__ import annotations

import numpy as np

from moltheory._validation import FloatArray
from moltheory.objectives import NormBall

__all__ = ["ball_step"]


def ball_step(ball: NormBall, theta: FloatArray, gradients: FloatArray, curvature: FloatArray) -> FloatArray:
    r"""Return the steps p (..., d) that minimise :math:`g'p + p'Hp/2` with theta + p in the ball.

    Notes
    -----
    In the eigenbasis of H the end point is :math:`c_j / (h_j + \nu)`, c the coordinates of :math:`H\theta - g`, with the
    multiplier nu = 0 inside and otherwise the root of the secular equation :math:`\|y(\nu)\| = r`: Newton on
    :math:`1/\|y\|`, concave in nu, rises to it from the left (More and Sorensen 1983, doi 10.1137/0904038).
    """
    values, vectors = np.linalg.eigh(curvature)
    values = np.maximum(values, 0.0) + 1e-14 * values[..., -1:] + 1e-200
    target = (curvature @ theta[..., None])[..., 0] - gradients
    c = (np.swapaxes(vectors, -1, -2) @ target[..., None])[..., 0]
    # |y| >= |c| / (largest value + nu) puts the start to the left of the root.
    nu = np.maximum(np.linalg.norm(c, axis=-1) / ball.radius - values[..., -1], 0.0)
    for _ in range(100):
        y = c / (values + nu[..., None])
        square = (y * y).sum(axis=-1)
        excess = np.sqrt(square) / ball.radius - 1.0
        fall = (y * y / (values + nu[..., None])).sum(axis=-1)
        more = np.divide(excess * square, fall, out=np.zeros(nu.shape), where=(excess > 0.0) & (fall > 0.0))
        nu = nu + more
        if not (more > 1e-15 * nu).any():
            break
    y = (vectors @ (c / (values + nu[..., None]))[..., None])[..., 0]
    found: FloatArray = ball.inside(y) - theta
    return found
