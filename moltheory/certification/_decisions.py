r"""Decisions about the front from boxes and paired tests, at one total failure probability.

Everything is minimised here. *b dominates h* means :math:`L(b) \le L(h)` in every objective, strictly in at least one.
With a tolerance :math:`e \ge 0` per objective, *b dominates h by e* means :math:`L(b) + e \le L(h)` in every objective,
strictly in at least one; a model that no other model dominates by e is an epsilon-Pareto member. For e = 0 these are
dominance and the front. Known costs are compared as they are; measured ones bring their own boxes and their own part of
delta, and have no tests (see `moltheory.evaluation._measured_cost`).

Four families of claims share delta, split in advance:

**Boxes** (share d1). All boxes hold at once with probability 1 - d1. On that event every comparison of ends is true.

**Exclusions** (share d2). For every ordered pair (b, h) that the costs allow, the hypothesis "b does not dominate h"
states that :math:`L_i(b) > L_i(h)` in some objective, or that all are equal. Its p-value is the largest over the
objectives that the boxes leave open: on the box event, an objective for which the hypothesis is true is never decided
strictly by the boxes, so the largest is at least the p-value of a true one (intersection-union). Holm's procedure runs
over all pairs that the costs allow, a number known in advance. Consequences by transitivity are claimed too.

**Members** (share d3). For every model h that the costs do not already put on the front, the hypothesis "some model
dominates h by e". If it is true, so it is for a Pareto-optimal b* (one that dominates or equals the model that
dominates h by e), in every objective. So for that b* all hypotheses :math:`L_i(b^*) + e_i \le L_i(h)` are true; N times
the smallest of their p-values is a p-value, and so is the largest of these over any set of rivals that contains b*. The
set used: models that are not excluded, and that neither boxes nor costs prevent from dominating h by e. On the events
of the first two families it contains b*. Holm's procedure runs over the models.

**Replacements** (share d4; only with a tolerance and costs). For every ordered pair (b, h) in which b costs at most as
much as h and strictly less in at least one cost, the hypothesis ":math:`L_i(b) \ge L_i(h) + e_i` in some objective":
intersection-union as above, Holm's procedure over these pairs.

Together: P(some claim is false) <= d1 + d2 + d3 + d4 = delta. Without a tolerance no model is both a member and
excluded; contradictory claims can only occur off these events, and are withdrawn, which adds no false claim. (Derived,
from R. L. Berger 1982 and S. Holm 1979.)
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.inference._paired import holm_adjusted

__all__ = ["METHODS", "Decisions", "Family", "Shares", "decide", "relevant_p_value"]

Bools = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]
Tests = Sequence[FloatArray | None] | FloatArray | None

# Number of models from which loading numba pays for transitivity.
_COMPILE_FROM = 1000


class Family(StrEnum):
    """A family of claims with its own share of delta."""

    BOXES = "simultaneous boxes"
    EXCLUSIONS = "paired tests that exclude"
    MEMBERS = "paired tests that confirm"
    REPLACEMENTS = "paired tests that replace"
    MEASURED = "intervals of measured costs"


# Shares of delta: boxes, exclusions, members; and with replacements, where there are a tolerance and costs.
_SHARES = {"auto": (0.5, 0.25, 0.25), "boxes": (1.0, 0.0, 0.0), "paired": (0.0, 0.5, 0.5)}
_REPLACING = {"auto": (0.4, 0.2, 0.2, 0.2), "boxes": (1.0, 0.0, 0.0, 0.0), "paired": (0.0, 0.4, 0.3, 0.3)}
METHODS = tuple(_SHARES)


@dataclass(frozen=True)
class Shares:
    """Failure probability of each family; `measured` is that of boxes found elsewhere, of measured costs."""

    boxes: float
    exclusions: float
    members: float
    replacements: float = 0.0
    measured: float = 0.0

    @classmethod
    def of(cls, delta: float, *, method: str = "auto", replacing: bool, measured: float = 0.0) -> Shares:
        """Return the allocation of delta by a method, fixed before the data; measured costs have their part already."""
        shares = [(delta - measured) * share for share in (_REPLACING if replacing else _SHARES)[method]]
        boxes, exclusions, members, replacements = shares if replacing else [*shares, 0.0]
        return cls(boxes, exclusions, members, replacements, measured)

    def allocation(self) -> tuple[tuple[str, float], ...]:
        """Return the families that have a share of delta, with their shares."""
        shares = (self.boxes, self.exclusions, self.members, self.replacements, self.measured)
        each = zip(Family, shares, strict=True)
        return tuple((family.value, share) for family, share in each if share > 0.0)

    @property
    def total(self) -> float:
        """Failure probability of all."""
        return self.boxes + self.exclusions + self.members + self.replacements + self.measured


@dataclass(frozen=True)
class Decisions:
    """Claims about M models.

    Attributes
    ----------
    within_slack : (M,) ndarray of bool
        Epsilon-Pareto members.
    excluded : (M,) ndarray of bool
    dominates : (M, M) ndarray of bool
        ``dominates[b, h]``: b is claimed to dominate h.
    excluded_by : (M,) ndarray of int
        Index of a dominating model, -1 = none.
    level : (M,) ndarray
        Adjusted p-value (Holm) of the exclusion by the paired tests as planned for delta, over their share of it; delta
        if the exclusion needs the boxes too; NaN if the model is not excluded.
    replaceable_by : (M,) ndarray of int
        Index of a cheaper model that is as good within the tolerance, -1 = none.
    """

    within_slack: Bools
    excluded: Bools
    dominates: Bools
    excluded_by: npt.NDArray[np.int64]
    level: FloatArray
    replaceable_by: npt.NDArray[np.int64]

    @property
    def sure(self) -> Bools:
        """Members that are not excluded, (M,)."""
        return self.within_slack & ~self.excluded


def decide(
    lower: FloatArray,
    upper: FloatArray,
    known: Bools,
    slack: FloatArray,
    shares: Shares,
    *,
    below: Tests = None,
    not_above: Tests = None,
) -> Decisions:
    """Return the claims that follow from boxes and p-values.

    Parameters
    ----------
    lower, upper : (M, m) ndarray
        Boxes of all m objectives; single points where known.
    known : (m,) ndarray of bool
    slack : (m,) ndarray
        Tolerance of each objective.
    shares : Shares
    below : sequence of m (M, M) ndarray or None, optional
        ``below[i][a, b]``: p-value against "L_i(a) >= L_i(b)"; None, or all NaN, for an objective without a paired test;
        entries of known objectives are ignored. Those above `relevant_p_value` may be anything above it.
    not_above : sequence of m (M, M) ndarray or None, optional
        The same against "L_i(a) >= L_i(b) + e_i".

    Notes
    -----
    O(M^2 m) time and some M^2 numbers of memory, M^3 / 64 word operations at most for transitivity.
    """
    size = lower.shape[0]
    off = ~np.eye(size, dtype=np.bool_)
    boxes = _Boxes(lower.T, upper.T, slack)
    everyone: Indices = np.arange(known.size)
    # By the boxes, [b, h]: L_b <= L_h in every objective, strictly in one, in every known one.
    weakly = boxes.all_of(everyone, boxes.decided)
    direct = weakly & boxes.any_of(everyone, boxes.strict) & off
    allowed = boxes.all_of(everyone[known], boxes.decided) & off
    near = boxes.any_of(everyone, boxes.near)
    limit = relevant_p_value(shares)
    factor = shares.total / shares.exclusions if shares.exclusions > 0.0 else np.inf
    levels = np.full((size, size), shares.total)
    if below is not None and allowed.any():
        tests = [_p_values_of(below[i]) for i in everyone[~known]]
        rest = np.zeros((size, size))
        for i, p in zip(everyone[~known], tests, strict=True):
            np.maximum(rest, 1.0 if p is None else p, out=rest, where=~boxes.decided(i))
        # All decided by the boxes, but perhaps equal: nothing is left to test.
        rest[weakly] = 1.0
        places, adjusted = _holm_below(rest, allowed, limit)
        direct.flat[places[adjusted <= shares.exclusions]] = True
        del rest
        complete = [p for p in tests if p is not None]
        if complete and len(complete) == len(tests):
            largest = functools.reduce(np.maximum, complete)
            places, adjusted = _holm_below(largest, allowed, limit)
            levels.flat[places] = np.minimum(np.maximum(adjusted, 1e-300) * factor, shares.total)
            del largest
    dominates = _closed(direct)
    excluded: Bools = np.asarray(dominates.any(axis=0))

    # [h, b]: b certainly does not dominate h by the tolerance.
    cleared = near | ~off | excluded[None, :]
    within: Bools = np.asarray(cleared.all(axis=1))
    # A model that no rival can dominate, given the known costs, needs no test.
    near_known = boxes.any_of(everyone[known], boxes.near)
    counted: Bools = np.asarray((~near_known.T & off).any(axis=0))
    found = [] if not_above is None else [_p_values_of(not_above[i]) for i in everyone[~known]]
    tested = [p for p in found if p is not None]
    if tested and counted.any():
        worst = np.array([_worst(tested, h, cleared[h]) for h in range(size)])
        within[counted] |= holm_adjusted(worst[counted]) <= shares.members
    if not slack.any():
        clash = within & excluded
        within, excluded = within & ~clash, excluded & ~clash
        dominates[:, clash] = False
    # Prefer a model that is not excluded, and among these the smallest p-value.
    order = np.where(dominates, levels + 2.0 * excluded[:, None], np.inf)
    excluded_by = np.where(excluded, order.argmin(axis=0), -1).astype(np.int64)
    np.copyto(levels, np.inf, where=~dominates)
    level = np.where(excluded, levels.min(axis=0), np.nan)
    cheaper = allowed & boxes.any_of(everyone[known], boxes.strict) & slack.any()
    replaceable_by = _replaceable(boxes, cheaper, everyone[~known], excluded, not_above, shares)
    return Decisions(within, excluded, dominates, excluded_by, level, replaceable_by)


def relevant_p_value(shares: Shares) -> float:
    """Return a p-value above which the exact one has no influence: after Holm's procedure it exceeds every share."""
    return min(2.0 * max(shares.exclusions, shares.members, shares.replacements), 1.0)


