"""The study: certificates checked, the curse of dimension, and digits under twelve designs of the noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moltheory.certification import Certificate
from moltheory.pareto import hypervolume
from moltheory.reports import Settings
from moltheory.studies._base import Study
from moltheory.studies.smoothing._certificates import certified_radius
from moltheory.studies.smoothing._checks import half_spaces, simulated_certificates
from moltheory.studies.smoothing._dimension_limits import approximate_radius, smallest_ratio
from moltheory.studies.smoothing._findings import sentences
from moltheory.studies.smoothing._panels import (
    draw_approximation,
    draw_curse,
    draw_curves,
    draw_deviation,
    draw_front,
    draw_further,
)
from moltheory.studies.smoothing._points import (
    design_certificate,
    design_losses,
    design_objectives,
    design_points,
    fair_certificate,
    open_designs,
)
from moltheory.studies.smoothing._sweep import Budget, Design, SmoothedSweep, smoothed_sweep

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["FULL", "QUICK", "Smoothing", "SmoothingResult", "approximation_table", "curse_table"]

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
_SHOWN = (64, 784, 3072, 150_528)


@dataclass(frozen=True)
class SmoothingResult:
    """Everything the study found.

    Attributes
    ----------
    simulated, half_spaces : pandas.DataFrame
        See `simulated_certificates` and `half_spaces`.
    curse, approximation : pandas.DataFrame
        See `curse_table` and `approximation_table`.
    sweep : SmoothedSweep
    points : pandas.DataFrame
        See `design_points`.
    certificate, fair : Certificate
        See `design_certificate` and `fair_certificate`.
    further : pandas.DataFrame
        See `open_designs`.
    volume_all, volume_constant : float
        Hypervolume, as a share of the box spanned by the points, of all and of those with constant noise.
    """

    simulated: pd.DataFrame
    half_spaces: pd.DataFrame
    curse: pd.DataFrame
    approximation: pd.DataFrame
    sweep: SmoothedSweep
    points: pd.DataFrame
    certificate: Certificate
    fair: Certificate
    further: pd.DataFrame
    volume_all: float
    volume_constant: float


class Smoothing(Study[SmoothingResult]):
    """Input-dependent randomized smoothing: what changing sigma costs, and which designs are on the front for sure."""

    name = "smoothing"
    title = "Noise that follows the input: the price of changing σ, and which designs are really on the front"
    n_panels = 6
    paper = (
        "P. Súkeník, A. Kuvshinov, S. Günnemann (2022), Intriguing Properties of Input-Dependent Randomized Smoothing, "
        "arXiv 2110.05365"
    )

    def compute(self, settings: Settings) -> SmoothingResult:
        """Check the certificates, tabulate the curse of dimension, smooth digits and certify the front."""
        budget = QUICK if settings.quick else FULL
        draws, cases = (20_000, 5) if settings.quick else (200_000, 100)
        dimensions = (2, 30, 1000) if settings.quick else tuple(np.geomspace(2, 1000, 20).round().astype(int).tolist())
        sweep = smoothed_sweep(budget, settings)
        points = design_points(sweep)
        losses = design_losses(sweep, points)
        certificate = design_certificate(losses)
        volumes = _volumes(points)
        return SmoothingResult(
            simulated_certificates(20, n=draws, rng=settings.seed),
            half_spaces(dimensions, cases=cases, rng=settings.seed),
            curse_table(),
            approximation_table(6 if settings.quick else 12),
            sweep,
            points,
            certificate,
            fair_certificate(sweep, points),
            open_designs(losses, certificate, rng=settings.seed),
            *volumes,
        )

    def draw(self, result: SmoothingResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw the curse, the price, certified accuracies, classes, the front, and what would settle it."""
        panels = (draw_curse, draw_approximation, draw_curves, draw_deviation, draw_front, draw_further)
        for ax, panel in zip(axes, panels, strict=True):
            panel(ax, result)
        return axes

    def findings(self, result: SmoothingResult) -> tuple[str, ...]:
        """Return what was found; see `sentences`."""
        return sentences(result)

    def tables(self, result: SmoothingResult) -> Mapping[str, pd.DataFrame]:
        """Return the designs, both certificates, what would settle them, and the tables of the closed forms."""
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


def curse_table() -> pd.DataFrame:
    """Return the smallest ratios of `smallest_ratio` over dimensions.

    Returns
    -------
    pandas.DataFrame
        ``p_other``, ``dimension``, ``exact``, ``chernoff``, ``simplified``.

    Examples
    --------
    >>> table = curse_table()
    >>> table[table["dimension"] == 784].round(3)
        p_other  dimension  exact  chernoff  simplified
    10     0.10        784  0.968     0.946       0.944
    29     0.01        784  0.942     0.924       0.920
    """
    import pandas as pd

    sizes = sorted({*np.geomspace(2, 150_528, 18).round().astype(int).tolist(), 784})
    rows = [
        {
            "p_other": p,
            "dimension": n,
            **{kind: float(smallest_ratio(p, dimension=n, kind=kind)) for kind in ("exact", "chernoff", "simplified")},
        }
        for p in (0.1, 0.01)
        for n in sizes
    ]
    return pd.DataFrame(rows)


def approximation_table(rates: int, /) -> pd.DataFrame:
    """Return certified radii beside `approximate_radius`, for p = 0.01 and sigma = 1/2.

    Parameters
    ----------
    rates : int
        Rates per dimension.

    Returns
    -------
    pandas.DataFrame
        ``dimension``, ``rate``, ``strength`` (r sigma sqrt(2 N)), ``radius``, ``approximate``, ``share`` (of the radius
        of constant noise).

    Examples
    --------
    >>> approximation_table(2)["share"].round(2).tolist()[:2]
    [1.0, 0.23]
    """
    import pandas as pd

    parts = []
    for n in _SHOWN:
        strength = np.geomspace(0.1, 4.0, rates)
        r = strength / (0.5 * np.sqrt(2.0 * n))
        # In units of 1/r every rate is one.
        radius = certified_radius(0.01, sigma=0.5 * r, rate=1.0, dimension=n) / r
        near = approximate_radius(0.01, sigma=0.5 * r, rate=1.0, dimension=n) / r
        constant = float(certified_radius(0.01, sigma=0.5, dimension=n))
        parts.append(
            pd.DataFrame(
                {
                    "dimension": n,
                    "rate": r,
                    "strength": strength,
                    "radius": radius,
                    "approximate": near,
                    "share": radius / constant,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _volumes(points: pd.DataFrame) -> tuple[float, float]:
    risks = design_objectives(points).risks()
    low, high = risks.min(axis=0), risks.max(axis=0)
    scaled = (risks - low) / np.where(high > low, high - low, 1.0)
    reference = np.full(risks.shape[1], 1.1)
    constant = scaled[points["rate"].to_numpy() == 0.0]
    whole = 1.1 ** risks.shape[1]
    return hypervolume(scaled, reference=reference) / whole, hypervolume(constant, reference=reference) / whole
