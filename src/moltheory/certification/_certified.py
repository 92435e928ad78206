"""The certificate of losses that were scanned: boxes and p-values, and the decisions that follow from them."""

from __future__ import annotations

import math

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.certification._assumptions import assumptions_of
from moltheory.certification._asymptotic import Powers, selection
from moltheory.certification._boxes import box_method, column_box
from moltheory.certification._certificate import Certificate
from moltheory.certification._contrasts import CONTRAST_BETS
from moltheory.certification._decisions import allowed_pairs, decide
from moltheory.certification._effective_units import unit_powers
from moltheory.certification._evidence import levels_of, p_values
from moltheory.certification._measured import measure_boxes, tail_boxes
from moltheory.certification._p_values import chosen_test
from moltheory.certification._promises import Promise
from moltheory.certification._shares import Shares
from moltheory.certification._statistics import Moments, estimates
from moltheory.certification._student import STUDENT_BOX, STUDENT_TEST, student_box
from moltheory.certification._tail_tests import tail_test_name
from moltheory.evaluation._comparison import Comparison
from moltheory.evaluation._objectives import Objective
from moltheory.evaluation._scan import Scan
from moltheory.inference._pairs import PairCounts

__all__ = ["certified"]


def certified(
    problem: Comparison,
    scan: Scan,
    found: list[PairCounts | Moments],
    *,
    slack: FloatArray,
    shares: Shares,
    promise: Promise,
    delta: float,
    engine: str,
    sizes_stated: bool,
) -> Certificate:
    """Return the certificate of a problem, from its scan and the summaries of its columns.

    Parameters
    ----------
    problem : Comparison
        With the contrasts that are tested.
    scan : Scan
    found : list of PairCounts or Moments
        One per column.
    slack : (m,) ndarray
        Tolerance of each objective.
    shares : Shares
        Of `delta`.
    promise : Promise
    delta : float
    engine : str
    sizes_stated : bool
        Whether a largest size of clusters was stated.
    """
    estimated, approximate = problem.data_dependent, engine == "asymptotic"
    n_tested = sum(objective.tested for objective in problem.objectives)
    powers = unit_powers(scan, found, pairs=shares.tested) if approximate else None
    values, boxes, compared = _values_and_boxes(problem, scan, found, shares.boxes, powers or {})
    sign = np.where(problem.maximise, -1.0, 1.0)
    ends = compared * sign[:, None]
    below = not_above = near = size = None
    if shares.tested:
        allowed = allowed_pairs(ends.min(axis=2), ends.max(axis=2), ~estimated)
        levels = levels_of(promise, shares, allowed, n_tested)
        below, not_above = p_values(problem, scan, found, slack, levels, powers=powers)
        if powers is not None:
            near, size = selection(problem, scan, found, powers, slack, allowed, promise)
    # Measured costs may have infinite ends, which leave comparisons open.
    with np.errstate(invalid="ignore"):
        decisions = decide(
            ends.min(axis=2),
            ends.max(axis=2),
            ~estimated,
            slack / _scales(problem, scan),
            shares,
            promise=promise,
            below=below,
            not_above=not_above,
            near=near,
            size=size,
        )
    return Certificate(
        names=problem.model_names,
        objectives=tuple(objective.name for objective in problem.objectives),
        maximise=problem.maximise,
        data_dependent=estimated,
        **decisions.claims,
        measured=estimated & ~problem.of_losses,
        error=promise.error,
        dependence=promise.dependence,
        verdicts=promise.verdicts,
        engine=engine,
        fingerprint=scan.prints.fingerprint,
        # A sum of shares may exceed delta by rounding.
        adjusted_p_value=np.minimum(decisions.level, delta) if shares.measured else decisions.level,
        estimates=values,
        boxes=boxes,
        epsilon=slack,
        delta=delta,
        delta_allocation=shares.allocation(),
        n_examples=_n_examples(problem, scan),
        n_clusters=max((column.n_units for column in scan.columns if column.clustered), default=0),
        methods=tuple(_method(problem, scan, o, slack, shares, powers or {}) for o in problem.objectives),
        assumptions=assumptions_of(
            problem,
            scan,
            sizes_stated=sizes_stated,
            tested=shares.tested,
            approximate=approximate,
        ),
    )


