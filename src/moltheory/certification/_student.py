r"""Student's t on differences of units: approximate p-values of all pairs, scores, and approximate boxes.

A unit is an example or a cluster, with total x and size s (1 for examples); the mean of model a is
:math:`\mu_a = E x_a / E s`. So "the mean of a is at least that of b plus e" states that the mean of
:math:`d - e s` is at least 0, with :math:`d = x_a - x_b` on the units that both were evaluated on: a plain mean, and no
ratio. Its p-value is that of Student's t with n - 1 degrees of freedom, bounded below by :math:`2^{-m}` with m the
effective number of units on which the two differ (`_effective_units`): no test that flips the signs of m differences has a
smaller p-value, so an approximation of one is not to be trusted below.

* The mean and the standard deviation of skewed differences err together. With :math:`a = g / (3 \sqrt n)` for the
  skewness g, the p-value is the larger of those at t and at :math:`t + a t^2 + a^2 t^3 / 3 + a / 2`, the monotone
  transformation of P. Hall (1992), Journal of the Royal Statistical Society B 54.
* No differences: m = 0, so that p = 1.
* All n units differ by the same amount: the variance is 0, and :math:`p = 2^{-n}`, the p-value of the sign test. A
  distribution that is not concentrated on one value shows one value n times with a probability that vanishes
  exponentially in n.
* If losses are bounded, empirical Bernstein is valid at every size, and its p-value counts where it is smaller: where two
  models hardly ever differ and a tolerance is tested.

The box of a model is the estimate of mu -+ Student's quantile x standard error, for clusters by the delta method, from
:math:`x - \mu s`. Each end is the one farther out of this and of its transformation by the skewness. Where
:math:`2^{-m}` exceeds its level, the box of the exact engine is taken, or the range if that has an infinite end.
"""

from __future__ import annotations

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.certification._bernstein_tests import bernstein_p_values
from moltheory.certification._boxes import column_box
from moltheory.certification._effective_units import UnitPowers
from moltheory.certification._statistics import Moments, estimates
from moltheory.evaluation._scan import Column, Scan
from moltheory.inference._pairs import PairCounts

__all__ = ["STUDENT_BOX", "STUDENT_TEST", "pair_scores", "student_box", "student_p_values"]

STUDENT_BOX = "Student (approximate)"
STUDENT_TEST = "Student's t on differences (approximate)"

# Relative rounding of losses: smaller mean differences say nothing.
_ROUNDED = 1e-12

Sums = tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]


