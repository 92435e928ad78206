"""Finite problems whose risks are made of averages: half-widths by Hoeffding's inequality for each average."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_fraction
from moltheory.bounds import Bound, conditional_rate
from moltheory.errors import InvalidInputError
from moltheory.problems._base import FiniteProblem, SampleSize, check_sample_size, is_size

__all__ = ["AveragedProblem"]

_HOEFFDING = "W. Hoeffding 1963, doi 10.1080/01621459.1963.10500830"
_ASSUMPTIONS = (
    "independent, identically distributed examples within each objective",
    "losses inside intervals of the given lengths",
    "rates: given their denominators",
)


class AveragedProblem(FiniteProblem):
    """A finite problem whose objectives are functions of averages, the cells; its samples carry ``cell_sizes``."""

    @abstractmethod
    def _width_of_cells(self, widths: list[FloatArray], objective: int) -> FloatArray:
        """Return the half-width of one objective from those of its cells."""

    @abstractmethod
    def _cell_ranges(self) -> list[list[float]]:
        """Return the length of the range of losses of each cell of each objective."""

    def _sizes_are_random(self) -> bool:
        """Whether some cell averages over a random number of examples, so that a size alone fixes no half-width."""
        return False

    def _cell_sizes(self, n: SampleSize) -> FloatArray:
        """Return the sizes (K,) of all cells in every sample of size n."""
        sizes = np.broadcast_to(np.asarray(n, dtype=np.float64), (self.true.n_objectives,))
        return np.repeat(sizes, [len(ranges) for ranges in self._cell_ranges()])

    def _width_of_cell(self, sizes: FloatArray, *, delta: float, n_rates: int, loss_range: float) -> FloatArray:
        """Return the half-width of one cell of an objective of `n_rates` cells, (...)."""
        bound = conditional_rate(
            sizes,
            n_hypotheses=self.n_hypotheses,
            delta=delta,
            n_objectives=max(int(self.true.data_dependent.sum()), 1),
            n_rates=n_rates,
            loss_range=loss_range,
        )
        return bound.width

    @document
    def widths(self, sample_or_n: Any, /, *, delta: float) -> Bound:
        """Return half-widths that hold for all hypotheses and objectives at once.

        Hoeffding's inequality per average, with delta split equally over data-dependent objectives and then over
        the averages of each; rates are conditional on their denominators (derived; proof: conditional-rate).

        Parameters
        ----------
        sample_or_n : FiniteObjectives, int or tuple of int
            What `sample` returned, of which the sizes enter and not the risks; or a sample size, where it fixes the
            number of examples behind every average.
        {delta}

        Returns
        -------
        Bound
            ``width`` has shape (*batch, N) for a sample and (N,) for a size: 0 for data-independent objectives, inf
            where a group is empty.

        Raises
        ------
        InvalidInputError
            If `sample_or_n` holds true risks, or is a size and some average is a rate with a random denominator; or if
            delta is out of range.
        """
        level = check_fraction("delta", delta)
        ranges = self._cell_ranges()
        sizes = self._sizes_of(sample_or_n)
        widths = np.zeros((*sizes.shape[:-1], self.true.n_objectives))
        limits = np.zeros(self.true.n_objectives)
        start = 0
        for objective, lengths in enumerate(ranges):
            cells = []
            for loss_range in lengths:
                size = sizes[..., start]
                cells.append(self._width_of_cell(size, delta=level, n_rates=len(lengths), loss_range=loss_range))
                start += 1
            if cells:
                widths[..., objective] = self._width_of_cells(cells, objective)
                limits[objective] = float(self._width_of_cells([np.array(length) for length in lengths], objective))
        return Bound(
            width=widths,
            loss_range=limits,
            delta=level,
            method="Hoeffding per average",
            source=_HOEFFDING,
            assumptions=_ASSUMPTIONS,
        )

    def _sizes_of(self, sample_or_n: Any) -> FloatArray:
        """Return the sizes (*batch, K) of all cells."""
        if is_size(sample_or_n):
            n = check_sample_size(sample_or_n, self.true.data_dependent)
            if self._sizes_are_random():
                raise InvalidInputError(
                    "`sample_or_n` must be a sample for a problem with rates, whose denominators vary between samples, "
                    f"got the size {n!r}."
                )
            return self._cell_sizes(n)
        if sample_or_n.cell_sizes is None:
            raise InvalidInputError(
                "`sample_or_n` must be drawn from the problem, got objectives without sample sizes."
            )
        sizes: FloatArray = sample_or_n.cell_sizes
        return sizes
