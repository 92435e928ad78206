"""Points with three or more objectives, as lines across parallel axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._numbers import number_text
from moltheory._core._validation import FloatArray
from moltheory.plotting import LITERAL, colors_of, label_lines, name_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_parallel", "scaled"]

_TONES = ("coverage", "purity", "deviation", "extra", "light", "truth")
_MARKS = ("o", "s", "^", "D", "v", "P")


def scaled(points: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return points (k, N) scaled to [0, 1] in each objective, and the ends; 0.5 in a constant objective."""
    low, high = points.min(axis=0), points.max(axis=0)
    span = high - low
    return np.divide(points - low, span, out=np.full(points.shape, 0.5), where=span > 0.0), low, high


def draw_parallel(ax: Axes, points: FloatArray, names: Sequence[str], best: Sequence[int]) -> Axes:
    """Draw points (k, N), all minimised, each as a line; the best of each objective, by row, in color and named."""
    shown, low, high = scaled(points)
    colors = colors_of(ax)
    places = np.arange(points.shape[1])
    chosen = {row: k for k, row in reversed(list(enumerate(best)))}
    for row in range(len(shown)):
        if row not in chosen:
            ax.plot(
                places,
                shown[row],
                "-",
                color=colors["bound"],
                alpha=0.45 if len(shown) > 12 else 0.8,
                linewidth=1.0,
                label=f"_row {row}",
            )
    highlighted = []
    for row, k in chosen.items():
        text = "best in " + " and ".join(name_text(names[i], most=20) for i, one in enumerate(best) if one == row)
        (line,) = ax.plot(
            places,
            shown[row],
            marker=_MARKS[k % len(_MARKS)],
            color=colors[_TONES[k % len(_TONES)]],
            linewidth=2.2,
            label=text,
            zorder=3,
        )
        highlighted.append(line)
    ticks = [
        f"{name_text(name, most=20)}\n{number_text(float(a))} to {number_text(float(b))}"
        if b > a
        else f"{name_text(name, most=20)}\nalways {number_text(float(a))}"
        for name, a, b in zip(names, low, high, strict=True)
    ]
    ax.set_xticks(places, ticks, **LITERAL)
    ax.set_yticks([])
    ax.set_ylim(-0.06, 1.06)
    ax.set_xlim(-0.15, len(places) - 0.85)
    ax.set_ylabel("← better     scaled to its range")
    ax.grid(visible=True, axis="x")
    label_lines(ax, highlighted)
    return ax
