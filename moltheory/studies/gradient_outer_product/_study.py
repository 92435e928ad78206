"""The study: deep recursive features and trained networks on digits, with controls, and what of their front is real."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moltheory.reports import Settings
from moltheory.studies._base import Study
from moltheory.studies.gradient_outer_product._experiment import Budget, network_sweep, recursion_sweep
from moltheory.studies.gradient_outer_product._findings import told
from moltheory.studies.gradient_outer_product._panels import (
    draw_bandwidths,
    draw_correlation,
    draw_decay,
    draw_errors,
    draw_front,
    draw_networks,
)
from moltheory.studies.gradient_outer_product._tabulation import network_shares, stage_ratios
from moltheory.studies.gradient_outer_product._trade_off import real_fronts

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["GradientOuterProduct", "GradientOuterProductResult"]

_FULL = Budget(
    seeds=5,
    n_train=1000,
    n_test=797,
    depth=8,
    width=512,
    bandwidths=(0.125, 0.25, 0.5, 1.0, 2.0, 4.0),
    hidden=(128,) * 5,
    decays=(1e-4, 1.0),
    epochs=100,
)
_QUICK = Budget(
    seeds=2,
    n_train=200,
    n_test=300,
    depth=4,
    width=96,
    bandwidths=(0.25, 1.0),
    hidden=(64,) * 3,
    decays=(1e-4, 1.0),
    epochs=40,
)


@dataclass(frozen=True)
class GradientOuterProductResult:
    """Everything the study found.

    Attributes
    ----------
    layers, models : pandas.DataFrame
        One row per variant, seed and layer or depth, see `recursion_sweep`.
    ratios : pandas.DataFrame
        One row per variant and seed, see `stage_ratios`.
    networks : pandas.DataFrame
        One row per network and layer, see `network_sweep`.
    shares : pandas.DataFrame
        One row per network, see `network_shares`.
    compared, fronts : pandas.DataFrame
        The models on one front per seed, and a row per seed, see `real_fronts`.
    """

    layers: pd.DataFrame
    models: pd.DataFrame
    ratios: pd.DataFrame
    networks: pd.DataFrame
    shares: pd.DataFrame
    compared: pd.DataFrame
    fronts: pd.DataFrame


class GradientOuterProduct(Study[GradientOuterProductResult]):
    """Average gradient outer products: collapse by recursive features, by layers of networks, and its price."""

    name = "average-gradient-outer-product"
    title = "The outer product of gradients collapses classes layer by layer; accuracy does not follow"
    n_panels = 6
    paper = (
        "D. Beaglehole, P. Súkeník, M. Mondelli, M. Belkin (2024), Average gradient outer product as a mechanism for "
        "deep neural collapse, arXiv 2402.13728"
    )

    def compute(self, settings: Settings) -> GradientOuterProductResult:
        """Run recursive features with controls, train networks, and certify the front over depth and bandwidth."""
        budget = _QUICK if settings.quick else _FULL
        layers, models, wrong = recursion_sweep(budget, settings)
        networks = network_sweep(budget, settings)
        compared, fronts = real_fronts(models, wrong)
        return GradientOuterProductResult(
            layers, models, stage_ratios(layers), networks, network_shares(networks), compared, fronts
        )

    def draw(self, result: GradientOuterProductResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw collapse by layer, by bandwidth, in networks; correlations; test errors; and the front."""
        parts = (draw_decay, draw_bandwidths, draw_networks, draw_correlation, draw_errors, draw_front)
        for ax, panel in zip(axes, parts, strict=True):
            panel(ax, result)
        return axes

    def findings(self, result: GradientOuterProductResult) -> tuple[str, ...]:
        """Return what was found; see `told`."""
        return told(result)

    def tables(self, result: GradientOuterProductResult) -> Mapping[str, pd.DataFrame]:
        """Return layers, ratios, models with their status, fronts and networks."""
        return {
            "layers": result.layers,
            "ratios": result.ratios,
            "models": result.models,
            "compared": result.compared,
            "fronts": result.fronts,
            "networks": result.networks,
            "shares": result.shares,
        }
