"""Ranks of order statistics that bound a quantile, from exact binomial tails, by bisection.

Let Q be the smallest v with P(X <= v) >= p, and K the number of n independent losses that are at most v. For v = Q it is
binomial with a chance of at least p; the number of losses below Q is binomial with a chance of at most p, as
P(X < Q) <= p. No other property of the law is used: it may have atoms, gaps and any tail.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from moltheory.inference._binomial_tails import lower_tails, upper_tails

__all__ = ["fewest", "most", "sample_rank"]


@lru_cache(maxsize=512)
def most(n: int, probability: float, level: float) -> int:
    """Return the largest k with P(Bin(n, probability) <= k) <= level; -1 if there is none."""
    return _first(lambda k: bool(lower_tails(np.array([k]), n, probability)[0] > level), n) - 1


@lru_cache(maxsize=512)
def fewest(n: int, probability: float, level: float) -> int:
    """Return the smallest k with P(Bin(n, probability) >= k) <= level; n + 1 if there is none."""
    # P(Bin >= k) is P(Bin > k - 1).
    return _first(lambda k: bool(upper_tails(np.array([k]), n, probability)[0] <= level), n - 1) + 1


def sample_rank(n: int, probability: float) -> int:
    """Return the rank, from 1, of the empirical quantile of n losses."""
    # n times a decimal such as 0.95 may exceed a whole number by rounding.
    return max(int(np.ceil(probability * n - 1e-9)), 1)


def _first(holds: Callable[[int], bool], last: int) -> int:
    """Return the first of 0, ..., last for which a monotone condition holds; last + 1 if there is none."""
    low, high = 0, last + 1
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low
