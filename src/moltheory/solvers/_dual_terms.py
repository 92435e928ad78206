r"""Lower bounds with losses that are not smooth and with constraints: linear functions that stand in for them.

Wherever a residual r may sit on the kink of an absolute loss, :math:`|r| \ge u r` for every u in [-1, 1]; a convex
constraint :math:`h(\theta) \le 0` may be added with any price y >= 0 (of any sign if it is an equation), and h is at least
its linearisation. What is left is smooth plus linear, and `shortfall_of_sums` bounds it. Every choice of u and y gives
a valid bound; least squares within their ranges makes the gradient, and so the gap, small. Derived (proof: dual-terms).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.errors import InvalidInputError
from moltheory.objectives._convex_part import Evaluated
from moltheory.objectives._coordinates import Coordinates
from moltheory.solvers._certificates import shortfall_of_sums
from moltheory.solvers._smooth_objective import Part, combined

__all__ = ["check_constraints", "largest_violation", "program_gap"]

# Residuals and constraints as close to 0 as this, relative to their size, are tried as kinks and as active.
_CLOSE = (1e-10, 1e-8, 1e-6, 1e-4)


def check_constraints(constraints: Any) -> list[Any]:
    """Return the constraints of a class as a list; refuse what is no cvxpy constraint, or not convex by its rules."""
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
    part: Part, theta: FloatArray, multipliers: FloatArray, at: Evaluated, variable: Any, constraints: Sequence[Any]
) -> tuple[float, bool, float]:
    """Return how far a weighted sum is above its minimum within the constraints at most, whether surely, and its slope."""
    weights = multipliers[None, None]
    kinks = part.examples is not None and not part.examples.is_smooth
    if not kinks and not constraints:
        short, rigorous, norm = shortfall_of_sums(part, theta, weights, at)
        return float(short[0, 0]), bool(rigorous[0, 0]), float(norm[0, 0])
    base = combined(weights, at.gradients)[0, 0]
    rows = _linearised(variable, theta, constraints)
    best = (np.inf, False, np.inf)
    # In the parameters themselves, the prices of parameters that vanish are told apart best.
    frames = (None,) if part.frame is None else (None, part.frame)
    for close, frame in product(_CLOSE, frames):
        chosen = _choices(part, theta, multipliers, rows, close)
        x = _least_squares(chosen, -(base + chosen.shift), part, theta, frame)
        there, linear, fixed = chosen.at(x, part, theta, multipliers, at)
        short, rigorous, norm = shortfall_of_sums(part, theta, weights, there, linear=linear[None, None])
        found = (max(fixed + float(short[0, 0]), 0.0), bool(rigorous[0, 0]), float(norm[0, 0]))
        if not found[1]:
            level = _level_gap(part, multipliers, there, combined(weights, there.gradients)[0, 0] + linear)
            found = (max(fixed + level, 0.0), True, found[2]) if level < np.inf else found
        # A bound is worth more than a smaller estimate.
        if (not found[1], found[0]) < (not best[1], best[0]):
            best = found
    return best


def _level_gap(part: Part, multipliers: FloatArray, at: Evaluated, slope: FloatArray) -> float:
    r"""Bound how far a function that is at least linear, with some slope G, falls where absolute losses are not larger.

    Better points v have a sum of risks of at most F, that at theta. With t_i the weights of the absolute losses,
    :math:`\sum_i t_i |x_i'(v - \theta)| \le 2F` if no loss is negative, so that with :math:`M = \sum_i t_i x_i x_i'` and
    :math:`a = M^{-1} G` the fall :math:`|G'(v - \theta)| = |\sum_i t_i (x_i'a) x_i'(v - \theta)|` is at most
    :math:`2F \max_i |x_i| |G| / \lambda_{min}(M)`. Infinite where M is singular. Derived (proof: dual-terms).
    """
    data = part.examples
    if data is None or not data.is_nonnegative:
        return np.inf
    used = [k for k, name in enumerate(data.losses) if name == "absolute" and multipliers[k] > 0.0]
    if not used:
        return np.inf
    rows = np.concatenate([data.x[k][0] for k in used])
    t = np.concatenate([multipliers[k] * data.shares[k][0] for k in used])
    values = np.linalg.eigvalsh((rows * t[:, None]).T @ rows)
    rounding = rows.shape[1] * (rows.shape[0] + 8) * np.finfo(np.float64).eps * values[-1]
    if not values[0] > 2.0 * rounding:
        return np.inf
    length = float(np.linalg.norm(slope)) + float(multipliers @ at.gradient_error[0, 0])
    total = float(multipliers @ (at.values + at.value_error)[0, 0])
    return 2.0 * total * float(np.linalg.norm(rows, axis=1).max()) * length / float(values[0] - rounding)


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


@dataclass(frozen=True)
class _Choices:
    """What can be chosen within [low, high]: signs of residuals that vanish, then prices of constraints."""

    columns: FloatArray
    """Slopes (d, m)."""
    low: FloatArray
    high: FloatArray
    shift: FloatArray
    """What the signs that the gradient has taken so far add to it, with a minus, (d,)."""
    kinks: dict[int, npt.NDArray[np.bool_]]
    """Objectives, and which of their residuals vanish."""
    rows: Rows

    def at(
        self, x: FloatArray, part: Part, theta: FloatArray, multipliers: FloatArray, at: Evaluated
    ) -> tuple[Evaluated, FloatArray, float]:
        """Return what is known at theta with the chosen signs, the constraints' slope (d,), and what the choice costs."""
        gradients, fixed, first, data = at.gradients.copy(), 0.0, 0, part.examples
        for k, kink in self.kinks.items():
            if data is None:
                break
            rest = data.predictions(k, theta)[0, 0] - data.y[k][0]
            signs, count = np.sign(rest), int(kink.sum())
            signs[kink] = x[first : first + count]
            gradients[0, 0, k] = data.subgradient(k, theta, signs)
            price = multipliers[k] * data.shares[k][0]
            fixed += float(price @ (np.abs(rest) - signs * rest))
            first += count
        linear = self.columns[:, first:] @ x[first:]
        fixed -= float(sum(price * row[0] for price, row in zip(x[first:], self.rows, strict=True)))
        return replace(at, gradients=gradients), linear, fixed


