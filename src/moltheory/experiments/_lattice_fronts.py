"""The continuous true front of three or four objectives, and distances of empirical ones to and from it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.experiments._fronts import Objectives, weighted_members
from moltheory.experiments._mixtures import Between, between_members, largest_distance
from moltheory.experiments._simplices import Lattice, gaps_under_simplices, nearest_mixtures
from moltheory.problems import InfiniteProblem
from moltheory.problems._infinite import divisions_within

__all__ = ["MOST_TASKS", "LatticeFront"]

# Beyond that, a grid of weights that could be paid for has too few members for simplices of them to mean anything.
MOST_TASKS = 4


class LatticeFront:
    """A true front at a lattice of weights, a coarse one within a fine one.

    Parameters
    ----------
    problem : InfiniteProblem
        With three or four objectives.
    n_points : int
        Members of the coarse lattice at most.
    refinement : int
        How many times as many members the fine lattice has, at most.

    Attributes
    ----------
    lattice : Lattice
        The fine one.
    coarse : (k,) ndarray of int
        Rows of its weights that are the coarse one.
    solutions, points : (K, d) and (K, N) ndarray
        Members of the true front, and their true risks.
    discretization : float
        What the simplices of members can miss of the continuous front.
    """

    def __init__(self, problem: InfiniteProblem, n_points: int, refinement: int) -> None:
        n = problem.n_tasks
        divisions = divisions_within(n, n_points)
        times = max(1, divisions_within(n, refinement * (n_points - 1) + 1) // divisions)
        self.lattice = Lattice(n, divisions * times)
        weights = self.lattice.weights
        steps = np.rint(weights * self.lattice.divisions).astype(np.int64)
        self.coarse = np.flatnonzero((steps % times == 0).all(axis=1))
        self.solutions, self.points, missed = weighted_members(problem.true, weights, self.lattice)
        self.discretization = float(missed)
        self._risks = problem.true.risks
        self._sag = gaps_under_simplices(weights, self.points, self.lattice.simplices)
        self._between = between_members(problem.true, self.solutions[None], self.lattice, self._risks)
        # For each coarse row all rows less than a coarse step away, filled up by itself.
        near = np.abs(steps[self.coarse][:, None] - steps).max(axis=2) < times
        self._near = np.tile(self.coarse[:, None], near.sum(axis=1).max())
        for row, chosen in zip(self._near, near, strict=True):
            row[: chosen.sum()] = np.flatnonzero(chosen)

    def coverage(self, sample: Objectives, solutions: FloatArray, found: FloatArray) -> FloatArray:
        """Return the largest shortfall (R,) of empirical fronts from a member of the true one.

        `solutions` (R, K, d) and their true risks `found` (R, K, N) are members of the empirical fronts.
        """
        between = between_members(sample, solutions, self.lattice, self._risks)
        at_coarse, which = self._largest_shortfall(self.coarse[None], found, between)
        # Then between the coarse neighbors of the worst.
        return np.maximum(at_coarse, self._largest_shortfall(self._near[which], found, between)[0])

    def _largest_shortfall(
        self, rows: npt.NDArray[np.int64], found: FloatArray, between: Between
    ) -> tuple[FloatArray, npt.NDArray[np.int64]]:
        """Return by how much fronts fall short of true members (R or 1, k) at most, and which of these is worst."""
        targets, lattice = self.points[rows], self.lattice
        nearest = nearest_mixtures(targets, found, lattice.simplices, sign=1.0)
        return largest_distance(targets, lattice.weights[rows], nearest, lattice, between)

    def distances(self, members: FloatArray) -> FloatArray:
        """Return how far hypotheses with true risks (R, k, N) are from the simplices of the true front, (R, k)."""
        return nearest_mixtures(members, self.points[None], self.lattice.simplices, sign=-1.0)[0]

    def purity(self, members: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return `distances` of members for the weights of `lattice`, and that of the farthest (R,) from the true front."""
        nearest = nearest_mixtures(members, self.points[None], self.lattice.simplices, sign=-1.0)
        own = self.lattice.weights[None]
        farthest, _ = largest_distance(members, own, nearest, self.lattice, self._between, sign=-1.0, sag=self._sag)
        return nearest[0], farthest
