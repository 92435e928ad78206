"""Labels that do not collide: names beside points, and names of curves at their ends."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._shared_state import one_thread
from moltheory.plotting._names import LITERAL
from moltheory.plotting._style import readable_color

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D
    from matplotlib.text import Text

__all__ = ["add_margin", "figure_of", "ink_of", "label_lines", "label_points", "lay_out"]


def label_points(
    ax: Axes,
    points: npt.ArrayLike,
    texts: Sequence[str],
    *,
    avoid: npt.ArrayLike | None = None,
    lines: Sequence[npt.ArrayLike] = (),
    fontsize: float = 9.0,
    color: str | None = None,
    reach: float = 0.1,
) -> list[Text | None]:
    """Write texts beside points, where they hide neither one another nor points; what has no place is left out.

    Call it last: places are found for the limits and the size that the axes have now.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    points : (k, 2) array_like
        Where the texts belong, the most important ones first.
    texts : sequence of k str
        Drawn as they are: no dollar sign starts a formula.
    avoid : (p, 2) array_like, optional
        Points that no text may hide; `points` by default.
    lines : sequence of (q, 2) array_like
        Lines that no text should cross.
    fontsize : float, default 9.0
    color : str, optional
        That of texts by default.
    reach : float, default 0.1
        How far from its point a text may stand, as a share of the panel; a thin line connects them then.

    Returns
    -------
    list of matplotlib.text.Text or None
        One entry per text; None for one that was left out.
    """
    import textalloc

    places = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    if not len(places):
        return []
    kept = places if avoid is None else np.asarray(avoid, dtype=np.float64).reshape(-1, 2)
    lay_out(ax)
    ink = color or ink_of(ax)
    paths = [np.asarray(line, dtype=np.float64).reshape(-1, 2) for line in lines]
    crossed: Any = {"x_lines": [p[:, 0] for p in paths], "y_lines": [p[:, 1] for p in paths]} if paths else {}
    found: Any
    connectors: Any
    # It says on the standard output that no text has a place; the return value says so too.
    with one_thread(), contextlib.redirect_stdout(io.StringIO()):
        _, _, found, connectors = textalloc.allocate(
            ax,
            places[:, 0],
            places[:, 1],
            list(texts),
            x_scatter=kept[:, 0],
            y_scatter=kept[:, 1],
            textsize=fontsize,
            textcolor=ink,
            linecolor=ink,
            linewidth=0.6,
            max_distance=reach,
            min_distance=min(0.022, reach),
            margin=0.01,
            draw_all=False,
            avoid_label_lines_overlap=True,
            **crossed,
            **LITERAL,
        )
    _as_collection(ax, [line for line in connectors if line is not None], ink)
    return list(found)


def _as_collection(ax: Axes, lines: list[Line2D], color: str) -> None:
    """Draw lines between texts and points as one collection: the lines of the axes are those of the data."""
    from matplotlib.collections import LineCollection

    segments = [np.column_stack(line.get_data()) for line in lines]
    for line in lines:
        line.remove()
    if segments:
        ax.add_collection(LineCollection(segments, colors=color, linewidths=0.6), autolim=False)


def label_lines(ax: Axes, lines: Sequence[Line2D] | None = None, *, fontsize: float = 9.5) -> list[Text]:
    """Write the label of each curve at the right end of the panel, at the height of its last point, in its color.

    Call it last: heights are those for the limits that the axes have now. Labels that would overlap are moved apart. They
    stand to the right of the panel where the figure's layout makes room for them, and inside it elsewhere: the horizontal
    axis is made longer then.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    lines : sequence of matplotlib.lines.Line2D, optional
        By default all lines of the axes that have a label.
    fontsize : float, default 9.5

    Returns
    -------
    list of matplotlib.text.Text
        In the order of the lines. A line that has fallen to zero on a logarithmic axis has its label at the bottom.
    """
    chosen = [line for line in (ax.lines if lines is None else lines) if not str(line.get_label()).startswith("_")]
    lay_out(ax)
    outside = _makes_room(ax)
    texts = [
        ax.annotate(
            str(line.get_label()),
            (1.02, 0.5),
            xycoords="axes fraction",
            va="center",
            ha="left",
            fontsize=fontsize,
            color=readable_color(ax, str(line.get_color())),
            annotation_clip=False,
            **LITERAL,
        )
        for line in chosen
    ]
    if not texts:
        return []
    limits = ax.get_xlim()
    if outside:
        lay_out(ax)
        place = 1.02
    else:
        widest = max(_extent(text)[0] for text in texts) / ax.bbox.width
        share = min(0.62, widest + 0.04)
        _lengthen(ax, share)
        place = 1.0 - share + 0.02
    row = 1.25 * fontsize / 72.0 * ax.figure.dpi / ax.bbox.height
    rows = np.array([text.get_text().count("\n") + 1.0 for text in texts])
    heights = _apart(np.array([_last_height(ax, line, limits[1]) for line in chosen]), rows * row)
    for text, height in zip(texts, heights.tolist(), strict=True):
        text.xy = (place, height)
        text.set_position((place, height))
    return list(texts)


def add_margin(ax: Axes, texts: Sequence[Text]) -> None:
    """Make the horizontal axis longer to the right until texts that begin at points of the panel end inside it."""
    lay_out(ax)
    for _ in range(5):
        right = max((text.get_window_extent().x1 for text in texts), default=0.0)
        over = (right + 8.0 - ax.bbox.x1) / ax.bbox.width
        if over <= 0.0:
            return
        # Where a text begins moves with the axis.
        _lengthen(ax, min(0.6, over / (1.0 + over)))


def _last_height(ax: Axes, line: Line2D, right: float) -> float:
    """Return the height, in axes coordinates, of the last point that is not beyond the right end."""
    x, y = (np.asarray(part, dtype=np.float64) for part in line.get_data(orig=False))
    inside = np.isfinite(x) & (x <= right) & ~np.isnan(y)
    if not inside.any():
        return 0.5
    last = np.flatnonzero(inside)[-1]
    if ax.get_yscale() == "log" and y[last] <= 0.0:
        return 0.0
    height = (ax.transData + ax.transAxes.inverted()).transform((x[last], y[last]))[1]
    return float(np.clip(height, 0.0, 1.0))


def _makes_room(ax: Axes) -> bool:
    """Return whether the figure's layout leaves room for what stands beside the panel."""
    engine = figure_of(ax).get_layout_engine()
    return engine is not None and type(engine).__name__ in ("ConstrainedLayoutEngine", "TightLayoutEngine")


