"""Ends of the betting interval: the means that a bettor with hedged capital cannot reject."""

from __future__ import annotations

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.inference._concentration import Ends, log_levels

__all__ = ["betting_ends"]

# Largest share of the capital at stake in one bet; Waudby-Smith and Ramdas suggest 1/2 or 3/4.
_CAP = 0.75
# Losses turned into contiguous rows at a time.
_BLOCK = 1 << 22


def betting_ends(x: FloatArray, delta: FloatArray, side: str) -> Ends:
    """Return the ends of each column of losses x (n, m) in [0, 1], at failure probabilities delta (m,)."""
    from moltheory.inference._kernels import tightest_lower

    n, m = x.shape
    log_level = log_levels(delta, side)
    lower, upper = np.zeros(m), np.ones(m)
    step = max(1, _BLOCK // n)
    for start in range(0, m, step):
        part = slice(start, start + step)
        rows = np.ascontiguousarray(x[:, part].T)
        if side != "upper":
            tightest_lower(rows, log_level[part], _CAP, lower[part])
        if side != "lower":
            tightest_lower(1.0 - rows, log_level[part], _CAP, upper[part])
            upper[part] = 1.0 - upper[part]
    return lower, np.minimum(upper * (1.0 + 2.0**-52), 1.0)
