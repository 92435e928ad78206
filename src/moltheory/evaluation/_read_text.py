"""Files of separated values: CSV, TSV and their kin, plain or compressed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any

from moltheory.errors import InvalidInputError, MoltheoryError
from moltheory.evaluation._compressed import bare_suffix, opened, starts_with
from moltheory.evaluation._form import FORM_REQUESTS, table_source
from moltheory.evaluation._quotes import well_quoted
from moltheory.evaluation._reader import Reader, Request, reading
from moltheory.evaluation._source import LossSource
from moltheory.evaluation._tabular import MISSING, MOST_COLUMNS, Batches, Rows
from moltheory.evaluation._text_numbers import TextNumbers

__all__ = ["TEXT", "CsvRows"]

_BYTES_PER_BATCH = 1 << 22
# Longest line that is read at all, and longest field, which may extend over lines: a file without line ends must not be
# read into memory.
_LONGEST_LINE, _LONGEST_FIELD = 1 << 26, 1 << 24
_RULE = "be a CSV file in UTF-8"
_SUFFIXES = (".csv", ".tsv", ".tab")
_SEPARATORS = (",", ";", "\t", "|")


class CsvRows(Rows):
    """Separated values in UTF-8 with a header; an empty field, NA or NaN is a missing number.

    Parameters
    ----------
    path : pathlib.Path
        Plain, or compressed as gzip, Zstandard or bzip2.
    separator : str, optional
        By default a tab in ``.tsv`` and ``.tab``, a comma where it gives the first rows the columns of the header, else
        the one of semicolon, tab and bar that does.
    decimal : str, optional
        ``"."`` (default) or ``","``.
    """

    missing_words = MISSING

    def __init__(self, path: Path, *, separator: str | None = None, decimal: str | None = None) -> None:
        self.path = path
        self._decimal = decimal or "."
        if starts_with(path, b"\xff\xfe", b"\xfe\xff"):
            raise self.refuse(_RULE, "UTF-16: save it again as UTF-8")
        tabs = bare_suffix(path) in (".tsv", ".tab")
        self._separator = separator or ("\t" if tabs else self._found_separator())
        if self._separator == self._decimal:
            raise InvalidInputError(
                f"`decimal` must differ from the separator of columns, got {self._decimal!r} for both: give `separator`."
            )
        with reading(self.name, _RULE), self._lines(self._separator) as lines:
            header: list[str] = next(lines, [])
        if not header:
            raise self.refuse("have a header and rows", "an empty file" if not self._has_content() else "no header")
        self.columns = tuple(header)
        self._check_header()
        self._quotes_checked = False
        # Whether numbers are read as text, because True or False occurs among them.
        self._as_text = False

    def batches(self, keys: Sequence[str], numbers: Sequence[str], *, rows: int) -> Batches:
        """Yield batches of a fixed number of bytes, cut to at most `rows` rows."""
        import pyarrow as pa

        self._check_quotes()
        given = 0
        if not self._as_text:
            try:
                for batch in self._arrow(keys, numbers, pa.float64()):
                    if batch.num_rows:
                        yield from self._cut(batch, keys, numbers, rows)
                        given += batch.num_rows
                return
            except pa.ArrowInvalid as error:
                if not numbers:
                    raise self._malformed(error) from None
            except (OSError, LookupError, MemoryError) as error:
                raise self._malformed(error) from None
        # What comes after the rows that were given: True among numbers, or what is neither.
        self._as_text = True
        converted = TextNumbers(self, numbers, self._decimal)
        skip = given
        try:
            for batch in self._arrow(keys, numbers, pa.string()):
                found = converted.floats(batch)
                if skip < found.num_rows:
                    yield from self._cut(found.slice(skip), keys, numbers, rows)
                skip = max(skip - found.num_rows, 0)
        except (pa.ArrowInvalid, OSError, LookupError, MemoryError) as error:
            raise self._malformed(error) from None

    def place(self, row: int) -> str:
        """Return the line on which row number `row` begins."""
        try:
            return next(f"line {line}" for number, (line, _) in enumerate(self._fields()) if number == row)
        except (OSError, MoltheoryError, UnicodeDecodeError, csv.Error, StopIteration):
            # A place in a sentence that refuses the file: what is wrong with it is being said.
            return f"row {row + 1}"

    def head(self, rows: int) -> Mapping[str, Sequence[Any]]:
        """Return the first fields of each column as text."""
        with reading(self.name, _RULE):
            first = [fields for _, fields in islice(self._fields(), rows) if len(fields) == len(self.columns)]
        return dict(zip(self.columns, zip(*first, strict=True), strict=True)) if first else {}

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the fields of each row with the line it begins on, checked; slow."""
        with reading(self.name, _RULE):
            for line, fields in self._fields(strict=True):
                if len(fields) != len(self.columns):
                    raise self.refuse(f"have {len(self.columns)} fields in every row", f"{len(fields)} in line {line}")
                yield line, fields

    def _arrow(self, keys: Sequence[str], numbers: Sequence[str], kind: Any) -> Iterator[Any]:
        import pyarrow as pa
        from pyarrow import csv as arrow

        with opened(self.path) as stream:
            yield from arrow.open_csv(
                stream,
                # Threads would read ahead, and use more memory.
                read_options=arrow.ReadOptions(block_size=self._block_size(), use_threads=False),
                parse_options=arrow.ParseOptions(delimiter=self._separator, newlines_in_values=True),
                convert_options=arrow.ConvertOptions(
                    column_types=dict.fromkeys(keys, pa.string()) | dict.fromkeys(numbers, kind),
                    include_columns=[*keys, *numbers],
                    null_values=list(MISSING),
                    decimal_point=self._decimal,
                ),
            )

    def _block_size(self) -> int:
        """Return the size of batches: at least some rows, of tables with very many columns."""
        return max(_BYTES_PER_BATCH, 8 * sum(len(name) + 1 for name in self.columns))

    def _check_quotes(self) -> None:
        """Refuse a quote that is not closed, which would hide the rows after it; read once."""
        if self._quotes_checked:
            return
        with reading(self.name, _RULE), opened(self.path) as stream:
            fine = well_quoted(stream, self._separator)
        if not fine:
            for _ in self.records():
                pass
        self._quotes_checked = True

    def _malformed(self, error: Exception) -> InvalidInputError:
        """Return the error of the first malformed row, found by reading the file again, slowly."""
        try:
            for _ in self.records():
                pass
            with reading(self.name, _RULE):
                raise error
        except InvalidInputError as refusal:
            return refusal
        raise error

    def _fields(self, *, strict: bool = False) -> Iterator[tuple[int, list[str]]]:
        """Yield each row with the line it begins on, without the header and empty lines."""
        with self._lines(self._separator, strict=strict) as lines:
            next(lines, None)
            begins = lines.line_num + 1
            for fields in lines:
                if fields:
                    yield begins, fields
                begins = lines.line_num + 1

    @contextmanager
    def _lines(self, separator: str, *, strict: bool = False) -> Iterator[Any]:
        """Open the file as a csv.reader."""
        before = csv.field_size_limit(_LONGEST_FIELD)
        try:
            with (
                opened(self.path) as stream,
                io.TextIOWrapper(stream, encoding="utf-8-sig", newline="") as text,
            ):
                yield csv.reader(_bounded(text, separator), delimiter=separator, strict=strict)
        finally:
            csv.field_size_limit(before)

    def _found_separator(self) -> str:
        """Return the separator that gives the first rows the number of columns of the header, at best the comma."""
        for separator in _SEPARATORS:
            with reading(self.name, _RULE), self._lines(separator) as lines:
                counts = [len(fields) for fields in islice(lines, 6) if fields]
            if counts and counts[0] > 1 and len(set(counts)) == 1:
                return separator
        return ","

    def _has_content(self) -> bool:
        with opened(self.path) as stream:
            return bool(stream.read(1))

    @staticmethod
    def _cut(batch: Any, keys: Sequence[str], numbers: Sequence[str], rows: int) -> Batches:
        from moltheory.evaluation._tabular import batch_of

        for start in range(0, batch.num_rows, rows):
            yield batch_of(batch.slice(start, rows), keys, numbers)


