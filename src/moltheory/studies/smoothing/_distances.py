"""Mean distances of images to their nearest training images, from exact integers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count
from moltheory.errors import InvalidInputError

__all__ = ["image_distances"]

# Images held as numbers at once: 25 MB at 784 pixels.
_ROWS = 4096


def image_distances(
    images: npt.NDArray[np.uint8], pool: npt.NDArray[np.uint8], /, *, k: int, skip: int = 0
) -> FloatArray:
    """Return the mean Euclidean distances (n,) of images to their k nearest of a pool, pixels being divided by 255.

    Both are bytes (n, ...); `skip` nearest ones are left out, 1 for images of the pool itself. Squared distances of
    bytes are integers below 2^53, which one matrix product in double precision gives without an error; only the root
    and the mean are rounded. Memory: a block of the pool, and n times the number of its images.
    """
    if images.dtype != np.uint8 or pool.dtype != np.uint8 or images.shape[1:] != pool.shape[1:]:
        raise InvalidInputError(
            f"`images` must be bytes of the shape of the pool's, got {images.dtype} {images.shape[1:]} and "
            f"{pool.dtype} {pool.shape[1:]}."
        )
    most = check_count("k", k) + check_count("skip", skip, low=0)
    if most > len(pool):
        raise InvalidInputError(f"`k` must be at most {len(pool) - skip}, the number of neighbors there are, got {k}.")
    left = images.reshape(len(images), -1).astype(np.float64)
    own = np.square(left).sum(axis=1)[:, None]
    nearest = np.empty((len(images), 0))
    for start in range(0, len(pool), _ROWS):
        right = pool[start : start + _ROWS].reshape(-1, left.shape[1]).astype(np.float64)
        squares = own + np.square(right).sum(axis=1) - 2.0 * (left @ right.T)
        nearest = np.concatenate([nearest, squares], axis=1)
        if nearest.shape[1] > most:
            nearest = np.partition(nearest, most - 1, axis=1)[:, :most]
    distances = np.sqrt(np.sort(nearest, axis=1)[:, skip:]) / 255.0
    return np.asarray(distances.mean(axis=1))
