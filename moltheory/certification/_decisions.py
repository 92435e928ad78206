r"""Who is on the front and who is not, from boxes and paired tests, at one total failure probability.

Everything is minimised here. *b dominates h* means :math:`L(b) \le L(h)` in every objective, once strictly. With slack
:math:`e \ge 0` per objective, *b beats h by the slack* means :math:`L(b) + e \le L(h)` in every objective, once
strictly; a model that nobody beats by the slack is an epsilon-Pareto member. For e = 0 these are dominance and the
front. Known costs are compared as they are.

Four families share delta, split in advance:

**Boxes** (share d1). All boxes hold at once with probability 1 - d1. On that event every comparison of ends is true.

**Exclusions** (share d2). For every ordered pair (b, h) that the costs allow, the hypothesis "b does not dominate h"
says that in some objective :math:`L_i(b) > L_i(h)`, or all are equal. Its p-value is the largest over the objectives
that the boxes have not settled: on the box event an objective for which the hypothesis is true is never taken for
settled strictly, so the largest is at least the p-value of a true one (intersection-union). Holm's procedure over all
pairs that the costs allow: a number known in advance. What follows by transitivity is claimed too.

**Members** (share d3). For every model h that the costs do not already put on the front, the hypothesis "h is beaten by
the slack". If it is true, h is beaten by a Pareto-optimal b* as well (one that dominates or equals the one that beats
it), in every objective. So for that b* all hypotheses :math:`L_i(b^*) + e_i \le L_i(h)` are true; N times the smallest
of their p-values is a p-value, and so is the largest of these over any set of rivals that holds b*. The set used is:
models not excluded and not out of reach by the boxes or costs. On the events of the first two families it holds b*.
Holm's procedure over the models.

**Replacements** (share d4; with slack and costs only). For every ordered pair (b, h) of which b costs at most as much
and once strictly less, the hypothesis "in some objective :math:`L_i(b) \ge L_i(h) + e_i`": intersection-union as above,
Holm over these pairs.

Together: P(some claim is false) <= d1 + d2 + d3 + d4 = delta. Without slack nobody can be a member and excluded;
contradictory claims can only occur off these events, and are withdrawn, which adds no false claim. (Derived, from
R. L. Berger 1982 and S. Holm 1979.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.bounds import holm

__all__ = ["Decisions", "Shares", "decide"]

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Shares:
    """Failure probability of each family."""

    boxes: float
    exclusions: float
    members: float
    replacements: float = 0.0

    @property
    def total(self) -> float:
        """Failure probability of all."""
        return self.boxes + self.exclusions + self.members + self.replacements


@dataclass(frozen=True)
class Decisions:
    """Claims about M models.

    Attributes
    ----------
    within_slack : (M,) ndarray of bool
        Epsilon-Pareto members.
    excluded : (M,) ndarray of bool
    beats : (M, M) ndarray of bool
        ``beats[b, h]``: b is claimed to dominate h.
    excluded_by : (M,) ndarray of int
        -1 = nobody.
    level : (M,) ndarray
        Adjusted p-value (Holm) of the exclusion by the paired tests as planned for delta, over their share of it;
        delta where it takes the boxes too; NaN where it is not excluded.
    replaceable_by : (M,) ndarray of int
        Somebody cheaper who is as good within the slack, -1 = nobody.
    """

    within_slack: Bools
    excluded: Bools
    beats: Bools
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
    below: FloatArray | None = None,
    not_above: FloatArray | None = None,
) -> Decisions:
    """Combine boxes and p-values.

    Parameters
    ----------
    lower, upper : (M, m) ndarray
        Boxes of all m objectives; single points where known.
    known : (m,) ndarray of bool
    slack : (m,) ndarray
    shares : Shares
    below : (m, M, M) ndarray, optional
        ``below[i, a, b]``: p-value against "L_i(a) >= L_i(b)"; NaN in all of an objective that has no paired test;
        known objectives are not looked at.
    not_above : (m, M, M) ndarray, optional
        Against "L_i(a) >= L_i(b) + e_i".
    """
    off = ~np.eye(lower.shape[0], dtype=np.bool_)
    low, high = lower.T, upper.T
    # By the boxes, in each objective: [i, b, h] L_i(b) <= L_i(h), the same strictly, and L_i(b) < L_i(h) + e_i.
    settled = high[:, :, None] <= low[:, None, :]
    strict = high[:, :, None] < low[:, None, :]
    far = low[:, None, :] + slack[:, None, None]
    # Known values are short decimals more often than not: 0.3 < 0.1 + 0.2 by rounding only is no difference.
    steps = 4.0 * np.spacing(np.maximum(np.abs(far), np.abs(low)[:, None, :]))
    near = high[:, :, None] < far - np.where(slack > 0.0, 1.0, 0.0)[:, None, None] * steps
    allowed = settled[known].all(axis=0) & off
    direct = settled.all(axis=0) & strict.any(axis=0) & off
    alone = np.ones_like(allowed, dtype=np.float64)
    if below is not None and allowed.any():
        p = np.where(np.isnan(below[~known]), 1.0, below[~known])
        rest = np.where(settled[~known], 0.0, p).max(axis=0)
        # All settled but perhaps equal: there is nothing left to test.
        rest[settled.all(axis=0)] = 1.0
        adjusted = np.ones_like(rest)
        adjusted[allowed] = holm(rest[allowed])
        direct |= (adjusted <= shares.exclusions) & allowed
        alone[allowed] = holm(p.max(axis=0)[allowed])
    beats = _closed(direct)
    excluded: Bools = np.asarray(beats.any(axis=0))

    # [h, b]: h need not fear b.
    cleared = near.any(axis=0) | ~off | excluded[None, :]
    within: Bools = np.asarray(cleared.all(axis=1))
    # A model that no rival can beat by known costs needs no test.
    counted: Bools = np.asarray((~near[known].any(axis=0).T & off).any(axis=0))
    tested = None if not_above is None else not_above[~np.isnan(not_above).all(axis=(1, 2)) & ~known]
    if tested is not None and tested.size and counted.any():
        best = np.minimum(tested.min(axis=0) * tested.shape[0], 1.0)
        worst = np.where(cleared, 0.0, best).max(axis=1)
        within[counted] |= holm(worst[counted]) <= shares.members
    if not slack.any():
        clash = within & excluded
        within, excluded = within & ~clash, excluded & ~clash
        beats[:, clash] = False
    factor = shares.total / shares.exclusions if shares.exclusions > 0.0 else np.inf
    levels = np.minimum(np.maximum(alone, 1e-300) * factor, shares.total)
    # Name somebody who is not excluded, where there is one, and of these the surest.
    order = np.where(beats, levels + 2.0 * excluded[:, None], np.inf)
    excluded_by = np.where(excluded, order.argmin(axis=0), -1).astype(np.int64)
    level = np.where(excluded, np.where(beats, levels, np.inf).min(axis=0), np.nan)
    replaceable_by = _replaceable(
        near, allowed & strict[known].any(axis=0) & slack.any(), known, excluded, not_above, shares
    )
    return Decisions(within, excluded, beats, excluded_by, level, replaceable_by)


def _replaceable(
    near: Bools, cheaper: Bools, known: Bools, excluded: Bools, not_above: FloatArray | None, shares: Shares
) -> npt.NDArray[np.int64]:
    """Return who replaces each model: rather somebody who is not excluded, then the surest."""
    if not cheaper.any():
        return np.full(excluded.size, -1, dtype=np.int64)
    p = np.ones_like(near[~known], dtype=np.float64)
    if not_above is not None and shares.replacements > 0.0:
        p = np.where(np.isnan(not_above[~known]), 1.0, not_above[~known])
    adjusted = np.full(cheaper.shape, np.inf)
    adjusted[cheaper] = holm(np.where(near[~known], 0.0, p).max(axis=0)[cheaper])
    claims = adjusted <= shares.replacements
    order = np.where(claims, adjusted + 2.0 * excluded[:, None], np.inf)
    return np.where(claims.any(axis=0), order.argmin(axis=0), -1).astype(np.int64)


def _closed(direct: Bools) -> Bools:
    """Return what follows from the claims (who beats one that beats h, beats h), without contradictions."""
    reach = direct.copy()
    for _ in range(max(1, int(np.ceil(np.log2(max(reach.shape[0], 2)))))):
        count = reach.astype(np.float32)
        reach |= (count @ count) > 0.0
    consistent: Bools = reach & ~reach.T & ~np.eye(reach.shape[0], dtype=np.bool_)
    return consistent
