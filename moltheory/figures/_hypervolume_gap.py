"""Hypervolume is blind to purity: what it loses vanishes, while spurious members stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moltheory.experiments import FrontComparison, asymmetry
from moltheory.figures._populations import data_set
from moltheory.plotting import COLORS, log_sizes
from moltheory.problems import FiniteProblem, tilted_line
from moltheory.reports import Figure, Settings

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["HypervolumeGap"]

_TITLES = {"tilted_line": "Tilted line", "breast_cancer": "Breast cancer"}
_FLOOR = 1e-4


@dataclass(frozen=True)
class HypervolumeGapResult:
    """Mean lost share of hypervolume, purity error and spurious members, by problem and size."""

    table: pd.DataFrame


class HypervolumeGap(Figure[HypervolumeGapResult]):
    """The share of the true hypervolume that the empirical front loses, beside its purity error."""

    name = "hypervolume"
    title = "Hypervolume is blind to purity"
    n_panels = 2

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
        """Draw one panel per problem."""
        series = (
            ("purity_error", "purity error", "purity", "s"),
            ("spurious_share", "share of spurious members", "extra", "x"),
            ("lost_share", "share of hypervolume lost", "coverage", "o"),
        )
        for ax, (problem, title) in zip(axes, _TITLES.items(), strict=True):
            part = result.table[result.table["problem"] == problem]
            for column, label, color, marker in series:
                shown = part[part[column] > _FLOOR / 10]
                ax.plot(shown["size"], shown[column], f"{marker}-", color=COLORS[color], label=label)
            ax.set_yscale("log")
            ax.set_ylim(_FLOOR, 2)
            ax.set_title(title)
            ax.set_ylabel("← better     mean over samples")
            log_sizes(ax)
        axes[0].text(
            0.5,
            0.06,
            "hypervolume lost: 0 in every sample",
            transform=axes[0].transAxes,
            ha="center",
            color=COLORS["coverage"],
        )
        axes[0].legend(loc="center")
        return axes

    def caption(self, result: HypervolumeGapResult) -> str:
        """Quote the last size of each problem."""
        last = result.table.groupby("problem").last()
        line, cancer = last.loc["tilted_line"], last.loc["breast_cancer"]
        largest = int(result.table["size"].max())
        return (
            f"Hypervolume measures what the empirical front covers (true risks, reference point at the largest "
            f"possible risks). On the tilted line it loses {line['lost_share']:.1%} while the mean purity error is "
            f"{line['purity_error']:.2g} (its expectation is 1/2 for odd n). On breast cancer, at n = {largest:,}, "
            f"the mean share lost (below the axis) is {cancer['lost_share']:.1e} while the purity error is "
            f"{cancer['purity_error']:.2g} and {cancer['spurious_share']:.1%} of the members of the empirical front "
            f"are spurious. A front with a perfect hypervolume can still hold models that are not optimal."
        )

    def tables(self, result: HypervolumeGapResult) -> Mapping[str, pd.DataFrame]:
        """Return the means."""
        return {"means": result.table}
