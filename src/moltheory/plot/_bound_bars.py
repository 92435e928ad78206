"""Intervals and half-widths as horizontal bars, one below the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from moltheory._core._numbers import number_text
from moltheory._core._validation import FloatArray
from moltheory.bounds import Bound, Interval
from moltheory.errors import InvalidInputError
from moltheory.plot._axes import drawing
from moltheory.plotting import LITERAL, add_margin, colors_of, fit, name_text, readable_color

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Bar", "bars_of_bounds", "bars_of_frame", "bars_of_intervals", "draw_bars"]

_LABELS = {"interval": "risk", "width": "← better     half-width C", "sample size": "← better     examples needed"}


class Bar(NamedTuple):
    """One bar: what it is, from where to where, and whether it says nothing."""

    name: str
    quantity: str
    low: float
    high: float
    vacuous: bool


def bars_of_intervals(name: str, interval: Interval) -> list[Bar]:
    """Return one bar for each interval."""
    flat = [np.ravel(part) for part in (interval.lower, interval.upper, interval.vacuous)]
    methods = np.ravel(np.broadcast_to(interval.method, interval.lower.shape))
    many = flat[0].size > 1
    bars = []
    for k, (low, high, vacuous, method) in enumerate(zip(*flat, methods, strict=True)):
        label = f"{name} {k}".strip() if many else name or str(method)
        bars.append(Bar(label, "interval", float(low), float(high), bool(vacuous)))
    return bars


def bars_of_bounds(name: str, bound: Bound, estimate: float | None) -> list[Bar]:
    """Return one bar for each half-width."""
    widths, vacuous = np.ravel(bound.width), np.ravel(bound.vacuous)
    label = name or bound.method
    return [
        _width(f"{label}, objective {k}" if widths.size > 1 else label, float(width), bool(empty), estimate)
        for k, (width, empty) in enumerate(zip(widths, vacuous, strict=True))
    ]


def bars_of_frame(table: Any, estimate: float | None) -> list[Bar]:
    """Return one bar for each row of a table of `applicable_bounds`."""
    bars = []
    for row in table.to_dict("records"):
        if row["quantity"] == "interval":
            bars.append(Bar(str(row["bound"]), "interval", row["lower"], row["upper"], bool(row["vacuous"])))
        elif row["quantity"] == "width":
            bars.append(_width(str(row["bound"]), row["value"], bool(row["vacuous"]), estimate))
        elif row["quantity"] == "sample size":
            bars.append(Bar(str(row["bound"]), "sample size", 0.0, row["value"], False))
    if not bars:
        raise InvalidInputError("`bounds` must hold a row with a width, an interval or a sample size, got none.")
    return bars


def _width(name: str, width: float, vacuous: bool, estimate: float | None) -> Bar:
    if estimate is None:
        return Bar(name, "width", 0.0, width, vacuous)
    return Bar(name, "interval", estimate - width, estimate + width, vacuous)


def draw_bars(bars: list[Bar], estimate: float | None, ax: Axes | None, theme: str | None) -> Axes:
    """Draw the bars of one quantity; of a table with several, the intervals come first."""
    quantity = next(kind for kind in _LABELS if any(bar.quantity == kind for bar in bars))
    shown = [bar for bar in bars if bar.quantity == quantity]
    with drawing(ax, theme, size=(7.0, min(12.0, 1.6 + 0.42 * len(shown)))) as drawn:
        _draw(drawn, shown, quantity, estimate)
        return drawn


def _draw(ax: Axes, bars: list[Bar], quantity: str, estimate: float | None) -> None:
    colors, place = colors_of(ax), np.arange(len(bars))[::-1]
    if quantity == "sample size":
        ax.set_xscale("log")
    texts = []
    for y, bar, (low, high) in zip(place.tolist(), bars, _drawable(bars, quantity).tolist(), strict=True):
        style: dict[str, Any] = {
            "color": colors["bound"] if bar.vacuous else colors["coverage"],
            "label": f"_{bar.name}",
        }
        if quantity == "interval":
            ax.plot([low, high], [y, y], "|-", linewidth=2 if bar.vacuous else 4, markersize=10, **style)
        elif quantity == "width":
            ax.plot([low, high], [y, y], "-", linewidth=6, solid_capstyle="butt", **style)
        else:
            ax.plot([high], [y], "o", markersize=8, **style)
        tone = readable_color(ax, style["color"])
        texts.append(
            ax.annotate(
                _written(bar),
                (high, y),
                (8, 0),
                textcoords="offset points",
                va="center",
                fontsize=9.5,
                color=tone,
                **LITERAL,
            )
        )
    ax.set_yticks(place, [name_text(bar.name) for bar in bars], **LITERAL)
    ax.set_ylim(-0.6, len(bars) - 0.4)
    fit(ax)
    ax.set_xlabel(_LABELS[quantity])
    if estimate is not None and quantity == "interval":
        ax.axvline(estimate, color=colors["truth"], linewidth=1.5, linestyle=":", label="_estimate")
        text = f"estimate {number_text(estimate)}"
        ax.annotate(
            text, (estimate, 1.0), (0, 4), xycoords=("data", "axes fraction"), textcoords="offset points", ha="center",
            fontsize=9.5, color=readable_color(ax, colors["truth"]), **LITERAL,
        )  # fmt: skip
    add_margin(ax, texts)


def _drawable(bars: list[Bar], quantity: str) -> FloatArray:
    """Return the ends of bars; half-widths that say nothing end where the longest of the others does, or at 1."""
    ends = np.array([[bar.low, bar.high] for bar in bars])
    if quantity != "width":
        finite = ends[np.isfinite(ends)]
        shown: FloatArray = np.clip(ends, finite.min(initial=0.0), finite.max(initial=0.0))
        return shown
    useful = [bar.high for bar in bars if not bar.vacuous]
    cut: FloatArray = np.minimum(ends, max([1.0, *useful]))
    return cut


def _written(bar: Bar) -> str:
    """Return the numbers of a bar."""
    if bar.quantity == "sample size":
        return f"{bar.high:,.0f}"
    text = number_text(bar.high) if bar.quantity == "width" else f"{number_text(bar.low)} to {number_text(bar.high)}"
    return f"{text}: says nothing" if bar.vacuous else text
