r"""Chebyshev scalarizations of smooth convex risks: Newton steps on the maximum, with a duality gap.

At theta the terms :math:`a_i = w_i (L_i - z_i)` are linearised, the curvature of their sum with the current multipliers
added, and the model :math:`\max_i (a_i + J_i p) + c'p + p'Hp/2` minimised: its dual is a concave quadratic over the
simplex in N multipliers, solved by running over their supports (N is small). With the multipliers u come a new point
and, from :math:`\min_\theta \max_i a_i \ge \min_\theta \sum_i u_i a_i`, the certificate. Derived (proof: dual-terms);
the step is that of sequential quadratic programming for minimax problems (Han 1981, Mathematical Programming 20).
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.objectives._convex_part import Evaluated
from moltheory.solvers._certificates import shortfall_of_sums
from moltheory.solvers._smooth_objective import Part, combined, damped, solved_systems

__all__ = ["MAX_OBJECTIVES", "chebyshev_gap", "minimise_maxima"]

MAX_OBJECTIVES = 6
_LIMIT = 100
_EPS = np.finfo(np.float64).eps


def minimise_maxima(
    part: Part,
    start: FloatArray,
    w: FloatArray,
    z: FloatArray,
    rho: FloatArray,
    *,
    tolerance: float,
    multipliers: FloatArray | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Return minimisers (R, K, d) of Chebyshev scalarizations (K of them), and their multipliers (R, K, N)."""
    theta = start.copy()
    scaled = _Terms(w, z, rho)
    first = (w > 0.0) / (w > 0.0).sum(axis=1, keepdims=True) if multipliers is None else multipliers
    u = np.broadcast_to(first, (*theta.shape[:2], w.shape[1])).copy()
    done = np.zeros(theta.shape[:2], bool)
    for _ in range(_LIMIT):
        columns = np.flatnonzero(~done.all(axis=0))
        if not columns.size:
            break
        terms, here = scaled.rows(columns), theta[:, columns]
        values = part.values(here)
        gradients, curvature = part.derivatives(here, terms.multipliers(u[:, columns]))
        curvature = damped(part, curvature, combined(terms.multipliers(u[:, columns]), gradients))
        a = terms.of(values)
        jacobian = terms.w[:, :, None] * gradients
        common = terms.rho[:, None] * gradients.sum(axis=2)
        new, step, fall = _model_step(a, jacobian, common, curvature, terms.w > 0.0)
        gap = terms.gap(part, here, values, new, gradients)[0]
        value = terms.value(values)
        small = gap <= 1e-15 * np.maximum(np.abs(value), terms.size(values))
        length = _accepted(part, terms, here, step, fall, value, gap, new, small | done[:, columns])
        moving = ~done[:, columns]
        u[:, columns] = np.where(moving[..., None], new, u[:, columns])
        theta[:, columns] = here + np.where(moving, length, 0.0)[..., None] * step
        done[:, columns] |= small | (length == 0.0)
    return theta, u


class _Terms:
    """The scalarizations as arrays: weights w (K, N), reference points z (K, N), augmentations rho (K,)."""

    def __init__(self, w: FloatArray, z: FloatArray, rho: FloatArray) -> None:
        self.w, self.z, self.rho = w, z, rho

    def rows(self, columns: npt.NDArray[np.int64]) -> _Terms:
        return _Terms(self.w[columns], self.z[columns], self.rho[columns])

    def of(self, values: FloatArray) -> FloatArray:
        """Terms of the maximum, -inf where the weight is zero."""
        return np.where(self.w > 0.0, self.w * (values - self.z), -np.inf)

    def value(self, values: FloatArray) -> FloatArray:
        found: FloatArray = self.of(values).max(axis=-1) + self.rho * (values - self.z).sum(axis=-1)
        return found

    def size(self, values: FloatArray) -> FloatArray:
        """Magnitude of what the value is computed from, for its rounding."""
        found: FloatArray = ((self.w + self.rho[:, None]) * (np.abs(values) + np.abs(self.z))).sum(axis=-1)
        return found

    def multipliers(self, u: FloatArray) -> FloatArray:
        """Weights of the risks in the Lagrangian."""
        return u * self.w + self.rho[:, None]

    def gap(
        self, part: Part, theta: FloatArray, values: FloatArray, u: FloatArray, at: Evaluated | FloatArray | None = None
    ) -> tuple[FloatArray, npt.NDArray[np.bool_], FloatArray]:
        """Value minus a lower bound: what the sum lacks of the maximum, and the sum of its smallest value."""
        lag = self.multipliers(u)
        short, rigorous, norm = shortfall_of_sums(part, theta, lag, at)
        terms = np.where(self.w > 0.0, self.w * (values - self.z), 0.0)
        top = self.of(values).max(axis=-1)
        slack = (u * (top[..., None] - terms)).sum(axis=-1)
        gap = np.maximum(slack, 0.0) + short
        if isinstance(at, Evaluated):
            # Value and lower bound are each off by at most this, as the multipliers sum to 1.
            gap = gap + (self.w * at.value_error).max(axis=-1) + self.rho * at.value_error.sum(axis=-1)
            gap = gap + 2.0 * _EPS * self.size(values)
        return gap, rigorous, norm


