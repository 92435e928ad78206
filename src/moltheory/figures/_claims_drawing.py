"""The drawing of false verdicts and decided models: a row per procedure, for the report and for comparisons with peers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.bounds import binomial_interval
from moltheory.certification._plot_style import background
from moltheory.plotting import LITERAL, colors_of, readable_color

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["draw_claims"]

# Color by the beginning of a name; the color tells the family.
_COLORS = {"certify": "coverage", "boxes": "bound", "Romano": "bound", "SPA": "deviation", "MCS": "deviation"}
_OTHER = "purity"
# What promises something else than that no verdict is false, or nothing: open marks.
_OPEN = ("certify, one", "certify, false", "bootstrap")
_TICKS = (0.0, 0.01, 0.05, 0.25, 0.5, 1.0)


def draw_claims(axes: Sequence[Axes], table: pd.DataFrame, delta: float) -> Sequence[Axes]:
    """Draw for every procedure the runs with a false verdict, and the share of models that it decides.

    Parameters
    ----------
    axes : sequence of two matplotlib.axes.Axes
    table : pandas.DataFrame
        Rows as `rows_of` yields them.
    delta : float
        The nominal level.
    """
    large = table[table["world"] == "trade-off"]
    decided = large.groupby("procedure", sort=False)["settled"].mean().sort_values(ascending=False, kind="stable")
    names = list(decided.index)
    _draw_wrong(axes[0], table, names, delta)
    _draw_decided(axes[1], large, names)
    beside = abs(axes[0].get_position().y0 - axes[1].get_position().y0) < 0.01
    if beside:  # The next panel begins right of the last tick.
        axes[0].get_xticklabels()[-1].set_horizontalalignment("right")
    for ax in axes:
        ax.set_yticks(range(len(names)), names, fontsize=9.5, **LITERAL)
        for label, name in zip(ax.get_yticklabels(), names, strict=True):
            label.set_color(readable_color(ax, _color(ax, name)))
            # Side by side, the first panel names the rows of both.
            label.set_visible(ax is axes[0] or not beside)
        # Room for the keys below the rows.
        ax.set_ylim(1.6 * len(names) - 0.4, -0.95)
        ax.tick_params(axis="y", length=0, pad=8.0)
        ax.spines["left"].set_visible(False)
    return axes


def _draw_wrong(ax: Axes, table: pd.DataFrame, names: Sequence[str], delta: float) -> None:
    """Draw one small mark per world, and a large one with its interval for all of them."""
    ax.set_xscale("function", functions=(_root, _square))
    ink = str(ax.xaxis.label.get_color())
    ax.axvline(delta, color=ink, linewidth=1.0, linestyle="--", zorder=1)
    for place, name in enumerate(names):
        part, color = table[table["procedure"] == name], _color(ax, name)
        share = part["wrong"].to_numpy(dtype=float) / part["runs"].to_numpy(dtype=float)
        ax.plot(share, np.full(len(share), float(place)), "|", color=color, markersize=9.0, alpha=0.7, label=name)
        runs, wrong = int(part["runs"].sum()), int(part["wrong"].sum())
        found = binomial_interval(wrong, runs, delta=0.05)
        ax.plot([float(found.lower), float(found.upper)], [place, place], "-", color=color, linewidth=2.2)
        face: Any = background(ax) if name.startswith(_OPEN) else color
        look: Any = {"markerfacecolor": face, "markeredgewidth": 1.6, "markersize": 8.0, "clip_on": False, "zorder": 4}
        ax.plot([wrong / runs], [place], "o", color=color, **look)
    ax.set_xlim(0.0, 1.0)
    ax.set_xticks(_TICKS, [f"{100.0 * tick:g}%" for tick in _TICKS])
    ax.set_xlabel("← better   runs with a false verdict\n(square-root scale)")
    ax.set_title("How often it is wrong")
    ax.text(_square(_root(delta) + 0.015), -0.42, f"promised: at most {delta:.0%}", fontsize=9.0, va="bottom")
    _explain_wrong(ax)


def _explain_wrong(ax: Axes) -> None:
    """Say what the marks are, where few runs are wrong: lower right."""
    from matplotlib.lines import Line2D

    ink = colors_of(ax)["truth"]

    def sample(marker: str, face: str, size: float, line: Any = "none") -> Line2D:
        look: Any = {"markerfacecolor": face, "markeredgewidth": 1.6, "markersize": size, "linewidth": 2.2}
        return Line2D([], [], color=ink, marker=marker, linestyle=line, **look)

    entries = {
        "all runs; promise: no false verdict": sample("o", ink, 8.0),
        "all runs; a weaker promise, or none": sample("o", background(ax), 8.0),
        "95% interval for all runs": sample("", ink, 0.0, "-"),
        "runs in one world": sample("|", ink, 9.0),
    }
    _add_key(ax, list(entries.values()), list(entries))


def _add_key(ax: Axes, marks: Sequence[Any], texts: Sequence[str]) -> None:
    look: Any = {"facecolor": background(ax), "framealpha": 1.0, "frameon": True, "edgecolor": "none", "fontsize": 9.0}
    ax.legend(marks, texts, loc="lower right", borderaxespad=0.2, handlelength=1.4, labelspacing=0.3, **look)


def _draw_decided(ax: Axes, large: pd.DataFrame, names: Sequence[str]) -> None:
    """Draw the shares decided with one objective and a price, and with two objectives."""
    shapes = {1: ("D", "one objective and a price"), 2: ("s", "two objectives")}
    for place, name in enumerate(names):
        color = _color(ax, name)
        part = large[large["procedure"] == name].sort_values("objectives")
        ax.plot(part["settled"], np.full(len(part), float(place)), "-", color=color, linewidth=1.6, label=name)
        for objectives, (shape, _) in shapes.items():
            found = part.loc[part["objectives"] == objectives, "settled"]
            ax.plot(found, np.full(len(found), place), shape, color=color, markersize=6.5)
    from matplotlib.lines import Line2D

    ink = colors_of(ax)["truth"]
    marks = [Line2D([], [], color=ink, marker=shape, linestyle="none", markersize=6.5) for shape, _ in shapes.values()]
    _add_key(ax, marks, [text for _, text in shapes.values()])
    ax.set_xlim(0.0, min(1.0, float(large["settled"].max()) + 0.24))
    ticks = np.arange(0.0, ax.get_xlim()[1], 0.2)
    ax.set_xticks(ticks, [f"{tick:.0%}" for tick in ticks])
    ax.set_xlabel("models decided     better →")
    ax.set_title("How much it decides")


def _color(ax: Axes, name: str) -> str:
    found = next((color for start, color in _COLORS.items() if name.startswith(start)), _OTHER)
    return colors_of(ax)[found]


def _root(value: float | FloatArray) -> Any:
    root: Any = np.sign(value) * np.sqrt(np.abs(value))
    return root


def _square(value: float | FloatArray) -> Any:
    square: Any = np.sign(value) * np.square(value)
    return square
