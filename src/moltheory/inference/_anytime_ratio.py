"""A confidence sequence of a ratio of means, E T / E S: the mean over examples from clusters of unequal sizes."""

from __future__ import annotations

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.inference._anytime import _BISECTIONS, _MEAN_BETS

__all__ = ["RatioSums", "ratio_ends"]


class RatioSums:
    """Sums over clusters of which every entry is a number of models (M,): those on which the model was evaluated.

    With t in [0, q] the total loss and q in (0, 1] the size of a cluster, both over the largest size: the number of
    clusters, and sums of q, q^2, t, t^2 and t q.
    """

    def __init__(self, n: FloatArray, q: FloatArray, q2: FloatArray, t: FloatArray, t2: FloatArray, tq: FloatArray):
        self.n, self.q, self.q2, self.t, self.t2, self.tq = n, q, q2, t, t2, tq

    def of_complements(self) -> RatioSums:
        """Return the sums of q - t in place of t."""
        t2 = self.q2 - 2.0 * self.tq + self.t2
        return RatioSums(self.n, self.q, self.q2, self.q - self.t, t2, self.q2 - self.tq)


def ratio_ends(sums: RatioSums, log_level: float | FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the present ends of the confidence sequence of E t / E q, which fails with exp(-log_level) over all times.

    A mean m is rejected once half the mixture of exp(bet D - price V) over fixed bets reaches the level, where D is the
    sum of t - m q, or of m q - t, and V that of their squares: these differences are at least -1. (Derived; proof: stream.)
    """
    lower = _lower_ends(sums, log_level)
    upper = 1.0 - _lower_ends(sums.of_complements(), log_level)
    upper = np.minimum(upper * (1.0 + 2.0**-52), 1.0)
    return lower, np.maximum(upper, lower)


def _lower_ends(sums: RatioSums, log_level: float | FloatArray) -> FloatArray:
    """Return the largest ratio found below which all are rejected; at most 2^-48 below the exact one, 0 if none is."""
    bets = _MEAN_BETS[:, None]
    prices = -np.log1p(-bets) - bets
    slack = 1e-12 * (sums.n + 1.0)  # rounding
    # The exponent by powers of m; half of all the weight.
    constant = bets * sums.t - prices * sums.t2 - np.log(2.0 * bets.size) - slack
    linear, square = 2.0 * prices * sums.tq - bets * sums.q, -prices * sums.q2
    low = np.zeros(sums.n.shape)
    high = np.clip(np.where(sums.q > 0.0, sums.t / np.maximum(sums.q, 1e-300), 0.0), 0.0, 1.0)
    for _ in range(_BISECTIONS):
        mean = 0.5 * (low + high)
        exponents = constant + mean * (linear + mean * square)
        # Capped where e^600 times over the level is as good as any more.
        rejected = np.exp(np.minimum(exponents - log_level, 600.0)).sum(axis=0) >= 1.0
        low, high = np.where(rejected, mean, low), np.where(rejected, high, mean)
    return low
