"""Experiments: empirical against true Pareto sets, by simulation and exactly.

All distances are in true risks: the empirical front decides which hypotheses are selected, the truth decides
how good they are.
"""

from moltheory._core._listing import public_names
from moltheory.experiments._asymmetry import asymmetry
from moltheory.experiments._exact import exact_errors
from moltheory.experiments._excess_risks import excess
from moltheory.experiments._flatness import flat_directions
from moltheory.experiments._front_comparison import FrontComparison
from moltheory.experiments._on_demand import on_demand_sampling
from moltheory.experiments._realized_converse import check_converse
from moltheory.experiments._scalarized_selection import selection_errors
from moltheory.experiments._semi_supervised import semi_supervised
from moltheory.experiments._three_way import three_way_trade_off
from moltheory.experiments._two_stage import two_stage
from moltheory.experiments._weighted_fronts import WeightedFrontComparison

__all__ = [
    "FrontComparison",
    "WeightedFrontComparison",
    "asymmetry",
    "check_converse",
    "exact_errors",
    "excess",
    "flat_directions",
    "on_demand_sampling",
    "selection_errors",
    "semi_supervised",
    "three_way_trade_off",
    "two_stage",
]

__dir__ = public_names(__name__)
