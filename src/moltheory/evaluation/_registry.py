"""Named objectives, for certificates and for problems: what each needs of predictions, targets and groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._html_repr import Shown
from moltheory._core._text import quoted
from moltheory._core._validation import FloatArray
from moltheory.errors import InvalidInputError
from moltheory.evaluation._examples import Bools, Examples, are_fractions, format_value
from moltheory.evaluation._refused_names import refusal_of
from moltheory.objectives import Average, F1Error, Gap, Mean, Measure, Rate, Spread, Worst

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
    "numeric_among",
    "objective_of",
]

# Losses of regressions are rounded to this grid, so that their sums are exact and equal risks are equal floats.
_GRID = 10**6
_PINBALL = "pinball:"


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


def _average(losses: npt.NDArray[Any], labels: npt.NDArray[Any]) -> Measure:
    return Average([Rate(losses, labels == label) for label in np.unique(labels)])


def _macro_f1(examples: Examples) -> Measure:
    # Labels of one kind, no scores.
    examples.wrong()
    classes = np.unique(examples.target)
    return Average([F1Error(examples.predictions == label, examples.target == label) for label in classes])


def _worst(losses: npt.NDArray[Any], labels: npt.NDArray[Any]) -> Measure:
    return Worst([Rate(losses, labels == label) for label in np.unique(labels)])


def _on_grid(losses: FloatArray) -> FloatArray:
    rounded: FloatArray = np.rint(losses * _GRID) / _GRID
    return rounded


def _pinball(examples: Examples, level: float) -> Measure:
    short = -examples.residuals()
    return Mean(_on_grid(np.maximum(level * short, (level - 1.0) * short)))


@dataclass(frozen=True)
class NamedObjective(Shown):
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
    NamedObjective(
        "precision_error", "1 - precision (equal to false_discovery_rate)", _false_discovery_rate, binary=True
    ),
    NamedObjective("f1_error", "1 - F1", lambda e: F1Error(*e.positive()), binary=True),
    NamedObjective("macro_f1_error", "1 - F1, averaged over the classes of the target", _macro_f1),
    NamedObjective(
        "balanced_error", "1 - balanced accuracy: error averaged over classes", lambda e: _average(e.wrong(), e.target)
    ),
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
        "pinball",
        "mean quantile loss at level 0.5, half of absolute_error; pinball:0.9 is that at level 0.9",
        lambda e: _pinball(e, 0.5),
        numeric=True,
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
    ['squared_error', 'absolute_error', 'pinball', 'worst_group_squared_error']
    """
    return _OBJECTIVES


def objective_of(name: object) -> NamedObjective:
    """Return the objective of a name, such as ``"error"`` or ``"pinball:0.9"``.

    Raises
    ------
    InvalidInputError
        If there is none, or the level of a quantile loss is not in (0, 1).
    """
    if isinstance(name, str) and name in _BY_NAME:
        return _BY_NAME[name]
    reason = refusal_of(name)
    if reason is not None:
        raise InvalidInputError(f"`objectives` must be estimated with a guarantee, got {quoted(name)}, {reason}.")
    if not isinstance(name, str) or not name.startswith(_PINBALL):
        raise InvalidInputError(f"`objectives` must be among {', '.join(sorted(_BY_NAME))}, got {quoted(name)}.")
    try:
        level = float(name.removeprefix(_PINBALL))
    except ValueError:
        level = 0.0
    if not 0.0 < level < 1.0:
        raise InvalidInputError(f"`objectives` must have a level in (0, 1) in pinball:level, got {quoted(name)}.")
    return replace(_BY_NAME["pinball"], name=name, measure=lambda examples: _pinball(examples, level))


def numeric_among(names: Iterable[str]) -> list[str]:
    """Return the losses of numbers among names of objectives, sorted; names of other things are passed over."""
    found = (name for name in names if name in _BY_NAME or name.startswith(_PINBALL))
    return sorted(name for name in found if objective_of(name).numeric)


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
        entry = objective_of(objective)
        examples.objective = objective
        yield objective, entry.measure(examples)
