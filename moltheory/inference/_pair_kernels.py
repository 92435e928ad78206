"""Compiled kernels of pair counts: losses packed 64 examples to a word, pairs counted by population counts.

Loaded on demand only (numba takes about half a second to import); cached on disk, no interpreter lock held.
"""

# The kernels are typed by numba.
# mypy: disallow_untyped_defs=False, check_untyped_defs=False, disallow_untyped_decorators=False

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba.extending import intrinsic

__all__ = ["count_common", "count_errors", "pack"]


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile `function` when first called, with a cache on disk where there is a place for it."""
    try:
        kernel: Callable[..., Any] = numba.njit(function, cache=True, nogil=True)
    except RuntimeError:  # no place to keep the cache, for example a read-only installation
        kernel = numba.njit(function, nogil=True)
    return kernel


@intrinsic
def _instruction(context, word):
    """Return the number of ones of a 64-bit word: one instruction, or a few on vectors of words."""

    def generate(target, builder, signature, arguments):
        return builder.ctpop(arguments[0])

    return numba.types.uint64(numba.types.uint64), generate


def _in_python(word):
    """Return the number of ones where nothing is compiled."""
    return int(word).bit_count()


_ones = _in_python if numba.config.DISABLE_JIT else _instruction  # type: ignore[attr-defined,unused-ignore]


@_compiled
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


@_compiled
def count_common(words, out):
    """Add to `out` (M, M) the number of examples on which both bits of `words` (M, words) are set."""
    m, length = words.shape
    for i in range(m):
        for j in range(i + 1):
            total = np.uint64(0)
            for k in range(length):
                total += _ones(words[i, k] & words[j, k])
            out[i, j] += np.int64(total)
            if j < i:
                out[j, i] += np.int64(total)


@_compiled
def count_errors(errs, seen, out):
    """Add to `out` (M, M) the number of examples on which row's model errs and column's was evaluated."""
    m, length = errs.shape
    for i in range(m):
        for j in range(m):
            total = np.uint64(0)
            for k in range(length):
                total += _ones(errs[i, k] & seen[j, k])
            out[i, j] += np.int64(total)
