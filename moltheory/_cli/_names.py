"""Names on the command line: one per option, or a list at commas where no single name matches."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from moltheory._cli._parser import did_you_mean
from moltheory._core._text import few
from moltheory.errors import InvalidInputError

__all__ = ["COMMAS", "Exact", "NameLists", "pieces", "read_columns_file", "resolved"]

COMMAS = "names that hold commas can be given one by one, by repeating the option or with --columns-file"
_LISTS = ("objectives", "models", "ignore", "maximise", "minimise")

NameLists = dict[str, list[str]]


class Exact(str):
    """A name that was given by itself, from a file: it is never split."""


def pieces(entries: Sequence[str]) -> list[str]:
    """Return the names in entries that are lists at commas.

    Examples
    --------
    >>> pieces(["a, b", Exact("c,d"), ""])
    ['a', 'b', 'c,d']
    """
    return [
        name
        for entry in entries
        if entry
        for name in ([str(entry)] if isinstance(entry, Exact) else map(str.strip, entry.split(",")))
    ]


def resolved(argument: str, entries: Sequence[str], known: Sequence[str]) -> list[str]:
    """Return the known names that entries stand for: each is one name, or a list at commas.

    Raises
    ------
    InvalidInputError
        If a name is not known, or a list can be read in two ways.

    Examples
    --------
    >>> resolved("maximise", ["acc,strict", "f1, cost"], ["acc,strict", "f1", "cost"])
    ['acc,strict', 'f1', 'cost']
    """
    found: list[str] = []
    choices = set(known)
    for entry in entries:
        if entry in choices:
            found.append(str(entry))
        elif isinstance(entry, Exact):
            raise _unknown(argument, entry, known)
        elif entry:
            found += _divided(argument, entry, known, choices)
    return list(dict.fromkeys(found))


def _divided(argument: str, entry: str, known: Sequence[str], choices: Collection[str]) -> list[str]:
    """Return the one way to read a list at commas as known names, which may hold commas themselves."""
    parts = entry.split(",")
    longest = 1 + max((name.count(",") for name in choices), default=0)
    # Up to two ways to read the parts from each place to the end.
    ways: list[list[list[str]]] = [[] for _ in parts] + [[[]]]
    for start in reversed(range(len(parts))):
        for end in range(start + 1, min(start + longest, len(parts)) + 1):
            text = ",".join(parts[start:end])
            name = text if text in choices else text.strip()
            if name in choices:
                ways[start] += [[name, *rest] for rest in ways[end]]
        ways[start] = ways[start][:2]
    if not ways[0]:
        wrong = next((part.strip() for part in parts if part.strip() not in choices), entry)
        raise _unknown(argument, wrong, known, remedy=len(parts) > 1)
    if len(ways[0]) > 1:
        first, second = (few(way, 6) for way in ways[0])
        raise InvalidInputError(
            f"`{argument}` must be a list that can be read in one way, got {entry!r}, which is {first} or {second}: "
            f"{COMMAS}."
        )
    return ways[0][0]


def _unknown(argument: str, name: str, known: Sequence[str], *, remedy: bool = False) -> InvalidInputError:
    hint = did_you_mean(name, list(known)).removesuffix("?") or (f": {COMMAS}" if remedy else "")
    return InvalidInputError(f"`{argument}` must be one of {few(known, 12, describe=str)}, got {str(name)!r}{hint}.")


def read_columns_file(path: str) -> NameLists:
    """Return the names in a file: of objectives, one a line or a JSON list, or a JSON object of lists.

    Raises
    ------
    InvalidInputError
        If the file cannot be read, holds no name, or something else.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidInputError(f"`columns-file` must be a file that can be read, got {error.strerror}.") from None
    except UnicodeDecodeError:
        raise InvalidInputError(f"`columns-file` must be text in UTF-8, got other bytes in {file.name!r}.") from None
    if text.lstrip()[:1] not in ("[", "{"):
        content: Any = [line for line in text.splitlines() if line.strip()]
    else:
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InvalidInputError(
                f"`columns-file` must hold one name a line, or JSON, got {error} in {file.name!r}."
            ) from None
    lists = content if isinstance(content, dict) else {"objectives": content}
    for key, names in lists.items():
        if key not in _LISTS:
            raise InvalidInputError(f"`columns-file` must hold lists named {', '.join(_LISTS)}, got {key!r}.")
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            raise InvalidInputError(f"`columns-file` must hold a list of names, got something else in {file.name!r}.")
    return {key: [Exact(name) for name in names] for key, names in lists.items()}
