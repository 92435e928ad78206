"""A finite population with measures on it: every true risk is a finite sum."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._rational import read_probabilities
from moltheory._validation import FloatArray, check_count, check_names, frozen
from moltheory.errors import InvalidInputError
from moltheory.objectives import FiniteObjectives, Known, Measure
from moltheory.oracle import TypeEnumeration
from moltheory.problems._averages import CellAverages
from moltheory.problems.base import FiniteProblem, SampleSize, check_sample_size
from moltheory.runs import RandomSource, as_seed_sequence

__all__ = ["FinitePopulation"]


class FinitePopulation(FiniteProblem):
    """Hypotheses on a population of s outcomes, with one measure per objective.

    A sample of size n enters only through the counts of the outcomes, which are multinomial; the risks of all
    replicates, hypotheses and objectives are one matrix product.

    Parameters
    ----------
    probabilities : (s,) sequence of float, int or fractions.Fraction
        Probabilities of the outcomes, summing to one; floats are read as their shortest decimals.
    measures : sequence of Measure
        One per objective, all over the same s outcomes and H hypotheses; at least one estimated from data.
    names : iterable of str, optional
        Names of the objectives.
    name : str, default "finite_population"
        Names the problem in tables, and keys its random streams.

    Attributes
    ----------
    probabilities : tuple of fractions.Fraction
    measures : tuple of Measure

    Raises
    ------
    InvalidInputError
        If probabilities do not sum to one, or shapes disagree.

    Examples
    --------
    >>> from moltheory.objectives import Known, Mean
    >>> coin = FinitePopulation([0.5, 0.5], [Mean([[0, 1], [1, 0]]), Known([0, 1])])
    >>> coin.true.risks()
    array([[0.5, 0. ],
           [0.5, 1. ]])
    >>> coin.sample(3, replicates=1000, rng=0).batch_shape
    (1000,)
    """

    is_exact = True

    def __init__(
        self,
        probabilities: Sequence[Any] | npt.NDArray[Any],
        measures: Sequence[Measure],
        *,
        names: Iterable[str] | None = None,
        name: str = "finite_population",
    ) -> None:
        self.probabilities = read_probabilities(probabilities)
        self.measures = tuple(measures)
        self._check_shapes()
        self.name = name
        labels = check_names("names", names, length=len(self.measures), stem="objective")
        # A cell shared by two measures is averaged once.
        cells = list(dict.fromkeys(cell for measure in self.measures for cell in measure.cells))
        self._averages = CellAverages(cells)
        self._positions = [[cells.index(cell) for cell in measure.cells] for measure in self.measures]
        self.is_lattice = self._averages.is_lattice
        self.true = FiniteObjectives(
            self._risks_of_means(self._averages.true_means(self.probabilities)),
            names=labels,
            data_dependent=[measure.data_dependent for measure in self.measures],
        )
        self.risk_limits = frozen(np.array([_largest_value(measure) for measure in self.measures]))
        self._weights = np.array([float(p) for p in self.probabilities])

    def _check_shapes(self) -> None:
        if not any(measure.data_dependent for measure in self.measures):
            raise InvalidInputError("`measures` must hold at least one estimated from data, got none.")
        shapes = {cell.losses.shape for measure in self.measures for cell in measure.cells}
        if len(shapes) > 1:
            raise InvalidInputError(f"`measures` must agree on their shape (n, H), got {sorted(shapes)}.")
        n_outcomes, n_hypotheses = shapes.pop()
        if n_outcomes != len(self.probabilities):
            raise InvalidInputError(
                f"`measures` must have one row for each of {len(self.probabilities)} outcomes, got {n_outcomes}."
            )
        for measure in self.measures:
            if isinstance(measure, Known) and measure.values.size != n_hypotheses:
                raise InvalidInputError(
                    f"`measures` must agree on {n_hypotheses} hypotheses, got {measure.values.size} known values."
                )

    def _risks_of_means(self, means: FloatArray) -> FloatArray:
        """Means of all cells (K, ..., H) to risks (..., H, N)."""
        columns = [
            np.broadcast_to(measure.value([means[k] for k in positions]), means.shape[1:])
            for measure, positions in zip(self.measures, self._positions, strict=True)
        ]
        return np.stack(columns, axis=-1)

    def sample(self, n: SampleSize, *, replicates: int | None = None, rng: RandomSource = None) -> FiniteObjectives:
        """Draw samples with replacement and return the empirical objectives.

        See `FiniteProblem.sample`. A replicate in which some rate has no example is `undefined` in that objective.
        """
        size = check_sample_size(n, self.true.data_dependent)
        rows = 1 if replicates is None else check_count("replicates", replicates)
        generator = rng if isinstance(rng, np.random.Generator) else np.random.default_rng(as_seed_sequence(rng))
        if isinstance(size, int):
            risks, cell_sizes = self._risks_of_counts(generator.multinomial(size, self._weights, size=rows))
        else:
            parts = [self._risks_of_counts(generator.multinomial(size_i, self._weights, size=rows)) for size_i in size]
            owner = np.repeat(np.arange(len(size)), [len(positions) for positions in self._positions])
            risks = np.stack([part[0][..., i] for i, part in enumerate(parts)], axis=-1)
            cell_sizes = np.stack([parts[i][1][..., k] for k, i in enumerate(owner)], axis=-1)
        single = replicates is None
        return FiniteObjectives(
            risks[0] if single else risks,
            names=self.objective_names,
            data_dependent=self.true.data_dependent,
            cell_sizes=cell_sizes[0] if single else cell_sizes,
        )

    def _risks_of_counts(self, counts: npt.NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
        """Counts (R, s) to risks (R, H, N) and cell sizes (R, all cells of all measures)."""
        means, sizes = self._averages.means(counts)
        flat = [k for positions in self._positions for k in positions]
        return self._risks_of_means(means), sizes[:, flat]

    def exact(self, n: int) -> TypeEnumeration:
        """Return the exact distribution of the empirical risks in samples of size n.

        Parameters
        ----------
        n : int
            Sample size, >= 1, shared by all objectives.

        Returns
        -------
        TypeEnumeration
            With ``probability(event)`` and ``expectation(f)``.

        Raises
        ------
        TooLargeError
            If there are too many sample types; the message gives the count and the limit.
        """
        return TypeEnumeration(self.probabilities, n, risks=lambda counts: self._risks_of_counts(counts)[0])

    def _width_of_cells(self, widths: list[FloatArray], objective: int) -> FloatArray:
        return self.measures[objective].width(widths)

    def _cell_ranges(self) -> list[list[float]]:
        return [[_spread(cell.losses[cell.where]) for cell in measure.cells] for measure in self.measures]


def _spread(losses: FloatArray) -> float:
    return float(losses.max() - losses.min())


def _largest_value(measure: Measure) -> float:
    """Return the largest value the measure can take, from the ranges of its cells."""
    seen = [cell.losses[cell.where] for cell in measure.cells]
    low = [np.array([losses.min()]) for losses in seen]
    high = [np.array([losses.max()]) for losses in seen]
    return float(measure.interval(low, high)[1].max())
