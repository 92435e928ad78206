"""The price of N objectives: a logarithm inside a root, not a cover."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._numbers import percent_text
from moltheory.bounds import finite_class, mixture_bounds, required_sample_size
from moltheory.figures._ticks import grouped_thousands, plain_sizes
from moltheory.plotting import colors_of, label_lines, note
from moltheory.reports import Figure, Settings

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Price"]

_N = 1000
_HYPOTHESES = 100
_DELTA = 0.05
_EXCESS = 0.1
_DEVIATIONS = (
    ("cover", "cover of all\nmixtures", "purity", "-."),
    ("objective_union", "union bound\nover objectives", "coverage", "-"),
    ("union_class", "one class of\nall losses", "deviation", "--"),
)


@dataclass(frozen=True)
class PriceResult:
    """Widths, deviation terms and sample sizes by number of objectives."""

    table: pd.DataFrame


class Price(Figure[PriceResult]):
    """Sample size against the number of objectives, and three ways to bound all mixtures of them."""

    name = "price"
    title = "A thousand objectives cost less than twice the examples of one: log N inside a root"
    n_panels = 2
    chapter = "Bounds"

    def compute(self, settings: Settings) -> PriceResult:
        """Evaluate the bounds; the budget does not matter."""
        import pandas as pd

        rows = []
        for count in np.unique(np.geomspace(1, 1000, 25).astype(int)).tolist():
            mixtures = mixture_bounds(_N, n_objectives=count, delta=_DELTA)
            rows.append(
                {
                    "n_objectives": count,
                    "width": float(
                        finite_class(_N, n_hypotheses=_HYPOTHESES, delta=_DELTA, n_objectives=count).width.max()
                    ),
                    "sample_size": required_sample_size(
                        excess=_EXCESS, n_hypotheses=_HYPOTHESES, delta=_DELTA, n_objectives=count
                    ),
                    **{name: float(getattr(mixtures, name).deviation) for name, *_ in _DEVIATIONS},
                }
            )
        return PriceResult(pd.DataFrame(rows))

    def draw(self, result: PriceResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw the sample size with its two ends named, and three deviation terms over all mixtures."""
        first, second = axes
        table = result.table
        for ax in axes:
            plain_sizes(ax, 10.0 ** np.arange(4))
            ax.set_xlabel("number of objectives N")
        count, needed = table["n_objectives"].to_numpy(), table["sample_size"].to_numpy()
        palette = colors_of(first)
        first.plot(count, needed, color=palette["coverage"])
        first.plot(count[[0, -1]], needed[[0, -1]], "o", color=palette["coverage"])
        first.set_ylim(0, 1.42 * needed.max())
        first.set_xlim(0.8, 1300)
        grouped_thousands(first)
        last = f"{count[-1]:,} objectives:\n{needed[-1]:,} examples,\n{needed[-1] / needed[0]:.1f} times as many"
        for k, text, side, above in ((0, f"1 objective:\n{needed[0]:,} examples", "left", -1), (-1, last, "right", 1)):
            first.annotate(
                text, (count[k], needed[k]), (0, 9 * above), textcoords="offset points", ha=side,
                va="bottom" if above > 0 else "top", fontsize=10.0,
            )  # fmt: skip
        first.set_title("Many objectives cost little")
        first.set_ylabel(f"← better     examples for excess ≤ {_EXCESS:g}")
        palette = colors_of(second)
        for name, label, color, line in _DEVIATIONS:
            second.plot(count, table[name], color=palette[color], linestyle=line, label=label)
        second.set_yscale("log")
        second.set_ylim(0.02, 3)
        second.axhspan(1, 3, color=palette["bound"], alpha=0.08, linewidth=0)
        note(second, "above 1: says nothing", at=(0.03, 0.89), color=palette["bound"])
        second.set_title("A cover of all mixtures is costly")
        second.set_ylabel("← better     bound on deviation")
        note(second, f"n = {_N:,}", at=(0.03, 0.06))
        label_lines(second)
        return axes

    def caption(self, result: PriceResult) -> str:
        """Quote the sample size at the ends, and where a cover says nothing."""
        table = result.table.set_index("n_objectives")
        one, many = table.iloc[0], table.iloc[-1]
        vacuous = table.index[table["cover"] > 1]
        return (
            f"{_HYPOTHESES} hypotheses, confidence {percent_text(1 - _DELTA)}. Excess over the best risk of at most "
            f"{_EXCESS:g} needs "
            f"{one['sample_size']:,.0f} examples for one objective and {many['sample_size']:,.0f} for "
            f"{table.index[-1]:,}, as log N stands inside a root. For all mixtures of the objectives at once, a union "
            f"over objectives is as cheap; a cover of the mixtures grows like √N and says nothing from {vacuous[0]:,} "
            f"objectives on."
        )

    def details(self, result: PriceResult) -> str:
        """Say what the three widths are, and quote the width of the finite class."""
        table = result.table.set_index("n_objectives")
        one, many = table.iloc[0], table.iloc[-1]
        return (
            f"At n = {_N:,} the width for all objectives at once grows from {one['width']:.4f} for one to "
            f"{many['width']:.4f} for {table.index[-1]:,}; excess at most {_EXCESS:g} is a width of half of that.\n"
            f"Second panel: deviation terms of bounds on all mixtures of N objectives. A cover of the mixtures (Cortes "
            f"et al. 2020) costs about N log n inside the root, the union over objectives log N, and one class that "
            f"holds all losses nothing there, at the price of a larger complexity. The supremum over mixtures is at a "
            f"vertex, so that the union suffices (derived; proof: mixtures)."
        )

    def tables(self, result: PriceResult) -> Mapping[str, pd.DataFrame]:
        """Return all values."""
        return {"price": result.table}
