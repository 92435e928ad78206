"""`open_losses`: the table of losses in a file of any supported format."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moltheory._core._docs import document
from moltheory._core._validation import check_count
from moltheory.errors import InvalidInputError
from moltheory.evaluation._arrays import ArraySource
from moltheory.evaluation._long import LongSource
from moltheory.evaluation._source import MOST_IN_MEMORY, LossRange, LossSource
from moltheory.evaluation._table import LossTable
from moltheory.evaluation._tabular import CsvRows, ParquetRows, Rows
from moltheory.evaluation._wide import WideSource

__all__ = ["READERS", "Reader", "open_losses"]


@dataclass(frozen=True)
class Reader:
    """A file format: the suffixes of its files, and a function that opens one as a source.

    `source` takes the path and, by keyword, `objectives`, `cluster` (column of clusters; None = the default of the
    file), `loss_range` and `most_in_memory`, as described in `open_losses`.
    """

    suffixes: tuple[str, ...]
    source: Callable[..., LossSource]


def _table(rows: type[CsvRows] | type[ParquetRows]) -> Callable[..., LossSource]:
    def source(path: Path, *, cluster: str | None, **options: Any) -> LossSource:
        found = rows(path)
        form = LongSource if "model" in found.columns else WideSource
        return form(found, cluster=_cluster_column(found, cluster), **options)

    return source


# To add a format, write a source of blocks and add a line here.
READERS = (
    Reader((".csv",), _table(CsvRows)),
    Reader((".parquet", ".pq"), _table(ParquetRows)),
    Reader((".npy", ".npz"), ArraySource),
)


@document
def open_losses(
    path: str | os.PathLike[str],
    /,
    *,
    objectives: Sequence[str] | None = None,
    clusters: str | None = None,
    loss_range: LossRange = (0.0, 1.0),
    most_in_memory: int = MOST_IN_MEMORY,
) -> LossTable:
    r"""Return the table of the losses in a file, which is read block by block when needed.

    Parameters
    ----------
    path : path
        ``.csv``, ``.parquet`` (``.pq``), ``.npy`` or ``.npz``, see Notes.
    objectives : sequence of str, optional
        Objectives to use, in this order; by default all in the file.
    clusters : str, optional
        Column (of an archive: array) that marks dependent examples, such as scans of one patient; by default the column
        ``cluster``, if there is one.
    {possible_losses}
    most_in_memory : int, default 20 million
        Largest number of losses of a file in an unsuitable order, which is sorted in memory.

    Returns
    -------
    LossTable
        It knows the range that is given here, which need not be repeated in `certify`.

    Raises
    ------
    InvalidInputError
        If the file is missing, of another kind, or malformed: the line is named. Some rows are only read by
        ``blocks()``, which then raises.
    TooLargeError
        If the file would have to be sorted and is too large for it.

    Notes
    -----
    * **Wide** table: one row per example and one column per model, named ``model`` (one objective) or
      ``model/objective`` (split at the last slash); optionally columns ``example`` and clusters. An empty field, ``NA``
      or ``NaN`` means not evaluated, ``True`` is 1 and ``False`` is 0.
    * **Long** table, recognized by its column ``model``: one row per evaluation, with columns ``model``, ``example``,
      ``loss``, and optionally ``objective`` and clusters. A missing row means not evaluated.
    * **NPY**: losses ``(n, M, N)`` or ``(n, M)``. **NPZ**: an array ``losses``, optionally ``models`` (or ``names``),
      ``objectives`` (names) and clusters.

    These are read in bounded memory: NPY; NPZ in C order; wide tables whose clusters are contiguous; long tables in
    which the rows of each example, and the examples of each cluster, are contiguous.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "losses.csv")
    ...     _ = file.write_text("example,small,large\nA,0,1\nB,1,0\nC,1,\n")
    ...     source = open_losses(file)
    ...     (losses, clusters), = source.blocks()
    >>> source.model_names, source.objective_names, losses.shape, clusters
    (('small', 'large'), ('loss',), (3, 2, 1), None)
    """
    file = Path(path)
    suffix = file.suffix.lower()
    most = check_count("most_in_memory", most_in_memory)
    if file.is_dir():
        raise InvalidInputError(f"`{file}` must be a file of losses, got a folder.")
    reader = next((entry for entry in READERS if suffix in entry.suffixes), None)
    if reader is None:
        *most_of, last = (ending for entry in READERS for ending in entry.suffixes)
        raise InvalidInputError(f"`{file.name}` must end in {', '.join(most_of)} or {last}, got {file.suffix!r}.")
    try:
        file.open("rb").close()
    except OSError as error:
        raise InvalidInputError(f"`{file.name}` must be a file that can be read, got {error.strerror}.") from None
    source = reader.source(file, objectives=objectives, cluster=clusters, loss_range=loss_range, most_in_memory=most)
    chosen = source if objectives is None else source.select(objectives)
    ends = loss_range
    if isinstance(loss_range, Mapping):
        ends = {name: pair for name, pair in loss_range.items() if name in chosen.objective_names}
    return LossTable(chosen, loss_range=ends)


def _cluster_column(rows: Rows, clusters: str | None) -> str | None:
    if clusters is None:
        return "cluster" if "cluster" in rows.columns else None
    if clusters not in rows.columns:
        raise InvalidInputError(f"`clusters` must be a column of {rows.name}, got {clusters!r}.")
    reserved = ("model", "example", "objective", "loss")
    if clusters in reserved:
        raise InvalidInputError(f"`clusters` must be another column than {', '.join(reserved)}, got {clusters!r}.")
    return clusters
