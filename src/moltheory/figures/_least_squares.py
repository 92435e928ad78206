"""Least squares for two tasks: fronts of an infinite class, and where purity does come back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moltheory import plot
from moltheory._core._numbers import count_text, interval_text, number_text
from moltheory._core._validation import FloatArray
from moltheory.experiments import WeightedFrontComparison, asymmetry
from moltheory.figures._curves import fitted_slope, summarize
from moltheory.figures._inline import point_out
from moltheory.plotting import axis_labels, colors_of, note
from moltheory.problems import MultiTaskLeastSquares
from moltheory.reports import Figure, Settings
from moltheory.runs import as_seed_sequence, block_stream

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["LeastSquares", "two_tasks"]

# Sizes of the samples whose fronts are shown.
_SMALL, _LARGE = 20, 200
_FRONTS = 60
_NAMES = {
    "purity_error": "purity\nerror",
    "coverage_error": "coverage error\n(levels off:\ngrid of weights)",
    "uniform_deviation": "largest\ndeviation",
}


def two_tasks() -> MultiTaskLeastSquares:
    """Return the two tasks in three dimensions whose front is known in closed form."""
    covariances = np.array([np.eye(3), [[2.0, 1.0, 0.0], [1.0, 2.0, 1.0], [0.0, 1.0, 2.0]]])
    return MultiTaskLeastSquares(covariances, np.eye(3)[[0, 2]], [0.5, 0.5], objective_names=("task 1", "task 2"))


@dataclass(frozen=True)
class LeastSquaresResult:
    """True front, empirical fronts in true risks by sample size, and a simulation."""

    true_points: FloatArray
    fronts: dict[int, FloatArray]
    simulation: pd.DataFrame


class LeastSquares(Figure[LeastSquaresResult]):
    """Empirical fronts in true risks around the true front, and errors against n."""

    name = "least_squares"
    title = "Strongly convex objectives: both errors shrink, for the whole infinite class"
    n_panels = 3
    chapter = "Infinite classes"

    def compute(self, settings: Settings) -> LeastSquaresResult:
        """Draw sixty samples of two sizes for the pictures, and many for the curves."""
        problem = two_tasks()
        compare = WeightedFrontComparison(problem)
        root = as_seed_sequence(settings.seed)
        fronts = {
            n: compare.true_risks_of_fronts(
                problem.sample(n, replicates=_FRONTS, rng=block_stream(root, "least_squares figure", n))
            )
            for n in (_SMALL, _LARGE)
        }
        simulation = asymmetry(
            problem,
            sizes=[30, 100, 300, 1000, 3000] if settings.quick else [30, 100, 300, 1000, 3000, 10_000, 30_000],
            replicates=100 if settings.quick else 3000,
            rng=settings.seed,
            n_jobs=settings.n_jobs,
            progress=settings.progress,
            store=settings.store_for(self.name),
        )
        return LeastSquaresResult(compare.true_points, fronts, simulation)

    def draw(self, result: LeastSquaresResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw fronts in true risks for two sizes, then errors against n."""
        limits = _limits(result.fronts[_SMALL])
        for ax, n in zip(axes, (_SMALL, _LARGE), strict=False):
            _draw_fronts(ax, result.true_points, result.fronts[n])
            ax.set_xlim(*limits[0])
            ax.set_ylim(*limits[1])
        axes[0].set_title(f"n = {_SMALL}: {_FRONTS} samples, {_FRONTS} fronts")
        axes[1].set_title(f"n = {_LARGE}: they close in")
        _name_fronts(axes[0], result)
        third = axes[2]
        plot.asymmetry(result.simulation, bound=False, key=False, labels=_NAMES, ax=third)
        third.set_title("Coverage and purity error shrink")
        note(third, "bands: 90% of samples", at=(0.02, 0.05))
        return axes

    def caption(self, result: LeastSquaresResult) -> str:
        """Quote slopes and last values."""
        last = summarize(result.simulation).iloc[-1]
        slope = fitted_slope(result.simulation, "purity_error")
        return (
            f"One linear predictor for two regression tasks. Fronts of samples, in true risks, close in on the true "
            f"front. Purity error shrinks like n to the power {number_text(slope.value, 2)} "
            f"{interval_text(slope.low, slope.high, 2)}, to "
            f"{number_text(last['purity_error'], 2)} at n = {count_text(last['size'])}: where every objective is "
            f"strongly convex, a predictor that is nearly as good in all of them is nearly the same predictor."
        )

    def details(self, result: LeastSquaresResult) -> str:
        """Say how fronts are computed, what the grid can miss, and quote violations."""
        summary = summarize(result.simulation)
        last = summary.iloc[-1]
        return (
            f"Predictors in three dimensions; true and empirical fronts in closed form on a grid of weights, "
            f"{_FRONTS} samples per panel. Bands in the third panel hold 90% of the samples. Coverage error falls to "
            f"what the grids of weights can miss, at most {number_text(last['discretization'], 2)}.\n"
            f"In {int(summary['replicates'].sum()):,} samples the coverage error was above twice the largest deviation "
            f"plus the discretization {int(summary['violations'].sum())} times."
        )

    def summaries(self, result: LeastSquaresResult) -> Mapping[str, pd.DataFrame]:
        """Return the errors of the infinite class."""
        return {"least squares, two tasks": summarize(result.simulation)}

    def tables(self, result: LeastSquaresResult) -> Mapping[str, pd.DataFrame]:
        """Return the true front and the summary per size."""
        import pandas as pd

        front = pd.DataFrame(result.true_points, columns=["risk_1", "risk_2"])
        return {"true_front": front, "errors_by_size": summarize(result.simulation)}


def _limits(fronts: FloatArray) -> FloatArray:
    """Return limits of both axes, from zero, around all fronts."""
    largest = fronts.max(axis=(0, 1))
    return np.stack([0.0 * largest, 1.05 * largest], axis=1)


def _name_fronts(ax: Axes, result: LeastSquaresResult) -> None:
    """Name the true front and the empirical ones, with arrows to the middle of one of each."""
    palette = colors_of(ax)
    middle = len(result.true_points) // 2
    x, y = result.true_points[middle]
    point_out(ax, (float(x), float(y)), "true front", place=(0.03, 0.05), color=palette["truth"])
    fronts = result.fronts[_SMALL]
    x, y = fronts[int(fronts[:, middle].sum(axis=1).argmax()), middle]
    text = "empirical fronts,\nin true risks"
    point_out(ax, (float(x), float(y)), text, place=(0.4, 0.6), color=palette["purity"])


def _draw_fronts(ax: Axes, true_points: FloatArray, fronts: FloatArray) -> None:
    """Draw empirical fronts as thin lines above the true one."""
    palette = colors_of(ax)
    for points in fronts:
        ax.plot(points[:, 0], points[:, 1], color=palette["purity"], linewidth=0.7, alpha=0.4)
    ax.plot(*true_points.T, color=palette["truth"], linewidth=1.4)
    axis_labels(ax, "risk of task 1", "risk of task 2")
