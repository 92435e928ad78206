"""Attainment surfaces: what a given share of many fronts attains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._card import Card
from moltheory._core._docs import document
from moltheory._core._html_repr import Printed
from moltheory._core._labels import aligned_labels, axis_labels
from moltheory._core._validation import FloatArray, Maximise, as_readonly, check_real, check_vector, real_array
from moltheory.errors import InvalidInputError
from moltheory.pareto._cards import surfaces_card
from moltheory.pareto._orientation import check_maximise, minimised

__all__ = ["AttainmentSurfaces", "attainment_surfaces"]


@dataclass(frozen=True, eq=False, repr=False)
class AttainmentSurfaces(Printed):
    """Surfaces attained by given percentages of a number of sets.

    Attributes
    ----------
    points : numpy.ndarray, shape (k, m)
        Corner points of all surfaces, in the caller's orientation. Read-only.
    levels : numpy.ndarray, shape (k,)
        Percentage that each point belongs to. Read-only.
    percentiles : tuple of float
        The percentages asked for, ascending and distinct.
    n_sets : int
        Number of sets.
    """

    points: FloatArray
    levels: FloatArray
    percentiles: tuple[float, ...]
    n_sets: int

    def surface(self, percentile: float, /) -> FloatArray:
        """Return the corner points (j, m) of one surface, sorted lexicographically.

        Raises
        ------
        InvalidInputError
            If `percentile` is not one of `percentiles`.
        """
        level = check_real("percentile", percentile)
        if level not in self.percentiles:
            raise InvalidInputError(f"`percentile` must be one of {self.percentiles}, got {level!r}.")
        rows = self.points[self.levels == level]
        return as_readonly(rows[np.lexsort(rows.T[::-1])])

    def _card(self) -> Card:
        return surfaces_card(self)


@document
def attainment_surfaces(
    points: npt.ArrayLike,
    sets: npt.ArrayLike,
    /,
    *,
    percentiles: npt.ArrayLike,
    maximise: Maximise = False,
) -> AttainmentSurfaces:
    """Return the surfaces that given percentages of the sets in `points`, of shape (k, m), attain.

    Parameters
    ----------
    points : array_like, shape (k, m)
        Finite points of all sets, m = 2 or 3, in any order.
    sets : array_like, shape (k,)
        The set that each point belongs to.
    percentiles : array_like, shape (p,)
        Percentages in (0, 100]; 100 is what every set attains, 50 the median surface.
    {maximise}

    Returns
    -------
    AttainmentSurfaces
        A target is attained by a set with a point at least as good in every objective. The surface of
        percentage c over s sets is the front of the targets that at least c s / 100 sets attain.

    Raises
    ------
    InvalidInputError
        If `points` is not finite or has neither 2 nor 3 objectives, or another argument does not fit.

    Notes
    -----
    Complexity: O(k log k + s k) time for s sets and m = 2, O(s^2 k log k) for m = 3; memory like the answer. Computed by
    moocore: Fonseca, Guerreiro, Lopez-Ibanez, Paquete (2011), doi 10.1007/978-3-642-19893-9_8.

    Examples
    --------
    >>> both = attainment_surfaces([[1, 2], [2, 1], [0, 3]], ["a", "b", "a"], percentiles=[50, 100])
    >>> both.surface(50)
    array([[0., 3.],
           [1., 2.],
           [2., 1.]])
    >>> both.surface(100)
    array([[2., 2.]])
    """
    array = real_array("points", points, shape="(k, m)", min_ndim=2, max_ndim=2)
    if array.shape[1] not in (2, 3):
        raise InvalidInputError(f"`points` must have 2 or 3 objectives, got {array.shape[1]}.")
    flags = check_maximise(maximise, array.shape[1])
    labels = aligned_labels("sets", sets, axis_labels(points), array.shape[0], of="points")
    levels = np.unique(check_vector("percentiles", percentiles, low=0.0, strict=True))
    if levels[-1] > 100.0:
        raise InvalidInputError(f"`percentiles` must be <= 100 everywhere, got {levels[-1]:g}.")
    names, codes = np.unique(labels, return_inverse=True)
    # moocore counts the rows of each set but takes them to stand together, in the order of their labels.
    order = np.argsort(codes, kind="stable")
    import moocore

    found = moocore.eaf(minimised(array, flags)[order], codes[order], percentiles=levels)
    return AttainmentSurfaces(
        as_readonly(minimised(found[:, :-1], flags)),
        as_readonly(found[:, -1]),
        tuple(float(level) for level in levels),
        names.size,
    )
