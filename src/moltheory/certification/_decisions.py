r"""Verdicts about the front from boxes and paired tests, at one total failure probability.

Everything is minimised here. *b dominates h* means :math:`L(b) \le L(h)` in every objective, strictly in at least one.
With a tolerance :math:`e \ge 0` per objective, *b dominates h by e* means :math:`L(b) + e \le L(h)` in every objective,
strictly in at least one; a model that no other model dominates by e is an epsilon-Pareto member. For e = 0 these are
dominance and the front. Known costs are compared as they are; measured ones bring their own boxes and their own part of
delta, and have no tests (see `moltheory.evaluation._measured_cost`).

**Boxes** (share B of delta). All boxes hold at once with probability 1 - B. On that event every comparison of ends is
true. All that follows is on that event.

**Verdicts** (share V). A rival of h is a model b that the known costs allow to dominate h; r_h is their number, known in
advance. Only the M models with a rival need a verdict: the others are on the front.

* *Exclusion.* The hypothesis "b does not dominate h" states that :math:`L_i(b) > L_i(h)` in some objective, or that all
  are equal. Its p-value is the largest over the objectives in which the boxes do not show :math:`L_i(b) \le L_i(h)`,
  and over the first one with a test if they show ``<`` in none: an objective with ``>`` is never among those shown, and
  if all are equal, none is shown with ``<``, so the largest is at least the p-value of a true hypothesis that is fixed in
  advance (intersection-union). If h is on the front, this hypothesis is true of all its rivals, so r_h times the smallest of
  these p-values is a p-value of "h is on the front" (Bonferroni).
* *Membership.* If some model dominates h by e, so does a Pareto-optimal b* (one that dominates or equals that model),
  in every objective: all hypotheses :math:`L_i(b^*) + e_i \le L_i(h)` are true. N times the smallest of their p-values
  is a p-value, and so is the largest of these over any set of rivals that contains b*. The set used: rivals that the
  boxes and the known costs do not prevent from dominating h by e, and that are not certainly excluded by boxes or
  names.

If h is dominated by e it is not on the front, so at most one of both hypotheses about h is true: `_promises` has the
procedures that follow from this, and what each promises.

**Names** (share D). Which model dominates an excluded one is a further claim: h may be excluded rightly, by a test
against the wrong rival. Holm's procedure runs over the hypotheses "b does not dominate h" of all pairs that the known
costs allow. All claims of dominance, by boxes or by these tests, and their consequences by transitivity are true with
probability 1 - B - D; they also exclude models.

A last consequence, for ``error="any"``, on the event on which all verdicts and names are true: if all models but one are
excluded, that one dominates each of them, since every dominated model of finitely many is dominated by one of the front,
which holds no excluded one. It takes no share of its own.

**Replacements** (share R; only with a tolerance and costs). For every ordered pair (b, h) in which b costs at most as
much as h and strictly less in at least one cost, the hypothesis ":math:`L_i(b) \ge L_i(h) + e_i` in some objective":
intersection-union as above, Holm's procedure over these pairs.

Together: P(some claim is false) <= B + V + D + R = delta. Contradictory claims can only occur off these events, and are
withdrawn, which adds no false claim. So are, on any event, exclusions whose likeliest dominators go round in circles;
but not where the share of false verdicts is promised, since it may rise when true ones are withdrawn. (Derived; proof:
certificate; from R. L. Berger 1982 and S. Holm 1979.)

**Open rivals.** With level V / M for each model, whatever the promise: except on an event of probability at most
B + V + D, if some model dominates h by e and h is not excluded, then a model of the front that does so is among its open
rivals, those whose p-value in the membership test exceeds V / M. So *h is an epsilon-Pareto member, or one of its open
rivals is on the front*, for all h that are not excluded at once. For ``error="any"`` this is the event on which verdicts
are true; for the others it is another one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.certification._cohorts import PairLevels, one_family
from moltheory.certification._likeliest import dominators, replacements
from moltheory.certification._promises import Promise
from moltheory.certification._relations import acyclic, closed
from moltheory.certification._row_blocks import row_blocks
from moltheory.certification._shares import Shares

__all__ = ["RELEVANT", "Decisions", "decide"]

Bools = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]
Tests = Sequence[FloatArray | None] | FloatArray | None

# P-values above this need not be exact: they settle nothing at a share below one half, and speak for the other side.
RELEVANT = 0.499


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
        Index of a dominating model, -1 = none; claimed only where `dominates` holds, otherwise the likeliest one.
    level : (M,) ndarray
        Adjusted p-value of the exclusion by the paired tests as planned for delta, over their share of it; delta if the
        exclusion needs the boxes too; NaN if the model is not excluded.
    replaceable_by : (M,) ndarray of int
        Index of a cheaper model that is as good within the tolerance, -1 = none.
    decided_at : (M,) ndarray
        Total failure probability at which the tests settle the model, at most 1; NaN if the known costs do.
    leaning : (M,) ndarray of int
        1 if the model is or would be settled as a member, -1 as excluded, 0 if neither is ahead.
    open_rivals : (M, M) ndarray of bool
        ``open_rivals[h, b]``: b may still dominate h, which is not excluded, by the tolerance.
    """

    within_slack: Bools
    excluded: Bools
    dominates: Bools
    excluded_by: npt.NDArray[np.int64]
    level: FloatArray
    replaceable_by: npt.NDArray[np.int64]
    decided_at: FloatArray
    leaning: npt.NDArray[np.int64]
    open_rivals: Bools

    @property
    def sure(self) -> Bools:
        """Members that are not excluded, (M,)."""
        return self.within_slack & ~self.excluded

    @property
    def claims(self) -> dict[str, Any]:
        """All but `level`, and `sure`: what a `Certificate` has under the same names."""
        names = [one.name for one in fields(self) if one.name != "level"]
        return {"sure": self.sure} | {name: getattr(self, name) for name in names}


