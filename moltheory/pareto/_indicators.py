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
    Computed by moocore in O(n l m), for the n non-dominated rows of `points`. Ishibuchi, Masuda, Tanigaki, Nojima (2015),
    doi 10.1007/978-3-319-15892-1_8.

    Examples
    --------
    >>> igd_plus([[1.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]])
    1.0
    """
    ours, theirs = _pair(points, reference_front, maximise)
    import moocore

    # A dominated row is never nearer.
    return float(moocore.igd_plus(front_rows(ours) if ours.shape[0] > _FEW else ours, ref=theirs))


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
    Two objectives: O((n + l) log n). More: by moocore, in O(n l m) for non-dominated rows.
    Zitzler et al. (2003), doi 10.1109/TEVC.2003.810758.

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
    By SciPy's k-d tree of the distinct rows; about O((n + l) log(n + l)) for few objectives.

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


def _pair(points: npt.ArrayLike, reference_front: npt.ArrayLike, maximise: Maximise) -> tuple[FloatArray, FloatArray]:
    ours = point_set("points", points, maximise)
    return ours, point_set("reference_front", reference_front, maximise, n_objectives=ours.shape[1])
