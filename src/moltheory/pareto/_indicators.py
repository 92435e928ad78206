"""Quality indicators of a set of points against a reference front: IGD+, additive epsilon, Hausdorff distance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, Maximise
from moltheory.pareto._gaps import front_rows, nearest_on_staircase
from moltheory.pareto._hypervolume import hypervolume, hypervolumes_of_selections
from moltheory.pareto._orientation import point_set

# Hypervolumes stood here before 0.2; this module's old name must still find them.
__all__ = ["additive_epsilon", "hausdorff", "hypervolume", "hypervolumes_of_selections", "igd_plus"]

# Numbers of rows from which leaving out dominated ones pays.
_FEW = 256


@document
def igd_plus(points: npt.ArrayLike, reference_front: npt.ArrayLike, /, *, maximise: Maximise = False) -> float:
    """Return IGD+ of `points` (n, m): how far, on average, they miss the rows of `reference_front` (l, m).

    Parameters
    ----------
    points : array_like, shape (n, m)
        Finite points.
    reference_front : array_like, shape (l, m)
        Finite points; used as given, dominated rows included.
    {maximise}

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
    Complexity: O(n l m) time by moocore for the n non-dominated rows of `points`; for two objectives about
    O((n + l) log n) by SciPy's k-d tree, O(n l) at worst (a front on a circle around the reference). O((n + l) m) memory.
    Ishibuchi, Masuda, Tanigaki, Nojima (2015), doi 10.1007/978-3-319-15892-1_8.

    Examples
    --------
    >>> igd_plus([[1.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]])
    1.0
    """
    ours, theirs = _pair(points, reference_front, maximise)
    # A dominated row is never nearer.
    front = front_rows(ours) if ours.shape[0] > _FEW else ours
    if front.shape[1] == 2 and front.shape[0] > _FEW and theirs.shape[0] > _FEW:
        return float(_shortfalls_of_two(front, theirs).mean())
    import moocore

    return float(moocore.igd_plus(front, ref=theirs))


@document
def additive_epsilon(points: npt.ArrayLike, reference_front: npt.ArrayLike, /, *, maximise: Maximise = False) -> float:
    """Return the least amount by which to improve `points` (n, m) so that they attain `reference_front` (l, m).

    Parameters
    ----------
    points : array_like, shape (n, m)
        Finite points.
    reference_front : array_like, shape (l, m)
        Finite points; used as given, dominated rows included.
    {maximise}

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
    Complexity: O((n + l) log n) time for two objectives; by moocore in O(n l m) for the non-dominated rows with more.
    O((n + l) m) memory. Zitzler et al. (2003), doi 10.1109/TEVC.2003.810758.

    Examples
    --------
    >>> additive_epsilon([[1.0, 1.0]], [[0.0, 1.5], [1.5, 0.5]])
    1.0
    """
    ours, theirs = _pair(points, reference_front, maximise)
    # Dominated rows of either set change nothing.
    if ours.shape[1] == 2:
        return float(nearest_on_staircase(theirs, front_rows(ours), None).max())
    if max(ours.shape[0], theirs.shape[0]) > _FEW:
        ours, theirs = front_rows(ours), front_rows(theirs)
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
    Complexity: about O((n + l) log(n + l)) time for few objectives, by SciPy's k-d tree of the distinct rows; O(n l m) in
    many objectives, or where most rows are equally near (a circle around the others). O((n + l) m) memory.

    Examples
    --------
    >>> hausdorff([[0.0, 0.0]], [[0.0, 0.0], [3.0, 4.0]])
    5.0
    """
    ours, theirs = _pair(points, reference_front, False)
    from scipy.spatial import KDTree

    # A k-d tree cannot split equal rows: it would compare each with each.
    ours, theirs = np.unique(ours, axis=0), np.unique(theirs, axis=0)
    return float(max(KDTree(theirs).query(ours)[0].max(), KDTree(ours).query(theirs)[0].max()))


def _shortfalls_of_two(front: FloatArray, reference: FloatArray) -> FloatArray:
    """Return min over q in `front` of the norm of (q - p)_+ for each p of `reference`, two objectives, (l,).

    `front` comes from `front_rows`. Of its rows that are as good as p in the first objective the last one is nearest, of
    those as good in the second the first one; for all others (q - p)_+ is q - p, whose norm is never below that.
    """
    from scipy.spatial import KDTree

    found: FloatArray = KDTree(front).query(reference)[0]
    last = np.searchsorted(front[:, 0], reference[:, 0], side="right") - 1
    first = front.shape[0] - np.searchsorted(front[::-1, 1], reference[:, 1], side="right")
    for rows, objective, inside in ((last, 1, last >= 0), (first, 0, first < front.shape[0])):
        gap = np.maximum(front[rows[inside], objective] - reference[inside, objective], 0.0)
        found[inside] = np.minimum(found[inside], gap)
    return found


def _pair(points: npt.ArrayLike, reference_front: npt.ArrayLike, maximise: Maximise) -> tuple[FloatArray, FloatArray]:
    ours = point_set("points", points, maximise)
    return ours, point_set("reference_front", reference_front, maximise, n_objectives=ours.shape[1])
