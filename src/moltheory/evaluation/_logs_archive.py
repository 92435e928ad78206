"""JSON documents in ZIP archives: sizes are known before anything is unpacked, and nothing is ever extracted."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

from moltheory._core._reading import reading
from moltheory._core._text import named
from moltheory.errors import InvalidInputError, TooLargeError
from moltheory.evaluation._logs_folder import check_ordinary
from moltheory.evaluation._logs_json import MOST_BYTES, parsed

__all__ = ["archive", "member"]

_ZSTANDARD = 93
"""Compression of newer archives, which `zipfile` reads from Python 3.14 on."""

_KNOWN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, _ZSTANDARD)

_SMALL = 2**24
"""Size in bytes of a document that is parsed whatever it holds: in memory it may take 40 times as much."""

_MOST_MEMORY = 16
"""Values of a larger document take at most so many times its size in memory, by an estimate; those of text take twice."""

_MOST_TIMES = 200
"""Unpacked, a document is at most so many times as large as packed, or small: text never is, what only fills memory is."""


def archive(path: Path) -> zipfile.ZipFile:
    """Return an opened ZIP archive.

    Raises
    ------
    InvalidInputError
        If it is damaged or cannot be read.
    TooLargeError
        If all its members together are far larger than the file.
    """
    size = check_ordinary(path)
    with reading(str(path), "be a complete archive"):
        opened = zipfile.ZipFile(path)
    beyond = next((entry for entry in opened.infolist() if entry.header_offset + entry.compress_size > size), None)
    if beyond is not None:
        opened.close()
        raise InvalidInputError(
            f"`path` must be an undamaged archive, got a size beyond its end for {named(beyond.filename)} of "
            f"{path}: copy the file "
            "again."
        )
    total = sum(entry.file_size for entry in opened.infolist())
    if total > max(MOST_BYTES, _MOST_TIMES * size):
        opened.close()
        raise TooLargeError(
            f"`path` must hold archives of at most {_MOST_TIMES} times their packed size, got {total:,} bytes in {path} "
            f"of {size:,} bytes."
        )
    return opened


def member(opened: zipfile.ZipFile, name: str) -> Any:
    """Return the value of one JSON document in an archive, an object.

    Raises
    ------
    InvalidInputError
        If it is damaged, encrypted or malformed.
    TooLargeError
    """
    entry = opened.getinfo(name)
    place = f"{name} of {opened.filename}"
    if entry.flag_bits & 0x1:
        raise InvalidInputError(f"`path` must be an archive without password, got {place} encrypted: extract it first.")
    if entry.compress_type not in _KNOWN:
        raise InvalidInputError(
            f"`path` must be an archive whose files are stored, deflated or packed by Zstandard, got compression "
            f"{entry.compress_type} of {place}: pack it again."
        )
    if entry.file_size > min(MOST_BYTES, max(_SMALL, _MOST_TIMES * entry.compress_size)):
        raise TooLargeError(
            f"`path` must hold JSON documents of at most {MOST_BYTES:,} bytes and {_MOST_TIMES} times their packed size, "
            f"got {entry.file_size:,} of {entry.compress_size:,} bytes in {place}."
        )
    with reading(place, "be in an undamaged archive"):
        if entry.compress_type == _ZSTANDARD:  # also where zipfile knows it: one kind of refusal on every Python
            content = _zstandard(opened, entry)
        else:
            with opened.open(entry) as file:
                # No more than the directory says, and its checksum.
                content = file.read()
        if len(content) != entry.file_size:
            raise zipfile.BadZipFile("another size than the archive says")
    if len(content) > _SMALL:
        _check_values(content, place)
    return parsed(content, dict, "path", place)


def _check_values(content: bytes, place: str) -> None:
    """Refuse a large document of hardly anything but brackets and commas, which takes far more memory than text."""
    if 64 * (content.count(b"[") + content.count(b"{")) + 40 * content.count(b",") > _MOST_MEMORY * len(content):
        raise TooLargeError(
            f"`path` must hold JSON documents that take at most {_MOST_MEMORY} times their size in memory, got more in "
            f"{place} of {len(content):,} bytes."
        )


def _zstandard(opened: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    import pyarrow as pa

    path = Path(str(opened.filename))
    with path.open("rb") as file:
        file.seek(entry.header_offset)
        local = file.read(30)
        if len(local) < 30 or local[:4] != b"PK\x03\x04":
            raise zipfile.BadZipFile("a damaged header")
        file.seek(int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little"), 1)
        packed = file.read(entry.compress_size)
    with pa.CompressedInputStream(pa.py_buffer(packed), "zstd") as stream:
        content: bytes = stream.read(entry.file_size + 1)
    if zlib.crc32(content) != entry.CRC:
        raise zipfile.BadZipFile("a wrong checksum")
    return content
