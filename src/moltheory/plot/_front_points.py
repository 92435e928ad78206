"""The fronts of a finite class: a mark for each hypothesis that matters, of which color and shape say what it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.pareto import nondominated
from moltheory.plot._merge import merge
from moltheory.plotting import (
    LITERAL,
    axis_labels,
    colors_of,
    headline,
    key,
    label_points,
    name_text,
    readable_color,
    scale_axis,
    staircase,
)
from moltheory.problems import FiniteProblem

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_points"]

# Most hypotheses that are all drawn with their true risks and named.
_FEW = 12
# Height in points up to which a panel has the key of the fronts only.
_LOW = 180.0
# Marks of one kind up to which they are large.
_MANY = 40


@dataclass(frozen=True)
class _Marks:
    """The hypotheses of one kind: where they are drawn, and how."""

    rows: npt.NDArray[np.int64]
    points: FloatArray
    name: str
    meaning: str
    style: dict[str, Any]


def draw_points(
    ax: Axes,
    problem: FiniteProblem,
    empirical: FloatArray,
    pair: tuple[int, int],
    size: int,
    names: Sequence[str] | None,
    explain: bool,
) -> Axes:
    """Draw both fronts of a finite class, given the empirical risks (H, N) of a sample of `size` examples."""
    true = problem.true.risks()
    on_true, on_empirical = nondominated(true), nondominated(empirical)
    seen, real = empirical[:, pair], true[:, pair]
    colors, few = colors_of(ax), len(true) <= _FEW
    shown = np.ones(len(true), dtype=np.bool_) if few else on_true | on_empirical
    _set_limits(ax, real[shown], seen[shown])
    # Arrows among many marks would be a tangle.
    moved = (
        np.flatnonzero(shown & (real != seen).any(axis=1)) if shown.sum() <= 2 * _FEW else np.empty(0, dtype=np.int64)
    )
    for k in moved.tolist():
        style = {"arrowstyle": "->", "color": colors["bound"], "shrinkA": 2.0, "shrinkB": 6.0, "linewidth": 1.0}
        ax.annotate("", seen[k], real[k], arrowprops=style, zorder=1.9)
    dots: dict[str, Any] = {"color": colors["bound"], "linestyle": "none", "marker": ".", "zorder": 2}
    ax.plot(*real[~on_true & shown].T, label="_true risks", markersize=6 if few else 3, **dots)
    ax.plot(*seen[~shown].T, label="_dominated", markersize=5, alpha=0.6, **dots)
    ax.plot(*seen[shown & ~on_true & ~on_empirical].T, label="_dominated", markersize=8, **dots)
    # With more than two objectives, the boundary in the plane is not that of the front.
    if true.shape[1] == 2:
        dashed: dict[str, Any] = {"color": colors["coverage"], "linestyle": "--", "linewidth": 1.6}
        staircase(ax, seen[on_empirical], label="_empirical front", zorder=2.5, **dashed)
        staircase(ax, real[on_true], color=colors["truth"], linewidth=1.8, label="_true front", zorder=2.6)
    # Inside the marks of what is real and stays where it is, and below those of decoys.
    ax.plot(*real[on_true].T, "o", color=colors["truth"], markersize=5, label="_truly optimal", zorder=5)
    marks = _marks(ax, on_true, on_empirical, seen)
    for kind in marks:
        zorder = 6 if kind.name == "decoy" else 4
        ax.plot(*kind.points.T, linestyle="none", label=f"_{kind.name}", zorder=zorder, **kind.style)
    axis_labels(ax, *(name_text(problem.objective_names[k]) for k in pair))
    for label in (ax.xaxis.label, ax.yaxis.label):
        label.set(**LITERAL)
    headline(ax, _statement(size, on_true, on_empirical))
    if explain:
        _explain(ax, marks, true.shape[1], bool(len(moved)), _outside(ax, seen[~shown]))
    paths = [np.stack([real[k], seen[k]]) for k in moved]
    paths += [np.asarray(line.get_xydata()) for line in ax.lines if str(line.get_label()).endswith(" front")]
    if few or names is not None:
        rest = np.flatnonzero(shown & ~on_true & ~on_empirical)
        marks.append(_Marks(rest, seen[rest], "", "", {"color": colors["bound"]}))
        _name(ax, marks, names or [f"h{k}" for k in range(len(true))], np.concatenate([real[shown], seen]), paths)
    else:
        _count(ax, marks, np.concatenate([real[on_true], seen[shown]]), paths)
    return ax


def _marks(
    ax: Axes, on_true: npt.NDArray[np.bool_], on_empirical: npt.NDArray[np.bool_], seen: FloatArray
) -> list[_Marks]:
    colors = colors_of(ax)
    hollow = {"markerfacecolor": "none", "markeredgewidth": 2.0}
    found, decoys, missed = on_true & on_empirical, on_empirical & ~on_true, on_true & ~on_empirical
    # Small marks have no room for a rim.
    rim = {"markeredgecolor": ax.get_facecolor(), "markeredgewidth": 1.0} if decoys.sum() <= _MANY else {}
    kinds: tuple[tuple[npt.NDArray[np.bool_], str, str, dict[str, Any]], ...] = (
        (decoys, "decoy", "looks optimal, is not", {"marker": "s", "color": colors["purity"], **rim}),
        (missed, "missed", "optimal, does not look so", {"marker": "D", "color": colors["extra"], **hollow}),
        (found, "real", "looks optimal, and is", {"marker": "o", "color": colors["coverage"]}),
    )
    return [
        _Marks(np.flatnonzero(mask), seen[mask], name, meaning, {"markersize": _size(name, int(mask.sum())), **style})
        for mask, name, meaning, style in kinds
        if mask.any()
    ]


def _size(name: str, count: int) -> float:
    """Return the size of a mark: that of decoys is larger, as they are drawn on top of others."""
    if count > _MANY:
        return 5.0
    return 11.0 if name == "decoy" else 9.0


def _set_limits(ax: Axes, real: FloatArray, seen: FloatArray) -> None:
    """Show these risks, with room for marks and names, unless limits have been set; the boundaries run to the limits."""
    points = np.concatenate([real, seen])
    for axis, values in zip("xy", points.T, strict=True):
        if not (ax.get_autoscalex_on() if axis == "x" else ax.get_autoscaley_on()):
            continue
        scale_axis(ax, axis, values, factor=300.0)
        is_log = (ax.get_xscale() if axis == "x" else ax.get_yscale()) == "log"
        ends = np.log(values) if is_log else values
        low, high = float(ends.min()), float(ends.max())
        room = 0.14 * (high - low) or 0.5
        limits = np.array([low - room, high + 2.0 * room])
        (ax.set_xlim if axis == "x" else ax.set_ylim)(*(np.exp(limits) if is_log else limits))


def _statement(size: int, on_true: npt.NDArray[np.bool_], on_empirical: npt.NDArray[np.bool_]) -> str:
    """Return what the picture shows, with numbers."""
    members, decoys = int(on_empirical.sum()), int((on_empirical & ~on_true).sum())
    missed, optimal = int((on_true & ~on_empirical).sum()), int(on_true.sum())
    first = (
        f"{decoys} of {members} members of the empirical front {'is a decoy' if decoys == 1 else 'are decoys'}"
        if decoys
        else "every member of the empirical front is real"
    )
    second = f"{missed} of {optimal} optimal ones missed" if missed else "none missed"
    return f"n = {size:,}: {first}, {second}"


def _outside(ax: Axes, points: FloatArray) -> int:
    """Return how many points are not within the limits."""
    low, high = np.sort([ax.get_xlim(), ax.get_ylim()], axis=1).T
    return int((~((low <= points) & (points <= high)).all(axis=1)).sum())


def _explain(ax: Axes, marks: list[_Marks], n_objectives: int, arrows: bool, outside: int) -> None:
    """Write what the marks mean, above the panel."""
    from matplotlib.lines import Line2D

    colors = colors_of(ax)
    truth = Line2D([], [], color=colors["truth"], linewidth=1.8, marker="o", markersize=5)
    if n_objectives == 2:
        dashed = Line2D([], [], color=colors["coverage"], linestyle="--", linewidth=1.6)
        entries: list[tuple[Any, str]] = [(truth, "true front"), (dashed, "empirical front")]
    else:
        truth.set_linestyle("none")
        entries = [(truth, f"true risks, optimal in all {n_objectives}")]
    for kind in marks:
        entries.append((Line2D([], [], linestyle="none", **kind.style), f"{kind.name}: {kind.meaning}"))
    if arrows:
        arrow = Line2D([], [], color=colors["bound"], linewidth=1.0, marker=">", markersize=4)
        entries.append((arrow, "true to empirical risks"))
    # A low panel has no room for another row.
    if outside and ax.bbox.height * 72.0 / ax.figure.dpi > _LOW:
        dot = Line2D([], [], color=colors["bound"], linestyle="none", marker=".", markersize=5, alpha=0.6)
        entries.append((dot, f"dominated ({outside:,} more outside)"))
    key(ax, entries)


def _name(ax: Axes, marks: list[_Marks], names: Sequence[str], avoid: FloatArray, paths: list[FloatArray]) -> None:
    """Write the names of the hypotheses beside their marks."""
    places = np.concatenate([kind.points for kind in marks])
    texts = [name_text(names[row]) for kind in marks for row in kind.rows.tolist()]
    tones = [kind.style["color"] for kind in marks for _ in kind.rows]
    for text, tone in zip(label_points(ax, places, texts, avoid=avoid, lines=paths), tones, strict=True):
        if text is not None:
            text.set_color(readable_color(ax, tone))


def _count(ax: Axes, marks: list[_Marks], avoid: FloatArray, paths: list[FloatArray]) -> None:
    """Write beside marks that coincide how many there are, and of which kinds."""
    if not marks:
        return
    points = merge(np.concatenate([kind.points for kind in marks]), np.zeros(sum(len(kind.rows) for kind in marks)))
    kinds = [kind.name for kind in marks for _ in kind.rows]
    found: dict[tuple[float, ...], Counter[str]] = {}
    for place, name in zip(points.tolist(), kinds, strict=True):
        found.setdefault(tuple(place), Counter())[name] += 1
    # Most important: places of decoys, then those of many.
    several = [place for place, names in found.items() if names.total() > 1]
    several.sort(key=lambda place: (-found[place]["decoy"], -found[place].total()))
    texts = []
    for place in several:
        names = found[place]
        parts = " + ".join(f"{count} {name}" for name, count in names.items())
        texts.append(parts if len(names) > 1 else f"×{names.total()}")
    label_points(ax, np.array(several).reshape(-1, 2), texts, avoid=avoid, lines=paths, fontsize=8.5)
