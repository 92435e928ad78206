"""Samples with fixed group counts: strata, their allocation, and averages that stay unbiased."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from moltheory._core._rational import EXACT_INTEGERS, integer_scale
from moltheory._core._validation import FloatArray
from moltheory.errors import InvalidInputError
from moltheory.objectives import Cell

__all__ = ["StratifiedAverages", "allocate"]

_SINGLE_PRECISION_INTEGERS = 2**24


def allocate(n: int, shares: Sequence[Fraction]) -> list[int]:
    """Split n examples over strata in proportion to their probabilities, with at least one each; refuse a smaller n.

    The method of largest remainders; where small strata are topped up to one, the strata furthest above their share
    give an example back. Ties go to the first stratum.
    """
    if n < len(shares):
        raise InvalidInputError(
            f"`n` must be at least {len(shares)}, the number of strata of a stratified problem, got {n}."
        )
    quotas = [n * share for share in shares]
    counts = [max(1, math.floor(quota)) for quota in quotas]
    while sum(counts) < n:
        counts[max(range(len(counts)), key=lambda g: quotas[g] - counts[g])] += 1
    while sum(counts) > n:
        spare = [g for g in range(len(counts)) if counts[g] > 1]
        counts[max(spare, key=lambda g: counts[g] - quotas[g])] -= 1
    return counts


class StratifiedAverages:
    r"""Post-stratified means of cells over s outcomes: :math:`\sum_g p_g \bar\ell_g` over the strata g of each cell.

    The strata are the atoms of the cells' conditions, so every cell is a union of strata; p_g is the true probability
    of g given the cell, whatever the rounded allocation is, so every mean is unbiased. Conditions of probability zero
    are refused. `is_lattice` says whether equal means are bitwise equal for every sample size: losses are fractions
    with a small denominator and every cell is one stratum. Cells of several strata keep their ties while the common
    denominator of their weights is small enough.
    """

    def __init__(self, cells: Sequence[Cell], probabilities: tuple[Fraction, ...]) -> None:
        if any(cell.depends_on_model for cell in cells):
            raise InvalidInputError(
                "`stratify` must be off where a condition depends on the model, such as that of precision, got one."
            )
        possible = np.array([p > 0 for p in probabilities])
        patterns = np.array([cell.where for cell in cells]).T[possible]
        if not patterns.any(axis=0).all():
            raise InvalidInputError("`stratify` must be off where a condition has probability zero, got one.")
        _, first, labels = np.unique(patterns, axis=0, return_index=True, return_inverse=True)
        # Numbered by first appearance, and what lies in no cell is a stratum too: it takes its share of n.
        rank = np.argsort(np.argsort(first))[labels.reshape(-1)]
        rows = np.flatnonzero(possible)
        self._rows = [rows[rank == g] for g in range(first.size)]
        self._shares = [sum((probabilities[z] for z in chosen.tolist()), Fraction(0)) for chosen in self._rows]
        self._within = [
            np.array([float(probabilities[z] / share) for z in chosen.tolist()])
            for chosen, share in zip(self._rows, self._shares, strict=True)
        ]
        self._cells_of = [[k for k, cell in enumerate(cells) if cell.where[chosen[0]]] for chosen in self._rows]
        self._strata_of = [[g for g, found in enumerate(self._cells_of) if k in found] for k in range(len(cells))]
        scaled = [integer_scale(cell.losses) for cell in cells]
        self._lattice = [entry is not None for entry in scaled]
        self._scales = [1 if entry is None else entry[1] for entry in scaled]
        tables = [
            cell.losses if entry is None else entry[0].astype(np.float64)
            for cell, entry in zip(cells, scaled, strict=True)
        ]
        self._reach = [
            max(float(np.abs(table).max()), float(scale)) for table, scale in zip(tables, self._scales, strict=True)
        ]
        self._matrices = [
            np.concatenate([tables[k][chosen] for k in found], axis=1) if found else None
            for chosen, found in zip(self._rows, self._cells_of, strict=True)
        ]
        self._shape = (len(cells), tables[0].shape[1])
        self.n_strata = len(self._rows)
        self.is_lattice = all(self._lattice) and all(len(found) == 1 for found in self._strata_of)

    def sample(self, n: int, rows: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Return means (K, R, H), never NaN, and effective sample sizes (R, K) of R = `rows` stratified samples of size n.

        A mean over strata of sizes n_g with weights p_g is as wide as one over 1 / sum(p_g^2 / n_g) examples.
        """
        counts = allocate(n, self._shares)
        weights = [self._weights(k, counts) for k in range(len(self._strata_of))]
        totals = np.zeros((self._shape[0], rows, self._shape[1]))
        for g, (within, found, matrix) in enumerate(zip(self._within, self._cells_of, self._matrices, strict=True)):
            # Drawn even where no cell looks, so that the stream does not depend on the measures' order.
            drawn = rng.multinomial(counts[g], within, size=rows)
            if matrix is None:
                continue
            # Sums of integers below 2**24 are exact in single precision too, and twice as fast.
            short = all(self._lattice) and counts[g] * max(self._reach) < _SINGLE_PRECISION_INTEGERS
            kind = np.float32 if short else np.float64
            with np.errstate(invalid="ignore"):  # see `CellAverages.means`: the factors are finite
                sums = (drawn.astype(kind) @ matrix.astype(kind, copy=False)).reshape(rows, len(found), -1)
            for position, k in enumerate(found):
                totals[k] += weights[k][0][g] * sums[:, position].astype(np.float64)
        totals /= np.array([mass for _, mass in weights])[:, None, None]
        sizes = self._effective_sizes(counts)
        return totals, np.broadcast_to(sizes, (rows, sizes.size))

    def sizes(self, n: int) -> FloatArray:
        """Return the effective sizes (K,) of all cells in samples of size n, which `sample` returns with every sample."""
        return self._effective_sizes(allocate(n, self._shares))

    def _effective_sizes(self, counts: list[int]) -> FloatArray:
        return np.array([self._effective_size(k, counts) for k in range(len(self._strata_of))])

    def _weights(self, k: int, counts: list[int]) -> tuple[dict[int, float], float]:
        """Return the weight of an example of each stratum of cell k, and the divisor of the weighted sum of losses."""
        strata = self._strata_of[k]
        exact = {g: self._shares[g] / counts[g] for g in strata}
        common = Fraction(
            math.gcd(*(weight.numerator for weight in exact.values())),
            math.lcm(*(weight.denominator for weight in exact.values())),
        )
        whole = {g: int(weight / common) for g, weight in exact.items()}
        mass = sum(whole[g] * counts[g] for g in strata)
        if self._lattice[k] and mass * self._reach[k] < EXACT_INTEGERS:
            # All sums are integers below 2**53: the one division makes equal means equal floats.
            return {g: float(weight) for g, weight in whole.items()}, float(mass * self._scales[k])
        mass_of_cell = sum((self._shares[g] for g in strata), Fraction(0))
        return {g: float(weight / mass_of_cell) for g, weight in exact.items()}, float(self._scales[k])

    def _effective_size(self, k: int, counts: list[int]) -> float:
        mass = sum((self._shares[g] for g in self._strata_of[k]), Fraction(0))
        return float(1 / sum(((self._shares[g] / mass) ** 2 / counts[g] for g in self._strata_of[k]), Fraction(0)))
