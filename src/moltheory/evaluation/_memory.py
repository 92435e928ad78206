"""Losses in memory, with the labels that come with them: of arrays, data frames, labelled arrays and mappings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from moltheory._core._labels import (
    Labels,
    Rows,
    axis_labels,
    column_labels,
    labels_among,
    matched_rows,
    order_of,
    row_labels,
)
from moltheory._core._text import few
from moltheory._core._validation import real_or_missing
from moltheory.errors import InvalidInputError
from moltheory.evaluation._dimensions import in_order

__all__ = ["LossArray", "read_loss_array", "rows_of_stream"]

_SHAPE = "(n, M) or (n, M, N)"
_ROLES = {2: ("example", "model"), 3: ("example", "model", "objective")}
_SCORES = ("mean_test_score", "test_score", "fit_time", "split0_test_score")


class LossArray(NamedTuple):
    """Losses (n, M, N) in the type that they have, NaN = not evaluated, with labels where some came with them.

    `rows` are the labels of the examples, or a range where an index only numbers them.
    """

    losses: npt.NDArray[Any]
    models: Labels | None
    examples: Labels | None
    objectives: Labels | None
    rows: Rows | None


def read_loss_array(losses: Any) -> LossArray:
    """Return losses in memory; what is something else is refused with the function that takes it.

    Raises
    ------
    InvalidInputError
        If it is not real numbers of shape (n, M) or (n, M, N), or empty.
    """
    _refuse_others(losses)
    if isinstance(losses, Mapping):
        return _of_mapping(losses)
    losses = in_order("losses", losses, *_ROLES.get(len(getattr(losses, "dims", ())), ()))
    columns = column_labels(losses)
    _refuse_long(columns)
    try:
        table = real_or_missing("losses", losses)
    except InvalidInputError as error:
        if columns is None or "real numbers" not in str(error):
            raise
        raise InvalidInputError(f"{str(error).rstrip('.')}: {_remedy(columns)}.") from None
    if table.ndim not in (2, 3):
        found = f"shape {table.shape}" if table.ndim else type(losses).__name__
        raise InvalidInputError(f"`losses` must have shape {_SHAPE}, got {found}.")
    if table.size == 0:
        raise InvalidInputError(f"`losses` must not be empty, got shape {table.shape}.")
    objectives = axis_labels(losses, 2) if table.ndim == 3 else None
    titles = None if objectives is None else [str(label) for label in objectives]
    table = table[:, :, None] if table.ndim == 2 else table
    return LossArray(table, axis_labels(losses, 1), axis_labels(losses), titles, row_labels(losses))


def rows_of_stream(losses: Any, models: Sequence[str], objectives: Sequence[str]) -> npt.NDArray[Any]:
    """Return losses (b, M, N) or (M, N) that arrive, matched by the names of models and objectives if they have some.

    Raises
    ------
    InvalidInputError
        If they are not real numbers, or have other names.
    """
    _refuse_others(losses)
    if isinstance(losses, Mapping):
        raise InvalidInputError(
            f"`losses` must be an array of shape (b, {len(models)}, {len(objectives)}), got a mapping: give a frame with "
            f"one row per model, or an array."
        )
    losses = in_order("losses", losses, *_ROLES[3])
    rows = real_or_missing("losses", losses)
    if not isinstance(losses, np.ndarray):
        # Sums depend on the order in memory: the same for all containers.
        rows = np.ascontiguousarray(rows)
    if rows.ndim not in (2, 3):
        return rows
    for axis, names, of in ((rows.ndim - 2, models, "models"), (rows.ndim - 1, objectives, "objectives")):
        labels = labels_among(losses, names, axis)
        numbers = labels is not None and labels == [str(place) for place in range(len(labels))]
        if labels is None or (numbers and set(labels) != set(names)):
            continue
        order = order_of("losses", labels, list(names), len(names), of=of)
        rows = rows if order is None else rows.take(order, axis=axis)
    return rows


def _of_mapping(losses: Mapping[Any, Any]) -> LossArray:
    """Return one vector of losses per model, matched by their labels."""
    if not losses:
        raise InvalidInputError("`losses` must not be empty, got a mapping without entries.")
    columns: list[npt.NDArray[Any]] = []
    rows: Rows | None = None
    first: str | None = None
    for key, value in losses.items():
        column = real_or_missing("losses", list(value.values()) if isinstance(value, Mapping) else value)
        if column.ndim != 1:
            found = f"shape {column.shape}" if column.ndim else "one number"
            raise InvalidInputError(
                f"`losses` must map each model to its losses on n examples, got {found} for {key!r}: averages are no "
                f"examples, and several objectives go into an array (n, M, N), for example by numpy.stack."
            )
        if columns and column.size != columns[0].size:
            raise InvalidInputError(
                f"`losses` must have as many entries for every model, got {columns[0].size} and {column.size}: NaN marks "
                f"what was not evaluated."
            )
        rows, first, order = matched_rows("losses", value, rows, column.size, of=first, key=str(key))
        column = column if order is None else column[order]
        columns.append(column)
    table = np.column_stack(columns)
    if table.size == 0:
        raise InvalidInputError(f"`losses` must not be empty, got shape {table.shape}.")
    labels = rows if isinstance(rows, list) else None
    return LossArray(table[:, :, None], [str(key) for key in losses], labels, None, rows)


def _refuse_others(losses: Any) -> None:
    """Refuse what is no losses, but known: files, results of other tools, estimators."""
    remedy = None
    if isinstance(losses, str | PathLike):
        raise InvalidInputError(
            f"`losses` must be an array or a source of losses, got {str(losses)!r}: a file becomes one by "
            "`moltheory.certification.open_losses`."
        )
    kind = type(losses).__name__
    entries = (
        list(losses.values()) if isinstance(losses, Mapping) else losses if isinstance(losses, list | tuple) else []
    )
    if hasattr(losses, "trials") and (hasattr(losses, "best_trials") or hasattr(losses, "directions")):
        remedy = (
            "the values of its trials are aggregates without examples; evaluate the chosen trials again on fresh data "
            "and give the losses of each example"
        )
    elif hasattr(losses, "by_group") and hasattr(losses, "overall"):
        remedy = "give the predictions, targets and groups that it was made from to `from_predictions(..., group=...)`"
    elif hasattr(losses, "cv_results_") or (isinstance(losses, Mapping) and any(key in losses for key in _SCORES)):
        kind = kind if hasattr(losses, "cv_results_") else "scores of cross-validation"
        remedy = (
            "a mean over a fold is no example; `from_cross_validation` takes results with return_estimator=True and "
            "return_indices=True"
        )
    elif callable(getattr(losses, "predict", None)) or (
        entries and all(callable(getattr(entry, "predict", None)) for entry in entries)
    ):
        remedy = "`from_estimators` takes fitted estimators with features and target"
    elif entries and not isinstance(losses, Mapping) and any(column_labels(entry) is not None for entry in entries):
        kind = "a list of frames"
        remedy = "stack the frames of the objectives into (n, M, N), for example by numpy.stack(..., axis=2)"
    elif losses is None or isinstance(losses, type | set | frozenset) or hasattr(losses, "__next__"):
        kind = repr(losses) if losses is None or isinstance(losses, type) else kind
        remedy = "give an array, a data frame or a `LossTable`"
    if remedy is not None:
        raise InvalidInputError(f"`losses` must be real numbers of shape {_SHAPE}, got {kind}: {remedy}.")


def _refuse_long(columns: Labels | None) -> None:
    """Refuse a table with one row per model and example, whose columns would be taken for models."""
    if columns is not None and _is_long(columns):
        raise InvalidInputError(
            f"`losses` must have one column per model, got columns {few(columns, 5)}: {_remedy(columns)}."
        )


def _is_long(columns: Labels) -> bool:
    lower = {str(column).lower() for column in columns}
    return "model" in lower and bool(lower & {"loss", "example", "objective", "metric"})


def _remedy(columns: Labels) -> str:
    lower = {str(column).lower() for column in columns}
    if "model" in lower or _is_long(columns):
        return "a table with one row per model and example becomes losses by `from_long_table`"
    if lower & {"target", "label", "y_true", "y"}:
        return "a table of predicted and true labels becomes losses by `from_predictions`"
    return "keep one column of losses per model"
