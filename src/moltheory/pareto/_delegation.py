"""Dominance by moocore, for sets of which a large share is non-dominated; exact for every real dtype."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory.errors import InvalidInputError
from moltheory.pareto._small import small_masks, unbeaten_rows
from moltheory.pareto._status import NAN_FOUND

__all__ = ["as_doubles", "delegated_mask", "rank_rows"]

# Every integer of at most this size is a double.
_EXACT = 2**53
# moocore counts objectives in one byte.
_MOST_OBJECTIVES = 255
# Rows from which redundant objectives are looked for.
_FEW = 256


def as_doubles(points: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return doubles in the same order, objective by objective, with the same ties, and all finite.

    Large 64-bit integers would merge when rounded, and infinities are beyond moocore: with three or more
    objectives moocore 0.3.2 answers wrongly on +inf and reads out of bounds on -inf. Both are replaced by their
    ranks, which keep all that dominance depends on.

    Raises
    ------
    InvalidInputError
        If a point holds NaN.
    """
    if points.dtype.kind == "f":
        low, high = float(points.min()), float(points.max())
        if math.isnan(low):
            raise InvalidInputError(NAN_FOUND)
        safe = math.isfinite(low) and math.isfinite(high)
    elif points.dtype.itemsize < 8:
        safe = True
    else:
        safe = int(points.min()) >= -_EXACT and int(points.max()) <= _EXACT
    if safe:
        return np.ascontiguousarray(points, dtype=np.float64)
    ranks = np.empty(points.shape, dtype=np.float64)
    for objective in range(points.shape[1]):
        ranks[:, objective] = np.unique(points[:, objective], return_inverse=True)[1]
    return ranks


def delegated_mask(points: npt.NDArray[Any], *, weak: bool) -> npt.NDArray[np.bool_]:
    """Return the (weakly) non-dominated rows (n,) of one set (n, m), all objectives minimised.

    Raises
    ------
    InvalidInputError
        If a point holds NaN.
    """
    n, m = points.shape
    doubles = as_doubles(points)
    if n == 1 or m == 1 or m > _MOST_OBJECTIVES:
        alone: npt.NDArray[np.bool_] = small_masks(doubles[None], weak=weak)[0]
        return alone
    import moocore

    strict: npt.NDArray[np.bool_] = moocore.is_nondominated(doubles, keep_weakly=True)
    if not weak or strict.all():
        return strict
    # A row beaten everywhere by some row is beaten everywhere by a member of the front.
    front = np.unique(points[strict], axis=0)
    rest = np.flatnonzero(~strict)
    if front.shape[0] * rest.shape[0] * m <= 20_000_000:
        unbeaten = unbeaten_rows(points[rest], front)
    else:
        from moltheory.pareto._kernels import keep_unbeaten

        unbeaten = np.empty(rest.shape[0], dtype=np.bool_)
        keep_unbeaten(np.ascontiguousarray(points[rest]), front, unbeaten)
    strict[rest[unbeaten]] = True
    return strict


def rank_rows(points: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return the rank (n,) of each row of one set (n, m), 0 for the front; equal rows get equal ranks."""
    n, m = points.shape
    if n == 1:
        return np.zeros(1, dtype=np.int64)
    if m == 1:
        return np.unique(points[:, 0], return_inverse=True)[1].astype(np.int64)
    doubles = as_doubles(points)
    if m > 2 and n >= _FEW:
        doubles = _without_redundant(doubles)
        if doubles.shape[1] == 1:
            return np.unique(doubles[:, 0], return_inverse=True)[1].astype(np.int64)
    import moocore

    return np.asarray(moocore.pareto_rank(doubles), dtype=np.int64)


def _without_redundant(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the ranks of points (n, m) objective by objective, without those that order them as another one does.

    Dominance depends on the orders only. Points in a chain have as many fronts as points, and one order.
    """
    orders = {}
    for objective in range(points.shape[1]):
        ranks = np.unique(points[:, objective], return_inverse=True)[1]
        if ranks.any():
            orders[ranks.tobytes()] = ranks.astype(np.float64)
    # All points are equal if no order is left.
    return np.column_stack(list(orders.values())) if orders else points[:, :1]
