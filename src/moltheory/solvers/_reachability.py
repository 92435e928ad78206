"""Which scalarization returns which point of a finite set: facts that need no sample and hold for every one.

Chebyshev scalarizations reach every non-dominated point; augmentation and weighted sums trade reach for optimality.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_vector, real_array
from moltheory.errors import InvalidInputError
from moltheory.pareto import nondominated
from moltheory.solvers._support import support_kinds
from moltheory.solvers._weight_sets import weight_cells

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["chebyshev_weights", "geoffrion_constants", "largest_augmentation", "reachability"]

# Entries of one block of pairwise differences.
_BLOCK = 1 << 17


@document
def chebyshev_weights(point: npt.ArrayLike, /, *, ideal: npt.ArrayLike, normalised: bool = False) -> FloatArray:
    """Return the weights ``w_i = 1 / (y_i - z_i)`` with which a Chebyshev scalarization returns a point y.

    If y is non-dominated and z below all points, y is the only minimiser (with its equals).

    Parameters
    ----------
    point : (N,) array_like
        The point y.
    ideal : (N,) array_like
        The reference point z, below y in every objective.
    normalised : bool, default False
        Divide the weights by their sum.

    Returns
    -------
    (N,) ndarray

    {raises}

    Notes
    -----
    Complexity: O(N) time and memory.

    References
    ----------
    V. J. Bowman 1976, doi 10.1007/978-3-642-87563-2_5; R. E. Steuer and E.-U. Choo 1983, doi 10.1007/BF02591870.

    Examples
    --------
    >>> chebyshev_weights([0.75, 0.25], ideal=[-0.25, -0.25])
    array([1., 2.])
    """
    y = check_vector("point", point)
    w: FloatArray = 1.0 / (y - _checked_ideal(ideal, y[None]))
    return w / w.sum() if normalised else w


@document
def largest_augmentation(
    points: npt.ArrayLike, /, *, ideal: npt.ArrayLike, normalised: bool = False
) -> npt.NDArray[np.float64]:
    r"""Return the largest augmentation with which an augmented Chebyshev scalarization still returns each point.

    With the weights of `chebyshev_weights`, ``max_i w_i (v_i - z_i) + rho sum_i (v_i - z_i)`` is smallest at y* iff
    :math:`\rho \le \rho^*(y^*)`,

    .. math:: \rho^*(y^*) = \min_{y : \sum y < \sum y^*}
        \frac{\max_i (y_i - z_i) / (y^*_i - z_i) - 1}{\sum_i y^*_i - \sum_i y_i}.

    Parameters
    ----------
    points : (n, N) array_like
        Non-dominated points; minimised.
    ideal : (N,) array_like
        The reference point z, below all points in every objective.
    normalised : bool, default False
        For weights divided by their sum, which divides rho* by :math:`\sum_i 1 / (y^*_i - z_i)`.

    Returns
    -------
    (n,) ndarray
        Positive; infinite where no point has a smaller sum. At rho* itself the point ties with another one; other
        weights can tolerate more.

    {raises}

    Notes
    -----
    Complexity: O(n^2 N) time and O(n N) memory. Derived (proof: largest-augmentation).

    Examples
    --------
    >>> points = [[0.0, 1.0], [0.6, 0.6], [1.0, 0.0]]
    >>> largest_augmentation(points, ideal=[-0.1, -0.1]).round(6)
    array([     inf, 2.857143,      inf])
    >>> largest_augmentation(points, ideal=[-0.1, -0.1], normalised=True).round(6)
    array([inf,  1., inf])
    """
    array = _efficient(points)
    z = _checked_ideal(ideal, array)
    shifted = array - z
    limits = np.empty(len(array))
    for part in _blocks(array):
        differences = array[None, :, :] - array[part, None, :]
        saved = -differences.sum(axis=2)
        # Sums equal up to rounding: equal points and permuted ones must not look like a saving.
        saved[saved <= 1e-14 * np.abs(array).sum(axis=1).max()] = 0.0
        lost = (differences / shifted[part, None, :]).max(axis=2)
        ratio = np.divide(lost, saved, out=np.full_like(lost, np.inf), where=saved > 0.0)
        limits[part] = ratio.min(axis=1)
    return limits / (1.0 / shifted).sum(axis=1) if normalised else limits


@document
def geoffrion_constants(points: npt.ArrayLike, /) -> npt.NDArray[np.float64]:
    r"""Return the smallest bound on trade-offs that shows each point of a set to be properly efficient.

    The smallest M such that for every objective i and point y with :math:`y_i < y^*_i` some j has :math:`y_j > y^*_j`
    and :math:`(y^*_i - y_i) / (y_j - y^*_j) \le M`.

    Parameters
    ----------
    points : (n, N) array_like
        Non-dominated points; minimised.

    Returns
    -------
    (n,) ndarray
        Finite and >= 0; 0 where no point is better in anything.

    {raises}

    Notes
    -----
    Every efficient point of a finite set is properly efficient, but M can be of any size: it is the price, in units of
    one objective, that its best point pays for a unit of another.

    Complexity: O(n^2 N) time and O(n N) memory.

    References
    ----------
    A. M. Geoffrion 1968, "Proper efficiency and the theory of vector maximization", doi 10.1016/0022-247X(68)90201-1.

    Examples
    --------
    >>> geoffrion_constants([[0.0, 1.0], [0.5, 0.75], [1.0, 0.0]])
    array([1., 2., 1.])
    """
    array = _efficient(points)
    constants = np.empty(len(array))
    for part in _blocks(array):
        differences = array[None, :, :] - array[part, None, :]
        gained = -np.minimum(differences, 0.0).min(axis=2)
        paid = np.maximum(differences, 0.0).max(axis=2)
        constants[part] = np.divide(gained, paid, out=np.zeros_like(gained), where=gained > 0.0).max(axis=1)
    return constants


@document
def reachability(points: npt.ArrayLike, /, *, ideal: npt.ArrayLike) -> pd.DataFrame:
    """Tabulate which scalarization returns which point of a finite set.

    Parameters
    ----------
    points : (n, N) array_like
        Finite; minimised. Dominated points are allowed.
    ideal : (N,) array_like
        The reference point z of the Chebyshev scalarizations, below all points in every objective.

    Returns
    -------
    pandas.DataFrame
        One row per point: ``point`` (its row), ``nondominated``, ``kind`` (of `support_kinds`), ``supported``,
        ``share`` of the weights in its cell, for two objectives ``lowest_weight`` and ``highest_weight`` (first
        weights of the cell), ``chebyshev`` (whether its Chebyshev weights return it alone), ``largest_augmentation``,
        ``largest_augmentation_normalised`` and ``geoffrion_constant`` (missing for dominated points).

    {raises}

    Notes
    -----
    Complexity: O(n^2 N) time and O(n N) memory for N = 2; more with `support_kinds`.

    Examples
    --------
    >>> table = reachability([[0.0, 1.0], [0.6, 0.6], [1.0, 0.0]], ideal=[-0.1, -0.1])
    >>> table[["kind", "share", "largest_augmentation", "geoffrion_constant"]].round(3)
              kind  share  largest_augmentation  geoffrion_constant
    0      extreme    0.5                   inf                 1.0
    1  unsupported    0.0                 2.857                 1.5
    2      extreme    0.5                   inf                 1.0
    """
    import pandas as pd

    array = real_array("points", points, shape="(n, N)", min_ndim=2, max_ndim=2)
    z = _checked_ideal(ideal, array)
    best, kinds, cells = nondominated(array), support_kinds(array), weight_cells(array)
    columns: dict[str, object] = {
        "point": np.arange(len(array)),
        "nondominated": best,
        "kind": kinds,
        "supported": np.isin(kinds, ("extreme", "positive", "boundary")),
        "share": cells.share,
    }
    if array.shape[1] == 2:
        ends = np.array([(np.nan, np.nan) if ends is None else ends for ends in cells.intervals])
        columns |= {"lowest_weight": ends[:, 0], "highest_weight": ends[:, 1]}
    front = array[best]
    columns["chebyshev"] = best
    for name, values in (
        ("largest_augmentation", largest_augmentation(front, ideal=z)),
        ("largest_augmentation_normalised", largest_augmentation(front, ideal=z, normalised=True)),
        ("geoffrion_constant", geoffrion_constants(front)),
    ):
        column = np.full(len(array), np.nan)
        column[best] = values
        columns[name] = column
    return pd.DataFrame(columns)


def _efficient(points: npt.ArrayLike) -> FloatArray:
    array = real_array("points", points, shape="(n, N)", min_ndim=2, max_ndim=2)
    worse = int((~nondominated(array)).sum())
    if worse:
        raise InvalidInputError(f"`points` must be non-dominated, got {worse} dominated of {len(array)}.")
    return array


def _checked_ideal(ideal: npt.ArrayLike, points: FloatArray) -> FloatArray:
    z = check_vector("ideal", ideal, length=points.shape[1])
    room = float((points.min(axis=0) - z).min())
    if room <= 0.0:
        raise InvalidInputError(f"`ideal` must be below every point in every objective, got a difference of {room:g}.")
    return z


def _blocks(array: FloatArray) -> list[slice]:
    step = max(1, _BLOCK // array.size)
    return [slice(start, start + step) for start in range(0, len(array), step)]
