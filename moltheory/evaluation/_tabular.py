"""CSV and Parquet files as batches of columns, with the position of each row."""

from __future__ import annotations

import csv
import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory.errors import InvalidInputError
from moltheory.evaluation._label_column import Keys

__all__ = ["CsvRows", "ParquetRows", "Rows"]

_MISSING = ("", "NA", "NaN", "nan")
_BOOLS = ("True", "False", "true", "false", "TRUE", "FALSE")
# Number of first rows from which a column of bools is recognized.
_SHOWN = 100
_BYTES_PER_BATCH = 1 << 22
# Prefix of columns in which pandas stores an index.
_INDEX = "__index_level_"


class Rows(ABC):
    """A table in a file. `columns` are its names; rows are numbered from 0, messages give their place in the file."""

    path: Path
    columns: tuple[str, ...]
    #: Addition to the message that refuses a column of numbers.
    hint: str = ""

    @property
    def name(self) -> str:
        """Name of the file, for messages."""
        return self.path.name

    @abstractmethod
    def batches(
        self, keys: Sequence[str], numbers: Sequence[str], *, rows: int
    ) -> Iterator[tuple[dict[str, Keys], list[npt.NDArray[Any]]]]:
        """Yield some columns, at most about `rows` rows at a time: labels by name, and one float array per number."""

    @abstractmethod
    def place(self, row: int) -> str:
        """Return the position of row number `row`, such as ``"line 17"``."""

    def refuse(self, rule: str, found: str) -> InvalidInputError:
        """Return the error that refuses this file."""
        return InvalidInputError(f"`{self.name}` must {rule}, got {found}.")

    def refuse_missing(self, column: Keys, name: str, first: int) -> None:
        """Refuse a batch with an empty label; its rows are numbered from `first`."""
        row = column.missing()
        if row is not None:
            raise self.refuse(f"hold a name in column {name!r} in every row", f"none in {self.place(first + row)}")

    def _check_header(self) -> None:
        for position, column in enumerate(self.columns, start=1):
            if not column:
                index = " (an index? pandas leaves it out with index=False)" if position == 1 else ""
                raise self.refuse("name every column", f"no name for column {position}{index}")
        if len(set(self.columns)) < len(self.columns):
            twice = next(column for column in self.columns if self.columns.count(column) > 1)
            raise self.refuse("have distinct column names", f"{twice!r} twice")


class CsvRows(Rows):
    """Comma-separated values in UTF-8 with a header; an empty field, NA or NaN is a missing number."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._lines() as lines:
            try:
                header: list[str] = next(lines, [])
            except (UnicodeDecodeError, csv.Error) as error:
                raise self.refuse("be a CSV file in UTF-8", str(error)) from None
        self.columns = tuple(header)
        if not header:
            raise self.refuse("have a header and rows", "an empty file" if not path.stat().st_size else "no header")
        if len(header) == 1:
            for other in (";", "\t"):
                if other in header[0]:
                    raise self.refuse("separate its columns by commas", f"{other!r} in the header")
        self._check_header()

    def batches(
        self, keys: Sequence[str], numbers: Sequence[str], *, rows: int
    ) -> Iterator[tuple[dict[str, Keys], list[npt.NDArray[Any]]]]:
        """Yield batches of a fixed number of bytes, cut to at most `rows` rows."""
        import pyarrow as pa
        from pyarrow import csv as arrow

        bools = self._bools(numbers)
        types = (
            dict.fromkeys(keys, pa.string()) | dict.fromkeys(numbers, pa.float64()) | dict.fromkeys(bools, pa.bool_())
        )
        try:
            reader = arrow.open_csv(
                self.path,
                # Threads would read ahead, and use more memory.
                read_options=arrow.ReadOptions(block_size=_BYTES_PER_BATCH, use_threads=False),
                parse_options=arrow.ParseOptions(newlines_in_values=True),
                convert_options=arrow.ConvertOptions(
                    column_types=types, include_columns=[*keys, *numbers], null_values=list(_MISSING)
                ),
            )
            for batch in reader:
                for start in range(0, batch.num_rows, rows):
                    yield _columns(batch.slice(start, rows), keys, numbers)
        except pa.ArrowInvalid as error:
            raise self._malformed(numbers, bools, " ".join(str(error).split())) from None

    def place(self, row: int) -> str:
        """Return the line on which row number `row` begins."""
        return next(f"line {line}" for number, (line, _) in enumerate(self._fields()) if number == row)

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the fields of each row with the line it begins on; meant for short files."""
        try:
            for line, fields in self._fields():
                if len(fields) != len(self.columns):
                    raise self.refuse(f"have {len(self.columns)} fields in every row", f"{len(fields)} in line {line}")
                yield line, fields
        except (UnicodeDecodeError, csv.Error) as error:
            raise self.refuse("be a CSV file in UTF-8", str(error).rstrip(".")) from None

    def _bools(self, numbers: Sequence[str]) -> set[str]:
        """Return the columns of numbers that hold True or False in the first rows."""
        places = [(name, self.columns.index(name)) for name in numbers]
        try:
            first = [fields for _, fields in islice(self._fields(), _SHOWN) if len(fields) == len(self.columns)]
        except (UnicodeDecodeError, csv.Error):
            return set()
        return {name for name, place in places if any(fields[place] in _BOOLS for fields in first)}

    def _malformed(self, numbers: Sequence[str], bools: Collection[str], reason: str) -> InvalidInputError:
        """Return the error of the first malformed row, found by reading the file again, slowly."""
        places = [(name, self.columns.index(name)) for name in numbers]
        try:
            for line, fields in self.records():
                for name, place in places:
                    field = fields[place]
                    fits = field in (*_MISSING, *_BOOLS, "0", "1") if name in bools else _is_number(field)
                    if not fits:
                        kind = "True, False, 1 or 0" if name in bools else "numbers"
                        rule = f"hold {kind} in column {name!r}"
                        return self.refuse(rule, f"{field!r} in line {line}{self.hint}")
        except InvalidInputError as error:
            return error
        return self.refuse("be a CSV file in UTF-8", reason.rstrip("."))

    def _fields(self) -> Iterator[tuple[int, list[str]]]:
        """Yield each row with the line it begins on, without the header and empty lines."""
        with self._lines() as lines:
            next(lines)
            begins = lines.line_num + 1
            for fields in lines:
                if fields:
                    yield begins, fields
                begins = lines.line_num + 1

    def _lines(self) -> Any:
        return _CsvFile(self.path)


