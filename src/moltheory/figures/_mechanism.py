"""The mechanism: why a bad hypothesis enters the empirical front and more data does not throw it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory import plot
from moltheory._core._numbers import number_text
from moltheory._core._validation import FloatArray
from moltheory.experiments import asymmetry
from moltheory.figures._inline import write_at
from moltheory.pareto import nondominated
from moltheory.plotting import axis_labels, colors_of, ink_of, staircase
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
    seed: int


class Mechanism(Figure[MechanismResult]):
    """True and empirical risks of mirrored decoys, and what happens as n grows."""

    name = "mechanism"
    chapter = "What happens"
    title = "What is optimal is always approximated; what looks optimal can stay wrong forever"
    n_panels = 3

    def compute(self, settings: Settings) -> MechanismResult:
        """Draw one sample of 25 examples, then many samples of odd sizes."""
        world = mirrored_decoys()
        empirical = world.sample(_DRAW_SIZE, rng=_stream(settings.seed)).risks()
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
        return MechanismResult(world.true_risks, empirical, nondominated(empirical), simulation, settings.seed)

    def draw(self, result: MechanismResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw the truth, one sample, and the errors against n."""
        _draw_truth(axes[0], result)
        _draw_sample(axes[1], result)
        _draw_errors(axes[2], result.simulation)
        return axes

    def caption(self, result: MechanismResult) -> str:
        """Quote the lucky decoy, and both errors at the largest size."""
        table = result.simulation
        lucky = result.empirical_risks[1:, 0].min()
        return (
            f"One model is optimal. In a sample of {_DRAW_SIZE} examples a decoy errs on {lucky:.0%}, by luck, and enters "
            f"the empirical front. Up to n = {table['size'].max():,}, the coverage error is "
            f"{table['coverage_error'].max():g} in every sample: the optimal model is always found. The purity error is "
            f"{table['purity_error'].min():g} in every sample: so is a decoy."
        )

    def details(self, result: MechanismResult) -> str:
        """Say why, and what the errors measure."""
        table = result.simulation
        last = table["size"].max()
        deviation = table.loc[table["size"] == last, "uniform_deviation"].mean()
        return "\n".join(
            (
                "Both decoys have the same true error as the optimal model and cost more. They err on opposite examples, so "
                "in every sample of odd size one of them is lucky.",
                "Coverage error: how far is each truly optimal model from the empirical front? Purity error: how far is "
                "each empirically optimal model from the true front? Both in true risks.",
                f"All empirical risks converge: the largest deviation is {number_text(deviation)} on average at "
                f"n = {last:,}. Third panel: means over {table['replicate'].nunique():,} samples per size; the band holds "
                f"90% of the samples.",
            )
        )

    def alt(self, result: MechanismResult) -> str:
        """Say what each panel shows."""
        return (
            "Three panels. First, error against cost in truth: one optimal model, two decoys of the same error and higher "
            "cost. Second, the same in a sample: one decoy has moved to the left and is on the empirical front. Third, "
            "against the number of examples: purity error stays at one, coverage error at zero, the largest deviation falls."
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


def _stream(seed: int) -> np.random.Generator:
    """Return the stream of the one sample that is shown."""
    return block_stream(as_seed_sequence(seed), "mechanism", _DRAW_SIZE)


def _frame(ax: Axes, title: str) -> None:
    ax.set_title(title)
    ax.set_xlim(0.15, 0.85)
    ax.set_ylim(-0.3, 1.45)
    ax.set_yticks([0, 1])


def _draw_truth(ax: Axes, result: MechanismResult) -> None:
    _frame(ax, "1. The truth: one optimal model")
    axis_labels(ax, "error", "cost")
    colors, ink = colors_of(ax), ink_of(ax)
    (x0, y0), (x1, y1) = result.true_risks[0], result.true_risks[1]
    staircase(ax, result.true_risks, color=colors["truth"], linewidth=1.8)
    ax.plot(x0, y0, "o", color=colors["coverage"], markersize=10, zorder=3)
    hollow: dict[str, Any] = {"markerfacecolor": ax.get_facecolor(), "markeredgecolor": colors["purity"]}
    ax.plot(x1, y1, "s", markeredgewidth=2, markersize=10, zorder=3, **hollow)
    offset: dict[str, Any] = {"textcoords": "offset points", "color": ink}
    write_at(ax, (0.84, y0), "true front", offset=(-0.1, 5))
    ax.annotate("the one optimal model", (x0, y0), (0, -20), ha="center", **offset)
    ax.annotate("decoys A and B:\nsame error, more cost", (x1, y1), (12, 6), va="bottom", **offset)


def _draw_sample(ax: Axes, result: MechanismResult) -> None:
    """Draw the empirical risks, how luck moved the decoys, and the whole empirical front."""
    _frame(ax, f"2. A sample (n = {_DRAW_SIZE}): one looks good")
    axis_labels(ax, "error", "cost")
    colors, ink = colors_of(ax), ink_of(ax)
    seen, on_front = result.empirical_risks, result.selected
    staircase(ax, seen, color=colors["coverage"], linewidth=1.8, linestyle="--", label="_empirical front")
    write_at(ax, (0.84, 0.0), "empirical front", offset=(-0.1, 5), color=colors["coverage"])
    x0, y0 = result.true_risks[1]
    arrow: dict[str, Any] = {"arrowstyle": "->", "color": ink, "linewidth": 1.2, "shrinkA": 0.0, "shrinkB": 0.0}
    for letter, (x, y), selected in zip("AB", seen[1:], on_front[1:], strict=True):
        if x != x0:
            ax.annotate("", (x, y0 + 0.13), xytext=(x0, y0 + 0.13), arrowprops=arrow)
        face = colors["purity"] if selected else ax.get_facecolor()
        label = f"_decoy {letter}"
        ax.plot(x, y, "s", markersize=10, markeredgewidth=2, color=colors["purity"], mfc=face, zorder=3, label=label)
        text, side = (f"decoy {letter}\nenters\nthe front", -1) if selected else (f"decoy {letter}", 0)
        write_at(ax, (x, y), text, offset=(6 * side, -9), color=colors["purity"] if selected else ink)
    write_at(ax, (x0, y0 + 0.13), "chance", offset=(0, 5))
    ax.plot(*seen[0], "o", color=colors["coverage"], markersize=10, zorder=3, label="_real")
    ax.annotate("the optimal model is found", seen[0], (0, -20), textcoords="offset points", ha="center", color=ink)


def _draw_errors(ax: Axes, table: pd.DataFrame) -> None:
    # The deviation ends where the coverage error is: its name stands at its beginning.
    labels = {
        "purity_error": "purity error:\nis what we\nfound real?",
        "coverage_error": "coverage error:\ndid we find\nwhat is real?",
        "uniform_deviation": "_largest deviation",
    }
    ax.set_title("3. More examples do not help")
    ax.set_ylim(-0.05, 1.12)
    plot.asymmetry(table, logarithmic=False, bound=False, key=False, labels=labels, ax=ax)
    write_at(ax, (40, 0.2), "largest deviation\nof any risk", offset=(6, 4), color=colors_of(ax)["deviation"])
