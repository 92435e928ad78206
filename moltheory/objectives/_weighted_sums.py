"""Minimisers of weighted sums of quadratics, sum_k w_k (x' A_k x - 2 b_k' x), many at once.

Each solver takes curvature (R, N, d, d), linear (R, N, d) and weights (K, N), and returns (R, K, d).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._validation import FloatArray, real_array
from moltheory.errors import InvalidInputError

__all__ = ["check_weights", "smallest_solutions", "solutions_of_many", "solutions_of_two"]

# A curvature is singular if, scaled to a unit diagonal, a pivot or an eigenvalue is below this.
_SINGULAR = 1e-12


def check_weights(weights: npt.ArrayLike, n_objectives: int) -> FloatArray:
    """Return weights (K, N), nonnegative with no row zero.

    Raises
    ------
    InvalidInputError
        If the shape or an entry breaks the rule.
    """
    w = real_array("weights", weights, shape=f"(K, {n_objectives})", min_ndim=2, max_ndim=2)
    if w.shape[1] != n_objectives:
        raise InvalidInputError(f"`weights` must have shape (K, {n_objectives}), got shape {w.shape}.")
    bad = np.flatnonzero((w < 0.0).any(axis=1) | ~w.any(axis=1))
    if bad.size:
        raise InvalidInputError(f"`weights` must be nonnegative and not all zero, got row {w[bad[0]].tolist()}.")
    return w


def solutions_of_two(curvature: FloatArray, linear: FloatArray, weights: FloatArray) -> FloatArray:
    """Solve for two objectives: one generalised eigendecomposition serves all weights.

    Raises
    ------
    InvalidInputError
        If a weighted curvature is singular to working precision.
    """
    # Unit traces, so that the units of the objectives do not decide about the rounding.
    trace = np.trace(curvature, axis1=-2, axis2=-1)
    trace = np.where(trace > 0.0, trace, 1.0)
    unit = curvature / trace[..., None, None]
    rhs = linear / trace[..., None]
    total = unit[:, 0] + unit[:, 1]
    scale, root = _scaled_root(total)
    if root is None:
        raise _singular(curvature, weights)
    inverse = np.linalg.inv(root)
    second = inverse @ (unit[:, 1] * scale[:, :, None] * scale[:, None, :]) @ np.swapaxes(inverse, -1, -2)
    share, rotation = np.linalg.eigh(second)
    share = np.clip(share, 0.0, 1.0)[:, None, :]
    basis = scale[:, :, None] * (np.swapaxes(inverse, -1, -2) @ rotation)
    w = weights * trace[:, None, :]
    w = w / w.sum(axis=-1, keepdims=True)
    diagonal = w[..., 0, None] * (1.0 - share) + w[..., 1, None] * share
    if diagonal.min() < _SINGULAR:
        raise _singular(curvature, weights)
    coordinates = w @ (rhs @ basis)
    coordinates /= diagonal
    found: FloatArray = coordinates @ np.swapaxes(basis, -1, -2)
    return found


def solutions_of_many(curvature: FloatArray, linear: FloatArray, weights: FloatArray) -> FloatArray:
    """Solve for any number of objectives: one factorization for each weight.

    Raises
    ------
    InvalidInputError
        If a weighted curvature is singular to working precision.
    """
    weighted, rhs = _weighted(curvature, linear, weights)
    scale, root = _scaled_root(weighted)
    if root is None:
        raise _singular(curvature, weights)
    scaled = weighted * scale[..., :, None] * scale[..., None, :]
    found: FloatArray = scale * np.linalg.solve(scaled, (scale * rhs)[..., None])[..., 0]
    return found


def smallest_solutions(curvature: FloatArray, linear: FloatArray, weights: FloatArray) -> FloatArray:
    """Solve by eigendecomposition, with the solution of smallest Euclidean norm where it is not unique."""
    weighted, rhs = _weighted(curvature, linear, weights)
    values, vectors = np.linalg.eigh(weighted)
    kept = values > _SINGULAR * values[..., -1:]
    coordinates = np.einsum("...ij,...i->...j", vectors, rhs)
    coordinates = np.divide(coordinates, values, out=np.zeros_like(coordinates), where=kept)
    found: FloatArray = np.einsum("...ij,...j->...i", vectors, coordinates)
    return found


def _weighted(curvature: FloatArray, linear: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Weighted sums (R, K, d, d) and (R, K, d)."""
    r, n, d = linear.shape
    return (weights @ curvature.reshape(r, n, d * d)).reshape(r, -1, d, d), weights @ linear


def _scaled_root(matrices: FloatArray) -> tuple[FloatArray, FloatArray | None]:
    """Return 1/sqrt(diagonal) and the Cholesky factors of the matrices so scaled, None if one is singular."""
    diagonal = np.diagonal(matrices, axis1=-2, axis2=-1)
    if diagonal.min() <= 0.0:
        return diagonal, None
    scale: FloatArray = 1.0 / np.sqrt(diagonal)
    try:
        root = np.linalg.cholesky(matrices * scale[..., :, None] * scale[..., None, :])
    except np.linalg.LinAlgError:
        return scale, None
    pivots = np.diagonal(root, axis1=-2, axis2=-1)
    return scale, None if pivots.min() ** 2 < _SINGULAR else np.asarray(root, dtype=np.float64)


def _singular(curvature: FloatArray, weights: FloatArray) -> InvalidInputError:
    """Say for which weights the curvature is singular: those whose smallest scaled eigenvalue is smallest."""
    smallest = []
    for w in weights:
        weighted = np.einsum("n,rnij->rij", w, curvature)
        diagonal = np.diagonal(weighted, axis1=-2, axis2=-1)
        scale = 1.0 / np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
        values = np.linalg.eigvalsh(weighted * scale[:, :, None] * scale[:, None, :])
        smallest.append(float(values[:, 0].min()))
    row = int(np.argmin(smallest))
    return InvalidInputError(
        f"`weights` must make every weighted curvature nonsingular, got a smallest eigenvalue of "
        f"{max(smallest[row], 0.0):.1e} (unit diagonal) for weights {weights[row].round(6).tolist()}, as happens with "
        f"fewer examples than parameters or collinear features; minimum_norm=True takes the smallest minimiser."
    )
