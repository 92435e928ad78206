"""Open a file of losses, whatever its form."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from moltheory._core._validation import check_count
from moltheory.errors import InvalidInputError
from moltheory.evaluation._arrays import ArraySource
from moltheory.evaluation._long import LongSource
from moltheory.evaluation._source import MOST_IN_MEMORY, LossRange, LossSource
from moltheory.evaluation._tabular import CsvRows, ParquetRows, Rows
from moltheory.evaluation._wide import WideSource

__all__ = ["open_losses"]

_TABLES: dict[str, type[CsvRows] | type[ParquetRows]] = {".csv": CsvRows, ".parquet": ParquetRows, ".pq": ParquetRows}


def open_losses(
    path: str | os.PathLike[str],
    /,
    *,
    objectives: Sequence[str] | None = None,
    clusters: str | None = None,
    loss_range: LossRange = (0.0, 1.0),
    most_in_memory: int = MOST_IN_MEMORY,
) -> LossSource:
    r"""Open a file of per-example losses as a source of blocks.

    Parameters
    ----------
    path : path
        ``.csv``, ``.parquet`` (``.pq``), ``.npy`` or ``.npz``, see Notes.
    objectives : sequence of str, optional
        Which objectives of the file count, and in which order; all by default.
    clusters : str, optional
        Column (of an archive: array) that tells which examples belong together, such as the patient of several
        scans. A column called ``cluster`` is taken without being named.
    loss_range : (float, float) or mapping, default (0, 1)
        Smallest and largest possible loss; a mapping gives pairs to some objectives, (0, 1) to the others.
    most_in_memory : int, default 20 million
        Losses that a file in no useful order may hold; it is then sorted in memory.

    Returns
    -------
    LossSource

    Raises
    ------
    InvalidInputError
        If the file is missing, of another kind, or malformed: the line is named. Some rows are read only by
        ``blocks()``, which then raises.
    TooLargeError
        If the file would have to be sorted and is too large for it.

    Notes
    -----
    * **Wide** table: one row per example; a column per model, called ``model`` (one objective) or
      ``model/objective``, split at its last slash; maybe columns ``example`` and clusters. An empty field, ``NA`` or
      ``NaN`` means not evaluated, ``True`` is 1 and ``False`` is 0.
    * **Long** table, known by its column ``model``: one row per evaluation, with columns ``model``, ``example``,
      ``loss``, and maybe ``objective`` and clusters. A missing row means not evaluated.
    * **NPY**: losses ``(n, M, N)`` or ``(n, M)``. **NPZ**: an array ``losses``, maybe ``models`` (or ``names``),
      ``objectives`` (names) and clusters.

    Bounded memory: NPY, NPZ in C order, wide tables whose clusters are contiguous, long tables in which the rows of
    one example follow one another, and so do the examples of one cluster.

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
    if suffix not in (*_TABLES, ".npy", ".npz"):
        raise InvalidInputError(f"`{file.name}` must end in .csv, .parquet, .pq, .npy or .npz, got {file.suffix!r}.")
    try:
        file.open("rb").close()
    except OSError as error:
        raise InvalidInputError(f"`{file.name}` must be a file that can be read, got {error.strerror}.") from None
    source: LossSource
    if suffix in _TABLES:
        rows = _TABLES[suffix](file)
        form = LongSource if "model" in rows.columns else WideSource
        source = form(
            rows,
            objectives=objectives,
            cluster=_cluster_column(rows, clusters),
            loss_range=loss_range,
            most_in_memory=most,
        )
    else:
        source = ArraySource(file, objectives=objectives, cluster=clusters, loss_range=loss_range, most_in_memory=most)
    return source if objectives is None else source.select(objectives)


def _cluster_column(rows: Rows, clusters: str | None) -> str | None:
    if clusters is None:
        return "cluster" if "cluster" in rows.columns else None
    if clusters not in rows.columns:
        raise InvalidInputError(f"`clusters` must be a column of {rows.name}, got {clusters!r}.")
    reserved = ("model", "example", "objective", "loss")
    if clusters in reserved:
        raise InvalidInputError(f"`clusters` must be another column than {', '.join(reserved)}, got {clusters!r}.")
    return clusters
