"""Averages of losses over weighted outcomes, formed from integers wherever the losses allow it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from moltheory._rational import EXACT_INTEGERS, integer_scale
from moltheory._validation import FloatArray
from moltheory.errors import TooLargeError
from moltheory.objectives import Cell

__all__ = ["CellAverages"]

_SINGLE_PRECISION_INTEGERS = 2**24


class CellAverages:
    """Means of cells over counts of outcomes: one matrix product, one division.

    Parameters
    ----------
    cells : sequence of Cell
        Cells over the same s outcomes and H hypotheses.

    Attributes
    ----------
    is_lattice : bool
        Whether every loss is a fraction with a small denominator, so that equal means are bitwise equal.
    """

    def __init__(self, cells: Sequence[Cell]) -> None:
        self._where = np.array([cell.where for cell in cells], dtype=np.float64).T
        scaled = [integer_scale(cell.losses) for cell in cells]
        self.is_lattice = all(entry is not None for entry in scaled)
        tables = [
            cell.losses if entry is None else entry[0].astype(np.float64)
            for cell, entry in zip(cells, scaled, strict=True)
        ]
        self._scales = np.array([1 if entry is None else entry[1] for entry in scaled], dtype=np.float64)
        self._matrix = np.concatenate(
            [table * cell.where[:, None] for table, cell in zip(tables, cells, strict=True)], axis=1
        )
        self._reach = max(float(np.abs(self._matrix).max()), float(self._scales.max()))

    def means(self, weights: npt.NDArray[np.int64] | FloatArray) -> tuple[FloatArray, FloatArray]:
        """Average with given weights of the outcomes.

        Parameters
        ----------
        weights : (R, s) ndarray
            How often each outcome was drawn, or integers proportional to its probability.

        Returns
        -------
        means : (K, R, H) ndarray
            NaN where a cell is empty.
        sizes : (R, K) ndarray
            Weight of each cell.
        """
        reach = float(weights.sum(axis=1).max()) * self._reach
        if self.is_lattice and reach >= EXACT_INTEGERS:
            raise TooLargeError(
                f"`n` times the common denominator of the losses must stay below 2**53, got {reach:.3g}."
            )
        # Sums of integers below 2**24 are exact in single precision, in any order, and twice as fast.
        kind = np.float32 if self.is_lattice and reach < _SINGLE_PRECISION_INTEGERS else np.float64
        rows = weights.astype(kind)
        sums = (rows @ self._matrix.astype(kind, copy=False)).astype(np.float64)
        sizes = (rows @ self._where.astype(kind)).astype(np.float64)
        table = sums.reshape(*sizes.shape, -1).transpose(1, 0, 2)
        with np.errstate(invalid="ignore"):
            return table / (sizes * self._scales).T[:, :, None], sizes

    def true_means(self, probabilities: tuple[Fraction, ...]) -> FloatArray:
        """Average over the population, (K, H); on lattices exact up to one rounding."""
        if not self.is_lattice:
            return self.means(np.array([[float(p) for p in probabilities]]))[0][:, 0]
        common = math.lcm(*(p.denominator for p in probabilities))
        numerators = [p.numerator * (common // p.denominator) for p in probabilities]
        if common * self._reach < EXACT_INTEGERS:
            return self.means(np.array([numerators], dtype=np.float64))[0][:, 0]
        weights = np.array(numerators, dtype=object)
        sums = (weights @ self._matrix.astype(np.int64).astype(object)).reshape(self._scales.size, -1)
        masses = weights @ self._where.astype(np.int64).astype(object)
        denominators = [int(mass) * int(scale) for mass, scale in zip(masses, self._scales, strict=True)]
        return np.array(
            [[float(Fraction(int(sum_), whole)) for sum_ in row] for row, whole in zip(sums, denominators, strict=True)]
        )
