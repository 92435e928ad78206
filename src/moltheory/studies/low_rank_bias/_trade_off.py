"""Networks written down and trained, in the fit and the norm of every layer: costs, and which dominates which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count, real_array
from moltheory.bounds import binomial_interval
from moltheory.errors import InvalidInputError
from moltheory.objectives import FiniteObjectives
from moltheory.pareto import nondominated
from moltheory.runs import RandomSource, as_seed_sequence, block_stream
from moltheory.scalarization import Chebyshev, WeightedSum
from moltheory.solvers import solve_front
from moltheory.studies._collapse import numerical_rank
from moltheory.studies._deep_features import DeepFeatures
from moltheory.studies.low_rank_bias._closed_forms import graph_shrinks, rho_graph, rho_triangles
from moltheory.studies.low_rank_bias._experiment import (
    DEPTH,
    FACTOR,
    N_CLASSES,
    PER_CLASS,
    RANK_TOLERANCE,
    WIDTH,
    model_with,
)
from moltheory.studies.low_rank_bias._model import Construction, collapsed_network, graph_network, triangle_network
from moltheory.studies.unconstrained_features._model import ReducedLoss
from moltheory.studies.unconstrained_features._trade_off import volume_below

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "cost_table",
    "dominates",
    "domination_table",
    "end_shares",
    "hypervolume_table",
    "layer_names",
    "layer_objectives",
    "layer_points",
    "main_networks",
    "optimum_table",
    "written_networks",
]


def written_networks() -> tuple[Construction, ...]:
    """Return collapse, the graph network and the triangle network of the experiment, from most to least expensive."""
    return tuple(make(N_CLASSES, DEPTH) for make in (collapsed_network, graph_network, triangle_network))


def layer_names(depth: int) -> tuple[str, ...]:
    """Return the names of the L + 2 objectives: fit, H_1, W_1, ..., W_L."""
    return ("fit", "H_1", *(f"W_{layer}" for layer in range(1, check_count("depth", depth) + 1)))


def layer_points(model: DeepFeatures, network: Construction, scales: npt.ArrayLike, /) -> FloatArray:
    """Return fit and squared norms (k, L + 2) of the cheapest networks of one shape in closed form, scales in [0, 1].

    Networks of two shapes with the same scale have the same bits in their fit.
    """
    a = real_array("scales", scales, shape="(k,)", min_ndim=1, max_ndim=1)
    reduced = network.reduced(ReducedLoss.of_model(model))
    return np.column_stack([reduced.fit(a), reduced.layer_share(a)[:, None] / model.factors])


def layer_objectives(
    model: DeepFeatures, networks: Sequence[Construction], scales: npt.ArrayLike, /
) -> FiniteObjectives:
    """Return networks of several shapes, one after the other, and k scales as a finite class with L + 2 objectives."""
    if not networks:
        raise InvalidInputError("`networks` must hold at least one network, got none.")
    points = np.concatenate([layer_points(model, one, scales) for one in networks])
    names = layer_names(model.depth)
    return FiniteObjectives(points, names=names, data_dependent=[False] * len(names))


def dominates(points: npt.ArrayLike, others: npt.ArrayLike, /) -> npt.NDArray[np.bool_]:
    """Return whether each point dominates the other of the same row: nowhere worse, somewhere better."""
    pairs = np.stack(np.broadcast_arrays(np.asarray(points), np.asarray(others)), axis=-2)
    return np.asarray(~nondominated(pairs)[..., 1])


def cost_table(vertices: tuple[int, ...], depths: tuple[int, ...], /) -> pd.DataFrame:
    """Compare the costs of networks written down, in closed form and from their tensors, for each r >= 3 and L >= 3.

    Columns ``vertices``, ``n_classes``, ``depth``, ``graph`` and ``triangles`` (rho; NaN where there is none),
    ``graph_shrinks`` (decided in integers) and ``error``, the largest difference to rho computed from the tensors.
    """
    import pandas as pd

    rows = []
    for r in vertices:
        k = r * (r - 1) // 2
        for depth in depths:
            graph, triangles = rho_graph(r, depth), rho_triangles(r, depth) if r >= 5 else np.nan
            error = abs(graph_network(k, depth).rho - graph)
            if r >= 5:
                error = max(error, abs(triangle_network(k, depth).rho - triangles))
            rows.append(
                {
                    "vertices": r,
                    "n_classes": k,
                    "depth": depth,
                    "graph": graph,
                    "triangles": triangles,
                    "graph_shrinks": graph_shrinks(r, depth),
                    "error": error,
                }
            )
    return pd.DataFrame(rows)


def optimum_table(factor: float = FACTOR, per_class: int = PER_CLASS) -> pd.DataFrame:
    """Return the best collapsed, graph and triangle networks of the experiment, one row each.

    Columns ``network``, ``rho``, ``scale``, ``fit``, ``norms`` (sum of squared norms), ``ranks`` (sum over H_1 and the
    activations), ``rank`` of H_1, ``loss`` in closed form, ``error`` of the loss of the explicit tensors, ``square_0``...
    """
    import pandas as pd

    model = model_with(factor, per_class=per_class)
    collapsed = ReducedLoss.of_model(model)
    rows = []
    for network in written_networks():
        reduced = network.reduced(collapsed)
        layers = network.layers(model, reduced.scale)
        point = layer_points(model, network, [reduced.scale])[0]
        ranks = [int(numerical_rank(one, tolerance=RANK_TOLERANCE)) for one in model.activations(layers)]
        rows.append(
            {
                "network": network.name,
                "rho": network.rho,
                "scale": reduced.scale,
                "fit": point[0],
                "norms": point[1:].sum(),
                "rank": ranks[0],
                "ranks": sum(ranks),
                "loss": reduced.minimum,
                "error": abs(float(model.loss(layers)) - reduced.minimum),
                **{f"square_{k}": square for k, square in enumerate(point[1:])},
            }
        )
    return pd.DataFrame(rows)


def domination_table(
    model: DeepFeatures, networks: Sequence[Construction], /, *, scales: npt.ArrayLike, weights: int, rng: RandomSource
) -> pd.DataFrame:
    """Compare networks written down, from the most to the least expensive, in all L + 2 objectives: one row per shape.

    Scales (k,) are in (0, 1], since zero networks of all shapes are one; `weights` is the number of random weight
    vectors for weighted sums, and as many for Chebyshev scalarizations. Columns ``network``, ``rho``, ``points``,
    ``dominated_by_next`` (points dominated by the next shape at the same fit), ``nondominated`` (among all),
    ``weighted_sum`` and ``chebyshev`` (scalarizations whose minimiser is of this shape).
    """
    import pandas as pd

    check_count("weights", weights)
    a = real_array("scales", scales, shape="(k,)", min_ndim=1, max_ndim=1)
    if not (a > 0).all():
        raise InvalidInputError(f"`scales` must be > 0, got {a.min():g}.")
    objectives = layer_objectives(model, networks, a)
    points = objectives.risks()
    shapes = points.reshape(len(networks), len(a), -1)
    best = nondominated(points).reshape(len(networks), len(a))
    stream = block_stream(as_seed_sequence(rng), "low-rank bias weights", model.depth)
    # Per unit of each objective's largest value, so that weights of all directions are drawn.
    drawn = stream.dirichlet(np.ones(points.shape[1]), size=weights) / points.max(axis=0)
    counts = {
        name: np.bincount(solve_front(objectives, scalarizations=family).solutions // len(a), minlength=len(networks))
        for name, family in (
            ("weighted_sum", [WeightedSum(w) for w in drawn]),
            ("chebyshev", [Chebyshev(w) for w in drawn]),
        )
    }
    rows = []
    for k, network in enumerate(networks):
        last = k + 1 == len(networks)
        rows.append(
            {
                "network": network.name,
                "rho": network.rho,
                "points": len(a),
                "dominated_by_next": 0 if last else int(dominates(shapes[k + 1], shapes[k]).sum()),
                "nondominated": int(best[k].sum()),
                **{name: int(count[k]) for name, count in counts.items()},
            }
        )
    return pd.DataFrame(rows)


def main_networks(networks: pd.DataFrame, /) -> pd.DataFrame:
    """Return the networks of the main experiment: random starts, its factor, width and examples, both methods."""
    chosen = networks["method"].isin(["gradient descent", "L-BFGS"]) & (networks["per_class"] == PER_CLASS)
    return networks[chosen & (networks["factor"] == FACTOR) & (networks["width"] == WIDTH)]


def end_shares(networks: pd.DataFrame, /, *, delta: float = 0.05) -> pd.DataFrame:
    """Count where gradient descent ends, by width: ``collapsed``, ``below`` and ``other``.

    ``share`` is that of collapsed networks, ``low`` and ``high`` its Clopper-Pearson interval with failure probability
    `delta`.
    """
    import pandas as pd

    rows = []
    descended = networks[(networks["method"] == "gradient descent") & (networks["per_class"] == PER_CLASS)]
    for width, part in descended.groupby("width"):
        counts = {end: int((part["end"] == end).sum()) for end in ("collapsed", "below", "other")}
        interval = binomial_interval(counts["collapsed"], len(part), delta=delta)
        rows.append(
            {
                "width": width,
                "networks": len(part),
                **counts,
                "share": counts["collapsed"] / len(part),
                "low": float(interval.lower),
                "high": float(interval.upper),
            }
        )
    return pd.DataFrame(rows)


def hypervolume_table(optima: pd.DataFrame, networks: pd.DataFrame, /) -> pd.DataFrame:
    """Compare collapse, the networks written down and the trained ones of the main experiment in fit, norm and ranks.

    One row per group: ``points``, ``nondominated`` (among all groups), ``volume`` of the group, ``volume_so_far`` of
    it and all above; in the fit and all L + 1 squared norms, how many dominate the best collapsed network,
    ``dominate_collapse``, and the collapsed network of their own fit, ``dominate_equal_fit``. The reference point is a
    fit of 1/2, the norms of a collapsed network with perfect fit, and one more than full rank everywhere.
    """
    import pandas as pd

    names = ["fit", "norms", "ranks"]
    layers = ["fit", *(f"square_{k}" for k in range(DEPTH + 1))]
    groups = [(row["network"], optima.loc[[index]]) for index, row in optima.iterrows()]
    groups += [(f"trained by {method}", part) for method, part in networks.groupby("method", sort=False)]
    whole = layer_points(model_with(), collapsed_network(N_CLASSES, DEPTH), [1.0])[0, 1:].sum()
    reference = np.array([0.5, float(whole), float(N_CLASSES * DEPTH + 1)])
    points: list[FloatArray] = [part[names].to_numpy(dtype=np.float64) for _, part in groups]
    best = np.split(nondominated(np.concatenate(points)), np.cumsum([len(one) for one in points])[:-1])
    collapse = optima.loc[optima["network"] == "collapse", layers].to_numpy(dtype=np.float64)
    rows = [
        {
            "group": name,
            "points": len(part),
            "nondominated": int(best[k].sum()),
            "volume": volume_below(points[k], reference),
            "volume_so_far": volume_below(np.concatenate(points[: k + 1]), reference),
            "dominate_collapse": int(dominates(part[layers].to_numpy(dtype=np.float64), collapse).sum()),
            "dominate_equal_fit": _dominating_at_equal_fit(part[layers].to_numpy(dtype=np.float64)),
        }
        for k, (name, part) in enumerate(groups)
    ]
    return pd.DataFrame(rows)


def _dominating_at_equal_fit(points: FloatArray) -> int:
    """How many points, fit and squared norms, dominate the collapsed network that has their fit."""
    scales = np.maximum(1.0 - np.sqrt(2.0 * points[:, 0]), 0.0)
    collapsed = layer_points(model_with(), collapsed_network(N_CLASSES, DEPTH), scales)
    # Equal in the fit to the bit; one part in 10^12 keeps a collapsed network from dominating itself by rounding.
    collapsed[:, 0], collapsed[:, 1:] = points[:, 0], (1.0 - 1e-12) * collapsed[:, 1:]
    return int(dominates(points, collapsed).sum())
