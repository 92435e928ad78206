"""The panels of the study."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moltheory.certification._words import VERDICTS
from moltheory.plotting import axis_labels, colors_of, plain_powers, staircase
from moltheory.studies.smoothing._counterexamples import interval_probability
from moltheory.studies.smoothing._designs import CONSTANT, KINDS, MATCHED, MOVING
from moltheory.studies.smoothing._points import certified_accuracy
from moltheory.studies.smoothing._summary import headline, trios

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from moltheory.studies.smoothing._result import SmoothingResult

__all__ = ["draw_counterexample", "draw_curse", "draw_curves", "draw_deviation", "draw_front", "draw_waterfall"]

_COLORS = ("coverage", "purity", "deviation", "extra", "light", "bound")
# Of the three kinds of noise: color, line, marker.
_KINDS = {CONSTANT: ("bound", ":", "s"), MOVING: ("coverage", "-", "o"), MATCHED: ("purity", "--", "D")}


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


def draw_counterexample(ax: Axes, result: SmoothingResult) -> None:
    """Probability of the other class on the way to the training point, with what is claimed and what is certified."""
    row = result.counterexamples.iloc[0]
    distances = np.linspace(0.0, 1.15 * row["claimed"], 300)
    ax.plot(distances, interval_probability(distances), color=colors_of(ax)["coverage"])
    ax.axhline(0.5, color=colors_of(ax)["truth"], linewidth=1.0)
    for name, at, color, line in (
        ("certified", row["certified"], "deviation", "--"),
        ("prediction changes", row["changes"], "truth", ":"),
        ("claimed by σ(x)Φ⁻¹(p)", row["claimed"], "purity", "-."),
    ):
        ax.axvline(at, color=colors_of(ax)[color], linestyle=line, label=f"{name}: {at:.2f}")
    ax.set_ylim(0.2, 1.0)
    ax.set_xlim(0.0, distances[-1])
    ax.set_xlabel("distance")
    ax.set_ylabel("probability of the other class")
    ax.set_title("The uncertified formula is wrong")
    ax.legend(loc="upper left", frameon=True, framealpha=1.0, edgecolor="none")


def draw_curves(ax: Axes, result: SmoothingResult) -> None:
    """Certified accuracy around the ceiling of constant noise, means over the networks, at the headline's deviation."""
    sweep, one = result.sweep, headline(result)
    shown = [d for d, design in enumerate(sweep.designs) if design.sigma == one.sigma]
    ceiling = float(one.constant["ceiling"].iloc[0])
    distances = np.linspace(0.75 * ceiling, 1.15 * ceiling, 600)
    for d in shown:
        design = sweep.designs[d]
        if design.kind != CONSTANT and not np.isclose(design.rate, one.rate):
            continue
        curves = [
            certified_accuracy(radii, correct=right, distances=distances)
            for radii, right in zip(sweep.radii[:, d, -1], sweep.correct[:, d, -1], strict=True)
        ]
        color, line, _ = _KINDS[design.kind]
        ax.plot(distances, np.mean(curves, axis=0), color=colors_of(ax)[color], linestyle=line, label=design.kind)
    ax.set_ylim(0.0, 1.05)
    ax.set_xlabel("distance (pixels in [0, 1])")
    ax.set_ylabel("certified accuracy     better →")
    ax.set_title(f"{sweep.data}: the waterfall, σ = {one.sigma:.3g}")
    ax.legend(loc="lower left")


def draw_waterfall(ax: Axes, result: SmoothingResult) -> None:
    """Certified accuracy just beyond the ceiling of constant noise, one point per network."""
    groups = trios(result)
    for place, one in enumerate(groups):
        for shift, kind, rows in zip((-0.2, 0.0, 0.2), KINDS, (one.constant, one.moving, one.matched), strict=True):
            color, _, marker = _KINDS[kind]
            ax.scatter(
                np.full(len(rows), place + shift),
                rows["beyond_ceiling"],
                color=colors_of(ax)[color],
                marker=marker,
                s=30,
                label=kind if place == 0 else None,
            )
    for place, one in enumerate(groups):
        at = float(one.constant["at_ceiling"].mean())
        ax.plot([place - 0.35, place + 0.35], [at, at], color=colors_of(ax)["truth"], linewidth=1.0)
    ax.plot([], [], color=colors_of(ax)["truth"], linewidth=1.0, label="at the ceiling")
    ax.set_xticks(range(len(groups)), [f"{one.sigma:.3g}" for one in groups])
    ax.set_xlim(-0.5, len(groups) - 0.5)
    ax.set_ylim(-0.04, 1.45)
    ax.set_yticks([0.0, 0.25, 0.5, 0.75, 1.0])
    ax.set_xlabel("base σ")
    ax.set_ylabel("certified accuracy     better →")
    ax.set_title("Beyond the ceiling of constant noise")
    ax.legend(loc="upper left", ncols=2)


def draw_deviation(ax: Axes, result: SmoothingResult) -> None:
    """Deviation of the classes' accuracies by base deviation, one point per network."""
    groups, most = trios(result), 0.0
    for place, one in enumerate(groups):
        for shift, kind, rows in zip((-0.2, 0.0, 0.2), KINDS, (one.constant, one.moving, one.matched), strict=True):
            color, _, marker = _KINDS[kind]
            ax.scatter(
                np.full(len(rows), place + shift),
                rows["deviation"],
                color=colors_of(ax)[color],
                marker=marker,
                s=30,
                label=kind if place == 0 else None,
            )
            most = max(most, float(rows["deviation"].max()))
    ax.set_xticks(range(len(groups)), [f"{one.sigma:.3g}" for one in groups])
    ax.set_xlim(-0.5, len(groups) - 0.5)
    ax.set_ylim(0.0, max(1.5 * most, 1e-3))
    ax.set_xlabel("base σ")
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
    ax.set_title(f"{result.sweep.data}: what {certificate.n_examples} images show")
    ax.legend(loc="upper right", title="in error, lost radius, cost")
