"""Experiments: empirical against true Pareto sets, by simulation and exactly.

All distances are in true risks: the empirical front decides which hypotheses are selected, the truth decides
how good they are.
"""

from moltheory.experiments.comparison import FrontComparison
from moltheory.experiments.exact import exact_errors
from moltheory.experiments.excess_risks import excess
from moltheory.experiments.flatness import flat_directions
from moltheory.experiments.realized_converse import check_converse
from moltheory.experiments.selection import selection_errors
from moltheory.experiments.simulation import asymmetry
from moltheory.experiments.stages import two_stage
from moltheory.experiments.weighted import WeightedFrontComparison

__all__ = [
    "FrontComparison",
    "WeightedFrontComparison",
    "asymmetry",
    "check_converse",
    "exact_errors",
    "excess",
    "flat_directions",
    "selection_errors",
    "two_stage",
]
