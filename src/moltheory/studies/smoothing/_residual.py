"""The larger run: residual networks trained under noise with torch, and their votes where torch computes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_choice, check_count, check_real
from moltheory.runs import block_stream
from moltheory.studies._augmentation import Augmentation
from moltheory.studies._backbones import BACKBONES, backbone
from moltheory.studies._machine import Machine
from moltheory.studies._runner import Columns
from moltheory.studies._torch import repeatable, seeded
from moltheory.studies.smoothing._counting import IntArray

__all__ = ["Residual", "clean_classes", "residual_votes", "train_residual", "work_of"]


@dataclass(frozen=True)
class Residual:
    """A trunk of `BACKBONES` with a linear layer, and its training.

    Stochastic gradient descent with Nesterov momentum .9, weight decay and a step size that falls to zero as a cosine,
    on augmented images under fresh Gaussian noise. Our recipe: the paper's is not at hand.
    """

    trunk: str = "resnet20"
    epochs: int = 60
    rate: float = 0.1
    decay: float = 5e-4
    batch: int = 128

    def __post_init__(self) -> None:
        check_choice("trunk", self.trunk, BACKBONES)
        check_count("epochs", self.epochs)
        check_count("batch", self.batch, low=2)
        check_real("rate", self.rate, low=0.0, strict=True)
        check_real("decay", self.decay, low=0.0)


def train_residual(
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.int64],
    sigma: float,
    *,
    recipe: Residual,
    augmentation: Augmentation,
    n_classes: int,
    root: np.random.SeedSequence,
    machine: Machine,
) -> Columns:
    """Return the weights by name of a network trained on images (n, channels, height, width) under noise of sigma >= 0.

    The last batch of an epoch is left out if it is not full.
    """
    check_real("sigma", sigma, low=0.0)
    draws = block_stream(root, "smoothing: residual batches")
    batch = min(recipe.batch, len(images))
    steps = len(images) // batch
    with repeatable(machine) as torch, seeded(root, "smoothing: residual weights"):
        net = _module(recipe, images.shape[1:], n_classes, torch).to(machine.device)
        noise = torch.Generator(device=machine.device).manual_seed(int(draws.integers(2**62)))
        rule = torch.optim.SGD(net.parameters(), lr=recipe.rate, momentum=0.9, nesterov=True, weight_decay=recipe.decay)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(rule, recipe.epochs * steps)
        net.train()
        for _ in range(recipe.epochs):
            order = draws.permutation(len(images))
            for start in range(0, steps * batch, batch):
                chosen = order[start : start + batch]
                x = torch.from_numpy(augmentation(images[chosen], draws)).to(machine.device).float() / 255.0
                x = x + sigma * torch.randn(x.shape, generator=noise, device=machine.device)
                loss = torch.nn.functional.cross_entropy(net(x), torch.from_numpy(labels[chosen]).to(machine.device))
                rule.zero_grad()
                loss.backward()
                rule.step()
                schedule.step()
        return {_stored(name): value.cpu().numpy() for name, value in net.state_dict().items()}


def residual_votes(
    parts: Columns,
    images: npt.NDArray[np.uint8],
    deviations: FloatArray,
    /,
    *,
    recipe: Residual,
    n_classes: int,
    sizes: Sequence[int],
    root: np.random.SeedSequence,
    stream: int,
    machine: Machine,
    batch: int = 1000,
) -> IntArray:
    """Return the votes (D, n, V, K) of `train_residual`'s network, as `shared_votes` does.

    The noise is drawn where the network is evaluated, a stream for each image; what is counted on one kind of device is
    not repeated bit for bit on another.
    """
    edges = np.asarray(sizes)
    found = np.zeros((len(deviations), len(images), len(edges) * n_classes), dtype=np.int64)
    with repeatable(machine) as torch, torch.no_grad():
        net = _trained(parts, recipe, images.shape[1:], n_classes, machine, torch)
        for point, image in enumerate(images):
            seed = int(block_stream(root, "smoothing: residual", point, stream).integers(2**62))
            noise = torch.Generator(device=machine.device).manual_seed(seed)
            x = torch.from_numpy(np.array(image)).to(machine.device).float() / 255.0
            for start in range(0, int(edges[-1]), batch):
                votes = np.arange(start, min(start + batch, int(edges[-1])))
                stages = np.searchsorted(edges, votes, side="right") * n_classes
                e = torch.randn((len(votes), *x.shape), generator=noise, device=machine.device)
                for d, sigma in enumerate(deviations[:, point]):
                    codes = net(x + float(sigma) * e).argmax(dim=1).cpu().numpy()
                    found[d, point] += np.bincount(stages + codes, minlength=found.shape[2])
    return found.reshape(len(deviations), len(images), len(edges), n_classes).cumsum(axis=2)


def clean_classes(
    parts: Columns, images: npt.NDArray[np.uint8], *, recipe: Residual, n_classes: int, machine: Machine
) -> IntArray:
    """Return the classes of images without noise."""
    with repeatable(machine) as torch, torch.no_grad():
        net = _trained(parts, recipe, images.shape[1:], n_classes, machine, torch)
        x = torch.from_numpy(np.array(images)).to(machine.device).float() / 255.0
        return np.concatenate([net(one).argmax(dim=1).cpu().numpy() for one in torch.split(x, 500)]).astype(np.int64)


def work_of(recipe: Residual, shape: Sequence[int], n_classes: int) -> int:
    """Return the multiplications per image of the convolutions and the linear layer."""
    found: list[int] = []
    with repeatable() as torch, torch.no_grad():
        # The caller's generator is left as it was.
        with torch.random.fork_rng(devices=[]):
            net = _module(recipe, shape, n_classes, torch).eval()

        def count(module: Any, _: Any, output: Any) -> None:
            found.append(module.weight.numel() * int(np.prod(output.shape[2:])))

        for one in net.modules():
            if isinstance(one, torch.nn.Conv2d | torch.nn.Linear):
                one.register_forward_hook(count)
        net(torch.zeros(1, *shape))
    return sum(found)


def _module(recipe: Residual, shape: Sequence[int], n_classes: int, torch: Any) -> Any:
    trunk, features = backbone(recipe.trunk, shape)
    return torch.nn.Sequential(trunk, torch.nn.Linear(features, n_classes))


def _stored(name: str) -> str:
    """The store takes identifiers."""
    return "p_" + name.replace(".", "__")


def _trained(
    parts: Columns, recipe: Residual, shape: Sequence[int], n_classes: int, machine: Machine, torch: Any
) -> Any:
    with torch.random.fork_rng(devices=[]):
        net = _module(recipe, shape, n_classes, torch)
    net.load_state_dict({name: torch.from_numpy(np.array(parts[_stored(name)])) for name in net.state_dict()})
    return net.to(machine.device).eval()