def _choices(part: Part, theta: FloatArray, multipliers: FloatArray, rows: Rows, close: float) -> _Choices:
    columns: list[FloatArray] = []
    low: list[float] = []
    high: list[float] = []
    kinks, shift = {}, np.zeros(theta.shape[-1])
    data = part.examples
    for k, name in enumerate(() if data is None else data.losses):
        if data is None or name != "absolute" or multipliers[k] == 0.0:
            continue
        rest = data.predictions(k, theta)[0, 0] - data.y[k][0]
        price = multipliers[k] * data.shares[k][0]
        kink = data.near_kinks(k, theta, close) & (price > 0.0)
        # The subgradient takes the sign; here that part is taken back and left open.
        shift -= (price[kink] * np.sign(rest[kink])) @ data.x[k][0][kink]
        columns += list(price[kink, None] * data.x[k][0][kink])
        low += [-1.0] * int(kink.sum())
        high += [1.0] * int(kink.sum())
        kinks[k] = kink
    used = [row for row in rows if row[2] or row[0] >= -close * max(1.0, float(np.abs(row[1] @ theta[0, 0])))]
    columns += [slope for _, slope, _ in used]
    low += [-np.inf if equation else 0.0 for _, _, equation in used]
    high += [np.inf] * len(used)
    matrix = np.array(columns).T if columns else np.zeros((theta.shape[-1], 0))
    return _Choices(matrix, np.array(low), np.array(high), shift, kinks, used)


def _least_squares(
    chosen: _Choices, target: FloatArray, part: Part, theta: FloatArray, frame: Coordinates | None
) -> FloatArray:
    """Choose within the ranges so that the gradient is 0, or on a Euclidean ball points into it."""
    from scipy.optimize import lsq_linear

    columns, low, high = chosen.columns, chosen.low, chosen.high
    count = columns.shape[1]
    if count == 0:
        return np.zeros(0)
    if part.ball is not None and part.ball.norm == "l2":
        inward = part.pushed(part.parameters(theta))
        columns = np.column_stack([columns, inward[0, 0]])
        low, high = np.append(low, 0.0), np.append(high, np.inf)
    if frame is not None:
        columns, target = frame.pull(columns.T[None])[0].T, frame.pull(target[None, None])[0, 0]
    size = np.linalg.norm(columns, axis=0)
    size = np.where(size > 0.0, size, 1.0)
    found = lsq_linear(columns / size, target, bounds=(low * size, high * size), method="bvls", tol=1e-15)
    x: npt.NDArray[np.float64] = np.clip(found.x / size, low, high)[:count]
    return x
