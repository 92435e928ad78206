"""Smooth objectives as solvers see them, and the lower bounds that certificates are made of.

Points are (R, M, d): M of them for each of R entries of the flattened batch; weights are (R, M, N).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from moltheory._validation import FloatArray
from moltheory.objectives import NormBall, QuadraticObjectives

__all__ = ["Part", "QuadraticPart", "combined", "damped", "shortfall_of_sums", "solved_systems"]


class Part(Protocol):
    """Values and derivatives of N smooth convex objectives, for R entries of a batch."""

    @property
    def ball(self) -> NormBall | None:
        """The class, None for all of R^d."""

    @property
    def strong_convexity(self) -> FloatArray:
        """Moduli (R, N); 0 where none is known."""

    @property
    def roughness(self) -> FloatArray:
        """Rates (R,) at which logarithms of curvatures change with theta at most."""

    @property
    def damping(self) -> FloatArray:
        """Sizes (R, d) of the features where curvatures may vanish, else 0."""

    def values(self, theta: FloatArray) -> FloatArray:
        """Risks (R, M, N)."""

    def gradients(self, theta: FloatArray) -> FloatArray:
        """Gradients (R, M, N, d)."""

    def derivatives(self, theta: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Gradients, and curvatures (R, M, d, d) of the weighted sums."""

    def expressions(self, variable: Any) -> list[Any]:
        """Risks of the first entry as cvxpy expressions."""


