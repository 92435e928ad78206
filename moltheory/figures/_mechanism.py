"""The mechanism: why a bad hypothesis enters the empirical front and more data does not throw it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.experiments import asymmetry
from moltheory.figures._curves import draw_errors
from moltheory.pareto import nondominated
from moltheory.plotting import COLORS, axis_labels, staircase
from moltheory.problems import mirrored_decoys
from moltheory.reports import Figure, Settings
from moltheory.runs import as_seed_sequence, block_stream

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Mechanism"]

_DRAW_SIZE = 25


@dataclass(frozen=True)
class MechanismResult:
    """One draw of mirrored decoys, and the errors of many draws."""

    true_risks: FloatArray
    empirical_risks: FloatArray
    selected: npt.NDArray[np.bool_]
    simulation: pd.DataFrame


class Mechanism(Figure[MechanismResult]):
    """True and empirical risks of mirrored decoys, and what happens as n grows."""

    name = "mechanism"
    title = "What is optimal is always approximated; what looks optimal can stay wrong forever"
    n_panels = 3

    def compute(self, settings: Settings) -> MechanismResult:
        """Draw one sample of 25 examples, then many samples of odd sizes."""
        world = mirrored_decoys()
        rng = block_stream(as_seed_sequence(settings.seed), "mechanism", _DRAW_SIZE)
        empirical = world.sample(_DRAW_SIZE, rng=rng).risks()
        sizes = [3, 11, 31, 101, 301, 1001] if settings.quick else [3, 11, 31, 101, 301, 1001, 3001, 10001]
        simulation = asymmetry(
            world,
            sizes=sizes,
            replicates=500 if settings.quick else 10_000,
            rng=settings.seed,
            n_jobs=settings.n_jobs,
            progress=settings.progress,
            store=settings.store_for(self.name),
        )
        return MechanismResult(world.true_risks, empirical, nondominated(empirical), simulation)

    def draw(self, result: MechanismResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw the truth, one sample, and the errors against n."""
        _draw_truth(axes[0], result)
        _draw_sample(axes[1], result)
        _draw_errors(axes[2], result.simulation)
        return axes

    def caption(self, result: MechanismResult) -> str:
        """Quote the lucky decoy, and both errors and the deviation at the largest size."""
        table = result.simulation
        lucky = result.empirical_risks[1:, 0].min()
        last = table["size"].max()
        deviation = table.loc[table["size"] == last, "uniform_deviation"].mean()
        return (
            f"First panel: truly, one model is best in both objectives; two decoys have the same error and cost more. "
            f"Second panel: in a sample of {_DRAW_SIZE} examples one decoy errs on {lucky:.0%}, by luck, so it is "
            f"empirically Pareto-optimal. The decoys err on opposite examples, so in every sample of odd size one of "
            f"them is lucky. Third panel: over {table['replicate'].nunique():,} samples per size up to n = {last:,}, "
            f"the coverage error (how far is each truly optimal model from the empirical front?) is "
            f"{table['coverage_error'].max():g} in every sample, and the purity error (how far is each empirically "
            f"optimal model from the true front?) is {table['purity_error'].min():g} in every sample, although all "
            f"empirical risks converge (largest deviation {deviation:.4f} on average at n = {last:,}; the band holds "
            f"90 % of the samples)."
        )

    def tables(self, result: MechanismResult) -> Mapping[str, pd.DataFrame]:
        """Return the one draw, and summaries per size."""
        import pandas as pd

        draw = pd.DataFrame(
            np.column_stack([result.true_risks, result.empirical_risks]),
            columns=["true_error", "true_cost", "empirical_error", "empirical_cost"],
        )
        draw.insert(0, "model", ["optimal", "decoy A", "decoy B"])
        draw["on_empirical_front"] = result.selected
        errors = result.simulation.groupby("size")[["coverage_error", "purity_error", "uniform_deviation"]]
        summary = errors.agg(["min", "mean", "max"])
        summary.columns = ["_".join(column) for column in summary.columns]
        return {"one_draw": draw, "errors_by_size": summary.reset_index()}


def _frame(ax: Axes, title: str) -> None:
    ax.set_title(title)
    ax.set_xlim(0.15, 0.85)
    ax.set_ylim(-0.3, 1.45)
    ax.set_yticks([0, 1])
    axis_labels(ax, "error", "cost")


def _draw_truth(ax: Axes, result: MechanismResult) -> None:
    _frame(ax, "1. The truth: one optimal model")
    (x0, y0), (x1, y1) = result.true_risks[0], result.true_risks[1]
    staircase(ax, result.true_risks, color=COLORS["truth"], linewidth=1.5)
    ax.plot(x0, y0, "o", color=COLORS["truth"], markersize=10)
    ax.plot(x1, y1, "s", color="white", markeredgecolor=COLORS["purity"], markeredgewidth=2, markersize=10)
    ax.annotate("the one optimal model", (x0, y0), (0, -20), textcoords="offset points", ha="center")
    ax.annotate("decoys A and B:\nsame error, more cost", (x1, y1), (12, 6), textcoords="offset points", va="bottom")


def _draw_sample(ax: Axes, result: MechanismResult) -> None:
    _frame(ax, f"2. A sample (n = {_DRAW_SIZE}): one looks good")
    staircase(ax, result.empirical_risks, color=COLORS["truth"], linewidth=1.5)
    ax.plot(*result.empirical_risks[0], "o", color=COLORS["truth"], markersize=10)
    for label, true, seen, on_front in zip(
        "AB", result.true_risks[1:], result.empirical_risks[1:], result.selected[1:], strict=True
    ):
        ax.annotate("", seen, true, arrowprops={"arrowstyle": "->", "color": COLORS["bound"], "shrinkB": 7})
        ax.plot(
            *seen,
            "s",
            color=COLORS["purity"] if on_front else "white",
            markeredgecolor=COLORS["purity"],
            markeredgewidth=2,
            markersize=10,
        )
        if on_front:
            text = f"decoy {label} enters\nthe front"
            ax.annotate(text, seen, (-10, -24), textcoords="offset points", ha="right", va="center")
        else:
            ax.annotate(f"decoy {label}", seen, (0, 14), textcoords="offset points", ha="center")


def _draw_errors(ax: Axes, table: pd.DataFrame) -> None:
    labels = {
        "purity_error": "purity error: is what we found real?",
        "coverage_error": "coverage error: did we find what is real?",
        "uniform_deviation": "largest deviation of any risk",
    }
    draw_errors(ax, table, labels=labels, logarithmic=False)
    ax.set_title("3. More examples do not help")
    ax.set_ylim(-0.05, 1.12)
    ax.legend(loc="center", bbox_to_anchor=(0.52, 0.7))