def _bounded(text: IO[str], separator: str) -> Iterator[str]:
    while line := text.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE:
            raise csv.Error(f"a line of {_LONGEST_LINE:,} characters or more")
        if len(line) > MOST_COLUMNS and line.count(separator) >= MOST_COLUMNS:
            raise csv.Error(f"a line of more than {MOST_COLUMNS:,} columns")
        yield line


def _is_text(paths: tuple[Path, ...]) -> bool:
    """Whether files are called so, or (without a suffix, such as standard input) start with a header in text."""
    return all(
        bare_suffix(path) in _SUFFIXES or (not bare_suffix(path) and _starts_with_header(path)) for path in paths
    )


def _starts_with_header(path: Path) -> bool:
    try:
        with opened(path) as stream:
            first = stream.read(1 << 16).split(b"\n")[0].decode("utf-8-sig").strip()
    except (OSError, ValueError):
        return False
    return bool(first) and first[0] not in "{[" and any(separator in first for separator in _SEPARATORS)


def _open_text(paths: tuple[Path, ...], request: Request) -> LossSource:
    for name, value in (("separator", request.separator), ("decimal", request.decimal)):
        fits = value is None or (value in (".", ",") if name == "decimal" else _is_separator(value))
        if not fits:
            rule = "be '.' or ','" if name == "decimal" else "be one character that is no quote and no line end"
            raise InvalidInputError(f"`{name}` must {rule}, got {value!r}.")
    return table_source(
        [CsvRows(path, separator=request.separator, decimal=request.decimal) for path in paths], request
    )


def _is_separator(text: str) -> bool:
    return len(text) == 1 and text.isascii() and text not in '"\r\n'


TEXT = Reader(
    "csv",
    "a table, wide, long or tidy, of separated values (.csv, .tsv, also .gz, .zst, .bz2)",
    _is_text,
    _open_text,
    FORM_REQUESTS | {"separator", "decimal"},
)
