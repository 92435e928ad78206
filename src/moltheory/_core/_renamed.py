"""Modules by the names they had before 0.2: imports of them, and old pickles, work until 0.4 and warn."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import types
import warnings

__all__ = ["load_renamed"]

# Modules that got an underscore and nothing else, by subpackage.
_UNDERSCORED = {
    "bounds": "bound certified complexity converse finite inversion mixtures pac_bayes",
    "certification": "certificate groups report stream",
    "experiments": "exact excess_risks flatness realized_converse",
    "objectives": "black_box convex finite measures quadratic smooth weighted_front",
    "oracle": "enumeration types",
    "pareto": "attainment dominance fronts gaps indicators",
    "problems": (
        "base datasets decoys gaussian_designs gaussian_mixtures group_losses grouped_data infinite l1_path "
        "least_squares linear_population mixture_classifiers population predictions sparse_regression "
        "sparse_tasks tables world worlds"
    ),
    "runs": "blocks files record seeds store versions",
    "scalarization": "chebyshev constraint sums weights",
    "solvers": ("closed_form convex_program enumeration evolutionary minimax newton refinement separability support"),
    "studies": "base catalog collapse deep_features",
    "theorems": "results statement",
}
# Modules that got another name or moved to another subpackage.
_MOVED = {
    "bounds.binomial": "inference._binomial",
    "bounds.capacity": "bounds._uniform",
    "bounds.interval": "inference._interval",
    "bounds.kl": "inference._kl",
    "bounds.means": "inference._means",
    "bounds.paired": "inference._paired",
    "bounds.priors": "bounds._finite",
    "bounds.sequences": "inference._sequences",
    "bounds.small_errors": "bounds._fast_rates",
    "bounds.splits": "bounds._delta_allocation",
    "bounds.tables": "bounds._applicable",
    "bounds.transfer": "bounds._front_consequences",
    "certification.calling": "certification._certify",
    "certification.estimators": "evaluation._estimators",
    "certification.evaluated": "evaluation._table",
    "certification.further": "certification._further_examples",
    "certification.harness_logs": "evaluation._lm_eval",
    "certification.long_tables": "evaluation._frames",
    "certification.planning": "certification._sample_size",
    "certification.predictions": "evaluation._predictions",
    "certification.reading": "evaluation",
    "certification.reading.arrays": "evaluation._arrays",
    "certification.reading.costs": "evaluation._costs",
    "certification.reading.labels": "evaluation._label_column",
    "certification.reading.long": "evaluation._long",
    "certification.reading.opening": "evaluation._open",
    "certification.reading.rows": "evaluation._tabular",
    "certification.reading.source": "evaluation._source",
    "certification.reading.wide": "evaluation._wide",
    "certification.settling": "certification._power",
    "certification.sizes": "evaluation._model_cost",
    "certification.verdicts": "certification._format",
    "experiments.comparison": "experiments._front_comparison",
    "experiments.selection": "experiments._scalarized_selection",
    "experiments.simulation": "experiments._asymmetry",
    "experiments.stages": "experiments._two_stage",
    "experiments.weighted": "experiments._weighted_fronts",
    "reports.base": "reports._figure",
    "reports.page": "reports._report_page",
    "reports.pages": "reports._html",
    "reports.writing": "reports._build",
    "runs.digests": "runs._fingerprint",
    "runs.parts": "runs._block_result",
    "solvers.cells": "solvers._weight_sets",
    "solvers.dispatch": "solvers._solve_front",
    "solvers.reach": "solvers._reachability",
    "solvers.sweep": "solvers._result",
    "studies.descent": "studies._deep_features",
    "studies.running": "studies._base",
    "theorems.book": "theorems._ledger",
    "theorems.certificates": "theorems._certificate_statements",
    "theorems.checking": "theorems._check",
    "theorems.converses": "theorems._converse_statements",
    "theorems.convexity": "theorems._convexity_statements",
    "theorems.falsification": "theorems._falsify",
    "theorems.fronts": "theorems._front_statements",
    "theorems.generalization": "theorems._generalization_statements",
    "theorems.pairs": "theorems._check_pair",
    "theorems.table": "theorems._ledger",
}


class _Alias(importlib.abc.Loader):
    """Loads the module of today under the name of yesterday."""

    def __init__(self, module: types.ModuleType) -> None:
        self._module, self._spec = module, module.__spec__

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return self._module

    def exec_module(self, module: types.ModuleType) -> None:
        # The import system has put the old name's spec there.
        module.__spec__ = self._spec


def load_renamed(name: str) -> importlib.machinery.ModuleSpec | None:
    """Return the spec of a module of ``moltheory`` under the name it had before 0.2, or None for any other name."""
    short = name.removeprefix("moltheory.")
    parent, _, last = short.rpartition(".")
    if short in _MOVED:
        today = _MOVED[short]
    elif last in _UNDERSCORED.get(parent, "").split():
        today = f"{parent}._{last}"
    else:
        return None
    module = importlib.import_module(f"moltheory.{today}")
    home = today.rpartition("._")[0] or today
    warnings.warn(
        f"the module {name} is private since 0.2 and will be gone in 0.4: import its public names from moltheory.{home}",
        DeprecationWarning,
        stacklevel=3,
    )
    return importlib.machinery.ModuleSpec(name, _Alias(module))
