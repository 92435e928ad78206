"""Estimates and boxes of measures and tails, from those of their cells; what contradicts itself is refused.

A measure from outside says itself what its interval and half-width are, and whether it increases. All of it is compared
with its values at the means and at the ends of the boxes, where a false statement would matter; that refuses what is
wrong there, and proves nothing about the rest: `moltheory.testing.check_measure` tries many more points.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from moltheory._core._text import quoted
from moltheory._core._validation import FloatArray
from moltheory.errors import InvalidInputError
from moltheory.evaluation._objectives import Objective
from moltheory.objectives import Measure
from moltheory.objectives._measure_contract import interval_at, real_answer, value_at, width_at

__all__ = ["cell_shift", "measure_boxes", "tail_boxes"]

_MOVES = 50


def measure_boxes(
    objective: Objective, means: list[FloatArray], lows: list[FloatArray], highs: list[FloatArray]
) -> tuple[FloatArray, tuple[FloatArray, FloatArray]]:
    """Return the value (M,) and the interval of a measure; refuse values and intervals that contradict each other."""
    measure, name, n_models = objective.measure, objective.name, means[0].size
    if measure is None:
        raise InvalidInputError("`objective` must be a measure, got none.")
    value = value_at("objectives", name, measure, means, n_models)
    if not np.isfinite(value).all():
        raise InvalidInputError(
            f"`objectives` must have finite values, got {value[~np.isfinite(value)][0]} in {quoted(name)}."
        )
    # Betting intervals may miss the sample's mean; measures are compared at means that are inside.
    inside = [np.clip(mean, low, high) for mean, low, high in zip(means, lows, highs, strict=True)]
    center = value_at("objectives", name, measure, inside, n_models)
    lower, upper = interval_at("objectives", name, measure, lows, highs, n_models)
    _refuse_incoherent(name, center, lower, upper)
    if objective.testable:
        _refuse_decreasing(objective, measure, center, inside, lows, highs)
    return value, (lower, upper)


def tail_boxes(objective: Objective, delta: float) -> tuple[FloatArray, tuple[FloatArray, FloatArray]]:
    """Return estimates (M,) and intervals of a tail, each at `delta`; the range if there is no share of delta.

    Each model has its own losses, those that were measured.
    """
    tail, ends = objective.tail, objective.loss_range
    if tail is None:
        raise InvalidInputError("`objective` must be a tail, got none.")
    columns = [losses[~np.isnan(losses)] for losses in tail.losses.T]
    whole = ends if tail.value_range is None else tail.value_range
    found = [_answer(objective, "value", tail.value(losses.copy())) for losses in columns]
    pairs: list[Any] = [
        tail.interval(losses.copy(), delta=delta, loss_range=ends) if delta > 0.0 else whole for losses in columns
    ]
    for pair in pairs:
        sized = isinstance(pair, tuple | list) or (isinstance(pair, np.ndarray) and pair.ndim > 0)
        if not sized or len(pair) != 2:
            raise InvalidInputError(
                f"`objectives` must return a lower and an upper end from `interval`, got {pair!r} in "
                f"{quoted(objective.name)}."
            )
    values = np.array(found)
    lower, upper = (np.array([_answer(objective, "interval", pair[end]) for pair in pairs]) for end in (0, 1))
    _refuse_incoherent(objective.name, values, lower, upper)
    return values, (lower, upper)


def cell_shift(objective: Objective, slack: float) -> float:
    """Return by how much all cells of an increasing measure may move while the measure moves by at most the tolerance.

    The half-width of a measure bounds how far it moves if every cell moves by as much. If the measure moves further
    than its cells, the shift is reduced in proportion if that suffices, else to 0, which only makes the claims fewer.
    """
    measure = objective.measure
    if measure is None or slack == 0.0:
        return slack
    moved = slack
    for _ in range(2):
        reach = _reach(objective, measure, moved)
        if reach <= slack:
            return moved
        moved *= slack / reach * (1.0 - 1e-12)
    return 0.0


def _refuse_incoherent(name: str, value: FloatArray, lower: FloatArray, upper: FloatArray) -> None:
    """Refuse an interval that does not hold the value at means inside the boxes: the two are of different quantities."""
    slack = _rounding(value)
    outside = ~((lower <= value + slack) & (value <= upper + slack) & (lower <= upper))
    if outside.any():
        model = int(np.flatnonzero(outside)[0])
        raise InvalidInputError(
            f"`objectives` must have intervals that hold their estimates, got {value[model]:g} outside "
            f"[{lower[model]:g}, {upper[model]:g}] in {quoted(name)}: `moltheory.testing.check_measure` shows what is wrong."
        )


def _refuse_decreasing(
    objective: Objective,
    measure: Measure,
    center: FloatArray,
    inside: list[FloatArray],
    lows: list[FloatArray],
    highs: list[FloatArray],
) -> None:
    """Refuse a measure that a larger part makes smaller, or that moves further than its half-width says.

    All parts are moved from the means to the ends of their boxes, together and one at a time: beyond `_MOVES` of them,
    several at a time, no neighbors, as work is quadratic.
    """
    name, n_models = objective.name, center.size
    moves = min(len(inside), _MOVES)
    for ends, sign in ((lows, -1.0), (highs, 1.0)):
        alone = [[ends[i] if i % moves == k else mean for i, mean in enumerate(inside)] for k in range(moves)]
        for moved in (ends, *alone) if moves > 1 else (ends,):
            rise = sign * (value_at("objectives", name, measure, moved, n_models) - center)
            if not (rise >= -_rounding(center)).all():
                raise InvalidInputError(
                    "`objectives` must increase with every part where they declare `is_increasing`, got "
                    f"{quoted(name)}, which "
                    "does not: leave it undeclared; `moltheory.testing.check_measure` shows where."
                )
            steps = [np.abs(there - here) for there, here in zip(moved, inside, strict=True)]
            _refuse_narrow(name, rise, width_at("objectives", name, measure, steps, n_models), center)


def _refuse_narrow(name: str, moved: FloatArray, width: FloatArray, value: FloatArray) -> None:
    """Refuse a half-width that does not bound how far the value moved."""
    beyond = ~(moved <= width + _rounding(value))
    if beyond.any():
        model = int(np.flatnonzero(beyond)[0])
        raise InvalidInputError(
            f"`objectives` must have half-widths that bound how far the value moves, got {width[model]:g} in "
            f"{quoted(name)}, "
            f"which moves by {moved[model]:g}: `moltheory.testing.check_measure` shows where."
        )


def _reach(objective: Objective, measure: Measure, moved: float) -> float:
    """Return the half-width for cells that move by as much; refuse one that is less than the value moves."""
    if moved == 0.0:
        return math.inf
    name, cells = objective.name, len(objective.columns)
    n_models = measure.cells[0].losses.shape[1]

    def at(where: float) -> list[FloatArray]:
        return [np.full(n_models, where)] * cells

    width = width_at("objectives", name, measure, at(moved), n_models)
    if not (width > 0.0).all():
        raise InvalidInputError(
            f"`objectives` must have half-widths above 0 where the parts move and the value increases with them, got 0 in "
            f"{quoted(name)}: `moltheory.testing.check_measure` shows where."
        )
    low, high = objective.loss_range
    for start in np.linspace(low, high, 5)[:-1].tolist():
        here, there = (
            value_at("objectives", name, measure, at(t), n_models) for t in (start, min(start + moved, high))
        )
        _refuse_narrow(name, np.abs(there - here), width, here)
    return float(width.max())


def _answer(objective: Objective, method: str, found: object) -> FloatArray:
    return real_answer("objectives", objective.name, method, found, ())


def _rounding(value: FloatArray) -> FloatArray:
    return 1e-9 * np.maximum(1.0, np.abs(value))
