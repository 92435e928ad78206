"""Weight cells: for which weights a weighted sum returns a point, and for which it does so in spite of sampling."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from moltheory._core._card import Card
from moltheory._core._docs import document
from moltheory._core._html_repr import Printed
from moltheory._core._memory_estimate import require_memory
from moltheory._core._validation import FloatArray, as_readonly, check_vector, real_array
from moltheory.errors import InvalidInputError
from moltheory.pareto import nondominated
from moltheory.solvers._cards import cells_card
from moltheory.solvers._polygons import Vertices, exact_rows, share_of
from moltheory.solvers._programs import volume
from moltheory.solvers._weight_sets_exact import certain_cells, exact_cells

__all__ = ["WeightCells", "cell_members", "certified_cells", "certified_share", "weight_cells"]


@dataclass(frozen=True, eq=False, repr=False)
class WeightCells(Printed):
    """A region of the simplex of weights for each point.

    Attributes
    ----------
    vertices : tuple of (k_j, N) ndarray
        Corners of each region, in cyclic order for N = 3; k_j = 0 where it is empty. For N >= 4 in no order, and
        only of regions with an interior.
    share : (n,) ndarray
        Part of the simplex that each region takes, by its volume. Equal points have equal regions.
    exact_share : tuple of Fraction or None
        The same without rounding; None for N >= 4.
    distinct : (n,) ndarray of bool
        Marks the first of each group of equal points; shares of cells sum to 1 over these.
    """

    vertices: tuple[FloatArray, ...]
    share: FloatArray
    exact_share: tuple[Fraction, ...] | None
    distinct: npt.NDArray[np.bool_]

    @property
    def total(self) -> float:
        """Part of the simplex that all regions take together, each group of equal points counted once."""
        if self.exact_share is not None:
            return float(sum((s for s, d in zip(self.exact_share, self.distinct, strict=True) if d), Fraction(0)))
        return float(self.share[self.distinct].sum())

    @property
    def intervals(self) -> tuple[tuple[float, float] | None, ...]:
        """For two objectives the smallest and the largest first weight of each region, None where it is empty.

        Raises
        ------
        InvalidInputError
            If there are not two objectives.
        """
        if self.vertices[0].shape[1] != 2:
            raise InvalidInputError(f"`intervals` needs two objectives, got {self.vertices[0].shape[1]}.")
        return tuple((float(v[:, 0].min()), float(v[:, 0].max())) if len(v) else None for v in self.vertices)

    def _card(self) -> Card:
        return cells_card(self)


@document
def weight_cells(points: npt.ArrayLike, /) -> WeightCells:
    """Return, for each point, the weights on the simplex for which it minimises the weighted sum.

    Parameters
    ----------
    {points}

    Returns
    -------
    WeightCells

    {raises}

    Notes
    -----
    N <= 3: exact, each float read as the simplest fraction that rounds to it. N >= 4: rounded volumes by Qhull.

    Complexity: O(n log n) time for N = 2, O(n^2) for N = 3, with O(n) memory each; for more n half-space intersections,
    each of the order of n^(N // 2).

    Examples
    --------
    >>> cells = weight_cells([[0.0, 1.0], [0.3, 0.4], [1.0, 0.0]])
    >>> [str(share) for share in cells.exact_share]
    ['1/3', '10/33', '4/11']
    >>> cells.intervals[0]
    (0.6666666666666666, 1.0)
    """
    array = _checked(points)
    return _gathered(array, exact_cells, lambda distinct: _volumes(distinct, np.zeros(distinct.shape[1])))


@document
def certified_cells(points: npt.ArrayLike, /, *, widths: npt.ArrayLike) -> WeightCells:
    """Return, for each point, the weights for which its lead over every other point exceeds twice the weighted widths.

    Where all risks are known up to joint widths C, the minimiser of the empirical weighted sum is the true minimiser
    for every w with ``w (y_k - y_j) > 2 w C`` for all points y_k other than y_j. Elsewhere, ties at the boundary aside,
    some empirical risks within the widths make another point the minimiser: no more can be certified.

    Parameters
    ----------
    points : (n, N) array_like
        True risks of all hypotheses, dominated ones too: they compete.
    widths : float or (N,) array_like
        Half-widths C, >= 0, in the units of the risks; one number stands for all objectives.

    Returns
    -------
    WeightCells
        Up to their boundary. Hypotheses of equal risks do not compete: each is a true minimiser if one is.

    {raises}

    Notes
    -----
    Exact for N <= 3, as `weight_cells`; O(n) floats per point on the front. Derived (proof: certified-cells).

    Complexity: O(n log n) time for N = 2 with the front's O(n) rivals cut exactly at each point: O(n^2) time and
    memory; O(n^2) cuts for N = 3.

    Examples
    --------
    >>> certified = certified_cells([[0.0, 1.0], [0.3, 0.4], [1.0, 0.0]], widths=0.02)
    >>> [str(share) for share in certified.exact_share]
    ['13/45', '2/9', '18/55']
    """
    array = _checked(points)
    given = np.asarray(widths)
    spread = np.broadcast_to(given, (array.shape[1],)) if given.ndim == 0 else given
    c = check_vector("widths", spread, length=array.shape[1], low=0.0)
    return _gathered(array, lambda distinct: certain_cells(distinct, c), lambda distinct: _volumes(distinct, c))


@document
def certified_share(points: npt.ArrayLike, /, *, widths: npt.ArrayLike) -> float:
    """Return the share of weights at which empirical weighted sums certainly return a true minimiser.

    Parameters
    ----------
    points : (n, N) array_like
        True risks of all hypotheses.
    widths : float or (N,) array_like
        Joint half-widths C, >= 0.

    Returns
    -------
    float
        In [0, 1]: the weights, uniform on the simplex, at which the second smallest weighted sum exceeds the smallest
        one by more than ``2 w C``.

    {raises}

    Notes
    -----
    Complexity: as `certified_cells`.

    Examples
    --------
    >>> certified_share([[0.0, 1.0], [0.3, 0.4], [1.0, 0.0]], widths=0.02) == 83 / 99
    True
    """
    return certified_cells(points, widths=widths).total


@document
def cell_members(points: npt.ArrayLike, /, *, weights: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Tell which points minimise which weighted sums, ties included.

    Parameters
    ----------
    {points}
    {weight_rows}

    Returns
    -------
    (K, n) ndarray of bool
        At least one True per row.

    {raises}
    TooLargeError
        If the result does not fit into memory.

    Notes
    -----
    Sums that floats cannot tell apart are compared as fractions, both arguments read as the simplest fractions that
    round to them.

    Complexity: O(K n N) time and O(K n) memory, besides the sums that need fractions.

    Examples
    --------
    >>> cell_members([[0.0, 1.0], [0.3, 0.4], [1.0, 0.0]], weights=[[0.7, 0.3], [0.5, 0.5]])
    array([[ True, False, False],
           [False,  True, False]])
    """
    array = _checked(points)
    w = real_array("weights", weights, shape=f"(K, {array.shape[1]})", min_ndim=2, max_ndim=2)
    if w.shape[1] != array.shape[1]:
        raise InvalidInputError(f"`weights` must have shape (K, {array.shape[1]}), got shape {w.shape}.")
    if (w < 0.0).any() or not w.any(axis=1).all():
        raise InvalidInputError("`weights` must be >= 0 with no row zero, got a negative entry or a zero row.")
    require_memory(
        17.0 * w.shape[0] * array.shape[0],
        f"`weights` of {w.shape[0]} rows for {array.shape[0]} points",
        "pass fewer weights at a time",
    )
    values = w @ array.T
    doubt = 1e-12 * w.sum(axis=1, keepdims=True) * np.abs(array).max()
    near: npt.NDArray[np.bool_] = values <= values.min(axis=1, keepdims=True) + doubt
    for k in np.flatnonzero(near.sum(axis=1) > 1):
        who = np.flatnonzero(near[k])
        own = exact_rows(w[k : k + 1])[0]
        sums = [sum((a * x for a, x in zip(own, row, strict=True)), Fraction(0)) for row in exact_rows(array[who])]
        lowest = min(sums)
        near[k, who] = [value == lowest for value in sums]
    return near


def _checked(points: npt.ArrayLike) -> FloatArray:
    return real_array("points", points, shape="(n, N)", min_ndim=2, max_ndim=2)


def _gathered(
    points: FloatArray,
    exact: Callable[[FloatArray], list[Vertices]],
    rounded: Callable[[FloatArray], tuple[list[float], list[FloatArray]]],
) -> WeightCells:
    """Compute regions of the distinct points and hand them to all."""
    distinct, first, inverse = np.unique(points, axis=0, return_index=True, return_inverse=True)
    back = inverse.reshape(-1).tolist()
    fractions: tuple[Fraction, ...] | None = None
    if points.shape[1] <= 3:
        regions = exact(distinct)
        parts = [share_of(region) for region in regions]
        fractions = tuple(parts[k] for k in back)
        shares = [float(part) for part in parts]
        corners = [
            np.array([[float(x) for x in row] for row in region]).reshape(-1, points.shape[1]) for region in regions
        ]
    else:
        shares, corners = rounded(distinct)
    is_first = np.zeros(len(points), dtype=np.bool_)
    is_first[first] = True
    kept = [as_readonly(corner) for corner in corners]
    return WeightCells(
        tuple(kept[k] for k in back), as_readonly(np.array([shares[k] for k in back])), fractions, is_first
    )


def _volumes(points: FloatArray, widths: FloatArray) -> tuple[list[float], list[FloatArray]]:
    """Return rounded shares and corners for N >= 4."""
    spread = float(np.ptp(points, axis=0).max())
    scale = spread if spread > 0.0 else 1.0
    best = nondominated(points)
    shares, corners = [], []
    for k in range(len(points)):
        share, corner = 0.0, np.empty((0, points.shape[1]))
        if best[k]:
            others = np.delete(np.arange(len(points)), k)
            share, corner = volume((points[others] - points[k] - 2.0 * widths) / scale)
        shares.append(share)
        corners.append(corner)
    return shares, corners
