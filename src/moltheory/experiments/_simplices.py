r"""Fronts of three or four convex objectives between the members of a grid of weights: simplices of neighbors.

What chords are for two objectives (`moltheory.experiments._chords`) simplices are for more. The simplex of weights is cut
into small ones between neighbors of a lattice, :math:`w = \sum_j s_j w_j`; let :math:`P(w) = \sum_j s_j p_j` mix the
risks of their members :math:`\theta_j`. By convexity the hypothesis :math:`\sum_j s_j \theta_j` has risks of at most
P(w), in truth and in every sample alike, and what P misses of a continuous front is of second order in the step.
"""

from __future__ import annotations

import functools
import itertools

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.scalarization import simplex_grid

__all__ = ["Lattice", "Nearest", "gaps_under_simplices", "lowest_of_mixtures", "nearest_mixtures"]

# Distances (R, k), rows of simplices (R, k) and shares (R, k, N).
Nearest = tuple[FloatArray, npt.NDArray[np.int64], FloatArray]

# Entries of the largest temporary array.
_CHUNK = 1 << 20


class Lattice:
    """Weights on the simplex in steps of 1 / divisions, cut into simplices of neighbors.

    Parameters
    ----------
    n_objectives : int
        The number N >= 2 of weights in a row.
    divisions : int
        The number of steps along an edge.

    Attributes
    ----------
    weights : (K, N) ndarray
        All lattice points, as `simplex_grid` orders them.
    simplices : (divisions ** (N - 1), N) ndarray of int
        Rows of `weights`; those of H. W. Kuhn in the cumulative sums of the weights, which cover all of it.
    """

    def __init__(self, n_objectives: int, divisions: int) -> None:
        self.weights = simplex_grid(n_objectives, divisions)
        self.divisions, self._axes = divisions, n_objectives - 1
        places = np.rint(np.cumsum(self.weights, axis=1)[:, :-1] * divisions).astype(np.int64)
        # One more in each direction, for corners outside.
        self._row = np.full((divisions + 2,) * self._axes, -1, dtype=np.int64)
        self._row[tuple(places.T)] = np.arange(len(self.weights))
        # A small simplex has its lowest corner in the lattice, and one more step for each axis in some order.
        found = []
        for order in itertools.permutations(range(self._axes)):
            path = np.zeros((self._axes + 1, self._axes), dtype=np.int64)
            for step, axis in enumerate(order):
                path[step + 1 :, axis] = 1
            rows = self._row[tuple(np.moveaxis(np.minimum(places[:, None] + path, divisions + 1), -1, 0))]
            found.append(rows[(rows >= 0).all(axis=1)])
        self.simplices = np.concatenate(found)

    def mixture(self, weights: FloatArray) -> tuple[npt.NDArray[np.int64], FloatArray]:
        """Return rows (M, N) of lattice points and shares (M, N) that mix weights (M, N) from a small simplex."""
        place = np.clip(np.cumsum(weights, axis=1)[:, :-1] * self.divisions, 0.0, self.divisions)
        base = np.minimum(np.floor(place).astype(np.int64), self.divisions - 1)
        part = place - base
        # Of equal parts the last axis first: cumulative sums stay in order.
        order = self._axes - 1 - np.argsort(-part[:, ::-1], axis=1, kind="stable")
        falling = np.take_along_axis(part, order, axis=1)
        ends = np.ones((len(part), 1))
        shares = np.concatenate([ends, falling], axis=1) - np.concatenate([falling, 0.0 * ends], axis=1)
        rows = np.empty(shares.shape, dtype=np.int64)
        here = base.copy()
        rows[:, 0] = self._row[tuple(here.T)]
        each = np.arange(len(part))
        for step in range(self._axes):
            here[each, order[:, step]] += 1
            rows[:, step + 1] = self._row[tuple(here.T)]
        return rows, shares


def gaps_under_simplices(weights: FloatArray, points: FloatArray, simplices: npt.NDArray[np.int64]) -> FloatArray:
    r"""Return bounds (*batch, T) on how far mixtures of neighbors are above the front, for each simplex.

    Row k of `points` (*batch, K, N) minimises the sum with row k of `weights` (K, N), on the simplex; `simplices` (T, N)
    are rows.

    Notes
    -----
    With :math:`M_{jk} = (w_j - w_k) \cdot (p_k - p_j)`, at least 0 for exact members, the bound is
    :math:`\frac{N - 1}{2N} \max M_{jk}` over the edges of the simplex. Where simplices cover all weights, the largest
    bound is also one on how far the mixtures fall short of the hypothesis that they cover worst; members that are within
    g of their minima add g to both. Derived (proof: simplices).
    """
    n = weights.shape[1]
    bound = np.zeros((*points.shape[:-2], len(simplices)))
    for j, k in itertools.combinations(simplices.T, 2):
        bent = ((weights[j] - weights[k]) * (points[..., k, :] - points[..., j, :])).sum(axis=-1)
        np.maximum(bound, (n - 1) / (2 * n) * bent, out=bound)
    return bound


