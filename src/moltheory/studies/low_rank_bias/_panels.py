"""The panels of the study."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moltheory.plotting import axis_labels, colors_of, label_lines
from moltheory.studies.low_rank_bias._experiment import FACTOR, N_CLASSES, WIDTH, model_with
from moltheory.studies.low_rank_bias._trade_off import layer_points, written_networks
from moltheory.studies.unconstrained_features._model import ReducedLoss

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from moltheory.studies.low_rank_bias._result import LowRankResult

__all__ = ["draw_front", "draw_losses", "draw_ranks", "draw_reach", "draw_widths"]

# Network written down -> color, line.
_WRITTEN = {"collapse": ("truth", "-"), "graph": ("coverage", "--"), "triangles": ("deviation", "-.")}
# Where a trained network ended -> color, marker, words.
_ENDS = {
    "below": ("purity", "o", "below collapse"),
    "collapsed": ("truth", "s", "collapsed"),
    "other": ("bound", "X", "neither"),
}
_DEPTHS = [("coverage", "o"), ("purity", "s"), ("deviation", "D"), ("extra", "^")]


def draw_reach(ax: Axes, result: LowRankResult) -> None:
    """The cost of the cheapest network written down against the number of classes, by depth."""
    for (color, marker), (depth, part) in zip(_DEPTHS, result.reach.groupby("depth"), strict=False):
        ax.plot(
            part["n_classes"], part["rho"], marker + "-", color=colors_of(ax)[color], markersize=5, label=f"L = {depth}"
        )
    ax.axhline(1.0, color=colors_of(ax)["truth"], linewidth=1.2)
    ax.set_xticks(np.unique(result.reach["n_classes"])[::2])
    ax.set_xlabel("number of classes K")
    ax.set_ylabel("← better     cost / cost of collapse, ρ")
    ax.set_title("Collapse is not optimal below 1")
    label_lines(ax)


def draw_front(ax: Axes, result: LowRankResult) -> None:
    """Fit against the sum of squared norms: networks written down of any scale, and trained ones."""
    model = model_with()
    scales = np.linspace(0.0, 1.0, 400)
    for network in written_networks():
        color, line = _WRITTEN[network.name]
        points = layer_points(model, network, scales)
        ax.plot(
            points[:, 0], points[:, 1:].sum(axis=1), line, color=colors_of(ax)[color], label=network.name, linewidth=1.6
        )
    _scatter(ax, result.main, "fit", "norms")
    top = 1.5 * float(result.main["fit"].max())
    high = float(layer_points(model, written_networks()[0], [1.0])[0, 1:].sum())
    ax.set_xlim(0.0, max(0.0025, min(top, 0.08)))
    ax.set_ylim(0.74 * high, 1.12 * high)
    ax.locator_params(axis="x", nbins=4)
    axis_labels(ax, "fit", "sum of squared norms")
    ax.set_title(f"Fit and norms, λ = {FACTOR:g}")
    ax.legend(loc="upper right", fontsize=8.5, ncols=2, columnspacing=1.0, handlelength=1.6)


def draw_losses(ax: Axes, result: LowRankResult) -> None:
    """The loss as a share of that of collapse, against the factor."""
    factors = np.linspace(
        0.6 * float(result.networks["factor"].min()), 1.08 * float(result.networks["factor"].max()), 200
    )
    base = [ReducedLoss.of_model(model_with(factor)) for factor in factors]
    for network in written_networks():
        color, line = _WRITTEN[network.name]
        share = [network.reduced(one).minimum / one.minimum for one in base]
        ax.plot(factors, share, line, color=colors_of(ax)[color], linewidth=1.6, label=network.name)
    part = _random_starts(result)
    _scatter(ax, part.assign(share=part["loss"] / part["collapse"]), "factor", "share")
    ax.set_xscale("log")
    _factor_ticks(ax, part)
    ax.set_ylabel("← better     loss / loss of collapse")
    ax.set_title(f"Where L-BFGS ends, width {WIDTH}")
    ax.legend(loc="upper left", fontsize=8.5, ncols=2, columnspacing=1.0, handlelength=1.6)
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + 0.35 * (high - low))


def draw_ranks(ax: Axes, result: LowRankResult) -> None:
    """The rank of the features against the factor."""
    part = _random_starts(result)
    for (_, _), rows in part.groupby(["factor", "rank"]):
        spread = np.linspace(-0.02, 0.02, len(rows)) if len(rows) > 1 else np.zeros(1)
        for shift, (_, row) in zip(spread, rows.iterrows(), strict=True):
            color, marker, _ = _ENDS[row["end"]]
            ax.plot(row["factor"] * 10**shift, row["rank"], marker, color=colors_of(ax)[color], markersize=5, alpha=0.8)
    means = part.groupby("factor")["rank"].mean()
    ax.plot(means.index, means.to_numpy(), ":", color=colors_of(ax)["bound"], label="mean")
    ax.axhline(5, color=colors_of(ax)["coverage"], linestyle="--", linewidth=1.4, label="graph, triangles")
    ax.axhline(N_CLASSES, color=colors_of(ax)["truth"], linewidth=1.4, label="collapse")
    ax.set_xscale("log")
    _factor_ticks(ax, part)
    ax.set_ylim(-0.4, 13.4)
    ax.set_yticks(range(0, 11, 2))
    ax.set_ylabel("rank of the features $H_1$")
    ax.set_title("Ranks against regularization")
    ax.legend(loc="upper left", ncols=2, columnspacing=1.0)


def draw_widths(ax: Axes, result: LowRankResult) -> None:
    """Where gradient descent ends, against the width."""
    part = result.widths
    x = np.arange(len(part))
    share = part["share"].to_numpy()
    ax.fill_between(x, part["low"], part["high"], color=colors_of(ax)["truth"], alpha=0.15, linewidth=0)
    ax.plot(x, share, "s-", color=colors_of(ax)["truth"], label="collapsed,\nwith 95%")
    for end in ("below", "other"):
        color, marker, words = _ENDS[end]
        ax.plot(
            x,
            part[end] / part["networks"],
            marker + "--",
            color=colors_of(ax)[color],
            label=words.replace(" ", "\n"),
            linewidth=1.4,
        )
    ax.set_xticks(x, [f"{width}" for width in part["width"]])
    ax.set_ylim(-0.16, 1.06)
    ax.set_yticks(np.linspace(0.0, 1.0, 6))
    ax.set_xlabel("width of every hidden layer")
    ax.set_ylabel("share of networks")
    ax.set_title(f"Gradient descent, λ = {FACTOR:g}")
    label_lines(ax)


def _random_starts(result: LowRankResult) -> pd.DataFrame:
    return result.networks[result.networks["method"] == "L-BFGS"]


def _scatter(ax: Axes, part: pd.DataFrame, x: str, y: str) -> None:
    for end, (color, marker, words) in _ENDS.items():
        rows = part[part["end"] == end]
        if len(rows):
            ax.scatter(
                rows[x], rows[y], s=26, marker=marker, color=colors_of(ax)[color], alpha=0.8, label=words, zorder=3
            )


def _factor_ticks(ax: Axes, part: pd.DataFrame) -> None:
    from matplotlib.ticker import NullFormatter, NullLocator

    factors = np.unique(part["factor"])
    ax.set_xticks(factors, [f"{1000 * factor:g}" for factor in factors])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel("1000 λ, regularization of every layer")
