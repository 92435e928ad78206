"""A finite population with measures on it: every true risk is a finite sum."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._deprecation import renamed_parameter
from moltheory._core._docs import document
from moltheory._core._places import places_of
from moltheory._core._rational import read_probabilities
from moltheory._core._validation import FloatArray, as_readonly, check_count, check_names
from moltheory.errors import InvalidInputError
from moltheory.objectives import FiniteObjectives, Known, Measure
from moltheory.objectives._measure_contract import check_definitions
from moltheory.oracle import TypeEnumeration, count_types
from moltheory.problems._averaged import AveragedProblem
from moltheory.problems._averages import CellAverages
from moltheory.problems._base import SampleSize, check_sample_size
from moltheory.problems._room import require_room
from moltheory.problems._strata import StratifiedAverages
from moltheory.runs import RandomSource, as_seed_sequence

__all__ = ["FinitePopulation"]


@renamed_parameter("names", "objective_names")
@document
class FinitePopulation(AveragedProblem):
    r"""Hypotheses on a population of s outcomes, with one measure per objective.

    A sample of size n enters only through the counts of the outcomes, which are multinomial; the risks of all
    replicates, hypotheses and objectives are one matrix product.

    Parameters
    ----------
    probabilities : (s,) sequence of float, int or fractions.Fraction
        Probabilities of the outcomes, summing to one; floats are read as their shortest decimals.
    measures : sequence of Measure
        One per objective, all over the same s outcomes and H hypotheses; at least one estimated from data.
    {objective_names}
    {problem_name}
    stratify : bool, default False
        Fix in every sample how many examples each stratum has, so that no rate is ever undefined; the strata are
        the atoms of the measures' conditions (for rates within two groups and two classes: four of them).
    hypothesis_names : iterable of str, optional
        Names of the H hypotheses; by default ``h0``, ``h1`` and so on.

    Attributes
    ----------
    probabilities : tuple of fractions.Fraction
    measures : tuple of Measure
    hypothesis_names : tuple of str
    n_strata : int or None
        Smallest sample size of a stratified problem; None where samples are not stratified.

    {raises}

    Notes
    -----
    In a stratified sample of size n, stratum g with probability P_g has about n P_g examples (largest remainders,
    at least one). The mean over a cell is weighted by the true probabilities p_g of its strata,
    :math:`\sum_g p_g \bar\ell_g`, so it is unbiased although the allocation is rounded. By Hoeffding's inequality
    for independent bounded terms its width is :math:`B \sqrt{\log(2/\eta)/2 \cdot \sum_g p_g^2 / n_g}` (derived; proof:
    conditional-rate),
    the usual one at the effective sample size :math:`(\sum_g p_g^2 / n_g)^{-1}`, kept in ``cell_sizes``.
    Equal risks of cells made of several strata are bitwise equal only while the common denominator of their weights
    is small, so ``is_lattice`` is False unless every cell is one stratum.

    Complexity: O(s H) time and memory per cell of a measure. R samples take O(R s H) time per cell, whatever n; an
    exact sum over T sample types O(T s H).

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
        objective_names: Iterable[str] | None = None,
        name: str = "finite_population",
        stratify: bool = False,
        hypothesis_names: Iterable[str] | None = None,
    ) -> None:
        self.probabilities = read_probabilities(probabilities)
        self.measures = tuple(measures)
        self._check_shapes()
        self.name = name
        labels = check_names("objective_names", objective_names, length=len(self.measures), stem="objective")
        # A cell shared by two measures is averaged once.
        cells = list(dict.fromkeys(cell for measure in self.measures for cell in measure.cells))
        averages = CellAverages(cells)
        places = places_of(cells)
        self._positions = [[places[cell] for cell in measure.cells] for measure in self.measures]
        self._flat = [k for positions in self._positions for k in positions]
        self.true = FiniteObjectives(
            self._risks_of_means(averages.true_means(self.probabilities)),
            names=labels,
            data_dependent=[measure.data_dependent for measure in self.measures],
        )
        self._averages = StratifiedAverages(cells, self.probabilities) if _check_flag(stratify) else averages
        self.n_strata = self._averages.n_strata if isinstance(self._averages, StratifiedAverages) else None
        # Differences and ratios of equal value may differ in the last bit, whatever the means are.
        self.is_lattice = self._averages.is_lattice and all(_is_some_mean(measure) for measure in self.measures)
        self.hypothesis_names = (
            tuple(f"h{h}" for h in range(self.n_hypotheses))
            if hypothesis_names is None
            else check_names("hypothesis_names", hypothesis_names, length=self.n_hypotheses, stem="h")
        )
        self.risk_limits = as_readonly(np.array([_largest_value(measure) for measure in self.measures]))
        self._weights = np.array([float(p) for p in self.probabilities])

    @property
    def unbiased(self) -> npt.NDArray[np.bool_]:
        """Objectives (N,) that are known or one mean under one condition; other functions of means are biased."""
        return np.array([_is_one_mean(measure) for measure in self.measures])

    def _check_shapes(self) -> None:
        for measure in self.measures:
            check_definitions("measures", measure)
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
        numbers = len(self._weights) + 2.0 * self.n_hypotheses * len(self.measures)
        require_room(rows, numbers, of=f"{self.n_hypotheses} hypotheses and {len(self.measures)} objectives")
        generator = rng if isinstance(rng, np.random.Generator) else np.random.default_rng(as_seed_sequence(rng))
        if isinstance(size, int):
            risks, cell_sizes = self._draw(size, rows, generator)
        else:
            parts = [self._draw(size_i, rows, generator) for size_i in size]
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

    def _draw(self, n: int, rows: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Draw samples of one size: risks (R, H, N) and cell sizes (R, all cells of all measures)."""
        if isinstance(self._averages, StratifiedAverages):
            means, sizes = self._averages.sample(n, rows, rng)
        else:
            means, sizes = self._averages.means(rng.multinomial(n, self._weights, size=rows))
        return self._risks_of_means(means), sizes[:, self._flat]

    def _width_of_cell(self, sizes: FloatArray, *, delta: float, n_rates: int, loss_range: float) -> FloatArray:
        if self.n_strata is None:
            return super()._width_of_cell(sizes, delta=delta, n_rates=n_rates, loss_range=loss_range)
        # Effective sizes are fractions, so the half-width of one example is taken and scaled; see the Notes of the class.
        one = super()._width_of_cell(np.array(1.0), delta=delta, n_rates=n_rates, loss_range=loss_range)
        return np.asarray(float(one) / np.sqrt(sizes))

    def _sizes_are_random(self) -> bool:
        whole = all(np.all(cell.where) for measure in self.measures for cell in measure.cells)
        return self.n_strata is None and not whole

    def _cell_sizes(self, n: SampleSize) -> FloatArray:
        if not isinstance(self._averages, StratifiedAverages):
            return super()._cell_sizes(n)
        each = (n,) * len(self._positions) if isinstance(n, int) else n
        chosen = [self._averages.sizes(size)[at] for size, at in zip(each, self._positions, strict=True) if at]
        return np.concatenate(chosen)

    def n_types(self, n: int) -> int | None:
        """Return how many sample types of size n `exact` enumerates; None for a stratified problem or one with rates."""
        if self.n_strata is not None or self._sizes_are_random():
            return None
        return count_types(n, len(self.probabilities))

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
        InvalidInputError
            If the problem is stratified.
        TooLargeError
            If there are too many sample types; the message gives the count and the limit.
        """
        averages = self._averages
        if isinstance(averages, StratifiedAverages):
            raise InvalidInputError(
                "`stratify` must be off for exact enumeration, whose samples are multinomial, got a stratified problem."
            )
        return TypeEnumeration(
            self.probabilities, n, risks=lambda counts: self._risks_of_means(averages.means(counts)[0])
        )

    def _width_of_cells(self, widths: list[FloatArray], objective: int) -> FloatArray:
        return self.measures[objective].width(widths)

    def _cell_ranges(self) -> list[list[float]]:
        return [[_spread(cell.losses[cell.where]) for cell in measure.cells] for measure in self.measures]


def _check_flag(stratify: object) -> bool:
    if not isinstance(stratify, bool | np.bool_):
        raise InvalidInputError(f"`stratify` must be True or False, got {stratify!r}.")
    return bool(stratify)


def _spread(losses: FloatArray) -> float:
    return float(losses.max()) - float(losses.min())


def _largest_value(measure: Measure) -> float:
    """Return the largest value the measure can take, from the ranges of its cells."""
    seen = [cell.losses[cell.where] for cell in measure.cells]
    low = [np.array([losses.min()], dtype=np.float64) for losses in seen]
    high = [np.array([losses.max()], dtype=np.float64) for losses in seen]
    return float(measure.interval(low, high)[1].max())


def _is_one_mean(measure: Measure) -> bool:
    """Return whether the value is the mean of a single cell; a condition that depends on the model may not be one."""
    if len(measure.cells) != 1 or measure.cells[0].depends_on_model:
        return not measure.cells
    return _is_some_mean(measure)


def _is_some_mean(measure: Measure) -> bool:
    """Return whether every value is the mean of some cell, as for a rate or the worst of several, and no mixture."""
    if not measure.cells:
        return True
    cells, models = len(measure.cells), measure.cells[0].losses.shape[1]
    means = np.modf(np.sqrt(2.0) * np.arange(1, cells * models + 1))[0].reshape(cells, models)
    values = [np.asarray(measure.value(list(np.roll(means, shift, axis=0)))) for shift in range(cells)]
    return all(bool((value == means).any(axis=0).all()) for value in values)
