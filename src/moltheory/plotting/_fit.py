"""Room for what stands around a panel, on figures without a layout of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moltheory.plotting._labels import figure_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["fit"]

# Least part of its width and height that a panel keeps, and pixels left free, at 100 dots per inch.
_LEAST, _FREE = 0.35, 3.0


def fit(ax: Axes) -> Axes:
    """Make a panel smaller until its title, key and labels end halfway to its neighbors and on the figure.

    Figures with a layout engine do that themselves; elsewhere a panel takes the room from itself, as for a color bar.
    """
    figure = figure_of(ax)
    if figure.get_layout_engine() is not None:
        return ax
    free = _FREE * figure.dpi / 100.0
    inner, outer = ax.get_window_extent(), ax.get_tightbbox()
    if outer is None:
        return ax
    others = [other.get_window_extent() for other in figure.axes if other is not ax]
    beside = [box for box in others if box.y0 < inner.y1 and box.y1 > inner.y0]
    above = [box for box in others if box.x0 < inner.x1 and box.x1 > inner.x0]
    frame = figure.bbox
    # Between columns the room is for labels of the right panel; between rows each has half of it.
    left = max([frame.x0, *(box.x1 for box in beside if box.x1 <= inner.x0)]) + free
    right = min([frame.x1, *(box.x0 for box in beside if box.x0 >= inner.x1)]) - free
    bottom = max([frame.y0, *(0.5 * (box.y1 + inner.y0) for box in above if box.y1 <= inner.y0)]) + free
    top = min([frame.y1, *(0.5 * (box.y0 + inner.y1) for box in above if box.y0 >= inner.y1)]) - free
    x0, x1 = inner.x0 + max(0.0, left - outer.x0), inner.x1 - max(0.0, outer.x1 - right)
    y0, y1 = inner.y0 + max(0.0, bottom - outer.y0), inner.y1 - max(0.0, outer.y1 - top)
    if x1 - x0 < _LEAST * inner.width:
        x0, x1 = inner.x0, inner.x1
    if y1 - y0 < _LEAST * inner.height:
        y0, y1 = inner.y0, inner.y1
    width, height = frame.width, frame.height
    place = ((x0 - frame.x0) / width, (y0 - frame.y0) / height, (x1 - x0) / width, (y1 - y0) / height)
    if (x0, x1, y0, y1) != (inner.x0, inner.x1, inner.y0, inner.y1):
        ax.set_position(place)
    return ax
