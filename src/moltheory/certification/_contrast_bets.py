"""Compiled kernel of bets on contrasts, recalculated toward a target; on which contrast to bet is chosen as they go.

Loaded on demand only (numba takes about half a second to import); cached on disk, no interpreter lock held.
"""

# The kernels are typed by numba.
# mypy: disallow_untyped_defs=False, check_untyped_defs=False, disallow_untyped_decorators=False

from __future__ import annotations

import functools

import numpy as np

from moltheory._core._numba import compiled

__all__ = ["log_capitals"]

# Largest share of the capital at stake in one bet, for gains of at least -1.
_CAP = 0.9
# Squared gain that stands for the units before the first.
_PRIOR = 0.0625
# Targets reached before bets end: the first, its square, and the square of that.
_TARGETS = 3
# Log capital below which the other forms of the pair are not tried: its p-value is taken to be 1.
_HOPELESS = 0.7

_compiled = functools.partial(compiled, error_model="numpy")


@_compiled
def _evaluate(units, model, forms, offsets, out):
    """Write the forms (T, J) of a model's units."""
    for t in range(out.shape[0]):
        for j in range(forms.shape[0]):
            total = offsets[j]
            for c in range(forms.shape[1]):
                total += forms[j, c] * units[c, model, t]
            out[t, j] = total


@_compiled
def _log_capital(lower, k, higher, shift, goal, sums, squares):
    """Return the largest log capital of bets that form k of one model is below the largest form of the other."""
    n, width = higher.shape
    sums[:] = 0.0
    squares[:] = _PRIOR
    log_capital, top, target, side, reached = 0.0, 0.0, goal, k, 0
    for t in range(n):
        mine = lower[t, k] - shift
        # All of this is known before unit t: the bet that would reach the target in the units left, at the spread so far.
        bet = np.sqrt(2.0 * max(target - log_capital, 0.0) * (t + 1.0) / ((n - t) * squares[side]))
        log_capital += np.log1p(min(bet, _CAP) * (higher[t, side] - mine))
        top = max(top, log_capital)
        if log_capital >= target:
            target *= 2.0
            reached += 1
            if reached == _TARGETS:
                break
        best = -np.inf
        for j in range(width):
            gain = higher[t, j] - mine
            sums[j] += gain
            squares[j] += gain * gain
            score = sums[j] * abs(sums[j]) / squares[j]
            if score > best:
                best, side = score, j
    return top


@_compiled
def log_capitals(units, forms, offsets, shift, first, second, goals, out):
    """Write to `out` (P,), for pairs (a, b), the smallest over k of the largest log capital of `_log_capital`.

    `units` is (C, M, T), `forms` (J, C) and `offsets` (J,), scaled so that gains lie in [-1, 1]; `goals` (P,) > 0.
    """
    n, width = units.shape[2], forms.shape[0]
    lower, higher = np.empty((n, width)), np.empty((n, width))
    sums, squares = np.empty(width), np.empty(width)
    last = -1
    for pair in range(first.shape[0]):
        if second[pair] != last:
            last = second[pair]
            _evaluate(units, last, forms, offsets, higher)
        _evaluate(units, first[pair], forms, offsets, lower)
        least = np.inf
        for k in range(width):
            least = min(least, _log_capital(lower, k, higher, shift, goals[pair], sums, squares))
            if least < _HOPELESS:
                least = 0.0
                break
        out[pair] = least
