"""Several files with the same columns as one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from moltheory._core._text import few, plural
from moltheory.evaluation._label_column import Keys
from moltheory.evaluation._tabular import Batches, Rows

__all__ = ["JoinedRows"]


class JoinedRows(Rows):
    """The rows of one file after those of another.

    Parameters
    ----------
    parts : sequence of Rows
    constants : sequence of mapping of str to str
        For each part, columns that have one value in all its rows, such as those of a partition.
    name : str
        Name in messages.
    may_be_empty : bool, default False
        Whether a part without rows is in order, as Spark writes them; otherwise it is the trace of a run that failed.
    """

    def __init__(
        self, parts: Sequence[Rows], constants: Sequence[Mapping[str, str]], *, name: str, may_be_empty: bool = False
    ) -> None:
        self._parts = tuple(parts)
        self._constants = tuple(constants)
        self._name = name
        self._may_be_empty = may_be_empty
        self.path = parts[0].path
        self.missing_words = parts[0].missing_words
        self.notes = tuple(note for part in parts for note in part.notes)
        self.columns = (*parts[0].columns, *self._constants[0])
        for part, constant in zip(self._parts, self._constants, strict=True):
            differing = sorted({*part.columns, *constant} ^ set(self.columns))
            if differing:
                raise self.refuse(
                    f"have the same columns in all of its {plural(len(parts), 'file')}",
                    f"{few(differing)} in one of {parts[0].name!r} and {part.name!r}",
                )
        # Number of rows of each part, as far as they were read.
        self._sizes = [0] * len(parts)
        self._check_header()

    @property
    def name(self) -> str:
        """Name of all the files, for messages."""
        return self._name

    def stamp(self) -> tuple[object, ...]:
        """Return the stamps of all files."""
        return tuple(part.stamp() for part in self._parts)

    def batches(self, keys: Sequence[str], numbers: Sequence[str], *, rows: int) -> Batches:
        """Yield the batches of the parts one after the other."""
        for number, (part, constant) in enumerate(zip(self._parts, self._constants, strict=True)):
            part.hint = self.hint
            inside = [name for name in keys if name not in constant]
            text = next((name for name in numbers if name in constant), None)
            if text is not None:
                raise self.refuse(f"hold numbers in column {text!r}", f"names of folders{self.hint}")
            # The number of rows must be known where all that is asked for is constant.
            asked = inside if inside or numbers else part.columns[:1]
            size = 0
            for labels, values in part.batches(asked, numbers, rows=rows):
                n = len(values[0]) if values else len(next(iter(labels.values())))
                whole = {
                    name: Keys(np.zeros(n, np.int64), [constant[name] or None]) if name in constant else labels[name]
                    for name in keys
                }
                size += n
                self._sizes[number] = max(self._sizes[number], size)
                yield whole, values
            if size == 0 and not self._may_be_empty:
                raise part.refuse("hold at least one row", "none")

    def place(self, row: int) -> str:
        """Return the place in the part that holds the row, with its name."""
        for part, size in zip(self._parts, self._sizes, strict=True):
            if row < size:
                return f"{part.place(row)} of {part.path.name!r}"
            row -= size
        return f"row {row + 1} of {self._parts[-1].path.name!r}"

    def head(self, rows: int) -> Mapping[str, Sequence[Any]]:
        """Return the first values of the first part that has rows."""
        for part, constant in zip(self._parts, self._constants, strict=True):
            found = part.head(rows)
            if found:
                n = len(next(iter(found.values())))
                return {**found, **{name: [value] * n for name, value in constant.items()}}
        return {}