def chebyshev_gap(
    part: Part,
    theta: FloatArray,
    values: FloatArray,
    u: FloatArray,
    w: FloatArray,
    z: FloatArray,
    rho: FloatArray,
    at: Evaluated | None = None,
) -> tuple[FloatArray, npt.NDArray[np.bool_], FloatArray]:
    """Return gap, rigour and gradient norm (R, K) of points with multipliers u on the simplex (0 where w is)."""
    return _Terms(w, z, rho).gap(part, theta, values, u, at)


def _model_step(
    a: FloatArray, jacobian: FloatArray, common: FloatArray, curvature: FloatArray, used: npt.NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Minimise the model: multipliers, step, and the fall of the model's value."""
    n = a.shape[-1]
    columns = np.concatenate([jacobian, common[:, :, None]], axis=2)
    solved = solved_systems(curvature, np.swapaxes(columns, -1, -2))
    product = columns @ solved
    q = np.where(used, a - product[..., :n, n], 0.0)
    matrix = product[..., :n, :n]
    u = largest_on_simplex(q, 0.5 * (matrix + np.swapaxes(matrix, -1, -2)), used)
    coefficients = np.concatenate([u, np.ones((*u.shape[:-1], 1))], axis=-1)
    step = -(solved @ coefficients[..., None])[..., 0]
    curved = -(step * combined(coefficients, columns)).sum(axis=-1)
    # Strong duality: model's minimum = dual value; at p = 0 the model is max a.
    model = (u * np.where(used, a, 0.0)).sum(axis=-1) - 0.5 * curved
    return u, step, np.maximum(a.max(axis=-1) - model, 0.0)


def largest_on_simplex(q: FloatArray, matrix: FloatArray, used: npt.NDArray[np.bool_]) -> FloatArray:
    """Maximise q'u - u'Qu/2 over the simplex, rows (..., N) and (..., N, N), by running over all supports."""
    n = q.shape[-1]
    best = np.zeros(q.shape)
    best_value = np.full(q.shape[:-1], -np.inf)
    for size in range(1, n + 1):
        for support in combinations(range(n), size):
            rows = list(support)
            u = np.zeros(q.shape)
            if size == 1:
                u[..., rows[0]] = 1.0
            else:
                # Substituting u_0 = 1 - sum of the others leaves an unconstrained problem.
                others, base = rows[1:], rows[0]
                block = matrix[..., rows, :][..., :, rows]
                differences = block[..., 1:, 1:] - block[..., 1:, :1] - block[..., :1, 1:] + block[..., :1, :1]
                # Curvatures whose inverse overflows are none.
                tiny = np.abs(differences).max(axis=(-1, -2), keepdims=True) < 1e-280
                differences = np.where(tiny, 0.0, differences)
                right = q[..., others] - q[..., [base]] - block[..., 1:, 0] + block[..., :1, 0]
                u[..., others] = (np.linalg.pinv(differences, rcond=1e-14, hermitian=True) @ right[..., None])[..., 0]
                u[..., base] = 1.0 - u[..., others].sum(axis=-1)
            feasible = (u >= 0.0).all(axis=-1) & used[..., rows].all(axis=-1)
            value = (q * u).sum(axis=-1) - 0.5 * (u * (matrix @ u[..., None])[..., 0]).sum(axis=-1)
            better = feasible & (value > best_value)
            best = np.where(better[..., None], u, best)
            best_value = np.where(better, value, best_value)
    return best


def _accepted(
    part: Part,
    terms: _Terms,
    here: FloatArray,
    step: FloatArray,
    fall: FloatArray,
    value: FloatArray,
    gap: FloatArray,
    u: FloatArray,
    still: npt.NDArray[np.bool_],
) -> FloatArray:
    """Take the full step if it halves the duality gap (which the curvature of a maximum can hide) or lowers the value."""
    length = np.ones(value.shape)
    for trial in range(50):
        with np.errstate(over="ignore", invalid="ignore"):
            moved = here + length[..., None] * step
            values = part.values(moved)
            good = terms.value(values) <= value - 1e-4 * length * fall
            if trial == 0 and not (good | still).all():
                after = terms.gap(part, moved, values, u)[0]
                good |= np.isfinite(after) & (after <= 0.5 * gap)
        good |= still
        if good.all():
            return length
        length = np.where(good, length, 0.5 * length)
    return np.where(good, length, 0.0)
