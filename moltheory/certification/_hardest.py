"""The hardest rival of each model, the one that needs most examples, found block by block of pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.certification._pair_views import View
from moltheory.certification._power import further_of, margins, outcome_of, present_of, total_of

__all__ = ["Hardest"]

Indices = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]

# Outcomes for the second model of a pair, from those for the first.
_SWAPPED = np.array([1, 0, 2, 3])


class Hardest:
    """What a plan reports of each of M models, of which only the `wanted` ones (M,) count.

    Attributes
    ----------
    rival : (M,) ndarray of int
        The rival that needs most further examples, the first of equal ones in the order of total sizes; -1 = none.
    n_open : (M,) ndarray of int
        Number of rivals against which further examples are needed.
    present, bound, low : (M,) ndarray
        Common examples and further ones, as `plan_pairs`, for that rival.
    high : (M,) ndarray
        Largest ``bound_high`` over all open rivals: the largest limit covers the one that truly needs most.
    outcome : (M,) ndarray of int
        Index into `OUTCOMES`.
    """

    def __init__(self, wanted: Bools) -> None:
        size = wanted.size
        self._wanted = wanted
        self.rival = np.full(size, -1, dtype=np.intp)
        self.n_open, self.outcome = (np.zeros(size, dtype=np.int64) for _ in range(2))
        self.present, self.bound, self.low, self.high, self._total = (np.zeros(size) for _ in range(5))

    def add(
        self,
        views: Sequence[View],
        first: Indices,
        second: Indices,
        cheaper: Bools,
        *,
        level: float,
        power: float,
        overestimated: float,
    ) -> None:
        """Add pairs (p,) of models, in one view per objective."""
        present = present_of(views)
        sizes = {
            name: {"level": level, "shift": shift, "power": chance}
            for name, (shift, chance) in margins(len(views), power, overestimated).items()
        }
        total = total_of(views, cheaper, present, **sizes["bound"])
        bound = further_of(total, present)
        models, rivals = np.concatenate([first, second]), np.concatenate([second, first])
        is_open = np.tile(bound != 0.0, 2) & self._wanted[models]
        self.n_open += np.bincount(models[is_open], minlength=self.rival.size)
        rows = self._first_hardest(models, np.tile(bound, 2), np.tile(total, 2))
        places, pairs = models[rows], rows % first.size
        harder = (self.rival[places] < 0) | (bound[pairs] > self.bound[places])
        harder |= (bound[pairs] == self.bound[places]) & (total[pairs] < self._total[places])
        rows, places, pairs = rows[harder], places[harder], pairs[harder]
        taken, few = [view.take(pairs) for view in views], cheaper[:, pairs]
        self.rival[places], self.present[places] = rivals[rows], present[pairs]
        self.bound[places], self._total[places] = bound[pairs], total[pairs]
        self.low[places] = further_of(total_of(taken, few, present[pairs], **sizes["bound_low"]), present[pairs])
        outcome = outcome_of(taken, few)
        self.outcome[places] = np.where(rows < first.size, outcome, _SWAPPED[outcome])
        # Limits that cannot raise the largest are left out.
        raising = self._wanted & np.isfinite(self.high)
        which = np.flatnonzero((bound != 0.0) & (raising[first] | raising[second]))
        if which.size:
            here = present[which]
            taken = [view.take(which) for view in views]
            high = further_of(total_of(taken, cheaper[:, which], here, **sizes["bound_high"]), here)
            for ends in (first, second):
                np.maximum.at(self.high, ends[which], high)

    def _first_hardest(self, models: Indices, bound: FloatArray, total: FloatArray) -> Indices:
        """Return for each wanted model the row with the largest bound; of equal ones the least total, then the first."""
        rows = np.flatnonzero(self._wanted[models])
        size = self.rival.size
        largest = np.full(size, -np.inf)
        np.maximum.at(largest, models[rows], bound[rows])
        rows = rows[bound[rows] == largest[models[rows]]]
        least = np.full(size, np.inf)
        np.minimum.at(least, models[rows], total[rows])
        rows = rows[total[rows] == least[models[rows]]]
        # Both ends of a pair have the same place in the order, and no pair has one model twice.
        order = np.argsort(rows % (models.size // 2), kind="stable")
        found: Indices = rows[order][np.unique(models[rows[order]], return_index=True)[1]]
        return found
