"""Names and arrows at places of the data: what a reader must see is named where it is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moltheory.plotting import readable_color

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["point_out", "write_at"]


def write_at(
    ax: Axes,
    at: tuple[float, float],
    text: str,
    *,
    color: str | None = None,
    offset: tuple[float, float] = (6.0, 0.0),
    **properties: Any,
) -> Axes:
    """Write a text beside a place in data coordinates, moved by an offset in points."""
    ink = ax.xaxis.label.get_color() if color is None else readable_color(ax, color)
    x, y = offset
    sides = {
        "ha": "left" if x > 0 else "right" if x < 0 else "center",
        "va": "bottom" if y > 0 else "top" if y < 0 else "center",
    }
    properties = sides | {"fontsize": 10.0} | properties
    ax.annotate(text, at, xytext=offset, textcoords="offset points", color=ink, annotation_clip=False, **properties)
    return ax


def point_out(
    ax: Axes,
    at: tuple[float, float],
    text: str,
    *,
    place: tuple[float, float],
    color: str | None = None,
    **properties: Any,
) -> Axes:
    """Write a text at a place in axes coordinates, with an arrow to a place in data coordinates."""
    ink = ax.xaxis.label.get_color() if color is None else readable_color(ax, color)
    arrow: Any = {"arrowstyle": "->", "color": ink, "linewidth": 1.2, "shrinkA": 2.0, "shrinkB": 4.0}
    placed: Any = {"ha": "left", "va": "center", "fontsize": 10.0} | properties
    ax.annotate(text, at, xytext=place, textcoords="axes fraction", color=ink, arrowprops=arrow, **placed)
    return ax
