"""Fronts of infinite classes at a grid of weights, whatever the kind of their objectives."""

from __future__ import annotations

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.objectives import ConvexObjectives, QuadraticObjectives, SmoothObjectives
from moltheory.objectives._discretization import gap_under_corners
from moltheory.problems import GaussianDesigns, LinearPopulation, LogisticGroups, MultiTaskLeastSquares
from moltheory.scalarization import WeightedSum
from moltheory.solvers import solve_front

__all__ = ["INFINITE", "InfiniteClass", "Objectives", "gap_of_members", "known_widths", "risks_of", "weighted_members"]

InfiniteClass = MultiTaskLeastSquares | GaussianDesigns | LinearPopulation | LogisticGroups
Objectives = QuadraticObjectives | ConvexObjectives | SmoothObjectives
INFINITE = (MultiTaskLeastSquares, GaussianDesigns, LinearPopulation, LogisticGroups)


def known_widths(problem: InfiniteClass, size: int, delta: float) -> FloatArray:
    """Widths (N,) for all hypotheses and objectives at once, by Rademacher complexity; infinite without a ball."""
    if isinstance(problem, LinearPopulation):
        return np.asarray(problem.widths(size, delta=delta).width)
    if isinstance(problem, LogisticGroups):
        return problem.widths(size, delta=delta)
    return np.full(problem.n_tasks, np.inf)


def risks_of(objectives: Objectives, solutions: FloatArray) -> FloatArray:
    """Risks (R, K, N) of hypotheses (R, K, d) under objectives without batch axes, or with batch (R,)."""
    if objectives.batch_shape:
        return objectives.risks(solutions)
    flat = objectives.risks(solutions.reshape(-1, solutions.shape[-1]))
    return flat.reshape(*solutions.shape[:-1], -1)


def weighted_members(objectives: Objectives, weights: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Minimisers (*batch, K, d) of weighted sums (K, N), their risks, and what they can miss of the front, (*batch,).

    Where the minimisers are not exact, the largest of their gaps is part of what they can miss, which is infinite where
    one of these is an estimate.
    """
    if isinstance(objectives, QuadraticObjectives):
        front = objectives.front(weights)
        return front.solutions, front.points, np.asarray(front.discretization)
    sweep = solve_front(objectives, scalarizations=[WeightedSum(w) for w in weights])
    on_simplex = weights / weights.sum(axis=1, keepdims=True)
    certified = sweep.rigorous.all(axis=-1)
    gap = (sweep.gap / weights.sum(axis=1)).max(axis=-1)
    missed = np.where(certified, gap_of_members(on_simplex, sweep.points, gap), np.inf)
    return np.asarray(sweep.solutions, dtype=np.float64), sweep.points, missed


def gap_of_members(weights: FloatArray, points: FloatArray, gap: FloatArray) -> FloatArray:
    r"""Bound how far members that minimise weighted sums up to a gap fall short of the hypothesis they cover worst.

    Parameters
    ----------
    weights : (K, N) ndarray
        Rows on the simplex, all unit vectors among them.
    points : (*batch, K, N) ndarray
        Risks of the members.
    gap : (*batch,) ndarray
        Largest excess of a member's weighted sum over the smallest value.

    Returns
    -------
    (*batch,) ndarray

    Notes
    -----
    With gap g, v + g is, for every attainable v, above all lines :math:`w_k \cdot v = w_k \cdot p_k`; so the bound is
    that of exact members plus g. For N = 2, v is covered by no member better than by t iff v + t lies below a corner of
    the staircase of the members; each corner is held against its two own lines, which leaves what
    ``objectives/_discretization.py`` has for exact members, whose order it needs and this does not. Derived.
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
    # The end corners, infinite in one coordinate, are held against the smallest risks.
    first, second = (int(np.flatnonzero(weights[:, i] == 1.0)[0]) for i in range(2))
    ends = np.maximum(p[..., 0, 0] - points[..., first, 0], p[..., 1].min(axis=-1) - points[..., second, 1])
    missed: FloatArray = np.maximum(np.maximum(between, ends), 0.0) + gap
    return missed
