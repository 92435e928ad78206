"""Weighted sums of smooth convex risks by damped Newton steps, many weights and replicates at once.

A few weights are solved first; from them the others get their starting points (for two objectives by
interpolation along the path, otherwise from the nearest solved weight), so that one or two steps are left. All
curvatures of a level are one matrix product with the products of features.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._validation import FloatArray
from moltheory.objectives import ConvexObjectives
from moltheory.objectives.convex import ConvexPart
from moltheory.solvers._parts import Part, combined, damped, shortfall_of_sums, solved_systems
from moltheory.solvers.separability import unattained
from moltheory.solvers.sweep import Outcome, Status

__all__ = ["chunks", "minimise_sums", "newton_path"]

# Entries of the largest temporary array: large enough for fast matrix products, small enough for the cache.
_CHUNK = 1 << 18
# Half squared decrement, relative to the risk at 0, at which the next full step is the last.
_LAST = 1e-12
_LIMIT = 100
# Solved weights that a guess is interpolated from.
_NODES = 8


def chunks(objectives: ConvexObjectives, n_points: int) -> list[slice]:
    """Cut the flattened batch so that temporary arrays stay small."""
    n, d = max(objectives.n_examples), objectives.dimension
    entries = max(n * max(n_points, d * (d + 1) // 2), n_points * d * d)
    step = max(1, _CHUNK // entries)
    total = int(np.prod(objectives.batch_shape, dtype=np.int64))
    return [slice(start, start + step) for start in range(0, total, step)]


def minimise_sums(objectives: ConvexObjectives, weights: FloatArray, *, tolerance: float) -> Outcome:
    """Minimise weighted sums (K, N) over R^d for every entry of the batch."""
    total = int(np.prod(objectives.batch_shape, dtype=np.int64))
    k, n = weights.shape
    out = Outcome.empty(total, k, n, objectives.dimension)
    # Gaps scale with the weights; solving is done on the simplex.
    size = weights.sum(axis=1)
    shares = weights / size[:, None]
    for entries in chunks(objectives, k):
        part = objectives.part(entries)
        theta = newton_path(part, shares)
        w = np.broadcast_to(shares, (theta.shape[0], k, n))
        gap, rigorous, norm = _polished(part, theta, w, tolerance / max(1.0, float(size.max())))
        out.solutions[entries] = theta
        out.points[entries] = part.values(theta)
        out.values[entries] = (out.points[entries] * weights).sum(axis=-1)
        out.gap[entries] = gap * size
        out.gradient_norm[entries] = norm * size
        out.rigorous[entries] = rigorous
        lost = unattained(part, theta, shares)
        out.status[entries] = np.where(lost, Status.UNATTAINED, Status.FAILED)
    lost = out.status == Status.UNATTAINED
    out.judge(slice(None), tolerance)
    out.status[lost] = Status.UNATTAINED
    out.gap[lost] = np.inf
    out.rigorous[lost] = False
    return out


def newton_path(part: ConvexPart, shares: FloatArray) -> FloatArray:
    """Return minimisers (R, K, d) for weights (K, N) on the simplex."""
    r, d = part.x[0].shape[0], part.x[0].shape[-1]
    k, n = shares.shape
    theta = np.zeros((r, k, d))
    scale = np.maximum(part.values(np.zeros((r, 1, d))), 1e-300)
    known = np.zeros(0, dtype=np.int64)
    for level in _levels(shares):
        start = np.zeros((r, level.size, d)) if not known.size else _predicted(shares, theta, known, level)
        w = np.broadcast_to(shares[level], (r, level.size, n))
        theta[:, level] = _descend(part, start, w, (w * scale).sum(axis=-1))
        known = np.sort(np.concatenate([known, level]))
    return theta


def _levels(shares: FloatArray) -> list[npt.NDArray[np.int64]]:
    """Cut the weights into levels of about 1, 5, 17 and the rest, each spread over the simplex."""
    k, n = shares.shape
    order = np.argsort(shares[:, 0], kind="stable") if n == 2 else _spread(shares)
    levels, taken = [], np.zeros(k, bool)
    for count in (1, 5, 17, k):
        if n == 2:
            # Denser at the ends, where the path bends most and interpolation is worst.
            nodes = 0.5 * (1.0 - np.cos(np.pi * np.linspace(0.0, 1.0, count))) if 1 < count < k else np.array([0.5])
            chosen = order[np.unique(np.round(nodes * (k - 1)).astype(np.int64))] if count < k else order
        else:
            chosen = order[: min(count, k)]
        level = chosen[~taken[chosen]]
        taken[level] = True
        if level.size:
            levels.append(level)
    return levels


def _spread(shares: FloatArray) -> npt.NDArray[np.int64]:
    """Order weights so that the first ones are far from each other (the first 17; the rest as they come)."""
    order = [int(np.argmin(((shares - shares.mean(axis=0)) ** 2).sum(axis=1)))]
    distance = ((shares - shares[order[0]]) ** 2).sum(axis=1)
    for _ in range(min(16, shares.shape[0] - 1)):
        order.append(int(np.argmax(distance)))
        distance = np.minimum(distance, ((shares - shares[order[-1]]) ** 2).sum(axis=1))
    rest = np.setdiff1d(np.arange(shares.shape[0]), order)
    return np.concatenate([np.unique(order), rest]) if len(set(order)) < len(order) else np.r_[order, rest]


def _predicted(
    shares: FloatArray, theta: FloatArray, known: npt.NDArray[np.int64], level: npt.NDArray[np.int64]
) -> FloatArray:
    """Guess minimisers from those of known weights."""
    if shares.shape[1] == 2:
        t, first = np.unique(shares[known, 0], return_index=True)
        if t.size >= _NODES:
            at = shares[level, 0]
            nearest = np.clip(np.searchsorted(t, at) - _NODES // 2, 0, t.size - _NODES)[:, None] + np.arange(_NODES)
            nodes = t[nearest]
            matrix = np.zeros((level.size, known.size))
            for i in range(_NODES):
                others = np.delete(nodes, i, axis=1)
                factor = ((at[:, None] - others) / (nodes[:, i, None] - others)).prod(axis=1)
                matrix[np.arange(level.size), first[nearest[:, i]]] = factor
            found: FloatArray = matrix @ theta[:, known]
            return found
    distance = ((shares[level, None] - shares[None, known]) ** 2).sum(axis=-1)
    return theta[:, known[distance.argmin(axis=1)]]


def _descend(part: Part, start: FloatArray, weights: FloatArray, scale: FloatArray) -> FloatArray:
    """Damped Newton from a start (R, M, d); points that have arrived stay where they are."""
    theta = start.copy()
    done = np.zeros(theta.shape[:2], bool)
    value: FloatArray | None = None
    for _ in range(_LIMIT):
        columns = np.flatnonzero(~done.all(axis=0))
        if not columns.size:
            break
        here, w = theta[:, columns], weights[:, columns]
        gradients, curvature = part.derivatives(here, w)
        g = combined(w, gradients)
        step = solved_systems(damped(part, curvature, g), g)
        slope = (g * step).sum(axis=-1)
        last = 0.5 * slope <= _LAST * scale[:, columns]
        length = np.ones(slope.shape)
        if not last.all():
            if value is None:
                value = (part.values(theta) * weights).sum(axis=-1)
            length, value[:, columns] = _lengths(part, w, here, step, slope, last, value[:, columns])
        # A rounding-sized decrement cannot be improved, nor can a point from which no step goes down.
        length = np.where(done[:, columns], 0.0, length)
        theta[:, columns] = here - length[..., None] * step
        done[:, columns] |= last | (length == 0.0)
    return theta


def _polished(
    part: Part, theta: FloatArray, weights: FloatArray, tolerance: float
) -> tuple[FloatArray, npt.NDArray[np.bool_], FloatArray]:
    """Return gap, rigour and gradient norm; full steps, in place, where a small modulus asks for a smaller gradient."""
    gap, rigorous, norm = shortfall_of_sums(part, theta, weights)
    for _ in range(3):
        columns = np.flatnonzero((rigorous & (gap > 0.1 * tolerance)).any(axis=0))
        if not columns.size:
            break
        here, w = theta[:, columns], weights[:, columns]
        gradients, curvature = part.derivatives(here, w)
        moved = here - solved_systems(curvature, combined(w, gradients))
        found = shortfall_of_sums(part, moved, w)
        better = found[0] < gap[:, columns]
        if not better.any():
            break
        theta[:, columns] = np.where(better[..., None], moved, here)
        gap[:, columns] = np.where(better, found[0], gap[:, columns])
        norm[:, columns] = np.where(better, found[2], norm[:, columns])
    return gap, rigorous, norm


def _lengths(
    part: Part,
    weights: FloatArray,
    here: FloatArray,
    step: FloatArray,
    slope: FloatArray,
    last: npt.NDArray[np.bool_],
    before: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Backtrack: halve each step until the value falls enough; 0 where it never does. Returns the values there too."""
    length = np.ones(slope.shape)
    rounding = 1e-15 * np.abs(before)
    for _ in range(60):
        with np.errstate(over="ignore", invalid="ignore"):
            after = (part.values(here - length[..., None] * step) * weights).sum(axis=-1)
        high = ~(after <= before - 1e-4 * length * slope + rounding) & ~last
        if not high.any():
            return length, after
        length = np.where(high, 0.5 * length, length)
    return np.where(high, 0.0, length), after
