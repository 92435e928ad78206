"""Points in objective space: dominance, fronts, directed errors between fronts and quality indicators.

Nothing here knows of learning: a point is a row of numbers, to be minimised unless ``maximise`` says otherwise.
"""

from moltheory._core._listing import public_names
from moltheory.pareto._attainment import AttainmentSurfaces, attainment_surfaces
from moltheory.pareto._dominance import nondominated, pareto_rank
from moltheory.pareto._fronts import Front, pareto_front
from moltheory.pareto._gaps import coverage_error, errors_of_selections, purity_error
from moltheory.pareto._hypervolume import hypervolume, hypervolumes_of_selections
from moltheory.pareto._indicators import additive_epsilon, hausdorff, igd_plus

__all__ = [
    "AttainmentSurfaces",
    "Front",
    "additive_epsilon",
    "attainment_surfaces",
    "coverage_error",
    "errors_of_selections",
    "hausdorff",
    "hypervolume",
    "hypervolumes_of_selections",
    "igd_plus",
    "nondominated",
    "pareto_front",
    "pareto_rank",
    "purity_error",
]

__dir__ = public_names(__name__)
