"""What is asked of a measure, of whatever class, and refused in one sentence where it is not so.

A measure gets copies of its arguments, and its answers are copied: what it writes to them, or to an answer that it
gave before, reaches no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._declared import check_together, declares, stands
from moltheory._core._validation import FloatArray, without_mask
from moltheory.errors import InvalidInputError
from moltheory.objectives._measures import Cell, Measure, check_cell

__all__ = ["check_definitions", "forms_of", "increases", "interval_at", "real_answer", "value_at", "width_at"]

_TOGETHER = ("value", "interval", "width")


def increases(measure: Measure) -> bool:
    """Return whether a measure declares that it increases in all of its cells, for the value that it has."""
    return declares(measure, "is_increasing", "value")


def forms_of(argument: str, measure: Measure) -> FloatArray | None:
    """Return the linear forms (J, K) whose largest is the value, where they are declared for the value; else None.

    Raises
    ------
    InvalidInputError
        If they are no finite numbers, one per cell in each form.
    """
    set_on = getattr(measure, "__dict__", {})
    if not stands(type(measure), "linear_forms", "value") or "linear_forms" in set_on or "value" in set_on:
        return None
    said: Any = measure.linear_forms()
    if said is None:
        return None
    kind, cells = type(measure).__name__, len(measure.cells)
    try:
        forms: npt.NDArray[Any] = np.array(without_mask(said))
    except ValueError:
        forms = np.empty(0, dtype=object)
    numbers = forms.dtype.kind in "biuf" and forms.ndim == 2 and forms.shape[0] > 0 and forms.shape[1] == cells
    if not numbers or not np.isfinite(forms).all():
        raise InvalidInputError(
            f"`{argument}` must hold measures whose `linear_forms` are finite numbers (J, {cells}), one per cell in each "
            f"form, or None, got {forms.dtype} of shape {forms.shape} from {kind}."
        )
    return forms.astype(np.float64)


def check_definitions(argument: str, measure: Measure) -> None:
    """Refuse a measure that is not in one piece.

    Its value, interval and width must come from one class, its cells must be cells, and it must have some unless its
    class declares that it is exact.
    """
    kind = type(measure).__name__
    check_together(argument, "measures", measure, _TOGETHER, flags=("is_increasing", "is_exact"))
    increases(measure)
    cells = getattr(measure, "cells", None)
    if not isinstance(cells, tuple) or not all(isinstance(cell, Cell) for cell in cells):
        found = "none" if cells is None else _types(cells)
        raise InvalidInputError(
            f"`{argument}` must hold measures whose cells are a tuple of Cell, got {found} in {kind}: set `self.cells`."
        )
    for cell in cells:
        check_cell(cell)
    exact = declares(measure, "is_exact", *_TOGETHER)
    if exact == bool(cells):
        found = f"{kind} with both" if exact else f"{kind} with neither"
        raise InvalidInputError(
            f"`{argument}` must hold measures with cells, or with `is_exact` declared beside `value`, got {found}: only "
            "values that are known without data are exact, and estimates need cells."
        )
    declared: Any = measure.data_dependent
    if not isinstance(declared, bool | np.bool_) or declared == exact:
        raise InvalidInputError(
            f"`{argument}` must hold measures that depend on data where they have cells, got {declared!r} as "
            f"`data_dependent` of {kind} with {len(cells)} cells: leave it to `Measure`."
        )
    _check_range(argument, measure)


def _types(cells: Any) -> str:
    wrong = [type(cell).__name__ for cell in cells if not isinstance(cell, Cell)] if isinstance(cells, tuple) else []
    return f"a tuple with {wrong[0]}" if wrong else type(cells).__name__


def _check_range(argument: str, measure: Measure) -> None:
    ends: Any = measure.loss_range
    if ends is None:
        return
    pair = np.asarray(ends)
    if pair.shape != (2,) or pair.dtype.kind not in "biuf" or not pair[0] < pair[1]:
        raise InvalidInputError(
            f"`{argument}` must hold measures whose `loss_range` is None or a smaller and a larger number, got {ends!r} "
            f"in {type(measure).__name__}."
        )


def value_at(argument: str, name: str, measure: Measure, means: Sequence[FloatArray], n_models: int) -> FloatArray:
    """Return the value (M,) at means (M,) of each cell; refuse all but one real number per model, or one for all."""
    return real_answer(argument, name, "value", measure.value(_copies(means)), (n_models,))


def interval_at(
    argument: str, name: str, measure: Measure, lower: Sequence[FloatArray], upper: Sequence[FloatArray], n_models: int
) -> tuple[FloatArray, FloatArray]:
    """Return the interval, twice (M,), from ends (M,) of the cells' intervals, checked as `value_at`."""
    found: Any = measure.interval(_copies(lower), _copies(upper))
    # Two numbers in an array may be one end for each of two models.
    sized = isinstance(found, tuple | list) or (isinstance(found, np.ndarray) and found.ndim == 2)
    if not sized or len(found) != 2:
        size = f"{len(found)} of them" if sized else type(found).__name__
        raise InvalidInputError(
            f"`{argument}` must return a lower and an upper end from `interval`, got {size} in {name!r}."
        )
    low, high = (real_answer(argument, name, "interval", end, (n_models,)) for end in found)
    return low, high


def width_at(argument: str, name: str, measure: Measure, widths: Sequence[FloatArray], n_models: int) -> FloatArray:
    """Return the half-width (M,) from those of the cells, checked as `value_at`; negative and NaN are refused."""
    found = real_answer(argument, name, "width", measure.width(_copies(widths)), (n_models,))
    if not (found >= 0.0).all():
        raise InvalidInputError(
            f"`{argument}` must return half-widths of at least 0 from `width`, got {found.min():g} in {name!r}."
        )
    return found


def real_answer(argument: str, name: str, method: str, found: object, shape: tuple[int, ...]) -> FloatArray:
    """Return a foreign method's answer, one number per entry or one for all, as a new array; refuse other answers."""
    words = f"{shape[0]} numbers, one per model," if shape else "one number"
    try:
        raw: npt.NDArray[Any] = np.asarray(without_mask(found))
    except ValueError:
        raw = np.empty(0, dtype=object)
    if raw.dtype.kind not in "biuf":
        raise InvalidInputError(
            f"`{argument}` must return {words} from `{method}`, got {type(found).__name__} in {name!r}."
        )
    if raw.shape not in ({(), (1,), shape} if shape else {()}):
        raise InvalidInputError(f"`{argument}` must return {words} from `{method}`, got shape {raw.shape} in {name!r}.")
    return np.broadcast_to(raw.astype(np.float64), shape)


def _copies(arrays: Sequence[FloatArray]) -> list[FloatArray]:
    return [np.array(array, dtype=np.float64) for array in arrays]