def student_p_values(moments: Moments, powers: UnitPowers, column: Column, shift: float, models: slice) -> FloatArray:
    """Return approximate p-values of "the row's mean is at least the column's plus the shift", for some of the rows.

    Where the means do not speak for the row's model it is 1.
    """
    from scipy.special import stdtr

    n, total, squares, rounding, effective = _sums(moments, powers, column, shift, models)
    many = np.maximum(n, 2.0)
    variance = (np.maximum(squares - total**2 / many, 0.0) + rounding) / (many - 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(total < 0.0, total / np.sqrt(variance * many), 0.0)
    t = np.maximum(t, _transformed(t, _skewness(moments, powers, models, many)))
    p = np.ones_like(t)
    tested = (t < 0.0) & (n >= 2.0)
    p[tested] = np.maximum(stdtr(n[tested] - 1.0, t[tested]), 2.0 ** -effective[tested])
    if column.bounded:
        p = np.minimum(p, bernstein_p_values(moments, column, shift, models)[0])
    return p


def pair_scores(
    summary: PairCounts | Moments, powers: UnitPowers | None, column: Column, shift: float, models: slice
) -> tuple[FloatArray, FloatArray]:
    """Return by how many standard errors the row's mean is below the column's plus the shift, and log n, in some rows.

    Self-normalized sums, which are at most the root of the number of units that differ; here of their effective number.
    """
    if isinstance(summary, PairCounts):
        common, first, second = (counts.astype(np.float64) for counts in summary.outcomes(models))
        n, total, effective = common, first - second - shift * common, first + second
        squares = effective - 2.0 * shift * (first - second) + shift**2 * n
    else:
        if powers is None:
            raise LookupError("a column of other losses than 0/1 has powers")
        n, total, squares, _, effective = _sums(summary, powers, column, shift, models)
    most = np.sqrt(effective)
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = np.where(squares > 0.0, -total / np.sqrt(squares), 0.0)
    return np.clip(scores, -most, most), np.log(np.maximum(n, 1.0))


def student_box(
    scan: Scan, index: int, moments: Moments, powers: UnitPowers, delta: float
) -> tuple[FloatArray, FloatArray]:
    """Return the lower and upper ends (M,) of approximate intervals of a column's means, scaled; delta is per mean."""
    from scipy.special import stdtrit

    column = scan.columns[index]
    n = np.maximum(moments.pairs.count.astype(np.float64), 2.0)
    mean = estimates(moments, bounded=column.bounded)
    squares = moments.pairs.sum_sq - 2.0 * mean * moments.with_sizes + mean**2 * moments.sizes_sq
    squares = np.maximum(squares, 0.0)
    error = np.sqrt(squares / (n - 1.0) * n) / moments.sizes
    t = stdtrit(n - 1.0, 1.0 - delta / 2.0)
    a = _limited(powers.cubes_of_models, squares, n)
    reach = [np.maximum(t, -sign * _inverse(-sign * t, a)) for sign in (-1.0, 1.0)]
    low, high = (0.0, 1.0) if column.bounded else (column.low, column.high)
    lower, upper = np.maximum(mean - reach[0] * error, low), np.minimum(mean + reach[1] * error, high)
    few = 2.0 ** -powers.effective_of_models(squares) > delta / 2.0
    if not few.any():
        return lower, upper
    exact = column_box(scan, index, moments, delta) if column.bounded else (np.full_like(mean, low), high)
    return np.where(few, exact[0], lower), np.where(few, exact[1], upper)


def _skewness(moments: Moments, powers: UnitPowers, models: slice, n: FloatArray) -> FloatArray:
    """Return a third of the skewness of the differences over root n, for some rows."""
    _, total, squares, _ = moments.pairs.differences(models)
    cubes = powers.cubes(models)
    if cubes is None:
        return np.zeros_like(squares)
    mean = total / n
    with np.errstate(over="ignore", invalid="ignore"):
        central = cubes - 3.0 * mean * squares + 2.0 * n * mean**3
    return _limited(central, np.maximum(squares - total * mean, 0.0), n)


def _limited(cubes: FloatArray, squares: FloatArray, n: FloatArray) -> FloatArray:
    """Return a = skewness / (3 root n), from central sums; no sample has a skewness above root n."""
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        a = cubes / (3.0 * squares * np.sqrt(squares))
    return np.clip(np.where(np.isfinite(a), a, 0.0), -1.0 / 3.0, 1.0 / 3.0)


def _transformed(t: FloatArray, a: FloatArray) -> FloatArray:
    """Return t + a t^2 + a^2 t^3 / 3 + a / 2."""
    with np.errstate(invalid="ignore"):
        found: FloatArray = t * (1.0 + a * t * (1.0 + a * t / 3.0)) + 0.5 * a
    return np.where(np.isnan(found), t, found)


def _inverse(t: FloatArray, a: FloatArray) -> FloatArray:
    """Return what `_transformed` takes to t."""
    some = np.where(np.abs(a) > 1e-9, a, 1.0)
    return np.where(np.abs(a) > 1e-9, (np.cbrt(1.0 + 3.0 * some * (t - 0.5 * some)) - 1.0) / some, t)


def _sums(moments: Moments, powers: UnitPowers, column: Column, shift: float, models: slice) -> Sums:
    """Return n, the sums of d - e s and of its square, a bound on the rounding of the latter, and m, for some rows.

    The sum is moved toward 0 by what the losses themselves may be rounded.
    """
    common, total, squares, rounding = moments.pairs.differences(models)
    n = common.astype(np.float64)
    effective = np.minimum(powers.effective(squares, rounding, models), n)
    if shift:
        sizes, sizes_sq, across = _with_sizes(moments, powers, column, models, n, total)
        squares = np.maximum(squares - 2.0 * shift * across + shift**2 * sizes_sq, 0.0)
        total = total - shift * sizes
    size = np.sqrt(moments.pairs.sum_sq / np.maximum(moments.pairs.count, 1))
    total = np.sign(total) * np.maximum(np.abs(total) - _ROUNDED * n * (size[models, None] + size[None, :]), 0.0)
    return n, total, squares, rounding, effective


def _with_sizes(
    moments: Moments, powers: UnitPowers, column: Column, models: slice, n: FloatArray, total: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the sums over common units of s, of s^2 and of d s."""
    kept = powers.common_sizes(models)
    if kept is not None:
        return kept
    if column.equal_cluster_sizes:
        return n, n, total
    across = moments.with_sizes[models, None] - moments.with_sizes[None, :]
    return moments.sizes[models, None], moments.sizes_sq[models, None], across
