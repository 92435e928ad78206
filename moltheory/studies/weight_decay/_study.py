"""The study: collapse, balance and conditioning over linear layers and weight decay, and the networks as points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moltheory.reports import Settings
from moltheory.studies._base import Study
from moltheory.studies.weight_decay._experiment import decay_sweep
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
from moltheory.studies.weight_decay._result import WeightDecayResult

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["WeightDecay"]


@dataclass(frozen=True)
class _Budget:
    """What the experiment costs."""

    linear: tuple[int, ...]
    decays: tuple[float, ...]
    seeds: int
    steps: int


_FULL = _Budget((1, 2, 3, 5), (1e-4, 3e-4, 1e-3, 3e-3, 1e-2), 5, 6000)
_QUICK = _Budget((1, 2, 5), (1e-3, 1e-2), 3, 160)


class WeightDecay(Study[WeightDecayResult]):
    """Networks that end in linear layers, trained with weight decay: balance, collapse, conditioning, and fronts."""

    name = "weight-decay"
    title = "Linear layers and weight decay: balanced layers collapse, and training error and balance bound how far"
    panels = (draw_bound, draw_balance, draw_conditioning, draw_certificate)
    n_panels = len(panels)
    needs_torch = True
    paper = (
        "A. Jacot, P. Súkeník, Z. Wang, M. Mondelli (2024), Wide Neural Networks Trained with Weight Decay Provably "
        "Exhibit Neural Collapse, arXiv 2410.04887"
    )

    def compute(self, settings: Settings) -> WeightDecayResult:
        """Train over linear layers and decays, and compare the networks as points."""
        cost = _QUICK if settings.quick else _FULL
        sweep = decay_sweep(cost.linear, cost.decays, seeds=cost.seeds, steps=cost.steps, settings=settings)
        networks = sweep.networks
        two, five = certified_front(sweep)
        return WeightDecayResult(
            cost.linear,
            cost.decays,
            cost.decays[(len(cost.decays) - 1) // 2],
            cost.seeds,
            cost.steps,
            sweep,
            networks_by_setting(networks),
            rank_correlations(networks),
            rank_correlation(networks["nc1"], networks["test_error"]),
            balance_rates(sweep.iterates),
            own_weights(networks),
            two,
            five,
        )

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
            "balance": result.rates,
            "weights": result.weights,
            "certificate": result.two.to_frame(),
            "certificate_five": result.five.to_frame(),
        }
