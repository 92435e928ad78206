"""Compiled kernels of dominance: one pass over the points with an archive of the best seen so far.

Loaded on demand only (numba takes about half a second to import). Every kernel minimises, compares exactly,
releases the interpreter lock and is cached on disk. A row is dropped only when some row of its own set
dominates it, so pivot and archive may be of any quality: they decide the speed, never the answer. NaN fails
every comparison, hence is never dropped, and is looked for only among the few rows that are not.
"""

# The kernels are typed by numba, once for every dtype.
# mypy: disallow_untyped_defs=False, check_untyped_defs=False

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from moltheory.pareto._bulk import DENSE, EXACT, FULL, NAN

__all__ = ["keep_unbeaten", "masks_of_many", "masks_of_two"]

# Rows looked at to learn the scales of the objectives.
_SCALE_ROWS = 15
# Sets that share these scales, which are only a hint.
_SCALE_SETS = 16
# Rows left by the pivot up to which repeated passes beat a binary search for each.
_FEW = 256
_FEW_MANY = 128


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    try:
        compiled: Callable[..., Any] = numba.njit(function, cache=True, nogil=True)
    except RuntimeError:  # no place to keep the cache, for example a read-only installation
        compiled = numba.njit(function, nogil=True)
    return compiled


@_compiled
def _weight(rows, objective):
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


@_compiled
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


@_compiled
def _pivot_of_two(rows, first, second):
    """Return what `_pivot` returns, for two objectives."""
    best, least = 0, np.inf
    for i in range(rows.shape[0]):
        total = first * np.float64(rows[i, 0]) + second * np.float64(rows[i, 1])
        if total < least:
            best, least = i, total
    return best


@_compiled
def _last_at_most(values, size, value):
    """Return the number of entries <= value among the first `size` ascending ones."""
    low, high = 0, size
    while low < high:
        mid = (low + high) >> 1
        if values[mid] <= value:
            low = mid + 1
        else:
            high = mid
    return low


@_compiled
def _staircase_drops(xs, ys, size, x, y, weak):
    """Whether a member of the staircase dominates (x, y), or, if weak, beats it in both objectives."""
    at = _last_at_most(xs, size, x) - 1
    if weak and at >= 0 and xs[at] == x:
        at -= 1
    if at < 0:
        return False
    if weak:
        return ys[at] < y
    return ys[at] < y or (ys[at] == y and xs[at] < x)


@_compiled
def _front_of_few(rows, left, count, kept):
    """Decide the `count` rows left, exactly: take the lexicographically least, drop what it dominates, repeat."""
    for k in range(count):
        i = left[k]
        kept[i] = False
        if rows[i, 0] != rows[i, 0] or rows[i, 1] != rows[i, 1]:
            return NAN
    while count > 0:
        x, y = rows[left[0], 0], rows[left[0], 1]
        for k in range(1, count):
            i = left[k]
            u, v = rows[i, 0], rows[i, 1]
            better = (u < x) | ((u == x) & (v < y))
            x = u if better else x
            y = v if better else y
        remaining = 0
        for k in range(count):
            i = left[k]
            u, v = rows[i, 0], rows[i, 1]
            kept[i] = (u == x) & (v == y)
            left[remaining] = i
            remaining += np.int64(v < y)
        count = remaining
    return EXACT


