"""What problems with an infinite class share: a front that is computed at a grid of weights."""

from __future__ import annotations

import math

import numpy as np

from moltheory._core._validation import FloatArray, check_count
from moltheory.objectives import ConvexObjectives, QuadraticObjectives, SmoothObjectives
from moltheory.pareto import Front, pareto_front
from moltheory.problems._base import Problem
from moltheory.scalarization import WeightedSum, simplex_grid
from moltheory.solvers import solve_front

__all__ = ["InfiniteProblem"]


class InfiniteProblem(Problem):
    """A problem whose hypotheses are vectors of parameters, with convex true risks.

    Attributes
    ----------
    true : QuadraticObjectives, ConvexObjectives or SmoothObjectives
        True risks, batch shape ().
    """

    true: QuadraticObjectives | ConvexObjectives | SmoothObjectives

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

    def front_weights(self, n_points: int = 200) -> FloatArray:
        """Return a grid of weights for the front: the largest lattice on the simplex with at most `n_points` rows.

        Parameters
        ----------
        n_points : int, default 200
            At least N; two objectives get exactly as many rows, in equal steps.

        Returns
        -------
        (K, N) ndarray
            Holds all unit vectors.

        Raises
        ------
        InvalidInputError
            If `n_points` is below N.
        """
        most = check_count("n_points", n_points, low=self.n_tasks)
        divisions = 1
        while math.comb(divisions + self.n_tasks, self.n_tasks - 1) <= most:
            divisions += 1
        return simplex_grid(self.n_tasks, divisions)

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
