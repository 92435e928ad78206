"""Losses that arrive at a stream: read, checked and made into units before anything is added."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._labels import aligned_labels, labels_among, order_of
from moltheory._core._text import few, quoted
from moltheory._core._validation import FloatArray, real_or_missing
from moltheory.errors import InvalidInputError
from moltheory.evaluation import Tail
from moltheory.evaluation._blocks import cluster_totals
from moltheory.evaluation._memory import rows_of_stream
from moltheory.evaluation._source import LossSource
from moltheory.objectives import Mean, Measure, Rate

__all__ = ["Clusters", "read_rows", "scaled_units"]


@dataclass(frozen=True)
class Clusters:
    """How the clusters of a batch lie in it: order of its rows, and codes that rise along it; `ids` are their prints."""

    order: npt.NDArray[np.intp]
    codes: npt.NDArray[np.intp]
    ids: frozenset[int]

    @classmethod
    def of(cls, clusters: object, n: int, *, largest: int | None, seen: Collection[int]) -> Clusters:
        """Return the clusters with these labels.

        Raises
        ------
        InvalidInputError
            If there is not one label for each example, a cluster is larger than stated, or came before.
        """
        labels = aligned_labels("clusters", clusters, None, n, of="losses")
        try:
            found, codes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
        except TypeError:
            raise InvalidInputError("`clusters` must hold labels of one kind, got kinds that do not compare.") from None
        if largest is not None and sizes.size and sizes.max() > largest:
            raise InvalidInputError(
                f"`clusters` must hold at most {largest} examples each, as stated by `largest_cluster`, got "
                f"{int(sizes.max())} in {found[int(sizes.argmax())]!s}."
            )
        ids = {_print_of(label): label for label in found.tolist()}
        again = [label for key, label in ids.items() if key in seen]
        if again:
            raise InvalidInputError(
                f"`clusters` must be complete, all examples of one in one update, got {few(again, describe=str)} again: "
                f"its parts would count as independent."
            )
        codes = codes.reshape(-1).astype(np.intp)
        order = np.argsort(codes, kind="stable")
        return cls(order, codes[order], frozenset(ids))


def _print_of(label: object) -> int:
    """Return 64 bits for a label, equal for numbers that are equal."""
    label = int(label) if isinstance(label, float) and label.is_integer() else label
    return int.from_bytes(hashlib.blake2b(repr(label).encode(), digest_size=8).digest(), "little")


def read_rows(losses: Any, models: Sequence[str], objectives: Sequence[str]) -> npt.NDArray[Any]:
    """Return losses (b, M, N), of an array or of measures of the examples that arrive.

    Raises
    ------
    InvalidInputError
        If the shape is wrong, names do not match, or a measure is no mean over examples.
    """
    shape = (len(models), len(objectives))
    others = (str, bytes, os.PathLike, LossSource, type, set, frozenset)
    if losses is None or isinstance(losses, others) or hasattr(losses, "__next__"):
        got = type(losses).__name__ if isinstance(losses, os.PathLike | LossSource) else quoted(losses)
        hint = ": its losses are `table.losses`" if hasattr(type(losses), "losses") else ""
        raise InvalidInputError(f"`losses` must be an array of shape (b, {shape[0]}, {shape[1]}), got {got}{hint}.")
    measures = _measures_in(losses)
    if measures is not None:
        losses = _rows_of_measures(measures, objectives)
    wide = _columns_of_models(losses, models, objectives)
    rows = rows_of_stream(losses, models, objectives) if wide is None else wide
    if rows.dtype.kind not in "biuf" or rows.ndim not in (2, 3) or rows.shape[-2:] != shape:
        raise InvalidInputError(
            f"`losses` must be real numbers of shape (b, {shape[0]}, {shape[1]}), got shape {rows.shape}."
        )
    return rows[None] if rows.ndim == 2 else rows


def _columns_of_models(losses: Any, models: Sequence[str], objectives: Sequence[str]) -> npt.NDArray[Any] | None:
    """Return losses (b, M, 1) of a frame of examples and models, matched by name; None if it is none."""
    labels = labels_among(losses, models, 1) if getattr(losses, "ndim", 0) == 2 else None
    if labels is None or set(labels) & set(objectives) or not set(labels) & set(models):
        return None
    if len(objectives) > 1:
        raise InvalidInputError(
            f"`losses` must have a column for each of {few(list(objectives))}, got one for each model, which says nothing "
            f"of several objectives: give an array of shape (b, {len(models)}, {len(objectives)})."
        )
    order = order_of("losses", labels, list(models), len(models), of="models")
    rows = np.ascontiguousarray(real_or_missing("losses", losses))
    return (rows if order is None else rows.take(order, axis=1))[:, :, None]


def _measures_in(losses: Any) -> list[tuple[str | None, Any]] | None:
    """Return measures with their names, or None if these are losses."""
    if isinstance(losses, Measure | Tail):
        return [(None, losses)]
    entries: list[tuple[str | None, Any]] = []
    if isinstance(losses, Mapping):
        entries = [(str(name), entry) for name, entry in losses.items()]
    elif isinstance(losses, list | tuple):
        entries = [(None, entry) for entry in losses]
    if not any(isinstance(entry, Measure | Tail) for _, entry in entries):
        return None
    if not all(isinstance(entry, Measure | Tail) for _, entry in entries):
        raise InvalidInputError("`losses` must be all numbers or all measures, got some of each.")
    return entries


def _rows_of_measures(measures: list[tuple[str | None, Any]], objectives: Sequence[str]) -> npt.NDArray[Any]:
    named = measures[0][0] is not None
    found = {str(name): entry for name, entry in measures} if named else {}
    if len(measures) != len(objectives) or (named and set(found) != set(objectives)):
        got = few(list(found)) if named else f"{len(measures)}"
        raise InvalidInputError(f"`losses` must be one measure for each of {few(list(objectives))}, got {got}.")
    columns = []
    for place, name in enumerate(objectives):
        entry = found[name] if named else measures[place][1]
        cell = entry.cells[0] if type(entry) in (Mean, Rate) else None
        if cell is None or cell.depends_on_model:
            kind = type(entry).__name__ + ("" if cell is None else " whose condition depends on the model")
            raise InvalidInputError(
                f"`losses` must be means, or rates in a group, got {kind} for {quoted(name)}: make a mean over each group "
                f"an objective of its own, or take `certify` at a number of examples fixed in advance."
            )
        columns.append(np.where(cell.where[:, None], cell.losses, np.nan))
    shapes = {column.shape for column in columns}
    if len(shapes) > 1:
        raise InvalidInputError(
            f"`losses` must be measures of the same examples and models, got shapes {sorted(shapes)}."
        )
    return np.stack(columns, axis=2)


def scaled_units(
    x: FloatArray, clusters: Clusters | None, *, largest: int | None, averaged: bool
) -> tuple[FloatArray, FloatArray | None]:
    """Return units (u, M) of one objective, scaled to [0, 1], and their sizes over the largest if these count."""
    x = x if clusters is None else x[clusters.order]
    if largest is None and not averaged:
        return x, None
    codes = np.arange(x.shape[0]) if clusters is None else clusters.codes
    totals, sizes = cluster_totals(x, codes)
    if averaged:
        # Rounding must not lead out of the range.
        return np.minimum(totals / sizes[:, None], 1.0), None
    most = float(largest or 1)
    return np.minimum(totals, sizes[:, None]) / most, sizes / most
