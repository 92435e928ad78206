r"""P-values of "the mean loss of a is at least that of b, plus a shift", for all ordered pairs on common units.

Three tests, each valid for independent units in any order. The test of a column is determined by sizes, and by whether
a loss inside the range was observed; `inference._inspection` accounts for that choice.

* 0/1 losses, no shift: exact McNemar. Given the number of disagreements, the number in which a errs is binomial with
  probability at least 1/2 under the hypothesis.
* 0/1 losses with a shift e: twice the smaller of two p-values. (a) Given m disagreements, only a errs in a share of at
  least :math:`1/2 + e / (2 q)` of them, where q is the probability of a disagreement; q is replaced by the end of a
  Clopper-Pearson interval for it that makes this share smallest, whose failure probability g, fixed in advance, is
  added (R. L. Berger and D. D. Boos 1994, doi 10.1080/01621459.1994.10476836). (b) Bets, as follows.
* Few enough to evaluate every pair on every unit: a mixture of constant bets. For :math:`0 \le \lambda < 1`,
  :math:`K = \mathrm{mean}_\lambda \prod_t (1 + \lambda (e s_t - d_t))`, with d_t the difference on unit t and s_t
  its size, is non-negative with mean at most 1 under the hypothesis :math:`E d \ge e E s`, so 1/K is a p-value
  (Markov's inequality).
* Otherwise: empirical Bernstein on the differences, from their sums and sums of squares, at half the level; and bets,
  at the other half, on as many of the most promising pairs as a fixed budget allows. A pair without bets has p = 1
  there, so the choice of pairs may depend on the data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.bounds import binomial_interval
from moltheory.certification._statistics import Moments
from moltheory.evaluation._scan import Column, Scan
from moltheory.inference._binomial_tails import lower_tails
from moltheory.inference._paired import mcnemar_tails
from moltheory.inference._pairs import PairCounts

__all__ = [
    "BETS",
    "BETTING",
    "EMPIRICAL_BERNSTEIN",
    "MCNEMAR",
    "SLACK_MCNEMAR",
    "chosen_test",
    "pair_p_values",
    "planned_bets",
    "row_blocks",
]

MCNEMAR = "exact McNemar"
BETTING = "mixture of constant bets"
SLACK_MCNEMAR = "McNemar with tolerance, and a mixture of constant bets"
EMPIRICAL_BERNSTEIN = "empirical Bernstein on differences, with bets on promising pairs"

Pairs = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]

# Number of constant bets in a mixture, and the ratio of neighbors.
BETS = 8
_RATIO = 1.5
# Largest number of models^2 x units x columns for which every pair is bet on; beyond, pairs x units per column.
_PRODUCTS = 2 * 10**8
_CAP = 0.99
# Share of the level of one pair that goes to the probability to disagree.
_NUISANCE = 0.05

# Entries of a table of pairs that are worked on at a time.
_ENTRIES = 2**19

# Numbers of common examples, and of those on which only the first, only the second errs.
Outcomes = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]
# A column, and the shift in units of the range of its losses.
Request = tuple[int, float]


def chosen_test(scan: Scan, index: int, shifted: bool) -> str:
    """Return the test of a column, from sizes and from whether a loss inside its range was observed."""
    if scan.columns[index].binary:
        return SLACK_MCNEMAR if shifted else MCNEMAR
    # The total size over all columns, so that the choice of test does not depend on the values in any other column.
    entries = sum(column.n_units for column in scan.columns)
    return BETTING if entries * scan.n_models**2 <= _PRODUCTS else EMPIRICAL_BERNSTEIN


def planned_bets(n: int, log_level: float, shift: float) -> FloatArray:
    """Return constant bets suited to differences of standard deviation 1, 2/3, 4/9, ... at a level, capped.

    ``sqrt(2 log(1/level) / n) / deviation`` is the best bet against a mean difference that is just large enough.
    """
    bets = np.sqrt(2.0 * log_level / n) * _RATIO ** np.arange(BETS)
    capped: FloatArray = np.minimum(bets, _CAP / (1.0 + max(-shift, 0.0)))
    return capped


def pair_p_values(
    scan: Scan,
    found: Sequence[PairCounts | Moments],
    requests: Iterable[Request],
    *,
    log_level: float,
    relevant: float = 1.0,
) -> dict[Request, FloatArray]:
    """Return p-values (M, M) per request: small ones are evidence that the row's mean is < the column's + shift.

    Parameters
    ----------
    scan : Scan
    found : sequence of PairCounts or Moments
        One per column.
    requests : iterable of (int, float)
        Columns with shifts, which may be negative.
    log_level : float
        Logarithm of the inverse of the level for which the bets are planned.
    relevant : float, default 1
        Larger p-values may be returned as 1.
    """
    result: dict[Request, FloatArray] = {}
    pairs: dict[Request, Pairs] = {}
    for index, shift in dict.fromkeys(requests):
        summary, column = found[index], scan.columns[index]
        test = chosen_test(scan, index, shift != 0.0)
        p = np.ones((scan.n_models,) * 2)
        if isinstance(summary, PairCounts):
            for models in row_blocks(scan.n_models):
                outcomes = summary.outcomes(models)
                if test == MCNEMAR:
                    p[models] = _mcnemar(outcomes, relevant)
                else:
                    p[models] = _with_slack(outcomes, column, shift, log_level, relevant)
        elif test == BETTING:
            first, second = np.nonzero(~np.eye(scan.n_models, dtype=np.bool_))
            pairs[index, shift] = first, second
        else:
            pairs[index, shift] = _bernstein_and_promising(summary, column, shift, log_level, p)
        result[index, shift] = p
    for (index, shift), bet in _row_bets(scan, pairs, log_level).items():
        half = 1.0 if chosen_test(scan, index, shift != 0.0) == BETTING else 2.0
        first, second = pairs[index, shift]
        p = result[index, shift]
        p[first, second] = np.minimum(p[first, second], half * bet)
    for p in result.values():
        np.fill_diagonal(p, 1.0)
    return result


def row_blocks(n_models: int) -> Iterator[slice]:
    """Yield slices of the rows of an (M, M) table, so that work in between takes little memory."""
    step = max(1, _ENTRIES // n_models)
    for start in range(0, n_models, step):
        yield slice(start, min(start + step, n_models))


def _bernstein_and_promising(moments: Moments, column: Column, shift: float, log_level: float, p: FloatArray) -> Pairs:
    """Fill in p-values at half the level; return the pairs that a normal approximation decides and they do not.

    The clearest come first, and the list ends with the budget.
    """
    size = p.shape[0]
    parts = []
    for models in row_blocks(size):
        bernstein, normal = _empirical_bernstein(moments, column, shift, models)
        bernstein = np.minimum(2.0 * bernstein, 1.0)
        open_pairs = (-np.log(np.maximum(bernstein, 1e-300)) < log_level) & (0.5 * normal**2 > 0.8 * log_level)
        own = np.arange(size)[models]
        open_pairs[np.arange(own.size), own] = False
        first, second = np.nonzero(open_pairs)
        parts.append((first + models.start, second, normal[first, second]))
        p[models] = bernstein
    first, second, scores = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.argsort(-scores, kind="stable")[: max(1, _PRODUCTS // column.n_units)]
    return first[order], second[order]


def _mcnemar(outcomes: Outcomes, relevant: float) -> FloatArray:
    _, first, second = outcomes
    if relevant >= 0.5:
        return mcnemar_tails(first, second)
    # Where the row's model errs alone at least as often, the p-value is 1/2 or more.
    p = np.ones(first.shape)
    fewer = first < second
    p[fewer] = mcnemar_tails(first[fewer], second[fewer])
    return p


def _with_slack(outcomes: Outcomes, column: Column, shift: float, log_level: float, relevant: float) -> FloatArray:
    common, first, second = outcomes
    if relevant < 0.5:
        # Where the means do not speak for the row's model, no product of bets exceeds 1 (log(1 + x) <= x), and the
        # number of its errors is at least the mean of the binomial one, hence its median: the p-value is 1.
        p = np.ones(common.shape)
        favored = second - first + shift * common > 0.0
        if favored.any():
            chosen = common[favored], first[favored], second[favored]
            p[favored] = _with_slack(chosen, column, shift, log_level, 1.0)
        return p
    smaller = np.minimum(_slack_mcnemar(outcomes, shift, log_level), _count_bets(outcomes, column, shift, log_level))
    return np.minimum(2.0 * smaller, 1.0)


def _slack_mcnemar(outcomes: Outcomes, shift: float, log_level: float) -> FloatArray:
    common, first, second = outcomes
    total, common = first + second, np.maximum(common, 1)
    spent = _NUISANCE * np.exp(-log_level)
    side = "upper" if shift > 0.0 else "lower"
    interval = binomial_interval(total, _one_if_equal(common), delta=spent, side=side)
    ends = interval.upper if shift > 0.0 else np.maximum(interval.lower, 1e-300)
    share = np.clip(0.5 + 0.5 * shift / ends, 0.0, 1.0)
    tail = lower_tails(first, np.maximum(total, 1), share)
    return np.where(total > 0, np.minimum(tail + spent, 1.0), 1.0)


def _one_if_equal(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return one number for all if they are equal, for which intervals of equal counts are computed once."""
    return counts.ravel()[:1] if counts.min() == counts.max() else counts


