"""Which weights return which point, and for which of them a sample cannot change the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._numbers import count_text, number_text, percent_text
from moltheory.bounds import required_sample_size
from moltheory.figures._inline import point_out, write_at
from moltheory.plot import cells as draw_cells
from moltheory.plotting import colors_of
from moltheory.reports import Figure, Settings
from moltheory.solvers import WeightCells, certified_cells, certified_share, weight_cells

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["CellsOfWeights"]

_POINTS = np.array([[0.0, 1.0], [0.3, 0.4], [1.0, 0.0]])
_WIDTH = 0.02
_DELTA = 0.05
_THREE = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0], [0.35, 0.3, 0.4], [0.15, 0.6, 0.5]])
_OBJECTIVES = ("objective 1", "objective 2", "objective 3")


@dataclass(frozen=True)
class CellsResult:
    """Cells and certified cells of two sets of points, and certified shares against the width."""

    cells: WeightCells
    certified: WeightCells
    shares: pd.DataFrame
    three: WeightCells
    three_certified: WeightCells


class CellsOfWeights(Figure[CellsResult]):
    """Weighted sums against the weight, certified shares against the width, and the cells of three objectives."""

    name = "weight_cells"
    title = "Away from ties between two points, sampling error does not change what a weighted sum returns"
    n_panels = 3
    chapter = "Why"

    def compute(self, settings: Settings) -> CellsResult:
        """Cut the simplex exactly, for several widths."""
        import pandas as pd

        widths = np.linspace(0.0, 0.3, 31 if settings.quick else 121)
        shares = pd.DataFrame(
            {
                "width": widths,
                "two_objectives": [certified_share(_POINTS, widths=c) for c in widths.tolist()],
                "three_objectives": [certified_share(_THREE, widths=c) for c in widths.tolist()],
            }
        )
        return CellsResult(
            weight_cells(_POINTS),
            certified_cells(_POINTS, widths=_WIDTH),
            shares,
            weight_cells(_THREE),
            certified_cells(_THREE, widths=_WIDTH),
        )

    def draw(self, result: CellsResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw the sums of three points, the simplex of three weights, and the shares."""
        draw_cells(_POINTS, widths=_WIDTH, names=("A", "B", "C"), objectives=_OBJECTIVES[:2], ax=axes[0])
        # The cell of B begins at the tie of B and C.
        tie = result.cells.intervals[1]
        if tie is not None:
            text = "pale: near a tie, sampling\ncan change the lowest one"
            point_out(axes[0], (tie[0], 0.45), text, place=(0.5, 0.87), ha="center")
            point_out(axes[0], (tie[1], 0.45), " ", place=(0.56, 0.8), ha="center")
        for x, y, text in ((0.16, 0.6, "safe"), (0.51, 0.16, "safe: the\nthick line\nis lowest"), (0.86, 0.6, "safe")):
            write_at(axes[0], (x, y), text, offset=(0, 0))
        axes[0].set_xlabel(f"weight of {_OBJECTIVES[0]}")
        axes[0].set_ylabel("← better     weighted sum")
        axes[0].set_title(f"1. Models A to C, risks within c = {_WIDTH}", loc="left")
        draw_cells(_THREE, widths=_WIDTH, names=tuple("DEFGH"), objectives=_OBJECTIVES, ax=axes[1])
        axes[1].set_title("2. Models D to H, three objectives", loc="left")
        for ax in axes[:2]:
            legend = ax.get_legend()
            if legend is not None:
                legend.remove()
        _draw_shares(axes[2], result)
        return axes

    def caption(self, result: CellsResult) -> str:
        """Quote the shares."""
        return (
            f"Every empirical risk is within c of the true one. Where a weighted sum leads by more than 2c, sampling "
            f"cannot change the point that it returns (full color); near ties it can (pale). With c = {_WIDTH} that is "
            f"safe at {percent_text(result.certified.total)} of the weights with two objectives, "
            f"{percent_text(result.three_certified.total)} with three."
        )

    def details(self, result: CellsResult) -> str:
        """Quote the cells as fractions."""
        cells = ", ".join(map(str, _fractions(result.cells)))
        ends = "; ".join(
            f"{name} = ({a:g}, {b:g}) for a first weight in [{low}, {high}]"
            for name, (a, b), (low, high) in zip("ABC", _POINTS.tolist(), _ends(result.cells), strict=True)
        )
        fewest = result.shares[result.shares["two_objectives"] == 0.0]["width"]
        never = f" No weight is safe from c = {number_text(float(fewest.min()))} on." if len(fewest) else ""
        inside = int((result.three.share > 0).sum())
        return (
            f"First panel: the weighted sum of each of three points; the lowest is returned: {ends}. The cells have the "
            f"shares {cells}; what is safe sums to {_total(result.certified)} of all weights.{never}\n"
            f"Second panel: {len(_THREE)} points with three objectives, of which {inside} have a cell; a place in the "
            f"triangle is a choice of three weights.\n"
            f"A union bound over 3 models and 2 objectives gives c = {_WIDTH} from n = {count_text(_enough())} on, for "
            f"losses in [0, 1] and {percent_text(1 - _DELTA)} confidence."
        )

    def alt(self, result: CellsResult) -> str:
        """Describe the three panels."""
        return (
            "First panel: weighted sums of three points against the first weight, straight lines; the lowest is thick "
            "except near the two weights at which lines cross. Second panel: a triangle of weights cut into "
            f"{int((result.three.share > 0).sum())} colored cells with pale borders. Third panel: the safe share of the "
            "weights falls from all to none as c grows, faster with three objectives."
        )

    def tables(self, result: CellsResult) -> Mapping[str, pd.DataFrame]:
        """Return cells, and shares against the width."""
        import pandas as pd

        rows = [
            {"objectives": points.shape[1], "point": str(tuple(point)), "share": share, "certified_share": sure}
            for points, cells, certified in (
                (_POINTS, result.cells, result.certified),
                (_THREE, result.three, result.three_certified),
            )
            for point, share, sure in zip(points.tolist(), cells.share.tolist(), certified.share.tolist(), strict=True)
        ]
        return {"cells": pd.DataFrame(rows), "shares": result.shares}


