"""Distances of points from continuous fronts of three or four objectives.

Simplices of risks between the members of a grid are compared first. They are above the front by the square of the step;
where that leaves a target farthest, the nearest member is looked for between those of the grid.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.experiments._simplices import Lattice, Nearest, lowest_of_mixtures
from moltheory.objectives import QuadraticObjectives

__all__ = ["Between", "between_members", "largest_distance"]

# True risks (M, N) of members of the fronts of samples (M,) for weights (M, N).
Between = Callable[[npt.NDArray[np.int64], FloatArray], FloatArray]

# Steps of the search between members, the step of its differences, and targets of a sample that are taken up at a time.
_STEPS, _DIFFERENCE, _TARGETS = 20, 1e-6, 6
# A search ends after so many steps that gain less than a share of what is left.
_IDLE, _NOTABLE = 5, 1e-4
# Entries of the largest temporary array.
_CHUNK = 1 << 20


def largest_distance(
    targets: FloatArray,
    own: FloatArray,
    nearest: Nearest,
    lattice: Lattice,
    between: Between,
    *,
    sign: float = 1.0,
    sag: FloatArray | None = None,
) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Return the largest distance of targets from fronts, (R,), and which target that is.

    Parameters
    ----------
    targets : (R or 1, k, N) ndarray
        True risks.
    own : (R or 1, k, N) ndarray
        Weights that the targets are members for, whose members of the fronts are near in large samples.
    nearest : tuple
        What `nearest_mixtures` gives for them.
    lattice : Lattice
    between : callable
        See `between_members`.
    sign : float
        1 for how much worse than a target the front is at best, -1 for how much better.
    sag : (T,) ndarray
        How far each simplex can be above the front, where the sign is -1.

    Notes
    -----
    Each distance is to an attained point, that of a hypothesis that was evaluated or a mixture of risks that one is at
    least as good as, and for sign 1 at most that to the simplices. A target is taken up only where its simplex leaves
    room for it to be farther than the farthest so far.
    """
    distance, place, shares = nearest
    limit = distance if sag is None else distance + sag[place]
    order = np.argsort(-limit, axis=1, kind="stable")
    worst, which = np.zeros(len(distance)), order[:, 0].copy()
    for first in range(0, order.shape[1], _TARGETS):
        chosen = order[:, first : first + _TARGETS]
        is_open = np.take_along_axis(limit, chosen, axis=1) > worst[:, None]
        rows, at = np.nonzero(is_open)[0], chosen[is_open]
        if not rows.size:
            break
        corners = lattice.weights[lattice.simplices[place[rows, at]]]
        starts = (shares[rows, at][:, :, None] * corners).sum(axis=1), own[rows if len(own) > 1 else 0, at]
        points = targets[rows if len(targets) > 1 else 0, at]
        size = 1.0 / lattice.divisions
        closer = np.minimum(*(_closest(points, start, rows, between, size=size, sign=sign) for start in starts))
        if sign > 0.0:
            closer = np.minimum(closer, distance[rows, at])
        # The last of equal rows stays, the one of the largest distance.
        last = np.argsort(closer, kind="stable")
        last = last[closer[last] > worst[rows[last]]]
        worst[rows[last]], which[rows[last]] = closer[last], at[last]
    return worst, which


def between_members(
    objectives: object, solutions: FloatArray, lattice: Lattice, risks: Callable[[FloatArray], FloatArray]
) -> Between:
    """Return what gives true risks of members of fronts between those of a grid.

    Parameters
    ----------
    objectives : objectives
        Those of the fronts, of batch shape (R,) or (). Quadratic ones are minimised for the very weights; else minimisers
        of neighbors are mixed, which is at least as good as the mixture of their risks.
    solutions : (R or 1, K, d) ndarray
        Minimisers for the weights of `lattice`.
    lattice : Lattice
    risks : callable
        True risks (M, N) of parameters (M, d).
    """
    several, (n, d) = len(solutions) > 1, (lattice.weights.shape[1], solutions.shape[-1])

    def mixed(rows: npt.NDArray[np.int64], weights: FloatArray) -> FloatArray:
        neighbors, shares = lattice.mixture(weights)
        means: FloatArray = (shares[:, :, None] * solutions[rows[:, None], neighbors]).sum(axis=1)
        return means

    if isinstance(objectives, QuadraticObjectives):
        curvature, linear = objectives.curvature.reshape(-1, n, d, d), objectives.linear.reshape(-1, n, d)

        def members(rows: npt.NDArray[np.int64], weights: FloatArray) -> FloatArray:
            left = np.einsum("mi,mijk->mjk", weights, curvature[rows])
            right = np.einsum("mi,mij->mj", weights, linear[rows])
            return np.asarray(np.linalg.solve(left, right[..., None])[..., 0])

        step = max(1, _CHUNK // (n * d * d))
    else:
        members, step = mixed, max(1, _CHUNK // (n * d))

    def between(rows: npt.NDArray[np.int64], weights: FloatArray) -> FloatArray:
        of = rows if several else np.zeros_like(rows)
        parts = [slice(start, start + step) for start in range(0, len(of), step)]
        return np.concatenate([risks(members(of[part], weights[part])) for part in parts])

    return between


def _closest(
    targets: FloatArray, weights: FloatArray, rows: npt.NDArray[np.int64], between: Between, *, size: float, sign: float
) -> FloatArray:
    """Return the smallest distance (M,) from targets (M, N) that is found from given weights (M, N).

    Each step mixes the corners of a simplex around the weights, by risks that are linear there, and is taken where it helps.
    """
    n = weights.shape[1]

    def beyond(of: npt.NDArray[np.int64], w: FloatArray, target: FloatArray) -> FloatArray:
        """Return what members for weights (M, k, N) are beyond targets (M, N)."""
        found = between(np.repeat(of, w.shape[1]), w.reshape(-1, n)).reshape(w.shape)
        return sign * (found - target[:, None])

    center, here = weights.copy(), beyond(rows, weights[:, None], targets)[:, 0]
    best, reach = here.max(axis=1), np.full(len(weights), size)
    idle, going = np.zeros(len(weights), dtype=np.int64), np.arange(len(weights))
    for _ in range(_STEPS):
        of, target = rows[going], targets[going]
        corners = np.maximum(center[going, None] + reach[going, None, None] * (np.eye(n) - 1.0 / n), 0.0)
        corners /= corners.sum(axis=2, keepdims=True)
        share = np.minimum(_DIFFERENCE / reach[going], 1.0)[:, None, None]
        near = center[going, None] + share * (corners - center[going, None])
        slopes = (beyond(of, near, target) - here[going, None]) / share
        _, shares = lowest_of_mixtures(np.moveaxis(here[going, None] + slopes, 0, 2))
        tried = (shares.T[..., None] * corners).sum(axis=1)
        there = beyond(of, tried[:, None], target)[:, 0]
        value = there.max(axis=1)
        better = value < best[going]
        idle[going] = np.where(value < (1.0 - _NOTABLE) * best[going], 0, idle[going] + 1)
        reach[going] *= np.where(better, 2.0, 0.25)
        taken = going[better]
        center[taken], here[taken], best[taken] = tried[better], there[better], value[better]
        going = going[(idle[going] < _IDLE) & (best[going] > 0.0)]
        if not going.size:
            break
    largest: FloatArray = np.maximum(best, 0.0)
    return largest
