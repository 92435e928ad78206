"""`open_losses`: the table of losses in files of any supported format."""

from __future__ import annotations

import copy
import os
import shutil
import weakref
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from moltheory._core._docs import document
from moltheory._core._places import places_of
from moltheory._core._text import visible
from moltheory._core._validation import as_readonly, check_count
from moltheory.errors import InvalidInputError
from moltheory.evaluation._arguments import read_maximise
from moltheory.evaluation._paths import readable_paths, removed_at_errors
from moltheory.evaluation._reader import Request
from moltheory.evaluation._readers import chosen_reader
from moltheory.evaluation._source import MOST_IN_MEMORY, Block, LossRange, LossSource, check_models
from moltheory.evaluation._table import LossTable

__all__ = ["open_losses"]


@document
def open_losses(
    path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    /,
    *,
    format: str | None = None,
    objectives: Sequence[str] | None = None,
    models: Sequence[str] | None = None,
    ignore: Sequence[str] = (),
    model: str | None = None,
    example: str | None = None,
    clusters: str | Callable[[str, str], Hashable] | None = None,
    wide: bool | None = None,
    separator: str | None = None,
    decimal: str | None = None,
    filter: str | None = None,
    tasks: Sequence[str] | None = None,
    pooled: bool | None = None,
    maximise: bool | Sequence[str] | Sequence[bool] | Mapping[str, bool] | None = None,
    loss_range: LossRange = (0.0, 1.0),
    most_in_memory: int = MOST_IN_MEMORY,
) -> LossTable:
    r"""Return the table of the losses in a file, which is read block by block when needed.

    Parameters
    ----------
    path : path or sequence of paths
        A file, several files of one format with the same columns, a folder, or ``"-"`` for standard input (up to 4 GiB,
        kept in a temporary file, as is what comes through a pipe); see Notes.
    format : str, optional
        Name of the format, one of those of `readers`; by default it is recognized.
    objectives : sequence of str, optional
        Objectives to use, in this order; by default all in the file. Of a tidy table: its columns of losses.
    models : sequence of str, optional
        Models to use, in this order; by default all.
    ignore : sequence of str, optional
        Columns or models to leave out.
    model, example : str, optional
        Columns with the names of models and examples; by default ``model`` and ``example``. ``model="@file"`` takes the
        name of the file, without its suffixes, for that of the one model in it.
    clusters : str or callable, optional
        Column (of an archive: array) that marks dependent examples, such as scans of one patient; by default the column
        ``cluster``, if there is one. Of logs: a field, or a function of the task and the example's name.
    wide : bool, optional
        True if every column is a model, whatever slashes its name holds; False if the table must be long or tidy.
    separator, decimal : str, optional
        Of the columns of a text file (by default found from its first rows), and of the fraction of a number.
    filter, tasks, pooled : str, sequence of str, bool, optional
        Of logs: the filter of answers, the tasks to read, and whether a metric is one objective over all tasks.
    maximise : bool, sequence of bool or of str, or mapping of str to bool, optional
        Objectives that are better when larger; by default what the file says, and none if it says nothing.
    {possible_losses}
    most_in_memory : int, default 20 million
        Largest number of losses of a file in an unsuitable order, which is sorted in memory.

    Returns
    -------
    LossTable
        It knows the range and the directions that are given here, which need not be repeated in `certify`.

    Raises
    ------
    InvalidInputError
        If a file is missing, of another kind, or malformed: the line is named. Some rows are only read by
        ``blocks()``, which then raises.
    TooLargeError
        If the file would have to be sorted, or standard input to be kept, and is too large for it; if it stands for
        more than a limit, see Notes.

    Notes
    -----
    Tables are CSV and its kin, JSON lines (one object per row), Parquet (also folders, partitioned or not) and Arrow;
    text may be compressed (gzip, Zstandard, bzip2).

    * **Wide** table: one row per example and one column per model, named ``model`` (one objective) or
      ``model/objective`` (split at the last slash); optionally columns ``example`` and clusters. An empty field, ``NA``
      or ``NaN`` means not evaluated, ``True`` is 1 and ``False`` is 0. Columns called like an index, a label or a
      prediction, or that number the rows, are refused unless `models` names them. An index that pandas stored without a
      name in Parquet is left out.
    * **Long** table, recognized by its column of models: one row per evaluation, with columns ``model``, ``example``,
      ``loss``, and optionally ``objective`` and clusters. A missing row means not evaluated.
    * **Tidy** table: one row per model and example, with several columns of losses, which `objectives` names; other
      columns are left out.
    * **NPY**: losses ``(n, M, N)`` or ``(n, M)``. **NPZ**: an array ``losses``, optionally ``models`` (or ``names``),
      ``objectives`` (names) and clusters.
    * **Logs** of evaluation tools: see `readers`.

    Values without a largest one, such as seconds, are read with ``loss_range={"seconds": (0, math.inf)}`` and certified by
    `LossTable.with_objectives`.

    These are read in bounded memory: NPY; NPZ in C order; wide tables whose clusters are contiguous; long and tidy
    tables in which the rows of each example, and the examples of each cluster, are contiguous.

    Complexity: O(b) time for b bytes, whatever the numbers of rows and columns; memory O(M N) and a block where the
    order of rows allows it (see above), and O(n M N) where rows are sorted in memory.

    Limits keep a small file from taking a large machine: 2^20 columns, or losses of one example; lines of 2^26
    characters (JSON: 2^25) and fields of 2^24; compressed text of 64 MiB (JSON: 8 MiB), or 200 times the size of its
    file; losses of 1 GiB, or 500 times the size of their NPZ or Parquet file. Files without compression are of any size.

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
    is_rule = callable(clusters) and not isinstance(clusters, str)
    request = Request(
        objectives=_names("objectives", objectives),
        models=_names("models", models),
        ignore=_names("ignore", ignore) or (),
        model=model,
        example=example,
        clusters=None if is_rule else clusters,  # type: ignore[arg-type]
        cluster_rule=clusters if is_rule else None,  # type: ignore[arg-type]
        wide=wide,
        separator=separator,
        decimal=decimal,
        filter=filter,
        tasks=_names("tasks", tasks),
        pooled=pooled,
        maximise=maximise,
        loss_range=loss_range,
        most_in_memory=check_count("most_in_memory", most_in_memory),
    )
    _check_texts(request)
    paths, folders = readable_paths(path)
    with removed_at_errors(folders):
        reader = chosen_reader(paths, format, visible(paths[0].name or str(paths[0])))
        reader.check(request)
        source = reader.open(paths, request)
    for folder in folders:
        # It is read again for as long as the source lives.
        owner = source._source if isinstance(source, LossTable) and source._source is not None else source
        weakref.finalize(owner, shutil.rmtree, folder, ignore_errors=True)
    return _asked_for(source, request, reader.accepts)


def _names(argument: str, names: Sequence[str] | None) -> tuple[str, ...] | None:
    if names is None:
        return None
    if isinstance(names, str | bytes) or not all(isinstance(name, str) for name in names):
        raise InvalidInputError(f"`{argument}` must be a list of names, got {names!r}.")
    return tuple(names)


def _check_texts(request: Request) -> None:
    for name in ("model", "example", "clusters", "separator", "decimal", "filter"):
        value = getattr(request, name)
        if value is not None and not isinstance(value, str):
            raise InvalidInputError(f"`{name}` must be text, got {value!r}.")
    for name in ("wide", "pooled"):
        value = getattr(request, name)
        if value is not None and not isinstance(value, bool):
            raise InvalidInputError(f"`{name}` must be True or False, got {value!r}.")


def _asked_for(source: LossSource, request: Request, done: frozenset[str]) -> LossTable:
    """Return what was opened as a table with what was asked for, where the reader has not done it already."""
    table = source if isinstance(source, LossTable) else LossTable(source, loss_range=_ranges(source, request))
    table.notes = source.notes
    if request.objectives is not None and "objectives" not in done:
        known = table.objective_names if table.measures is None else tuple(table.measures)
        table = table if request.objectives == known else table.select(request.objectives)
    unwanted = set(request.ignore)
    wanted = request.models or tuple(name for name in table.model_names if name not in unwanted)
    if wanted != table.model_names and "models" not in done:
        table = _with_models(table, check_models(wanted, table.model_names))
    if request.maximise is not None and "maximise" not in done:
        table = copy.copy(table)
        titles = table.objective_names if table.measures is None else tuple(table.measures)
        table.maximise = read_maximise(_directions(request.maximise), titles, ())
        table.directions_stated = True
    return table


def _directions(maximise: Any) -> Any:
    """Return directions as a bool, a mapping or a list."""
    if isinstance(maximise, bool | np.bool_ | Mapping):
        return maximise
    if isinstance(maximise, str) or not isinstance(maximise, Iterable):
        raise InvalidInputError(
            f"`maximise` must be a bool, one bool per objective, or a list of names, got {maximise!r}."
        )
    return list(maximise)


def _ranges(source: LossSource, request: Request) -> LossRange:
    """Return the ranges of the objectives that are opened; others may have been given too."""
    if not isinstance(request.loss_range, Mapping):
        return request.loss_range
    return {name: pair for name, pair in request.loss_range.items() if name in source.objective_names}


def _with_models(table: LossTable, models: tuple[str, ...]) -> LossTable:
    if table.measures is not None:
        raise InvalidInputError(f"`models` must be left out where {table.name} holds measures, got {list(models)}.")
    place_of = places_of(table.model_names)
    places = [place_of[name] for name in models]
    found = copy.copy(table)
    found.model_names = models
    if table.costs is not None:
        found.costs = as_readonly(table.costs[places])
    if table.in_memory is not None:
        found.in_memory = as_readonly(table.in_memory[:, places])
    elif table._source is not None:
        found._source = _SomeModels(table._source, models, places)
    return found


class _SomeModels(LossSource):
    """A source with some of its models."""

    def __init__(self, source: LossSource, models: tuple[str, ...], places: Sequence[int]) -> None:
        self._source, self._places = source, np.array(places)
        self.name, self.notes = source.name, source.notes
        self.model_names, self.objective_names = models, source.objective_names
        self.has_clusters = source.has_clusters

    def blocks(self) -> Iterator[Block]:
        for losses, clusters in self._source.blocks():
            yield losses[:, self._places], clusters
