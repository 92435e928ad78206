r"""Metrics of neural collapse, shared by the studies.

Features are (..., N, d), examples first; labels (N,), of at least two classes, are shared by the batch, and results have
the leading axes of the features. :math:`\mu_c` is the mean of class c and :math:`\mu_G` the mean of all examples. Shapes
that disagree, and features that are not finite, raise an `InvalidInputError`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_real, real_array
from moltheory.errors import InvalidInputError

__all__ = [
    "alignment",
    "class_means",
    "etf_deviation",
    "imbalance",
    "mean_condition_number",
    "numerical_rank",
    "outside_means",
    "variability",
]


def class_means(features: npt.ArrayLike, labels: npt.ArrayLike, /) -> FloatArray:
    """Return the mean features (..., K, d) of the classes, in the order of the sorted labels."""
    return _means(*_checked(features, labels))


def variability(features: npt.ArrayLike, labels: npt.ArrayLike, /) -> FloatArray:
    r"""Return NC1, the spread within classes over that between class means: 0 is collapse, infinity means equal means.

    .. math:: \frac{\frac1N \sum_i \|z_i - \mu_{y_i}\|^2}{\frac1K \sum_c \|\mu_c - \mu_G\|^2}

    V. Papyan, X. Y. Han, D. L. Donoho (2020), doi 10.1073/pnas.2015509117, use a trace of products instead.
    """
    z, codes, counts = _checked(features, labels)
    means = _means(z, codes, counts)
    within = np.square(z - means[..., codes, :]).sum(axis=-1).mean(axis=-1)
    between = np.square(means - z.mean(axis=-2, keepdims=True)).sum(axis=-1).mean(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(between > 0, within / between, np.inf)


def mean_condition_number(features: npt.ArrayLike, labels: npt.ArrayLike, /) -> FloatArray:
    """Return NC2, the condition number of the class means (K, d): 1 if orthogonal of one length, infinity if dependent."""
    means = class_means(features, labels)
    n_classes, d = means.shape[-2:]
    values = np.linalg.svd(means, compute_uv=False)
    smallest = values[..., n_classes - 1] if d >= n_classes else np.zeros(values.shape[:-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(smallest > 0, values[..., 0] / smallest, np.inf)


def etf_deviation(features: npt.ArrayLike, labels: npt.ArrayLike, /) -> FloatArray:
    """Return the mean squared deviation of the cosines of centered class means from those of a simplex frame.

    The cosines of a simplex equiangular tight frame are :math:`-1/(K-1)`; infinity if some class mean is the mean of
    all.
    """
    z, codes, counts = _checked(features, labels)
    means = _means(z, codes, counts) - z.mean(axis=-2, keepdims=True)
    lengths = np.linalg.norm(means, axis=-1, keepdims=True)
    n_classes = len(counts)
    frame = (n_classes * np.eye(n_classes) - 1.0) / (n_classes - 1.0)
    units = means / np.where(lengths > 0, lengths, 1.0)
    deviation = np.square(units @ np.swapaxes(units, -1, -2) - frame).mean(axis=(-1, -2))
    return np.where((lengths > 0).all(axis=(-1, -2)), deviation, np.inf)


def alignment(features: npt.ArrayLike, labels: npt.ArrayLike, weights: npt.ArrayLike, /) -> FloatArray:
    """Return NC3, the mean cosine in [-1, 1] of features with the last layer's row of their class.

    The rows of `weights` (..., K, d) are in the order of the sorted labels; a zero feature or row is refused.
    """
    z, codes, counts = _checked(features, labels)
    rows = real_array("weights", weights, shape="(..., K, d)", min_ndim=2)
    if rows.shape[-2:] != (len(counts), z.shape[-1]):
        raise InvalidInputError(f"`weights` must end in shape {(len(counts), z.shape[-1])}, got {rows.shape}.")
    lengths = np.linalg.norm(z, axis=-1), np.linalg.norm(rows, axis=-1)
    if not (lengths[0] > 0).all() or not (lengths[1] > 0).all():
        raise InvalidInputError("`features` and `weights` must have no zero rows, got one.")
    cosines = (z * rows[..., codes, :]).sum(axis=-1) / (lengths[0] * lengths[1][..., codes])
    mean: FloatArray = np.asarray(cosines.mean(axis=-1))
    return mean


def outside_means(weights: npt.ArrayLike, features: npt.ArrayLike, labels: npt.ArrayLike, /) -> FloatArray:
    """Return NC3 of any layer: the share of its squared norm outside the span of the class means that it is applied to.

    It is 0 if the rows of `weights` (..., p, d) are combinations of the class means of `features` (..., N, d), 1 if they
    are orthogonal to them, and NaN for weights that are zero.
    """
    means = class_means(features, labels)
    rows = real_array("weights", weights, shape="(..., p, d)", min_ndim=2)
    if rows.shape[-1] != means.shape[-1]:
        raise InvalidInputError(f"`weights` must have {means.shape[-1]} columns, got {rows.shape}.")
    _, values, directions = np.linalg.svd(means, full_matrices=False)
    # Directions of the span, the others replaced by zero.
    spanned = directions * (values > 1e-10 * values[..., :1])[..., None]
    inside = np.square(rows @ np.swapaxes(spanned, -1, -2)).sum(axis=(-1, -2))
    total = np.square(rows).sum(axis=(-1, -2))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(total > 0, np.maximum(1.0 - inside / total, 0.0), np.nan)


def imbalance(after: npt.ArrayLike, before: npt.ArrayLike, /) -> FloatArray:
    r"""Return :math:`\|A'A - BB'\|_{op} / \|BB'\|_{op}`, 0 if the later layer A and the earlier B, not 0, are balanced."""
    a = real_array("after", after, shape="(..., p, q)", min_ndim=2)
    b = real_array("before", before, shape="(..., q, r)", min_ndim=2)
    if a.shape[-1] != b.shape[-2]:
        raise InvalidInputError(f"`before` must have {a.shape[-1]} rows, one per column of `after`, got {b.shape}.")
    outer = b @ np.swapaxes(b, -1, -2)
    size = np.linalg.norm(outer, ord=2, axis=(-1, -2))
    if not (size > 0).all():
        raise InvalidInputError("`before` must not be zero, got a zero matrix.")
    found: FloatArray = np.asarray(np.linalg.norm(np.swapaxes(a, -1, -2) @ a - outer, ord=2, axis=(-1, -2)) / size)
    return found


def numerical_rank(matrices: npt.ArrayLike, /, *, tolerance: float = 1e-3) -> npt.NDArray[np.int64]:
    """Return the number of singular values above `tolerance`, in (0, 1), times the largest one; 0 for a zero matrix."""
    values = np.linalg.svd(real_array("matrices", matrices, shape="(..., p, q)", min_ndim=2), compute_uv=False)
    limit = check_real("tolerance", tolerance, low=0.0, high=1.0, strict=True)
    above = (values > limit * values[..., :1]) & (values > 0)
    return np.asarray(above.sum(axis=-1), dtype=np.int64)


def _checked(
    features: npt.ArrayLike, labels: npt.ArrayLike
) -> tuple[FloatArray, npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Features, class codes 0..K-1 of the examples, and the number of examples of each class."""
    z = real_array("features", features, shape="(..., N, d)", min_ndim=2)
    given: npt.NDArray[Any] = np.asarray(labels)
    if given.shape != z.shape[-2:-1]:
        raise InvalidInputError(f"`labels` must have shape {z.shape[-2:-1]}, one per example, got {given.shape}.")
    found, codes, counts = np.unique(given, return_inverse=True, return_counts=True)
    if len(found) < 2:
        raise InvalidInputError(f"`labels` must hold at least two classes, got {len(found)}.")
    return z, codes, counts


def _means(z: FloatArray, codes: npt.NDArray[np.intp], counts: npt.NDArray[np.intp]) -> FloatArray:
    shares = (codes[None, :] == np.arange(len(counts))[:, None]) / counts[:, None]
    return np.asarray(shares @ z)
