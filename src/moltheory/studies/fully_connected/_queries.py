"""Which images to label next: at random, by entropy, by the greedy cover of features, or by predicted loss."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count, real_array
from moltheory.errors import InvalidInputError

__all__ = ["core_set", "predictive_entropy", "queried"]


def predictive_entropy(outputs: npt.ArrayLike, /) -> FloatArray:
    """Return the entropy in nats, in [0, log K], of the softmax of logits (n, K)."""
    from scipy.special import entr, softmax

    z = real_array("outputs", outputs, shape="(n, K)", min_ndim=2, max_ndim=2)
    return np.asarray(entr(softmax(z, axis=1)).sum(axis=1))


def queried(
    unlabelled: npt.NDArray[np.intp], count: int, /, *, scores: npt.ArrayLike | None, rng: np.random.Generator
) -> npt.NDArray[np.intp]:
    """Return `count` of the unlabelled places: those of largest scores, of equal ones the first; at random if None."""
    _check_count(count, len(unlabelled))
    if scores is None:
        return rng.permutation(unlabelled)[:count]
    values = real_array("scores", scores, shape="(u,)", min_ndim=1, max_ndim=1)
    if values.shape != unlabelled.shape:
        raise InvalidInputError(f"`scores` must have {len(unlabelled)} entries, got {len(values)}.")
    return unlabelled[np.argsort(-values, kind="stable")[:count]]


def core_set(features: npt.ArrayLike, labelled: npt.ArrayLike, count: int, /) -> npt.NDArray[np.intp]:
    """Return `count` places of features (u, D), each the farthest from all that are labelled or chosen before it.

    The greedy k-center of O. Sener and S. Savarese (2018), arXiv 1708.00489, with Euclidean distances to the labelled
    features (m, D), at least one: its radius is at most twice the smallest one for as many centers. Of equally far
    ones the first is taken. O(u D (m + count)) time, O(u) memory beside the features.
    """
    points = real_array("features", features, shape="(u, D)", min_ndim=2, max_ndim=2)
    centers = real_array("labelled", labelled, shape="(m, D)", min_ndim=2, max_ndim=2)
    if centers.shape[1] != points.shape[1] or not len(centers):
        raise InvalidInputError(
            f"`labelled` must be at least one row of {points.shape[1]} features, got shape {centers.shape}."
        )
    _check_count(count, len(points))
    nearest = np.full(len(points), np.inf)
    for center in centers:
        np.minimum(nearest, ((points - center) ** 2).sum(axis=1), out=nearest)
    chosen = np.empty(count, dtype=np.intp)
    for i in range(count):
        chosen[i] = place = int(np.argmax(nearest))
        np.minimum(nearest, ((points - points[place]) ** 2).sum(axis=1), out=nearest)
        # Not even a copy of a labelled image is chosen twice.
        nearest[place] = -1.0
    return chosen


def _check_count(count: int, most: int) -> None:
    if check_count("count", count) > most:
        raise InvalidInputError(f"`count` must be at most {most}, the images without label, got {count}.")
