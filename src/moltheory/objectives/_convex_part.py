"""The parts of convex objectives that solvers work on: some entries of a batch, perhaps in coordinates of their own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.objectives._coordinates import Coordinates
from moltheory.objectives._losses import LOSSES
from moltheory.objectives._norm_ball import NormBall

__all__ = ["ConvexPart", "Evaluated"]

_UNIT = 0.5 * np.finfo(np.float64).eps
# Fewer points than this for each entry do not pay for the products of features.
_FEW = 8


@dataclass(frozen=True, eq=False)
class Evaluated:
    """Risks and gradients at points, with bounds on what rounding may have done to them."""

    values: FloatArray
    """Risks (R, M, N)."""
    gradients: FloatArray
    """Gradients (R, M, N, d)."""
    value_error: FloatArray
    """Bounds (R, M, N) on the rounding error of the risks."""
    gradient_error: FloatArray
    """Bounds (R, M, N) on the Euclidean norms of the gradients' rounding errors."""
    slope_error: FloatArray
    """The same for the gradients in the parameters, where points are in a frame."""


@dataclass(frozen=True, eq=False)
class ConvexPart:
    """Entries of a batch: examples x (R, n_k, d), y (R, n_k), their weights (R or 1, n_k); points are (R, M, d).

    With a `frame`, features and points are in its coordinates, and so are all results; ridge and ball mean the
    parameters themselves.
    """

    x: list[FloatArray]
    y: list[FloatArray]
    shares: list[FloatArray]
    losses: tuple[str, ...]
    ridge: FloatArray
    ball: NormBall | None
    frame: Coordinates | None = None
    norms: tuple[int, ...] = ()
    """Objectives whose predictions are the parameters, which in a frame are found without cancellation."""

    @property
    def examples(self) -> ConvexPart:
        """The part itself: it is made of losses of examples."""
        return self

    @property
    def quadratic(self) -> None:
        """None: its curvatures are not kept as matrices."""

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
    def dimension(self) -> int:
        """Number d of parameters."""
        return int(self.x[0].shape[-1])

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
        """Moduli (R, N): the ridge, left out in a frame, and the smallest eigenvalue of the curvature of squared losses."""
        found = np.tile(self.ridge if self.frame is None else 0.0 * self.ridge, (self.x[0].shape[0], 1))
        for k, name in enumerate(self.losses):
            curvature = LOSSES[name].curvature
            if curvature > 0.0 and self.x[k].shape[-2] >= self.x[k].shape[-1]:
                gram = np.swapaxes(self.x[k], -1, -2) @ (self.x[k] * self.shares[k][:, :, None])
                values = np.linalg.eigvalsh(gram)
                # Eigenvalues of the size of the rounding do not count.
                size = gram.shape[-1] * (self.x[k].shape[-2] + 8) * _UNIT * values[:, -1]
                found[:, k] += curvature * np.where(values[:, 0] > 2.0 * size, values[:, 0] - size, 0.0)
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
            norms = self._norms[k].max(axis=-1)
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
        if self.frame is not None and k in self.norms:
            return self.frame.to_original_units(theta)
        found: FloatArray = theta @ self._turned[k]
        return found

    def parameters(self, theta: FloatArray) -> FloatArray:
        """Parameters (R, M, d) of points."""
        return theta if self.frame is None else self.frame.to_original_units(theta)

    def rounded(self, theta: FloatArray) -> FloatArray:
        """Parameters (R, M, d) in the class that are as near to points as floats allow."""
        found = theta if self.frame is None else self.frame.to_original_units(theta, best=True)
        return found if self.ball is None else self.ball.inside(found)

    @property
    def separate_ridge(self) -> FloatArray:
        """Ridges (N,) that `strong_convexity` leaves out."""
        return 0.0 * self.ridge if self.frame is None else self.ridge

    def points(self, parameters: FloatArray) -> FloatArray:
        """Points (R, M, d) of parameters."""
        return parameters if self.frame is None else self.frame.forth(parameters)

    def slopes(self, gradients: FloatArray) -> FloatArray:
        """Slopes (R, M, ..., d) in the parameters, of slopes at points."""
        return gradients if self.frame is None else self.frame.pull(gradients)

    def pushed(self, slopes: FloatArray) -> FloatArray:
        """Slopes at points, of slopes (R, M, d) in the parameters."""
        return slopes if self.frame is None else self.frame.push(slopes)

    def _penalty(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Half the squared norm of the parameters (R, M), and its slope at the points (R, M, d)."""
        if self.frame is None or not self.ridge.any():
            return 0.5 * (theta * theta).sum(axis=-1), theta
        parameters = self.frame.to_original_units(theta)
        return 0.5 * (parameters * parameters).sum(axis=-1), self.frame.push(parameters)

    @cached_property
    def _metric(self) -> FloatArray | None:
        """Curvature (R, d, d) of half the squared norm of the parameters, None for the identity."""
        if self.frame is None:
            return None
        root = self.frame.inverse
        found: FloatArray = np.swapaxes(root, -1, -2) @ root
        return found

    def near_kinks(self, k: int, theta: FloatArray, close: float) -> npt.NDArray[np.bool_]:
        """Return which residuals (n_k,) of the first entry vanish up to a share of what theta (1, 1, d) and targets are."""
        norms = self._norms[k][0]
        far = np.abs(self.predictions(k, theta)[0, 0] - self.y[k][0]) / np.where(norms > 0.0, norms, 1.0)
        return np.asarray(far <= close * max(float(far.max()), self.extent(theta)))

    def extent(self, theta: FloatArray) -> float:
        """Return the size of what theta (1, 1, d) is made of: its norm, or the largest target."""
        return max(float(np.linalg.norm(theta)), *(float(np.abs(y[0]).max()) for y in self.y))

    def values(self, theta: FloatArray) -> FloatArray:
        """Risks (R, M, N)."""
        found = np.empty((*theta.shape[:2], len(self.x)))
        square = self._penalty(theta)[0]
        for k, name in enumerate(self.losses):
            losses = LOSSES[name].value(self.predictions(k, theta), self.y[k][:, None])
            found[..., k] = (losses @ self.shares[k][:, :, None])[..., 0] + self.ridge[k] * square
        return found

    def gradients(self, theta: FloatArray) -> FloatArray:
        """Gradients (R, M, N, d); of the absolute loss a subgradient."""
        found = np.empty((*theta.shape[:2], len(self.x), theta.shape[-1]))
        pulled = self._penalty(theta)[1]
        for k, name in enumerate(self.losses):
            first = LOSSES[name].slope(self.predictions(k, theta), self.y[k][:, None])
            found[:, :, k] = self._pull(k, first) + self.ridge[k] * pulled
        return found

    def derivatives(self, theta: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Gradients (R, M, N, d), and the curvatures (R, M, d, d) of the sums with weights (R, M, N)."""
        (r, m), d = theta.shape[:2], theta.shape[-1]
        gradients = np.empty((r, m, len(self.x), d))
        pulled = self._penalty(theta)[1]
        few = m < _FEW and "_products" not in self.__dict__
        curvature = np.zeros((r, m, d, d) if few else (0,))
        packed = np.zeros((0 if few else r, m, d * (d + 1) // 2))
        for k, name in enumerate(self.losses):
            first, second = LOSSES[name].derivatives(self.predictions(k, theta), self.y[k][:, None])
            gradients[:, :, k] = self._pull(k, first) + self.ridge[k] * pulled
            second *= self.shares[k][:, None]
            second *= weights[:, :, k, None]
            if few:
                for j in range(m):
                    curvature[:, j] += (self._turned[k] * second[:, j, None]) @ self.x[k]
            else:
                packed += second @ np.swapaxes(self._products[k], -1, -2)
        if not few:
            curvature = packed[..., _unpacked(d)]
        if self._metric is None:
            curvature[..., np.arange(d), np.arange(d)] += (weights @ self.ridge)[..., None]
        else:
            curvature += (weights @ self.ridge)[..., None, None] * self._metric[:, None]
        return gradients, curvature

    def evaluated(self, theta: FloatArray) -> Evaluated:
        r"""Return risks and gradients with bounds on their rounding errors.

        Notes
        -----
        A sum of n products is off by at most n + 1 units u of roundoff times the sum of their sizes, in any order, and
        by far fewer where numpy sums in pairs. A prediction is off by :math:`\epsilon_i = (d + 6) u |x_i| |\theta|`, which
        also covers the roundings that brought features and theta into a frame; the mean of the losses thus by
        :math:`\sum_i c_i |\ell'_i| \epsilon_i` and the units of the sum, with a few for the loss itself, times its size,
        the gradient by :math:`\sum_i c_i \ell''_i \epsilon_i |x_i|` and :math:`(n + 8) u` times
        :math:`\sum_i c_i |\ell'_i| |x_i|`. Terms of the order of u squared are covered by the spare units. Derived
        (proof: rounding).
        """
        (r, m), d = theta.shape[:2], theta.shape[-1]
        values, gradients = np.empty((r, m, len(self.x))), np.empty((r, m, len(self.x), d))
        errors = [np.empty(values.shape) for _ in range(3)]
        square, pulled = self._penalty(theta)
        moved = (d + 6) * _UNIT * np.linalg.norm(theta, axis=-1)
        for k, name in enumerate(self.losses):
            y, shares, n = self.y[k][:, None], self.shares[k], self.shares[k].shape[-1]
            z = self.predictions(k, theta)
            bend = LOSSES[name].bend
            # Where curvature has no bound its values are needed.
            first = LOSSES[name].slope(z.copy(), y)
            second = LOSSES[name].derivatives(z, y)[1] if bend is None else None
            losses = LOSSES[name].value(z, y)
            losses *= shares[:, None]
            mean = losses.sum(axis=-1)
            steep = np.abs(first) if LOSSES[name].smooth else np.ones(first.shape)
            values[..., k] = mean + self.ridge[k] * square
            errors[0][..., k] = (_roundings(n) + 10) * _UNIT * self._magnitude(k, mean)
            if self.frame is not None and k in self.norms:
                # The parameters themselves, each found to its last digit or that of the pivot's coordinate.
                wrong = (
                    2.0 * _UNIT * (np.abs(self.frame.to_original_units(theta)) + self.frame.offset(theta)[..., None])
                )
                bent = wrong * (bend or 0.0) * shares[:, None]
                errors[0][..., k] += (steep * wrong * shares[:, None]).sum(axis=-1)
                pull = self._pull(k, first)
                errors[1][..., k] = 4.0 * _UNIT * np.linalg.norm(pull, axis=-1)
                errors[1][..., k] += (bent * self._norms[k][:, None]).sum(axis=-1)
                errors[2][..., k] = (bent + 4.0 * _UNIT * steep * shares[:, None]).sum(axis=-1)
            else:
                pull = self._pull(k, first)
                for j, norms in enumerate([self._norms[k], self._parameter_norms[k]][: 1 if self.frame is None else 2]):
                    weighted = shares * norms
                    slope = (steep @ weighted[..., None])[..., 0]
                    both = weighted * self._norms[k]
                    bent = bend * both.sum(axis=-1)[:, None] if second is None else (second @ both[..., None])[..., 0]
                    errors[1 + j][..., k] = moved * bent + (n + 8) * _UNIT * slope
                    if j == 0:
                        errors[0][..., k] += moved * slope
                if self.frame is not None and self.frame.origin.any():
                    least = 2.0 * _UNIT * np.abs(y).max(axis=-1)
                    errors[0][..., k] += least * (steep @ shares[..., None])[..., 0]
                if self.frame is None:
                    errors[2][..., k] = errors[1][..., k]
            gradients[:, :, k] = pull + self.ridge[k] * pulled
        if self.ridge.any():
            length = np.sqrt(2.0 * square)
            offset = length if self.frame is None else length + self.frame.offset(theta)
            errors[0] += (d + 8) * _UNIT * (length * offset)[..., None] * self.ridge
            errors[1] += 8.0 * _UNIT * (np.linalg.norm(pulled, axis=-1))[..., None] * self.ridge
            errors[2] += 8.0 * _UNIT * offset[..., None] * self.ridge
        return Evaluated(values, gradients, *errors)

    @cached_property
    def _norms(self) -> list[FloatArray]:
        """Norms (R, n_k) of the features."""
        return [np.linalg.norm(one, axis=-1) for one in self.x]

    @cached_property
    def _parameter_norms(self) -> list[FloatArray]:
        """The same of the features that belong to the parameters."""
        if self.frame is None:
            return self._norms
        return [np.linalg.norm(self.frame.pull(one), axis=-1) for one in self.x]

    @property
    def n_terms(self) -> int:
        """Number of terms of the longest sum."""
        return max(int(one.shape[-2]) for one in self.x)

    def _magnitude(self, k: int, mean: FloatArray) -> FloatArray:
        """Bound the mean size (R, M) of the losses by their mean: a Poisson loss is at least y - y log y."""
        if LOSSES[self.losses[k]].nonnegative:
            return mean
        y = self.y[k]
        least = np.minimum(y - y * np.log(np.where(y > 0.0, y, 1.0)), 0.0)
        below: FloatArray = (least * self.shares[k]).sum(axis=-1)
        return mean - 2.0 * below[:, None]

    def _pull(self, k: int, first: FloatArray) -> FloatArray:
        """Return the gradients (R, M, d) of slopes (R, M, n_k), which are overwritten."""
        first *= self.shares[k][:, None]
        if self.frame is not None and k in self.norms:
            return self.frame.push(first)
        found: FloatArray = first @ self.x[k]
        return found

    def subgradient(self, k: int, theta: FloatArray, signs: FloatArray) -> FloatArray:
        """Return the subgradient (d,) of an absolute loss by the signs of residuals, of the first entry at (1, 1, d)."""
        pulled = self._pull(k, signs[None, None].copy()) + self.ridge[k] * self._penalty(theta)[1]
        found: FloatArray = pulled[0, 0]
        return found

    def parameters_of(self, variable: Any) -> Any:
        """Return the parameters as a cvxpy expression of a variable that is a point of the first entry."""
        if self.frame is None:
            return variable
        return self.frame.inverse[0] @ variable + self.frame.parameters_at_zero[0]

    def expressions(self, variable: Any) -> list[Any]:
        """Return the risks of the first entry as cvxpy expressions of a variable (d,)."""
        import cvxpy

        cp: Any = cvxpy  # its stubs lack most atoms

        found, parameters = [], self.parameters_of(variable)
        for k, name in enumerate(self.losses):
            risk = self.shares[k][0] @ LOSSES[name].expression(self.x[k][0] @ variable, self.y[k][0])
            found.append(risk + 0.5 * self.ridge[k] * cp.sum_squares(parameters) if self.ridge[k] > 0.0 else risk)
        return found


def _roundings(n: int) -> int:
    """Return how many roundings a term meets in `numpy.sum` over n numbers next to each other.

    Up to 128 numbers are added in eight partial sums, more in halves (pairwise summation, as its documentation says).
    """
    return min(n, 8 + min(n, 128) // 8 + max(n // 128, 1).bit_length())


@cache
def _unpacked(d: int) -> npt.NDArray[np.intp]:
    """Positions (d, d) of the entries of a symmetric matrix in its upper triangle, row by row."""
    found = np.zeros((d, d), dtype=np.intp)
    rows, columns = np.triu_indices(d)
    found[rows, columns] = found[columns, rows] = np.arange(rows.size)
    found.setflags(write=False)
    return found
