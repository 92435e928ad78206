"""One objective seen by pairs of models: at which sizes it decides them.

Three kinds: a paired test of one column; the worst of several columns, each of which has to decide; and boxes, where no
paired test applies. All have the same interface, so a plan does not depend on the kind. Paired tests of one column also say
what is decided now, and in a simulated continuation, for `more_examples`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.certification._sample_size import bernstein_size, mcnemar_size
from moltheory.inference._binomial_tails import lower_tails
from moltheory.inference._pairs import PairCounts, PairMoments

__all__ = ["BoxView", "PairView", "View", "WorstView", "decided", "simulated_growths"]

Indices = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]

# Looks of a simulated run: first after this share of the present examples; then the increments grow by this factor.
_FIRST_STEP, _STEP = 0.02, 1.2
# Largest bet, and how much more than a normal test's score bets need.
_BET, _SCORE = 0.9, 0.2


class View(Protocol):
    """One objective, minimised, seen by pairs (p,); `gap` is positive where the first model looks better."""

    @property
    def n(self) -> FloatArray:
        """Examples that the two models have in common, (p,)."""

    @property
    def gap(self) -> FloatArray:
        """Observed loss of the second minus that of the first, (p,)."""

    def take(self, rows: Indices) -> View:
        """Return the same objective for some of the pairs."""

    def growths(self, shift: float, level: float, power: float) -> FloatArray:
        """Return factors (2, p) of the present size that decide, if the gap is `shift` standard errors larger.

        With a negative shift the gap is a lower confidence limit, at most, whose one-sided error is Phi(`shift`).
        """


def _bets_reach(n: FloatArray, gain: FloatArray, variance: FloatArray, span: float, level: float) -> Bools:
    """Return whether bets toward the level reach it, approximately, from sums of n differences and their variance.

    Bets gain what the best constant bet of at most .9 does, and need what a normal test of a score .2 lower needs, or
    the whole budget log(1/level) where there is no variance: measured, see ``docs/decisions/0014-bets-toward-a-level.md``.
    Without a range (`span` 0) the test is a normal one.
    """
    from scipy.special import ndtri

    if span == 0.0:
        return np.asarray((n >= 2.0) & (gain > -float(ndtri(level)) * np.sqrt(variance * n)))
    most = np.maximum(n, 1.0)
    mean, square = np.maximum(2.0 * gain / (span * most), 0.0), 4.0 * variance / span**2
    bet = np.minimum(mean / np.maximum(square, 1e-300), _BET)
    score = max(float(-ndtri(level)) + _SCORE, 0.0)
    grown = n * (np.log1p(bet * mean) - 0.5 * bet**2 * square)
    return np.asarray((gain > 0.0) & (grown >= 0.5 * score**2) & (n * np.log1p(_BET * mean) >= -math.log(level)))


@dataclass(frozen=True)
class PairView:
    """A paired test of one column.

    For 0/1 losses `lost` and `won` count the examples on which only the first, only the second errs; else `won` is the
    sum of differences, second minus first, and `lost` is 0. `gap` is their mean and `spread` the rate of disagreement,
    or the variance of the differences.
    """

    binary: bool
    span: float
    n: FloatArray
    lost: FloatArray
    won: FloatArray
    gap: FloatArray
    spread: FloatArray

    @classmethod
    def of(cls, source: PairCounts | PairMoments, first: Indices, second: Indices, *, span: float = 2.0) -> PairView:
        """Return the view of pairs in one column; `span` is the length of the range of differences, 0 = approximate."""
        if isinstance(source, PairCounts):
            n, lost, won = (outcome.astype(np.float64) for outcome in source.outcomes_of(first, second))
            some = np.maximum(n, 1.0)
            return cls(True, span, n, lost, won, (won - lost) / some, (won + lost) / some)
        common, total, squares = source.differences_of(first, second)
        n, won = common.astype(np.float64), 0.0 - total
        some = np.maximum(n, 1.0)
        spread = np.maximum(squares - won**2 / some, 0.0) / np.maximum(n - 1, 1.0)
        return cls(False, span, n, np.zeros_like(won), won, won / some, spread)

    def negated(self) -> PairView:
        """Return the view with losses of opposite sign, for objectives to be maximised."""
        if self.binary:
            return replace(self, lost=self.won, won=self.lost, gap=(self.lost - self.won) / np.maximum(self.n, 1.0))
        return replace(self, won=-self.won, gap=-self.gap)

    @property
    def state(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Sums of the present examples."""
        return self.n, self.lost, self.won

    def take(self, rows: Indices) -> PairView:
        """Return the same objective for some of the pairs."""
        parts = (self.n, self.lost, self.won, self.gap, self.spread)
        return PairView(self.binary, self.span, *(part[rows] for part in parts))

    def part(self, state: Any, rows: Indices) -> Any:
        """Return a state for some of the pairs."""
        return tuple(entry[rows] for entry in state)

    def decides(self, state: Any, level: float) -> Bools:
        """Return whether the first, and the second, is found to be better, (2, p)."""
        n, lost, won = state
        if self.binary:
            total = won + lost
            counts = np.maximum(total, 1.0).astype(np.int64)
            if level < 0.5:  # only the one that errs alone less often can pass
                passed = (total > 0) & (lower_tails(np.minimum(lost, won), counts, 0.5) <= level)
                return np.stack([passed & (lost < won), passed & (won < lost)])
            ends = [lower_tails(fewer, counts, 0.5) <= level for fewer in (lost, won)]
            return np.stack([(total > 0) & end for end in ends])
        return np.stack([_bets_reach(n, gain, self.spread, self.span, level) for gain in (won, -won)])

    def growths(self, shift: float, level: float, power: float) -> FloatArray:
        """Return factors (2, p) of the present size that decide, if the gap is `shift` standard errors larger."""
        gap = self._shifted(shift)
        if self.binary:
            gap = np.minimum(gap, 1.0)
            size = mcnemar_size(gap, np.maximum(self.spread, gap), level=level, power=power)
        else:
            size = bernstein_size(gap, self.spread, span=self.span, level=level, power=power)
        # A zero gap favours neither direction, so both sample sizes stay infinite.
        sizes = np.stack([np.where(self.gap > 0, size, np.inf), np.where(self.gap < 0, size, np.inf)])
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.n > 0, sizes / self.n, np.inf)

    def _shifted(self, shift: float) -> FloatArray:
        """Return the absolute gap (p,) plus `shift` standard errors; if negative, a lower confidence limit at most.

        For 0/1 losses the limit is also at most that by Clopper and Pearson for the share of disagreements that favor
        the better model, so that equal models have a positive limit with probability at most 2 Phi(`shift`), exactly.
        For other losses the normal quantile is replaced by that of Student's t.
        """
        variance = np.maximum(self.spread - self.gap**2, 0.0) if self.binary else self.spread
        error = np.sqrt(variance / np.maximum(self.n, 1.0))
        size = np.abs(self.gap)
        if shift >= 0.0:
            return np.asarray(size + shift * error)
        from scipy.special import betaincinv, ndtr, stdtrit

        miss = float(ndtr(shift))
        if not self.binary:
            return np.asarray(np.maximum(size + stdtrit(np.maximum(self.n - 1.0, 1.0), miss) * error, 0.0))
        fewer, more = np.minimum(self.lost, self.won), np.maximum(self.lost, self.won)
        share = betaincinv(np.maximum(more, 1.0), fewer + 1.0, miss)
        exact = (2.0 * share - 1.0) * self.spread
        return np.asarray(np.maximum(np.minimum(size + shift * error, exact), 0.0))

    def extend(self, state: Any, now: float, then: float, rng: np.random.Generator) -> Any:
        """Return the state after simulated examples at the observed rates."""
        n, lost, won = state
        # Whole examples in all, however small a step.
        new = np.round(self.n * then) - np.round(self.n * now)
        if self.binary:
            disagree = rng.binomial(new.astype(np.int64), self.spread)
            more = rng.binomial(disagree, np.clip(0.5 + 0.5 * self.gap / np.maximum(self.spread, 1e-300), 0.0, 1.0))
            return n + new, lost + (disagree - more), won + more
        return n + new, lost, won + self.gap * new + rng.standard_normal(new.shape) * np.sqrt(self.spread * new)


