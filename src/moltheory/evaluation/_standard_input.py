"""Standard input and pipes as files: what is read twice must be kept."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from moltheory._core._reading import chunks_of_pipe
from moltheory._core._text import visible
from moltheory.errors import InvalidInputError, TooLargeError

__all__ = ["spooled"]

_MOST = 1 << 32


def spooled(pipe: Path | None = None, *, most: int = _MOST) -> Path:
    """Return a file with all of a pipe, by default of standard input, in a folder of its own, which the caller removes.

    A pipe that is called like a file, ``losses.csv``, gives its name to the file.

    Raises
    ------
    TooLargeError
        If there are more than `most` bytes.
    InvalidInputError
        If there is nothing, or it cannot be read.
    """
    folder = Path(tempfile.mkdtemp(prefix="moltheory-"))
    path = folder / "standard input"
    if pipe is not None:
        path = folder / (pipe.name if pipe.suffix else f"pipe {pipe.name}")
    shown = visible(path.name)
    try:
        size = 0
        with path.open("wb") as file:
            for chunk in _standard_input() if pipe is None else chunks_of_pipe(pipe, shown):
                size += len(chunk)
                if size > most:
                    raise TooLargeError(
                        f"`{shown}` must hold at most {most:,} bytes, got more: save it as a file first."
                    )
                file.write(chunk)
        if size == 0:
            raise InvalidInputError(f"`{shown}` must hold a table, got nothing.")
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, InvalidInputError | TooLargeError) or not isinstance(
            error, AttributeError | OSError | ValueError
        ):
            raise
        raise InvalidInputError(f"`{shown}` must be open and kept as a file, got {error}.") from None
    return path


def _standard_input() -> Iterator[bytes]:
    while chunk := sys.stdin.buffer.read(1 << 20):
        yield chunk
