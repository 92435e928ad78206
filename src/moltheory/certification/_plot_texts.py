"""Names and numbers beside the marks of a plane: names where they fit, numbers elsewhere, none over another."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.certification._plot_names import short_names
from moltheory.certification._plot_places import beside, leader_of, leaders, misleads
from moltheory.certification._plot_style import background, color_of
from moltheory.certification._words import STATUSES, model_numbers
from moltheory.plotting import LITERAL, label_points, readable_color
from moltheory.plotting._fit import fit
from moltheory.plotting._labels import figure_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from moltheory.certification._certificate import Certificate

__all__ = ["write_names"]

# With more models on the front or open, texts would hide what they name.
_MOST_TEXTS = 60
# With more models, those not on the front go without texts.
_MOST_PALE = 60
_MOST_KEYS = 12
_PASSES = 3
# How far texts may stand from their marks; one that would be taken for that of another mark tries again nearer to its own.
_REACHES = (0.1, 0.035)
_SIZES = {"sure": 9.0, "undecided": 9.0, "excluded": 8.0}

Group = npt.NDArray[np.int64]


def write_names(
    ax: Axes, certificate: Certificate, groups: Sequence[Group], *, lines: Sequence[FloatArray], numbered: bool
) -> None:
    """Write beside every mark the name of its model, or its number where the name has no place.

    A number without a table beside the figure means nothing: unless `numbered`, those used are explained under the axis.
    """
    explained: list[int] = []
    for _ in range(1 if numbered else _PASSES):
        before = set(ax.texts), set(ax.collections)
        with _laid_out(ax):
            left = _written(ax, certificate, groups, lines, numbered, explained)
        if numbered or set(left) <= set(explained):
            return
        # An explanation takes room below: places are found anew.
        explained = sorted({*explained, *left})
        for artist in [*(set(ax.texts) - before[0]), *(set(ax.collections) - before[1])]:
            artist.remove()
        _explain(ax, certificate, explained)
    with _laid_out(ax):
        _written(ax, certificate, groups, lines, numbered, explained)


@contextmanager
def _laid_out(ax: Axes) -> Iterator[None]:
    """Give the axes their place on the figure once, and keep it inside: texts in the panel do not change it."""
    figure = figure_of(ax)
    engine = figure.get_layout_engine()
    if engine is None:
        yield
        return
    engine.execute(figure)
    figure.set_layout_engine("none")
    try:
        yield
    finally:
        figure.set_layout_engine(engine)


def _written(
    ax: Axes,
    certificate: Certificate,
    groups: Sequence[Group],
    lines: Sequence[FloatArray],
    numbered: bool,
    explained: Sequence[int],
) -> list[int]:
    """Write texts, those of models on the front first; return the models that only their numbers name."""
    status, numbers = certificate.status, model_numbers(certificate)
    taken = certificate.estimates[[group[0] for group in groups]]
    wanted: list[Group] = []
    for name in STATUSES:
        mine = [group for group in groups if status[group[0]] == name]
        if len(mine) <= _MOST_TEXTS and (name != "excluded" or len(certificate) <= _MOST_PALE):
            wanted += sorted(mine, key=lambda group: int(numbers[group].min()))
    short = [group for group in wanted if set(explained) & set(group.tolist())]
    chosen = [group for group in wanted if not set(explained) & set(group.tolist())]
    names = short_names(certificate.names, widest=18.0 if numbered else 22.0)
    texts = [_name(names, group, numbers, numbered) for group in chosen]
    found = _put(ax, certificate, chosen, texts, taken, lines)
    nameless = [group for group, text in zip(chosen, found, strict=True) if text is None]
    # Where no table stands beside the figure, models that are not on the front go without.
    short += [group for group in nameless if numbered or status[group[0]] != "excluded"]
    short.sort(key=lambda group: int(numbers[group].min()))
    short_texts = [_number(group, numbers) for group in short]
    _put(ax, certificate, short, short_texts, _with_texts(ax, taken, found), lines, must=True)
    return [model for group in nameless if status[group[0]] != "excluded" for model in group.tolist()]


def _put(
    ax: Axes,
    certificate: Certificate,
    groups: Sequence[Group],
    texts: Sequence[str],
    taken: FloatArray,
    lines: Sequence[FloatArray],
    must: bool = False,
) -> list[Any]:
    """Write a text beside each mark where it has a place, in the color of the verdict; None where it has none."""
    from matplotlib.collections import LineCollection
    from matplotlib.patheffects import withStroke

    if not groups:
        return []
    places = certificate.estimates[[group[0] for group in groups]]
    colors = [readable_color(ax, color_of(ax, certificate.status[group[0]])) for group in groups]
    found: list[Any] = [None] * len(groups)
    for reach in _REACHES:
        left = [k for k, text in enumerate(found) if text is None]
        if not left:
            break
        before = set(ax.collections)
        avoid = _with_texts(ax, taken, found)
        written = label_points(
            ax,
            places[left],
            [texts[k] for k in left],
            avoid=avoid,
            lines=lines,
            fontsize=_SIZES["sure"],
            reach=reach,
        )
        thin = leaders(ax, set(ax.collections) - before)
        for k, text in zip(left, written, strict=True):
            if text is None:
                continue
            leader = leader_of(ax, text, places[k], thin)
            if misleads(ax, text, places[k], taken, leader):
                text.remove()
                continue
            found[k] = text
            text.set(color=colors[k], fontsize=_SIZES[certificate.status[groups[k][0]]], gid="name")
            text.set_path_effects([withStroke(linewidth=2.2, foreground=background(ax), alpha=0.85)])
            if leader is not None:
                ax.add_collection(LineCollection([leader], colors=colors[k], linewidths=0.6), autolim=False)
    for k, text in enumerate(found):
        if text is None:
            size = _SIZES[certificate.status[groups[k][0]]]
            found[k] = beside(ax, texts[k], places[k], taken, found, lines, color=colors[k], fontsize=size)
            # What a number means is written elsewhere: it must be seen, over pale marks if need be.
            if found[k] is None and must and certificate.status[groups[k][0]] != "excluded":
                matter = certificate.estimates[~certificate.excluded]
                found[k] = beside(ax, texts[k], places[k], matter, found, (), color=colors[k], fontsize=size)
    return found


def _with_texts(ax: Axes, taken: FloatArray, texts: Sequence[Any]) -> FloatArray:
    """Return the points that no text may hide, with a grid of points under each text that was written."""
    found = [taken]
    for text in texts:
        if text is not None:
            box = text.get_window_extent()
            x = np.linspace(box.x0, box.x1, max(int(box.width // 6.0), 2) + 1)
            y = np.linspace(box.y0, box.y1, 3)
            grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
            found.append(ax.transData.inverted().transform(grid))
    return np.concatenate(found)


def _name(names: Sequence[str], group: Group, numbers: npt.NDArray[np.int64], numbered: bool) -> str:
    """Return the name of a mark; models at one place are named together."""
    members = group[np.argsort(numbers[group])]
    shown = [names[h] for h in members[:2].tolist()]
    more = [f"{len(members) - 2:,} more"] if len(members) > 2 else []
    text = " = ".join(shown) + "".join(f" and {part}" for part in more)
    return f"{_number(group, numbers)}  {text}" if numbered else text


def _number(group: Group, numbers: npt.NDArray[np.int64]) -> str:
    """Return the numbers of the models at one place: "3", "3, 5", "3, 5 and 7 more"."""
    found = sorted(numbers[group].tolist())
    text = ", ".join(f"{number:,}" for number in found[:3])
    return text if len(found) <= 3 else f"{text} and {len(found) - 3:,} more"


def _explain(ax: Axes, certificate: Certificate, models: Sequence[int]) -> None:
    """Write under the axis which models the numbers mean; where they are many, where to look them up."""
    numbers = model_numbers(certificate)
    order = sorted(models, key=lambda h: numbers[h])
    names = short_names(certificate.names, widest=18.0)
    parts = [f"{numbers[h]} = {names[h]}" for h in order[:_MOST_KEYS]]
    if len(order) > _MOST_KEYS:
        parts.append("others: their rows in the table of the report")
    width = ax.bbox.width * 72.0 / ax.figure.dpi
    text = "\n".join(textwrap.wrap("    ".join(part.replace(" ", "\xa0") for part in parts), max(int(width / 5.2), 24)))
    for old in [t for t in ax.texts if t.get_gid() == "key"]:
        old.remove()
    note = ax.annotate(
        text.replace("\xa0", " "),
        (0.0, 0.0),
        xycoords="axes fraction",
        xytext=(0.0, -40.0),
        textcoords="offset points",
        va="top",
        fontsize=8.5,
        annotation_clip=False,
        gid="key",
    )
    note.set(**LITERAL)
    fit(ax)
