"""Numbers over seeds as texts, each with a 95 % interval for what further seeds would give."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from moltheory._core._numbers import interval_text, number_text
from moltheory._core._validation import FloatArray, check_count, real_array
from moltheory.errors import InvalidInputError

__all__ = ["LEVEL", "mean_interval_of", "mean_text", "median_interval_of", "median_text", "share_text"]

LEVEL = 0.95


def mean_interval_of(values: npt.ArrayLike, /) -> tuple[float, float, float]:
    """Return the mean of at least two values, and Student's 95 % interval around it: exact for normal values only."""
    given = _several(values)
    from scipy.stats import t

    mean = float(given.mean())
    half = float(t.ppf((1.0 + LEVEL) / 2.0, len(given) - 1) * given.std(ddof=1) / math.sqrt(len(given)))
    return mean, mean - half, mean + half


def median_interval_of(values: npt.ArrayLike, /) -> tuple[float, float, float]:
    """Return the median, and the narrowest interval of order statistics that covers it with 95 %, whatever the law.

    Below six values there is none: the ends are the smallest and the largest value, and `median_text` says so.
    """
    given = np.sort(_several(values))
    from scipy.stats import binom

    n = len(given)
    # Between the k-th smallest and the k-th largest value: 1 - 2 P(Bin(n, 1/2) <= k - 1).
    inside = [k for k in range(1, n // 2 + 1) if 1.0 - 2.0 * binom.cdf(k - 1, n, 0.5) >= LEVEL]
    k = max(inside, default=1)
    return float(np.median(given)), float(given[k - 1]), float(given[n - k])


def mean_text(values: npt.ArrayLike, /, *, digits: int = 3) -> str:
    """Return the mean and its interval.

    Examples
    --------
    >>> mean_text([0.1, 0.2, 0.3])
    '0.2 (95%: [−0.0484, 0.448], 3 seeds)'
    """
    mean, low, high = mean_interval_of(values)
    return f"{number_text(mean, digits)} (95%: {interval_text(low, high, digits)}, {np.size(values)} seeds)"


def median_text(values: npt.ArrayLike, /, *, digits: int = 3) -> str:
    """Return the median and its interval, or the range below six values.

    Examples
    --------
    >>> median_text([1, 2, 3])
    '2 (range [1, 3], 3 seeds)'
    """
    median, low, high = median_interval_of(values)
    n = np.size(values)
    kind = "95%:" if n >= 6 else "range"
    return f"{number_text(median, digits)} ({kind} {interval_text(low, high, digits)}, {n} seeds)"


def share_text(successes: int, n: int, /) -> str:
    """Return how many of n runs did it, and the exact 95 % interval of their share (C. Clopper, E. Pearson, 1934).

    Examples
    --------
    >>> share_text(9, 10)
    '9 of 10 (95%: [0.555, 0.997])'
    """
    from scipy.stats import binomtest

    check_count("n", n)
    if not 0 <= successes <= n:
        raise InvalidInputError(f"`successes` must be from 0 to {n}, got {successes}.")
    low, high = binomtest(int(successes), int(n)).proportion_ci(LEVEL, method="exact")
    return f"{successes} of {n} (95%: {interval_text(float(low), float(high))})"


def _several(values: npt.ArrayLike) -> FloatArray:
    given = real_array("values", values, shape="(n,)", min_ndim=1, max_ndim=1)
    if len(given) < 2:
        raise InvalidInputError(f"`values` must hold at least two numbers, got {len(given)}.")
    return given
