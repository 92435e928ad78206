"""The asymmetry for infinite classes: strong convexity restores the converse, a flat direction breaks it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._text import joined
from moltheory.experiments import asymmetry, excess, flat_directions
from moltheory.figures._curves import draw_errors, fitted_slope, summarize
from moltheory.plotting import COLORS, log_sizes
from moltheory.problems import LinearPopulation
from moltheory.reports import Figure, Settings
from moltheory.scalarization import WeightedSum

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["InfiniteClasses"]

_CURVED, _FLAT = "mu = 1", "mu = 0 (flat)"
_FEATURES = ("mean radius", "mean smoothness", "mean concavity", "worst symmetry")
_GROUP = "mean texture"
# Radius of the ball of predictors, largest norm of an input, ridge.
_BALL, _INPUT, _RIDGE = 4.0, 4.0, 0.01
_SUMS = {"weights (.5, .5)": WeightedSum([0.5, 0.5]), "weights (.9, .1)": WeightedSum([0.9, 0.1])}
_STYLES = {"weights (.5, .5)": ("coverage", "o"), "weights (.9, .1)": ("extra", "D")}


@dataclass(frozen=True)
class InfiniteClassesResult:
    """Simulations: two pairs of objectives on the disk, and errors and excess of group losses on real data."""

    disk: pd.DataFrame
    groups: pd.DataFrame
    excess: pd.DataFrame
    name: str


class InfiniteClasses(Figure[InfiniteClassesResult]):
    """Errors against n with and without curvature, and for logistic group losses, with the excess of weighted sums."""

    name = "infinite_classes"
    title = "Infinite classes: strong convexity restores the converse, a flat direction breaks it"
    n_panels = 4

    def compute(self, settings: Settings) -> InfiniteClassesResult:
        """Simulate the unit disk, and classifiers of tumors over a ball."""
        quick = settings.quick
        disk = flat_directions(
            sizes=[30, 100, 300, 1000, 3000] if quick else [30, 100, 300, 1000, 3000, 10_000, 30_000],
            replicates=25 if quick else 200,
            rng=settings.seed,
            moduli=(1.0, 0.0),
        )
        problem = _tumors()
        sizes = [30, 100, 300, 1000] if quick else [30, 100, 300, 1000, 3000]
        groups = asymmetry(
            problem,
            sizes=sizes,
            replicates=15 if quick else 100,
            rng=settings.seed,
            n_jobs=settings.n_jobs,
            progress=settings.progress,
            store=settings.store_for(self.name, "errors"),
        )
        sums = excess(
            problem,
            scalarizations=_SUMS,
            sizes=sizes,
            replicates=50 if quick else 1000,
            rng=settings.seed,
            n_jobs=settings.n_jobs,
            progress=settings.progress,
            store=settings.store_for(self.name, "excess"),
        )
        return InfiniteClassesResult(disk, groups, sums, problem.name)

    def draw(self, result: InfiniteClassesResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw errors of three problems, and the excess of the last."""
        for ax, case, title in zip(axes, (_CURVED, _FLAT), ("Strongly convex", "One flat direction"), strict=False):
            part = result.disk[result.disk["case"] == case]
            draw_errors(ax, part)
            inner = part.groupby("size")["interior_purity"].mean()
            ax.plot(inner.index, inner, "D--", color=COLORS["extra"], label="purity error, all weights ≥ 0.2")
            ax.set_ylim(1e-5, 1e3)
            ax.set_title(title)
        axes[0].legend(loc="upper right")
        draw_errors(axes[2], result.groups)
        axes[2].set_ylim(3e-4, 1)
        axes[2].set_title("Logistic losses of two groups")
        axes[2].legend(loc="lower left")
        ax = axes[3]
        for label, (color, marker) in _STYLES.items():
            chosen = result.excess[result.excess["scalarization"] == label]
            part = chosen.groupby("size").mean(numeric_only=True)
            tone = COLORS[color]
            ax.plot(part.index, part["excess"], f"{marker}-", color=tone, label=f"excess, {label}")
            ax.plot(part.index, part["twice_deviation"], f"{marker}:", color=tone, markerfacecolor="white")
        ax.plot([], [], ":", color=COLORS["bound"], label="2U(C), C realized on the fronts")
        ax.plot(part.index, part["bound"], "--", color=COLORS["bound"], label="2U(C), C a bound for the ball")
        ax.set_yscale("log")
        ax.set_ylim(1e-5, 5e4)
        ax.set_ylabel("← better     scalarized excess")
        ax.set_title("The same: excess of weighted sums")
        ax.legend(loc="upper right")
        log_sizes(ax)
        return axes

    def caption(self, result: InfiniteClassesResult) -> str:
        """Quote slopes, last values, and what was violated."""
        last = result.disk[result.disk["size"] == result.disk["size"].max()].groupby("case").mean(numeric_only=True)
        curved = result.disk[result.disk["case"] == _CURVED].assign(undefined=False)
        n = int(result.disk["size"].max())
        broken = int(
            (result.disk["squared_distance"] > result.disk["convexity_bound"] * (1 + 1e-9)).sum()
            + (result.disk["interior_purity"] > result.disk["interior_bound"] * (1 + 1e-9)).sum()
        )
        summary = summarize(result.groups)
        end = summary.iloc[-1]
        table = result.excess
        above = int((table["excess"] > table["deviation"] + table["gap"] + 1e-12).sum())
        at_end = table[table["size"] == table["size"].max()]
        ends = joined(f"{row['excess']:.1e} ({label})" for label, row in _means(at_end).iterrows())
        return (
            f"First two panels: predictors in the unit disk, one objective known, the other tilted by sampling noise. "
            f"With curvature 1 in the tilted direction purity error goes like n to the power "
            f"{fitted_slope(curved, 'purity_error')}; with curvature 0 it is {last.loc[_FLAT, 'purity_error']:.2f} at "
            f"n = {n:,}, though the largest deviation is {last.loc[_FLAT, 'uniform_deviation']:.1e}. Members with all "
            f"weights at least 0.2 are safe in both (interior-weights; dashed). Coverage error levels off at what the "
            f"60 weights of the trace can miss. The statements interior-weights and strong-convexity, with realized "
            f"deviations, failed in {broken} of {len(result.disk):,} samples. Third panel: linear classifiers in a "
            f"ball, logistic losses with ridge of {result.name}; at n = {int(end['size']):,} per group purity error "
            f"is {end['purity_error']:.1e}, coverage error {end['coverage_error']:.1e}, of which the grid of weights "
            f"can miss {end['discretization']:.1e}; {int(summary['violations'].sum())} of "
            f"{int(summary['replicates'].sum()):,} samples above twice the deviation plus that. Fourth panel: the "
            f"true excess of empirical minimisers, {ends} at the last size; above the realized deviation at the two "
            f"minimisers in {above} of {len(table):,} cases. The bound from Rademacher complexity (95 %) is "
            f"{at_end['bound'].mean():.2g} there, for losses of up to {np.log1p(np.exp(_BALL * _INPUT)):.2g} on the "
            f"ball."
        )

    def summaries(self, result: InfiniteClassesResult) -> Mapping[str, pd.DataFrame]:
        """Return the errors of the group losses."""
        return {"logistic losses of two groups": summarize(result.groups)}

    def tables(self, result: InfiniteClassesResult) -> Mapping[str, pd.DataFrame]:
        """Return means per size of all simulations."""
        disk = result.disk.drop(columns="replicate").groupby(["case", "size"], as_index=False).mean()
        means = result.excess.groupby(["scalarization", "size"], as_index=False).mean(numeric_only=True)
        return {"disk": disk, "groups": summarize(result.groups), "excess": means.drop(columns="replicate")}


def _means(table: pd.DataFrame) -> pd.DataFrame:
    return table.groupby("scalarization", sort=False).mean(numeric_only=True)


def _tumors() -> LinearPopulation:
    """Malignant against benign tumors from a few features, with the losses of two groups as objectives."""
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer()
    names = data.feature_names.tolist()
    x = data.data[:, [names.index(name) for name in _FEATURES]]
    x = np.column_stack([(x - x.mean(axis=0)) / x.std(axis=0), np.ones(len(x))])
    texture = data.data[:, names.index(_GROUP)]
    high = texture > np.median(texture)
    return LinearPopulation(
        [x[high], x[~high]],
        [data.target[high], data.target[~high]],
        losses="logistic",
        radius=_BALL,
        input_norm=_INPUT,
        ridge=_RIDGE,
        names=("high texture", "low texture"),
        name="breast cancer by mean texture",
    )
