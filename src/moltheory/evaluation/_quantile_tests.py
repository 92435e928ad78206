r"""Paired tests of quantiles: p-values of "the p-quantile of a is at least that of b plus a shift", for all pairs.

Write :math:`Q(X) = \min\{v : P(X \le v) \ge p\}`, and b + s for the losses of b plus the shift. The hypothesis is
:math:`H: Q(a) \ge Q(b) + s`. For a threshold c on n common examples, with :math:`K_a` losses of a below c and
:math:`K_b` losses of b + s up to c, let

* :math:`p_a(c) = P(Bin(n, p) \ge K_a)`, a p-value of :math:`P(a < c) \le p`, which holds if :math:`Q(a) \ge c`;
* :math:`p_b(c) = P(Bin(n, p) \le K_b)`, a p-value of :math:`P(b + s \le c) \ge p`, which holds if :math:`Q(b) + s \le c`;
* :math:`p_m(c)`, McNemar's exact test of :math:`P(a < c) \le P(b + s \le c)` from the examples on which only one of the
  two events happens: given their number, only the first happens on a binomial number of them with a chance of at most
  1/2. Common noise of the two models cancels.

**Claim.** For fixed shares w of the level, :math:`T = \max_c \min\{p_a(c) / w, p_b(c) / w, p_m(c) / (1 - 2 w)\}` is a
p-value of H. **Proof.** If H is true, take c = Q(a), a fixed number with :math:`Q(b) + s \le c`. All three hypotheses hold
at c: :math:`P(a < c) \le p \le P(b + s \le c)`. So the minimum at c is at most t with probability at most
:math:`w t + w t + (1 - 2 w) t = t`, and T is at least that minimum. The two inequalities, one strict and one weak, are
what makes it exact for laws with atoms.

**Where the maximum is.** From one loss of a to the next, c in :math:`(a_{(j-1)}, a_{(j)}]`, :math:`p_a` is constant, while
:math:`p_b` and :math:`p_m` do not decrease (fewer examples with only the first event, more with only the second). So the
losses of a are all the thresholds that are needed, and :math:`p^n / w` for those beyond the largest. Where
:math:`p_a` or :math:`p_b` is below a tiny number, that number bounds the minimum, so that only a window of thresholds is
looked at.

Without :math:`p_m`, and w = 1/2, this is :math:`2 \min_c \max\{p_a, p_b\}`, as one falls and the other rises in c. That
needs both losses to be away from one threshold: about 1.5 times the distance that is needed for independent models, and
more for models with common noise. Derived (proof: quantile-tests); the ranks of W. R. Thompson (1936), doi
10.1214/aoms/1177732502, and Q. McNemar (1947), doi 10.1007/BF02295996; the maximum over a nuisance parameter restricted
by the data as in R. L. Berger and D. D. Boos (1994), doi 10.1080/01621459.1994.10476836.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.evaluation._order_statistics import fewest, most, sample_rank
from moltheory.inference._binomial_tails import lower_tails, upper_tails
from moltheory.inference._paired import mcnemar_tails

__all__ = ["SIDE", "quantile_p_values"]

# Share of the level for each quantile alone; the rest is McNemar's.
SIDE = 0.1
_PAIRED = 1.0 - 2.0 * SIDE
# Smaller p-values are returned as this.
_TINY = 1e-12
# Entries (rows x models) that are counted at a time.
_ENTRIES = 1 << 22

Counts = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]


def quantile_p_values(values: FloatArray, probability: float, shift: float = 0.0) -> FloatArray:
    """Return p-values (M, M): [a, b] is small if the quantile of a is below that of b plus the shift; 1 on the diagonal.

    Values (n, M), NaN = not measured: a pair is compared on the examples on which both were measured, 1 if there are
    none. Sums of values and shift are rounded to the nearest float. Time is O(M n log n) for sorting, and for each pair
    with neighboring quantiles O(n (1 - p) + sqrt(n)).
    """
    n_models = values.shape[1]
    found = np.ones((n_models, n_models))
    measured = ~np.isnan(values)
    every = np.arange(n_models)
    if measured.all():
        table = _Sorted.of(values, values + shift)
        for a in range(n_models):
            others = every[every != a]
            found[a, others] = _against(table, a, others, probability)
        return found
    for a in range(n_models):
        for rows, others in _by_common_rows(measured, a, every[every != a]):
            if rows.size:
                part = values[np.ix_(rows, np.concatenate([[a], others]))]
                table = _Sorted.of(part[:, :1], part + shift)
                found[a, others] = _against(table, 0, np.arange(1, others.size + 1), probability)
    return found


class _Sorted(NamedTuple):
    """Values in order, and moved values (n, M) as they are and in order, by model."""

    order: Counts
    values: FloatArray
    moved: FloatArray
    ranked: FloatArray

    @classmethod
    def of(cls, values: FloatArray, moved: FloatArray) -> _Sorted:
        columns = np.ascontiguousarray(values.T)
        order = np.argsort(columns, axis=1, kind="stable")
        return cls(order, np.take_along_axis(columns, order, axis=1), moved, np.sort(moved.T, axis=1))


def _by_common_rows(measured: Bools, a: int, others: Counts) -> Iterator[tuple[Counts, Counts]]:
    """Yield rows on which a and some others are measured, with these others."""
    common = measured[:, others] & measured[:, [a]]
    patterns, places = np.unique(np.packbits(common, axis=0), axis=1, return_inverse=True)
    for pattern in range(patterns.shape[1]):
        members = np.flatnonzero(places.reshape(-1) == pattern)
        yield np.flatnonzero(common[:, members[0]]), others[members]


def _against(table: _Sorted, a: int, others: Counts, probability: float) -> FloatArray:
    """Return p-values (k,) of "Q(a) >= Q(b)" for the moved values b of the others."""
    order, ordered, ranked = table.order[a], table.values[a], table.ranked
    n, tiny = order.size, SIDE * _TINY
    p = np.ones(others.size)
    rank = sample_rank(n, probability) - 1
    # A pair in the wrong order is no evidence.
    open_ = np.flatnonzero(ordered[rank] < ranked[others, rank])
    if not open_.size:
        return p
    few, many = most(n, probability, tiny), fewest(n, probability, tiny)
    beyond = probability**n / SIDE if many > n else _TINY
    highest = ordered[min(many, n) - 1]
    lowest = ranked[others[open_], few] if few >= 0 else np.full(open_.size, -np.inf)
    p[open_] = max(beyond, _TINY)
    near = open_[lowest <= highest]
    if not near.size:
        return np.minimum(p, 1.0)
    # Ties of a are one threshold.
    start, stop = np.searchsorted(ordered, [lowest.min(), highest], side="left")
    thresholds = np.unique(ordered[start : stop + 1])
    below = np.searchsorted(ordered, thresholds, side="left")
    p_a = _at_least(below, n, probability)
    rows = order[start:]
    above = np.searchsorted(thresholds, ordered[start:], side="right")
    step = max(1, _ENTRIES // max(rows.size, thresholds.size))
    for cut in range(0, near.size, step):
        part = near[cut : cut + step]
        up_to = np.stack([np.searchsorted(ranked[b], thresholds, side="right") for b in others[part]])
        both = _both_above(above, table.moved[np.ix_(rows, others[part])], thresholds)
        largest = _largest(p_a, n - below, n - up_to, both, n, probability)
        p[part] = np.maximum(p[part], largest)
    return np.minimum(p, 1.0)


def _both_above(above: Counts, b: FloatArray, thresholds: FloatArray) -> Counts:
    """Return for each column of b (rows, k) and threshold c the number of rows with a >= c and b > c, (k, J).

    `above` is the number of thresholds up to a, one per row. A row counts for as many thresholds, from the smallest, as
    are up to a and below b.
    """
    size = thresholds.size + 1
    reached = np.minimum(above[:, None], np.searchsorted(thresholds, b, side="left"))
    reached += size * np.arange(b.shape[1])
    counts = np.bincount(reached.ravel(), minlength=size * b.shape[1]).reshape(-1, size)
    return np.asarray(np.cumsum(counts[:, ::-1], axis=1)[:, ::-1][:, 1:])


def _largest(p_a: FloatArray, a_above: Counts, b_above: Counts, both: Counts, n: int, probability: float) -> FloatArray:
    """Return the largest over the thresholds (J,) of the smallest of the three weighted p-values, (k,)."""
    low = int(b_above.min())
    table = lower_tails(n - np.arange(low, int(b_above.max()) + 1), n, probability)
    smallest = np.minimum(p_a, table[b_above - low]) / SIDE
    only_first, only_second = b_above - both, a_above - both
    # McNemar's p-value is at most exp(-z^2 / 2), by Hoeffding's inequality: it is evaluated where that is largest, and
    # where it could be larger.
    excess, total = np.maximum(only_first - only_second, 0), np.maximum(only_first + only_second, 1)
    upper = np.minimum(smallest, np.exp(-0.5 * excess * (excess / total)) / _PAIRED)
    columns, widest = np.arange(upper.shape[0]), upper.argmax(axis=1)
    at = columns, widest
    largest = np.minimum(smallest[at], mcnemar_tails(only_second[at], only_first[at]) / _PAIRED)
    left = upper > largest[:, None]
    smallest[left] = np.minimum(smallest[left], mcnemar_tails(only_second[left], only_first[left]) / _PAIRED)
    found: FloatArray = np.maximum(largest, np.where(left, smallest, 0.0).max(axis=1))
    return found


def _at_least(k: Counts, n: int, probability: float) -> FloatArray:
    """Return P(Bin(n, probability) >= k)."""
    return np.where(k > 0, upper_tails(np.maximum(k, 1) - 1, n, probability), 1.0)
