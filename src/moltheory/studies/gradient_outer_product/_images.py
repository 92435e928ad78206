"""Images for the experiment: balanced subsets of a pool, pixels standardized as in the source's scripts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.images import ImageSource
from moltheory.runs import as_seed_sequence, block_stream

__all__ = ["Split", "digit_split", "image_split"]

Split = tuple[FloatArray, npt.NDArray[np.int64], FloatArray, npt.NDArray[np.int64]]
"""Training features (N, d) and labels, test features and labels."""

# Of the smallest class of the pool: the rest makes the subsets of different seeds different.
_SHARE = 0.8


def image_split(source: ImageSource, entropy: int, seed: int, n_train: int, n_test: int) -> Split:
    """Return a random balanced subset of the pool, at most `n_train`, and at most `n_test` random test images.

    Pixels are standardized by their mean and standard deviation over the subset, constant ones are 0: the scripts of
    the source do the same. Labels are renumbered from 0 if the data skip some, and sorted.
    """
    data = source.load()
    stream = block_stream(as_seed_sequence(entropy), "gradient outer product, images", seed)
    classes, codes, counts = np.unique(data.pool_labels, return_inverse=True, return_counts=True)
    each = max(min(n_train // len(classes), int(_SHARE * counts.min())), 1)
    order = stream.permutation(len(codes))
    chosen = np.concatenate([order[codes[order] == c][:each] for c in range(len(classes))])
    known = np.flatnonzero(np.isin(data.test_labels, classes))
    test = np.sort(stream.permutation(known)[:n_test])
    train_pixels = data.pool[chosen].reshape(len(chosen), -1).astype(np.float64)
    test_pixels = data.test[test].reshape(len(test), -1).astype(np.float64)
    mean, scale = train_pixels.mean(axis=0), train_pixels.std(axis=0)
    x, z = (
        np.where(scale > 0.0, (one - mean) / np.where(scale > 0.0, scale, 1.0), 0.0)
        for one in (train_pixels, test_pixels)
    )
    return (
        x,
        np.repeat(np.arange(len(classes)), each),
        z,
        np.searchsorted(classes, data.test_labels[test]).astype(np.int64),
    )


def digit_split(entropy: int, seed: int, n_train: int, n_test: int) -> Split:
    """Return train and test digits of 64 pixels in [0, 1], disjoint, drawn at random, neither balanced nor standardized."""
    from sklearn.datasets import load_digits

    pixels, digit = load_digits(return_X_y=True)
    order = block_stream(as_seed_sequence(entropy), "gradient outer product, split", seed).permutation(len(digit))
    train, test = order[:n_train], order[n_train : n_train + n_test]
    return pixels[train] / 16.0, digit[train].astype(np.int64), pixels[test] / 16.0, digit[test].astype(np.int64)
