"""JSON lines: one object per row."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from moltheory._core._reading import distinct_keys
from moltheory._core._text import quoted
from moltheory.errors import TooLargeError
from moltheory.evaluation._compressed import bare_suffix, opened
from moltheory.evaluation._form import FORM_REQUESTS, table_source
from moltheory.evaluation._label_column import Keys
from moltheory.evaluation._reader import Reader, reading
from moltheory.evaluation._tabular import Batches, Rows, check_columns

__all__ = ["JSON_LINES"]

_RULE = "hold one JSON object per line, in UTF-8"
# Longest line that is read at all: a file without line ends must not be read into memory.
_LONGEST_LINE = 1 << 25
_ROWS_PER_BATCH = 1 << 16
# Bytes that a compressed file of any size may stand for: fewer than of other text, which takes less time.
_UNPACKED_FREELY = 1 << 23
# Losses that need not be given, and how many may be left out for each that is.
_FILLED_FREELY, _MOST_FILLED = 1 << 23, 64


@dataclass
class _Mixed:
    """What a column has held so far: bools, and the first number that is neither 0 nor 1, with its line."""

    bools: bool = False
    other: tuple[float, int] | None = None


class _JsonRows(Rows):
    """Objects with the same keys; null, NaN or a missing key is a missing number."""

    def __init__(self, path: Path) -> None:
        self.path = path
        names: dict[str, None] = {}
        # Keys may be left out where they have no value, so that only all rows tell the columns.
        n_rows = given = 0
        for _, row in self._objects():
            names.update(dict.fromkeys(row))
            n_rows += 1
            given += len(row)
        self.columns = tuple(names)
        if not names:
            raise self.refuse("hold at least one row", "none")
        check_columns(self, len(names))
        if n_rows * len(names) > max(_FILLED_FREELY, _MOST_FILLED * given):
            raise TooLargeError(
                f"`{self.name}` must have much the same keys in all rows, got {given:,} values for {n_rows:,} rows and "
                f"{len(names):,} different keys: give one row per model and example instead."
            )
        self._check_header()

    def batches(self, keys: Sequence[str], numbers: Sequence[str], *, rows: int) -> Batches:
        """Yield batches of at most `rows` rows."""
        most = max(min(rows, _ROWS_PER_BATCH), 1)
        mixed: dict[str, _Mixed] = {name: _Mixed() for name in numbers}
        objects = self._objects()
        while part := list(islice(objects, most)):
            labels = {name: self._labels(name, part) for name in keys}
            for name in numbers:
                self._check_bools(name, part, mixed[name])
            yield labels, [np.array([self._number(name, *entry) for entry in part]) for name in numbers]

    def place(self, row: int) -> str:
        """Return the line of row number `row`."""
        return next(f"line {line}" for number, (line, _) in enumerate(self._objects()) if number == row)

    def head(self, rows: int) -> Mapping[str, Sequence[Any]]:
        """Return the first values of each column."""
        first = [row for _, row in islice(self._objects(), rows)]
        return {name: [row.get(name) for row in first] for name in self.columns}

    def _objects(self) -> Iterator[tuple[int, dict[str, Any]]]:
        with (
            reading(self.name, _RULE),
            opened(self.path, freely=_UNPACKED_FREELY) as stream,
            io.TextIOWrapper(stream, encoding="utf-8-sig") as text,
        ):
            number = 0
            # One decoder for all lines: making one takes longer than a line.
            decode = json.JSONDecoder(object_pairs_hook=distinct_keys).decode
            while line := text.readline(_LONGEST_LINE):
                number += 1
                if len(line) == _LONGEST_LINE and not line.endswith("\n"):
                    raise self.refuse(
                        f"have lines of at most {_LONGEST_LINE:,} characters", f"a longer one in line {number}"
                    )
                if not line.strip():
                    continue
                try:
                    row = decode(line)
                except (ValueError, RecursionError, MemoryError):
                    with reading(self.name, f"{_RULE} (line {number})"):
                        raise
                if not isinstance(row, dict):
                    raise self.refuse(_RULE, f"{type(row).__name__} in line {number}")
                yield number, row

    def _labels(self, name: str, part: Sequence[tuple[int, dict[str, Any]]]) -> Keys:
        codes: dict[str | None, int] = {}
        found = []
        for line, row in part:
            value = row.get(name)
            if isinstance(value, dict | list):
                kind = "an object" if isinstance(value, dict) else "a list"
                raise self.refuse(f"hold a name in column {quoted(name)} in every row", f"{kind} in line {line}")
            label = None if value is None or value != value or value == "" else str(value)
            found.append(codes.setdefault(label, len(codes)))
        return Keys(np.array(found, np.int64), list(codes))

    def _check_bools(self, name: str, part: Sequence[tuple[int, dict[str, Any]]], mixed: _Mixed) -> None:
        """Refuse a column of true and false that holds other numbers than 1 and 0, as in text."""
        values = [row.get(name) for _, row in part]
        mixed.bools = mixed.bools or any(value is True or value is False for value in values)
        if mixed.other is None:
            mixed.other = next(
                (
                    (value, line)
                    for value, (line, _) in zip(values, part, strict=True)
                    if isinstance(value, int | float) and value not in (0, 1) and value == value
                ),
                None,
            )
        if mixed.bools and mixed.other is not None:
            value, line = mixed.other
            found = f"{_shown(value)} in line {line} beside true or false"
            raise self.refuse(f"hold true, false, 1 or 0 in column {quoted(name)}", found)

    def _number(self, name: str, line: int, row: Mapping[str, Any]) -> float:
        value = row.get(name)
        if value is None:
            return math.nan
        if not isinstance(value, bool | int | float):
            raise self.refuse(f"hold numbers in column {quoted(name)}", f"{_shown(value)} in line {line}{self.hint}")
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:76]} ..."


def _is_json_lines(paths: tuple[Path, ...]) -> bool:
    """Whether files are called so, or (without a suffix, such as standard input) start with an object."""
    return all(
        bare_suffix(path) in (".jsonl", ".ndjson") or (not bare_suffix(path) and _starts_with_object(path))
        for path in paths
    )


def _starts_with_object(path: Path) -> bool:
    try:
        with opened(path) as stream:
            return bool(stream.read(1 << 10).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"))
    except (OSError, ValueError):
        return False


JSON_LINES = Reader(
    "jsonl",
    "a table, wide, long or tidy, with one JSON object per row (.jsonl, .ndjson, also .gz, .zst, .bz2)",
    _is_json_lines,
    lambda paths, request: table_source([_JsonRows(path) for path in paths], request),
    FORM_REQUESTS,
)
