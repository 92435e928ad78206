"""Which weights return which point, and for which of them a sample cannot change the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from moltheory.bounds import required_sample_size
from moltheory.plotting import COLORS, note
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
_COLORS = ("coverage", "purity", "deviation", "light", "extra")


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
        """Draw the sums of three points, the shares, and the simplex of three weights."""
        _draw_sums(axes[0], result)
        _draw_shares(axes[1], result)
        _draw_simplex(axes[2], result)
        return axes

    def caption(self, result: CellsResult) -> str:
        """Quote the cells and shares as fractions."""
        cells = _fractions(result.cells)
        ends = "; ".join(
            f"{tuple(point)} for the first weight in [{low}, {high}]"
            for point, (low, high) in zip(_POINTS.tolist(), _ends(result.cells), strict=True)
        )
        n = required_sample_size(excess=2 * _WIDTH, n_hypotheses=len(_POINTS), delta=_DELTA, n_objectives=2)
        fewest = result.shares[result.shares["two_objectives"] == 0.0]["width"]
        never = f" None is left from c = {fewest.min():.3f} on." if len(fewest) else ""
        inside = int((result.three.share > 0).sum())
        return (
            f"First panel: the weighted sum of each of three points; the lowest line is returned: {ends}. With "
            f"empirical risks within c = {_WIDTH} of the true ones, the minimiser is certainly the true one wherever "
            f"its lead exceeds 2c (thick): on {_total(result.certified)} = {result.certified.total:.3f} of the "
            f"weights (shares of the cells {', '.join(map(str, cells))}). A union bound over the 3 models and 2 "
            f"objectives gives that width from n = {n:,} on (losses in [0, 1], confidence 95 %). Second panel: the "
            f"share against c.{never} Third panel: {len(_THREE)} points with three objectives; {inside} have a cell, "
            f"pale; certified for c = {_WIDTH} is {result.three_certified.total:.1%} of all weights, in full color. "
            f"At weights between the colors two points are too close for any sample of that accuracy."
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


def _draw_sums(ax: Axes, result: CellsResult) -> None:
    w = np.array([0.0, 1.0])
    cells, sure = result.cells.intervals, result.certified.intervals
    for k, (point, color, line) in enumerate(zip(_POINTS, _COLORS, ("-", "--", "-."), strict=False)):
        a, b = point.tolist()
        tone = COLORS[color]
        ax.plot(w, a * w + b * (1 - w), line, color=tone, linewidth=1.4, label=f"({a:g}, {b:g})")
        for ends, alpha in ((cells[k], 0.12), (sure[k], 0.3)):
            if ends is not None:
                ax.axvspan(*ends, color=tone, alpha=alpha, linewidth=0)
        certain = sure[k]
        if certain is not None:
            x = np.array(certain)
            ax.plot(x, a * x + b * (1 - x), color=tone, linewidth=5, solid_capstyle="butt")
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1.45)
    ax.set_yticks([0, 0.5, 1])
    ax.set_xlabel("weight of the first objective")
    ax.set_ylabel("← better     weighted sum")
    ax.set_title(f"Three points, c = {_WIDTH}")
    ax.legend(loc="upper center", ncols=3, columnspacing=1.0, handlelength=1.6)


def _draw_shares(ax: Axes, result: CellsResult) -> None:
    table = result.shares
    ax.plot(table["width"], table["two_objectives"], "-", color=COLORS["coverage"], label="two objectives")
    ax.plot(table["width"], table["three_objectives"], "--", color=COLORS["purity"], label="three objectives")
    total = result.certified.total
    ax.plot(_WIDTH, total, "o", color=COLORS["coverage"], markersize=8)
    note(ax, f"{_total(result.certified)} at c = {_WIDTH}", at=(0.12, 0.86), color=COLORS["coverage"])
    ax.set_xlim(0, float(table["width"].max()))
    ax.set_ylim(0, 1.03)
    ax.set_xlabel("← better     largest error c of a risk")
    ax.set_ylabel("certified share     better →")
    ax.set_title("Certified share of the weights")
    ax.legend(loc="upper right")


def _draw_simplex(ax: Axes, result: CellsResult) -> None:
    from matplotlib.patches import Polygon

    for k, color in zip(range(len(_THREE)), _COLORS, strict=True):
        tone = COLORS[color]
        for corners, alpha in ((result.three.vertices[k], 0.22), (result.three_certified.vertices[k], 0.75)):
            if len(corners) >= 3:
                ax.add_patch(Polygon(corners[:, :2], facecolor=tone, edgecolor="white", linewidth=1.0, alpha=alpha))
        if result.three.share[k] > 0:
            x, y = result.three.vertices[k][:, :2].mean(axis=0)
            label = "(" + ", ".join(f"{value:g}" for value in _THREE[k]) + ")"
            ax.text(x, y, label, ha="center", va="center", fontsize=8.5, color=COLORS["truth"])
    ax.plot([0, 1, 0, 0], [0, 0, 1, 0], color=COLORS["truth"], linewidth=1.2)
    note(ax, "the rest is the weight\nof the third objective", at=(0.5, 0.86))
    ax.set_xlim(-0.02, 1.02)
    ax.set_ylim(-0.02, 1.02)
    ax.set_xlabel("weight of the first objective")
    ax.set_ylabel("weight of the second objective")
    ax.set_title(f"Three objectives, c = {_WIDTH}")


def _fractions(cells: WeightCells) -> list[Fraction]:
    return [] if cells.exact_share is None else list(cells.exact_share)


def _total(cells: WeightCells) -> Fraction:
    return sum(_fractions(cells), Fraction(0))


def _ends(cells: WeightCells) -> list[tuple[Fraction, Fraction]]:
    found = [(0.0, 0.0) if ends is None else ends for ends in cells.intervals]
    return [(Fraction(low).limit_denominator(1000), Fraction(high).limit_denominator(1000)) for low, high in found]
