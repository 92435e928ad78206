"""From objectives to fronts, each point with a certificate, and what a front's shape lets scalarizations return."""

from moltheory.solvers.cells import WeightCells, cell_members, certified_cells, certified_share, weight_cells
from moltheory.solvers.dispatch import solve_front
from moltheory.solvers.reach import chebyshev_weights, geoffrion_constants, largest_augmentation, reachability
from moltheory.solvers.refinement import RefinedFront, WeightedSumProblem, refine_front, sandwich_gap
from moltheory.solvers.support import SupportKind, support_kinds, supported
from moltheory.solvers.sweep import PartialFrontWarning, Status, Sweep

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
