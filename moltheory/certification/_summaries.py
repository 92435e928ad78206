"""One pass over all units: what boxes and paired tests need of each column."""

from __future__ import annotations

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.certification._inputs import Evaluation, Units
from moltheory.inference._pairs import PairCounts, PairMoments

__all__ = ["Moments", "estimates", "summaries"]


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


def summaries(evaluation: Evaluation) -> list[PairCounts | Moments]:
    """Return counts of each binary column and moments of each other one."""
    n_models = evaluation.n_models
    found: list[PairCounts | Moments] = [
        PairCounts(n_models) if column.binary else Moments(n_models) for column in evaluation.columns
    ]
    for units in evaluation.units():
        summary = found[units.column]
        if isinstance(summary, PairCounts):
            summary.update(units.values)
        else:
            summary.update(units)
    return found


def estimates(summary: PairCounts | Moments) -> FloatArray:
    """Return each model's mean loss, scaled to [0, 1]."""
    if isinstance(summary, PairCounts):
        return summary.errors / summary.count
    mean: FloatArray = np.minimum(summary.pairs.sum / summary.sizes, 1.0)
    return mean
