"""Chebyshev scalarizations of quadratic or smooth convex risks without a ball, for every entry of a batch.

The search starts on the path of weighted sums, to which the minimisers belong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.objectives import ConvexObjectives, QuadraticObjectives
from moltheory.objectives._convex_part import ConvexPart, Evaluated
from moltheory.scalarization import MaximumForm
from moltheory.solvers._closed_form import chebyshev_of_two, terms_of_maxima
from moltheory.solvers._minimax import chebyshev_gap, minimise_maxima
from moltheory.solvers._newton import chunks, newton_path
from moltheory.solvers._result import Outcome, Status
from moltheory.solvers._separability import unattained
from moltheory.solvers._smooth_objective import Part, QuadraticPart

__all__ = ["convex_maxima", "quadratic_maxima"]

# Weighted sums solved, an odd number, and how many scalarizations of two objectives they pay for.
_SUMS, _MANY = 33, 12
# Minimisers and multipliers in closed form, or None.
Exact = Callable[[], tuple[FloatArray, FloatArray] | None]


def quadratic_maxima(objectives: QuadraticObjectives, forms: Sequence[MaximumForm], *, tolerance: float) -> Outcome:
    """Minimise maxima of quadratics: of two in closed form, polished where that is short of the tolerance."""
    r = int(np.prod(objectives.batch_shape, dtype=np.int64))
    out = Outcome.empty(r, len(forms), objectives.n_objectives, objectives.dimension)
    exact: Exact | None = (lambda: chebyshev_of_two(objectives, forms)) if objectives.n_objectives == 2 else None
    return _solved(out, [(slice(None), QuadraticPart(objectives))], forms, tolerance, exact)


def convex_maxima(objectives: ConvexObjectives, forms: Sequence[MaximumForm], *, tolerance: float) -> Outcome:
    """Minimise maxima of smooth convex risks by Newton steps."""
    r = int(np.prod(objectives.batch_shape, dtype=np.int64))
    out = Outcome.empty(r, len(forms), objectives.n_objectives, objectives.dimension)
    blocks = [(entries, objectives.standardized(entries)) for entries in chunks(objectives, len(forms))]
    return _solved(out, blocks, forms, tolerance, None)


def _solved(
    out: Outcome,
    blocks: Sequence[tuple[slice, Part]],
    forms: Sequence[MaximumForm],
    tolerance: float,
    exact: Exact | None,
) -> Outcome:
    w, z, rho = terms_of_maxima(forms)
    # Solved at unit scale of the weights; gap and gradient are scaled back.
    size = w.sum(axis=1)
    w, rho = w / size[:, None], rho / size
    lost = np.zeros(out.status.shape, bool)
    for entries, part in blocks:
        count = len(range(len(lost))[entries])
        found = None if exact is None else exact()
        polishing = found is not None
        if found is None:
            start, first = np.zeros((count, len(forms), int(out.solutions.shape[-1]))), None
            if part.examples is not None:
                start, first = _starts(part.examples, w, z)
            found = minimise_maxima(part, start, w, z, rho, tolerance=tolerance, multipliers=first)
        theta, u = found
        parameters, theta, at = _judged(part, theta)
        gap, rigorous, norm = chebyshev_gap(part, theta, at.values, u, w, z, rho, at)
        loose = np.flatnonzero((gap > 0.01 * tolerance).any(axis=0)) if polishing else np.zeros(0, np.int64)
        if loose.size:
            more, v = minimise_maxima(part, theta[:, loose], w[loose], z[loose], rho[loose], tolerance=tolerance)
            other, more, there = _judged(part, more)
            again = chebyshev_gap(part, more, there.values, v, w[loose], z[loose], rho[loose], there)
            better = again[0] < gap[:, loose]
            for old, new in ((parameters, other), (theta, more), (at.values, there.values)):
                old[:, loose] = np.where(better[..., None], new, old[:, loose])
            for one, two in zip((gap, rigorous, norm), again, strict=True):
                one[:, loose] = np.where(better, two, one[:, loose])
        out.solutions[entries], out.points[entries] = parameters, at.values
        out.gap[entries], out.rigorous[entries], out.gradient_norm[entries] = gap * size, rigorous, norm * size
        if part.examples is not None:
            lost[entries] = unattained(part.examples, theta, w)
    for j, form in enumerate(forms):
        # One after the other in memory, so that equal risks have equal values.
        out.values[:, j] = form.value(np.ascontiguousarray(out.points[:, j]))
    out.set_status(slice(None), tolerance)
    out.status[lost], out.gap[lost], out.rigorous[lost] = Status.UNATTAINED, np.inf, False
    return out


def _judged(part: Part, theta: FloatArray) -> tuple[FloatArray, FloatArray, Evaluated]:
    """Return parameters as rounded to floats, the points that they are, and what is known there."""
    parameters = part.rounded(theta)
    theta = part.points(parameters)
    return parameters, theta, part.evaluated(theta)


def _starts(part: ConvexPart, w: FloatArray, z: FloatArray) -> tuple[FloatArray, FloatArray | None]:
    """Return points (R, K, d), and multipliers (R, K, 2) if known, for weights and reference points (K, N).

    For two objectives the difference of the two terms falls along the path of weighted sums; the point where it is 0 is
    interpolated. In all other cases the start is the sum with equal weights, in the middle of the front.
    """
    used = np.asarray((w > 0.0).any(axis=0))
    if w.shape[1] != 2 or w.shape[0] < _MANY or not used.all():
        return np.repeat(newton_path(part, used[None] / used.sum()), w.shape[0], axis=1), None
    t = 0.5 * (1.0 - np.cos(np.pi * np.linspace(0.0, 1.0, _SUMS)))
    path = newton_path(part, np.stack([t, 1.0 - t], axis=1))
    values = part.values(path)[:, None]
    terms = w[:, None] * (values - z[:, None])
    difference = terms[..., 0] - terms[..., 1]
    right = np.clip((difference > 0.0).sum(axis=-1), 1, _SUMS - 1)
    above, below = (np.take_along_axis(difference, right[..., None] + shift, axis=-1)[..., 0] for shift in (-1, 0))
    fall = above - below
    part_way = np.clip(np.divide(above, fall, out=np.full(fall.shape, 0.5), where=fall > 0.0), 0.0, 1.0)
    first, second = (np.take_along_axis(path, right[..., None] + shift, axis=1) for shift in (-1, 0))
    theta = first + part_way[..., None] * (second - first)
    share = t[right - 1] + part_way * (t[right] - t[right - 1])
    top = (w * (part.values(theta) - z)).max(axis=-1)
    middle = terms[..., _SUMS // 2, :].max(axis=-1)
    bad = ~(top <= middle)
    theta = np.where(bad[..., None], path[:, None, _SUMS // 2], theta)
    share = np.where(bad, 0.5, share)
    # The sum's weights are u_i w_i, up to a factor.
    one, two = share * w[:, 1], (1.0 - share) * w[:, 0]
    u = np.where(one + two > 0.0, one / np.where(one + two > 0.0, one + two, 1.0), 0.5)
    u = np.where(w[:, 1] == 0.0, 1.0, np.where(w[:, 0] == 0.0, 0.0, u))
    return theta, np.stack([u, 1.0 - u], axis=-1)
