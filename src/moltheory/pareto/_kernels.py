"""Compiled kernels of dominance: one pass over the points with an archive of the best seen so far.

Loaded on demand only (numba takes about half a second to import). Every kernel minimises, compares exactly,
releases the interpreter lock and is cached on disk. A row is dropped only when some row of its own set
dominates it, so pivot and archive may be of any quality: they decide the speed, never the answer. NaN fails
every comparison, hence is never dropped, and is looked for only among the few rows that are not.
"""

# The kernels are typed by numba, once for every dtype.
# mypy: disallow_untyped_defs=False, check_untyped_defs=False

from __future__ import annotations

import numpy as np

from moltheory._core._numba import compiled
from moltheory.pareto._status import DENSE, EXACT, FULL, NAN

__all__ = ["SCALE_SETS", "keep_unbeaten", "masks_of_many", "objective_weight"]

# Rows looked at to learn the scales of the objectives.
_SCALE_ROWS = 15
# Sets that share these scales, which are only a hint.
SCALE_SETS = 16
# Rows left by the pivot up to which repeated passes beat the archive.
_FEW = 128


@compiled
def objective_weight(rows, objective):
    """Return 1 / (median - minimum) of one objective in a few strided rows, 0 where that says nothing."""
    n = rows.shape[0]
    stride = max(1, n // _SCALE_ROWS)
    few = np.empty(_SCALE_ROWS, np.float64)
    size = 0
    for i in range(0, n, stride):
        if size == _SCALE_ROWS:
            break
        value = np.float64(rows[i, objective])
        k = size
        while k > 0 and few[k - 1] > value:
            few[k] = few[k - 1]
            k -= 1
        few[k] = value
        size += 1
    spread = few[size // 2] - few[0]
    if 0.0 < spread < np.inf:
        return 1.0 / spread
    spread = few[size - 1] - few[0]
    return 1.0 / spread if 0.0 < spread < np.inf else 0.0


@compiled
def _pivot(rows, weights):
    """Return the row with the least weighted sum: it dominates many, whatever the objectives' scales."""
    n, m = rows.shape
    best, least = 0, np.inf
    for i in range(n):
        total = 0.0
        for c in range(m):
            total += weights[c] * np.float64(rows[i, c])
        if total < least:
            best, least = i, total
    return best


@compiled
def _archive_drops(archive, size, rows, i, weak):
    """Return 0 if no member matters, 1 if one drops row i, 2 if one dominates or equals but keeps it.

    A member that drops a row moves to the front: it is likely to drop the next one too.
    """
    m = rows.shape[1]
    answer = 0
    for k in range(size):
        c = 0
        while c < m and archive[k, c] <= rows[i, c]:
            c += 1
        if c < m:
            continue
        better = 0
        for c in range(m):
            if archive[k, c] < rows[i, c]:
                better += 1
        if better == m or (better > 0 and not weak):
            if k > 0:
                for c in range(m):
                    archive[0, c], archive[k, c] = archive[k, c], archive[0, c]
            return 1
        answer = 2
        if not weak:
            return answer
    return answer


@compiled
def _front_of_few(rows, left, count, kept):
    """Decide the `count` rows left, exactly: take the lexicographically least, drop what it dominates, repeat."""
    m = rows.shape[1]
    for k in range(count):
        i = left[k]
        kept[i] = False
        for c in range(m):
            if rows[i, c] != rows[i, c]:
                return NAN
    while count > 0:
        best = left[0]
        for k in range(1, count):
            i = left[k]
            if rows[i, 0] > rows[best, 0]:
                continue
            for c in range(m):
                if rows[i, c] != rows[best, c]:
                    if rows[i, c] < rows[best, c]:
                        best = i
                    break
        remaining = 0
        for k in range(count):
            i = left[k]
            beats, equal = True, True
            for c in range(m):
                beats &= rows[best, c] <= rows[i, c]
                equal &= rows[best, c] == rows[i, c]
            kept[i] = equal
            left[remaining] = i
            remaining += np.int64(not beats)
        count = remaining
    return EXACT


@compiled
def _archive(rows, left, count, seeds, weak, archive, patience, kept):
    """Decide the `count` rows left with a list of the best so far, in no order."""
    m = rows.shape[1]
    size = seeds.shape[0]
    for k in range(size):
        for c in range(m):
            archive[k, c] = seeds[k, c]
    state = EXACT
    for j in range(count):
        i = left[j]
        verdict = _archive_drops(archive, size, rows, i, weak)
        kept[i] = verdict != 1
        if verdict != 0:
            continue
        for c in range(m):
            if rows[i, c] != rows[i, c]:
                return NAN
        k = 0
        while k < size:
            c = 0
            while c < m and rows[i, c] <= archive[k, c]:
                c += 1
            if c == m:
                size -= 1
                for c in range(m):
                    archive[k, c] = archive[size, c]
            else:
                k += 1
        if size == archive.shape[0]:
            state = FULL
            continue
        for c in range(m):
            archive[size, c] = rows[i, c]
        size += 1
        if size >= patience and 2 * size > i + 1:
            return DENSE
    for j in range(count):
        i = left[j]
        if kept[i]:
            kept[i] = _archive_drops(archive, size, rows, i, weak) != 1
    return state


@compiled
def masks_of_many(points, seeds, weak, capacity, patience, out, status):
    """Mark the (weakly) non-dominated rows of b sets with any number of objectives.

    Parameters
    ----------
    points : (b, n, m) array
    seeds : (k, m) array
        Mutually non-dominated distinct rows of the set; k = 0 for none.
    weak : bool
        Drop only rows dominated strictly in all objectives.
    capacity : int
        Largest archive, above k.
    patience : int
        A set is given up as dense when the archive has this size and holds half of the rows seen.
    out : (b, n) bool array
        The result.
    status : (b,) int8 array
        EXACT, FULL, DENSE or NAN for each set.
    """
    b, n, m = points.shape
    archive = np.empty((capacity, m), points.dtype)
    best = np.empty(m, points.dtype)
    weights = np.empty(m, np.float64)
    left = np.empty(n + 1, np.int64)
    for r in range(b):
        rows = points[r]
        kept = out[r]
        if r % SCALE_SETS == 0:
            for c in range(m):
                weights[c] = objective_weight(rows, c)
        pivot = _pivot(seeds, weights) if seeds.shape[0] > 0 else _pivot(rows, weights)
        for c in range(m):
            best[c] = seeds[pivot, c] if seeds.shape[0] > 0 else rows[pivot, c]
        count = 0
        for i in range(n):
            beats = True
            for c in range(m):
                beats &= best[c] < rows[i, c]
            keep = not beats
            kept[i] = keep
            left[count] = i
            count += np.int64(keep)
        if count <= _FEW and not weak:
            status[r] = _front_of_few(rows, left, count, kept)
        else:
            status[r] = _archive(rows, left, count, seeds, weak, archive, patience, kept)


@compiled
def keep_unbeaten(points, front, out):
    """Mark the rows of `points` (n, m) that no row of `front` (k, m) beats in every objective."""
    n, m = points.shape
    archive = front.copy()
    size = front.shape[0]
    for i in range(n):
        out[i] = True
        for k in range(size):
            c = 0
            while c < m and archive[k, c] < points[i, c]:
                c += 1
            if c == m:
                out[i] = False
                for c in range(m):
                    archive[0, c], archive[k, c] = archive[k, c], archive[0, c]
                break
