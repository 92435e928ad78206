"""Which part of an empirical Pareto front is real? A workbench for multi-objective learning theory.

Learning with several objectives gives an empirical Pareto front, from finite data. moltheory compares it with
the true one: exactly where the population is known, with a guarantee where it is not.

Everything is minimised unless ``maximise`` says otherwise. Submodules and names are loaded when first used,
so importing the package costs little more than importing numpy.

Main source: P. Súkeník and C. H. Lampert, "Generalization in multi-objective machine learning",
arXiv 2208.13499, doi 10.1007/s00521-024-10616-1.
"""

from __future__ import annotations

import importlib.machinery
import sys
from importlib import import_module
from typing import TYPE_CHECKING

__all__ = [
    "Bound",
    "Certificate",
    "CertificateStream",
    "DataWarning",
    "FiniteWorld",
    "Front",
    "Interval",
    "InvalidInputError",
    "Measured",
    "Sweep",
    "Theorem",
    "__version__",
    "bounds",
    "certification",
    "certify",
    "coverage_error",
    "errors",
    "evaluation",
    "experiments",
    "explore",
    "explorer",
    "figures",
    "hypervolume",
    "images",
    "inference",
    "nondominated",
    "objectives",
    "oracle",
    "pareto",
    "pareto_front",
    "pareto_rank",
    "plot",
    "plotting",
    "problems",
    "purity_error",
    "reports",
    "runs",
    "scalarization",
    "show_versions",
    "solve_front",
    "solvers",
    "studies",
    "testing",
    "theorems",
]

# Where each public name lives; what is not listed here is a submodule.
_HOMES = {
    "Bound": "moltheory.bounds",
    "Certificate": "moltheory.certification",
    "CertificateStream": "moltheory.certification",
    "DataWarning": "moltheory.errors",
    "FiniteWorld": "moltheory.problems",
    "Front": "moltheory.pareto",
    "Interval": "moltheory.bounds",
    "InvalidInputError": "moltheory.errors",
    "Measured": "moltheory.evaluation",
    "Sweep": "moltheory.solvers",
    "Theorem": "moltheory.theorems",
    "__version__": "moltheory._core._package",
    "certify": "moltheory.certification",
    "coverage_error": "moltheory.pareto",
    "explore": "moltheory.explorer",
    "hypervolume": "moltheory.pareto",
    "nondominated": "moltheory.pareto",
    "pareto_front": "moltheory.pareto",
    "pareto_rank": "moltheory.pareto",
    "purity_error": "moltheory.pareto",
    "show_versions": "moltheory.runs",
    "solve_front": "moltheory.solvers",
}


if not TYPE_CHECKING:  # checkers see the names below, and refuse others

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module 'moltheory' has no attribute {name!r}")
        home = _HOMES.get(name)
        value: object = getattr(import_module(home), name) if home else import_module(f"moltheory.{name}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)


class _RenamedModules:
    """Finds modules by the names they had before 0.2; asked only for what the ordinary finders do not find."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> importlib.machinery.ModuleSpec | None:
        if not name.startswith("moltheory."):
            return None
        from moltheory._core._renamed import load_renamed

        return load_renamed(name)


if not any(type(finder).__name__ == "_RenamedModules" for finder in sys.meta_path):
    sys.meta_path.append(_RenamedModules())

if TYPE_CHECKING:
    from moltheory import (
        bounds,
        certification,
        errors,
        evaluation,
        experiments,
        explorer,
        figures,
        images,
        inference,
        objectives,
        oracle,
        pareto,
        plot,
        plotting,
        problems,
        reports,
        runs,
        scalarization,
        solvers,
        studies,
        testing,
        theorems,
    )
    from moltheory._core._package import __version__
    from moltheory.bounds import Bound, Interval
    from moltheory.certification import Certificate, CertificateStream, certify
    from moltheory.errors import DataWarning, InvalidInputError
    from moltheory.evaluation import Measured
    from moltheory.explorer import explore
    from moltheory.pareto import (
        Front,
        coverage_error,
        hypervolume,
        nondominated,
        pareto_front,
        pareto_rank,
        purity_error,
    )
    from moltheory.problems import FiniteWorld
    from moltheory.runs import show_versions
    from moltheory.solvers import Sweep, solve_front
    from moltheory.theorems import Theorem
