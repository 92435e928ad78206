"""Training by ``torch.optim.SGD`` that repeats bit for bit on one thread of the CPU, also after an interruption."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count, check_real
from moltheory.errors import InvalidInputError, OutputError
from moltheory.runs import RandomSource, as_seed_sequence, block_stream, fingerprint, write_atomically
from moltheory.studies._augmentation import Augmentation
from moltheory.studies._machine import Machine
from moltheory.studies._torch import repeatable, seeded
from moltheory.studies.fully_connected._loss_prediction import LossPredictor
from moltheory.studies.fully_connected._model import HeadedNetwork

__all__ = ["Recipe", "batches", "evaluated", "logits", "pixel_statistics", "train_network"]

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]
Statistics = tuple[FloatArray, FloatArray]

_EVALUATED = 512
_KIND = "moltheory training 3"


@dataclass(frozen=True)
class Recipe:
    """Stochastic gradient descent; all defaults are the paper's.

    `batch` is the largest number of images per step; an epoch is cut into batches of nearly equal size. The rate is
    multiplied by `drop` after the share `drop_at` of the epochs.
    """

    epochs: int = 200
    batch: int = 100
    rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    drop_at: float = 0.8
    drop: float = 0.1

    def __post_init__(self) -> None:
        check_count("epochs", self.epochs)
        check_count("batch", self.batch)
        check_real("rate", self.rate, low=0.0)
        for name in ("momentum", "drop_at", "drop"):
            check_real(name, getattr(self, name), low=0.0, high=1.0)
        check_real("weight_decay", self.weight_decay, low=0.0)

    def rate_at(self, epoch: int) -> float:
        """Return the learning rate of an epoch, counted from 0."""
        return self.rate * (self.drop if epoch >= self.drop_at * self.epochs else 1.0)


def train_network(
    network: HeadedNetwork,
    images: Images,
    labels: npt.ArrayLike,
    /,
    *,
    recipe: Recipe,
    rng: RandomSource,
    augmentation: Augmentation | None = None,
    predictor: LossPredictor | None = None,
    machine: Machine | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    every: int = 10,
    stop_after: int | None = None,
    progress: bool = False,
) -> FloatArray:
    """Train a network in place on the sum of the losses of its heads, and return these (epochs done, heads) by epoch.

    `images` are (n, channels, height, width) of uint8, `labels` (n,) in 0..K-1. `rng` gives the orders of the images
    and their `augmentation`, one stream per epoch each; a backbone that draws (dropout) does so from a stream of the
    epoch. A `predictor` learns along, see `LossPredictor`. The file `checkpoint` is written (atomically) every few
    epochs and at the end; if it exists, training continues from it, on any `machine`, and one that is damaged or of
    another training is refused. `stop_after` stops after that many epochs in all, for runs that continue later. On one
    thread of the CPU, the default, on one machine and one set of versions the result is the same bit for bit,
    interrupted or not.
    """
    pixels, targets = _check_images(images, labels)
    if targets.max() >= network.n_classes:
        raise InvalidInputError(
            f"`labels` must be below {network.n_classes}, the classes of the network, got {int(targets.max())}."
        )
    check_count("every", every)
    last = recipe.epochs if stop_after is None else min(recipe.epochs, check_count("stop_after", stop_after))
    root = as_seed_sequence(rng)
    device = (machine or Machine()).device
    with repeatable(machine) as torch:
        module = network.module
        if predictor is not None:
            module["loss_predictor"] = predictor.module
        module.to(device=device, memory_format=_memory(device))
        optimizer = torch.optim.SGD(
            module.parameters(), lr=recipe.rate, momentum=recipe.momentum, weight_decay=recipe.weight_decay
        )
        history: list[list[float]] = []
        identity = ""
        if checkpoint is not None:
            parts = [pixels, targets, augmentation, recipe]
            identity = _identity(network, module, parts, root, str(torch.__version__))
            history = _load(checkpoint, module, optimizer, identity, device)
        statistics = pixel_statistics(pixels)
        module.train()
        for epoch in _watched(range(len(history), last), progress):
            optimizer.param_groups[0]["lr"] = recipe.rate_at(epoch)
            order = block_stream(root, "order", epoch).permutation(len(pixels))
            shown = pixels if augmentation is None else augmentation(pixels, block_stream(root, "augmentation", epoch))
            x = _tensor(shown, statistics, device)
            y = torch.from_numpy(targets).to(device)
            if predictor is not None:
                predictor.follows(epoch, recipe.epochs)
            with seeded(root, "layers that draw", epoch):
                history.append(_epoch(network, optimizer, x, y, batches(order, recipe.batch), predictor))
            if checkpoint is not None and ((epoch + 1) % every == 0 or epoch + 1 == last):
                _save(checkpoint, module, optimizer, identity, history)
    return np.array(history, dtype=np.float64).reshape(len(history), len(network.heads))


def batches(order: npt.NDArray[np.intp], size: int) -> list[npt.NDArray[np.intp]]:
    """Return an order cut into parts of at most this size, all nearly equal."""
    return np.array_split(order, -(-len(order) // size))


def logits(
    network: HeadedNetwork,
    images: Images,
    /,
    *,
    head: str,
    statistics: Statistics,
    machine: Machine | None = None,
) -> npt.NDArray[np.float32]:
    """Return the outputs (n, K) of a head in evaluation mode, for images scaled by the `pixel_statistics` of training."""
    return evaluated(network.inference(head), images, statistics=statistics, machine=machine)


def evaluated(
    module: Any, images: Images, /, *, statistics: Statistics, machine: Machine | None = None
) -> npt.NDArray[np.float32]:
    """Return the outputs of a module in evaluation mode for scaled images, a few hundred at a time."""
    device = (machine or Machine()).device
    model = module.eval().to(device)
    with repeatable(machine) as torch, torch.no_grad():
        parts = [
            model(_tensor(images[i : i + _EVALUATED], statistics, device)).cpu().numpy()
            for i in range(0, len(images), _EVALUATED)
        ]
    found: npt.NDArray[np.float32] = np.concatenate(parts)
    return found


def pixel_statistics(images: Images, /) -> Statistics:
    """Return mean and standard deviation of each channel, in units of 255; a constant channel has deviation 1."""
    values = images.astype(np.float64) / 255.0
    mean, deviation = values.mean(axis=(0, 2, 3)), values.std(axis=(0, 2, 3))
    return mean, np.where(deviation > 0, deviation, 1.0)


def _scaled(images: Images, statistics: Statistics) -> npt.NDArray[np.float32]:
    mean, deviation = (one.astype(np.float32)[:, None, None] for one in statistics)
    found: npt.NDArray[np.float32] = (images.astype(np.float32) / np.float32(255.0) - mean) / deviation
    return found


def _tensor(images: Images, statistics: Statistics, device: str) -> Any:
    """Scaled images as a tensor of the device."""
    import torch

    tensor = torch.from_numpy(_scaled(images, statistics)).to(device)
    return tensor.contiguous(memory_format=_memory(device))


def _memory(device: str) -> Any:
    """The order of numbers in memory that convolutions are fastest in, of those in which they are right."""
    import torch

    # On processors without AVX-512, 1x1 convolutions with a stride write beyond small gradients if channels come last
    # (seen in torch 2.13: the heap is damaged).
    plain = device == "mps" or (device == "cpu" and not torch.backends.cpu.get_cpu_capability().startswith("AVX512"))
    return torch.contiguous_format if plain else torch.channels_last


def _check_images(images: npt.NDArray[Any], labels: npt.ArrayLike) -> tuple[Images, Labels]:
    pixels = np.asarray(images)
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.size == 0:
        raise InvalidInputError(
            f"`images` must be a (n, channels, height, width) array of uint8, got {pixels.dtype} {pixels.shape}."
        )
    targets = np.asarray(labels)
    if targets.dtype.kind not in "iu" or targets.shape != pixels.shape[:1] or targets.min() < 0:
        raise InvalidInputError(
            f"`labels` must be {len(pixels)} integers >= 0, got {targets.dtype} of shape {targets.shape}."
        )
    return pixels, targets.astype(np.int64)


def _epoch(
    network: HeadedNetwork,
    optimizer: Any,
    x: Any,
    y: Any,
    order: list[npt.NDArray[np.intp]],
    predictor: LossPredictor | None,
) -> list[float]:
    totals = np.zeros(len(network.heads))
    for batch in order:
        extra: Any = 0.0
        if predictor is None:
            found = network.losses(x[batch], y[batch])
        else:
            found, extra = predictor.losses(network, x[batch], y[batch])
        optimizer.zero_grad()
        (sum(found.values()) + extra).backward()
        optimizer.step()
        totals += [loss.item() * len(batch) for loss in found.values()]
    means: list[float] = (totals / len(x)).tolist()
    return means


def _identity(network: HeadedNetwork, module: Any, parts: list[Any], rng: np.random.SeedSequence, version: str) -> str:
    """A digest of everything the training depends on, the initial weights included, but for the machine."""
    weights = [parameter.detach().cpu().contiguous().numpy() for parameter in module.parameters()]
    seed = (rng.entropy, list(rng.spawn_key))
    return fingerprint([*parts, seed, network.gate, list(network.heads), weights, version])


def _save(path: str | os.PathLike[str], module: Any, optimizer: Any, identity: str, history: list[list[float]]) -> None:
    """Write the state of a training, whole or not at all."""
    import torch

    content = {"kind": _KIND, "identity": identity, "history": history}
    buffer = io.BytesIO()
    torch.save({**content, "module": module.state_dict(), "optimizer": optimizer.state_dict()}, buffer)
    write_atomically(path, buffer.getvalue())


def _load(path: str | os.PathLike[str], module: Any, optimizer: Any, identity: str, device: str) -> list[list[float]]:
    """Set module and optimizer to the state of a checkpoint, if there is one, and return the losses of its epochs."""
    import torch

    file = Path(path)
    if not file.parent.is_dir():
        raise OutputError(f"`checkpoint` must be a file in a folder that exists, got {str(file)!r}.")
    if not file.exists():
        return []
    try:
        # Tensors and plain values alone are read, never code.
        content = torch.load(file, weights_only=True, map_location=device)
        if content["kind"] != _KIND:
            raise KeyError("kind")
        found = content["identity"]
    except Exception:  # whatever a damaged archive makes the reader raise
        raise InvalidInputError(
            f"`checkpoint` must be a whole file that a training wrote, got {str(file)!r}, which is damaged or foreign."
        ) from None
    if found != identity:
        raise InvalidInputError(
            f"`checkpoint` must belong to this training (data, recipe, network, seed and version of torch), got "
            f"{str(file)!r} of another one."
        )
    module.load_state_dict(content["module"])
    optimizer.load_state_dict(content["optimizer"])
    history: list[list[float]] = content["history"]
    return history


def _watched(epochs: range, progress: bool) -> Any:
    if not progress:
        return epochs
    from tqdm.auto import tqdm

    return tqdm(epochs, desc="epochs")
