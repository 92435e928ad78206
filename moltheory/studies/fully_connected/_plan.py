"""The plan of the experiment: data, budgets of labels, seeds, gates and recipe; and data and network of a seed."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import check_count, check_real
from moltheory.errors import InvalidInputError
from moltheory.runs import block_stream
from moltheory.studies._torch import seeded
from moltheory.studies.fully_connected._files import load_folder
from moltheory.studies.fully_connected._images import DATA_SETS, ImageData, digit_images
from moltheory.studies.fully_connected._model import METHODS, HeadedNetwork, headed_network, residual_backbone
from moltheory.studies.fully_connected._training import Recipe

__all__ = ["BackboneMaker", "Plan", "data_of_seed", "labelled", "network_of_seed"]

BackboneMaker = Callable[[tuple[int, int, int]], tuple[Any, int]]
"""From the shape of an image to a fresh backbone and its number of features."""


@dataclass(frozen=True)
class Plan:
    """The experiment, all of it fixed before any result.

    Attributes
    ----------
    sources : tuple of str
        Names of `DATA_SETS`, or folders with original files.
    labels : tuple of int
        Budgets of labels, increasing.
    seeds : int
        At least 3: networks per method, budget and source; a seed decides labelled images, clutter and initial weights.
    gates : tuple of float
        Gates of the sweep, in (0, 1); 0 and 1 are trained anyway.
    sweep_labels : int
        Budget of the sweep, one of `labels`.
    active_start, active_step, active_rounds, active_seeds : int
        Labels of the first round, further ones per round, rounds and seeds of active learning.
    recipe : Recipe
    width : int
        Of the refiner.
    backbone : callable
        From the shape of an image to a fresh torch module and its number of features; importable by name.
    """

    sources: tuple[str, ...] = DATA_SETS
    labels: tuple[int, ...] = (250, 500, 1000)
    seeds: int = 5
    gates: tuple[float, ...] = (0.1, 0.3)
    sweep_labels: int = 500
    active_start: int = 125
    active_step: int = 125
    active_rounds: int = 3
    active_seeds: int = 3
    recipe: Recipe = field(default_factory=Recipe)
    width: int = 32
    backbone: BackboneMaker = residual_backbone

    def __post_init__(self) -> None:
        check_count("seeds", self.seeds, low=3)
        for name in ("active_start", "active_step", "active_rounds", "active_seeds", "width"):
            check_count(name, getattr(self, name))
        budgets = [check_count("labels", budget) for budget in self.labels]
        if not budgets or budgets != sorted(set(budgets)):
            raise InvalidInputError(f"`labels` must be increasing budgets, got {self.labels!r}.")
        if self.sweep_labels not in budgets:
            raise InvalidInputError(f"`sweep_labels` must be one of {budgets}, got {self.sweep_labels!r}.")
        for gate in self.gates:
            check_real("gates", gate, low=0.0, high=1.0, strict=True)
        for name, values in (("gates", self.gates), ("sources", self.sources)):
            if len(set(values)) != len(values):
                raise InvalidInputError(f"`{name}` must be distinct, got {values!r}.")
        if not self.sources:
            raise InvalidInputError("`sources` must hold at least one source, got none.")

    def check_pool(self, data: ImageData) -> None:
        """Refuse data with fewer images in the pool than the plan labels."""
        needed = max(*self.labels, self.active_start + self.active_step * (self.active_rounds - 1))
        if needed > len(data.pool):
            raise InvalidInputError(f"`labels` must be at most {len(data.pool)} for {data.name}, got {needed}.")


def data_of_seed(source: str, seed: int, root: np.random.SeedSequence) -> ImageData:
    """Return the images of a source; those of a folder do not depend on the seed."""
    if source not in DATA_SETS:
        return _folder(source)
    entropy = root.entropy if isinstance(root.entropy, int | None) else tuple(root.entropy)
    return _digits(source, seed, entropy, tuple(root.spawn_key))


def labelled(data: ImageData, budget: int, seed: int, root: np.random.SeedSequence) -> npt.NDArray[np.intp]:
    """Return which images of the pool are labelled: at random, a smaller budget a part of a larger one."""
    return block_stream(root, "labels", seed).permutation(len(data.pool))[:budget]


def network_of_seed(
    data: ImageData, plan: Plan, method: str, seed: int, root: np.random.SeedSequence, *, gate: float | None = None
) -> tuple[HeadedNetwork, np.random.SeedSequence]:
    """Return a fresh network, which starts alike for all methods, and the seed to train it with; `gate` replaces its own."""
    heads, _, own = METHODS[method]
    stream = np.random.SeedSequence(block_stream(root, "network", seed).integers(2**32, size=4).tolist())
    with seeded(stream, "backbone"):
        backbone, n_features = plan.backbone(data.shape)
    network = headed_network(
        backbone,
        n_features,
        n_classes=data.n_classes,
        heads=heads,
        gate=own if gate is None else gate,
        width=plan.width,
        rng=stream,
    )
    return network, stream


@functools.lru_cache(maxsize=8)
def _digits(source: str, seed: int, entropy: int | tuple[int, ...] | None, spawn_key: tuple[int, ...]) -> ImageData:
    return digit_images(source, root=np.random.SeedSequence(entropy, spawn_key=spawn_key), seed=seed)


@functools.lru_cache(maxsize=1)
def _folder(folder: str) -> ImageData:
    return load_folder(folder)
