"""A small residual network as a backbone, and what any network costs: parameters and multiplications."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from moltheory._core._validation import check_count
from moltheory.errors import InvalidInputError
from moltheory.studies.fully_connected._torch import require_torch

__all__ = ["multiply_adds", "n_parameters", "residual_backbone"]

# Larger images are halved once more, by the first convolution.
_LARGE = 16


def residual_backbone(shape: Sequence[int], /, *, widths: Sequence[int] = (8, 16, 32)) -> tuple[Any, int]:
    """Make a residual network (K. He et al., 2016, arXiv 1512.03385) with one block of two convolutions per width.

    Parameters
    ----------
    shape : (channels, height, width)
        Of the images; both sides at least 4.
    widths : sequence of int
        Channels of the blocks; every block but the first halves the image, and images of side 16 and more are
        halved before the first.

    Returns
    -------
    backbone : torch.nn.Sequential
        From images (n, channels, height, width) to features (n, widths[-1]), averages over the image.
    n_features : int

    Raises
    ------
    InvalidInputError
        If a size is out of its range.

    Examples
    --------
    >>> import torch
    >>> backbone, n_features = residual_backbone((1, 8, 8), widths=(4, 8))
    >>> backbone(torch.zeros(3, 1, 8, 8)).shape, n_features
    (torch.Size([3, 8]), 8)
    """
    sizes = tuple(shape)
    if len(sizes) != 3 or min(sizes[1:], default=0) < 4:
        raise InvalidInputError(f"`shape` must be (channels, height, width) with sides >= 4, got {sizes!r}.")
    channels = check_count("shape", sizes[0])
    steps = [check_count("widths", width) for width in widths]
    if not steps:
        raise InvalidInputError("`widths` must hold at least one number of channels, got none.")
    nn = require_torch().nn
    stride = 2 if min(sizes[1:]) >= _LARGE else 1
    layers = [
        nn.Conv2d(channels, steps[0], 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(steps[0]),
        nn.ReLU(),
    ]
    before = steps[0]
    for i, after in enumerate(steps):
        layers.append(_block_class()(before, after, 1 if i == 0 else 2))
        before = after
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten()), before


def n_parameters(module: Any, /) -> int:
    """Return the number of trainable numbers in a torch module.

    Examples
    --------
    >>> import torch
    >>> n_parameters(torch.nn.Linear(3, 2))
    8
    """
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)


def multiply_adds(module: Any, shape: Sequence[int], /) -> int:
    """Return how often linear layers and convolutions multiply and add in one forward pass of one example.

    Parameters
    ----------
    module : torch.nn.Module
        Left in the mode it is in; running averages do not change.
    shape : sequence of int
        Of one example.

    Returns
    -------
    int
        Biases, normalizations and activations are not counted.

    Examples
    --------
    >>> import torch
    >>> multiply_adds(torch.nn.Conv2d(1, 4, 3, padding=1), (1, 8, 8))
    2304
    """
    torch = require_torch()
    counts: list[int] = []

    def count(layer: Any, _: Any, output: Any) -> None:
        # Every output number takes one product per weight of its row or filter.
        counts.append(output[0].numel() * layer.weight[0].numel())

    kinds = (torch.nn.Linear, torch.nn.Conv1d, torch.nn.Conv2d)
    hooks = [layer.register_forward_hook(count) for layer in module.modules() if isinstance(layer, kinds)]
    training = {layer: layer.training for layer in module.modules()}
    try:
        module.eval()
        first = next(iter(module.parameters()), torch.zeros(()))
        with torch.no_grad():
            module(torch.zeros((1, *shape), dtype=first.dtype))
    finally:
        for layer, mode in training.items():
            layer.training = mode
        for hook in hooks:
            hook.remove()
    return sum(counts)


@functools.cache
def _block_class() -> Any:
    torch = require_torch()
    nn = torch.nn

    class ResidualBlock(nn.Module):  # type: ignore[misc,name-defined,unused-ignore]
        def __init__(self, before: int, after: int, stride: int) -> None:
            super().__init__()
            self.first = nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)
            self.first_norm = nn.BatchNorm2d(after)
            self.second = nn.Conv2d(after, after, 3, padding=1, bias=False)
            self.second_norm = nn.BatchNorm2d(after)
            same = before == after and stride == 1
            self.shortcut = nn.Identity() if same else nn.Conv2d(before, after, 1, stride=stride, bias=False)

        def forward(self, x: Any) -> Any:
            inner = torch.relu(self.first_norm(self.first(x)))
            return torch.relu(self.second_norm(self.second(inner)) + self.shortcut(x))

    return ResidualBlock
