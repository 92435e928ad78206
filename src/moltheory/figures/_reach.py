"""What each scalarization can return on a non-convex front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._numbers import number_text, percent_text
from moltheory._core._validation import FloatArray
from moltheory.figures._inline import point_out, write_at
from moltheory.objectives import FiniteObjectives
from moltheory.plotting import axis_labels, colors_of
from moltheory.reports import Figure, Settings
from moltheory.scalarization import Chebyshev, EpsilonConstraint, PNorm, Scalarization, WeightedSum
from moltheory.solvers import chebyshev_weights, largest_augmentation, reachability, solve_front, weight_cells

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Reach"]

_POINTS = np.array([[0.0, 1.0], [0.6, 0.6], [1.0, 0.0]])
_IDEAL = (-0.1, -0.1)
_POWERS = (2, 4)
# As parts of the largest augmentation that still returns the middle point.
_FACTORS = (0.5, 2.0)
# The two whose difference is the point of the figure.
# The colors of the other panels mean returned and missed.
_LEVELS = {"weighted sum": ("extra", "--"), "Chebyshev": ("deviation", "-")}


@dataclass(frozen=True)
class ReachResult:
    """Reach on three points and on a curve, and which rows each family of scalarizations returned."""

    three: pd.DataFrame
    curves: dict[str, Scalarization]
    returned: dict[str, tuple[int, ...]]
    front: FloatArray
    kinds: pd.DataFrame
    reached: dict[str, FloatArray]
    augmentations: tuple[float, float]


class Reach(Figure[ReachResult]):
    """Curves of equal scalarized value through an unsupported point, and what is reached of a whole curve."""

    name = "reach"
    title = "Weighted sums miss the non-convex part of a front; Chebyshev scalarizations reach all of it"
    n_panels = 3
    chapter = "Why"

    def compute(self, settings: Settings) -> ReachResult:
        """Solve every family on a grid of weights, over three points and over a finely cut curve."""
        three = reachability(_POINTS, ideal=_IDEAL)
        limit = float(largest_augmentation(_POINTS, ideal=_IDEAL)[1])
        weights = chebyshev_weights(_POINTS[1], ideal=_IDEAL)
        low, high = (factor * limit for factor in _FACTORS)
        curves: dict[str, Scalarization] = {
            "weighted sum": WeightedSum([0.5, 0.5]),
            "p-norm, p = 2": PNorm([0.5, 0.5], 2),
            "Chebyshev": Chebyshev(weights, ideal=_IDEAL),
            _name(low): Chebyshev(weights, ideal=_IDEAL, augmentation=low),
            _name(high): Chebyshev(weights, ideal=_IDEAL, augmentation=high),
        }
        front = _curve(101 if settings.quick else 401)
        kinds = reachability(front, ideal=_IDEAL)
        tolerated = kinds["largest_augmentation"].to_numpy()
        augmentations = float(0.9 * tolerated.min()), float(np.quantile(tolerated[np.isfinite(tolerated)], 0.5))
        count = 101 if settings.quick else 2001
        return ReachResult(
            three,
            curves,
            {name: _returned(_POINTS, family) for name, family in _families(_POINTS, (low, high), count).items()},
            front,
            kinds,
            {
                name: np.isin(np.arange(len(front)), _returned(front, family)).astype(np.float64)
                for name, family in _families(front, augmentations, count).items()
            },
            augmentations,
        )

    def draw(self, result: ReachResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw level curves through the middle point, the curve, and what is reached of it."""
        _draw_levels(axes[0], result)
        _draw_front(axes[1], result)
        _draw_strips(axes[2], result)
        return axes

    def caption(self, result: ReachResult) -> str:
        """Quote the shares."""
        shares = {name: percent_text(values.mean()) for name, values in result.reached.items()}
        return (
            f"Over all its weights, a weighted sum returns {shares['weighted sum']} of the {len(result.front)} points of "
            f"this front: those on the lower convex hull. A p-norm returns more ({shares['p-norm, p = 4']} for p = 4); "
            f"Chebyshev and ε-constraint return every point. Chebyshev plus ρ times the sum of objectives "
            f"needs a small ρ: {shares[_name(result.augmentations[0])]} for ρ = {result.augmentations[0]:.2f}, "
            f"{shares[_name(result.augmentations[1])]} for ρ = {result.augmentations[1]:.2f}."
        )

    def details(self, result: ReachResult) -> str:
        """Explain level curves, and the three points."""
        limit = result.three["largest_augmentation"][1]
        verbs = {name: ("returned" if 1 in rows else "never returned") for name, rows in result.returned.items()}
        ideal = f"({number_text(_IDEAL[0])}, {number_text(_IDEAL[1])})"
        return (
            "First panel: a scalarization returns the middle point if no other point lies on the lower left of its "
            "curve of equal value through it. Below the line of a weighted sum there is always one of the other two, "
            "whatever the weights; in the corner of Chebyshev there is none.\n"
            f"Chebyshev has weights 1/(y − z) for a point y, with z = {ideal} below all points; ρ is its augmentation. "
            f"The middle point of the three is returned up to ρ* = {number_text(limit, 7)}.\n"
            f"The middle point over all weights: {'; '.join(f'{name}: {verb}' for name, verb in verbs.items())}.\n"
            f"On the front of the second panel {percent_text(result.kinds['supported'].mean())} of the points are "
            f"supported, which is to say on the lower convex hull. ρ = {result.augmentations[0]:.2f} is below ρ* of "
            f"every point; the other is the median of ρ*."
        )

    def alt(self, result: ReachResult) -> str:
        """Describe the three panels."""
        rows = ", ".join(f"{name} {percent_text(values.mean())}" for name, values in result.reached.items())
        return (
            "First panel: three points; the straight line of a weighted sum through the middle one has another point "
            "below it, the corner of Chebyshev has none. Second panel: a front, convex on the left and bulging outward "
            f"on the right. Third panel: bars of the part returned: {rows}."
        )

    def tables(self, result: ReachResult) -> Mapping[str, pd.DataFrame]:
        """Return the reach of both sets, and the share of the curve that each family returns."""
        import pandas as pd

        share = pd.DataFrame(
            {"scalarization": list(result.reached), "share_reached": [v.mean() for v in result.reached.values()]}
        )
        ends = ["lowest_weight", "highest_weight"]  # missing for unsupported points
        return {
            "three_points": result.three.drop(columns=ends),
            "curve": result.kinds.drop(columns=ends),
            "shares": share,
        }


