"""The asymmetry for infinite classes: strong convexity restores the converse, a flat direction breaks it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory import plot
from moltheory._core._numbers import count_text, interval_text, number_text
from moltheory._core._text import joined
from moltheory.experiments import asymmetry, excess, flat_directions
from moltheory.figures._curves import ERRORS, fitted_slope, summarize
from moltheory.plotting import colors_of, label_lines, log_sizes, note
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
_NAMES = {
    "purity_error": "purity error",
    "coverage_error": "coverage error",
    "uniform_deviation": "deviation",
}
_INNER = "purity error if both\nweights ≥ 0.2"
_STYLES = {"weights (.5, .5)": "o-", "weights (.9, .1)": "D--"}


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
    chapter = "Infinite classes"

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
        titles = ("Strongly convex: purity improves", "One flat direction: it stays at 1")
        for ax, case, title in zip(axes, (_CURVED, _FLAT), titles, strict=False):
            _draw_disk(ax, result.disk[result.disk["case"] == case])
            ax.set_title(title)
        plot.asymmetry(result.groups, bound=False, key=False, labels=_NAMES, ax=axes[2])
        axes[2].set_title("Logistic losses: all three shrink")
        note(axes[2], "bands: 90% of samples", at=(0.97, 0.94), ha="right")
        _draw_excess(axes[3], result.excess)
        return axes

    def caption(self, result: InfiniteClassesResult) -> str:
        """Quote the slope with curvature, the last values with and without, and those on real data."""
        last = result.disk[result.disk["size"] == result.disk["size"].max()].groupby("case").mean(numeric_only=True)
        curved = result.disk[result.disk["case"] == _CURVED].assign(undefined=False)
        end = summarize(result.groups).iloc[-1]
        return (
            f"With curvature in every direction purity error falls like n to the power "
            f"{number_text(fitted_slope(curved, 'purity_error').value, 2)}; with one flat direction it is still "
            f"{number_text(last.loc[_FLAT, 'purity_error'], 2)} at n = {count_text(result.disk['size'].max())}. Coverage "
            f"error falls in both, to "
            f"{number_text(last.loc[_CURVED, 'coverage_error'], 2)} and "
            f"{number_text(last.loc[_FLAT, 'coverage_error'], 2)}. Logistic losses with ridge on real data are of the first "
            f"kind: "
            f"{number_text(end['purity_error'], 2)} at n = {count_text(end['size'])}. Their bound holds and is loose."
        )

    def details(self, result: InfiniteClassesResult) -> str:
        """Say what is simulated, quote slopes and last values, and what was violated."""
        last = result.disk[result.disk["size"] == result.disk["size"].max()].groupby("case").mean(numeric_only=True)
        curved = result.disk[result.disk["case"] == _CURVED].assign(undefined=False)
        slope = fitted_slope(curved, "purity_error")
        broken = int(
            (result.disk["squared_distance"] > result.disk["convexity_bound"] * (1 + 1e-9)).sum()
            + (result.disk["interior_purity"] > result.disk["interior_bound"] * (1 + 1e-9)).sum()
        )
        summary = summarize(result.groups)
        end = summary.iloc[-1]
        table = result.excess
        above = int((table["excess"] > table["deviation"] + table["gap"] + 1e-12).sum())
        at_end = table[table["size"] == table["size"].max()]
        ends = joined(f"{number_text(row['excess'], 2)} ({label})" for label, row in _means(at_end).iterrows())
        return (
            f"First two panels: predictors in the unit disk, one objective known, the other tilted by sampling noise. "
            f"With curvature 1 in the tilted direction the power of n is {number_text(slope.value)} "
            f"{interval_text(slope.low, slope.high)} (95% interval); with curvature 0 purity error stays, though the "
            f"largest deviation is {number_text(last.loc[_FLAT, 'uniform_deviation'], 2)} at the last size. Members "
            f"with all weights at least 0.2 are safe in both (interior-weights). Both errors are distances to continuous "
            f"fronts. The statements interior-weights and strong-convexity, with realized "
            f"deviations, failed in {broken} of {len(result.disk):,} samples.\n"
            f"Third panel: linear classifiers in a ball, logistic losses with ridge of {result.name}; bands hold 90% "
            f"of the samples. At n = {int(end['size']):,} per group coverage error is "
            f"{number_text(end['coverage_error'], 2)}, of which the grid of weights explains at most "
            f"{number_text(end['discretization'], 2)}; {int(summary['violations'].sum())} of "
            f"{int(summary['replicates'].sum()):,} samples above twice the deviation plus that.\n"
            f"Fourth panel: the true excess of empirical minimisers, {ends} at the last size; twice the deviation that "
            f"occurs on the fronts; and the bound from Rademacher complexity, at confidence 95%: "
            f"{number_text(at_end['bound'].mean(), 2)} there, for losses of up to "
            f"{number_text(np.log1p(np.exp(_BALL * _INPUT)), 2)} on the ball. The excess was above the realized "
            f"deviation at the two minimisers in {above} of {len(table):,} cases."
        )

    def summaries(self, result: InfiniteClassesResult) -> Mapping[str, pd.DataFrame]:
        """Return the errors of the group losses."""
        return {"logistic losses of two groups": summarize(result.groups)}

    def tables(self, result: InfiniteClassesResult) -> Mapping[str, pd.DataFrame]:
        """Return means per size of all simulations."""
        disk = result.disk.drop(columns="replicate").groupby(["case", "size"], as_index=False).mean()
        means = result.excess.groupby(["scalarization", "size"], as_index=False).mean(numeric_only=True)
        return {"disk": disk, "groups": summarize(result.groups), "excess": means.drop(columns="replicate")}


def _draw_disk(ax: Axes, table: pd.DataFrame) -> None:
    """Draw mean errors, those of purity bold, and the purity error of members that no weight near zero selects."""
    palette = colors_of(ax)
    means = table.groupby("size").mean(numeric_only=True)
    for column, (_, color, marker) in ERRORS.items():
        width = 3.0 if column == "purity_error" else 1.5
        look: dict[str, Any] = {"color": palette[color], "linewidth": width, "label": _NAMES[column]}
        ax.plot(means.index, means[column], f"{marker}-", **look)
    inner = means["interior_purity"]
    ax.plot(means.index, inner, "D--", color=palette["extra"], linewidth=1.5, label=_INNER)
    ax.set_yscale("log")
    ax.set_ylim(2e-6, 4)
    ax.set_ylabel("← better     distance in true risks")
    log_sizes(ax)
    label_lines(ax)


def _draw_excess(ax: Axes, table: pd.DataFrame) -> None:
    """Draw the excess of weighted sums, twice the deviation that occurs, and the bound."""
    palette = colors_of(ax)
    for label, style in _STYLES.items():
        part = table[table["scalarization"] == label].groupby("size").mean(numeric_only=True)
        name = label.replace("weights ", "excess, ")
        ax.plot(part.index, part["excess"], style, color=palette["truth"], linewidth=1.5, label=name)
    ax.plot(part.index, part["twice_deviation"], "v:", color=palette["deviation"], label="twice the\ndeviation")
    ax.plot(part.index, part["bound"], "--", color=palette["bound"], label="bound, 95%")
    ax.set_yscale("log")
    ax.set_ylim(4e-5, 60)
    ax.set_ylabel("← better     excess of weighted sums")
    ax.set_title("Logistic losses: a loose bound")
    log_sizes(ax)
    label_lines(ax)


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
        objective_names=("high texture", "low texture"),
        name="breast cancer by mean texture",
    )
