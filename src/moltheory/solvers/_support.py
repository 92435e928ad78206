"""Which points of a finite set weighted sums can return: supported and unsupported points."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_choice, real_array
from moltheory.pareto import nondominated
from moltheory.solvers._polygons import share_of
from moltheory.solvers._programs import TOLERANCE, best_margin, largest_smallest_weight
from moltheory.solvers._weight_sets_exact import exact_cells

__all__ = ["SupportKind", "support_kinds", "supported"]

SupportKind = Literal["extreme", "positive", "boundary", "unsupported", "weak", "dominated"]


@document
def supported(
    points: npt.ArrayLike, /, *, weights: Literal["nonnegative", "positive"] = "nonnegative"
) -> npt.NDArray[np.bool_]:
    """Tell which non-dominated points minimise a weighted sum over the set.

    Parameters
    ----------
    {points}
    weights : {"nonnegative", "positive"}
        Which weights count. With three or more objectives some non-dominated points are minimisers only where a
        weight is zero.

    Returns
    -------
    (n,) ndarray of bool
        False for dominated points. What is non-dominated and not marked is unsupported.

    {raises}

    See Also
    --------
    support_kinds : The finer distinction, and what it is computed with.

    Notes
    -----
    Complexity: as `support_kinds`.

    Examples
    --------
    >>> supported([[0.0, 1.0], [0.6, 0.6], [1.0, 0.0]])
    array([ True, False,  True])
    """
    check_choice("weights", weights, ("nonnegative", "positive"))
    marked = ("extreme", "positive") if weights == "positive" else ("extreme", "positive", "boundary")
    return np.isin(support_kinds(points), marked)


@document
def support_kinds(points: npt.ArrayLike, /) -> npt.NDArray[np.str_]:
    """Say of each point by which weighted sums it can be returned.

    =============  ==============  ==================================================================
    kind           non-dominated   the point minimises the weighted sum
    =============  ==============  ==================================================================
    extreme        yes             as the only one (with its equals) for some weights
    positive       yes             for some positive weights, always with other points (inside a facet)
    boundary       yes             for nonnegative weights only, some of them zero (N >= 3)
    unsupported    yes             for no weights
    weak           no              for some weights, some of them zero, by a tie
    dominated      no              for no weights
    =============  ==============  ==================================================================

    Parameters
    ----------
    {points}

    Returns
    -------
    (n,) ndarray of str
        Equal points have equal kinds.

    {raises}

    Notes
    -----
    N <= 3: exact, each float read as the simplest fraction that rounds to it, so that 0.1, 0.2 and 0.3 are collinear
    as written. N >= 4: two linear programs per point (HiGHS) on points scaled to unit ranges; margins below 1e-9 count
    as ties.

    Complexity: O(n log n) time for N = 2 (lower convex hull), O(n^2) for N = 3 (weight cells), with O(n) memory each;
    2 n linear programs of n rows for more.

    Source: classical, for example M. Ehrgott 2005, "Multicriteria optimization", doi 10.1007/3-540-27659-9.

    Examples
    --------
    >>> support_kinds([[0, 2], [1, 1], [2, 0], [0, 3], [2, 2]]).tolist()
    ['extreme', 'positive', 'extreme', 'weak', 'dominated']
    >>> support_kinds([[0, 0, 5], [0, 3, 3], [0, 5, 0]]).tolist()
    ['extreme', 'boundary', 'extreme']
    """
    array = real_array("points", points, shape="(n, N)", min_ndim=2, max_ndim=2)
    distinct, inverse = np.unique(array, axis=0, return_inverse=True)
    kinds = _by_programs(distinct) if array.shape[1] > 3 else _by_cells(distinct)
    return kinds[inverse.reshape(-1)]


def _by_cells(points: FloatArray) -> npt.NDArray[np.str_]:
    kinds: list[SupportKind] = []
    for cell, best in zip(exact_cells(points), nondominated(points).tolist(), strict=True):
        # A cell is convex: some weights in it are all positive iff no objective has weight 0 at every vertex.
        if not cell:
            kinds.append("unsupported" if best else "dominated")
        elif not best:
            kinds.append("weak")
        elif share_of(cell) > 0:
            kinds.append("extreme")
        else:
            kinds.append("positive" if all(any(w) for w in zip(*cell, strict=True)) else "boundary")
    return np.array(kinds, dtype=np.str_)


def _by_programs(points: FloatArray) -> npt.NDArray[np.str_]:
    spread = np.ptp(points, axis=0)
    scaled = (points - points.min(axis=0)) / np.where(spread > 0.0, spread, 1.0)
    best, weak = nondominated(points), nondominated(points, weak=True)
    kinds: list[SupportKind] = []
    for k in range(len(points)):
        rivals = best.copy()
        rivals[k] = False
        normals = scaled[rivals] - scaled[k]
        margin = best_margin(normals) if weak[k] else -np.inf
        if margin < -TOLERANCE:
            kinds.append("unsupported" if best[k] else "dominated")
        elif not best[k]:
            kinds.append("weak")
        elif margin > TOLERANCE:
            kinds.append("extreme")
        else:
            kinds.append("positive" if largest_smallest_weight(normals) > 100.0 * TOLERANCE else "boundary")
    return np.array(kinds, dtype=np.str_)
