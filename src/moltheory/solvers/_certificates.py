r"""Lower bounds of weighted sums of risks, from which certificates are made, and estimates where there is none.

With G the gradient of the sum, and its rounding error where that is known: :math:`\|G\|^2 / (2 \mu)` where it is
mu-strongly convex, :math:`G'\theta + \max_{\|v\| \le r} (-G'v)` on a ball, whichever is smaller, and exactly
:math:`G'H^{-1}G / 2` for quadratics.

Without a global modulus a local one serves: if the curvature H at theta has smallest eigenvalue m and changes by at most
the factor :math:`e^{R \|v\|}` within v, the sum is m/e-strongly convex on the ball of radius 1/R around theta. If
:math:`\|G\| < m / (2 e R)`, its values on that sphere exceed the one at theta, the minimiser is inside, and
:math:`e \|G\|^2 / (2 m)` is a bound (derived; proof: gradient-certificates).

On a ball the first of these is 0 where G points from a boundary point to 0, so that to first order an error e of G does
not count there: with :math:`g = G/\|G\|` it is at most :math:`\|e\| (\|\theta + r g\| + 2 r \|e\| / \|G\|)`, and always at
most :math:`2 r \|e\|`. Where features have different sizes, a price does better: for :math:`\nu \ge 0` the sum on the ball
is at least the sum plus :math:`\nu (\|\theta\|^2 - r^2) / 2` anywhere, or plus :math:`\nu (s'\theta - r)`,
:math:`|s_j| \le 1`, for l1, to which the bounds without a ball apply (derived; proof: gradient-certificates).

An estimate is needed where the curvature is singular to working precision. In a direction whose curvature cannot be
told from 0 the value may be constant, as with collinear features, or may still fall, and a Newton decrement that leaves
it out means nothing. Two things tell: a gradient along it that is larger than its rounding, and features that do move
along it, if little. A product of features has lost those whose share is below the square root of the roundoff; the
features themselves have not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.objectives import NormBall
from moltheory.objectives._convex_part import ConvexPart, Evaluated
from moltheory.objectives._losses import LOSSES
from moltheory.solvers._smooth_objective import Part, combined

__all__ = ["shortfall_of_sums"]

_EPS = np.finfo(np.float64).eps
# Bounds below this are not worth a factorization to make them smaller.
_SMALL = 1e-11

Bools = npt.NDArray[np.bool_]


def shortfall_of_sums(
    part: Part,
    theta: FloatArray,
    weights: FloatArray,
    at: Evaluated | FloatArray | None = None,
    *,
    linear: FloatArray | None = None,
) -> tuple[FloatArray, Bools, FloatArray]:
    """Return bounds (R, M) on how far weighted sums are above their minima, which are rigorous, and gradient norms.

    Weights (R, M, N) are nonnegative, theta is (R, M, d). `at` is what is known there: risks and gradients with
    rounding errors, which the bounds then cover, or gradients (R, M, N, d) alone; `linear` (R, M, d) are slopes of
    linear functions added to the sums. Where a bound is not rigorous it is an estimate: the Newton decrement with
    rounding in proportion to the conditioning, infinite where the sum still falls in a direction in which its curvature
    cannot be told from 0.
    """
    gradients = at.gradients if isinstance(at, Evaluated) else part.gradients(theta) if at is None else at
    g = combined(weights, gradients)
    if linear is not None:
        g = g + linear
    slopes = part.slopes(g)
    none = np.zeros(g.shape[:2])
    error = slope_error = none
    if isinstance(at, Evaluated):
        error, slope_error = ((weights * e).sum(axis=-1) for e in (at.gradient_error, at.slope_error))
    if part.ball is None:
        bound, rigorous = _unconstrained(part, theta, weights, g, none, error, slope_error)
    else:
        bound, rigorous = _on_ball(part.ball, part, theta, slopes, slope_error), np.ones(none.shape, bool)
        columns = np.flatnonzero((bound > _SMALL).any(axis=0))
        if columns.size:
            priced = _priced(part.ball, part, *(a[:, columns] for a in (theta, weights, g, slopes, error, slope_error)))
            bound[:, columns] = np.minimum(bound[:, columns], priced)
    examples = part.examples
    if isinstance(at, Evaluated) and linear is None and examples is not None and examples.is_nonnegative:
        # No sum of such losses is below 0: where they can all vanish nothing else is known, or needed.
        total = (weights * (at.values + at.value_error)).sum(axis=-1)
        rigorous = rigorous | (total < bound)
        bound = np.minimum(bound, total)
    return bound, rigorous, np.linalg.norm(slopes, axis=-1)


def _on_ball(ball: NormBall, part: Part, theta: FloatArray, slopes: FloatArray, error: FloatArray) -> FloatArray:
    """Bounds by the smallest value of the tangent plane on the ball."""
    parameters = part.parameters(theta)
    width, r = ball.width(slopes), ball.radius
    more = 2.0 * r * error
    if ball.norm == "l2":
        unit = slopes * np.divide(r, width, out=np.zeros(width.shape), where=width > 0.0)[..., None]
        turn = np.divide(error * r, width, out=np.ones(width.shape), where=width > 0.0)
        away = np.linalg.norm(parameters + r * unit, axis=-1)
        more = np.minimum(more, error * (away + 2.0 * r * turn))
    # Rounding of the two terms themselves, whose difference may be small.
    more += 4.0 * parameters.shape[-1] * _EPS * width
    found: FloatArray = np.maximum((slopes * parameters).sum(axis=-1) + width, 0.0) + more
    return found


def _priced(
    ball: NormBall,
    part: Part,
    theta: FloatArray,
    weights: FloatArray,
    g: FloatArray,
    slopes: FloatArray,
    error: FloatArray,
    slope_error: FloatArray,
) -> FloatArray:
    """Bounds with a price for leaving the ball; infinite where no modulus is known."""
    parameters = part.parameters(theta)
    r, spare = ball.radius, 2.0 * theta.shape[-1] * _EPS
    none = np.zeros(error.shape)
    bounds = []
    if ball.norm == "l2":
        square = (parameters**2).sum(axis=-1)
        price = np.divide(-(slopes * parameters).sum(axis=-1), square, out=none.copy(), where=square > 0.0)
        for nu in (none, np.maximum(price, 0.0)):
            cost = 0.5 * nu * (r * r - square * (1.0 - spare))
            bounds.append(_with_price(part, theta, weights, g, nu, parameters, nu, cost, error, slope_error))
        return np.asarray(np.min(bounds, axis=0))
    price, sign = np.abs(slopes).max(axis=-1), np.sign(parameters)
    for near in (1.0, 0.999, 0.9, 0.0):
        share = np.divide(-slopes, price[..., None], out=np.zeros(slopes.shape), where=price[..., None] > 0.0)
        # Slopes of parameters that do not vanish are equal but for rounding, which is larger for large features.
        pull = np.where((np.abs(share) >= near) & (sign != 0.0), sign, np.clip(share, -1.0, 1.0))
        pushed = part.pushed(pull)
        square = (pushed**2).sum(axis=-1)
        fitted = np.divide(-(g * pushed).sum(axis=-1), square, out=none.copy(), where=square > 0.0)
        for nu in (none, price, np.maximum(fitted, 0.0)):
            cost = nu * (r * (1.0 + spare) - (pull * parameters).sum(axis=-1))
            bounds.append(_with_price(part, theta, weights, g, nu, pull, none, cost, error, slope_error))
        price = np.maximum(fitted, 0.0)
    return np.asarray(np.min(bounds, axis=0))


def _with_price(
    part: Part,
    theta: FloatArray,
    weights: FloatArray,
    g: FloatArray,
    price: FloatArray,
    pull: FloatArray,
    curved: FloatArray,
    cost: FloatArray,
    error: FloatArray,
    slope_error: FloatArray,
) -> FloatArray:
    """Cost of the price at theta, and the bound for the sum with it: `pull` its slope at price 1, `curved` its ridge."""
    there = price[..., None] * pull
    pushed = part.pushed(there)
    # Slopes are pushed to their last digit; a price that is rounded is another price.
    more = 4.0 * _EPS * (np.linalg.norm(pushed, axis=-1) + np.linalg.norm(g, axis=-1))
    slope_more = 4.0 * _EPS * np.linalg.norm(there, axis=-1)
    bound, rigorous = _unconstrained(part, theta, weights, g + pushed, curved, error + more, slope_error + slope_more)
    return np.where(rigorous, np.maximum(cost, 0.0) + bound, np.inf)


def _unconstrained(
    part: Part,
    theta: FloatArray,
    weights: FloatArray,
    g: FloatArray,
    ridge: FloatArray,
    error: FloatArray,
    slope_error: FloatArray,
) -> tuple[FloatArray, Bools]:
    """Bounds with gradients g of sums, a ridge of the parameters (R, M) included; where not rigorous, estimates."""
    modulus = (weights * part.strong_convexity[:, None]).sum(axis=-1)
    reach = np.linalg.norm(g, axis=-1) + error
    ridges = ridge + (weights * part.separate_ridge).sum(axis=-1)
    if part.frame is None:
        modulus = modulus + ridges
    bound = np.divide(reach**2, 2.0 * modulus, out=np.full(reach.shape, np.inf), where=modulus > 0.0)
    rigorous = modulus > 0.0
    if part.frame is not None:
        there = np.linalg.norm(part.slopes(g), axis=-1) + slope_error
        found = np.divide(there**2, 2.0 * ridges, out=np.full(ridges.shape, np.inf), where=ridges > 0.0)
        bound, rigorous = np.minimum(bound, found), rigorous | (ridges > 0.0)
    # A factorization is worth its time where there is no bound, or the final one could be smaller.
    columns = np.flatnonzero((~rigorous | ((bound > _SMALL) & (error > 0.0))).any(axis=0))
    if columns.size:
        local, proper = _local(part, *(a[:, columns] for a in (theta, weights, g, ridge, error)))
        was = rigorous[:, columns]
        # A bound is worth more than a smaller estimate.
        use = (proper & ~was) | ((proper == was) & (local < bound[:, columns]))
        bound[:, columns] = np.where(use, local, bound[:, columns])
        rigorous[:, columns] |= proper
    return bound, rigorous


def _local(
    part: Part, theta: FloatArray, weights: FloatArray, g: FloatArray, ridge: FloatArray, error: FloatArray
) -> tuple[FloatArray, Bools]:
    """Bounds from the curvature at the points, and estimates where it is singular to working precision."""
    d = theta.shape[-1]
    _, curvature = part.derivatives(theta, weights)
    if ridge.any():
        root = np.eye(d) if part.frame is None else part.frame.inverse[:, None]
        curvature = curvature + ridge[..., None, None] * (np.swapaxes(root, -1, -2) @ root)
    finite = np.asarray(np.isfinite(curvature).all(axis=(-1, -2)) & np.isfinite(g).all(axis=-1))
    curvature = np.where(finite[..., None, None], curvature, np.eye(d))
    if part.quadratic is None:
        local, proper = _nearby(part, curvature, g, error)
        proper &= finite
        if proper.all():
            return local, proper
    # To unit diagonal: the units of the parameters have no say, and eigenvalues of graded matrices come out right.
    diagonal = np.diagonal(curvature, axis1=-2, axis2=-1)
    size = np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    values, vectors = np.linalg.eigh(curvature / (size[..., :, None] * size[..., None, :]))
    along = (np.swapaxes(vectors, -1, -2) @ (g / size)[..., None])[..., 0]
    blur = error / size.min(axis=-1)
    if part.quadratic is not None:
        if error.any():
            blur = np.linalg.norm(part.quadratic.gradient_errors(theta, weights) / size, axis=-1)
        proper = np.asarray(finite & (values[..., 0] > 1e3 * d * _EPS))
        safe = np.where(proper[..., None], values - 8.0 * d * _EPS, 1.0)
        local = 0.5 * (np.sqrt((along**2 / safe).sum(axis=-1)) + blur / np.sqrt(safe[..., 0])) ** 2
    spectrum = _Spectrum(values, vectors / size[..., None], along, blur / (np.sqrt(part.n_terms) + 1.0))
    estimate = np.where(proper, 0.0, _estimated_gap(part, theta, weights, spectrum, proper))
    return np.where(finite, np.where(proper, local, estimate), np.inf), proper


def _nearby(part: Part, curvature: FloatArray, g: FloatArray, error: FloatArray) -> tuple[FloatArray, Bools]:
    """Return the bounds from local moduli, and whether the minimiser is as near as they ask for."""
    d = curvature.shape[-1]
    values = np.linalg.eigvalsh(curvature)
    rounding = d * (part.n_terms + 8) * _EPS * values[..., -1]
    smallest = np.where(values[..., 0] > 2.0 * rounding, values[..., 0] - rounding, 0.0)
    reach = np.linalg.norm(g, axis=-1) + error
    # Of an infinite roughness, that of a curvature which vanishes, nothing follows, not even at gradient 0.
    known = np.isfinite(part.roughness)[:, None]
    rough = np.where(np.isfinite(part.roughness), part.roughness, 0.0)[:, None]
    proper = known & (reach * (2.0 * np.e) * rough < smallest)
    return np.e * reach**2 / (2.0 * np.where(proper, smallest, 1.0)), proper


@dataclass(frozen=True)
class _Spectrum:
    """Curvatures of sums in units of their diagonals, and the gradients in their eigenvectors."""

    values: FloatArray
    """Eigenvalues (R, M, d)."""
    directions: FloatArray
    """Eigenvectors as moves of the points, in columns, (R, M, d, d)."""
    along: FloatArray
    """Slopes along them, (R, M, d)."""
    blur: FloatArray
    """Rounding of the slopes, (R, M)."""


def _estimated_gap(
    part: Part, theta: FloatArray, weights: FloatArray, spectrum: _Spectrum, known: npt.NDArray[np.bool_]
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
