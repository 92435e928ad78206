"""Is anything below collapse where no network written down is? Training at few layers and classes, from random starts."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

import numpy as np

from moltheory.reports import Settings
from moltheory.runs import as_seed_sequence, block_stream
from moltheory.studies._collapse import numerical_rank
from moltheory.studies._deep_features import DeepFeatures, polish
from moltheory.studies._runner import Columns, run_study_blocks
from moltheory.studies.low_rank_bias._experiment import MARGIN, RANK_TOLERANCE
from moltheory.studies.unconstrained_features._model import ReducedLoss

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SearchCell", "search_cell", "search_table"]

# The product of all factors as a share of the largest one at which collapse is better than zero: a close fit.
_SHARE = 0.02


@dataclass(frozen=True)
class SearchCell:
    """L-BFGS from random starts for some numbers of classes and layers, width 2K + 4, one example per class."""

    n_classes: int
    depth: int
    starts: int
    iterations: int

    @property
    def key(self) -> str:
        """Name of the stored block."""
        return f"classes{self.n_classes}-depth{self.depth}"

    @property
    def model(self) -> DeepFeatures:
        """The same factor for all layers."""
        factor = (_SHARE * ReducedLoss(self.n_classes, self.depth, 1.0).critical_product) ** (1 / (self.depth + 1))
        width = 2 * self.n_classes + 4
        return DeepFeatures(n_classes=self.n_classes, per_class=1, depth=self.depth, width=width, regularization=factor)


def search_cell(cell: SearchCell, entropy: int) -> Columns:
    """Train from each start; ``loss`` and ``rank`` of the features."""
    model = cell.model
    losses, ranks = [], []
    for seed in range(cell.starts):
        start = model.random(block_stream(as_seed_sequence(entropy), "low-rank bias search", cell.n_classes, seed))
        end, _ = polish(model, start, iterations=cell.iterations)
        losses.append(float(model.loss(end)))
        ranks.append(int(numerical_rank(end[0], tolerance=RANK_TOLERANCE)))
    return {"loss": np.array(losses), "rank": np.array(ranks)}


def search_table(cells: tuple[SearchCell, ...], *, settings: Settings) -> pd.DataFrame:
    """Return one row per cell: ``n_classes``, ``depth``, ``starts``, ``below`` (how many end below collapse).

    ``share`` is the lowest loss found, as a share of that of collapse, and ``rank`` that of its features.
    """
    import pandas as pd

    parts = run_study_blocks(
        search_cell,
        {one.key: (one, settings.seed) for one in cells},
        store=("low_rank_bias", "search"),
        parameters={"share": _SHARE, "cells": [astuple(one) for one in cells]},
        settings=settings,
        needs_torch=True,
    )
    rows = []
    for cell, part in zip(cells, parts.values(), strict=True):
        loss, collapse = part["loss"].astype(np.float64), ReducedLoss.of_model(cell.model).minimum
        rows.append(
            {
                "n_classes": cell.n_classes,
                "depth": cell.depth,
                "starts": cell.starts,
                "below": int((loss < collapse - MARGIN).sum()),
                "share": float(loss.min() / collapse),
                "rank": int(part["rank"][int(np.argmin(loss))]),
            }
        )
    return pd.DataFrame(rows)
