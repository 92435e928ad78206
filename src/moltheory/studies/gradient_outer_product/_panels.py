"""The panels of the study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.certification._words import VERDICTS
from moltheory.plotting import LITERAL, axis_labels, band, colors_of, label_lines, note, plain_powers, staircase
from moltheory.studies.gradient_outer_product._experiment import CONTROL_BANDWIDTH

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from moltheory.studies.gradient_outer_product._result import GradientOuterProductResult

__all__ = ["draw_bandwidths", "draw_correlation", "draw_decay", "draw_errors", "draw_front", "draw_networks"]

_CURVES = (
    ("relu", 0.0, "gradients", "ReLU", "coverage", "-"),
    ("fourier", CONTROL_BANDWIDTH, "gradients", "Fourier", "purity", "--"),
    ("relu", 0.0, "identity", "ReLU, M = I", "deviation", "-."),
    ("relu", 0.0, "random", "ReLU, random", "bound", ":"),
    ("fourier", CONTROL_BANDWIDTH, "identity", "Fourier, M = I", "light", "-."),
    ("fourier", CONTROL_BANDWIDTH, "random", "Fourier, random", "extra", ":"),
)
_LOOKS = (("coverage", "o", "-"), ("purity", "s", "--"), ("deviation", "D", "-."))


def draw_decay(ax: Axes, result: GradientOuterProductResult) -> None:
    """NC1 at every stage of every layer: X, M^{1/2}X, Phi."""
    for feature_map, bandwidth, matrix, label, color, line in _CURVES:
        rows = _rows(result.layers, feature_map, bandwidth, matrix)
        stages = _per_seed(rows, ["nc1_x", "nc1_mixed", "nc1_phi"], "layer")
        x = (np.arange(stages.shape[1])[:, None] + np.arange(3) / 3).ravel()
        middle, low, high = _spread(stages.reshape(len(stages), -1))
        ax.plot(x, middle, linestyle=line, color=colors_of(ax)[color], linewidth=1.5, label=label)
        band(ax, x, low, high, color=colors_of(ax)[color])
        if matrix == "gradients":
            ax.plot(x[1::3], middle[1::3], "v", color=colors_of(ax)[color], markersize=4.5)
    ax.set_yscale("log")
    # Names of curves that end close to one another need room.
    bottom, top = ax.get_ylim()
    ax.set_ylim(bottom, top * (top / bottom) ** 0.25)
    plain_powers(ax)
    note(ax, "▾ behind √M", at=(0.03, 0.06))
    ax.set_xlabel(f"layers done ({result.data})", **LITERAL)
    ax.set_ylabel("← better     train NC1")
    ax.set_title("M of gradients collapses")
    label_lines(ax)


def draw_bandwidths(ax: Axes, result: GradientOuterProductResult) -> None:
    """How the bandwidth of Fourier features decides whether collapse progresses."""
    stages = (("matrix_ratio", "√M", "coverage", "o", "-"), ("map_ratio", "Φ", "purity", "s", "--"))
    whole = ("layer_ratio", "layer", "truth", "D", "-.")
    ours = result.ratios[result.ratios["matrix"] == "gradients"]
    fourier, relu = ours[ours["feature_map"] == "fourier"], ours[ours["feature_map"] == "relu"]
    bandwidths = np.unique(fourier["bandwidth"])
    left = bandwidths[0] / 2.5
    for column, label, color, marker, line in (*stages, whole):
        values = np.array([fourier[fourier["bandwidth"] == one][column].to_numpy() for one in bandwidths]).T
        middle, low, high = _spread(values)
        ax.plot(bandwidths, middle, marker=marker, linestyle=line, color=colors_of(ax)[color], label=label)
        band(ax, bandwidths, low, high, color=colors_of(ax)[color])
        ax.plot(
            left,
            np.exp(np.log(relu[column]).mean()),
            marker,
            color=colors_of(ax)[color],
            markerfacecolor=ax.get_facecolor(),
        )
    ax.axhline(1.0, color=colors_of(ax)["bound"], linewidth=0.8)
    ax.set_xscale("log")
    ax.set_xlim(left / 1.6, bandwidths[-1] * 1.3)
    ax.minorticks_off()
    # Without the zero before the point: six of them side by side.
    ticks = ["ReLU", *(f"{one:g}".removeprefix("0") for one in bandwidths)]
    ax.set_xticks([left, *bandwidths], ticks, fontsize=10.0)
    ax.set_xlabel("bandwidth of Fourier features")
    ax.set_ylabel("← better     factor on NC1 per layer")
    ax.set_title("The bandwidth decides")
    ax.set_yscale("log")
    plain_powers(ax)
    label_lines(ax)


def draw_networks(ax: Axes, result: GradientOuterProductResult) -> None:
    """NC1 through trained networks, at the input, behind S V' and behind ReLU."""
    names = ["nc1_x", "nc1_half", "nc1_relu"]
    hidden = result.networks[result.networks["nc1_x"].notna()]
    for (color, _, line), (gain, rows) in zip(_LOOKS, hidden.groupby("gain"), strict=False):
        x, middle, low, high = _through(_per_seed(rows, names, "layer"))
        ax.plot(x, middle, linestyle=line, color=colors_of(ax)[color], label=f"gain {gain:g}")
        ax.plot(x[1::2], middle[1::2], "v", color=colors_of(ax)[color], markersize=5.5)
        band(ax, x, low, high, color=colors_of(ax)[color])
    start = hidden[hidden["gain"] == hidden["gain"].iloc[0]]
    x, middle, low, high = _through(_per_seed(start, [f"start_{name}" for name in names], "layer"))
    ax.plot(x, middle, ":", color=colors_of(ax)["bound"], label="at the start")
    band(ax, x, low, high, color=colors_of(ax)["bound"])
    ax.set_yscale("log")
    plain_powers(ax)
    ax.set_xticks(range(int(x[-1]) + 1))
    note(ax, "▾ behind SVᵀ", at=(0.03, 0.06))
    ax.set_xlabel("hidden layers done")
    ax.set_ylabel("← better     train NC1")
    ax.set_title("Trained networks: SVᵀ collapses")
    label_lines(ax)