def lowest_of_mixtures(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the smallest possible largest entry (M,) of a mixture of rows of matrices (m, N, M), and its shares (m, M).

    Notes
    -----
    The value of a matrix game, a linear program. At a corner of it a mixture of k rows makes k entries equal to the
    largest one, and is the only mixture of these rows that makes them equal: all such mixtures are tried. Each value is
    that of a mixture, rounding or not. Complexity: O(2^(m + N)) small determinants for each matrix.
    """
    m, n, games = values.shape
    best, shares = np.full(games, np.inf), np.zeros((m, games))
    for size in range(1, min(m, n) + 1):
        for rows in itertools.combinations(range(m), size):
            among = values[list(rows)]
            for columns in itertools.combinations(range(n), size) if size > 1 else [(0,)]:
                part = _equalising(among[:, columns])
                value = functools.reduce(np.maximum, np.einsum("jm,jim->im", part, among))
                better = np.flatnonzero(value < best)
                best[better] = value[better]
                shares[:, better] = 0.0
                shares[np.array(rows)[:, None], better] = part[:, better]
    return best, shares


def _equalising(values: FloatArray) -> FloatArray:
    """Return shares (k, M) of rows that make all columns of (k, k, M) equal, or NaN where no mixture does."""
    size = len(values)
    if size == 1:
        return np.ones((1, values.shape[2]))
    steps = values[:, 1:] - values[:, :1]
    if size == 2:
        cofactors = np.stack([steps[1, 0], -steps[0, 0]])
    elif size == 3:
        (a, b), (c, d), (e, f) = steps
        cofactors = np.stack([c * f - d * e, e * b - f * a, a * d - b * c])
    else:
        minors = [np.linalg.det(np.moveaxis(np.delete(steps, j, axis=0), 2, 0)) for j in range(size)]
        cofactors = np.stack([(-1.0) ** j * minor for j, minor in enumerate(minors)])
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        shares: FloatArray = cofactors / cofactors.sum(axis=0)
    shares[:, ~(shares >= 0.0).all(axis=0)] = np.nan
    return shares


def nearest_mixtures(
    points: FloatArray, members: FloatArray, simplices: npt.NDArray[np.int64], *, sign: float
) -> Nearest:
    """Return distances of points from the simplices of members, where each is nearest, and the shares there.

    The distance of a point q (R or 1, k, N) is the smallest ``max_i(sign * (c_i - q_i))``, floored at 0, over c in the
    simplices of members (R or 1, K, N): by how much c is worse for sign 1, and by how much it is better for -1. Returns
    shapes (R, k), (R, k) and (R, k, N).

    Notes
    -----
    Complexity: O(R k (K + T)) time for T simplices, of which those that cannot be nearest by their smallest entries are
    left out, in bounded memory.
    """
    (r_points, k, n), r_members = points.shape, members.shape[0]
    rows = max(r_points, r_members)
    distance, place = np.empty((rows, k)), np.empty((rows, k), dtype=np.int64)
    shares = np.empty((rows, k, n))
    targets, there = sign * points, sign * members
    step = max(1, _CHUNK // len(simplices))
    for r in range(rows):
        here, corners = targets[r if r_points > 1 else 0], there[r if r_members > 1 else 0][simplices]
        # What every mixture of the corners has, of each objective and of their mean.
        floors = np.concatenate([corners, corners.mean(axis=2, keepdims=True)], axis=2).min(axis=1)
        for start in range(0, k, step):
            part = slice(start, start + step)
            found = _nearest(here[part], corners, floors)
            distance[r, part], place[r, part], shares[r, part] = found
    return np.maximum(distance, 0.0), place, shares


def _nearest(targets: FloatArray, corners: FloatArray, floors: FloatArray) -> Nearest:
    """Return distances (k,) of targets (k, N) from simplices (T, N, N), the nearest simplex of each and the shares in it."""
    low = floors[None, :, 0] - targets[:, None, 0]
    for i in range(1, floors.shape[1]):
        target = targets[:, i] if i < targets.shape[1] else targets.mean(axis=1)
        np.maximum(low, floors[None, :, i] - target[:, None], out=low)
    each, place = np.arange(len(targets)), low.argmin(axis=1)
    distance, shares = _games(targets, corners[place])
    low[each, place] = np.inf
    which, at = np.nonzero(low < distance[:, None])
    found, mixed = _games(targets[which], corners[at])
    order = np.lexsort((found, which))
    first = order[np.flatnonzero(np.diff(which[order], prepend=-1))]
    nearer = first[found[first] < distance[which[first]]]
    here = which[nearer]
    distance[here], place[here], shares[here] = found[nearer], at[nearer], mixed[nearer]
    return distance, place, shares


def _games(targets: FloatArray, corners: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return distances (M,) of targets (M, N) from a simplex (M, N, N) each, and the nearest shares (M, N)."""
    best, shares = lowest_of_mixtures(np.ascontiguousarray(np.moveaxis(corners - targets[:, None], 0, 2)))
    return best, shares.T
