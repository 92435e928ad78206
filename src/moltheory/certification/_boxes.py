r"""Simultaneous boxes: an interval for the mean of every model in every column, at equal shares of delta.

Sizes, and whether a loss inside the range was observed, determine the interval of a column (`inference._inspection`
accounts for this inspection): Clopper-Pearson for 0/1 losses, betting if the number of units is within a fixed budget,
otherwise empirical Bernstein (Maurer, Pontil). Bets depend on the order of the units, and the caller may have sorted
them by content, so the units are first put in a random order.

Clusters of unequal sizes: the mean over examples is :math:`\mu = E T / E S` (total, size), and
:math:`T - \mu S` has mean zero and values in an interval as long as the largest size. The box contains every
:math:`\mu` that empirical Bernstein on T - mu S does not reject (derived; proof: ratio-of-cluster-means). On each side
of the estimate the average exceeds its margin by a concave function of mu, so each end is a single root.
"""

from __future__ import annotations

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.bounds import mean_interval
from moltheory.certification._statistics import Moments, estimates
from moltheory.evaluation._scan import Column, Scan
from moltheory.inference._binomial import count_ends
from moltheory.inference._pairs import PairCounts

__all__ = ["box_method", "column_box"]

# Largest number of units x models, over all columns, for betting intervals (some 70 passes over the losses).
_ENTRIES = 10**7
_BISECTIONS = 60


def box_method(scan: Scan, index: int) -> str:
    """Return the interval method of a column, from sizes and from whether a loss inside its range was observed."""
    column = scan.columns[index]
    if column.binary:
        return "clopper-pearson"
    entries = sum(c.n_units for c in scan.columns) * scan.n_models
    return "betting" if column.equal_cluster_sizes and entries <= _ENTRIES else "empirical-bernstein"


def column_box(scan: Scan, index: int, summary: PairCounts | Moments, delta: float) -> tuple[FloatArray, FloatArray]:
    """Return the lower and upper ends (M,) of a column's means, scaled to [0, 1]; delta is per mean."""
    if isinstance(summary, PairCounts):
        return count_ends(summary.errors, summary.count, np.array(delta), "clopper-pearson", "both")
    if box_method(scan, index) == "betting":
        return _betting(scan, index, delta)
    return _bernstein(summary, scan.columns[index], delta)


def _betting(scan: Scan, index: int, delta: float) -> tuple[FloatArray, FloatArray]:
    values = np.clip(scan.stacked(index).values, 0.0, 1.0)
    # A fixed seed: the order is random with respect to the losses, and equal inputs give equal boxes.
    values = values[np.random.default_rng(values.shape[0]).permutation(values.shape[0])]
    missing = np.isnan(values)
    if not missing.any():
        interval = mean_interval(values, method="betting", delta=delta)
        return _whole_where_empty(np.array(interval.lower), np.array(interval.upper))
    lower, upper = np.empty(values.shape[1]), np.empty(values.shape[1])
    for model in range(values.shape[1]):
        interval = mean_interval(values[~missing[:, model], model], method="betting", delta=delta)
        lower[model], upper[model] = float(interval.lower), float(interval.upper)
    return _whole_where_empty(lower, upper)


def _whole_where_empty(lower: FloatArray, upper: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the ends, those of the range where an interval is empty: its event did not occur, so it says nothing."""
    empty = lower > upper
    return np.where(empty, 0.0, lower), np.where(empty, 1.0, upper)


def _bernstein(moments: Moments, column: Column, delta: float) -> tuple[FloatArray, FloatArray]:
    n = moments.pairs.count.astype(np.float64)
    many = np.maximum(n, 2.0)
    budget = np.log(4.0) - np.log(delta)
    margin = 7.0 * budget / (3.0 * (many - 1.0))
    center = estimates(moments)
    total, squares = moments.pairs.sum, moments.pairs.sum_sq

    def rejected(mean: FloatArray) -> FloatArray:
        """Return by how much the average of x - mean s exceeds its margin, less an allowance for rounding."""
        gap = np.abs(total - mean * moments.sizes) / many
        second = squares - 2.0 * mean * moments.with_sizes + mean**2 * moments.sizes_sq
        variance = np.maximum(second / many - gap**2, 0.0) * many / (many - 1.0) + 1e-13
        excess: FloatArray = gap - np.sqrt(2.0 * variance * budget / many) - margin - 1e-12
        return excess

    ends = []
    for edge in (0.0, 1.0):
        outside = np.full(center.shape, edge)
        open_end = rejected(outside) <= 0.0
        inside = center.copy()
        for _ in range(_BISECTIONS):
            middle = 0.5 * (inside + outside)
            out = rejected(middle) > 0.0
            outside, inside = np.where(out, middle, outside), np.where(out, inside, middle)
        ends.append(np.where(open_end | (n < 2.0), edge, outside))
    return ends[0], ends[1]
