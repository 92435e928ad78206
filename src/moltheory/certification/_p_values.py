r"""P-values of "the mean loss of a is at least that of b, plus a shift", for all ordered pairs on common units.

Units are independent draws from one distribution. The test of a column is determined by sizes, and by whether a loss
inside the range was observed; `inference._inspection` accounts for that choice. The shares below are fixed in advance: if
p and q are p-values, so is the smaller of p/s and q/(1 - s).

* 0/1 losses, no shift: exact McNemar. Given the number of disagreements, the number in which a errs is binomial with
  probability at least 1/2 under the hypothesis.
* Few enough to evaluate every pair on every unit: bets recalculated toward the level (`inference._target_bets`). For 0/1
  losses with a shift nine tenths of the level; the rest goes to McNemar's test with a tolerance (`_slack_tests`).
* Otherwise: empirical Bernstein on the differences, at half the level; and bets, at the other half, on as many of the
  most promising pairs as fixed budgets of time and memory allow. For 0/1 losses with a shift a third each to McNemar's
  test with a tolerance, to a mixture of constant bets, which needs the counts only, and to bets on promising pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.certification._bernstein_tests import bernstein_p_values
from moltheory.certification._distinct import of_distinct
from moltheory.certification._pair_bets import Pairs, add_bets, bets_on_all, promising_pairs
from moltheory.certification._row_blocks import row_blocks
from moltheory.certification._slack_tests import Outcomes, count_bets, favored, slack_mcnemar
from moltheory.certification._statistics import Moments
from moltheory.evaluation._scan import Column, Scan
from moltheory.inference._paired import mcnemar_tails
from moltheory.inference._pairs import PairCounts

__all__ = [
    "BETTING",
    "EMPIRICAL_BERNSTEIN",
    "MCNEMAR",
    "SLACK_MCNEMAR",
    "PairTest",
    "chosen_test",
    "pair_tests",
]

MCNEMAR = "exact McNemar"
BETTING = "bets toward the level"
SLACK_MCNEMAR = "McNemar with tolerance, and bets toward the level"
EMPIRICAL_BERNSTEIN = "empirical Bernstein on differences, with bets on promising pairs"

# Share of the level that goes to bets where all pairs are bet on: with a shift and 0/1 losses; beyond, where some are.
_SLACK, _SOME_SLACK, _SOME = 0.9, 1.0 / 3.0, 0.5

# Tests other than bets are planned for a level of at most exp(-.1).
_LEAST = 0.1

# A column, and the shift in units of the range of its losses.
Request = tuple[int, float]


@dataclass(frozen=True)
class PairTest:
    """Which table of p-values is wanted.

    Attributes
    ----------
    column : int
    shift : float
        In units of the range of the losses; may be negative.
    log_levels : array
        Logarithms of the inverses of the levels for which the tests of (a, b) are planned, fixed before the losses are
        seen, of a shape that broadcasts to (M, M): (M,) is one level for each b, (M, 1) one for each a. NaN: the pair is
        of no interest, and its p-value may be 1.
    """

    column: int
    shift: float
    log_levels: FloatArray


def chosen_test(scan: Scan, index: int, shifted: bool) -> str:
    """Return the test of a column, from sizes and from whether a loss inside its range was observed."""
    if scan.columns[index].binary:
        return SLACK_MCNEMAR if shifted else MCNEMAR
    return BETTING if bets_on_all(scan, index) else EMPIRICAL_BERNSTEIN


def pair_tests(
    scan: Scan, found: Sequence[PairCounts | Moments], tests: Sequence[PairTest], *, relevant: float = 1.0
) -> list[FloatArray]:
    """Return p-values (M, M) per test: small ones are evidence that the row's mean is < the column's + shift.

    They are valid at every level, whatever the levels they are planned for.

    Parameters
    ----------
    scan : Scan
    found : sequence of PairCounts or Moments
        One per column.
    tests : sequence of PairTest
    relevant : float, default 1
        Larger p-values may be returned as 1.

    Returns
    -------
    list of (M, M) ndarray
        Read-only; 1 on the diagonal. Tests that do not depend on the level share their table, and so do those of the
        same hypotheses where the input is large.
    """
    size = scan.n_models
    result: list[FloatArray] = []
    done: dict[Request, FloatArray] = {}
    bets: dict[int, list[tuple[float, FloatArray, Pairs | None, float, FloatArray]]] = {}
    for test in tests:
        index, shift = test.column, test.shift
        summary = found[index]
        if chosen_test(scan, index, shift != 0.0) == MCNEMAR:
            if (index, shift) not in done:
                done[index, shift] = _mcnemar_table(summary, size, relevant)
            result.append(done[index, shift])
            continue
        planned = np.asarray(test.log_levels, dtype=np.float64)
        if not bets_on_all(scan, index):
            # Of large inputs, tests of the same hypotheses at two levels are one, between both.
            if (index, shift) in done:
                result.append(done[index, shift])
                continue
            planned = _middle([other.log_levels for other in tests if (other.column, other.shift) == (index, shift)])
        p, pairs, share = _other_tests(scan, index, summary, shift, planned, relevant)
        bets.setdefault(index, []).append((shift, np.broadcast_to(planned, (size, size)), pairs, share, p))
        done[index, shift] = p
        result.append(p)
    for index, wanted in bets.items():
        add_bets(scan, index, wanted)
    for p in result:
        if p.flags.writeable:
            np.fill_diagonal(p, 1.0)
            p.flags.writeable = False
    return result


def _middle(levels: Sequence[FloatArray]) -> FloatArray:
    """Return the means of levels of pairs; where only one is given, that one."""
    tables = np.broadcast_arrays(*levels)
    given = sum(np.isfinite(table).astype(np.float64) for table in tables)
    total = sum(np.where(np.isfinite(table), table, 0.0) for table in tables)
    return np.asarray(np.where(given > 0.0, total / np.maximum(given, 1.0), np.nan))


def _mcnemar_table(summary: PairCounts | Moments, size: int, relevant: float) -> FloatArray:
    p = np.ones((size, size))
    if isinstance(summary, PairCounts):
        for models in row_blocks(size):
            p[models] = _mcnemar(summary.outcomes(models), relevant)
    return p


def _mcnemar(outcomes: Outcomes, relevant: float) -> FloatArray:
    _, first, second = outcomes
    if relevant >= 0.5:
        return of_distinct(mcnemar_tails, first, second)
    # Where the row's model errs alone at least as often, the p-value is 1/2 or more.
    p = np.ones(first.shape)
    fewer = first < second
    p[fewer] = of_distinct(mcnemar_tails, first[fewer], second[fewer])
    return p


def _other_tests(
    scan: Scan, index: int, summary: PairCounts | Moments, shift: float, planned: FloatArray, relevant: float
) -> tuple[FloatArray, Pairs | None, float]:
    """Return p-values by tests other than bets, the pairs to bet on (None = all), and the share of the level for bets."""
    column, size = scan.columns[index], scan.n_models
    every = bets_on_all(scan, index)
    p = np.ones((size, size))
    levels, finite = np.broadcast_to(planned, (size, size)), planned[np.isfinite(planned)]
    if not finite.size:
        return p, None, 1.0
    # Fixed in advance like the levels; the strictest costs the others little.
    log_level = max(float(finite.max()), _LEAST)
    if isinstance(summary, Moments):
        if every:
            return p, None, 1.0

        def bernstein(models: slice) -> tuple[FloatArray, FloatArray]:
            found, normal = bernstein_p_values(summary, column, shift, models)
            return np.minimum(found / (1.0 - _SOME), 1.0), normal

        return p, promising_pairs(p, bernstein, levels, column.n_units), _SOME

    def counts(models: slice) -> tuple[FloatArray, FloatArray]:
        outcomes = summary.outcomes(models)
        return _with_slack(outcomes, column, shift, log_level, relevant, every=every), _scores(outcomes, shift)

    if every:
        for models in row_blocks(size):
            p[models] = counts(models)[0]
        return p, None, _SLACK
    return p, promising_pairs(p, counts, levels, column.n_units), _SOME_SLACK


def _with_slack(
    outcomes: Outcomes, column: Column, shift: float, log_level: float, relevant: float, *, every: bool = False
) -> FloatArray:
    """Return p-values of 0/1 losses with a shift by the tests that need counts only, at their shares of the level."""
    if relevant < 0.5:
        p = np.ones(outcomes[0].shape)
        some = favored(outcomes, shift)
        if some.any():
            common, first, second = outcomes
            chosen = common[some], first[some], second[some]
            p[some] = _with_slack(chosen, column, shift, log_level, 1.0, every=every)
        return p
    share = 1.0 - _SLACK if every else 0.5 * (1.0 - _SOME_SLACK)
    planned = log_level - np.log(share)

    def by_counts(*counts: npt.NDArray[np.int64]) -> FloatArray:
        common, first, second = counts
        found = slack_mcnemar((common, first, second), shift, planned)
        if not every:
            found = np.minimum(found, count_bets((common, first, second), column.n_units, shift, planned))
        return np.minimum(found / share, 1.0)

    return of_distinct(by_counts, *outcomes)


def _scores(outcomes: Outcomes, shift: float) -> FloatArray:
    """Return normal scores of the differences, shifted."""
    common, first, second = outcomes
    n = np.maximum(common, 1).astype(np.float64)
    gap = (second - first) / n
    variance = np.maximum((first + second) / n - gap**2, 1e-300)
    return np.asarray((gap + shift) / np.sqrt(variance / n))
