"""Compiled kernels of the intervals for one mean: the kl inverse and betting.

Loaded on demand only (numba takes about half a second to import); cached on disk, no interpreter lock held.
"""

# The kernels are typed by numba.
# mypy: disallow_untyped_defs=False, check_untyped_defs=False, disallow_untyped_decorators=False

from __future__ import annotations

import functools

import numpy as np

from moltheory._core._numba import compiled

__all__ = ["invert_kl", "lower_sequences", "tightest_lower"]

# Capital is a product of up to n factors: it is rescaled before it can underflow.
_TINY, _HUGE = 1e-150, 1e150
_BISECTIONS = 48
# Share of the logarithm of the level that bets toward an end ask for at least.
_MISSING = 0.3

_compiled = functools.partial(compiled, error_model="numpy")


@_compiled
def _excess(x, logarithm):
    """Return x - log(1 + x) >= 0 without cancellation; `logarithm` is log(1 + x), used for |x| > 0.2 only."""
    if abs(x) > 0.2:
        return x - logarithm
    r = x / (2.0 + x)
    s = r * r
    series = 1 / 3 + s * (1 / 5 + s * (1 / 7 + s * (1 / 9 + s * (1 / 11 + s * (1 / 13 + s * (1 / 15 + s / 17))))))
    return r * (x - 2.0 * s * series)


@_compiled
def _solve_near(a, b, c, t):
    """Return y = -(q - p) / (1 - p) from a guess t of q - p, or 1 where the root may lie beyond y = -0.75.

    The steps of `invert_kl`, kept in y = expm1(-u): no logarithm where q is near p, and one where it is not.
    """
    y = -t / b
    low, high = -1.0, 0.0
    for _ in range(60):
        t = -b * y
        q = a + t
        x = t / a
        f = a * _excess(x, np.log1p(x) if x > 0.2 else 0.0) + b * _excess(y, np.log1p(y) if y < -0.2 else 0.0) - c
        if f > 0.0:
            low = y
        else:
            high = y
        left = 1.0 + y
        inverse = 1.0 / (q * t)
        newton = f * q * q * inverse
        bend = a * b * left * inverse
        r2, r3 = 0.5 * bend, bend * (q - 2.0) / (6.0 * q)
        step = newton * (1.0 - r2 * newton) / (1.0 - 2.0 * r2 * newton + r3 * newton * newton)
        # expm1(step); the series is exact to rounding for the last step, the others are corrected by the next.
        growth = step * (1.0 + step * (0.5 + step * (1.0 / 6.0))) if abs(step) < 0.1 else np.expm1(step)
        trial = y + left * growth
        if not (low < trial < high):
            step = newton
            trial = y + left * np.expm1(step)
        if not (trial > -0.75):  # 1 + y would lose its digits
            return 1.0
        y = trial
        # The error left is of fourth order in this step.
        if abs(step) <= -1e-4 * y:
            break
    return y


@_compiled
def _solve_far(a, b, c, t):
    """Return u = log((1 - p) / (1 - q)) from a guess t of q - p."""
    u = -np.log1p(-t / b) if t < 0.9 * b else (c - a * np.log(a) - b * np.log(b)) / b
    low, high = 0.0, np.inf
    for _ in range(60):
        y = np.expm1(-u)
        t = -b * y
        q = a + t
        x = t / a
        f = a * _excess(x, np.log1p(x) if x > 0.2 else 0.0) + b * _excess(y, -u) - c
        if f > 0.0:
            high = u
        else:
            low = u
        # Derivatives in u are rational in q, so a step of order four costs no further logarithm.
        s = b + b * y
        d1 = t / q
        d2 = a * s / (q * q)
        d3 = -d2 * (2.0 - q) / q
        newton = f / d1
        r2, r3 = 0.5 * d2 / d1, d3 / (6.0 * d1)
        step = newton * (1.0 - r2 * newton) / (1.0 - 2.0 * r2 * newton + r3 * newton * newton)
        trial = u - step
        if not (low < trial < high):
            # The function is convex and increasing: a Newton step never ends left of the root.
            step = newton
            trial = u - step
        u = trial
        # The error left is of fourth order in this step.
        if abs(step) <= 1e-5 * min(u, 1.0):
            break
    return u


@_compiled
def invert_kl(p, rest, budget, value, complement):
    """Write q >= p with kl(p, q) = budget, and 1 - q; `rest` is 1 - p. All arrays are flat and equally long.

    See `moltheory.inference._kl` for the method.
    """
    for i in range(p.shape[0]):
        a, b, c = p[i], rest[i], budget[i]
        if c >= 750.0 * b:  # u >= budget / (1 - p), and exp(-750) is 0
            value[i], complement[i] = 1.0, 0.0
            continue
        if c <= 1e-34 * min(a, b):  # q and 1 - q differ from p and 1 - p by less than rounding
            value[i], complement[i] = a, b
            continue
        if a < 1e-290:  # as if zero, before ratios to it overflow
            value[i], complement[i] = max(-np.expm1(-c), a), np.exp(-c)
            continue
        tail = b
        if b < 1e-60:  # q is p to rounding, and 1 - q depends on budget / (1 - p) only: no product may underflow
            b, c = 1e-60, c / b * 1e-60
        # First guess: kl(p, p + t) is about t^2 / (2 (p + 2t/3) (1 - p - 2t/3)), capped where q nears 1.
        half = (2.0 / 3.0) * c * (b - a)
        lead = 1.0 + (8.0 / 9.0) * c
        root = np.sqrt(half * half + 2.0 * lead * c * a * b)
        t = (half + root) / lead if half >= 0.0 else 2.0 * c * a * b / (root - half)
        y = _solve_near(a, b, c, t) if a > 1e-75 and 1e-75 < t < 0.5 * b else 1.0
        if y <= 0.0:
            value[i], complement[i] = min(a - b * y, 1.0), tail * (1.0 + y)
        else:
            u = _solve_far(a, b, c, t)
            value[i], complement[i] = min(a - b * np.expm1(-u), 1.0), tail * np.exp(-u)


