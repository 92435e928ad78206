"""What the PAC-Bayes bounds have in common: reading statistics under a posterior, moments, and the result."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_fraction, real_array
from moltheory.bounds._bound import Bound
from moltheory.bounds._sizes import IID, count_of, sample_sizes
from moltheory.errors import InvalidInputError

__all__ = ["Statistics", "kl_moment", "read_bounded", "read_statistics"]


class Statistics(NamedTuple):
    """Empirical risks (..., N) under posteriors, one sample size per objective, and what a union over them costs."""

    risks: FloatArray
    sizes: FloatArray
    divergence: FloatArray
    delta: float

    @property
    def finite(self) -> npt.NDArray[np.bool_]:
        """Which objectives depend on data, (N,)."""
        return np.isfinite(self.sizes)

    @property
    def finite_sizes(self) -> FloatArray:
        """Sample sizes with 2 in place of infinity, where what is computed is not used."""
        return np.where(self.finite, self.sizes, 2.0)

    @property
    def log_union(self) -> float:
        """log(N'/delta)."""
        return math.log(count_of(self.sizes)) - math.log(self.delta)

    def bound(self, lower: FloatArray, upper: FloatArray, *, method: str, source: str, event: str) -> Bound:
        """Return the bound with these limits of the true risks; known objectives keep their risks."""
        inside = np.clip(self.risks, 0.0, 1.0)
        low = np.where(self.finite, np.clip(lower, 0.0, inside), self.risks)
        high = np.where(self.finite, np.clip(upper, inside, 1.0), self.risks)
        return Bound(
            width=np.maximum(np.maximum(high - self.risks, self.risks - low), 0.0),
            loss_range=np.ones(self.risks.shape[-1]),
            delta=self.delta,
            method=method,
            source=source,
            assumptions=("a prior fixed before the data", IID, "losses in [0, 1]"),
            event=event,
            lower=low,
            upper=high,
            scope="posterior",
        )


def read_statistics(
    risks: npt.ArrayLike, n: int | npt.ArrayLike, divergence: npt.ArrayLike, delta: float, *, low: int = 1
) -> Statistics:
    """Return checked risks, sample sizes of at least `low`, and the divergence in the shape of the risks."""
    array = real_array("risks", risks, shape="(..., N)", min_ndim=1)
    sizes = sample_sizes(n, array.shape[-1] if np.ndim(n) == 0 else 1, low=low)
    if sizes.size != array.shape[-1]:
        raise InvalidInputError(f"`n` must have {array.shape[-1]} entries, one per objective, got {sizes.size}.")
    if ((array < 0) | (array > 1))[..., np.isfinite(sizes)].any():
        raise InvalidInputError(f"`risks` must lie in [0, 1], got values from {array.min():g} to {array.max():g}.")
    spread = real_array("divergence", divergence, shape="(..., N)", min_ndim=0)
    if (spread < 0).any():
        raise InvalidInputError(f"`divergence` must be >= 0, got {spread.min():g}.")
    try:
        spread = np.broadcast_to(spread, array.shape)
    except ValueError:
        raise InvalidInputError(
            f"`divergence` must broadcast to the shape {array.shape} of `risks`, got {spread.shape}."
        ) from None
    return Statistics(array, sizes, spread, check_fraction("delta", delta))


def read_bounded(
    name: str, values: npt.ArrayLike, found: Statistics, least: FloatArray, most: FloatArray
) -> FloatArray:
    """Return a statistic of the shape of the risks; refuse one that losses in [0, 1] with these risks cannot have."""
    array = real_array(name, values, shape="(..., N)", min_ndim=1)
    if array.shape != found.risks.shape:
        raise InvalidInputError(f"`{name}` must have the shape {found.risks.shape} of `risks`, got {array.shape}.")
    wrong = ((array < least - 1e-9) | (array > most + 1e-9)) & found.finite
    if wrong.any():
        raise InvalidInputError(
            f"`{name}` must be what losses in [0, 1] with the given `risks` can have, got {array[wrong][0]:g} at a risk "
            f"of {found.risks[wrong][0]:g}."
        )
    inside: FloatArray = np.clip(array, least, most)
    return inside


def kl_moment(n: float, constant: str = "exact") -> float:
    """Largest value of E exp(n kl(mean of n losses in [0, 1] || its expectation)), or Maurer's bound on it."""
    if constant == "maurer":
        return 2.0 * math.sqrt(n)
    from scipy.special import gammaincc

    # Logarithm of n! (e/n)^n; Stirling's series where the gamma function's logarithm would cancel.
    series = 1.0 / (12.0 * n) - 1.0 / (360.0 * n**3) + 1.0 / (1260.0 * n**5)
    factor = 0.5 * math.log(2.0 * math.pi * n) + series if n >= 64 else math.lgamma(n + 1.0) + n - n * math.log(n)
    return math.exp(factor) * float(gammaincc(n + 1.0, n))
