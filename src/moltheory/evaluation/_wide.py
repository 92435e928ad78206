"""The wide form: one row per example, one column per model (and objective)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from moltheory._core._docs import document
from moltheory._core._places import places_of
from moltheory._core._text import few, plural, quoted
from moltheory.evaluation._label_column import Distinct, run_codes, starts_of_runs
from moltheory.evaluation._requests import outside_range
from moltheory.evaluation._source import (
    CELLS_PER_BLOCK,
    Block,
    Codes,
    Losses,
    LossRange,
    LossSource,
    by_cluster,
    check_models,
    check_objectives,
    check_ranges,
    first_outside,
    refuse_unsorted,
    whole_clusters,
)
from moltheory.evaluation._tabular import Rows, brief

__all__ = ["WideSource"]

# First values of a column that are looked at, and those of 0/1 losses.
_SHOWN = 100
_TWO_VALUES = {"0", "1", "0.0", "1.0", "True", "False", "true", "false", "", "None", "nan", "NaN", "NA"}
_HINT = (
    " (every column is a model, except 'example' and 'cluster': name the models by `models`, or leave columns out by "
    "`ignore`)"
)


@document
class WideSource(LossSource):
    """Losses in columns ``model`` (one objective, called ``loss``) or ``model/objective``.

    A column name is split at its last slash. A column of examples (distinct names) and one of clusters are optional.

    Parameters
    ----------
    rows : Rows
    columns : sequence of str
        Columns of losses.
    plain : bool
        Whether each of them is a model, whatever slashes its name holds.
    example, cluster : str or None
        Columns of examples and clusters.
    objectives, models, ignore : sequence of str or None
        Objectives and models to read, and models to leave out.
    {possible_losses}
    most_in_memory : int
        Largest number of losses of a file whose clusters are not contiguous.
    """

    def __init__(
        self,
        rows: Rows,
        columns: Sequence[str],
        *,
        plain: bool,
        example: str | None,
        cluster: str | None,
        objectives: Sequence[str] | None,
        models: Sequence[str] | None,
        ignore: Sequence[str],
        loss_range: LossRange,
        most_in_memory: int,
    ) -> None:
        self._rows = rows
        self._stamp = rows.stamp()
        # The rows of one table belong to one source.
        rows.hint = _HINT
        self.name = rows.name
        self._cluster = cluster
        self._most = most_in_memory
        self.has_clusters = cluster is not None
        self._example = example
        self._keys = [name for name in (example, cluster) if name is not None]
        chosen = columns
        if models is not None:
            # Other columns are not looked at, whatever they are called.
            wanted = set(models)
            chosen = [name for name in columns if name in wanted or name.rpartition("/")[0] in wanted]
        found_models, found = _grid(rows, chosen or columns, plain)
        ignored = set(ignore)
        self.model_names = tuple(name for name in found_models if name not in ignored)
        if models is not None:
            self.model_names = check_models(models, self.model_names)
        if not self.model_names:
            raise rows.refuse("have a column of losses for every model", "no column of losses")
        self.objective_names = found if objectives is None else check_objectives(objectives, found)
        low, high = check_ranges(loss_range, found, self.objective_names)
        place_of = places_of(found)
        places = [place_of[name] for name in self.objective_names]
        self._low, self._high = (np.tile(ends[places], len(self.model_names)) for ends in (low, high))
        bare = found == ("loss",) and found_models[0] in columns
        self.objectives_are_named = not bare
        if not bare:
            self.notes = (
                f"Names of columns are read as MODEL/OBJECTIVE: {plural(len(found_models), 'model')} and the "
                f"{'objective' if len(found) == 1 else 'objectives'} {few(found)}; `wide` takes every column for a model.",
            )
        elif models is None and not ignore:
            odd = _odd_among(rows, self.model_names)
            if odd:
                self.notes = (
                    f"Every column is read as a model, also {few(odd)} with values of another kind than "
                    "most (0 and 1, or not); `ignore` leaves columns out.",
                )
        self._numbers = [
            model if bare else f"{model}/{objective}"
            for model in self.model_names
            for objective in self.objective_names
        ]
        self._step = max(CELLS_PER_BLOCK // len(self._numbers), 1)
        self._contiguous: bool | None = None

    def blocks(self) -> Iterator[Block]:
        """Yield rows in the order of the file; clusters that are not contiguous are put together in memory."""
        self._rows.check_unchanged(self._stamp)
        if self._contiguous is None:
            self._contiguous = self._scan()
        if not self.has_clusters:
            for losses, _ in self._pieces():
                yield losses, None
        elif self._contiguous:
            yield from whole_clusters(self._pieces())
        else:
            yield from by_cluster(self._pieces(), self._step)

    def _scan(self) -> bool:
        """Check the labels before any loss is read; return whether the rows of each cluster are contiguous."""
        if not self._keys:
            return True
        examples, runs = Distinct(), Distinct()
        last: str | None = None
        n_rows = 0
        for keys, _ in self._rows.batches(self._keys, [], rows=1 << 20):
            for name in self._keys:
                self._rows.refuse_missing(keys[name], name, n_rows, cluster=name == self._cluster)
            if self._example is not None:
                examples.add(keys[self._example].hashes())
            if self._cluster is not None:
                column = keys[self._cluster]
                runs.add(column.hashes()[starts_of_runs(column, last)])
                last = column[-1]
            n_rows += len(keys[self._keys[0]])
        if self._example is not None and not examples.are_distinct():
            self._refuse_twice(self._example)
        contiguous = runs.are_distinct()
        if not contiguous:
            refuse_unsorted(self.name, n_rows * len(self._numbers), self._most, brief(str(self._cluster)))
        return contiguous

    def _refuse_twice(self, example: str) -> None:
        seen: dict[str, int] = {}
        row = 0
        for keys, _ in self._rows.batches([example], [], rows=1 << 20):
            column = keys[example]
            for code in column.codes.tolist():
                label = column.labels[code] or ""
                if label in seen:
                    found = f"{quoted(label)} in {self._rows.place(seen[label])} and {self._rows.place(row)}"
                    raise self._rows.refuse("hold every example once", found)
                seen[label] = row
                row += 1

    def _pieces(self) -> Iterator[tuple[Losses, Codes]]:
        first, last, code = 0, None, -1
        clusters = [self._cluster] if self._cluster is not None else []
        places: dict[str, int] = {}
        for keys, numbers in self._rows.batches(clusters, self._numbers, rows=self._step):
            table = np.stack(numbers, axis=1)
            bad = first_outside(table, self._low, self._high)
            if bad is not None:
                row, column = divmod(bad, table.shape[1])
                found = (
                    f"{table[row, column]:.6g} in column {self._numbers[column]!r} in {self._rows.place(first + row)}"
                )
                refusal = self._rows.refuse(f"hold losses in [{self._low[column]:g}, {self._high[column]:g}]", found)
                raise outside_range(
                    refusal, self.objective_names[column % len(self.objective_names)], table[row, column]
                )
            codes = np.zeros(len(table), np.int64)
            if self._cluster is not None:
                column_of = keys[self._cluster]
                if self._contiguous:
                    codes = run_codes(starts_of_runs(column_of, last), code)
                    code, last = int(codes[-1]), column_of[-1]
                else:
                    codes = column_of.numbered(places)
            first += len(table)
            yield table.reshape(len(table), len(self.model_names), len(self.objective_names)), codes
        if first == 0:
            raise self._rows.refuse("hold at least one row", "none")


def _grid(rows: Rows, columns: Sequence[str], plain: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the models and the objectives of the columns of losses; every model must have every objective."""
    if not columns:
        raise rows.refuse("have a column of losses for every model", "no column of losses")
    slashed = {name for name in columns if "/" in name.strip("/")}
    if plain or not slashed:
        return tuple(columns), ("loss",)
    if len(slashed) < len(columns):
        first = next(name for name in columns if name in slashed)
        bare = next(name for name in columns if name not in slashed)
        raise rows.refuse(
            "name all columns of losses 'model' or all 'model/objective'",
            f"{first!r} and {bare!r}: leave columns out by `ignore`, or give wide=True if every column is a model",
        )
    pairs = dict.fromkeys(tuple(name.rsplit("/", 1)) for name in columns)
    models = tuple(dict.fromkeys(model for model, _ in pairs))
    objectives = tuple(dict.fromkeys(objective for _, objective in pairs))
    for model in models:
        for objective in objectives:
            if (model, objective) not in pairs:
                raise rows.refuse(
                    "hold every objective for every model (write 'model/objective' in full if names of models contain "
                    "slashes, or give wide=True if every column is a model)",
                    f"no column {f'{model}/{objective}'!r}",
                )
    return models, objectives


def _odd_among(rows: Rows, models: Sequence[str]) -> list[str]:
    """Return the fewer of the columns that begin with 0 and 1 only and of those that do not, such as an attribute."""
    first = rows.head(_SHOWN)
    binary = {name: set(map(str, first[name])) <= _TWO_VALUES for name in models if len(first.get(name, ())) > 1}
    groups = [[name for name, own in binary.items() if own is kind] for kind in (True, False)]
    return min(groups, key=len) if len(groups[0]) != len(groups[1]) else []
