"""Two objectives: the plane, the empirical front as a staircase, and the band in which the true front lies for certain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.certification._format import confidence_text
from moltheory.certification._plot_band import certain_band, has_boxes, stairs
from moltheory.certification._plot_style import (
    LOOKS,
    MOST_NAMED,
    background,
    color_of,
    drawn_boxes,
    length_in_ems,
    limits,
    objective_label,
    places,
    set_scale,
    title_of,
)
from moltheory.certification._plot_texts import write_names
from moltheory.certification._words import STATUSES, model_numbers, verdict_words
from moltheory.plotting import LITERAL, colors_of, headline, key

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from moltheory.certification._certificate import Certificate

__all__ = ["plot_two"]

# With more models of one verdict, their boxes would be a net.
_MOST_BOXES = 40


def plot_two(
    certificate: Certificate, ax: Axes, *, numbered: bool = False, named: bool = True, keyed: bool = True
) -> Axes:
    """Draw the plane of two objectives; without a name beside each marker, or a key of the marks, if not wanted."""
    boxes, status = drawn_boxes(certificate), np.array(certificate.status)
    groups = places(certificate.estimates, status)
    _scale(ax, certificate, boxes)
    front = _draw_front(ax, certificate)
    words, count = verdict_words(certificate), {name: int((status == name).sum()) for name in STATUSES}
    handles: list[Any] = []
    for name in reversed(STATUSES):
        if count[name]:
            _draw_boxes(ax, certificate, boxes, name, count[name])
            mark = _draw_marks(ax, certificate, [group for group in groups if status[group[0]] == name], name)
            handles.insert(0, _entry(mark, f"{words[name]} ({count[name]:,})"))
    across, along = length_in_ems(ax)
    ax.set_xlabel(objective_label(certificate, 0, length=across), **LITERAL)
    ax.set_ylabel(objective_label(certificate, 1, length=along), **LITERAL)
    if keyed:
        headline(ax, title_of(certificate))
        key(ax, [(handle, str(handle.get_label())) for handle in [*handles, *front]])
    if named:
        path = np.asarray(front[0].get_xydata())
        write_names(ax, certificate, groups, lines=[path], numbered=numbered)
    return ax


def _scale(ax: Axes, certificate: Certificate, boxes: FloatArray) -> None:
    shown = boxes[~certificate.excluded] if has_boxes(certificate) else boxes[:0]
    for i, axis in enumerate("xy"):
        log = set_scale(ax, axis, certificate, i)
        found = limits(certificate.estimates[:, i], shown[:, i], log=log, pad=0.06)
        if axis == "x":
            ax.set_xlim(*found)
        else:
            ax.set_ylim(*found)


def _draw_front(ax: Axes, certificate: Certificate) -> list[Any]:
    """Draw the staircase of the estimates and the certain band; return what the heading says about them."""
    up = np.asarray(certificate.maximise)
    ends = np.array([ax.get_xlim(), ax.get_ylim()])
    best, worst = np.where(up, ends[:, 1], ends[:, 0]), np.where(up, ends[:, 0], ends[:, 1])
    path = stairs(certificate.estimates, up, best, worst)
    ink = str(ax.xaxis.label.get_color())
    (line,) = ax.plot(
        *path.T, color=ink, linewidth=1.3, zorder=1.6, label="best estimates, the empirical front", gid="front"
    )
    if not has_boxes(certificate):
        return [line]
    inner, outer = (stairs(points, up, best, worst) for points in certain_band(certificate))
    outline = np.concatenate([inner, outer[::-1]])
    nominal = "" if certificate.engine == "exact" else ", asymptotic"
    (band,) = ax.fill(
        *outline.T,
        facecolor=colors_of(ax)["light"],
        alpha=0.28,
        linewidth=0,
        zorder=0.5,
        label=f"the true front runs in here ({confidence_text(certificate.delta)}{nominal})",
        gid="band",
    )
    return [line, band]


def _draw_boxes(ax: Axes, certificate: Certificate, boxes: FloatArray, status: str, count: int) -> None:
    """Draw the boxes of one verdict as crosses, unless they are too many to tell apart."""
    if count > _MOST_BOXES or not has_boxes(certificate):
        return
    rows = getattr(certificate, status)
    (x, y), (across, along) = certificate.estimates[rows].T, np.moveaxis(boxes[rows], 1, 0)
    pale = status == "excluded"
    look: Any = {"color": color_of(ax, status), "alpha": 0.25 if pale else 0.55, "linewidth": 0.8 if pale else 1.1}
    # The front may run over an arm: its ends are marked above the line.
    ends: Any = {"linestyle": "none", "color": look["color"], "zorder": 1.7, "markersize": 5.0}
    ends |= {"alpha": 0.4 if pale else 1.0, "markeredgewidth": look["linewidth"]}
    if certificate.data_dependent[0]:
        ax.hlines(y, across[:, 0], across[:, 1], zorder=1.2, **look)
        ax.plot(across.ravel(), np.repeat(y, 2), marker="|", **ends)
    if certificate.data_dependent[1]:
        ax.vlines(x, along[:, 0], along[:, 1], zorder=1.2, **look)
        ax.plot(np.repeat(x, 2), along.ravel(), marker="_", **ends)


def _draw_marks(ax: Axes, certificate: Certificate, groups: list[npt.NDArray[np.int64]], status: str) -> Any:
    """Draw one mark per place, each of them its own if they are not too many; return one."""
    numbers, look = model_numbers(certificate), LOOKS[status]
    points = certificate.estimates[[group[0] for group in groups]]
    color, crowded = color_of(ax, status), len(points) > _MOST_BOXES
    style: Any = {
        "marker": look.marker,
        "linestyle": "none",
        "color": color,
        # Of many marks each is seen through the others; of few, each has a rim that keeps it apart from the others.
        "markerfacecolor": color if look.filled else "none" if crowded else background(ax),
        "markeredgecolor": background(ax) if look.filled else color,
        "markeredgewidth": 0.8 if look.filled else 1.1 if crowded or status == "excluded" else 1.6,
        "markersize": look.size * (0.7 if crowded else 1.0),
        "alpha": 0.7 if status == "excluded" else 1.0,
        "zorder": {"excluded": 2.2, "undecided": 2.4, "sure": 2.6}[status],
    }
    if len(certificate) > MOST_NAMED:
        return ax.plot(*points.T, gid=status, **style)[0]
    for group, at in zip(groups, points, strict=True):
        tag = "-".join(str(number) for number in sorted(numbers[group]))
        (mark,) = ax.plot([at[0]], [at[1]], gid=f"{status}-{tag}", **style)
    return mark


def _entry(mark: Any, text: str) -> Any:
    from matplotlib.lines import Line2D

    entry = Line2D([], [], linestyle="none", label=text)
    entry.update_from(mark)
    entry.set_label(text)
    entry.set_alpha(1.0)
    return entry
