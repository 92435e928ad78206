"""Least squares on every subset of d features at once, by eliminating one feature after the other.

The state after j features is, for each subset of them, the Schur complement of the augmented matrix
[[S, b], [b', c]] given that subset, on the features still to come. Leaving a feature out deletes its row and column,
taking it in is one pivot; after d steps one number for each subset is left, the smallest value of
theta' S theta - 2 b' theta + c over vectors with that support. All of it costs O(2^d), not O(2^d d^3). Derived
(proof: least-squares).
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray

__all__ = ["residuals_exactly", "residuals_of_supports", "support_masks"]


def support_masks(d: int) -> npt.NDArray[np.bool_]:
    """Return all supports (2^d, d): feature j belongs to support h iff bit j of h is set."""
    return ((np.arange(2**d)[:, None] >> np.arange(d)) & 1).astype(bool)


def residuals_of_supports(matrices: FloatArray) -> FloatArray:
    """Return the smallest values of all supports, (R, 2^d), not negative.

    `matrices` (R, d + 1, d + 1) are symmetric positive semidefinite, the last row and column being (b, c). A feature
    that depends linearly on those taken in before it adds nothing.
    """
    floor = 1e-13 * np.diagonal(matrices, axis1=-2, axis2=-1)
    state = matrices[:, None]
    for j in range(matrices.shape[-1] - 1):
        pivot = state[..., 0, 0]
        used = pivot > floor[:, j, None]
        column = state[..., 1:, 0]
        factor = np.divide(column, pivot[..., None], out=np.zeros_like(column), where=used[..., None])
        without = state[..., 1:, 1:]
        # The new bit is the highest so far.
        state = np.concatenate([without, without - factor[..., :, None] * column[..., None, :]], axis=1)
    return np.maximum(state[..., 0, 0], 0.0)


def residuals_exactly(matrix: list[list[Fraction]]) -> list[Fraction]:
    """Return the smallest values of all supports in rationals, for one positive definite matrix (d + 1, d + 1)."""
    scale = 1
    for row in matrix:
        for entry in row:
            scale = int(np.lcm.reduce([scale, entry.denominator], dtype=object))
    whole = np.array([[int(entry * scale) for entry in row] for row in matrix], dtype=object)
    state, last = whole[None], np.array([1], dtype=object)
    for _ in range(whole.shape[0] - 1):
        pivot, column, without = state[:, 0, 0], state[:, 1:, 0], state[:, 1:, 1:]
        # Bareiss 1968, doi 10.2307/2004533: the previous pivot divides without a rest.
        minors = without * pivot[:, None, None] - column[:, :, None] * column[:, None, :]
        taken = minors // last[:, None, None]
        state, last = np.concatenate([without, taken]), np.concatenate([last, pivot])
    return [Fraction(value, divisor * scale) for value, divisor in zip(state[:, 0, 0], last, strict=True)]
