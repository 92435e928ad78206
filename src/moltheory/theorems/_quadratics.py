"""Pairs of quadratic objectives on a ball: moduli of strong convexity, and the largest deviation."""

from __future__ import annotations

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.objectives import QuadraticObjectives

__all__ = ["largest_deviations", "strong_moduli"]


def strong_moduli(objectives: QuadraticObjectives) -> FloatArray:
    """Return the moduli of strong convexity, twice the smallest eigenvalues of the curvatures, (*batch, N)."""
    return np.asarray(2.0 * np.linalg.eigvalsh(objectives.curvature)[..., 0], dtype=np.float64)


def largest_deviations(true: QuadraticObjectives, empirical: QuadraticObjectives, *, radius: float) -> FloatArray:
    """Return widths that hold on the ball of a radius around 0, (*batch, N).

    The difference of two quadratics is one. Along a ray it bends by at least the smallest and at most the largest
    eigenvalue of its curvature; exact where these are equal, for one parameter above all.
    """
    bends = np.asarray(np.linalg.eigvalsh(true.curvature - empirical.curvature), dtype=np.float64)
    slope = np.asarray(np.linalg.norm(2.0 * (true.linear - empirical.linear), axis=-1), dtype=np.float64)
    origin = np.zeros((1, true.dimension))
    constant = true.risks(origin)[..., 0, :] - empirical.risks(origin)[..., 0, :]
    above = constant + _highest(bends[..., -1], slope, radius)
    below = -constant + _highest(-bends[..., 0], slope, radius)
    widths: FloatArray = np.maximum(above, below)
    return widths


def _highest(bend: FloatArray, slope: FloatArray, radius: float) -> FloatArray:
    """Return the maximum of bend r^2 + slope r over 0 <= r <= radius."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        vertex = np.where(bend < 0.0, -0.5 * slope / bend, np.inf)
    at = np.minimum(vertex, radius)
    highest: FloatArray = bend * at**2 + slope * at
    return highest
