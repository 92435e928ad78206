"""Objectives known by name: what each needs of predictions, targets and groups, and the measure it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, frozen
from moltheory.errors import InvalidInputError
from moltheory.objectives import Gap, Mean, Measure, Rate, Worst

__all__ = ["BINARY", "CLASSIFICATION", "GROUPED", "REGRESSION", "Examples", "are_fractions", "named_measures", "shown"]

# Losses of regressions are rounded to this grid, so that their sums are exact and equal risks are equal floats.
_GRID = 10**6


class Examples:
    """Predictions (n, H), targets (n,) and groups (n,) of a population, with the checks that objectives need."""

    def __init__(self, predictions: npt.NDArray[Any], target: npt.NDArray[Any], group: npt.NDArray[Any] | None) -> None:
        self.predictions = predictions
        self.target = target
        self._group = group
        # What the checks are for, named in their messages.
        self.objective = "this objective"

    @cached_property
    def _wrong(self) -> FloatArray:
        return frozen(np.asarray(self.predictions != self.target[:, None], dtype=np.float64))

    @cached_property
    def _predicted(self) -> FloatArray:
        return frozen(self.predictions.astype(np.float64))

    def wrong(self) -> FloatArray:
        """Return 0/1 losses (n, H), one read-only array for all measures; labels are of one kind."""
        kinds = [_kind(values) for values in (self.predictions, self.target)]
        if set(kinds) == {"numbers", "text"}:
            raise InvalidInputError(
                f"`predictions` must be labels of the kind that `target` holds for {self.objective}, got {kinds[0]} for "
                f"{kinds[1]}: recode one of them."
            )
        if are_fractions(self.predictions) and kinds[1] == "numbers" and not are_fractions(self.target):
            raise InvalidInputError(
                f"`predictions` must be labels for {self.objective}, got {_listed(_distinct(self.predictions))}: cut "
                f"probabilities at a threshold, for example with (predictions > 0.5).astype(int)."
            )
        return self._wrong

    def group(self) -> npt.NDArray[Any]:
        """Return the group of each example."""
        if self._group is None:
            raise InvalidInputError(f"`group` must be given for {self.objective}, got None.")
        return self._group

    def groups(self) -> list[tuple[object, npt.NDArray[np.bool_]]]:
        """Return each group's name and members; at least two."""
        group = self.group()
        found = np.unique(group)
        if found.size < 2:
            raise InvalidInputError(f"`group` must have at least two values for {self.objective}, got {found.size}.")
        return [(name, group == name) for name in found]

    def positive(self) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
        """Return positive predictions (n, H) and positive targets (n,)."""
        for argument, values in (("predictions", self.predictions), ("target", self.target)):
            found = _distinct(values)
            if not set(found) <= {0, 1}:
                remedy = (
                    f"cut probabilities at a threshold, for example with ({argument} > 0.5).astype(int)"
                    if are_fractions(values)
                    else f"recode, for example with ({argument} == positive).astype(int)"
                )
                raise InvalidInputError(
                    f"`{argument}` must be 0 or 1 for {self.objective} (1 is positive), got {_listed(found)}: {remedy}."
                )
        return self._predicted, self.target.astype(bool)

    def holding(self, label: int) -> npt.NDArray[np.bool_]:
        """Return which targets have a label, 0 or 1; at least one has."""
        members = self.target == label
        if not members.any():
            raise InvalidInputError(f"`target` must hold at least one {label} for {self.objective}, got none.")
        return np.asarray(members)

    def residuals(self) -> FloatArray:
        """Return residuals (n, H) in standard deviations of the target."""
        for argument, values in (("predictions", self.predictions), ("target", self.target)):
            if values.dtype.kind not in "iufb" or not np.isfinite(values).all():
                raise InvalidInputError(
                    f"`{argument}` must be finite numbers for {self.objective}, got {_unfit(values)}."
                )
        target = self.target.astype(np.float64)
        spread = float(target.std())
        if spread == 0.0:
            raise InvalidInputError(f"`target` must not be constant for {self.objective}, got {target[0]:g} only.")
        return (self.predictions.astype(np.float64) - target[:, None]) / spread


class Spread(Worst):
    """Largest gap between any two of several rates.

    The same value, interval and width as `Worst` over the `Gap` of every pair, but each rate is one cell instead of
    one per pair, so that a union bound counts it once.
    """

    def __init__(self, rates: Sequence[Measure]) -> None:
        super().__init__(rates)
        self._pairs = [(a, b) for b in range(len(rates)) for a in range(b)]

    def value(self, means: Sequence[FloatArray]) -> FloatArray:
        """Return the largest minus the smallest mean."""
        table = np.stack(np.broadcast_arrays(*means))
        largest: FloatArray = table.max(axis=0) - table.min(axis=0)
        return largest

    def interval(self, lower: Sequence[FloatArray], upper: Sequence[FloatArray]) -> tuple[FloatArray, FloatArray]:
        """Return the range of the largest gap, from that of each pair."""
        least = [np.maximum(np.maximum(lower[a] - upper[b], lower[b] - upper[a]), 0.0) for a, b in self._pairs]
        most = [np.maximum(upper[a] - lower[b], upper[b] - lower[a]) for a, b in self._pairs]
        return np.stack(np.broadcast_arrays(*least)).max(axis=0), np.stack(np.broadcast_arrays(*most)).max(axis=0)

    def width(self, widths: Sequence[FloatArray]) -> FloatArray:
        """Return the sum of the two largest widths."""
        table = np.sort(np.stack(np.broadcast_arrays(*widths)), axis=0)
        total: FloatArray = table[-1] + table[-2]
        return total


