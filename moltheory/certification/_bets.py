"""Compiled kernel of paired bets: the capital of constant bets on pairs of models.

Loaded on demand only (numba takes about half a second to import); cached on disk, no interpreter lock held.
"""

# The kernels are typed by numba.
# mypy: disallow_untyped_defs=False, check_untyped_defs=False, disallow_untyped_decorators=False

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

__all__ = ["add_log_factors"]

# Factors multiplied before their logarithm is taken: 0.01^64 does not underflow, 2^64 does not overflow.
_RUN = 64


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile `function` when first called, with a cache on disk where there is a place for it."""
    try:
        kernel: Callable[..., Any] = numba.njit(function, cache=True, nogil=True, error_model="numpy")
    except RuntimeError:  # no place to keep the cache, for example a read-only installation
        kernel = numba.njit(function, nogil=True, error_model="numpy")
    return kernel


@_compiled
def add_log_factors(rows, sizes, shift, bets, first, second, logs):
    """Add to `logs` (K, G) the sums over t of log(1 + bets_k (shift sizes_t - (x_at - x_bt))), (a, b) = the K pairs.

    `rows` is (M, n) with NaN for "not evaluated" (then nothing is added), `bets` (G,) are constants in [0, 1).
    """
    n, g = rows.shape[1], bets.shape[0]
    product, gains = np.empty(g), np.empty(_RUN)
    for pair in range(first.shape[0]):
        a, b = first[pair], second[pair]
        for start in range(0, n, _RUN):
            length = min(_RUN, n - start)
            for t in range(length):
                gain = shift * sizes[start + t] - (rows[a, start + t] - rows[b, start + t])
                gains[t] = gain if gain == gain else 0.0
            product[:] = 1.0
            for t in range(length):
                for k in range(g):
                    product[k] *= 1.0 + bets[k] * gains[t]
            for k in range(g):
                logs[pair, k] += np.log(product[k])
