"""Measures from outside that keep the contract, and losses of two models in two groups."""

from collections.abc import Sequence
from typing import Any

import numpy as np

import moltheory as mt
from moltheory.objectives import Cell, Measure, Rate

Array = np.ndarray[Any, Any]


def groups(seed: int, n: int = 1500) -> tuple[Array, Array]:
    """Model 0 errs on .1 and .2 of two groups (gap .1), model 1 on .3 of both (gap 0)."""
    rng = np.random.default_rng(seed)
    group = rng.random(n) < 0.5
    return np.column_stack([rng.random(n) < np.where(group, 0.1, 0.2), rng.random(n) < 0.3]), group


LOSSES, GROUP = groups(0)
EVERY = np.ones(len(LOSSES), dtype=bool)


def rates(seed: int = 0) -> tuple[Rate, Rate]:
    losses, group = groups(seed)
    return Rate(losses, group), Rate(losses, ~group)


def certify_one(measure: Any, **options: Any) -> mt.Certificate:
    return mt.certify(None, objectives={"it": measure}, **options)


class PlainGap(Measure):
    """Keeps the contract: the absolute difference of two means."""

    def __init__(self, a: Measure, b: Measure) -> None:
        self.cells = (*a.cells, *b.cells)

    def value(self, means: Sequence[Array]) -> Array:
        return np.abs(means[0] - means[1])

    def interval(self, lower: Sequence[Array], upper: Sequence[Array]) -> tuple[Array, Array]:
        least = np.maximum(np.maximum(lower[0] - upper[1], lower[1] - upper[0]), 0.0)
        return least, np.maximum(upper[0] - lower[1], upper[1] - lower[0])

    def width(self, widths: Sequence[Array]) -> Array:
        return widths[0] + widths[1]


class Own(Measure):
    """Keeps the contract: one mean."""

    is_increasing = True

    def __init__(self, losses: Any = LOSSES, where: Any = EVERY) -> None:
        self.cells = (Cell(losses, where),)

    def value(self, means: Sequence[Array]) -> Array:
        return means[0]

    def interval(self, lower: Sequence[Array], upper: Sequence[Array]) -> tuple[Array, Array]:
        return lower[0], upper[0]

    def width(self, widths: Sequence[Array]) -> Array:
        return widths[0]
