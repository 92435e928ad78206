r"""P-values of 0/1 losses with a shift e, from the counts of disagreements alone.

*Berger-Boos McNemar.* Given m disagreements, only a errs in a share of at least :math:`1/2 + e / (2 q)` of them under the
hypothesis, where q is the probability of a disagreement; q is replaced by the end of a Clopper-Pearson interval for it
that makes this share smallest, whose failure probability, fixed in advance, is added (R. L. Berger and D. D. Boos 1994,
doi 10.1080/01621459.1994.10476836).

*Constant bets.* :math:`K = \mathrm{mean}_\lambda \prod_t (1 + \lambda (e - d_t))` over fixed
:math:`0 \le \lambda < 1`, with :math:`d_t \in \{-1, 0, 1\}` the difference on unit t, is non-negative with mean at most 1
under the hypothesis :math:`E d \ge e`, so 1/K is a p-value (Markov's inequality). It depends on counts only. Derived (proof:
slack-tests).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.bounds import binomial_interval
from moltheory.inference._binomial_tails import lower_tails

__all__ = ["Outcomes", "count_bets", "favored", "planned_bets", "slack_mcnemar"]

# Numbers of common examples, and of those on which only the first, only the second errs.
Outcomes = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]

# Number of constant bets in a mixture, the ratio of neighbors, and the largest.
_BETS = 8
_RATIO = 1.5
_CAP = 0.99
# Share of the level of one pair that goes to the probability to disagree.
_NUISANCE = 0.05


def favored(outcomes: Outcomes, shift: float) -> npt.NDArray[np.bool_]:
    """Return for which pairs the means speak against the hypothesis.

    For all others both p-values are 1: no product of bets exceeds 1 (log(1 + x) <= x), and the number of errors of the
    row's model is at least the mean of the binomial one, hence its median.
    """
    common, first, second = outcomes
    return np.asarray(second - first + shift * common > 0.0)


def slack_mcnemar(outcomes: Outcomes, shift: float, log_level: float) -> FloatArray:
    """Return p-values by McNemar's test with a tolerance; `log_level` is log(1/level) for which they are planned."""
    common, first, second = outcomes
    total, common = first + second, np.maximum(common, 1)
    spent = _NUISANCE * np.exp(-log_level)
    side = "upper" if shift > 0.0 else "lower"
    interval = binomial_interval(total, _one_if_equal(common), delta=spent, side=side)
    ends = interval.upper if shift > 0.0 else np.maximum(interval.lower, 1e-300)
    share = np.clip(0.5 + 0.5 * shift / ends, 0.0, 1.0)
    tail = lower_tails(first, np.maximum(total, 1), share)
    return np.where(total > 0, np.minimum(tail + spent, 1.0), 1.0)


def _one_if_equal(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return one number for all if they are equal, for which intervals of equal counts are computed once."""
    return counts.ravel()[:1] if counts.min() == counts.max() else counts


def count_bets(outcomes: Outcomes, n_units: int, shift: float, log_level: float) -> FloatArray:
    """Return p-values by a mixture of constant bets, planned for the same level."""
    bets = planned_bets(n_units, log_level, shift)
    common, first, second = outcomes
    ties = common - first - second
    logs = (
        first[..., None] * np.log1p(bets * (shift - 1.0))
        + second[..., None] * np.log1p(bets * (shift + 1.0))
        + ties[..., None] * np.log1p(bets * shift)
    )
    log_capital = np.logaddexp.reduce(logs, axis=-1) - np.log(_BETS)
    # Increased by the possible rounding of as many factors.
    p: FloatArray = np.exp(np.minimum(-log_capital + n_units * 4e-16 + 1e-12, 0.0))
    return p


def planned_bets(n: int, log_level: float, shift: float) -> FloatArray:
    """Return constant bets suited to differences of standard deviation 1, 2/3, 4/9, ... at a level, capped.

    ``sqrt(2 log(1/level) / n) / deviation`` is the best bet against a mean difference that is just large enough.
    """
    bets = np.sqrt(2.0 * log_level / n) * _RATIO ** np.arange(_BETS)
    capped: FloatArray = np.minimum(bets, _CAP / (1.0 + max(-shift, 0.0)))
    return capped