def _lengthen(ax: Axes, share: float) -> None:
    """Move the right end of the horizontal axis so that what was drawn leaves a share of the panel free."""
    low, high = ax.get_xlim()
    if ax.get_xscale() == "log":
        ax.set_xlim(low, low * (high / low) ** (1.0 / (1.0 - share)))
    else:
        ax.set_xlim(low, low + (high - low) / (1.0 - share))


def _extent(text: Text) -> tuple[float, float]:
    """Return width and height of a text in pixels."""
    box = text.get_window_extent()
    return float(box.width), float(box.height)


def _apart(heights: npt.NDArray[np.float64], sizes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the nearest heights (in squares) in the panel at which intervals of some sizes do not overlap.

    They are in the same order. Where the panel has no room for all, the last ones stand above it.
    """
    from sklearn.isotonic import isotonic_regression

    order = np.argsort(heights, kind="stable")
    # Differences of neighbors are at least the mean of their sizes: without these offsets, just not decreasing.
    offsets = np.concatenate([[0.0], np.cumsum(0.5 * (sizes[order][1:] + sizes[order][:-1]))])
    moved = np.empty_like(heights)
    first, last = 0.5 * sizes[order][0], 1.0 - 0.5 * sizes[order][-1] - offsets[-1]
    moved[order] = isotonic_regression(heights[order] - offsets, y_min=first, y_max=max(first, last)) + offsets
    return moved


def lay_out(ax: Axes) -> None:
    """Give the axes the place on the figure that they will have."""
    figure = figure_of(ax)
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)


def figure_of(artist: Any) -> Any:
    """Return the figure on which something stands, or the one around its part of a figure."""
    return artist.figure.figure if hasattr(artist.figure, "figure") else artist.figure


def ink_of(ax: Axes) -> str:
    """Return the color in which the axes write."""
    from matplotlib.colors import to_hex

    return str(to_hex(ax.xaxis.label.get_color()))