def _curve(count: int) -> FloatArray:
    """A decreasing curve, convex in its first half and concave in its second."""
    x = np.linspace(0.0, 1.0, count)
    return np.stack([x, 1.0 - x - 0.14 * np.sin(2 * np.pi * x)], axis=1)


def _families(points: FloatArray, augmentations: tuple[float, float], count: int) -> dict[str, list[Scalarization]]:
    cells = [(low + high) / 2 for low, high in filter(None, weight_cells(points).intervals)]
    slopes = -np.gradient(points[:, 1], points[:, 0])

    def tangent(p: int) -> FloatArray:
        # Weights for which a smooth front and the level curve of the p-norm touch in each point, and some more.
        touching = np.exp(np.log(slopes) / p + (1 - 1 / p) * np.log((points[:, 1] + 1e-9) / (points[:, 0] + 1e-9)))
        ratios = np.concatenate([touching, np.exp(np.linspace(-6.0, 6.0, count))])
        return np.stack([ratios, np.ones(len(ratios))], axis=1) / (1.0 + ratios)[:, None]

    own = chebyshev_weights
    return {
        "weighted sum": [WeightedSum([w, 1.0 - w]) for w in cells],
        **{f"p-norm, p = {p}": [PNorm(w, p) for w in tangent(p)] for p in _POWERS},
        **{
            _name(rho): [Chebyshev(own(y, ideal=_IDEAL), ideal=_IDEAL, augmentation=rho) for y in points]
            for rho in reversed(augmentations)
        },
        "Chebyshev": [Chebyshev(own(y, ideal=_IDEAL), ideal=_IDEAL) for y in points],
        "ε-constraint": [EpsilonConstraint([np.inf, y[1]]) for y in points],
    }


def _returned(points: FloatArray, family: Sequence[Scalarization]) -> tuple[int, ...]:
    solutions = solve_front(FiniteObjectives(points), scalarizations=family).solutions
    return tuple(np.unique(solutions).tolist())


def _name(augmentation: float) -> str:
    return f"augmented, ρ = {augmentation:.2f}"


