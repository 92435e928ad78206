"""Problems: hypotheses, objectives and a population whose true risks are known.

Every problem has ``true`` objectives, gives empirical ones by ``sample(n)``, and knows its true Pareto front.
"""

from moltheory.problems.base import FiniteProblem, Problem
from moltheory.problems.datasets import from_dataset
from moltheory.problems.decoys import ExchangeableDecoys, NearTie, exchangeable_decoys, near_tie, near_tie_limit
from moltheory.problems.least_squares import MultiTaskLeastSquares
from moltheory.problems.population import FinitePopulation
from moltheory.problems.predictions import from_predictions
from moltheory.problems.tables import from_table
from moltheory.problems.world import FiniteWorld
from moltheory.problems.worlds import mirrored_decoys, reference_world, small_world, tilted_line, two_coins

__all__ = [
    "ExchangeableDecoys",
    "FinitePopulation",
    "FiniteProblem",
    "FiniteWorld",
    "MultiTaskLeastSquares",
    "NearTie",
    "Problem",
    "exchangeable_decoys",
    "from_dataset",
    "from_predictions",
    "from_table",
    "mirrored_decoys",
    "near_tie",
    "near_tie_limit",
    "reference_world",
    "small_world",
    "tilted_line",
    "two_coins",
]
