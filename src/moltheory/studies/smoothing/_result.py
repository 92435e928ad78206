"""The records of the study: the budget, the certified images, and the result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._html_repr import Shown
from moltheory._core._validation import FloatArray, check_count, check_fraction, check_real
from moltheory.certification import Certificate
from moltheory.errors import InvalidInputError
from moltheory.studies.smoothing._designs import Design
from moltheory.studies.smoothing._residual import Residual

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Budget", "Design", "SmoothedSweep", "SmoothingResult"]


@dataclass(frozen=True)
class Budget:
    """Sizes of the experiment.

    Attributes
    ----------
    levels : tuple of float
        Base deviations of the noise, increasing.
    rates : tuple of float
        Rates r, increasing. Both for images of 784 or 3072 numbers; see `designs_for` for others.
    sizes : tuple of int
        Votes per image that certificates rest on, increasing, of which the first are shared.
    guesses : int
        Further votes that choose the class.
    n_test, n_train, held_out : int
        Images to certify; to train on and to measure distances to; and of those, to take mean deviations over. At most
        as many as there are.
    networks : int
        Trained with different seeds for each base deviation.
    steps : int
        Of training, on batches of 200 images.
    hidden : tuple of int
        Widths of the network's hidden layers.
    alpha : float
        Each certificate fails with this probability at most.
    residual : Residual, optional
        Networks of torch instead.
    """

    levels: tuple[float, ...]
    rates: tuple[float, ...]
    sizes: tuple[int, ...]
    guesses: int
    n_test: int
    n_train: int
    held_out: int
    networks: int
    steps: int
    hidden: tuple[int, ...] = (256, 256)
    alpha: float = 0.001
    residual: Residual | None = None

    def __post_init__(self) -> None:
        for name in ("levels", "rates"):
            values = getattr(self, name)
            if not values or list(values) != sorted({check_real(name, one, low=0.0, strict=True) for one in values}):
                raise InvalidInputError(f"`{name}` must be increasing positive numbers, got {values!r}.")
        sizes = [check_count("sizes", size) for size in self.sizes]
        if not sizes or sizes != sorted(set(sizes)):
            raise InvalidInputError(f"`sizes` must be increasing numbers of votes, got {self.sizes!r}.")
        for name in ("guesses", "n_test", "n_train", "held_out", "networks", "steps"):
            check_count(name, getattr(self, name))
        if not self.hidden:
            raise InvalidInputError("`hidden` must hold at least one width, got none.")
        for width in self.hidden:
            check_count("hidden", width)
        check_fraction("alpha", self.alpha)


@dataclass(frozen=True)
class SmoothedSweep:
    """Results over S networks per base deviation, D designs, V numbers of votes and n test images.

    `classes` (S, D, V, n) are predicted, -1 where the classifier abstained, with certified `radii` (S, D, V, n), 0
    there; `p_other` (S, D, V, n) bounds the probability of all other classes. `sigma` (D, n) are the deviations of the
    noise, `base_accuracy` (S, D) is that of the network without noise, and `cost` (D, V) counts million multiplications
    per image: passes through the network, and distances to the training images. `data` names the images.
    """

    budget: Budget
    data: str
    dimension: int
    designs: tuple[Design, ...]
    labels: npt.NDArray[np.int64]
    classes: npt.NDArray[np.int64]
    radii: FloatArray
    p_other: FloatArray
    sigma: FloatArray
    base_accuracy: FloatArray
    cost: FloatArray

    @property
    def correct(self) -> npt.NDArray[np.bool_]:
        """(S, D, V, n): whether the prediction is right; abstaining is not."""
        return np.asarray(self.classes == self.labels)

    def place(self, design: Design) -> int:
        """Return the number of a design."""
        return self.designs.index(design)


@dataclass(frozen=True, repr=False)
class SmoothingResult(Shown):
    """Everything that the study computes.

    Attributes
    ----------
    simulated, half_spaces : pandas.DataFrame
        See `simulated_certificates` and `half_spaces`.
    counterexamples : pandas.DataFrame
        See `counterexamples`.
    curse, approximation : pandas.DataFrame
        See `curse_table` and `approximation_table`.
    sweep : SmoothedSweep
    points : pandas.DataFrame
        See `design_points`.
    waterfalls : pandas.DataFrame
        See `waterfall_table`.
    pairs : pandas.DataFrame
        See `paired_table`.
    certificate, fair : Certificate
        See `design_certificate` and `fair_certificate`.
    further : pandas.DataFrame
        What further test images would decide, see `moltheory.Certificate.plan`.
    volume_all, volume_constant : float
        Hypervolume, as a share of the box spanned by the points, of all and of those with constant noise.
    """

    simulated: pd.DataFrame
    half_spaces: pd.DataFrame
    counterexamples: pd.DataFrame
    curse: pd.DataFrame
    approximation: pd.DataFrame
    sweep: SmoothedSweep
    points: pd.DataFrame
    waterfalls: pd.DataFrame
    pairs: pd.DataFrame
    certificate: Certificate
    fair: Certificate
    further: pd.DataFrame
    volume_all: float
    volume_constant: float
