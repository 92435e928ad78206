"""The cases of benchmarks/growth.py, one file for each part of the package."""

from . import bounds, certification, evaluation, experiments, files, images, pareto, problems, solvers
from ._case import CASES, Case
from ._elsewhere import NOT_IN_TABLE

__all__ = [
    "CASES",
    "NOT_IN_TABLE",
    "Case",
    "bounds",
    "certification",
    "evaluation",
    "experiments",
    "files",
    "images",
    "pareto",
    "problems",
    "solvers",
]
