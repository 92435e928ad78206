r"""Polish an approximate minimiser: Newton steps on the optimality conditions of what is active there.

A solver of cones stops some digits short, and fewer the worse its program is scaled. What it does find is which terms
of a maximum are equal, which bounds and balls are met and which residuals vanish. With these as equations
:math:`h(\theta) = 0`, steps

.. math:: \begin{pmatrix} H & E' \\ E & 0 \end{pmatrix} \begin{pmatrix} p \\ \mu \end{pmatrix}
          = - \begin{pmatrix} g \\ h \end{pmatrix}

(H the curvature of the Lagrangian, E the slopes of h) converge quadratically, and mu are the multipliers that the
certificate needs. What is violated is added, an equation whose multiplier has the wrong sign is dropped. Nothing here is
trusted: the caller keeps a point only for its certificate. J. Nocedal and S. J. Wright 2006, Numerical Optimization,
chapters 16 and 18.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.scalarization import Form
from moltheory.solvers._active import Active, Conditions
from moltheory.solvers._smooth_objective import Part

__all__ = ["polished"]

# Terms, bounds, norms and residuals are active if as close as this, relative to their size: one guess after the other.
_CLOSE = (1e-9, 1e-7, 1e-5, 1e-3)
_STEPS = 30
_CHANGES = 20


def polished(part: Part, form: Form, theta: FloatArray, spare: FloatArray) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Yield points (1, 1, d) near theta, each with the multipliers (N,) of bounds or of the terms of a maximum.

    Bounds are met with `spare` (N,) to their inside.
    """
    seen: set[bytes] = set()
    for close in _CLOSE if form.has_derivatives else ():
        # Steps from a bad guess may overflow: then there is no point.
        with np.errstate(all="ignore"):
            active = Active.near(part, form, theta, close)
            found = None if active.key in seen else _solved(part, form, theta, active, spare)
        seen.add(active.key)
        if found is not None:
            yield found


def _solved(
    part: Part, form: Form, start: FloatArray, active: Active, spare: FloatArray
) -> tuple[FloatArray, FloatArray] | None:
    """Solve, add what is violated and drop what has the wrong sign until neither is left; None if that does not end."""
    theta, seen = start, set[bytes]()
    for _ in range(_CHANGES):
        if active.key in seen:
            return None
        seen.add(active.key)
        end = _newton(part, form, theta, active, spare)
        if end is None:
            return None
        theta, multipliers, conditions = end
        more = active.with_violated(part, form, theta)
        wrong = None if more is not None else conditions.wrong(multipliers)
        if more is not None:
            # From the start again: a point without the equation may be far.
            theta, active = start, more
        elif wrong is None:
            return theta, conditions.prices(multipliers)
        elif wrong[0].kind == "base":
            active = replace(active, base=active.limits[0], limits=active.limits[1:])
        else:
            active = active.without(*wrong)
    return None


def _newton(
    part: Part, form: Form, theta: FloatArray, active: Active, spare: FloatArray
) -> tuple[FloatArray, FloatArray, Conditions] | None:
    conditions = Conditions(part, form, theta, active, spare)
    multipliers: FloatArray = np.asarray(-np.linalg.lstsq(conditions.rows.T, conditions.slope, rcond=None)[0])
    for _ in range(_STEPS):
        curvature = conditions.curvature(multipliers)
        if not all(np.isfinite(a).all() for a in (curvature, conditions.slope, conditions.rows, conditions.rest)):
            return None
        step, multipliers = _kkt(curvature, conditions)
        theta = theta + step
        if not np.isfinite(theta).all():
            return None
        conditions = Conditions(part, form, theta, active, spare)
        if np.abs(step).max() <= 4e-16 * np.abs(theta).max():
            break
    return theta, multipliers, conditions


def _kkt(curvature: FloatArray, conditions: Conditions) -> tuple[FloatArray, FloatArray]:
    """Return step and multipliers: the equations first, then the rest of the space, in units of curvature 1.

    Solved as one system, equations that are nearly parallel, such as two parameters of one feature that vanish, would
    count with the square of their condition.
    """
    diagonal = np.diagonal(curvature)
    size = 1.0 / np.sqrt(np.where(diagonal > 0.0, diagonal, max(float(diagonal.max()), 0.0) or 1.0))
    h, g, scaled = curvature * size[:, None] * size, conditions.slope * size, conditions.rows * size
    length = np.linalg.norm(scaled, axis=1)
    length = np.where(length > 0.0, length, 1.0)
    left, values, right = np.linalg.svd(scaled / length[:, None])
    rank = int((values > 1e-14 * max(float(values.max(initial=0.0)), 1e-300)).sum())
    left, values, within, free = left[:, :rank], values[:rank], right[:rank], right[rank:]
    step = -within.T @ ((left.T @ (conditions.rest / length)) / values)
    if free.shape[0]:
        step = step - free.T @ np.linalg.lstsq(free @ h @ free.T, free @ (g + h @ step), rcond=1e-15)[0]
    multipliers = -left @ ((within @ (g + h @ step)) / values)
    return step * size, multipliers / length
