"""Networks trained on images: by layer, the rank of the class means and the variability within classes, over weight decay.

The head is the paper's on CIFAR-10 (figure 2, its caption: four layers of width 64, steps of 0.05), on a trunk of two
dense layers, or on the paper's ResNet20 in the larger run. Weight decay is that of all layers and varies (the caption
has 0.005, and a factor of its own for the features in place of the trunk); momentum 0.9, batches of 128 and the start of
torch's linear layers are ours. Tried before and left: a wider start (variance 2 over the number of inputs)
diverges at this step, and with steps of 0.01 to 0.02 the decay has too little time to lower a rank.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory.certification import certify
from moltheory.images import ImageData, ImageSource
from moltheory.reports import Settings
from moltheory.runs import as_seed_sequence, block_stream
from moltheory.studies._backbones import backbone
from moltheory.studies._collapse import class_means, numerical_rank, variability
from moltheory.studies._machine import Machine
from moltheory.studies._runner import Columns, run_study_blocks
from moltheory.studies._torch import repeatable, seeded
from moltheory.studies.low_rank_bias._experiment import RANK_TOLERANCE

if TYPE_CHECKING:
    import pandas as pd

    from moltheory._core._validation import FloatArray

__all__ = [
    "FITTED",
    "LOOSE_TOLERANCE",
    "MIDDLE",
    "ImageCell",
    "certified_images",
    "image_networks",
    "train_images",
]

# Units of the dense trunk's first layer, and of its last one and the hidden layers of the head.
_TRUNK, _WIDTH, _HEAD = 256, 64, 4
# The last hidden layer but one, where the networks written down have the rank of a graph's vertices.
MIDDLE = -2
# A second rank, so that what is found does not hang on one tolerance.
LOOSE_TOLERANCE = 0.1
# Networks with a larger training error have given up classes; their ranks say nothing.
FITTED = 0.05
_RATE, _MOMENTUM, _BATCH = 0.05, 0.9, 128
# The step falls to a tenth after this share of all steps.
_LATE = 0.8
_DELTA = 0.05
_LARGEST = 1e12
_CHUNK = 1000


@dataclass(frozen=True)
class ImageCell:
    """One network: weight decay of every layer, seed of its start and batches, steps, images to train on, and its trunk.

    The trunk is "dense" or a name of `moltheory.studies._backbones.BACKBONES`.
    """

    decay: float
    seed: int
    steps: int
    examples: int
    trunk: str = "dense"

    @property
    def key(self) -> str:
        """Name of the stored block."""
        return f"decay{self.decay:g}-seed{self.seed}-{self.trunk}"


def train_images(cell: ImageCell, source: ImageSource, machine: Machine, entropy: int) -> Columns:
    """Train one network on as many images of each class, and measure it on these; ``wrong`` is on the test images.

    By hidden layer, from the dense trunk's first or the features of another trunk on: ``ranks`` and ``loose_ranks`` of
    the class means before the ReLU, ``relu_ranks`` behind it, and ``nc1`` behind it.
    """
    data = source.load()
    root = as_seed_sequence(entropy)
    chosen = _balanced(data, cell.examples, block_stream(root, "low-rank bias images"))
    labels = data.pool_labels[chosen]
    images, tests = _standardized(data, chosen)
    with repeatable(machine) as torch, seeded(root, "low-rank bias network", cell.seed):
        network = _trained(torch, machine.device, images, labels, data.n_classes, cell)
        before, outputs = _measured(torch, machine.device, network, images)
        guesses = _measured(torch, machine.device, network, tests)[1].argmax(axis=1)
    means = [class_means(one, labels) for one in before]
    behind = [np.maximum(one, 0.0) for one in before]
    return {
        "wrong": guesses != data.test_labels,
        "train_error": np.array([np.mean(outputs.argmax(axis=1) != labels)]),
        "ranks": np.array([numerical_rank(one, tolerance=RANK_TOLERANCE) for one in means]),
        "loose_ranks": np.array([numerical_rank(one, tolerance=LOOSE_TOLERANCE) for one in means]),
        "relu_ranks": np.array([numerical_rank(class_means(one, labels), tolerance=RANK_TOLERANCE) for one in behind]),
        "nc1": np.array([variability(one, labels) for one in behind]),
    }


def image_networks(
    cells: Sequence[ImageCell], *, source: ImageSource, machine: Machine, settings: Settings
) -> tuple[pd.DataFrame, npt.NDArray[np.bool_]]:
    """Return one row per network, and which test images each gets wrong, (test images, networks).

    Columns: those of the cell; ``data``, ``classes``, ``train_error``, ``test_error``, ``fitted`` (training error of
    `FITTED` at most); of the class means in the last hidden layer but one, before its ReLU, ``rank`` and
    ``loose_rank``; ``nc1`` behind the last hidden layer; ``nc1_falls``, whether it falls from layer to layer; and per
    hidden layer ``rank_0``..., ``relu_rank_0``... and ``nc1_0``...
    """
    import pandas as pd

    parts = run_study_blocks(
        train_images,
        {one.key: (one, source, machine, settings.seed) for one in cells},
        store=("low_rank_bias", "images"),
        parameters={
            "widths": [_TRUNK, _WIDTH, _HEAD],
            "rate": [_RATE, _MOMENTUM, _BATCH, _LATE],
            "cells": [astuple(one) for one in cells],
        },
        settings=settings,
        needs_torch=True,
        source=source,
        machine=machine,
    )
    data = source.load()
    rows = []
    for cell, part in zip(cells, parts.values(), strict=True):
        nc1 = np.asarray(part["nc1"], dtype=np.float64)
        train = float(part["train_error"][0])
        rows.append(
            {
                "data": data.name,
                "classes": data.n_classes,
                "decay": cell.decay,
                "seed": cell.seed,
                "examples": cell.examples,
                "steps": cell.steps,
                "train_error": train,
                "test_error": float(part["wrong"].mean()),
                "fitted": train <= FITTED,
                "rank": int(part["ranks"][MIDDLE]),
                "loose_rank": int(part["loose_ranks"][MIDDLE]),
                "nc1": float(nc1[-1]),
                "nc1_falls": bool((np.diff(nc1) < 0).all()),
                **{f"rank_{k}": int(one) for k, one in enumerate(part["ranks"])},
                **{f"relu_rank_{k}": int(one) for k, one in enumerate(part["relu_ranks"])},
                **{f"nc1_{k}": float(one) for k, one in enumerate(nc1)},
            }
        )
    wrong = np.column_stack([part["wrong"] for part in parts.values()]).astype(bool)
    return pd.DataFrame(rows), wrong


def certified_images(networks: pd.DataFrame, wrong: npt.NDArray[np.bool_]) -> pd.DataFrame:
    """Return which networks are certainly on the front of (test error, NC1, rank), with confidence 95 %.

    The test error is estimated on the test images; NC1 and rank are measured on the training images and count as known.
    Columns: ``decay``, ``seed``, ``test_error``, ``low``, ``high`` (its simultaneous interval), ``nc1``, ``rank`` and
    ``verdict``, "sure", "excluded" or "undecided".
    """
    import pandas as pd

    names = [f"decay {decay:g}, seed {seed}" for decay, seed in zip(networks["decay"], networks["seed"], strict=True)]
    certificate = certify(
        wrong[:, :, None].astype(np.float64),
        delta=_DELTA,
        # Classes with equal means have an infinite NC1.
        costs=np.minimum(networks[["nc1", "rank"]].to_numpy(dtype=np.float64), _LARGEST),
        objectives=["test error"],
        names=names,
    )
    verdict = np.where(certificate.sure, "sure", np.where(certificate.excluded, "excluded", "undecided"))
    boxes = np.asarray(certificate.boxes)[:, 0]
    table = networks[["data", "decay", "seed", "test_error", "nc1", "rank"]].copy()
    return pd.DataFrame(table.assign(low=boxes[:, 0], high=boxes[:, 1], verdict=verdict))


def _balanced(data: ImageData, examples: int, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """Places in the pool of as many images of each class, the same number of each."""
    classes = np.unique(data.pool_labels)
    places = [rng.permutation(np.flatnonzero(data.pool_labels == one)) for one in classes]
    each = min(examples // len(classes), *(len(one) for one in places))
    return np.concatenate([one[:each] for one in places])


def _standardized(data: ImageData, chosen: npt.NDArray[np.intp]) -> tuple[FloatArray, FloatArray]:
    pool, test = data.pool[chosen].astype(np.float64), data.test.astype(np.float64)
    mean, spread = pool.mean(), pool.std() or 1.0
    return (pool - mean) / spread, (test - mean) / spread


def _trained(torch: Any, device: str, images: FloatArray, labels: Any, n_classes: int, cell: ImageCell) -> Any:
    """A trained network without biases outside its trunk, for half the squared error of one-hot targets, averaged."""
    x = torch.tensor(images, dtype=torch.float32, device=device)
    y = torch.eye(n_classes, device=device)[torch.tensor(np.asarray(labels), device=device)]
    network = _made(torch, cell.trunk, images.shape[1:], n_classes).to(device)
    optimizer = torch.optim.SGD(network.parameters(), lr=_RATE, momentum=_MOMENTUM, weight_decay=cell.decay)
    order: list[Any] = []
    for step in range(cell.steps):
        if step == int(_LATE * cell.steps):
            optimizer.param_groups[0]["lr"] = _RATE / 10
        if not order:
            order = list(torch.randperm(len(x)).to(device).split(_BATCH))
        batch = order.pop()
        optimizer.zero_grad()
        residual = _layers(torch, network, x[batch])[-1] - y[batch]
        (residual.square().sum() / (2 * len(batch))).backward()
        optimizer.step()
    return network.eval()


def _made(torch: Any, trunk: str, shape: Sequence[int], n_classes: int) -> Any:
    """The trunk, then linear layers, as a list of modules."""
    if trunk == "dense":
        first = torch.nn.Flatten()
        sizes = [math.prod(shape), _TRUNK, *(_WIDTH,) * _HEAD, n_classes]
    else:
        first, features = backbone(trunk, shape)
        sizes = [features, *(_WIDTH,) * (_HEAD - 1), n_classes]
    linear = [torch.nn.Linear(before, after, bias=False) for before, after in pairwise(sizes)]
    return torch.nn.ModuleList([first, *linear])


def _layers(torch: Any, network: Any, x: Any) -> list[Any]:
    """The features of the trunk, and the output of every linear layer before its ReLU."""
    trunk, *linear = network
    found = [trunk(x)]
    # What goes into the first layer of a dense trunk are images, which no ReLU may touch.
    for k, layer in enumerate(linear):
        found.append(layer(found[-1] if k == 0 else torch.relu(found[-1])))
    return found


def _measured(torch: Any, device: str, network: Any, images: FloatArray) -> tuple[list[FloatArray], FloatArray]:
    """The hidden layers before their ReLU, and the outputs."""
    dense = isinstance(network[0], torch.nn.Flatten)
    parts = []
    with torch.no_grad():
        for some in torch.tensor(images, dtype=torch.float32).split(_CHUNK):
            found = _layers(torch, network, some.to(device))
            parts.append([one.double().cpu().numpy() for one in found[int(dense) :]])
    *hidden, outputs = (np.concatenate(layer) for layer in zip(*parts, strict=True))
    return list(hidden), outputs
