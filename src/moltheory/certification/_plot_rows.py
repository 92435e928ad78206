"""One objective, or three and more: a row per model and a column per objective, in the order of the tables."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.certification._format import confidence_text
from moltheory.certification._plot_band import certain_band, has_boxes
from moltheory.certification._plot_names import short_names
from moltheory.certification._plot_style import (
    LOOKS,
    MOST_COLUMNS,
    background,
    color_of,
    drawn_boxes,
    length_in_ems,
    limits,
    objective_label,
    set_scale,
    title_of,
)
from moltheory.certification._words import STATUSES, model_numbers, reading_order, verdict_words
from moltheory.plotting import LITERAL, colors_of, headline, key, name_text, readable_color
from moltheory.plotting._fit import fit
from moltheory.plotting._labels import figure_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from moltheory.certification._certificate import Certificate

__all__ = ["plot_rows", "rows_height"]

# Models with a row of their own; the others share one row per verdict.
MOST_ROWS = 30
_ROW = 0.21  # inches
# Of a column with its gap, in multiples of the size of the font; objectives for which there is less room are left out.
# Three stay in less.
_LEAST_WIDTH, _TIGHT = 5.5, 4.0
_LEAST = {"undecided": 5, "excluded": 3}


@dataclass(frozen=True)
class Row:
    """A verdict as a heading (no models), a model, or several models that have no rows of their own."""

    status: str
    label: str
    models: tuple[int, ...] = ()


def rows_height(certificate: Certificate) -> float:
    """Return the height in inches of a figure in which every row can be read."""
    return 1.5 + _ROW * len(rows_of(certificate, MOST_ROWS, numbered=False, widest=20.0))


def rows_of(certificate: Certificate, most: int, *, numbered: bool, widest: float) -> list[Row]:
    """Return the rows: under each verdict its models, as the tables list them; those beyond `most` models together."""
    numbers, words, status = model_numbers(certificate), verdict_words(certificate), certificate.status
    order = reading_order(certificate)
    members = {name: [h for h in order if status[h] == name] for name in STATUSES}
    given = _given({name: len(found) for name, found in members.items()}, most)
    names = short_names(certificate.names, widest=widest)
    rows = []
    for name, found in members.items():
        if not found:
            continue
        rows.append(Row(name, f"{words[name]} ({len(found):,})"))
        # "1 more" would take as much room as the model.
        own = len(found) if len(found) == given[name] + 1 else given[name]
        for h in found[:own]:
            label = f"{numbers[h]}  {_shortened(names[h], certificate.names[h], widest)}" if numbered else names[h]
            rows.append(Row(name, label, (h,)))
        rest = found[own:]
        if rest:
            rows.append(Row(name, f"{len(rest):,} more", tuple(rest)))
    return rows


def _given(count: dict[str, int], most: int) -> dict[str, int]:
    """Share rows out: those on the front first, but some to every verdict."""
    spare = {name: min(count[name], least) for name, least in _LEAST.items()}
    given = {"sure": min(count["sure"], max(most - sum(spare.values()), 3))}
    given["undecided"] = min(count["undecided"], max(most - given["sure"] - spare["excluded"], spare["undecided"]))
    given["excluded"] = min(count["excluded"], max(most - sum(given.values()), spare["excluded"]))
    return given


def _shortened(text: str, name: str, widest: float) -> str:
    """Return a name without its middle if it is wide: beside a number it need not be told from others by a digest."""
    text = name_text(name, most=60, widest=60.0) if "...#" in text else text
    most = max(int(widest / 0.6), 14)
    return text if len(text) <= most else f"{text[: most - 7]}…{text[-6:]}"


def plot_rows(
    certificate: Certificate, ax: Axes, *, numbered: bool, objectives: Sequence[int] | None = None, title: bool = True
) -> Any:
    """Draw the rows on the place of some axes, and return these or a list of axes, one per objective."""
    shown = list(range(len(certificate.objectives)) if objectives is None else objectives)[:MOST_COLUMNS]
    room, height = length_in_ems(ax)
    em = float(ax.xaxis.label.get_fontsize()) / 72.0
    # Headings take rows too.
    most = int(np.clip(height * em / (0.68 * _ROW) - 4, 4, MOST_ROWS))
    rows = rows_of(
        certificate, most, numbered=numbered, widest=(0.5 if room < 25.0 else 0.42 if len(shown) < 4 else 0.36) * room
    )
    single = len(certificate.objectives) == 1
    if objectives is None:
        free = _free_width(ax, rows)
        shown = shown[: max(int(free / _LEAST_WIDTH), min(int(free / _TIGHT), 3), 1)]
    axes = [ax] if single else _columns(ax, len(shown))
    boxes = drawn_boxes(certificate)
    ticks = int(np.clip(room / len(shown) // 4, 2, 6))
    for k, (column, i) in enumerate(zip(axes, shown, strict=True)):
        _column(column, certificate, boxes[:, i], i, rows, ticks)
        _name_rows(column, rows, named=k == 0, ticks=ticks)
        if not single:
            _name_column(column, certificate, i, room / len(shown))
    if not single and figure_of(ax).get_layout_engine() is None:
        # Names of the models took room from the columns.
        room = length_in_ems(fit(ax))[0]
        for column, i in zip(axes, shown, strict=True):
            _name_column(column, certificate, i, room / len(shown))
    handles = []
    if single:
        axes[0].set_xlabel(objective_label(certificate, 0, length=room), **LITERAL)
        handles = _draw_best(ax, certificate)
    if title:
        headline(ax, title_of(certificate, MOST_COLUMNS if objectives is not None else len(shown)))
        key(ax, [(handle, str(handle.get_label())) for handle in handles])
    if title and not single:
        # Above the names of the columns.
        lines = max(column.get_title("left").count("\n") + 1 for column in axes)
        ax.set_title(ax.get_title("left"), loc="left", pad=9.0 + 13.0 * lines, **LITERAL)
    fit(ax)
    return ax if single else axes


def _columns(ax: Axes, count: int) -> Any:
    """Return axes side by side in the place of some axes, which only keep their title."""
    from moltheory.plotting._shown_axes import AxesList

    ax.set_axis_off()
    found = AxesList()
    for k in range(count):
        column = ax.inset_axes((k / count, 0.0, 0.88 / count if count > 1 else 1.0, 1.0), axes_class=type(ax))
        column.set_facecolor("none")
        found.append(column)
    return found


def _column(ax: Axes, certificate: Certificate, boxes: FloatArray, i: int, rows: Sequence[Row], ticks: int) -> None:
    """Draw one objective: estimates and intervals of the models with rows, and the estimates of the others."""
    values, numbers = certificate.estimates[:, i], model_numbers(certificate)
    log = set_scale(ax, "x", certificate, i, ticks=ticks)
    has_box = bool(certificate.data_dependent[i]) and has_boxes(certificate)
    own = [row.models[0] for row in rows if len(row.models) == 1]
    ax.set_xlim(*limits(values, boxes[own] if has_box else boxes[:0], log=log))
    ax.set_ylim(len(rows) - 0.4, -0.6)
    for place, row in enumerate(rows):
        color, look = color_of(ax, row.status), LOOKS[row.status]
        pale = row.status == "excluded"
        if len(row.models) > 1:
            models = list(row.models)
            ax.plot(values[models], np.full(len(models), place), "|", color=color, alpha=0.6, gid=f"{row.status}-rest")
        elif row.models:
            h = row.models[0]
            # One piece: an interval with a mark on it.
            low, high = np.clip(boxes[h], *ax.get_xlim()).tolist()
            across = [low, float(values[h]), high] if has_box else [float(values[h])]
            ax.plot(
                across,
                [place] * len(across),
                "-" if has_box else "",
                marker=look.marker,
                markevery=[len(across) // 2],
                color=color,
                linewidth=1.0 if pale else 1.6,
                markerfacecolor=color if look.filled else background(ax),
                markeredgecolor=color,
                markeredgewidth=1.4,
                markersize=7.0 if look.filled else 6.0,
                gid=f"{row.status}-{numbers[h]}-{i}",
                zorder=3,
                clip_on=False,
            )


def _name_rows(ax: Axes, rows: Sequence[Row], *, named: bool, ticks: int) -> None:
    """Name the rows at the left of the first column; faint lines lead through all of them."""
    from matplotlib.ticker import MaxNLocator

    if named:
        ax.set_yticks(range(len(rows)), [row.label for row in rows], **LITERAL)
        ax.tick_params(axis="y", length=0)
    else:
        ax.set_yticks([])
    ax.grid(visible=False, axis="y")
    guides = [place for place, row in enumerate(rows) if row.models]
    edges = np.array([*ax.get_xlim(), np.nan])
    # One line with gaps: one path instead of thirty.
    ax.plot(
        np.tile(edges, len(guides)),
        np.repeat(guides, 3),
        color=ax.xaxis.get_gridlines()[0].get_color(),
        linewidth=0.8,
        zorder=0.8,
        gid="guides",
    )
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="x", labelsize=9.0)
    if ax.get_xscale() == "linear":
        ax.xaxis.set_major_locator(MaxNLocator(ticks))
    for row, label in zip(rows, ax.get_yticklabels(), strict=False):
        label.set_fontsize(9.0 if row.models else 9.5)
        label.set_fontweight("normal" if row.models else "bold")
        if not row.models or row.status == "excluded":
            label.set_color(readable_color(ax, color_of(ax, row.status)))


def _name_column(ax: Axes, certificate: Certificate, i: int, room: float) -> None:
    """Name an objective above its column, with the direction of better below; `room` is its width and the gap's."""
    name = name_text(certificate.objectives[i], widest=max(2.2 * room, 8.0))
    size = 10.0 if room >= 9.0 else 8.5
    letters = max(int(room * float(ax.xaxis.label.get_fontsize()) / (0.58 * size)), 8)
    ax.set_title(
        "\n".join(_wrapped(name, letters)[:3]), fontsize=size, fontweight="normal", loc="left", pad=5.0, **LITERAL
    )
    ax.set_xlabel("better →" if certificate.maximise[i] else "← better", fontsize=9.5 if room >= 7.0 else 8.0)


