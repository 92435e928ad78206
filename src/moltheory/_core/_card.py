"""What an object says of itself, in words: a card of facts, tables and notes, which is shown as text or as HTML.

A card holds raw texts and numbers. Whoever renders it makes every text safe and short and every number readable, so
that the maker of a card cannot forget to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from itertools import islice
from numbers import Integral, Real
from pathlib import PurePath
from typing import Any

import numpy as np

from moltheory._core._numbers import count_text, number_text
from moltheory._core._text import cut, named, plural, visible

__all__ = [
    "MOST_ROWS",
    "Card",
    "Fold",
    "Mark",
    "Table",
    "card_of_fields",
    "cell_text",
    "is_number",
    "more_text",
    "names_text",
]

MOST_ROWS = 10
"""Rows of a table that are shown."""

_MOST_CHARACTERS = 400
_FEW = 6


@dataclass(frozen=True)
class Mark:
    """A word with a status, which gives it a sign: "good", "open", "bad" or "none"."""

    word: str
    status: str

    @property
    def sign(self) -> str:
        """The sign before the word."""
        return {"good": "●", "open": "◐", "bad": "○"}.get(self.status, "")


@dataclass(frozen=True)
class Table:
    """Some rows of a table: texts, numbers, bools or marks; `total` counts those that there are."""

    head: Sequence[str]
    rows: Sequence[Sequence[Any]]
    total: int = 0
    unit: str = "row"


@dataclass(frozen=True)
class Fold:
    """A part that is closed at first: lines of text, then a table."""

    title: str
    lines: Sequence[str] = ()
    table: Table | None = None


@dataclass(frozen=True)
class Card:
    """Kind of the object, one line about it, facts by label, tables, notes, code to go on with, and closed parts."""

    kind: str
    summary: str
    facts: Sequence[tuple[str, Any]] = ()
    tables: Sequence[Table] = ()
    notes: Sequence[str] = ()
    code: Sequence[str] = ()
    folds: Sequence[Fold] = ()


def more_text(table: Table) -> str:
    """Return how many rows are not shown, in words; empty if all are.

    Examples
    --------
    >>> more_text(Table(["a"], [[1]], total=38, unit="point")), more_text(Table(["a"], [[1]]))
    ('... and 37 more points', '')
    """
    hidden = table.total - len(table.rows)
    return "" if hidden <= 0 else f"... and {hidden:,} more {plural(hidden, table.unit).split(' ', 1)[1]}"


def is_number(value: object) -> bool:
    """Whether a value is shown as a number."""
    return isinstance(value, Real | np.number) and not isinstance(value, bool | np.bool_)


def names_text(names: Sequence[str], most: int = 4) -> str:
    """Return some names as they stand in Python's tuples.

    Examples
    --------
    >>> names_text(["error", "cost"]), names_text(["a", "b", "c"], 1)
    ("('error', 'cost')", "('a' and 2 more)")
    """
    shown = ", ".join(repr(named(str(name))) for name in names[:most])
    if len(names) == 1:
        return f"({shown},)"
    return f"({shown}{f' and {len(names) - most:,} more' if len(names) > most else ''})"


def cell_text(value: object, most: int = _MOST_CHARACTERS, *, nested: bool = False) -> str:
    """Return a value as short text of one line, in which every character is seen; a nested sequence has brackets.

    Examples
    --------
    >>> import numpy as np
    >>> cell_text(0.12345), cell_text(30_000), cell_text(True), cell_text(None), cell_text(np.array([0.1, 2.0]))
    ('0.123', '30,000', 'yes', '–', '[0.1, 2]')
    >>> cell_text(np.zeros((3, 1000))), cell_text(list(range(100)))
    ('array of 3 × 1,000', '0, 1, 2, 3, 4, 5 and 94 more')
    """
    text = _text(value, int(nested))
    # What is cut away need not be looked at.
    return cut(visible(text if len(text) <= 8 * most else cut(text, 8 * most, of=text)), most, of=text)


def _text(value: object, depth: int = 0) -> str:
    if value is None:
        return "–"
    if isinstance(value, str):
        # Inside of brackets a text would run into its neighbors.
        return value if depth < 2 else repr(value)
    if isinstance(value, Mark):
        return f"{value.sign} {value.word}".strip()
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, Integral):
        # Seeds may have hundreds of digits.
        return count_text(int(value)) if abs(int(value)) < 10**15 else str(value)
    if isinstance(value, Real | np.floating):
        return number_text(float(value))
    if isinstance(value, np.ndarray):
        return _array_text(value, depth)
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Mapping):
        shown = [f"{_text(key, depth + 1)}: {_text(one, depth + 1)}" for key, one in islice(value.items(), _FEW)]
        text = _listed(shown, len(value)) if depth < 2 else f"{len(value)} entries"
        return f"{{{text}}}" if depth else text
    if isinstance(value, tuple | list | set | frozenset):
        shown = [_text(one, depth + 1) for one in islice(value, _FEW)]
        text = _listed(shown, len(value)) if depth < 2 else f"{len(value)} entries"
        return f"({text})" if depth else text
    if hasattr(value, "columns") and hasattr(value, "shape"):
        return f"table of {plural(value.shape[0], 'row')} and {plural(value.shape[1], 'column')}"
    if isinstance(value, Callable) and hasattr(value, "__name__"):  # type: ignore[arg-type]
        return f"{value.__name__}()"
    return repr(value)


def _array_text(array: np.ndarray[Any, Any], depth: int) -> str:
    if array.ndim == 0:
        return _text(array.item(), depth)
    if array.ndim == 1 and array.size <= _FEW:
        return f"[{', '.join(_text(one, depth + 1) for one in array.tolist())}]"
    return f"array of {' × '.join(f'{size:,}' for size in array.shape)}"


def _listed(shown: Sequence[str], count: int) -> str:
    return (", ".join(shown) or "none") + (f" and {count - len(shown):,} more" if count > len(shown) else "")


def card_of_fields(value: Any, names: Sequence[str] | None = None) -> Card:
    """Return the card of an object from its public fields, with the first line of its class's documentation."""
    kind = type(value)
    return Card(kind.__name__, _purpose(kind), [(name.replace("_", " "), one) for name, one in fields_of(value, names)])


def fields_of(value: Any, names: Sequence[str] | None = None) -> list[tuple[str, Any]]:
    """Return the public fields of an object that are there: given ones, those of a dataclass, or all attributes."""
    if names is None:
        names = getattr(value, "_fields", None)
    if names is None and is_dataclass(value):
        names = [field.name for field in fields(value) if field.repr]
    if names is None:
        names = list(getattr(value, "__dict__", {}))
    return [(name, getattr(value, name)) for name in names if not name.startswith("_") and hasattr(value, name)]


def _purpose(kind: type) -> str:
    """Return the first line of the documentation of a class as plain text; that of a base class where it has none."""
    for one in kind.__mro__[:-1]:
        first = (one.__doc__ or "").strip().partition("\n")[0]
        if first and not first.startswith(f"{one.__name__}("):
            return first.replace(":math:", "").replace("`", "").removesuffix(".")
    return ""
