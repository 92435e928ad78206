"""Hypotheses that are certainly on the front, or certainly not, from simultaneous boxes around the risks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import real_array
from moltheory.errors import InvalidInputError

__all__ = ["certified_members"]


def certified_members(
    lower: npt.ArrayLike, upper: npt.ArrayLike, /
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Masks of the hypotheses that are certainly on the true front, and of those that are certainly not.

    If ``l <= L <= u`` for all hypotheses and objectives, every sure one is Pareto-optimal and no excluded one is. In
    interval multi-objective programming these are necessarily, and not possibly, efficient.

    Parameters
    ----------
    lower, upper : (..., H, N) array_like
        Ends of the boxes, ``lower <= upper``; a known value is a box of length 0.

    Returns
    -------
    sure : (..., H) ndarray of bool
        For every other h' some objective has ``u_i(h) < l_i(h')``, or both boxes are the same single point.
    excluded : (..., H) ndarray of bool
        Some h' has ``u(h') <= l(h)``, one of them strict.

    Raises
    ------
    InvalidInputError
        If shapes differ or a box is empty.

    References
    ----------
    Derived (proof: front-certificate).

    Notes
    -----
    Complexity: O(H^2 N) time and O(H N) memory per table.

    Examples
    --------
    >>> certified_members([[0.0, 1.0], [0.5, 1.0], [0.5, 0.0]], [[0.25, 1.0], [0.75, 1.0], [0.75, 0.0]])
    (array([ True, False,  True]), array([False,  True, False]))
    """
    low = real_array("lower", lower, shape="(..., H, N)", min_ndim=2)
    high = real_array("upper", upper, shape="(..., H, N)", min_ndim=2)
    if low.shape != high.shape or (low > high).any():
        raise InvalidInputError(f"`upper` must have the shape of `lower` and lie above it, got shape {high.shape}.")
    # Objectives and hypotheses first, tables last: each step runs over long rows of memory.
    bottom, top = np.moveaxis(low, (-1, -2), (0, 1)), np.moveaxis(high, (-1, -2), (0, 1))
    sure = np.ones(bottom.shape[1:], dtype=np.bool_)
    excluded = np.zeros(bottom.shape[1:], dtype=np.bool_)
    for rival in range(bottom.shape[1]):
        out_of_reach = np.zeros(bottom.shape[1:], dtype=np.bool_)
        same_point = np.ones_like(out_of_reach)
        below, strictly = np.ones_like(out_of_reach), np.zeros_like(out_of_reach)
        for i in range(bottom.shape[0]):
            out_of_reach |= top[i] < bottom[i, rival]
            same_point &= (bottom[i] == top[i, rival]) & (top[i] == bottom[i, rival])
            below &= top[i, rival] <= bottom[i]
            strictly |= top[i, rival] < bottom[i]
        out_of_reach[rival] = True  # a rival of itself is none
        sure &= out_of_reach | same_point
        excluded |= below & strictly
    return np.moveaxis(sure, 0, -1), np.moveaxis(excluded, 0, -1)