class _CsvFile:
    """A csv.reader that closes its file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Any:
        self._handle = self._path.open(encoding="utf-8-sig", newline="")
        return csv.reader(self._handle)

    def __exit__(self, *_: object) -> None:
        self._handle.close()


class ParquetRows(Rows):
    """A Parquet file, read row group by row group."""

    def __init__(self, path: Path) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        self.path = path
        try:
            # Buffered streams keep a row group of any size out of memory; a memory map would count as ours.
            self._file = parquet.ParquetFile(path, memory_map=False, buffer_size=1 << 16, pre_buffer=False)
        except (pa.ArrowInvalid, OSError) as error:
            reason = " ".join(str(error).split()).split(". ")[0].rstrip(".")
            raise self.refuse("be a Parquet file", reason) from None
        self.columns = tuple(name for name in self._file.schema_arrow.names if not name.startswith(_INDEX))
        if not self.columns:
            raise self.refuse("have columns and rows", "no column")
        self._check_header()

    def batches(
        self, keys: Sequence[str], numbers: Sequence[str], *, rows: int
    ) -> Iterator[tuple[dict[str, Keys], list[npt.NDArray[Any]]]]:
        """Yield batches of at most `rows` rows."""
        import pyarrow as pa
        from pyarrow import types

        for name in numbers:
            kind = self._file.schema_arrow.field(name).type
            if not (types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)):
                raise self.refuse(f"hold numbers in column {name!r}", f"values of type {kind}{self.hint}")
        try:
            for batch in self._file.iter_batches(batch_size=rows, columns=[*keys, *numbers]):
                yield _columns(batch, keys, numbers)
        except (pa.ArrowInvalid, OSError) as error:
            raise self.refuse("be a Parquet file", " ".join(str(error).split()).rstrip(".")) from None

    def place(self, row: int) -> str:
        """Return the row's number, from 1."""
        return f"row {row + 1}"


def _columns(batch: Any, keys: Sequence[str], numbers: Sequence[str]) -> tuple[dict[str, Keys], list[npt.NDArray[Any]]]:
    return {name: _keys(batch.column(name)) for name in keys}, [_floats(batch.column(name)) for name in numbers]


def _keys(column: Any) -> Keys:
    import pyarrow as pa

    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    # Labels of a dictionary need not be distinct, and a missing one may be in it or outside: one code per label.
    raw = [None if label is None or str(label) == "" else str(label) for label in column.dictionary.to_pylist()]
    labels = list(dict.fromkeys([*raw, None]))
    place = {label: code for code, label in enumerate(labels)}
    codes = column.indices.fill_null(len(raw)).to_numpy(zero_copy_only=False)
    return Keys(np.array([place[label] for label in [*raw, None]], np.int64)[codes], labels)


def _floats(column: Any) -> npt.NDArray[Any]:
    import pyarrow as pa

    kind = column.type
    exact = pa.types.is_float32(kind) or pa.types.is_float16(kind) or pa.types.is_boolean(kind)
    small = exact or (pa.types.is_integer(kind) and kind.bit_width <= 16)
    target = np.dtype(np.float32 if small else np.float64)
    if pa.types.is_boolean(kind):
        column = column.cast(pa.uint8())
    array: npt.NDArray[Any] = column.to_numpy(zero_copy_only=False)
    return array.astype(target, copy=False)


def _is_number(field: str) -> bool:
    if field in _MISSING:
        return True
    try:
        return not math.isnan(float(field)) and "_" not in field
    except ValueError:
        return False
