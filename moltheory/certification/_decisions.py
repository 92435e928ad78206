r"""Decisions about the front from boxes and paired tests, at one total failure probability.

Everything is minimised here. *b dominates h* means :math:`L(b) \le L(h)` in every objective, strictly in at least one.
With a tolerance :math:`e \ge 0` per objective, *b dominates h by e* means :math:`L(b) + e \le L(h)` in every objective,
strictly in at least one; a model that no other model dominates by e is an epsilon-Pareto member. For e = 0 these are
dominance and the front. Known costs are compared as they are.

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

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.inference._paired import holm_adjusted

__all__ = ["METHODS", "Decisions", "Family", "Shares", "decide"]

Bools = npt.NDArray[np.bool_]


class Family(StrEnum):
    """A family of claims with its own share of delta."""

    BOXES = "simultaneous boxes"
    EXCLUSIONS = "paired tests that exclude"
    MEMBERS = "paired tests that confirm"
    REPLACEMENTS = "paired tests that replace"


# Shares of delta: boxes, exclusions, members; and with replacements, where there are a tolerance and costs.
_SHARES = {"auto": (0.5, 0.25, 0.25), "boxes": (1.0, 0.0, 0.0), "paired": (0.0, 0.5, 0.5)}
_REPLACING = {"auto": (0.4, 0.2, 0.2, 0.2), "boxes": (1.0, 0.0, 0.0, 0.0), "paired": (0.0, 0.4, 0.3, 0.3)}
METHODS = tuple(_SHARES)


@dataclass(frozen=True)
class Shares:
    """Failure probability of each family."""

    boxes: float
    exclusions: float
    members: float
    replacements: float = 0.0

    @classmethod
    def of(cls, delta: float, *, method: str = "auto", replacing: bool) -> Shares:
        """Return the allocation of delta by a method, fixed before the data."""
        return cls(*(delta * share for share in (_REPLACING if replacing else _SHARES)[method]))

    def allocation(self) -> tuple[tuple[str, float], ...]:
        """Return the families that have a share of delta, with their shares."""
        each = zip(Family, (self.boxes, self.exclusions, self.members, self.replacements), strict=True)
        return tuple((family.value, share) for family, share in each if share > 0.0)

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
    below: FloatArray | None = None,
    not_above: FloatArray | None = None,
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
    below : (m, M, M) ndarray, optional
        ``below[i, a, b]``: p-value against "L_i(a) >= L_i(b)"; all NaN for an objective without a paired test; entries
        of known objectives are ignored.
    not_above : (m, M, M) ndarray, optional
        The same against "L_i(a) >= L_i(b) + e_i".
    """
    off = ~np.eye(lower.shape[0], dtype=np.bool_)
    low, high = lower.T, upper.T
    # By the boxes, in each objective: [i, b, h] L_i(b) <= L_i(h), the same strictly, and L_i(b) < L_i(h) + e_i.
    decided = high[:, :, None] <= low[:, None, :]
    strict = high[:, :, None] < low[:, None, :]
    far = low[:, None, :] + slack[:, None, None]
    # Known values are short decimals more often than not: 0.3 < 0.1 + 0.2 by rounding only is no difference.
    steps = 4.0 * np.spacing(np.maximum(np.abs(far), np.abs(low)[:, None, :]))
    near = high[:, :, None] < far - np.where(slack > 0.0, 1.0, 0.0)[:, None, None] * steps
    allowed = decided[known].all(axis=0) & off
    direct = decided.all(axis=0) & strict.any(axis=0) & off
    alone = np.ones_like(allowed, dtype=np.float64)
    if below is not None and allowed.any():
        p = np.where(np.isnan(below[~known]), 1.0, below[~known])
        rest = np.where(decided[~known], 0.0, p).max(axis=0)
        # All decided by the boxes, but perhaps equal: nothing is left to test.
        rest[decided.all(axis=0)] = 1.0
        adjusted = np.ones_like(rest)
        adjusted[allowed] = holm_adjusted(rest[allowed])
        direct |= (adjusted <= shares.exclusions) & allowed
        alone[allowed] = holm_adjusted(p.max(axis=0)[allowed])
    dominates = _closed(direct)
    excluded: Bools = np.asarray(dominates.any(axis=0))

    # [h, b]: b certainly does not dominate h by the tolerance.
    cleared = near.any(axis=0) | ~off | excluded[None, :]
    within: Bools = np.asarray(cleared.all(axis=1))
    # A model that no rival can dominate, given the known costs, needs no test.
    counted: Bools = np.asarray((~near[known].any(axis=0).T & off).any(axis=0))
    tested = None if not_above is None else not_above[~np.isnan(not_above).all(axis=(1, 2)) & ~known]
    if tested is not None and tested.size and counted.any():
        best = np.minimum(tested.min(axis=0) * tested.shape[0], 1.0)
        worst = np.where(cleared, 0.0, best).max(axis=1)
        within[counted] |= holm_adjusted(worst[counted]) <= shares.members
    if not slack.any():
        clash = within & excluded
        within, excluded = within & ~clash, excluded & ~clash
        dominates[:, clash] = False
    factor = shares.total / shares.exclusions if shares.exclusions > 0.0 else np.inf
    levels = np.minimum(np.maximum(alone, 1e-300) * factor, shares.total)
    # Prefer a model that is not excluded, and among these the smallest p-value.
    order = np.where(dominates, levels + 2.0 * excluded[:, None], np.inf)
    excluded_by = np.where(excluded, order.argmin(axis=0), -1).astype(np.int64)
    level = np.where(excluded, np.where(dominates, levels, np.inf).min(axis=0), np.nan)
    replaceable_by = _replaceable(
        near, allowed & strict[known].any(axis=0) & slack.any(), known, excluded, not_above, shares
    )
    return Decisions(within, excluded, dominates, excluded_by, level, replaceable_by)


def _replaceable(
    near: Bools, cheaper: Bools, known: Bools, excluded: Bools, not_above: FloatArray | None, shares: Shares
) -> npt.NDArray[np.int64]:
    """Return a replacement for each model: not excluded if possible, then the one with the smallest p-value."""
    if not cheaper.any():
        return np.full(excluded.size, -1, dtype=np.int64)
    p = np.ones_like(near[~known], dtype=np.float64)
    if not_above is not None and shares.replacements > 0.0:
        p = np.where(np.isnan(not_above[~known]), 1.0, not_above[~known])
    adjusted = np.full(cheaper.shape, np.inf)
    adjusted[cheaper] = holm_adjusted(np.where(near[~known], 0.0, p).max(axis=0)[cheaper])
    claims = adjusted <= shares.replacements
    order = np.where(claims, adjusted + 2.0 * excluded[:, None], np.inf)
    return np.where(claims.any(axis=0), order.argmin(axis=0), -1).astype(np.int64)


def _closed(direct: Bools) -> Bools:
    """Return the claims and their consequences by transitivity, without contradictions."""
    reach = direct.copy()
    for _ in range(max(1, int(np.ceil(np.log2(max(reach.shape[0], 2)))))):
        count = reach.astype(np.float32)
        reach |= (count @ count) > 0.0
    consistent: Bools = reach & ~reach.T & ~np.eye(reach.shape[0], dtype=np.bool_)
    return consistent
