"""The study: closed form against training, and what scalarizations return of the reduced front."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moltheory.reports import Settings
from moltheory.solvers import reachability
from moltheory.studies._base import Study
from moltheory.studies.unconstrained_features._experiment import budget_sweep, model_at, training_sweep
from moltheory.studies.unconstrained_features._findings import caption, findings
from moltheory.studies.unconstrained_features._panels import draw_branches, draw_collapse, draw_front, draw_jump
from moltheory.studies.unconstrained_features._result import UnconstrainedResult
from moltheory.studies.unconstrained_features._trade_off import (
    front_objectives,
    missed_part,
    network_objectives,
    reach_of_front,
    scale_grid,
    separated_front,
    unit_loss,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["UnconstrainedFeatures"]

_SHOWN = 3
# Where the budget experiment measures norms; it changes the unit only.
_BUDGET_RATIO = 0.5


@dataclass(frozen=True)
class _Budget:
    """What the experiments cost."""

    depths: tuple[int, ...]
    ratios: tuple[float, ...]
    seeds: int
    steps: int
    scales: tuple[float, ...]
    budget_seeds: int
    per_part: int
    pairs: int


_FULL = _Budget(
    (2, 3, 4, 5),
    (0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.05, 1.2, 1.4, 1.8),
    8,
    12_000,
    (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.85),
    4,
    120,
    401,
)
_QUICK = _Budget((2, 3), (0.5, 1.1), 5, 500, (0.1, 0.5), 1, 30, 121)


class UnconstrainedFeatures(Study[UnconstrainedResult]):
    """Deep unconstrained features with two classes: optimum, jump, collapse, and a front that weights miss."""

    name = "unconstrained-features"
    title = "Two classes: collapse is optimal until it jumps to zero, and weighted sums miss what lies between"
    panels = (draw_branches, draw_jump, draw_collapse, draw_front)
    n_panels = len(panels)
    needs_torch = True
    paper = (
        "P. Súkeník, M. Mondelli, C. H. Lampert (2023), Deep Neural Collapse Is Provably Optimal for the Deep "
        "Unconstrained Features Model, arXiv 2305.13165"
    )

    def compute(self, settings: Settings) -> UnconstrainedResult:
        """Train over depths and factors, then under norm budgets, and solve the reduced front."""
        import pandas as pd

        cost = _QUICK if settings.quick else _FULL
        sweep = training_sweep(cost.depths, cost.ratios, seeds=cost.seeds, steps=cost.steps, settings=settings)
        budgets = budget_sweep(_SHOWN, _BUDGET_RATIO, cost.scales, seeds=cost.budget_seeds, settings=settings)
        loss = unit_loss(_SHOWN)
        front = front_objectives(loss, scale_grid(_SHOWN, cost.per_part)).risks()
        kinds = reachability(front, ideal=front.min(axis=0) - 0.1 * np.ptp(front, axis=0))
        separated, gain = separated_front(loss, np.linspace(0.0, 1.0, cost.pairs))
        return UnconstrainedResult(
            cost.depths,
            _SHOWN,
            sweep,
            pd.concat([network_objectives(sweep, depth) for depth in cost.depths], ignore_index=True),
            pd.concat([reach_of_front(depth, cost.per_part) for depth in cost.depths], ignore_index=True),
            budgets,
            float(model_at(_SHOWN, _BUDGET_RATIO).factors[0]),
            front,
            kinds["supported"].to_numpy(),
            missed_part(loss),
            separated,
            gain,
        )

    def caption(self, result: UnconstrainedResult) -> str:
        """Return what to see, in 60 words at most."""
        return caption(result)

    def findings(self, result: UnconstrainedResult) -> tuple[str, ...]:
        """Return the findings; what is not a theorem of the paper is marked as derived or measured."""
        return findings(result)

    def tables(self, result: UnconstrainedResult) -> Mapping[str, pd.DataFrame]:
        """Return every network, the objectives and the reach per depth, and the budgets."""
        return {
            "networks": result.sweep,
            "objectives": result.objectives,
            "reach": result.reach,
            "budgets": result.budgets,
        }
