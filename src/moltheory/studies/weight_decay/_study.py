"""The study: collapse, balance and conditioning over linear layers and weight decay, and the networks as points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moltheory.reports import Settings
from moltheory.runs import as_seed_sequence
from moltheory.studies._base import Study
from moltheory.studies._claims import Claim
from moltheory.studies.weight_decay._claims import claims
from moltheory.studies.weight_decay._exact import exact_checks
from moltheory.studies.weight_decay._experiment import RATE, Cell, Plan, decay_sweep
from moltheory.studies.weight_decay._findings import caption, findings
from moltheory.studies.weight_decay._panels import draw_balance, draw_bound, draw_certificate, draw_conditioning
from moltheory.studies.weight_decay._points import (
    balance_rates,
    certified_front,
    networks_by_setting,
    own_weights,
    rank_correlation,
    rank_correlations,
)
from moltheory.studies.weight_decay._result import WeightDecayResult, main_sweep

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["WeightDecay"]


@dataclass(frozen=True)
class _Budget:
    """What the experiment costs."""

    linear: tuple[int, ...]
    decays: tuple[float, ...]
    rates: tuple[float, ...]
    narrow: tuple[int, ...]
    relus: tuple[int, ...]
    shown: float
    seeds: int
    images: int
    steps: int


# Step sizes, first widths and layers with ReLU are swept at the three linear layers and, in full, at the decay of the
# source's figure 1 (nine layers on MNIST, as those with six ReLU here); how it normalizes the squared error is not known
# here. Sizes and step sizes come from single pilot runs on MNIST, where all step sizes up to .4 train.
_DEPTH = 3
_FULL = _Budget(
    (1, 2, 3, 5),
    (6e-4, 1.8e-3, 5.4e-3),
    (0.1, 0.2, 0.4, 0.8),
    (32, 128),
    (2, 4, 6),
    1.8e-3,
    seeds=6,
    images=1000,
    steps=600,
)
_QUICK = _Budget((1, 3), (1.8e-3, 5.4e-3), (0.1, 0.2, 0.4), (16,), (2, 6), 5.4e-3, seeds=3, images=300, steps=300)
_CHAINS = 200


class WeightDecay(Study[WeightDecayResult]):
    """Networks that end in linear layers, trained with weight decay: balance, collapse, conditioning, and fronts."""

    name = "weight-decay"
    title = "Linear layers and weight decay: balanced layers collapse, and training error and balance bound how far"
    panels = (draw_bound, draw_balance, draw_conditioning, draw_certificate)
    n_panels = len(panels)
    needs_torch = True
    paper = (
        "A. Jacot, P. Súkeník, Z. Wang, M. Mondelli (2025), Wide Neural Networks Trained with Weight Decay Provably "
        "Exhibit Neural Collapse, ICLR, arXiv 2410.04887"
    )

    def compute(self, settings: Settings) -> WeightDecayResult:
        """Train over linear layers and decays, step sizes, first widths and ReLU layers, and compare the networks."""
        cost = _QUICK if settings.quick else _FULL
        data = self.source.load()
        # Half the pool at most, so that seeds differ in their images; as many units in the first layer as images.
        rarest = int(np.bincount(data.pool_labels, minlength=data.n_classes).min())
        per_class = min(min(cost.images, len(data.pool) // 2) // data.n_classes, rarest)
        wide = per_class * data.n_classes
        plan = Plan(
            tuple(Cell(linear, decay, RATE, wide) for linear in cost.linear for decay in cost.decays),
            tuple(Cell(_DEPTH, cost.shown, rate, wide) for rate in cost.rates),
            tuple(Cell(_DEPTH, cost.shown, RATE, first) for first in (*cost.narrow, wide)),
            tuple(Cell(_DEPTH, cost.shown, RATE, wide, relu) for relu in cost.relus),
        )
        sweep = decay_sweep(
            plan,
            seeds=cost.seeds,
            per_class=per_class,
            steps=cost.steps,
            source=self.source,
            settings=settings,
            machine=self.machine,
        )
        main = main_sweep(sweep.networks)
        two, five = certified_front(sweep)
        return WeightDecayResult(
            data=data.name,
            images=wide,
            linear=cost.linear,
            decays=cost.decays,
            rates=cost.rates,
            firsts=(*cost.narrow, wide),
            relus=cost.relus,
            shown=cost.shown,
            depth=_DEPTH,
            seeds=cost.seeds,
            steps=cost.steps,
            sweep=sweep,
            settings_table=networks_by_setting(main),
            correlations=rank_correlations(main),
            nc1_with_error=rank_correlation(main["nc1"], main["test_error"]),
            balancing=balance_rates(sweep.iterates),
            weights=own_weights(main),
            exact=exact_checks(_CHAINS, as_seed_sequence(settings.seed)),
            two=two,
            five=five,
        )

    def claims(self, result: WeightDecayResult) -> tuple[Claim, ...]:
        """Return the claims of the abstract, each with what was found here."""
        return claims(result)

    def caption(self, result: WeightDecayResult) -> str:
        """Return what to see, in 60 words at most."""
        return caption(result)

    def findings(self, result: WeightDecayResult) -> tuple[str, ...]:
        """Return what was found, and where it differs from the paper."""
        return findings(result)

    def tables(self, result: WeightDecayResult) -> Mapping[str, pd.DataFrame]:
        """Return medians by setting, every network, correlations, rates of balancing and the certificates."""
        return {
            "settings": result.settings_table,
            "networks": result.sweep.networks,
            "correlations": result.correlations,
            "balance": result.balancing,
            "weights": result.weights,
            "certificate": result.two.to_frame(),
            "certificate_five": result.five.to_frame(),
        }