def _enough() -> int:
    """Return the number of examples that gives the width drawn."""
    return required_sample_size(excess=2 * _WIDTH, n_hypotheses=len(_POINTS), delta=_DELTA, n_objectives=2)


def _draw_shares(ax: Axes, result: CellsResult) -> None:
    colors, table = colors_of(ax), result.shares
    ax.plot(table["width"], table["two_objectives"], "-", color=colors["truth"], label="two objectives")
    ax.plot(table["width"], table["three_objectives"], "--", color=colors["bound"], label="three objectives")
    for cells, color, place in (
        (result.certified, "truth", (0.36, 0.84)),
        (result.three_certified, "bound", (0.36, 0.62)),
    ):
        ax.plot(_WIDTH, cells.total, "o", color=colors[color], markersize=8)
        names = "two" if color == "truth" else "three"
        text = f"{names} objectives: {percent_text(cells.total)}\nat c = {_WIDTH}"
        point_out(ax, (_WIDTH, cells.total), text, place=place, color=colors[color])
    ax.set_xlim(0, float(table["width"].max()))
    ax.set_ylim(0, 1.03)
    ax.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])
    ax.set_xlabel("c: how far risks may be off")
    ax.set_ylabel("share of weights that are safe")
    ax.set_title("3. The smaller c, the more is safe")


def _fractions(cells: WeightCells) -> list[Fraction]:
    return [] if cells.exact_share is None else list(cells.exact_share)


def _total(cells: WeightCells) -> Fraction:
    return sum(_fractions(cells), Fraction(0))


def _ends(cells: WeightCells) -> list[tuple[Fraction, Fraction]]:
    found = [(0.0, 0.0) if ends is None else ends for ends in cells.intervals]
    return [(Fraction(low).limit_denominator(1000), Fraction(high).limit_denominator(1000)) for low, high in found]
