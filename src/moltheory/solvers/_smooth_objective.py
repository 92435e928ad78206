"""Smooth objectives as solvers see them.

Points are (R, M, d): M of them for each of R entries of the flattened batch; weights are (R, M, N).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.objectives import NormBall, QuadraticObjectives
from moltheory.objectives._convex_part import ConvexPart, Evaluated
from moltheory.objectives._coordinates import Coordinates

__all__ = ["Part", "QuadraticPart", "combined", "damped", "solved_systems"]


class Part(Protocol):
    """Values and derivatives of N smooth convex objectives, for R entries of a batch."""

    @property
    def examples(self) -> ConvexPart | None:
        """The part itself where it is made of losses of examples, else None."""

    @property
    def quadratic(self) -> QuadraticPart | None:
        """The part itself where it is quadratic, else None."""

    @property
    def ball(self) -> NormBall | None:
        """The class, None for all of R^d."""

    @property
    def frame(self) -> Coordinates | None:
        """Coordinates that points are in, None for the parameters themselves."""

    @property
    def n_terms(self) -> int:
        """Number of terms of the longest sum that a curvature is made of."""

    @property
    def strong_convexity(self) -> FloatArray:
        """Moduli (R, N); 0 where none is known."""

    @property
    def roughness(self) -> FloatArray:
        """Rates (R,) at which logarithms of curvatures change with theta at most."""

    @property
    def damping(self) -> FloatArray:
        """Sizes (R, d) of the features where curvatures may vanish, else 0."""

    @property
    def separate_ridge(self) -> FloatArray | float:
        """Ridges (N,) that the moduli leave out, as they are moduli in the parameters."""

    def parameters(self, theta: FloatArray) -> FloatArray:
        """Parameters (R, M, d) of points."""

    def rounded(self, theta: FloatArray) -> FloatArray:
        """Parameters (R, M, d) in the class that are as near to points as floats allow."""

    def points(self, parameters: FloatArray) -> FloatArray:
        """Points (R, M, d) of parameters."""

    def slopes(self, gradients: FloatArray) -> FloatArray:
        """Slopes in the parameters, of slopes (R, M, ..., d) at points."""

    def pushed(self, slopes: FloatArray) -> FloatArray:
        """Slopes at points, of slopes (R, M, d) in the parameters."""

    def parameters_of(self, variable: Any) -> Any:
        """Parameters as a cvxpy expression of a variable that is a point of the first entry."""

    def values(self, theta: FloatArray) -> FloatArray:
        """Risks (R, M, N)."""

    def gradients(self, theta: FloatArray) -> FloatArray:
        """Gradients (R, M, N, d)."""

    def derivatives(self, theta: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Gradients, and curvatures (R, M, d, d) of the weighted sums."""

    def evaluated(self, theta: FloatArray) -> Evaluated:
        """Values and gradients with bounds on their rounding errors."""

    def expressions(self, variable: Any) -> list[Any]:
        """Risks of the first entry as cvxpy expressions."""


class Unframed:
    """A part whose points are the parameters."""

    @property
    def examples(self) -> None:
        """None: it is not made of examples."""

    @property
    def quadratic(self) -> QuadraticPart | None:
        """None, unless it says otherwise."""
        return None

    @property
    def frame(self) -> None:
        """No coordinates of its own."""

    @property
    def n_terms(self) -> int:
        """Curvatures are given, not summed up."""
        return 1

    @property
    def separate_ridge(self) -> FloatArray | float:
        """None: the moduli are complete."""
        return 0.0

    def parameters(self, theta: FloatArray) -> FloatArray:
        """Points as they are."""
        return theta

    def rounded(self, theta: FloatArray) -> FloatArray:
        """Points as they are."""
        return theta

    def points(self, parameters: FloatArray) -> FloatArray:
        """Parameters as they are."""
        return parameters

    def slopes(self, gradients: FloatArray) -> FloatArray:
        """Gradients as they are."""
        return gradients

    def pushed(self, slopes: FloatArray) -> FloatArray:
        """Slopes as they are."""
        return slopes

    def parameters_of(self, variable: Any) -> Any:
        """Variables as they are."""
        return variable


@dataclass(frozen=True, eq=False)
class QuadraticPart(Unframed):
    """Quadratic objectives in that form."""

    objectives: QuadraticObjectives
    ball: NormBall | None = None

    @property
    def quadratic(self) -> QuadraticPart:
        """The part itself."""
        return self

    @property
    def dimension(self) -> int:
        """Number d of parameters."""
        return self.objectives.dimension

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

    def evaluated(self, theta: FloatArray) -> Evaluated:
        """Values and gradients with bounds on their rounding errors."""
        batch = self.objectives.batch_shape
        errors = self.objectives.rounding_errors(theta.reshape(*batch, *theta.shape[1:]))
        risks, slopes = (e.reshape(*theta.shape[:2], *e.shape[len(batch) + 1 :]) for e in errors)
        norms = np.linalg.norm(slopes, axis=-1)
        return Evaluated(self.values(theta), self.gradients(theta), risks, norms, norms)

    def gradient_errors(self, theta: FloatArray, weights: FloatArray) -> FloatArray:
        """Bounds (R, M, d) on the rounding errors of the gradients of weighted sums."""
        batch = self.objectives.batch_shape
        errors = self.objectives.rounding_errors(theta.reshape(*batch, *theta.shape[1:]))[1]
        return combined(weights, errors.reshape(*theta.shape[:2], *errors.shape[len(batch) + 1 :]))

    def expressions(self, variable: Any) -> list[Any]:
        """Risks of the first entry as cvxpy expressions."""
        import cvxpy

        cp: Any = cvxpy  # its stubs lack most atoms

        entry = self.objectives.entry(0)
        found = []
        for matrix, at, slope, constant in zip(entry.curvature, *entry.expansion, strict=True):
            # To unit diagonal, so that the eigenvalues of a graded matrix come out right.
            size = np.sqrt(np.maximum(np.diagonal(matrix), 0.0))
            unit = np.where(size > 0.0, size, 1.0)
            values, vectors = np.linalg.eigh(matrix / unit[:, None] / unit)
            kept = values > 1e-15 * max(float(values[-1]), 1e-300)
            root = np.sqrt(values[kept])[:, None] * vectors[:, kept].T * size
            square = cp.sum_squares(root @ (variable - at)) if kept.any() else 0.0
            found.append(square - 2.0 * slope @ (variable - at) + constant)
        return found


def combined(weights: FloatArray, gradients: FloatArray) -> FloatArray:
    """Return the gradients (R, M, d) of weighted sums."""
    found: FloatArray = (weights[:, :, None, :] @ gradients)[:, :, 0]
    return found


def solved_systems(matrices: FloatArray, sides: FloatArray) -> FloatArray:
    """Solve for sides (..., d) or (..., d, m) with symmetric positive semidefinite matrices (..., d, d).

    They are scaled to unit diagonal, so that no unit of a parameter counts as small, and singular ones get a little ridge.
    """
    diagonal = np.diagonal(matrices, axis1=-2, axis2=-1)
    size = 1.0 / np.sqrt(np.where(diagonal > 0.0, diagonal, np.maximum(diagonal.max(axis=-1, keepdims=True), 1e-200)))
    unit = matrices * size[..., :, None]
    unit *= size[..., None, :]
    rows = np.arange(matrices.shape[-1])
    unit[..., rows, rows] += 1e-14
    many = sides.ndim == matrices.ndim
    found: FloatArray = np.linalg.solve(unit, size[..., None] * (sides if many else sides[..., None])) * size[..., None]
    return found if many else found[..., 0]


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
