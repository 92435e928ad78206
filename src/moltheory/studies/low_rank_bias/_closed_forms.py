r"""How much cheaper than collapse low-rank networks are, in closed form.

The classes are the K = r(r-1)/2 edges of the complete graph on r vertices, and the class means of every hidden layer
but the last are columns of its r x K vertex-edge incidence matrix B (entries 0 and 1, two ones per column). A network
that costs :math:`\rho` times what a collapsed one costs has the reduced loss of the latter with the coefficient of
the norms times :math:`\rho`.
"""

from __future__ import annotations

import math

import numpy as np

from moltheory._core._validation import FloatArray, check_count
from moltheory.errors import InvalidInputError

__all__ = [
    "graph_shrinks",
    "incidence_nuclear_norm",
    "incidence_singular_values",
    "rho_graph",
    "rho_triangles",
    "triangle_gram_eigenvalues",
    "vertices_for",
]


def vertices_for(n_classes: int) -> int:
    """Return the r >= 3 for which the complete graph on r vertices has K = r(r-1)/2 edges; other K are refused."""
    k = check_count("n_classes", n_classes)
    r = (1 + math.isqrt(1 + 8 * k)) // 2
    if r < 3 or r * (r - 1) // 2 != k:
        raise InvalidInputError(f"`n_classes` must be r(r-1)/2 for an integer r >= 3, got {k}.")
    return r


def incidence_singular_values(vertices: int) -> FloatArray:
    r"""Return the r singular values of B, :math:`\sqrt{2r-2}` once, then :math:`\sqrt{r-2}`: :math:`BB' = (r-2) I + 11'`."""
    r = check_count("vertices", vertices, low=3)
    return np.asarray(np.sqrt(np.array([2.0 * r - 2.0] + [r - 2.0] * (r - 1))), dtype=np.float64)


def incidence_nuclear_norm(vertices: int) -> float:
    r"""Return :math:`\|B\|_* = (r-1)\sqrt{r-2} + \sqrt{2r-2}`."""
    r = check_count("vertices", vertices, low=3)
    return (r - 1) * math.sqrt(r - 2) + math.sqrt(2 * r - 2)


def triangle_gram_eigenvalues(vertices: int) -> FloatArray:
    """Return the K eigenvalues of T'T, T the triangle-edge incidence matrix of the complete graph on r >= 3 vertices.

    They are 3(r-2) once, 2(r-3) r - 1 times and r - 4 r(r-3)/2 times. Derived (proof: study-cheaper-networks): T'T
    is r - 2 times the identity plus the adjacency matrix of the line graph, a strongly regular graph with eigenvalues
    2(r-2), r - 4 and -2.
    """
    r = check_count("vertices", vertices, low=3)
    parts = [3.0 * (r - 2)], [2.0 * (r - 3)] * (r - 1), [float(r - 4)] * (r * (r - 3) // 2)
    return np.array([value for part in parts for value in part])


def rho_graph(vertices: int, depth: int) -> float:
    r"""Return the cost of the strongly-regular-graph network as a share of collapse, for r >= 3 and L >= 3.

    .. math:: \rho = \left[\frac{r^{L-2} \|B\|_*^2}{4 K^{L-1}}\right]^{1/(L+1)}

    Construction by P. Súkeník, M. Mondelli, C. H. Lampert (2024), arXiv 2405.14468; the formula is
    derived (proof: study-cheaper-networks).
    """
    check_count("depth", depth, low=3)
    k = math.comb(check_count("vertices", vertices, low=3), 2)
    log = (depth - 2) * math.log(vertices) + 2 * math.log(incidence_nuclear_norm(vertices)) - math.log(4)
    return math.exp((log - (depth - 1) * math.log(k)) / (depth + 1))


def graph_shrinks(vertices: int, depth: int) -> bool:
    r"""Return whether `rho_graph` is below 1, decided in integers.

    :math:`\|B\|_*^2 = (r-1)^2(r-2) + 2(r-1) + 2(r-1)\sqrt{2(r-1)(r-2)}`: with the root alone on one side, square.
    """
    r = check_count("vertices", vertices, low=3)
    scale = int(r ** (check_count("depth", depth, low=3) - 2))
    rest = 4 * math.comb(r, 2) ** (depth - 1) - scale * ((r - 1) ** 2 * (r - 2) + 2 * (r - 1))
    return bool(rest > 0 and (scale * 2 * (r - 1)) ** 2 * 2 * (r - 1) * (r - 2) < rest**2)


def rho_triangles(vertices: int, depth: int) -> float:
    r"""Return the cost of a network with one last hidden unit per triangle as a share of collapse, for r >= 5 and L >= 3.

    .. math:: \rho^{L+1} = \frac{\|B\|_*^2\, r^{L-3}}{K^{L+1}} \cdot \frac r4 \binom r3 \cdot
              \left[\frac1{3(r-2)} + \frac{r-1}{2(r-3)} + \frac{r(r-3)}{2(r-4)}\right]

    Derived (proof: study-cheaper-networks). With fewer than five vertices there are fewer triangles than edges.
    """
    check_count("depth", depth, low=3)
    r = check_count("vertices", vertices, low=5)
    inverse = float((1.0 / triangle_gram_eigenvalues(r)).sum())
    log = 2 * math.log(incidence_nuclear_norm(r)) + (depth - 3) * math.log(r)
    log += math.log(r * math.comb(r, 3) / 4) + math.log(inverse)
    return math.exp(log / (depth + 1) - math.log(math.comb(r, 2)))
