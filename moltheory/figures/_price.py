"""The price of N objectives: a logarithm inside a root, not a cover."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moltheory.bounds import finite_class, mixture_bounds, required_sample_size
from moltheory.plotting import COLORS
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
    ("cover", "cover of the mixtures (Cortes et al. 2020)", "purity", "-."),
    ("objective_union", "union over objectives", "coverage", "-"),
    ("union_class", "class of the union", "deviation", "--"),
)


@dataclass(frozen=True)
class PriceResult:
    """Widths, deviation terms and sample sizes by number of objectives."""

    table: pd.DataFrame


class Price(Figure[PriceResult]):
    """Width of a finite class, deviation terms over all mixtures, and sample size, against N."""

    name = "price"
    title = "The price of many objectives is small: log N inside the width"
    n_panels = 3

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
        """Draw the width, the sample size and the deviation terms of mixtures."""
        table = result.table
        axes[0].plot(table["n_objectives"], table["width"], color=COLORS["coverage"])
        axes[0].set_ylim(0, 0.1)
        axes[0].set_title(f"Joint width, n = {_N:,}")
        axes[0].set_ylabel("← better     width C")
        axes[1].plot(table["n_objectives"], table["sample_size"], color=COLORS["coverage"])
        axes[1].set_ylim(0, 1.15 * table["sample_size"].max())
        axes[1].set_title(f"Examples for 2C ≤ {_EXCESS:g}")
        axes[1].set_ylabel("← better     number of examples n")
        for name, label, color, line in _DEVIATIONS:
            axes[2].plot(table["n_objectives"], table[name], color=COLORS[color], linestyle=line, label=label)
        axes[2].set_yscale("log")
        axes[2].set_title("All mixtures: deviation term")
        axes[2].set_ylabel("← better     deviation term")
        axes[2].legend(loc="upper left")
        for ax in axes:
            ax.set_xscale("log")
            ax.set_xlabel("number N of objectives")
        return axes

    def caption(self, result: PriceResult) -> str:
        """Quote one, ten and a hundred objectives."""
        table = result.table.set_index("n_objectives")
        one, many = table.iloc[0], table.iloc[-1]
        return (
            f"{_HYPOTHESES} hypotheses, failure probability {_DELTA:g} in all. First panel: at n = {_N:,} the width "
            f"for all objectives at once grows from {one['width']:.4f} for one to {many['width']:.4f} for "
            f"{table.index[-1]:,}. Second panel: the examples that make twice the width at most {_EXCESS:g} grow from "
            f"{one['sample_size']:,.0f} to {many['sample_size']:,.0f}. Third panel: to bound all mixtures of N "
            f"objectives at once, a cover of the mixtures costs about N log n inside the root, the union over "
            f"objectives log N, and one class that holds all losses nothing there, at the price of a larger "
            f"complexity: the supremum over mixtures is at a vertex (derived)."
        )

    def tables(self, result: PriceResult) -> Mapping[str, pd.DataFrame]:
        """Return all values."""
        return {"price": result.table}