@dataclass(frozen=True)
class WorstView:
    """An increasing measure of several columns: one model is better if it is in every column."""

    parts: tuple[PairView, ...]

    @property
    def n(self) -> FloatArray:
        """Common examples, in the column with most of them."""
        return np.asarray(np.stack([part.n for part in self.parts]).max(axis=0))

    @property
    def gap(self) -> FloatArray:
        """The smallest gap of all columns if they have the same sign, else 0."""
        gaps = np.stack([part.gap for part in self.parts])
        same = (gaps > 0).all(axis=0) | (gaps < 0).all(axis=0)
        return np.where(same, np.sign(gaps[0]) * np.abs(gaps).min(axis=0), 0.0)

    def take(self, rows: Indices) -> WorstView:
        """Return the same objective for some of the pairs."""
        return WorstView(tuple(part.take(rows) for part in self.parts))

    def growths(self, shift: float, level: float, power: float) -> FloatArray:
        """Return the largest factor that a column needs; the columns share the failure probability 1 - `power`."""
        chance = 1.0 - (1.0 - power) / len(self.parts)
        return np.asarray(np.stack([part.growths(shift, level, chance) for part in self.parts]).max(axis=0))


@dataclass(frozen=True)
class BoxView:
    """Boxes: one model is better if its box lies below the other's; lengths shrink like the inverse root of the size.

    `apart` (2, p) is how far the boxes extend towards each other from their estimates, if the first and if the second
    model is the better one, infinite if nothing is known; `error` (2, p) estimates the standard error of the gap from
    the same ends, for independent estimates. If `tight`, lower limits allow for any dependence.
    """

    n: FloatArray
    gap: FloatArray
    apart: FloatArray
    error: FloatArray
    tight: bool

    @classmethod
    def of(
        cls,
        estimate: FloatArray,
        box: FloatArray,
        n: int,
        first: Indices,
        second: Indices,
        *,
        delta: float,
        tight: bool = True,
    ) -> BoxView:
        """Return the view of estimates (M,) with boxes (M, 2), each at about `delta`, from n examples.

        Boxes without a share of delta (`delta` = 0) and unbounded ones never decide. Not `tight` are boxes of measures
        of several columns: they add half-lengths where standard errors only add in squares.
        """
        from scipy.special import ndtri

        above, below = box[:, 1] - estimate, estimate - box[:, 0]
        apart = np.stack([above[first] + below[second], above[second] + below[first]])
        known = np.isfinite(apart) & (delta > 0.0)
        # Half-lengths are at least standard errors times the normal quantile, so this is no underestimate.
        quantile = -float(ndtri(0.5 * min(max(delta, 1e-300), 1.0)))
        error = np.stack([np.hypot(above[first], below[second]), np.hypot(above[second], below[first])]) / quantile
        gap = estimate[second] - estimate[first]
        apart, error = np.where(known, apart, np.inf), np.where(known, error, 0.0)
        return cls(np.full(first.size, float(n)), gap, apart, error, tight)

    def take(self, rows: Indices) -> BoxView:
        """Return the same objective for some of the pairs."""
        return BoxView(self.n[rows], self.gap[rows], self.apart[:, rows], self.error[:, rows], self.tight)

    def growths(self, shift: float, level: float, power: float) -> FloatArray:
        """Return factors (2, p) at which the boxes, with a margin for `power`, fit between the estimates."""
        from scipy.special import ndtri

        # (s + t)^2 <= 2 (s^2 + t^2) for the standard errors of two estimates, whatever their dependence.
        steps = math.sqrt(2.0) * shift if self.tight and shift < 0.0 else shift
        gap = np.maximum(np.abs(self.gap) + steps * self.error, 0.0)
        needed = self.apart + max(float(ndtri(power)), 0.0) * self.error
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            factors = np.where(gap > 0.0, (needed / gap) ** 2, np.inf)
        right = np.stack([self.gap > 0.0, self.gap < 0.0])
        return np.where(right, np.maximum(factors, 1.0), np.inf)


