"""One way to call whatever minimises weighted sums: objectives of this library, others, or a function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count, check_vector, real_array
from moltheory.errors import InvalidInputError
from moltheory.objectives import ConvexObjectives, FiniteObjectives, QuadraticObjectives, SmoothObjectives
from moltheory.scalarization import WeightedSum
from moltheory.solvers._solve_front import solve_front

__all__ = ["Solve", "Solved", "WeightedSumProblem", "weighted_solver"]

Solve = Callable[[FloatArray], "FloatArray | tuple[FloatArray, FloatArray]"]
_Solvable = FiniteObjectives | QuadraticObjectives | ConvexObjectives | SmoothObjectives


@runtime_checkable
class WeightedSumProblem(Protocol):
    """What minimises weighted sums exactly."""

    @property
    def n_objectives(self) -> int:
        """Number N of objectives."""

    def minimisers(self, weights: npt.ArrayLike) -> FloatArray:
        """Return (K, d) minimisers of the sums with weights (K, N)."""

    def risks(self, hypotheses: npt.ArrayLike) -> FloatArray:
        """Return the (K, N) risks of (K, d) hypotheses."""


@dataclass(frozen=True)
class Solved:
    """Members for some weights; `lower` None where they are exact, `solutions` None where they have no names."""

    points: FloatArray
    lower: FloatArray | None
    solutions: npt.NDArray[Any] | None
    rigorous: bool


def weighted_solver(
    problem: _Solvable | WeightedSumProblem | Solve, n_objectives: int | None
) -> tuple[Callable[[FloatArray], Solved], int]:
    """Return a function of weights on the simplex, and N.

    What is none of the three, has a batch or one objective, or does not fit `n_objectives`, is refused.
    """
    if n_objectives is not None:
        n_objectives = check_count("n_objectives", n_objectives, low=2)
    if isinstance(problem, _Solvable):
        return _by_sweep(problem), _size(problem, n_objectives)
    if isinstance(problem, WeightedSumProblem):
        return _by_minimisers(problem), _size(problem, n_objectives)
    if not callable(problem):
        raise InvalidInputError(
            f"`problem` must be objectives that are minimised with a certificate, or a function, got "
            f"{type(problem).__name__}."
        )
    if n_objectives is None:
        raise InvalidInputError("`n_objectives` must be given where the problem is a function, got None.")
    return _by_function(problem), n_objectives


def _size(problem: _Solvable | WeightedSumProblem, asked: int | None) -> int:
    n, batch = int(problem.n_objectives), getattr(problem, "batch_shape", ())
    if batch != ():
        raise InvalidInputError(f"`problem` must have no batch axes, got batch shape {batch}.")
    if n < 2:
        raise InvalidInputError(f"`problem` must have at least two objectives, got {n}.")
    if asked not in (None, n):
        raise InvalidInputError(f"`n_objectives` must be {n} to fit `problem`, got {asked}.")
    return n


def _by_sweep(objectives: _Solvable) -> Callable[[FloatArray], Solved]:
    def solve(weights: FloatArray) -> Solved:
        sweep = solve_front(objectives, scalarizations=[WeightedSum(w) for w in weights])
        lower = (weights * sweep.points).sum(axis=1) - sweep.gap
        return Solved(sweep.points, lower, sweep.solutions, bool(np.all(sweep.rigorous)))

    return solve


def _by_minimisers(problem: WeightedSumProblem) -> Callable[[FloatArray], Solved]:
    def solve(weights: FloatArray) -> Solved:
        solutions = np.asarray(problem.minimisers(weights))
        return Solved(_checked(problem.risks(solutions), weights), None, solutions, True)

    return solve


def _by_function(function: Solve) -> Callable[[FloatArray], Solved]:
    def solve(weights: FloatArray) -> Solved:
        found = function(weights)
        points, lower = found if isinstance(found, tuple) else (found, None)
        bounds = None if lower is None else check_vector("problem", lower, length=len(weights))
        return Solved(_checked(points, weights), bounds, None, True)

    return solve


def _checked(points: npt.ArrayLike, weights: FloatArray) -> FloatArray:
    array = real_array("problem", points, shape=f"{weights.shape}", min_ndim=2, max_ndim=2)
    if array.shape != weights.shape:
        raise InvalidInputError(f"`problem` must return points of shape {weights.shape}, got {array.shape}.")
    return array
