"""Hypervolume is blind to purity: what it loses vanishes, while spurious members stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._numbers import count_text, number_text, percent_text
from moltheory.experiments import FrontComparison, asymmetry
from moltheory.figures._inline import point_out, write_at
from moltheory.figures._populations import data_set
from moltheory.plotting import axis_labels, colors_of, label_lines, log_sizes
from moltheory.problems import FiniteProblem, tilted_line
from moltheory.reports import Figure, Settings

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["HypervolumeGap"]

_TITLES = {"tilted_line": "2. Tilted line: purity error stays", "breast_cancer": "3. Breast cancer: it stays, smaller"}


@dataclass(frozen=True)
class HypervolumeGapResult:
    """Mean lost share of hypervolume, purity error and spurious members, by problem and size."""

    table: pd.DataFrame


class HypervolumeGap(Figure[HypervolumeGapResult]):
    """The share of the true hypervolume that the empirical front loses, beside its purity error."""

    name = "hypervolume"
    title = "Hypervolume is blind to purity: the front looks complete while spurious members stay"
    n_panels = 3
    chapter = "On real data"

    def compute(self, settings: Settings) -> HypervolumeGapResult:
        """Simulate the tilted line and breast cancer."""
        import pandas as pd

        rows = []
        problems: list[FiniteProblem] = [tilted_line(), data_set("breast_cancer")]
        sizes = [31, 101, 301, 1001, 3001] if settings.quick else [31, 101, 301, 1001, 3001, 10_001, 30_001]
        for problem in problems:
            table = asymmetry(
                problem,
                sizes=sizes,
                replicates=100 if settings.quick else 1000,
                rng=settings.seed,
                n_jobs=settings.n_jobs,
                progress=settings.progress,
                store=settings.store_for(self.name, problem.name),
            )
            whole = FrontComparison(problem).true_hypervolume
            for size, group in table[~table["undefined"]].groupby("size"):
                rows.append(
                    {
                        "problem": problem.name,
                        "size": size,
                        "lost_share": group["hypervolume_deficit"].mean() / whole,
                        "purity_error": group["purity_error"].mean(),
                        "spurious_share": (group["n_spurious"] / group["n_front"]).mean(),
                    }
                )
        return HypervolumeGapResult(pd.DataFrame(rows))

    def draw(self, result: HypervolumeGapResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw why, then one panel per problem."""
        _draw_reason(axes[0])
        series = (
            ("purity_error", "purity\nerror", "purity", "s"),
            ("lost_share", "hypervolume\nlost", "coverage", "o"),
        )
        for ax, (problem, title) in zip(axes[1:], _TITLES.items(), strict=True):
            part = result.table[result.table["problem"] == problem]
            for column, label, color, marker in series:
                ax.plot(part["size"], part[column], f"{marker}-", color=colors_of(ax)[color], label=label)
            highest = max(float(part[column].max()) for column, *_ in series)
            ax.set_ylim(-0.05 * highest, 1.2 * highest)
            ax.set_title(title)
            words = "mean, finer scale" if problem == "breast_cancer" else "mean over samples"
            ax.set_ylabel(f"← better     {words}")
            log_sizes(ax)
            label_lines(ax)
        return axes

    def caption(self, result: HypervolumeGapResult) -> str:
        """Quote the last size of each problem."""
        line, cancer = (_last(result, problem) for problem in _TITLES)
        return (
            f"Hypervolume measures what a front covers, here in true risks; a dominated member neither adds nor removes "
            f"any. At n = {count_text(int(result.table['size'].max()))} the empirical front loses "
            f"{_lost(line)} of it on the tilted line and {_lost(cancer)} "
            f"on breast cancer; the purity error is {number_text(line['purity_error'], 2)} and "
            f"{number_text(cancer['purity_error'], 2)}, and {percent_text(line['spurious_share'])} and "
            f"{percent_text(cancer['spurious_share'])} of the members are spurious."
        )

    def details(self, result: HypervolumeGapResult) -> str:
        """Say what is measured, and how."""
        cancer = _last(result, "breast_cancer")
        return (
            "The reference point is at the largest possible risks. Lost is the share of the hypervolume of the true front "
            "that the selected models do not cover.\n"
            "On the tilted line the optimal model is in every empirical front, so nothing is lost; its expected purity "
            "error is 1/2 for odd n.\n"
            f"On breast cancer the mean share lost at the largest n is {number_text(cancer['lost_share'], 2)}."
        )

    def alt(self, result: HypervolumeGapResult) -> str:
        """Describe the three panels."""
        line, cancer = (_last(result, problem) for problem in _TITLES)
        return (
            "First panel: the shaded square that the optimal model covers; spurious models lie on its edge and add no "
            f"area. Second panel: on the tilted line the hypervolume lost is 0 and the purity error stays near "
            f"{number_text(line['purity_error'], 2)}. Third panel: on breast cancer the hypervolume lost falls to almost "
            f"0 and the purity error stays near {number_text(cancer['purity_error'], 2)}."
        )

    def tables(self, result: HypervolumeGapResult) -> Mapping[str, pd.DataFrame]:
        """Return the means."""
        return {"means": result.table}


def _last(result: HypervolumeGapResult, problem: str) -> dict[str, float]:
    """Return the means at the largest size."""
    part = result.table[result.table["problem"] == problem]
    return {column: float(part[column].iloc[-1]) for column in ("lost_share", "purity_error", "spurious_share")}


def _lost(row: Mapping[str, float]) -> str:
    return percent_text(row["lost_share"], 1 if row["lost_share"] else 0)


def _draw_reason(ax: Axes) -> None:
    """Draw the true risks of the tilted line: what the optimal model covers, and where the others are."""
    from matplotlib.patches import Rectangle

    colors = colors_of(ax)
    error, cost = tilted_line(11).true.risks().T
    best = int(np.argmin(cost))
    ax.add_patch(Rectangle((error[best], cost[best]), 1.0, 1.4, facecolor=colors["coverage"], alpha=0.15, linewidth=0))
    rest = np.arange(error.size) != best
    ax.plot(error[rest], cost[rest], "s", color=colors["purity"], markersize=7)
    ax.plot(error[best], cost[best], "o", color=colors["truth"], markersize=11)
    point_out(ax, (0.5, 0.6), "spurious\nmembers\nadd no area", place=(0.06, 0.78), color=colors["purity"])
    write_at(ax, (0.76, 0.7), "hypervolume:\nthe area that\nthe optimal model\ncovers alone", offset=(0, 0))
    write_at(ax, (0.5, 0.0), "the one optimal model", offset=(0, -10))
    ax.set_xlim(0.1, 1.0)
    ax.set_ylim(-0.3, 1.15)
    ax.set_xticks([0.25, 0.5, 0.75, 1.0])
    ax.set_yticks([0.0, 0.5, 1.0])
    axis_labels(ax, "true error", "cost")
    ax.set_title("1. Why: tilted line, true risks")
