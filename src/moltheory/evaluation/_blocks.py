"""Losses in blocks, column by column: of an array, of the cells of measures, or of a source.

A *column* is one average per model: an objective, or one cell of a measure. In a block the rows of a cluster are
contiguous, and no cluster is split over blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from moltheory._core._labels import Rows, aligned_labels
from moltheory._core._validation import FloatArray, refuse_masked, without_mask
from moltheory.errors import InvalidInputError
from moltheory.evaluation._source import LossSource
from moltheory.objectives import Cell

__all__ = [
    "ColumnBlock",
    "ReadColumns",
    "array_columns",
    "cell_columns",
    "cluster_codes",
    "cluster_totals",
    "kept_in_memory",
    "source_columns",
]

# Largest source, in bytes, that is kept in memory when first read, so that a small file is parsed once.
_KEPT = 1 << 23
# Entries of one block, in all columns together; 4096 rows at least.
_ENTRIES = 1 << 21
_ROWS = 4096


class ColumnBlock(NamedTuple):
    """Losses (b, M) of one column in their original type, NaN = not evaluated.

    `present` (b, M) marks the entries that count, where the type has no NaN or the condition depends on the model;
    `codes` (b,) are equal for examples of one cluster.
    """

    column: int
    rows: npt.NDArray[Any]
    present: npt.NDArray[np.bool_] | None
    codes: npt.NDArray[np.intp] | None


ReadColumns = Callable[[], Iterator[ColumnBlock]]


def array_columns(losses: npt.NDArray[Any], codes: npt.NDArray[np.intp] | None) -> Iterator[ColumnBlock]:
    """Yield blocks of about 16 MB of an array (n, M, N), column by column."""
    step = _step(losses.shape[1] * losses.shape[2])
    for places, part in _pieces(losses.shape[0], codes, step):
        rows = losses[places]
        for column in range(losses.shape[2]):
            yield ColumnBlock(column, rows[:, :, column], None, part)


def cell_columns(cells: Sequence[Cell], codes: npt.NDArray[np.intp] | None) -> Iterator[ColumnBlock]:
    """Yield, for each cell, the rows on which its condition holds for some model."""
    step = _step(cells[0].losses.shape[1])
    for column, cell in enumerate(cells):
        losses, where = cell.losses, cell.where
        some = where.any(axis=1) if cell.depends_on_model else where
        mine = codes
        if not some.all():
            losses, mine = losses[some], None if codes is None else codes[some]
            where = where[some]
        for places, part in _pieces(losses.shape[0], mine, step):
            yield ColumnBlock(column, losses[places], where[places] if cell.depends_on_model else None, part)


def source_columns(source: LossSource) -> Iterator[ColumnBlock]:
    """Yield the blocks of a source column by column; refuse wrong shapes and split clusters."""
    shape = len(source.model_names), len(source.objective_names)
    starts: list[npt.NDArray[Any]] = []
    uncoded: set[bool] = set()
    for block in source.blocks():
        if not isinstance(block, tuple) or len(block) != 2:
            raise InvalidInputError(
                f"`losses` must come in pairs of losses and cluster codes (or None), got {type(block).__name__}."
            )
        losses, codes = block
        rows = np.asarray(without_mask(losses))
        if rows.ndim != 3 or rows.shape[1:] != shape:
            raise InvalidInputError(
                f"`losses` must come in blocks of shape (b, {shape[0]}, {shape[1]}), got shape {rows.shape}."
            )
        refuse_masked("clusters", codes)
        labels = None if codes is None else np.asarray(codes)
        uncoded.add(labels is None)
        if len(uncoded) > 1 or (labels is not None and labels.dtype.kind == "f" and np.isnan(labels).any()):
            raise InvalidInputError(
                "`losses` must come with a cluster code for all examples or for none, got some without."
            )
        if labels is not None and labels.shape != rows.shape[:1]:
            raise InvalidInputError(
                f"`losses` must come with one cluster code per example, ({rows.shape[0]},), got shape {labels.shape}."
            )
        if labels is not None and labels.size:
            starts.append(labels[np.concatenate([[True], labels[1:] != labels[:-1]])])
        for column in range(shape[1]):
            yield ColumnBlock(column, rows[:, :, column], None, labels)
    if starts and np.unique(np.concatenate(starts)).size < sum(map(len, starts)):
        # Its pieces would count as independent clusters.
        raise InvalidInputError(
            "`losses` must come with the rows of each cluster together and in one block, got a cluster in pieces."
        )


def kept_in_memory(read: ReadColumns) -> ReadColumns:
    """Return a reader of the same blocks that reads a small source once, and a large one anew each time.

    Raises
    ------
    InvalidInputError
        At the end of a later reading, if the number of losses or their sum differs in some column.
    """
    kept: list[ColumnBlock] | None = None
    first: dict[int, list[float]] | None = None

    def blocks() -> Iterator[ColumnBlock]:
        nonlocal kept, first
        if kept is not None:
            yield from kept
            return
        found: list[ColumnBlock] | None = []
        size = 0
        sums: dict[int, list[float]] = {}
        for block in read():
            total = sums.setdefault(block.column, [0.0, 0.0])
            total[0] += block.rows.shape[0]
            total[1] += float(np.sum(block.rows, dtype=np.float64)) if block.rows.dtype.kind in "biuf" else 0.0
            size += block.rows.nbytes
            if size > _KEPT:
                found = None
            elif found is not None:
                # A source may reuse its buffer.
                codes = None if block.codes is None else block.codes.copy()
                found.append(block._replace(rows=block.rows.copy(), codes=codes))
            yield block
        if first is not None and not _same_sums(first, sums):
            raise InvalidInputError(
                "`losses` must be the same at every reading of the source, got others at a later one: `blocks()` has to "
                "start from the beginning."
            )
        first, kept = sums, found

    return blocks


def _same_sums(first: dict[int, list[float]], again: dict[int, list[float]]) -> bool:
    pairs = [(first.get(column, [0.0, 0.0]), again.get(column, [0.0, 0.0])) for column in {*first, *again}]
    return all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)


def cluster_codes(clusters: object, n: int, examples: Rows | None = None) -> npt.NDArray[np.intp] | None:
    """Return codes 0, 1, ... of cluster labels (n,), or None if every example is a cluster of its own.

    Raises
    ------
    InvalidInputError
        If there is not one label per example, a label is missing, or the labels of the examples do not match.
    """
    if clusters is None:
        return None
    labels = aligned_labels("clusters", clusters, examples, n, of="losses")
    try:
        found, codes = np.unique(labels, return_inverse=True)
    except TypeError:
        raise InvalidInputError("`clusters` must hold labels of one kind, got kinds that do not compare.") from None
    return None if found.size == n else codes.reshape(-1).astype(np.intp)


def cluster_totals(z: FloatArray, codes: npt.NDArray[np.intp]) -> tuple[FloatArray, FloatArray]:
    """Return totals (c, M) and sizes (c,) of the clusters, contiguous in a block z (b, M) with NaN.

    The size is the number of rows on which some model was evaluated; a model that was not evaluated on all of them has
    no total (NaN).
    """
    present = ~np.isnan(z).all(axis=1)
    z, codes = z[present], codes[present]
    if codes.size == 0:
        return np.empty((0, z.shape[1])), np.empty(0)
    starts = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]]))
    sizes = np.diff(np.append(starts, codes.size)).astype(np.float64)
    return np.add.reduceat(z, starts, axis=0), sizes


def _step(width: int) -> int:
    return _ROWS * max(1, _ENTRIES // (_ROWS * width))


def _pieces(
    n: int, codes: npt.NDArray[np.intp] | None, step: int
) -> Iterator[tuple[slice | npt.NDArray[np.intp], npt.NDArray[np.intp] | None]]:
    """Yield blocks of about `step` of n rows; with codes, the rows are sorted and cut between clusters only."""
    if codes is None:
        for start in range(0, n, step):
            yield slice(start, start + step), None
        return
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    ends = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]) + 1, n)
    start = 0
    while start < n:
        stop = int(ends[min(int(np.searchsorted(ends, start + step)), ends.size - 1)])
        yield order[start:stop], ordered[start:stop]
        start = stop
