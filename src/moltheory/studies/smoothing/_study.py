"""The study: certificates checked, the curse of dimension, a counterexample, and images under designs of the noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from moltheory.reports import Settings
from moltheory.studies._base import Study
from moltheory.studies._claims import Claim
from moltheory.studies.smoothing import _panels
from moltheory.studies.smoothing._claims import claims
from moltheory.studies.smoothing._counterexamples import counterexamples
from moltheory.studies.smoothing._experiment import smoothed_sweep
from moltheory.studies.smoothing._findings import caption, findings
from moltheory.studies.smoothing._points import (
    design_certificate,
    design_losses,
    design_points,
    fair_certificate,
    relative_volumes,
)
from moltheory.studies.smoothing._residual import Residual
from moltheory.studies.smoothing._result import Budget, SmoothingResult
from moltheory.studies.smoothing._tables import approximation_table, curse_table, half_spaces, simulated_certificates
from moltheory.studies.smoothing._waterfall import paired_table, waterfall_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FULL", "LARGE", "QUICK", "Smoothing"]

FULL = Budget(
    levels=(0.12, 0.25, 0.5),
    rates=(0.005, 0.01),
    sizes=(100, 1000),
    guesses=100,
    n_test=2000,
    n_train=60_000,
    held_out=1000,
    networks=3,
    steps=3600,
)
QUICK = Budget(
    levels=(0.25, 0.5),
    rates=(0.01,),
    sizes=(100, 1000),
    guesses=50,
    n_test=300,
    n_train=6000,
    held_out=200,
    networks=3,
    steps=500,
    hidden=(128,),
)
# One network per deviation: hours on a CPU.
LARGE = replace(FULL, n_test=500, sizes=(100, 1000, 10_000), networks=1, residual=Residual())


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
        _panels.draw_counterexample,
        _panels.draw_curves,
        _panels.draw_waterfall,
        _panels.draw_deviation,
        _panels.draw_front,
    )
    n_panels = len(panels)
    has_large: ClassVar[bool] = True

    @property
    def needs_torch(self) -> bool:  # type: ignore[override]
        """Whether networks are torch's: only those of the larger run."""
        return self.large

    def budget(self, settings: Settings) -> Budget:
        """Return the sizes of the experiment for these settings."""
        if self.large:
            return LARGE if not settings.quick else replace(QUICK, networks=1, residual=Residual("tiny", epochs=2))
        return QUICK if settings.quick else FULL

    def compute(self, settings: Settings) -> SmoothingResult:
        """Check the certificates, tabulate the curse of dimension, smooth images and certify the front."""
        draws, cases = (20_000, 5) if settings.quick else (200_000, 100)
        dimensions = (2, 30, 1000) if settings.quick else tuple(np.geomspace(2, 1000, 20).round().astype(int).tolist())
        sweep = smoothed_sweep(self.budget(settings), settings, source=self.source, machine=self.machine)
        points = design_points(sweep)
        certificate = design_certificate(design_losses(sweep, points))
        return SmoothingResult(
            simulated_certificates(20, n=draws, rng=settings.seed),
            half_spaces(dimensions, cases=cases, rng=settings.seed),
            counterexamples(),
            curse_table(),
            approximation_table(6 if settings.quick else 12),
            sweep,
            points,
            waterfall_table(sweep),
            paired_table(sweep),
            certificate,
            fair_certificate(sweep, points),
            certificate.plan(rng=settings.seed),
            *relative_volumes(points),
        )

    def claims(self, result: SmoothingResult) -> tuple[Claim, ...]:
        """Return the claims of the abstract, each with what was found here."""
        return claims(result)

    def caption(self, result: SmoothingResult) -> str:
        """Return what to see, in 60 words at most."""
        return caption(result)

    def findings(self, result: SmoothingResult) -> tuple[str, ...]:
        """Return the findings; what is not a theorem of the paper names its proof or is measured."""
        return findings(result)

    def tables(self, result: SmoothingResult) -> Mapping[str, pd.DataFrame]:
        """Return the designs, waterfalls, both certificates, the plan of further examples, and the closed forms."""
        return {
            "designs": result.points,
            "waterfalls": result.waterfalls,
            "paired_differences": result.pairs,
            "counterexamples": result.counterexamples,
            "certificate": result.certificate.to_frame(),
            "certificate_with_class_gap": result.fair.to_frame(),
            "further_examples": result.further,
            "simulated": result.simulated,
            "half_spaces": result.half_spaces,
            "curse": result.curse,
            "approximation": result.approximation,
        }
