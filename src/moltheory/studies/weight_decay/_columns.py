"""Images as columns of inputs: centered pixels and a constant 1, in balanced training sets."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, as_readonly, check_count
from moltheory.errors import InvalidInputError
from moltheory.images import ImageData, ImageSource

__all__ = ["DigitsSplit", "ImageColumns", "digits_split", "image_columns"]

# Root of the mean squared norm of the centered images of the pool.
_SCALE = 3.0


@dataclass(frozen=True)
class ImageColumns:
    """Images with pixels centered at the pool's mean and scaled to a mean squared norm of 9 in the pool.

    Below them is a row of ones, which serves as bias. Test images are seen in training by no seed.
    """

    data: ImageData
    center: FloatArray
    size: float

    @property
    def n_inputs(self) -> int:
        """Pixels and the constant."""
        return len(self.center) + 1

    def draw(self, per_class: int, rng: np.random.Generator) -> FloatArray:
        """Return the columns of a training set with this many images of each class of the pool, sorted by class."""
        counts = np.bincount(self.data.pool_labels, minlength=self.data.n_classes)
        if check_count("per_class", per_class) > counts.min():
            raise InvalidInputError(
                f"`per_class` must be at most {counts.min()}, the images of the rarest class, got {per_class}."
            )
        rows = [np.flatnonzero(self.data.pool_labels == c) for c in range(self.data.n_classes)]
        chosen = np.concatenate([rng.permutation(one)[:per_class] for one in rows])
        pixels = (self._flat(self.data.pool[chosen]) - self.center) * self.size
        return np.vstack([pixels.T, np.ones((1, len(chosen)))])

    @functools.cached_property
    def test(self) -> npt.NDArray[np.float32]:
        """The test images, in single precision."""
        pixels = self._flat(self.data.test).astype(np.float32)
        pixels -= self.center.astype(np.float32)
        pixels *= np.float32(self.size)
        return as_readonly(np.vstack([pixels.T, np.ones((1, len(pixels)), dtype=np.float32)]))

    @staticmethod
    def _flat(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        return images.reshape(len(images), -1)


# The name while digits were the only images.
DigitsSplit = ImageColumns


@functools.lru_cache(maxsize=2)
def image_columns(source: ImageSource) -> ImageColumns:
    """Return the columns of the images of a source, read once per process."""
    data = source.load()
    flat = data.pool.reshape(len(data.pool), -1)
    center = flat.mean(axis=0)
    # Mean squared norm around the mean, a few thousand images at a time: copies in double precision are large.
    parts = (np.square(flat[start : start + 5000] - center).sum() for start in range(0, len(flat), 5000))
    size = _SCALE / np.sqrt(sum(parts) / len(flat))
    return ImageColumns(data, as_readonly(center), float(size))


def digits_split() -> ImageColumns:
    """Return the columns of scikit-learn's digits, always the same.

    Images by E. Alpaydin, C. Kaynak (1998), doi 10.24432/C50P49.
    """
    return image_columns(ImageSource())
