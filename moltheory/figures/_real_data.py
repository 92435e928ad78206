"""The asymmetry on real data: breast cancer, three objectives, 300 models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.experiments import asymmetry
from moltheory.figures._curves import draw_errors, summarize
from moltheory.figures._populations import data_set, never_decided
from moltheory.pareto import nondominated
from moltheory.plotting import COLORS, axis_labels, log_sizes, note
from moltheory.reports import Figure, Settings
from moltheory.runs import as_seed_sequence, block_stream

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["BreastCancer"]

_DRAW_SIZE = 200
_SHARE_REPLICATES = 400
_RATES = np.array([True, True, False])


@dataclass(frozen=True)
class BreastCancerResult:
    """True and empirical risks of one draw, and the errors of many draws."""

    names: tuple[str, ...]
    true_risks: FloatArray
    truly_optimal: npt.NDArray[np.bool_]
    selected: npt.NDArray[np.bool_]
    empirical_risks: FloatArray
    share_on_front: FloatArray
    simulation: pd.DataFrame


class BreastCancer(Figure[BreastCancerResult]):
    """300 classifiers on a population of 285 tumors, with samples drawn from it."""

    name = "breast_cancer"
    title = "Real data: what is real gets found, but not all that is found is real"
    n_panels = 3

    def compute(self, settings: Settings) -> BreastCancerResult:
        """Draw one sample of 200, then many samples."""
        problem = data_set("breast_cancer")
        rng = block_stream(as_seed_sequence(settings.seed), "breast_cancer figure", _DRAW_SIZE)
        empirical = problem.sample(_DRAW_SIZE, rng=rng).risks()
        sizes = [30, 100, 300, 1000, 3000] if settings.quick else [30, 100, 300, 1000, 3000, 10_000, 30_000]
        largest = problem.sample(sizes[-1], replicates=_SHARE_REPLICATES, rng=rng)
        simulation = asymmetry(
            problem,
            sizes=sizes,
            replicates=200 if settings.quick else 5000,
            rng=settings.seed,
            n_jobs=settings.n_jobs,
            progress=settings.progress,
            store=settings.store_for(self.name),
        )
        truth = problem.true.risks()
        return BreastCancerResult(
            problem.objective_names,
            truth,
            nondominated(truth),
            nondominated(empirical),
            empirical,
            nondominated(largest.risks()).mean(axis=0),
            simulation,
        )

    def draw(self, result: BreastCancerResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw the models in true risks, the errors against n, and the make-up of the empirical front."""
        _draw_models(axes[0], result)
        _draw_errors(axes[1], result.simulation)
        _draw_members(axes[2], result)
        return axes

    def caption(self, result: BreastCancerResult) -> str:
        """Quote the one draw and the largest n."""
        found = result.selected & ~result.truly_optimal
        summary = summarize(result.simulation)
        last = summary.iloc[-1]
        stay = ~result.truly_optimal & (result.share_on_front >= 0.05)
        tied = int((stay & never_decided(result.true_risks, _RATES)).sum())
        return (
            f"Breast cancer, {result.true_risks.shape[0]} models fixed before any draw, population of 285 tumors; "
            f"objectives are false-negative rate, false-positive rate and the share of features used. First panel: in "
            f"one sample of {_DRAW_SIZE} the empirical front has {int(result.selected.sum())} members, of which "
            f"{int(found.sum())} are not truly optimal (squares); {int(result.truly_optimal.sum())} models are truly "
            f"optimal (the third objective is not drawn: it is why some of them look dominated). Second panel: in "
            f"{int(summary['replicates'].sum()):,} samples the coverage error was above twice the largest deviation "
            f"{int(summary['violations'].sum())} times; bands reach from the 5 % to the 95 % quantile, or from the "
            f"mean where the former is 0. At n = {int(last['size']):,} the mean coverage error is "
            f"{last['coverage_error']:.2g} and the mean purity error {last['purity_error']:.2g}. Third panel: members "
            f"of the empirical front by what they truly are. Why do spurious ones stay? At that n, {int(stay.sum())} "
            f"models that are not optimal are on the empirical front in at least 5 % of {_SHARE_REPLICATES} samples; "
            f"{tied} of them tie exactly, in one of the two rates, with every model that dominates them, so chance "
            f"decides for any number of examples. {int(summary['undefined'].sum())} samples had no tumor of one kind "
            f"and make no claim."
        )

    def tables(self, result: BreastCancerResult) -> Mapping[str, pd.DataFrame]:
        """Return the models with their risks, and the summary per size."""
        import pandas as pd

        models = pd.DataFrame(result.true_risks, columns=[f"true_{name}" for name in result.names])
        for i, name in enumerate(result.names):
            models[f"empirical_{name}"] = result.empirical_risks[:, i]
        models["truly_optimal"] = result.truly_optimal
        models["on_empirical_front"] = result.selected
        models["share_of_samples_on_front"] = result.share_on_front
        models.insert(0, "model", range(len(models)))
        return {"models": models, "errors_by_size": summarize(result.simulation)}


