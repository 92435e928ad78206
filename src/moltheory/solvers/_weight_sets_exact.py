"""Weight cells in exact arithmetic, for two objectives by the lower hull and for three by cutting the simplex."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.pareto import nondominated
from moltheory.solvers._polygons import Row, Vertices, cut_simplex, exact_rows

__all__ = ["certain_cells", "exact_cells"]


def exact_cells(points: FloatArray) -> list[Vertices]:
    """Return, for distinct points (n, N) with N <= 3, the vertices of each cell; empty where a cell is."""
    cells: list[Vertices] = [()] * points.shape[0]
    best = np.flatnonzero(nondominated(points))
    if points.shape[1] == 2:
        best = best[np.argsort(points[best, 0])]
        for index, cell in zip(best, _hull_cells(exact_rows(points[best])), strict=True):
            cells[index] = cell
        # A dominated point minimises a weighted sum only where it ties in the one objective that has weight.
        tied = points == points.min(axis=0)
        for index in np.flatnonzero(tied.any(axis=1) & ~_mask(best, points.shape[0])):
            cells[index] = ((Fraction(int(tied[index, 0])), Fraction(int(tied[index, 1]))),)
        return cells
    rivals = points[best]
    rows, exact_rivals = exact_rows(points), exact_rows(rivals)
    scale = float(np.abs(points).max())
    for index in np.flatnonzero(nondominated(points, weak=True)):
        own = rows[index]
        cells[index] = cut_simplex(
            rivals - points[index],
            lambda k, own=own: _minus(exact_rivals[k], own),  # type: ignore[misc]
            scale=scale,
        )
    return cells


def certain_cells(points: FloatArray, widths: FloatArray) -> list[Vertices]:
    """Return, for distinct points (n, N) with N <= 3, where each beats all others by twice the weighted widths.

    Empty too where the region has no interior.
    """
    cells: list[Vertices] = [()] * points.shape[0]
    rows = exact_rows(points)
    known = set(rows)
    twice = tuple(2 * width for width in exact_rows(widths[None])[0])
    scale = float(np.abs(points).max() + 2.0 * widths.max())
    for index in np.flatnonzero(nondominated(points)):
        others = np.delete(np.arange(points.shape[0]), index)
        base = tuple(x + c for x, c in zip(rows[index], twice, strict=True))
        # A rival exactly at the base beats it for no weights strictly, which no cut of closed halfspaces shows.
        if base in known and base != rows[index]:
            continue
        cells[index] = cut_simplex(
            points[others] - points[index] - 2.0 * widths,
            lambda k, base=base, others=others: _minus(rows[others[k]], base),  # type: ignore[misc]
            scale=scale,
        )
    return cells


def _hull_cells(rows: list[Row]) -> list[Vertices]:
    """Return the cells of a front sorted by its first objective, by its lower convex hull in O(n)."""
    hull: list[int] = []
    for k, row in enumerate(rows):
        while len(hull) > 1 and _turn(rows[hull[-2]], rows[hull[-1]], row) <= 0:
            hull.pop()
        hull.append(k)
    cells: list[Vertices] = [()] * len(rows)
    upper = (Fraction(1), Fraction(0))
    for a, b in pairwise(hull):
        along, down = rows[b][0] - rows[a][0], rows[a][1] - rows[b][1]
        normal = (down / (along + down), along / (along + down))
        cells[a] = (upper, normal)
        for k in range(a + 1, b):
            if _turn(rows[a], rows[k], rows[b]) == 0:
                cells[k] = (normal,)
        upper = normal
    cells[hull[-1]] = (upper, (Fraction(0), Fraction(1)))
    return cells


def _turn(a: Row, b: Row, c: Row) -> Fraction:
    """Return the signed area of the parallelogram of a, b, c: positive for a left turn."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _minus(a: Row, b: Row) -> Row:
    return tuple(x - y for x, y in zip(a, b, strict=True))


def _mask(indices: npt.NDArray[np.intp], length: int) -> npt.NDArray[np.bool_]:
    mask = np.zeros(length, dtype=np.bool_)
    mask[indices] = True
    return mask
