"""The fronts of an infinite class, traced at weights of weighted sums."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.experiments import WeightedFrontComparison
from moltheory.plotting import LITERAL, axis_labels, colors_of, headline, key, name_text
from moltheory.problems import InfiniteProblem
from moltheory.scalarization import WeightedSum
from moltheory.solvers import solve_front

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_curves"]

_ARROWS = 7


def draw_curves(
    ax: Axes, problem: InfiniteProblem, sample: Any, pair: tuple[int, int], size: int, explain: bool
) -> Axes:
    """Draw both fronts of an infinite class, and the empirical one in true risks."""
    from matplotlib.lines import Line2D

    compare = WeightedFrontComparison(problem)
    sweep = solve_front(sample, scalarizations=[WeightedSum(w) for w in compare.weights])
    solutions: Any = sweep.solutions
    real = problem.true.risks(solutions)
    true, seen, found = (points[:, pair] for points in (compare.true_points, sweep.points, real))
    colors = colors_of(ax)
    line = len(problem.objective_names) == 2
    kinds: tuple[tuple[str, FloatArray, dict[str, Any]], ...] = (
        ("true front", true, {"color": colors["truth"], "linewidth": 4.0, "marker": "D"}),
        (
            "empirical front, as the sample shows it",
            seen,
            {"color": colors["coverage"], "linestyle": "--", "marker": "o"},
        ),
        ("the same hypotheses in truth", found, {"color": colors["purity"], "linewidth": 1.8, "marker": "s"}),
    )
    entries: list[tuple[Any, str]] = []
    for name, points, style in kinds:
        # The points of more than two objectives lie on a surface, of which a line through them shows nothing.
        shown = {**style, "marker": "none"} if line else {**style, "linestyle": "none", "alpha": 0.7, "markersize": 3}
        ax.plot(*points.T, label=f"_{name}", **shown)
        entries.append((Line2D([], [], **shown), name))
    arrow: dict[str, Any] = {"arrowstyle": "->", "color": colors["bound"], "linewidth": 1.0}
    for k in np.unique(np.linspace(0, len(seen) - 1, _ARROWS).round().astype(int)).tolist():
        ax.annotate("", seen[k], found[k], arrowprops=arrow, zorder=1.9)
    mark = Line2D([], [], color=colors["bound"], linewidth=1.0, marker=">", markersize=4)
    entries.append((mark, "true to empirical risks"))
    axis_labels(ax, *(name_text(problem.objective_names[k]) for k in pair))
    for label in (ax.xaxis.label, ax.yaxis.label):
        label.set(**LITERAL)
    # As simulations measure it.
    distance = float(compare.purity(real).max())
    headline(ax, f"n = {size:,}: what looks optimal is up to {distance:.2g} from the true front")
    if explain:
        key(ax, entries)
    return ax
