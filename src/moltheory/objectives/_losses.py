"""Convex losses of a linear predictor z for a target y, with two derivatives in z.

=================  ==========================================  ===================
name               loss                                        targets
=================  ==========================================  ===================
``logistic``       log(1 + exp(-y z))                          -1, +1 (or 0, 1)
``squared``        (z - y)^2                                   real
``poisson``        exp(z) - y z                                >= 0
``smoothed-hinge`` 0, (1 - yz)^2 / 2 or 1/2 - yz, for          -1, +1 (or 0, 1)
                   yz >= 1, in [0, 1] and <= 0
``absolute``       abs(z - y), not smooth                      real
=================  ==========================================  ===================
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.errors import InvalidInputError

__all__ = ["LOSSES", "Loss", "check_targets"]

Derivatives = tuple[FloatArray, FloatArray]


@dataclass(frozen=True)
class Loss:
    """A loss: its value, slope, both first derivatives and its cvxpy form, elementwise in z."""

    value: Callable[[FloatArray, FloatArray], FloatArray]
    slope: Callable[[FloatArray, FloatArray], FloatArray]  # the first derivative; value and slope may overwrite z
    derivatives: Callable[[FloatArray, FloatArray], Derivatives]
    expression: Callable[[Any, FloatArray], Any]
    curvature: float  # a lower bound of the second derivative
    classifies: bool = False
    has_linear_pieces: bool = False
    attained: bool = True  # whether the infimum along a ray is attained
    smooth: bool = True
    nonnegative: bool = True
    of_residuals: bool = False  # whether it depends on z - y only
    bend: float | None = None  # the largest second derivative, None where there is none


def _logistic(z: FloatArray, y: FloatArray) -> FloatArray:
    z *= y
    value: FloatArray = np.abs(z)
    np.negative(value, out=value)
    np.exp(value, out=value)
    np.log1p(value, out=value)
    np.minimum(z, 0.0, out=z)
    value -= z
    return value


def _logistic_slope(z: FloatArray, y: FloatArray) -> FloatArray:
    half = 0.5 * y
    z *= half
    np.tanh(z, out=z)
    z -= 1.0
    z *= half
    return z


def _logistic_derivatives(z: FloatArray, y: FloatArray) -> Derivatives:
    # tanh: one vectorised call without overflow, and d'' = (1 - tanh^2) / 4 = d' (1 - d') up to the sign.
    half = np.tanh(0.5 * (z * y))
    first = 0.5 * y * (half - 1.0)
    np.multiply(half, half, out=half)
    return first, 0.25 * (1.0 - half)


def _logistic_expression(z: Any, y: FloatArray) -> Any:
    import cvxpy

    cp: Any = cvxpy  # its stubs lack most atoms

    return cp.logistic(cp.multiply(-y, z))


def _squared(z: FloatArray, y: FloatArray) -> FloatArray:
    return (z - y) ** 2


def _squared_slope(z: FloatArray, y: FloatArray) -> FloatArray:
    z -= y
    z *= 2.0
    return z


def _squared_derivatives(z: FloatArray, y: FloatArray) -> Derivatives:
    return 2.0 * (z - y), np.full(z.shape, 2.0)


def _squared_expression(z: Any, y: FloatArray) -> Any:
    import cvxpy

    cp: Any = cvxpy  # its stubs lack most atoms

    return cp.square(z - y)


def _poisson(z: FloatArray, y: FloatArray) -> FloatArray:
    with np.errstate(over="ignore"):
        value: FloatArray = np.exp(z) - y * z
    return value


def _poisson_slope(z: FloatArray, y: FloatArray) -> FloatArray:
    with np.errstate(over="ignore"):
        np.exp(z, out=z)
    z -= y
    return z


def _poisson_derivatives(z: FloatArray, y: FloatArray) -> Derivatives:
    with np.errstate(over="ignore"):
        rate = np.exp(z)
    return rate - y, rate


def _poisson_expression(z: Any, y: FloatArray) -> Any:
    import cvxpy

    cp: Any = cvxpy  # its stubs lack most atoms

    return cp.exp(z) - cp.multiply(y, z)


def _hinge(z: FloatArray, y: FloatArray) -> FloatArray:
    short = np.maximum(1.0 - z * y, 0.0)
    return np.where(short <= 1.0, 0.5 * short**2, short - 0.5)


def _hinge_slope(z: FloatArray, y: FloatArray) -> FloatArray:
    return -y * np.clip(1.0 - z * y, 0.0, 1.0)


def _hinge_derivatives(z: FloatArray, y: FloatArray) -> Derivatives:
    short = 1.0 - z * y
    return -y * np.clip(short, 0.0, 1.0), ((short > 0.0) & (short <= 1.0)).astype(np.float64)


def _hinge_expression(z: Any, y: FloatArray) -> Any:
    import cvxpy

    cp: Any = cvxpy  # its stubs lack most atoms

    return 0.5 * cp.huber(cp.pos(1.0 - cp.multiply(y, z)), 1.0)


def _absolute(z: FloatArray, y: FloatArray) -> FloatArray:
    return np.abs(z - y)


def _absolute_slope(z: FloatArray, y: FloatArray) -> FloatArray:
    return np.sign(z - y)


def _absolute_derivatives(z: FloatArray, y: FloatArray) -> Derivatives:
    return np.sign(z - y), np.zeros(z.shape)


def _absolute_expression(z: Any, y: FloatArray) -> Any:
    import cvxpy

    cp: Any = cvxpy  # its stubs lack most atoms

    return cp.abs(z - y)


LOSSES = {
    "logistic": Loss(
        _logistic,
        _logistic_slope,
        _logistic_derivatives,
        _logistic_expression,
        0.0,
        classifies=True,
        attained=False,
        bend=0.25,
    ),
    "squared": Loss(
        _squared, _squared_slope, _squared_derivatives, _squared_expression, 2.0, of_residuals=True, bend=2.0
    ),
    "poisson": Loss(
        _poisson, _poisson_slope, _poisson_derivatives, _poisson_expression, 0.0, attained=False, nonnegative=False
    ),
    "smoothed-hinge": Loss(
        _hinge,
        _hinge_slope,
        _hinge_derivatives,
        _hinge_expression,
        0.0,
        classifies=True,
        has_linear_pieces=True,
        bend=1.0,
    ),
    "absolute": Loss(
        _absolute,
        _absolute_slope,
        _absolute_derivatives,
        _absolute_expression,
        0.0,
        smooth=False,
        of_residuals=True,
        bend=0.0,
    ),
}


def check_targets(name: str, loss: str, y: FloatArray) -> FloatArray:
    """Return the targets of a loss in canonical form, classes as -1 and +1; refuse targets for which it is not defined."""
    if loss == "score-gap" or LOSSES[loss].classifies:
        if np.isin(y, (0.0, 1.0)).all():
            return 2.0 * y - 1.0
        if not np.isin(y, (-1.0, 1.0)).all():
            raise InvalidInputError(f"`{name}` must be -1 and +1, or 0 and 1, for the {loss}, got other values.")
    if loss == "poisson" and y.min() < 0.0:
        raise InvalidInputError(f"`{name}` must be >= 0 for the poisson loss, got {y.min():g}.")
    return y
