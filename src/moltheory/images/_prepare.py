"""What experiments do to images first: a few of each class, and pixels as rows of numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count
from moltheory.errors import InvalidInputError
from moltheory.runs import RandomSource, as_seed_sequence

__all__ = ["as_rows", "balanced"]


def balanced(labels: npt.ArrayLike, per_class: int, rng: RandomSource) -> npt.NDArray[np.int64]:
    """Return where `per_class` random examples of each class are, the classes one after the other.

    Parameters
    ----------
    labels : array_like of int, shape (n,)
        Classes are the labels that occur.
    per_class : int
    rng : int, numpy.random.SeedSequence, numpy.random.Generator or None

    Returns
    -------
    numpy.ndarray of int, shape (n_classes * per_class,)
        Indices into `labels`, drawn without replacement: those of the smallest label first.

    Raises
    ------
    InvalidInputError
        If a class has fewer examples.

    Notes
    -----
    Complexity: O(n_classes n) time, O(n) memory.

    Examples
    --------
    >>> labels = [1, 0, 1, 0, 0, 1]
    >>> [labels[i] for i in balanced(labels, 2, rng=0)]
    [0, 0, 1, 1]
    """
    found = np.asarray(labels)
    if found.dtype.kind not in "iu" or found.ndim != 1 or not len(found):
        raise InvalidInputError(f"`labels` must be a vector of integers, got {found.dtype} of shape {found.shape}.")
    n = check_count("per_class", per_class)
    source = rng if isinstance(rng, np.random.Generator) else np.random.default_rng(as_seed_sequence(rng))
    chosen = []
    for label in np.unique(found):
        places = np.flatnonzero(found == label)
        if len(places) < n:
            raise InvalidInputError(
                f"`per_class` must be at most the size of every class, got {n}, and {len(places)} examples of class "
                f"{label}."
            )
        chosen.append(source.choice(places, size=n, replace=False))
    return np.concatenate(chosen).astype(np.int64)


def as_rows(images: npt.NDArray[np.uint8]) -> FloatArray:
    """Return images as rows of numbers in [0, 1], one row for each image.

    Parameters
    ----------
    images : numpy.ndarray of uint8, shape (n, ...)
        Such as the pool of `ImageData`, (n, channels, height, width).

    Returns
    -------
    numpy.ndarray of float64, shape (n, d)
        Pixels divided by 255, in the order in which the array holds them: channel by channel, row by row.

    Raises
    ------
    InvalidInputError
        If the array is not of bytes, has fewer than two axes or is empty.

    Notes
    -----
    Complexity: O(n d) time and memory, 8 bytes for each pixel.

    Examples
    --------
    >>> import numpy as np
    >>> as_rows(np.array([[[0, 255], [51, 102]]], dtype=np.uint8))
    array([[0. , 1. , 0.2, 0.4]])
    """
    found = np.asarray(images)
    if found.dtype != np.uint8 or found.ndim < 2 or not found.size:
        raise InvalidInputError(
            f"`images` must be an array (n, ...) of uint8, got {found.dtype} of shape {found.shape}."
        )
    return found.reshape(len(found), -1) / 255.0
