"""Fronts of infinite classes at a grid of weights, for any kind of objectives."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.experiments._chords import gap_under_chords
from moltheory.experiments._simplices import Lattice, gaps_under_simplices
from moltheory.objectives import ConvexObjectives, QuadraticObjectives, SmoothObjectives
from moltheory.objectives._discretization import gap_under_corners
from moltheory.problems import Problem
from moltheory.scalarization import WeightedSum
from moltheory.solvers import solve_front
from moltheory.solvers._families import check_kind

__all__ = ["Objectives", "gap_of_members", "risks_of", "stated_widths", "weighted_members"]

Objectives = QuadraticObjectives | ConvexObjectives | SmoothObjectives


class _Traced(Protocol):
    """A front at a grid of weights: see `moltheory.objectives.WeightedFront`."""

    @property
    def solutions(self) -> FloatArray: ...
    @property
    def points(self) -> FloatArray: ...
    @property
    def discretization(self) -> FloatArray: ...


@runtime_checkable
class _HasFront(Protocol):
    """Objectives that know their front in closed form."""

    def front(self, weights: npt.ArrayLike) -> _Traced: ...


def stated_widths(problem: Problem, sample_or_n: object, delta: float) -> FloatArray:
    """Return the half-widths (..., N) that a problem states, infinite where it states none."""
    try:
        return problem.widths(sample_or_n, delta=delta).width
    except NotImplementedError:
        return np.array([np.inf])


def risks_of(objectives: Objectives, solutions: FloatArray) -> FloatArray:
    """Risks (R, K, N) of hypotheses (R, K, d) under objectives without batch axes, or with batch (R,)."""
    if objectives.batch_shape:
        return objectives.risks(solutions)
    flat = objectives.risks(solutions.reshape(-1, solutions.shape[-1]))
    return flat.reshape(*solutions.shape[:-1], -1)


def weighted_members(
    objectives: Objectives, weights: FloatArray, lattice: Lattice | None = None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Minimisers (*batch, K, d) of weighted sums (K, N), their risks, and what they can miss of the front, (*batch,).

    For two objectives that is what the chords of neighbors in the order of the rows miss, for more what the simplices of
    neighbors do where the weights are those of a lattice, else what the members do.
    Where the minimisers are not exact, the largest of their gaps is part of what they can miss, which is infinite where
    one of these is an estimate.
    """
    # A subclass whose risks are others than those that its front is traced by is refused, as by `solve_front`.
    check_kind(objectives)
    on_simplex = weights / weights.sum(axis=1, keepdims=True)
    if lattice is not None and isinstance(objectives, QuadraticObjectives):
        solutions = objectives.minimisers(weights)
        points = objectives.risks(solutions)
        gap = np.zeros(points.shape[:-2])
        missed, certified = gap, np.ones(gap.shape, dtype=np.bool_)
    elif isinstance(objectives, _HasFront):
        front = objectives.front(weights)
        solutions, points, missed = front.solutions, front.points, np.asarray(front.discretization)
        gap, certified = np.zeros(missed.shape), np.ones(missed.shape, dtype=np.bool_)
    else:
        sweep = solve_front(objectives, scalarizations=[WeightedSum(w) for w in weights])
        solutions, points = np.asarray(sweep.solutions, dtype=np.float64), sweep.points
        gap = (sweep.gap / weights.sum(axis=1)).max(axis=-1)
        certified = np.asarray(sweep.rigorous.all(axis=-1))
        missed = gap if lattice is not None else gap_of_members(on_simplex, points, gap)
    if lattice is not None:
        missed = gaps_under_simplices(on_simplex, points, lattice.simplices).max(axis=-1) + gap
    elif weights.shape[1] == 2:
        missed = gap_under_chords(on_simplex, points, gap)
    return solutions, points, np.where(certified, missed, np.inf)


def gap_of_members(weights: FloatArray, points: FloatArray, gap: FloatArray) -> FloatArray:
    r"""Return bounds (*batch,) on how far members optimal up to a gap fall short of the hypothesis they cover worst.

    Row k of `points` (*batch, K, N) are the risks for row k of `weights` (K, N) on the simplex, all unit vectors among
    them; `gap` (*batch,) is the largest excess of a member's weighted sum over its minimum.

    Notes
    -----
    With gap g, v + g is, for every attainable v, above all lines :math:`w_k \cdot v = w_k \cdot p_k`; so the bound is
    that of exact members plus g. For N = 2, v is covered by no member better than by t iff v + t lies below a corner of
    the staircase of the members; each corner is compared with its own two lines, which leaves what
    ``objectives/_discretization.py`` has for exact members, whose order it needs and this does not. Derived (proof:
    discretization).
    """
    if weights.shape[1] > 2:
        flat = points.reshape(-1, *weights.shape)
        unit = [int(np.flatnonzero(weights[:, i] == 1.0)[0]) for i in range(weights.shape[1])]
        found = [gap_under_corners(weights, p, np.diagonal(p[unit])) for p in flat]
        return np.asarray(found).reshape(gap.shape) + gap
    order = np.argsort(points[..., 0], axis=-1, kind="stable")
    p = np.take_along_axis(points, order[..., None], axis=-2)
    w = weights[order]
    low = np.minimum.accumulate(p[..., 1], axis=-1)[..., :-1]
    corner = np.stack([p[..., 1:, 0], low], axis=-1)
    before = (w[..., :-1, :] * (corner - p[..., :-1, :])).sum(axis=-1)
    after = (w[..., 1:, :] * (corner - p[..., 1:, :])).sum(axis=-1)
    between = np.minimum(before, after).max(axis=-1, initial=0.0)
    # The end corners, infinite in one coordinate, are compared with the smallest risks.
    first, second = (int(np.flatnonzero(weights[:, i] == 1.0)[0]) for i in range(2))
    ends = np.maximum(p[..., 0, 0] - points[..., first, 0], p[..., 1].min(axis=-1) - points[..., second, 1])
    missed: FloatArray = np.maximum(np.maximum(between, ends), 0.0) + gap
    return missed
