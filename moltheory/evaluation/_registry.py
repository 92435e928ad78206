"""Named objectives, for certificates and for problems: what each needs of predictions, targets and groups."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, as_readonly
from moltheory.errors import InvalidInputError
from moltheory.objectives import F1Error, Gap, Mean, Measure, Rate, Spread, Worst

__all__ = [
    "BINARY",
    "CLASSIFICATION",
    "GROUPED",
    "REGRESSION",
    "Examples",
    "NamedObjective",
    "are_fractions",
    "format_value",
    "named_measures",
    "named_objectives",
]

Bools = npt.NDArray[np.bool_]

# Losses of regressions are rounded to this grid, so that their sums are exact and equal risks are equal floats.
_GRID = 10**6


class Examples:
    """Predictions (n, H), targets (n,) and groups (n,), with the checks that objectives need.

    Residuals are in units of the target, or, if `standardized`, in standard deviations of the target.
    """

    def __init__(
        self,
        predictions: npt.NDArray[Any],
        target: npt.NDArray[Any],
        group: npt.NDArray[Any] | None,
        *,
        standardized: bool = False,
    ) -> None:
        self.predictions = predictions
        self.target = target
        self._group = group
        self._standardized = standardized
        # The objective that messages name.
        self.objective = "this objective"

    @cached_property
    def _wrong(self) -> Bools:
        return as_readonly(np.asarray(self.predictions != self.target[:, None], dtype=np.bool_))

    @cached_property
    def _predicted(self) -> Bools:
        return as_readonly(self.predictions.astype(np.bool_))

    def wrong(self) -> Bools:
        """Return 0/1 losses (n, H), one read-only array for all measures; labels must be of one kind."""
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
        """Return the name and the members of each group; there must be two or more."""
        group = self.group()
        found = np.unique(group)
        if found.size < 2:
            raise InvalidInputError(f"`group` must have at least two values for {self.objective}, got {found.size}.")
        return [(name, group == name) for name in found]

    def positive(self) -> tuple[Bools, Bools]:
        """Return positive predictions (n, H) and positive targets (n,)."""
        for argument, values in (("target", self.target), ("predictions", self.predictions)):
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
        """Return which targets equal a label, 0 or 1; at least one must."""
        members = self.target == label
        if not members.any():
            raise InvalidInputError(f"`target` must hold at least one {label} for {self.objective}, got none.")
        return np.asarray(members)

    def residuals(self) -> FloatArray:
        """Return residuals (n, H), in units or in standard deviations of the target."""
        for argument, values in (("predictions", self.predictions), ("target", self.target)):
            if values.dtype.kind not in "iufb" or not np.isfinite(values).all():
                raise InvalidInputError(
                    f"`{argument}` must be finite numbers for {self.objective}, got {_unfit(values)}."
                )
        target = self.target.astype(np.float64)
        if not self._standardized:
            return np.asarray(self.predictions.astype(np.float64) - target[:, None])
        spread = float(target.std())
        if spread == 0.0:
            raise InvalidInputError(f"`target` must not be constant for {self.objective}, got {target[0]:g} only.")
        return (self.predictions.astype(np.float64) - target[:, None]) / spread


def _gap(rates: Sequence[Measure]) -> Measure:
    return Gap(*rates) if len(rates) == 2 else Spread(rates)


def _among(examples: Examples, where: Bools | None, what: str) -> list[Bools]:
    """Return the members of each group that satisfy a condition; there must be some in each."""
    parts = []
    for name, members in examples.groups():
        part = members if where is None else members & where
        if not part.any():
            raise InvalidInputError(
                f"`group` must have a {what} example in each group for {examples.objective}, got none in "
                f"{format_value(name)}."
            )
        parts.append(part)
    return parts


def _of_class(examples: Examples, label: int) -> Measure:
    examples.positive()
    return Rate(examples.wrong(), examples.holding(label))


def _gap_of_class(examples: Examples, label: int) -> Measure:
    examples.positive()
    members = _among(examples, examples.holding(label), "positive" if label else "negative")
    return _gap([Rate(examples.wrong(), part) for part in members])


def _demographic_parity_gap(examples: Examples) -> Measure:
    predicted, _ = examples.positive()
    return _gap([Rate(predicted, members) for _, members in examples.groups()])


def _equal_opportunity_gap(examples: Examples) -> Measure:
    predicted, positive = examples.positive()
    return _gap([Rate(predicted, part) for part in _among(examples, positive, "positive")])


def _false_discovery_rate(examples: Examples) -> Measure:
    predicted, _ = examples.positive()
    never = np.flatnonzero(~predicted.any(axis=0))
    if never.size:
        raise InvalidInputError(
            f"`predictions` must hold at least one 1 of every model for {examples.objective}, got none in column "
            f"{int(never[0])}."
        )
    return Rate(examples.wrong(), predicted)


def _worst(losses: npt.NDArray[Any], labels: npt.NDArray[Any]) -> Measure:
    return Worst([Rate(losses, labels == label) for label in np.unique(labels)])


def _on_grid(losses: FloatArray) -> FloatArray:
    rounded: FloatArray = np.rint(losses * _GRID) / _GRID
    return rounded


@dataclass(frozen=True)
class NamedObjective:
    """An objective with a name.

    Attributes
    ----------
    name : str
    summary : str
        Short definition, for documentation.
    measure : callable
        Function from `Examples` to the measure.
    binary, grouped, numeric : bool
        Whether it needs labels 0 and 1; groups; numbers in place of classes.
    """

    name: str
    summary: str
    measure: Callable[[Examples], Measure]
    binary: bool = False
    grouped: bool = False
    numeric: bool = False


_OBJECTIVES = (
    NamedObjective("error", "share of wrong labels", lambda e: Mean(e.wrong())),
    NamedObjective("worst_class_error", "largest error within a class", lambda e: _worst(e.wrong(), e.target)),
    NamedObjective(
        "worst_group_error", "largest error within a group", lambda e: _worst(e.wrong(), e.group()), grouped=True
    ),
    NamedObjective("false_negative_rate", "error among positives", lambda e: _of_class(e, 1), binary=True),
    NamedObjective("false_positive_rate", "error among negatives", lambda e: _of_class(e, 0), binary=True),
    NamedObjective("false_discovery_rate", "1 - precision", _false_discovery_rate, binary=True),
    NamedObjective("f1_error", "1 - F1", lambda e: F1Error(*e.positive()), binary=True),
    NamedObjective(
        "error_gap",
        "largest difference of errors between groups",
        lambda e: _gap([Rate(e.wrong(), part) for _, part in e.groups()]),
        grouped=True,
    ),
    NamedObjective(
        "false_negative_gap",
        "largest difference of false-negative rates between groups",
        lambda e: _gap_of_class(e, 1),
        binary=True,
        grouped=True,
    ),
    NamedObjective(
        "false_positive_gap",
        "largest difference of false-positive rates between groups",
        lambda e: _gap_of_class(e, 0),
        binary=True,
        grouped=True,
    ),
    NamedObjective(
        "demographic_parity_gap",
        "largest difference between groups in the share predicted positive",
        _demographic_parity_gap,
        binary=True,
        grouped=True,
    ),
    NamedObjective(
        "equal_opportunity_gap",
        "largest difference of true-positive rates between groups (equal to false_negative_gap)",
        _equal_opportunity_gap,
        binary=True,
        grouped=True,
    ),
    NamedObjective(
        "squared_error", "mean squared residual", lambda e: Mean(_on_grid(e.residuals() ** 2)), numeric=True
    ),
    NamedObjective(
        "absolute_error", "mean absolute residual", lambda e: Mean(_on_grid(np.abs(e.residuals()))), numeric=True
    ),
    NamedObjective(
        "worst_group_squared_error",
        "largest mean squared residual within a group",
        lambda e: _worst(_on_grid(e.residuals() ** 2), e.group()),
        grouped=True,
        numeric=True,
    ),
)
_BY_NAME = {entry.name: entry for entry in _OBJECTIVES}
REGRESSION = frozenset(entry.name for entry in _OBJECTIVES if entry.numeric)
CLASSIFICATION = frozenset(_BY_NAME) - REGRESSION
BINARY = frozenset(entry.name for entry in _OBJECTIVES if entry.binary)
GROUPED = frozenset(entry.name for entry in _OBJECTIVES if entry.grouped)


def named_objectives() -> tuple[NamedObjective, ...]:
    """Return all objectives that have a name in `from_predictions` and in `moltheory.problems.from_table`.

    Examples
    --------
    >>> [entry.name for entry in named_objectives() if entry.numeric]
    ['squared_error', 'absolute_error', 'worst_group_squared_error']
    """
    return _OBJECTIVES


def named_measures(
    examples: Examples, objectives: Sequence[str] | Mapping[str, Measure]
) -> Iterator[tuple[str, Measure]]:
    """Yield the name and the measure of each objective, in order.

    Raises
    ------
    InvalidInputError
        If there is none, one is unknown or named twice, or the examples do not suit it.
    """
    if isinstance(objectives, Mapping):
        yield from objectives.items()
        return
    if isinstance(objectives, str) or not objectives:
        raise InvalidInputError(f"`objectives` must be a non-empty sequence of names, got {objectives!r}.")
    if len(set(objectives)) != len(objectives):
        raise InvalidInputError(f"`objectives` must be distinct, got {list(objectives)}.")
    for objective in objectives:
        if objective not in _BY_NAME:
            raise InvalidInputError(f"`objectives` must be among {', '.join(sorted(_BY_NAME))}, got {objective!r}.")
        examples.objective = objective
        yield objective, _BY_NAME[objective].measure(examples)


def format_value(value: object) -> str:
    """Return a value as text in its usual notation: 0.3 and not np.float64(0.3)."""
    plain = value.item() if isinstance(value, np.generic) else value
    return f"{plain:g}" if isinstance(plain, float) else repr(plain)


def are_fractions(values: npt.NDArray[Any]) -> bool:
    """Return whether some values are numbers that are not integers, such as probabilities."""
    if values.dtype.kind == "O":
        return any(isinstance(entry, float) and not entry.is_integer() for entry in values.flat)
    return values.dtype.kind == "f" and bool((values != np.rint(values)).any())


def _distinct(values: npt.NDArray[Any]) -> list[Any]:
    """Return the distinct values in order; values of several types in the order of their text."""
    if values.dtype.kind != "O":
        return list(np.unique(values).tolist())
    return sorted(set(values.ravel().tolist()), key=str)


def _listed(values: list[Any]) -> str:
    return ", ".join(format_value(value) for value in values[:4]) + (", ..." if len(values) > 4 else "")


def _kind(values: npt.NDArray[Any]) -> str:
    if values.dtype.kind == "O":
        kinds = {"text" if isinstance(entry, str) else "numbers" for entry in values.flat}
        return kinds.pop() if len(kinds) == 1 else "objects"
    return {"U": "text", "S": "text"}.get(values.dtype.kind, "numbers")


def _unfit(values: npt.NDArray[Any]) -> str:
    return "NaN or an infinity" if values.dtype.kind == "f" else f"dtype {values.dtype}"
