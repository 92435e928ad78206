"""Where the search for Chebyshev minimisers starts: on the path of weighted sums, to which they belong."""

from __future__ import annotations

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.objectives._convex import ConvexPart
from moltheory.solvers._newton import newton_path

__all__ = ["starts"]

# Weighted sums solved, an odd number, and how many scalarizations of two objectives they pay for.
_SUMS, _MANY = 33, 12


def starts(part: ConvexPart, w: FloatArray, z: FloatArray) -> tuple[FloatArray, FloatArray | None]:
    """Return points (R, K, d), and multipliers (R, K, 2) if known, for weights and reference points (K, N).

    For two objectives the difference of the two terms falls along the path of weighted sums; the point where it is 0 is
    interpolated. In all other cases the start is the sum with equal weights, in the middle of the front.
    """
    used = np.asarray((w > 0.0).any(axis=0))
    if w.shape[1] != 2 or w.shape[0] < _MANY or not used.all():
        return np.repeat(newton_path(part, used[None] / used.sum()), w.shape[0], axis=1), None
    t = 0.5 * (1.0 - np.cos(np.pi * np.linspace(0.0, 1.0, _SUMS)))
    path = newton_path(part, np.stack([t, 1.0 - t], axis=1))
    values = part.values(path)[:, None]
    terms = w[:, None] * (values - z[:, None])
    difference = terms[..., 0] - terms[..., 1]
    right = np.clip((difference > 0.0).sum(axis=-1), 1, _SUMS - 1)
    above, below = (np.take_along_axis(difference, right[..., None] + shift, axis=-1)[..., 0] for shift in (-1, 0))
    fall = above - below
    part_way = np.clip(np.divide(above, fall, out=np.full(fall.shape, 0.5), where=fall > 0.0), 0.0, 1.0)
    first, second = (np.take_along_axis(path, right[..., None] + shift, axis=1) for shift in (-1, 0))
    theta = first + part_way[..., None] * (second - first)
    share = t[right - 1] + part_way * (t[right] - t[right - 1])
    top = (w * (part.values(theta) - z)).max(axis=-1)
    middle = terms[..., _SUMS // 2, :].max(axis=-1)
    bad = ~(top <= middle)
    theta = np.where(bad[..., None], path[:, None, _SUMS // 2], theta)
    share = np.where(bad, 0.5, share)
    # The sum's weights are u_i w_i, up to a factor.
    one, two = share * w[:, 1], (1.0 - share) * w[:, 0]
    u = np.where(one + two > 0.0, one / np.where(one + two > 0.0, one + two, 1.0), 0.5)
    u = np.where(w[:, 1] == 0.0, 1.0, np.where(w[:, 0] == 0.0, 0.0, u))
    return theta, np.stack([u, 1.0 - u], axis=-1)
