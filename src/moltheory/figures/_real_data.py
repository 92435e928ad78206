"""The asymmetry on real data: breast cancer, three objectives, 300 models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._numbers import count_text, number_text, percent_text
from moltheory._core._validation import FloatArray
from moltheory.experiments import asymmetry
from moltheory.figures._curves import summarize
from moltheory.figures._inline import write_at
from moltheory.figures._populations import data_set, never_decided
from moltheory.pareto import nondominated
from moltheory.plot import asymmetry as draw_asymmetry
from moltheory.plotting import axis_labels, colors_of, log_sizes, staircase
from moltheory.reports import Figure, Settings
from moltheory.runs import as_seed_sequence, block_stream

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["BreastCancer"]

_DRAW_SIZE = 200
_SHARE_REPLICATES = 400
_RATES = np.array([True, True, False])
_OFTEN = 0.05
_FEATURES = 30
# Numbers of features whose fronts are drawn.
_LEVELS = ((2, ":"), (6, "--"), (30, "-"))


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
    chapter = "On real data"

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
        _draw_errors(axes[1], summarize(result.simulation))
        _draw_members(axes[2], result)
        return axes

    def caption(self, result: BreastCancerResult) -> str:
        """Quote the one draw and the largest n."""
        spurious = result.selected & ~result.truly_optimal
        last = summarize(result.simulation).iloc[-1]
        return (
            f"Tumor classifiers, three objectives: the two rates and the number of features. A sample of {_DRAW_SIZE} "
            f"selects {int(result.selected.sum())} of {len(result.true_risks)} models, {int(spurious.sum())} of them "
            f"not optimal. At n = {count_text(last['size'])} the mean coverage error is "
            f"{number_text(last['coverage_error'], 2)}, the mean purity error still "
            f"{number_text(last['purity_error'], 2)}: {number_text(last['mean_n_spurious'], 2)} of "
            f"{number_text(last['mean_n_front'], 2)} members are spurious."
        )

    def details(self, result: BreastCancerResult) -> str:
        """Say what is drawn, and why spurious members stay."""
        summary = summarize(result.simulation)
        last = summary.iloc[-1]
        stay = ~result.truly_optimal & (result.share_on_front >= _OFTEN)
        tied = int((stay & never_decided(result.true_risks, _RATES)).sum())
        return (
            f"The {len(result.true_risks)} models were fixed before any sample was drawn; the population has 285 tumors, "
            f"so true risks are exact. First panel: true risks of the models that are optimal or selected. A gray line "
            f"is the front of all models with at most so many features: a model off the lowest line can be optimal "
            f"because it needs fewer features. A square around a dot has the same rates as an optimal model and more "
            f"features. Axes are square roots.\n"
            f"In {count_text(int(summary['replicates'].sum()))} samples the coverage error was above twice the largest "
            f"deviation {int(summary['violations'].sum())} times. {int(summary['undefined'].sum())} samples had no tumor of "
            f"one kind and make no claim.\n"
            f"Why do spurious members stay? At n = {count_text(last['size'])}, {int(stay.sum())} models that are not "
            f"optimal are on the empirical front in at least {percent_text(_OFTEN)} of {_SHARE_REPLICATES} samples; "
            f"{tied} of them tie exactly, in one of the two rates, with every model that dominates them, so chance "
            f"decides for any number of examples."
        )

    def alt(self, result: BreastCancerResult) -> str:
        """Describe the three panels."""
        last = summarize(result.simulation).iloc[-1]
        return (
            "First panel: models by false-negative and false-positive rate, with the fronts for few and many features as "
            f"nested steps; {int((result.selected & ~result.truly_optimal).sum())} squares are selected and not optimal. "
            f"Second panel: coverage error falls to {number_text(last['coverage_error'], 2)}, purity error stays near "
            f"{number_text(last['purity_error'], 2)}. Third panel: the empirical front grows to all "
            f"{int(result.truly_optimal.sum())} optimal models and "
            f"{number_text(last['mean_n_spurious'], 2)} spurious ones."
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


def _root(values: FloatArray) -> FloatArray:
    # Odd, so that the little room left of zero has a place too.
    return np.asarray(np.sign(values) * np.sqrt(np.abs(values)))


def _square(values: FloatArray) -> FloatArray:
    return np.asarray(np.sign(values) * values**2)


def _draw_models(ax: Axes, result: BreastCancerResult) -> None:
    colors = colors_of(ax)
    optimal, found = result.truly_optimal, result.selected
    shown = result.true_risks[optimal | found].max(axis=0)
    for set_scale in (ax.set_xscale, ax.set_yscale):
        set_scale("function", functions=(_root, _square))
    ax.set_xlim(-0.0008, 1.1 * shown[0])
    ax.set_ylim(-0.0008, 2.6 * shown[1])
    handles = []
    for most, line in _LEVELS:
        part = result.true_risks[result.true_risks[:, 2] <= most / _FEATURES + 1e-9][:, :2]
        staircase(
            ax, part, color=colors["bound"], linewidth=1.3, linestyle=line, label=f"front of {most} features or fewer"
        )
        handles.append(ax.lines[-1])
    groups = (
        (found & ~optimal, "selected, not optimal", "s", 10, "none", colors["purity"]),
        (optimal & ~found, "optimal, missed", "o", 6, ax.get_facecolor(), colors["coverage"]),
        (optimal & found, "optimal, selected", "o", 6, colors["coverage"], colors["coverage"]),
    )
    for mask, label, marker, size, face, edge in groups:
        points = result.true_risks[mask]
        name = f"{int(mask.sum())} {label}"
        handles += ax.plot(
            points[:, 0],
            points[:, 1],
            marker,
            markerfacecolor=face,
            markeredgecolor=edge,
            markeredgewidth=2.0 if marker == "s" else 1.2,
            markersize=size,
            # Squares are open: the dots in them stay visible.
            zorder=4 if marker == "s" else 3,
            label=name,
        )
    ax.legend(
        handles=handles[::-1], loc="upper right", handletextpad=0.4, borderaxespad=0.0, fontsize=9.0, labelspacing=0.3
    )
    ticks = [0, 0.01, 0.05, 0.1, 0.2, 0.4]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axis_labels(ax, "false-negative rate\n(square-root scale)", "false-positive rate\n(square-root scale)")
    ax.set_title(f"1. A sample of {_DRAW_SIZE}, in true risks")


def _draw_errors(ax: Axes, summary: pd.DataFrame) -> None:
    """Draw mean errors, and the bound with its name along it: it ends where purity error does."""
    means = summary[["purity_error", "coverage_error", "uniform_deviation"]].to_numpy()
    # Names of curves stand at heights for the limits that the panel keeps.
    ax.set_yscale("log")
    ax.set_ylim(0.5 * means[means > 0].min(), 3.0 * summary["bound"].max())
    draw_asymmetry(summary[["size", "purity_error", "coverage_error", "uniform_deviation"]], bound=False, ax=ax)
    color = colors_of(ax)["bound"]
    ax.plot(summary["size"], summary["bound"], "--", color=color, linewidth=1.5, label="bound on coverage error")
    middle = summary.iloc[len(summary) // 3]
    write_at(ax, (middle["size"], middle["bound"]), "bound on coverage error", offset=(4, 5), color=color)
    ax.set_ylabel("← better     mean distance in true risks")
    ax.set_title("2. Purity error stays", loc="left")


def _draw_members(ax: Axes, result: BreastCancerResult) -> None:
    colors = colors_of(ax)
    grouped = result.simulation.groupby("size")
    sizes = np.array(sorted(result.simulation["size"].unique()))
    spurious = grouped["n_spurious"].mean().to_numpy()
    real = grouped["n_front"].mean().to_numpy() - spurious
    count = int(result.truly_optimal.sum())
    ax.fill_between(sizes, 0, real, color=colors["coverage"], linewidth=0, label="truly optimal")
    ax.fill_between(sizes, real, real + spurious, color=colors["purity"], linewidth=0, label="spurious")
    ax.axhline(count, color=colors["truth"], linestyle="--", linewidth=1.5, label="size of the true front")
    log_sizes(ax)
    ax.set_xlim(sizes[0], sizes[-1])
    ax.set_ylim(0, 1.4 * count)
    write_at(ax, (sizes[0], count), f"true front: {count}", offset=(6, 4))
    ax.text(0.96, 0.3, "truly optimal", transform=ax.transAxes, color=ax.get_facecolor(), ha="right")
    text = f"{number_text(spurious[-1], 2)} spurious models remain"
    write_at(ax, (sizes[-1], real[-1] + spurious[-1]), text, offset=(-4, 5), color=colors["purity"])
    ax.set_ylabel("models, mean over samples")
    ax.set_title("3. Members of the empirical front")
