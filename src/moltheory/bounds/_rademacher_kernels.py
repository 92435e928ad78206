"""Compiled kernels of Rademacher complexity for 0/1 losses: bits packed in words of 64 examples, counted at once.

Loaded on demand only (numba takes about half a second to import). With signs s in {-1, +1} and losses l in {0, 1},
sum s l = 2 |{s = +1 and l = 1}| - |{l = 1}|: two population counts per word, all in integers, hence exact. The inner
loops run over neighboring draws or hypotheses, so that they become vector instructions.
"""

# The kernels are typed by numba.
# mypy: disallow_untyped_defs=False, check_untyped_defs=False, disallow_untyped_decorators=False

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._numba import compiled, count_ones

__all__ = ["suprema_of_bits"]

# Words per step of the counting loop; the number of words is padded to a multiple of it.
_STEP = 4
# Hypotheses packed in one go: eight rows of this length stay in the first cache.
_BLOCK = 2048
# Hypotheses per task, a constant so that the cut does not depend on the machine.
_TASK = 8192


@compiled
def _pack(losses, words, origin):
    """Fill words (W, K) with the bits of losses (n, H) from column `origin` on; return the union of their entries."""
    n, total = losses.shape[0], words.shape[1]
    plane = np.empty(_BLOCK, np.uint8)
    union = np.zeros(_BLOCK, np.uint8)
    words[:] = 0
    for left in range(0, total, _BLOCK):
        k = min(_BLOCK, total - left)
        start = origin + left
        stop = start + k
        for first in range(0, n, 8):
            if first + 8 <= n:
                r0, r1 = losses[first, start:stop], losses[first + 1, start:stop]
                r2, r3 = losses[first + 2, start:stop], losses[first + 3, start:stop]
                r4, r5 = losses[first + 4, start:stop], losses[first + 5, start:stop]
                r6, r7 = losses[first + 6, start:stop], losses[first + 7, start:stop]
                for h in range(k):
                    low = r0[h] | np.uint8(r1[h] << 1) | np.uint8(r2[h] << 2) | np.uint8(r3[h] << 3)
                    high = np.uint8(r4[h] << 4) | np.uint8(r5[h] << 5) | np.uint8(r6[h] << 6) | np.uint8(r7[h] << 7)
                    plane[h] = low | high
                    union[h] |= r0[h] | r1[h] | r2[h] | r3[h] | r4[h] | r5[h] | r6[h] | r7[h]
            else:
                plane[:k] = 0
                for j in range(first, n):
                    row = losses[j, start:stop]
                    for h in range(k):
                        plane[h] |= np.uint8(row[h] << (j - first))
                        union[h] |= row[h]
            word = words[first // 64, left : left + k]
            shift = np.uint64(first % 64)
            for h in range(k):
                word[h] |= np.uint64(plane[h]) << shift
    result = np.uint8(0)
    for h in range(_BLOCK):
        result |= union[h]
    return result


@compiled
def _suprema(words, signs, best):
    """Raise best (D,) to the largest of sum s l over the hypotheses of words (W, H), for signs (W, D)."""
    n_words, total = words.shape
    draws = signs.shape[1]
    hits, more = np.empty(draws, np.int64), np.empty(draws, np.int64)
    # Two hypotheses at a time share the loads of the signs; the last one may be its own partner.
    for h in range(0, total, 2):
        g = min(h + 1, total - 1)
        ones_h, ones_g = np.int64(0), np.int64(0)
        for w in range(n_words):
            ones_h += np.int64(count_ones(words[w, h]))
            ones_g += np.int64(count_ones(words[w, g]))
        hits[:] = 0
        more[:] = 0
        for w in range(0, n_words, _STEP):
            h0, h1, h2, h3 = words[w, h], words[w + 1, h], words[w + 2, h], words[w + 3, h]
            g0, g1, g2, g3 = words[w, g], words[w + 1, g], words[w + 2, g], words[w + 3, g]
            s0, s1, s2, s3 = signs[w], signs[w + 1], signs[w + 2], signs[w + 3]
            for d in range(draws):
                a, b, c, e = s0[d], s1[d], s2[d], s3[d]
                hits[d] += np.int64(count_ones(h0 & a) + count_ones(h1 & b) + count_ones(h2 & c) + count_ones(h3 & e))
                more[d] += np.int64(count_ones(g0 & a) + count_ones(g1 & b) + count_ones(g2 & c) + count_ones(g3 & e))
        for d in range(draws):
            best[d] = max(best[d], 2 * hits[d] - ones_h, 2 * more[d] - ones_g)


def suprema_of_bits(
    losses: npt.NDArray[np.uint8], positive: npt.NDArray[np.uint8]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_], npt.NDArray[np.bool_]] | None:
    """Return max over h of sum_i s_i l_i(h) per draw (D,), and which examples (n,) are 1 for some and for all hypotheses.

    The `losses` (n, H) are 0/1, or None is returned; `positive` (D, n) is 1 where the sign is +1 and 0 elsewhere.
    """
    n, total = losses.shape
    n_words = -(-n // (64 * _STEP)) * _STEP
    draws = positive.shape[0]
    signs = np.zeros((n_words, draws), np.uint64)
    _pack(np.ascontiguousarray(positive.T), signs, 0)
    losses = np.ascontiguousarray(losses)

    def task(start: int) -> tuple[Any, ...]:
        words = np.empty((n_words, min(_TASK, total - start)), np.uint64)
        if _pack(losses, words, start) > 1:
            return ()
        best = np.full(draws, -n, np.int64)
        _suprema(words, signs, best)
        return best, np.bitwise_or.reduce(words, axis=1), np.bitwise_and.reduce(words, axis=1)

    starts = range(0, total, _TASK)
    if len(starts) == 1:
        parts = [task(0)]
    else:
        with ThreadPoolExecutor(min(len(starts), os.cpu_count() or 1)) as pool:
            parts = list(pool.map(task, starts))
    if not all(parts):
        return None
    best, some, every = zip(*parts, strict=True)
    return np.max(best, axis=0), _bits(np.bitwise_or.reduce(some), n), _bits(np.bitwise_and.reduce(every), n)


def _bits(words: npt.NDArray[np.uint64], n: int) -> npt.NDArray[np.bool_]:
    places = np.arange(64, dtype=np.uint64)
    bits: npt.NDArray[np.bool_] = ((words[:, None] >> places) & np.uint64(1)).astype(bool).ravel()[:n]
    return bits
