"""What each scalarization can return on a non-convex front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.objectives import FiniteObjectives
from moltheory.plotting import COLORS, axis_labels
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
# Color and line of the curves through the middle point.
_STYLES: list[tuple[str, Any]] = [
    ("coverage", "--"),
    ("light", "-."),
    ("truth", "-"),
    ("deviation", (0, (5, 1))),
    ("purity", ":"),
]


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
            f"augmented, ρ = {low:.2f}": Chebyshev(weights, ideal=_IDEAL, augmentation=low),
            f"augmented, ρ = {high:.2f}": Chebyshev(weights, ideal=_IDEAL, augmentation=high),
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
        """Quote the limits and the shares."""
        limit = result.three["largest_augmentation"][1]
        verbs = {name: ("returns" if 1 in rows else "never returns") for name, rows in result.returned.items()}
        middle = "; ".join(f"{name}: {verb} it" for name, verb in verbs.items())
        shares = "; ".join(f"{name} {values.mean():.0%}" for name, values in result.reached.items())
        supported = result.kinds["supported"].mean()
        return (
            f"First panel: three points, and the curve of equal value through the middle one for each scalarization; "
            f"the middle point is returned if no other lies on the lower left of the curve. No weighted sum returns "
            f"it. With weights 1/(y − z), z = ({_IDEAL[0]}, {_IDEAL[1]}), augmented Chebyshev does up to ρ* = "
            f"{limit:.6f}. Over all weights: {middle}. Second panel: a front of {len(result.front)} points, "
            f"{supported:.0%} of them supported, on its lower convex hull. Third panel: the points returned, by each "
            f"family for some weights: {shares}. Chebyshev and ε-constraint return every point; an augmentation of at "
            f"most {result.augmentations[0]:.2f}, below ρ* of every point, costs no reach, a larger one does. A "
            f"p-norm reaches more, the larger p is."
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
            f"augmented, ρ = {rho:.2f}": [
                Chebyshev(own(y, ideal=_IDEAL), ideal=_IDEAL, augmentation=rho) for y in points
            ]
            for rho in reversed(augmentations)
        },
        "Chebyshev": [Chebyshev(own(y, ideal=_IDEAL), ideal=_IDEAL) for y in points],
        "ε-constraint": [EpsilonConstraint([np.inf, y[1]]) for y in points],
    }


def _returned(points: FloatArray, family: Sequence[Scalarization]) -> tuple[int, ...]:
    solutions = solve_front(FiniteObjectives(points), scalarizations=family).solutions
    return tuple(np.unique(solutions).tolist())


def _draw_levels(ax: Axes, result: ReachResult) -> None:
    from matplotlib.lines import Line2D

    side = np.linspace(-0.1, 1.35, 400)
    grid = np.stack(np.meshgrid(side, side), axis=-1)
    handles = []
    for (name, u), (color, line) in zip(result.curves.items(), _STYLES, strict=True):
        # A p-norm is one of distances from zero.
        values = u(np.maximum(grid, 0.0) if isinstance(u, PNorm) else grid)
        ax.contour(side, side, values, levels=[float(u(_POINTS[1]))], colors=[COLORS[color]], linestyles=[line])
        handles.append(Line2D([], [], color=COLORS[color], linestyle=line, label=name))
    ax.plot(*_POINTS[[0, 2]].T, "o", color=COLORS["truth"], markersize=9)
    ax.plot(*_POINTS[1], "D", color=COLORS["purity"], markersize=9)
    ax.set_xlim(-0.12, 1.9)
    ax.set_ylim(-0.12, 1.9)
    ax.set_xticks([0, 0.5, 1])
    ax.set_yticks([0, 0.5, 1])
    axis_labels(ax, "first objective", "second objective")
    ax.set_title("Equal value, through one point")
    ax.legend(handles=handles, loc="upper right")


def _draw_front(ax: Axes, result: ReachResult) -> None:
    supported = result.kinds["supported"].to_numpy()
    x, y = result.front.T
    hull = result.front[supported]
    ax.plot(hull[:, 0], hull[:, 1], "--", color=COLORS["bound"], linewidth=1.2, label="lower convex hull")
    for part, color, name in ((supported, "coverage", "supported"), (~supported, "purity", "unsupported")):
        ax.plot(np.where(part, x, np.nan), np.where(part, y, np.nan), color=COLORS[color], linewidth=3.5, label=name)
    ax.set_xticks([0, 0.5, 1])
    ax.set_yticks([0, 0.5, 1])
    axis_labels(ax, "first objective", "second objective")
    ax.set_title("A front, half of it convex")
    ax.legend(loc="upper right")


def _draw_strips(ax: Axes, result: ReachResult) -> None:
    x = result.front[:, 0]
    for row, (name, values) in enumerate(result.reached.items()):
        hit = values > 0
        ax.plot(x[hit], np.full(hit.sum(), row), "|", color=COLORS["coverage"], markersize=9, markeredgewidth=2.0)
        ax.plot(x[~hit], np.full((~hit).sum(), row), ".", color=COLORS["purity"], markersize=2.5)
        ax.text(0.0, row - 0.3, f"{name}: {values.mean():.0%}", fontsize=10.0, va="bottom")
    ax.set_yticks([])
    ax.set_ylim(len(result.reached) - 0.6, -0.9)
    ax.set_xticks([0, 0.5, 1])
    ax.set_xlabel("first objective of the point")
    ax.set_ylabel("returned (bars), missed (dots)")
    ax.set_title("What is reached of it")
