r"""Scalarizations U of convex risks as convex programs see them: slopes, curvatures, and lower bounds by multipliers.

For multipliers :math:`\lambda \ge 0` the value is at least :math:`\lambda \cdot v - U^*(\lambda)`: the multipliers are the
gradient of U (p-norm, smooth Chebyshev), or prices of the terms of a maximum or of bounds.
"""

from __future__ import annotations

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.scalarization import (
    Chebyshev,
    EpsilonConstraint,
    PNorm,
    Scalarization,
    SmoothChebyshev,
    WeightedScalarization,
)

__all__ = ["is_maximum", "largest_slopes", "lower_bound", "slope_and_bend", "terms_of_maximum"]


def is_maximum(u: Scalarization) -> bool:
    """Whether the value is the largest of some terms."""
    return isinstance(u, Chebyshev) or (isinstance(u, PNorm) and u.p == np.inf)


def terms_of_maximum(u: Scalarization) -> tuple[FloatArray, FloatArray, float]:
    """Return weights, reference point and augmentation of a maximum."""
    if isinstance(u, Chebyshev):
        return np.array(u.weights), np.array(u.ideal), u.augmentation
    if isinstance(u, PNorm):
        return np.array(u.weights), np.zeros(u.n_objectives), 0.0
    raise TypeError(f"{type(u).__name__} is no maximum")


def slope_and_bend(u: Scalarization, values: FloatArray) -> tuple[FloatArray, FloatArray | None]:
    """Return the gradient (N,) of a differentiable U, and its curvature (N, N), None where U is linear."""
    if not isinstance(u, WeightedScalarization) or is_maximum(u):
        raise TypeError(f"no derivatives are known for {type(u).__name__}")
    w = np.array(u.weights)
    if isinstance(u, PNorm) and u.p > 1.0:
        value = float(u(values))
        if value <= 0.0:
            return w, None
        share = w * values / value
        slope = w * share ** (u.p - 1.0)
        # Below p = 2 the curvature is infinite where a risk vanishes; a large number serves.
        bend = np.diag(w**2 * np.maximum(share, 1e-12) ** (u.p - 2.0)) - np.outer(slope, slope)
        return slope, (u.p - 1.0) / value * bend
    if isinstance(u, SmoothChebyshev):
        slope = w * _shares(u, values)
        return slope, (np.diag(w * slope) - np.outer(slope, slope)) / u.smoothing
    return w, None


def lower_bound(u: Scalarization, values: FloatArray, prices: FloatArray) -> tuple[FloatArray, float]:
    r"""Return multipliers of the risks (N,), and :math:`\lambda \cdot v - U^*(\lambda) \le U(v)` at the risks.

    `prices` (N,) are those of the terms of a maximum or of bounds; any nonnegative ones give a valid bound.
    """
    if isinstance(u, EpsilonConstraint):
        price = np.where(np.isfinite(u.bounds), prices, 0.0)
        slack = np.where(np.isfinite(u.bounds), values - np.array(u.bounds), 0.0)
        multipliers = price.copy()
        multipliers[u.objective] += 1.0
        return multipliers, float(values[u.objective] + price @ slack)
    if is_maximum(u):
        w, ideal, rho = terms_of_maximum(u)
        price = prices * (w > 0.0)
        price = price / price.sum() if price.any() else (w > 0.0) / (w > 0.0).sum()
        multipliers = price * w + rho
        return multipliers, float(multipliers @ (values - ideal))
    slope, _ = slope_and_bend(u, values)
    if not isinstance(u, SmoothChebyshev):
        return slope, float(slope @ values)
    share = _shares(u, values)
    entropy = -float((share * np.log(np.maximum(share, 1e-300))).sum())
    return slope, float(slope @ values + u.smoothing * entropy)


def largest_slopes(u: Scalarization) -> FloatArray:
    """Return how fast the value changes with each risk at most, (N,)."""
    if isinstance(u, EpsilonConstraint):
        return np.asarray(np.arange(u.n_objectives) == u.objective, dtype=np.float64)
    if is_maximum(u):
        w, _, rho = terms_of_maximum(u)
        return np.asarray(w + rho)
    if isinstance(u, WeightedScalarization):
        return np.array(u.weights, dtype=np.float64)
    raise TypeError(f"no derivatives are known for {type(u).__name__}")


def _shares(u: SmoothChebyshev, values: FloatArray) -> FloatArray:
    scaled = np.array(u.weights) * values / u.smoothing
    share = np.exp(scaled - scaled.max())
    found: FloatArray = share / share.sum()
    return found
