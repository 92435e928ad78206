"""From objectives to fronts, each point with a certificate, and what a front's shape lets scalarizations return."""

from moltheory._core._listing import public_names
from moltheory.solvers._reachability import chebyshev_weights, geoffrion_constants, largest_augmentation, reachability
from moltheory.solvers._refinement import RefinedFront, WeightedSumProblem, refine_front, sandwich_gap
from moltheory.solvers._result import PartialFrontWarning, Status, Sweep
from moltheory.solvers._solve_front import solve_front
from moltheory.solvers._support import SupportKind, support_kinds, supported
from moltheory.solvers._weight_sets import WeightCells, cell_members, certified_cells, certified_share, weight_cells

__all__ = [
    "PartialFrontWarning",
    "RefinedFront",
    "Status",
    "SupportKind",
    "Sweep",
    "WeightCells",
    "WeightedSumProblem",
    "cell_members",
    "certified_cells",
    "certified_share",
    "chebyshev_weights",
    "geoffrion_constants",
    "largest_augmentation",
    "reachability",
    "refine_front",
    "sandwich_gap",
    "solve_front",
    "support_kinds",
    "supported",
    "weight_cells",
]

__dir__ = public_names(__name__)
