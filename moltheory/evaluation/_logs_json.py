"""JSON of evaluation logs: lines, documents and archives, with the place of what is malformed."""

from __future__ import annotations

import json
import math
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from moltheory._core._text import shortened
from moltheory.errors import InvalidInputError, TooLargeError

__all__ = [
    "MOST_BYTES",
    "archive",
    "document",
    "field",
    "found_below",
    "head",
    "label",
    "lines",
    "measured",
    "member",
    "others_below",
]

MOST_BYTES = 2**30
"""Largest size of one JSON document, which is parsed in memory."""

_ZSTANDARD = 93
"""Compression of newer archives, which `zipfile` reads from Python 3.14 on."""

_HALF = re.compile("[\ud800-\udfff]")


def lines(path: Path, argument: str = "path") -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the JSON object of each line that is not blank, and its place.

    Raises
    ------
    InvalidInputError
        If the file cannot be read, is empty, or a line is malformed.
    """
    count = 0
    with _opened(path, argument) as file:
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
    with _opened(path, argument) as file:
        return _typed(_within(file, str(path), argument), kind, argument, str(path))


def archive(path: Path) -> zipfile.ZipFile:
    """Return an opened ZIP archive.

    Raises
    ------
    InvalidInputError
        If it is damaged or cannot be read.
    """
    try:
        return zipfile.ZipFile(path)
    except OSError as error:
        raise InvalidInputError(f"`path` must be a readable file, got {error.strerror or error} for {path}.") from None
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OverflowError) as error:
        raise InvalidInputError(
            f"`path` must be a complete archive, got {_reason(error)} for {path}: copy the file again."
        ) from None


def member(opened: zipfile.ZipFile, name: str, kind: type[Any] = dict) -> Any:
    """Return the value of one JSON file of an archive.

    Raises
    ------
    InvalidInputError
        If it is damaged, encrypted or malformed.
    TooLargeError
    """
    place = f"{name} of {opened.filename}"
    entry = opened.getinfo(name)
    if entry.flag_bits & 0x1:
        raise InvalidInputError(f"`path` must be an archive without password, got {place} encrypted: extract it first.")
    try:
        if entry.compress_type == _ZSTANDARD and not hasattr(zipfile, "ZIP_ZSTANDARD"):
            content = _zstandard(opened, entry, place)
        else:
            with opened.open(entry) as file:
                content = _within(file, place, "path")
    except (TooLargeError, InvalidInputError):
        raise
    # Decompressors fail in many ways on damaged bytes; NotImplementedError: an unknown compression.
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        raise InvalidInputError(
            f"`path` must be an undamaged archive, got {_reason(error)} in {place}: copy the file again."
        ) from None
    return _typed(content, kind, "path", place)


def _zstandard(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, place: str) -> bytes:
    import pyarrow as pa

    with Path(str(opened.filename)).open("rb") as file:
        file.seek(entry.header_offset)
        local = file.read(30)
        if len(local) < 30 or local[:4] != b"PK\x03\x04":
            raise zipfile.BadZipFile("a damaged header")
        file.seek(int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little"), 1)
        packed = file.read(entry.compress_size)
    with pa.CompressedInputStream(pa.py_buffer(packed), "zstd") as stream:
        content = _within(stream, place, "path")
    if len(content) != entry.file_size or zlib.crc32(content) != entry.CRC:
        raise zipfile.BadZipFile("a wrong checksum")
    return content


def _opened(path: Path, argument: str) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise InvalidInputError(f"`{argument}` must be readable files, got {error.strerror} for {path}.") from error


def _limited(file: IO[bytes], path: Path, argument: str) -> Iterator[bytes]:
    """Yield the lines of a file, none longer than a document may be."""
    while True:
        try:
            line = file.readline(MOST_BYTES + 1)
        except OSError as error:
            raise InvalidInputError(f"`{argument}` must be readable files, got {error.strerror} for {path}.") from error
        if not line:
            return
        _refuse_large(line, str(path), argument)
        yield line


def _within(file: Any, place: str, argument: str) -> bytes:
    content: bytes = file.read(MOST_BYTES + 1)
    _refuse_large(content, place, argument)
    return content


def _refuse_large(content: bytes, place: str, argument: str) -> None:
    if len(content) > MOST_BYTES:
        raise TooLargeError(
            f"`{argument}` must hold JSON documents of at most {MOST_BYTES:,} bytes, got more in {place}."
        )


def _typed(content: bytes, kind: type[Any], argument: str, place: str) -> Any:
    named = "a JSON array" if kind is list else "a JSON object"
    value = _parsed(content, argument, named, place)
    if not isinstance(value, kind):
        raise InvalidInputError(f"`{argument}` must hold {named}, got {type(value).__name__} in {place}.")
    return value


def _parsed(content: bytes, argument: str, due: str, place: str) -> Any:
    try:
        return json.loads(content, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(f"`{argument}` must hold {due}, got {_reason(error)} in {place}.") from error


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {shortened(twice)!r} twice")
    return found


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
        raise InvalidInputError(f"`path` must hold {due} as {name}, got {shortened(repr(value))} in {place}.")
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
        raise InvalidInputError(f"`{argument}` must hold names, got {shortened(repr(value))} in {place}.")
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


def head(path: Path, size: int = 4096) -> bytes:
    """Return the first bytes of a file, and none if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(size)
    except (OSError, ValueError):
        return b""


def found_below(paths: Sequence[Path], patterns: Iterable[str], accept: Callable[[Path], bool]) -> list[Path]:
    """Return the given files, and those below given folders that match a pattern and are accepted; sorted."""
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            found.update(dict.fromkeys(file for file in _below(path, patterns) if accept(file)))
        else:
            found[path] = None
    return list(found)


def others_below(paths: Sequence[Path], patterns: Iterable[str], found: Iterable[Path]) -> list[Path]:
    """Return the files below given folders that match a pattern and are none of those found.

    Raises
    ------
    InvalidInputError
        If one is empty, as the log of an interrupted run is.
    """
    known = set(found)
    others = [file for path in paths if path.is_dir() for file in _below(path, patterns) if file not in known]
    for file in others:
        if not head(file).strip():
            raise InvalidInputError(
                f"`path` must hold no empty logs, got nothing in {file}: repeat that evaluation, or remove the file."
            )
    return others


def _below(folder: Path, patterns: Iterable[str]) -> list[Path]:
    try:
        return sorted({file for pattern in patterns for file in folder.rglob(pattern) if file.is_file()})
    except (OSError, ValueError):
        return []
