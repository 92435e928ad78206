r"""Weighted sums of smooth convex risks by Newton steps, many weights and replicates at once.

For two objectives a few weights, spread along the path, are solved by damped Newton steps; there the path's tangent
:math:`d\theta/dt = H^{-1}(\nabla L_2 - \nabla L_1)` is a by-product. All other weights start from the Hermite interpolant
of these points, and take chord steps with the inverse curvatures interpolated in the same way: each costs gradients
only. A point whose steps do not contract fast goes back to damped Newton steps. For more objectives the others
start from the nearest solved weight. Whatever the steps, the certificate is computed from exact gradients at the end.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.objectives import ConvexObjectives
from moltheory.objectives._convex import ConvexPart
from moltheory.solvers._ball import ball_step
from moltheory.solvers._certificates import shortfall_of_sums
from moltheory.solvers._continuation import hermite_rows, lagrange_rows, levels, nearest
from moltheory.solvers._result import Outcome, Status
from moltheory.solvers._separability import unattained
from moltheory.solvers._smooth_objective import combined, damped, solved_systems

__all__ = ["chunks", "minimise_sums", "newton_path"]

# Entries of the largest temporary array: large enough for fast matrix products, small enough for the cache.
_CHUNK = 1 << 17
# Half squared decrement, relative to the risk at 0, at which the next full step is the last.
_LAST = 1e-12
_LIMIT = 100
# The same for chord steps, which are repeated until nothing is left.
_EXACT = 1e-24
_CHORDS = 8
# Weights solved first, in all: for more than two objectives, and for two.
_COUNTS = ((1, 5, 17), (1, 3, 9))
_POLISH = 8
_EPS = np.finfo(np.float64).eps


def chunks(objectives: ConvexObjectives, n_points: int, *, products: bool = True) -> list[slice]:
    """Cut the flattened batch so that temporary arrays stay small, those of products of features among them or not."""
    n, d = max(objectives.n_examples), objectives.dimension
    entries = max(n * n_points, n * d * (d + 1) // 2 if products else 0, n_points * d * d)
    step = max(1, _CHUNK // entries)
    total = int(np.prod(objectives.batch_shape, dtype=np.int64))
    return [slice(start, start + step) for start in range(0, total, step)]


def minimise_sums(objectives: ConvexObjectives, weights: FloatArray, *, tolerance: float) -> Outcome:
    """Minimise weighted sums (K, N) over R^d or a Euclidean ball for every entry of the batch."""
    total = int(np.prod(objectives.batch_shape, dtype=np.int64))
    k, n = weights.shape
    out = Outcome.empty(total, k, n, objectives.dimension)
    # Gaps scale with the weights; solving is done on the simplex.
    size = weights.sum(axis=1)
    shares = weights / size[:, None]
    for entries in chunks(objectives, k, products=n != 2):
        part = objectives.standardized(entries)
        w = np.broadcast_to(shares, (part.x[0].shape[0], k, n))
        theta = _inside(part, newton_path(part, shares))
        # What is returned is judged: parameters as rounded to floats.
        theta, out.solutions[entries] = _rounded(part, theta)
        at = part.evaluated(theta)
        gap, rigorous, norm = shortfall_of_sums(part, theta, w, at)
        if _polish(part, theta, w, gap, tolerance / max(1.0, float(size.max()))):
            theta, out.solutions[entries] = _rounded(part, theta)
            at = part.evaluated(theta)
            gap, rigorous, norm = shortfall_of_sums(part, theta, w, at)
        out.points[entries] = at.values
        out.values[entries] = (at.values * weights).sum(axis=-1)
        out.gap[entries] = gap * size + ((at.value_error + 4.0 * _EPS * np.abs(at.values)) * weights).sum(axis=-1)
        out.gradient_norm[entries] = norm * size
        out.rigorous[entries] = rigorous
        lost = unattained(part, theta, shares)
        out.status[entries] = np.where(lost, Status.UNATTAINED, Status.FAILED)
    lost = out.status == Status.UNATTAINED
    out.set_status(slice(None), tolerance)
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
    line = n == 2 and bool(np.ptp(shares[:, 0]) > 0.0)
    # In a ball the path has kinks, where its boundary is reached.
    smooth = line and part.ball is None and _COUNTS[True][-1] < k
    nodes = _Nodes(part, shares) if smooth else None
    known = np.zeros(0, dtype=np.int64)
    for level in levels(shares, _COUNTS[smooth]):
        w = np.broadcast_to(shares[level], (r, level.size, n))
        size = (w * scale).sum(axis=-1)
        start = theta[:, known[nearest(shares, known, level)]] if known.size else np.zeros((r, level.size, d))
        # Where a curvature vanishes, guesses overflow, and are not taken.
        with np.errstate(over="ignore", invalid="ignore"):
            if nodes is not None and _COUNTS[True][-1] <= known.size:
                theta[:, level] = _chord(part, nodes, level, start, w, size)
            else:
                if nodes is not None and known.size:
                    start = _better(part, shares[level], nodes.guess(level), start)
                elif line and known.size > 2:
                    rows = lagrange_rows(shares[known, 0], shares[level, 0])
                    start = _better(part, shares[level], _inside(part, rows @ theta[:, known]), start)
                theta[:, level] = _descend(part, start, w, size)
            known = np.concatenate([known, level])
            if nodes is not None and known.size <= _COUNTS[True][-1]:
                nodes.add(level, theta[:, level])
    return theta


def _better(part: ConvexPart, shares: FloatArray, one: FloatArray, other: FloatArray) -> FloatArray:
    """Return the points (R, M, d) with the smaller sums of risks."""
    both = part.values(np.concatenate([one, other], axis=1)).reshape(len(one), 2, len(shares), -1)
    sums = (both * shares).sum(axis=-1)
    return np.where((sums[:, 0] <= sums[:, 1])[..., None], one, other)


class _Nodes:
    """Solved weights of two objectives: points, tangents in the first weight, and inverse curvatures."""

    def __init__(self, part: ConvexPart, shares: FloatArray) -> None:
        r, d = part.x[0].shape[0], part.x[0].shape[-1]
        self.part, self.shares, self.weights = part, shares, np.zeros(0)
        self.theta, self.tangents, self.inverses = np.zeros((r, 0, d)), np.zeros((r, 0, d)), np.zeros((r, 0, d * d))

    def add(self, level: npt.NDArray[np.int64], theta: FloatArray) -> None:
        w = np.broadcast_to(self.shares[level], (*theta.shape[:2], 2))
        gradients, curvature = self.part.derivatives(theta, w)
        d = theta.shape[-1]
        diagonal = np.diagonal(curvature, axis1=-2, axis2=-1)
        shift = 1e-14 * diagonal + np.where(diagonal > 0.0, 0.0, 1e-14 * diagonal.max(axis=-1, keepdims=True) + 1e-200)
        inverse = np.linalg.inv(curvature + shift[..., None] * np.eye(d))
        tangent = (inverse @ (gradients[:, :, 1] - gradients[:, :, 0])[..., None])[..., 0]
        self.weights = np.concatenate([self.weights, self.shares[level, 0]])
        self.theta = np.concatenate([self.theta, theta], axis=1)
        self.tangents = np.concatenate([self.tangents, tangent], axis=1)
        self.inverses = np.concatenate([self.inverses, inverse.reshape(*theta.shape[:2], -1)], axis=1)

    def guess(self, level: npt.NDArray[np.int64]) -> FloatArray:
        """Interpolate points (R, M, d)."""
        values, slopes = hermite_rows(self.weights, self.shares[level, 0])
        found: FloatArray = values @ self.theta + slopes @ self.tangents
        return found

    def inverse(self, level: npt.NDArray[np.int64]) -> FloatArray:
        """Interpolate the inverse curvatures, (R, M, d, d)."""
        d = self.theta.shape[-1]
        return (lagrange_rows(self.weights, self.shares[level, 0]) @ self.inverses).reshape(-1, level.size, d, d)


def _chord(
    part: ConvexPart,
    nodes: _Nodes,
    level: npt.NDArray[np.int64],
    otherwise: FloatArray,
    weights: FloatArray,
    scale: FloatArray,
) -> FloatArray:
    """Chord steps from interpolated points; damped Newton steps where they do not contract."""
    theta, inverse = nodes.guess(level), nodes.inverse(level)
    before = np.full(scale.shape, np.inf)
    active, lost = np.arange(level.size), np.zeros(level.size, bool)
    for _ in range(_CHORDS):
        here, w = theta[:, active], weights[:, active]
        g = combined(w, part.gradients(here))
        step = (inverse[:, active] @ g[..., None])[..., 0]
        slope = (g * step).sum(axis=-1)
        # The decrement falls by the square of the rate of contraction in each step, as far as rounding lets it.
        rate = np.divide(slope, before[:, active], out=np.full(slope.shape, 1e-2), where=np.isfinite(before[:, active]))
        good = (slope >= 0.0) & ((rate <= 0.1) | (slope <= _EXACT * scale[:, active]))
        lost[active[~good.all(axis=0)]] = True
        theta[:, active] = np.where(good[..., None], here - step, here)
        before[:, active] = slope
        done = slope * np.minimum(rate, 1.0) <= _EXACT * scale[:, active]
        active = active[good.all(axis=0) & ~done.all(axis=0)]
        if not active.size:
            break
    lost[active] = True
    if lost.any():
        theta[:, lost] = _descend(part, otherwise[:, lost], weights[:, lost], scale[:, lost])
    return theta


def _descend(part: ConvexPart, start: FloatArray, weights: FloatArray, scale: FloatArray) -> FloatArray:
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
        step = _step(part, here, g, damped(part, curvature, g))
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


def _step(part: ConvexPart, theta: FloatArray, gradients: FloatArray, curvature: FloatArray) -> FloatArray:
    """Return Newton steps (R, M, d), to be subtracted, that stay in the class."""
    if part.ball is None:
        return solved_systems(curvature, gradients)
    return -ball_step(part.ball, theta, gradients, curvature, part.frame)


def _rounded(part: ConvexPart, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return points again after their parameters, which are in the ball, were rounded, and these parameters."""
    found = part.rounded(theta)
    return part.points(found), found


def _inside(part: ConvexPart, theta: FloatArray) -> FloatArray:
    return theta if part.ball is None else _rounded(part, theta)[0]


def _polish(part: ConvexPart, theta: FloatArray, weights: FloatArray, gap: FloatArray, tolerance: float) -> bool:
    """Take full steps, in place, where a small modulus or large data ask for a smaller gradient; whether any helped."""
    helped, gap = False, gap.copy()
    for _ in range(_POLISH):
        columns = np.flatnonzero((gap > 0.1 * tolerance).any(axis=0))
        if not columns.size:
            break
        here, w = theta[:, columns], weights[:, columns]
        # Where there is no minimiser, steps overflow, and are not taken.
        with np.errstate(over="ignore", invalid="ignore"):
            gradients, curvature = part.derivatives(here, w)
            moved = _inside(part, here - _step(part, here, combined(w, gradients), curvature))
            found = shortfall_of_sums(part, moved, w)[0]
        better = found < gap[:, columns]
        if not better.any():
            break
        helped = True
        theta[:, columns] = np.where(better[..., None], moved, here)
        gap[:, columns] = np.where(better, found, gap[:, columns])
    return helped


def _lengths(
    part: ConvexPart,
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
