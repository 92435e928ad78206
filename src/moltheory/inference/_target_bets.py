r"""Bets recalculated toward a level fixed in advance: p-values of "the mean of a is at least that of b, plus a shift".

Unit t of a pair (a, b) has the gain :math:`g_t = e s_t - (x_{at} - x_{bt})`, with e the shift, :math:`s_t \in (0, 1]`
the size of the unit, and losses in :math:`[0, s_t]`. The hypothesis is :math:`E g_t \le 0`. A bettor starts with capital
1, stakes the share :math:`\lambda_t` on unit t, and has :math:`K_t = \prod_{i \le t} (1 + \lambda_i g_i)` after it.

*Claim.* If units are independent draws from one distribution and :math:`\lambda_t`, a function of
:math:`g_1, \dots, g_{t-1}` and of the numbers of units, lies in :math:`[0, .99 / (1 + \max(-e, 0))]`, then
:math:`1 / \max_t K_t` is a p-value: at most a with probability at most a, for every a.

*Proof.* Gains are at least :math:`-(1 + \max(-e, 0))`, so every factor is at least .01 and K is positive. Given the past,
:math:`\lambda_t` is a constant and unit t is a fresh draw: :math:`E(K_t \mid \text{past}) = K_{t-1} (1 + \lambda_t E g_t)
\le K_{t-1}`. A non-negative supermartingale that starts at 1 ever reaches 1/a with probability at most a (J. Ville 1939).
The order must not depend on the losses. A permutation fixed in advance keeps draws independent and identically
distributed; it is applied because a caller may have sorted units by content, which costs power only. Units that the pair
has not in common are left out; which these are is independent of the losses. (Derived; proof: slack-tests.)

The bet is the constant one that would lead from the present capital to the goal in the units left, if gains kept their
spread (STaR-Bets, V. Voracek and F. Orabona 2025, arXiv 2505.22422):

.. math:: \lambda_t = \sqrt{2 \log(\text{goal} / K_{t-1}) / \text{units left}} / \text{spread},

where the squared spread is the mean square of past gains and of one imagined gain of .6. Bets that past losses show to be
dangerous are cut: :math:`\lambda_t` times the largest loss so far is at most .8. Where the goal is reached, the next one is
ten times the capital, so that smaller p-values exist too.
"""

# The kernels are typed by numba.
# mypy: disallow_untyped_defs=False, check_untyped_defs=False, disallow_untyped_decorators=False

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from moltheory._core._numba import compiled
from moltheory._core._validation import FloatArray

__all__ = ["add_goal_capitals", "random_order", "target_p_values"]

# Largest bet on gains of at least -1, and the largest share of the capital lost if the largest loss so far comes again.
_CAP, _SAFE = 0.99, 0.8
# Smallest goal: there is something to aim at also where the level is 1.
_LEAST = 0.1
# Square of the imagined gain, and how far the next goal is from the one that is reached.
_PRIOR, _NEXT = 0.36, 2.302585092994046
# Units between two exact logarithms: .01^8 does not underflow. Pairs side by side, in vectors of any width.
_RUN, _SIDE, _LOAD = 8, 32, 64

_compiled = functools.partial(compiled, error_model="numpy")


def random_order(n: int) -> npt.NDArray[np.intp]:
    """Return a permutation of n units, random with respect to the losses and the same for equal n."""
    return np.random.default_rng(n).permutation(n)


def target_p_values(
    rows: FloatArray,
    first: npt.NDArray[np.intp],
    second: npt.NDArray[np.intp],
    log_levels: npt.ArrayLike,
    *,
    shift: float = 0.0,
    sizes: FloatArray | None = None,
) -> FloatArray:
    """Return p-values (K,) against "the mean of row a is at least that of row b, plus shift x mean size".

    Parameters
    ----------
    rows : (R, n) ndarray
        Values of units in an order that does not depend on them, NaN = none. Differences of two rows are in
        [-size, size]: a row may hold the negative of values in [-1/2, 1/2], for a test of a sum.
    first, second : (K,) ndarray of int
        Rows a and b of each pair.
    log_levels : float or (K,) array_like
        Logarithms of the inverses of the levels at which the bets aim, fixed in advance; the p-values are valid at
        every level.
    shift : float, default 0
    sizes : (n,) ndarray, optional
        In (0, 1]; by default all 1.

    Returns
    -------
    (K,) ndarray
        In (0, 1]; 1 where the observed means do not speak against the hypothesis.
    """
    n = rows.shape[1]
    rounding = n * 1e-15 + 1e-12
    goals = np.broadcast_to(np.maximum(np.asarray(log_levels, dtype=np.float64), _LEAST), first.shape) + 2.0 * rounding
    tops = np.empty(first.shape[0])
    add_goal_capitals(
        np.ascontiguousarray(rows, dtype=np.float64),
        np.ones(n) if sizes is None else np.ascontiguousarray(sizes, dtype=np.float64),
        float(shift),
        np.ascontiguousarray(goals),
        np.ascontiguousarray(first, dtype=np.intp),
        np.ascontiguousarray(second, dtype=np.intp),
        tops,
    )
    p: FloatArray = np.exp(np.minimum(rounding - tops, 0.0))
    return p


