"""Adaptive refinement of convex fronts: solve where the certified gap between inner and outer approximation is largest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._card import Card
from moltheory._core._html_repr import Printed
from moltheory._core._validation import FloatArray, as_readonly, check_count, check_real, check_vector, real_array
from moltheory.errors import InvalidInputError
from moltheory.objectives import ConvexObjectives, FiniteObjectives, QuadraticObjectives
from moltheory.solvers._bracket import Bracket
from moltheory.solvers._cards import refined_card
from moltheory.solvers._weighted_solves import Solve, WeightedSumProblem, weighted_solver

__all__ = ["RefinedFront", "WeightedSumProblem", "refine_front", "sandwich_gap"]

# Pieces whose gap is within this factor of what the solves at their corners leave are as good as they get.
_WORTH = 1.1


@dataclass(frozen=True, eq=False, repr=False)
class RefinedFront(Printed):
    """Members of a front, between two polyhedra whose distance is certified.

    Attributes
    ----------
    weights : (K, N) ndarray
        On the simplex, the unit vectors first.
    points : (K, N) ndarray
        Row k minimises the sum with weights k, up to the accuracy of `lower`.
    lower : (K,) ndarray
        No attainable v has a weighted sum with weights k below this.
    pieces : (F, N) ndarray of int
        The simplex of weights cut into simplices, each given by rows of `weights`.
    gaps : (F,) ndarray
        Certified gap of each piece, in units of `scale`.
    scale : (N,) ndarray
        As given.
    status : str
        ``"tolerance reached"``, ``"max_points reached"`` or ``"limited by the accuracy of the solves"``.
    rigorous : bool
        Whether every lower value is a bound, so that the gap is certified; where `solve_front` has estimates only (no
        strong convexity and no ball), False, and the gap is an estimate too. Functions are taken at their word.
    solutions : (K, d) or (K,) ndarray or None
        Parameters or indices of the members; None where the problem is a function.
    history : tuple of (int, float)
        Number of members and certified gap of each round.
    """

    weights: FloatArray
    points: FloatArray
    lower: FloatArray
    pieces: npt.NDArray[np.intp]
    gaps: FloatArray
    scale: FloatArray
    status: str
    rigorous: bool
    solutions: npt.NDArray[Any] | None
    history: tuple[tuple[int, float], ...]

    @property
    def gap(self) -> float:
        """The certified gap: every attainable v is within ``gap * scale`` of a mixture of the members."""
        return float(self.gaps.max())

    @property
    def converged(self) -> bool:
        """Whether the tolerance was reached."""
        return self.status == "tolerance reached"

    def outside(self, points: npt.ArrayLike, /) -> FloatArray:
        """Return how far each of `points`, of shape (m, N), lies below the outer approximation.

        Returns
        -------
        (m,) ndarray
            ``max_k (lower_k - w_k v)``. Positive: v is certainly not attainable, whoever claims it.

        Raises
        ------
        InvalidInputError
            If the shape does not fit.
        """
        n = self.points.shape[1]
        v = real_array("points", points, shape=f"(m, {n})", min_ndim=2, max_ndim=2)
        if v.shape[1] != n:
            raise InvalidInputError(f"`points` must have shape (m, {n}), got shape {v.shape}.")
        excess: FloatArray = (self.lower - v @ self.weights.T).max(axis=1)
        return excess

    def _line(self) -> str:
        """Size, gap and status."""
        k, n = self.points.shape
        return f"RefinedFront({k} members, {n} objectives, gap={self.gap:.3g}, status={self.status!r})"

    def _card(self) -> Card:
        return refined_card(self)


def refine_front(
    problem: FiniteObjectives | QuadraticObjectives | ConvexObjectives | WeightedSumProblem | Solve,
    /,
    *,
    n_objectives: int | None = None,
    tolerance: float,
    max_points: int = 200,
    scale: npt.ArrayLike | None = None,
) -> RefinedFront:
    r"""Cover a convex front to a certified tolerance with few weights.

    Parameters
    ----------
    problem : FiniteObjectives, QuadraticObjectives, ConvexObjectives, WeightedSumProblem or callable
        Objectives without a batch, solved by `solve_front`, whose gaps enter the certificate; others that minimise
        weighted sums exactly (`minimisers` and `risks`); or a function that takes weights (K, N) on the simplex and
        returns points (K, N) that minimise the weighted sums. Where a function does so inexactly, it returns a pair of
        points and lower values (K,), none above the true minimum of its sum.
    n_objectives : int, optional
        N >= 2; needed for a function.
    tolerance : float
        Requested gap, > 0, in units of `scale`.
    max_points : int, default 200
        Most members to solve for, at least N.
    scale : (N,) array_like, optional
        Unit of each objective, > 0; ones by default.

    Returns
    -------
    RefinedFront
        For every attainable v some mixture of the members is at most ``v_i + gap * scale_i`` in every objective i. For
        convex objectives on a convex class, mixed hypotheses do at least as well as mixed risks, so the mixture is
        attained; otherwise the statement is about the convex hull.

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule, or what `problem` returns contradicts itself: a point below the bound that
        another weight gave.
    SolverError
        If `solve_front` fails for a weight.

    Notes
    -----
    The simplex of weights is cut into pieces with solved corners. On each the gap is the value of a small matrix game
    (proof in ``solvers/_sandwich.py``), whose optimal mixture of corners is the next weight: for N = 2 the normal of
    the chord between neighbors, for N >= 3 a facet normal of the lower hull. For N = 2 all pieces above the
    tolerance are cut in one call of `problem`; for N >= 3 the worst one. Beside the solves, a member costs
    O(K) for N = 2 and, for N >= 3, a convex hull and a few linear programs of K rows (about 10 ms for N = 3). Certified
    up to the rounding of the risks. Smooth fronts need of the order of
    ``tolerance ** (-(N - 1) / 2)`` members.

    Complexity: K solves and O(K^2) time beside them for K members and N = 2, K convex hulls and linear programs for
    N >= 3.

    References
    ----------
    K. Klamroth, J. Tind, M. M. Wiecek 2002, "Unbiased approximation in multicriteria optimization", Math. Methods Oper.
    Res. 56, 413-437; G. Rennen, E. R. van Dam, D. den Hertog 2011, "Enhancement of sandwich algorithms for
    approximating higher-dimensional convex Pareto sets", INFORMS J. Comput. 23. The certificate by games is derived
    (proof: sandwich).

    Examples
    --------
    >>> from moltheory.objectives import QuadraticObjectives
    >>> objectives = QuadraticObjectives(np.ones((2, 1, 1)), [[0.0], [1.0]], [0.0, 0.0])
    >>> refine_front(objectives, tolerance=0.02)
    RefinedFront(9 members, 2 objectives, gap=0.00781, status='tolerance reached')
    """
    solve, n = weighted_solver(problem, n_objectives)
    tol = check_real("tolerance", tolerance, low=0.0)
    if tol == 0.0:
        raise InvalidInputError("`tolerance` must be > 0, got 0.")
    most = check_count("max_points", max_points, low=n)
    unit = _checked_scale(scale, n)
    sandwich = Bracket(n, unit)
    sandwich.add(np.eye(n), solve)
    history: list[tuple[int, float]] = []
    while True:
        gaps, weights = sandwich.gaps(tol)
        history.append((len(sandwich.weights), float(gaps.max())))
        if gaps.max() <= tol:
            status = "tolerance reached"
            break
        if len(sandwich.weights) >= most:
            status = "max_points reached"
            break
        order = np.argsort(-gaps, kind="stable")
        order = order[gaps[order] > tol]
        floors = sandwich.floors()
        # A piece is not worth a cut where the solves at its corners leave nearly all of its gap.
        fresh = [k for k in order.tolist() if gaps[k] > _WORTH * floors[k] and sandwich.is_new(weights[k])]
        if not fresh:
            status = "limited by the accuracy of the solves"
            break
        sandwich.add(weights[fresh[: most - len(sandwich.weights) if n == 2 else 1]], solve)
    given = sandwich.weights / unit
    given /= given.sum(axis=1, keepdims=True)
    return RefinedFront(
        weights=as_readonly(given),
        points=as_readonly(sandwich.points * unit),
        lower=as_readonly(sandwich.lower * (given * unit).sum(axis=1)),
        pieces=as_readonly(sandwich.pieces),
        gaps=as_readonly(gaps),
        scale=as_readonly(unit),
        status=status,
        rigorous=sandwich.rigorous,
        solutions=None if sandwich.solutions is None else as_readonly(sandwich.solutions),
        history=tuple(history),
    )


def sandwich_gap(
    weights: npt.ArrayLike,
    points: npt.ArrayLike,
    /,
    *,
    lower: npt.ArrayLike | None = None,
    scale: npt.ArrayLike | None = None,
) -> float:
    """Return the certified gap of a given sweep of weights, as `refine_front` does for its own.

    Parameters
    ----------
    weights : (K, N) array_like
        Nonnegative, no row zero, the directions of all N unit vectors among them.
    points : (K, N) array_like
        Row k minimises the sum with weights k.
    lower : (K,) array_like, optional
        Lower bounds on the smallest weighted sums; by default those of `points`, which are then taken for exact.
    scale : (N,) array_like, optional
        Unit of each objective, > 0; ones by default.

    Returns
    -------
    float
        Every attainable v is within ``gap * scale`` of a mixture of the points.

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule, or a point is below the bound of another weight.

    Notes
    -----
    Complexity: O(K log K + K^2) time and O(K^2) memory.

    Examples
    --------
    >>> sandwich_gap([[1, 0], [0.5, 0.5], [0, 1]], [[0, 1], [0.25, 0.25], [1, 0]])
    0.125
    """
    w = real_array("weights", weights, shape="(K, N)", min_ndim=2, max_ndim=2)
    n = w.shape[1]
    if n < 2 or (w < 0.0).any() or not w.any(axis=1).all():
        raise InvalidInputError(f"`weights` must be nonnegative with no row zero and N >= 2, got shape {w.shape}.")
    unit = _checked_scale(scale, n)
    turned = w / w.sum(axis=1, keepdims=True)
    missing = [k for k in range(n) if not (turned[:, k] == 1.0).any()]
    if missing:
        raise InvalidInputError(f"`weights` must hold every unit vector, got none of objective {missing[0]}.")
    values = None if lower is None else check_vector("lower", lower, length=len(w)) / w.sum(axis=1)
    v = real_array("points", points, shape=f"{w.shape}", min_ndim=2, max_ndim=2)
    if v.shape != w.shape:
        raise InvalidInputError(f"`points` must have shape {w.shape}, got shape {v.shape}.")
    sandwich = Bracket(n, unit)
    sandwich.include(turned, v, values, name="points")
    return float(sandwich.gaps(0.0)[0].max())


def _checked_scale(scale: npt.ArrayLike | None, n: int) -> FloatArray:
    return np.ones(n) if scale is None else check_vector("scale", scale, length=n, low=0.0, strict=True)
