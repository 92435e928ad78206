"""Convex regions of weights cut from the simplex by halfspaces through the origin, in exact arithmetic.

A region of two objectives is a segment of the simplex, one of three a polygon in it. Vertices are fractions, so that
ties, touching halfspaces and regions without an interior come out as what they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np

from moltheory._core._rational import read_rational
from moltheory._core._validation import FloatArray

__all__ = ["Row", "Vertices", "cut_simplex", "exact_rows", "share_of"]

Row = tuple[Fraction, ...]
Vertices = tuple[Row, ...]
# A vertex in the making: integers without a common factor, to be divided by their sum. Equal vertices are equal rays.
_Ray = tuple[int, ...]

# Far above the rounding of a sum of N products, far below a gap that matters: only rows this close are exact work.
_DOUBT = 1e-12


def exact_rows(points: FloatArray) -> list[Row]:
    """Read points as fractions.

    Different floats give different fractions in the same order, as each fraction rounds to its float: no comparison
    of single coordinates changes.
    """
    read = {value: read_rational(value) for value in np.unique(points).tolist()}
    return [tuple(read[value] for value in row) for row in points.tolist()]


def cut_simplex(normals: FloatArray, exact: Callable[[int], Row], *, scale: float) -> Vertices:
    """Return the vertices, in cyclic order, of ``{w on the simplex: a_k w >= 0 for all k}`` for N <= 3.

    The rows a_k of `normals` (m, N) are rounded, `exact` returns row k without rounding, and `scale` is the largest
    number from which a row was subtracted: rounding is of its order. Rows that are surely satisfied at every vertex are
    never looked at exactly: O(m) floats and, typically, some ten exact cuts. No vertex is returned where no weights are
    left.
    """
    n = normals.shape[1]
    rays: list[_Ray] = [tuple(int(i == j) for j in range(n)) for i in range(n)]
    open_rows = np.arange(normals.shape[0])
    corners = np.eye(n)
    while open_rows.size and rays:
        lowest = (normals[open_rows] @ corners.T).min(axis=1)
        worst = int(np.argmin(lowest))
        if lowest[worst] > _DOUBT * scale:
            break
        row = exact(int(open_rows[worst]))
        common = math.lcm(*(entry.denominator for entry in row))
        kept = _cut(rays, tuple(entry.numerator * (common // entry.denominator) for entry in row))
        if kept is not rays:
            rays = kept
            corners = np.array([[x / sum(ray) for x in ray] for ray in rays]).reshape(-1, n)
        # A row satisfied by a region is satisfied by all parts of it.
        near = lowest <= _DOUBT * scale
        near[worst] = False
        open_rows = open_rows[near]
    return tuple(tuple(Fraction(x, sum(ray)) for x in ray) for ray in rays)


def _cut(rays: list[_Ray], normal: _Ray) -> list[_Ray]:
    """Cut a polygon, segment or point by one halfspace (Sutherland and Hodgman 1974, doi 10.1145/360767.360802)."""
    heights = [sum(a * x for a, x in zip(normal, ray, strict=True)) for ray in rays]
    if min(heights) >= 0:
        return rays
    kept: list[_Ray] = []
    for i, (ray, height) in enumerate(zip(rays, heights, strict=True)):
        following, next_height = rays[(i + 1) % len(rays)], heights[(i + 1) % len(rays)]
        if height >= 0:
            kept.append(ray)
        if height * next_height < 0:
            up, down = abs(next_height), abs(height)
            between = [up * x + down * y for x, y in zip(ray, following, strict=True)]
            divisor = math.gcd(*between)
            kept.append(tuple(x // divisor for x in between))
    return list(dict.fromkeys(kept))


def share_of(vertices: Sequence[Row]) -> Fraction:
    """Return the share of the simplex that a region takes, N <= 3."""
    if not vertices:
        return Fraction(0)
    if len(vertices[0]) == 1:
        return Fraction(1)
    if len(vertices[0]) == 2:
        first = [row[0] for row in vertices]
        return max(first) - min(first)
    turned = zip(vertices, [*vertices[1:], vertices[0]], strict=True)
    # Twice the area in the first two coordinates, in which the simplex has area 1/2.
    return abs(sum((a[0] * b[1] - a[1] * b[0] for a, b in turned), Fraction(0)))
