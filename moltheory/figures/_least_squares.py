"""Least squares for two tasks: fronts of an infinite class, and where purity does come back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.experiments import WeightedFrontComparison, asymmetry
from moltheory.figures._curves import draw_errors, fitted_slope, summarize
from moltheory.pareto import attainment_surfaces
from moltheory.plotting import COLORS, axis_labels
from moltheory.problems import MultiTaskLeastSquares
from moltheory.reports import Figure, Settings
from moltheory.runs import as_seed_sequence, block_stream

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["LeastSquares", "two_tasks"]

_SIZE = 20
_FRONTS = 60
_LEVELS = (5, 50, 95)


def two_tasks() -> MultiTaskLeastSquares:
    """Return the two tasks in three dimensions whose front is known in closed form."""
    covariances = np.array([np.eye(3), [[2.0, 1.0, 0.0], [1.0, 2.0, 1.0], [0.0, 1.0, 2.0]]])
    return MultiTaskLeastSquares(covariances, np.eye(3)[[0, 2]], [0.5, 0.5], names=("task 1", "task 2"))


@dataclass(frozen=True)
class LeastSquaresResult:
    """True front, empirical fronts and their attainment surfaces in true risks, and a simulation."""

    true_points: FloatArray
    fronts: FloatArray
    surfaces: dict[int, FloatArray]
    simulation: pd.DataFrame


class LeastSquares(Figure[LeastSquaresResult]):
    """Empirical fronts in true risks around the true front, and errors against n."""

    name = "least_squares"
    title = "Strongly convex objectives: both errors shrink, for the whole infinite class"
    n_panels = 2

    def compute(self, settings: Settings) -> LeastSquaresResult:
        """Draw sixty samples of 20 for the picture, and many for the curves."""
        problem = two_tasks()
        compare = WeightedFrontComparison(problem)
        rng = block_stream(as_seed_sequence(settings.seed), "least_squares figure", _SIZE)
        fronts = compare.true_risks_of_fronts(problem.sample(_SIZE, replicates=_FRONTS, rng=rng))
        labels = np.repeat(np.arange(_FRONTS), fronts.shape[1])
        surfaces = attainment_surfaces(fronts.reshape(-1, 2), labels, percentiles=_LEVELS)
        simulation = asymmetry(
            problem,
            sizes=[30, 100, 300, 1000, 3000] if settings.quick else [30, 100, 300, 1000, 3000, 10_000, 30_000],
            replicates=100 if settings.quick else 3000,
            rng=settings.seed,
            n_jobs=settings.n_jobs,
            progress=settings.progress,
            store=settings.store_for(self.name),
        )
        return LeastSquaresResult(
            compare.true_points, fronts, {level: surfaces.surface(level) for level in _LEVELS}, simulation
        )

    def draw(self, result: LeastSquaresResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw fronts in true risks, then errors against n."""
        first, second = axes
        for i, points in enumerate(result.fronts):
            label = f"{_FRONTS} empirical fronts" if i == 0 else None
            first.plot(points[:, 0], points[:, 1], color=COLORS["purity"], linewidth=0.6, alpha=0.35, label=label)
        limit = 1.25 * result.true_points.max(axis=0)
        edges = np.linspace(0, limit[0], 400)
        low, high = (_height(result.surfaces[level], edges, limit[1]) for level in (_LEVELS[0], _LEVELS[-1]))
        first.fill_between(edges, low, high, color=COLORS["light"], alpha=0.4, linewidth=0, label="attained by 5-95 %")
        first.plot(*result.true_points.T, color=COLORS["truth"], linewidth=2.5, label="true front")
        first.set_xlim(0.9 * result.true_points[:, 0].min(), limit[0])
        first.set_ylim(0.9 * result.true_points[:, 1].min(), limit[1])
        first.set_title(f"In true risks; samples of n = {_SIZE}")
        axis_labels(first, "risk of task 1", "risk of task 2")
        first.legend(loc="upper right")
        draw_errors(second, result.simulation)
        second.plot(
            result.simulation["size"].unique(),
            result.simulation.groupby("size")["discretization"].mean(),
            "--",
            color=COLORS["bound"],
            label="discretization",
        )
        second.set_ylim(bottom=1.5e-4)
        second.set_title("Errors against n")
        second.legend(loc="lower left")
        return axes

    def caption(self, result: LeastSquaresResult) -> str:
        """Quote slopes and violations."""
        summary = summarize(result.simulation)
        last = summary.iloc[-1]
        return (
            f"One linear predictor in three dimensions for two regression tasks; true and empirical fronts in closed "
            f"form on a grid of weights. First panel: empirical fronts lie above the true one in true risks; the band "
            f"is what 5 to 95 % of samples attain. Second panel: in {int(summary['replicates'].sum()):,} samples the "
            f"coverage error was above twice the largest deviation plus the discretization "
            f"{int(summary['violations'].sum())} times. Purity error shrinks here, to {last['purity_error']:.2g} at n "
            f"= {int(last['size']):,}, with a fitted power of n of {fitted_slope(result.simulation, 'purity_error')}: "
            f"every objective is strongly convex, so a predictor that is nearly as good in all objectives is nearly "
            f"the same predictor. Coverage error falls to what the grids of weights can miss, at most "
            f"{last['discretization']:.2g} (dashed)."
        )

    def summaries(self, result: LeastSquaresResult) -> Mapping[str, pd.DataFrame]:
        """Return the errors of the infinite class."""
        return {"least squares, two tasks": summarize(result.simulation)}

    def tables(self, result: LeastSquaresResult) -> Mapping[str, pd.DataFrame]:
        """Return the true front and the summary per size."""
        import pandas as pd

        front = pd.DataFrame(result.true_points, columns=["risk_1", "risk_2"])
        return {"true_front": front, "errors_by_size": summarize(result.simulation)}


def _height(surface: FloatArray, x: FloatArray, top: float) -> FloatArray:
    """Return the height of an attainment surface, a staircase given by its corners, at each x."""
    order = np.argsort(surface[:, 0])
    corners = surface[order]
    below = np.searchsorted(corners[:, 0], x, side="right") - 1
    return np.where(below < 0, top, np.minimum(corners[np.maximum(below, 0), 1], top))