def _draw_models(ax: Axes, result: BreastCancerResult) -> None:
    optimal, found = result.truly_optimal, result.selected
    groups = (
        (~found & ~optimal, "other models", ".", 5, COLORS["bound"], COLORS["bound"]),
        (optimal & ~found, "truly optimal, missed", "o", 8, "white", COLORS["coverage"]),
        (optimal & found, "truly optimal, found", "o", 8, COLORS["coverage"], "white"),
        (found & ~optimal, "found, not optimal", "s", 7, COLORS["purity"], "white"),
    )
    for mask, label, marker, size, face, edge in groups:
        ax.plot(
            result.true_risks[mask, 0],
            result.true_risks[mask, 1],
            marker,
            color=face,
            markeredgecolor=edge,
            markersize=size,
            label=f"{label} ({int(mask.sum())})",
        )
    # Models that always say one thing would stretch the axes; the front is what matters.
    shown = result.true_risks[optimal | found].max(axis=0)
    outside = int((result.true_risks[:, :2] > 1.15 * shown[:2]).any(axis=1).sum())
    note(ax, f"{outside} other models lie outside", at=(0.98, 0.5), color=COLORS["bound"], ha="right")
    ax.set_xlim(-0.02, 1.15 * shown[0])
    ax.set_ylim(-0.02, 1.15 * shown[1])
    ax.set_title(f"True risks; one sample of n = {_DRAW_SIZE}")
    axis_labels(ax, "false-negative rate", "false-positive rate")
    ax.legend(loc="upper right")


def _draw_errors(ax: Axes, table: pd.DataFrame) -> None:
    draw_errors(ax, table)
    bound = table.groupby("size")["bound"].mean()
    ax.plot(bound.index, bound, "--", color=COLORS["bound"], label="bound 2C on coverage")
    ax.set_title("Errors against n")
    ax.set_ylim(bottom=2e-6)
    ax.legend(loc="lower left")


def _draw_members(ax: Axes, result: BreastCancerResult) -> None:
    grouped = result.simulation.groupby("size")
    sizes = np.array(sorted(result.simulation["size"].unique()))
    spurious = grouped["n_spurious"].mean()
    real = grouped["n_front"].mean() - spurious
    ax.fill_between(sizes, 0, real, color=COLORS["coverage"], alpha=0.75, label="truly optimal")
    ax.fill_between(sizes, real, real + spurious, color=COLORS["purity"], alpha=0.75, label="spurious", hatch="//")
    ax.axhline(result.truly_optimal.sum(), color=COLORS["truth"], linestyle="--", label="size of the true front")
    ax.set_title("Members of the empirical front")
    log_sizes(ax)
    ax.set_xlim(sizes[0], sizes[-1])
    ax.set_ylim(bottom=0)
    ax.set_ylabel("mean number of models")
    ax.legend(loc="best")
