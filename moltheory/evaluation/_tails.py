"""Tail risks: functionals of the distribution of each model's losses that no finite number of means determines.

A tail is estimated and bounded model by model, from the losses themselves. No paired test applies, so certificates
decide it by boxes. Each class defines its own interval; `moltheory.testing.check_measure` tests its level by
simulation.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt

from moltheory._core._declared import check_together
from moltheory._core._validation import FloatArray, as_readonly, check_fraction, real_array
from moltheory.errors import InvalidInputError
from moltheory.inference._binomial_tails import lower_tails, upper_tails
from moltheory.objectives import Cell

__all__ = ["CVaR", "Quantile", "Tail", "check_tail"]


class Tail(ABC):
    """A functional of the distribution of each model's losses, with a confidence interval from an i.i.d. sample.

    A subclass of your own defines `value` and `interval` together, in one class, for the losses of one model.

    Parameters
    ----------
    losses : (n, H) array_like
        Finite losses of each model on each example.
    """

    def __init__(self, losses: npt.ArrayLike) -> None:
        self.losses: FloatArray = as_readonly(real_array("losses", losses, shape="(n, H)", min_ndim=2, max_ndim=2))

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The losses as one cell over all examples, as measures have them."""
        return (Cell(self.losses, np.ones(self.losses.shape[0], dtype=np.bool_)),)

    @abstractmethod
    def value(self, losses: FloatArray) -> float:
        """Return the functional of the empirical distribution of losses (n,)."""

    @abstractmethod
    def interval(self, losses: FloatArray, *, delta: float, loss_range: tuple[float, float]) -> tuple[float, float]:
        """Return an interval that misses the functional of the population with probability at most `delta`."""


class CVaR(Tail):
    r"""Conditional value at risk: mean of the worst share of the losses.

    Of losses X with distribution function F and a share :math:`\alpha`, it is
    :math:`\min_v v + E[(X - v)^+] / \alpha`, the mean of the largest losses that have probability :math:`\alpha`.

    Parameters
    ----------
    losses : (n, H) array_like
        Finite.
    share : float, default 0.1
        Share of the worst losses, in (0, 1).

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

    def __init__(self, losses: npt.ArrayLike, *, share: float = 0.1) -> None:
        super().__init__(losses)
        self.share = check_fraction("share", share)

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
    """Quantile of the losses, such as a median or a 95th percentile: the smallest v with P(X <= v) >= p.

    Parameters
    ----------
    losses : (n, H) array_like
        Finite.
    probability : float, default 0.95
        Probability p, in (0, 1).

    References
    ----------
    Interval between order statistics: W. R. Thompson (1936), doi 10.1214/aoms/1177732502; exact binomial ranks,
    delta / 2 a side; valid for any distribution, with atoms too.

    Examples
    --------
    >>> tail = Quantile([[0.1], [0.2], [0.3], [0.9]], probability=0.5)
    >>> tail.value(tail.losses[:, 0])
    0.2
    """

    def __init__(self, losses: npt.ArrayLike, *, probability: float = 0.95) -> None:
        super().__init__(losses)
        self.probability = check_fraction("probability", probability)

    def value(self, losses: FloatArray) -> float:
        """Return the quantile of the empirical distribution."""
        rank = max(math.ceil(self.probability * losses.size - 1e-9), 1)
        return float(np.sort(losses)[rank - 1])

    def interval(self, losses: FloatArray, *, delta: float, loss_range: tuple[float, float]) -> tuple[float, float]:
        """Return two order statistics, or ends of the range if there are too few losses."""
        ordered = np.sort(losses)
        ranks = np.arange(losses.size, dtype=np.float64)
        # With F the distribution function: the k-th smallest loss exceeds v if at most k - 1 are <= v, F(v) >= p; it is
        # below v if at least k are < v, F(v-) <= p.
        low = np.flatnonzero(lower_tails(ranks, losses.size, self.probability) <= delta / 2.0)
        high = np.flatnonzero(upper_tails(ranks, losses.size, self.probability) <= delta / 2.0)
        return (
            float(ordered[low[-1]]) if low.size else loss_range[0],
            float(ordered[high[0]]) if high.size else loss_range[1],
        )


def check_tail(argument: str, tail: Tail) -> None:
    """Refuse a tail whose value and interval are not defined together, or that holds no losses.

    Raises
    ------
    InvalidInputError
    """
    check_together(argument, "tails", tail, ("value", "interval"))
    losses = getattr(tail, "losses", None)
    if (
        not isinstance(losses, np.ndarray)
        or losses.ndim != 2
        or losses.dtype != np.float64
        or not np.isfinite(losses).all()
    ):
        raise InvalidInputError(
            f"`{argument}` must hold tails with finite losses (n, H), got none in {type(tail).__name__}: pass them to "
            "`Tail.__init__`."
        )
