r"""P-values of measures that are the largest of linear forms in group means: gaps, spreads, worst groups, paired.

Let :math:`v(m) = \max_j \langle c_j, \mu(m) \rangle` be the measure of model m, with :math:`\mu(m)` the means of its cells
and :math:`c_j` the forms that the measure declares (`Measure.linear_forms`): two signed differences for `Gap`, one per
ordered pair of groups for `Spread`, the groups themselves for `Worst`, the signed differences of all parts for a `Worst`
of gaps, as in equalized odds. With the matched units :math:`x_t(m)` of `_matched_units`, for the hypothesis
:math:`v(a) \ge v(b) + e`:

* For each k, bet on the gains :math:`d_t = \langle c_{j_t}, x_t(b) \rangle + e - \langle c_k, x_t(a) \rangle`, scaled
  to [-1, 1], where the form :math:`j_t` (for a gap: the sign of b's difference) and the bet :math:`\lambda_t` in [0, 0.9]
  may depend on the units before t. Let :math:`W_t` be the capital, the product of :math:`1 + \lambda_s d_s` up to t, and
  :math:`p_k = 1 / \max_t W_t`.
* The p-value is :math:`\max_k p_k`.

*Claim.* Under the hypothesis, :math:`P(\max_k p_k \le \alpha) \le \alpha`.

*Proof.* Let k be a form with :math:`\langle c_k, \mu(a) \rangle = v(a)`; it is fixed by the population. Under the
hypothesis :math:`\langle c_j, \mu(b) \rangle + e \le v(b) + e \le \langle c_k, \mu(a) \rangle` for *every* j, so the mean
of :math:`d_t` given the units before t is at most 0 whichever form was chosen. The capital is then a non-negative
supermartingale that starts at 1, and reaches :math:`1 / \alpha` with probability at most :math:`\alpha` (Ville). As
:math:`\max_k p_k \ge p_k`, so is the probability of the claim. (Derived; proof: contrasts: intersection-union over the
forms of a, R. L. Berger 1982, doi 10.1080/00401706.1982.10487790; none has to be paid for the choice among those of b,
as every one of these hypotheses is true and the choice is made before the unit is seen. Choosing it afterwards, from
all units, fails: for a gap it is a two-sided test at a one-sided price.)

The bet asks for what would reach the target level from the present capital in the units left, given the spread of the
gains so far (V. Voracek, F. Orabona 2025, arXiv 2505.22422); the form is the one whose gains so far have the largest ratio
of sum to root of the sum of squares. Neither matters for validity. When the target is reached the next one is its square.

For a measure that also increases in its cells (`Worst` of rates) the test of every column is at hand, too: "b is worse
in each group", which is stronger for 0/1 losses but useless where models are worst in different groups. The two share
the level, `_COLUMNS` for the former.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from moltheory._core._text import quoted
from moltheory._core._validation import FloatArray
from moltheory.certification._matched_units import can_match, matched_units
from moltheory.errors import InvalidInputError
from moltheory.evaluation._comparison import Comparison
from moltheory.evaluation._objectives import Objective
from moltheory.objectives import Measure
from moltheory.objectives._measure_contract import forms_of, value_at

__all__ = ["CONTRAST_BETS", "bet_p_values", "contrast_p_values", "contrast_tables", "with_contrasts"]

CONTRAST_BETS = "bets on contrasts of matched units"

# Share of the level for the tests of columns where these apply too: they lose 0.22 of the log level to it, about 9.
_COLUMNS = 0.8
# Pairs x forms^2 x units that are bet on at most; the pairs with the largest differences come first.
_PRODUCTS = 25 * 10**7


def with_contrasts(problem: Comparison) -> Comparison:
    """Return the problem with `Objective.forms` of the objectives that are tested by contrasts.

    These have a measure that declares linear forms of at least two cells; conditions do not depend on the model and select
    groups that are disjoint or equal; no loss is missing; the range of losses is finite; and there are no clusters.
    """
    forms = [_forms_to_test(objective, clustered=problem.clustered) for objective in problem.objectives]
    entries = zip(problem.objectives, forms, strict=True)
    return replace(problem, objectives=tuple(replace(objective, forms=found) for objective, found in entries))


def contrast_tables(
    objective: Objective,
    slack: float,
    exclusions: FloatArray,
    members: float,
    columns: tuple[FloatArray | None, FloatArray | None],
    *,
    maximise: bool,
) -> tuple[FloatArray | None, FloatArray | None]:
    """Return p-values (M, M) against "not better" and "worse by the tolerance or more"; those of `columns` if no others.

    Parameters
    ----------
    objective : Objective
    slack : float
        Tolerance, in units of the measure.
    exclusions, members : (M,) ndarray, float
        Logarithms of the inverse levels that are planned for: of pairs (., h), and of the second kind of tests.
    columns : pair of (M, M) ndarray or None
        The same p-values from tests of the columns, with all their deductions.
    maximise : bool
    """
    if objective.forms is None:
        return columns
    turned = [None if table is None else table.T if maximise else table for table in columns]
    planned = exclusions[:, None] if maximise else exclusions[None, :]
    if slack == 0.0 and (columns[0] is columns[1] or turned[0] is None):
        # One hypothesis.
        one = contrast_p_values(objective, 0.0, np.maximum(planned, members), columns=turned[0])
        found = [one, one]
    else:
        found = [
            contrast_p_values(objective, 0.0, planned, columns=turned[0]),
            contrast_p_values(objective, slack, members, columns=turned[1]),
        ]
    below, not_above = (None if table is None else table.T if maximise else table for table in found)
    return below, not_above


def contrast_p_values(
    objective: Objective, shift: float, log_levels: npt.ArrayLike, *, columns: FloatArray | None = None
) -> FloatArray | None:
    """Return p-values (M, M): small ones are evidence that the row's measure is < the column's + shift; None = no test.

    Parameters
    ----------
    objective : Objective
        One of `with_contrasts`, with the measure, which holds its losses. Its direction is not taken into account.
    shift : float
        In units of the measure.
    log_levels : array_like, broadcast to (M, M)
        Logarithm of the inverse of the level for which the bets on a pair are planned; (M,): of pairs (., b).
    columns : (M, M) ndarray, optional
        P-values of the same hypotheses from tests of each column, with all their deductions, for a measure that
        increases in its cells. They are combined with those of contrasts, or returned where there are none.

    Raises
    ------
    InvalidInputError
        If the largest of the linear forms is not the value.
    """
    forms, measure = objective.forms, objective.measure
    if forms is None or measure is None:
        return columns
    value = _checked_value(objective, measure, forms)
    units = matched_units(measure.cells, objective.loss_range)
    size = value.size
    first, second = _hopeful_pairs(value, shift, max(1, _PRODUCTS // (units.shape[2] * forms.shape[0] ** 2)))
    extra = 0.0 if columns is None else -math.log1p(-_COLUMNS)
    planned = np.broadcast_to(np.asarray(log_levels, dtype=np.float64), (size, size))[first, second]
    # A target is needed also where the level is near 1.
    goals = np.maximum(planned + extra, 1.0)
    p = np.ones((size, size))
    p[first, second] = bet_p_values(units, forms, objective.loss_range, shift, first, second, goals)
    if columns is None:
        return p
    both: FloatArray = np.minimum(np.minimum(columns / _COLUMNS, p / (1.0 - _COLUMNS)), 1.0)
    return both


def _hopeful_pairs(value: FloatArray, shift: float, most: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the pairs whose estimates speak against the hypothesis, at most so many, the clearest ones; by the second.

    Other pairs have p = 1, so this choice may depend on the data.
    """
    gain = value[:, None] + shift - value[None, :]
    np.fill_diagonal(gain, 0.0)
    second, first = np.nonzero(gain > 0.0)
    if first.size > most:
        kept = np.sort(np.argsort(-gain[second, first], kind="stable")[:most])
        first, second = first[kept], second[kept]
    return first, second


