r"""A bound on the NC1 of a network from its training error and the balance of its last two layers, at any iterate.

With P the projection onto the row space of W_L, :math:`Z_{L-1} = W_L^+ Y + W_L^+ (Z_L - Y) + (I - P) W_{L-1} Z_{L-2}`.
The first term is collapsed. The second is small if the training error is, the third if the last two layers are nearly
balanced, for :math:`\|(I-P) W_{L-1}\|_{op}^2 \le \|W_L'W_L - W_{L-1}W_{L-1}'\|_{op}`. Nothing else is assumed: neither
a stationary point nor a small step.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, real_array
from moltheory.errors import InvalidInputError

__all__ = ["operator_norm_variant", "variability_bound"]


def variability_bound(
    last: npt.ArrayLike, before: npt.ArrayLike, inputs: npt.ArrayLike, targets: npt.ArrayLike, /, *, sharp: bool = False
) -> FloatArray:
    r"""Return an upper bound on NC1 of the features Z_{L-1} = W_{L-1} Z_{L-2} that W_L reads.

    .. math:: \frac{\|W_L\|_{op}^2 \left(e_1/s_K + \sqrt{e_2}\, \|Z_{L-2}\|\right)^2}
                   {\left(\sqrt{N(K-1)/K} - e_1\right)^2}, \quad
              e_1 = \|Z_L - Y\|, \quad e_2 = \|W_L'W_L - W_{L-1}W_{L-1}'\|_{op},

    with Frobenius norms of Z and the K-th singular value s_K of W_L.

    Parameters
    ----------
    last : (..., K, d) array_like
        W_L.
    before : (..., d, q) array_like
        W_{L-1}, a linear layer.
    inputs : (..., q, N) array_like
        Z_{L-2}, whatever made it.
    targets : (..., K, N) array_like
        Y, one 0/1 column per example, every class equally often.
    sharp : bool, default False
        Take the root of the sum of squares of the two terms in the numerator instead of their sum: they lie in
        orthogonal spaces. Never larger.

    Returns
    -------
    (...) ndarray
        >= 0; infinity, which claims nothing, where e_1 is at least :math:`\sqrt{N(K-1)/K}` or s_K is 0.

    Raises
    ------
    InvalidInputError
        If shapes disagree or the targets break their rule.

    Notes
    -----
    Derived, both forms; the idea is that of A. Jacot, P. Súkeník, Z. Wang, M. Mondelli (2024), arXiv 2410.04887.
    Complexity: one product with the examples.

    Examples
    --------
    >>> y = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> float(variability_bound(np.eye(2), np.eye(2), y, y))
    0.0
    >>> round(float(variability_bound(np.eye(2), np.eye(2), 0.9 * y, y)), 6)
    0.027131
    """
    parts = _Parts(last, before, inputs, targets)
    first = parts.error / parts.smallest_or_one
    second = np.sqrt(parts.gap) * np.linalg.norm(parts.inputs, axis=(-1, -2))
    return parts.bound(first**2 + second**2 if sharp else (first + second) ** 2, parts.error)


def operator_norm_variant(
    last: npt.ArrayLike, before: npt.ArrayLike, inputs: npt.ArrayLike, targets: npt.ArrayLike, /
) -> FloatArray:
    """Return what `variability_bound` would be with operator norms of Z_L - Y and Z_{L-2}, which is NOT a bound.

    It is kept so that tests and experiments can show iterates that break it.

    Parameters
    ----------
    last, before, inputs, targets
        As for `variability_bound`.

    Returns
    -------
    (...) ndarray

    Raises
    ------
    InvalidInputError
        As for `variability_bound`.

    Examples
    --------
    NC1 of these features is 0.02: two independent errors of size 0.1 each, of which the operator norm sees one.

    >>> from moltheory.studies._collapse import variability
    >>> y = np.kron(np.eye(2), np.ones(2))
    >>> noise = 0.1 * np.array([[1.0, -1.0, 0.0, 0.0], [0.0, 0.0, 1.0, -1.0]])
    >>> claimed = operator_norm_variant(np.eye(2), np.eye(2), y + noise, y)
    >>> bool(claimed < variability((y + noise).T, [0, 0, 1, 1]))
    True
    """
    parts = _Parts(last, before, inputs, targets)
    error = np.linalg.norm(parts.residual, ord=2, axis=(-1, -2))
    second = np.sqrt(parts.gap) * np.linalg.norm(parts.inputs, ord=2, axis=(-1, -2))
    return parts.bound((error / parts.smallest_or_one + second) ** 2, error)


class _Parts:
    """What both forms need, checked."""

    def __init__(
        self, last: npt.ArrayLike, before: npt.ArrayLike, inputs: npt.ArrayLike, targets: npt.ArrayLike
    ) -> None:
        w = real_array("last", last, shape="(..., K, d)", min_ndim=2)
        b = real_array("before", before, shape="(..., d, q)", min_ndim=2)
        self.inputs = real_array("inputs", inputs, shape="(..., q, N)", min_ndim=2)
        y = real_array("targets", targets, shape="(..., K, N)", min_ndim=2)
        if b.shape[-2] != w.shape[-1]:
            raise InvalidInputError(
                f"`before` must have {w.shape[-1]} rows, one per column of `last`, got {b.shape[-2]}."
            )
        if self.inputs.shape[-2] != b.shape[-1]:
            raise InvalidInputError(
                f"`inputs` must have {b.shape[-1]} rows, one per column of `before`, got {self.inputs.shape[-2]}."
            )
        n_classes, n = w.shape[-2], self.inputs.shape[-1]
        if y.shape[-2:] != (n_classes, n):
            raise InvalidInputError(f"`targets` must end in shape {(n_classes, n)}, got {y.shape}.")
        one_hot = ((y == 0) | (y == 1)).all() and (y.sum(axis=-2) == 1).all()
        if n_classes < 2 or not one_hot or (y.sum(axis=-1) != n / n_classes).any():
            raise InvalidInputError(
                "`targets` must have one 1 per column, else 0, and every one of at least two rows equally often."
            )
        values = np.linalg.svd(w, compute_uv=False)
        self.largest = values[..., 0]
        smallest = values[..., -1] if w.shape[-1] >= n_classes else np.zeros(w.shape[:-2])
        # A K-th singular value that is rounding error of 0 certifies nothing.
        self.full_rank = smallest > np.finfo(np.float64).eps * max(w.shape[-2:]) * self.largest
        self.smallest_or_one = np.where(self.full_rank, smallest, 1.0)
        self.residual = w @ (b @ self.inputs) - y
        self.error = np.linalg.norm(self.residual, axis=(-1, -2))
        self.gap = np.linalg.norm(np.swapaxes(w, -1, -2) @ w - b @ np.swapaxes(b, -1, -2), ord=2, axis=(-1, -2))
        self.spread = np.sqrt(n * (n_classes - 1) / n_classes)

    def bound(self, numerator: FloatArray, error: FloatArray) -> FloatArray:
        """The quotient, where its denominator is that of a positive number."""
        left = self.spread - error
        informative = (left > 0) & self.full_rank
        return np.where(informative, self.largest**2 * numerator / np.where(informative, left, 1.0) ** 2, np.inf)
