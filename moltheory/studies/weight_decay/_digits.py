"""Handwritten digits for the study: a pool from which every seed draws its training set, and one test set for all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count, frozen
from moltheory.errors import InvalidInputError

__all__ = ["DigitsSplit", "digits_split"]

# Root of the mean squared norm of the centered images of the pool.
SCALE = 3.0
_POOL = 100
_SPLIT_SEED = 0


@dataclass(frozen=True)
class DigitsSplit:
    """Digits as columns: 64 centered pixels and a constant 1.

    Attributes
    ----------
    pool, pool_labels : (65, 1000) and (1000,) ndarray
        100 images per class, sorted by class.
    test, test_labels : (65, 797) and (797,) ndarray
        All other images: never seen in training, by no seed.
    """

    pool: FloatArray
    pool_labels: npt.NDArray[np.intp]
    test: FloatArray
    test_labels: npt.NDArray[np.intp]

    def draw(self, per_class: int, rng: np.random.Generator) -> FloatArray:
        """Return the columns of a training set with this many images of each class, sorted by class.

        Raises
        ------
        InvalidInputError
            If there are fewer.
        """
        if check_count("per_class", per_class) > _POOL:
            raise InvalidInputError(f"`per_class` must be at most {_POOL}, the images per class, got {per_class}.")
        chosen = [c * _POOL + rng.permutation(_POOL)[:per_class] for c in range(10)]
        return self.pool[:, np.concatenate(chosen)]


@cache
def digits_split() -> DigitsSplit:
    """Return the split, always the same.

    Returns
    -------
    DigitsSplit
        Images are centered at the mean of the pool and scaled so that their mean squared norm in the pool is 9.

    References
    ----------
    E. Alpaydin, C. Kaynak (1998), doi 10.24432/C50P49, as bundled with scikit-learn.

    Examples
    --------
    >>> split = digits_split()
    >>> split.pool.shape, split.test.shape
    ((65, 1000), (65, 797))
    """
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    rng = np.random.default_rng(_SPLIT_SEED)
    rows = [rng.permutation(np.flatnonzero(labels == c)) for c in range(10)]
    pool = np.concatenate([one[:_POOL] for one in rows])
    test = np.sort(np.concatenate([one[_POOL:] for one in rows]))
    center = images[pool].mean(axis=0)
    size = SCALE / np.sqrt(np.square(images[pool] - center).sum(axis=1).mean())

    def columns(chosen: npt.NDArray[np.intp]) -> FloatArray:
        pixels = (images[chosen] - center) * size
        return frozen(np.vstack([pixels.T, np.ones(len(chosen))]))

    return DigitsSplit(columns(pool), frozen(labels[pool]), columns(test), frozen(labels[test]))
