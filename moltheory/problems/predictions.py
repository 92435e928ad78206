"""Fixed models on a population: predictions and targets become objectives with exact true risks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory.errors import InvalidInputError
from moltheory.objectives import Gap, Known, Mean, Measure, Rate, Worst
from moltheory.problems.population import FinitePopulation

__all__ = ["from_predictions"]


def from_predictions(
    predictions: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    group: npt.ArrayLike | None = None,
    costs: Mapping[str, npt.ArrayLike] | None = None,
    objectives: Sequence[str] | Mapping[str, Measure],
    name: str = "predictions",
) -> FinitePopulation:
    """Take a table of predictions of fixed models as a population whose rows are equally likely.

    Parameters
    ----------
    predictions : (n, H) array_like
        Predicted label of each of H models for each of n examples.
    target : (n,) array_like
        True labels.
    group : (n,) array_like, optional
        Group of each example, for objectives about groups.
    costs : mapping of str to (H,) array_like, optional
        Costs known without data, appended as last objectives.
    objectives : sequence of str, or mapping of str to Measure
        ``"error"``, ``"worst_class_error"``, ``"worst_group_error"`` (needs `group`); for labels 0 and 1 (1 is
        positive) also ``"false_negative_rate"``, ``"false_positive_rate"``, ``"demographic_parity_gap"`` and
        ``"equal_opportunity_gap"`` (both need a `group` of two values). A mapping gives measures of your own.
    name : str, default "predictions"
        Names the problem in tables, and keys its random streams.

    Returns
    -------
    FinitePopulation

    Raises
    ------
    InvalidInputError
        If shapes disagree, an objective is unknown, or labels or groups are not what it needs.

    Examples
    --------
    >>> problem = from_predictions([[0, 1], [1, 1], [1, 1]], [0, 1, 1], objectives=["error"],
    ...                            costs={"size": [5, 2]})
    >>> problem.true.risks()
    array([[0.        , 5.        ],
           [0.33333333, 2.        ]])
    """
    table, labels = np.asarray(predictions), np.asarray(target)
    if table.ndim != 2 or table.size == 0:
        raise InvalidInputError(f"`predictions` must have shape (n, H) and not be empty, got shape {table.shape}.")
    groups = None if group is None else np.asarray(group)
    for argument, values in (("target", labels), ("group", groups)):
        if values is not None and values.shape != table.shape[:1]:
            raise InvalidInputError(f"`{argument}` must have shape ({table.shape[0]},), got {values.shape}.")
    for argument, values in (("predictions", table), ("target", labels), ("group", groups)):
        if values is not None and values.dtype.kind in "fO" and any(entry != entry for entry in values.flat):
            raise InvalidInputError(f"`{argument}` must not contain missing values, got NaN.")
    measures = dict(_named_measures(_Table(table, labels, groups), objectives))
    for label, known in (costs or {}).items():
        if label in measures:
            raise InvalidInputError(f"`costs` must not repeat the name of an objective, got {label!r}.")
        measures[label] = Known(known)
    rows = [Fraction(1, table.shape[0])] * table.shape[0]
    return FinitePopulation(rows, list(measures.values()), names=measures, name=name)


class _Table:
    """Predictions, labels and groups, with the checks that objectives need."""

    def __init__(self, predictions: npt.NDArray[Any], target: npt.NDArray[Any], group: npt.NDArray[Any] | None) -> None:
        self.predictions = predictions
        self.target = target
        self._group = group
        self.wrong = (predictions != target[:, None]).astype(np.float64)

    def group(self) -> npt.NDArray[Any]:
        if self._group is None:
            raise InvalidInputError("`group` must be given for objectives about groups, got None.")
        return self._group

    def positive(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
        """Return positive predictions (n, H) and positive targets (n,)."""
        for argument, values in (("predictions", self.predictions), ("target", self.target)):
            found = np.unique(values)
            if not np.isin(found, (0, 1)).all():
                raise InvalidInputError(f"`{argument}` must be 0 or 1 for this objective, got {found[:5].tolist()}.")
        return self.predictions.astype(np.float64), self.target.astype(bool)

    def two_groups(self) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        found = np.unique(self.group())
        if found.size != 2:
            raise InvalidInputError(f"`group` must have two values for a gap, got {found.size}.")
        return self.group() == found[0], self.group() == found[1]


def _false_negative_rate(table: _Table) -> Measure:
    predicted, positive = table.positive()
    return Rate(1.0 - predicted, positive)


def _false_positive_rate(table: _Table) -> Measure:
    predicted, positive = table.positive()
    return Rate(predicted, ~positive)


def _demographic_parity_gap(table: _Table) -> Measure:
    predicted, _ = table.positive()
    first, second = table.two_groups()
    return Gap(Rate(predicted, first), Rate(predicted, second))


def _equal_opportunity_gap(table: _Table) -> Measure:
    predicted, positive = table.positive()
    first, second = table.two_groups()
    return Gap(Rate(predicted, first & positive), Rate(predicted, second & positive))


def _worst(wrong: npt.NDArray[np.float64], labels: npt.NDArray[Any]) -> Measure:
    return Worst([Rate(wrong, labels == label) for label in np.unique(labels)])


_OBJECTIVES: dict[str, Callable[[_Table], Measure]] = {
    "error": lambda table: Mean(table.wrong),
    "worst_class_error": lambda table: _worst(table.wrong, table.target),
    "worst_group_error": lambda table: _worst(table.wrong, table.group()),
    "false_negative_rate": _false_negative_rate,
    "false_positive_rate": _false_positive_rate,
    "demographic_parity_gap": _demographic_parity_gap,
    "equal_opportunity_gap": _equal_opportunity_gap,
}


def _named_measures(table: _Table, objectives: Sequence[str] | Mapping[str, Measure]) -> Iterator[tuple[str, Measure]]:
    if isinstance(objectives, Mapping):
        yield from objectives.items()
        return
    if isinstance(objectives, str) or not objectives:
        raise InvalidInputError(f"`objectives` must be a non-empty sequence of names, got {objectives!r}.")
    for objective in objectives:
        if objective not in _OBJECTIVES:
            raise InvalidInputError(f"`objectives` must be among {', '.join(sorted(_OBJECTIVES))}, got {objective!r}.")
        yield objective, _OBJECTIVES[objective](table)
