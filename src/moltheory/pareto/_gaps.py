"""Coverage and purity error: the two directions in which a selected set can miss the true front.

Both are the same directed distance, built on the gap max_i (q_i - p_i)_+ by which a point q falls short of p.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, Maximise, bools_in, check_vector, real_array
from moltheory.errors import InvalidInputError
from moltheory.pareto._dominance import nondominated
from moltheory.pareto._orientation import check_maximise, minimised, point_set

__all__ = ["coverage_error", "errors_of_selections", "front_rows", "nearest_on_staircase", "purity_error"]

# Entries of the largest temporary array; small enough to stay in a processor's cache.
_CHUNK = 1 << 15


@document
def coverage_error(
    selected: npt.ArrayLike,
    truth: npt.ArrayLike,
    /,
    *,
    scale: npt.ArrayLike | None = None,
    maximise: Maximise = False,
) -> float:
    """Return how badly `selected` (k, m) misses some point of the front of `truth` (l, m).

    The coverage error is the supremum over p in the front of `truth`, of the infimum over q in `selected`, of
    max_i (q_i - p_i)_+ / scale_i. It is 0 exactly when every true Pareto point is attained or improved on. It
    is the additive epsilon indicator floored at 0, not the ranking metric of the same name nor the C-metric.

    Parameters
    ----------
    selected : array_like, shape (k, m)
        Finite points: the true risks of what was selected.
    truth : array_like, shape (l, m)
        Finite points; dominated rows are dropped first.
    scale : array_like, shape (m,), optional
        Positive unit of each objective; 1 by default.
    {maximise}

    Returns
    -------
    float
        At least 0, in units of `scale`.

    Raises
    ------
    InvalidInputError
        If a set is empty or not finite, the numbers of objectives differ, or `scale` is not positive.

    Notes
    -----
    Complexity: after dropping the rows that cannot matter, O(k l m) time; O((k + l) log l) for two objectives.
    O((k + l) m) memory. Zitzler, Thiele, Laumanns, Fonseca, Grunert da Fonseca
    (2003), doi 10.1109/TEVC.2003.810758, for the epsilon indicator.

    Examples
    --------
    >>> coverage_error([[0.5, 0.5]], [[0.0, 1.0], [0.25, 0.25], [1.0, 1.0]])
    0.5
    """
    theirs, ours, units = _two_sets(selected, truth, scale, maximise)
    return _directed(outer=ours, inner=theirs, scale=units)


@document
def purity_error(
    selected: npt.ArrayLike,
    truth: npt.ArrayLike,
    /,
    *,
    scale: npt.ArrayLike | None = None,
    maximise: Maximise = False,
) -> float:
    """Return how far some point of `selected` (k, m) is from the front of `truth` (l, m).

    The purity error is the supremum over q in `selected`, of the infimum over p in the front of `truth`, of
    max_i (q_i - p_i)_+ / scale_i. It is 0 exactly when every selected point is as good as some true Pareto
    point. It is a worst case of GD+ in the sup-norm, not the purity ratio of Custodio et al. (2011).

    Parameters
    ----------
    selected : array_like, shape (k, m)
        Finite points: the true risks of what was selected.
    truth : array_like, shape (l, m)
        Finite points; dominated rows are dropped first.
    scale : array_like, shape (m,), optional
        Positive unit of each objective; 1 by default.
    {maximise}

    Returns
    -------
    float
        At least 0, in units of `scale`.

    Raises
    ------
    InvalidInputError
        If a set is empty or not finite, the numbers of objectives differ, or `scale` is not positive.

    Notes
    -----
    Complexity: after dropping the rows that cannot matter, O(k l m) time; O((k + l) log l) for two objectives.
    O((k + l) m) memory. The definition is this project's own.

    Examples
    --------
    >>> purity_error([[0.0, 1.0], [0.5, 0.75]], [[0.0, 1.0], [0.25, 0.25], [1.0, 1.0]])
    0.5
    """
    theirs, ours, units = _two_sets(selected, truth, scale, maximise)
    # (q - p) = (-p) - (-q): seen from the other side, the same distance with the parts exchanged.
    return _directed(outer=-theirs, inner=-ours, scale=units)


@document
def errors_of_selections(
    risks: npt.ArrayLike, selected: npt.ArrayLike, /, *, maximise: Maximise = False
) -> tuple[FloatArray, FloatArray]:
    """Return coverage and purity error of many selections out of one table of `risks` (H, m).

    Parameters
    ----------
    risks : array_like, shape (H, m)
        Finite true risks; their non-dominated rows are the truth.
    selected : array_like of bool, shape (R, H)
        Row r marks the rows of `risks` that selection r holds; none may be empty.
    {maximise}

    Returns
    -------
    coverage, purity : numpy.ndarray, shape (R,)
        What `coverage_error` and `purity_error` give for ``risks[selected[r]]`` against `risks`.

    Raises
    ------
    InvalidInputError
        If `risks` is not one finite set of points, or `selected` is not boolean, does not fit or has an empty
        row.

    Notes
    -----
    Complexity: with P distinct true Pareto points O(H P (m + log H) + R P) time as a rule, since for each of them the
    selections are resolved together along the order of the gaps, most of them at its start; O(R H P) at worst. O(R H)
    memory, in bytes.

    Examples
    --------
    >>> risks = [[0.0, 1.0], [0.5, 0.5], [1.0, 1.0]]
    >>> coverage, purity = errors_of_selections(risks, [[True, True, False], [False, False, True]])
    >>> coverage, purity
    (array([0., 1.]), array([0. , 0.5]))
    """
    points = point_set("risks", risks, maximise)
    columns = np.ascontiguousarray(check_selections(selected, points.shape[0]).T)
    truth = np.unique(points[nondominated(points)], axis=0)
    coverage = np.zeros(columns.shape[1])
    nearest = np.full(points.shape[0], np.inf)
    for target in truth:
        gaps = _gaps(target[None], points, None)[0]
        np.minimum(nearest, gaps, out=nearest)
        order = np.argsort(gaps, kind="stable")
        np.maximum(coverage, gaps[_first_selected(columns, order)], out=coverage)
    purity = nearest[_first_selected(columns, np.argsort(-nearest, kind="stable"))]
    return coverage, purity


def check_selections(selected: npt.ArrayLike, n_rows: int) -> npt.NDArray[np.bool_]:
    """Return masks (R, H), each of which selects something.

    Raises
    ------
    InvalidInputError
        If they are not boolean, do not fit or one selects nothing.
    """
    masks = bools_in("selected", selected)
    if masks.dtype != np.bool_ or masks.ndim != 2 or masks.shape[1] != n_rows or masks.shape[0] == 0:
        raise InvalidInputError(
            f"`selected` must be bool of shape (R, {n_rows}), got dtype {masks.dtype} and shape {masks.shape}."
        )
    empty = np.flatnonzero(~masks.any(axis=1))
    if empty.size:
        raise InvalidInputError(f"`selected` must select something in every row, got nothing in row {empty[0]}.")
    return masks


def _first_selected(columns: npt.NDArray[np.bool_], order: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Return, for every selection in `columns` (H, R), the first entry of `order` that it holds.

    All selections walk along `order` together, in steps that double; those that found theirs drop out.
    """
    found = np.full(columns.shape[1], -1, dtype=np.intp)
    start, width = 0, 8
    _mark_first(columns, order[:width], found)
    while (waiting := np.flatnonzero(found < 0)).size:
        start, width = start + width, 2 * width
        candidates = order[start : start + width]
        late = np.full(waiting.size, -1, dtype=np.intp)
        _mark_first(columns[candidates][:, waiting], np.arange(candidates.size), late)
        hit = late >= 0
        found[waiting[hit]] = candidates[late[hit]]
    return found


