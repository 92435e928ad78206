"""Compiled kernels of pair counts: losses packed 64 examples to a word, pairs counted by population counts.

Loaded on demand only (numba takes about half a second to import); cached on disk, no interpreter lock held.
"""

# The kernels are typed by numba.
# mypy: disallow_untyped_defs=False, check_untyped_defs=False, disallow_untyped_decorators=False

from __future__ import annotations

import numpy as np

from moltheory._core._numba import compiled, count_ones

__all__ = ["close", "count_common", "count_errors", "pack"]


@compiled
def pack(losses, errs, seen):
    """Write the bits "errs" and "was evaluated" of each model, (M, words); return (values are 0/1, nothing missing).

    `losses` is (b, M) with 0, 1 or NaN; the last word is filled with zeros.
    """
    b, m = losses.shape
    bits, marks = np.empty(m, np.uint64), np.empty(m, np.uint64)
    strange, absent = np.uint64(0), np.uint64(0)
    for word in range(errs.shape[1]):
        bits[:] = 0
        marks[:] = 0
        first = word * 64
        for row in range(first, min(first + 64, b)):
            shift = np.uint64(row - first)
            for j in range(m):
                value = losses[row, j]
                one, zero, nan = np.uint64(value == 1), np.uint64(value == 0), np.uint64(value != value)
                bits[j] |= one << shift
                marks[j] |= (one | zero) << shift
                strange |= (one | zero | nan) ^ np.uint64(1)
                absent |= nan
        for j in range(m):
            errs[j, word] = bits[j]
            seen[j, word] = marks[j]
    return strange == 0, absent == 0


@compiled
def count_common(words, out):
    """Add to `out` (M, M) the number of examples on which both bits of `words` (M, words) are set."""
    m, length = words.shape
    for i in range(m):
        for j in range(i + 1):
            total = np.uint64(0)
            for k in range(length):
                total += count_ones(words[i, k] & words[j, k])
            out[i, j] += out.dtype.type(total)
            if j < i:
                out[j, i] += out.dtype.type(total)


@compiled
def count_errors(errs, seen, out):
    """Add to `out` (M, M) the number of examples on which row's model errs and column's was evaluated."""
    m, length = errs.shape
    for i in range(m):
        for j in range(m):
            total = np.uint64(0)
            for k in range(length):
                total += count_ones(errs[i, k] & seen[j, k])
            out[i, j] += out.dtype.type(total)


@compiled
def close(words):
    """Close a relation under transitivity (Warshall's algorithm): bit j of row i of `words` (M, >= M / 64) is (i, j)."""
    m, length = words.shape
    one = np.uint64(1)
    for k in range(m):
        place, shift = k // 64, np.uint64(k % 64)
        for i in range(m):
            if (words[i, place] >> shift) & one and i != k:
                for w in range(length):
                    words[i, w] |= words[k, w]