class _Boxes:
    """Comparisons of boxes (m, M) in one objective, as (M, M) tables [b, h]."""

    def __init__(self, low: FloatArray, high: FloatArray, slack: FloatArray) -> None:
        self.low, self.high = low, high
        far = low + slack[:, None]
        # Known values are short decimals more often than not: 0.3 < 0.1 + 0.2 by rounding only is no difference.
        steps = 4.0 * np.spacing(np.maximum(np.abs(far), np.abs(low)))
        self._far = far - np.where(slack > 0.0, 1.0, 0.0)[:, None] * steps

    def decided(self, i: int) -> Bools:
        """L_i(b) <= L_i(h)."""
        return np.asarray(self.high[i][:, None] <= self.low[i][None, :])

    def strict(self, i: int) -> Bools:
        """L_i(b) < L_i(h)."""
        return np.asarray(self.high[i][:, None] < self.low[i][None, :])

    def near(self, i: int) -> Bools:
        """L_i(b) < L_i(h) + e_i."""
        return np.asarray(self.high[i][:, None] < self._far[i][None, :])

    def all_of(self, objectives: Indices, compared: Callable[[int], Bools]) -> Bools:
        """Return where the comparison holds in all of the objectives."""
        found = np.ones((self.low.shape[1],) * 2, dtype=np.bool_)
        for i in objectives:
            found &= compared(i)
        return found

    def any_of(self, objectives: Indices, compared: Callable[[int], Bools]) -> Bools:
        """Return where the comparison holds in some of the objectives."""
        found = np.zeros((self.low.shape[1],) * 2, dtype=np.bool_)
        for i in objectives:
            found |= compared(i)
        return found