def _mark_first(columns: npt.NDArray[np.bool_], candidates: npt.NDArray[np.intp], found: npt.NDArray[np.intp]) -> None:
    """Write the first candidate that each selection holds into `found` (R,): the first is written last."""
    for candidate in candidates[::-1]:
        np.copyto(found, candidate, where=columns[candidate])


def _two_sets(
    selected: npt.ArrayLike, truth: npt.ArrayLike, scale: npt.ArrayLike | None, maximise: Maximise
) -> tuple[FloatArray, FloatArray, FloatArray | None]:
    """Return the selected points, the non-dominated truth and the units, all objectives minimised."""
    ours = real_array("truth", truth, shape="(l, m)", min_ndim=2, max_ndim=2)
    flags = check_maximise(maximise, ours.shape[1])
    ours = minimised(ours, flags)
    theirs = point_set("selected", selected, maximise, n_objectives=ours.shape[1])
    units = None
    if scale is not None:
        shaped = real_array("scale", scale, shape="(m,)", min_ndim=1, max_ndim=1)
        units = check_vector("scale", shaped, length=ours.shape[1], low=0.0, strict=True)
    return theirs, ours[nondominated(ours)], units


def _directed(outer: FloatArray, inner: FloatArray, scale: FloatArray | None) -> float:
    """Return sup over o in `outer` of inf over i in `inner` of max_c (i_c - o_c)_+ / scale_c.

    A dominated row changes neither: on the inside a better row is nearer to every o, on the outside a better
    row is farther from every i.
    """
    outer, inner = front_rows(outer), front_rows(inner)
    if outer.shape[1] == 2:
        return max(0.0, float(nearest_on_staircase(outer, inner, scale).max()))
    worst = 0.0
    width = min(inner.shape[0], _CHUNK)
    step = max(1, _CHUNK // width)
    for start in range(0, outer.shape[0], step):
        block = outer[start : start + step]
        nearest = np.full(block.shape[0], np.inf)
        for left in range(0, inner.shape[0], width):
            np.minimum(nearest, _gaps(block, inner[left : left + width], scale).min(axis=1), out=nearest)
        worst = max(worst, float(nearest.max()))
    return worst


def front_rows(points: FloatArray) -> FloatArray:
    """Return the distinct non-dominated rows, sorted."""
    return np.unique(points[nondominated(points)], axis=0)


def nearest_on_staircase(outer: FloatArray, inner: FloatArray, scale: FloatArray | None) -> FloatArray:
    """Return min over i in `inner` of max_c (i_c - o_c) / scale_c for each o in `outer`, two objectives, (k,).

    `inner` comes from `front_rows`: along it the first gap increases and the second decreases, in floating-point
    arithmetic too, so the least maximum stands where they cross, which is found by bisection: O(k log l).
    """

    def gap(at: npt.NDArray[np.intp], objective: int) -> FloatArray:
        found: FloatArray = inner[at, objective] - outer[:, objective]
        return found if scale is None else found / scale[objective]

    # A difference beyond the largest double is infinite, which is what it should compare as.
    with np.errstate(over="ignore"):
        # The first row whose first gap is at least the second is in [low, high].
        low = np.zeros(outer.shape[0], dtype=np.intp)
        high = np.full(outer.shape[0], inner.shape[0], dtype=np.intp)
        while (low < high).any():
            middle = np.minimum((low + high) // 2, inner.shape[0] - 1)
            crossed = (gap(middle, 0) >= gap(middle, 1)) | (low >= high)
            low, high = np.where(crossed, low, middle + 1), np.where(crossed, np.minimum(middle, high), high)
        after, before = np.minimum(low, inner.shape[0] - 1), np.maximum(low - 1, 0)
        return np.minimum(np.maximum(gap(after, 0), gap(after, 1)), np.maximum(gap(before, 0), gap(before, 1)))


def _gaps(outer: FloatArray, inner: FloatArray, scale: FloatArray | None) -> FloatArray:
    """Return max_c (inner_c - outer_c)_+ / scale_c for every pair, shape (outer rows, inner rows)."""
    worst = np.zeros((outer.shape[0], inner.shape[0]))
    # A difference beyond the largest double is infinite, which is what it should compare as.
    with np.errstate(over="ignore"):
        for objective in range(outer.shape[1]):
            gap = inner[None, :, objective] - outer[:, None, objective]
            if scale is not None:
                gap /= scale[objective]
            np.maximum(worst, gap, out=worst)
    return worst
