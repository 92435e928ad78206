r"""A measure tested by contrasts, seen by pairs of models: what would decide it, for plans.

Bets that aim at a level a reach it, in half of all samples, where the contrast is :math:`\sqrt{2 \log(1/a)}` standard
errors away from 0, as bets of the right size on normal gains do; so `BoxView` describes them, with ends that far from the
estimates. A pair is seen by its hardest contrast: of the forms of the better model the one that is least clearly below,
by the form of the other that shows it best. Cells are taken to be of different groups. (An approximation, for plans only.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.certification._pair_views import BoxView
from moltheory.inference._pairs import PairCounts, PairMoments

__all__ = ["contrast_view"]

Indices = npt.NDArray[np.intp]


def contrast_view(
    estimate: FloatArray,
    forms: FloatArray,
    cells: Sequence[PairCounts | PairMoments],
    loss_range: tuple[float, float],
    first: Indices,
    second: Indices,
    *,
    n: int,
    level: float,
    maximise: bool = False,
) -> BoxView:
    """Return the view of pairs (p,) of a measure with linear forms (J, C), from the sums of its C cells.

    `estimate` (M,) is the measure, in the units of losses in `loss_range`; `n` is a number of examples to be reported, and
    `level` is what the bets aim at.
    """
    less = estimate[first] <= estimate[second]
    lower, higher = np.where(less, first, second), np.where(less, second, first)
    low, high = loss_range
    moments = [_moments(cell, lower, higher) for cell in cells]
    hardest, gap, error = np.full((3, first.size), np.inf)
    for of_lower in forms:
        clearest, distance, spread = np.full(first.size, -np.inf), np.zeros(first.size), np.zeros(first.size)
        for of_higher in forms:
            mean = np.full(first.size, low * (of_higher.sum() - of_lower.sum()))
            variance = np.zeros(first.size)
            for a, b, (size, means, variances, covariance) in zip(of_lower, of_higher, moments, strict=True):
                mean += (high - low) * (b * means[1] - a * means[0])
                own = a * a * variances[0] + b * b * variances[1] - 2.0 * a * b * covariance
                variance += (high - low) ** 2 * np.maximum(own, 0.0) / size
            root = np.sqrt(variance)
            with np.errstate(divide="ignore", invalid="ignore"):
                score = np.where(mean == 0.0, 0.0, mean / root)
            better = score > clearest
            clearest[better], distance[better], spread[better] = score[better], mean[better], root[better]
        harder = clearest < hardest
        hardest[harder], gap[harder], error[harder] = clearest[harder], distance[harder], spread[harder]
    # Estimates in the same order may leave a contrast on the wrong side by rounding only.
    gap = np.maximum(gap, 0.0)
    signed = np.where(less != maximise, gap, -gap)
    apart = math.sqrt(-2.0 * math.log(min(level, 1.0))) * error
    return BoxView(np.full(first.size, float(n)), signed, np.stack([apart] * 2), np.stack([error] * 2), tight=False)


def _moments(
    cell: PairCounts | PairMoments, first: Indices, second: Indices
) -> tuple[FloatArray, tuple[FloatArray, FloatArray], tuple[FloatArray, FloatArray], FloatArray]:
    """Return sizes, means and variances of both models and their covariance (p,), of losses scaled to [0, 1]."""
    if isinstance(cell, PairCounts):
        common, only_first, only_second = (part.astype(np.float64) for part in cell.outcomes_of(first, second))
        size = np.maximum(common, 1.0)
        both = (cell.errors[first] - only_first) / size
        means = both + only_first / size, both + only_second / size
        variances = means[0] * (1.0 - means[0]), means[1] * (1.0 - means[1])
        return size, means, variances, both - means[0] * means[1]
    shared, total, squares = cell.differences_of(first, second)
    size = np.maximum(shared.astype(np.float64), 1.0)
    counts = np.maximum(cell.count, 1).astype(np.float64)
    sums, sums_sq = cell.sum / counts, cell.sum_sq / counts
    spreads = np.maximum(sums_sq - sums**2, 0.0)
    difference = np.maximum(squares / size - (total / size) ** 2, 0.0)
    covariance = 0.5 * (spreads[first] + spreads[second] - difference)
    return size, (sums[first], sums[second]), (spreads[first], spreads[second]), covariance
