"""JSON of evaluation logs: lines and documents, with the place of what is malformed."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from moltheory._core._reading import distinct_keys, reading
from moltheory._core._text import shortened
from moltheory.errors import InvalidInputError, TooLargeError
from moltheory.evaluation._logs_folder import check_ordinary
from moltheory.evaluation._logs_guard import excerpt

__all__ = ["MOST_BYTES", "document", "field", "label", "lines", "measured", "parsed"]

MOST_BYTES = 2**30
"""Largest size of one JSON document, which is parsed in memory."""

_LONGEST_LINE = 2**27
"""Largest size of one line, in bytes: a file without line ends is not read into memory."""

_ENDS_FIRST = 2**26
"""Size from which a document's two ends are looked at before all of it is read, in bytes."""

_HALF = re.compile("[\ud800-\udfff]")


def lines(path: Path, argument: str = "path") -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the JSON object of each line that is not blank, and its place.

    Raises
    ------
    InvalidInputError
        If the file cannot be read, is empty, or a line is malformed.
    TooLargeError
        If a line is too long.
    """
    count = 0
    check_ordinary(path, argument)
    with reading(str(path), "be readable"), path.open("rb") as file:
        for number, line in enumerate(_limited(file, path, argument), start=1):
            if line.strip():
                count += 1
                place = f"{path} line {number}"
                record = _parsed(line, argument, "one JSON object per line", place)
                if not isinstance(record, dict):
                    raise InvalidInputError(
                        f"`{argument}` must hold one JSON object per line, got {type(record).__name__} in {place}."
                    )
                yield record, place
    if not count:
        raise InvalidInputError(
            f"`{argument}` must hold at least one line per log, got none in {path}: repeat that evaluation, or leave the "
            "file out."
        )


def document(path: Path, kind: type[Any] = dict, argument: str = "path") -> Any:
    """Return the only value of a JSON file, an object unless another `kind` is due.

    Raises
    ------
    InvalidInputError
        If the file cannot be read, is malformed, or holds another kind.
    TooLargeError
    """
    size = check_ordinary(path, argument)
    if size > MOST_BYTES:
        raise TooLargeError(
            f"`{argument}` must hold JSON documents of at most {MOST_BYTES:,} bytes, got {size:,} in {path}."
        )
    with reading(str(path), "be readable"), path.open("rb") as file:
        if size > _ENDS_FIRST:
            _check_ends(file, kind, argument, path)
        content = file.read()
    return parsed(content, kind, argument, str(path))


def _check_ends(file: IO[bytes], kind: type[Any], argument: str, path: Path) -> None:
    """Refuse a large file that does not start and end as a document does, before it fills the memory."""
    start = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    file.seek(-4096, 2)
    end = file.read().rstrip()[-1:]
    file.seek(0)
    signs = (b"[", b"]") if kind is list else (b"{", b"}")
    if (start, end) != signs:
        raise InvalidInputError(
            f"`{argument}` must hold {_named(kind)}, got no {(signs[0] + signs[1]).decode()} around all of {path}: copy "
            "the file again."
        )


def _limited(file: IO[bytes], path: Path, argument: str) -> Iterator[bytes]:
    """Yield the lines of a file."""
    while line := file.readline(_LONGEST_LINE + 1):
        if len(line) > _LONGEST_LINE:
            raise TooLargeError(
                f"`{argument}` must hold lines of at most {_LONGEST_LINE:,} bytes, got a longer one in {path}."
            )
        yield line


def parsed(content: bytes, kind: type[Any], argument: str, place: str) -> Any:
    """Return the value of a document of a kind.

    Raises
    ------
    InvalidInputError
        If it is malformed, holds another kind, or an object with a key twice.
    """
    value = _parsed(content, argument, _named(kind), place)
    if not isinstance(value, kind):
        raise InvalidInputError(f"`{argument}` must hold {_named(kind)}, got {type(value).__name__} in {place}.")
    return value


def _named(kind: type[Any]) -> str:
    return "a JSON array" if kind is list else "a JSON object"


def _parsed(content: bytes, argument: str, due: str, place: str) -> Any:
    try:
        return json.loads(content, object_pairs_hook=distinct_keys)
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(f"`{argument}` must hold {due}, got {_reason(error)} in {place}.") from None


def _reason(error: BaseException) -> str:
    if isinstance(error, RecursionError):
        return "too deep nesting"
    return shortened((str(error).splitlines() or [""])[0] or type(error).__name__, 120)


def field(record: Any, name: str, place: str, kinds: tuple[type[Any], ...], due: str) -> Any:
    """Return a field of a record (``"a.b"`` for a nested one), of one of the given kinds.

    Raises
    ------
    InvalidInputError
        If it is missing or of another kind.
    """
    value = record
    for step in name.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise InvalidInputError(f"`path` must hold {due} as {name}, got {excerpt(value)} in {place}.")
    return value


def label(value: Any, argument: str, place: str) -> str:
    """Return a number or text as a name.

    Raises
    ------
    InvalidInputError
        If it is something else, empty, or no valid Unicode.
    """
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float | str)
        or value in ("", math.inf, -math.inf)
        or value != value
    ):
        raise InvalidInputError(f"`{argument}` must hold names, got {excerpt(value)} in {place}.")
    if isinstance(value, str) and _HALF.search(value):
        raise InvalidInputError(
            f"`{argument}` must hold names in valid Unicode, got {shortened(ascii(value))} in {place}."
        )
    return str(value)


def measured(value: Any) -> float | None:
    """Return a finite number or a bool as a float, and None for anything else."""
    if not isinstance(value, bool | int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
