"""Sample sizes before any data: the number of examples that a comparison of two models needs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_choice, check_count, check_fraction, real_array
from moltheory.errors import InvalidInputError
from moltheory.inference._inspection import kept_after_inspection

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LARGEST", "bernstein_size", "critical_counts", "mcnemar_power", "mcnemar_size", "planned_sizes"]

# Share of delta that `certify` allocates to paired tests that decide models.
_SHARE = 0.85
# Largest size that is searched for; beyond it a plan is reported as infinite.
LARGEST = 10**9
# Binomial terms below this probability are left out of the power, which only lowers it.
_TAIL = 1e-9


@document
def planned_sizes(
    gaps: npt.ArrayLike,
    /,
    *,
    n_models: int,
    n_objectives: int = 1,
    delta: float = 0.05,
    disagreement: npt.ArrayLike = (0.02, 0.05, 0.1, 0.2),
    power: float = 0.8,
    losses: str = "any",
) -> pd.DataFrame:
    """Return the numbers of common examples needed to distinguish two models, by true gap and rate of disagreement.

    The planned claim is "this model's error is smaller than that one's in this objective", from 0/1 losses on
    independent examples (not clusters), by the paired test of `moltheory.certify`: at 85 % of delta over
    M max(M-1, N) for M models and N objectives. At this level the claim serves to exclude and to confirm a model; where
    known costs rule out rivals, fewer examples are needed. Excluding a model takes the claim in every objective, hence
    the largest of their sizes.

    Parameters
    ----------
    gaps : float or (k,) array_like
        True differences of the two error rates, in (0, 1].
    n_models : int
        Number M >= 2 of models that are compared.
    n_objectives : int, default 1
        Number N of objectives with data; known costs do not count.
    {delta_default}
    disagreement : float or (r,) array_like, default (0.02, 0.05, 0.1, 0.2)
        Probabilities that exactly one of the two models errs. Rows with a disagreement below the gap, which is
        impossible, are left out.
    power : float, default 0.8
        Probability of making the claim at that size, in (0, 1).
    losses : {"any", "bool"}, default "any"
        Type of the losses. "any": floats too; `certify` tests floats that are all 0 or 1 at 95 % of the level. "bool":
        bools, or integers in a range of length one, which are tested at the full level.

    Returns
    -------
    pandas.DataFrame
        One row per gap and disagreement, with these columns:

        * ``gap``, ``disagreement``;
        * ``level``: level of the test;
        * ``paired``: number of examples for the exact McNemar test;
        * ``power``: its exact power at that number;
        * ``paired_bound``: a sufficient number in closed form;
        * ``boxes``: number of examples from which two Hoeffding boxes, of all M N at delta, around averages exactly the
          gap apart are disjoint (a power of about one half);
        * ``ratio``: boxes / paired.

    Raises
    ------
    InvalidInputError
        If an argument is out of its range, or no disagreement is as large as some gap.

    Notes
    -----
    Complexity: time and memory grow with the number of gaps times that of disagreements. The exact power is not monotone
    in the sample size, but has small saw teeth; ``paired`` has the required power and is found by bisection, to one part
    in 2000.

    References
    ----------
    Q. McNemar (1947), doi 10.1007/BF02295996. ``paired_bound`` is derived (proof: planned-sizes): with gap g,
    disagreement r, L = log(1/level) and K = log(2/(1 - power)), the least n with g n - a sqrt(n) - b >= 0, where a =
    sqrt(2 r) (sqrt(K) + sqrt(L)), b = 2K/3 + sqrt(K L): by Bernstein's inequality for the difference D of the one-sided
    errors and for their number d, as Hoeffding's inequality bounds the p-value by exp(-D^2 / (2 d)).

    Examples
    --------
    >>> planned_sizes(0.03, n_models=2, disagreement=0.07)[["paired", "paired_bound", "boxes"]]
       paired  paired_bound   boxes
    0   681.0        2190.0  9738.0
    """
    import pandas as pd

    wanted = np.atleast_1d(real_array("gaps", gaps, shape="(k,)", min_ndim=0, max_ndim=1))
    rates = np.atleast_1d(real_array("disagreement", disagreement, shape="(r,)", min_ndim=0, max_ndim=1))
    for name, values in (("gaps", wanted), ("disagreement", rates)):
        if values.min() <= 0.0 or values.max() > 1.0:
            raise InvalidInputError(f"`{name}` must lie in (0, 1], got {values.min():g} to {values.max():g}.")
    if wanted.max() > rates.max():
        raise InvalidInputError(
            f"`disagreement` must be at least as large as the gap {wanted.max():g} somewhere, got {rates.max():g}."
        )
    check_fraction("power", power)
    check_choice("losses", losses, ("any", "bool"))
    models, objectives = check_count("n_models", n_models, low=2), check_count("n_objectives", n_objectives)
    share = _SHARE * check_fraction("delta", delta) / models
    level = share / max(models - 1, objectives)
    if losses == "any":
        level = kept_after_inspection(level, level)
    rows = []
    for gap in wanted:
        boxes = math.ceil(2.0 * math.log(2.0 * models * objectives / delta) / gap**2)
        for rate in rates[rates >= gap]:
            bound = float(mcnemar_size(gap, rate, level=level, power=power))
            paired = _exact_size(gap, rate, level, power, bound)
            found = mcnemar_power(int(paired), gap, rate, level=level) if math.isfinite(paired) else math.nan
            sizes = {"paired": paired, "power": found, "paired_bound": bound, "boxes": float(boxes)}
            rows.append({"gap": gap, "disagreement": rate, "level": level, **sizes, "ratio": boxes / paired})
    return pd.DataFrame(rows)


def mcnemar_size(gap: npt.ArrayLike, disagreement: npt.ArrayLike, /, *, level: float, power: float) -> FloatArray:
    """Return a sufficient sample size for the exact McNemar test, in closed form; infinite unless the gap is positive.

    See `planned_sizes` for the formula; one-sided level and power in (0, 1).
    """
    budget, miss = math.log(1.0 / level), math.log(2.0 / (1.0 - power))
    linear = np.sqrt(2.0 * np.asarray(disagreement, float)) * (math.sqrt(miss) + math.sqrt(budget))
    return _solve(gap, linear, 2.0 * miss / 3.0 + math.sqrt(miss * budget))


def bernstein_size(
    gap: npt.ArrayLike, variance: npt.ArrayLike, /, *, span: float, level: float, power: float
) -> FloatArray:
    r"""Return a sufficient sample size for the empirical Bernstein test, in closed form; infinite without a gap.

    Parameters
    ----------
    gap, variance : array_like
        Mean and variance of the differences of losses.
    span : float
        Length of the range of the differences, twice that of the losses.
    level, power : float
        One-sided level and probability to pass, in (0, 1).

    Returns
    -------
    ndarray of float

    Notes
    -----
    Derived (proof: planned-sizes): the test passes if xbar > sqrt(2 V L / n) + 7 R L / (3 (n-1)), L = log(2/level);
    with probability `power` xbar >= gap - sqrt(2 v K / n) - R K / (3 n) and sqrt(V) <= sqrt(v) + R sqrt(2 K / (n-1)), K
    = log(2/(1 - power)) (Bernstein; Maurer and Pontil 2009, arXiv 0907.3740, theorem 10).
    """
    budget, miss = math.log(2.0 / level), math.log(2.0 / (1.0 - power))
    linear = np.sqrt(2.0 * np.asarray(variance, float)) * (math.sqrt(miss) + math.sqrt(budget))
    constant = span * (7.0 * budget / 3.0 + miss / 3.0 + 2.0 * math.sqrt(miss * budget))
    return _solve(gap, linear, constant) + 1.0


def mcnemar_power(n: int, gap: float, disagreement: float, /, *, level: float) -> float:
    """Return the exact power of the one-sided McNemar test at `level` against a true gap, with n examples.

    The disagreements d are binomial(n, disagreement) and, given d, those against the better model are binomial with
    chance (1 - gap/disagreement)/2; numbers d of probability 1e-9 in all are left out.
    """
    from scipy.stats import binom

    low, high = binom.ppf(_TAIL / 2, n, disagreement), binom.isf(_TAIL / 2, n, disagreement)
    totals = np.arange(max(low, 1.0), max(high, 1.0) + 1.0)
    critical = critical_counts(totals, level)
    passed = np.where(critical >= 0, _below(np.maximum(critical, 0.0), totals, 0.5 * (1.0 - gap / disagreement)), 0.0)
    return float(np.sum(binom.pmf(totals, n, disagreement) * passed))


def critical_counts(totals: FloatArray, level: float, /) -> FloatArray:
    """Return the largest k with P(Bin(d, 1/2) <= k) <= level for each d >= 1 in `totals`, -1 where there is none."""
    from scipy.special import ndtri

    k = np.clip(np.floor(0.5 * totals + 0.5 * float(ndtri(level)) * np.sqrt(totals)), -1.0, totals - 1.0)
    moving = np.ones(k.shape, dtype=np.bool_)
    while moving.any():  # up while the next one passes; the guess is at most a few off
        moving[moving] = _below(k[moving] + 1.0, totals[moving], 0.5) <= level
        k[moving] += 1.0
    moving = k >= 0.0
    while moving.any():  # down while this one does not pass
        moving[moving] = _below(k[moving], totals[moving], 0.5) > level
        k[moving] -= 1.0
        moving &= k >= 0.0
    return k


def _below(k: FloatArray, totals: FloatArray, chance: float) -> FloatArray:
    """Return P(Bin(d, chance) <= k) for 0 <= k <= d."""
    from scipy.special import betainc

    inside = k < totals
    tails: FloatArray = np.where(inside, betainc(np.where(inside, totals - k, 1.0), k + 1.0, 1.0 - chance), 1.0)
    return tails


def _exact_size(gap: float, disagreement: float, level: float, power: float, bound: float) -> float:
    """Return a size with the required power, starting from that of the normal approximation."""
    if bound > LARGEST:
        return math.inf
    from scipy.special import ndtri

    def passes(n: int) -> bool:
        return mcnemar_power(n, gap, disagreement, level=level) >= power

    quantiles = math.sqrt(disagreement) * -float(ndtri(level)) + math.sqrt(disagreement - gap**2) * float(ndtri(power))
    guess = (max(quantiles, 0.0) / gap) ** 2
    low, high = int(0.95 * guess), int(1.05 * guess) + 5
    while passes(low) and low > 0:
        low, high = int(0.8 * low), low
    while not passes(high):
        low, high = high, int(1.25 * high) + 1
    while high - low > max(1, high // 2000):
        middle = (low + high) // 2
        low, high = (low, middle) if passes(middle) else (middle, high)
    return float(high)


def _solve(gap: npt.ArrayLike, linear: npt.ArrayLike, constant: float) -> FloatArray:
    """Return the smallest integer n with gap n - linear sqrt(n) - constant >= 0, infinite where gap <= 0."""
    g, a = np.broadcast_arrays(np.asarray(gap, float), np.asarray(linear, float))
    safe = np.where(g > 0.0, g, 1.0)
    root = (a + np.sqrt(a * a + 4.0 * safe * constant)) / (2.0 * safe)
    sizes: FloatArray = np.where(g > 0.0, np.ceil(root * root), np.inf)
    return sizes
