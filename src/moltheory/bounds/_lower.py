"""Lower bounds: what no learner can do from n examples, with the worlds in which it fails."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from moltheory._core._docs import document
from moltheory._core._html_repr import Shown
from moltheory._core._validation import FloatArray, check_count, check_fraction, check_real
from moltheory.errors import InvalidInputError

__all__ = ["LowerBound", "coverage_lower_bound", "impurity_probability"]

# More counts than that are put together into as many cells.
_MOST_COUNTS = 4096
# Larger samples tie with at most the probability of the most frequent count.
_MOST_SUMMED = 10**9
# Probability of counts that are left out of sums, per tail.
_TAIL = 1e-18


@dataclass(frozen=True)
class LowerBound(Shown):
    """An error that every learner makes in some world, and its probability.

    Attributes
    ----------
    gap : float
        The error.
    probability : float
        Every learner makes at least this error with at least this probability, on average over a family of worlds and
        so in some of them.
    n_active : int
        Number of objectives that the family uses: 1, or all of them.
    """

    gap: float
    probability: float
    n_active: int

    @property
    def expected(self) -> float:
        """The expected error of every learner, averaged over the family: at least ``gap * probability``."""
        return self.gap * self.probability


@document
def coverage_lower_bound(
    n: int, *, n_hypotheses: int, n_objectives: int = 1, n_front: int = 1, probability: float | None = None
) -> LowerBound:
    r"""Lower bound of the coverage error of all learners that return no more hypotheses than the true front has.

    For 0/1 losses, a finite class and any learner, randomized or not, that sees n examples and returns at most `n_front`
    hypotheses: averaged over the worlds of `moltheory.problems.planted_best` with this gap, the coverage error is at
    least ``gap`` with at least the stated probability. A learner that may return as many as it likes either covers the
    front no better or has a purity error of at least ``gap``.

    Parameters
    ----------
    n : int
        Sample size, >= 1: examples for each objective, shared or not.
    n_hypotheses : int
        \|H\|, a multiple of `n_front` and at least twice it.
    n_objectives : int, default 1
        Number N of data-dependent objectives.
    n_front : int, default 1
        Number K of Pareto-optimal hypotheses; for K > 1 the worlds have two known objectives more.
    probability : float, optional
        In (0, 1), below ``1 - (n_front / n_hypotheses)^n_front``, which guessing attains. By default that for which
        ``gap * probability``, the lower bound of the expected coverage error, is largest.

    Returns
    -------
    LowerBound

    {raises}

    Notes
    -----
    In each of K groups of M = \|H\| / K hypotheses all err half of the time, except that one of them errs less by the gap
    in one objective. A group is solved with probability at most ``1/M + (1 - 1/M) sqrt(((1 + 4 gap^2)^n - 1) / (N M))``,
    for N = 1 with exactly the probability that the smallest count of errors is the right one. The gap is about
    :math:`\frac12 \sqrt{\log(1 + N M / 4) / n}`, within a constant of the upper bound ``2 C`` of `forward`.

    Complexity: O(sqrt(n)) time and memory up to n = 200,000, constant from there on: counts are put together so that the
    gap stays valid, and is smaller by about 0.1%.

    References
    ----------
    Derived (proof: coverage-minimax).

    Examples
    --------
    >>> bound = coverage_lower_bound(1000, n_hypotheses=64, probability=0.5)
    >>> round(bound.gap, 4), bound.probability
    (0.0368, 0.5)
    >>> round(coverage_lower_bound(1000, n_hypotheses=64, n_objectives=100, probability=0.5).gap, 4)
    0.0429
    """
    size, count = check_count("n", n), check_count("n_objectives", n_objectives)
    groups = check_count("n_front", n_front)
    members, rest = divmod(check_count("n_hypotheses", n_hypotheses), groups)
    if rest or members < 2:
        raise InvalidInputError(
            f"`n_hypotheses` must be a multiple of `n_front` ({groups}) and at least twice it, got {n_hypotheses}."
        )
    most = -math.expm1(-groups * math.log(members))
    if probability is not None:
        wanted = check_fraction("probability", probability)
        if not wanted < most:
            raise InvalidInputError(
                f"`probability` must be below {most:.12g}, with which guessing fails, got {probability:g}."
            )
        return _at(wanted, size, members, count, groups)
    return _largest_product(size, members, count, groups)


def _at(probability: float, n: int, members: int, n_objectives: int, groups: int) -> LowerBound:
    """Return the largest gap known for one probability of failure."""
    # Every group must be solved, and they are independent.
    solved = math.exp(math.log1p(-probability) / groups)
    single = single_gap(solved, n, members)
    every = spread_gap(solved, n, members, n_objectives) if n_objectives > 1 else 0.0
    return LowerBound(max(single, every), probability, n_objectives if every > single else 1)


def _largest_product(n: int, members: int, n_objectives: int, groups: int) -> LowerBound:
    """Return the gap whose product with the probability of failure is largest, on grids that grow finer."""
    best = LowerBound(0.0, 0.0, 1)
    # Where the distance of two worlds is about 1; the product is unimodal, and any gap is valid.
    low, high = -4.0, 4.0
    scale = math.sqrt(math.log(members * n_objectives * groups) / n)
    for _ in range(4):
        for x in np.linspace(low, high, 12):
            gap = min(0.5, 0.5 * scale * 2.0 ** float(x))
            single = solved_probability(gap, n, members)
            every = spread_probability(gap, n, members, n_objectives)
            failing = -math.expm1(groups * math.log(min(single, every)))
            if gap * failing > best.expected:
                best, place = LowerBound(gap, failing, n_objectives if every < single else 1), float(x)
        low, high = (place + shift * (high - low) / 11.0 for shift in (-1.0, 1.0))
    return best


def spread_probability(gap: float, n: int, members: int, n_objectives: int) -> float:
    """Return a bound of P(a group is solved) where each objective may be the one with the gap."""
    exponent = n * math.log1p(4.0 * gap**2)
    if exponent > 500.0:
        return 1.0
    return min(1.0, 1.0 / members + (1.0 - 1.0 / members) * math.sqrt(math.expm1(exponent) / (n_objectives * members)))


def spread_gap(solved: float, n: int, members: int, n_objectives: int) -> float:
    """Return the gap with which a group is solved with at most this probability, whichever objective holds it."""
    if solved * members <= 1.0:
        return 0.0
    distance = members * ((solved * members - 1.0) / (members - 1.0)) ** 2
    return min(0.5, 0.5 * math.sqrt(math.expm1(math.log1p(n_objectives * distance) / n)))


def single_gap(solved: float, n: int, members: int) -> float:
    """Return the gap in one known objective with which the best learner solves a group with this probability."""
    from scipy.optimize import brentq

    if solved_probability(0.5, n, members) <= solved:
        return 0.5
    root = brentq(lambda gap: solved_probability(gap, n, members) - solved, 0.0, 0.5, xtol=1e-300, rtol=1e-13)
    # On the side where the statement is true, whatever the last digits of the root are.
    return float(root) * (1.0 - 1e-10)


def solved_probability(gap: float, n: int, members: int) -> float:
    """Return P(a count Bin(n, 1/2 - gap) is the smallest beside `members` - 1 counts Bin(n, 1/2), ties by lot)."""
    from scipy.stats import binom

    # Hoeffding's inequality: what is left out on the left has probability at most e^(-42) and counts as a win; on the
    # right there are no more wins than in the last count.
    reach = math.sqrt(21.0 * n) + 1.0
    first, last = max(0.0, math.floor((0.5 - gap) * n - reach)), min(float(n), math.ceil((0.5 - gap) * n + reach))
    if last - first < _MOST_COUNTS:
        counts = np.arange(first, last + 1.0)
        planted = binom.pmf(counts, n, 0.5 - gap)
    else:
        # The chance to win falls with the count: that of the first count of each cell is too large for the others.
        edges = np.unique(np.floor(np.linspace(first, last + 1.0, _MOST_COUNTS)))
        counts, planted = edges[:-1], np.diff(binom.cdf(edges - 1.0, n, 0.5 - gap))
    win = by_lot(binom.sf(counts - 1.0, n, 0.5), binom.pmf(counts, n, 0.5), members)
    return min(1.0, math.fsum((planted * win).tolist()) + _TAIL)


def by_lot(above: FloatArray, here: FloatArray, members: int) -> FloatArray:
    """Return P(no rival is below k and the lot falls on us), from P(rival >= k) and P(rival = k)."""
    # (S^M - (S - p)^M) / (M p), a mean of powers between S - p and S.
    share = np.clip(here / np.where(above > 0.0, above, 1.0), 0.0, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = -np.expm1(members * np.log1p(-share)) / (members * share)
    result: FloatArray = above ** (members - 1.0) * np.where(share > 0.0, mean, 1.0)
    return result


@document
def impurity_probability(n: int, *, gap: float, error: float = 0.5) -> float:
    r"""Lower bound of the probability that the empirical front has purity error 1, in a world of two hypotheses.

    In ``moltheory.problems.near_tie(error, gap)``, for every n: a decoy that errs more by the gap and costs 1 more is on
    the empirical front. As the gap falls to 0 this tends to almost 1/2 whatever n is, so no function of n that tends
    to 0 bounds the purity error of the empirical front for all distributions.

    Parameters
    ----------
    n : int
        Sample size, >= 1.
    gap : float
        In (0, 1 - error].
    error : float, default 0.5
        Error p of the good hypothesis, in (0, 1).

    Returns
    -------
    float
        ``(1 - sum_k P(Bin(n, p) = k)^2 - sqrt((1 + gap^2 / v)^n - 1)) / 2``, at least 0, where v is the larger variance of
        one error. The exact probability is ``near_tie(error, gap).decoy_probability(n)``.

    {raises}

    Notes
    -----
    Complexity: O(sqrt(n)) time and memory up to n = 10^9, constant from there on: the largest probability then stands for
    the sum of squares, and costs less than 1e-5 unless p is near 0 or 1.

    References
    ----------
    Derived (proof: impurity).

    Examples
    --------
    >>> round(impurity_probability(10_000, gap=0.0001), 4)
    0.4872
    """
    from scipy.stats import binom

    size, p = check_count("n", n), check_real("error", error, low=0.0, high=1.0, strict=True)
    shift = check_real("gap", gap, low=0.0, high=1.0)
    if shift == 0.0 or p + shift > 1.0:
        raise InvalidInputError(f"`gap` must be in (0, 1 - error], got {shift:g} with an error of {p:g}.")
    if size > _MOST_SUMMED:
        # A sum of squares of probabilities is at most the largest of them.
        ties = float(binom.pmf(math.floor((size + 1) * p), size, p)) * (1.0 + 1e-6)
    else:
        # Counts that are left out are less probable than the allowance for them.
        first, last = binom.ppf([_TAIL, 1.0 - 1e-16], size, p)
        counts = np.arange(max(first - 1.0, 0.0), min(last + 1.0, size) + 1.0)
        ties = math.fsum((binom.pmf(counts, size, p) ** 2).tolist()) + 1e-16
    spread = max(p * (1.0 - p), (p + shift) * (1.0 - p - shift))
    exponent = size * math.log1p(shift**2 / spread)
    return max(0.0, 0.5 * (1.0 - ties) - 0.5 * math.sqrt(math.expm1(min(exponent, 1.0))))
