r"""Fronts of two convex objectives between the members of a grid of weights: the chords of neighbors.

Let :math:`\theta_k` minimise :math:`w_k \cdot L` and :math:`p_k = L(\theta_k)`. By convexity the hypothesis
:math:`(1-s)\theta_k + s\theta_{k+1}` has risks of at most the chord :math:`(1-s)p_k + sp_{k+1}`, in truth and in every
sample alike. So distances to chords are attained, up to what convexity gains on top, and what chords miss of a
continuous front is of second order in the step of the grid; single members miss the step itself.
"""

from __future__ import annotations

import numpy as np

from moltheory._core._validation import FloatArray

__all__ = ["above_front", "gap_under_chords", "short_of_targets"]

# Entries of the largest temporary array.
_CHUNK = 1 << 20


def gap_under_chords(weights: FloatArray, points: FloatArray, gap: FloatArray) -> FloatArray:
    r"""Return bounds (*batch,) on how far the chords fall short of the hypothesis that they cover worst.

    Row k of `points` (*batch, K, 2) are risks whose sum with row k of `weights` (K, 2), on the simplex, is within `gap`
    (*batch,) of its minimum; first and last row are unit vectors.

    Notes
    -----
    With :math:`A_k = w_k \cdot (p_{k+1} - p_k)` and :math:`B_k = w_{k+1} \cdot (p_k - p_{k+1})` the bound is
    :math:`\max_k A_k B_k / (A_k + B_k) + g`, where a product with a negative factor counts as 0. Derived
    (proof: chords):

    Let v be attainable, so that :math:`w_k \cdot v \ge w_k \cdot p_k - g` for all k, and put
    :math:`\delta = v_1 - v_2`. If :math:`\delta` is between the differences :math:`p_1 - p_2` of first and last row,
    some chord holds a point :math:`c = (1-s)p_k + sp_{k+1}` with :math:`c_1 - c_2 = \delta`, as the chords are one
    connected line; then :math:`c - v = t(1, 1)`, and t is what c falls short by. The two lines give
    :math:`t \le w_k \cdot (c - p_k) + g = sA_k + g` and :math:`t \le (1-s)B_k + g`, and the smaller of
    :math:`sA_k` and :math:`(1-s)B_k` is at most :math:`A_kB_k/(A_k + B_k)` where both are positive, at most 0 elsewhere.
    Otherwise :math:`\delta` is beyond an end, say that of :math:`w = (1, 0)`, with :math:`v_1 \ge p_1 - g`: if
    :math:`\delta \le p_1 - p_2` then :math:`v_2 = v_1 - \delta \ge p_2 - g`, and that member falls short by g at most.
    For convex objectives every difference of :math:`\theta` moves A and B by the square of the step.
    """
    step = np.diff(points, axis=-2)
    a = np.maximum((weights[:-1] * step).sum(axis=-1), 0.0)
    b = np.maximum(-(weights[1:] * step).sum(axis=-1), 0.0)
    low, high = np.minimum(a, b), np.maximum(a, b)
    # a b / (a + b), whatever the units.
    height = low / (1.0 + np.divide(low, high, out=np.zeros_like(low), where=high > 0.0))
    bound: FloatArray = height.max(axis=-1, initial=0.0) + gap
    return bound


def above_front(points: FloatArray, front: FloatArray) -> FloatArray:
    """Return how far points (..., 2) are above the chords of a front (K, 2), in both coordinates; 0 below.

    That is the distance to the point of the chords that is nearest in the sense of purity. Complexity: O(log K) a point.
    """
    order = np.argsort(front[:, 0] - front[:, 1], kind="stable")
    line = front[order]
    place = points[..., 0] - points[..., 1]
    nearest = np.stack([np.interp(place, line[:, 0] - line[:, 1], line[:, i]) for i in range(2)], axis=-1)
    height: FloatArray = np.maximum((points - nearest).max(axis=-1), 0.0)
    return height


def short_of_targets(targets: FloatArray, members: FloatArray) -> FloatArray:
    """Return by how much the chords of members (R, K, 2) are worse than targets (R or 1, k, 2), at best, (R, k).

    Complexity: O(R k K) time, in bounded memory.
    """
    rows = members.shape[0]
    step = max(1, _CHUNK // (targets.shape[1] * members.shape[1]))
    result = np.empty((rows, targets.shape[1]))
    for start in range(0, rows, step):
        part = slice(start, start + step)
        here = targets if targets.shape[0] == 1 else targets[part]
        there = members[part]
        # One objective at a time: a trailing axis of length 2 would be slow to reduce.
        worst = there[:, None, :, 0] - here[:, :, None, 0]
        second = there[:, None, :, 1] - here[:, :, None, 1]
        beyond = worst > second
        found = np.maximum(worst, second, out=second).min(axis=2)
        # A chord whose ends are on both sides of the diagonal of a target meets it in one point.
        r, k, j = np.nonzero(beyond[..., 1:] != beyond[..., :-1])
        at = np.broadcast_to(here, (len(there), *here.shape[1:]))[r, k]
        low, high = there[r, j] - at, there[r, j + 1] - at
        share = (low[:, 0] - low[:, 1]) / ((low[:, 0] - low[:, 1]) - (high[:, 0] - high[:, 1]))
        np.minimum.at(found, (r, k), ((1.0 - share)[:, None] * low + share[:, None] * high).max(axis=1))
        result[part] = found
    return np.maximum(result, 0.0)
