"""Objectives made of columns or of tails, or known exactly; and the checks of measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from moltheory._core._places import places_of
from moltheory._core._text import quoted
from moltheory._core._validation import FloatArray, check_choice, check_names
from moltheory.errors import InvalidInputError
from moltheory.evaluation._arguments import known_costs, read_ranges, tell_left_out
from moltheory.evaluation._measured_cost import Measured
from moltheory.evaluation._tails import Tail, check_tail, has_own_test
from moltheory.objectives import Cell, Measure
from moltheory.objectives._measure_contract import check_definitions, increases, interval_at, value_at

__all__ = [
    "Columns",
    "NamedMeasures",
    "Objective",
    "cost_objectives",
    "measure_columns",
    "ranges_of_measures",
    "read_measures",
    "shape_of",
]

NamedMeasures = dict[str, Measure | Tail]


@dataclass(frozen=True)
class Objective:
    """One objective, minimised or maximised.

    Attributes
    ----------
    name : str
    columns : tuple of int
        Empty for known values, tails and measured costs.
    measure : Measure or None
        None for the mean of one column, for tails and for costs.
    testable : bool
        Whether better in every column means better in the objective, so that paired tests apply.
    values : (M,) ndarray or None
        Known values.
    tail : Tail or None
    n_measured : int
        Of a tail: number of examples on which some model was measured.
    loss_range : (float, float)
        Range of the underlying losses.
    measured : Measured or None
        A cost with intervals of its own, in the order of the models.
    forms : (J, K) ndarray or None
        Linear forms of the means of the K columns, the largest of which is the measure, if it is tested by contrasts of
        these forms; None if it is not, or not yet known.
    """

    name: str
    columns: tuple[int, ...] = ()
    measure: Measure | None = None
    testable: bool = False
    values: FloatArray | None = None
    tail: Tail | None = None
    loss_range: tuple[float, float] = (0.0, 1.0)
    measured: Measured | None = None
    forms: FloatArray | None = None
    n_measured: int = 0

    @property
    def tested(self) -> bool:
        """Whether some paired test applies: of each column, of contrasts, or of a tail."""
        own = self.tail is not None and has_own_test(self.tail)
        return self.testable or self.forms is not None or own

    @property
    def of_losses(self) -> bool:
        """Whether the objective is estimated from the losses."""
        return self.values is None and self.measured is None


@dataclass(frozen=True)
class Columns:
    """Columns of measures: a cell shared by several measures is one column, estimated once, at one share of delta."""

    cells: tuple[Cell, ...]
    names: tuple[str, ...]
    low: FloatArray
    high: FloatArray


def cost_objectives(costs: Any, names: tuple[str, ...]) -> list[Objective]:
    """Return known and measured costs of the models in `names` as objectives, in the given order.

    Raises
    ------
    InvalidInputError
        If shapes or models do not fit; see `known_costs`.
    """
    measured = {}
    if isinstance(costs, Mapping):
        measured = {str(key): entry for key, entry in costs.items() if isinstance(entry, Measured)}
    if not measured:
        values, labels = known_costs(costs, names)
        return [Objective(label, values=values[:, j]) for j, label in enumerate(labels)]
    titles = check_names("costs", [str(key) for key in costs], length=len(costs), stem="cost")
    exact = {str(key): entry for key, entry in costs.items() if str(key) not in measured}
    values, labels = known_costs(exact or None, names)
    known = {label: Objective(label, values=values[:, j]) for j, label in enumerate(labels)}
    for cost in measured.values():
        tell_left_out(cost.models or (), names)
    own = {title: Objective(title, measured=cost.of(names)) for title, cost in measured.items()}
    return [own[title] if title in own else known[title] for title in titles]


def read_measures(objectives: Any) -> NamedMeasures | None:
    """Return named measures and tails, or None if `objectives` are names.

    Raises
    ------
    InvalidInputError
        If only some are measures, there is none, or one is not in one piece: see `check_definitions`, `check_tail`.
    """
    if isinstance(objectives, Mapping):
        wrong = [name for name, entry in objectives.items() if not isinstance(entry, Measure | Tail)]
        if wrong or not objectives:
            found = "none" if not objectives else f"{type(objectives[wrong[0]]).__name__} for {wrong[0]!r}"
            raise InvalidInputError(f"`objectives` must map names to measures, got {found}.")
        names = check_names("objectives", objectives, length=len(objectives), stem="objective")
        return _checked(dict(zip(names, objectives.values(), strict=True)))
    if isinstance(objectives, Measure | Tail):
        objectives = [objectives]
    if not isinstance(objectives, Sequence) or not any(isinstance(entry, Measure | Tail) for entry in objectives):
        return None
    if not all(isinstance(entry, Measure | Tail) for entry in objectives):
        raise InvalidInputError("`objectives` must be all names or all measures, got some of each.")
    return _checked({f"objective_{i + 1}": entry for i, entry in enumerate(objectives)})


def _checked(measures: NamedMeasures) -> NamedMeasures:
    for entry in measures.values():
        if isinstance(entry, Measure):
            check_definitions("objectives", entry)
        else:
            check_tail("objectives", entry)
    return measures


def shape_of(measures: NamedMeasures) -> tuple[int, int]:
    """Return the common shape (n, M) of the losses of all estimated measures.

    Raises
    ------
    InvalidInputError
        If nothing is estimated, or the shapes differ.
    """
    shapes = set()
    for entry in measures.values():
        shapes |= {entry.losses.shape} if isinstance(entry, Tail) else {cell.losses.shape for cell in entry.cells}
    if not shapes:
        raise InvalidInputError("`objectives` must hold a measure estimated from data, got known values only.")
    if len(shapes) > 1:
        raise InvalidInputError(f"`objectives` must be measures of equal shape (n, M), got {sorted(shapes)}.")
    n, n_models = shapes.pop()
    return n, n_models


def ranges_of_measures(
    measures: NamedMeasures, loss_range: Any = None, *, by_name: Mapping[str, Any] | None = None
) -> tuple[FloatArray, FloatArray]:
    """Return the ends of the range of each estimated measure: those stated, of all or by name, or its own, or (0, 1).

    Infinite ends are left to the engine for means; of tails they are for those whose own range has such ends.

    Raises
    ------
    InvalidInputError
        See `read_ranges`; or if there is no objective of a name.
    """
    estimated = {name: entry for name, entry in measures.items() if getattr(entry, "data_dependent", True)}
    own = {name: entry.default_range for name, entry in estimated.items()}
    names = list(own)
    unbounded = {name for name, ends in own.items() if ends is not None and np.isinf(ends).any()}
    unbounded |= {name for name, entry in estimated.items() if not isinstance(entry, Tail)}
    if loss_range is not None:
        return read_ranges(loss_range, names, unbounded=unbounded)
    low, high = np.zeros(len(names)), np.ones(len(names))
    for place, ends in enumerate(own.values()):
        if ends is not None:
            low[place], high[place] = ends
    places = places_of(names)
    for name, stated in (by_name or {}).items():
        place = places[check_choice("loss_range", name, places)]
        (low[place],), (high[place],) = read_ranges(stated, [name], unbounded=unbounded)
    return low, high


def measure_columns(
    measures: NamedMeasures, low: FloatArray, high: FloatArray, n_models: int
) -> tuple[Columns, list[Objective]]:
    """Return the columns of measures and the objectives made of them; there is one range per estimated measure."""
    found: list[Objective] = []
    columns: dict[tuple[int, float, float], tuple[Cell, str]] = {}
    places: dict[tuple[int, float, float], int] = {}
    ends = iter(zip(low.tolist(), high.tolist(), strict=True))
    for name, entry in measures.items():
        if isinstance(entry, Tail):
            n_measured = int((~np.isnan(entry.losses)).any(axis=1).sum())
            found.append(Objective(name, tail=entry, loss_range=next(ends), n_measured=n_measured))
            continue
        if not entry.data_dependent:
            found.append(Objective(name, values=_known_values(name, entry, n_models)))
            continue
        bottom, top = next(ends)
        _check_range(name, entry, bottom, top)
        own = []
        for number, cell in enumerate(entry.cells):
            key = (id(cell), bottom, top)
            columns.setdefault(key, (cell, name if len(entry.cells) == 1 else f"{name}, part {number + 1}"))
            own.append(places.setdefault(key, len(places)))
        testable = increases(entry) and not any(cell.depends_on_model for cell in entry.cells)
        found.append(Objective(name, tuple(own), entry, testable, loss_range=(bottom, top)))
    cells = tuple(cell for cell, _ in columns.values())
    names = tuple(label for _, label in columns.values())
    lows, highs = (np.array([key[end] for key in columns], dtype=np.float64) for end in (1, 2))
    return Columns(cells, names, lows, highs), found


def _check_range(name: str, measure: Measure, low: float, high: float) -> None:
    """Refuse a range of losses beyond the one for which the measure is defined."""
    if measure.loss_range is None:
        return
    bottom, top = measure.loss_range
    if low < bottom or high > top:
        kind = "bools" if all(cell.losses.dtype == np.bool_ for cell in measure.cells) else "losses"
        raise InvalidInputError(
            f"`loss_range` must lie within ({bottom:g}, {top:g}) in objective {quoted(name)}, as "
            f"{type(measure).__name__} is "
            f"made of {kind} in that range, got ({low:g}, {high:g}): state one range per estimated objective."
        )


def _known_values(name: str, measure: Measure, n_models: int) -> FloatArray:
    shape = np.shape(measure.value([]))
    if shape != (n_models,):
        raise InvalidInputError(
            f"`objectives` must hold one known value per model in {quoted(name)}, got shape {shape}."
        )
    values = value_at("objectives", name, measure, [], n_models)
    ends = interval_at("objectives", name, measure, [], [], n_models)
    if not np.isfinite(values).all() or any((end != values).any() for end in ends):
        raise InvalidInputError(
            f"`objectives` must hold finite values with themselves as interval where `is_exact` is declared, got another "
            f"interval or an infinite value in {quoted(name)}: values that are not known exactly are estimates."
        )
    return values