@dataclass(frozen=True, eq=False)
class QuadraticPart:
    """Quadratic objectives in that form."""

    objectives: QuadraticObjectives
    ball: NormBall | None = None

    @cached_property
    def curvature(self) -> FloatArray:
        """Matrices A_k, (R, N, d, d)."""
        return self.objectives.curvature.reshape(-1, *self.objectives.curvature.shape[-3:])

    @cached_property
    def linear(self) -> FloatArray:
        """Vectors b_k, (R, N, d)."""
        return self.objectives.linear.reshape(self.curvature.shape[:-1])

    @property
    def roughness(self) -> FloatArray:
        """Zero: the curvature is the same everywhere."""
        return np.zeros(self.curvature.shape[0])

    @property
    def damping(self) -> FloatArray:
        """Zero: the curvature is the same everywhere."""
        return np.zeros((self.curvature.shape[0], self.curvature.shape[-1]))

    @cached_property
    def strong_convexity(self) -> FloatArray:
        """Twice the smallest eigenvalues; those of the size of the rounding do not count."""
        values = np.linalg.eigvalsh(self.curvature)
        size = values.shape[-1] * np.finfo(np.float64).eps * values[..., -1]
        return np.where(values[..., 0] > 100.0 * size, 2.0 * (values[..., 0] - size), 0.0)

    def values(self, theta: FloatArray) -> FloatArray:
        """Risks (R, M, N)."""
        batch = self.objectives.batch_shape
        found = self.objectives.risks(theta.reshape(*batch, *theta.shape[1:]))
        return found.reshape(theta.shape[0], theta.shape[1], -1)

    def gradients(self, theta: FloatArray) -> FloatArray:
        """Gradients (R, M, N, d)."""
        moved = theta[:, None] @ self.curvature - self.linear[:, :, None]
        found: FloatArray = 2.0 * np.swapaxes(moved, 1, 2)
        return found

    def derivatives(self, theta: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Gradients, and curvatures (R, M, d, d) of the weighted sums."""
        r, n, d, _ = self.curvature.shape
        curvature = 2.0 * (weights @ self.curvature.reshape(r, n, d * d)).reshape(r, -1, d, d)
        return self.gradients(theta), curvature

    def expressions(self, variable: Any) -> list[Any]:
        """Risks of the first entry as cvxpy expressions."""
        import cvxpy

        cp: Any = cvxpy  # its stubs lack most atoms

        at_zero = self.values(np.zeros((self.curvature.shape[0], 1, self.curvature.shape[-1])))[0, 0]
        found = []
        for k in range(at_zero.size):
            values, vectors = np.linalg.eigh(self.curvature[0, k])
            kept = values > 1e-15 * max(values[-1], 1e-300)
            root = np.sqrt(values[kept])[:, None] * vectors[:, kept].T
            square = cp.sum_squares(root @ variable) if kept.any() else 0.0
            found.append(square - 2.0 * self.linear[0, k] @ variable + at_zero[k])
        return found


def combined(weights: FloatArray, gradients: FloatArray) -> FloatArray:
    """Return the gradients (R, M, d) of weighted sums."""
    found: FloatArray = (weights[:, :, None, :] @ gradients)[:, :, 0]
    return found


def solved_systems(matrices: FloatArray, vectors: FloatArray) -> FloatArray:
    """Solve with symmetric positive semidefinite matrices, as if singular ones had a little ridge."""
    d = matrices.shape[-1]
    shift = 1e-14 * np.trace(matrices, axis1=-2, axis2=-1) + 1e-200
    found: FloatArray = np.linalg.solve(matrices + shift[..., None, None] * np.eye(d), vectors[..., None])[..., 0]
    return found


def damped(part: Part, curvature: FloatArray, gradients: FloatArray) -> FloatArray:
    """Return curvatures (R, M, d, d) with the norms of gradients (R, M, d), in units of the features, on the diagonal."""
    size = part.damping[:, None]
    if not size.any():
        return curvature
    norm = np.linalg.norm(np.divide(gradients, size, out=np.zeros(gradients.shape), where=size > 0.0), axis=-1)
    found = curvature.copy()
    rows = np.arange(curvature.shape[-1])
    found[..., rows, rows] += norm[..., None] * size**2
    return found


def shortfall_of_sums(
    part: Part,
    theta: FloatArray,
    weights: FloatArray,
    gradients: FloatArray | None = None,
    *,
    linear: FloatArray | None = None,
) -> tuple[FloatArray, npt.NDArray[np.bool_], FloatArray]:
    r"""Bound how far weighted sums of risks are above their smallest values.

    Parameters
    ----------
    part : Part
    theta : (R, M, d) ndarray
    weights : (R, M, N) ndarray
        Nonnegative.
    gradients : (R, M, N, d) ndarray, optional
        At theta, if known.
    linear : (R, M, d) ndarray, optional
        Slopes of linear functions that are added to the sums.

    Returns
    -------
    shortfall, rigorous, gradient_norm : (R, M) ndarrays

    Notes
    -----
    With G the gradient of the sum: :math:`\|G\|^2 / (2 \mu)` where it is mu-strongly convex,
    :math:`G'\theta + \max_{\|v\| \le r} (-G'v)` on a ball, whichever is smaller, and exactly :math:`G'H^{-1}G / 2` for
    quadratics.

    Without a global modulus a local one serves: if the curvature H at theta has smallest eigenvalue m and changes by
    at most the factor :math:`e^{R \|v\|}` within v, the sum is m/e-strongly convex on the ball of radius 1/R around
    theta. If :math:`\|G\| < m / (2 e R)`, its values on that sphere exceed the one at theta, the minimiser is inside,
    and :math:`e \|G\|^2 / (2 m)` is a bound (derived). Where none applies, the Newton decrement is an estimate.
    """
    g = combined(weights, part.gradients(theta) if gradients is None else gradients)
    if linear is not None:
        g = g + linear
    square = (g * g).sum(axis=-1)
    modulus = (weights * part.strong_convexity[:, None]).sum(axis=-1)
    strong = modulus > 0.0
    bound = np.divide(square, 2.0 * modulus, out=np.full(square.shape, np.inf), where=strong)
    rigorous = strong.copy()
    if part.ball is not None:
        bound = np.minimum(bound, np.maximum((g * theta).sum(axis=-1) + part.ball.width(g), 0.0))
        rigorous[:] = True
    if not rigorous.all():
        columns = np.flatnonzero(~rigorous.all(axis=0))
        _, curvature = part.derivatives(theta[:, columns], weights[:, columns])
        values = np.linalg.eigvalsh(curvature)
        size = values.shape[-1] * np.finfo(np.float64).eps * values[..., -1]
        smallest = np.where(values[..., 0] > 100.0 * size, values[..., 0] - size, 0.0)
        decrement = 0.5 * (g[:, columns] * solved_systems(curvature, g[:, columns])).sum(axis=-1)
        if isinstance(part, QuadraticPart):
            proper = values[..., 0] > 1e-12 * np.maximum(values[..., -1], 1e-300)
            rigorous[:, columns] |= proper
            # The little ridge makes the decrement too small by at most this factor.
            decrement *= np.where(
                proper, 1.0 + 1e-14 * values.sum(axis=-1) / np.where(proper, values[..., 0], 1.0), 1.0
            )
        else:
            # Of an infinite roughness, that of a curvature which vanishes, nothing follows, not even at gradient 0.
            rough = np.where(np.isfinite(part.roughness), part.roughness, 0.0)[:, None]
            proper = np.sqrt(square[:, columns]) * (2.0 * np.e) * rough < smallest
            proper &= np.isfinite(part.roughness)[:, None]
            rigorous[:, columns] |= proper
            local = np.e * square[:, columns] / (2.0 * np.where(proper, smallest, 1.0))
            decrement = np.where(proper, local, decrement)
        bound[:, columns] = np.where(strong[:, columns], bound[:, columns], np.maximum(decrement, 0.0))
    return bound, rigorous, np.sqrt(square)
