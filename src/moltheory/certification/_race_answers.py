"""Losses that a race is given: a table or the answers to what it asked for, matched by names where they have some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._labels import axis_labels, order_of
from moltheory._core._text import quoted
from moltheory._core._validation import real_or_missing
from moltheory.errors import InvalidInputError
from moltheory.evaluation._memory import read_loss_array

__all__ = ["read_losses", "read_pair_losses", "read_table", "refuse_silent"]

Array = npt.NDArray[Any]

# Examples without any answer after which a model is taken to give none at all.
_PATIENCE = 100


def read_table(table: Any, models: Sequence[str], objectives: Sequence[str]) -> Array:
    """Return a table of losses (n, M, N).

    Raises
    ------
    InvalidInputError
        If it is none, its names are others than those of the models and objectives, or a model has no loss.
    """
    shape = (len(models), len(objectives))
    rule = f"`evaluate` must be a function, or losses of shape (n, {shape[0]}, {shape[1]})"
    if table is None or isinstance(table, str | bytes | PathLike):
        raise InvalidInputError(f"{rule}, got {type(table).__name__}.")
    found = _matched(table, models, objectives, "`evaluate`")
    if found.shape[1:] != shape:
        raise InvalidInputError(f"{rule}, got shape {found.shape}.")
    for h, k in np.argwhere(np.all(np.isnan(found), axis=0)).tolist():
        raise InvalidInputError(
            f"`evaluate` must hold a loss of every model, got only NaN for {_place(models, objectives, h, k)}."
        )
    return found


def read_losses(losses: Any, n: int, models: Sequence[str], objectives: Sequence[str]) -> Array:
    """Return losses (n, M, N) of the models that were asked for.

    Raises
    ------
    InvalidInputError
        If the answer has another shape or other names, or is not of numbers.
    """
    found = _matched(losses, models, objectives, "what `evaluate` returns")
    return _shaped(found, (n, len(models), len(objectives)))


def read_pair_losses(losses: Any, n: int, count: int) -> Array:
    """Return losses (n, k) of the k pairs of a model and an objective that were asked for.

    Raises
    ------
    InvalidInputError
        If the answer has another shape or names, or is not of numbers.
    """
    labels = list(losses) if isinstance(losses, Mapping) else axis_labels(losses, 1)
    if labels is not None and not _are_numbers(labels):
        raise InvalidInputError(
            f"`evaluate` must return losses of the pairs in their order, without names, got names such as "
            f"{quoted(str(labels[0])) if labels else 'none'}: give an array."
        )
    try:
        found = real_or_missing("losses", losses)
    except InvalidInputError as error:
        raise _said_of(error, "what `evaluate` returns") from None
    return _shaped(found, (n, count))


def refuse_silent(
    counts: Array, asked: Array, cells: Array, most: float, models: Sequence[str], objectives: Sequence[str]
) -> None:
    """Refuse to go on with a model that never answers, which no number of examples can decide.

    Parameters
    ----------
    counts, asked : (M, N) ndarray of int
        Number of examples with a loss, and of those that were asked for.
    cells : (M, N) ndarray of bool
        What was asked for last.
    most : float
        Number of examples that there are.

    Notes
    -----
    An objective in which no model has a loss yet may be one of a rare group; a model that is silent in it beside others
    that are not, or in all objectives, is not.
    """
    patience = min(_PATIENCE, most)
    beside = counts.max(axis=0) >= patience
    nothing = (counts == 0).all(axis=1, keepdims=True)
    silent = (counts == 0) & (asked >= patience) & cells & (beside | nothing)
    for h, k in np.argwhere(silent).tolist():
        named = _place(models, objectives if counts[h].any() else (), h, k)
        raise InvalidInputError(
            f"`evaluate` must answer for every model, got only NaN for {named} on {int(asked[h, k])} examples."
        )


def _matched(losses: Any, models: Sequence[str], objectives: Sequence[str], subject: str) -> Array:
    """Return losses (n, M, N), in the order of models and objectives if they have names."""
    try:
        found = read_loss_array(losses)
        table = found.losses
        for axis, labels, names, of in (
            (1, found.models, models, "models"),
            (2, found.objectives, objectives, "objectives"),
        ):
            texts = None if labels is None else [str(label) for label in labels]
            if texts is None or (_are_numbers(texts) and set(texts) != set(names)):
                continue
            order = order_of("losses", texts, list(names), len(texts), of=of)
            table = table if order is None else table.take(order, axis=axis)
    except InvalidInputError as error:
        raise _said_of(error, subject) from None
    return table


def _said_of(error: InvalidInputError, subject: str) -> InvalidInputError:
    return InvalidInputError(str(error).replace("`losses`", subject))


def _are_numbers(labels: Sequence[Any]) -> bool:
    """Whether labels only number the entries, which says nothing."""
    return [str(label) for label in labels] == [str(place) for place in range(len(labels))]


def _shaped(found: Array, shape: tuple[int, ...]) -> Array:
    if found.shape != shape:
        raise InvalidInputError(
            f"`evaluate` must return losses of shape {shape} for what was asked on these examples, got {found.dtype} of "
            f"shape {found.shape}."
        )
    return found


def _place(models: Sequence[str], objectives: Sequence[str], h: int, k: int) -> str:
    return quoted(models[h]) + (f" in {quoted(objectives[k])}" if len(objectives) > 1 else "")
