"""The base class of problems with an infinite class, whose fronts are computed at a grid of weights."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any, NamedTuple

import numpy as np

from moltheory._core._card import Card, card_of_fields
from moltheory._core._docs import document
from moltheory._core._html_repr import html_of
from moltheory._core._validation import FloatArray, check_count
from moltheory.errors import InvalidInputError
from moltheory.objectives import ConvexObjectives, QuadraticObjectives, SmoothObjectives
from moltheory.pareto import Front, pareto_front
from moltheory.problems._base import Problem, SampleSize, check_sample_size, is_size
from moltheory.problems._cards import infinite_card
from moltheory.runs import RandomSource
from moltheory.scalarization import WeightedSum, simplex_grid
from moltheory.solvers import solve_front

__all__ = ["FrontGrid", "InfiniteProblem", "ParametricObjectives", "divisions_within", "sizes_of"]

ParametricObjectives = QuadraticObjectives | ConvexObjectives | SmoothObjectives


class FrontGrid(NamedTuple):
    """How finely simulations trace the fronts of a problem.

    Attributes
    ----------
    n_points : int
        Weights of the coarse grid, at most.
    refinement : int
        How many times finer the fine grid is.
    trials : int
        Weights tried for each of the fine grid, to place these evenly along the true front.
    """

    n_points: int
    refinement: int
    trials: int

    def _repr_html_(self) -> str:
        return html_of(card_of_fields(self))


class InfiniteProblem(Problem):
    """A problem whose hypotheses are vectors of parameters, with convex true risks.

    A subclass sets `name`, `true`, `is_exact` and `is_lattice` and defines `sample`; see `FiniteProblem` for `widths`.

    Attributes
    ----------
    true : QuadraticObjectives, ConvexObjectives or SmoothObjectives
        True risks, batch shape ().
    front_grid : FrontGrid
        The grids of simulations, by default for members that cost an iteration each.
    holds_examples : bool
        Whether what `simulate` returns holds every example, so that simulations draw a few replicates at a time. True
        unless a class declares otherwise.
    """

    true: ParametricObjectives
    front_grid = FrontGrid(n_points=25, refinement=6, trials=4)
    holds_examples = True

    @property
    def objective_names(self) -> tuple[str, ...]:
        """Names of the objectives."""
        return self.true.names

    @property
    def n_tasks(self) -> int:
        """Number N of objectives."""
        return self.true.n_objectives

    @property
    def dimension(self) -> int:
        """Number d of parameters."""
        return self.true.dimension

    @property
    def true_moduli(self) -> FloatArray:
        """Moduli of strong convexity (N,) of the true risks; 0 where none is declared."""
        return np.zeros(self.n_tasks)

    @abstractmethod
    @document
    def sample(self, n: SampleSize, *, replicates: int | None = None, rng: RandomSource = None) -> ParametricObjectives:
        """Draw samples and return the empirical objectives.

        Parameters
        ----------
        {sample_size}
        {repetitions}
        {rng}

        Returns
        -------
        QuadraticObjectives, ConvexObjectives or SmoothObjectives
            Batch shape () or (replicates,).

        {raises}
        """

    def simulate(self, n: int, *, replicates: int, rng: np.random.Generator) -> ParametricObjectives:
        """Return empirical objectives distributed as those of `sample`, by the quickest way known; by default `sample`."""
        return self.sample(n, replicates=replicates, rng=rng)

    @document
    def front_weights(self, n_points: int = 200) -> FloatArray:
        """Return a grid of weights for the front: the largest lattice on the simplex with at most `n_points` rows.

        Parameters
        ----------
        n_points : int, default 200
            At least N; two objectives get exactly as many rows, in equal steps, and one objective gets one row.

        Returns
        -------
        (K, N) ndarray
            Holds all unit vectors.

        {raises}
        """
        most = check_count("n_points", n_points, low=self.n_tasks)
        if self.n_tasks == 1:
            return np.ones((1, 1))
        return simplex_grid(self.n_tasks, divisions_within(self.n_tasks, most))

    def true_front(self, *, n_points: int = 200) -> Front:
        """Return points of the true Pareto front, for the weights of `front_weights`.

        Parameters
        ----------
        n_points : int, default 200
            How many points at most, >= N. Where all risks are strongly convex, the points for all weights are the whole
            front; ``discretization_error`` bounds what those of a grid miss, for quadratic risks.

        Returns
        -------
        Front
            ``members`` are rows of the weights.

        Raises
        ------
        InvalidInputError
            If `n_points` is below N.
        SolverError
            If a minimum is not certified.
        """
        return pareto_front(self._points_at(self.front_weights(n_points)))

    def _points_at(self, weights: FloatArray) -> FloatArray:
        """True risks (K, N) of the minimisers of weighted sums (K, N)."""
        return np.asarray(solve_front(self.true, scalarizations=[WeightedSum(w) for w in weights]).points)

    def _card(self) -> Card:
        return infinite_card(self)


def divisions_within(n_objectives: int, most: int) -> int:
    """Return the steps along an edge of the largest lattice on the simplex with at most so many points."""
    divisions = 1
    while math.comb(divisions + n_objectives, n_objectives - 1) <= most:
        divisions += 1
    return divisions


def sizes_of(sample_or_n: Any, n_objectives: int) -> tuple[FloatArray, tuple[int, ...]]:
    """Return the sizes (N,) of a sample or of a sample to be drawn, and the batch shape of its half-widths.

    Sizes that are no positive integers, and objectives that no problem drew, are refused.
    """
    if is_size(sample_or_n):
        n = check_sample_size(sample_or_n, np.ones(n_objectives, dtype=np.bool_))
        return np.broadcast_to(np.asarray(n, dtype=np.float64), (n_objectives,)), ()
    sizes = getattr(sample_or_n, "sample_sizes", None)
    if sizes is None or len(sizes) != n_objectives:
        raise InvalidInputError("`sample_or_n` must be drawn from the problem, got objectives without sample sizes.")
    return np.asarray(sizes, dtype=np.float64), tuple(sample_or_n.batch_shape)
