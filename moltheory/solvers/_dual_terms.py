r"""Lower bounds with losses that are not smooth and with constraints: linear functions that stand in for them.

Wherever a residual r may sit on the kink of an absolute loss, :math:`|r| \ge u r` for every u in [-1, 1]; a convex
constraint :math:`h(\theta) \le 0` may be added with any price y >= 0 (of any sign if it is an equation), and h is at least
its linearisation. What is left is smooth plus linear, and `shortfall_of_sums` bounds it. Every choice of u and y gives a
valid bound; least squares within their ranges makes the gradient, and so the gap, small. Derived.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._validation import FloatArray
from moltheory.errors import InvalidInputError
from moltheory.objectives.convex import ConvexPart
from moltheory.solvers._parts import Part, combined, shortfall_of_sums

__all__ = ["check_constraints", "largest_violation", "program_gap"]

# Residuals and constraints as close to 0 as this, relative to their size, are tried as kinks and as active.
_CLOSE = (1e-10, 1e-8, 1e-6, 1e-4)


def check_constraints(constraints: Any) -> list[Any]:
    """Return the constraints of a class as a list.

    Raises
    ------
    InvalidInputError
        If they are no cvxpy constraints, or not convex by its rules.
    """
    import cvxpy

    found = list(constraints) if isinstance(constraints, list | tuple) else [constraints]
    if not all(isinstance(one, cvxpy.constraints.constraint.Constraint) and one.is_dcp() for one in found):
        raise InvalidInputError(
            "`constraints` must return a list of convex (DCP) cvxpy constraints, got something else."
        )
    return found


def largest_violation(constraints: Sequence[Any]) -> float:
    """Return by how much the variable's value violates a constraint at most."""
    return max((float(np.max(one.violation())) for one in constraints), default=0.0)


def program_gap(
    part: Part, theta: FloatArray, multipliers: FloatArray, variable: Any, constraints: Sequence[Any]
) -> tuple[float, bool, float]:
    """Bound how far a weighted sum of risks at theta (1, 1, d) is above its minimum within the constraints.

    Returns
    -------
    shortfall : float
    rigorous : bool
    gradient_norm : float
    """
    weights = multipliers[None, None]
    kinks = isinstance(part, ConvexPart) and not part.is_smooth
    if not kinks and not constraints:
        short, rigorous, norm = shortfall_of_sums(part, theta, weights)
        return float(short[0, 0]), bool(rigorous[0, 0]), float(norm[0, 0])
    gradients = part.gradients(theta)
    base = combined(weights, gradients)[0, 0]
    rows = _linearised(variable, theta, constraints)
    best = (np.inf, False, np.inf)
    for close in _CLOSE:
        columns, low, high, cost, shift = _choices(part, theta, multipliers, rows, close)
        x = _least_squares(columns, -(base + shift), low, high, part, theta)
        linear = shift + columns @ x
        short, rigorous, norm = shortfall_of_sums(part, theta, weights, gradients, linear=linear[None, None])
        gap = max(float(cost @ np.concatenate([[1.0], x])) + float(short[0, 0]), 0.0)
        found = (gap, bool(rigorous[0, 0]), float(norm[0, 0]))
        # A bound is worth more than a smaller estimate.
        if (not found[1], gap) < (not best[1], best[0]):
            best = found
    return best


Rows = list[tuple[float, FloatArray, bool]]


def _linearised(variable: Any, theta: FloatArray, constraints: Sequence[Any]) -> Rows:
    """Return value, gradient and whether it is an equation, of each scalar constraint that is one of these.

    The bound without the others (cones, matrix inequalities, variables of their own) is valid too, only larger.
    """
    from cvxpy.constraints.nonpos import Inequality
    from cvxpy.constraints.zero import Equality

    variable.value = theta[0, 0]
    rows: Rows = []
    for one in constraints:
        priced = isinstance(one, Equality | Inequality) and all(v is variable for v in one.variables())
        slope = one.expr.grad.get(variable) if priced else None
        if slope is None:
            continue
        matrix = slope.toarray() if hasattr(slope, "toarray") else np.asarray(slope, dtype=np.float64)
        values = np.ravel(np.asarray(one.expr.value, dtype=np.float64), order="F")
        columns = matrix.reshape(theta.shape[-1], values.size).T
        rows += [(float(v), c, isinstance(one, Equality)) for v, c in zip(values, columns, strict=True)]
    return rows


def _choices(
    part: Part, theta: FloatArray, multipliers: FloatArray, rows: Rows, close: float
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return columns (d, m) of what can be chosen within [low, high], its costs (1 + m,), and what is fixed (d,)."""
    d = theta.shape[-1]
    columns, low, high, cost, fixed, shift = [], [], [], [], 0.0, np.zeros(d)
    losses = part.losses if isinstance(part, ConvexPart) else ()
    for k, name in enumerate(losses):
        if not isinstance(part, ConvexPart) or name != "absolute" or multipliers[k] == 0.0:
            continue
        rest = part.predictions(k, theta)[0, 0] - part.y[k][0]
        price = multipliers[k] * part.shares[k][0]
        at = (np.abs(rest) <= close * max(1.0, float(np.abs(rest).max()))) & (price > 0.0)
        # The subgradient takes the sign; here that part is taken back and left open.
        shift -= (price[at] * np.sign(rest[at])) @ part.x[k][0][at]
        fixed += float(price[at] @ np.abs(rest[at]))
        columns += list(price[at, None] * part.x[k][0][at])
        cost += list(-price[at] * rest[at])
        low += [-1.0] * int(at.sum())
        high += [1.0] * int(at.sum())
    for value, slope, equation in rows:
        if equation or value >= -close * max(1.0, float(np.abs(slope @ theta[0, 0]))):
            columns.append(slope)
            cost.append(-value)
            low.append(-np.inf if equation else 0.0)
            high.append(np.inf)
    matrix = np.array(columns).T if columns else np.zeros((d, 0))
    return matrix, np.array(low), np.array(high), np.array([fixed, *cost]), shift


def _least_squares(
    columns: FloatArray, target: FloatArray, low: FloatArray, high: FloatArray, part: Part, theta: FloatArray
) -> FloatArray:
    """Choose within the ranges so that the gradient is 0, or on a Euclidean ball points into it."""
    from scipy.optimize import lsq_linear

    count = columns.shape[1]
    if count == 0:
        return np.zeros(0)
    if part.ball is not None and part.ball.norm == "l2":
        columns = np.column_stack([columns, theta[0, 0]])
        low, high = np.append(low, 0.0), np.append(high, np.inf)
    size = np.linalg.norm(columns, axis=0)
    size = np.where(size > 0.0, size, 1.0)
    found = lsq_linear(columns / size, target, bounds=(low * size, high * size), method="bvls", tol=1e-15)
    x: npt.NDArray[np.float64] = np.clip(found.x / size, low, high)[:count]
    return x
