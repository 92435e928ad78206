r"""Quadratic objectives: weighted sums in closed form, Chebyshev for two objectives by its one multiplier.

The Chebyshev value is :math:`\max_u \min_\theta \sum_i u_i w_i (L_i - z_i)` over u on the simplex. For N = 2 the inner
minimiser is a rational function of :math:`u_1` in the coordinates that make both curvatures diagonal, the difference of
the two terms falls with :math:`u_1`, and its root is bracketed for all weights and replicates at once. Derived
(proof: dual-terms).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.errors import InvalidInputError
from moltheory.objectives import QuadraticObjectives
from moltheory.scalarization import MaximumForm
from moltheory.solvers._certificates import shortfall_of_sums
from moltheory.solvers._result import Outcome
from moltheory.solvers._smooth_objective import QuadraticPart

__all__ = ["chebyshev_of_two", "quadratic_sums", "terms_of_maxima"]

_SINGULAR = 1e-12


def quadratic_sums(objectives: QuadraticObjectives, weights: FloatArray, *, tolerance: float) -> Outcome:
    """Minimise weighted sums (K, N); where the minimiser is not unique, the one of smallest norm is taken."""
    try:
        solutions = objectives.minimisers(weights)
        joint = objectives.joint_basis
    except InvalidInputError:
        solutions, joint = objectives.minimisers(weights, minimum_norm=True), None
    risks, slopes = objectives.risks_and_gradients(solutions, weights)
    theta, points, gradients = (a.reshape(-1, *a.shape[-2:]) for a in (solutions, risks, slopes))
    part = QuadraticPart(objectives)
    gap, value_error = None, np.zeros(())
    if joint is not None:
        lead = len(objectives.batch_shape)
        errors = (a.reshape(-1, *a.shape[lead:]) for a in objectives.rounding_errors(solutions))
        risk_error, slope_error = errors
        slope_error = (weights[:, None] @ slope_error)[:, :, 0]
        value_error = (risk_error * weights).sum(axis=-1)
        gap = joint.shortfall(part.curvature, gradients, weights, slope_error)
    if gap is None:
        w = np.broadcast_to(weights, points.shape)
        at = part.evaluated(theta)
        gap, rigorous, norm = shortfall_of_sums(part, theta, w, at)
        value_error = (at.value_error * weights).sum(axis=-1)
    else:
        rigorous, norm = np.ones(gap.shape, bool), np.sqrt(np.vecdot(gradients, gradients))
    gap = gap + value_error
    values = (points * weights).sum(axis=-1)
    out = Outcome(theta, points, values, gap, rigorous, np.empty(values.shape, np.int8), norm)
    out.set_status(slice(None), tolerance)
    return out


def terms_of_maxima(forms: Sequence[MaximumForm]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return weights (K, N), reference points (K, N) and augmentations (K,)."""
    return (
        np.array([form.weights for form in forms]),
        np.array([form.ideal for form in forms]),
        np.array([form.augmentation for form in forms]),
    )


def chebyshev_of_two(
    objectives: QuadraticObjectives, forms: Sequence[MaximumForm]
) -> tuple[FloatArray, FloatArray] | None:
    """Return minimisers (R, K, d) and multipliers (R, K, 2), or None where the sum of curvatures is singular."""
    part = QuadraticPart(objectives)
    w, z, rho = terms_of_maxima(forms)
    joint = objectives.joint_basis
    if joint is None:
        return None
    basis, m, trace = joint.basis, joint.diagonal, joint.trace[..., None]
    # In the coordinates c of theta = basis c: L_i = sum_j m_ij c_j^2 - 2 b_ij c_j + constant.
    b = part.linear @ basis
    constant = part.values(np.zeros((b.shape[0], 1, b.shape[-1])))[:, 0]

    def coordinates(u: FloatArray) -> FloatArray:
        multipliers = np.stack([u * w[:, 0] + rho, (1.0 - u) * w[:, 1] + rho], axis=-1)
        down = multipliers @ m
        proper = down > _SINGULAR * (multipliers @ trace)
        return np.divide(multipliers @ b, down, out=np.zeros(down.shape), where=proper)

    def difference(u: FloatArray) -> FloatArray:
        c = coordinates(u)
        risks = [((m[:, None, i] * c - 2.0 * b[:, None, i]) * c).sum(axis=-1) for i in range(2)]
        terms = [w[:, i] * (risks[i] + constant[:, i, None] - z[:, i]) for i in range(2)]
        gap: FloatArray = terms[0] - terms[1]
        return gap

    shape = (b.shape[0], w.shape[0])
    # A weight of zero leaves the maximum, so its multiplier is 0.
    low = np.broadcast_to(np.where(w[:, 1] > 0.0, 0.0, 1.0), shape).copy()
    high = np.broadcast_to(np.where(w[:, 0] > 0.0, 1.0, 0.0), shape).copy()
    low, high = np.minimum(low, high), np.maximum(low, high)
    only = ~((w > 0.0).all(axis=1))
    u = _root(difference, low, high)
    u = np.where(only, np.where(w[:, 0] > 0.0, 1.0, 0.0), u)
    found: FloatArray = coordinates(u) @ np.swapaxes(basis, -1, -2)
    return found, np.stack([u, 1.0 - u], axis=-1)


def _root(difference: Callable[[FloatArray], FloatArray], low: FloatArray, high: FloatArray) -> FloatArray:
    """Return where a falling function on [low, high] changes sign: regula falsi (Illinois) kept safe by bisection."""
    f_low, f_high = difference(low), difference(high)
    end = np.where(f_low <= 0.0, low, high)
    settled = (f_low <= 0.0) | (f_high >= 0.0)
    side = np.zeros(low.shape, dtype=np.int8)
    g_low, g_high = f_low.copy(), f_high.copy()
    for step in range(120):
        width = high - low
        if (settled | (width <= 4e-16)).all():
            break
        slope = g_low - g_high
        secant = low + width * np.divide(g_low, slope, out=np.full(low.shape, 0.5), where=slope > 0.0)
        middle = 0.5 * (low + high)
        # Every third step halves the bracket, whatever the function.
        u = middle if step % 3 == 2 else np.clip(secant, low, high)
        f = difference(u)
        up = f > 0.0
        g_high = np.where(up & (side == 1), 0.5 * g_high, g_high)
        g_low = np.where(~up & (side == -1), 0.5 * g_low, g_low)
        low, g_low = np.where(up, u, low), np.where(up, f, g_low)
        high, g_high = np.where(up, high, u), np.where(up, g_high, f)
        side = np.where(up, 1, -1).astype(np.int8)
        exact = f == 0.0
        end, settled = np.where(exact & ~settled, u, end), settled | exact
    return np.where(settled, end, 0.5 * (low + high))
