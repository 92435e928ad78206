"""Tail risks: functionals of the distribution of each model's losses that no finite number of means determines.

A tail is estimated and bounded model by model, from the losses themselves. Each class defines its own interval;
`moltheory.testing.check_measure` tests its level by simulation. A tail without paired tests is decided by boxes.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt

from moltheory._core._declared import check_together, stands
from moltheory._core._html_repr import Shown
from moltheory._core._validation import FloatArray, as_readonly, check_fraction, check_real
from moltheory.errors import InvalidInputError
from moltheory.evaluation._order_statistics import fewest, most, sample_rank
from moltheory.evaluation._quantile_tests import quantile_p_values
from moltheory.evaluation._requests import capped, request_values
from moltheory.objectives import Cell

__all__ = ["CVaR", "Quantile", "Tail", "check_tail", "has_own_test"]


class Tail(Shown, ABC):
    """A functional of the distribution of each model's losses, with a confidence interval from an i.i.d. sample.

    A subclass of your own defines `value` and `interval` together, in one class, for the losses of one model. If it has
    a paired test too, `paired_p_values` is defined in that class or below.

    Parameters
    ----------
    losses : (n, H) array_like
        Losses of each model on each example; NaN = not measured, which is assumed to be independent of the losses.

    Attributes
    ----------
    losses : (n, H) ndarray
        Read-only.
    default_range : (float, float) or None
        Range of the losses where none is stated; infinite ends if the interval needs none. None for (0, 1).
    value_range : (float, float) or None
        Range of the functional where it is not that of the losses.
    test_name : str
        Name of the paired test.
    """

    default_range: tuple[float, float] | None = None
    value_range: tuple[float, float] | None = None
    test_name: str = ""

    def __init__(self, losses: npt.ArrayLike) -> None:
        self.losses: FloatArray = as_readonly(request_values("losses", losses))

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The losses as one cell over all examples, as measures have them."""
        return (Cell(self.losses, np.ones(self.losses.shape[0], dtype=np.bool_)),)

    @abstractmethod
    def value(self, losses: FloatArray) -> float:
        """Return the functional of the empirical distribution of losses (n,), none of them missing."""

    @abstractmethod
    def interval(self, losses: FloatArray, *, delta: float, loss_range: tuple[float, float]) -> tuple[float, float]:
        """Return an interval that misses the functional of the population with probability at most `delta`."""

    def paired_p_values(self, shift: float) -> FloatArray | None:
        """Return p-values (H, H) on common examples, None if there is no paired test.

        Entry [a, b] is a p-value of "the functional of a is at least that of b plus the shift": small if a is better.
        """
        return None


class CVaR(Tail):
    r"""Conditional value at risk: mean of the worst share of the losses.

    Of losses X with distribution function F and a share :math:`\alpha`, it is
    :math:`\min_v v + E[(X - v)^+] / \alpha`, the mean of the largest losses that have probability :math:`\alpha`.

    Parameters
    ----------
    losses : (n, H) array_like
        NaN = not measured.
    share : float, default 0.1
        Share of the worst losses, in (0, 1).
    cap : float, optional
        Larger losses count as this: **the CVaR is then that of min(loss, cap)**, and the range of the losses, unless one
        is stated, is from `smallest` to `cap`. The interval needs a range, so that unbounded losses need a cap.
    smallest : float, default 0
        Smallest possible loss, fixed before the data; used with a cap.

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule, or a loss is below the smallest possible one.

    Notes
    -----
    Complexity: O(n log n) time and O(n) memory per model.

    References
    ----------
    R. T. Rockafellar and S. Uryasev (2000), doi 10.21314/JOR.2000.038; the interval: P. S. Thomas and E. Learned-Miller
    (2019), "Concentration inequalities for conditional value at risk", ICML, theorems 3 and 4, from the one-sided
    Dvoretzky-Kiefer-Wolfowitz inequality (P. Massart 1990, doi 10.1214/aop/1176990746), delta / 2 a side.

    Examples
    --------
    >>> tail = CVaR([[0.0], [0.2], [0.4], [1.0]], share=0.5)
    >>> tail.value(tail.losses[:, 0])
    0.7
    """

    def __init__(
        self, losses: npt.ArrayLike, *, share: float = 0.1, cap: float | None = None, smallest: float = 0.0
    ) -> None:
        super().__init__(losses)
        self.share = check_fraction("share", share)
        if cap is not None:
            self.losses = as_readonly(capped("losses", self.losses, cap, smallest))
            self.default_range = (check_real("smallest", smallest), check_real("cap", cap))

    def value(self, losses: FloatArray) -> float:
        """Return the mean of the worst share of the losses; the loss at its boundary counts in part."""
        ordered = np.sort(losses)
        return float(self._integral(ordered, np.arange(1, ordered.size) / ordered.size, ordered[-1]))

    def interval(self, losses: FloatArray, *, delta: float, loss_range: tuple[float, float]) -> tuple[float, float]:
        """Return the range of CVaR over all distribution functions between the two one-sided bands."""
        low, high = loss_range
        n = losses.size
        band = math.sqrt(math.log(2.0 / delta) / (2.0 * n))
        ordered = np.sort(losses)
        ranks = np.arange(n + 1) / n
        upper = self._integral(np.append(ordered, high), np.maximum(ranks[1:] - band, 0.0), high)
        below = self._integral(np.concatenate([[low], ordered]), np.minimum(ranks[:-1] + band, 1.0), ordered[-1])
        return max(float(below), low), min(float(upper), high)

    def _integral(self, points: FloatArray, cdf: FloatArray, top: float) -> float:
        """Return the CVaR of the distribution function that is `cdf` between the sorted points and 1 from `top` on."""
        return float(top - np.maximum(cdf - (1.0 - self.share), 0.0) @ np.diff(points) / self.share)


