"""Where losses come from: one array, cells of measures, or a source of blocks; all read as blocks of one column.

A *column* is one average per model: an objective, or one cell of a measure. Every source yields blocks
``(column, rows (b, M), codes (b,) or None)``; rows of one cluster stand together and are never split over blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.errors import InvalidInputError

__all__ = ["ArrayRows", "BlockSource", "CellRows", "RowSource", "SourceRows", "cluster_codes", "cluster_totals"]

Block = tuple[int, npt.NDArray[Any], npt.NDArray[np.intp] | None]

# Entries of one block, in all columns together; 4096 rows at least.
_ENTRIES = 1 << 21
_ROWS = 4096


class BlockSource(Protocol):
    """Losses that come in blocks of examples, for files larger than memory; it may be read several times."""

    @property
    def model_names(self) -> Sequence[str]:
        """Names of the M models."""

    @property
    def objective_names(self) -> Sequence[str]:
        """Names of the N objectives."""

    def blocks(self) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[Any] | None]]:
        """Yield losses (b, M, N) and cluster codes (b,) or None."""


class RowSource(Protocol):
    """What `Evaluation` reads."""

    n_models: int
    n_columns: int

    def blocks(self) -> Iterator[Block]:
        """Yield blocks, column by column or block by block."""


class ArrayRows:
    """One array of losses (n, M, N), with cluster codes (n,) or None."""

    def __init__(self, losses: npt.NDArray[Any], codes: npt.NDArray[np.intp] | None) -> None:
        self._losses, self._codes = losses, codes
        self.n_models, self.n_columns = losses.shape[1:]

    def blocks(self) -> Iterator[Block]:
        """Yield blocks of about 16 MB."""
        step = _step(self.n_models * self.n_columns)
        for rows, codes in _pieces(self._losses, self._codes, step):
            for column in range(self.n_columns):
                yield column, rows[:, :, column], codes


class CellRows:
    """Cells (n, M) of measures, each with the rows that count, and cluster codes (n,) or None."""

    def __init__(
        self, cells: Sequence[tuple[FloatArray, npt.NDArray[np.bool_]]], codes: npt.NDArray[np.intp] | None
    ) -> None:
        self._cells, self._codes = cells, codes
        self.n_models, self.n_columns = cells[0][0].shape[1], len(cells)

    def blocks(self) -> Iterator[Block]:
        """Yield the rows where each cell's condition holds."""
        step = _step(self.n_models)
        for column, (losses, where) in enumerate(self._cells):
            some = not where.all()
            codes = self._codes[where] if some and self._codes is not None else self._codes
            for rows, part in _pieces(losses[where] if some else losses, codes, step):
                yield column, rows, part


class SourceRows:
    """A source of blocks given by the caller."""

    def __init__(self, source: BlockSource) -> None:
        self._source = source
        self.n_models, self.n_columns = len(source.model_names), len(source.objective_names)

    def blocks(self) -> Iterator[Block]:
        """Yield the source's blocks, column by column; checked for their shape, and for clusters in pieces."""
        starts: list[npt.NDArray[Any]] = []
        for losses, codes in self._source.blocks():
            rows = np.asarray(losses)
            if rows.ndim != 3 or rows.shape[1:] != (self.n_models, self.n_columns):
                raise InvalidInputError(
                    f"`losses` must come in blocks of shape (b, {self.n_models}, {self.n_columns}), "
                    f"got shape {rows.shape}."
                )
            labels = None if codes is None else np.asarray(codes)
            if labels is not None and labels.size:
                starts.append(labels[np.concatenate([[True], labels[1:] != labels[:-1]])])
            for column in range(self.n_columns):
                yield column, rows[:, :, column], labels
        if starts and np.unique(np.concatenate(starts)).size < sum(map(len, starts)):
            # Its pieces would count as independent clusters.
            raise InvalidInputError(
                "`losses` must come with the rows of each cluster together and in one block, got a cluster in pieces."
            )


def cluster_codes(clusters: object, n: int) -> npt.NDArray[np.intp] | None:
    """Return codes 0, 1, ... of cluster labels (n,); None where every example is a cluster of its own.

    Raises
    ------
    InvalidInputError
        If there is not one label per example, or a label is missing.
    """
    if clusters is None:
        return None
    labels = np.asarray(clusters)
    if labels.shape != (n,):
        raise InvalidInputError(f"`clusters` must hold one label for each of {n} examples, got shape {labels.shape}.")
    # A missing label is not equal to itself (NaN) or is None.
    missing = labels != labels
    if labels.dtype == object:
        missing = missing | np.array([label is None for label in labels])
    if np.any(missing):
        raise InvalidInputError(f"`clusters` must label every example, got {int(np.sum(missing))} missing labels.")
    try:
        found, codes = np.unique(labels, return_inverse=True)
    except TypeError:
        raise InvalidInputError("`clusters` must hold labels of one kind, got kinds that do not compare.") from None
    return None if found.size == n else codes.reshape(-1).astype(np.intp)


def cluster_totals(z: FloatArray, codes: npt.NDArray[np.intp]) -> tuple[FloatArray, FloatArray]:
    """Return totals (c, M) and sizes (c,) of clusters that stand together in a block z (b, M) with NaN.

    The size counts rows on which some model was evaluated; a model that misses one of them has no total (NaN).
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
    rows: npt.NDArray[Any], codes: npt.NDArray[np.intp] | None, step: int
) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[np.intp] | None]]:
    """Cut rows into blocks of about `step`; with codes, sort them and cut between clusters only."""
    n = rows.shape[0]
    if codes is None:
        for start in range(0, n, step):
            yield rows[start : start + step], None
        return
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    ends = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]) + 1, n)
    start = 0
    while start < n:
        stop = int(ends[min(int(np.searchsorted(ends, start + step)), ends.size - 1)])
        yield rows[order[start:stop]], ordered[start:stop]
        start = stop
