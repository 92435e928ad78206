"""Low-rank bias against neural collapse: networks that cost less, written down, and where training ends."""

from moltheory.studies.low_rank_bias._closed_forms import (
    graph_shrinks,
    incidence_nuclear_norm,
    incidence_singular_values,
    rho_graph,
    rho_triangles,
    triangle_gram_eigenvalues,
    vertices_for,
)
from moltheory.studies.low_rank_bias._comparison import (
    cost_table,
    end_shares,
    hypervolume_table,
    optimum_table,
    written_networks,
)
from moltheory.studies.low_rank_bias._constructions import (
    Construction,
    collapsed_network,
    edge_incidence,
    graph_network,
    signed_triangle_network,
    triangle_incidence,
    triangle_network,
)
from moltheory.studies.low_rank_bias._study import LowRankBias, LowRankResult
from moltheory.studies.low_rank_bias._trade_off import (
    dominates,
    domination_table,
    layer_names,
    layer_objectives,
    layer_points,
    volume_below,
)
from moltheory.studies.low_rank_bias._training import Cell, model_with, train_cell, trained_networks

__all__ = [
    "Cell",
    "Construction",
    "LowRankBias",
    "LowRankResult",
    "collapsed_network",
    "cost_table",
    "dominates",
    "domination_table",
    "edge_incidence",
    "end_shares",
    "graph_network",
    "graph_shrinks",
    "hypervolume_table",
    "incidence_nuclear_norm",
    "incidence_singular_values",
    "layer_names",
    "layer_objectives",
    "layer_points",
    "model_with",
    "optimum_table",
    "rho_graph",
    "rho_triangles",
    "signed_triangle_network",
    "train_cell",
    "trained_networks",
    "triangle_gram_eigenvalues",
    "triangle_incidence",
    "triangle_network",
    "vertices_for",
    "volume_below",
    "written_networks",
]