def _wrapped(name: str, letters: int) -> list[str]:
    """Return the lines of a name, which end where its parts do if they can."""
    lines = [""]
    for part in re.findall(r"[^\s_/.\-]*[\s_/.\-]*", name):
        for piece in textwrap.wrap(part, letters, drop_whitespace=False):
            if len(lines[-1].rstrip()) + len(piece.rstrip()) > letters:
                lines.append("")
            lines[-1] += piece
    return [line.rstrip() for line in lines if line.strip()]


def _free_width(ax: Axes, rows: Sequence[Row]) -> float:
    """Return about how much room, in multiples of the size of the font, names of rows leave to the columns."""
    room, figure = length_in_ems(ax)[0], figure_of(ax)
    inner = ax.get_window_extent()
    others = [other.get_window_extent() for other in figure.axes if other is not ax]
    beside = [box for box in others if box.y0 < inner.y1 and box.y1 > inner.y0]
    left = max([0.0, *(box.x1 for box in beside if box.x1 <= inner.x0)])
    right = min([figure.bbox.x1, *(box.x0 for box in beside if box.x0 >= inner.x1)])
    names = max(0.52 * len(row.label) if row.models else 0.64 * len(row.label) for row in rows)
    return float(room * (right - left) / inner.width - names)


def _draw_best(ax: Axes, certificate: Certificate) -> list[Any]:
    """Draw where the best true value lies for certain; return what the heading says about it."""
    if not has_boxes(certificate):
        return []
    best, worst = certain_band(certificate)
    if certificate.maximise[0]:
        low, high = float(worst.max()), float(best.max())
    else:
        low, high = float(best.min()), float(worst.min())
    low, high = np.clip([low, high], *ax.get_xlim())
    nominal = "" if certificate.engine == "exact" else ", asymptotic"
    text = f"the best true value lies in here ({confidence_text(certificate.delta)}{nominal})"
    span = ax.axvspan(
        low, high, facecolor=colors_of(ax)["light"], alpha=0.28, linewidth=0, zorder=0.5, label=text, gid="band"
    )
    return [span]
