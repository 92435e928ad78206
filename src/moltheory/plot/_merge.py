"""Points that differ by no more than rounding or by their gaps are one point."""

from __future__ import annotations

import numpy as np

from moltheory._core._validation import FloatArray

__all__ = ["merge"]

# Differences up to these shares of the span and of the size of an objective are rounding.
_SPAN, _SIZE = 1e-9, 1e-12


def merge(points: FloatArray, gaps: FloatArray) -> FloatArray:
    """Return points (k, N) in their order, each as the first one that it cannot be told from, given gaps (k,).

    >>> merge(np.array([[1.0, 0.0], [0.0, 1.0], [1.0 + 1e-15, 0.0]]), np.zeros(3)).tolist()
    [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]
    """
    snapped = np.column_stack([_snapped(column) for column in points.T])
    known, place = np.unique(snapped, axis=0, return_inverse=True)
    place = np.ravel(place)
    # The exact ones come first: those with a gap are drawn where they are.
    width = np.full(len(known), np.inf)
    np.minimum.at(width, place, np.where(np.isfinite(gaps), gaps, 0.0))
    target, first = np.arange(len(known)), np.empty(0, dtype=np.int64)
    for k in np.argsort(width, kind="stable").tolist():
        near = (np.abs(known[first] - known[k]) <= np.maximum(width[first], width[k])[:, None]).all(axis=1)
        if near.any():
            target[k] = first[int(np.argmax(near))]
        else:
            first = np.append(first, k)
    merged: FloatArray = known[target][place]
    return merged


def _snapped(values: FloatArray) -> FloatArray:
    """Return values of one objective, those within rounding of a smaller one replaced by it."""
    tolerance = max(_SPAN * float(np.ptp(values)), _SIZE * float(np.abs(values).max()))
    order = np.argsort(values, kind="stable")
    snapped, start = values.copy(), float(values[order[0]])
    for k in order.tolist():
        if values[k] - start > tolerance:
            start = float(values[k])
        snapped[k] = start
    return snapped
