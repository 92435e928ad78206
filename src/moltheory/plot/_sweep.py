"""The points that scalarizations return, how their search ended, and how far from optimal they can be."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory._core._docs import document
from moltheory._core._numbers import number_text
from moltheory._core._validation import FloatArray
from moltheory.errors import InvalidInputError
from moltheory.pareto import nondominated
from moltheory.plot._axes import drawing, refused
from moltheory.plot._merge import merge
from moltheory.plot._parallel import draw_parallel
from moltheory.plotting import axis_labels, colors_of, headline, key, label_points, staircase
from moltheory.solvers import Status, Sweep

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["sweep"]

# Status up to which a row holds a usable point: what it is called, its color and its mark.
_KINDS = (
    (Status.CERTIFIED, "certified", "coverage", "o"),
    (Status.UNCERTIFIED, "no certificate: the gap is an estimate", "purity", "s"),
    (Status.HEURISTIC, "heuristic: no gap", "extra", "D"),
)
_NAMED = 12


@document
def sweep(sweep: Sweep, *, ax: Axes | None = None, theme: str | None = None) -> Axes:
    """Return axes with the points that a sweep found: their front, how the search for each ended, and its certified gap.

    Two objectives are drawn in a plane, with the weights of some points; more as lines across parallel axes, the best
    point of each objective in color. Points that differ by rounding, or by less than their certified gaps, are one.

    Parameters
    ----------
    sweep : Sweep
        As `moltheory.solve_front` returns it, without batch axes.
    {new_axes}
    {theme}

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InvalidInputError
        If `sweep` is something else, has batch axes or one objective, or no row of it is solved.

    Notes
    -----
    Complexity: as `moltheory.nondominated` for K points, and O(K D N) for D that differ.

    Examples
    --------
    >>> import moltheory as mt
    >>> world = mt.problems.reference_world()
    >>> grid = [mt.scalarization.WeightedSum(w) for w in mt.scalarization.simplex_grid(2, 10)]
    >>> ax = mt.plot.sweep(mt.solve_front(world.true, scalarizations=grid))
    >>> ax.get_xlabel()
    '← better     objective 0'
    """
    if not isinstance(sweep, Sweep):
        raise refused("sweep", sweep, "a Sweep, which moltheory.solve_front returns")
    if sweep.status.ndim != 1 or sweep.points.shape[-1] < 2:
        raise InvalidInputError(
            f"`sweep` must have two objectives or more and no batch axes, got points of shape {sweep.points.shape}: solve "
            f"for one sample."
        )
    solved = sweep.solved
    if not solved.any():
        raise InvalidInputError(
            f"`sweep` must have a row with a solution, got {solved.size} without: {sweep.message(0)}."
        )
    merged = sweep.points.copy()
    merged[solved] = merge(sweep.points[solved], np.where(sweep.rigorous, sweep.gap, 0.0)[solved])
    points = merged[solved]
    with drawing(ax, theme) as drawn:
        headline(drawn, _statement(sweep, points))
        if points.shape[1] == 2:
            _plane(drawn, sweep, merged)
        else:
            best = [int(k) for k in points.argmin(axis=0)]
            draw_parallel(drawn, points, [f"objective {k}" for k in range(points.shape[1])], best)
        return drawn


def _plane(ax: Axes, sweep: Sweep, merged: FloatArray) -> None:
    from matplotlib.lines import Line2D

    colors, points = colors_of(ax), merged[sweep.solved]
    low, high = points.min(axis=0), points.max(axis=0)
    room = np.where(high > low, high - low, np.maximum(np.abs(high), 1.0) * 0.1)
    ax.set_xlim(low[0] - 0.08 * room[0], high[0] + 0.2 * room[0])
    ax.set_ylim(low[1] - 0.08 * room[1], high[1] + 0.2 * room[1])
    staircase(ax, points, color=colors["truth"], linewidth=1.4, label="_front", zorder=2)
    entries: list[tuple[Any, str]] = []
    for status, name, color, marker in _KINDS:
        rows = merged[sweep.status == status]
        if len(rows):
            style: dict[str, Any] = {"linestyle": "none", "marker": marker, "color": colors[color], "markersize": 7}
            ax.plot(*rows.T, label=f"_{name}", zorder=3, **style)
            entries.append((Line2D([], [], **style), name))
    axis_labels(ax, "objective 0", "objective 1")
    if any(hasattr(one, "weights") for one in sweep.scalarizations):
        entries.append((Line2D([], [], linestyle="none"), "w₀: weight of objective 0"))
    key(ax, entries)
    places, texts = _weights(sweep, merged)
    label_points(ax, places, texts, avoid=points, fontsize=8.5)


def _weights(sweep: Sweep, merged: FloatArray) -> tuple[FloatArray, list[str]]:
    """Return some distinct points with the weights that found them, the ends of the front first."""
    known: dict[tuple[float, ...], list[Any]] = {}
    for scalarization, point, solved in zip(sweep.scalarizations, merged.tolist(), sweep.solved, strict=True):
        weights = getattr(scalarization, "weights", None)
        if solved and weights is not None:
            known.setdefault(tuple(point), []).append(weights)
    ordered = sorted(known)
    step = max(1, -(-len(ordered) // _NAMED))
    chosen = ordered[::step]
    order = sorted(range(len(chosen)), key=lambda k: min(k, len(chosen) - 1 - k))
    texts = [_named(known[chosen[k]]) for k in order]
    return np.array([chosen[k] for k in order]).reshape(-1, 2), texts


def _named(weights: list[Any]) -> str:
    """Return the weights of one point: their range where there are several."""
    first = sorted(w[0] / (sum(w) or 1.0) for w in weights)
    low, high = number_text(first[0], 2), number_text(first[-1], 2)
    return f"w₀ = {low}" if low == high else f"w₀ = {low} to {high}"


def _statement(sweep: Sweep, points: FloatArray) -> str:
    """Return what was found, with numbers."""
    distinct = np.unique(points[nondominated(points)], axis=0)
    noun = "point" if len(distinct) == 1 else "points"
    rows = f"{len(sweep.scalarizations)} scalarizations: {len(distinct)} distinct front {noun}"
    failed = Counter(Status(int(one)).name.lower().replace("_", " ") for one in sweep.status[~sweep.solved])
    lost = ", ".join(f"{count} {name}" for name, count in failed.items())
    rigorous = sweep.gap[sweep.solved & sweep.rigorous]
    largest = float(rigorous.max()) if rigorous.size else 0.0
    gap = f"certified gap at most {number_text(largest, 2)}" if largest else "certified exactly"
    gap = gap if rigorous.size else "no certified gap"
    dropped = f"{len(sweep.dropped)} dropped" if sweep.dropped else ""
    return "; ".join(part for part in (rows, gap, lost, dropped) if part)
