"""The panels of networks trained on images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory.plotting import axis_labels, colors_of, note
from moltheory.studies.unconstrained_features._certified import last_nc1
from moltheory.studies.unconstrained_features._experiment import N_CLASSES
from moltheory.studies.unconstrained_features._model import ReducedLoss
from moltheory.studies.unconstrained_features._networks import FEATURES, WEIGHTS, layer_columns

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from moltheory.studies.unconstrained_features._result import UnconstrainedResult

__all__ = ["draw_certified", "draw_layers", "draw_networks", "kinds_of"]

_KINDS = [("coverage", "o"), ("purity", "s"), ("deviation", "D"), ("extra", "^")]


def kinds_of(networks: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Return the networks by recipe: those with the model's regularization first, then by hidden layers of the trunk."""
    found = [("as in the model", networks[networks["kind"] == FEATURES])]
    decayed = networks[networks["kind"] == WEIGHTS]
    for trunk, part in decayed.groupby("trunk"):
        found.append((f"weight decay, {trunk}-layer trunk", part))
    return [(name, part) for name, part in found if len(part)]


def draw_networks(ax: Axes, result: UnconstrainedResult) -> None:
    """Outputs of networks trained on images against the closed form of the model at their factors."""
    depth = result.depth
    top = 1.06 * float(result.networks["ratio"].max())
    end = (ReducedLoss(N_CLASSES, depth, 1.0).spinodal_product ** (1 / (depth + 1))) / (
        ReducedLoss(N_CLASSES, depth, 1.0).critical_product ** (1 / (depth + 1))
    )
    below, above = np.linspace(0.002, 0.9999, 300), np.linspace(1.0, end * (1 - 1e-9), 200)
    scales = [ReducedLoss.at_ratio(N_CLASSES, depth, ratio).scale for ratio in below]
    local = [ReducedLoss.at_ratio(N_CLASSES, depth, ratio).stable_scale for ratio in above]
    truth = colors_of(ax)["truth"]
    ax.plot([*below, 1.0, top], [*scales, 0.0, 0.0], color=truth, label="optimum")
    ax.plot([*above, above[-1]], [*local, 0.0], ":", color=truth, label="local minimum")
    for (name, part), (color, marker) in zip(kinds_of(result.networks), _KINDS, strict=False):
        ax.plot(
            part["ratio"],
            part["scale"],
            marker,
            color=colors_of(ax)[color],
            markersize=6,
            alpha=0.75,
            label=name.replace("weight ", ""),
        )
    ax.set_xlim(0.0, top)
    ax.set_ylim(-0.04, 1.06)
    ax.set_xlabel("factor / critical factor")
    ax.set_ylabel("scale a of the output")
    ax.set_title(f"{result.data}, {result.classes[0]} or {result.classes[1]}: the same jump")
    ax.legend(loc="lower left", bbox_to_anchor=(0.0, 0.04), fontsize=9.5, handlelength=1.4)


def draw_layers(ax: Axes, result: UnconstrainedResult) -> None:
    """NC1 by layer of the networks trained at the smallest factor: median and range over seeds."""
    rows = result.networks[result.networks["nominal"] == result.networks["nominal"].min()]
    names = layer_columns(rows, "nc1")
    kinds = kinds_of(rows)
    for k, ((name, part), (color, marker)) in enumerate(zip(kinds, _KINDS, strict=False)):
        values = part[names].to_numpy()
        x = np.arange(len(names)) + 0.08 * (k - (len(kinds) - 1) / 2)
        middle = np.median(values, axis=0)
        reach = np.abs(np.stack([values.min(axis=0), values.max(axis=0)]) - middle)
        ax.errorbar(x, middle, yerr=reach, color=colors_of(ax)[color], marker=marker, markersize=6, label=name)
    ax.set_yscale("log")
    low, high = ax.get_ylim()
    ax.set_ylim(low, high * (high / low) ** 0.3)
    ax.set_xticks(range(len(names)), ["trunk", *(f"ReLU {k}" for k in range(1, len(names)))])
    ax.set_xlim(-0.3, len(names) - 0.7)
    ax.set_ylabel("← better     NC1 (median, range)")
    ax.set_title(f"Collapse by layer on {result.data}")
    ax.legend(loc="upper right", fontsize=9.5)


def draw_certified(ax: Axes, result: UnconstrainedResult) -> None:
    """Test error with its box, against NC1, by the verdict of the certificate."""
    found = result.certificate
    nc1 = last_nc1(result.networks.iloc[result.certified])
    undecided = ~(found.sure | found.excluded)
    groups: list[tuple[str, Any, str, str]] = [
        ("not on the front", found.excluded, "bound", "x"),
        ("undecided", undecided, "extra", "^"),
        ("certainly on it", found.sure, "coverage", "o"),
    ]
    for name, chosen, color, marker in groups:
        y = found.estimates[chosen, 0]
        reach = np.abs(found.boxes[chosen, 0].T - y) if chosen.any() else np.empty((2, 0))
        ax.errorbar(
            nc1[chosen],
            y,
            yerr=reach,
            color=colors_of(ax)[color],
            marker=marker,
            linestyle="",
            elinewidth=0.7,
            markersize=6,
            label=f"{name}: {int(chosen.sum())}",
        )
    ax.set_xscale("log")
    low, high = 0.0, float(found.boxes[:, 0, 1].max())
    ax.set_ylim(low, high * 1.4)
    axis_labels(ax, "NC1 in the last hidden layer", "test error")
    ax.set_title(f"The front on {result.n_test:,} test images")
    note(ax, "third objective: norm", at=(0.03, 0.04))
    ax.legend(loc="upper right", fontsize=9.5)