def bet_p_values(
    units: FloatArray,
    forms: FloatArray,
    loss_range: tuple[float, float],
    shift: float,
    first: npt.NDArray[np.intp],
    second: npt.NDArray[np.intp],
    goals: FloatArray,
) -> FloatArray:
    """Return p-values of pairs (P,) of models from matched units (C, M, T), losses scaled to [0, 1]."""
    from moltheory.certification._contrast_bets import log_capitals

    low, high = loss_range
    span = high - low
    # The common part of the offsets has no influence, and would round them.
    offsets = low * (forms.sum(axis=1) - forms[0].sum())
    most = (offsets + span * np.maximum(forms, 0.0).sum(axis=1)).max()
    least = (offsets + span * np.minimum(forms, 0.0).sum(axis=1)).min()
    reach = float(most - least) + abs(shift)
    if reach == 0.0:
        return np.ones(first.size)
    # What rounding of gains and factors can add to the log capital: so much more is asked for, and taken off.
    rounding = 4e-15 * units.shape[2] * (units.shape[0] + 2) + 1e-12
    logs = np.zeros(first.size)
    log_capitals(
        units, forms * (span / reach), offsets / reach, shift / reach, first, second, goals + 2.0 * rounding, logs
    )
    p: FloatArray = np.exp(np.minimum(rounding - logs, 0.0))
    return p


def _forms_to_test(objective: Objective, *, clustered: bool) -> FloatArray | None:
    measure = objective.measure
    if measure is None or clustered or len(measure.cells) < 2 or not np.isfinite(objective.loss_range).all():
        return None
    forms = forms_of("objectives", measure)
    return forms if forms is not None and can_match(measure.cells) else None


def _checked_value(objective: Objective, measure: Measure, forms: FloatArray) -> FloatArray:
    """Return the value (M,) at the cells' means; refuse one that is not the largest form."""
    means = [np.asarray(cell.losses[cell.where].mean(axis=0), dtype=np.float64) for cell in measure.cells]
    value = value_at("objectives", objective.name, measure, means, means[0].size)
    largest = (forms @ np.stack(means)).max(axis=0)
    wrong = ~(np.abs(value - largest) <= 1e-9 * np.maximum(1.0, np.abs(value)))
    if wrong.any():
        m = int(np.flatnonzero(wrong)[0])
        raise InvalidInputError(
            f"`objectives` must have the largest of their `linear_forms` as value, got {largest[m]:g} for {value[m]:g} in "
            f"{quoted(objective.name)}: `moltheory.testing.check_measure` shows where."
        )
    return value
