"""Names on the command line: one per option, or a list at commas where no single name matches."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from moltheory._core._reading import distinct_keys, reading, small_file
from moltheory._core._text import did_you_mean, few, shortened, visible
from moltheory.errors import InvalidInputError

__all__ = ["COMMAS", "Exact", "NameLists", "pieces", "read_columns_file", "resolved", "resolved_metrics"]

COMMAS = "names that hold commas can be given one by one, by repeating the option or with --columns-file"
# Characters of a name that is shown, and names among which a misspelled one is looked for.
_LONGEST, _MOST_NEAR = 80, 2_000
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


def resolved_metrics(argument: str, entries: Sequence[str], known: Sequence[str]) -> list[str]:
    """Return the known names that entries stand for, where a metric stands for all its objectives ``TASK/METRIC``.

    Raises
    ------
    InvalidInputError
        See `resolved`.

    Examples
    --------
    >>> resolved_metrics("maximise", ["acc"], ["boolq/acc", "arc/acc", "arc/ppl"])
    ['boolq/acc', 'arc/acc']
    """
    of_metric: dict[str, list[str]] = {}
    for name in known:
        # Tasks and metrics may hold slashes themselves; all ways to cut a long name would fill the memory.
        for metric in {name.partition("/")[2], name.rpartition("/")[2]} - {"", name}:
            of_metric.setdefault(metric, []).append(name)
    for name in known:
        of_metric[name] = [name]
    try:
        found = resolved(argument, entries, list(of_metric))
    except InvalidInputError:
        # The names of the objectives are those to choose from.
        found = resolved(argument, entries, known)
    return list(dict.fromkeys(name for entry in found for name in of_metric[entry]))


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
        first, second = (few([_cut(name) for name in way], 6) for way in ways[0])
        raise InvalidInputError(
            f"`{argument}` must be a list that can be read in one way, got {_cut(entry)!r}, which is {first} or {second}: "
            f"{COMMAS}."
        )
    return ways[0][0]


def _unknown(argument: str, name: str, known: Sequence[str], *, remedy: bool = False) -> InvalidInputError:
    # Names that are close to each other are looked for among short ones: long ones take for ever.
    near = [entry for entry in known[:_MOST_NEAR] if len(entry) <= _LONGEST] if len(name) <= _LONGEST else []
    hint = did_you_mean(name, near).removesuffix("?") or (f": {COMMAS}" if remedy else "")
    choices = few(known, 12, describe=lambda entry: visible(_cut(str(entry))))
    return InvalidInputError(f"`{argument}` must be one of {choices}, got {_cut(name)!r}{hint}.")


def _cut(name: str) -> str:
    return shortened(str(name), _LONGEST)


def read_columns_file(path: str) -> NameLists:
    """Return the names in a file: of objectives, one a line or a JSON list, or a JSON object of lists.

    Raises
    ------
    InvalidInputError
        If the file cannot be read, holds no name, or something else.
    """
    file = Path(path)
    raw = small_file(file, "columns-file")
    shown = shortened(visible(file.name))
    with reading("columns-file", f"be text in UTF-8 in {shown}"):
        text = raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    if text.lstrip()[:1] not in ("[", "{"):
        content: Any = [line for line in text.splitlines() if line.strip()]
    else:
        with reading("columns-file", f"hold one name a line, or JSON, in {shown}"):
            content = json.loads(text, object_pairs_hook=distinct_keys)
    lists = content if isinstance(content, dict) else {"objectives": content}
    for key, names in lists.items():
        if key not in _LISTS:
            raise InvalidInputError(f"`columns-file` must hold lists named {', '.join(_LISTS)}, got {_cut(key)!r}.")
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            raise InvalidInputError(f"`columns-file` must hold a list of names, got something else in {shown}.")
    return {key: [Exact(name) for name in names] for key, names in lists.items()}