def _count_bets(outcomes: Outcomes, column: Column, shift: float, log_level: float) -> FloatArray:
    """Return p-values by bets; for differences that are -1, 0 or 1 they depend on the numbers of these only."""
    bets = planned_bets(column.n_units, log_level, shift)
    common, first, second = outcomes
    ties = common - first - second
    logs = (
        first[..., None] * np.log1p(bets * (shift - 1.0))
        + second[..., None] * np.log1p(bets * (shift + 1.0))
        + ties[..., None] * np.log1p(bets * shift)
    )
    return _inverse(np.logaddexp.reduce(logs, axis=-1) - np.log(BETS), column.n_units)


def _row_bets(scan: Scan, pairs: dict[Request, Pairs], log_level: float) -> dict[Request, FloatArray]:
    """Return p-values of the listed pairs of each request, in one pass over the units."""
    wanted = {request: chosen for request, chosen in pairs.items() if chosen[0].size}
    if not wanted:
        return {}
    from moltheory.inference._bets import add_log_factors

    bets = {(index, shift): planned_bets(scan.columns[index].n_units, log_level, shift) for index, shift in wanted}
    logs = {request: np.zeros((chosen[0].size, BETS)) for request, chosen in wanted.items()}
    for units in scan.units({index for index, _ in wanted}):
        rows = np.ascontiguousarray(units.values.T, dtype=np.float64)
        sizes = np.ones(rows.shape[1]) if units.sizes is None else units.sizes
        for request, (first, second) in wanted.items():
            if request[0] == units.column:
                add_log_factors(rows, sizes, request[1], bets[request], first, second, logs[request])
    return {
        request: _inverse(np.logaddexp.reduce(found, axis=1) - np.log(BETS), scan.columns[request[0]].n_units)
        for request, found in logs.items()
    }


