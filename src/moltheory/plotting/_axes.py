"""Axes in, Axes out: panels, labels of axes, and the pieces that figures are drawn from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count
from moltheory.plotting._style import readable_color, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "axis_labels",
    "band",
    "log_sizes",
    "new_axes",
    "note",
    "panels",
    "plain_powers",
    "scale_axis",
    "staircase",
]

_PANEL = (4.3, 3.7)
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def new_axes(*, size: tuple[float, float] = (7.0, 4.6), theme: str | None = None) -> Axes:
    """Return new axes alone on a figure of some size in inches; see `styled` for themes.

    The figure is not registered with pyplot: it goes when the last reference goes. A notebook shows the axes as a picture
    where they are the last value of a cell.

    Examples
    --------
    >>> new_axes(size=(4.0, 3.0)).figure.get_size_inches().tolist()
    [4.0, 3.0]
    """
    with styled(theme):
        from matplotlib.figure import Figure

        from moltheory.plotting._shown_axes import ShownAxes

        return Figure(figsize=size, layout="constrained").subplots(subplot_kw={"axes_class": ShownAxes})


def scale_axis(ax: Axes, axis: str, values: npt.ArrayLike, *, factor: float = 30.0) -> Axes:
    """Make an axis logarithmic where all values are positive and span more than some factor.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    axis : {"x", "y"}
    values : array_like
        What is drawn along the axis; values that are not finite do not count.
    factor : float, default 30.0
        Largest ratio of values on an axis that is left linear.
    """
    found = np.asarray(values, dtype=np.float64)
    found = found[np.isfinite(found)]
    if found.size and found.min() > 0.0 and found.max() / found.min() > factor:
        (ax.set_xscale if axis == "x" else ax.set_yscale)("log")
    return ax


def panels(count: int, *, narrow: bool = False, theme: str | None = None) -> tuple[Figure, list[Axes]]:
    """Make a figure with `count` panels: up to three side by side, more in two columns.

    Parameters
    ----------
    count : int
        Number of panels, >= 1.
    narrow : bool, default False
        One column, for a phone.
    theme : {"light", "dark"}, optional
        See `styled`.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Not registered with pyplot: it goes when the last reference goes.
    axes : list of matplotlib.axes.Axes
        A notebook shows it as a picture, as it does each of them.

    Examples
    --------
    >>> figure, axes = panels(3)
    >>> len(axes), len(panels(4, narrow=True)[1])
    (3, 4)
    """
    check_count("count", count)
    columns = 1 if narrow else count if count <= 3 else 2
    rows = -(-count // columns)
    with styled(theme):
        from matplotlib.figure import Figure

        from moltheory.plotting._shown_axes import AxesList, ShownAxes

        figure = Figure(figsize=(_PANEL[0] * columns, _PANEL[1] * rows), layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False, subplot_kw={"axes_class": ShownAxes})
    for spare in grid.ravel()[count:]:
        spare.remove()
    return figure, AxesList(grid.ravel()[:count])


def axis_labels(ax: Axes, x: str, y: str) -> Axes:
    """Label two minimised objectives, with the direction of better on both axes."""
    ax.set_xlabel(f"← better     {x}")
    ax.set_ylabel(f"← better     {y}")
    return ax


def log_sizes(ax: Axes) -> Axes:
    """Make the horizontal axis one of sample sizes, logarithmic, with labels at powers of ten; between them too if short."""
    from moltheory.plotting._size_ticks import SizeTicks

    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(SizeTicks())
    ax.xaxis.set_minor_formatter(SizeTicks(minor=True))
    ax.set_xlabel("number of examples n")
    return ax


def staircase(ax: Axes, points: npt.ArrayLike, **line: Any) -> Axes:
    """Draw the boundary of what a set of points dominates (both objectives minimised).

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Its limits must be set: the boundary runs to them.
    points : (k, 2) array_like
        Dominated points are left out.
    **line
        Passed to ``ax.plot``.

    Returns
    -------
    matplotlib.axes.Axes
    """
    from moltheory.pareto import pareto_front

    front = pareto_front(np.asarray(points, dtype=np.float64)).points
    right, top = ax.get_xlim()[1], ax.get_ylim()[1]
    x = np.concatenate([[front[0, 0]], np.repeat(front[:, 0], 2)[1:], [right]])
    y = np.concatenate([[top], np.repeat(front[:, 1], 2)])
    ax.plot(x, y[: x.size], **line)
    return ax


def plain_powers(ax: Axes) -> Axes:
    """Write the labels of logarithmic axes as plain text, 10⁻² and not TeX: the same look, at a tenth of the time."""
    from matplotlib.ticker import Formatter, LogFormatterSciNotation

    class _Plain(Formatter):
        def __init__(self, formatter: LogFormatterSciNotation) -> None:
            self.formatter = formatter

        def set_locs(self, locs: Any) -> None:
            self.formatter.set_locs(locs)

        def __call__(self, x: float, pos: int | None = None) -> str:
            text = self.formatter(x, pos).replace(r"\times", "×")
            base, _, power = re.sub(r"\$|\\mathdefault|[{}]", "", text).partition("^")
            return base + power.replace("\N{MINUS SIGN}", "-").translate(_SUPERSCRIPTS)

    for axis in (ax.xaxis, ax.yaxis):
        for get, set_ in (
            (axis.get_major_formatter, axis.set_major_formatter),
            (axis.get_minor_formatter, axis.set_minor_formatter),
        ):
            formatter = get()
            if isinstance(formatter, LogFormatterSciNotation):
                set_(_Plain(formatter))
    return ax


def band(ax: Axes, x: npt.ArrayLike, low: FloatArray, high: FloatArray, *, color: str) -> Axes:
    """Shade the range between two curves."""
    ax.fill_between(np.asarray(x), low, high, color=color, alpha=0.22, linewidth=0)
    return ax


def note(ax: Axes, text: str, *, at: tuple[float, float], color: str | None = None, ha: str = "left") -> Axes:
    """Write a short text inside the panel, at a place in axes coordinates."""
    ink = ax.xaxis.label.get_color() if color is None else readable_color(ax, color)
    ax.text(*at, text, transform=ax.transAxes, color=ink, ha=ha, va="center", fontsize=10.0)
    return ax
