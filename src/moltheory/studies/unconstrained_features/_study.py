"""The study: closed form against training, real images in place of free features, and what scalarizations return."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moltheory.reports import Settings
from moltheory.solvers import reachability
from moltheory.studies._base import Study
from moltheory.studies._claims import Claim
from moltheory.studies.unconstrained_features._certified import certified_networks
from moltheory.studies.unconstrained_features._claims import claims
from moltheory.studies.unconstrained_features._experiment import budget_sweep, model_at, training_sweep
from moltheory.studies.unconstrained_features._explicit import explicit_optima
from moltheory.studies.unconstrained_features._findings import caption, findings
from moltheory.studies.unconstrained_features._network_panels import draw_certified, draw_layers, draw_networks
from moltheory.studies.unconstrained_features._networks import FEATURES, WEIGHTS, Recipe, network_sweep
from moltheory.studies.unconstrained_features._panels import (
    draw_branches,
    draw_collapse,
    draw_front,
    draw_jump,
    draw_success,
)
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
from moltheory.studies.unconstrained_features._two_classes import nearest_classes
from moltheory.studies.unconstrained_features._widths import success_shares, width_sweep

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["UnconstrainedFeatures"]

_SHOWN = 3
# Where the budget experiment measures norms, and where optima are written down; for the former it changes the unit only.
_BUDGET_RATIO = 0.5
_EXACT_DEPTHS = (2, 3, 4, 5, 6, 8)


@dataclass(frozen=True)
class _Budget:
    """What the experiments cost."""

    depths: tuple[int, ...]
    ratios: tuple[float, ...]
    seeds: int
    steps: int
    widths: tuple[int, ...]
    width_ratios: tuple[float, ...]
    width_seeds: int
    width_steps: int
    recipes: tuple[Recipe, ...]
    network_seeds: int
    scales: tuple[float, ...]
    budget_seeds: int
    per_part: int
    pairs: int


_FULL = _Budget(
    depths=(2, 3, 4, 5),
    ratios=(0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.05, 1.2, 1.4, 1.8),
    seeds=8,
    steps=12_000,
    widths=(8, 32, 64),
    width_ratios=(0.2, 0.35, 0.5, 0.65, 0.8, 0.95),
    width_seeds=6,
    width_steps=8_000,
    # The last two ratios: between the critical factor and the end of local minima, and past it.
    recipes=(
        Recipe(FEATURES, 1, (0.04, 0.3, 0.6, 0.9, 1.2, 1.5), first=2000, later=600),
        Recipe(WEIGHTS, 1, (0.04,), first=2000, later=0),
        Recipe(WEIGHTS, 2, (0.04,), first=2000, later=0),
        Recipe(WEIGHTS, 4, (0.04,), first=3000, later=0),
    ),
    network_seeds=5,
    scales=(0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.85),
    budget_seeds=4,
    per_part=120,
    pairs=401,
)
_QUICK = _Budget(
    depths=(2, 3),
    ratios=(0.5, 1.1),
    seeds=5,
    steps=500,
    widths=(8, 64),
    width_ratios=(0.5,),
    width_seeds=5,
    width_steps=2_000,
    recipes=(
        Recipe(FEATURES, 1, (0.08, 0.6, 1.2, 1.5), first=700, later=200, per_class=60, pretraining=200),
        Recipe(WEIGHTS, 1, (0.08,), first=700, later=0, per_class=60, pretraining=200),
        Recipe(WEIGHTS, 4, (0.08,), first=800, later=0, per_class=60, pretraining=300),
    ),
    network_seeds=2,
    scales=(0.1, 0.5),
    budget_seeds=1,
    per_part=30,
    pairs=121,
)


class UnconstrainedFeatures(Study[UnconstrainedResult]):
    """Deep unconstrained features with two classes: optimum, jump, collapse, real images, and a front that weights miss."""

    name = "unconstrained-features"
    title = "Two classes: collapse is optimal until it jumps to zero, and weighted sums miss what lies between"
    panels = (
        draw_branches,
        draw_success,
        draw_jump,
        draw_networks,
        draw_collapse,
        draw_layers,
        draw_front,
        draw_certified,
    )
    n_panels = len(panels)
    needs_torch = True
    paper = (
        "P. Súkeník, M. Mondelli, C. H. Lampert (2023), Deep Neural Collapse Is Provably Optimal for the Deep "
        "Unconstrained Features Model, arXiv 2305.13165"
    )

    def compute(self, settings: Settings) -> UnconstrainedResult:
        """Train over depths, factors and widths, then under norm budgets, then on images; and solve the reduced front."""
        import pandas as pd

        cost = _QUICK if settings.quick else _FULL
        data = self.source.load()
        sweep = training_sweep(cost.depths, cost.ratios, seeds=cost.seeds, steps=cost.steps, settings=settings)
        widths = width_sweep(
            cost.depths,
            cost.widths,
            cost.width_ratios,
            seeds=cost.width_seeds,
            steps=cost.width_steps,
            settings=settings,
        )
        networks, wrong = network_sweep(
            cost.recipes, seeds=cost.network_seeds, source=self.source, machine=self.machine, settings=settings
        )
        certificate, certified = certified_networks(networks, wrong)
        budgets = budget_sweep(_SHOWN, _BUDGET_RATIO, cost.scales, seeds=cost.budget_seeds, settings=settings)
        loss = unit_loss(_SHOWN)
        front = front_objectives(loss, scale_grid(_SHOWN, cost.per_part)).risks()
        kinds = reachability(front, ideal=front.min(axis=0) - 0.1 * np.ptp(front, axis=0))
        separated, gain = separated_front(loss, np.linspace(0.0, 1.0, cost.pairs))
        return UnconstrainedResult(
            depths=cost.depths,
            depth=_SHOWN,
            sweep=sweep,
            objectives=pd.concat([network_objectives(sweep, depth) for depth in cost.depths], ignore_index=True),
            reach=pd.concat([reach_of_front(depth, cost.per_part) for depth in cost.depths], ignore_index=True),
            budgets=budgets,
            budget_factor=float(model_at(_SHOWN, _BUDGET_RATIO).factors[0]),
            front=front,
            supported=kinds["supported"].to_numpy(),
            missed=missed_part(loss),
            separated=separated,
            separated_gain=gain,
            exact=explicit_optima(_EXACT_DEPTHS, _BUDGET_RATIO),
            widths=widths,
            shares=success_shares(widths),
            data=data.name,
            classes=nearest_classes(data),
            networks=networks,
            certificate=certificate,
            certified=certified,
            n_test=len(wrong),
        )

    def claims(self, result: UnconstrainedResult) -> tuple[Claim, ...]:
        """Return the claims of the abstract, each with what was found."""
        return claims(result)

    def caption(self, result: UnconstrainedResult) -> str:
        """Return what to see, in 60 words at most."""
        return caption(result)

    def findings(self, result: UnconstrainedResult) -> tuple[str, ...]:
        """Return the findings; what is not a theorem of the paper names its proof or is measured."""
        return findings(result)

    def tables(self, result: UnconstrainedResult) -> Mapping[str, pd.DataFrame]:
        """Return networks of free features and of images, shares of successes, objectives, reach, budgets, exact optima."""
        return {
            "networks": result.sweep,
            "success": success_shares(result.widths, each=True),
            "success_by_group": result.shares,
            "widths": result.widths,
            "image_networks": result.networks,
            "certificate": result.certificate.to_frame(),
            "exact": result.exact,
            "objectives": result.objectives,
            "reach": result.reach,
            "budgets": result.budgets,
        }
