"""One objective of a stream: sums over the units so far, the best evidence, and the boxes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.certification._row_blocks import row_blocks
from moltheory.inference._anytime import mean_ends, mixture_of_bets, sign_mixture
from moltheory.inference._anytime_ratio import RatioSums, ratio_ends
from moltheory.inference._pair_sums import part_of
from moltheory.inference._pairs import PairCounts, PairMoments

__all__ = ["StreamObjective"]

State = dict[str, npt.NDArray[Any]]
# Tables of clusters of unequal sizes: of pairs of models, over the clusters on which both were evaluated.
_OF_SIZES = ("sizes.first", "sizes.sum", "sizes.squares")


class StreamObjective:
    """Sums of one objective, and the strongest evidence so far.

    A unit is an example or a cluster. Values are counted as bits while all of them are 0 or 1; from the first other value
    on they are added to moments. The half of the evidence that is for 0/1 values ends there, and keeps the value it had
    reached. With `by_size`, values are totals of clusters over the largest size, and `update` takes their sizes.
    """

    def __init__(self, n_models: int, *, by_size: bool = False) -> None:
        self.n_models, self.by_size = n_models, by_size
        self._counts = PairCounts(n_models)
        self._moments: PairMoments | None = None
        # Sums of the row's total times the size, of sizes and of their squares.
        self._sizes = [np.zeros((n_models, n_models)) for _ in _OF_SIZES] if by_size else []
        self.lower, self.upper = np.zeros(n_models), np.ones(n_models)
        self.evidence: dict[float, FloatArray] = {}

    def update(self, rows: FloatArray, sizes: FloatArray | None = None) -> None:
        """Add units (u, M), NaN = not evaluated, with their sizes (u,) over the largest one."""
        binary = (rows == 0.0) | (rows == 1.0) | np.isnan(rows)
        if self._moments is None and not binary.all():
            self._moments = PairMoments(self.n_models)
        (self._moments or self._counts).update(rows)
        if self.by_size:
            q = (np.ones(rows.shape[0]) if sizes is None else sizes)[:, None]
            seen = (~np.isnan(rows)).astype(np.float64)
            values = np.where(seen > 0.0, rows, 0.0)
            for table, weighted in zip(self._sizes, (values * q, seen * q, seen * q * q), strict=True):
                table += weighted.T @ seen

    def grow(self, n_new: int) -> None:
        """Add models that were not evaluated on any unit so far."""
        old, size = self.n_models, self.n_models + n_new
        state = self.state()
        for name in [name for name in state if name.endswith(".each")]:
            table = f"{name.removesuffix('each')}table"
            state.setdefault(table, np.repeat(state[name][:, None], old, axis=1))
        kept = ("counts.rows", "moments.blocks", *(name for name in state if name.startswith("shift.")))
        for name, array in state.items():
            if name not in kept:
                state[name] = np.pad(array, [(0, n_new)] * array.ndim)
        state["upper"][old:] = 1.0
        self.n_models = size
        self._counts = PairCounts(size)
        self._moments = None
        self.restore(state)

    def state(self) -> State:
        """Return the arrays from which `restore` makes an equal objective."""
        found = {f"counts.{name}": array for name, array in self._counts.state().items()}
        if self._moments is not None:
            found |= {f"moments.{name}": array for name, array in self._moments.state().items()}
        for number, (shift, table) in enumerate(self.evidence.items()):
            found |= {f"evidence.{number}": table, f"shift.{number}": np.array([shift])}
        found |= dict(zip(_OF_SIZES, self._sizes, strict=False))
        return found | {"lower": self.lower, "upper": self.upper}

    def restore(self, state: State) -> None:
        """Take over what `state` returned."""
        self._counts.restore(part_of(state, "counts"))
        moments = part_of(state, "moments")
        if moments:
            self._moments = PairMoments(self.n_models)
            self._moments.restore(moments)
        if self.by_size:
            self._sizes = [state[name].copy() for name in _OF_SIZES]
        self.lower, self.upper = state["lower"].copy(), state["upper"].copy()
        shifts = part_of(state, "shift")
        self.evidence = {float(shift[0]): state[f"evidence.{number}"].copy() for number, shift in shifts.items()}

    @property
    def count(self) -> npt.NDArray[np.int64]:
        """Number of units on which each model was evaluated."""
        return self._counts.count + (self._moments.count if self._moments else 0)

    @property
    def total(self) -> FloatArray:
        """Sum of the values of each model."""
        errors = self._counts.errors.astype(np.float64)
        return errors + self._moments.sum if self._moments else errors

    @property
    def means(self) -> FloatArray:
        """Estimate of each model, or the middle of the range without data."""
        weight = np.diagonal(self._sizes[1]) if self.by_size else self.count.astype(np.float64)
        means: FloatArray = np.where(weight > 0.0, self.total / np.where(weight > 0.0, weight, 1.0), 0.5)
        return means

    def look(self, log_levels: FloatArray) -> None:
        """Intersect the boxes with the present ones; failure probability exp(-log_levels) of each, over all times."""
        squares = self._counts.errors.astype(np.float64)
        if self._moments:
            squares = squares + self._moments.sum_sq
        n = self.count.astype(np.float64)
        if self.by_size:
            tq, q, q2 = (np.diagonal(table) for table in self._sizes)
            lower, upper = ratio_ends(RatioSums(n, q, q2, self.total, squares, tq), log_levels)
        else:
            lower, upper = mean_ends(n, self.total, squares, log_levels)
        self.lower, self.upper = np.maximum(self.lower, lower), np.minimum(self.upper, upper)
        # If the event fails, ends may cross; the box is then reset to the whole range.
        crossed = self.lower > self.upper
        self.lower[crossed], self.upper[crossed] = 0.0, 1.0

    def p_values(self, shift: float) -> FloatArray:
        """Return anytime p-values (M, M) against "the row's mean is >= the column's plus `shift`", `shift` >= 0."""
        size = self.n_models
        best = self.evidence.setdefault(shift, np.zeros((size, size)))
        p: FloatArray = np.empty((size, size))
        for models in row_blocks(size):
            np.maximum(best[models], self._logs(shift, models), out=best[models])
            p[models] = np.exp(-best[models])
        np.fill_diagonal(p, 1.0)
        return np.minimum(p, 1.0, out=p)

    def _logs(self, shift: float, models: slice) -> FloatArray:
        """Return logarithms of the present evidence against the same hypotheses, for some of the rows."""
        common, lost, won = (counts.astype(np.float64) for counts in self._counts.outcomes(models))
        gain, squares = won - lost, won + lost
        if self._moments:
            number, total, more, rounded = self._moments.differences(models)
            gain = gain - total
            squares = squares + more + rounded
            common = common + number
        # Differences, column minus row plus shift (times the size of a cluster), are at least -1.
        if self.by_size and shift:
            first, sizes, squared = self._sizes
            products = first[:, models].T - first[models]
            squares = squares + 2.0 * shift * products + shift**2 * squared[models]
            moved = gain + shift * sizes[models]
        else:
            squares = squares + 2.0 * shift * gain + shift**2 * common
            moved = gain + shift * common
        rounding = 1e-12 * (common + 1.0)
        logs = mixture_of_bets(moved, squares) - np.log(2.0) - rounding
        if shift == 0.0 and not self._moments:
            logs = np.logaddexp(logs, sign_mixture(won, lost) - np.log(2.0))
        return np.asarray(logs)
