"""Guesses along a path of weights: which weights to solve first, and what the others start from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray

__all__ = ["hermite_rows", "lagrange_rows", "levels", "nearest"]

# Solved weights that a guess is interpolated from.
_NODES = 8

Indices = npt.NDArray[np.int64]


def levels(shares: FloatArray, counts: tuple[int, ...]) -> list[Indices]:
    """Cut weights (K, N) on the simplex into levels, each spread over it, that reach the counts; the rest is last."""
    k, n = shares.shape
    order = np.argsort(shares[:, 0], kind="stable") if n == 2 else _spread(shares, max(counts))
    found, taken = [], np.zeros(k, bool)
    for count in (*counts, k):
        if n == 2:
            # Denser at the ends, where the path bends most and interpolation is worst.
            nodes = 0.5 * (1.0 - np.cos(np.pi * np.linspace(0.0, 1.0, count))) if 1 < count < k else np.array([0.5])
            chosen = order[np.unique(np.round(nodes * (k - 1)).astype(np.int64))] if count < k else order
        else:
            chosen = order[: min(count, k)]
        level = chosen[~taken[chosen]]
        taken[level] = True
        if level.size:
            found.append(level)
    return found


def _spread(shares: FloatArray, count: int) -> Indices:
    """Order weights so that the first ones are far from each other; the rest as they come."""
    order = [int(np.argmin(((shares - shares.mean(axis=0)) ** 2).sum(axis=1)))]
    distance = ((shares - shares[order[0]]) ** 2).sum(axis=1)
    for _ in range(min(count, shares.shape[0]) - 1):
        order.append(int(np.argmax(distance)))
        distance = np.minimum(distance, ((shares - shares[order[-1]]) ** 2).sum(axis=1))
    first = list(dict.fromkeys(order))
    return np.concatenate([first, np.setdiff1d(np.arange(shares.shape[0]), first)]).astype(np.int64)


def nearest(shares: FloatArray, known: Indices, level: Indices) -> Indices:
    """Return, for each weight of a level, the position in `known` of the nearest one."""
    distance = ((shares[level, None] - shares[None, known]) ** 2).sum(axis=-1)
    return np.asarray(distance.argmin(axis=1), dtype=np.int64)


def lagrange_rows(nodes: FloatArray, at: FloatArray) -> FloatArray:
    """Return the matrix (M, K) that interpolates values at some nodes (K,), not all equal, at other places (M,)."""
    return _basis(nodes, at)[0]


def hermite_rows(nodes: FloatArray, at: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the matrices (M, K) that interpolate from values and from derivatives at nodes (K,)."""
    basis, slope, shift = _basis(nodes, at)
    square = basis * basis
    return square * (1.0 - 2.0 * slope * shift), square * shift


def _basis(nodes: FloatArray, at: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Lagrange polynomials (M, K) of the nodes next to each place, their slopes at their own node, and shifts."""
    t, first = np.unique(nodes, return_index=True)
    count = min(_NODES, t.size)
    window = np.clip(np.searchsorted(t, at) - count // 2, 0, t.size - count)[:, None] + np.arange(count)
    near = t[window]
    basis, slope, shift = (np.zeros((at.size, nodes.size)) for _ in range(3))
    rows = np.arange(at.size)
    for i in range(count):
        others = np.delete(near, i, axis=1)
        own = near[:, i, None]
        column = first[window[:, i]]
        basis[rows, column] = ((at[:, None] - others) / (own - others)).prod(axis=1)
        slope[rows, column] = (1.0 / (own - others)).sum(axis=1)
        shift[rows, column] = at - near[:, i]
    return basis, slope, shift
