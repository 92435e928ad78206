"""The larger run: a convolutional trunk with the same hidden layers without biases on top, as in the source's scripts.

The run script of D. Beaglehole, P. Súkeník, M. Mondelli, M. Belkin (2024) (github.com/dmbeaglehole/neural_collapse_rfm)
has a ResNet18 under five hidden layers of 512, plain SGD at .05 for 500 epochs in batches of 128 on 50,000 images, gains
.05 in the first two of these layers and .25 in the others. Here the trunk has the form for 32 x 32 images.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.images import ImageSource
from moltheory.reports import Settings
from moltheory.runs import as_seed_sequence
from moltheory.studies._machine import Machine
from moltheory.studies._runner import Columns, run_study_blocks
from moltheory.studies._torch import repeatable, seeded
from moltheory.studies.gradient_outer_product._experiment import network_columns, network_table
from moltheory.studies.gradient_outer_product._images import image_split
from moltheory.studies.gradient_outer_product._networks import ReluNetwork
from moltheory.studies.gradient_outer_product._recursion import sign_targets

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LargeBudget", "large_sweep"]

_BATCH = 128


@dataclass(frozen=True)
class LargeBudget:
    """A trunk of `backbones`, hidden layers with their gains, and how long they are trained on how many images."""

    backbone: str
    seeds: int
    n_train: int
    n_test: int
    n_measured: int
    hidden: tuple[int, ...]
    gains: tuple[float, ...]
    epochs: int
    rate: float


def large_sweep(budget: LargeBudget, settings: Settings, source: ImageSource, machine: Machine) -> pd.DataFrame:
    """Return the table of `network_sweep` for networks on a trunk; `gain` is that of the last hidden layer.

    Layers are counted from the first one on top of the trunk, whose features are its input.
    """
    gain = budget.gains[-1]
    cells = [(gain, seed) for seed in range(budget.seeds)]
    parts = run_study_blocks(
        large_block,
        {f"seed-{seed}": (budget, seed, settings.seed, source, machine) for _, seed in cells},
        store=("gradient_outer_product", "large"),
        parameters=asdict(budget),
        settings=settings,
        needs_torch=True,
        source=source,
        machine=machine,
    )
    return network_table(cells, list(parts.values()))


def large_block(budget: LargeBudget, seed: int, entropy: int, source: ImageSource, machine: Machine) -> Columns:
    """Train one network on a trunk, and measure its layers before and after, on the first images of the mixed subset."""
    from moltheory.studies._backbones import backbone

    x, labels, z, test_labels = image_split(source, entropy, seed, budget.n_train, budget.n_test)
    shape = source.load().shape
    targets = sign_targets(labels, int(labels.max()) + 1)
    root = as_seed_sequence(entropy)
    with repeatable(machine) as torch, seeded(root, "gradient outer product, large", seed):
        trunk, n_features = backbone(budget.backbone, shape)
        sizes = [n_features, *budget.hidden, targets.shape[1]]
        limits = [g * np.sqrt(6.0 / (a + b)) for g, (a, b) in zip(budget.gains, pairwise(sizes[:-1]), strict=True)]
        limits.append(1.0 / np.sqrt(sizes[-2]))
        weights = [
            torch.empty(b, a).uniform_(-limit, limit) for limit, (a, b) in zip(limits, pairwise(sizes), strict=True)
        ]
        images, test = (
            torch.tensor(one, dtype=torch.float32).reshape(len(one), *shape).to(machine.device) for one in (x, z)
        )
        wanted = torch.tensor(targets, dtype=torch.float32, device=machine.device)
        trunk, weights = trunk.to(machine.device), [one.to(machine.device).requires_grad_() for one in weights]
        seen = torch.randperm(len(x))[: budget.n_measured]
        before = _network(weights), _features(torch, trunk, images[seen])
        rule = torch.optim.SGD([*trunk.parameters(), *weights], lr=budget.rate)
        for _ in range(budget.epochs):
            trunk.train()
            for part in torch.randperm(len(x)).to(machine.device).split(_BATCH):
                rule.zero_grad()
                loss = (_outputs(torch, trunk(images[part]), weights) - wanted[part]).square().mean()
                loss.backward()
                rule.step()
        after = _network(weights), _features(torch, trunk, images[seen])
        tested = _features(torch, trunk, test)
    chosen: npt.NDArray[np.int64] = labels[seen.numpy()]
    return network_columns(*before, *after, chosen, tested, test_labels)


def _outputs(torch: Any, x: Any, weights: list[Any]) -> Any:
    for weight in weights[:-1]:
        x = torch.relu(x @ weight.T)
    return x @ weights[-1].T


def _features(torch: Any, trunk: Any, images: Any) -> FloatArray:
    trunk.eval()
    with torch.no_grad():
        parts = [trunk(part).cpu().double().numpy() for part in images.split(_BATCH)]
    return np.concatenate(parts)


def _network(weights: list[Any]) -> ReluNetwork:
    return ReluNetwork(tuple(one.detach().cpu().double().numpy().copy() for one in weights))
