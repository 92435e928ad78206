"""The panels of the networks trained on images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moltheory.plotting import axis_labels, colors_of, label_lines, label_points
from moltheory.studies.low_rank_bias._experiment import RANK_TOLERANCE
from moltheory.studies.low_rank_bias._image_networks import LOOSE_TOLERANCE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from moltheory._core._validation import FloatArray
    from moltheory.studies.low_rank_bias._result import LowRankResult

__all__ = ["draw_image_front", "draw_image_layers", "draw_image_ranks"]

# Verdict -> color, marker, words.
_VERDICTS = {
    "sure": ("purity", "o", "certainly on the front"),
    "undecided": ("bound", "s", "undecided"),
    "excluded": ("coverage", "X", "certainly not"),
}
_SHADES = [("coverage", "o"), ("purity", "s"), ("deviation", "D"), ("extra", "^"), ("light", "v"), ("bound", "P")]


def draw_image_ranks(ax: Axes, result: LowRankResult) -> None:
    """The rank of the class means in the middle of the head against weight decay, for two tolerances."""
    images = result.images
    colors = colors_of(ax)
    for column, color, line, words in (
        ("rank", "purity", "o-", f"{RANK_TOLERANCE:.0%} of the largest"),
        ("loose_rank", "coverage", "s--", f"{LOOSE_TOLERANCE:.0%} of the largest"),
    ):
        means = images.groupby("decay")[column].mean()
        ax.plot(means.index, means.to_numpy(), line, color=colors[color], label=words)
        ax.plot(
            images["decay"], images[column], line[0], color=colors[color], markersize=3.5, alpha=0.5, label="_seeds"
        )
    classes = int(images["classes"].iloc[0])
    ax.axhline(classes, color=colors["truth"], linewidth=1.2)
    ax.set_xscale("log")
    decays = np.unique(images["decay"])
    _plain_ticks(ax, decays)
    ax.set_ylim(0.0, 1.18 * classes)
    ax.set_xlabel("1000 × weight decay")
    ax.set_ylabel("rank of class means")
    ax.set_title(f"{images['data'].iloc[0]}: mid-layer rank")
    ax.legend(loc="lower left", title="singular values above", fontsize=9, title_fontsize=9)


def draw_image_layers(ax: Axes, result: LowRankResult) -> None:
    """NC1 by hidden layer, one line for the mean over seeds at each weight decay."""
    images = result.images
    columns = [name for name in images.columns if name.startswith("nc1_") and name != "nc1_falls"]
    x = np.arange(1, len(columns) + 1)
    for (color, marker), decay in zip(_SHADES, np.unique(images["decay"]).tolist(), strict=False):
        part = images.loc[images["decay"] == decay, columns]
        means = np.exp(np.log(part.to_numpy(dtype=np.float64)).mean(axis=0))
        ax.plot(x, means, marker + "-", color=colors_of(ax)[color], markersize=5, label=f"{1000 * decay:g}")
    ax.set_yscale("log")
    ax.set_xticks(x)
    ax.set_xlabel("hidden layer (label: 1000 × weight decay)")
    ax.set_ylabel("← better     NC1, training images")
    ax.set_title(f"{images['data'].iloc[0]}: collapse within classes")
    label_lines(ax)


def draw_image_front(ax: Axes, result: LowRankResult) -> None:
    """Test error, with its simultaneous interval, against NC1; the ranks at each weight decay as text."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    table = result.certified
    points = table[["nc1", "test_error"]].to_numpy(dtype=np.float64)
    for verdict, (color, marker, words) in _VERDICTS.items():
        rows = table[table["verdict"] == verdict]
        if len(rows):
            around = [rows["test_error"] - rows["low"], rows["high"] - rows["test_error"]]
            ax.errorbar(
                rows["nc1"],
                rows["test_error"],
                yerr=np.maximum(np.array(around), 0.0),
                fmt=marker,
                color=colors_of(ax)[color],
                elinewidth=0.9,
                markersize=5,
                alpha=0.85,
                label=words,
            )
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    low, top = float(table["low"].min()), float(table["high"].max())
    ax.set_ylim(low - 0.1 * (top - low), top + 0.55 * (top - low))
    axis_labels(ax, "NC1, last hidden layer", "test error")
    ax.set_title(f"{table['data'].iloc[0]}: the front, with ranks")
    ax.legend(loc="upper left", fontsize=9)
    # Networks of one weight decay lie close together: one text for them, beside the middle one.
    groups = [rows for _, rows in table.groupby("decay")]
    middle = [rows.index[np.argsort(rows["nc1"].to_numpy(), kind="stable")[len(rows) // 2]] for rows in groups]
    bars = [np.array([[row["nc1"], row["low"]], [row["nc1"], row["high"]]]) for _, row in table.iterrows()]
    at = table.loc[middle, ["nc1", "test_error"]].to_numpy(dtype=np.float64)
    label_points(ax, at, [_ranks(rows["rank"]) for rows in groups], avoid=points, lines=bars, reach=0.25)


def _ranks(ranks: pd.Series) -> str:
    low, high = int(ranks.min()), int(ranks.max())
    return f"rank {low}" if low == high else f"rank {low} to {high}"


def _plain_ticks(ax: Axes, decays: FloatArray) -> None:
    from matplotlib.ticker import NullFormatter, NullLocator

    ax.set_xticks(decays, [f"{1000 * decay:g}" for decay in decays])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_minor_formatter(NullFormatter())