def draw_correlation(ax: Axes, result: GradientOuterProductResult) -> None:
    """Correlation of W'W with the root of M, by layer."""
    for (color, marker, line), (gain, rows) in zip(_LOOKS, result.networks.groupby("gain"), strict=False):
        values = _per_seed(rows, ["correlation"], "layer")[:, :, 0]
        x = np.arange(1, values.shape[1] + 1)
        ax.plot(
            x, values.mean(axis=0), marker=marker, linestyle=line, color=colors_of(ax)[color], label=f"gain {gain:g}"
        )
        band(ax, x, values.min(axis=0), values.max(axis=0), color=colors_of(ax)[color])
    rows = result.networks[result.networks["gain"] == result.networks["gain"].iloc[0]]
    values = _per_seed(rows, ["start_correlation"], "layer")[:, :, 0]
    x = np.arange(1, values.shape[1] + 1)
    ax.plot(x, values.mean(axis=0), "v:", color=colors_of(ax)["bound"], label="at the start")
    band(ax, x, values.min(axis=0), values.max(axis=0), color=colors_of(ax)["bound"])
    ax.set_ylim(min(0.4, float(values.min()) - 0.05), 1.02)
    ax.set_xticks(x, [*(str(one) for one in x[:-1]), "output"])
    ax.set_xlabel("layer")
    ax.set_ylabel("correlation of WᵀW with √M")
    ax.set_title("Weights against gradients")
    ax.legend(loc="lower left")


