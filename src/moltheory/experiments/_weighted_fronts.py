"""Comparing empirical fronts of an infinite class with the true one, both found by weighted sums."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._html_repr import Shown
from moltheory._core._validation import FloatArray, check_count
from moltheory.errors import InvalidInputError
from moltheory.experiments._chords import above_front, short_of_targets
from moltheory.experiments._fronts import Objectives, risks_of, weighted_members
from moltheory.experiments._lattice_fronts import MOST_TASKS, LatticeFront
from moltheory.experiments._simplices import Lattice
from moltheory.pareto import hypervolume
from moltheory.problems import ProblemLike
from moltheory.problems._protocol import as_infinite

__all__ = ["WeightedFrontComparison"]

# Entries of the largest temporary array, and predictions of all members held at once.
_CHUNK = 1 << 22


@document
class WeightedFrontComparison(Shown):
    """What the asymmetry is stated in, for fronts that are known at a grid of weights.

    Quadratic fronts are computed in closed form, others by Newton steps with a certificate for each member. For two
    tasks a front is what the members and the chords of neighbors are: convex combinations of two minimisers, which
    are at least as good as the chord in every sample and in truth. Distances to chords are exact, so that the grid does
    not show: what chords miss of a continuous front falls with the square of the step and is reported with every
    distance (``discretization``), the gaps of the certificates included. For three and four tasks it is the simplices of
    neighbors; where these leave a distance largest, the nearest member is looked for between the grid's, among the
    minimisers for any weights of quadratic risks, among mixtures of neighboring minimisers of others. For more
    tasks the members themselves are compared, and the step of the grid limits both errors.

    Parameters
    ----------
    problem : ProblemLike
        With an infinite class. Its true front is computed once, for two tasks at many more weights than those of samples.
    n_points : int, optional
        Number of weights of the coarse grid at most, >= 2; by default that of the problem's `front_grid`.
    refinement : int, optional
        How many times finer the fine grid is; by default as `front_grid` says. For three and four tasks, how many times
        as many members it has at most, by default 1 for four; for more there is one grid only.

    Attributes
    ----------
    weights : (K, N) ndarray
        The fine grid; for two tasks in even steps along the true front.
    coarse : (k,) ndarray of int
        Rows of `weights` that are the coarse grid.
    true_points : (K, N) ndarray
        Members of the true front, in true risks.
    true_discretization : float
        What the true front of the comparisons can miss of the continuous one.
    reference : (N,) ndarray
        Reference point of hypervolumes: a tenth of the true front's extent beyond its largest risks.

    {raises}

    Notes
    -----
    Complexity: O(R K) solves for R samples and K weights; O(R K (N + d)) memory. For three and four tasks, also O(R K^2)
    time.

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

    def __init__(self, problem: ProblemLike, *, n_points: int | None = None, refinement: int | None = None) -> None:
        self._continuous: LatticeFront | None = None
        self.problem = problem = as_infinite(problem, needed_by="WeightedFrontComparison")
        if problem.n_tasks < 2:
            raise InvalidInputError(
                "`problem` must have two objectives or more for fronts to be compared, got one; "
                "moltheory.experiments.excess compares minimisers."
            )
        grid = problem.front_grid
        # Four tasks have many simplices for each member.
        usual = grid.refinement if problem.n_tasks < MOST_TASKS else 1
        step = check_count("refinement", usual if refinement is None else refinement)
        size = check_count("n_points", grid.n_points if n_points is None else n_points, low=problem.n_tasks)
        if problem.n_tasks == 2:
            traced = problem.front_weights(grid.trials * (step * (size - 1) + 1))
            solutions, self._front, missed = weighted_members(problem.true, traced)
            chosen = _even_rows(self._front, step * (size - 1) + 1)
            self.weights, self._solutions = traced[chosen], solutions[chosen]
            self.true_points = self._front[chosen]
            self.coarse = np.unique(np.append(np.arange(0, len(self.weights), step), len(self.weights) - 1))
        elif problem.n_tasks <= MOST_TASKS:
            self._continuous = front = LatticeFront(problem, size, step)
            self.weights, self.coarse = front.lattice.weights, front.coarse
            self._solutions, self.true_points = front.solutions, front.points
            self._front, missed = self.true_points, np.asarray(front.discretization)
        else:
            self.weights = problem.front_weights(size)
            self._solutions, self.true_points, missed = weighted_members(problem.true, self.weights)
            self._front, self.coarse = self.true_points, np.arange(len(self.weights))
        self.true_discretization = float(missed)
        low, high = self.true_points.min(axis=0), self.true_points.max(axis=0)
        self.reference = high + 0.1 * (high - low)
        self._true_hypervolume = float(hypervolume(self.true_points, reference=self.reference))

    @property
    def _lattice(self) -> Lattice | None:
        return None if self._continuous is None else self._continuous.lattice

    def replicates_at_once(self, size: int) -> int | None:
        """Return how many samples to draw and compare at a time, so that examples and predictions fit into memory."""
        if not self.problem.holds_examples:
            return None
        return max(1, _CHUNK // (size * max(len(self.weights), self.problem.n_tasks * self.problem.dimension)))

    def compare_sample(self, sample: Objectives) -> dict[str, npt.NDArray[np.generic]]:
        """Return the columns of a call on a sample."""
        return self(sample)

    def purity(self, members: FloatArray) -> FloatArray:
        """Return how far hypotheses with true risks (..., k, N) are from the true front, (..., k)."""
        if self.problem.n_tasks == 2:
            return above_front(members, self._front)
        flat = members.reshape(-1, *members.shape[-2:])
        if self._continuous is not None:
            return self._continuous.distances(flat).reshape(members.shape[:-1])
        return _distances(flat, self._front[None]).reshape(members.shape[:-1])

    def _coverage(self, sample: Objectives, solutions: FloatArray, found: FloatArray) -> FloatArray:
        """Return the largest shortfall (R,) of empirical members, in true risks (R, K, N), from a truly optimal one."""
        if self._continuous is not None:
            return self._continuous.coverage(sample, solutions, found)
        if self.problem.n_tasks > 2:
            return np.asarray(_distances(self.true_points[None], found, reverse=True).max(axis=1))
        at_coarse = short_of_targets(self.true_points[None, self.coarse], found)
        worst = at_coarse.argmax(axis=1)
        # Between the coarse neighbors of the worst, all of the fine grid: where the largest shortfall is.
        step = int(np.diff(self.coarse).max(initial=1))
        near = self.coarse[worst][:, None] + np.arange(1 - step, step)
        around = self.true_points[np.clip(near, 0, len(self.true_points) - 1)]
        return np.asarray(np.maximum(at_coarse.max(axis=1), short_of_targets(around, found).max(axis=1)))

    def true_risks_of_fronts(self, sample: Objectives) -> FloatArray:
        """Return the true risks of the members of each empirical front, (R, K, N)."""
        return risks_of(self.problem.true, weighted_members(sample, self.weights, self._lattice)[0])

    def __call__(self, sample: Objectives) -> dict[str, npt.NDArray[np.generic]]:
        """Compare each empirical front with the true one.

        Parameters
        ----------
        sample : QuadraticObjectives, ConvexObjectives or SmoothObjectives
            Empirical objectives of batch shape (R,).

        Returns
        -------
        dict of (R,) ndarray
            ``coverage_error``, how far the empirical front falls short of a truly optimal member, the largest over the
            coarse grid and, around that, over the fine one; ``purity_error``, how far an empirical member of the fine
            grid is from the true front; ``n_front``, the size of the coarse grid; ``n_spurious``, members of it farther
            from the true front than its grid explains; ``hypervolume_deficit``; ``uniform_deviation`` over the members of
            both fronts; ``undefined`` (never); ``discretization``, what the two fronts can miss together of the
            continuous ones: coverage_error <= 2 uniform_deviation + discretization in every sample (derived; proof:
            chords, simplices, discretization), and of the same members the purity error is at most that much larger.

        Raises
        ------
        InvalidInputError
            If the batch shape is not (R,), or a curvature is singular (fewer examples than parameters).
        SolverError
            If a sum has no minimiser (separable samples without ridge or ball), or one is not found.
        """
        if len(sample.batch_shape) != 1:
            raise InvalidInputError(f"`sample` must have batch shape (R,), got {sample.batch_shape}.")
        solutions, empirical, missed = weighted_members(sample, self.weights, self._lattice)
        found = risks_of(self.problem.true, solutions)
        deviation = np.maximum(
            np.abs(empirical - found).max(axis=(1, 2)),
            np.abs(sample.risks(self._solutions) - self.true_points).max(axis=(1, 2)),
        )
        covered = [float(hypervolume(points, reference=self.reference)) for points in found]
        if self._continuous is None:
            to_truth = self.purity(found)
            farthest = np.asarray(to_truth.max(axis=1))
        else:
            to_truth, farthest = self._continuous.purity(found)
        return {
            "coverage_error": self._coverage(sample, solutions, found),
            "purity_error": farthest,
            "n_front": np.full(found.shape[0], self.coarse.size),
            "n_spurious": (to_truth[:, self.coarse] > self.true_discretization).sum(axis=1),
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


def _even_rows(points: FloatArray, count: int) -> npt.NDArray[np.int64]:
    """Return rows of a front (K, 2) in about even steps along it, first and last among them."""
    length = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(points, axis=0)).max(axis=1))])
    chosen = np.minimum(np.searchsorted(length, np.linspace(0.0, length[-1], count)), len(points) - 1)
    chosen[-1] = len(points) - 1
    return np.unique(chosen)
