"""Objectives known by name: what each needs of predictions, targets and groups, and the measure it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._validation import FloatArray, frozen
from moltheory.errors import InvalidInputError
from moltheory.objectives import Gap, Mean, Measure, Rate, Worst

__all__ = ["BINARY", "CLASSIFICATION", "GROUPED", "REGRESSION", "Examples", "named_measures"]

# Losses of regressions are rounded to this grid, so that their sums are exact and equal risks are equal floats.
_GRID = 10**6


class Examples:
    """Predictions (n, H), targets (n,) and groups (n,) of a population, with the checks that objectives need."""

    def __init__(self, predictions: npt.NDArray[Any], target: npt.NDArray[Any], group: npt.NDArray[Any] | None) -> None:
        self.predictions = predictions
        self.target = target
        self._group = group

    @cached_property
    def _wrong(self) -> FloatArray:
        return frozen(np.asarray(self.predictions != self.target[:, None], dtype=np.float64))

    @cached_property
    def _predicted(self) -> FloatArray:
        return frozen(self.predictions.astype(np.float64))

    def wrong(self) -> FloatArray:
        """Return 0/1 losses (n, H), one read-only array for all measures."""
        return self._wrong

    def group(self) -> npt.NDArray[Any]:
        """Return the group of each example."""
        if self._group is None:
            raise InvalidInputError("`group` must be given for objectives about groups, got None.")
        return self._group

    def groups(self) -> list[tuple[object, npt.NDArray[np.bool_]]]:
        """Return each group's name and members; at least two."""
        group = self.group()
        found = np.unique(group)
        if found.size < 2:
            raise InvalidInputError(f"`group` must have at least two values for a gap, got {found.size}.")
        return [(name, group == name) for name in found]

    def positive(self) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
        """Return positive predictions (n, H) and positive targets (n,)."""
        for argument, values in (("predictions", self.predictions), ("target", self.target)):
            found = np.unique(values)
            if not np.isin(found, (0, 1)).all():
                raise InvalidInputError(f"`{argument}` must be 0 or 1 for this objective, got {found[:5].tolist()}.")
        return self._predicted, self.target.astype(bool)

    def residuals(self) -> FloatArray:
        """Return residuals (n, H) in standard deviations of the target."""
        for argument, values in (("predictions", self.predictions), ("target", self.target)):
            if values.dtype.kind not in "iufb" or not np.isfinite(values).all():
                raise InvalidInputError(
                    f"`{argument}` must be finite numbers for this objective, got dtype {values.dtype}."
                )
        target = self.target.astype(np.float64)
        spread = float(target.std())
        if spread == 0.0:
            raise InvalidInputError(f"`target` must not be constant for this objective, got {target[0]:g} only.")
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
    predicted, positive = examples.positive()
    return Rate(1.0 - predicted, positive)


def _false_positive_rate(examples: Examples) -> Measure:
    predicted, positive = examples.positive()
    return Rate(predicted, ~positive)


def _demographic_parity_gap(examples: Examples) -> Measure:
    predicted, _ = examples.positive()
    return _gap([Rate(predicted, members) for _, members in examples.groups()])


def _equal_opportunity_gap(examples: Examples) -> Measure:
    predicted, positive = examples.positive()
    groups = examples.groups()
    for name, members in groups:
        if not (members & positive).any():
            raise InvalidInputError(
                f"`group` must have a positive example in each group for an equal-opportunity gap, got none in "
                f"{name!r}."
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
        yield objective, _MEASURES[objective](examples)
