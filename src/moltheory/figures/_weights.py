"""When the converse comes back: weighted sums with every weight away from zero, and augmented Chebyshev."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._numbers import count_text, number_text, percent_text
from moltheory._core._text import joined
from moltheory._core._validation import FloatArray
from moltheory.bounds import finite_class
from moltheory.experiments import selection_errors
from moltheory.figures._inline import point_out, write_at
from moltheory.plotting import colors_of, note
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
# Above it the cost w of a decoy exceeds (1 - w)/2, the Chebyshev value of the optimal model.
_DROP = 1 / 3
_QUOTED = 0.2
# Color, line, and where the name of a curve stands: at which weight, moved by how many points.
_STYLES: dict[str, tuple[str, str, float, tuple[float, float]]] = {
    "Chebyshev": ("purity", "-", 0.08, (0, 6)),
    "augmented, ρ = 0.05": ("extra", "-.", 0.1, (0, 5)),
    "augmented, ρ = 0.2": ("deviation", ":", 0.021, (3, 5)),
    "weighted sum": ("coverage", "--", 0.03, (8, 4)),
}


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
    chapter = "Why"

    def compute(self, settings: Settings) -> WeightsResult:
        """Enumerate all samples, for each scalarization and weight."""
        import pandas as pd

        world = mirrored_decoys()
        grid = np.linspace(0.02, 0.5, 241)
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
        _draw_scalarizations(axes[0], result.table[result.table["n"] == _N])
        _draw_sizes(axes[1], result)
        for ax in axes:
            ax.set_xscale("log")
            ax.set_xlim(0.018, 0.54)
            ax.set_xticks([0.02, 0.05, 0.1, 0.2, 0.5], ["0.02", "0.05", "0.1", "0.2", "0.5"])
            ax.minorticks_off()
            ax.set_ylim(-0.03, 1.14)
            ax.set_yticks([0, 0.25, 0.5, 0.75, 1.0])
            ax.set_xlabel("weight w of cost (that of error: 1 − w)")
            ax.set_ylabel("← better     expected purity error")
        return axes

    def caption(self, result: WeightsResult) -> str:
        """Quote the purity errors at one weight, and where a guarantee starts."""
        values = _at(result, _QUOTED)
        starts = joined(f"{number_text(start, 2)} (n = {count_text(n)})" for n, start in result.certified_from.items())
        return (
            f"Two decoys err as often as the optimal model and cost more. At w = {_QUOTED:g}, n = {_N}, plain Chebyshev "
            f"returns a decoy with probability {number_text(values['Chebyshev'])}, a weighted sum with "
            f"{number_text(values['weighted sum'], 2)}. Triangles: weight from which a weighted sum returns no decoy, "
            f"with {percent_text(1 - _DELTA)} confidence: {starts}."
        )

    def details(self, result: WeightsResult) -> str:
        """Explain the drop at one third, augmentation and the certificate."""
        values = _at(result, _QUOTED)
        return (
            "Mirrored decoys: all three models have true error 1/2; the optimal one has it in every sample and costs 0, "
            "a decoy costs 1. In every sample of odd size one of the decoys errs less than 1/2. The purity error is 1 "
            "where a decoy is returned, so its expectation is the probability of that. All values are exact sums over "
            "all samples.\n"
            "Why Chebyshev drops at w = 1/3: its value for the optimal model is (1 − w)/2, for a decoy the larger of w "
            "and 1 − w times its empirical error. Below 1/3 the better decoy is smaller in both; above 1/3 its cost alone "
            "exceeds the value of the optimal model, in every sample.\n"
            f"An augmentation ρ adds ρ times the sum of the objectives, so cost always counts: at w = "
            f"{_QUOTED:g} the probability is {number_text(values['augmented, ρ = 0.05'], 2)} for ρ = 0.05 and "
            f"{number_text(values['augmented, ρ = 0.2'], 2)} for ρ = 0.2.\n"
            "The guarantee (derived; proof: interior-weights): the purity error in cost is at most 2 Σ w_j C_j / w_i, with "
            "C the half-width for 3 models by Hoeffding's inequality and a union bound; below 1 it excludes a decoy."
        )

    def alt(self, result: WeightsResult) -> str:
        """Describe both panels."""
        return (
            "First panel: the expected purity error of plain Chebyshev is 1 up to a weight of 1/3 on cost, then 0; that "
            "of augmented Chebyshev is lower, and that of the weighted sum falls smoothly to 0. Second panel: for the "
            f"weighted sum the curves for n = {joined(map(count_text, _SIZES))} fall to 0, for larger n at smaller "
            "weights."
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


def _at(result: WeightsResult, weight: float) -> pd.Series:
    """Return the purity error by scalarization at one weight of the grid."""
    part = result.table[(result.table["n"] == _N) & ((result.table["smallest_weight"] - weight).abs() < 1e-9)]
    return part.set_index("scalarization")["purity_error"]


def _draw_scalarizations(ax: Axes, table: pd.DataFrame) -> None:
    colors = colors_of(ax)
    ax.axvline(_DROP, color=colors["bound"], linewidth=1, linestyle=(0, (4, 3)))
    for name, (color, line, weight, offset) in _STYLES.items():
        part = table[table["scalarization"] == name]
        ax.plot(part["smallest_weight"], part["purity_error"], line, color=colors[color], label=name)
        at = weight, float(np.interp(weight, part["smallest_weight"], part["purity_error"]))
        write_at(ax, at, _named(name, part["purity_error"].max()), offset=offset, color=colors[color])
    why = "from w = 1/3 on,\ncost excludes decoys"
    point_out(ax, (_DROP, 0.66), why, place=(0.4, 0.76), color=colors["purity"])
    ax.set_title(f"Four scalarizations, n = {_N}")


def _named(name: str, largest: float) -> str:
    """Return the name of a curve, with what the augmentation adds; a curve that lies on the axis says how high it is."""
    if not name.endswith("ρ = 0.2"):
        return name.replace("augmented, ", "Chebyshev + ρ·sum,\n")
    if largest == 0.0:
        return "with ρ = 0.2:\nalways 0"
    # Rounded up to one digit.
    unit = 10.0 ** np.floor(np.log10(largest))
    return f"with ρ = 0.2:\nat most {np.ceil(largest / unit) * unit:g}"


def _draw_sizes(ax: Axes, result: WeightsResult) -> None:
    colors = colors_of(ax)
    sums = result.table[result.table["scalarization"] == "weighted sum"]
    names = zip(_SIZES, ("bound", "coverage", "truth"), (":", "--", "-"), (1.0, 0.2, 0.15), strict=True)
    for n, color, line, height in names:
        part = sums[sums["n"] == n]
        tone, start = colors[color], result.certified_from[n]
        ax.plot(part["smallest_weight"], part["purity_error"], line, color=tone, label=f"n = {n:,}")
        ax.plot(start, 0.0, "^", color=tone, markersize=10, clip_on=False, zorder=3)
        reached = part[part["purity_error"] >= height]
        at = float(reached["smallest_weight"].iloc[-1]), float(reached["purity_error"].iloc[-1])
        write_at(ax, at, f"n = {n:,}", offset=(8, 6) if height < 1.0 else (-20, 6), color=tone, ha="left")
    sure = f"▲ no decoy is returned\nfrom this weight on,\nwith {percent_text(1 - _DELTA)} confidence"
    note(ax, sure, at=(0.47, 0.8))
    ax.set_title("Weighted sum: more examples help")
