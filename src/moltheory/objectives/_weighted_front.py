"""Fronts traced with a grid of weights, and bounds on the part of the continuous front that the grid misses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from moltheory._core._card import Card
from moltheory._core._html_repr import Printed
from moltheory._core._validation import FloatArray, as_readonly
from moltheory.objectives._cards import weighted_card
from moltheory.objectives._discretization import gap_between_lines, gap_under_corners
from moltheory.objectives._weighted_sums import check_weights

__all__ = ["Traceable", "WeightedFront", "discretization_error", "trace_front"]


@dataclass(frozen=True, eq=False, repr=False)
class WeightedFront(Printed):
    """Members of a front found with a grid of weights, and a bound on the part of the front that they miss.

    Attributes
    ----------
    weights : (K, N) ndarray
        As given.
    solutions : (*batch, K, d) ndarray
        Row k minimises the sum with weights k.
    points : (*batch, K, N) ndarray
        Risks of the solutions.
    discretization : (*batch,) ndarray
        What `discretization_error` gives.
    """

    weights: FloatArray
    solutions: FloatArray
    points: FloatArray
    discretization: FloatArray

    def _card(self) -> Card:
        return weighted_card(self)


class Traceable(Protocol):
    """Objectives whose weighted sums have known minimisers, as `QuadraticObjectives`."""

    @property
    def n_objectives(self) -> int:
        """Number N of objectives."""

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """Leading axes."""

    def minimisers(self, weights: npt.ArrayLike, *, minimum_norm: bool = False) -> FloatArray:
        """Return the minimisers (*batch, K, d) of weighted sums (K, N)."""

    def risks(self, hypotheses: npt.ArrayLike) -> FloatArray:
        """Return the risks (*batch, K, N) of parameters."""

    def front(self, weights: npt.ArrayLike, *, minimum_norm: bool = False) -> WeightedFront:
        """Return the members of the front for a grid of weights."""


def discretization_error(objectives: Traceable, weights: npt.ArrayLike, *, minimum_norm: bool = False) -> FloatArray:
    r"""Bound on the distance from the continuous front to the members found with a grid of weights.

    Parameters
    ----------
    objectives : QuadraticObjectives
        True or empirical.
    weights : (K, N) array_like
        Nonnegative rows, none of them zero, best with all unit vectors among them; a lattice
        (`scalarization.simplex_grid`) is a good choice.
    minimum_norm : bool, default False
        As in `QuadraticObjectives.minimisers`.

    Returns
    -------
    (*batch,) ndarray
        At least :math:`\sup_h \min_k \max_i (L_i(\theta_k) - L_i(h))_+`, the supremum over all h in R^d: each h is
        matched, up to that additive error, by some member k of the grid.

    Raises
    ------
    InvalidInputError
        As `QuadraticObjectives.minimisers`.

    Notes
    -----
    In every sample the coverage error is at most 2u + D: for empirical objectives with discretization error D, and u
    the largest deviation :math:`|\hat L_i - L_i|` over the members and the truly optimal h*, some member of the grid
    has :math:`L_i \le \hat L_i + u \le \hat L_i(h^*) + D + u \le L_i(h^*) + D + 2u`.

    Every attainable risk vector lies above the supporting hyperplane of each member and above the smallest risks;
    the bound is the exact supremum over all vectors that do. For N = 2 it is at most
    :math:`\min(w_{k1} (p_{k+1,1} - p_{k1}),\ w_{k+1,2} (p_{k2} - p_{k+1,2}))` between members adjacent in weight, and
    exceeds the true supremum by at most the factor 1 + largest step of w; for N >= 3 the factor tends to 1 on a
    smooth front as the grid is refined. It holds up to the rounding of the risks. Complexity: O(K) for N = 2, O(K^2)
    for N = 3 and O(K^(1 + N // 2)) in general, per batch entry. Derived (proof: discretization).

    Examples
    --------
    >>> from moltheory.objectives import QuadraticObjectives
    >>> objectives = QuadraticObjectives(np.ones((2, 1, 1)), [[0.0], [1.0]], [0.0, 0.0])
    >>> grid = np.linspace(0, 1, 11)
    >>> discretization_error(objectives, np.stack([grid, 1 - grid], axis=1)).round(12)
    np.float64(0.054)
    """
    return objectives.front(weights, minimum_norm=minimum_norm).discretization


def trace_front(objectives: Traceable, weights: npt.ArrayLike, *, minimum_norm: bool) -> WeightedFront:
    """Return the front of quadratic objectives for a grid of weights: see `QuadraticObjectives.front`."""
    w = check_weights(weights, objectives.n_objectives)
    solutions = objectives.minimisers(w, minimum_norm=minimum_norm)
    points = objectives.risks(solutions)
    on_simplex = w / w.sum(axis=1, keepdims=True)
    lowest = _lowest(objectives, on_simplex, points)
    if objectives.n_objectives == 2:
        gap = gap_between_lines(on_simplex, points, lowest)
    else:
        flat = zip(points.reshape(-1, *w.shape), lowest.reshape(-1, w.shape[1]), strict=True)
        gap = np.array([gap_under_corners(on_simplex, p, low) for p, low in flat]).reshape(objectives.batch_shape)
    return WeightedFront(as_readonly(w), as_readonly(solutions), as_readonly(points), as_readonly(np.asarray(gap)))


def _lowest(objectives: Traceable, weights: FloatArray, points: FloatArray) -> FloatArray:
    """Return the smallest value of each objective, (*batch, N), from `points` where a weight is a unit vector."""
    n = objectives.n_objectives
    lowest = np.empty((*objectives.batch_shape, n))
    for k in range(n):
        rows = np.flatnonzero(weights[:, k] == 1.0)
        if rows.size:
            lowest[..., k] = points[..., rows[0], k]
        else:
            smallest = objectives.minimisers(np.eye(n)[k : k + 1], minimum_norm=True)
            lowest[..., k] = objectives.risks(smallest)[..., 0, k]
    return lowest
