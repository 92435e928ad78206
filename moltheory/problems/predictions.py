"""Fixed models on a population: predictions and targets become objectives with exact true risks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory.errors import InvalidInputError
from moltheory.objectives import Known, Measure
from moltheory.problems._named_measures import Examples, named_measures
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
    stratify: bool = False,
    hypothesis_names: Iterable[str] | None = None,
) -> FinitePopulation:
    """Take a table of predictions of fixed models as a population whose rows are equally likely.

    Parameters
    ----------
    predictions : (n, H) array_like
        Predicted label (or number, for regressions) of each of H models for each of n examples.
    target : (n,) array_like
        True labels or numbers.
    group : (n,) array_like, optional
        Group of each example, for objectives about groups.
    costs : mapping of str to (H,) array_like, optional
        Costs known without data, appended as last objectives.
    objectives : sequence of str, or mapping of str to Measure
        ``"error"``, ``"worst_class_error"``, ``"worst_group_error"`` (needs `group`); for labels 0 and 1 (1 is
        positive) also ``"false_negative_rate"``, ``"false_positive_rate"``, ``"demographic_parity_gap"`` and
        ``"equal_opportunity_gap"`` (both need a `group` of at least two values; the gap is the largest between
        any two); for numbers ``"squared_error"`` in variances of the target over the population (1 is what its
        mean achieves), ``"worst_group_squared_error"`` and ``"absolute_error"`` in its standard deviations, each
        loss rounded to six decimals. A mapping gives measures of your own.
    name : str, default "predictions"
        Names the problem in tables, and keys its random streams.
    stratify : bool, default False
        Fix the number of examples of each group in every sample; see `FinitePopulation`.
    hypothesis_names : iterable of str, optional
        Names of the H models.

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
        if values is not None and _has_missing(values):
            raise InvalidInputError(f"`{argument}` must not contain missing values, got NaN.")
    measures = dict(named_measures(Examples(table, labels, groups), objectives))
    for label, known in (costs or {}).items():
        if label in measures:
            raise InvalidInputError(f"`costs` must not repeat the name of an objective, got {label!r}.")
        measures[label] = Known(known)
    rows = [Fraction(1, table.shape[0])] * table.shape[0]
    return FinitePopulation(
        rows,
        list(measures.values()),
        names=measures,
        name=name,
        stratify=stratify,
        hypothesis_names=hypothesis_names,
    )


def _has_missing(values: npt.NDArray[Any]) -> bool:
    if values.dtype.kind == "O":
        return any(entry is None or entry != entry for entry in values.flat)
    return values.dtype.kind == "f" and bool(np.isnan(values).any())