def _gap(rates: Sequence[Measure]) -> Measure:
    return Gap(*rates) if len(rates) == 2 else Spread(rates)


def _false_negative_rate(examples: Examples) -> Measure:
    predicted, _ = examples.positive()
    return Rate(1.0 - predicted, examples.holding(1))


def _false_positive_rate(examples: Examples) -> Measure:
    predicted, _ = examples.positive()
    return Rate(predicted, examples.holding(0))


def _demographic_parity_gap(examples: Examples) -> Measure:
    predicted, _ = examples.positive()
    return _gap([Rate(predicted, members) for _, members in examples.groups()])


def _equal_opportunity_gap(examples: Examples) -> Measure:
    predicted, positive = examples.positive()
    groups = examples.groups()
    for name, members in groups:
        if not (members & positive).any():
            raise InvalidInputError(
                f"`group` must have a positive example in each group for equal_opportunity_gap, got none in {shown(name)}."
            )
    return _gap([Rate(predicted, members & positive) for _, members in groups])


def _worst(losses: FloatArray, labels: npt.NDArray[Any]) -> Measure:
    return Worst([Rate(losses, labels == label) for label in np.unique(labels)])


def _on_grid(losses: FloatArray) -> FloatArray:
    rounded: FloatArray = np.rint(losses * _GRID) / _GRID
    return rounded


_MEASURES: dict[str, Callable[[Examples], Measure]] = {
    "error": lambda examples: Mean(examples.wrong()),
    "worst_class_error": lambda examples: _worst(examples.wrong(), examples.target),
    "worst_group_error": lambda examples: _worst(examples.wrong(), examples.group()),
    "false_negative_rate": _false_negative_rate,
    "false_positive_rate": _false_positive_rate,
    "demographic_parity_gap": _demographic_parity_gap,
    "equal_opportunity_gap": _equal_opportunity_gap,
    "squared_error": lambda examples: Mean(_on_grid(examples.residuals() ** 2)),
    "absolute_error": lambda examples: Mean(_on_grid(np.abs(examples.residuals()))),
    "worst_group_squared_error": lambda examples: _worst(_on_grid(examples.residuals() ** 2), examples.group()),
}
REGRESSION = frozenset({"squared_error", "absolute_error", "worst_group_squared_error"})
CLASSIFICATION = frozenset(_MEASURES) - REGRESSION
BINARY = frozenset({"false_negative_rate", "false_positive_rate", "demographic_parity_gap", "equal_opportunity_gap"})
GROUPED = frozenset(
    {"worst_group_error", "worst_group_squared_error", "demographic_parity_gap", "equal_opportunity_gap"}
)


def named_measures(
    examples: Examples, objectives: Sequence[str] | Mapping[str, Measure]
) -> Iterator[tuple[str, Measure]]:
    """Return the measure of each objective, in order.

    Raises
    ------
    InvalidInputError
        If there is none, one is unknown or named twice, or the examples are not what it needs.
    """
    if isinstance(objectives, Mapping):
        yield from objectives.items()
        return
    if isinstance(objectives, str) or not objectives:
        raise InvalidInputError(f"`objectives` must be a non-empty sequence of names, got {objectives!r}.")
    if len(set(objectives)) != len(objectives):
        raise InvalidInputError(f"`objectives` must be distinct, got {list(objectives)}.")
    for objective in objectives:
        if objective not in _MEASURES:
            raise InvalidInputError(f"`objectives` must be among {', '.join(sorted(_MEASURES))}, got {objective!r}.")
        examples.objective = objective
        yield objective, _MEASURES[objective](examples)


def shown(value: object) -> str:
    """Return a value as a person would write it: 0.3 and not np.float64(0.3)."""
    plain = value.item() if isinstance(value, np.generic) else value
    return f"{plain:g}" if isinstance(plain, float) else repr(plain)


def are_fractions(values: npt.NDArray[Any]) -> bool:
    """Tell whether some of the values are numbers that are not whole, as probabilities are and labels are not."""
    if values.dtype.kind == "O":
        return any(isinstance(entry, float) and not entry.is_integer() for entry in values.flat)
    return values.dtype.kind == "f" and bool((values != np.rint(values)).any())


def _distinct(values: npt.NDArray[Any]) -> list[Any]:
    """Return the distinct values in order; those of several kinds in the order of their text."""
    if values.dtype.kind != "O":
        return list(np.unique(values).tolist())
    return sorted(set(values.ravel().tolist()), key=str)


def _listed(values: list[Any]) -> str:
    return ", ".join(shown(value) for value in values[:4]) + (", ..." if len(values) > 4 else "")


def _kind(values: npt.NDArray[Any]) -> str:
    if values.dtype.kind == "O":
        kinds = {"text" if isinstance(entry, str) else "numbers" for entry in values.flat}
        return kinds.pop() if len(kinds) == 1 else "objects"
    return {"U": "text", "S": "text"}.get(values.dtype.kind, "numbers")


def _unfit(values: npt.NDArray[Any]) -> str:
    return "NaN or an infinity" if values.dtype.kind == "f" else f"dtype {values.dtype}"
