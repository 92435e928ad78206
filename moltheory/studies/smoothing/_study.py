"""The study: certificates checked, the curse of dimension, and digits under twelve designs of the noise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from moltheory.reports import Settings
from moltheory.studies._base import Study
from moltheory.studies.smoothing import _panels
from moltheory.studies.smoothing._experiment import smoothed_sweep
from moltheory.studies.smoothing._findings import caption, findings
from moltheory.studies.smoothing._points import (
    design_certificate,
    design_losses,
    design_points,
    fair_certificate,
    relative_volumes,
)
from moltheory.studies.smoothing._result import Budget, Design, SmoothingResult
from moltheory.studies.smoothing._tables import approximation_table, curse_table, half_spaces, simulated_certificates

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FULL", "QUICK", "Smoothing"]

FULL = Budget(
    designs=(
        *(Design(sigma, rate) for sigma in (0.12, 0.25, 0.5) for rate in (0.0, 0.05, 0.2)),
        Design(0.25, 0.2, quantile=0.05),
        Design(0.25, 0.2, quantile=0.95),
        Design(0.25, 0.2, k=100),
    ),
    sizes=(200, 1000, 5000),
    guesses=100,
    n_test=900,
    epochs=40,
)
QUICK = Budget(
    designs=tuple(Design(sigma, rate) for sigma in (0.25, 0.5) for rate in (0.0, 0.1)),
    sizes=(100, 300),
    guesses=50,
    n_test=100,
    epochs=3,
)


class Smoothing(Study[SmoothingResult]):
    """Input-dependent randomized smoothing: what changing sigma costs, and which designs are on the front for sure."""

    name = "smoothing"
    title = "Noise that follows the input: the price of changing σ, and which designs are really on the front"
    paper = (
        "P. Súkeník, A. Kuvshinov, S. Günnemann (2022), Intriguing Properties of Input-Dependent Randomized Smoothing, "
        "arXiv 2110.05365"
    )
    panels = (
        _panels.draw_curse,
        _panels.draw_approximation,
        _panels.draw_curves,
        _panels.draw_deviation,
        _panels.draw_front,
        _panels.draw_further,
    )
    n_panels = len(panels)

    def compute(self, settings: Settings) -> SmoothingResult:
        """Check the certificates, tabulate the curse of dimension, smooth digits and certify the front."""
        budget = QUICK if settings.quick else FULL
        draws, cases = (20_000, 5) if settings.quick else (200_000, 100)
        dimensions = (2, 30, 1000) if settings.quick else tuple(np.geomspace(2, 1000, 20).round().astype(int).tolist())
        sweep = smoothed_sweep(budget, settings)
        points = design_points(sweep)
        certificate = design_certificate(design_losses(sweep, points))
        return SmoothingResult(
            simulated_certificates(20, n=draws, rng=settings.seed),
            half_spaces(dimensions, cases=cases, rng=settings.seed),
            curse_table(),
            approximation_table(6 if settings.quick else 12),
            sweep,
            points,
            certificate,
            fair_certificate(sweep, points),
            certificate.plan(rng=settings.seed),
            *relative_volumes(points),
        )

    def caption(self, result: SmoothingResult) -> str:
        """Return what to see, in 60 words at most."""
        return caption(result)

    def findings(self, result: SmoothingResult) -> tuple[str, ...]:
        """Return the findings; what is not a theorem of the paper is marked as derived, remembered or measured."""
        return findings(result)

    def tables(self, result: SmoothingResult) -> Mapping[str, pd.DataFrame]:
        """Return the designs, both certificates, the plan of further examples, and the tables of the closed forms."""
        return {
            "designs": result.points,
            "certificate": result.certificate.to_frame(),
            "certificate_with_worst_class": result.fair.to_frame(),
            "further_examples": result.further,
            "simulated": result.simulated,
            "half_spaces": result.half_spaces,
            "curse": result.curse,
            "approximation": result.approximation,
        }
