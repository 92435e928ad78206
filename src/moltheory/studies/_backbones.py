"""Trunks of the case studies' networks, from 20 thousand to 11 million parameters, as torch modules."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from moltheory._core._validation import check_choice, check_count
from moltheory.errors import InvalidInputError
from moltheory.studies._torch import require_torch

__all__ = ["BACKBONES", "backbone", "backbone_maker", "residual_backbone", "resnet18", "resnet20", "vgg11"]

# The first convolution of `residual_backbone` halves images of this side and more.
_LARGE = 16
_VGG11 = (64, 0, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0)


def backbone(name: str, shape: Sequence[int], /) -> tuple[Any, int]:
    """Return a fresh trunk of `BACKBONES` for images of shape (channels, height, width), and its number of features.

    Its module takes images (n, channels, height, width) to features (n, D); weights come from torch's generator.
    """
    return backbone_maker(name)(shape)


def backbone_maker(name: str, /) -> Callable[[Sequence[int]], tuple[Any, int]]:
    """Return the function behind `backbone`, from the shape of an image to a trunk; it can be sent to other processes."""
    return BACKBONES[check_choice("name", name, BACKBONES)]


def residual_backbone(shape: Sequence[int], /, *, widths: Sequence[int] = (8, 16, 32)) -> tuple[Any, int]:
    """Return a residual network (K. He et al., 2016, arXiv 1512.03385) and its number of features, ``widths[-1]``.

    For images of shape (channels, height, width), both sides at least 4. One block of two convolutions per width;
    every block but the first halves the image, and images of side 16 and more are halved before the first. Features
    are averages over the image.
    """
    sizes = _check_shape(shape)
    steps = [check_count("widths", width) for width in widths]
    if not steps:
        raise InvalidInputError("`widths` must hold at least one number of channels, got none.")
    nn = require_torch().nn
    stride = 2 if min(sizes[1:]) >= _LARGE else 1
    layers = _stem(sizes[0], steps[0], stride)
    for i, (before, after) in enumerate(zip([steps[0], *steps], steps, strict=False)):
        layers.append(_block_class()(before, after, 1 if i == 0 else 2, "convolution"))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten()), steps[-1]


def resnet20(shape: Sequence[int], /) -> tuple[Any, int]:
    """Return the residual network of 20 layers that K. He et al. (2016, section 4.2) train on CIFAR-10: 64 features.

    269,072 parameters for three channels; shortcuts have none (images are subsampled and channels of zeros added).
    """
    return _residual(_check_shape(shape), (16, 32, 64), blocks=3, shortcut="zeros")


def resnet18(shape: Sequence[int], /) -> tuple[Any, int]:
    """Return the residual network of 18 layers in its form for 32 x 32 images: 512 features.

    The first layer is a 3 x 3 convolution without pooling, as networks for CIFAR have it, and the four stages of two
    blocks are those of K. He et al. (2016): 11,168,832 parameters for three channels.
    """
    return _residual(_check_shape(shape), (64, 128, 256, 512), blocks=2, shortcut="normalized")


def vgg11(shape: Sequence[int], /) -> tuple[Any, int]:
    """Return the convolutions of VGG11 (K. Simonyan, A. Zisserman, 2015, arXiv 1409.1556), batch-normalized: 512 features.

    9,225,984 parameters for three channels. Images of any side from 4 go in: an odd side is pooled to its half rounded
    up, and what is left in the end is averaged.
    """
    nn = require_torch().nn
    before = _check_shape(shape)[0]
    layers: list[Any] = []
    for after in _VGG11:
        if after:
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
            before = after
        else:
            layers.append(nn.MaxPool2d(2, ceil_mode=True))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten()), before


BACKBONES: Mapping[str, Callable[[Sequence[int]], tuple[Any, int]]] = {
    "tiny": residual_backbone,
    "small": functools.partial(residual_backbone, widths=(16, 32, 64, 128)),
    "medium": functools.partial(residual_backbone, widths=(16, 32, 64, 128, 256)),
    "resnet20": resnet20,
    "resnet18": resnet18,
    "vgg11": vgg11,
}
"""Name -> function from the shape of an image to a trunk and its number of features.

In this order of size for three channels: 19,528, 307,088, 1,225,616, 269,072, 11,168,832 and 9,225,984 parameters.
"""


def _residual(sizes: tuple[int, ...], widths: Sequence[int], *, blocks: int, shortcut: str) -> tuple[Any, int]:
    nn = require_torch().nn
    layers = _stem(sizes[0], widths[0], 1)
    before = widths[0]
    for stage, width in enumerate(widths):
        for i in range(blocks):
            layers.append(_block_class()(before, width, 2 if stage and not i else 1, shortcut))
            before = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten()), before


def _stem(channels: int, width: int, stride: int) -> list[Any]:
    nn = require_torch().nn
    return [nn.Conv2d(channels, width, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]


@functools.cache
def _block_class() -> Any:
    # Made when first used: the class needs torch, the module must not.
    torch = require_torch()
    nn = torch.nn

    class Widened(nn.Module):  # type: ignore[misc,name-defined,unused-ignore]
        """Every second pixel, and channels of zeros: a shortcut without parameters."""

        def __init__(self, more: int) -> None:
            super().__init__()
            self.more = more

        def forward(self, x: Any) -> Any:
            return nn.functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.more // 2, self.more - self.more // 2))

    class ResidualBlock(nn.Module):  # type: ignore[misc,name-defined,unused-ignore]
        def __init__(self, before: int, after: int, stride: int, shortcut: str) -> None:
            super().__init__()
            self.first = nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)
            self.first_norm = nn.BatchNorm2d(after)
            self.second = nn.Conv2d(after, after, 3, padding=1, bias=False)
            self.second_norm = nn.BatchNorm2d(after)
            if before == after and stride == 1:
                self.shortcut: Any = nn.Identity()
            elif shortcut == "zeros":
                self.shortcut = Widened(after - before)
            else:
                one = nn.Conv2d(before, after, 1, stride=stride, bias=False)
                self.shortcut = one if shortcut == "convolution" else nn.Sequential(one, nn.BatchNorm2d(after))

        def forward(self, x: Any) -> Any:
            inner = torch.relu(self.first_norm(self.first(x)))
            return torch.relu(self.second_norm(self.second(inner)) + self.shortcut(x))

    return ResidualBlock


def _check_shape(shape: Sequence[int]) -> tuple[int, int, int]:
    sizes = tuple(shape)
    if len(sizes) != 3 or min(sizes[1:], default=0) < 4:
        raise InvalidInputError(f"`shape` must be (channels, height, width) with sides >= 4, got {sizes!r}.")
    return check_count("shape", sizes[0]), sizes[1], sizes[2]
