"""The parts of convex objectives that solvers work on: entries of a batch, and the ball they may be kept in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._validation import FloatArray, check_choice, check_real
from moltheory.objectives._losses import LOSSES

__all__ = ["ConvexPart", "NormBall"]

# Fewer points than this for each entry do not pay for the products of features.
_FEW = 8


@dataclass(frozen=True)
class NormBall:
    """The hypotheses of norm at most `radius`.

    Parameters
    ----------
    radius : float
        Positive.
    norm : {"l2", "l1"}
        Euclidean norm or sum of absolute values.

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule.

    Examples
    --------
    >>> NormBall(2.0, norm="l1").width([[3.0, -4.0]])
    array([8.])
    """

    radius: float
    norm: str = "l2"

    def __post_init__(self) -> None:
        object.__setattr__(self, "radius", check_real("radius", self.radius, low=0.0, strict=True))
        check_choice("norm", self.norm, ("l1", "l2"))

    def size(self, points: npt.ArrayLike, /) -> FloatArray:
        """Return the norms of points (..., d)."""
        found: FloatArray = np.linalg.norm(np.asarray(points), ord=2 if self.norm == "l2" else 1, axis=-1)
        return found

    def width(self, slopes: npt.ArrayLike, /) -> FloatArray:
        """Return the largest value over the ball of the linear functions with slopes (..., d)."""
        dual = 2 if self.norm == "l2" else np.inf
        found: FloatArray = self.radius * np.linalg.norm(np.asarray(slopes), ord=dual, axis=-1)
        return found

    def inside(self, points: FloatArray, /) -> FloatArray:
        """Return the points (..., d), those outside shrunk onto the ball."""
        factor = np.minimum(1.0, self.radius / np.maximum(self.size(points), 1e-300))
        shrunk = points * factor[..., None]
        # A rounding step inward, so that the point is in the ball in floating point too.
        return np.where((self.size(shrunk) > self.radius)[..., None], shrunk * (1.0 - 4e-16), shrunk)


@dataclass(frozen=True, eq=False)
class ConvexPart:
    """Entries of a batch: examples x (R, n_k, d), y (R, n_k), their weights (R or 1, n_k); points are (R, M, d)."""

    x: list[FloatArray]
    y: list[FloatArray]
    shares: list[FloatArray]
    losses: tuple[str, ...]
    ridge: FloatArray
    ball: NormBall | None

    @cached_property
    def _turned(self) -> list[FloatArray]:
        """Features (R, d, n_k), one after the other in memory."""
        return [np.ascontiguousarray(np.swapaxes(one, -1, -2)) for one in self.x]

    @cached_property
    def _products(self) -> list[FloatArray]:
        """Products x_i x_j of features, i <= j: (R, d(d+1)/2, n_k), which make all curvatures one matrix product."""
        found = []
        for turned in self._turned:
            r, d, n = turned.shape
            products, start = np.empty((r, d * (d + 1) // 2, n)), 0
            for i in range(d):
                np.multiply(turned[:, i, None], turned[:, i:], out=products[:, start : start + d - i])
                start += d - i
            found.append(products)
        return found

    @property
    def is_smooth(self) -> bool:
        """Whether all losses are differentiable."""
        return all(LOSSES[name].smooth for name in self.losses)

    @property
    def is_nonnegative(self) -> bool:
        """Whether no loss can be below 0."""
        return all(LOSSES[name].nonnegative for name in self.losses)

    @cached_property
    def strong_convexity(self) -> FloatArray:
        """Moduli (R, N): the ridge, and the smallest eigenvalue of the curvature of squared losses."""
        found = np.tile(self.ridge, (self.x[0].shape[0], 1))
        for k, name in enumerate(self.losses):
            curvature = LOSSES[name].curvature
            if curvature > 0.0 and self.x[k].shape[-2] >= self.x[k].shape[-1]:
                gram = np.swapaxes(self.x[k], -1, -2) @ (self.x[k] * self.shares[k][:, :, None])
                values = np.linalg.eigvalsh(gram)
                # Eigenvalues of the size of the rounding do not count.
                size = gram.shape[-1] * np.finfo(np.float64).eps * values[:, -1]
                found[:, k] += curvature * np.where(values[:, 0] > 100.0 * size, values[:, 0] - size, 0.0)
        return found

    @cached_property
    def roughness(self) -> FloatArray:
        """Rates (R,) at which logarithms of curvatures can change with theta; inf where a curvature can vanish.

        For the logistic, poisson and squared losses the third derivative in z is at most the second (Bach 2010,
        doi 10.1214/09-EJS521), so the largest norm of an example's features is such a rate.
        The absolute loss has none between its kinks.
        """
        found = np.zeros(self.x[0].shape[0])
        for k, name in enumerate(self.losses):
            if not LOSSES[name].smooth:
                continue
            norms = np.linalg.norm(self.x[k], axis=-1).max(axis=-1)
            found = np.maximum(found, np.inf if LOSSES[name].has_linear_pieces else norms)
        return found

    @cached_property
    def damping(self) -> FloatArray:
        """Sizes (R, d) of the features, in whose units a Newton step adds the gradient norm to the curvature.

        Not 0 where a loss has linear pieces and no ridge, as the curvature may then vanish far from a minimiser.
        """
        found = np.zeros((self.x[0].shape[0], self.x[0].shape[-1]))
        for k, name in enumerate(self.losses):
            if LOSSES[name].has_linear_pieces and self.ridge[k] == 0.0:
                found = np.maximum(found, np.sqrt((self.shares[k][:, None] @ self.x[k] ** 2)[:, 0]))
        return found

    def predictions(self, k: int, theta: FloatArray) -> FloatArray:
        """Predictions (R, M, n_k) of objective k."""
        found: FloatArray = theta @ self._turned[k]
        return found

    def values(self, theta: FloatArray) -> FloatArray:
        """Risks (R, M, N)."""
        found = np.empty((*theta.shape[:2], len(self.x)))
        square = 0.5 * (theta * theta).sum(axis=-1)
        for k, name in enumerate(self.losses):
            losses = LOSSES[name].value(self.predictions(k, theta), self.y[k][:, None])
            found[..., k] = (losses @ self.shares[k][:, :, None])[..., 0] + self.ridge[k] * square
        return found

    def gradients(self, theta: FloatArray) -> FloatArray:
        """Gradients (R, M, N, d); of the absolute loss a subgradient."""
        found = np.empty((*theta.shape[:2], len(self.x), theta.shape[-1]))
        for k, name in enumerate(self.losses):
            first = LOSSES[name].slope(self.predictions(k, theta), self.y[k][:, None])
            found[:, :, k] = self._pull(k, first) + self.ridge[k] * theta
        return found

    def derivatives(self, theta: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Gradients (R, M, N, d), and the curvatures (R, M, d, d) of the sums with weights (R, M, N)."""
        (r, m), d = theta.shape[:2], theta.shape[-1]
        gradients = np.empty((r, m, len(self.x), d))
        few = m < _FEW and "_products" not in self.__dict__
        curvature = np.zeros((r, m, d, d) if few else (0,))
        packed = np.zeros((0 if few else r, m, d * (d + 1) // 2))
        for k, name in enumerate(self.losses):
            first, second = LOSSES[name].derivatives(self.predictions(k, theta), self.y[k][:, None])
            gradients[:, :, k] = self._pull(k, first) + self.ridge[k] * theta
            second *= self.shares[k][:, None]
            second *= weights[:, :, k, None]
            if few:
                for j in range(m):
                    curvature[:, j] += (self._turned[k] * second[:, j, None]) @ self.x[k]
            else:
                packed += second @ np.swapaxes(self._products[k], -1, -2)
        if not few:
            curvature = packed[..., _unpacked(d)]
        curvature[..., np.arange(d), np.arange(d)] += (weights @ self.ridge)[..., None]
        return gradients, curvature

    def _pull(self, k: int, first: FloatArray) -> FloatArray:
        """Return the gradients (R, M, d) of slopes (R, M, n_k), which are overwritten."""
        first *= self.shares[k][:, None]
        found: FloatArray = first @ self.x[k]
        return found

    def expressions(self, variable: Any) -> list[Any]:
        """Return the risks of the first entry as cvxpy expressions of a variable (d,)."""
        import cvxpy

        cp: Any = cvxpy  # its stubs lack most atoms

        found = []
        for k, name in enumerate(self.losses):
            risk = self.shares[k][0] @ LOSSES[name].expression(self.x[k][0] @ variable, self.y[k][0])
            found.append(risk + 0.5 * self.ridge[k] * cp.sum_squares(variable) if self.ridge[k] > 0.0 else risk)
        return found


@cache
def _unpacked(d: int) -> npt.NDArray[np.intp]:
    """Positions (d, d) of the entries of a symmetric matrix in its upper triangle, row by row."""
    found = np.zeros((d, d), dtype=np.intp)
    rows, columns = np.triu_indices(d)
    found[rows, columns] = found[columns, rows] = np.arange(rows.size)
    found.setflags(write=False)
    return found
