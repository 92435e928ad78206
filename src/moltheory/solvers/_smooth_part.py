r"""Smooth objectives from a user's own functions: Newton steps for weighted sums, on R^d or a Euclidean ball.

On a ball the model :math:`g'p + p'Hp/2` is minimised over all steps p that stay inside (its one multiplier by Newton
on the secular equation, J. J. More and D. C. Sorensen 1983, doi 10.1137/0904038), so that the last steps are as fast as
those of Newton's method. Certificates: `shortfall_of_sums`, rigorous where the weighted sum of the stated moduli
of strong convexity is > 0, or on a ball, by convexity alone; else the Newton decrement, an estimate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.errors import InvalidInputError
from moltheory.objectives import NormBall, SmoothObjectives
from moltheory.objectives._convex_part import Evaluated
from moltheory.scalarization import Form, MaximumForm
from moltheory.solvers._ball import ball_step
from moltheory.solvers._certificates import shortfall_of_sums
from moltheory.solvers._closed_form import terms_of_maxima
from moltheory.solvers._minimax import MAX_OBJECTIVES, chebyshev_gap, minimise_maxima
from moltheory.solvers._result import Outcome
from moltheory.solvers._smooth_objective import Unframed, combined, damped, solved_systems

__all__ = ["SmoothPart", "check_smooth", "smooth_maxima", "smooth_sums"]

# A model's decrease below this, relative to max(1, |value|), makes the next full step the last.
_LAST = 1e-13
_LIMIT = 200
# Numbers in the largest array of Hessians.
_CHUNK = 1 << 22


@dataclass(frozen=True, eq=False)
class SmoothPart(Unframed):
    """The objectives in the form that solvers work on."""

    objectives: SmoothObjectives

    @property
    def ball(self) -> NormBall | None:
        """The class, None for all of R^d."""
        return self.objectives.ball

    @cached_property
    def size(self) -> int:
        """Number R of entries of the flattened batch."""
        return math.prod(self.objectives.batch_shape)

    @property
    def strong_convexity(self) -> FloatArray:
        """Moduli (R, N), as stated."""
        return np.tile(self.objectives.strong_convexity, (self.size, 1))

    @property
    def roughness(self) -> FloatArray:
        """Infinite (R,): nothing is known of how curvatures change."""
        return np.full(self.size, np.inf)

    @cached_property
    def damping(self) -> FloatArray:
        """Ones (R, d) where an objective is not known to be strongly convex, as its curvature may vanish."""
        weak = float(self.objectives.strong_convexity.min()) == 0.0
        return np.full((self.size, self.objectives.dimension), float(weak))

    def values(self, theta: FloatArray) -> FloatArray:
        """Risks (R, M, N)."""
        return self.objectives.evaluated("value", theta)

    def gradients(self, theta: FloatArray) -> FloatArray:
        """Gradients (R, M, N, d)."""
        return self.objectives.evaluated("gradient", theta)

    def derivatives(self, theta: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Gradients, and curvatures (R, M, d, d) of the weighted sums."""
        n, d = self.objectives.n_objectives, self.objectives.dimension
        hessians = self.objectives.evaluated("hessian", theta).reshape(*theta.shape[:2], n, d * d)
        curvature = combined(weights, hessians).reshape(*theta.shape[:2], d, d)
        return self.gradients(theta), 0.5 * (curvature + np.swapaxes(curvature, -1, -2))

    def evaluated(self, theta: FloatArray) -> Evaluated:
        """Values and gradients, taken to be right to some units of roundoff: more is not known of user's functions."""
        values, gradients = self.values(theta), self.gradients(theta)
        error = 8.0 * np.finfo(np.float64).eps * np.linalg.norm(gradients, axis=-1)
        return Evaluated(values, gradients, 8.0 * np.finfo(np.float64).eps * np.abs(values), error, error)

    def expressions(self, variable: Any) -> list[Any]:
        """No cvxpy form is known."""
        raise InvalidInputError("`objectives` must have a cvxpy form here, got SmoothObjectives, which have none.")


def check_smooth(objectives: SmoothObjectives, form: Form | None, name: str) -> None:
    """Refuse scalarizations and classes that Newton steps on user's functions do not reach.

    What remains are weighted sums, and Chebyshev of few objectives without a ball; balls are Euclidean.
    """
    n, ball = objectives.n_objectives, objectives.ball
    kind = "" if form is None else form.kind
    if kind != "linear" and (kind != "maximum" or n > MAX_OBJECTIVES or ball is not None):
        place = "" if ball is None else f" on {ball!r}"
        raise InvalidInputError(
            f"`scalarizations` must be weighted sums, or Chebyshev of at most {MAX_OBJECTIVES} objectives without a "
            f"ball, for SmoothObjectives, got {name} of {n}{place}; a search (BlackBoxObjectives, or method='nsga2' on a "
            f"ball) needs values only."
        )
    if ball is not None and ball.norm != "l2":
        raise InvalidInputError(f"`objectives` must have an l2 ball or none to be solved as functions, got {ball!r}.")


