"""Files as streams of bytes, decompressed where their first bytes say that they are compressed."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from moltheory._core._reading import check_unpacked

__all__ = ["bare_stem", "bare_suffix", "first_bytes", "opened", "starts_with"]

_SUFFIXES = (".gz", ".zst", ".bz2")
# Bytes that a compressed file of any size may stand for, and how many each of its bytes beyond them.
_FREELY, _MOST_TIMES = 1 << 26, 200
_CODECS = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bz2"}


def bare_suffix(path: Path) -> str:
    """Return the suffix of a file's name before that of its compression, in lower case.

    Examples
    --------
    >>> bare_suffix(Path("losses.CSV.gz")), bare_suffix(Path("gpt-4.1.tsv"))
    ('.csv', '.tsv')
    """
    return _bare(path).suffix.lower()


def bare_stem(path: Path) -> str:
    """Return a file's name without the suffixes of its format and its compression."""
    return _bare(path).stem


def _bare(path: Path) -> Path:
    return path.with_suffix("") if path.suffix.lower() in _SUFFIXES else path


def starts_with(path: Path, *beginnings: bytes) -> bool:
    """Return whether the file starts with one of some bytes; False where it cannot be read."""
    return first_bytes(path, max(map(len, beginnings))).startswith(beginnings)


def first_bytes(path: Path, count: int) -> bytes:
    """Return the first bytes of a file; none where it cannot be read."""
    try:
        with path.open("rb") as handle:
            return handle.read(count)
    except OSError:
        return b""


@contextmanager
def opened(path: Path, *, freely: int | None = None) -> Iterator[Any]:
    """Open a file for reading, as a stream of pyarrow, or a decompressed one that ends in a refusal where it is a bomb.

    Parameters
    ----------
    path : pathlib.Path
    freely : int, default 64 MiB
        Bytes that a compressed file of any size may stand for.

    Raises
    ------
    TooLargeError
        While it is read.
    """
    import pyarrow as pa

    codec = next((codec for sign, codec in _CODECS.items() if starts_with(path, sign)), None)
    if codec is None:
        with pa.input_stream(str(path), compression=None) as stream:
            yield stream
        return
    with pa.OSFile(str(path), "rb") as packed, pa.CompressedInputStream(packed, codec) as content:
        yield _Unpacked(content, packed, path.name, _FREELY if freely is None else freely)


class _Unpacked(io.RawIOBase):
    """A decompressed stream that compares what it gave with what it took."""

    def __init__(self, content: Any, packed: Any, name: str, freely: int) -> None:
        self._content, self._packed, self._name, self._freely = content, packed, name, freely
        self._given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = int(self._content.readinto(buffer))
        self._given += count
        check_unpacked(self._name, self._packed.tell(), self._given, freely=self._freely, times=_MOST_TIMES)
        return count
