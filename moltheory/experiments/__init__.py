"""Experiments: empirical against true Pareto sets, by simulation and exactly.

All distances are in true risks: the empirical front decides which hypotheses are selected, the truth decides
how good they are.
"""

from moltheory.experiments.comparison import FrontComparison
from moltheory.experiments.exact import exact_errors
from moltheory.experiments.selection import selection_errors
from moltheory.experiments.simulation import asymmetry
from moltheory.experiments.weighted import WeightedFrontComparison

__all__ = ["FrontComparison", "WeightedFrontComparison", "asymmetry", "exact_errors", "selection_errors"]
