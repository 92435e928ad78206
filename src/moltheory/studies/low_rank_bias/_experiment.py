"""Training of networks for ten classes: where they end against collapse, over regularization and width.

Ten classes, four layers, width 30, a factor of 0.004 for every layer and steps of 0.5 are the setting of the paper's
figure 2 (its caption); its number of steps, examples and its start are not given there. Here: 20,000 steps of plain
gradient descent, five examples per class, Gaussian entries of variance 1 over the number of columns.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

import numpy as np

from moltheory.reports import Settings
from moltheory.runs import as_seed_sequence, block_stream
from moltheory.studies._collapse import mean_condition_number, numerical_rank, variability
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
    "PER_CLASS",
    "RANK_TOLERANCE",
    "RATE",
    "WIDTH",
    "Cell",
    "model_with",
    "train_cell",
    "trained_networks",
]

N_CLASSES = 10
PER_CLASS = 5
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
RATE = 0.5
_NOISE = 0.05
_NEAR = {2: collapsed_network, 3: graph_network, 4: triangle_network}


@dataclass(frozen=True)
class Cell:
    """Networks trained alike: method (place in `METHODS`), factor of every layer, width, first seed, seeds and steps.

    The last three methods start at a network written down, with noise of 5 % of each layer's largest entry.
    """

    method: int
    factor: float
    width: int
    first: int
    seeds: int
    steps: int
    per_class: int = PER_CLASS

    @property
    def key(self) -> str:
        """Name of the stored block."""
        return f"method{self.method}-factor{self.factor:g}-width{self.width}-n{self.per_class}-seed{self.first}"

    @property
    def work(self) -> float:
        """Rough time."""
        return self.seeds * self.steps * (4.0 if self.method else 1.0) * (0.5 + (self.width / 30.0) ** 2)


def model_with(factor: float = FACTOR, width: int = WIDTH, per_class: int = PER_CLASS) -> DeepFeatures:
    """Return the model: ten classes, four layers."""
    return DeepFeatures(n_classes=N_CLASSES, per_class=per_class, depth=DEPTH, width=width, regularization=factor)


def train_cell(cell: Cell, entropy: int) -> Columns:
    """Train the networks of one cell; the random start of a seed is the same for both methods and all factors.

    Per seed: ``loss``, ``fit``, ``squares`` (squared norms of H_1, W_1, ..., W_L), and of H_1 and the L - 1 activations:
    ``ranks``, ``condition``, the condition numbers of their class means, and ``nc1``, the variability within classes.
    """
    model = model_with(cell.factor, cell.width, cell.per_class)
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
        layers = descend(model, stacked(starts), rate=RATE, steps=cell.steps)
    features = [np.swapaxes(one, -1, -2) for one in model.activations(layers)]
    means = [mean_condition_number(one, model.labels) for one in features]
    return {
        "loss": model.loss(layers),
        "fit": model.fit(layers),
        "squares": model.squared_norms(layers),
        "ranks": np.stack([numerical_rank(one, tolerance=RANK_TOLERANCE) for one in features], axis=-1),
        "condition": np.stack(means, axis=-1),
        "nc1": np.stack([variability(one, model.labels) for one in features], axis=-1),
    }


def trained_networks(cells: tuple[Cell, ...], *, settings: Settings) -> pd.DataFrame:
    """Return one row per network of all cells.

    Columns: those of the cell and ``seed``; ``loss``, ``collapse`` (the smallest loss of collapsed networks),
    ``graph`` and ``triangles`` (those of networks written down), ``gain`` (collapse less loss); ``end``: "below" where
    the gain exceeds `MARGIN`, "collapsed" where it does not and the class means behind every ReLU have condition
    numbers of at most `COLLAPSED`, else "other"; ``fit``, ``norms`` (sum of all squared norms), ``rank`` (of H_1),
    ``ranks`` (sum over H_1 and the activations), ``nc1`` (the largest of the layers), and per layer ``square_0``...,
    ``rank_0``..., ``condition_0``... and ``nc1_0``...
    """
    import pandas as pd

    parts = run_study_blocks(
        train_cell,
        {one.key: (one, settings.seed) for one in cells},
        store=("low_rank_bias",),
        parameters={
            "n_classes": N_CLASSES,
            "depth": DEPTH,
            "rate": RATE,
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
    closed = ReducedLoss.of_model(model_with(cell.factor, cell.width, cell.per_class))
    gain = closed.minimum - values["loss"]
    tight = values["condition"][:, 1:].max(axis=1) <= COLLAPSED
    columns: dict[str, object] = {
        "method": METHODS[cell.method],
        "factor": cell.factor,
        "width": cell.width,
        "per_class": cell.per_class,
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
        "nc1": values["nc1"].max(axis=1),
    }
    columns |= {f"square_{k}": column for k, column in enumerate(values["squares"].T)}
    columns |= {f"rank_{k}": column.astype(int) for k, column in enumerate(values["ranks"].T)}
    columns |= {f"condition_{k}": column for k, column in enumerate(values["condition"].T)}
    columns |= {f"nc1_{k}": column for k, column in enumerate(values["nc1"].T)}
    return pd.DataFrame(columns)
