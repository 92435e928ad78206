"""Predictions with what belongs to their examples, matched by labels: targets, groups and clusters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from moltheory._core._inputs import labels_in, missing_entries
from moltheory._core._labels import Rows, aligned_labels, are_other, axis_labels, matched_rows, row_labels
from moltheory._core._validation import refuse_masked
from moltheory.errors import InvalidInputError
from moltheory.evaluation._dimensions import in_order

__all__ = ["LabelledPredictions", "check_one_kind", "of_examples", "read_predictions"]


class LabelledPredictions(NamedTuple):
    """Predictions (n, M) with targets, groups and clusters (n,) in their order; names of models and examples, or None."""

    predictions: npt.NDArray[Any]
    target: npt.NDArray[Any]
    group: npt.NDArray[Any] | None
    clusters: npt.NDArray[Any] | None
    models: list[str] | None
    examples: list[str] | None


def read_predictions(
    predictions: Any, target: Any, *, group: Any = None, clusters: Any = None, shape: str = "(n, M)"
) -> LabelledPredictions:
    """Return predictions and what belongs to their examples.

    Raises
    ------
    InvalidInputError
        If shapes or labels do not match, a value is missing, or labels are of several kinds.
    """
    table, models, rows = _table(predictions, shape)
    n = table.shape[0]
    transposed = labels_in("target", list(target.values()) if isinstance(target, Mapping) else target).shape
    if transposed != (n,) and transposed == (table.shape[1],):
        raise InvalidInputError(
            f"`predictions` must have shape {shape} with one row for each of {transposed[0]} targets, got {table.shape}, "
            f"which looks transposed."
        )
    others = of_examples(rows, n, of="predictions", target=target, group=group, clusters=clusters)
    labels, groups, codes = (others[name] for name in ("target", "group", "clusters"))
    if labels is None:
        raise InvalidInputError("`target` must hold one label for each example, got None.")
    names = [str(label) for label in rows] if isinstance(rows, list) else None
    if names is not None and len(set(names)) < n:
        names = None
    return LabelledPredictions(table, labels, groups, codes, models, names)


def of_examples(rows: Rows | None, n: int, *, of: str, **given: Any) -> dict[str, npt.NDArray[Any] | None]:
    """Return what belongs to n examples in their order; the first that has labels gives them where `rows` is None."""
    found: dict[str, npt.NDArray[Any] | None] = {}
    for name, value in given.items():
        found[name] = None
        if value is None:
            continue
        refuse_masked(name, value)
        found[name] = array = aligned_labels(name, value, rows, n, of=of)
        check_one_kind(name, array)
        own = None if isinstance(value, Mapping) else row_labels(value)
        if (rows is None and own is not None) or (isinstance(rows, range) and are_other(own, rows)):
            rows, of = own, name
    return found


def check_one_kind(name: str, labels: npt.NDArray[Any]) -> None:
    """Refuse numbers beside texts: 1 and "1" may be meant to be one label."""
    if labels.dtype.kind != "O":
        return
    texts = [entry for entry in labels.flat if isinstance(entry, str)]
    if 0 < len(texts) < labels.size:
        other = next(entry for entry in labels.flat if not isinstance(entry, str))
        raise InvalidInputError(
            f"`{name}` must hold labels of one kind, got {texts[0]!r} and {other!r}: make all of them texts."
        )


def _table(predictions: Any, shape: str) -> tuple[npt.NDArray[Any], list[str] | None, Rows | None]:
    """Return predictions (n, M), names of the models and labels of the examples."""
    refuse_masked("predictions", predictions)
    models: list[str] | None
    if isinstance(predictions, Mapping):
        table, models, rows = _of_mapping(predictions)
    else:
        predictions = in_order("predictions", predictions, "example", "model")
        table = labels_in("predictions", predictions)
        rows = row_labels(predictions)
        names = axis_labels(predictions, 1)
        models = None if names is None else [str(name) for name in names]
    if table.ndim != 2 or table.size == 0:
        raise InvalidInputError(f"`predictions` must have shape {shape} and not be empty, got shape {table.shape}.")
    missing = int(missing_entries(table).sum())
    if missing:
        raise InvalidInputError(f"`predictions` must not contain missing values, got {missing} of them.")
    return table, models, rows


def _of_mapping(predictions: Mapping[Any, Any]) -> tuple[npt.NDArray[Any], list[str], Rows | None]:
    if not predictions:
        raise InvalidInputError("`predictions` must not be empty, got a mapping without entries.")
    columns: list[npt.NDArray[Any]] = []
    rows: Rows | None = None
    first: str | None = None
    for key, value in predictions.items():
        column = labels_in("predictions", value)
        if column.ndim != 1 or (columns and column.size != columns[0].size):
            expected = f"({columns[0].size},)" if columns else "(n,)"
            raise InvalidInputError(
                f"`predictions` must hold one vector {expected} for each model, got shape {column.shape} for {key!r}."
            )
        rows, first, order = matched_rows("predictions", value, rows, column.size, of=first, key=str(key))
        column = column if order is None else column[order]
        columns.append(column)
    kinds = {column.dtype.kind in "OUS" for column in columns}
    stacked = np.column_stack([column.astype(object) for column in columns] if len(kinds) > 1 else columns)
    return stacked, [str(key) for key in predictions], rows