def draw_errors(ax: Axes, result: GradientOuterProductResult) -> None:
    """Test error of the regression after each number of layers."""
    for feature_map, bandwidth, matrix, label, color, line in _CURVES[:4]:
        values = _per_seed(_rows(result.models, feature_map, bandwidth, matrix), ["test_error"], "depth")[:, :, 0]
        x = np.arange(values.shape[1])
        ax.plot(x, values.mean(axis=0), linestyle=line, color=colors_of(ax)[color], label=label)
        band(ax, x, values.min(axis=0), values.max(axis=0), color=colors_of(ax)[color])
    ours = _rows(result.models, "relu", 0.0, "gradients")["test_error"]
    ax.set_ylim(0.0, 2.7 * float(ours.max()))
    ax.set_xlabel("layers done")
    ax.set_ylabel("← better     test error")
    ax.set_title("Collapse is not accuracy")
    label_lines(ax)


def draw_front(ax: Axes, result: GradientOuterProductResult) -> None:
    """Models of the first seed: test error against train NC1, with what the certificate says."""
    seed = int(result.compared["seed"].min())
    rows = result.compared[result.compared["seed"] == seed]
    points = rows[["train_nc1", "test_error"]].to_numpy()
    front = rows["on_certified_front"].to_numpy()
    status = rows["status"].to_numpy()
    paper: Any = ax.get_facecolor()
    groups = (
        (VERDICTS["excluded"], status == "excluded", "x", 5, colors_of(ax)["bound"], colors_of(ax)["bound"]),
        (VERDICTS["undecided"], (status == "undecided") & ~front, "s", 5, paper, colors_of(ax)["purity"]),
        ("the same, on empirical front", (status == "undecided") & front, "s", 6, colors_of(ax)["purity"], paper),
        (VERDICTS["sure"], status == "sure", "o", 9, colors_of(ax)["coverage"], paper),
    )
    for label, mask, marker, size, face, edge in groups:
        _marks(ax, points[mask], f"{label} ({int(mask.sum())})", marker, size, face, edge)
    ax.set_xscale("log")
    # Models that know almost nothing would stretch the axis.
    top = 2.5 * float(np.median(points[:, 1]))
    ax.set_ylim(0.0, top)
    right = 2.0 * float(points[(rows["depth"] == 0).to_numpy(), 0].max())
    ax.set_xlim(points[:, 0].min() / 1.7, right)
    staircase(ax, points, color=colors_of(ax)["truth"], linewidth=1.0, zorder=1)
    outside = int(((points[:, 1] > top) | (points[:, 0] > right)).sum())
    axis_labels(ax, "train NC1", "test error")
    ax.set_title(f"Seed {seed}: {len(rows)} models, {outside} outside")
    ax.legend(loc="upper right", fontsize=9.0, frameon=True, facecolor=paper, edgecolor="none", framealpha=1.0)
    plain_powers(ax)


def _marks(ax: Axes, points: FloatArray, label: str, marker: str, size: int, face: Any, edge: Any) -> None:
    ax.plot(
        points[:, 0], points[:, 1], marker, color=face, markeredgecolor=edge, markersize=size, label=label, zorder=3
    )


def _rows(table: pd.DataFrame, feature_map: str, bandwidth: float, matrix: str) -> pd.DataFrame:
    keep = (table["feature_map"] == feature_map) & (table["matrix"] == matrix)
    return table[keep & (table["bandwidth"] == bandwidth)]


def _per_seed(rows: pd.DataFrame, names: list[str], index: str) -> FloatArray:
    """Values (seeds, layers, names)."""
    return np.array([part.sort_values(index)[names].to_numpy() for _, part in rows.groupby("seed")], dtype=np.float64)


def _through(stages: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Stages (seeds, layers, 3), each layer starting where the one before ended, as one line."""
    line = np.concatenate([stages[:, :1, 0], stages[:, :, 1:].reshape(len(stages), -1)], axis=1)
    x = np.arange(line.shape[1]) / 2.0
    return (x, *_spread(line))


def _spread(values: npt.NDArray[np.float64]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Geometric mean and range over the first axis."""
    return np.exp(np.log(values).mean(axis=0)), values.min(axis=0), values.max(axis=0)
