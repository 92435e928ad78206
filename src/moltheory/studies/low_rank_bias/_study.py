"""The study: networks that cost less than collapse, written down, found by training, and trained on images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from moltheory.reports import Settings
from moltheory.studies._base import Study
from moltheory.studies._claims import Claim
from moltheory.studies.low_rank_bias._claims import claims
from moltheory.studies.low_rank_bias._experiment import FACTOR, WIDTH, Cell, model_with, trained_networks
from moltheory.studies.low_rank_bias._findings import caption, findings
from moltheory.studies.low_rank_bias._general import reach_table
from moltheory.studies.low_rank_bias._image_networks import ImageCell, certified_images, image_networks
from moltheory.studies.low_rank_bias._image_panels import draw_image_front, draw_image_layers, draw_image_ranks
from moltheory.studies.low_rank_bias._panels import draw_front, draw_losses, draw_ranks, draw_reach, draw_widths
from moltheory.studies.low_rank_bias._result import LowRankResult
from moltheory.studies.low_rank_bias._search import SearchCell, search_table
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
    single: bool
    main_seeds: int
    other_seeds: int
    near_seeds: int
    iterations: int
    searched: tuple[tuple[int, int], ...]
    starts: int
    scales: int
    weights: int
    decays: tuple[float, ...]
    image_seeds: int
    image_steps: int
    examples: int
    trunk: str = "dense"

    def cells(self) -> tuple[Cell, ...]:
        """Blocks of work, the longest first."""
        descents = [
            Cell(0, FACTOR, width, part * self.batch, self.batch, self.descent_steps)
            for width in sorted(self.widths, reverse=True)
            for part in range(self.batches)
        ]
        # Without copies of examples there is no collapse within classes, but the same question.
        single = [Cell(0, FACTOR, WIDTH, 0, self.batch, self.descent_steps, per_class=1)]
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
        return (*descents, *(single if self.single else []), *polished, *near)

    def searches(self) -> tuple[SearchCell, ...]:
        """Numbers of classes and layers at which anything below collapse is looked for."""
        return tuple(SearchCell(k, depth, self.starts, 600) for k, depth in self.searched)

    def images(self) -> tuple[ImageCell, ...]:
        """Networks on images."""
        return tuple(
            ImageCell(decay, seed, self.image_steps, self.examples, self.trunk)
            for decay in self.decays
            for seed in range(self.image_seeds)
        )


# Three layers and few classes, where nothing is written down; then controls, where something is.
_OPEN, _CONTROLS = tuple((k, 3) for k in range(3, 10)), ((10, 3), (3, 4), (6, 4))
_FULL = _Budget(
    factors=(0.001, 0.002, 0.003, FACTOR, 0.006, 0.009),
    widths=(10, 15, 20, 25, WIDTH, 40, 60),
    batch=10,
    batches=2,
    descent_steps=20_000,
    single=True,
    main_seeds=10,
    other_seeds=5,
    near_seeds=2,
    iterations=2000,
    searched=(*_OPEN, *_CONTROLS),
    starts=6,
    scales=200,
    weights=300,
    decays=(0.0005, 0.001, 0.002, 0.004, 0.008),
    image_seeds=3,
    image_steps=4000,
    examples=5000,
)
_QUICK = _Budget(
    factors=(FACTOR, 0.009),
    widths=(10, WIDTH),
    batch=10,
    batches=1,
    descent_steps=9000,
    single=False,
    main_seeds=2,
    other_seeds=2,
    near_seeds=1,
    iterations=250,
    searched=((3, 3), (6, 3), (3, 4)),
    starts=3,
    scales=20,
    weights=30,
    decays=(0.001, 0.008),
    image_seeds=2,
    image_steps=1500,
    examples=2000,
)
# The paper's trunk: 200 epochs of the 50,000 images of CIFAR-10 in batches of 128.
_LARGE = replace(_FULL, decays=(0.0005, 0.001, 0.002, 0.005), image_steps=78_000, examples=50_000, trunk="resnet20")


class LowRankBias(Study[LowRankResult]):
    """Low-rank bias against neural collapse: cheaper networks written down, and where training ends.

    The larger run has the paper's trunk, a ResNet20, on all images of `data`, meant for CIFAR-10.
    """

    name = "low-rank-bias"
    title = "Networks of lower rank dominate neural collapse in the fit and in the norm of every layer"
    panels = (
        draw_reach,
        draw_front,
        draw_losses,
        draw_ranks,
        draw_widths,
        draw_image_ranks,
        draw_image_layers,
        draw_image_front,
    )
    n_panels = len(panels)
    needs_torch = True
    has_large = True
    paper = (
        "P. Súkeník, M. Mondelli, C. H. Lampert (2024), Neural Collapse versus Low-rank Bias: Is Deep Neural Collapse "
        "Really Optimal?, arXiv 2405.14468"
    )

    def compute(self, settings: Settings) -> LowRankResult:
        """Compare the networks written down, train over regularization and width and on images, and compare all."""
        cost = _QUICK if settings.quick else _FULL
        if self.large:
            cost = replace(cost, trunk=_LARGE.trunk) if settings.quick else _LARGE
        images, wrong = image_networks(cost.images(), source=self.source, machine=self.machine, settings=settings)
        networks = trained_networks(cost.cells(), settings=settings)
        scales = np.arange(1, cost.scales + 1) / cost.scales
        optima = optimum_table()
        return LowRankResult(
            reach=reach_table(range(2, 16), (3, 4, 5, 6)),
            costs=cost_table((4, 5, 6, 7, 8), (3, 4, 5, 6)),
            optima=optima,
            domination=domination_table(
                model_with(), written_networks(), scales=scales, weights=cost.weights, rng=settings.seed
            ),
            search=search_table(cost.searches(), settings=settings),
            networks=networks,
            widths=end_shares(networks),
            volumes=hypervolume_table(optima, main_networks(networks)),
            images=images,
            certified=certified_images(images, wrong),
        )

    def claims(self, result: LowRankResult) -> tuple[Claim, ...]:
        """Return the claims of the abstract, each with what was found."""
        return claims(result)

    def caption(self, result: LowRankResult) -> str:
        """Return what to see, in 60 words at most."""
        return caption(result)

    def findings(self, result: LowRankResult) -> tuple[str, ...]:
        """Return the findings; what is not in the paper names its proof or is measured."""
        return findings(result)

    def tables(self, result: LowRankResult) -> Mapping[str, pd.DataFrame]:
        """Return the costs, the networks written down and trained, and how they compare."""
        return dict(vars(result))