class Quantile(Tail):
    r"""Quantile of the losses, such as a median or a 95th percentile: the smallest v with P(X <= v) >= p.

    It needs no range, and is the usual summary of a latency, of numbers of tokens or of prices per request. Columns of a
    table become quantiles by `LossTable.with_objectives`.

    Parameters
    ----------
    losses : (n, H) array_like
        Value of each model on each request, such as seconds; NaN = not measured. A request that was given up is larger
        than its time limit: give the limit, which changes no quantile below it.
    probability : float, default 0.95
        Probability p, in (0, 1).

    Notes
    -----
    The interval lies between two order statistics, at ranks from the exact binomial distribution, delta / 2 a side; it
    is valid for any law, with atoms and with any tail. The upper end is infinite, or the end of the range where one was
    stated, if no loss exceeds the quantile often enough: :math:`p^n > \delta / 2`. `examples_needed` returns the n from
    which both ends are finite.

    Two models are compared on the examples that both were measured on, without a range: see
    `moltheory.evaluation._quantile_tests`. Paired noise, such as long prompts that are slow for every model, cancels.

    Complexity: O(n log n) time and O(n) memory per model for value and interval. Paired tests: see
    `moltheory.evaluation._quantile_tests`.

    References
    ----------
    Interval between order statistics: W. R. Thompson (1936), doi 10.1214/aoms/1177732502. Paired test:
    derived (proof: quantile-tests).

    Examples
    --------
    >>> import moltheory as mt
    >>> seconds = np.random.default_rng(0).lognormal([0.0, 0.8, 1.0], size=(500, 3))  # of three models
    >>> mt.certify(None, objectives={"p95": Quantile(seconds, 0.95)}, costs={"price": [2, 1, 3]}, names=["a", "b", "c"])
    Certificate at confidence 0.95 from 500 examples: 3 models, objectives p95, price
      on the front (2): a, b
      not on the front (1): c (dominated by a)
      cannot tell yet (0): none

    One interval by itself:

    >>> tail = Quantile([[0.1], [0.2], [0.3], [0.9]], 0.5)
    >>> tail.value(tail.losses[:, 0]), tail.interval(tail.losses[:, 0], delta=0.2, loss_range=(0.0, np.inf))
    (0.2, (0.1, 0.9))
    >>> Quantile([[0.1]], 0.99).examples_needed(delta=0.01)
    528
    """

    default_range = (-math.inf, math.inf)
    test_name = "order statistics and exact McNemar at a common threshold"

    def __init__(self, losses: npt.ArrayLike, probability: float = 0.95) -> None:
        super().__init__(losses)
        self.probability = check_fraction("probability", probability)

    def value(self, losses: FloatArray) -> float:
        """Return the quantile of the empirical distribution."""
        return float(np.sort(losses)[sample_rank(losses.size, self.probability) - 1])

    def interval(self, losses: FloatArray, *, delta: float, loss_range: tuple[float, float]) -> tuple[float, float]:
        """Return two order statistics, or ends of the range if there are too few losses."""
        ordered, n = np.sort(losses), losses.size
        # With F the distribution function: the k-th smallest loss exceeds v if at most k - 1 are <= v, F(v) >= p; it is
        # below v if at least k are < v, F(v-) <= p.
        low = most(n, self.probability, delta / 2.0)
        high = fewest(n, self.probability, delta / 2.0)
        return (
            float(ordered[low]) if low >= 0 else loss_range[0],
            float(ordered[high - 1]) if high <= n else loss_range[1],
        )

    def paired_p_values(self, shift: float) -> FloatArray:
        """Return p-values (H, H) by order statistics and McNemar's test at a common threshold."""
        return quantile_p_values(self.losses, self.probability, shift)

    def examples_needed(self, delta: float) -> int:
        """Return the smallest number of examples for which both ends of the interval are finite, at `delta` per interval.

        Parameters
        ----------
        delta : float
            Failure probability of the one interval; of several, that of all divided by their number.
        """
        level = math.log(check_fraction("delta", delta) / 2.0)
        largest = max(math.log(self.probability), math.log1p(-self.probability))
        return max(math.ceil(level / largest), 1)


def has_own_test(tail: Tail) -> bool:
    """Return whether a tail has a paired test of its own value: one defined where value and interval are, or below."""
    kind = type(tail)
    defined = kind.paired_p_values is not Tail.paired_p_values and "paired_p_values" not in vars(tail)
    return defined and stands(kind, "paired_p_values", "value", "interval")


def check_tail(argument: str, tail: Tail) -> None:
    """Refuse a tail whose value and interval are not defined together, or that holds no losses.

    Raises
    ------
    InvalidInputError
    """
    check_together(argument, "tails", tail, ("value", "interval"))
    losses = getattr(tail, "losses", None)
    if not isinstance(losses, np.ndarray) or losses.ndim != 2 or losses.dtype != np.float64 or np.isinf(losses).any():
        raise InvalidInputError(
            f"`{argument}` must hold tails with finite losses (n, H), got none in {type(tail).__name__}: pass them to "
            "`Tail.__init__`."
        )
    never = np.flatnonzero(np.isnan(losses).all(axis=0))
    if never.size:
        raise InvalidInputError(
            f"`{argument}` must hold tails that measure every model on some example, got none in column {never[0]} of "
            f"{type(tail).__name__}."
        )
