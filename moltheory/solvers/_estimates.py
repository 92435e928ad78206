r"""Estimates of the gap where the curvature is singular to working precision, so that there is no bound.

In a direction whose curvature cannot be told from 0 the value may be constant, as with collinear features, or may still
fall, and a Newton decrement that leaves it out means nothing. Two things tell: a gradient along it that is larger than
its rounding, and features that do move along it, if little. A product of features has lost those whose share is below
the square root of the roundoff; the features themselves have not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.objectives._convex import ConvexPart
from moltheory.objectives._losses import LOSSES
from moltheory.solvers._smooth_objective import Part

__all__ = ["Spectrum", "estimated_gap"]

_EPS = np.finfo(np.float64).eps


@dataclass(frozen=True)
class Spectrum:
    """Curvatures of sums in units of their diagonals, and the gradients in their eigenvectors."""

    values: FloatArray
    """Eigenvalues (R, M, d)."""
    directions: FloatArray
    """Eigenvectors as moves of the points, in columns, (R, M, d, d)."""
    along: FloatArray
    """Slopes along them, (R, M, d)."""
    blur: FloatArray
    """Rounding of the slopes, (R, M)."""


def estimated_gap(
    part: Part, theta: FloatArray, weights: FloatArray, spectrum: Spectrum, known: npt.NDArray[np.bool_]
) -> FloatArray:
    """Return Newton decrements (R, M), rounding in proportion to the conditioning included.

    Infinite where a sum still falls in a direction in which its curvature cannot be told from 0. Where a bound is
    `known` no time is spent on directions.
    """
    values, along = spectrum.values, np.abs(spectrum.along)
    sums = np.abs((part.values(theta) * weights).sum(axis=-1))
    blur = np.maximum(spectrum.blur, 4.0 * _EPS * np.sqrt(sums))[..., None]
    told = values > 100.0 * values.shape[-1] * _EPS * np.maximum(values[..., -1:], 1e-300)
    parts = np.where(told, (along + blur) ** 2 / (2.0 * np.where(told, values, 1.0)), 0.0)
    parts[~told & ~(along <= 8.0 * blur)] = np.inf
    if part.examples is not None:
        for r, m, j in np.argwhere(~told & np.isfinite(parts) & ~known[..., None]):
            direction = spectrum.directions[r, m, :, j]
            parts[r, m, j] = _along(part.examples, r, theta[r, m], weights[r, m], direction)
    return np.asarray(parts.sum(axis=-1))


def _along(part: ConvexPart, r: int, theta: FloatArray, weights: FloatArray, direction: FloatArray) -> float:
    """Decrement of one sum along a direction, from how the features themselves move; 0 where they do not."""
    slope, bend, moves = 0.0, 0.0, False
    for k in np.flatnonzero(weights > 0.0):
        x, y = part.x[k][r], part.y[k][r]
        shares = weights[k] * part.shares[k][r if part.shares[k].shape[0] > 1 else 0]
        move = x @ direction
        size = np.abs(x) @ np.abs(direction)
        moves |= bool((np.abs(move) > 32.0 * theta.size * _EPS * size.max()).any())
        first, second = LOSSES[part.losses[k]].derivatives((x @ theta)[None], y[None])
        slope += float(shares @ (first[0] * move))
        bend += float(shares @ (second[0] * move * move))
    if not moves:
        return 0.0
    # A slope without a curvature has no end in sight.
    return slope * slope / (2.0 * bend) if bend > 0.0 else (np.inf if slope != 0.0 else 0.0)