def _p_values_of(p: FloatArray | None) -> FloatArray | None:
    """Return p-values, 1 where there is no test; None if there is none at all."""
    if p is None:
        return None
    absent = np.isnan(p)
    if absent.all():
        return None
    return np.where(absent, 1.0, p) if absent.any() else p


def _holm_below(p: FloatArray, family: Bools, limit: float) -> tuple[Indices, FloatArray]:
    """Return the places (in the flat table) of the p-values of a family up to a limit, and these adjusted by Holm.

    The others come after them in the order of the procedure, so their values have no influence.
    """
    places = np.flatnonzero(family & (p <= limit))
    return places, holm_adjusted(p.flat[places], size=int(np.count_nonzero(family)))


def _worst(tested: list[FloatArray], model: int, cleared: Bools) -> float:
    """Return the p-value against "some model that is not cleared dominates the model by the tolerance"."""
    best = np.minimum(np.minimum.reduce([p[model] for p in tested]) * len(tested), 1.0)
    return float(np.where(cleared, 0.0, best).max())


def _replaceable(
    boxes: _Boxes, cheaper: Bools, estimated: Indices, excluded: Bools, not_above: Tests, shares: Shares
) -> npt.NDArray[np.int64]:
    """Return a replacement for each model: not excluded if possible, then the one with the smallest p-value."""
    if not cheaper.any():
        return np.full(excluded.size, -1, dtype=np.int64)
    largest = np.zeros(cheaper.shape)
    for i in estimated:
        p = _p_values_of(not_above[i]) if not_above is not None and shares.replacements > 0.0 else None
        np.maximum(largest, 1.0 if p is None else p, out=largest, where=~boxes.near(i))
    places, adjusted = _holm_below(largest, cheaper, relevant_p_value(shares))
    claimed = adjusted <= shares.replacements
    order = np.full(cheaper.shape, np.inf)
    order.flat[places[claimed]] = adjusted[claimed]
    order += 2.0 * excluded[:, None]
    return np.where(np.isfinite(order).any(axis=0), order.argmin(axis=0), -1).astype(np.int64)


def _closed(direct: Bools) -> Bools:
    """Return the claims and their consequences by transitivity, without contradictions."""
    reach = _closed_by_words(direct) if direct.shape[0] >= _COMPILE_FROM else _closed_by_products(direct)
    reach &= ~reach.T
    np.fill_diagonal(reach, False)
    return reach


def _closed_by_products(direct: Bools) -> Bools:
    reach = direct.copy()
    while True:
        count = reach.astype(np.float32)
        further = reach | ((count @ count) > 0.0)
        if (further == reach).all():
            return further
        reach = further


def _closed_by_words(direct: Bools) -> Bools:
    from moltheory.inference._pair_kernels import close

    size = direct.shape[0]
    words = np.zeros((size, -(-size // 64) * 8), np.uint8)
    words[:, : -(-size // 8)] = np.packbits(direct, axis=1, bitorder="little")
    packed = words.view("<u8").astype(np.uint64)
    close(packed)
    return np.unpackbits(packed.astype("<u8").view(np.uint8), axis=1, bitorder="little")[:, :size].view(np.bool_)
