"""Compiled kernel of paired bets: the capital of constant bets on pairs of models.

Loaded on demand only (numba takes about half a second to import); cached on disk, no interpreter lock held.
"""

# The kernels are typed by numba.
# mypy: disallow_untyped_defs=False, check_untyped_defs=False, disallow_untyped_decorators=False

from __future__ import annotations

import functools

import numpy as np

from moltheory._core._numba import compiled

__all__ = ["add_log_factors"]

# Factors multiplied before their logarithm is taken: 0.01^64 does not underflow, 2^64 does not overflow.
_RUN = 64
# Runs that go side by side, in vectors of any width: their gains (16 kB) stay in the nearest cache.
_SIDE = 32

_compiled = functools.partial(compiled, error_model="numpy")


@_compiled
def _turn(rows, start, out):
    """Write `rows` (M, n) from `start` on as (M, place in its run, run), NaN beyond the last."""
    n = rows.shape[1]
    for i in range(rows.shape[0]):
        for run in range(out.shape[2]):
            first = start + run * _RUN
            for j in range(_RUN):
                out[i, j, run] = rows[i, first + j] if first + j < n else np.nan


@_compiled
def add_log_factors(rows, sizes, shift, bets, first, second, logs):
    """Add to `logs` (K, G) the sums over t of log(1 + bets_k (shift sizes_t - (x_at - x_bt))), (a, b) = the K pairs.

    `rows` is (M, n) with NaN for "not evaluated" (then nothing is added), `bets` (G,) are constants in [0, 1).
    """
    n, g = rows.shape[1], bets.shape[0]
    width = min(_SIDE, max(-(-n // _RUN), 1))
    together = _SIDE // width
    turned = np.empty((rows.shape[0], _RUN, width))
    shifts, gains, products = np.empty((1, _RUN, width)), np.empty((_RUN, _SIDE)), np.empty(_SIDE)
    shifted = (shift * sizes).reshape(1, n)
    # Places in a run, eight at a time; those beyond the last example have gain 0.
    places = min(_RUN, -(-n // 8) * 8)
    for start in range(0, n, _RUN * _SIDE):
        runs = min(width, -(-(n - start) // _RUN))
        _turn(rows, start, turned)
        _turn(shifted, start, shifts)
        for pair in range(0, first.shape[0], together):
            count = min(together, first.shape[0] - pair)
            for member in range(count):
                a, b = turned[first[pair + member]], turned[second[pair + member]]
                lane = member * runs
                for j in range(places):
                    for run in range(runs):
                        gain = shifts[0, j, run] - (a[j, run] - b[j, run])
                        gains[j, lane + run] = gain if gain == gain else 0.0
            for k in range(g):
                bet = bets[k]
                products[:] = 1.0
                for j in range(0, places, 8):
                    for lane in range(count * runs):
                        product = products[lane]
                        product *= 1.0 + bet * gains[j, lane]
                        product *= 1.0 + bet * gains[j + 1, lane]
                        product *= 1.0 + bet * gains[j + 2, lane]
                        product *= 1.0 + bet * gains[j + 3, lane]
                        product *= 1.0 + bet * gains[j + 4, lane]
                        product *= 1.0 + bet * gains[j + 5, lane]
                        product *= 1.0 + bet * gains[j + 6, lane]
                        product *= 1.0 + bet * gains[j + 7, lane]
                        products[lane] = product
                for lane in range(count * runs):
                    logs[pair + lane // runs, k] += np.log(products[lane])
