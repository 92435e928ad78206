"""The study: networks that cost less than collapse, written down and found by training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moltheory.reports import Settings
from moltheory.studies._base import Study
from moltheory.studies.low_rank_bias._experiment import FACTOR, WIDTH, Cell, model_with, trained_networks
from moltheory.studies.low_rank_bias._findings import caption, findings
from moltheory.studies.low_rank_bias._panels import (
    draw_costs,
    draw_front,
    draw_layers,
    draw_losses,
    draw_ranks,
    draw_widths,
)
from moltheory.studies.low_rank_bias._result import LowRankResult
from moltheory.studies.low_rank_bias._trade_off import (
    cost_table,
    domination_table,
    end_shares,
    hypervolume_table,
    main_networks,
    optimum_table,
    written_networks,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LowRankBias"]


@dataclass(frozen=True)
class _Budget:
    """What the experiments cost."""

    factors: tuple[float, ...]
    widths: tuple[int, ...]
    batch: int
    batches: int
    descent_steps: int
    main_seeds: int
    other_seeds: int
    near_seeds: int
    iterations: int
    scales: int
    weights: int

    def cells(self) -> tuple[Cell, ...]:
        """Blocks of work, the longest first."""
        descents = [
            Cell(0, FACTOR, width, part * self.batch, self.batch, self.descent_steps)
            for width in sorted(self.widths, reverse=True)
            for part in range(self.batches)
        ]
        polished = [
            Cell(1, factor, WIDTH, seed, 1, self.iterations)
            for factor in self.factors
            for seed in range(self.main_seeds if factor == FACTOR else self.other_seeds)
        ]
        near = [
            Cell(method, FACTOR, WIDTH, seed, 1, self.iterations)
            for method in (2, 3, 4)
            for seed in range(self.near_seeds)
        ]
        return (*descents, *polished, *near)


_FULL = _Budget(
    (0.001, 0.002, FACTOR, 0.006, 0.009, 0.013, 0.018),
    (10, 15, 20, 25, WIDTH, 40, 60),
    10,
    2,
    6000,
    10,
    6,
    3,
    2500,
    200,
    300,
)
_QUICK = _Budget((FACTOR, 0.009), (10, WIDTH), 5, 1, 800, 3, 2, 1, 250, 20, 30)


class LowRankBias(Study[LowRankResult]):
    """Low-rank bias against neural collapse: cheaper networks written down, and where training ends."""

    name = "low-rank-bias"
    title = "Ten classes: networks of lower rank dominate collapse in the fit and in the norm of every layer"
    panels = (draw_costs, draw_front, draw_layers, draw_losses, draw_ranks, draw_widths)
    n_panels = len(panels)
    needs_torch = True
    paper = (
        "P. Súkeník, M. Mondelli, C. H. Lampert (2024), Neural Collapse versus Low-rank Bias: Is Deep Neural Collapse "
        "Really Optimal?, arXiv 2405.14468"
    )

    def compute(self, settings: Settings) -> LowRankResult:
        """Compare the networks written down, train over regularisation and width, and compare all."""
        cost = _QUICK if settings.quick else _FULL
        networks = trained_networks(cost.cells(), settings=settings)
        scales = np.arange(1, cost.scales + 1) / cost.scales
        optima = optimum_table()
        return LowRankResult(
            cost_table((4, 5, 6, 7, 8), (3, 4, 5, 6)),
            optima,
            domination_table(model_with(), written_networks(), scales=scales, weights=cost.weights, rng=settings.seed),
            networks,
            end_shares(networks),
            hypervolume_table(optima, main_networks(networks)),
        )

    def caption(self, result: LowRankResult) -> str:
        """Return what to see, in 60 words at most."""
        return caption(result)

    def findings(self, result: LowRankResult) -> tuple[str, ...]:
        """Return the findings; what is not in the paper is marked as derived or measured."""
        return findings(result)

    def tables(self, result: LowRankResult) -> Mapping[str, pd.DataFrame]:
        """Return the costs, the networks written down and trained, and how they compare."""
        return dict(vars(result))
