"""Problems: hypotheses, objectives and a population whose true risks are known.

Every problem has ``true`` objectives, gives empirical ones by ``sample(n)``, and knows its true Pareto front.
"""

from moltheory.problems.base import FiniteProblem, Problem
from moltheory.problems.datasets import from_dataset
from moltheory.problems.decoys import ExchangeableDecoys, NearTie, exchangeable_decoys, near_tie, near_tie_limit
from moltheory.problems.gaussian_designs import GaussianDesigns
from moltheory.problems.gaussian_mixtures import GaussianMixture, robust_classifiers
from moltheory.problems.group_losses import LogisticGroups
from moltheory.problems.grouped_data import logistic_groups
from moltheory.problems.l1_path import L1Path, least_squares_in_l1_balls, rows_of_moments
from moltheory.problems.least_squares import MultiTaskLeastSquares
from moltheory.problems.linear_population import LinearPopulation
from moltheory.problems.mixture_classifiers import (
    GaussianMixtureClassifiers,
    linear_classifier_grid,
    linear_classifier_objectives,
)
from moltheory.problems.population import FinitePopulation
from moltheory.problems.predictions import from_predictions
from moltheory.problems.sparse_regression import FittedSupports, SparseRegression
from moltheory.problems.sparse_tasks import sparse_multi_task
from moltheory.problems.tables import from_table
from moltheory.problems.world import FiniteWorld
from moltheory.problems.worlds import mirrored_decoys, reference_world, small_world, tilted_line, two_coins

__all__ = [
    "ExchangeableDecoys",
    "FinitePopulation",
    "FiniteProblem",
    "FiniteWorld",
    "FittedSupports",
    "GaussianDesigns",
    "GaussianMixture",
    "GaussianMixtureClassifiers",
    "L1Path",
    "LinearPopulation",
    "LogisticGroups",
    "MultiTaskLeastSquares",
    "NearTie",
    "Problem",
    "SparseRegression",
    "exchangeable_decoys",
    "from_dataset",
    "from_predictions",
    "from_table",
    "least_squares_in_l1_balls",
    "linear_classifier_grid",
    "linear_classifier_objectives",
    "logistic_groups",
    "mirrored_decoys",
    "near_tie",
    "near_tie_limit",
    "reference_world",
    "robust_classifiers",
    "rows_of_moments",
    "small_world",
    "sparse_multi_task",
    "tilted_line",
    "two_coins",
]
