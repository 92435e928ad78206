"""The study: deep recursive features and trained networks on digits, with controls, and what of their front is real."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from moltheory.reports import Settings
from moltheory.studies._base import Study
from moltheory.studies._torch import require_torch
from moltheory.studies.gradient_outer_product import _panels
from moltheory.studies.gradient_outer_product._experiment import Budget, network_sweep, recursion_sweep
from moltheory.studies.gradient_outer_product._findings import caption, findings
from moltheory.studies.gradient_outer_product._result import GradientOuterProductResult
from moltheory.studies.gradient_outer_product._tables import network_shares, real_fronts, stage_ratios

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GradientOuterProduct"]

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


class GradientOuterProduct(Study[GradientOuterProductResult]):
    """Average gradient outer products: collapse by recursive features, by layers of networks, and its price."""

    name = "average-gradient-outer-product"
    title = "The outer product of gradients collapses classes layer by layer; accuracy does not follow"
    paper = (
        "D. Beaglehole, P. Súkeník, M. Mondelli, M. Belkin (2024), Average gradient outer product as a mechanism for "
        "deep neural collapse, arXiv 2402.13728"
    )
    panels = (
        _panels.draw_decay,
        _panels.draw_bandwidths,
        _panels.draw_networks,
        _panels.draw_correlation,
        _panels.draw_errors,
        _panels.draw_front,
    )
    n_panels = len(panels)
    needs_torch = True

    def compute(self, settings: Settings) -> GradientOuterProductResult:
        """Run recursive features with controls, train networks, and certify the front over depth and bandwidth."""
        # The gradients of the networks need it: refused before the recursion, which takes minutes and does not.
        require_torch()
        budget = _QUICK if settings.quick else _FULL
        layers, models, wrong = recursion_sweep(budget, settings)
        networks = network_sweep(budget, settings)
        compared, fronts = real_fronts(models, wrong)
        return GradientOuterProductResult(
            layers, models, stage_ratios(layers), networks, network_shares(networks), compared, fronts
        )

    def caption(self, result: GradientOuterProductResult) -> str:
        """Return what to see, in 60 words at most."""
        return caption(result)

    def findings(self, result: GradientOuterProductResult) -> tuple[str, ...]:
        """Return the findings: collapse, controls, bandwidths, errors, networks and fronts."""
        return findings(result)

    def tables(self, result: GradientOuterProductResult) -> Mapping[str, pd.DataFrame]:
        """Return layers, ratios, models with their status, fronts and networks."""
        return dict(vars(result))
