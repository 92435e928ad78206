r"""Effective numbers of units: on how many independent units a comparison of means rests.

For differences d of two models on their common units, :math:`m = (\sum d^2)^2 / \sum d^4` is at most the number of units
on which they differ (Cauchy and Schwarz), and equals it where all these differences have one size. It is smaller where a
few large ones outweigh the others: n / 3 for normal differences, a few for heavy tails. The same for one model, with
deviations from its mean in place of d. Normal approximations are not to be trusted where m is small. Third powers are
summed too, for skewness.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.certification._statistics import Moments, estimates
from moltheory.evaluation._scan import Column, Scan, Units
from moltheory.inference._pairs import PairCounts

__all__ = ["UnitPowers", "unit_powers"]


class UnitPowers:
    """Sums over the units of one column that `Moments` lacks.

    Attributes
    ----------
    cubes_of_models, of_models : (M,) ndarray
        Sums of the third and fourth powers of x - mean s, the deviation of a unit's total x for its size s.
    """

    def __init__(self, moments: Moments, column: Column, *, pairs: bool) -> None:
        size = moments.sizes.size
        self._means = estimates(moments, bounded=column.bounded)
        self.cubes_of_models, self.of_models = np.zeros(size), np.zeros(size)
        self._pairs = (np.zeros((size, size)), np.zeros((size, size))) if pairs else None
        self._magnitude = np.zeros(size)
        # Common sizes, their squares, and totals times sizes, where pairs have different ones.
        own_sizes = pairs and not column.equal_cluster_sizes and not column.complete
        self._sized: list[FloatArray] | None = [np.zeros((size, size)) for _ in range(3)] if own_sizes else None
        self._steps = 0

    def update(self, units: Units) -> None:
        """Add a block."""
        x = units.values.astype(np.float64)
        if x.shape[0] == 0:
            return
        sizes = np.ones(x.shape[0]) if units.sizes is None else units.sizes
        seen = ~np.isnan(x)
        complete = bool(seen.all())
        x[~seen] = 0.0
        deviations = np.where(seen, x - sizes[:, None] * self._means, 0.0)
        # Powers of huge losses may overflow: no pair with these has an effective number.
        with np.errstate(over="ignore", invalid="ignore"):
            square = deviations * deviations
            self.cubes_of_models += (square * deviations).sum(axis=0)
            self.of_models += (square * square).sum(axis=0)
            if self._pairs is not None:
                self._add_pairs(*self._pairs, x, seen, complete)
        if self._sized is not None:
            present = seen.astype(np.float64)
            for table, weights in zip(self._sized, (present, present * sizes[:, None], x), strict=True):
                table += (weights * sizes[:, None]).T @ present

    def _add_pairs(
        self, cubes: FloatArray, table: FloatArray, x: FloatArray, seen: npt.NDArray[np.bool_], complete: bool
    ) -> None:
        """Add half of the sums of third and fourth powers of differences; the transpose is the other half."""
        count = np.maximum(seen.sum(axis=1, keepdims=True), 1)
        # What all models have in common cancels in differences; the median is not moved by one slow model.
        x = x - np.median(x, axis=1, keepdims=True) if complete else (x - x.sum(axis=1, keepdims=True) / count) * seen
        square = x * x
        cube, fourth = square * x, square * square
        present = seen.astype(np.float64)
        cubes += (cube.sum(axis=0)[:, None] if complete else cube.T @ present) - 3.0 * (square.T @ x)
        table += 3.0 * (square.T @ square) - 4.0 * (cube.T @ x)
        table += fourth.sum(axis=0)[:, None] if complete else fourth.T @ present
        self._magnitude += fourth.sum(axis=0)
        self._steps = max(self._steps, x.shape[0]) + 8

    def effective(self, squares: FloatArray, rounding: FloatArray, models: slice) -> FloatArray:
        """Return the effective numbers of units of pairs, from the sums of their squared differences in some rows."""
        if self._pairs is None:
            return np.zeros_like(squares)
        fourth = self._pairs[1]
        found = fourth[models] + fourth[:, models].T
        error = 8.0 * self._steps * np.finfo(np.float64).eps * (self._magnitude[models, None] + self._magnitude[None])
        return _ratio(np.maximum(squares - rounding, 0.0), np.maximum(found, 0.0) + error)

    def cubes(self, models: slice) -> FloatArray | None:
        """Return the sums of the cubes of differences of pairs, in some rows."""
        return None if self._pairs is None else self._pairs[0][models] - self._pairs[0][:, models].T

    def effective_of_models(self, squares: FloatArray) -> FloatArray:
        """Return the effective number of units of each model, from the sums of its squared deviations."""
        return _ratio(squares, self.of_models)

    def common_sizes(self, models: slice) -> tuple[FloatArray, FloatArray, FloatArray] | None:
        """Return sums over common units of s, of s^2 and of the difference times s, in some rows, where these are kept."""
        if self._sized is None:
            return None
        sizes, squares, totals = self._sized
        return sizes[models], squares[models], totals[models] - totals[:, models].T


def unit_powers(scan: Scan, found: Sequence[PairCounts | Moments], *, pairs: bool) -> dict[int, UnitPowers]:
    """Return the sums for each column whose losses are not 0/1, by one pass over the units."""
    result = {
        index: UnitPowers(summary, scan.columns[index], pairs=pairs)
        for index, summary in enumerate(found)
        if isinstance(summary, Moments)
    }
    if result:
        for units in scan.units(set(result)):
            result[units.column].update(units)
    return result


def _ratio(squares: FloatArray, fourth: FloatArray) -> FloatArray:
    """Return squares^2 / fourth powers; 0 where there is none, or no number."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        ratio = squares / np.sqrt(fourth)
        found: FloatArray = ratio * ratio
    return np.where(np.isfinite(found) & (fourth > 0.0), found, 0.0)