def decided(shown: Bools, cheaper: Bools) -> Bools:
    """Return whether pairs are decided, from claims (N, 2, ...) and from which model is cheaper somewhere (2, ...)."""
    everywhere, somewhere = shown.all(axis=0), shown.any(axis=0) | cheaper
    dominated = (everywhere & ~cheaper[::-1]).any(axis=0)
    return np.asarray(dominated | somewhere.all(axis=0))


def simulated_growths(
    views: list[PairView],
    cheaper: Bools,
    level: float,
    replicates: int,
    factor: float,
    rng: int | np.random.Generator,
) -> FloatArray:
    """Return growth factors (p, replicates) at which simulated continuations are decided; infinite if never."""
    generator = np.random.default_rng(rng)
    found = np.full(cheaper.shape[1] * replicates, np.inf)
    runs = np.arange(found.size)
    pairs = runs // replicates
    views = [view.take(pairs) for view in views]
    states = [view.state for view in views]
    growth, added = 1.0, _FIRST_STEP
    while growth < factor and runs.size:
        step = min(1.0 + added, factor)
        moved = zip(views, states, strict=True)
        states = [view.extend(state, growth, step, generator) for view, state in moved]
        shown = np.stack([view.decides(state, level) for view, state in zip(views, states, strict=True)])
        done = decided(shown, cheaper[:, pairs])
        found[runs[done]] = step
        left = np.flatnonzero(~done)
        runs, pairs = runs[left], pairs[left]
        states = [view.part(state, left) for view, state in zip(views, states, strict=True)]
        views = [view.take(left) for view in views]
        growth, added = step, added * _STEP
    return found.reshape(-1, replicates)
