"""Quality indicators of a set of points, by moocore: hypervolume, IGD+, additive epsilon, Hausdorff distance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, Maximise, real_array
from moltheory.errors import InvalidInputError
from moltheory.pareto._gaps import check_selections
from moltheory.pareto._orientation import check_maximise, check_reference, minimised, point_set

__all__ = ["additive_epsilon", "hausdorff", "hypervolume", "hypervolumes_of_selections", "igd_plus"]

# Entries of the largest temporary array.
_CHUNK = 1 << 20
# moocore's limit for exact hypervolumes.
_MOST_OBJECTIVES = 31


def hypervolume(points: npt.ArrayLike, /, *, reference: npt.ArrayLike, maximise: Maximise = False) -> float:
    """Return the volume that `points`, of shape (n, m), dominate within the reference point.

    Parameters
    ----------
    points : array_like, shape (n, m)
        Finite points; those not better than the reference in every objective add nothing.
    reference : array_like, shape (m,)
        Finite reference point, in the orientation of `points`.
    maximise : bool or sequence of bool, default False
        Whether objectives are maximised, one bool for all or one for each.

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
    Computed by moocore: O(n log n) for m <= 3, O(n^2) for m = 4, O(n^(m-2)) above (Fonseca, Paquete,
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
    maximise : bool or sequence of bool, default False
        Whether objectives are maximised, one bool for all or one for each.

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
    m <= 2: O(R H) for all selections together, in bounded memory. m >= 3: `hypervolume` once for each distinct
    selection.

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
        return _areas(points[useful], masks[:, useful], corner)
    distinct, inverse = np.unique(np.packbits(masks[:, useful], axis=1), axis=0, return_inverse=True)
    values = np.zeros(distinct.shape[0])
    for row, packed in enumerate(distinct):
        chosen = np.unpackbits(packed, count=useful.size).astype(np.bool_)
        if chosen.any():
            values[row] = _volume(points[useful[chosen]], corner)
    return values[inverse.reshape(-1)]


def _areas(points: FloatArray, masks: npt.NDArray[np.bool_], corner: FloatArray) -> FloatArray:
    """Return the hypervolumes (R,) of selections of points (k, 1 or 2), first objective ascending.

    Between two neighbours in the first objective, the dominated stripe is as high as the reference is above the
    least second objective selected so far.
    """
    widths = np.diff(points[:, 0], append=corner[0])
    heights = corner[1] - points[:, 1] if points.shape[1] == 2 else np.ones(points.shape[0])
    out = np.empty(masks.shape[0])
    step = max(1, _CHUNK // points.shape[0])
    for start in range(0, masks.shape[0], step):
        # Selections last, so that the running maximum goes over whole rows of memory.
        columns = np.ascontiguousarray(masks[start : start + step].T)
        tallest = columns * heights[:, None]
        np.maximum.accumulate(tallest, axis=0, out=tallest)
        out[start : start + step] = widths @ tallest
    return out


def _volume(points: FloatArray, corner: FloatArray) -> float:
    if points.shape[1] > _MOST_OBJECTIVES:
        raise InvalidInputError(
            f"`points` must have at most {_MOST_OBJECTIVES} objectives for a hypervolume, got {points.shape[1]}."
        )
    import moocore

    return float(moocore.hypervolume(points, ref=corner))


def igd_plus(points: npt.ArrayLike, reference_front: npt.ArrayLike, /, *, maximise: Maximise = False) -> float:
    """Return IGD+ of `points` (n, m): how far, on average, they miss the rows of `reference_front` (l, m).

    Parameters
    ----------
    points : array_like, shape (n, m)
        Finite points.
    reference_front : array_like, shape (l, m)
        Finite points; used as given, dominated rows included.
    maximise : bool or sequence of bool, default False
        Whether objectives are maximised, one bool for all or one for each.

    Returns
    -------
    float
        Mean over p in `reference_front` of min over q in `points` of the Euclidean norm of (q - p)_+.

    Raises
    ------
    InvalidInputError
        If a set is empty or not finite, or the numbers of objectives differ.

    Notes
    -----
    Computed by moocore in O(n l m). Ishibuchi, Masuda, Tanigaki, Nojima (2015),
    doi 10.1007/978-3-319-15892-1_8.

    Examples
    --------
    >>> igd_plus([[1.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]])
    1.0
    """
    ours, theirs = _pair(points, reference_front, maximise)
    import moocore

    return float(moocore.igd_plus(ours, ref=theirs))


def additive_epsilon(points: npt.ArrayLike, reference_front: npt.ArrayLike, /, *, maximise: Maximise = False) -> float:
    """Return the least amount by which to improve `points` (n, m) so that they attain `reference_front` (l, m).

    Parameters
    ----------
    points : array_like, shape (n, m)
        Finite points.
    reference_front : array_like, shape (l, m)
        Finite points; used as given, dominated rows included.
    maximise : bool or sequence of bool, default False
        Whether objectives are maximised, one bool for all or one for each.

    Returns
    -------
    float
        max over p in `reference_front` of min over q in `points` of max_i (q_i - p_i); negative where `points`
        are better throughout. `coverage_error` is this, floored at 0.

    Raises
    ------
    InvalidInputError
        If a set is empty or not finite, or the numbers of objectives differ.

    Notes
    -----
    Computed by moocore in O(n l m). Zitzler et al. (2003), doi 10.1109/TEVC.2003.810758.

    Examples
    --------
    >>> additive_epsilon([[1.0, 1.0]], [[0.0, 1.5], [1.5, 0.5]])
    1.0
    """
    ours, theirs = _pair(points, reference_front, maximise)
    import moocore

    return float(moocore.epsilon_additive(ours, ref=theirs))


def hausdorff(points: npt.ArrayLike, reference_front: npt.ArrayLike, /) -> float:
    """Return the Hausdorff distance between `points` (n, m) and `reference_front` (l, m).

    Parameters
    ----------
    points : array_like, shape (n, m)
        Finite points.
    reference_front : array_like, shape (l, m)
        Finite points.

    Returns
    -------
    float
        The greatest Euclidean distance from a row of either set to the nearest row of the other: the maximum
        itself, not the averaged variant of Schuetze et al. (2012). It is the same whatever is maximised.

    Raises
    ------
    InvalidInputError
        If a set is empty or not finite, or the numbers of objectives differ.

    Notes
    -----
    By SciPy's k-d tree; about O((n + l) log(n + l)) for few objectives.

    Examples
    --------
    >>> hausdorff([[0.0, 0.0]], [[0.0, 0.0], [3.0, 4.0]])
    5.0
    """
    ours, theirs = _pair(points, reference_front, False)
    from scipy.spatial import KDTree

    return float(max(KDTree(theirs).query(ours)[0].max(), KDTree(ours).query(theirs)[0].max()))


def _pair(points: npt.ArrayLike, reference_front: npt.ArrayLike, maximise: Maximise) -> tuple[FloatArray, FloatArray]:
    ours = point_set("points", points, maximise)
    return ours, point_set("reference_front", reference_front, maximise, n_objectives=ours.shape[1])
