"""Standard input as a file: what is read twice must be kept."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from moltheory.errors import InvalidInputError, TooLargeError

__all__ = ["spooled"]

_MOST = 1 << 32


def spooled(most: int = _MOST) -> Path:
    """Return a file with all of standard input, in a folder of its own, which the caller removes.

    Raises
    ------
    TooLargeError
        If there are more than `most` bytes.
    InvalidInputError
        If there is nothing, or it cannot be read.
    """
    folder = Path(tempfile.mkdtemp(prefix="moltheory-"))
    path = folder / "standard input"
    try:
        size = 0
        with path.open("wb") as file:
            while chunk := sys.stdin.buffer.read(1 << 20):
                size += len(chunk)
                if size > most:
                    raise TooLargeError(
                        f"`standard input` must hold at most {most:,} bytes, got more: save it as a file first."
                    )
                file.write(chunk)
        if size == 0:
            raise InvalidInputError("`standard input` must hold a table, got nothing.")
    except (AttributeError, OSError, ValueError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, InvalidInputError | TooLargeError):
            raise
        raise InvalidInputError(f"`standard input` must be open and kept as a file, got {error}.") from None
    return path
