"""What is to be minimised: objectives, true or empirical, and the measures they are made of.

True and empirical objectives are the same kind of thing: a table of risks, with any leading batch axes. What
is computed from one (a front, a scalarized minimiser) is computed from the other by the same code, and theory
compares the two.
"""

from moltheory._core._listing import public_names
from moltheory.objectives._average import Average
from moltheory.objectives._black_box import BlackBoxObjectives
from moltheory.objectives._composed_measures import Gap, Spread, Worst
from moltheory.objectives._convex import ConvexObjectives, NormBall
from moltheory.objectives._finite import FiniteObjectives
from moltheory.objectives._measures import Cell, F1Error, Known, Mean, Measure, Rate
from moltheory.objectives._quadratic import QuadraticObjectives
from moltheory.objectives._smooth import SmoothObjectives
from moltheory.objectives._weighted_front import WeightedFront, discretization_error

__all__ = [
    "Average",
    "BlackBoxObjectives",
    "Cell",
    "ConvexObjectives",
    "F1Error",
    "FiniteObjectives",
    "Gap",
    "Known",
    "Mean",
    "Measure",
    "NormBall",
    "QuadraticObjectives",
    "Rate",
    "SmoothObjectives",
    "Spread",
    "WeightedFront",
    "Worst",
    "discretization_error",
]

__dir__ = public_names(__name__)
