"""The figures by name, in the order of the report."""

from __future__ import annotations

from typing import Any

from moltheory._core._validation import check_choice
from moltheory.figures._between import Between
from moltheory.figures._cells_of_weights import CellsOfWeights
from moltheory.figures._certified import Certified
from moltheory.figures._claims import Claims
from moltheory.figures._classes import Classes
from moltheory.figures._data_sets import DataSets
from moltheory.figures._hypervolume_gap import HypervolumeGap
from moltheory.figures._infinite_classes import InfiniteClasses
from moltheory.figures._intervals import Intervals
from moltheory.figures._least_squares import LeastSquares
from moltheory.figures._limit_power import LimitPower
from moltheory.figures._mechanism import Mechanism
from moltheory.figures._near_ties import NearTies
from moltheory.figures._price import Price
from moltheory.figures._reach import Reach
from moltheory.figures._real_data import BreastCancer
from moltheory.figures._solver_cost import SolverCost
from moltheory.figures._three_objectives import ThreeObjectives
from moltheory.figures._tightness import Tightness
from moltheory.figures._tilted import TiltedLine
from moltheory.figures._weights import Weights
from moltheory.figures._worlds import Worlds
from moltheory.figures._wrong_uses import WrongUses
from moltheory.reports import Figure

__all__ = ["figure_names", "get_figure"]

_FIGURES: tuple[type[Figure[Any]], ...] = (
    Mechanism,
    Worlds,
    TiltedLine,
    NearTies,
    Weights,
    Reach,
    CellsOfWeights,
    BreastCancer,
    DataSets,
    ThreeObjectives,
    HypervolumeGap,
    LeastSquares,
    Classes,
    InfiniteClasses,
    Intervals,
    Price,
    Tightness,
    Between,
    SolverCost,
    Certified,
    Claims,
    LimitPower,
    WrongUses,
)


def figure_names() -> tuple[str, ...]:
    """Return the names of all figures, in the order of the report.

    Examples
    --------
    >>> figure_names()[:3]
    ('mechanism', 'worlds', 'tilted_line')
    """
    return tuple(figure.name for figure in _FIGURES)


def get_figure(name: str) -> Figure[Any]:
    """Return a figure by name.

    Raises
    ------
    InvalidInputError
        If there is no figure of that name; the message lists them.

    Examples
    --------
    >>> get_figure("weights").title
    'Weights away from zero restore the converse; plain Chebyshev does not'
    """
    check_choice("name", name, figure_names())
    return next(figure() for figure in _FIGURES if figure.name == name)
