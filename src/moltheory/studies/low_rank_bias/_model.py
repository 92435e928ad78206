"""Networks written down: every layer is given, and its output is a multiple of the targets."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from moltheory._core._validation import FloatArray, as_readonly, check_count, check_real, real_array
from moltheory.errors import InvalidInputError
from moltheory.studies._deep_features import DeepFeatures, Layers
from moltheory.studies.low_rank_bias._closed_forms import vertices_for
from moltheory.studies.unconstrained_features._model import ReducedLoss

__all__ = [
    "Construction",
    "collapsed_network",
    "edge_incidence",
    "graph_network",
    "signed_triangle_network",
    "triangle_incidence",
    "triangle_network",
]

_EXACT = 1e-12


@dataclass(frozen=True)
class Construction:
    """A network of ReLU layers whose output is the identity, one example per class, up to the scale of each layer.

    `first` (p, K) is W_1 H_1, the output of the first layer before its ReLU; it costs the square of its nuclear norm,
    shared by H_1 and W_1. `later` holds W_2, ..., W_L. An output that is not the identity to 1e-12 is refused.
    """

    name: str
    first: FloatArray
    later: tuple[FloatArray, ...]

    def __post_init__(self) -> None:
        first = as_readonly(
            np.array(real_array("first", self.first, shape="(p, K)", min_ndim=2, max_ndim=2), dtype=float)
        )
        later = tuple(
            as_readonly(np.array(real_array("later", one, shape="(q, p)", min_ndim=2, max_ndim=2), dtype=float))
            for one in self.later
        )
        if not later:
            raise InvalidInputError("`later` must hold at least one layer, got none.")
        rows = first.shape[0]
        for one in later:
            if one.shape[1] != rows:
                raise InvalidInputError(
                    f"`later` must take the {rows} units of the layer before, got {one.shape[1]} columns."
                )
            rows = one.shape[0]
        object.__setattr__(self, "first", first)
        object.__setattr__(self, "later", later)
        out = self.preactivations[-1]
        k = first.shape[1]
        wrong = np.inf if out.shape != (k, k) else float(np.abs(out - np.eye(k)).max())
        if wrong > _EXACT:
            raise InvalidInputError(f"`later` must turn `first` into the identity, got one off by {wrong:.1g}.")

    @property
    def n_classes(self) -> int:
        """K."""
        return int(self.first.shape[1])

    @property
    def depth(self) -> int:
        """Layers L."""
        return 1 + len(self.later)

    @property
    def width(self) -> int:
        """The largest number of units that a hidden layer needs."""
        return max(int(one.shape[1]) for one in self.later)

    @cached_property
    def preactivations(self) -> tuple[FloatArray, ...]:
        """W_1 H_1, W_2 s(W_1 H_1), ..., each with one column per class."""
        found = [self.first]
        for one in self.later:
            found.append(one @ np.maximum(found[-1], 0.0))
        return tuple(found)

    @cached_property
    def squared_norms(self) -> FloatArray:
        """What H_1, W_1, ..., W_L cost: twice the nuclear norm of `first`, then squared norms, (L + 1,)."""
        nuclear = float(np.linalg.svd(self.first, compute_uv=False).sum())
        return np.array([nuclear, nuclear, *(float(np.square(one).sum()) for one in self.later)])

    @property
    def ratio(self) -> float:
        """The product of all squared norms as a share of that of collapse, K^{L+1}."""
        return math.exp(float(np.log(self.squared_norms).sum()) - (self.depth + 1) * math.log(self.n_classes))

    @property
    def rho(self) -> float:
        """The factor of the regularizer in the reduced loss, `ratio` to the power 1/(L+1); collapse has 1."""
        return float(self.ratio ** (1.0 / (self.depth + 1)))

    def reduced(self, collapsed: ReducedLoss, /) -> ReducedLoss:
        """Return the reduced loss of networks of this shape, given that of collapsed ones of as many classes and layers."""
        if (collapsed.n_classes, collapsed.depth) != (self.n_classes, self.depth):
            raise InvalidInputError(
                f"`collapsed` must have {self.n_classes} classes and {self.depth} layers, got {collapsed.n_classes} "
                f"and {collapsed.depth}."
            )
        return ReducedLoss(self.n_classes, self.depth, collapsed.product * self.ratio)

    def layers(self, model: DeepFeatures, scale: float, /) -> Layers:
        """Return the cheapest layers of this shape whose output is `scale` >= 0 times the targets.

        Each of H_1, W_1, ..., W_L adds as much to the regularization as any other, and the loss is
        ``reduced(ReducedLoss.of_model(model)).loss(scale)``. The model must have as many classes and layers and be
        wide enough.
        """
        if (model.n_classes, model.depth) != (self.n_classes, self.depth) or model.width < self.width:
            raise InvalidInputError(
                f"`model` must have {self.n_classes} classes, {self.depth} layers and a width of at least {self.width}, "
                f"got {model.n_classes}, {model.depth} and {model.width}."
            )
        a = check_real("scale", scale, low=0.0)
        # Shares s of all layers are equal where s^(L+1) is the product of factors and squared norms times a^2.
        costs = self.squared_norms * model.factors
        costs[0] *= model.per_class
        share = math.exp(float(np.log(costs).mean())) * a ** (2.0 / (self.depth + 1))
        sizes = np.sqrt(share / costs)
        left, values, right = np.linalg.svd(self.first, full_matrices=False)
        root = np.sqrt(values)
        features = np.repeat(root[:, None] * right, model.per_class, axis=1)
        parts = (features, left * root, *self.later)
        return tuple(_padded(size * one, shape) for size, one, shape in zip(sizes, parts, model.shapes, strict=True))


def edge_incidence(vertices: int) -> FloatArray:
    """Return the vertex-edge incidence matrix B, (r, K), of the complete graph on r >= 3 vertices, edges sorted."""
    return _members(check_count("vertices", vertices, low=3), 2)


def triangle_incidence(vertices: int) -> FloatArray:
    """Return T, (r(r-1)(r-2)/6, K), whether a triangle of the complete graph holds an edge, in lexicographic order."""
    return np.maximum(_shared(check_count("vertices", vertices, low=3)) - 1.0, 0.0)


def collapsed_network(n_classes: int, depth: int) -> Construction:
    """Return the network of collapse: one unit per class in every layer."""
    unit = np.eye(check_count("n_classes", n_classes, low=2))
    return Construction("collapse", unit, (unit,) * (check_count("depth", depth, low=2) - 1))


def graph_network(n_classes: int, depth: int) -> Construction:
    r"""Return the strongly-regular-graph network: class means are the edges of a complete graph, of rank r.

    W_1 H_1 = B, W_2 to W_{L-2} are identities, W_{L-1} has 1/2 on the endpoints of an edge and -1/2 elsewhere, so
    that its ReLU tells the edges apart, and W_L is the identity.

    Parameters
    ----------
    n_classes : int
        K = r(r-1)/2.
    depth : int
        Layers L >= 3.

    Returns
    -------
    Construction

    Raises
    ------
    InvalidInputError
        If K is not of this form or L is below 3.

    References
    ----------
    P. Súkeník, M. Mondelli, C. H. Lampert (2024), arXiv 2405.14468.

    Examples
    --------
    >>> [round(graph_network(6, depth).rho, 4) for depth in (3, 4)]
    [1.0561, 0.9633]
    """
    r = vertices_for(n_classes)
    edges = edge_incidence(r)
    same = (np.eye(r),) * (check_count("depth", depth, low=3) - 3)
    return Construction("graph", edges, (*same, edges.T - 0.5, np.eye(n_classes)))


def triangle_network(n_classes: int, depth: int) -> Construction:
    """Return a cheaper network of rank r: the last hidden layer detects triangles, the last layer edges from these.

    As `graph_network`, but W_{L-1} has one row per triangle, 1/2 on its vertices and -1/2 elsewhere, so that its ReLU
    gives T; W_L is the pseudoinverse of T.

    Derived (proof: study-cheaper-networks). It needs K = r(r-1)/2 classes with r >= 5, and L >= 3 layers.

    Examples
    --------
    >>> [round(triangle_network(10, depth).rho, 4) for depth in (3, 4)]
    [0.9234, 0.8168]
    """
    r = vertices_for(n_classes)
    if r < 5:
        raise InvalidInputError(
            f"`n_classes` must be at least 10, with fewer triangles than edges below, got {n_classes}."
        )
    same = (np.eye(r),) * (check_count("depth", depth, low=3) - 3)
    signs = _members(r, 3).T - 0.5
    last = np.asarray(np.linalg.pinv(triangle_incidence(r)), dtype=np.float64)
    return Construction("triangles", edge_incidence(r), (*same, signs, last))


def signed_triangle_network() -> Construction:
    """Return another network for ten classes and three layers, whose first layer detects triangles already.

    W_1 H_1 is the number of vertices that a triangle and an edge share, less 1; W_2 has 1/3 on the triangles that hold
    an edge and -1/6 on those that meet it in one vertex; W_3 is the identity. Derived
    (proof: study-cheaper-networks).
    """
    shared = _shared(5)
    weights = np.select([shared.T == 2, shared.T == 1], [1.0 / 3.0, -1.0 / 6.0], 0.0)
    # The ReLU before W_3 removes what edges without a common vertex leave.
    return Construction("signed triangles", shared - 1.0, (weights, np.eye(10)))


def _members(vertices: int, size: int) -> FloatArray:
    """Whether a vertex is in a set of `size` vertices, (r, number of sets)."""
    sets = list(combinations(range(vertices), size))
    found = np.zeros((vertices, len(sets)))
    for column, one in enumerate(sets):
        found[list(one), column] = 1.0
    return found


def _shared(vertices: int) -> FloatArray:
    """Number of vertices that a triangle and an edge share."""
    return _members(vertices, 3).T @ _members(vertices, 2)


def _padded(matrix: FloatArray, shape: tuple[int, int]) -> FloatArray:
    found = np.zeros(shape)
    found[: matrix.shape[0], : matrix.shape[1]] = matrix
    return found
