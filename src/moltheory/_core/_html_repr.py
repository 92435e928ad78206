"""Cards as HTML for notebooks: small, escaped, without a script, readable on a light and on a dark page.

Colors are mixed from the page's own color of text, and backgrounds are transparent, so no theme is asked for. The style
is scoped by one class, written twice so that it is stronger than that of the page's tables.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

from moltheory._core._card import Card, Fold, Mark, Table, card_of_fields, cell_text, is_number, more_text
from moltheory._core._deprecation import DeprecatedAlias
from moltheory._core._text import cut
from moltheory._core._text_repr import line_of_fields, text_of

__all__ = ["WRAPS", "Printed", "Shown", "html_of", "safe", "wrapped"]

_MOST_COLUMNS = 8
_SHORT = 40
# Of a cell with a long text.
WRAPS = ' class="w"'
_MOST_CHARACTERS = 10_000
_CLASS = "moltheory-repr"
_SCOPE = f"div.{_CLASS}.{_CLASS}"
_MUTED = "color-mix(in srgb,currentColor 78%,transparent)"
_LINE = "color-mix(in srgb,currentColor 22%,transparent)"
_RULES = {
    "": "max-width:64em;margin:.2em 0;line-height:1.45;overflow-x:auto;text-align:left;background:none",
    " p": "margin:.3em 0",
    " p.h": "font-size:1.05em",
    " p.n": f"color:{_MUTED}",
    " table": "border-collapse:collapse;margin:.4em 0;width:auto;font-size:inherit;table-layout:auto;border:none",
    " tr, tbody tr:nth-child(n), tbody tr:hover": "background:none",
    " th, td": (
        f"border:none;border-bottom:1px solid {_LINE};padding:.25em .9em .25em 0;text-align:left;vertical-align:top;"
        "background:none;color:inherit;max-width:38em;white-space:nowrap;font-size:inherit"
    ),
    " thead th": f"color:{_MUTED};font-weight:600;vertical-align:bottom",
    " tbody th": f"color:{_MUTED};font-weight:400",
    " td.w": "white-space:normal;min-width:12em;overflow-wrap:anywhere",
    " .f th, .f td": "border:none;padding-top:.1em;padding-bottom:.1em",
    " .r": "text-align:right;font-variant-numeric:tabular-nums",
    " details": "margin:.25em 0",
    " summary": "cursor:pointer",
    " code": "background:none;color:inherit;padding:0;font-size:.95em;overflow-wrap:anywhere",
    " .good": "color:#2a84c0",
    " .open": "color:#d5681a",
    " .bad": "color:#7f7f7f",
}


def _style(rules: dict[str, str]) -> str:
    scoped = (
        ",".join(_scoped(part.strip()) for part in selector.split(",")) + f"{{{declarations}}}"
        for selector, declarations in rules.items()
    )
    return f"<style>{''.join(scoped)}</style>"


def _scoped(selector: str) -> str:
    """Return a selector inside the scope, or of the block itself where it says when (``:has``)."""
    return f"{_SCOPE}{selector}" if selector.startswith(":") else f"{_SCOPE} {selector}".rstrip()


STYLE = _style(_RULES)


def safe(value: object, most: int = 400) -> str:
    """Return a value as escaped text; the one way by which texts enter HTML.

    Examples
    --------
    >>> safe("<b>x</b>"), safe(0.95)
    ('&lt;b&gt;x&lt;/b&gt;', '0.95')
    """
    return escape(cell_text(value, most).encode("utf-8", "backslashreplace").decode())


def wrapped(parts: Iterable[str], *, rules: dict[str, str] | None = None) -> str:
    """Return parts, which are HTML, in one block with the style, and further rules of it."""
    return f'<div class="{_CLASS}">{STYLE}{_style(rules) if rules else ""}{"".join(parts)}</div>'


def html_of(card: Card) -> str:
    """Return a card as HTML."""
    summary = f" {safe(card.summary)}" if card.summary else ""
    parts = [f'<p class="h"><b>{safe(card.kind)}</b>{summary}</p>']
    if card.facts:
        rows = "".join(f'<tr><th scope="row">{safe(label, 60)}</th>{_cell(one)}</tr>' for label, one in card.facts)
        parts.append(f'<table class="f"><tbody>{rows}</tbody></table>')
    parts += [_table(table) for table in card.tables]
    parts += [f'<p class="n">{safe(note)}</p>' for note in card.notes]
    if card.code:
        calls = " · ".join(f"<code>{safe(code)}</code>" for code in card.code)
        parts.append(f'<p class="n">use: {calls}</p>')
    parts += [_fold(fold) for fold in card.folds]
    return wrapped(parts)


def _fold(fold: Fold) -> str:
    lines = "".join(f"<p>{safe(line)}</p>" for line in fold.lines)
    return f"<details><summary>{safe(fold.title)}</summary>{lines}{_table(fold.table) if fold.table else ''}</details>"


def _table(table: Table) -> str:
    head, left = list(table.head[:_MOST_COLUMNS]), len(table.head) - _MOST_COLUMNS
    right = [bool(table.rows) and all(is_number(row[k]) for row in table.rows) for k in range(len(head))]
    titles = "".join(
        f'<th scope="col"{_right(to_right)}>{safe(name, 80)}</th>' for name, to_right in zip(head, right, strict=True)
    )
    rows = "".join(f"<tr>{''.join(map(_cell, row, right))}</tr>" for row in table.rows)
    more = [more_text(table), f"... and {left:,} more columns" if left > 0 else ""]
    notes = "".join(f'<p class="n">{safe(text)}</p>' for text in more if text)
    return f"<table><thead><tr>{titles}</tr></thead><tbody>{rows}</tbody></table>{notes}"


def _cell(value: object, to_right: bool = False) -> str:
    sign, text = "", cell_text(value)
    if isinstance(value, Mark) and value.sign:
        sign, text = (
            f'<span class="{safe(value.status)}" aria-hidden="true">{value.sign}</span> ',
            cell_text(value.word),
        )
    if to_right:
        return f"<td{_right(to_right)}>{safe(text)}</td>"
    # Short texts stay on one line: a narrow window scrolls.
    return f"<td{WRAPS if len(text) > _SHORT else ''}>{sign}{safe(text)}</td>"


def _right(flag: bool) -> str:
    return ' class="r"' if flag else ""


class Shown:
    """Mixin: a representation as one line and as HTML, which never fail, by default of the public fields.

    A subclass may define `_line` and `_card`, or list the names of what is shown in `_shown`.
    """

    __slots__ = ()
    _shown: Any = None

    def _line(self) -> str:
        return line_of_fields(self, self._shown)

    def _card(self) -> Card:
        return card_of_fields(self, self._shown)

    def __repr__(self) -> str:
        """One line."""
        try:
            line = self._line()
            return cut(line, _MOST_CHARACTERS, of=line)
        except Exception as error:  # an object that is half made or odd is looked at to find out why
            return f"{type(self).__name__}(not shown: {cell_text(str(error), 120)})"

    def _repr_html_(self) -> str:
        return html_of(_card_or_reason(self))

    def __dir__(self) -> list[str]:
        """Names without those that are deprecated."""
        kind = type(self)
        return [name for name in super().__dir__() if not isinstance(_static(kind, name), DeprecatedAlias)]


class Printed(Shown):
    """Mixin: as `Shown`, and `print` lays out the whole card."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return the card as text."""
        return text_of(_card_or_reason(self))


def _card_or_reason(value: Shown) -> Card:
    try:
        return value._card()
    except Exception as error:  # as in `__repr__`
        return Card(type(value).__name__, f"not shown: {cell_text(str(error), 120)}")


def _static(kind: type, name: str) -> object:
    for one in kind.__mro__:
        if name in one.__dict__:
            return one.__dict__[name]
    return None
