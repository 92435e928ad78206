"""The compiled kernel of dominance for two objectives, where the archive is a staircase; see `_kernels`."""

# The kernels are typed by numba, once for every dtype.
# mypy: disallow_untyped_defs=False, check_untyped_defs=False

from __future__ import annotations

import numpy as np

from moltheory._core._numba import compiled
from moltheory.pareto._kernels import SCALE_SETS, objective_weight
from moltheory.pareto._status import DENSE, EXACT, FULL, NAN

__all__ = ["masks_of_two"]

# Rows left by the pivot up to which repeated passes beat a binary search for each.
_FEW = 256


@compiled
def _pivot_of_two(rows, first, second):
    """Return what `_pivot` returns, for two objectives."""
    best, least = 0, np.inf
    for i in range(rows.shape[0]):
        total = first * np.float64(rows[i, 0]) + second * np.float64(rows[i, 1])
        if total < least:
            best, least = i, total
    return best


@compiled
def _last_at_most(values, size, value):
    """Return the number of entries <= value among the first `size` ascending ones, without branches."""
    base = 0
    while size > 0:
        half = (size + 1) >> 1
        base = base + half if values[base + half - 1] <= value else base
        size -= half
    return base


@compiled
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


@compiled
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


@compiled
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
            # Dominated by, or equal to, the member at its left; that one or its neighbour may beat it.
            near = at - 1
            if weak:
                near -= xs[near] == x
                kept[i] = near < 0 or not ys[near] < y
            else:
                kept[i] = ys[near] == y and xs[near] == x
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


@compiled
def masks_of_two(points, seeds, weak, capacity, patience, out, status):
    """Mark the (weakly) non-dominated rows of b sets with two objectives.

    The archive is a staircase: first objective ascending, second descending. Most rows fall to one
    comparison with a pivot, the rest to a binary search; what is left enters the staircase.

    The parameters are those of `masks_of_many`; `seeds` come with the first objective ascending.
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
        if r % SCALE_SETS == 0:
            first, second = objective_weight(rows, 0), objective_weight(rows, 1)
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
