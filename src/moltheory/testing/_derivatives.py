"""Derivatives against differences, and convexity along chords, for objectives of parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.objectives import SmoothObjectives
from moltheory.testing._errors import ContractError

__all__ = ["check_convexity", "check_derivatives"]

# The error of central differences with this step, relative to the size of values and derivatives.
_STEP, _DIFFERENCES = 1e-5, 1e-4
_CHORDS = 60


def check_derivatives(objectives: Any, name: str) -> None:
    """Refuse `SmoothObjectives` whose gradients or Hessians are not those of the values, at a few points."""
    if not isinstance(objectives, SmoothObjectives):
        return
    d, lead = objectives.dimension, objectives.batch_shape
    rng = np.random.default_rng(1)
    points = np.concatenate([0.3 * rng.standard_normal((3, d)), rng.standard_normal((2, d))]) / np.sqrt(d)
    if objectives.ball is not None:
        points = np.asarray(objectives.ball.inside(0.5 * objectives.ball.radius * points))
    for theta in points:
        moved = theta + _STEP * np.concatenate([np.eye(d), -np.eye(d)])
        values, slopes = _at(objectives.value, moved, lead), _at(objectives.gradient, moved, lead)
        slope = _at(objectives.gradient, theta[None], lead)[..., 0, :, :]
        bend = _at(objectives.hessian, theta[None], lead)[..., 0, :, :, :]
        differences = np.moveaxis(values[..., :d, :] - values[..., d:, :], -2, -1) / (2.0 * _STEP)
        _compare(slope, differences, f"{name}.gradient must be that of the values", theta)
        turned = np.moveaxis(slopes[..., :d, :, :] - slopes[..., d:, :, :], -3, -1) / (2.0 * _STEP)
        _compare(bend, turned, f"{name}.hessian must be that of the gradients", theta)


def _at(function: Any, points: FloatArray, lead: tuple[int, ...]) -> FloatArray:
    return np.asarray(function(np.broadcast_to(points, (*lead, *points.shape)).copy()), dtype=np.float64)


def _compare(given: FloatArray, differences: FloatArray, rule: str, theta: FloatArray) -> None:
    size = max(1e-2, float(np.abs(differences).max()))
    off = np.abs(given - differences)
    if not (off <= _DIFFERENCES * size).all():
        where = np.unravel_index(int(np.nanargmax(np.where(np.isnan(off), np.inf, off))), off.shape)
        raise ContractError(
            f"{rule}, got {given[where]:.6g} instead of {differences[where]:.6g} at {theta.round(4).tolist()}"
        )


def check_convexity(objectives: Any, points: FloatArray, moduli: FloatArray, name: str, declared: str) -> None:
    """Refuse objectives without batch axes that are not convex, or less than moduli (N,) say, along chords of points.

    Ends are the points, drawn towards the origin and, where there is no ball, away from it.
    """
    rng = np.random.default_rng(0)
    largest = 1.0 if getattr(objectives, "ball", None) is not None else 3.0
    own = getattr(objectives, "strong_convexity", None)
    if own is not None and (np.asarray(own) > moduli).any():
        moduli, declared = np.maximum(moduli, np.asarray(own)), "strong_convexity"
    ends = points[rng.integers(len(points), size=(_CHORDS, 2))] * (largest * rng.random((_CHORDS, 2, 1)))
    a, b = ends[:, 0], ends[:, 1]
    one, middle, other = (np.asarray(objectives.risks(x), dtype=np.float64) for x in (a, 0.5 * (a + b), b))
    slack = 1e-9 * (1.0 + np.abs(one) + np.abs(other))
    square = ((a - b) ** 2).sum(axis=1, keepdims=True)
    above = middle - 0.5 * (one + other) + 0.125 * moduli * square
    if (above > slack).any():
        row = int((above - slack).max(axis=1).argmax())
        raise ContractError(
            f"{name} must be convex with the moduli of {declared}, and is not from {a[row].round(4).tolist()} to "
            f"{b[row].round(4).tolist()}"
        )
