r"""What is printed: in any encoding, without control characters, and quietly where nobody reads any more.

A character that the console cannot show is written as an escape, ``\u03c3``, so that no name ends a command. Text is
flushed at once: a closed pipe is met here, and not when the process ends.
"""

from __future__ import annotations

import contextlib
import os
import sys
import unicodedata
from collections.abc import Sequence
from typing import Any, TextIO

from moltheory._core._text import cut, visible
from moltheory.errors import OutputError

__all__ = ["aligned", "complain", "fitting", "is_terminal", "is_watched", "say", "shows"]

# Of a column, in letters.
_WIDEST = 120


def say(*lines: str) -> None:
    """Print lines on standard output; a reader that has left, as after `head`, is no error.

    Raises
    ------
    OutputError
        If the output cannot be written, as on a full disk.
    """
    stream = sys.stdout
    error = _write(stream, lines)
    if error is not None:
        raise OutputError(f"standard output cannot be written ({error.strerror or type(error).__name__}).")


def complain(*lines: str) -> None:
    """Print lines on standard error; where it cannot be written there is nobody to tell."""
    _write(sys.stderr, lines)


def fitting(text: str, stream: TextIO | None = None) -> str:
    """Return text as a stream, by default standard output, can show it: other characters become escapes."""
    encoding = getattr(sys.stdout if stream is None else stream, "encoding", None)
    if not isinstance(encoding, str):
        return text
    try:
        return text.encode(encoding, "backslashreplace").decode(encoding)
    except (LookupError, UnicodeError):
        return text.encode("ascii", "backslashreplace").decode("ascii")


def shows(text: str) -> bool:
    """Whether standard output can show all characters of a text."""
    return fitting(text) == text


def is_terminal() -> bool:
    """Whether somebody reads standard output as it is printed."""
    return _is_terminal(sys.stdout)


def is_watched() -> bool:
    """Whether somebody sees standard error, where progress is shown."""
    return _is_terminal(sys.stderr)


def _is_terminal(stream: TextIO | None) -> bool:
    # A stream in the place of the console need not know.
    asked = getattr(stream, "isatty", None)
    return asked is not None and not getattr(stream, "closed", False) and bool(asked())


def aligned(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """Return a table as lines, with columns as wide as the console shows them."""
    # An escape takes the place of up to ten letters.
    table = [[cut(fitting(visible(str(cell))), _WIDEST, of=str(cell)) for cell in row] for row in (head, *rows)]
    wide = [[_width(cell) for cell in row] for row in table]
    most = [max(column) for column in zip(*wide, strict=True)]
    return [
        "  ".join(cell + " " * (full - own) for cell, own, full in zip(row, widths, most, strict=True)).rstrip()
        for row, widths in zip(table, wide, strict=True)
    ]


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


def _write(stream: TextIO | None, lines: Sequence[str]) -> OSError | None:
    """Write lines; return the error of an output that exists and cannot be written."""
    if stream is None or getattr(stream, "closed", False):
        # Closed by whoever started the process.
        return None
    text = "".join(visible(line) + "\n" for block in lines for line in block.split("\n"))
    try:
        stream.write(fitting(text, stream))
        stream.flush()
    except OSError as error:
        # What is left in the buffer must not fail again when the process ends.
        with contextlib.suppress(OSError, ValueError, AttributeError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)
        return None if isinstance(error, BrokenPipeError) else error
    return None
