"""The panels of the study."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moltheory.certification._words import VERDICTS
from moltheory.plotting import axis_labels, colors_of, note, plain_powers, staircase
from moltheory.studies.smoothing._points import certified_accuracy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from moltheory.studies.smoothing._result import SmoothingResult

__all__ = ["draw_approximation", "draw_curse", "draw_curves", "draw_deviation", "draw_front", "draw_further"]

_COLORS = ("coverage", "purity", "deviation", "extra", "light", "bound")
_LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1)))
_MARKERS = ("o", "s", "D", "^", "v", "P")


def draw_curse(ax: Axes, result: SmoothingResult) -> None:
    """Smallest ratio of standard deviations against the dimension."""
    kinds = {"exact": "-", "chernoff": "--", "simplified": ":"}
    chances = sorted(set(result.curse["p_other"]), reverse=True)
    for color, p in zip(_COLORS, chances, strict=False):
        rows = result.curse[result.curse["p_other"] == p]
        for kind, line in kinds.items():
            label = f"{kind}, p = {p:g}" if kind == "exact" else kind.replace("ch", "Ch") if p == chances[-1] else None
            ax.plot(rows["dimension"], rows[kind], linestyle=line, color=colors_of(ax)[color], label=label)
    ax.set_xscale("log")
    plain_powers(ax)
    ax.set_ylim(0.0, 1.03)
    ax.set_xlabel("dimension N")
    ax.set_ylabel("smallest ratio σ₁ / σ₀")
    ax.set_title("Below the lines nothing is certified")
    ax.legend(loc="lower right")


def draw_approximation(ax: Axes, result: SmoothingResult) -> None:
    """What the radius loses to input-dependent noise, against the approximation."""
    rows = result.approximation
    x = np.geomspace(rows["strength"].min(), rows["strength"].max(), 200)
    ax.plot(x, 1.0 / np.sqrt(1.0 + x**2), color=colors_of(ax)["truth"], label="1/√(1 + 2Nr²σ²)")
    for (n, part), color, marker in zip(rows.groupby("dimension"), _COLORS, _MARKERS, strict=False):
        face = [colors_of(ax)[color] if good else ax.get_facecolor() for good in part["rate"] * part["radius"] <= 0.05]
        ax.scatter(part["strength"], part["share"], c=face, edgecolors=colors_of(ax)[color], marker=marker, zorder=3)
        ax.plot([], [], marker, color=colors_of(ax)[color], label=f"N = {n:,}")
    ax.set_xscale("log")
    plain_powers(ax)
    ax.set_ylim(0.0, 1.05)
    note(ax, "open: r·radius > 0.05", at=(0.03, 0.48))
    ax.set_xlabel("r σ √(2N)")
    ax.set_ylabel("radius / radius of constant noise")
    ax.set_title("The price of changing σ")
    ax.legend(loc="lower left")


def draw_curves(ax: Axes, result: SmoothingResult) -> None:
    """Certified accuracy against the distance, for designs with the usual center and neighbors."""
    sweep = result.sweep
    ends = [radii[-1].max() for radii in sweep.radii]
    distances = np.linspace(0.0, max(ends) * 1.02, 400)
    levels = sorted({design.sigma for design in sweep.budget.designs})
    rates = sorted({design.rate for design in sweep.budget.designs})
    for d, design in enumerate(sweep.budget.designs):
        if design.quantile != 0.5 or design.k != 20:
            continue
        right = sweep.correct[d, -1]
        curve = certified_accuracy(sweep.radii[d, -1], correct=right, distances=distances)
        label = f"r = {design.rate:g}" if design.sigma == levels[0] else None
        ax.plot(
            distances,
            curve,
            color=colors_of(ax)[_COLORS[rates.index(design.rate) % len(_COLORS)]],
            linestyle=_LINES[levels.index(design.sigma) % len(_LINES)],
            linewidth=1.6,
            label=label,
        )
    for sigma, line in zip(levels, _LINES, strict=False):
        ax.plot([], [], linestyle=line, color=colors_of(ax)["truth"], label=f"base σ = {sigma:g}")
    ax.set_ylim(0.0, 1.02)
    ax.set_xlabel("distance (pixels in [0, 1])")
    ax.set_ylabel("certified accuracy     better →")
    ax.set_title(f"Digits, {sweep.budget.sizes[-1]:,} votes")
    ax.legend(loc="upper right")


def draw_deviation(ax: Axes, result: SmoothingResult) -> None:
    """Deviation of the classes' accuracies against the rate, at most votes."""
    points = result.points[result.points["votes"] == max(result.sweep.budget.sizes)]
    for (sigma, part), color, marker in zip(points.groupby("sigma"), _COLORS, _MARKERS, strict=False):
        usual = part[((part["quantile"] == 0.5) & (part["k"] == 20)) | (part["rate"] == 0)].sort_values("rate")
        rest = part.drop(usual.index)
        ax.plot(
            usual["rate"], usual["deviation"], marker=marker, color=colors_of(ax)[color], label=f"base σ = {sigma:g}"
        )
        if len(rest):
            ax.plot(
                rest["rate"], rest["deviation"], marker, markerfacecolor=ax.get_facecolor(), color=colors_of(ax)[color]
            )
    ax.set_ylim(0.0, 1.25 * float(points["deviation"].max()))
    note(ax, "open: other m or k", at=(0.03, 0.05))
    ax.set_xlabel("rate r")
    ax.set_ylabel("← better     deviation of classes")
    ax.set_title("How unevenly classes fare")
    ax.legend(loc="upper left", ncols=2)


