"""Minimisers of weighted sums of quadratics, sum_k w_k (x' A_k x - 2 b_k' x), many at once.

Curvature is (R, N, d, d), linear (R, N, d), weights (K, N); each solver returns (R, K, d).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, real_array
from moltheory.errors import InvalidInputError

__all__ = ["JointBasis", "check_weights", "singular", "smallest_solutions", "solutions_of_many", "solutions_of_two"]

# A curvature is singular if, scaled to a unit diagonal, a pivot or an eigenvalue is below this.
_SINGULAR = 1e-12


def check_weights(weights: npt.ArrayLike, n_objectives: int) -> FloatArray:
    """Return weights (K, N), nonnegative with no row zero; refuse others."""
    w = real_array("weights", weights, shape=f"(K, {n_objectives})", min_ndim=2, max_ndim=2)
    if w.shape[1] != n_objectives:
        raise InvalidInputError(f"`weights` must have shape (K, {n_objectives}), got shape {w.shape}.")
    if w.min() < 0.0 or not w.any(axis=1).all():
        bad = np.flatnonzero((w < 0.0).any(axis=1) | ~w.any(axis=1))
        raise InvalidInputError(f"`weights` must be nonnegative and not all zero, got row {w[bad[0]].tolist()}.")
    return w


@dataclass(frozen=True, eq=False)
class JointBasis:
    """Coordinates c of theta = T c in which two curvatures are diagonal, whatever their units."""

    basis: FloatArray
    """Matrices T, (R, d, d)."""
    diagonal: FloatArray
    """Diagonals of T'A_k T, (R, 2, d); with A_k scaled to unit traces they lie in [0, 1] and sum to 1 over k."""
    trace: FloatArray
    """Traces of A_k, 1 where it is zero, (R, 2)."""

    @classmethod
    def of(cls, curvature: FloatArray) -> JointBasis | None:
        """Return the basis for curvatures (R, 2, d, d), None where the sum of the two is singular."""
        # Unit traces, so that the units of the objectives do not decide about the rounding.
        trace = np.einsum("rkii->rk", curvature)
        trace = np.where(trace > 0.0, trace, 1.0)
        unit = curvature / trace[..., None, None]
        scale, root = _scaled_root(unit[:, 0] + unit[:, 1])
        if root is None:
            return None
        inverse = np.linalg.inv(root) * scale[:, None, :]
        turned = np.swapaxes(inverse, -1, -2)
        share, rotation = np.linalg.eigh(inverse @ unit[:, 1] @ turned)
        share = np.minimum(np.maximum(share, 0.0), 1.0)
        diagonal = np.stack([1.0 - share, share], axis=1) * trace[..., None]
        return cls(turned @ rotation, diagonal, trace)

    def entries(self, part: slice) -> JointBasis:
        """Return the basis of some entries of the batch."""
        return JointBasis(self.basis[part], self.diagonal[part], self.trace[part])

    def shortfall(
        self, curvature: FloatArray, gradients: FloatArray, weights: FloatArray, errors: FloatArray | float = 0.0
    ) -> FloatArray | None:
        r"""Return bounds (R, K) on how far weighted sums are above their minima; None where rounding leaves no bound.

        The gradients G are off by at most `errors` (R, K, d).

        Notes
        -----
        :math:`G'(\sum_k w_k A_k)^{-1} G / 4 \le \sum_j (T'G)_j^2 / (4 (D_j - e))`, where D is the weighted diagonal and
        e bounds the norm of what :math:`\sum_k w_k T'A_k T` is off D: the norm as evaluated, and its rounding, less than
        :math:`4 d` units of :math:`|T|'|A_k||T|`, whose entries semidefinite A_k keep below :math:`v_i v_j` with
        :math:`v = |T|' \sqrt{diag A_k}`. The rounding of T'G is added too; that of G is not. Derived (proof:
        gradient-certificates).
        """
        r, n, d = self.diagonal.shape
        size, rounding = np.abs(self.basis), np.finfo(np.float64).eps * d
        off = (np.swapaxes(self.basis, -1, -2)[:, None] @ curvature @ self.basis[:, None]).reshape(r, n, d * d)
        off[..., :: d + 1] -= self.diagonal
        v = np.sqrt(np.abs(np.einsum("rkii->rki", curvature))) @ size
        error = np.sqrt(np.vecdot(off, off)) + 4.0 * rounding * np.vecdot(v, v)
        lower = weights @ (self.diagonal - error[..., None])
        if lower.min() <= 0.0:
            return None
        within = np.abs(gradients @ self.basis) + (rounding * np.abs(gradients) + errors) @ size
        within *= within
        within /= lower
        bound: FloatArray = 0.25 * within.sum(axis=-1)
        return bound


def solutions_of_two(joint: JointBasis, curvature: FloatArray, linear: FloatArray, weights: FloatArray) -> FloatArray:
    """Return minimisers for two objectives in their joint basis; refuse singular weighted curvatures."""
    diagonal = weights @ joint.diagonal
    if (diagonal < _SINGULAR * (weights @ joint.trace[..., None])).any():
        raise singular(curvature, weights)
    coordinates = weights @ (linear @ joint.basis)
    coordinates /= diagonal
    found: FloatArray = coordinates @ np.swapaxes(joint.basis, -1, -2)
    return found


def solutions_of_many(curvature: FloatArray, linear: FloatArray, weights: FloatArray) -> FloatArray:
    """Return minimisers for N objectives, one factorization per weight; refuse singular weighted curvatures."""
    weighted, rhs = _weighted(curvature, linear, weights)
    scale, root = _scaled_root(weighted)
    if root is None:
        raise singular(curvature, weights)
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


def singular(curvature: FloatArray, weights: FloatArray) -> InvalidInputError:
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
