"""One pass over all units: the sums of each column that boxes, paired tests and plans need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.certification._shares import Shares
from moltheory.evaluation._objectives import Objective
from moltheory.evaluation._scan import Column, Scan, Units
from moltheory.inference._pairs import PairCounts, PairMoments

if TYPE_CHECKING:
    from moltheory.certification._kept_losses import LossSample

__all__ = ["Moments", "PairStatistics", "estimates", "summaries"]


class Moments:
    """Sums of scaled losses (or cluster totals) x and sizes s of the units on which each model was evaluated.

    Attributes
    ----------
    pairs : PairMoments
        Of x.
    sizes, sizes_sq, with_sizes : (M,) ndarray
        Sums of s, s^2 and x s.
    """

    def __init__(self, n_models: int) -> None:
        self.pairs = PairMoments(n_models)
        self.sizes, self.sizes_sq, self.with_sizes = (np.zeros(n_models) for _ in range(3))

    def update(self, units: Units) -> None:
        """Add a block."""
        if units.values.shape[0] == 0:
            return
        self.pairs.update(units.values)
        seen = ~np.isnan(units.values)
        sizes = np.ones(units.values.shape[0]) if units.sizes is None else units.sizes
        self.sizes += sizes @ seen
        self.sizes_sq += sizes**2 @ seen
        self.with_sizes += sizes @ np.where(seen, units.values, 0.0)


def summaries(scan: Scan) -> list[PairCounts | Moments]:
    """Return counts for each binary column and moments for each other one."""
    n_models = scan.n_models
    found: list[PairCounts | Moments] = [
        PairCounts(n_models) if column.binary else Moments(n_models) for column in scan.columns
    ]
    for units in scan.units():
        summary = found[units.column]
        if isinstance(summary, PairCounts):
            summary.update(units.values)
        else:
            summary.update(units)
    return found


def estimates(summary: PairCounts | Moments, *, bounded: bool = True) -> FloatArray:
    """Return each model's mean loss, scaled to [0, 1]; not scaled if losses are not `bounded`."""
    if isinstance(summary, PairCounts):
        return summary.errors / summary.count
    mean: FloatArray = summary.pairs.sum / summary.sizes
    return np.minimum(mean, 1.0) if bounded else mean


@dataclass(frozen=True)
class PairStatistics:
    """What a certificate keeps of the losses: counts or moments of all pairs of models, per column; O(M^2) numbers.

    Attributes
    ----------
    columns : tuple of Column
    summaries : tuple of PairCounts or Moments
        One per column, in the orientation of the losses.
    objectives : tuple of Objective
        All objectives, in the order of the certificate.
    shares : Shares
        Shares of delta.
    sample : LossSample or None
        Some of the losses, for simulations; a pickle leaves them out.
    """

    columns: tuple[Column, ...]
    summaries: tuple[PairCounts | Moments, ...]
    objectives: tuple[Objective, ...]
    shares: Shares
    sample: LossSample | None = None

    def __getstate__(self) -> dict[str, Any]:
        # What is passed on holds sums and no losses.
        return {**self.__dict__, "sample": None}
