"""Predictions with certified radii from counts of votes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, as_readonly, check_count, check_fraction, real_array
from moltheory.bounds import binomial_interval
from moltheory.errors import InvalidInputError
from moltheory.studies.smoothing._certificates import certified_radius

__all__ = ["IntArray", "SmoothedPredictions", "certified_votes", "upper_other"]

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class SmoothedPredictions:
    """Predictions of a smoothed classifier for n points, with what they rest on.

    `classes` (n,) are places in `SmoothedClassifier.classes`, -1 where it abstains; certified `radii` (n,) are 0
    there, and everywhere if only a prediction was asked for. `p_other` (n,) bounds the probability of all other
    classes together, `sigma` (n,) is the deviation of the noise; `votes` (n, K) are those that the certificates rest
    on, `n_votes` per point. Each certificate fails with probability `alpha` at most.
    """

    classes: IntArray
    radii: FloatArray
    p_other: FloatArray
    sigma: FloatArray
    votes: IntArray
    n_votes: int
    alpha: float

    def __post_init__(self) -> None:
        for name in ("classes", "radii", "p_other", "sigma", "votes"):
            object.__setattr__(self, name, as_readonly(getattr(self, name)))

    def __len__(self) -> int:
        return len(self.classes)

    @property
    def abstained(self) -> npt.NDArray[np.bool_]:
        """Where nothing is claimed."""
        return np.asarray(self.classes < 0)


def upper_other(votes: npt.ArrayLike, n: int, /, *, alpha: float) -> FloatArray:
    """Return upper bounds (Clopper-Pearson) on the probability of all other classes, from votes for one class of n.

    Each bound fails with probability alpha at most. It is taken from the votes against the class, so that no digit is
    lost where they are few.
    """
    check_fraction("alpha", alpha)
    counts = np.asarray(votes)
    if counts.dtype.kind not in "iu":
        raise InvalidInputError(f"`votes` must be integer counts, got dtype {counts.dtype}.")
    if counts.size and (counts.min() < 0 or counts.max() > check_count("n", n)):
        raise InvalidInputError(f"`votes` must lie in [0, {n}], got {int(counts.min())} to {int(counts.max())}.")
    return np.asarray(binomial_interval(n - counts.astype(np.int64), n, delta=alpha, side="upper").upper)


def certified_votes(
    votes: npt.ArrayLike,
    /,
    *,
    guess: npt.ArrayLike,
    sigma: npt.ArrayLike,
    rate: float,
    dimension: int,
    alpha: float = 0.001,
) -> SmoothedPredictions:
    """Return predictions with certified radii from counts of votes (n, K), the same number per point.

    `guess` (n,), the place of the class to certify, must not be chosen by looking at `votes`; `sigma` is one standard
    deviation > 0 of the noise or (n,), `rate` as in `certified_radius`, and each certificate fails with probability
    alpha at most.
    """
    counts, chosen = np.asarray(votes), np.asarray(guess)
    if counts.ndim != 2 or counts.size == 0 or counts.dtype.kind not in "iu" or counts.min() < 0:
        raise InvalidInputError(f"`votes` must be counts of shape (n, K), got {counts.dtype} of shape {counts.shape}.")
    totals = counts.sum(axis=1)
    if totals.min() != totals.max() or totals[0] < 1:
        raise InvalidInputError("`votes` must hold the same number of votes for every point, got different ones.")
    inside = chosen.dtype.kind in "iu" and chosen.shape == counts.shape[:1]
    if not inside or chosen.min() < 0 or chosen.max() >= counts.shape[1]:
        raise InvalidInputError(f"`guess` must hold one place of a class per point, got {guess!r}.")
    n = int(totals[0])
    other = upper_other(np.take_along_axis(counts, chosen[:, None], axis=1)[:, 0], n, alpha=alpha)
    spread = real_array("sigma", sigma, shape="(n,)", min_ndim=0, max_ndim=1)
    if spread.shape not in ((), other.shape):
        raise InvalidInputError(f"`sigma` must be one number or {len(other)}, got shape {spread.shape}.")
    spread = np.broadcast_to(spread, other.shape)
    radii = certified_radius(other, sigma=spread, rate=rate, dimension=dimension)
    classes = np.where(other < 0.5, chosen, -1)
    return SmoothedPredictions(classes.astype(np.int64), radii, other, spread, counts.astype(np.int64), n, alpha)