@_compiled
def _plan_bets(x, log_level, bets):
    """Write the bets of one row, each from the examples before it, for any number of examples."""
    total, squares = 0.5, 0.25
    for i in range(x.shape[0]):
        t = i + 1.0
        variance = squares / t
        bets[i] = np.sqrt(2.0 * log_level / (variance * t * np.log1p(t)))
        total += x[i]
        gap = x[i] - total / (t + 1.0)
        squares += gap * gap


@_compiled
def _plan_toward(x, log_level, cap, bets):
    """Write the bets of one row, each from the examples before it and the number left.

    The capital against the end that is now predicted is recalculated, to second order, from sums of past bets; the next
    bet is the constant one that would earn what is missing. As the end is only predicted, some is always missing.
    """
    n = x.shape[0]
    total, squares = 0.5, 0.25
    b, bx, b2, b2x, b2x2 = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(n):
        t = i + 1.0
        variance = squares / t
        end = max(total / t - np.sqrt(2.0 * log_level * variance / n), 0.0)
        earned = bx - end * b - 0.5 * (b2x2 - 2.0 * end * b2x + end * end * b2)
        missing = max(log_level - earned, _MISSING * log_level)
        bet = np.sqrt(2.0 * missing / (variance * (n - i)))
        bets[i] = bet
        if end > 0.0:
            bet = min(bet, cap / end)
        b += bet
        bx += bet * x[i]
        b2 += bet * bet
        b2x += bet * bet * x[i]
        b2x2 += bet * bet * x[i] * x[i]
        total += x[i]
        gap = x[i] - total / (t + 1.0)
        squares += gap * gap


@_compiled
def _rejected_at(x, bets, m, cap, level):
    """Return after how many examples the capital against "the mean is m, or less" reaches `level`; n + 1 if never."""
    n = x.shape[0]
    limit = cap / m if m > 0.0 else np.inf
    capital, scale = 1.0, 0
    for i in range(n):
        capital *= 1.0 + min(bets[i], limit) * (x[i] - m)
        if capital < _TINY:
            capital *= _HUGE
            scale += 1
        elif scale == 0:
            if capital >= level:
                return i + 1
        elif capital >= _HUGE:
            capital *= _TINY
            scale -= 1
    return n + 1


@_compiled
def _largest_rejected(x, bets, cap, level):
    """Return the largest mean found to be rejected: never above the true end, 1e-10 of it below at most."""
    n = x.shape[0]
    if _rejected_at(x, bets, 0.0, cap, level) > n:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        if high - low <= 1e-10 * high:
            break
        middle = 0.5 * (low + high)
        if _rejected_at(x, bets, middle, cap, level) <= n:
            low = middle
        else:
            high = middle
    return low


@_compiled
def tightest_lower(rows, log_level, cap, out):
    """Write the lower betting end of every row (m, n) of losses in [0, 1]; one bisection each."""
    m, n = rows.shape
    bets = np.empty(n)
    for j in range(m):
        _plan_toward(rows[j], log_level[j], cap, bets)
        out[j] = _largest_rejected(rows[j], bets, cap, np.exp(log_level[j]) * (1.0 + 1e-12 + 2e-15 * n))


@_compiled
def lower_sequences(rows, log_level, cap, ratio, out):
    """Write the lower ends (m, n) after each example, rounded down to means at geometric distances.

    A mean m is rejected at a time that grows with m, so the ends of all times follow from the rejection times
    of a few means. Their distances from the average grow by `ratio`, and far means are rejected early: O(n) per
    row in all.
    """
    m, n = rows.shape
    bets = np.empty(n)
    for j in range(m):
        x = rows[j]
        level = np.exp(log_level[j]) * (1.0 + 1e-12 + 2e-15 * n)
        _plan_bets(x, log_level[j], bets)
        out[j, :] = 0.0
        last = _largest_rejected(x, bets, cap, level)
        if last <= 0.0:
            continue
        center = max(x.mean(), last)
        distance = max(center - last, 1e-6 * last)
        mean = last
        while mean > 0.0:
            when = _rejected_at(x, bets, mean, cap, level)
            if when <= n:
                out[j, when - 1] = max(out[j, when - 1], mean)
            distance *= ratio
            mean = center - distance
        for i in range(1, n):
            out[j, i] = max(out[j, i], out[j, i - 1])
