"""Two more panels: Gram matrices by layer as pictures, and the linearized recursion beside its bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.plotting import band, colors_of, label_lines, note, plain_powers

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from moltheory.studies.gradient_outer_product._result import GradientOuterProductResult

__all__ = ["draw_grams", "draw_linearized"]

_ROWS = (("gradients", "gradients"), ("identity", "M = I"))


def draw_grams(ax: Axes, result: GradientOuterProductResult) -> None:
    """Cosines of examples sorted by class, after some layers: blocks are collapsed classes."""
    pictures = [(label, result.grams[matrix]) for matrix, label in _ROWS if matrix in result.grams]
    depth, side = len(pictures[0][1]) - 1, pictures[0][1].shape[1]
    layers = sorted({0, max(depth // 4, 1), depth})
    gap = max(side // 15, 1)
    step = side + gap
    canvas = np.full((step * len(pictures) - gap, step * len(layers) - gap), np.nan)
    for i, (_, grams) in enumerate(pictures):
        for j, layer in enumerate(layers):
            canvas[i * step : i * step + side, j * step : j * step + side] = grams[layer]
    image = ax.imshow(canvas, cmap="RdBu_r", vmin=-1.0, vmax=1.0, interpolation="nearest")
    ax.set_xticks([j * step + side / 2 for j in range(len(layers))], [str(layer) for layer in layers])
    ax.set_yticks(
        [i * step + side / 2 for i in range(len(pictures))], [label for label, _ in pictures], rotation=90, va="center"
    )
    ax.tick_params(length=0)
    ax.grid(visible=False)
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.set_xlabel("layers done")
    scale = ax.figure.colorbar(image, cax=ax.inset_axes((1.04, 0.0, 0.035, 1.0)), ticks=[-1, 0, 1])
    scale.set_label("cosine")
    scale.outline.set_visible(False)
    scale.ax.tick_params(length=0)
    ax.set_title("Gram matrices, sorted by class")


def draw_linearized(ax: Axes, result: GradientOuterProductResult) -> None:
    """NC1 behind M^{1/2} of the linearized recursion, its bound, and the real recursion on the same images."""
    table = result.linearized
    layer = np.unique(table["layer"])
    curves = (
        ("linearized", _by_seed(table, "nc1"), "coverage", "-"),
        ("its bound", _by_seed(table, "bound") ** 2, "purity", "--"),
        ("behind map", _by_seed(table, "nc1_phi"), "deviation", "-."),
    )
    for label, values, color, line in curves:
        ax.plot(layer, _middle(values), linestyle=line, color=colors_of(ax)[color], label=label)
        band(ax, layer, values.min(axis=0), values.max(axis=0), color=colors_of(ax)[color])
    real = result.layers[
        np.asarray((result.layers["feature_map"] == "relu") & (result.layers["matrix"] == "gradients"))
    ]
    values = _by_seed(real, "nc1_mixed")
    ax.plot(np.unique(real["layer"]), _middle(values), "o:", color=colors_of(ax)["truth"], markersize=4, label="real")
    ax.set_yscale("log")
    plain_powers(ax)
    limit = float(table["limit"].iloc[0]) ** 2
    note(ax, f"limit: ×{limit:.3f} per layer", at=(0.03, 0.06))
    ax.set_xlabel("layer")
    ax.set_ylabel("← better     NC1 behind √M")
    ax.set_title("Linear kernels: geometric collapse")
    label_lines(ax)


def _by_seed(table: pd.DataFrame, name: str) -> FloatArray:
    return np.array([part.sort_values("layer")[name].to_numpy() for _, part in table.groupby("seed")])


def _middle(values: FloatArray) -> FloatArray:
    return np.asarray(np.exp(np.log(values).mean(axis=0)))
