"""Empirical Bernstein p-values of paired differences from their sums, for all pairs of a block of models.

A. Maurer and M. Pontil (2009), arXiv 0907.3740, theorem 4, solved for the failure probability.
"""

from __future__ import annotations

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.certification._statistics import Moments
from moltheory.evaluation._scan import Column

__all__ = ["bernstein_p_values"]


def bernstein_p_values(moments: Moments, column: Column, shift: float, models: slice) -> tuple[FloatArray, FloatArray]:
    """Return p-values and normal scores of some of the rows.

    P-values are the solutions p of ``mean + sqrt(2 V log(2/p) / n) + 7 * 2 log(2/p) / (3 (n - 1)) = shift * mean
    size``.
    """
    common, total, squares, rounding = moments.pairs.differences(models)
    n, squares = common.astype(np.float64), squares + rounding
    span = 2.0 if abs(shift) <= 1.0 else 2.0 + abs(shift)
    if shift and not column.equal_cluster_sizes:
        if not column.complete:
            # The sizes of the clusters that a pair has in common are not kept.
            return np.ones_like(n), np.full_like(n, np.inf)
        across = moments.with_sizes[models, None] - moments.with_sizes[None, :]
        squares = squares - 2.0 * shift * across + shift**2 * moments.sizes_sq[models, None]
        total = total - shift * moments.sizes[models, None]
    elif shift:
        squares = squares - 2.0 * shift * total + shift**2 * n
        total = total - shift * n
    many = np.maximum(n, 2.0)
    variance = np.maximum(squares - total**2 / many, 0.0) / (many - 1.0)
    gain = np.maximum(-total / many - 1e-13, 0.0)
    root = np.sqrt(2.0 * variance / many)
    slope = 7.0 * span / (3.0 * (many - 1.0))
    budget = (2.0 * gain / (root + np.sqrt(root**2 + 4.0 * slope * gain) + 1e-300)) ** 2
    p = np.where(n >= 2.0, np.minimum(2.0 * np.exp(-budget * (1.0 - 1e-9)), 1.0), 1.0)
    return p, gain / np.sqrt(np.maximum(variance / many, 1e-300))
