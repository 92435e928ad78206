"""Check that a problem is what it declares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from moltheory._core._validation import FloatArray, check_count
from moltheory.errors import InvalidInputError
from moltheory.pareto import nondominated
from moltheory.problems import FiniteProblem, InfiniteProblem, ProblemLike
from moltheory.problems._protocol import as_problem, kind_of
from moltheory.scalarization import WeightedSum
from moltheory.solvers import solve_front
from moltheory.testing._derivatives import check_convexity, check_derivatives
from moltheory.testing._errors import ContractError
from moltheory.testing._problem_samples import Samples, check_samples

__all__ = ["check_problem"]

# Points of a continuous front that are checked, and what solvers may leave open, relative to the risks.
_POINTS, _SOLVED = 9, 1e-6
# Axes of a ball whose ends are looked at.
_AXES = 4


def check_problem(
    problem: ProblemLike,
    /,
    *,
    sizes: Sequence[int] = (1, 7),
    replicates: int = 4000,
    rng: int = 0,
) -> None:
    """Raise an error that names what is wrong with a problem, if something is.

    Of every problem: that it declares its names and flags; that true objectives and samples have the shapes, names and
    kinds that belong together; that a seed repeats its samples bit for bit, replicates differ, and one of them is the
    sample without replicates; that a tuple of sizes, one for each objective, is refused or read as that; that
    data-independent objectives do not vary; that the empirical risks of `unbiased` objectives have the true ones as
    mean; that the half-widths, where it states some, are `Bound` objects, grow with the confidence and hold at their
    level; and that ``true_front`` is the front of the true risks. Of a finite class also that ``is_lattice`` holds
    (equal risks are bitwise equal), that ``risk_limits`` are above the true risks, and that ``exact``, where it
    enumerates, agrees with all this. Of an infinite class that true and empirical risks are convex,
    as strongly as ``true_moduli`` and ``strong_convexity`` say, and that gradients and Hessians of `SmoothObjectives`
    are those of the values. Where ``simulate`` is not `sample`, that both have one law.

    Parameters
    ----------
    problem : ProblemLike
        Any object with `true` objectives and ``sample(n, *, replicates, rng)``, whatever its class.
    sizes : sequence of int, default (1, 7)
        Sample sizes to try. A size that the problem refuses, with an `InvalidInputError`, is left out; not all may be.
    replicates : int, default 4000
        Samples drawn of each size, >= 2.
    rng : int, default 0
        Seed.

    Raises
    ------
    ContractError
        If the contract is broken, at the first place where it is.

    Notes
    -----
    Means are tested by empirical Bernstein bounds, where ``risk_limits`` bound the risks, and by the normal
    approximation elsewhere; confidence by exact binomial tests, and without simulation where ``exact`` enumerates. A
    problem that keeps the contract is refused with probability below 1e-6. Risks of an infinite class are looked at in a
    few points, so half-widths that fail elsewhere may pass.

    Complexity: O(R) samples of each size.

    Examples
    --------
    >>> from moltheory.problems import FiniteWorld, two_coins
    >>> check_problem(two_coins())
    >>> class Optimistic(FiniteWorld):
    ...     def sample(self, n, *, replicates=None, rng=None):
    ...         return super().sample(10 * n, replicates=replicates, rng=rng)
    ...     def widths(self, sample_or_n, /, *, delta):
    ...         return 0.3 * super().widths(sample_or_n, delta=delta)
    >>> check_problem(Optimistic([0.5, 0.5], [[[0.0]], [[1.0]]]))
    Traceback (most recent call last):
        ...
    moltheory.testing._errors.ContractError: Optimistic.widths must return a Bound, got ndarray
    """
    count, kind = check_count("replicates", replicates, low=2), kind_of(problem)
    tried = [check_count("sizes", size) for size in sizes]
    try:
        _check(problem, kind, tried, count, rng)
    except ContractError:
        raise
    except InvalidInputError as error:
        raise ContractError(str(error)) from error
    except Exception as error:
        raise ContractError(
            f"{kind} must answer what it is asked, and raised {type(error).__name__}: {error}"
        ) from error


def _check(given: Any, kind: str, sizes: list[int], replicates: int, rng: int) -> None:
    problem: Any = given
    if not isinstance(given, FiniteProblem | InfiniteProblem):
        problem = as_problem(given, needed_by="check_problem")
    elif isinstance(given, InfiniteProblem) and hasattr(given, "true"):
        as_problem(given, needed_by="check_problem")  # refuses objectives that no solver certifies
    _check_declared(problem, kind)
    check_derivatives(problem.true, f"{kind}.true")
    points = None
    if isinstance(problem, InfiniteProblem):
        points = _points(problem, np.random.default_rng(rng))
        _check_convexity(problem, kind, points)
    truth = _true_risks(problem, kind, points)
    _check_front(problem, kind, truth)
    if points is None:
        _check_limits(problem, kind, truth)
    check_samples(Samples(problem, kind, truth, points, replicates, rng), sizes)
    if not np.array_equal(_true_risks(problem, kind, points), truth):
        raise ContractError(f"{kind}.true must stay what it is when samples are drawn, and changed")


def _check_declared(problem: Any, kind: str) -> None:
    if not isinstance(getattr(problem, "name", None), str) or not problem.name:
        raise ContractError(f"{kind}.name must be a non-empty text, got {getattr(problem, 'name', None)!r}")
    for flag in ("is_exact", "is_lattice"):
        if not isinstance(getattr(problem, flag, None), bool | np.bool_):
            raise ContractError(f"{kind}.{flag} must be True or False, got {getattr(problem, flag, None)!r}")
    if not hasattr(problem, "true"):
        raise ContractError(f"{kind}.true must be objectives with the true risks, got none")
    names, true = problem.objective_names, problem.true
    if not isinstance(names, tuple) or not all(isinstance(name, str) and name for name in names):
        raise ContractError(f"{kind}.objective_names must be a tuple of non-empty texts, got {names!r}")
    if len(set(names)) < len(names) or names != tuple(true.names):
        raise ContractError(f"{kind}.objective_names must be distinct and those of `true`, got {names!r}")
    if true.batch_shape != ():
        raise ContractError(f"{kind}.true must have batch shape (), got {true.batch_shape}")
    if len(names) != true.n_objectives or np.shape(problem.unbiased) != (true.n_objectives,):
        raise ContractError(f"{kind}.unbiased must be {true.n_objectives} bools, got {problem.unbiased!r}")


def _points(problem: InfiniteProblem, rng: np.random.Generator) -> FloatArray:
    """Return a few parameters (k, d), in the ball if there is one: inside, and on its rim along some axes."""
    d = problem.true.dimension
    points = np.concatenate([np.zeros((1, d)), 0.5 * rng.standard_normal((4, d)) / np.sqrt(d)])
    ball = getattr(problem.true, "ball", None)
    if ball is None:
        return points
    axes = ball.radius * np.eye(d)[: min(d, _AXES)]
    return np.asarray(ball.inside(np.concatenate([points, axes, -axes])))


def _true_risks(problem: Any, kind: str, points: FloatArray | None) -> FloatArray:
    """Return true risks (H, N), or at some points (k, N)."""
    first, again = (np.asarray(problem.true.risks(points), dtype=np.float64) for _ in range(2))
    rows = problem.n_hypotheses if points is None else len(points)
    if first.shape != (rows, problem.true.n_objectives):
        raise ContractError(
            f"{kind}.true.risks must have shape ({rows}, {problem.true.n_objectives}), got {first.shape}"
        )
    if not np.isfinite(first).all():
        raise ContractError(f"{kind}.true.risks must be finite, got NaN or infinity")
    if not np.array_equal(first, again):
        raise ContractError(f"{kind}.true.risks must be the same at every call")
    return first


def _check_limits(problem: FiniteProblem, kind: str, truth: FloatArray) -> None:
    limits = np.asarray(getattr(problem, "risk_limits", np.nan), dtype=np.float64)
    if limits.shape != truth.shape[1:] or not (limits >= truth.max(axis=0)).all():
        raise ContractError(f"{kind}.risk_limits must be {truth.shape[1]} numbers >= all true risks, got {limits}")


def _check_convexity(problem: InfiniteProblem, kind: str, points: FloatArray) -> None:
    moduli = np.asarray(problem.true_moduli, dtype=np.float64)
    if moduli.shape != (problem.true.n_objectives,) or not (moduli >= 0.0).all():
        raise ContractError(f"{kind}.true_moduli must be {problem.true.n_objectives} numbers >= 0, got {moduli}")
    check_convexity(problem.true, points, moduli, f"{kind}.true", "true_moduli")


def _check_front(problem: Any, kind: str, truth: FloatArray) -> None:
    if isinstance(problem, FiniteProblem):
        front = problem.true_front()
        wanted = np.flatnonzero(nondominated(truth))
        if not np.array_equal(np.sort(front.members), wanted):
            raise ContractError(
                f"{kind}.true_front must hold the Pareto-optimal hypotheses {wanted.tolist()}, got "
                f"{np.sort(front.members).tolist()}"
            )
        if not np.array_equal(front.points, truth[front.members]):
            raise ContractError(f"{kind}.true_front must have the true risks of its members as points")
        return
    n_points = max(_POINTS, problem.n_tasks)
    points = np.asarray(problem.true_front(n_points=n_points).points)
    if points.ndim != 2 or points.shape[1] != problem.n_tasks or not nondominated(points).all():
        raise ContractError(f"{kind}.true_front must hold points (k, {problem.n_tasks}), none of which is dominated")
    weights = problem.front_weights(n_points)
    found = solve_front(problem.true, scalarizations=[WeightedSum(w) for w in weights])
    allowed = _SOLVED * (1.0 + np.abs(found.values)) + np.asarray(found.gap)
    least = (points @ weights.T).min(axis=0) - found.values
    if (least > allowed).any():
        missing = weights[int((least - allowed).argmax())]
        raise ContractError(
            f"{kind}.true_front must hold the minimisers of weighted sums, and misses that of {missing}"
        )
    if (least < -allowed).any():
        raise ContractError(f"{kind}.true_front must hold attainable points, got one below the smallest weighted sum")
