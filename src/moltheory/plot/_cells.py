"""Weight cells: for which weights a weighted sum returns which point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._numbers import number_text, percent_text
from moltheory._core._validation import FloatArray, check_names, real_array
from moltheory.errors import InvalidInputError
from moltheory.plot._axes import drawing
from moltheory.plotting import LITERAL, colors_of, headline, ink_of, key, label_lines, label_points, name_text
from moltheory.solvers import WeightCells, certified_cells, weight_cells

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["cells"]

_TONES = ("coverage", "purity", "deviation", "extra", "light")
_LINES = ("-", "--", "-.", (0, (4, 1, 1, 1, 1, 1)), (0, (1, 1)))
# Most cells with a number, and the length of their names.
_LISTED, _LETTERS = 12, 44
# Corners of the drawn simplex of three weights.
_CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(0.75)]])


@document
def cells(
    points: npt.ArrayLike,
    *,
    widths: npt.ArrayLike | None = None,
    names: Sequence[str] | None = None,
    objectives: Sequence[str] | None = None,
    ax: Axes | None = None,
    theme: str | None = None,
) -> Axes:
    """Return axes with the weight cell of each point: the weights for which it minimises the weighted sum.

    Two objectives: the weighted sum of each point against the first weight, the lowest one thick, its cell shaded. Three:
    the triangle of all weights, cut into cells, the 12 largest with numbers and a list of them.

    Parameters
    ----------
    points : (n, N) array_like
        Risks, for 2 or 3 minimised objectives.
    widths : float or (N,) array_like, optional
        Half-widths C of the risks: cells are pale then, and in full color where the point is returned for all risks
        within C.
    names : sequence of str, optional
        Of the points; their coordinates by default.
    objectives : sequence of str, optional
        Names of the objectives.
    {new_axes}
    {theme}

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InvalidInputError
        If there are not 2 or 3 objectives, or arguments do not fit together.

    Notes
    -----
    Complexity: as `moltheory.solvers.weight_cells` and `certified_cells`.

    Examples
    --------
    >>> import moltheory as mt
    >>> ax = mt.plot.cells([[0.0, 1.0], [0.3, 0.4], [1.0, 0.0]], widths=0.02)
    >>> ax.get_xlabel()
    'weight of objective 0 (the rest is that of objective 1)'
    """
    array = real_array("points", points, shape="(n, 2) or (n, 3)", min_ndim=2, max_ndim=2)
    if array.shape[1] not in (2, 3):
        raise InvalidInputError(
            f"`points` must have 2 or 3 objectives, got {array.shape[1]}: choose columns of interest."
        )
    labels = _labels("names", names, len(array)) or [
        "(" + ", ".join(number_text(float(value)) for value in row) + ")" for row in array
    ]
    axes_names = _labels("objectives", objectives, array.shape[1]) or [f"objective {k}" for k in range(array.shape[1])]
    found = weight_cells(array)
    certain = None if widths is None else certified_cells(array, widths=widths)
    with drawing(ax, theme) as drawn:
        headline(drawn, _statement(found, certain))
        if array.shape[1] == 2:
            _sums(drawn, array, found, certain, labels, axes_names)
        else:
            _simplex(drawn, found, certain, labels, axes_names)
        return drawn


def _labels(name: str, values: Sequence[str] | None, length: int) -> list[str] | None:
    if values is None:
        return None
    return [name_text(one) for one in check_names(name, values, length=length, stem=name)]


def _statement(found: WeightCells, certain: WeightCells | None) -> str:
    inside = int((found.share[found.distinct] > 0).sum())
    total = int(found.distinct.sum())
    text = f"{inside} of {total} points are returned by some weighted sum"
    return text if certain is None else f"{text}; for sure at {percent_text(certain.total)} of the weights"


def _sums(
    ax: Axes,
    points: FloatArray,
    found: WeightCells,
    certain: WeightCells | None,
    labels: list[str],
    objectives: list[str],
) -> None:
    colors, w = colors_of(ax), np.array([0.0, 1.0])
    inside = [k for k in np.flatnonzero(found.distinct) if found.share[k] > 0]
    outside = [k for k in np.flatnonzero(found.distinct) if found.share[k] == 0]
    for k in outside:
        ax.plot(
            w,
            points[k, 0] * w + points[k, 1] * (1 - w),
            "-",
            color=colors["bound"],
            linewidth=0.9,
            alpha=0.7,
            label=f"_{labels[k]}",
        )
    lines = []
    for place, k in enumerate(inside):
        (a, b), tone = points[k].tolist(), colors[_TONES[place % len(_TONES)]]
        (line,) = ax.plot(
            w, a * w + b * (1 - w), linestyle=_LINES[place % len(_LINES)], color=tone, linewidth=1.3, label=labels[k]
        )
        lines.append(line)
        ends = found.intervals[k]
        sure = ends if certain is None else certain.intervals[k]
        for span, alpha in ((ends, 0.10), (sure, 0.25 if certain is not None else 0.0)):
            if span is not None and alpha and span[1] > span[0]:
                ax.axvspan(*span, color=tone, alpha=alpha, linewidth=0, label=f"_{labels[k]}")
        if sure is not None:
            x = np.array(sure)
            ax.plot(
                x,
                a * x + b * (1 - x),
                color=tone,
                linewidth=5,
                solid_capstyle="butt",
                label=f"_lowest {labels[k]}",
                zorder=3,
            )
    ax.set_xlim(0.0, 1.0)
    ax.set_xlabel(f"weight of {objectives[0]} (the rest is that of {objectives[1]})", **LITERAL)
    ax.set_ylabel("← better     weighted sum")
    _explain(ax, certain is not None)
    label_lines(ax, lines)


def _explain(ax: Axes, certain: bool) -> None:
    """Say what a cell is."""
    from matplotlib.patches import Patch

    tone = colors_of(ax)["bound"]
    entries = [
        (Patch(color=tone, alpha=0.25, linewidth=0), "its cell: the weights at which a point has the lowest sum")
    ]
    if certain:
        entries.append((Patch(color=tone, alpha=0.8, linewidth=0), "for sure: also for all risks within C"))
    key(ax, entries)


def _simplex(
    ax: Axes, found: WeightCells, certain: WeightCells | None, labels: list[str], objectives: list[str]
) -> None:
    from matplotlib.patches import Polygon

    colors, ink = colors_of(ax), ink_of(ax)
    inside = [k for k in np.flatnonzero(found.distinct) if found.share[k] > 0]
    for place, k in enumerate(inside):
        tone = colors[_TONES[place % len(_TONES)]]
        regions: list[tuple[Any, float]] = [(found.vertices[k], 0.22 if certain is not None else 0.5)]
        if certain is not None:
            regions.append((certain.vertices[k], 0.6))
        for corners, alpha in regions:
            if len(corners) >= 3:
                ax.add_patch(
                    Polygon(
                        corners @ _CORNERS, facecolor=tone, edgecolor=ax.get_facecolor(), linewidth=1.0, alpha=alpha
                    )
                )
    ax.plot(*np.vstack([_CORNERS, _CORNERS[:1]]).T, color=colors["truth"], linewidth=1.2, label="_simplex")
    ax.text(-0.02, -0.04, f"only {objectives[0]}", ha="left", va="top", color=ink, fontsize=10, **LITERAL)
    ax.text(1.02, -0.04, f"only {objectives[1]}", ha="right", va="top", color=ink, fontsize=10, **LITERAL)
    ax.text(
        0.5, _CORNERS[2, 1] + 0.03, f"only {objectives[2]}", ha="center", va="bottom", color=ink, fontsize=10, **LITERAL
    )
    _explain(ax, certain is not None)
    ax.set_xlim(-0.08, 2.05)
    ax.set_ylim(-0.14, 1.0)
    ax.set_aspect("equal", anchor="W")
    ax.set_axis_off()
    _number(ax, found, inside, labels)


def _number(ax: Axes, found: WeightCells, inside: list[Any], labels: list[str]) -> None:
    """Write numbers into the cells, the largest first, and beside the triangle which points they are."""
    from matplotlib.patheffects import withStroke

    ordered = sorted(inside, key=lambda k: -float(found.share[k]))[:_LISTED]
    middles = [_middle(found.vertices[k] @ _CORNERS) for k in ordered]
    placed: list[FloatArray] = []
    texts: list[Any] = []
    slivers: list[int] = []
    for number, (k, middle) in enumerate(zip(ordered, middles, strict=True), start=1):
        if found.share[k] > 0.02 and all(np.abs(middle - other).max() > 0.08 for other in placed):
            texts.append(
                ax.text(
                    float(middle[0]),
                    float(middle[1]),
                    str(number),
                    ha="center",
                    va="center",
                    fontsize=9.0,
                    color=ink_of(ax),
                )
            )
            placed.append(middle)
        else:
            slivers.append(number)
    places = np.array([middles[number - 1] for number in slivers]).reshape(-1, 2)
    texts += label_points(ax, places, [str(n) for n in slivers], avoid=np.array([*middles]), reach=0.15)
    for text in texts:
        # Areas of any color lie behind it.
        if text is not None:
            text.set_path_effects([withStroke(linewidth=2.5, foreground=ax.get_facecolor())])
    rows = [f"{n}  {labels[k]}, {percent_text(float(found.share[k]))}" for n, k in enumerate(ordered, start=1)]
    rows = [row if len(row) <= _LETTERS else f"{row[: _LETTERS - 1]}…" for row in rows]
    if len(inside) > len(ordered):
        rows.append(f"and {len(inside) - len(ordered)} smaller ones")
    rows.insert(0, "cells, with their shares of the weights:")
    ax.text(
        1.13, 0.9, "\n".join(rows), ha="left", va="top", fontsize=8.5, color=ink_of(ax), linespacing=1.35, **LITERAL
    )


def _middle(corners: FloatArray) -> FloatArray:
    """Return the center of mass of a convex polygon, (2,)."""
    if len(corners) < 3:
        return np.asarray(corners.mean(axis=0))
    after = np.roll(corners, -1, axis=0)
    cross = corners[:, 0] * after[:, 1] - corners[:, 1] * after[:, 0]
    if abs(float(cross.sum())) < 1e-12:
        return np.asarray(corners.mean(axis=0))
    return np.asarray(((corners + after) * cross[:, None]).sum(axis=0) / (3.0 * cross.sum()))