def decide(
    lower: FloatArray,
    upper: FloatArray,
    known: Bools,
    slack: FloatArray,
    shares: Shares,
    *,
    promise: Promise | None = None,
    below: Tests = None,
    not_above: Tests = None,
    near: Bools | None = None,
    size: int | None = None,
    levels: PairLevels | None = None,
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
    promise : Promise, optional
        By default that no verdict is wrong.
    below : sequence of m (M, M) ndarray or None, optional
        ``below[i][a, b]``: p-value against "L_i(a) >= L_i(b)"; None, or all NaN, for an objective without a paired test;
        entries of known objectives are ignored. Those above `RELEVANT` may be anything above it.
    not_above : sequence of m (M, M) ndarray or None, optional
        The same against "L_i(a) >= L_i(b) + e_i".
    near : (M, M) ndarray of bool, optional
        ``near[b, h]``: b counts among the rivals of h. By default all that the known costs allow; a choice made from the
        data is an asymptotic one.
    size : int, optional
        Number of models that count; by default those with a rival.
    levels : PairLevels, optional
        Other levels of pairs of models than those of one family.

    Notes
    -----
    O(M^2 m) time and some M^2 numbers of memory, M^3 / 64 word operations at most for transitivity.
    """
    promise = promise or Promise()
    n_models = lower.shape[0]
    off = ~np.eye(n_models, dtype=np.bool_)
    boxes = _Boxes(lower.T, upper.T, slack)
    everyone: Indices = np.arange(known.size)
    estimated = everyone[~known]
    # By the boxes, [b, h]: L_b <= L_h in every objective, strictly in one, in every known one.
    weakly = boxes.all_of(everyone, boxes.decided)
    strictly = boxes.any_of(everyone, boxes.strict)
    direct = weakly & strictly & off
    allowed = allowed_pairs(lower, upper, known)
    rivals = allowed if near is None else allowed & near
    counted: Bools = np.asarray(allowed.any(axis=0))
    most = max(int(counted.sum()) if size is None else size, 1)
    families = one_family if levels is None else levels.families

    # Exclusions.
    on_front = np.ones(n_models)
    level = np.full(n_models, shares.total)
    tests = [] if below is None else [_p_values_of(below[i]) for i in estimated]
    rest = _largest(boxes, tests, estimated, weakly, strictly) if tests and counted.any() else None
    if rest is not None:
        number = np.maximum(np.count_nonzero(rivals, axis=0), 1)
        for part, pairs in families():
            direct |= _named(rest, allowed & pairs, shares.names * part)
        if levels is not None:
            rest = np.minimum(rest * levels.exclusions, 1.0)
            tests = [None if p is None else p * levels.exclusions for p in tests]
        on_front = _least([rest], rivals, number)
        unaided = [p for p in tests if p is not None]
        if len(unaided) == len(tests):
            adjusted = promise.adjusted(_least(unaided, rivals, number)[counted], most)
            factor = shares.total / shares.verdicts
            level[counted] = np.minimum(np.maximum(adjusted, 1e-300) * factor, shares.total)
    dominates = closed(direct)
    certain = np.asarray(dominates.any(axis=0))

    # Members; [h, b]: b certainly does not dominate h by the tolerance, or is certainly not on the front.
    cleared = boxes.any_of(everyone, boxes.near) | ~off | certain[None, :]
    found = [] if not_above is None else [_p_values_of(not_above[i]) for i in estimated]
    tested = [p for p in found if p is not None]
    behind = np.where(cleared.all(axis=1), 0.0, 1.0)
    open_rivals = ~cleared
    if tested:
        for h in np.flatnonzero(behind > 0.0).tolist():
            p = np.minimum.reduce([table[h] for table in tested]) * len(tested)
            p = p if levels is None else p * levels.members[h]
            p = np.where(cleared[h], 0.0, np.minimum(p, 1.0))
            behind[h] = p.max()
            if promise.verdicts != "excluded":
                open_rivals[h] &= p > shares.verdicts / most

    needed, leaning = _settled(promise, on_front, behind, counted, most)
    given = counted & (needed <= shares.verdicts) & shares.tested
    excluded = (given & (leaning < 0)) | certain
    within = (given & (leaning > 0)) | cleared.all(axis=1)
    if promise.error == "any" and promise.verdicts == "both":
        # A model of the front is excluded with the probability that it pays for, so no excluded one is feared.
        open_rivals &= ~excluded
        within |= ~open_rivals.any(axis=1)
    clash = within & excluded & (not slack.any())
    within, excluded = within & ~clash, excluded & ~clash
    dominates[:, clash] = False
    bar = np.max(on_front, initial=0.0, where=given & (leaning < 0))
    excluded_by = dominators(dominates, rest, rivals, bar, excluded)
    if promise.error != "share":
        excluded_by, kept = acyclic(excluded_by)
        clash |= excluded & ~kept
        excluded = kept
    if promise.error == "any":
        excluded_by = _with_last_one(dominates, excluded, excluded_by, strictly)
    decided_at = np.minimum(shares.total - shares.verdicts + needed, 1.0)
    decided_at = np.where(excluded | within, np.minimum(decided_at, shares.total), np.where(clash, 1.0, decided_at))
    decided_at[~counted] = np.nan
    open_rivals &= ~excluded[:, None]
    leaning = np.where(excluded, -1, np.where(within, 1, np.where(clash, 0, leaning)))
    cheaper = allowed & boxes.any_of(everyone[known], boxes.strict) & slack.any()
    tests = found if not_above is not None and shares.replacements > 0.0 else [None] * estimated.size

    def as_good(models: slice) -> FloatArray:
        largest = np.zeros((models.stop - models.start, n_models))
        for i, p in zip(estimated, tests, strict=True):
            np.maximum(largest, 1.0 if p is None else p[models], out=largest, where=~boxes.near(i, models))
        return largest

    return Decisions(
        within,
        excluded,
        dominates,
        excluded_by,
        np.where(excluded, level, np.nan),
        functools.reduce(
            lambda found, more: np.where(found < 0, more, found),
            (
                replacements(cheaper & pairs, as_good, excluded, max(shares.replacements * part, 0.0))
                for part, pairs in families()
            ),
        ),
        decided_at,
        leaning.astype(np.int64),
        open_rivals,
    )


def allowed_pairs(lower: FloatArray, upper: FloatArray, known: Bools) -> Bools:
    """Return where the known objectives allow the row's model to dominate the column's, (M, M)."""
    allowed = ~np.eye(lower.shape[0], dtype=np.bool_)
    for i in np.flatnonzero(known):
        allowed &= upper[:, None, i] <= lower[None, :, i]
    return allowed


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

    def near(self, i: int, models: slice = slice(None)) -> Bools:
        """L_i(b) < L_i(h) + e_i, for some b."""
        return np.asarray(self.high[i][models, None] < self._far[i][None, :])

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


def _with_last_one(
    dominates: Bools, excluded: Bools, excluded_by: npt.NDArray[np.int64], strictly: Bools
) -> npt.NDArray[np.int64]:
    """Note in `dominates` that the only model that is not excluded dominates all others; return who dominates them.

    Not if the boxes or the known costs, `strictly` (M, M), show another one to be better somewhere: a contradiction.
    """
    left = np.flatnonzero(~excluded)
    if left.size != 1 or dominates[:, left[0]].any() or strictly[:, left[0]].any():
        return excluded_by
    certain = dominates[excluded_by, np.arange(excluded.size)]
    dominates[left[0]] |= excluded
    return np.where(excluded & ~certain, left[0], excluded_by)


def _p_values_of(p: FloatArray | None) -> FloatArray | None:
    """Return p-values, 1 where there is no test; None if there is none at all."""
    if p is None:
        return None
    absent = np.isnan(p)
    if absent.all():
        return None
    return np.where(absent, 1.0, p) if absent.any() else p


def _largest(
    boxes: _Boxes, tests: list[FloatArray | None], estimated: Indices, weakly: Bools, strictly: Bools
) -> FloatArray:
    """Return the largest p-value over the objectives that the boxes leave open, (M, M)."""
    rest = np.zeros(weakly.shape)
    for i, p in zip(estimated, tests, strict=True):
        np.maximum(rest, 1.0 if p is None else p, out=rest, where=~boxes.decided(i))
    first = next((p for p in tests if p is not None), None)
    if first is not None:
        # All may be equal: one objective, fixed in advance, keeps its test (boxes may meet where a quantile has an atom).
        np.maximum(rest, first, out=rest, where=~strictly)
    # All decided by the boxes, but perhaps equal: nothing is left to test.
    rest[weakly] = 1.0
    return rest


def _least(tables: list[FloatArray], rivals: Bools, number: npt.NDArray[np.intp]) -> FloatArray:
    """Return the p-value of "on the front" of each model: number of rivals times the smallest of largest p-values, (M,)."""
    least = np.ones(number.size)
    for models in row_blocks(number.size):
        largest = functools.reduce(np.maximum, [p[models] for p in tables])
        np.minimum(least, np.min(largest, axis=0, initial=1.0, where=rivals[models]), out=least)
    return np.minimum(number * least, 1.0)


def _named(rest: FloatArray, allowed: Bools, share: float) -> Bools:
    """Return the pairs that Holm's procedure claims at a share of delta."""
    # The others come after these in the order of the procedure, so their values have no influence.
    claimed = allowed & (rest <= share) & (share > 0.0)
    ranked = np.sort(rest[claimed])
    # Holm's procedure stops at the first one that fails; of equal ones the first is the strictest.
    most = int(np.count_nonzero(allowed))
    failed = np.arange(most, most - ranked.size, -1) * ranked > share
    if failed.any():
        claimed &= rest < ranked[failed.argmax()]
    return claimed


def _settled(
    promise: Promise, on_front: FloatArray, behind: FloatArray, counted: Bools, size: int
) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Return the share of delta at which each model is settled, and in which direction (0 if neither is ahead)."""
    leaning = np.sign(on_front - behind).astype(np.int64)
    p = {"both": np.minimum(on_front, behind), "excluded": on_front, "sure": behind}[promise.verdicts]
    if promise.verdicts != "both":
        leaning = np.full(p.size, 1 if promise.verdicts == "sure" else -1)
    needed = np.ones(p.size)
    needed[counted] = promise.adjusted(p[counted], size)
    needed[leaning == 0] = 1.0
    return needed, np.where(needed < 1.0, leaning, 0)
