r"""Bounds on the part of a continuous front that a finite grid of weights misses.

Let V be the risk vectors :math:`v = L(h)` that a class attains, and let member :math:`p_k` of the grid minimise
:math:`w_k \cdot v` over V, w_k on the simplex. The discretization error of the grid is

.. math:: D = \sup_{v \in V} \min_k \max_i (p_{ki} - v_i)_+,

the additive epsilon by which the members fall short of the hypothesis they cover worst. V lies in the polyhedron
:math:`Q = \{v : w_k \cdot v \ge w_k \cdot p_k, v_i \ge \min_V v_i\}`, and the bounds here are the same supremum over
Q: the best that can be said from the members, their weights and the smallest risks. Nothing else is assumed, neither
convexity nor unique minimisers. Derived (proof: discretization).
"""

from __future__ import annotations

import numpy as np

from moltheory._core._validation import FloatArray

__all__ = ["gap_between_lines", "gap_under_corners"]

# Largest number of heights held at once.
_BLOCK = 1 << 18


def gap_between_lines(weights: FloatArray, points: FloatArray, lowest: FloatArray) -> FloatArray:
    r"""Return bounds (*batch,) on D for two objectives, from the supporting lines of adjacent weights.

    Row k of `points` (*batch, K, 2) minimises the sum with row k of `weights` (K, 2), on the simplex in any order;
    `lowest` (*batch, 2) is the smallest value of each objective over the class.

    Notes
    -----
    Order the members by decreasing first weight; then :math:`p_{k1}` increases and :math:`p_{k2}` decreases in k.
    Let v be attainable.

    *Ends.* If :math:`v_1 < p_{11}`, line 1 gives :math:`v_2 \ge p_{12}` (were :math:`w_{12} = 0`, it would forbid
    :math:`v_1 < p_{11}`), so member 1 falls short by :math:`p_{11} - v_1 \le p_{11} - \min L_1`. If
    :math:`v_1 \ge p_{K1}`, member K falls short by at most :math:`p_{K2} - \min L_2`. Both are 0 where the grid
    holds the weights (1, 0) and (0, 1), and attained at the minimisers of the two objectives otherwise.

    *Between.* If :math:`p_{k1} \le v_1 < p_{k+1,1}`, member k falls short by :math:`a = (p_{k2} - v_2)_+` and, line
    k + 1 giving :math:`v_2 \ge p_{k+1,2}`, member k + 1 by :math:`b = p_{k+1,1} - v_1`. With
    :math:`\Delta_1 = p_{k+1,1} - p_{k1}` and :math:`\Delta_2 = p_{k2} - p_{k+1,2}`, line k reads
    :math:`w_{k1} b + w_{k2} a \le w_{k1} \Delta_1` and line k + 1 reads
    :math:`w_{k+1,1} b + w_{k+1,2} a \le w_{k+1,2} \Delta_2` (for a > 0; for a = 0 nothing is to show), hence
    :math:`\min(a, b) \le t_k = \min(w_{k1} \Delta_1, w_{k+1,2} \Delta_2)`.

    *Sharpness.* For convex objectives on a convex class the upper set of the front is convex and holds the chord
    from :math:`p_k` to :math:`p_{k+1}`, on which min(a, b) reaches
    :math:`c_k = \Delta_1 \Delta_2 / (\Delta_1 + \Delta_2)`; the front, below the chord, reaches at least as much.
    The normal of the chord lies between the two weights, so :math:`t_k / c_k \le 1 + w_{k1} - w_{k+1,1}`: the bound
    exceeds D by at most the factor 1 + largest step of w.
    """
    order = np.argsort(-weights[:, 0], kind="stable")
    first, second = weights[order, 0], weights[order, 1]
    p = points[..., order, :]
    left = first[:-1] * np.diff(p[..., 0], axis=-1)
    right = second[1:] * -np.diff(p[..., 1], axis=-1)
    ends = np.maximum(p[..., 0, 0] - lowest[..., 0], p[..., -1, 1] - lowest[..., 1])
    between = np.minimum(left, right).max(axis=-1, initial=0.0)
    gap: FloatArray = np.maximum(np.maximum(between, ends), 0.0)
    return gap


def gap_under_corners(weights: FloatArray, points: FloatArray, lowest: FloatArray) -> float:
    r"""Return a bound on D for any number of objectives.

    Row k of `points` (K, N) minimises the sum with row k of `weights` (K, N), on the simplex in any order; `lowest`
    (N,) is the smallest value of each objective over the class.

    Notes
    -----
    All members fall short of v by at least t iff :math:`v + t 1` lies in no open orthant above a member. The
    complement of those orthants is a finite union of orthants below corners z (`_corners`), so v falls short by t
    iff :math:`v \le z - t 1` for some corner. Q holds everything above any of its points, so such a v in Q exists iff
    :math:`z - t 1` is in Q, that is :math:`t \le w_k \cdot (z - p_k)` for all k and
    :math:`t \le z_i - \min L_i` for all i:

    .. math:: \sup_{v \in Q} \min_k \max_i (p_{ki} - v_i)_+ = \max_z \min_k w_k \cdot (z - p_k),

    unit weights with the smallest risks included. Where the front is smooth, Q is off the attainable set by the
    order of the squared step and D is of the order of the step, so that the ratio of bound and D tends to 1.
    Complexity: O(K x corners) time, in bounded memory; 2K + 1 corners for N = 3, of the order of K^(N // 2) in general.
    """
    corners = _corners(points)
    planes = np.concatenate([weights, np.eye(weights.shape[1])])
    offsets = np.concatenate([(weights * points).sum(axis=1), lowest])
    step, gap = max(1, _BLOCK // len(planes)), 0.0
    for start in range(0, len(corners), step):
        part = corners[start : start + step]
        infinite = np.isinf(part)
        heights = np.where(infinite, 0.0, part) @ planes.T - offsets
        # A plane that weights an infinite coordinate is infinitely far below.
        heights[infinite.astype(np.float64) @ planes.T > 0.0] = np.inf
        gap = max(gap, float(heights.min(axis=1).max()))
    return gap


def _corners(points: FloatArray) -> FloatArray:
    """Return corners (C, N) such that no point (K, N) is below x in all coordinates iff x is below a corner.

    One point after the other cuts the corners strictly above it (the local upper bounds of K. Klamroth, R. Lacour,
    D. Vanderpooten 2015, "On the representation of the search region in multi-objective optimization"); a corner that
    a larger one makes redundant may stay.
    """
    n = points.shape[1]
    corners = np.full((1, n), np.inf)
    for point in np.unique(points, axis=0):
        above = (corners > point).all(axis=1)
        if not above.any():
            continue
        cut = corners[above]
        parts = [corners[~above]]
        for i in range(n):
            moved = cut.copy()
            moved[:, i] = point[i]
            if moved.shape[0] > 1:
                smaller = np.asarray((moved[:, None] <= moved[None]).all(axis=2))
                # Of equal corners the first stays.
                smaller &= ~(smaller.T & np.tri(moved.shape[0], dtype=bool).T)
                moved = moved[~smaller.any(axis=1)]
            parts.append(moved)
        corners = np.concatenate(parts)
    return corners
