"""Fixed models on a population: predictions and targets become objectives with exact true risks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory.errors import InvalidInputError
from moltheory.evaluation._registry import Examples, named_measures
from moltheory.objectives import Known, Measure
from moltheory.problems._population import FinitePopulation

__all__ = ["from_predictions"]


@document
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
        Predicted label (or number, for regressions) of each of H models for each of n examples. The columns of a
        DataFrame name the models. Where several of `predictions`, `target` and `group` are of pandas, their indexes
        must be equal.
    target : (n,) array_like
        True labels or numbers. Labels 0 and 1 are numbers too: of probabilities, ``"squared_error"`` is then the
        Brier score divided by the variance of the labels.
    group : (n,) array_like, optional
        Group of each example, for objectives about groups.
    costs : mapping of str to (H,) array_like, optional
        Costs known without data, finite, appended as last objectives.
    objectives : sequence of str, or mapping of str to Measure
        ``"error"``, ``"worst_class_error"``, ``"worst_group_error"`` (needs `group`); for labels 0 and 1 (1 is
        positive) also ``"false_negative_rate"``, ``"false_positive_rate"``, ``"demographic_parity_gap"`` and
        ``"equal_opportunity_gap"`` (both need a `group` of at least two values; the gap is the largest between
        any two); for numbers ``"squared_error"`` in variances of the target over the population (1 is what its
        mean achieves), ``"worst_group_squared_error"`` and ``"absolute_error"`` in its standard deviations, each
        loss rounded to six decimals. A mapping gives measures of your own.
    {problem_name}
    stratify : bool, default False
        Fix the number of examples of each group in every sample; see `FinitePopulation`.
    hypothesis_names : iterable of str, optional
        Names of the H models; by default the columns of a DataFrame, else ``h0``, ``h1`` and so on.

    Returns
    -------
    FinitePopulation

    {raises}

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
    if labels.ndim == 1 and table.shape[1] == labels.size != table.shape[0]:
        raise InvalidInputError(
            f"`predictions` must have shape (n, H) with one row for each of {labels.size} targets, got {table.shape}, "
            f"which looks transposed."
        )
    groups = None if group is None else np.asarray(group)
    for argument, values in (("target", labels), ("group", groups)):
        if values is not None and values.shape != table.shape[:1]:
            raise InvalidInputError(f"`{argument}` must have shape ({table.shape[0]},), got {values.shape}.")
    for argument, values in (("predictions", table), ("target", labels), ("group", groups)):
        if values is not None and _has_missing(values):
            raise InvalidInputError(f"`{argument}` must not contain missing values, got NaN.")
    _check_indexes({"predictions": predictions, "target": target, "group": group})
    columns = _column_names(predictions)
    measures = dict(named_measures(Examples(table, labels, groups, standardized=True), objectives))
    for label, known in _read_costs(costs, table.shape[1], columns).items():
        if label in measures:
            raise InvalidInputError(f"`costs` must not repeat the name of an objective, got {label!r}.")
        measures[label] = known
    rows = [Fraction(1, table.shape[0])] * table.shape[0]
    return FinitePopulation(
        rows,
        list(measures.values()),
        names=measures,
        name=name,
        stratify=stratify,
        hypothesis_names=columns if hypothesis_names is None else hypothesis_names,
    )


def _check_indexes(arguments: Mapping[str, object]) -> None:
    """Refuse rows in another order: taken by position, they would be paired wrongly."""
    import pandas as pd

    indexed = [(name, value.index) for name, value in arguments.items() if isinstance(value, pd.DataFrame | pd.Series)]
    for name, index in indexed[1:]:
        first, expected = indexed[0]
        if not index.equals(expected):
            raise InvalidInputError(
                f"`{name}` must have the index of `{first}`, got another one: align them, for example with "
                f"{name}.loc[{first}.index], or give arrays."
            )


def _column_names(predictions: object) -> tuple[str, ...] | None:
    """Return the columns of a DataFrame as text; None where they are only numbered."""
    import pandas as pd

    if not isinstance(predictions, pd.DataFrame) or isinstance(predictions.columns, pd.RangeIndex):
        return None
    names = tuple(str(column) for column in predictions.columns)
    for name in names:
        if names.count(name) > 1:
            raise InvalidInputError(f"`predictions` must have distinct column names, got {name!r} twice: rename one.")
    return names


def _read_costs(costs: object, n_models: int, columns: tuple[str, ...] | None) -> dict[str, Known]:
    import pandas as pd

    if costs is None:
        return {}
    if not isinstance(costs, Mapping):
        raise InvalidInputError(f"`costs` must map names to arrays of shape (H,), got {type(costs).__name__}.")
    known = {}
    for label, cost in costs.items():
        rule = f"`costs` must have {n_models} finite values for each name"
        try:
            plain = np.asarray(cost)
            if plain.dtype.kind not in "biufO":
                raise TypeError
            values = plain.astype(np.float64)
        except (TypeError, ValueError):
            raise InvalidInputError(f"{rule}, got something else than numbers for {label!r}.") from None
        if values.shape != (n_models,):
            found = str(values.size) if values.ndim == 1 else f"shape {values.shape}"
            raise InvalidInputError(f"{rule}, got {found} for {label!r}.")
        if not np.isfinite(values).all():
            raise InvalidInputError(f"{rule}, got {'NaN' if np.isnan(values).any() else 'an infinity'} for {label!r}.")
        if columns is not None and isinstance(cost, pd.Series):
            names = [str(entry) for entry in cost.index]
            if names != list(columns) and set(names) == set(columns):
                raise InvalidInputError(
                    f"`costs` must be in the order of the columns of `predictions`, got another order for {label!r}: "
                    f"align it with .loc[predictions.columns]."
                )
        known[label] = Known(values)
    return known


def _has_missing(values: npt.NDArray[Any]) -> bool:
    if values.dtype.kind == "O":
        import pandas as pd

        return bool(pd.isna(values).any())
    return values.dtype.kind == "f" and bool(np.isnan(values).any())
