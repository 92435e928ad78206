"""Comparing empirical fronts of an infinite class with the true one, both found by weighted sums."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._html_repr import Shown
from moltheory._core._validation import FloatArray, check_count
from moltheory.errors import InvalidInputError
from moltheory.experiments._fronts import Objectives, risks_of, weighted_members
from moltheory.pareto import hypervolume
from moltheory.problems import InfiniteProblem

__all__ = ["WeightedFrontComparison"]

# Entries of the largest temporary array, and predictions of all members held at once.
_CHUNK = 1 << 22


@document
class WeightedFrontComparison(Shown):
    """What the asymmetry is stated in, for fronts that are known at a grid of weights.

    Quadratic fronts are computed in closed form, others by Newton steps with a certificate for each member. Each
    directed error compares members at a coarse grid of weights with the other front at a fine one: on one grid for
    both, the errors would soon measure the grid. For two tasks the steps are even along the true front. What the fine
    grids miss of their fronts is bounded (`moltheory.objectives.discretization_error`) and reported with every
    distance; the gaps of the certificates are part of it.

    Parameters
    ----------
    problem : InfiniteProblem
        Its true front is computed once.
    n_points : int, optional
        Number of weights of the coarse grid at most, >= 2; by default that of the problem's `front_grid`.
    refinement : int, optional
        How many times finer the fine grid is; by default as `front_grid` says. For more than two tasks there
        is one grid only.

    Attributes
    ----------
    weights : (K, N) ndarray
        The fine grid.
    coarse : (k,) ndarray of int
        Rows of `weights` that are the coarse grid.
    true_points : (K, N) ndarray
        Members of the true front, in true risks.
    true_discretization : float
        What the fine grid can miss of the true front.
    reference : (N,) ndarray
        Reference point of hypervolumes: a tenth of the true front's extent beyond its largest risks.

    {raises}

    Notes
    -----
    Complexity: O(R K) solves for R samples and K weights; O(R K (N + d)) memory.

    Examples
    --------
    >>> from moltheory.problems import MultiTaskLeastSquares
    >>> problem = MultiTaskLeastSquares([np.eye(2), np.eye(2)], [[1, 0], [0, 1]], [0.5, 0.5])
    >>> compare = WeightedFrontComparison(problem)
    >>> columns = compare(problem.sample(100, replicates=4, rng=0))
    >>> bool((columns["coverage_error"] <= 2 * columns["uniform_deviation"] + columns["discretization"]).all())
    True
    """

    _shown = ("problem", "weights", "true_points", "true_discretization")

    def __init__(self, problem: InfiniteProblem, *, n_points: int | None = None, refinement: int | None = None) -> None:
        self.problem = problem
        grid = problem.front_grid
        step = check_count("refinement", grid.refinement if refinement is None else refinement)
        step = step if problem.n_tasks == 2 else 1
        size = check_count("n_points", grid.n_points if n_points is None else n_points, low=2)
        if problem.n_tasks == 2:
            self.weights = _even_weights(problem, step * (size - 1) + 1)
        else:
            self.weights = problem.front_weights(size)
        self.coarse = np.unique(np.append(np.arange(0, len(self.weights), step), len(self.weights) - 1))
        self._solutions, self.true_points, missed = weighted_members(problem.true, self.weights)
        self.true_discretization = float(missed)
        low, high = self.true_points.min(axis=0), self.true_points.max(axis=0)
        self.reference = high + 0.1 * (high - low)
        self._true_hypervolume = float(hypervolume(self.true_points, reference=self.reference))

    def replicates_at_once(self, size: int) -> int | None:
        """Return how many samples to draw and compare at a time, so that examples and predictions fit into memory."""
        if not self.problem.holds_examples:
            return None
        return max(1, _CHUNK // (size * max(len(self.weights), self.problem.n_tasks * self.problem.dimension)))

    def compare_sample(self, sample: Objectives) -> dict[str, npt.NDArray[np.generic]]:
        """Return the columns of a call on a sample."""
        return self(sample)

    def true_risks_of_fronts(self, sample: Objectives) -> FloatArray:
        """Return the true risks of the members of each empirical front, (R, K, N)."""
        return risks_of(self.problem.true, weighted_members(sample, self.weights)[0])

    def __call__(self, sample: Objectives) -> dict[str, npt.NDArray[np.generic]]:
        """Compare each empirical front with the true one.

        Parameters
        ----------
        sample : QuadraticObjectives or ConvexObjectives
            Empirical objectives of batch shape (R,).

        Returns
        -------
        dict of (R,) ndarray
            ``coverage_error``, of truly optimal members at the coarse grid to the empirical front at the fine one;
            ``purity_error``, of empirical members at the coarse grid to the true front at the fine one; ``n_front``,
            the size of the coarse grid; ``n_spurious``, members farther from the true front than its grid explains;
            ``hypervolume_deficit``; ``uniform_deviation`` over the members of both fronts; ``undefined`` (never);
            ``discretization``, what the two fine grids can miss together: coverage_error <= 2 uniform_deviation +
            discretization in every sample (derived).

        Raises
        ------
        InvalidInputError
            If the batch shape is not (R,), or a curvature is singular (fewer examples than parameters).
        SolverError
            If a sum has no minimiser (separable samples without ridge or ball), or one is not found.
        """
        if len(sample.batch_shape) != 1:
            raise InvalidInputError(f"`sample` must have batch shape (R,), got {sample.batch_shape}.")
        solutions, empirical, missed = weighted_members(sample, self.weights)
        found = risks_of(self.problem.true, solutions)
        deviation = np.maximum(
            np.abs(empirical - found).max(axis=(1, 2)),
            np.abs(sample.risks(self._solutions) - self.true_points).max(axis=(1, 2)),
        )
        covered = [float(hypervolume(points, reference=self.reference)) for points in found]
        to_truth = _distances(found[:, self.coarse], self.true_points[None])
        return {
            "coverage_error": _distances(self.true_points[None, self.coarse], found, reverse=True).max(axis=1),
            "purity_error": to_truth.max(axis=1),
            "n_front": np.full(found.shape[0], self.coarse.size),
            "n_spurious": (to_truth > self.true_discretization).sum(axis=1),
            "hypervolume_deficit": self._true_hypervolume - np.array(covered),
            "uniform_deviation": deviation,
            "undefined": np.zeros(found.shape[0], dtype=np.bool_),
            "discretization": missed + self.true_discretization,
        }


def _distances(points: FloatArray, others: FloatArray, *, reverse: bool = False) -> FloatArray:
    """Return how far each point (R or 1, k, N) is from the nearest of the others (R or 1, l, N), shape (R, k).

    The distance is the largest excess of the point over the other, floored at 0; of the other over the point if
    `reverse`.
    """
    rows = max(points.shape[0], others.shape[0])
    step = max(1, _CHUNK // (points.shape[1] * others.shape[1]))
    result = np.empty((rows, points.shape[1]))
    for start in range(0, rows, step):
        here = points if points.shape[0] == 1 else points[start : start + step]
        there = others if others.shape[0] == 1 else others[start : start + step]
        # One objective at a time: a trailing axis of length N would be slow to reduce.
        worst = np.full((1, 1, 1), 0.0)
        for i in range(points.shape[2]):
            excess = here[:, :, None, i] - there[:, None, :, i]
            if reverse:
                np.negative(excess, out=excess)
            worst = np.maximum(worst, excess, out=excess)
        result[start : start + step] = worst.min(axis=2)
    return result


def _even_weights(problem: InfiniteProblem, n_points: int) -> FloatArray:
    """Return weights of two tasks whose solutions lie in even steps along the true front."""
    fine = problem.front_weights(problem.front_grid.trials * n_points)
    points = weighted_members(problem.true, fine)[1]
    length = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(points, axis=0)).max(axis=1))])
    chosen = np.minimum(np.searchsorted(length, np.linspace(0.0, length[-1], n_points)), len(fine) - 1)
    return np.asarray(fine[np.unique(chosen)])
