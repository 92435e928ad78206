"""When the converse comes back: weighted sums with every weight away from zero, and augmented Chebyshev."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory._core._text import joined
from moltheory._core._validation import FloatArray
from moltheory.bounds import finite_class
from moltheory.experiments import selection_errors
from moltheory.plotting import COLORS
from moltheory.problems import mirrored_decoys
from moltheory.reports import Figure, Settings
from moltheory.scalarization import Chebyshev, Scalarization, WeightedSum

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Weights"]

_N = 101
_SIZES = (11, 101, 1001)
_DELTA = 0.05
_FLOOR = 1e-6


@dataclass(frozen=True)
class WeightsResult:
    """Exact purity errors by scalarization, smallest weight and n, and where the certificate starts."""

    table: pd.DataFrame
    certified_from: dict[int, float]


class Weights(Figure[WeightsResult]):
    """Purity error of scalarized minimisers on mirrored decoys, against the smallest weight."""

    name = "weights"
    title = "Weights away from zero restore the converse; plain Chebyshev does not"
    n_panels = 2

    def compute(self, settings: Settings) -> WeightsResult:
        """Enumerate all samples, for each scalarization and weight."""
        import pandas as pd

        world = mirrored_decoys()
        grid = np.geomspace(0.02, 0.5, 13 if settings.quick else 49)
        tables = []
        for n in _SIZES:
            families = _families(grid) if n == _N else {"weighted sum": _sums(grid)}
            for family, members in families.items():
                part = selection_errors(
                    world, scalarizations={f"{w:.6f}": u for w, u in zip(grid, members, strict=True)}, n=n
                )
                part["scalarization"] = family
                part.insert(1, "smallest_weight", grid)
                part.insert(2, "n", n)
                tables.append(part)
        width = {n: float(finite_class(n, n_hypotheses=3, delta=_DELTA)) for n in _SIZES}
        # interior-weights: 2 (1 - w) C / w < 1, the purity error of a decoy, from this weight on.
        certified = {n: 2 * c / (1 + 2 * c) for n, c in width.items()}
        return WeightsResult(pd.concat(tables, ignore_index=True), certified)

    def draw(self, result: WeightsResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw all scalarizations at one n, then the weighted sum at several."""
        styles = [
            ("Chebyshev", "purity", "-"),
            ("augmented, ρ = 0.05", "extra", "-."),
            ("augmented, ρ = 0.2", "deviation", ":"),
            ("weighted sum", "coverage", "--"),
        ]
        at_n = result.table[result.table["n"] == _N]
        for family, color, line in styles:
            part = at_n[at_n["scalarization"] == family]
            _curve(axes[0], part, label=family, color=COLORS[color], linestyle=line)
        axes[0].set_title(f"Four scalarizations, n = {_N}")
        sums = result.table[result.table["scalarization"] == "weighted sum"]
        for n, color, line in zip(_SIZES, ("light", "coverage", "truth"), (":", "--", "-"), strict=True):
            _curve(axes[1], sums[sums["n"] == n], label=f"n = {n:,}", color=COLORS[color], linestyle=line)
            axes[1].axvline(result.certified_from[n], color=COLORS[color], linestyle=line, linewidth=1, alpha=0.6)
        axes[1].set_title("Weighted sum (thin lines: certified)")
        for ax in axes:
            ax.set_xscale("log")
            ax.set_yscale("log")
            ax.set_ylim(_FLOOR, 3)
            ax.set_xticks([0.02, 0.05, 0.1, 0.2, 0.5], ["0.02", "0.05", "0.1", "0.2", "0.5"])
            ax.minorticks_off()
            ax.set_xlabel("smallest weight (on cost)")
            ax.set_ylabel("← better     expected purity error")
        axes[0].legend(loc="lower left")
        axes[1].legend(loc="lower left")
        return axes

    def caption(self, result: WeightsResult) -> str:
        """Quote the purity errors at one weight."""
        at_n = result.table[result.table["n"] == _N]
        nearest = at_n.loc[(at_n["smallest_weight"] - 0.2).abs() < 0.03]
        weight = nearest["smallest_weight"].iloc[(nearest["smallest_weight"] - 0.2).abs().to_numpy().argmin()]
        values = nearest[nearest["smallest_weight"] == weight].set_index("scalarization")["purity_error"]
        starts = joined(f"{start:.3f} at n = {n:,}" for n, start in result.certified_from.items())
        return (
            f"Mirrored decoys, exact over all samples. First panel: at n = {_N} and smallest weight {weight:.3f} the "
            f"minimiser of the plain Chebyshev scalarization is a decoy with probability {values['Chebyshev']:.3f}, "
            f"of the augmented one with {values['augmented, ρ = 0.05']:.3f} (ρ = 0.05), of the weighted sum with "
            f"{values['weighted sum']:.1e}. Second panel: for the weighted sum the error falls as the smallest weight "
            f"grows and as n grows. (Above a weight of 1/3 the cost of a decoy alone exceeds what the optimal model "
            f"scores under Chebyshev, so no decoy is selected.) The interior-weights statement (derived) limits the "
            f"purity error in cost to 2 Σ w_j C_j / w_i; thin lines mark the weight from which that is below 1 and so "
            f"excludes a decoy with confidence 95 %: {starts}."
        )

    def tables(self, result: WeightsResult) -> Mapping[str, pd.DataFrame]:
        """Return all exact values."""
        return {"purity": result.table}


def _sums(grid: FloatArray) -> list[Scalarization]:
    return [WeightedSum([1 - w, w]) for w in grid]


def _families(grid: FloatArray) -> dict[str, list[Scalarization]]:
    return {
        "weighted sum": _sums(grid),
        "Chebyshev": [Chebyshev([1 - w, w]) for w in grid],
        "augmented, ρ = 0.05": [Chebyshev([1 - w, w], augmentation=0.05) for w in grid],
        "augmented, ρ = 0.2": [Chebyshev([1 - w, w], augmentation=0.2) for w in grid],
    }


def _curve(ax: Axes, part: pd.DataFrame, **line: Any) -> None:
    # What is zero falls off the lower end of the axis instead of ending in mid-air.
    ax.plot(part["smallest_weight"], np.maximum(part["purity_error"], _FLOOR / 1000), **line)
