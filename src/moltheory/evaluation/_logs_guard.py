"""What may not come out of any reader of logs: other errors than ours, messages of many lines or of any length."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from moltheory._core._text import visible
from moltheory.errors import InvalidInputError, MoltheoryError
from moltheory.evaluation._reader import Request
from moltheory.evaluation._table import LossTable

__all__ = ["as_sentence", "excerpt", "guarded"]

_LONGEST = 1500
_DEEPEST = 3
_WIDEST = 4


def guarded(open: Callable[[tuple[Path, ...], Request], LossTable]) -> Callable[[tuple[Path, ...], Request], LossTable]:
    """Return the function that opens logs, with the last resort for all of them.

    Names in messages come from files: they are shown on one line, and long ones cut. Values that are nested more deeply
    than the interpreter follows are found wherever they are compared or written, not only where they are parsed.
    """

    @functools.wraps(open)
    def opened(paths: tuple[Path, ...], request: Request) -> LossTable:
        try:
            return open(paths, request)
        except RecursionError:
            found = f"values nested too deeply in {paths[0]}: shorten them"
            raise InvalidInputError(as_sentence(f"`path` must hold values of limited depth, got {found}.")) from None
        except MemoryError:
            found = f"logs in {paths[0]} that need more memory than there is"
            raise InvalidInputError(as_sentence(f"`path` must hold logs that fit into memory, got {found}.")) from None
        except MoltheoryError as error:
            if as_sentence(str(error)) == str(error):
                raise
            raise type(error)(as_sentence(str(error))) from None

    return opened


def as_sentence(text: str) -> str:
    """Return a text on one line of visible characters; the middle of a very long one is left out."""
    text = visible(text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 305]} ... {text[-300:]}"


def excerpt(value: Any, most: int = 40) -> str:
    """Return the beginning of a value of JSON as text, however deep, wide or long it is."""
    text = _shown(value, _DEEPEST)
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _shown(value: Any, depth: int) -> str:
    if isinstance(value, str):
        return repr(value if len(value) <= 200 else value[:200])
    if isinstance(value, list | dict) and value:
        some = list(value)[:_WIDEST]
        if depth == 0:
            inner = "..."
        elif isinstance(value, dict):
            inner = ", ".join(f"{_shown(key, 0)}: {_shown(value[key], depth - 1)}" for key in some)
        else:
            inner = ", ".join(_shown(entry, depth - 1) for entry in some)
        inner += ", ..." if depth and len(value) > _WIDEST else ""
        return f"{{{inner}}}" if isinstance(value, dict) else f"[{inner}]"
    return repr(value)