def _inverse(log_capital: FloatArray, n: int) -> FloatArray:
    """Return 1/capital as a p-value, increased by the possible rounding of n factors."""
    return np.exp(np.minimum(-log_capital + n * 4e-16 + 1e-12, 0.0))


def _empirical_bernstein(
    moments: Moments, column: Column, shift: float, models: slice
) -> tuple[FloatArray, FloatArray]:
    """Return p-values and normal scores of some of the rows.

    P-values are the solutions p of ``mean + sqrt(2 V log(2/p) / n) + 7 * 2 log(2/p) / (3 (n - 1)) = shift * mean
    size``.
    """
    common, total, squares, rounding = moments.pairs.differences(models)
    n, squares = common.astype(np.float64), squares + rounding
    span = 2.0 if abs(shift) <= 1.0 else 2.0 + abs(shift)
    if shift and not column.equal_cluster_sizes:
        if not column.complete:
            # The sizes of the clusters that a pair has in common are not kept.
            return np.ones_like(n), np.full_like(n, np.inf)
        across = moments.with_sizes[models, None] - moments.with_sizes[None, :]
        squares = squares - 2.0 * shift * across + shift**2 * moments.sizes_sq[models, None]
        total = total - shift * moments.sizes[models, None]
    elif shift:
        squares = squares - 2.0 * shift * total + shift**2 * n
        total = total - shift * n
    many = np.maximum(n, 2.0)
    variance = np.maximum(squares - total**2 / many, 0.0) / (many - 1.0)
    gain = np.maximum(-total / many - 1e-13, 0.0)
    root = np.sqrt(2.0 * variance / many)
    slope = 7.0 * span / (3.0 * (many - 1.0))
    budget = (2.0 * gain / (root + np.sqrt(root**2 + 4.0 * slope * gain) + 1e-300)) ** 2
    p = np.where(n >= 2.0, np.minimum(2.0 * np.exp(-budget * (1.0 - 1e-9)), 1.0), 1.0)
    return p, gain / np.sqrt(np.maximum(variance / many, 1e-300))
