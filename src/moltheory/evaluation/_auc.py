r"""One minus the area under the ROC curve, from scores: a U-statistic of two samples, with an interval.

Let :math:`U = \frac{1}{n_1 n_0} \sum_{i, j} k(X_i, Y_j)` be the mean over all pairs of a positive and a negative of a
kernel in [0, 1], here whether the pair is ranked wrongly, with mean :math:`\theta`, and let m be the smaller of
:math:`n_1, n_0`. **Claim** (W. Hoeffding 1963, section 5b, doi 10.1080/01621459.1963.10500830):
:math:`P(U \ge \theta + t) \le \exp(-m\,kl(\theta + t, \theta))`. **Proof.** U is the average, over all ways to match the
smaller class to different members of the other, of means of m independent terms with mean :math:`\theta`. The
exponential is convex, so the moment generating function of mU is at most that of such a sum, hence at most that of a
binomial one, and Chernoff's bound follows. Bounded differences (C. McDiarmid 1989) have :math:`n_1 n_0 / (n_1 + n_0)`,
smaller than m by a factor from 1/2 to 1, and no kl.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, as_readonly, bools_in
from moltheory.errors import InvalidInputError
from moltheory.evaluation._tails import Tail
from moltheory.inference._kl import kl_inverse

__all__ = ["AUCError"]


class AUCError(Tail):
    """One minus the area under the ROC curve: the share of pairs of a positive and a negative that are ranked wrongly.

    A pair with equal scores counts half. The claims are conditional on the numbers of positives and negatives. There is no
    paired test: models are decided by their intervals.

    Parameters
    ----------
    losses : (n, H) array_like
        Score of each model for each example, finite: larger for positives. Scores of different models need not be on
        one scale.
    positive : (n,) array_like of bool
        Whether the example is positive; there must be some of each.

    Raises
    ------
    InvalidInputError
        If a score is missing, or there are not both classes.

    Notes
    -----
    Unlike other tails it is no functional of the scores alone, so that their order matters: the interval of a sample is
    from scores in the order of `positive`.

    Complexity: O(n log n) time and O(n) memory per model.

    References
    ----------
    The interval: W. Hoeffding (1963), doi 10.1080/01621459.1963.10500830, section 5b and theorem 1; delta / 2 a side.

    Examples
    --------
    >>> auc = AUCError([[0.9, 0.1], [0.4, 0.4], [0.2, 0.3], [0.6, 0.2]], [True, True, False, False])
    >>> auc.value(auc.losses[:, 0]), auc.value(auc.losses[:, 1])
    (0.25, 0.5)
    """

    default_range = (-math.inf, math.inf)
    value_range = (0.0, 1.0)

    def __init__(self, losses: npt.ArrayLike, positive: npt.ArrayLike) -> None:
        super().__init__(losses)
        if np.isnan(self.losses).any():
            raise InvalidInputError(
                "`losses` must hold the score of every model for every example, got NaN: leave such examples out."
            )
        marks = bools_in("positive", positive)
        if marks.dtype != np.bool_ or marks.shape != self.losses.shape[:1]:
            raise InvalidInputError(
                f"`positive` must be {self.losses.shape[0]} bools, got shape {marks.shape} of {marks.dtype}."
            )
        if marks.all() or not marks.any():
            raise InvalidInputError(
                f"`positive` must hold for some examples and not for others, got {int(marks.sum())} of {marks.size}."
            )
        self.positive = as_readonly(marks)

    def value(self, losses: FloatArray) -> float:
        """Return the share of pairs ranked wrongly by scores (n,) in the order of the examples; ties count half."""
        if losses.shape != self.positive.shape:
            raise InvalidInputError(
                f"`losses` must be one score for each of {self.positive.size} examples, got shape {losses.shape}."
            )
        high, low = losses[self.positive], np.sort(losses[~self.positive])
        above = low.size - np.searchsorted(low, high, side="right")
        not_below = low.size - np.searchsorted(low, high, side="left")
        # Half units, summed exactly.
        return float((int(above.sum()) + int(not_below.sum())) / (2 * high.size * low.size))

    def interval(self, losses: FloatArray, *, delta: float, loss_range: tuple[float, float]) -> tuple[float, float]:
        """Return the interval of Chernoff's bound for the smaller class; no range of the scores is needed."""
        found = self.value(losses)
        pairs = min(int(self.positive.sum()), int((~self.positive).sum()))
        budget = math.log(2.0 / delta) / pairs
        # Outward by more than the error of the inverse.
        low = float(kl_inverse(found, budget, side="lower")) * (1.0 - 1e-11)
        high = 1.0 - float(kl_inverse(found, budget, side="upper", complement=True)) * (1.0 - 1e-11)
        return low, min(high, 1.0)
