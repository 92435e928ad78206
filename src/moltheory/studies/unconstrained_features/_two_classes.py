"""Two classes of a set of images, and equally many examples of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.errors import InvalidInputError
from moltheory.images import ImageData

__all__ = ["TwoClasses", "nearest_classes", "two_classes"]


@dataclass(frozen=True)
class TwoClasses:
    """Standardised pixels (N, d) to train on, sorted by class, and (m, d) to test on; `wrong_of` compares predictions."""

    classes: tuple[int, int]
    per_class: int
    train: FloatArray
    test: FloatArray
    test_codes: npt.NDArray[np.int64]


def nearest_classes(data: ImageData, /) -> tuple[int, int]:
    """Return the two classes whose mean training images are nearest, the hardest pair for a template: a fixed rule."""
    pixels = data.pool.reshape(len(data.pool), -1)
    found = np.unique(data.pool_labels)
    if len(found) < 2:
        raise InvalidInputError(f"`data` must hold images of at least two classes, got {len(found)}.")
    means = np.stack([pixels[data.pool_labels == label].mean(axis=0) for label in found])
    distance = np.square(means[:, None] - means[None, :]).sum(axis=-1)
    first, second = np.triu_indices(len(found), k=1)
    best = int(distance[first, second].argmin())
    return int(found[first[best]]), int(found[second[best]])


def two_classes(data: ImageData, /, *, most: int, rng: np.random.Generator) -> TwoClasses:
    """Draw `most` training images of each of the `nearest_classes`, or as many as there are of both, and all test images.

    Pixels have mean 0 and variance 1 over the images drawn.
    """
    classes = nearest_classes(data)
    places = [np.flatnonzero(data.pool_labels == label) for label in classes]
    per_class = min(most, *(len(one) for one in places))
    chosen = np.concatenate([rng.permutation(one)[:per_class] for one in places])
    train = data.pool[chosen].reshape(len(chosen), -1).astype(np.float64)
    shift, scale = train.mean(), train.std()
    tested = np.isin(data.test_labels, classes)
    if not tested.any():
        raise InvalidInputError(f"`data` must hold test images of classes {classes[0]} and {classes[1]}, got none.")
    test = data.test[tested].reshape(int(tested.sum()), -1).astype(np.float64)
    codes = (data.test_labels[tested] == classes[1]).astype(np.int64)
    scale = scale if scale > 0 else 1.0
    return TwoClasses(classes, per_class, (train - shift) / scale, (test - shift) / scale, codes)
