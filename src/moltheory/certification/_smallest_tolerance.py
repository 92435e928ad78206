r"""The smallest tolerance within which a model is certainly on the front, for all models at once.

Let :math:`T_h \ge 0` be the largest t such that some model dominates h by t times the units u: a model with
:math:`L_i(b) + t u_i \le L_i(h)` in every objective (u_i = 0 in known costs). Then a Pareto-optimal b* does so as well, and
is neither certainly dominated nor excluded as a dominator by the known costs.

For every pair and tested objective, :math:`U_i(h, b)` is an upper confidence limit of :math:`L_i(h) - L_i(b)` at level
:math:`V / (M N)`, for N tested objectives and M models with a rival, one that the known costs allow. The tolerance given is

.. math:: \hat t_h = \max_b \min_i U_i(h, b) / u_i.

If :math:`\hat t_h < T_h`, then for b* in some objective :math:`U_i < T_h u_i \le L_i(h) - L_i(b^*)`: one of N limits of one
pair fails, which has probability at most V / M. So all :math:`\hat t_h` hold at once with probability 1 - V, beside the
shares of delta for the dominances that are used. (Derived; proof: smallest-tolerance.)

Limits of 0/1 losses invert tests in a fixed sequence (A. Maurer, L. A. Hothorn and W. Lehmacher 1995): the hypotheses
":math:`L(h) - L(b) \ge s`" for s = 1, 1023/1024, ..., 0 are nested, each is tested at the same level until one is not
refused, and an error requires the rejection of the first true one. For s > 0 the test is McNemar's with s, as in
`_p_values` (R. L. Berger and D. D. Boos 1994): its p-value decreases with s, so bisection finds the end of the sequence;
for s = 0 it is McNemar's. Other losses have limits by empirical Bernstein (A. Maurer and M. Pontil 2009).
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_choice
from moltheory.bounds import binomial_interval
from moltheory.certification._distinct import of_distinct
from moltheory.certification._memory import require_pairs
from moltheory.certification._row_blocks import row_blocks
from moltheory.errors import InvalidInputError
from moltheory.inference._binomial_tails import lower_tails
from moltheory.inference._paired import mcnemar_tails
from moltheory.inference._pairs import PairCounts

if TYPE_CHECKING:
    from moltheory.certification._certificate import Certificate
    from moltheory.certification._statistics import Moments, PairStatistics

__all__ = ["counted_objectives", "smallest_tolerance", "upper_limits"]

_STEPS = 1024
# Share of the level that goes to the probability to disagree.
_NUISANCE = 0.05


def smallest_tolerance(certificate: Certificate, statistics: PairStatistics, objective: str | None) -> FloatArray:
    """Return `Certificate.smallest_tolerance`."""
    chosen = None if objective is None else check_choice("objective", objective, certificate.objectives)
    if certificate.engine != "exact":
        raise InvalidInputError("`certificate` must come from the exact engine, got the asymptotic one.")
    if not statistics.shares.tested:
        raise InvalidInputError(
            "`certificate` must have paired tests, got method 'boxes', which spends delta on boxes."
        )
    means = [i for i, entry in enumerate(statistics.objectives) if _is_mean(statistics, i) and entry.testable]
    wanted = means if chosen is None else [i for i in means if certificate.objectives[i] == chosen]
    if not wanted:
        raise InvalidInputError(
            f"`objective` must be a mean of losses with a paired test, of examples or of clusters of equal weight, got "
            f"{'none' if chosen is None else repr(chosen)}."
        )
    n_models = len(certificate)
    require_pairs(26, n_models, "certificate", block=64)
    values = certificate.estimates * np.where(certificate.maximise, -1.0, 1.0)
    # [h, b]: b may dominate h, by the known costs and as b is not certainly dominated.
    open_pairs = ~np.eye(n_models, dtype=np.bool_) & ~certificate.dominates.any(axis=0)
    off = ~np.eye(n_models, dtype=np.bool_)
    for i in np.flatnonzero(~certificate.data_dependent).tolist():
        moved = 0.0 if chosen is None else float(certificate.epsilon[i])
        open_pairs &= values[None, :, i] + moved <= values[:, None, i]
        off &= values[None, :, i] <= values[:, None, i]
    with_rival = int(np.count_nonzero(off.any(axis=1)))
    level = statistics.shares.verdicts / (max(with_rival, 1) * len(means))
    least = np.full((n_models, n_models), np.inf)
    for i in means:
        column = statistics.columns[statistics.objectives[i].columns[0]]
        limits = upper_limits(statistics, i, level, down=certificate.maximise[i], wanted=open_pairs)
        if chosen is None:
            np.minimum(least, np.maximum(limits, 0.0), out=least)
        elif i in wanted:
            np.minimum(least, np.maximum(limits, 0.0) * column.span, out=least)
        else:
            # The other objectives keep their tolerance: a limit below it, or below 0, suffices.
            least[limits * column.span < certificate.epsilon[i]] = 0.0
            least[limits < 0.0] = 0.0
    found: FloatArray = np.max(least, axis=1, initial=0.0, where=open_pairs)
    return found


def counted_objectives(certificate: Certificate) -> list[str]:
    """Return the objectives that smallest tolerances are about: means with a paired test."""
    statistics: PairStatistics = certificate._statistics  # type: ignore[attr-defined]
    entries = zip(certificate.objectives, statistics.objectives, strict=True)
    return [name for i, (name, entry) in enumerate(entries) if _is_mean(statistics, i) and entry.testable]


def upper_limits(
    statistics: PairStatistics, i: int, level: float, *, down: bool = False, wanted: npt.NDArray[np.bool_] | None = None
) -> FloatArray:
    """Return upper confidence limits (M, M) of L(h) - L(b), scaled to the range, each at a level; below 0 only as -1.

    Parameters
    ----------
    statistics : PairStatistics
    i : int
        Objective.
    level : float
    down : bool
        Whether the objective is maximised: limits of L(b) - L(h).
    wanted : (M, M) ndarray of bool, optional
        Pairs whose limits are wanted; the others may be infinite.
    """
    number = statistics.objectives[i].columns[0]
    summary, column = statistics.summaries[number], statistics.columns[number]
    kept, spent = column.kept_level(-math.log(level))
    reduced = kept * (level - spent)
    n_models = summary.n_models if isinstance(summary, PairCounts) else summary.sizes.size
    found = np.full((n_models, n_models), np.inf)
    for models in row_blocks(n_models):
        if isinstance(summary, PairCounts):
            common, first, second = summary.outcomes(models)
            if down:
                first, second = second, first
            chosen = np.ones(common.shape, np.bool_) if wanted is None else wanted[models]
            limits = functools.partial(_limits_of_counts, level=reduced)
            found[models][chosen] = of_distinct(limits, common[chosen], first[chosen], second[chosen])
        else:
            found[models] = _limits_of_moments(summary, models, reduced, down=down)
    return found


def _limits_of_counts(
    common: npt.NDArray[np.int64], first: npt.NDArray[np.int64], second: npt.NDArray[np.int64], level: float
) -> FloatArray:
    total, spent = first + second, _NUISANCE * level
    most = np.ones(common.shape)
    seen = common > 0
    most[seen] = binomial_interval(total[seen], common[seen], delta=spent, side="upper").upper
    # The smallest number k of steps that is refused; all larger ones are.
    low, high = np.zeros(common.shape, np.int64), np.full(common.shape, _STEPS + 1)
    while (high - low > 1).any():
        middle = (low + high) // 2
        step = middle / _STEPS
        share = np.clip(0.5 + 0.5 * step / most, 0.0, 1.0)
        tail = np.where(step > most, 0.0, lower_tails(first, np.maximum(total, 1), share))
        # Without a disagreement nothing but its probability is known.
        tail = np.where((total == 0) & (step <= most), 1.0, tail)
        refused = (tail + spent <= level) & seen & (middle <= _STEPS)
        high, low = np.where(refused, middle, high), np.where(refused, low, middle)
    limits = np.where(high > _STEPS, np.inf, high / _STEPS)
    limits[(high == 1) & (mcnemar_tails(first, second) <= level)] = -1.0
    return limits


def _limits_of_moments(moments: Moments, models: slice, level: float, *, down: bool) -> FloatArray:
    common, total, squares, rounding = moments.pairs.differences(models)
    n = np.maximum(common.astype(np.float64), 2.0)
    mean = (-total if down else total) / n
    variance = np.maximum(squares + rounding - total**2 / n, 0.0) / (n - 1.0)
    budget = math.log(2.0 / level)
    # Differences lie in an interval of length 2.
    limit = mean + np.sqrt(2.0 * variance * budget / n) + 14.0 * budget / (3.0 * (n - 1.0)) + 1e-13
    steps = np.ceil(limit * _STEPS) / _STEPS
    return np.where((common < 2) | (limit > 1.0), np.inf, np.where(limit < 0.0, -1.0, steps))


def _is_mean(statistics: PairStatistics, i: int) -> bool:
    objective = statistics.objectives[i]
    if len(objective.columns) != 1 or objective.measure is not None:
        return False
    column = statistics.columns[objective.columns[0]]
    return column.equal_cluster_sizes and column.bounded
