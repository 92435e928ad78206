"""Averages of losses over weighted outcomes, formed from integers wherever the losses allow it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from moltheory._core._rational import EXACT_INTEGERS, integer_scale
from moltheory._core._validation import FloatArray
from moltheory.errors import TooLargeError
from moltheory.objectives import Cell

__all__ = ["CellAverages"]

_SINGLE_PRECISION_INTEGERS = 2**24


class CellAverages:
    """Means of cells over counts of s outcomes, a matrix product per condition and one division.

    Cells with the same condition share a product, over the outcomes that satisfy it only. `is_lattice` says whether
    every loss is a fraction with a small denominator, so that equal means are bitwise equal.
    """

    def __init__(self, cells: Sequence[Cell]) -> None:
        # A condition that depends on the hypothesis has one denominator for each.
        self._own = {k: cell.where.astype(np.float64) for k, cell in enumerate(cells) if cell.depends_on_model}
        rows_of = [cell.where.any(axis=1) if cell.depends_on_model else cell.where for cell in cells]
        self._where = np.array(rows_of, dtype=np.float64).T
        scaled = [integer_scale(cell.losses) for cell in cells]
        self.is_lattice = all(entry is not None for entry in scaled)
        self._scales = np.array([1 if entry is None else entry[1] for entry in scaled], dtype=np.float64)
        members: dict[tuple[int, bytes], list[int]] = {}
        for k, cell in enumerate(cells):
            members.setdefault((cell.where.ndim, cell.where.tobytes()), []).append(k)
        self._blocks: list[tuple[npt.NDArray[np.intp], FloatArray, list[int]]] = []
        for same in members.values():
            rows = np.flatnonzero(rows_of[same[0]])
            tables = [(cells[k].losses if entry is None else entry[0])[rows] for k in same for entry in [scaled[k]]]
            if same[0] in self._own:
                tables = [np.where(self._own[same[0]][rows] > 0.0, table, 0) for table in tables]
            self._blocks.append((rows, np.concatenate(tables, axis=1, dtype=np.float64), same))
        largest = max(float(np.abs(matrix).max()) for _, matrix, _ in self._blocks)
        self._reach = max(largest, float(self._scales.max()))

    def means(self, weights: npt.NDArray[np.int64] | FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return means (K, R, H), NaN where a cell is empty, and the weight of each cell (R, K).

        `weights` (R, s) say how often each outcome was drawn, or are integers proportional to its probability. Where a
        condition depends on the hypothesis, the weight of its cell is the smallest over them.
        """
        reach = float(weights.sum(axis=1).max()) * self._reach
        if self.is_lattice and reach >= EXACT_INTEGERS:
            raise TooLargeError(
                f"`n` times the common denominator of the losses must stay below 2**53, got {reach:.3g}."
            )
        # Sums of integers below 2**24 are exact in single precision, in any order, and twice as fast.
        kind = np.float32 if self.is_lattice and reach < _SINGLE_PRECISION_INTEGERS else np.float64
        typed = weights.astype(kind)
        # An empty cell is 0 / 0; and some BLAS kernels set the flag of an invalid operation in lanes whose results they
        # never use, for finite factors too (numpy issue 24067, seen with AVX-512).
        with np.errstate(invalid="ignore"):
            sizes = (typed @ self._where.astype(kind)).astype(np.float64)
            parts: list[FloatArray] = [np.empty(0)] * sizes.shape[1]
            for rows, matrix, same in self._blocks:
                sums = typed[:, rows] @ matrix.astype(kind, copy=False)
                for k, part in zip(same, np.split(sums, len(same), axis=1), strict=True):
                    parts[k] = part
            table = np.stack(parts, dtype=np.float64)
            table /= (sizes * self._scales).T[:, :, None]
            for k, where in self._own.items():
                counts = (typed @ where.astype(kind)).astype(np.float64)
                table[k] = parts[k].astype(np.float64) / (counts * self._scales[k])
                sizes[:, k] = counts.min(axis=1)
        return table, sizes

    def true_means(self, probabilities: tuple[Fraction, ...]) -> FloatArray:
        """Average over the population, (K, H); on lattices exact up to one rounding."""
        if not self.is_lattice:
            return self.means(np.array([[float(p) for p in probabilities]]))[0][:, 0]
        common = math.lcm(*(p.denominator for p in probabilities))
        numerators = [p.numerator * (common // p.denominator) for p in probabilities]
        if common * self._reach < EXACT_INTEGERS:
            return self.means(np.array([numerators], dtype=np.float64))[0][:, 0]
        weights = np.array(numerators, dtype=object)
        sums: list[npt.NDArray[np.object_]] = [np.empty(0, dtype=object)] * self._scales.size
        for rows, matrix, same in self._blocks:
            found = weights[rows] @ matrix.astype(np.int64).astype(object)
            for k, part in zip(same, np.split(found, len(same)), strict=True):
                sums[k] = part
        masses = weights @ self._where.astype(np.int64).astype(object)
        whole = [np.full(row.size, mass, dtype=object) for row, mass in zip(sums, masses, strict=True)]
        for k, where in self._own.items():
            whole[k] = weights @ where.astype(np.int64).astype(object)
        scales = [int(scale) for scale in self._scales]
        return np.array(
            [
                [float(Fraction(int(total), int(mass) * scale)) for total, mass in zip(row, below, strict=True)]
                for row, below, scale in zip(sums, whole, scales, strict=True)
            ]
        )
