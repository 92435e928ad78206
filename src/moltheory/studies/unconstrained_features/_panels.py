"""The panels of the study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory.plotting import axis_labels, colors_of, note
from moltheory.studies.unconstrained_features._experiment import N_CLASSES, WIDTH
from moltheory.studies.unconstrained_features._model import ReducedLoss
from moltheory.studies.unconstrained_features._widths import GROUPS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from moltheory.studies.unconstrained_features._result import UnconstrainedResult

__all__ = ["GAINS", "draw_branches", "draw_collapse", "draw_front", "draw_jump", "draw_success", "reached"]

# Branch of the closed form -> name, color, marker.
_BRANCHES: dict[int, tuple[str, str, str]] = {
    2: ("both classes", "coverage", "o"),
    1: ("one class", "purity", "s"),
    0: ("zero", "bound", "v"),
    -1: ("none of these", "extra", "X"),
}
_DEPTHS = [("coverage", "o", "-"), ("purity", "s", "--"), ("deviation", "D", "-."), ("extra", "^", (0, (5, 1)))]
_FLOOR = 1e-16
# Gains in fit above this are more than rounding and the grid.
GAINS = 1e-6


def draw_branches(ax: Axes, result: UnconstrainedResult) -> None:
    """Losses of trained networks on the branches of the closed form, against the factor."""
    depth = result.depth
    rows = result.sweep[result.sweep["depth"] == depth]
    ratios = np.linspace(0.05, float(rows["ratio"].max()) * 1.05, 400)
    losses = [ReducedLoss.at_ratio(N_CLASSES, depth, ratio) for ratio in ratios]
    ax.plot(
        ratios,
        [one.minimum for one in losses],
        color=colors_of(ax)["truth"],
        linewidth=4.0,
        alpha=0.35,
        label="optimum",
    )
    for learned, line in ((2, "-"), (1, "--"), (0, ":")):
        name, color, marker = _BRANCHES[learned]
        ax.plot(ratios, [one.branch_loss(learned) for one in losses], line, color=colors_of(ax)[color], linewidth=1.4)
    for learned, (name, color, marker) in _BRANCHES.items():
        part = rows[rows["learned"] == learned]
        # Networks on a branch share its loss; the others are shown one by one.
        counts = part.groupby("ratio")["loss"].agg(["mean", "size"]) if learned >= 0 else part[["ratio", "loss"]]
        x = counts.index if learned >= 0 else counts["ratio"]
        y = counts["mean"] if learned >= 0 else counts["loss"]
        size = 22.0 * np.sqrt(counts["size"]) if learned >= 0 else 22.0
        ax.scatter(x, y, s=size, marker=marker, color=colors_of(ax)[color], zorder=3, label=f"{name}: {len(part)}")
    ax.axvline(1.0, color=colors_of(ax)["bound"], linewidth=0.8)
    ax.set_xlabel("factor / critical factor")
    ax.set_ylabel("← better     loss")
    ax.set_title(f"Ends of {len(rows)} networks, width {WIDTH}, L = {depth}")
    ax.legend(loc="lower right", frameon=True, framealpha=0.85, edgecolor="none")


def draw_success(ax: Axes, result: UnconstrainedResult) -> None:
    """Shares of starts from which gradient descent reaches the optimum, with exact intervals."""
    shares = result.shares
    widths = sorted(shares["width"].unique())
    step = 0.8 / (2 * len(widths))
    for k, ((color, marker, _), width) in enumerate(zip(_DEPTHS, widths, strict=False)):
        for j, factors in enumerate(GROUPS):
            part = shares[(shares["width"] == width) & (shares["factors"] == factors)]
            if part.empty:
                continue
            x = part["depth"] + (2 * k + j - len(widths) + 0.5) * step
            reach = np.stack([part["share"] - part["low"], part["high"] - part["share"]]).clip(min=0.0)
            face = ax.get_facecolor() if j else colors_of(ax)[color]
            ax.errorbar(
                x,
                part["share"],
                yerr=reach,
                color=colors_of(ax)[color],
                marker=marker,
                markerfacecolor=face,
                linestyle="",
                elinewidth=1.1,
                markersize=6,
                label=None if j else f"width {width}",
            )
    ax.set_xticks(result.depths, [f"L = {depth}" for depth in result.depths])
    ax.set_xlim(min(result.depths) - 0.5, max(result.depths) + 0.5)
    ax.set_ylim(-0.04, 1.3)
    ax.set_yticks([0.0, 0.25, 0.5, 0.75, 1.0])
    note(ax, "filled: up to half the critical factor", at=(0.03, 0.83))
    ax.set_ylabel("share of starts     better →")
    ax.set_title("Gradient descent at the optimum")
    ax.legend(loc="upper center", ncols=len(widths), columnspacing=1.0, handletextpad=0.2)


def draw_jump(ax: Axes, result: UnconstrainedResult) -> None:
    """The optimal scale against the factor, and that of the trained networks that learned both classes."""
    top = float(result.sweep["ratio"].max()) * 1.05
    for (color, marker, line), depth in zip(_DEPTHS, result.depths, strict=False):
        below, above = np.linspace(0.02, 0.9999, 300), np.linspace(1.0, top, 300)
        scales = [ReducedLoss.at_ratio(N_CLASSES, depth, ratio).scale for ratio in below]
        local = [ReducedLoss.at_ratio(N_CLASSES, depth, ratio).stable_scale for ratio in above]
        ax.plot([*below, 1.0, 1.0], [*scales, (depth - 1) / depth, 0.0], linestyle=line, color=colors_of(ax)[color])
        ax.plot(above, local, ":", color=colors_of(ax)[color], linewidth=1.4)
        part = result.sweep[(result.sweep["depth"] == depth) & (result.sweep["learned"] == 2)]
        ax.plot(part["ratio"], part["scale"], marker, color=colors_of(ax)[color], markersize=5, label=f"L = {depth}")
    ax.set_ylim(-0.04, 1.04)
    ax.set_xlim(0.0, top)
    note(ax, "dotted: local minima", at=(0.03, 0.18))
    note(ax, "marks: trained", at=(0.03, 0.09))
    ax.set_xlabel("factor / critical factor")
    ax.set_ylabel("scale a of the output")
    ax.set_title("Optimal scale: a jump to zero")
    ax.legend(loc="upper right", handletextpad=0.3, borderaxespad=0.0)


def draw_collapse(ax: Axes, result: UnconstrainedResult) -> None:
    """How collapsed the networks are that reached the optimum, after gradient descent and after L-BFGS."""
    from matplotlib.lines import Line2D

    names = {"gap": "loss gap", "nc1": "NC1", "condition": "condition\nnumber − 1", "spread": "norm\nspread"}
    handles: list[Any] = []
    for k, ((color, marker, _), depth) in enumerate(zip(_DEPTHS, result.depths, strict=False)):
        part = reached(result.sweep, depth)
        handles.append(Line2D([], [], color=colors_of(ax)[color], marker=marker, linestyle="", label=f"L = {depth}"))
        if part.empty:
            continue
        for i, name in enumerate(names):
            for end, shift, face in (("_descent", -0.07, ax.get_facecolor()), ("", 0.07, colors_of(ax)[color])):
                values = np.maximum(_worst(part, name, end, depth), _FLOOR)
                x = i + (k - (len(result.depths) - 1) / 2) * 0.2 + shift * 0.8
                ax.plot([x, x], [values.min(), values.max()], color=colors_of(ax)[color], linewidth=1.0)
                ax.plot(x, np.median(values), marker, color=colors_of(ax)[color], markerfacecolor=face, markersize=5)
    handles.append(
        Line2D(
            [],
            [],
            color=colors_of(ax)["truth"],
            marker="o",
            markerfacecolor=ax.get_facecolor(),
            linestyle="",
            label="descent",
        )
    )
    handles.append(Line2D([], [], color=colors_of(ax)["truth"], marker="o", linestyle="", label="then L-BFGS"))
    ax.set_yscale("log")
    ax.set_xticks(range(len(names)), list(names.values()))
    ax.set_ylabel("← better     median and range")
    ax.set_title("Networks at the optimum")
    low, high = ax.get_ylim()
    ax.set_ylim(low, high * (high / low) ** 0.34)
    ax.set_yticks([10.0**power for power in range(-16, 1, 4)])
    ax.minorticks_off()
    ax.legend(handles=handles, loc="upper center", ncols=3, columnspacing=1.0, handletextpad=0.2)


def draw_front(ax: Axes, result: UnconstrainedResult) -> None:
    """The front of collapsed networks, what weighted sums miss of it, and trained networks."""
    x, y = result.front.T
    part = result.missed
    both = np.where(result.supported, y, np.nan)
    ax.plot(x, both, color=colors_of(ax)["coverage"], linewidth=6, label="supported")
    ax.plot(
        x, np.where(result.supported, np.nan, y), color=colors_of(ax)["purity"], linewidth=3, label="missed by weights"
    )
    ax.plot(x[result.supported][-1:], y[result.supported][-1:], "o", color=colors_of(ax)["coverage"], markersize=8)
    ax.plot(part.fit, part.norms[::-1], "--", color=colors_of(ax)["bound"], linewidth=1.2)
    line = np.where(result.separated_gain > GAINS, result.separated[:, 1], np.nan)
    ax.plot(result.separated[:, 0], line, ":", color=colors_of(ax)["truth"], label="one class first")
    rows = result.sweep[(result.sweep["depth"] == result.depth) & (result.sweep["learned"] != -1)]
    ax.plot(rows["fit"], rows["norms"], "o", color=colors_of(ax)["truth"], markersize=3.5, label="trained: weights")
    ax.plot(
        result.budgets["fit"],
        result.budgets["norms"] / result.budget_factor,
        "P",
        color=colors_of(ax)["deviation"],
        markersize=6.5,
        markeredgecolor=ax.get_facecolor(),
        markeredgewidth=0.5,
        label="trained: budget",
    )
    ax.set_xlim(-0.02, 0.53)
    ax.set_ylim(-0.03 * y.max(), 1.62 * y.max())
    axis_labels(ax, "fit", "sum of squared norms / 2")
    ax.set_title(f"A hole that weights miss, L = {result.depth}")
    ax.legend(loc="upper right", fontsize=9.5, ncols=2, columnspacing=1.0, handlelength=1.3)


def reached(sweep: pd.DataFrame, depth: int) -> pd.DataFrame:
    """Rows of networks of a depth that reached an optimum other than zero."""
    return sweep[(sweep["depth"] == depth) & sweep["is_optimal"] & (sweep["learned"] == 2)]


def _worst(part: pd.DataFrame, name: str, end: str, depth: int) -> Any:
    if name != "condition":
        return np.abs(part[f"{name}{end}"].to_numpy())
    # Of the activations: the optimum does not fix that of the features.
    return part[[f"condition{end}_{k}" for k in range(1, depth)]].max(axis=1).to_numpy() - 1.0
