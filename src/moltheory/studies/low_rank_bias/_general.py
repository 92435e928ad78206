r"""Networks of lower rank than collapse for any number of classes, and where they are cheaper.

Three building blocks besides the complete graphs of `_model`: graphs with some edges left out, three classes in a plane,
and direct sums. All derived (proof: study-cheaper-networks); the paper's construction is the complete graph.

A direct sum of networks of the same depth, with :math:`K_j` classes and costs :math:`\rho_j` as shares of collapse,
costs :math:`\sum_j K_j \rho_j / \sum_j K_j`: with the layers of each part rescaled so that all cost the same, the squared
norms of layer l add up to :math:`\sum_j (\prod_l c_{jl})^{1/(L+1)}`, and Hölder's inequality says that no rescaling does
better. So a class that is added to a cheaper network, collapsed and alone, leaves it cheaper.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count
from moltheory.errors import InvalidInputError
from moltheory.studies.low_rank_bias._closed_forms import rho_triangles, vertices_for
from moltheory.studies.low_rank_bias._model import Construction, triangle_network

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "best_edges",
    "best_network",
    "edge_network",
    "joined_network",
    "plane_network",
    "reach_table",
    "rho_edges",
    "rho_plane",
]

Edges = tuple[tuple[int, int], ...]

# Above it, there are too many graphs to try them all.
_MOST_CLASSES = 15
# A cost below 1 by more than this is lower: far above rounding, far below every gap found.
_LOWER = 1e-9


def edge_network(edges: Sequence[tuple[int, int]], depth: int) -> Construction:
    """Return the network whose classes are the edges of any graph, as `graph_network` for the complete one.

    W_2 to W_{L-2} and the rows of W_{L-1} are projected on the span of the class means: cheaper where that has a lower
    dimension than there are vertices (a graph with a bipartite component). Derived (proof: study-cheaper-networks).

    Parameters
    ----------
    edges : sequence of pairs
        Two different vertices each, integers >= 0; no edge twice.
    depth : int
        Layers L >= 3.
    """
    return _of_incidence(_incidence(edges), check_count("depth", depth, low=3))


def rho_edges(edges: Sequence[tuple[int, int]], depth: int) -> float:
    r"""Return the cost of `edge_network` as a share of collapse.

    .. math:: \rho^{L+1} = \|B\|_*^2\, q^{L-3}\, \|(B' - \tfrac12) P\|^2 / K^L

    with the incidence matrix B of rank q and the projection P on the span of its columns. For a connected graph on r
    vertices that is not bipartite it is that of `rho_graph`.
    """
    check_count("depth", depth, low=3)
    return float(_rho_edges(_incidence(edges)[None], depth)[0])


@functools.lru_cache(maxsize=256)
def best_edges(n_classes: int, depth: int) -> Edges:
    """Return the cheapest graph with K edges, 4 <= K <= 15, on as few vertices as there can be; the first one of several."""
    k = _few_classes(n_classes, low=4)
    r = next(r for r in range(4, 8) if math.comb(r, 2) >= k)
    pairs = list(combinations(range(r), 2))
    chosen = np.array(list(combinations(range(len(pairs)), k)))
    whole = np.zeros((r, len(pairs)))
    for column, pair in enumerate(pairs):
        whole[list(pair), column] = 1.0
    matrices = np.moveaxis(whole[:, chosen], 0, 1)
    # Equal costs must not be told apart by rounding.
    costs = np.round(_rho_edges(matrices, check_count("depth", depth, low=3)), 10)
    return tuple(pairs[column] for column in chosen[int(np.argmin(costs))])


def plane_network(depth: int) -> Construction:
    r"""Return a network for three classes whose class means lie in a plane: rank 2 where collapse has 3.

    The class means are (1, 0), (c, c) and (0, 1) with :math:`c^2 = 3/4`; the last hidden layer tells the outer two
    apart and adds up both coordinates. Derived (proof: study-cheaper-networks); below collapse for L >= 4, see
    `rho_plane`.
    """
    check_count("depth", depth, low=3)
    c, s = math.sqrt(0.75), math.sqrt(0.5)
    first = np.array([[1.0, c, 0.0], [0.0, c, 1.0]])
    signs = np.array([[1.0, -1.0], [-1.0, 1.0], [s, s]])
    last = np.array([[1.0, 0.0, 0.0], [-0.5 / c, -0.5 / c, 0.5 / (c * s)], [0.0, 1.0, 0.0]])
    return Construction("plane", first, (*((np.eye(2),) * (depth - 3)), signs, last))


def rho_plane(depth: int) -> float:
    r"""Return the cost of `plane_network` as a share of collapse.

    .. math:: \rho^{L+1} = \frac{2^{L-3}}{3^{L+1}} \cdot \frac{50}3 \left(1 + \sqrt{5/2}\right)^2

    At L = 4 it is below 1 because :math:`\sqrt{10} < 379/100`; each further layer multiplies it by 2/3.
    """
    check_count("depth", depth, low=3)
    log = (depth - 3) * math.log(2) + math.log(50 / 3) + 2 * math.log(1 + math.sqrt(2.5))
    return math.exp(log / (depth + 1) - math.log(3))


def joined_network(parts: Sequence[Construction]) -> Construction:
    """Return the direct sum of networks of one depth, each for classes of its own, with the scales that cost least."""
    if not parts or len({one.depth for one in parts}) > 1:
        raise InvalidInputError("`parts` must be networks of one depth, at least one, got others.")
    if len(parts) == 1:
        return parts[0]
    layers: list[list[FloatArray]] = []
    for one in parts:
        costs = one.squared_norms
        share = math.exp(float(np.log(costs).mean()))
        # The first matrix is paid for twice, by its nuclear norm; the others once, by their squares.
        sizes = [share / costs[0], *np.sqrt(share / costs[2:])]
        layers.append([size * matrix for size, matrix in zip(sizes, (one.first, *one.later), strict=True)])
    first, *later = (_diagonal(matrices) for matrices in zip(*layers, strict=True))
    return Construction(" + ".join(one.name for one in parts), first, tuple(later))


@dataclass(frozen=True)
class _Block:
    """A network for some of the classes: "alone" (collapsed), "plane", "edges" (of a graph) or "triangles"."""

    kind: str
    size: int

    def rho(self, depth: int) -> float:
        """Cost as a share of collapse, in closed form."""
        if self.kind == "alone":
            return 1.0
        if self.kind == "plane":
            return rho_plane(depth)
        if self.kind == "triangles":
            return rho_triangles(vertices_for(self.size), depth)
        return rho_edges(best_edges(self.size, depth), depth)

    def network(self, depth: int) -> Construction:
        """The tensors."""
        if self.kind == "alone":
            unit = np.eye(self.size)
            return Construction("collapse", unit, (unit,) * (depth - 1))
        if self.kind == "plane":
            return plane_network(depth)
        if self.kind == "triangles":
            return triangle_network(self.size, depth)
        return edge_network(best_edges(self.size, depth), depth)


def _blocks(size: int) -> list[_Block]:
    """The networks for this many classes that are no sums of others."""
    if size <= 3:
        return [_Block("alone" if size == 1 else "plane", size)] if size != 2 else []
    return [_Block("edges", size)] + ([_Block("triangles", size)] if size in (10, 15) else [])


@functools.lru_cache(maxsize=256)
def _best_blocks(n_classes: int, depth: int) -> tuple[_Block, ...]:
    """The cheapest division of the classes: the lowest sum of K_j rho_j, for each number of classes in turn."""
    plans: list[tuple[float, tuple[_Block, ...]]] = [(0.0, ())]
    for total in range(1, n_classes + 1):
        found = [
            (plans[total - one.size][0] + one.size * one.rho(depth), (*plans[total - one.size][1], one))
            for size in range(1, total + 1)
            for one in _blocks(size)
        ]
        lowest = min(value for value, _ in found)
        # Equal costs must not be told apart by rounding: the smallest blocks, collapse above all, come first.
        plans.append(next(plan for plan in found if plan[0] <= lowest + 1e-10))
    several = sorted((one for one in plans[-1][1] if one.size > 1), key=lambda one: -one.size)
    alone = n_classes - sum(one.size for one in several)
    return (*several, *([_Block("alone", alone)] if alone else []))


def best_network(n_classes: int, depth: int) -> Construction:
    """Return the cheapest direct sum of the blocks known here, for 2 <= K <= 15 classes: collapse where none is cheaper."""
    k = _few_classes(n_classes, low=2)
    return joined_network([one.network(depth) for one in _best_blocks(k, check_count("depth", depth, low=3))])


def reach_table(classes: Sequence[int], depths: Sequence[int]) -> pd.DataFrame:
    """Return where a network of lower rank is cheaper than collapse, one row per number of classes and of layers.

    Columns ``n_classes``, ``depth``, ``rho`` and ``network`` of `best_network`, ``below`` (whether rho < 1), ``rank`` of
    its features, ``edges`` (rho of the cheapest graph with K edges by itself; NaN below four classes) and ``error``, the
    largest difference of both to the costs of the tensors.
    """
    import pandas as pd

    rows = []
    for k in classes:
        for depth in depths:
            network = best_network(k, depth)
            blocks = _best_blocks(k, depth)
            rho = sum(one.size * one.rho(depth) for one in blocks) / k
            edges = rho_edges(best_edges(k, depth), depth) if k >= 4 else np.nan
            error = abs(rho - network.rho)
            if k >= 4:
                error = max(error, abs(edge_network(best_edges(k, depth), depth).rho - edges))
            rows.append(
                {
                    "n_classes": k,
                    "depth": depth,
                    "rho": rho,
                    "below": rho < 1.0 - _LOWER,
                    "network": " + ".join(f"{one.kind} {one.size}" for one in blocks),
                    "rank": int(np.linalg.matrix_rank(network.first)),
                    "edges": edges,
                    "error": error,
                }
            )
    return pd.DataFrame(rows)


def _few_classes(n_classes: int, *, low: int) -> int:
    k = check_count("n_classes", n_classes, low=low)
    if k > _MOST_CLASSES:
        raise InvalidInputError(
            f"`n_classes` must be {_MOST_CLASSES} at most, got {k}: too many graphs to try them all."
        )
    return k


def _of_incidence(b: FloatArray, depth: int) -> Construction:
    onto = b @ np.linalg.pinv(b)
    return Construction(f"edges {b.shape[1]}", b, (*((onto,) * (depth - 3)), (b.T - 0.5) @ onto, np.eye(b.shape[1])))


def _rho_edges(matrices: FloatArray, depth: int) -> FloatArray:
    """Costs of incidence matrices (..., r, K)."""
    k = matrices.shape[-1]
    left, values, _ = np.linalg.svd(matrices, full_matrices=False)
    counted = values > 1e-9
    rows = np.square((np.swapaxes(matrices, -1, -2) - 0.5) @ (left * counted[..., None, :])).sum(axis=(-1, -2))
    log = 2 * np.log(values.sum(axis=-1)) + (depth - 3) * np.log(counted.sum(axis=-1)) + np.log(rows)
    return np.asarray(np.exp((log - depth * math.log(k)) / (depth + 1)), dtype=np.float64)


def _incidence(edges: Sequence[tuple[int, int]]) -> FloatArray:
    pairs: npt.NDArray[np.int64] = np.array([sorted(one) for one in edges])
    if pairs.ndim != 2 or pairs.shape[1:] != (2,) or pairs.dtype.kind not in "iu" or len(pairs) < 2 or pairs.min() < 0:
        raise InvalidInputError("`edges` must be at least two pairs of vertices, integers >= 0, got others.")
    if (pairs[:, 0] == pairs[:, 1]).any() or len(np.unique(pairs, axis=0)) < len(pairs):
        raise InvalidInputError("`edges` must join two different vertices, each pair once, got others.")
    codes = np.unique(pairs, return_inverse=True)[1].reshape(pairs.shape)
    found = np.zeros((codes.max() + 1, len(codes)))
    for column, pair in enumerate(codes):
        found[pair, column] = 1.0
    return found


def _diagonal(matrices: Sequence[FloatArray]) -> FloatArray:
    rows, columns = (sum(one.shape[axis] for one in matrices) for axis in (0, 1))
    found = np.zeros((rows, columns))
    row = column = 0
    for one in matrices:
        found[row : row + one.shape[0], column : column + one.shape[1]] = one
        row, column = row + one.shape[0], column + one.shape[1]
    return found