@_compiled
def _common(a, b, sizes, shift):
    """Return the number of units that two rows have in common, and the sum of their gains."""
    n = a.shape[0]
    if n < 8:
        # Without arrays, whose allocation would take most of the time of a few units.
        count, gains = 0.0, 0.0
        for t in range(n):
            gain = shift * sizes[t] - (a[t] - b[t])
            count += 1.0 if gain == gain else 0.0
            gains += gain if gain == gain else 0.0
        return count, gains
    common, total = np.zeros(8), np.zeros(8)
    for start in range(0, n - 7, 8):
        for j in range(8):
            gain = shift * sizes[start + j] - (a[start + j] - b[start + j])
            common[j] += 1.0 if gain == gain else 0.0
            total[j] += gain if gain == gain else 0.0
    for t in range(n - n % 8, n):
        gain = shift * sizes[t] - (a[t] - b[t])
        common[0] += 1.0 if gain == gain else 0.0
        total[0] += gain if gain == gain else 0.0
    return common.sum(), total.sum()


@_compiled
def _turn(a, b, sizes, shift, start, lane, gains):
    """Write the gains of one pair from unit `start` on into column `lane`, NaN where there is none."""
    n = a.shape[0]
    for j in range(min(_LOAD, n - start)):
        t = start + j
        gains[j, lane] = shift * sizes[t] - (a[t] - b[t])
    # As far as the runs go.
    for j in range(max(n - start, 0), min(_LOAD, n - start + _RUN)):
        gains[j, lane] = np.nan


@_compiled
def _run(gains, at, cap, state):
    """Advance all lanes by `_RUN` units; `state` holds one row per quantity."""
    left, seen, squares, worst, goal = state[0], state[1], state[2], state[3], state[4]
    exact, about, most, product, largest, top = state[5], state[6], state[7], state[8], state[9], state[10]
    product[:] = 1.0
    largest[:] = 1.0
    for j in range(at, at + _RUN):
        for lane in range(_SIDE):
            gain = gains[j, lane]
            there = 1.0 if gain == gain else 0.0
            gain = gain if gain == gain else 0.0
            missing = goal[lane] - about[lane]
            bet = np.sqrt(2.0 * missing * seen[lane] / (max(left[lane], 1.0) * squares[lane]))
            change = min(bet, most[lane]) * gain
            product[lane] *= 1.0 + change
            largest[lane] = max(largest[lane], product[lane])
            # Three terms of the logarithm do for the next bets, until the exact one below.
            now = about[lane] + change * (1.0 - change * (0.5 - change * (1.0 / 3.0)))
            about[lane] = now
            goal[lane] = now + _NEXT if now >= goal[lane] else goal[lane]
            squares[lane] += gain * gain
            seen[lane] += there
            left[lane] -= there
            worst[lane] = max(worst[lane], -gain)
    for lane in range(_SIDE):
        if largest[lane] > 1.0:
            top[lane] = max(top[lane], exact[lane] + np.log(largest[lane]))
        exact[lane] += np.log(product[lane])
        about[lane] = exact[lane]
        if exact[lane] >= goal[lane]:
            goal[lane] = exact[lane] + _NEXT
        most[lane] = min(cap, _SAFE / worst[lane]) if worst[lane] > 0.0 else cap


@_compiled
def add_goal_capitals(rows, sizes, shift, goals, first, second, tops):
    """Write to `tops` (K,) the largest logarithm of the capital of each pair, 0 at least."""
    n = rows.shape[1]
    cap = _CAP / (1.0 + max(-shift, 0.0))
    gains, state = np.empty((_LOAD, _SIDE)), np.empty((11, _SIDE))
    chosen = np.empty(_SIDE, np.int64)
    pair = 0
    while pair < first.shape[0]:
        state[:] = 0.0
        state[1], state[2], state[4], state[7] = 1.0, _PRIOR, 1.0, cap
        gains[:] = 0.0
        # The next pairs for which the sum of gains is positive.
        count = 0
        while pair < first.shape[0] and count < _SIDE:
            common, total = _common(rows[first[pair]], rows[second[pair]], sizes, shift)
            tops[pair] = 0.0
            if total > 0.0:
                chosen[count], state[0, count], state[4, count] = pair, common, goals[pair]
                count += 1
            pair += 1
        for start in range(0, n, _LOAD):
            for lane in range(count):
                k = chosen[lane]
                _turn(rows[first[k]], rows[second[k]], sizes, shift, start, lane, gains)
            for at in range(0, min(_LOAD, n - start), _RUN):
                _run(gains, at, cap, state)
        for lane in range(count):
            tops[chosen[lane]] = state[10, lane]
