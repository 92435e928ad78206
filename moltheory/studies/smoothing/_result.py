"""The records of the study: designs of the noise and their budget, the certified digits, and the result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._html_repr import Shown
from moltheory._core._validation import FloatArray, check_count, check_fraction
from moltheory.certification import Certificate
from moltheory.errors import InvalidInputError
from moltheory.studies.smoothing._noise_scale import ConstantSigma, NeighborSigma, Sigma, neighbor_distances

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Budget", "Design", "SmoothedSweep", "SmoothingResult"]


@dataclass(frozen=True)
class Design:
    """One design of the noise: standard deviation at the center, rate r, center as a quantile, and neighbors.

    Networks are trained under `sigma`; rate 0 is constant noise, which ignores the rest. The center m is the quantile
    of the training digits' mean distances to their k nearest others.
    """

    sigma: float
    rate: float
    quantile: float = 0.5
    k: int = 20

    @property
    def name(self) -> str:
        """Name in tables."""
        base = f"σ={self.sigma:g} r={self.rate:g}"
        if self.rate == 0.0:
            return base
        center = "" if self.quantile == 0.5 else f" m={self.quantile:g}"
        return base + center + ("" if self.k == 20 else f" k={self.k}")

    def spread(self, points: FloatArray) -> Sigma:
        """Return the standard deviation as a function of the input."""
        if self.rate == 0.0:
            return ConstantSigma(self.sigma)
        center = float(np.quantile(neighbor_distances(points, k=self.k), self.quantile))
        return NeighborSigma(points, base=self.sigma, rate=self.rate, center=center, k=self.k)


@dataclass(frozen=True)
class Budget:
    """Sizes of the experiment.

    `sizes` are the votes per point that certificates rest on, increasing, of which the first are shared; `guesses`
    choose the class; each certificate fails with probability alpha at most.
    """

    designs: tuple[Design, ...]
    sizes: tuple[int, ...]
    guesses: int
    n_test: int
    epochs: int
    alpha: float = 0.001

    def __post_init__(self) -> None:
        if not self.designs:
            raise InvalidInputError("`designs` must hold at least one design, got none.")
        sizes = [check_count("sizes", size) for size in self.sizes]
        if not sizes or sizes != sorted(set(sizes)):
            raise InvalidInputError(f"`sizes` must be increasing numbers of votes, got {self.sizes!r}.")
        for name in ("guesses", "n_test", "epochs"):
            check_count(name, getattr(self, name))
        check_fraction("alpha", self.alpha)


@dataclass(frozen=True)
class SmoothedSweep:
    """Results over D designs, S numbers of votes and n test digits.

    `classes` (D, S, n) are predicted, -1 where the classifier abstained, with certified `radii` (D, S, n), 0 there,
    under the deviations `sigma` (D, n). `base_accuracy` (D,) is that of the network without noise, and `cost` (D, S)
    counts million multiplications per point: passes through the network, and distances to the training digits.
    """

    budget: Budget
    labels: npt.NDArray[np.int64]
    classes: npt.NDArray[np.int64]
    radii: FloatArray
    sigma: FloatArray
    base_accuracy: FloatArray
    cost: FloatArray

    @property
    def correct(self) -> npt.NDArray[np.bool_]:
        """(D, S, n): whether the prediction is right; abstaining is not."""
        return np.asarray(self.classes == self.labels)


@dataclass(frozen=True, repr=False)
class SmoothingResult(Shown):
    """Everything that the study computes.

    Attributes
    ----------
    simulated, half_spaces : pandas.DataFrame
        See `simulated_certificates` and `half_spaces`.
    curse, approximation : pandas.DataFrame
        See `curse_table` and `approximation_table`.
    sweep : SmoothedSweep
    points : pandas.DataFrame
        See `design_points`.
    certificate, fair : Certificate
        See `design_certificate` and `fair_certificate`.
    further : pandas.DataFrame
        What further test digits would decide, see `moltheory.Certificate.plan`.
    volume_all, volume_constant : float
        Hypervolume, as a share of the box spanned by the points, of all and of those with constant noise.
    """

    simulated: pd.DataFrame
    half_spaces: pd.DataFrame
    curse: pd.DataFrame
    approximation: pd.DataFrame
    sweep: SmoothedSweep
    points: pd.DataFrame
    certificate: Certificate
    fair: Certificate
    further: pd.DataFrame
    volume_all: float
    volume_constant: float
