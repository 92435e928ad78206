"""Upper ends of intervals for one mean, from sums of the losses, which are scaled to [0, 1].

Every function returns the end and its complement, rounded outward. The lower end is the complement of the upper end
for the reflected losses 1 - x, so each inequality is written once. `moltheory.inference._methods` names them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, real_array
from moltheory.errors import InvalidInputError
from moltheory.inference._kl import upper_kl_inverse

__all__ = [
    "Ends",
    "Summary",
    "UpperEnd",
    "binomial_end",
    "both_ends",
    "check_delta",
    "clopper_pearson_end",
    "empirical_bernstein_end",
    "event_text",
    "hoeffding_bentkus_end",
    "hoeffding_end",
    "kl_end",
    "log_levels",
    "reflected",
]

# Relative error allowed to any formula below; ends are moved outward by that much.
_ROUNDING = 2.0**-44
_ULP = 2.0**-52

Ends = tuple[FloatArray, FloatArray]


class Summary(NamedTuple):
    """Sums that the inequalities use: n, mean, 1 - mean, totals of x and of 1 - x rounded up, unbiased variance."""

    n: FloatArray
    mean: FloatArray
    rest: FloatArray
    ones: FloatArray
    zeros: FloatArray
    variance: FloatArray
    rounding: float


UpperEnd = Callable[[Summary, FloatArray], Ends]


def log_levels(delta: FloatArray, side: str) -> FloatArray:
    """Return -log of the failure probability that each claimed end may use; it is halved between two."""
    # log(2) - log(delta), so that the smallest deltas do not underflow.
    return np.asarray(-np.log(delta) + (np.log(2.0) if side == "both" else 0.0))


def both_ends(summary: Summary, delta: FloatArray, find: UpperEnd, side: str) -> Ends:
    """Return the ends that `side` claims, and 0 or 1 for the other."""
    log_level = log_levels(delta, side)
    shape = np.broadcast_shapes(summary.mean.shape, delta.shape)
    lower = np.zeros(shape) if side == "upper" else find(reflected(summary), log_level)[1]
    upper = np.ones(shape) if side == "lower" else find(summary, log_level)[0]
    return lower, upper


def reflected(summary: Summary) -> Summary:
    """Return the summary of 1 - x."""
    n, mean, rest, ones, zeros, variance, rounding = summary
    return Summary(n, rest, mean, zeros, ones, variance, rounding)


def _outward(value: FloatArray, left: FloatArray, error: float | FloatArray) -> Ends:
    """Return both moved outward, by a share of the smaller of the two and by their own last digit."""
    move = error * np.minimum(value, left)
    return np.minimum(value + move + _ULP * value, 1.0), np.maximum(left - move - _ULP * left, 0.0)


def _moved(summary: Summary, width: FloatArray) -> Ends:
    """Return mean + width and its complement, clipped."""
    error = _ROUNDING + summary.rounding
    value = (summary.mean + width) * (1.0 + error)
    left = summary.rest - width - error * (summary.rest + width)
    return np.minimum(value, 1.0), np.where(value >= 1.0, 0.0, np.clip(left, 0.0, 1.0))


def hoeffding_end(summary: Summary, log_level: FloatArray) -> Ends:
    """Return mean + sqrt(log(1/level) / 2n) and its complement."""
    return _moved(summary, np.sqrt(log_level / (2.0 * summary.n)))


def kl_end(summary: Summary, log_level: FloatArray) -> Ends:
    """Return the largest q with n kl(mean, q) <= log(1/level), and 1 - q."""
    value, left = _outward(*upper_kl_inverse(summary.mean, summary.rest, log_level / summary.n), _ROUNDING)
    return np.minimum(value * (1.0 + summary.rounding), 1.0), left * (1.0 - summary.rounding)


def clopper_pearson_end(summary: Summary, log_level: FloatArray) -> Ends:
    """Return the exact binomial end for the total, and its complement."""
    return binomial_end(summary.ones, summary.n, log_level)


def empirical_bernstein_end(summary: Summary, log_level: FloatArray) -> Ends:
    """Return mean + sqrt(2 V log(2/level) / n) + 7 log(2/level) / 3(n - 1), V the variance, and its complement."""
    # A single loss has no variance: the width is infinite and the end that of the range.
    freedom = np.maximum(summary.n - 1.0, 0.0)
    budget = log_level + np.log(2.0)
    with np.errstate(divide="ignore"):
        width = np.sqrt(2.0 * summary.variance * budget / summary.n) + 7.0 * budget / (3.0 * freedom)
    return _moved(summary, width)


def hoeffding_bentkus_end(summary: Summary, log_level: FloatArray) -> Ends:
    """Return the smaller of the Chernoff end and the binomial end at level/e, and its complement."""
    # The p-value is the smaller of two, each decreasing in the mean: the end is the smaller of two ends.
    first = kl_end(summary, log_level)
    second = binomial_end(summary.ones, summary.n, log_level + 1.0)
    return np.minimum(first[0], second[0]), np.maximum(first[1], second[1])


def binomial_end(counts: FloatArray, n: npt.ArrayLike, log_level: FloatArray) -> Ends:
    """Return u with P(Bin(n, u) <= count) = exp(-log_level), and 1 - u, rounded outward; 1 where count = n.

    The library's inverse of the incomplete beta function can be off by 1e-8 at n = 10^9 and by 1e-3 in far
    tails, so its answer is polished by Newton steps on the logarithm of the tail, in whichever of u and 1 - u is
    smaller. Where even that leaves a residual, or rounding outward costs more (n beyond 10^12), the Chernoff end
    stands in, which is valid as well.
    """
    k, n, log_level = np.broadcast_arrays(np.asarray(counts, dtype=np.float64), n, log_level)
    value, left = np.ones(k.shape), np.zeros(k.shape)
    # P(Bin(n, u) = 0) = (1 - u)^n in closed form.
    none = k == 0
    value[none], left[none] = -np.expm1(-(log_level / n)[none]), np.exp(-(log_level / n)[none])
    inner = (k > 0) & (k < n)
    if inner.any():
        value[inner], left[inner] = _solved(k[inner], n[inner], log_level[inner])
    # The tails themselves are off by up to 2e-20 n (measured against 60 digits up to n = 10^9).
    value, left = _outward(value, left, _ROUNDING + np.where(inner, n * 2.0**-65, 0.0))
    safe = _outward(*upper_kl_inverse(k / n, (n - k) / n, log_level / n), _ROUNDING)
    return np.minimum(value, safe[0]), np.maximum(left, safe[1])


def _solved(k: FloatArray, n: FloatArray, log_level: FloatArray) -> Ends:
    """Return u and 1 - u for 0 < k < n, flat."""
    from scipy import special

    level = np.exp(-log_level)
    # The tail that is at most a half is the one to compare; its logarithm is the target.
    upper_tail = level > 0.5
    with np.errstate(all="ignore"):
        target = np.where(upper_tail, np.log(-np.expm1(-log_level)), -log_level)
        x = special.betainccinv(k + 1.0, n - k, level)
        small = ~(x > 0.5)
        x[~small] = special.betaincinv((n - k)[~small], (k + 1.0)[~small], level[~small])
        first, second = np.where(small, k + 1.0, n - k), np.where(small, n - k, k + 1.0)
        # The probability of at most k errors falls with u, hence grows with 1 - u.
        regular = small == upper_tail
        miss = np.full(x.shape, np.inf)
        left = np.arange(x.size)
        for step in range(5):
            a, b, y, low = first[left], second[left], x[left], regular[left]
            tail = np.empty(y.shape)
            tail[low], tail[~low] = special.betainc(a[low], b[low], y[low]), special.betaincc(a[~low], b[~low], y[~low])
            found = np.log(tail) - target[left]
            miss[left] = found
            again = ~(np.abs(found) < 1e-14)
            if step == 4 or not again.any():
                break
            density = (a - 1.0) * np.log(y) + (b - 1.0) * np.log1p(-y) - special.betaln(a, b)
            move = np.where(low, -found, found) / (y * np.exp(density - np.log(tail)))
            usable = again & np.isfinite(move) & (np.abs(move) < 0.5)
            x[left[usable]] *= np.exp(move[usable])
            # Where the first step was at rounding level there is nothing more to gain.
            left = left[usable & (np.abs(move) > 1e-13)]
            if left.size == 0:
                break
        # A step of rounding size leaves a residual of the same size.
        solved = np.abs(miss) < 1e-9
    # No claim where there is a residual.
    return (
        np.where(solved, np.where(small, x, 1.0 - x), 1.0),
        np.where(solved, np.where(small, 1.0 - x, x), 0.0),
    )


def check_delta(delta: object, shape: tuple[int, ...]) -> FloatArray:
    """Return the failure probabilities, one number or an array that broadcasts to `shape`.

    Raises
    ------
    InvalidInputError
        If one is not strictly between 0 and 1, or the shape does not fit.
    """
    array = real_array("delta", delta, shape=f"() or {shape}", min_ndim=0, finite=True)  # type: ignore[arg-type]
    if isinstance(delta, bool) or not ((array > 0.0) & (array < 1.0)).all():
        found = delta if array.ndim == 0 else float(array.min() if array.min() <= 0.0 else array.max())
        raise InvalidInputError(f"`delta` must lie in (0, 1), got {found!r}.")
    try:
        fits = np.broadcast_shapes(array.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise InvalidInputError(f"`delta` must be one number or broadcast to shape {shape}, got shape {array.shape}.")
    return array


def event_text(target: str, method: str | npt.NDArray[np.str_], side: str, mark: str) -> str:
    """Return the event in words."""
    names = method if isinstance(method, str) else "/".join(np.unique(method).tolist())
    claim = {"both": "inside its interval", "lower": "above its lower end", "upper": "below its upper end"}[side]
    return f"{target} lies {claim} ({names}, {mark})"
