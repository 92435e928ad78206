"""Witnesses of an attack: pairs of true and empirical risks, curves of quadratics, or a probability above its level."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory._core._numbers import number_text
from moltheory._core._text import joined
from moltheory._core._validation import FloatArray
from moltheory.pareto import nondominated
from moltheory.plotting import LITERAL, axis_labels, colors_of, key, label_points, note, readable_color, staircase
from moltheory.scalarization import simplex_grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["blank", "draw_level", "draw_quadratics", "draw_risks"]

_FEW = 12


def draw_risks(ax: Axes, true: FloatArray, empirical: FloatArray, widths: FloatArray) -> None:
    """Draw risks (H, N): in a plane, or objective by objective where there are not two."""
    (_plane if true.shape[1] == 2 else _columns)(ax, true, empirical, widths)


def _plane(ax: Axes, true: FloatArray, empirical: FloatArray, widths: FloatArray) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Rectangle

    colors = colors_of(ax)
    corners = np.concatenate([true, empirical - widths, empirical + widths])
    low, high = corners.min(axis=0), corners.max(axis=0)
    room = np.where(high > low, high - low, 1.0)
    ax.set_xlim(low[0] - 0.08 * room[0], high[0] + 0.12 * room[0])
    ax.set_ylim(low[1] - 0.08 * room[1], high[1] + 0.12 * room[1])
    # A box without width or height is a line.
    flat = bool((widths == 0.0).any())
    box: dict[str, Any] = {"color": colors["coverage"], "alpha": 0.22 if flat else 0.08, "linewidth": 6 if flat else 0}
    for point in empirical if widths.any() else ():
        ax.add_patch(Rectangle(tuple(point - widths), *(2.0 * widths), **box))
    staircase(ax, true, color=colors["truth"], linewidth=1.6, label="_true front", zorder=2)
    staircase(
        ax, empirical, color=colors["coverage"], linewidth=1.4, linestyle="--", label="_empirical front", zorder=2
    )
    for start, end in zip(true, empirical, strict=True):
        if (start != end).any():
            style = {"arrowstyle": "->", "color": colors["bound"], "shrinkA": 3.0, "shrinkB": 5.0, "linewidth": 1.0}
            ax.annotate("", end, start, arrowprops=style, zorder=2.5)
    entries = _marks(ax, true, empirical)
    axis_labels(ax, "objective 0", "objective 1")
    if widths.any():
        area: Any = Rectangle((0, 0), 1, 1, facecolor=colors["coverage"], alpha=0.2)
        band = Line2D([], [], color=colors["coverage"], alpha=0.25, linewidth=6) if flat else area
        moved = f" (none in objective {int(np.argmin(widths))})" if flat else ""
        entries.append((band, f"empirical ± largest deviation{moved}"))
    key(ax, entries)
    if len(true) <= _FEW:
        places = np.concatenate([true, empirical])
        label_points(ax, true, [f"h{k}" for k in range(len(true))], avoid=places, fontsize=9.0)


def _marks(ax: Axes, true: FloatArray, empirical: FloatArray) -> list[tuple[Any, str]]:
    """Draw both kinds of risks, members of fronts filled."""
    colors = colors_of(ax)
    entries: list[tuple[Any, str]] = []
    kinds = ((true, "true risks", "truth", "o"), (empirical, "empirical risks", "coverage", "s"))
    for points, name, color, marker in kinds:
        member = nondominated(points)
        style: dict[str, Any] = {"linestyle": "none", "marker": marker, "color": colors[color], "markersize": 8}
        (line,) = ax.plot(*points[member].T, label=f"_{name}, on their front", zorder=3, **style)
        ax.plot(*points[~member].T, label=f"_{name}, dominated", zorder=3, markerfacecolor="none", **style)
        entries.append((line, f"{name} (filled: on their front)"))
    return entries


def _columns(ax: Axes, true: FloatArray, empirical: FloatArray, widths: FloatArray) -> None:
    """Draw one column per objective, one arrow per hypothesis in it, from true to empirical risk."""
    colors = colors_of(ax)
    h, m = true.shape
    step = 0.7 / max(1, h - 1) if h > 1 else 0.0
    lines: list[Any] = [None, None]
    for i in range(m):
        x = i + step * (np.arange(h) - 0.5 * (h - 1))
        ax.vlines(
            x,
            empirical[:, i] - widths[i],
            empirical[:, i] + widths[i],
            color=colors["coverage"],
            alpha=0.2,
            linewidth=6,
        )
        (lines[0],) = ax.plot(x, true[:, i], "o", color=colors["truth"], label=f"_true {i}", markersize=7, zorder=3)
        (lines[1],) = ax.plot(
            x,
            empirical[:, i],
            "s",
            color=colors["coverage"],
            markerfacecolor="none",
            markeredgewidth=1.8,
            markersize=8,
            label=f"_empirical {i}",
            zorder=3,
        )
    ax.set_xticks(range(m), [f"objective {i}" for i in range(m)], **LITERAL)
    ax.set_xlim(-0.6, m - 0.4)
    ax.set_xlabel(f"in each: the {h} hypotheses in order" if h > 1 else "one hypothesis")
    ax.set_ylabel("← better     risk")
    key(ax, [(lines[0], "true"), (lines[1], "empirical, ± largest deviation" if widths.any() else "empirical")])


def draw_quadratics(ax: Axes, true: Any, empirical: Any, row: int) -> None:
    """Draw the two fronts of quadratics with two objectives; say so in words for other numbers."""
    colors = colors_of(ax)
    if true.n_objectives != 2:
        blank(ax)
        note(ax, f"the witness is a pair of {true.n_objectives} quadratics", at=(0.5, 0.5), ha="center")
        return
    entries: list[tuple[Any, str]] = []
    weights = simplex_grid(2, 200)
    fronts = [objectives.front(weights).points for objectives in (true, empirical)]
    true_front, empirical_front = (points[row] if points.ndim == 3 else points for points in fronts)
    if max(float(np.ptp(points, axis=0).max()) for points in (true_front, empirical_front)) < 1e-12:
        blank(ax)
        note(ax, "the nearest pair of problems has fronts of one point each", at=(0.5, 0.5), ha="center")
        return
    for shown, name, color, line in (
        (true_front, "true front", "truth", "-"),
        (empirical_front, "empirical front", "coverage", "--"),
    ):
        (drawn,) = ax.plot(*shown.T, line, color=colors[color], linewidth=2.0, label=f"_{name}")
        entries.append((drawn, name))
    axis_labels(ax, "objective 0", "objective 1")
    key(ax, entries)


def blank(ax: Axes) -> None:
    """Leave nothing of the axes but their labels."""
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)


def draw_level(ax: Axes, world: Any, n: int, delta: float, failure: float) -> None:
    """Draw a failure probability beside the level that it must keep."""
    colors = colors_of(ax)
    above = failure > delta
    tone = colors["purity"] if above else colors["coverage"]
    for y, value, name, color in (
        (1.0, failure, "failure probability", tone),
        (0.0, delta, "level δ", colors["bound"]),
    ):
        ax.plot([0.0, value], [y, y], "-", color=color, linewidth=14, solid_capstyle="butt", label=f"_{name}")
        ax.annotate(
            f"{name} {number_text(value)}",
            (value, y),
            (8, 0),
            textcoords="offset points",
            va="center",
            fontsize=10.5,
            color=readable_color(ax, color),
            annotation_clip=False,
            **LITERAL,
        )
    ax.set_yticks([])
    ax.set_ylim(-0.9, 1.9)
    ax.set_xlim(0.0, 1.6 * max(failure, delta))
    h, m = world.true.risks().shape
    counts = [_counted(len(world.probabilities), "outcome"), _counted(h, "hypothesis"), _counted(m, "objective")]
    ax.set_xlabel(f"probability; exact, in a world of {joined(counts)}, n = {n}", **LITERAL)


def _counted(count: int, noun: str) -> str:
    many = "hypotheses" if noun == "hypothesis" else f"{noun}s"
    return f"{count} {noun if count == 1 else many}"