def _draw_levels(ax: Axes, result: ReachResult) -> None:
    from matplotlib.patches import Polygon

    colors = colors_of(ax)
    side = np.linspace(-0.12, 1.5, 400)
    grid = np.stack(np.meshgrid(side, side), axis=-1)
    low, middle = side[0], _POINTS[1]
    # What is better than the middle point: a triangle below the line, and a square in the corner.
    total = float(middle.sum())
    for name, corners in (
        ("weighted sum", [(low, low), (total - low, low), (low, total - low)]),
        ("Chebyshev", [(low, low), (middle[0], low), tuple(middle), (low, middle[1])]),
    ):
        color, line = _LEVELS[name]
        # The corner is not tinted twice.
        ax.add_patch(Polygon(corners, facecolor=ax.get_facecolor(), linewidth=0))
        ax.add_patch(Polygon(corners, facecolor=colors[color], alpha=0.15, linewidth=0))
        u = result.curves[name]
        ax.contour(side, side, u(grid), levels=[float(u(middle))], colors=[colors[color]], linestyles=[line])
    ax.plot(*_POINTS[[0, 2]].T, "o", color=colors["truth"], markersize=9)
    ax.plot(*middle, "D", color=colors["truth"], markersize=9)
    below = "two points lie below the line\nof this weighted sum: it returns\none of them"
    point_out(ax, (0.06, 1.03), below, place=(0.24, 0.87), color=colors["extra"])
    write_at(
        ax,
        (0.24, 0.24),
        "the corner of\nChebyshev is\nempty: it returns\nthe middle point",
        color=colors["deviation"],
        offset=(0, 0),
    )
    ax.set_xlim(low, 1.5)
    ax.set_ylim(low, 1.5)
    ax.set_xticks([0, 0.5, 1])
    ax.set_yticks([0, 0.5, 1])
    axis_labels(ax, "first objective", "second objective")
    ax.set_title("1. The middle point of three")


def _draw_front(ax: Axes, result: ReachResult) -> None:
    colors = colors_of(ax)
    supported = result.kinds["supported"].to_numpy()
    x, y = result.front.T
    hull = result.front[supported]
    ax.plot(hull[:, 0], hull[:, 1], "--", color=colors["bound"], linewidth=1.2, label="lower convex hull")
    for part, color, name in ((supported, "coverage", "supported"), (~supported, "purity", "unsupported")):
        ax.plot(np.where(part, x, np.nan), np.where(part, y, np.nan), color=colors[color], linewidth=3.5, label=name)
    write_at(
        ax,
        (0.13, float(np.interp(0.13, x, y))),
        "on the convex hull:\nsome weighted sum\nreturns it",
        color=colors["coverage"],
        offset=(8, 4),
    )
    write_at(
        ax,
        (0.66, float(np.interp(0.66, x, y))),
        "off the hull:\nno weighted\nsum does",
        color=colors["purity"],
        offset=(8, 14),
    )
    write_at(ax, (0.46, 0.44), "convex hull", color=colors["bound"], offset=(-6, -6))
    ax.set_xticks([0, 0.5, 1])
    ax.set_yticks([0, 0.5, 1])
    axis_labels(ax, "first objective", "second objective")
    ax.set_title("2. A front with a bulge")


def _draw_strips(ax: Axes, result: ReachResult) -> None:
    colors = colors_of(ax)
    x = result.front[:, 0]
    for row, (name, values) in enumerate(result.reached.items()):
        hit = values > 0
        # Half a step on both sides of each point: bars, not dots.
        half = 0.5 * (x[1] - x[0])
        ax.hlines(row, -half, 1.0 + half, color=colors["purity"], linewidth=1.5, linestyle=(0, (1, 2)))
        for first, last in _runs(hit):
            ax.plot(
                [x[first] - half, x[last] + half],
                [row, row],
                color=colors["coverage"],
                linewidth=8,
                solid_capstyle="butt",
                label=f"{name} from {first} to {last}",
            )
            if last - first < 0.02 * len(x):
                # The bar of a few points at an end would hardly be seen.
                ax.plot(0.5 * (x[first] + x[last]), row, "o", color=colors["coverage"], markersize=7, label="_few")
        write_at(ax, (1.0, row), percent_text(values.mean()), offset=(10, 0))
    write_at(ax, (0.14, 0), "returned", color=colors["coverage"], offset=(0, 9))
    write_at(ax, (0.64, 0), "missed", color=colors["purity"], offset=(0, 9))
    write_at(ax, (1.0, 0), "of points", offset=(10, 9))
    names = [
        name.replace("augmented, ", "Chebyshev + ρ·sum,\n").replace("norm, ", "norm,\n") for name in result.reached
    ]
    ax.set_yticks(range(len(names)), names, fontsize=9.5)
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=False, axis="y")
    ax.set_ylim(len(result.reached) - 0.5, -0.95)
    ax.set_xlim(-0.03, 1.27)
    ax.set_xticks([0, 0.5, 1])
    ax.set_xlabel("first objective of the point")
    ax.set_title("3. What each returns of it")


def _runs(hit: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return first and last index of each run of true entries."""
    steps = np.diff(np.concatenate([[0], hit.astype(np.int8), [0]]))
    return list(zip(np.flatnonzero(steps == 1).tolist(), (np.flatnonzero(steps == -1) - 1).tolist(), strict=True))