def _n_examples(problem: Comparison, scan: Scan) -> int:
    tails = [objective.n_measured for objective in problem.objectives if objective.tail is not None]
    return int(max([column.n_examples for column in scan.columns] + tails))


def _scales(problem: Comparison, scan: Scan) -> FloatArray:
    """Return the units (m,) in which objectives are compared: the range of a column for its mean, else 1."""
    return np.array([scan.columns[o.columns[0]].span if _is_mean(o) else 1.0 for o in problem.objectives])


def _is_mean(objective: Objective) -> bool:
    """Whether the objective is the mean of one column."""
    return bool(objective.columns) and objective.measure is None


def _values_and_boxes(
    problem: Comparison, scan: Scan, found: list[PairCounts | Moments], share: float, powers: Powers
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return estimates (M, m) and boxes (M, m, 2) in the caller's units, and boxes in the units of `_scales`.

    Decisions use the latter: far from 0, differences are lost to rounding in the caller's units.
    """
    n_tails = sum(objective.tail is not None for objective in problem.objectives)
    each = share / (scan.n_models * (len(scan.columns) + n_tails))
    means, lows, highs, scaled = [], [], [], []
    for index, (column, summary) in enumerate(zip(scan.columns, found, strict=True)):
        ends = (0.0, 1.0) if column.bounded else (column.low, column.high)
        lower, upper = (np.full(scan.n_models, end) for end in ends)
        if share > 0.0 and isinstance(summary, Moments) and index in powers:
            lower, upper = student_box(scan, index, summary, powers[index], each)
        elif share > 0.0:
            kept, spent = column.kept_level(-math.log(each))
            lower, upper = column_box(scan, index, summary, kept * (each - spent))
        means.append(column.to_original_units(estimates(summary, bounded=column.bounded)))
        lows.append(column.to_original_units(lower, outward=-1))
        highs.append(column.to_original_units(upper, outward=1))
        scaled.append((lower, upper))
    values, boxes, compared = [], [], []
    for objective in problem.objectives:
        parts = tuple([ends[c] for c in objective.columns] for ends in (means, lows, highs))
        if objective.values is not None:
            value, box = objective.values, (objective.values, objective.values)
        elif objective.measured is not None:
            value, box = objective.measured.value, (objective.measured.low, objective.measured.high)
        elif objective.tail is not None:
            value, box = tail_boxes(objective, each)
        elif objective.measure is None:
            value, box = parts[0][0], (parts[1][0], parts[2][0])
        else:
            value, box = measure_boxes(objective, *parts)
        values.append(value)
        boxes.append(box)
        compared.append(scaled[objective.columns[0]] if _is_mean(objective) else box)
    shaped = [np.moveaxis(np.array(b, dtype=np.float64), (0, 1, 2), (1, 2, 0)) for b in (boxes, compared)]
    return np.stack(values, axis=1), shaped[0], shaped[1]


def _method(
    problem: Comparison, scan: Scan, objective: Objective, slack: FloatArray, shares: Shares, powers: Powers
) -> str:
    """Return interval and test of an objective as text."""
    if objective.values is not None:
        return "known exactly"
    if objective.measured is not None:
        return f"measured; intervals at {1.0 - objective.measured.delta:g}; no paired test"
    words = []
    if shares.boxes > 0.0:
        kinds = dict.fromkeys(STUDENT_BOX if c in powers else box_method(scan, c) for c in objective.columns)
        words.append(type(objective.tail).__name__ if objective.tail is not None else " and ".join(kinds))
    if shares.tested:
        moves = (False, True) if slack[problem.objectives.index(objective)] > 0.0 else (False,)
        tests = dict.fromkeys(
            STUDENT_TEST if c in powers else chosen_test(scan, c, shifted)
            for c in objective.columns
            for shifted in moves
        )
        used = [*(tests if objective.testable else ()), *([CONTRAST_BETS] if objective.forms is not None else ())]
        words.append(" and ".join(used) or tail_test_name(objective))
    elif not objective.tested:
        words.append("no paired test")
    return "; ".join(words)
