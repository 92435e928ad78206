"""What libraries raise at files that they cannot read, as one sentence; and files that are small, or must be no bombs."""

from __future__ import annotations

import contextlib
import csv
import os
import select
import stat
import struct
import time
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from moltheory._core._text import visible
from moltheory.errors import InvalidInputError, MoltheoryError, TooLargeError

__all__ = ["check_unpacked", "chunks_of_pipe", "distinct_keys", "is_pipe", "reading", "small_file"]

_RAISED = (
    *(OSError, ValueError, LookupError, EOFError, MemoryError, ArithmeticError, NotImplementedError, RuntimeError),
    *(SyntaxError, TypeError, SystemError, BufferError),
    *(csv.Error, struct.error, tokenize.TokenError, zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error),
)
"""What the libraries that read files raise at damaged ones."""

# Libraries with kinds of their own, which are not imported for their names alone.
_LIBRARIES = ("pyarrow", "lzma", "_lzma")
_LONGEST = 200
_MOST_SMALL = 1 << 26
_MOST_TIMES = 500
# Seconds in which somebody must begin to write into a pipe.
_PATIENCE = 1.0


@contextmanager
def reading(name: str, rule: str) -> Iterator[None]:
    """Turn what a library raises at a damaged file into the sentence that refuses it; wrap calls of the library only.

    Parameters
    ----------
    name : str
        Of the file.
    rule : str
        What it must do, such as ``"be a Parquet file"``.

    Raises
    ------
    InvalidInputError

    Examples
    --------
    >>> from moltheory._core._reading import reading
    >>> import json
    >>> with reading("runs.json", "be JSON"):
    ...     json.loads("3 4")
    Traceback (most recent call last):
        ...
    moltheory.errors.InvalidInputError: `runs.json` must be JSON, got Extra data: line 1 column 3 (char 2).
    """
    try:
        yield
    except MoltheoryError:
        raise
    except FileNotFoundError:
        raise InvalidInputError(
            f"`{visible(name)}` must be a file that can be read, got No such file or directory."
        ) from None
    except Exception as error:
        if not isinstance(error, _RAISED) and type(error).__module__.partition(".")[0] not in _LIBRARIES:
            raise
        raise InvalidInputError(f"`{visible(name)}` must {rule}, got {_reason(error)}.") from None


def _reason(error: Exception) -> str:
    """Return what an error says as the end of a sentence."""
    if isinstance(error, MemoryError):
        return "one that needs more memory than there is"
    if isinstance(error, RecursionError):
        return "one nested too deeply"
    if isinstance(error, SystemError):
        return "text that is not Unicode"
    text = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    printable = "".join(sign if sign.isprintable() else " " for sign in text)
    first = " ".join(printable.split()).split(". ")[0].rstrip(".")
    return first if len(first) <= _LONGEST else f"{first[: _LONGEST - 4]} ..."


def distinct_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the entries of an object of JSON; a key that occurs twice raises ValueError, instead of losing one."""
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                shown = repr(name if len(name) <= 80 else f"{name[:77]}...")
                raise ValueError(f"the key {shown} twice in one object")
            seen.add(name)
    return found


def check_unpacked(name: str, packed: int, unpacked: int, *, freely: int, times: int = _MOST_TIMES) -> None:
    """Refuse content that is very much larger than the file that holds it.

    Parameters
    ----------
    name : str
        Of the file.
    packed, unpacked : int
        Bytes in the file, and those that they stand for.
    freely : int
        Bytes that a file of any size may stand for.
    times : int
        Bytes beyond these that each byte of the file may stand for.

    Raises
    ------
    TooLargeError
    """
    if unpacked > freely and unpacked > times * packed:
        raise TooLargeError(
            f"`{visible(name)}` must hold at most {times} times its size where that is more than {freely:,} bytes, "
            f"got {unpacked:,} bytes or more in {packed:,}: save it without compression if this is right."
        )


def small_file(path: Path, name: str, *, most: int = _MOST_SMALL) -> bytes:
    """Return the bytes of an ordinary file or a pipe that is meant to be small.

    Parameters
    ----------
    path : pathlib.Path
    name : str
        Of the argument or the file, for messages.
    most : int

    Raises
    ------
    InvalidInputError
        If it cannot be read, is a device or a socket, or nobody writes to the pipe.
    TooLargeError
        If there are more than `most` bytes.
    """
    with reading(name, "be a file that can be read"):
        kind = os.stat(path).st_mode
        if stat.S_ISFIFO(kind):
            size, parts = 0, []
            for chunk in chunks_of_pipe(path, name):
                parts.append(chunk)
                size += len(chunk)
                if size > most:
                    raise _too_large(name, most)
            return b"".join(parts)
        if not stat.S_ISREG(kind):
            kind_name = "a folder" if stat.S_ISDIR(kind) else "a device or a socket"
            raise InvalidInputError(f"`{visible(name)}` must be a file that can be read, got {kind_name}.")
        size = os.stat(path).st_size
        if size > most:
            raise _too_large(name, most)
        with path.open("rb") as file:
            return file.read(size)


def _too_large(name: str, most: int) -> TooLargeError:
    return TooLargeError(f"`{visible(name)}` must hold at most {most:,} bytes, got more: give a smaller file.")


def is_pipe(path: Path) -> bool:
    """Whether a path leads to a pipe, named or not, such as that of ``<(zcat losses.csv.gz)`` in a shell."""
    with contextlib.suppress(OSError, ValueError):
        return stat.S_ISFIFO(os.stat(path).st_mode)
    return False


def chunks_of_pipe(path: Path, name: str) -> Iterator[bytes]:
    """Yield what is written into a pipe, until it is closed.

    Raises
    ------
    InvalidInputError
        If nobody has begun to write after a second; opening such a pipe as a file would wait for ever.
    """
    with reading(name, "be a pipe that can be read"):
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        try:
            ready = select.poll()
            ready.register(handle, select.POLLIN)
            since, begun = time.monotonic(), False
            while True:
                try:
                    chunk = os.read(handle, 1 << 16)
                except BlockingIOError:
                    # Somebody has opened it and has not written yet.
                    ready.poll()
                    continue
                if chunk:
                    begun = True
                    yield chunk
                elif begun:
                    return
                elif time.monotonic() - since > _PATIENCE:
                    raise InvalidInputError(
                        f"`{visible(name)}` must be a file, or a pipe that is written to, got a pipe without a writer."
                    )
                else:
                    time.sleep(0.01)
        finally:
            os.close(handle)
