"""The ledger as a table that is filtered without a script, and what a search in it compares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from moltheory._core._card import Card, Table
from moltheory._core._html_repr import WRAPS, safe, wrapped
from moltheory._core._text import named, plural, shortened
from moltheory.theorems._cards import how_to_use, kind_of
from moltheory.theorems._inputs import read_inputs

if TYPE_CHECKING:
    from moltheory.theorems._statement import Theorem

__all__ = ["ledger_card", "ledger_html", "matches"]

_MOST_ROWS = 40
_FACETS = ("provenance", "kind")
_RULES = {
    " fieldset": "border:none;padding:0;margin:.2em 0;min-width:0",
    " legend": "float:left;padding:0 .8em 0 0;margin:0;width:auto;font-size:inherit;color:inherit;border:none",
    " label": "margin-right:1em;white-space:nowrap;cursor:pointer;font-weight:400",
    " input": "margin:0 .3em 0 0;vertical-align:middle",
    " tr.t>th": "color:inherit;font-weight:600;padding-right:1.2em",
    " tr.t td.w": "white-space:normal;min-width:25em",
    " td dl": "margin:.3em 0 .3em 1em;display:grid;grid-template-columns:max-content 1fr;gap:.2em .8em",
    " td dt": "float:none;width:auto;font-weight:600;margin:0;padding:0",
    " td dd": "margin:0;padding:0;width:auto",
}


def matches(theorem: Theorem, words: Sequence[str]) -> bool:
    """Whether every word is part of the id, statement, source or assumptions; words are casefolded."""
    parts = [theorem.id, theorem.statement, theorem.source, *(one.text for one in theorem.assumptions)]
    text = "\n".join(parts).casefold()
    return all(word in text for word in words)


def ledger_card(theorems: Sequence[Theorem]) -> Card:
    """Return ids, provenance and statements, for `print`."""
    rows = [[one.id, one.provenance, shortened(one.statement, 100)] for one in theorems]
    return Card(
        "Ledger",
        plural(len(theorems), "statement"),
        tables=[Table(["id", "provenance", "statement"], rows, len(rows))] if rows else [],
        code=['ledger()["forward"]', 'ledger().search("front converse")'],
    )


def ledger_html(theorems: Sequence[Theorem]) -> str:
    """Return all statements, each with a closed part about it, and buttons that leave some of them out."""
    shown = list(theorems[:_MOST_ROWS])
    parts = [
        f'<p class="h"><b>Ledger</b> {plural(len(theorems), "statement")}; <code>ledger().search("words")</code> finds '
        'some, <code>ledger()["id"]</code> is one</p>'
    ]
    rules = dict(_RULES)
    # A form of its own: buttons of two outputs do not know of each other; a dialog's form goes nowhere.
    facets = []
    for place, facet in enumerate(_FACETS):
        counts = Counter(_value(one, facet) for one in shown)
        if len(counts) < 2:
            continue
        buttons = [_button(place, 0, "all", len(shown), checked=True)]
        for number, (value, count) in enumerate(counts.items(), start=1):
            buttons.append(_button(place, number, value, count))
            rules[f":has(.b{place}-{number}:checked) tr.t:not(.v{place}-{number})"] = "display:none"
        facets.append(f"<fieldset><legend>{facet}</legend>{''.join(buttons)}</fieldset>")
    numbers = [{value: k for k, value in enumerate(dict.fromkeys(_value(one, f) for one in shown), 1)} for f in _FACETS]
    rows = "".join(
        _row(one, " ".join(f"v{place}-{numbers[place][_value(one, facet)]}" for place, facet in enumerate(_FACETS)))
        for one in shown
    )
    if facets:
        parts.append(f'<form method="dialog">{"".join(facets)}</form>')
    if shown:
        head = "".join(f'<th scope="col">{title}</th>' for title in ("id", "statement", "provenance"))
        parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>")
    if len(theorems) > len(shown):
        parts.append(f'<p class="n">... and {len(theorems) - len(shown):,} more</p>')
    return wrapped(parts, rules=rules)


def _value(theorem: Theorem, facet: str) -> str:
    return kind_of(theorem) if facet == "kind" else theorem.provenance


def _button(place: int, number: int, value: str, count: int, *, checked: bool = False) -> str:
    on = " checked" if checked else ""
    return f'<label><input type="radio" name="f{place}" class="b{place}-{number}"{on}>{safe(value)} ({count})</label>'


def _row(theorem: Theorem, classes: str) -> str:
    facts = [
        ("source", theorem.source),
        ("assumes", "; ".join(one.text for one in theorem.assumptions) or "nothing else"),
        ("kind", kind_of(theorem)),
        ("inputs", ", ".join(read_inputs(theorem.inputs)) or "none"),
    ]
    calls = "<br>".join(
        f"<code>{safe(call)}</code>" for call in how_to_use(theorem, f"ledger()[{named(theorem.id)!r}]")
    )
    listed = "".join(f"<dt>{label}</dt><dd>{safe(text)}</dd>" for label, text in facts)
    return (
        f'<tr class="t {classes}"><th scope="row">{safe(theorem.id, 60)}</th><td{WRAPS}><details><summary>'
        f"{safe(theorem.statement)}</summary><dl>{listed}<dt>use</dt><dd>{calls}</dd></dl></details></td>"
        f"<td>{safe(theorem.provenance)}</td></tr>"
    )
