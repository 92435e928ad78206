"""Tables in files as batches of columns, with the position of each row; and columns of pyarrow as labels and numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._reading import reading
from moltheory._core._text import few, quoted, visible
from moltheory.errors import InvalidInputError, TooLargeError
from moltheory.evaluation._label_column import Keys

__all__ = ["MISSING", "MOST_COLUMNS", "Batch", "Batches", "Rows", "batch_of", "brief", "check_columns", "is_numeric"]

MISSING = ("", "NA", "NaN", "nan")
"""Words of a text file for what is missing."""

MOST_COLUMNS = 1 << 20
"""Largest number of columns, and of losses of one example."""

_LONGEST = 400

Batch = tuple[dict[str, Keys], list[npt.NDArray[Any]]]
Batches = Iterator[Batch]


class Rows(ABC):
    """A table in a file. `columns` are its names; rows are numbered from 0, messages give their place in the file."""

    path: Path
    columns: tuple[str, ...]
    #: Addition to the message that refuses a column of numbers.
    hint: str = ""
    #: Labels of clusters that mean none.
    missing_words: tuple[str, ...] = ()
    #: What was left out, one sentence each.
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the file, for messages."""
        return visible(self.path.name)

    @abstractmethod
    def batches(self, keys: Sequence[str], numbers: Sequence[str], *, rows: int) -> Batches:
        """Yield some columns, at most about `rows` rows at a time: labels by name, and one float array per number."""

    @abstractmethod
    def place(self, row: int) -> str:
        """Return the position of row number `row`, such as ``"line 17"``."""

    @abstractmethod
    def head(self, rows: int) -> Mapping[str, Sequence[Any]]:
        """Return the first values of each column, at most `rows`; what cannot be read is left for `batches`."""

    def stamp(self) -> tuple[object, ...]:
        """Return what changes when somebody writes the file, which is read several times.

        Raises
        ------
        InvalidInputError
            If it is no longer there.
        """
        with reading(self.name, "be a file that can be read"):
            found = self.path.stat()
        return found.st_size, found.st_mtime_ns

    def check_unchanged(self, stamp: tuple[object, ...]) -> None:
        """Refuse a file that was written since it had a stamp.

        Raises
        ------
        InvalidInputError
        """
        if self.stamp() != stamp:
            raise self.refuse("stay as it is while it is read", "one that was written meanwhile: open it again")

    def refuse(self, rule: str, found: str) -> InvalidInputError:
        """Return the error that refuses this file."""
        return InvalidInputError(f"`{self.name}` must {brief(rule)}, got {brief(found)}.")

    def refuse_missing(self, column: Keys, name: str, first: int, *, cluster: bool = False) -> None:
        """Refuse a batch with an empty label; its rows are numbered from `first`."""
        words = self.missing_words if cluster else ()
        row = column.missing(words)
        if row is not None:
            found = "none" if not column[row] else repr(column[row])
            of = "a cluster" if cluster else "a name"
            raise self.refuse(
                f"hold {of} in column {quoted(name)} in every row", f"{found} in {self.place(first + row)}"
            )

    def _check_header(self) -> None:
        for position, column in enumerate(self.columns, start=1):
            if not column:
                index = " (an index? pandas leaves it out with index=False)" if position == 1 else ""
                raise self.refuse("name every column", f"no name for column {position}{index}")
        if len(set(self.columns)) < len(self.columns):
            seen: set[str] = set()
            twice = [name for name in self.columns if name in seen or seen.add(name)]  # type: ignore[func-returns-value]
            raise self.refuse("have distinct column names", f"{few(sorted(set(twice)))} twice")


def brief(text: str) -> str:
    """Return a text on one line that is no longer than a message may be; the middle of a long one is left out."""
    text = visible(text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 125]} ... {text[-120:]}"


def check_columns(rows: Rows, count: int) -> None:
    """Refuse more columns, or losses of one example, than can be told apart by names in memory.

    Raises
    ------
    TooLargeError
    """
    if count > MOST_COLUMNS:
        raise TooLargeError(
            f"`{rows.name}` must hold at most {MOST_COLUMNS:,} columns, or losses of one example, got {count:,}: read "
            "some of them."
        )


def batch_of(batch: Any, keys: Sequence[str], numbers: Sequence[str]) -> Batch:
    """Return a batch of pyarrow as labels and numbers."""
    # Columns are found by name once: a search for each takes quadratic time.
    place = {name: i for i, name in enumerate(batch.schema.names)}
    columns = batch.columns
    return {name: _keys(columns[place[name]]) for name in keys}, [_floats(columns[place[name]]) for name in numbers]


def is_numeric(kind: Any) -> bool:
    """Return whether a type of pyarrow is one of real numbers or bools; a column of nulls is of none, and may be."""
    from pyarrow import types

    if types.is_dictionary(kind):
        return is_numeric(kind.value_type)
    tests = (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal, types.is_null)
    return any(test(kind) for test in tests)


def _keys(column: Any) -> Keys:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        column = column.cast(pa.large_string())
    if pa.types.is_nested(kind):
        raise TypeError(f"labels of type {kind}")
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    # Labels of a dictionary need not be distinct, and a missing one may be in it or outside: one code per label.
    values = column.dictionary.to_pylist()
    raw = [None if label is None or label != label or str(label) == "" else str(label) for label in values]
    labels = list(dict.fromkeys([*raw, None]))
    place = {label: code for code, label in enumerate(labels)}
    codes = column.indices.fill_null(len(raw)).to_numpy(zero_copy_only=False)
    return Keys(np.array([place[label] for label in [*raw, None]], np.int64)[codes], labels)


def _floats(column: Any) -> npt.NDArray[Any]:
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if pa.types.is_decimal(kind):
        # By way of text, which is rounded once.
        column = column.cast(pa.string()).cast(pa.float64())
    exact = pa.types.is_float32(kind) or pa.types.is_float16(kind) or pa.types.is_boolean(kind)
    small = exact or (pa.types.is_integer(kind) and kind.bit_width <= 16)
    target = np.dtype(np.float32 if small else np.float64)
    if pa.types.is_boolean(kind):
        column = column.cast(pa.uint8())
    if pa.types.is_null(kind):
        return np.full(len(column), np.nan)
    array: npt.NDArray[Any] = column.to_numpy(zero_copy_only=False)
    return array.astype(target, copy=False)
