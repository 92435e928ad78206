"""How intervals are shown."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory._core._card import MOST_ROWS, Card, Fold, Table
from moltheory._core._numbers import SAYS_NOTHING, number_text
from moltheory._core._text import plural

if TYPE_CHECKING:
    from moltheory.inference._interval import Interval

__all__ = ["confidence_of", "interval_card"]


def confidence_of(delta: Any) -> str:
    """Return the confidence at failure probabilities delta in percent, rounded down; the smallest where they differ.

    Examples
    --------
    >>> confidence_of(0.05), confidence_of(0.001), confidence_of([0.05, 0.1]), confidence_of(1.0), confidence_of(1e-9)
    ('95%', '99.9%', 'at least 90%', '0%', '99.9999%')
    """
    least = 1.0 - float(np.max(delta, initial=0.0))
    # A little more, so that 1 - 0.05 is 95 and not a last digit less.
    percent = math.floor(least * 1e6 + 1e-4) / 1e4
    return f"{'at least ' if np.ndim(delta) else ''}{percent:g}%"


def interval_card(interval: Interval) -> Card:
    """Return the first intervals; those that say nothing, and empty ones, are marked in words."""
    shape, total = interval.lower.shape, interval.lower.size
    low, high = interval.range
    rows = []
    for place in range(min(total, MOST_ROWS)):
        index = np.unravel_index(place, shape)
        start, end = float(interval.lower[index]), float(interval.upper[index])
        ends = [float(np.broadcast_to(one, shape)[index]) for one in (low, high)]
        note = ""
        if start > end:
            note = "empty: the event did not occur, or an assumption fails"
        elif start <= ends[0] and end >= ends[1]:
            note = f"the whole range: {SAYS_NOTHING}"
        method = interval.method if isinstance(interval.method, str) else str(interval.method[index])
        where = [", ".join(map(str, index))] if shape else []
        rows.append([*where, start, end, max(end - start, 0.0), method, note])
    head = [*(["index"] if shape else []), "lower", "upper", "length", "method", "note"]
    if not any(row[-1] for row in rows):
        head, rows = head[:-1], [row[:-1] for row in rows]
    sides = {"lower": "lower ends only", "upper": "upper ends only"}
    facts: list[tuple[str, Any]] = [("confidence", f"{confidence_of(interval.delta)}, each interval by itself")]
    if interval.side != "both":
        facts.append(("claimed", sides[interval.side]))
    if interval.range.ndim == 1:
        facts.append(("range", f"[{number_text(float(low))}, {number_text(float(high))}]"))
    return Card(
        "Interval",
        plural(total, "interval"),
        facts,
        [Table(head, rows, total, "interval")],
        folds=[Fold("Source and assumptions", [interval.source, *interval.assumptions])],
    )
