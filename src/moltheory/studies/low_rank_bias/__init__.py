"""Low-rank bias against neural collapse: networks that cost less, written down, and where training ends.

Further names are the workings of the study; they are loaded when first asked for and may change.
"""

from moltheory.studies._workings import lazy_names
from moltheory.studies.low_rank_bias._model import graph_network, triangle_network
from moltheory.studies.low_rank_bias._result import LowRankResult
from moltheory.studies.low_rank_bias._study import LowRankBias

__all__ = ["LowRankBias", "LowRankResult", "graph_network", "triangle_network"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "_closed_forms": "graph_shrinks incidence_nuclear_norm incidence_singular_values rho_graph rho_triangles "
        "triangle_gram_eigenvalues vertices_for",
        "_experiment": "Cell model_with train_cell trained_networks",
        "_general": "best_edges best_network edge_network joined_network plane_network reach_table rho_edges rho_plane",
        "_image_networks": "ImageCell certified_images image_networks train_images",
        "_model": "Construction collapsed_network edge_incidence signed_triangle_network triangle_incidence",
        "_search": "SearchCell search_cell search_table",
        "_trade_off": "cost_table dominates domination_table end_shares hypervolume_table layer_names layer_objectives "
        "layer_points optimum_table volume_below written_networks",
    },
)
