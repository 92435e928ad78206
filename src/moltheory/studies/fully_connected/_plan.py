"""The plan of the experiment: data, budgets of labels, seeds, trunks, gates and recipe; and data and network of a seed."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import check_choice, check_count, check_real
from moltheory.errors import InvalidInputError
from moltheory.images import ImageData, ImageSource, digit_images
from moltheory.images._digits import DATA_SETS
from moltheory.runs import block_stream
from moltheory.studies._augmentation import Augmentation, augmentation_of
from moltheory.studies._backbones import BACKBONES, backbone_maker
from moltheory.studies._torch import seeded
from moltheory.studies.fully_connected._model import METHODS, HeadedNetwork, headed_network
from moltheory.studies.fully_connected._training import Recipe

__all__ = [
    "PREFERS",
    "QUERIES",
    "BackboneMaker",
    "Plan",
    "augmentation_for",
    "data_of_seed",
    "labelled",
    "network_of_seed",
    "trunk_name",
]

BackboneMaker = Callable[[tuple[int, int, int]], tuple[Any, int]]
"""From the shape of an image to a fresh backbone and its number of features."""

QUERIES = ("random", "entropy", "core-set", "learning-loss")
PREFERS = ("CIFAR-10", "CIFAR-100", "MNIST")
"""Which data set is taken where a folder holds several."""

# The refiner is read from the training of OJKD.
_TRAINED = ("plain", "OJKD", "no gate")


@dataclass(frozen=True)
class Plan:
    """The experiment, all of it fixed before any result.

    Attributes
    ----------
    sources : tuple of str
        Names of `DATA_SETS`, or folders with images; gates, further trunks and active learning are on the last.
    labels : tuple of int
        Budgets of labels, increasing.
    seeds : int
        At least 3: networks per method, budget and source; a seed decides labelled images, clutter and initial weights.
    methods : tuple of str
        What is trained, of plain, OJKD and no gate; plain and OJKD are among them.
    backbone : str or callable
        Name of a trunk in `BACKBONES`, or a function from the shape of an image to a fresh torch module and its number
        of features, importable by name.
    trunks : tuple of str
        Further trunks, trained plain and with OJKD at the smallest budget.
    gates : tuple of float
        Gates of the sweep, in (0, 1); 0 and 1 are trained anyway.
    sweep_labels : int
        Budget of the sweep, one of `labels`.
    active_start, active_step, active_rounds, active_seeds : int
        Labels of the first round, further ones per round, rounds and seeds of active learning; no seeds, none of it.
    active_backbone : str or callable
        The trunk of active learning.
    queries : tuple of str
        Of `QUERIES`.
    recipe : Recipe
    augment : bool
        Whether training images are cropped and mirrored, see `augmentation_of`.
    width : int
        Of the refiner.
    """

    sources: tuple[str, ...] = DATA_SETS
    labels: tuple[int, ...] = (100, 250, 500)
    seeds: int = 3
    methods: tuple[str, ...] = _TRAINED
    backbone: str | BackboneMaker = "small"
    trunks: tuple[str, ...] = ("tiny", "medium")
    gates: tuple[float, ...] = (0.1,)
    sweep_labels: int = 100
    active_start: int = 100
    active_step: int = 100
    active_rounds: int = 2
    active_seeds: int = 3
    active_backbone: str | BackboneMaker = "small"
    queries: tuple[str, ...] = QUERIES
    recipe: Recipe = field(default_factory=lambda: Recipe(epochs=100))
    augment: bool = True
    width: int = 64

    def __post_init__(self) -> None:
        check_count("seeds", self.seeds, low=3)
        for name in ("active_start", "active_step", "active_rounds", "width"):
            check_count(name, getattr(self, name))
        check_count("active_seeds", self.active_seeds, low=0)
        budgets = [check_count("labels", budget) for budget in self.labels]
        if not budgets or budgets != sorted(set(budgets)):
            raise InvalidInputError(f"`labels` must be increasing budgets, got {self.labels!r}.")
        if self.sweep_labels not in budgets:
            raise InvalidInputError(f"`sweep_labels` must be one of {budgets}, got {self.sweep_labels!r}.")
        for gate in self.gates:
            check_real("gates", gate, low=0.0, high=1.0, strict=True)
        for name in ("gates", "sources", "methods", "trunks", "queries"):
            values = getattr(self, name)
            if len(set(values)) != len(values):
                raise InvalidInputError(f"`{name}` must be distinct, got {values!r}.")
        for name, known in (("trunks", BACKBONES), ("queries", QUERIES), ("methods", _TRAINED)):
            for value in getattr(self, name):
                check_choice(name, value, known)
        if not {"plain", "OJKD"} <= set(self.methods):
            raise InvalidInputError(f"`methods` must hold 'plain' and 'OJKD', got {self.methods!r}.")
        if trunk_name(self.backbone) in self.trunks:
            raise InvalidInputError(f"`trunks` must be other trunks than `backbone`, got {self.backbone!r} in both.")
        if not self.sources:
            raise InvalidInputError("`sources` must hold at least one source, got none.")

    def check_pool(self, data: ImageData) -> None:
        """Refuse data with fewer images in the pool than the plan labels."""
        needed = max(
            *self.labels, self.active_seeds and self.active_start + self.active_step * (self.active_rounds - 1)
        )
        if needed > len(data.pool):
            raise InvalidInputError(f"`labels` must be at most {len(data.pool)} for {data.name}, got {needed}.")


def trunk_name(backbone: str | BackboneMaker) -> str:
    """Return the name of a trunk, or that of the function that makes it."""
    return backbone if isinstance(backbone, str) else getattr(backbone, "__name__", type(backbone).__name__)


def augmentation_for(data: ImageData, plan: Plan) -> Augmentation | None:
    """Return the augmentation of a plan for these images."""
    return augmentation_of(data) if plan.augment else None


def data_of_seed(source: str, seed: int, root: np.random.SeedSequence) -> ImageData:
    """Return the images of a source; those of a folder do not depend on the seed."""
    if source not in DATA_SETS:
        return ImageSource(source, PREFERS).load()
    entropy = root.entropy if isinstance(root.entropy, int | None) else tuple(root.entropy)
    return _digits(source, seed, entropy, tuple(root.spawn_key))


def labelled(data: ImageData, budget: int, seed: int, root: np.random.SeedSequence) -> npt.NDArray[np.intp]:
    """Return which images of the pool are labelled: at random, a smaller budget a part of a larger one."""
    return block_stream(root, "labels", seed).permutation(len(data.pool))[:budget]


def network_of_seed(
    data: ImageData,
    plan: Plan,
    method: str,
    seed: int,
    root: np.random.SeedSequence,
    *,
    gate: float | None = None,
    backbone: str | BackboneMaker | None = None,
) -> tuple[HeadedNetwork, np.random.SeedSequence]:
    """Return a fresh network, which starts alike for all methods, and the seed to train it with.

    `gate` replaces the method's own, and `backbone` the plan's.
    """
    heads, _, own = METHODS[method]
    stream = np.random.SeedSequence(block_stream(root, "network", seed).integers(2**32, size=4).tolist())
    with seeded(stream, "backbone"):
        chosen = plan.backbone if backbone is None else backbone
        trunk, n_features = (backbone_maker(chosen) if isinstance(chosen, str) else chosen)(data.shape)
    network = headed_network(
        trunk,
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
