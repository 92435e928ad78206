"""Which rows no other row dominates: non-dominated rows, weakly Pareto-optimal rows, and ranks.

Row q dominates row p if it is at least as good in every objective and better in one. Rows are compared exactly,
with no tolerance, so that equal rows never dominate each other and ties are all kept.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import Maximise, real_array, refuse_masked
from moltheory.pareto._bulk import bulk_masks
from moltheory.pareto._delegation import delegated_mask, rank_rows
from moltheory.pareto._orientation import check_maximise, minimised
from moltheory.pareto._small import pays, small_masks

__all__ = ["nondominated", "pareto_rank"]

_SHAPE = "(..., n, m)"
# Entries above which NaN is looked for by the compiled pass instead of a pass of its own.
_LARGE = 1 << 17
# Rows of one set up to which moocore alone is quicker than loading the compiled code.
_ONE_SET = 20_000


@document
def nondominated(points: npt.ArrayLike, /, *, maximise: Maximise = False, weak: bool = False) -> npt.NDArray[np.bool_]:
    """Return which of `points`, of shape (..., n, m), no other point of the same set dominates.

    Parameters
    ----------
    points : array_like, shape (..., n, m)
        Sets of n points in m >= 1 objectives; leading axes are sets of their own. Infinities are allowed,
        NaN is not. Integers are compared as integers.
    {maximise}
    weak : bool, default False
        Mark the weakly Pareto-optimal points instead: those for which no point is better in every objective.

    Returns
    -------
    numpy.ndarray of bool, shape (..., n)
        True where the point is kept; equal points are kept or dropped together.

    Raises
    ------
    InvalidInputError
        If `points` is empty, not real, has fewer than two dimensions, holds NaN or a masked entry, or if
        `maximise` does not fit.

    See Also
    --------
    pareto_front : The points themselves, sorted, with their indices.

    Notes
    -----
    Complexity: about O(n m k) time for a small front of k points; where most points are on the front O(n log n) for
    m <= 3 and O(n log^(m-2) n) above; O(n m) memory. Large inputs: one pass with an archive of the best points seen so
    far drops nearly all dominated points. Sets of mostly non-dominated points go to moocore, whose dimension sweep needs
    as many comparisons as stated (Kung, Luccio, Preparata 1975, doi 10.1145/321906.321910). Memory beyond input and
    answer is one block of rows, as long as the front is small. The first large call of a dtype compiles the pass, which
    takes some seconds and is cached on disk.

    Examples
    --------
    >>> nondominated([[1, 4], [2, 2], [2, 2], [3, 3], [4, 1], [4, 2]])
    array([ True,  True,  True, False,  True, False])
    >>> nondominated([[1, 4], [2, 2], [2, 2], [3, 3], [4, 1], [4, 2]], weak=True)
    array([ True,  True,  True, False,  True,  True])
    >>> nondominated([[0.9, 120.0], [0.8, 100.0], [0.7, 110.0]], maximise=[True, False])
    array([ True,  True, False])
    """
    refuse_masked("points", points)
    large = isinstance(points, np.ndarray) and points.dtype == np.float64 and points.size > _LARGE
    if isinstance(points, np.ndarray) and large and points.ndim >= 2:
        array: npt.NDArray[Any] = np.asarray(points)
    else:
        array = real_array("points", points, shape=_SHAPE, min_ndim=2, finite=False, keep_integers=True)
    flags = check_maximise(maximise, array.shape[-1])
    sets = array.reshape(-1, *array.shape[-2:])
    return _masks(sets, flags, weak=bool(weak), nan_checked=not large).reshape(array.shape[:-1])


def _masks(
    sets: npt.NDArray[Any], maximise: tuple[bool, ...], *, weak: bool, nan_checked: bool
) -> npt.NDArray[np.bool_]:
    """Choose the quickest of three ways that give the same answer."""
    b, n, m = sets.shape
    if not nan_checked and (m == 1 or n == 1):
        real_array("points", sets, shape=_SHAPE, min_ndim=2, finite=False)
    if n == 1:
        return np.ones((b, 1), dtype=np.bool_)
    if m == 1 or pays(b, n, m):
        return small_masks(minimised(sets, maximise), weak=weak)
    if b == 1 and n <= _ONE_SET and nan_checked:
        return delegated_mask(minimised(sets[0], maximise), weak=weak)[None]
    return bulk_masks(sets, maximise, weak=weak)


@document
def pareto_rank(points: npt.ArrayLike, /, *, maximise: Maximise = False) -> npt.NDArray[np.int64]:
    """Rank `points`, of shape (..., n, m), by repeatedly taking away the non-dominated ones.

    Parameters
    ----------
    points : array_like, shape (..., n, m)
        Sets of n points, as in `nondominated`: infinities are allowed, NaN is not, integers are compared as integers.
    {maximise}

    Returns
    -------
    numpy.ndarray of int64, shape (..., n)
        0 for the front, 1 for the front of the rest, and so on; equal points have equal ranks.

    Raises
    ------
    InvalidInputError
        If `points` is empty, not real, has fewer than two dimensions, holds NaN or a masked entry, or if
        `maximise` does not fit.

    Notes
    -----
    Complexity: O(n log n) time for m = 2; front after front above, so up to O(n^2 log n) where there are as many fronts as
    points; objectives that order all points as another one does are left out first. O(n m) memory. Computed by moocore
    (Jensen 2003, doi 10.1109/TEVC.2003.817234).

    Examples
    --------
    >>> pareto_rank([[1, 4], [2, 2], [2, 2], [3, 3], [4, 1], [4, 4]])
    array([0, 0, 0, 1, 0, 2])
    """
    refuse_masked("points", points)
    array = real_array("points", points, shape=_SHAPE, min_ndim=2, finite=False, keep_integers=True)
    flags = check_maximise(maximise, array.shape[-1])
    sets = minimised(array.reshape(-1, *array.shape[-2:]), flags)
    ranks = np.empty(sets.shape[:2], dtype=np.int64)
    for row, rows in enumerate(sets):
        ranks[row] = rank_rows(rows)
    return ranks.reshape(array.shape[:-1])