def smooth_sums(objectives: SmoothObjectives, weights: FloatArray, *, tolerance: float) -> Outcome:
    """Minimise weighted sums (K, N) for every entry of the batch."""
    part = SmoothPart(objectives)
    k, n, d = weights.shape[0], objectives.n_objectives, objectives.dimension
    out = Outcome.empty(part.size, k, n, d)
    total = weights.sum(axis=1)
    shares = weights / total[:, None]
    start = _descend(part, np.zeros((part.size, 1, d)), np.full((part.size, 1, n), 1.0 / n))
    step = max(1, _CHUNK // (part.size * n * d * d))
    for first in range(0, k, step):
        rows = slice(first, first + step)
        w = np.broadcast_to(shares[rows], (part.size, *shares[rows].shape))
        theta = _descend(part, np.repeat(start, w.shape[1], axis=1), w)
        gap, rigorous, norm, at = _certified(part, theta, w)
        out.solutions[:, rows], out.points[:, rows] = theta, at.values
        out.gap[:, rows] = gap + (at.value_error * w).sum(axis=-1)
        out.rigorous[:, rows], out.gradient_norm[:, rows] = rigorous, norm
    out.values[:] = (out.points * weights).sum(axis=-1)
    out.gap *= total
    out.gradient_norm *= total
    _settle(out, tolerance)
    return out


def smooth_maxima(objectives: SmoothObjectives, chosen: Sequence[MaximumForm], *, tolerance: float) -> Outcome:
    """Minimise Chebyshev scalarizations over R^d for every entry of the batch."""
    part = SmoothPart(objectives)
    n, d = objectives.n_objectives, objectives.dimension
    w, z, rho = terms_of_maxima(chosen)
    total = w.sum(axis=1)
    w, rho = w / total[:, None], rho / total
    out = Outcome.empty(part.size, len(chosen), n, d)
    start = _descend(part, np.zeros((part.size, 1, d)), np.full((part.size, 1, n), 1.0 / n))
    with np.errstate(invalid="ignore"):
        theta, u = minimise_maxima(part, np.repeat(start, len(chosen), axis=1), w, z, rho, tolerance=tolerance)
        at = part.evaluated(theta)
        gap, out.rigorous[:], norm = chebyshev_gap(part, theta, at.values, u, w, z, rho, at)
    out.solutions, out.points = theta, at.values
    for j, form in enumerate(chosen):
        out.values[:, j] = form.value(np.ascontiguousarray(out.points[:, j]))
    out.gap, out.gradient_norm = gap * total, norm * total
    _settle(out, tolerance)
    return out


def _settle(out: Outcome, tolerance: float) -> None:
    """Judge the rows; what is not finite failed."""
    lost = ~(np.isfinite(out.values) & np.isfinite(out.gap) & np.isfinite(out.solutions).all(axis=-1))
    out.gap[lost], out.rigorous[lost] = np.inf, False
    out.set_status(slice(None), tolerance)


def _certified(
    part: SmoothPart, theta: FloatArray, weights: FloatArray
) -> tuple[FloatArray, npt.NDArray[np.bool_], FloatArray, Evaluated]:
    # The rate of change of the curvature is unknown, thus infinite: times a gradient of 0 it is not a number.
    with np.errstate(invalid="ignore", over="ignore"):
        at = part.evaluated(theta)
        return *shortfall_of_sums(part, theta, weights, at), at


def _descend(part: SmoothPart, start: FloatArray, weights: FloatArray) -> FloatArray:
    """Newton's method with backtracking from a start (R, M, d); points that have arrived stay where they are."""
    theta = start.copy()
    done = np.zeros(theta.shape[:2], bool)
    for _ in range(_LIMIT):
        columns = np.flatnonzero(~done.all(axis=0))
        if not columns.size:
            break
        here, w = theta[:, columns], weights[:, columns]
        gradients, curvature = part.derivatives(here, w)
        g = combined(w, gradients)
        model = damped(part, curvature, g)
        step = -solved_systems(model, g) if part.ball is None else ball_step(part.ball, here, g, model)
        slope = -(g * step).sum(axis=-1)
        before = (w * part.values(here)).sum(axis=-1)
        last = ~(slope > _LAST * np.maximum(1.0, np.abs(before)))
        length = np.where(done[:, columns], 0.0, _length(part, w, here, step, slope, before, last))
        theta[:, columns] = here + length[..., None] * step
        done[:, columns] |= last | (length == 0.0)
    return theta if part.ball is None else part.ball.inside(theta)


def _length(
    part: SmoothPart,
    weights: FloatArray,
    here: FloatArray,
    step: FloatArray,
    slope: FloatArray,
    before: FloatArray,
    last: npt.NDArray[np.bool_],
) -> FloatArray:
    """Halve each step until the value falls enough; 0 where it never does."""
    length = np.ones(slope.shape)
    rounding = 1e-15 * np.abs(before)
    high = ~last
    for _ in range(60):
        with np.errstate(over="ignore", invalid="ignore"):
            after = (part.values(here + length[..., None] * step) * weights).sum(axis=-1)
        high = ~(after <= before - 1e-4 * length * slope + rounding) & ~last
        if not high.any():
            return length
        length = np.where(high, 0.5 * length, length)
    return np.where(high, 0.0, length)
