"""The waterfall of certified accuracy as a number, and designs compared in pairs with both kinds of constant noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.studies._over_seeds import mean_interval_of
from moltheory.studies.smoothing._designs import CONSTANT, MATCHED, MOVING, Design
from moltheory.studies.smoothing._dimension_limits import largest_radius
from moltheory.studies.smoothing._points import class_deviation
from moltheory.studies.smoothing._result import SmoothedSweep

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ceiling_of", "paired_table", "rivals", "waterfall_table"]

# Radii are found within a relative 1e-8.
_SLACK = 1e-6


def ceiling_of(sweep: SmoothedSweep, sigma: float, votes: int) -> float:
    """Return the largest radius that constant noise of a deviation can certify: that of equal votes."""
    return float(largest_radius(sigma, rate=0.0, dimension=sweep.dimension, n=votes, alpha=sweep.budget.alpha))


def rivals(sweep: SmoothedSweep, design: Design) -> tuple[int, int]:
    """Return the numbers of constant noise of the same base, and of the same mean, of an input-dependent design."""
    same = Design(design.sigma), Design(design.sigma, design.rate, design.center, design.k, MATCHED)
    return sweep.place(same[0]), sweep.place(same[1])


def waterfall_table(sweep: SmoothedSweep) -> pd.DataFrame:
    """Return one row per design, number of votes and network: what is certified at and beyond ceilings.

    Columns ``sigma``, ``rate``, ``kind``, ``votes``, ``network``; ``ceiling`` of constant noise of the base deviation
    and ``mean_ceiling``, that of the mean deviation (for constant noise the same); ``at_ceiling``, the certified
    accuracy at the ceiling itself, ``beyond_ceiling`` and ``beyond_mean_ceiling``, those at any radius above: what falls
    between the first two falls at one radius, the waterfall. ``accuracy``, ``mean_radius``, ``deviation`` of the
    classes, ``largest_radius``, and ``naive_radius``, the mean of what the formula of constant noise would claim.
    """
    import pandas as pd
    from scipy.special import ndtri

    rows = []
    for d, design in enumerate(sweep.designs):
        mean = sweep.sigma[rivals(sweep, design)[1]][0] if design.kind != CONSTANT else design.sigma
        for v, votes in enumerate(sweep.budget.sizes):
            ceiling, mean_ceiling = ceiling_of(sweep, design.sigma, votes), ceiling_of(sweep, float(mean), votes)
            for s in range(sweep.budget.networks):
                right = sweep.correct[s, d, v]
                radii = sweep.radii[s, d, v] * right
                naive = np.where(right, -sweep.sigma[d] * ndtri(np.minimum(sweep.p_other[s, d, v], 0.5)), 0.0)
                rows.append(
                    {
                        "sigma": design.sigma,
                        "rate": design.rate,
                        "kind": design.kind,
                        "votes": votes,
                        "network": s,
                        "ceiling": ceiling,
                        "mean_ceiling": mean_ceiling,
                        "at_ceiling": float((radii >= ceiling * (1.0 - _SLACK)).mean()),
                        "beyond_ceiling": float((radii > ceiling * (1.0 + _SLACK)).mean()),
                        "beyond_mean_ceiling": float((radii > mean_ceiling * (1.0 + _SLACK)).mean()),
                        "accuracy": float(right.mean()),
                        "mean_radius": float(radii.mean()),
                        "deviation": class_deviation(right, sweep.labels),
                        "largest_radius": float(radii.max()),
                        "naive_radius": float(naive.mean()),
                    }
                )
    return pd.DataFrame(rows)


def paired_table(sweep: SmoothedSweep) -> pd.DataFrame:
    """Return how input-dependent noise differs from constant noise, image by image, at the most votes.

    One row per input-dependent design, rival (`CONSTANT` or `MATCHED`) and quantity, "accuracy" or "mean_radius":
    ``sigma``, ``rate``, ``against``, ``quantity``; ``difference``, the mean over images and networks, with a 95 %
    interval over images, ``low`` and ``high`` (Student's for the means over the networks).
    """
    import pandas as pd

    rows = []
    for d, design in enumerate(sweep.designs):
        if design.kind != MOVING:
            continue
        for rival, against in zip(rivals(sweep, design), (CONSTANT, MATCHED), strict=True):
            for quantity in ("accuracy", "mean_radius"):
                mean, low, high = mean_interval_of(_per_image(sweep, d, quantity) - _per_image(sweep, rival, quantity))
                rows.append(
                    {
                        "sigma": design.sigma,
                        "rate": design.rate,
                        "against": against,
                        "quantity": quantity,
                        "difference": mean,
                        "low": low,
                        "high": high,
                    }
                )
    return pd.DataFrame(rows)


def _per_image(sweep: SmoothedSweep, d: int, quantity: str) -> FloatArray:
    right = sweep.correct[:, d, -1]
    values = right if quantity == "accuracy" else sweep.radii[:, d, -1] * right
    return np.asarray(values.mean(axis=0))
