"""Training of networks for ten classes: where they end against collapse, over regularisation and width."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

import numpy as np

from moltheory.reports import Settings
from moltheory.runs import as_seed_sequence, block_stream
from moltheory.studies._collapse import mean_condition_number, numerical_rank
from moltheory.studies._deep_features import DeepFeatures, Layers, descend, polish, stacked
from moltheory.studies._runner import Columns, run_study_blocks
from moltheory.studies.low_rank_bias._model import collapsed_network, graph_network, triangle_network
from moltheory.studies.unconstrained_features._model import ReducedLoss

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "COLLAPSED",
    "DEPTH",
    "FACTOR",
    "MARGIN",
    "METHODS",
    "N_CLASSES",
    "RANK_TOLERANCE",
    "WIDTH",
    "Cell",
    "model_with",
    "train_cell",
    "trained_networks",
]

N_CLASSES = 10
DEPTH = 4
WIDTH = 30
FACTOR = 0.004
# A loss below collapse by more than this is lower; far above rounding and far below every gap found.
MARGIN = 1e-6
# Singular values below this share of the largest are not counted.
RANK_TOLERANCE = 0.01
# A network that is not below collapse is collapsed where the class means behind every ReLU are this well conditioned.
COLLAPSED = 1.5
METHODS = ("gradient descent", "L-BFGS", "L-BFGS near collapse", "L-BFGS near graph", "L-BFGS near triangles")
# Small steps out of the random start, large ones, small ones to settle at the kinks of the ReLU.
_RATES = (0.5, 2.0, 0.2)
_NOISE = 0.05
_NEAR = {2: collapsed_network, 3: graph_network, 4: triangle_network}


@dataclass(frozen=True)
class Cell:
    """Networks trained alike: method (place in `METHODS`), factor of every layer, width, first seed, seeds and steps.

    The last three methods start at a network written down, with noise of 5 % of each layer's largest entry. Steps are
    those of L-BFGS, or of gradient descent at its large rate, with an eighth as many before and after.
    """

    method: int
    factor: float
    width: int
    first: int
    seeds: int
    steps: int

    @property
    def key(self) -> str:
        """Name of the stored block."""
        return f"method{self.method}-factor{self.factor:g}-width{self.width}-seed{self.first}"

    @property
    def work(self) -> float:
        """Rough time."""
        return self.seeds * self.steps * (4.0 if self.method else 1.0) * (0.3 + (self.width / 30.0) ** 2)


def model_with(factor: float = FACTOR, width: int = WIDTH) -> DeepFeatures:
    """Return the model: ten classes, one example each, four layers."""
    return DeepFeatures(n_classes=N_CLASSES, per_class=1, depth=DEPTH, width=width, regularization=factor)


def train_cell(cell: Cell, entropy: int) -> Columns:
    """Train the networks of one cell; the random start of a seed is the same for both methods and all factors.

    Per seed: ``loss``, ``fit``, ``squares`` (squared norms of H_1, W_1, ..., W_L), ``ranks`` of H_1 and the L - 1
    activations and ``condition``, the condition numbers of their class means.
    """
    model = model_with(cell.factor, cell.width)
    root = as_seed_sequence(entropy)
    seeds = range(cell.first, cell.first + cell.seeds)
    if cell.method < 2:
        starts = [model.random(block_stream(root, "low-rank bias", cell.width, seed)) for seed in seeds]
    else:
        starts = [_near(model, cell.method, block_stream(root, METHODS[cell.method], seed)) for seed in seeds]
    if cell.method:
        ends = [polish(model, one, iterations=cell.steps)[0] for one in starts]
        layers = stacked(ends)
    else:
        layers = stacked(starts)
        rest = max(1, cell.steps // 8)
        for rate, steps in zip(_RATES, (rest, cell.steps, rest), strict=True):
            layers = descend(model, layers, rate=rate, steps=steps)
    features = model.activations(layers)
    means = [mean_condition_number(np.swapaxes(one, -1, -2), model.labels) for one in features]
    return {
        "loss": model.loss(layers),
        "fit": model.fit(layers),
        "squares": model.squared_norms(layers),
        "ranks": np.stack([numerical_rank(one, tolerance=RANK_TOLERANCE) for one in features], axis=-1),
        "condition": np.stack(means, axis=-1),
    }


def trained_networks(cells: tuple[Cell, ...], *, settings: Settings) -> pd.DataFrame:
    """Return one row per network of all cells.

    Columns: those of the cell and ``seed``; ``loss``, ``collapse`` (the smallest loss of collapsed networks),
    ``graph`` and ``triangles`` (those of networks written down), ``gain`` (collapse less loss); ``end``: "below" where
    the gain exceeds `MARGIN`, "collapsed" where it does not and the class means behind every ReLU have condition
    numbers of at most `COLLAPSED`, else "other"; ``fit``, ``norms`` (sum of all squared norms), ``rank`` (of H_1),
    ``ranks`` (sum over H_1 and the activations), and per layer ``square_0``..., ``rank_0``... and ``condition_0``...
    """
    import pandas as pd

    parts = run_study_blocks(
        train_cell,
        {one.key: (one, settings.seed) for one in cells},
        store=("low_rank_bias",),
        parameters={
            "n_classes": N_CLASSES,
            "depth": DEPTH,
            "rates": _RATES,
            "noise": _NOISE,
            "cells": [astuple(one) for one in cells],
        },
        settings=settings,
        weights={one.key: one.work for one in cells},
        needs_torch=True,
    )
    return pd.concat([_rows(cell, part) for cell, part in zip(cells, parts.values(), strict=True)], ignore_index=True)


def _near(model: DeepFeatures, method: int, rng: np.random.Generator) -> Layers:
    network = _NEAR[method](N_CLASSES, DEPTH)
    layers = network.layers(model, network.reduced(ReducedLoss.of_model(model)).scale)
    return tuple(one + _NOISE * np.abs(one).max() * rng.normal(size=one.shape) for one in layers)


def _rows(cell: Cell, part: Columns) -> pd.DataFrame:
    import pandas as pd

    values = {name: np.asarray(column, dtype=np.float64) for name, column in part.items()}
    closed = ReducedLoss.of_model(model_with(cell.factor, cell.width))
    gain = closed.minimum - values["loss"]
    tight = values["condition"][:, 1:].max(axis=1) <= COLLAPSED
    columns: dict[str, object] = {
        "method": METHODS[cell.method],
        "factor": cell.factor,
        "width": cell.width,
        "seed": np.arange(cell.first, cell.first + cell.seeds),
        "loss": values["loss"],
        "collapse": closed.minimum,
        "graph": graph_network(N_CLASSES, DEPTH).reduced(closed).minimum,
        "triangles": triangle_network(N_CLASSES, DEPTH).reduced(closed).minimum,
        "gain": gain,
        "end": np.where(gain > MARGIN, "below", np.where(tight, "collapsed", "other")),
        "fit": values["fit"],
        "norms": values["squares"].sum(axis=1),
        "rank": values["ranks"][:, 0].astype(int),
        "ranks": values["ranks"].sum(axis=1).astype(int),
    }
    columns |= {f"square_{k}": column for k, column in enumerate(values["squares"].T)}
    columns |= {f"rank_{k}": column.astype(int) for k, column in enumerate(values["ranks"].T)}
    columns |= {f"condition_{k}": column for k, column in enumerate(values["condition"].T)}
    return pd.DataFrame(columns)
