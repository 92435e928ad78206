"""Problems: hypotheses, objectives and a population whose true risks are known.

Every problem has ``true`` objectives, gives empirical ones by ``sample(n)``, and knows its true Pareto front.
"""

from moltheory._core._listing import public_names
from moltheory.problems._base import FiniteProblem, Problem
from moltheory.problems._bernoulli import bernoulli_world
from moltheory.problems._cell_tasks import CellTasks, cell_tasks
from moltheory.problems._datasets import from_dataset
from moltheory.problems._decoys import ExchangeableDecoys, NearTie, exchangeable_decoys, near_tie, near_tie_limit
from moltheory.problems._gaussian_designs import GaussianDesigns
from moltheory.problems._gaussian_mixtures import GaussianMixture, robust_classifiers
from moltheory.problems._group_losses import LogisticGroups
from moltheory.problems._grouped_data import logistic_groups
from moltheory.problems._infinite import FrontGrid, InfiniteProblem
from moltheory.problems._l1_path import L1Path, least_squares_in_l1_balls, rows_of_moments
from moltheory.problems._least_squares import MultiTaskLeastSquares
from moltheory.problems._linear_population import LinearPopulation
from moltheory.problems._mixture_classifiers import (
    GaussianMixtureClassifiers,
    linear_classifier_grid,
    linear_classifier_objectives,
)
from moltheory.problems._planted import PlantedBest, planted_best
from moltheory.problems._population import FinitePopulation
from moltheory.problems._predictions import from_predictions
from moltheory.problems._protocol import ProblemLike
from moltheory.problems._sparse_regression import FittedSupports, SparseRegression
from moltheory.problems._sparse_tasks import sparse_multi_task
from moltheory.problems._tables import from_table
from moltheory.problems._world import FiniteWorld
from moltheory.problems._worlds import mirrored_decoys, reference_world, small_world, tilted_line, two_coins

__all__ = [
    "CellTasks",
    "ExchangeableDecoys",
    "FinitePopulation",
    "FiniteProblem",
    "FiniteWorld",
    "FittedSupports",
    "FrontGrid",
    "GaussianDesigns",
    "GaussianMixture",
    "GaussianMixtureClassifiers",
    "InfiniteProblem",
    "L1Path",
    "LinearPopulation",
    "LogisticGroups",
    "MultiTaskLeastSquares",
    "NearTie",
    "PlantedBest",
    "Problem",
    "ProblemLike",
    "SparseRegression",
    "bernoulli_world",
    "cell_tasks",
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
    "planted_best",
    "reference_world",
    "robust_classifiers",
    "rows_of_moments",
    "small_world",
    "sparse_multi_task",
    "tilted_line",
    "two_coins",
]

__dir__ = public_names(__name__)
