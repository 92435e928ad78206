"""Linear programs over the simplex of weights, where four or more objectives rule out exact polygons."""

from __future__ import annotations

import math

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.errors import MoltheoryError

__all__ = ["TOLERANCE", "best_margin", "largest_smallest_weight", "volume"]

# Points are scaled to unit ranges first; margins below this count as ties.
TOLERANCE = 1e-9


def best_margin(normals: FloatArray) -> float:
    """Return the largest t with ``a_k w >= t`` for all rows a_k of `normals` (m, N) and some w on the simplex."""
    m, n = normals.shape
    if m == 0:
        return math.inf
    return float(_largest_last(np.column_stack([-normals, np.ones(m)]), np.zeros(m), n)[-1])


def largest_smallest_weight(normals: FloatArray) -> float:
    """Return the largest smallest weight among the w on the simplex with ``a_k w >= 0`` up to the tolerance."""
    m, n = normals.shape
    rows = np.block([[-normals, np.zeros((m, 1))], [-np.eye(n), np.ones((n, 1))]])
    return float(_largest_last(rows, np.concatenate([np.full(m, TOLERANCE), np.zeros(n)]), n)[-1])


def volume(normals: FloatArray) -> tuple[float, FloatArray]:
    """Return the share of the simplex where ``a_k w >= 0`` for all k, and the vertices there (none if flat)."""
    from scipy.spatial import ConvexHull, HalfspaceIntersection

    n = normals.shape[1]
    lengths = np.linalg.norm(normals, axis=1)
    if (lengths == 0.0).any():
        return 0.0, np.empty((0, n))
    rows = np.concatenate([normals / lengths[:, None], np.eye(n)])
    center = _largest_last(np.column_stack([-rows, np.ones(len(rows))]), np.zeros(len(rows)), n)
    if center[-1] <= TOLERANCE:
        return 0.0, np.empty((0, n))
    # The last weight is 1 minus the others: a w >= 0 reads (a_N - a_i) w_i - a_N <= 0.
    halfspaces = np.column_stack([rows[:, -1:] - rows[:, :-1], -rows[:, -1]])
    found = HalfspaceIntersection(halfspaces, center[: n - 1]).intersections
    corners = np.column_stack([found, 1.0 - found.sum(axis=1)])
    return float(ConvexHull(found).volume) * math.factorial(n - 1), corners


def _largest_last(rows: FloatArray, bounds: FloatArray, n: int) -> FloatArray:
    """Maximise the last of n + 1 variables, the first n of which lie on the simplex, where ``rows x <= bounds``."""
    from scipy.optimize import linprog

    cost = np.zeros(n + 1)
    cost[-1] = -1.0
    simplex = np.append(np.ones(n), 0.0)[None]
    limits = [(0.0, 1.0)] * n + [(None, None)]
    found = linprog(cost, A_ub=rows, b_ub=bounds, A_eq=simplex, b_eq=[1.0], bounds=limits, method="highs")
    if found.status == 2:
        return np.full(n + 1, -math.inf)
    if found.status != 0:
        raise MoltheoryError(f"the linear program of a weight cell failed: {found.message}")
    solution: FloatArray = np.asarray(found.x, dtype=np.float64)
    return solution