def draw_front(ax: Axes, result: SmoothingResult) -> None:
    """Error against minus the mean radius, with what the certificate says."""
    points, certificate = result.points, result.certificate
    x, y = points["error"].to_numpy(), -points["mean_radius"].to_numpy()
    kinds = (
        (VERDICTS["excluded"], certificate.excluded, "bound", "x"),
        (VERDICTS["undecided"], certificate.undecided, "extra", "s"),
        (VERDICTS["sure"], certificate.sure, "deviation", "o"),
    )
    for name, mask, color, marker in kinds:
        ax.scatter(
            x[mask], y[mask], color=colors_of(ax)[color], marker=marker, label=f"{name}: {int(mask.sum())}", s=32
        )
    span = max(np.ptp(x), 1e-3), max(np.ptp(y), 1e-3)
    ax.set_xlim(x.min() - 0.06 * span[0], x.max() + 0.08 * span[0])
    ax.set_ylim(y.min() - 0.06 * span[1], y.max() + 0.75 * span[1])
    staircase(ax, np.stack([x, y], axis=1), color=colors_of(ax)["truth"], linewidth=1.0, zorder=0)
    axis_labels(ax, "error (wrong or abstained)", "minus mean radius")
    ax.set_title(f"What {certificate.n_examples} digits show")
    ax.legend(loc="upper right", title="in error, lost radius, cost")


def draw_further(ax: Axes, result: SmoothingResult) -> None:
    """How many more test digits the undecided designs need."""
    rows = result.further
    finite = rows[np.isfinite(rows["sufficient_additional"])]
    ax.set_title("Digits needed for the rest")
    ax.set_xlabel("classifiers still open")
    ax.set_ylabel("← better     further test digits")
    if finite.empty:
        note(ax, "none for which a number is known", at=(0.05, 0.5))
        return
    place = np.arange(1, len(finite) + 1)
    low, high = finite["sufficient_additional_low"].to_numpy(), finite["sufficient_additional_high"].to_numpy()
    shown = np.maximum(finite["sufficient_additional"].to_numpy(), 1.0)
    top = 10.0 * float(shown.max())
    ax.vlines(place, np.maximum(low, 1.0), np.minimum(high, top), color=colors_of(ax)["bound"], linewidth=1.0)
    ax.plot(place, shown, "o", color=colors_of(ax)["extra"], label="suffices with chance 0.8")
    ax.axhline(
        result.certificate.n_examples, color=colors_of(ax)["truth"], linewidth=1.0, linestyle="--", label="those used"
    )
    ax.set_yscale("log")
    plain_powers(ax)
    ax.set_xlim(0.4, len(place) + 0.6)
    ax.set_xticks(place if len(place) <= 8 else place[:: -(-len(place) // 8)])
    ax.set_ylim(top=top * 20.0)
    ax.legend(loc="upper left")