@_compiled
def _staircase(rows, left, count, seeds, weak, xs, ys, patience, kept):
    """Decide the `count` rows left with a staircase: xs ascending, ys descending."""
    capacity = xs.shape[0]
    size = seeds.shape[0]
    for k in range(size):
        xs[k], ys[k] = seeds[k, 0], seeds[k, 1]
    state = EXACT
    for j in range(count):
        i = left[j]
        x, y = rows[i, 0], rows[i, 1]
        if x != x or y != y:
            return NAN
        at = _last_at_most(xs, size, x)
        if at > 0 and ys[at - 1] <= y:
            kept[i] = not _staircase_drops(xs, ys, size, x, y, weak)
            continue
        low = at
        if at > 0 and xs[at - 1] == x:
            low = at - 1
        high = low
        while high < size and ys[high] >= y:
            high += 1
        if high == low:
            if size == capacity:
                state = FULL
                continue
            for k in range(size, low, -1):
                xs[k], ys[k] = xs[k - 1], ys[k - 1]
            size += 1
            if size >= patience and 2 * size > i + 1:
                return DENSE
        else:
            gap = high - low - 1
            if gap > 0:
                for k in range(low + 1, size - gap):
                    xs[k], ys[k] = xs[k + gap], ys[k + gap]
                size -= gap
        xs[low], ys[low] = x, y
    for j in range(count):
        i = left[j]
        if kept[i]:
            kept[i] = not _staircase_drops(xs, ys, size, rows[i, 0], rows[i, 1], weak)
    return state


@_compiled
def masks_of_two(points, seeds, weak, capacity, patience, out, status):
    """Mark the (weakly) non-dominated rows of b sets with two objectives.

    The archive is a staircase: first objective ascending, second descending. Most rows fall to one
    comparison with a pivot, the rest to a binary search; what is left enters the staircase.

    Parameters
    ----------
    points : (b, n, 2) array
    seeds : (k, 2) array
        Mutually non-dominated distinct rows of the set, first objective ascending; k = 0 for none.
    weak : bool
        Drop only rows beaten in both objectives.
    capacity : int
        Largest archive, above k.
    patience : int
        A set is given up as dense when the archive has this size and holds half of the rows seen.
    out : (b, n) bool array
        The result.
    status : (b,) int8 array
        EXACT, FULL, DENSE or NAN for each set.
    """
    b, n = points.shape[0], points.shape[1]
    xs = np.empty(capacity, points.dtype)
    ys = np.empty(capacity, points.dtype)
    left = np.empty(n + 1, np.int64)
    first = second = 0.0
    for r in range(b):
        rows = points[r]
        flat = rows.reshape(-1)
        kept = out[r]
        if r % _SCALE_SETS == 0:
            first, second = _weight(rows, 0), _weight(rows, 1)
        if seeds.shape[0] > 0:
            pivot = _pivot_of_two(seeds, first, second)
            px, py = seeds[pivot, 0], seeds[pivot, 1]
        else:
            pivot = _pivot_of_two(rows, first, second)
            px, py = rows[pivot, 0], rows[pivot, 1]
        # Two loops free of branches: vector code for the first, no misprediction in the second. Rows as good
        # as the pivot in some objective stay, so that one test serves for dominance, ties and weakness.
        for i in range(n):
            kept[i] = not ((px < flat[2 * i]) & (py < flat[2 * i + 1]))
        count = 0
        for i in range(n):
            left[count] = i
            count += np.int64(kept[i])
        if count <= _FEW and not weak:
            status[r] = _front_of_few(rows, left, count, kept)
        else:
            status[r] = _staircase(rows, left, count, seeds, weak, xs, ys, patience, kept)


@_compiled
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


@_compiled
def _front_of_few_many(rows, left, count, kept):
    """Decide the `count` rows left, exactly, as `_front_of_few` does, for any number of objectives."""
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


@_compiled
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


@_compiled
def masks_of_many(points, seeds, weak, capacity, patience, out, status):
    """Mark the (weakly) non-dominated rows of b sets with any number of objectives.

    The parameters are those of `masks_of_two`.
    """
    b, n, m = points.shape
    archive = np.empty((capacity, m), points.dtype)
    best = np.empty(m, points.dtype)
    weights = np.empty(m, np.float64)
    left = np.empty(n + 1, np.int64)
    for r in range(b):
        rows = points[r]
        kept = out[r]
        if r % _SCALE_SETS == 0:
            for c in range(m):
                weights[c] = _weight(rows, c)
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
        if count <= _FEW_MANY and not weak:
            status[r] = _front_of_few_many(rows, left, count, kept)
        else:
            status[r] = _archive(rows, left, count, seeds, weak, archive, patience, kept)


@_compiled
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
