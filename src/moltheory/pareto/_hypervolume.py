"""Hypervolumes: of one set by moocore, and of many small sets at once in numpy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, Maximise, real_array
from moltheory.errors import InvalidInputError
from moltheory.pareto._gaps import check_selections
from moltheory.pareto._orientation import check_maximise, check_reference, minimised

__all__ = ["hypervolume", "hypervolumes_of_selections", "volumes_of_columns"]

# Entries of the largest temporary array.
_CHUNK = 1 << 20
# moocore's limit for exact hypervolumes.
_MOST_OBJECTIVES = 31


@document
def hypervolume(points: npt.ArrayLike, /, *, reference: npt.ArrayLike, maximise: Maximise = False) -> float:
    """Return the volume that `points`, of shape (n, m), dominate within the reference point.

    Parameters
    ----------
    points : array_like, shape (n, m)
        Finite points; those not better than the reference in every objective add nothing.
    reference : array_like, shape (m,)
        Finite reference point, in the orientation of `points`.
    {maximise}

    Returns
    -------
    float
        At least 0.

    Raises
    ------
    InvalidInputError
        If `points` is not one finite, non-empty set, `reference` or `maximise` does not fit, or the volume is larger
        than the largest float.

    Notes
    -----
    Complexity: O(n log n) time for m <= 3, O(n^2) for m = 4, O(n^(m-2)) above: **exponential in m**: two hundred
    points of a sphere take a second with seven objectives, a minute with eight. O(n m) memory. By moocore (Fonseca, Paquete,
    Lopez-Ibanez 2006, doi 10.1109/CEC.2006.1688440; Guerreiro, Fonseca 2018, doi 10.1109/TEVC.2017.2729550).

    Examples
    --------
    >>> hypervolume([[5, 5], [4, 6], [2, 7], [7, 4]], reference=[10, 10])
    38.0
    """
    array = real_array("points", points, shape="(n, m)", min_ndim=2, max_ndim=2)
    flags = check_maximise(maximise, array.shape[1])
    found = _volume(minimised(array, flags), check_reference(reference, flags))
    if not np.isfinite(found):
        sides = check_reference(reference, flags) - minimised(array, flags).min(axis=0)
        raise InvalidInputError(
            f"`points` must leave a volume that a float can hold, got sides of up to {sides.max():.1e}; rescale them."
        )
    return found


@document
def hypervolumes_of_selections(
    risks: npt.ArrayLike, selected: npt.ArrayLike, /, *, reference: npt.ArrayLike, maximise: Maximise = False
) -> FloatArray:
    """Return the hypervolume of many selections out of one table of `risks` (H, m).

    Parameters
    ----------
    risks : array_like, shape (H, m)
        Finite points.
    selected : array_like of bool, shape (R, H)
        Row r marks the rows of `risks` that selection r holds; none may be empty.
    reference : array_like, shape (m,)
        Finite reference point, in the orientation of `risks`.
    {maximise}

    Returns
    -------
    numpy.ndarray, shape (R,)
        What `hypervolume` gives for ``risks[selected[r]]``, up to rounding.

    Raises
    ------
    InvalidInputError
        If `risks` is not one finite set of points, `reference` does not fit, or `selected` is not boolean,
        does not fit or has an empty row.

    Notes
    -----
    Complexity: O(R H) time for m <= 2, for all selections together; for m >= 3 that of `hypervolume` for each distinct
    selection. O(R H) memory, in bytes.

    Examples
    --------
    >>> hypervolumes_of_selections([[0, 1], [1, 0]], [[True, False], [True, True]], reference=[2, 2])
    array([2., 3.])
    """
    array = real_array("risks", risks, shape="(H, m)", min_ndim=2, max_ndim=2)
    flags = check_maximise(maximise, array.shape[1])
    corner = check_reference(reference, flags)
    masks = check_selections(selected, array.shape[0])
    points = minimised(array, flags)
    useful = np.flatnonzero((points < corner).all(axis=1))
    if useful.size == 0:
        return np.zeros(masks.shape[0])
    if points.shape[1] <= 2:
        useful = useful[np.argsort(points[useful, 0], kind="stable")]
    points, masks = points[useful], masks[:, useful]
    if points.shape[1] <= 2:
        step = max(1, _CHUNK // points.shape[0])
        parts = [masks[start : start + step].T for start in range(0, masks.shape[0], step)]
        return np.concatenate([volumes_of_columns(points.T[..., None], corner[:, None], part) for part in parts])
    distinct, inverse = np.unique(np.packbits(masks, axis=1), axis=0, return_inverse=True)
    values = np.zeros(distinct.shape[0])
    for row, packed in enumerate(distinct):
        chosen = np.unpackbits(packed, count=points.shape[0]).astype(np.bool_)
        if chosen.any():
            values[row] = _volume(points[chosen], corner)
    return values[inverse.reshape(-1)]


def volumes_of_columns(
    points: FloatArray, reference: FloatArray, selected: npt.NDArray[np.bool_] | None = None
) -> FloatArray:
    """Return the hypervolumes (...) of many small sets of points (m, n, ...), all objectives minimised.

    Parameters
    ----------
    points : (m, n, ...) ndarray
        Objectives first, then the points of a set; the sets come last, so that every operation runs over long rows of
        memory. Axes of length 1 are broadcast.
    reference : (m, ...) ndarray
        Reference point of each set.
    selected : (n, ...) ndarray of bool, optional
        Which points of each set count; all by default.

    Notes
    -----
    In vectorized numpy, faster than one call of moocore per set while sets are small. Between two neighbors in the
    first of two objectives, the dominated stripe is as high as the reference is above the least second objective so
    far; a further objective cuts the set into slices. O(n log n) per set for m <= 2, times n for each further one.
    """
    if len(points) == 1:
        only = points[0] if selected is None else np.where(selected, points[0], np.inf)
        length: FloatArray = np.maximum(reference[0] - only.min(axis=0), 0.0)
        return length
    cut = 0 if len(points) == 2 else -1
    # One set for all selections comes sorted: a stable order leaves it, and its selections, as they are.
    order = np.argsort(points[cut], axis=0, kind="stable" if points[cut].size == points.shape[1] else None)
    points = np.take_along_axis(points, order[None], axis=1)
    if selected is not None and (np.diff(order, axis=0) != 1).any():
        selected = np.take_along_axis(selected, np.broadcast_to(order, selected.shape), axis=0)
    depth = np.minimum(points[cut], reference[cut])
    thickness = np.diff(depth, axis=0, append=np.broadcast_to(reference[cut], (1, *depth.shape[1:])))
    if len(points) == 2:
        heights = np.maximum(reference[1] - points[1], 0.0)
        tallest = heights if selected is None else np.ascontiguousarray(selected) * heights
        np.maximum.accumulate(tallest, axis=0, out=tallest)
        shared = thickness.size == len(thickness) and tallest.ndim == 2
        area: FloatArray = thickness.reshape(-1) @ tallest if shared else (thickness * tallest).sum(axis=0)
        return area
    total: FloatArray = np.array(0.0)
    for k, slab in enumerate(thickness):
        below = None if selected is None else selected[: k + 1]
        total = total + slab * volumes_of_columns(points[:-1, : k + 1], reference[:-1], below)
    return total


def _volume(points: FloatArray, corner: FloatArray) -> float:
    if points.shape[1] > _MOST_OBJECTIVES:
        raise InvalidInputError(
            f"`points` must have at most {_MOST_OBJECTIVES} objectives for a hypervolume, got {points.shape[1]}."
        )
    import moocore

    return float(moocore.hypervolume(points, ref=corner))
