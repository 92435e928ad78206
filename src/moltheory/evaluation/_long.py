"""The long form: one row per model, example and objective."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._text import quoted
from moltheory.evaluation._label_column import Distinct, run_codes, starts_of_runs
from moltheory.evaluation._requests import outside_range
from moltheory.evaluation._source import (
    CELLS_PER_BLOCK,
    Block,
    Codes,
    Losses,
    LossRange,
    LossSource,
    check_models,
    check_objectives,
    check_ranges,
    first_outside,
    refuse_unsorted,
    whole_clusters,
)
from moltheory.evaluation._tabular import Rows, brief, check_columns

__all__ = ["LongSource"]

_ROWS_PER_BATCH = 1 << 19


@dataclass(frozen=True)
class _Chunk:
    """Rows of consecutive examples: codes of example, cluster, and model and objective; loss; position in the file."""

    example: Codes
    cluster: Codes
    cell: Codes
    loss: Losses
    row: Codes

    def part(self, rows: slice | npt.NDArray[np.int64]) -> _Chunk:
        return _Chunk(self.example[rows], self.cluster[rows], self.cell[rows], self.loss[rows], self.row[rows])


@document
class LongSource(LossSource):
    """Losses in rows of one model and example, with one loss (and objective) or one loss per objective, in any order.

    A pair of model and example without a row, or with an empty loss, was not evaluated. The file is read in bounded
    memory if the rows of each example are contiguous, and so are the examples of each cluster.

    Parameters
    ----------
    rows : Rows
    model, example : str
        Columns of models and examples.
    objective, cluster : str or None
        Columns of objectives and clusters.
    values : sequence of str
        Columns of losses: one, or (without a column of objectives) one per objective.
    objectives, models : sequence of str or None
        Objectives and models whose losses are checked.
    ignore : sequence of str
        Models whose losses are not checked.
    {possible_losses}
    most_in_memory : int
        Largest number of rows of a file in another order.
    """

    def __init__(
        self,
        rows: Rows,
        *,
        model: str,
        example: str,
        objective: str | None,
        cluster: str | None,
        values: Sequence[str],
        objectives: Sequence[str] | None,
        models: Sequence[str] | None,
        ignore: Sequence[str],
        loss_range: LossRange,
        most_in_memory: int,
    ) -> None:
        self._rows = rows
        self._stamp = rows.stamp()
        self.name = rows.name
        self._cluster = cluster
        self._most = most_in_memory
        self.has_clusters = cluster is not None
        self._model, self._example, self._objective = model, example, objective
        self._values = list(values)
        self._scan()
        wanted = self.objective_names if objectives is None else check_objectives(objectives, self.objective_names)
        low, high = check_ranges(loss_range, self.objective_names, wanted)
        # Per model and objective; what is not read is not checked.
        self._low, self._high = (np.tile(ends, len(self.model_names)) for ends in (low, high))
        chosen = set(self.model_names if models is None else check_models(models, self.model_names))
        if models is None:
            chosen -= set(ignore)
        left = np.repeat([name not in chosen for name in self.model_names], len(self.objective_names))
        self._low[left], self._high[left] = -np.inf, np.inf

    def blocks(self) -> Iterator[Block]:
        """Yield blocks in the order of the examples' first rows, cluster by cluster."""
        self._rows.check_unchanged(self._stamp)
        for losses, clusters in whole_clusters(self._pieces()) if self.has_clusters else self._pieces():
            yield losses, clusters if self.has_clusters else None

    def _scan(self) -> None:
        """Read all columns except the losses: names, and whether examples and clusters are contiguous."""
        models: dict[str, int] = {}
        objectives: dict[str, int] = {} if self._objective else {name: i for i, name in enumerate(self._values)}
        hashes = {name: Distinct() for name in self._order()}
        last: dict[str, str | None] = dict.fromkeys(hashes)
        n_rows = 0
        for keys, _ in self._rows.batches(self._keys(), [], rows=_ROWS_PER_BATCH):
            for name, column in keys.items():
                self._rows.refuse_missing(column, name, n_rows, cluster=name == self._cluster)
            keys[self._model].numbered(models)
            if self._objective is not None:
                keys[self._objective].numbered(objectives)
            for name, seen in hashes.items():
                column = keys[name]
                seen.add(column.hashes()[starts_of_runs(column, last[name])])
                last[name] = column[-1]
            n_rows += len(keys[self._model])
        if n_rows == 0:
            raise self._rows.refuse("hold at least one row", "none")
        check_columns(self._rows, len(models) * len(objectives))
        self._models, self._objectives = models, objectives
        self.model_names, self.objective_names = tuple(models), tuple(objectives)
        self._sorted = all(seen.are_distinct() for seen in hashes.values())
        if not self._sorted:
            order = brief(" and then by ".join(hashes))
            refuse_unsorted(self.name, n_rows * len(self._values), self._most, order)

    def _order(self) -> list[str]:
        return [self._example] if self._cluster is None else [self._cluster, self._example]

    def _keys(self) -> list[str]:
        return [self._model, *([self._objective] if self._objective else []), *self._order()]

    def _pieces(self) -> Iterator[tuple[Losses, Codes]]:
        """Yield tables of rows, a limited number of examples at a time."""
        n_cells = len(self._models) * len(self._objectives)
        step = max(CELLS_PER_BLOCK // n_cells, 1)
        chunks = self._chunks()
        for chunk in _whole_examples(chunks if self._sorted else [self._gathered(chunks)]):
            starts = np.flatnonzero(np.diff(chunk.example, prepend=chunk.example[0] - 1))
            for begin in range(0, len(starts), step):
                stop = starts[begin + step] if begin + step < len(starts) else len(chunk.example)
                yield self._table(chunk.part(slice(int(starts[begin]), int(stop))), n_cells)

    def _table(self, chunk: _Chunk, n_cells: int) -> tuple[Losses, Codes]:
        starts = np.diff(chunk.example, prepend=chunk.example[0] - 1) != 0
        flat = (np.cumsum(starts) - 1) * n_cells + chunk.cell
        first = np.flatnonzero(starts)
        table = np.full(len(first) * n_cells, np.nan, chunk.loss.dtype)
        written = np.zeros(len(table), bool)
        written[flat] = True
        if int(written.sum()) < len(flat):
            self._refuse_twice(flat, chunk)
        table[flat] = chunk.loss
        self._check_clusters(chunk, np.repeat(chunk.cluster[first], np.diff([*first.tolist(), len(flat)])))
        return table.reshape(len(first), len(self._models), len(self._objectives)), chunk.cluster[first]

    def _check_clusters(self, chunk: _Chunk, expected: Codes) -> None:
        differs = chunk.row[chunk.cluster != expected]
        if differs.size:
            place = self._rows.place(int(differs.min()))
            raise self._rows.refuse("give all rows of one example the same cluster", f"another one in {place}")

    def _refuse_twice(self, flat: Codes, chunk: _Chunk) -> None:
        order = np.lexsort((chunk.row, flat))
        repeats = np.flatnonzero(flat[order][1:] == flat[order][:-1])
        place = int(repeats[np.argmin(chunk.row[order][repeats + 1])])
        one, two = (int(chunk.row[order[place + k]]) for k in (0, 1))
        model, objective = divmod(int(chunk.cell[order[place]]), len(self._objectives))
        of = f" and objective {quoted(self.objective_names[objective])}" if self._objective else ""
        raise self._rows.refuse(
            "hold each example once per model and objective",
            f"model {quoted(self.model_names[model])}{of} twice for the example in {self._rows.place(one)} and "
            f"{self._rows.place(two)}",
        )

    def _chunks(self) -> Iterator[_Chunk]:
        """Yield the rows of the file; a sorted one gets numbers of runs of examples, another one of labels."""
        n_rows = 0
        runs: dict[str, int] = dict.fromkeys(self._order(), -1)
        last: dict[str, str | None] = dict.fromkeys(self._order())
        numbers: dict[str, dict[str, int]] = {name: {} for name in self._order()}
        n_values, n_objectives = len(self._values), len(self._objectives)
        for keys, losses in self._rows.batches(self._keys(), self._values, rows=max(_ROWS_PER_BATCH // n_values, 1)):
            codes: dict[str, Codes] = {}
            for name in self._order():
                column = keys[name]
                if self._sorted:
                    codes[name] = run_codes(starts_of_runs(column, last[name]), runs[name])
                    runs[name], last[name] = int(codes[name][-1]), column[-1]
                else:
                    codes[name] = column.numbered(numbers[name])
            cell = keys[self._model].numbered(self._models) * n_objectives
            if self._objective:
                cell = cell + keys[self._objective].numbered(self._objectives)
            example = codes[self._example]
            cluster = codes[self._cluster] if self._cluster is not None else np.zeros_like(example)
            row = np.arange(n_rows, n_rows + len(example))
            loss = losses[0]
            if n_values > 1:
                # One row holds a loss of each objective.
                loss = np.stack(losses, axis=1).ravel()
                cell = (cell[:, None] + np.arange(n_values)).ravel()
                example, cluster, row = (np.repeat(entry, n_values) for entry in (example, cluster, row))
            bad = first_outside(loss, self._low[cell], self._high[cell])
            if bad is not None:
                low, high = self._low[cell[bad]], self._high[cell[bad]]
                of = f" in column {self._values[int(cell[bad]) % n_objectives]!r}" if n_values > 1 else ""
                found = f"{loss[bad]:.6g}{of} in {self._rows.place(int(row[bad]))}"
                refusal = self._rows.refuse(f"hold losses in [{low:g}, {high:g}]", found)
                raise outside_range(refusal, self.objective_names[int(cell[bad]) % n_objectives], loss[bad])
            yield _Chunk(example, cluster, cell, loss, row)
            n_rows += len(row) // n_values

    def _gathered(self, chunks: Iterable[_Chunk]) -> _Chunk:
        """Return all rows, sorted by cluster, then example, each in order of first appearance."""
        whole = _joined(list(chunks))
        cluster_of = np.zeros(int(whole.example.max()) + 1, np.int64)
        cluster_of[whole.example[::-1]] = whole.cluster[::-1]
        self._check_clusters(whole, cluster_of[whole.example])
        whole = whole.part(np.lexsort((whole.row, whole.example, whole.cluster)))
        runs = np.cumsum(np.diff(whole.example, prepend=whole.example[0]) != 0)
        return replace(whole, example=runs)


def _whole_examples(chunks: Iterable[_Chunk]) -> Iterator[_Chunk]:
    """Yield the same rows in chunks that do not split an example."""
    kept: list[_Chunk] = []
    for chunk in chunks:
        # The last example of a chunk may go on in the next one.
        cut = int(np.searchsorted(chunk.example, chunk.example[-1]))
        if cut or (kept and chunk.example[0] != kept[-1].example[-1]):
            yield _joined([*kept, chunk.part(slice(0, cut))])
            kept = []
        kept.append(chunk.part(slice(cut, None)))
    if kept:
        yield _joined(kept)


def _joined(parts: list[_Chunk]) -> _Chunk:
    names = [field.name for field in fields(_Chunk)]
    return _Chunk(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
