"""What certified radii amount to: certified accuracy against the distance, and how unevenly classes fare."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_vector
from moltheory.errors import InvalidInputError

__all__ = ["certified_accuracy", "class_accuracies", "class_deviation"]


def certified_accuracy(radii: npt.ArrayLike, /, *, correct: npt.ArrayLike, distances: npt.ArrayLike) -> FloatArray:
    """Return the share of points that are right and certified at each distance.

    Parameters
    ----------
    radii : (n,) array_like
        Certified radii, >= 0.
    correct : (n,) array_like of bool
        Whether the prediction is right; False where it abstained.
    distances : (d,) array_like
        >= 0.

    Returns
    -------
    (d,) ndarray
        In [0, 1], not increasing; at distance 0 the accuracy.

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule.

    Examples
    --------
    >>> certified_accuracy([0.2, 0.6, 0.9, 0.0], correct=[1, 1, 0, 0], distances=[0.0, 0.5, 1.0])
    array([0.5 , 0.25, 0.  ])
    """
    values = check_vector("radii", radii, low=0.0)
    right = _flags(correct, len(values))
    where = check_vector("distances", distances, low=0.0)
    ordered = np.sort(values[right])
    return np.asarray((len(ordered) - np.searchsorted(ordered, where, side="left")) / len(values))


def class_accuracies(correct: npt.ArrayLike, labels: npt.ArrayLike, /) -> FloatArray:
    """Return the accuracy within each class, in the order of the sorted labels.

    Parameters
    ----------
    correct : (n,) array_like of bool
        Whether the prediction is right; for certified accuracy at a distance, right and certified there.
    labels : (n,) array_like

    Returns
    -------
    (K,) ndarray

    Raises
    ------
    InvalidInputError
        If shapes disagree.

    Examples
    --------
    >>> class_accuracies([1, 0, 1, 1], ["a", "a", "b", "b"])
    array([0.5, 1. ])
    """
    given: npt.NDArray[Any] = np.asarray(labels)
    if given.ndim != 1 or given.size == 0:
        raise InvalidInputError(f"`labels` must have shape (n,) and not be empty, got shape {given.shape}.")
    right = _flags(correct, len(given))
    _, codes, counts = np.unique(given, return_inverse=True, return_counts=True)
    return np.asarray(np.bincount(codes, weights=right) / counts)


def class_deviation(correct: npt.ArrayLike, labels: npt.ArrayLike, /) -> float:
    """Return the standard deviation of the accuracies of the classes (over K, not K - 1).

    Parameters
    ----------
    correct, labels
        As for `class_accuracies`.

    Returns
    -------
    float
        In [0, 1/2]; 0 if all classes fare alike.

    Examples
    --------
    >>> class_deviation([1, 0, 1, 1], ["a", "a", "b", "b"])
    0.25
    """
    return float(class_accuracies(correct, labels).std())


def _flags(correct: npt.ArrayLike, length: int) -> npt.NDArray[np.bool_]:
    flags = np.asarray(correct)
    if flags.shape != (length,) or not np.isin(flags, (0, 1)).all():
        raise InvalidInputError(f"`correct` must be {length} of True and False, got shape {flags.shape}.")
    return flags.astype(bool)
