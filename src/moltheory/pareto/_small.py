"""Dominance of small inputs in plain numpy: no compiled code is loaded for them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["pays", "small_masks", "unbeaten_rows"]

# Entries of the largest temporary array.
_CHUNK = 1 << 20


def pays(sets: int, size: int, objectives: int) -> bool:
    """Whether numpy is at most some milliseconds from the compiled code, less than loading that takes."""
    if objectives == 2:
        return sets * size <= 20_000 and size <= 1_000
    return sets * size * size * objectives <= 1_000_000


def small_masks(points: npt.NDArray[Any], *, weak: bool) -> npt.NDArray[np.bool_]:
    """Return the (weakly) non-dominated rows (b, n) of b sets (b, n, m), all objectives minimised."""
    if points.shape[2] == 1:
        kept: npt.NDArray[np.bool_] = points[..., 0] == points.min(axis=1)
        return kept
    if points.shape[2] == 2:
        return _two_objectives(points, weak=weak)
    if points.shape[0] > 1:
        return _many_sets(points, weak=weak)
    out = np.empty(points.shape[:2], dtype=np.bool_)
    for row, rows in enumerate(points):
        out[row] = _pairwise(rows, weak=weak)
    return out


def _two_objectives(points: npt.NDArray[Any], *, weak: bool) -> npt.NDArray[np.bool_]:
    """Sort by the first objective, then compare the second with its running minimum; all sets at once."""
    first, second = points[..., 0], points[..., 1]
    order = np.lexsort((second, first), axis=-1)
    x = np.take_along_axis(first, order, axis=-1)
    y = np.take_along_axis(second, order, axis=-1)
    # `head` is where the run of equal first objectives starts: only what stands before it is strictly better.
    opens = np.ones(x.shape, dtype=np.bool_)
    opens[:, 1:] = x[:, 1:] != x[:, :-1]
    head = np.maximum.accumulate(np.where(opens, np.arange(x.shape[1]), 0), axis=-1)
    lowest = np.minimum.accumulate(y, axis=-1)
    before = np.take_along_axis(lowest, np.maximum(head - 1, 0), axis=-1)
    beaten = (head > 0) & ((before < y) if weak else (before <= y))
    if not weak:
        # The head of a run is its best row: the second objective is sorted inside the run.
        beaten |= np.take_along_axis(y, head, axis=-1) < y
    out = np.empty(x.shape, dtype=np.bool_)
    np.put_along_axis(out, order, ~beaten, axis=-1)
    return out


def _many_sets(points: npt.NDArray[Any], *, weak: bool) -> npt.NDArray[np.bool_]:
    """Compare all rows with one after the other; the sets come last in memory, where the long loop is."""
    table = np.ascontiguousarray(np.moveaxis(points, 0, -1))
    beaten = np.zeros((table.shape[0], table.shape[2]), dtype=np.bool_)
    for rival in table:
        better = rival < table
        beaten |= better.all(axis=1) if weak else (rival <= table).all(axis=1) & better.any(axis=1)
    return ~beaten.T


def _pairwise(points: npt.NDArray[Any], *, weak: bool) -> npt.NDArray[np.bool_]:
    """Compare every row with every other, objective by objective."""
    n, m = points.shape
    out = np.empty(n, dtype=np.bool_)
    step = max(1, _CHUNK // n)
    for start in range(0, n, step):
        block = points[start : start + step]
        beats = np.ones((block.shape[0], n), dtype=np.bool_)
        better = np.zeros_like(beats)
        for objective in range(m):
            theirs, ours = points[None, :, objective], block[:, None, objective]
            if weak:
                beats &= theirs < ours
            else:
                beats &= theirs <= ours
                better |= theirs < ours
        out[start : start + step] = ~(beats if weak else beats & better).any(axis=1)
    return out


def unbeaten_rows(points: npt.NDArray[Any], front: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return which rows of `points` (n, m) no row of `front` (k, m) beats in every objective."""
    n, m = points.shape
    out = np.empty(n, dtype=np.bool_)
    step = max(1, _CHUNK // front.shape[0])
    for start in range(0, n, step):
        block = points[start : start + step]
        beats = np.ones((block.shape[0], front.shape[0]), dtype=np.bool_)
        for objective in range(m):
            beats &= front[None, :, objective] < block[:, None, objective]
        out[start : start + step] = ~beats.any(axis=1)
    return out
