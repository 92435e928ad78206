"""Random crops and mirror images of training images, from a stream of the epoch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import check_count
from moltheory.errors import InvalidInputError
from moltheory.images import ImageData

__all__ = ["Augmentation", "augmentation_of"]

# Of these, a mirror image may be of another class or of none.
_NOT_MIRRORED = ("digits", "MNIST")


@dataclass(frozen=True)
class Augmentation:
    """Pad images with zeros (black) by `pad` pixels, cut out a random part of the old size, and mirror half of them.

    Attributes
    ----------
    pad : int
        On each side; 0 leaves images where they are.
    flip : bool
        Whether each image is mirrored, left to right, with probability 1/2.
    """

    pad: int = 4
    flip: bool = True

    def __post_init__(self) -> None:
        check_count("pad", self.pad, low=0)

    @property
    def description(self) -> str:
        """For captions, such as "crops padded by 4, mirrored"."""
        return (
            ", ".join(text for text in (f"crops padded by {self.pad}" * bool(self.pad), "mirrored" * self.flip) if text)
            or "no augmentation"
        )

    def __call__(self, images: npt.NDArray[np.uint8], rng: np.random.Generator, /) -> npt.NDArray[np.uint8]:
        """Return augmented copies of images (n, channels, height, width)."""
        if images.ndim != 4:
            raise InvalidInputError(f"`images` must be (n, channels, height, width), got shape {images.shape}.")
        n, channels, height, width = images.shape
        edge = (self.pad, self.pad)
        padded = np.pad(images, ((0, 0), (0, 0), edge, edge))
        corners = rng.integers(2 * self.pad + 1, size=(2, n))
        rows = corners[0][:, None] + np.arange(height)
        columns = corners[1][:, None] + np.arange(width)
        if self.flip:
            mirrored = rng.random(n) < 0.5
            columns[mirrored] = columns[mirrored, ::-1]
        found: npt.NDArray[np.uint8] = padded[
            np.arange(n)[:, None, None, None],
            np.arange(channels)[None, :, None, None],
            rows[:, None, :, None],
            columns[:, None, None, :],
        ]
        return found


def augmentation_of(data: ImageData, /) -> Augmentation:
    """Return what is usual for these images: crops padded by an eighth of the side (4 of 32), mirrored unless digits."""
    side = min(data.shape[1:])
    return Augmentation(side // 8, not any(name in data.name for name in _NOT_MIRRORED) or "Fashion" in data.name)
