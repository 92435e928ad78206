"""Cards as plain text: one line for `repr`, aligned columns for `print`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from moltheory._core._card import MOST_ROWS, Card, Table, cell_text, fields_of, is_number, more_text

__all__ = ["line_of_fields", "text_of"]

_MOST_COLUMNS = 12
_WIDEST = 60


def line_of_fields(value: Any, names: Sequence[str] | None = None) -> str:
    """Return an object on one line: the name of its class and its public fields, each short.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> line_of_fields(SimpleNamespace(size=1000, name="a", _hidden=1))
    "SimpleNamespace(size=1,000, name='a')"
    """
    shown = [
        f"{name}={cell_text(one, 80, nested=True) if not isinstance(one, str) else repr(cell_text(one, 80))}"
        for name, one in fields_of(value, names)
    ]
    return f"{type(value).__name__}({', '.join(shown[:MOST_ROWS])}{', ...' if len(shown) > MOST_ROWS else ''})"


def text_of(card: Card) -> str:
    """Return a card as lines of text."""
    lines = [f"{card.kind}: {cell_text(card.summary)}" if card.summary else card.kind]
    facts = [(cell_text(label, 40), cell_text(value, 200)) for label, value in card.facts]
    wide = max((len(label) for label, _ in facts), default=0)
    lines += [f"  {label:<{wide}}  {value}" for label, value in facts]
    for table in card.tables:
        lines += ["", *_table_lines(table)] if len(lines) > 1 else _table_lines(table)
    lines += [f"  {cell_text(note)}" for note in card.notes]
    for fold in card.folds:
        lines += ["", f"  {fold.title}:", *(f"    {cell_text(line)}" for line in fold.lines)]
        lines += _table_lines(fold.table) if fold.table else []
    lines += ["", *(f"  >>> {cell_text(code)}" for code in card.code)] if card.code else []
    return "\n".join(line.rstrip() for line in lines)


def _table_lines(table: Table) -> list[str]:
    head = [cell_text(name, _WIDEST) for name in table.head[:_MOST_COLUMNS]]
    # Nothing stands to the right of the last column.
    limits = [_WIDEST] * (len(head) - 1) + [2 * _WIDEST]
    rows = [[cell_text(value, most) for value, most in zip(row, limits, strict=False)] for row in table.rows]
    wide = [max(len(row[k]) for row in [head, *rows]) for k in range(len(head))]
    right = [bool(table.rows) and all(is_number(row[k]) for row in table.rows) for k in range(len(head))]

    def line(row: Sequence[str]) -> str:
        cells = zip(row, wide, right, strict=True)
        return "  " + "  ".join(f"{text:>{size}}" if to_right else f"{text:<{size}}" for text, size, to_right in cells)

    more = more_text(table)
    return [line(head), *(line(row) for row in rows), *([f"  {more}"] if more else [])]
