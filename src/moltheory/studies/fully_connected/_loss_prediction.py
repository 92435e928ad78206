"""A module that learns to predict the loss of a network, for queries of active learning."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from moltheory.runs import RandomSource, as_seed_sequence
from moltheory.studies._torch import require_torch, seeded
from moltheory.studies.fully_connected._model import HeadedNetwork

__all__ = ["LossPredictor"]

_WIDTH = 128
_MARGIN = 1.0
# Of the epochs, 120 of 200; then the trunk no longer hears of the predicted losses.
_FOLLOWED = 0.6


class LossPredictor:
    """The loss prediction module of D. Yoo and I. S. Kweon (2019), arXiv 1905.03677, on the trunk of a network.

    The outputs of the trunk's layers, at each of their resolutions the last one, are averaged over the image; each goes
    through a linear layer of 128 outputs and a ReLU, and all together through a last linear layer to one number. It
    learns from pairs of images of one batch which of them has the larger cross-entropy in a head of the network, by a
    hinge of margin 1. Margin, weight 1 and the epoch after which the trunk no longer follows (120 of 200) are those of
    the public code of that method.

    Parameters
    ----------
    network : HeadedNetwork
        Its trunk is a sequence of layers; where it is not, or no layer returns an image, features alone are used.
    shape : sequence of int
        Of an image.
    head : str
        Whose loss is predicted.
    rng : int, SeedSequence, Generator or None
        Of the initial weights.
    """

    def __init__(self, network: HeadedNetwork, shape: Sequence[int], /, *, head: str, rng: RandomSource) -> None:
        torch = require_torch()
        self._head = head
        self._layers, channels = _tapped(network, shape)
        self._detached = False
        with seeded(as_seed_sequence(rng), "loss predictor"):
            parts = [torch.nn.Linear(size, _WIDTH) for size in channels]
            last = torch.nn.Linear(_WIDTH * len(parts), 1)
        self.module = torch.nn.ModuleDict({"parts": torch.nn.ModuleList(parts), "last": last})

    def follows(self, epoch: int, epochs: int) -> None:
        """Say which epoch begins: late in training the trunk no longer follows the predicted losses."""
        self._detached = epoch >= _FOLLOWED * epochs

    def losses(self, network: HeadedNetwork, images: Any, labels: Any) -> tuple[dict[str, Any], Any]:
        """Return the mean cross-entropy of each head, and the loss of the predictions."""
        functional = require_torch().nn.functional
        with self._watched(network) as seen:
            outputs = network.outputs(images)
        single = functional.cross_entropy(outputs[self._head], labels, reduction="none")
        found = {name: functional.cross_entropy(output, labels) for name, output in outputs.items()}
        return found, self._pair_loss(self._predicted(seen), single.detach())

    def predicted(self, network: HeadedNetwork) -> Any:
        """Return a torch module from images to predicted losses (n,)."""
        torch = require_torch()
        predictor = self

        class Predicted(torch.nn.Module):  # type: ignore[misc,name-defined,unused-ignore]
            def __init__(self) -> None:
                super().__init__()
                self.backbone, self.module = network.backbone, predictor.module

            def forward(self, images: Any) -> Any:
                with predictor._watched(network) as seen:
                    network.features(images)
                return predictor._predicted(seen)

        return Predicted()

    def _predicted(self, seen: list[Any]) -> Any:
        torch = require_torch()
        parts = []
        for layer, output in zip(self.module["parts"], seen, strict=True):
            given = output.detach() if self._detached else output
            parts.append(torch.relu(layer(given.mean(dim=(2, 3)) if given.ndim == 4 else given)))
        return self.module["last"](torch.cat(parts, dim=1))[:, 0]

    @staticmethod
    def _pair_loss(predicted: Any, losses: Any) -> Any:
        torch = require_torch()
        half = len(losses) // 2
        if half == 0:
            return predicted.sum() * 0.0
        first, second = slice(0, half), slice(half, 2 * half)
        sign = torch.where(losses[first] > losses[second], 1.0, -1.0)
        return torch.relu(_MARGIN - sign * (predicted[first] - predicted[second])).mean()

    @contextlib.contextmanager
    def _watched(self, network: HeadedNetwork) -> Iterator[list[Any]]:
        """Collect what the tapped layers return while the network runs."""
        children = list(network.backbone.children())
        seen: list[Any] = []
        layers = [children[i] for i in self._layers] or [network.backbone]
        hooks = [layer.register_forward_hook(lambda *arguments: seen.append(arguments[2])) for layer in layers]
        try:
            yield seen
        finally:
            for hook in hooks:
                hook.remove()


def _tapped(network: HeadedNetwork, shape: Sequence[int]) -> tuple[list[int], list[int]]:
    """Places of the layers of the trunk that are used, and their channels; no places: the features."""
    torch = require_torch()
    outputs: list[tuple[int, Any]] = []
    hooks = [
        layer.register_forward_hook(lambda *arguments, place=place: outputs.append((place, arguments[2].shape)))
        for place, layer in enumerate(network.backbone.children())
        if any(True for _ in layer.parameters())
    ]
    modes = {module: module.training for module in network.backbone.modules()}
    try:
        network.backbone.eval()
        with torch.no_grad():
            network.backbone(torch.zeros((1, *shape)))
    finally:
        for module, mode in modes.items():
            module.training = mode
        for hook in hooks:
            hook.remove()
    last = {tuple(size[2:]): (place, int(size[1])) for place, size in outputs if len(size) == 4}
    if not last:
        return [], [network.n_features]
    chosen = sorted(last.values())
    return [place for place, _ in chosen], [channels for _, channels in chosen]
