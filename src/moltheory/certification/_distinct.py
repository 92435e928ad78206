"""Functions of counts of many pairs of models, computed once for each distinct combination of counts.

M models have M^2 pairs, but n examples only so many counts: of four thousand models on three examples, sixteen million pairs
have twenty different combinations.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray

__all__ = ["of_distinct"]

Counts = npt.NDArray[np.int64]

# Possible combinations per entry up to which those that occur are looked for; below this number of entries, never.
_SPARSE, _FEW = 8, 256


def of_distinct(function: Callable[..., FloatArray], *counts: Counts) -> FloatArray:
    """Return ``function(*counts)`` of integers, all of one shape, for a function that works entry by entry."""
    size, shape = counts[0].size, counts[0].shape
    if size < _FEW:
        return function(*counts)
    lows = [int(entries.min()) for entries in counts]
    spans = tuple(int(entries.max()) - low + 1 for entries, low in zip(counts, lows, strict=True))
    if np.prod(spans, dtype=np.float64) > _SPARSE * size:
        return function(*counts)
    key = np.zeros(size, dtype=np.intp)
    for entries, low, span in zip(counts, lows, spans, strict=True):
        key *= span
        key += entries.ravel() - low
    occurs = np.zeros(int(np.prod(spans)), dtype=np.bool_)
    occurs[key] = True
    places = np.flatnonzero(occurs)
    if 2 * places.size > size:
        return function(*counts)
    parts = np.unravel_index(places, spans)
    table = np.empty(occurs.size)
    table[places] = function(*(part.astype(np.int64) + low for part, low in zip(parts, lows, strict=True)))
    return table[key].reshape(shape)
