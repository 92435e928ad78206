r"""Regression with the Laplace kernel and its average gradient outer product (AGOP), and exact facts about AGOP.

With :math:`f_c(x) = \sum_j a_{jc} e^{-\|x - x_j\| / s}` the outer product averaged over the centers is
:math:`M = \frac1N \sum_{i,c} \nabla f_c(x_i) \nabla f_c(x_i)^\top`. Exact facts: one linear layer collapses the
classes, a collapsed kernel is optimal for one-hot labels, and S V' of a layer W = U S V' has all of its NC1. Source:
D. Beaglehole, P. Súkeník, M. Mondelli, M. Belkin (2024), arXiv 2402.13728; the forms here are derived
(proof: study-outer-products).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._html_repr import Shown
from moltheory._core._validation import FloatArray, check_count, check_real, real_array
from moltheory.errors import InvalidInputError, SolverError

__all__ = [
    "LaplaceRegression",
    "collapsed_kernel_value",
    "linear_outer_product",
    "matrix_root",
    "optimal_kernel",
    "pair_distances",
    "right_half",
]

# Squared distances below this share of the squared norms are computed again from differences.
_CLOSE = 1e-6
# Below this distance the fast form of the outer product loses more than half of its digits.
_NEAR = 1e-4
_CHUNK = 20_000


@dataclass(frozen=True, eq=False, repr=False)
class LaplaceRegression(Shown):
    """A kernel regression that is fitted by `LaplaceRegression.fit`.

    Attributes
    ----------
    centers : (N, d) ndarray
        The training examples.
    coefficients : (N, K) ndarray
    bandwidth : float
        Scale s of the kernel exp(-||x - z|| / s).
    distances : (N, N) ndarray
        Between the centers.

    Examples
    --------
    >>> model = LaplaceRegression.fit([[0.0], [1.0]], [[1.0], [-1.0]], ridge=1e-12)
    >>> model.predict([[0.0], [0.5]]).round(6) + 0.0
    array([[1.], [0.]])
    """

    centers: FloatArray
    coefficients: FloatArray
    bandwidth: float
    distances: FloatArray

    @classmethod
    def fit(
        cls, features: npt.ArrayLike, targets: npt.ArrayLike, /, *, bandwidth: float = 2.0, ridge: float = 1e-6
    ) -> LaplaceRegression:
        """Return the regression on targets (N, K) that solves (k + ridge I) a = targets.

        `bandwidth` and `ridge` are > 0: examples may coincide.
        """
        from scipy.linalg import solve

        x = real_array("features", features, shape="(N, d)", min_ndim=2, max_ndim=2)
        y = real_array("targets", targets, shape="(N, K)", min_ndim=2, max_ndim=2)
        if len(y) != len(x):
            raise InvalidInputError(f"`targets` must have {len(x)} rows, one per example, got {len(y)}.")
        scale = check_real("bandwidth", bandwidth, low=0.0, strict=True)
        check_real("ridge", ridge, low=0.0, strict=True)
        distances = pair_distances(x, x)
        kernel = np.exp(distances / -scale)
        kernel[np.diag_indices_from(kernel)] += ridge
        return cls(x, solve(kernel, y, assume_a="pos", overwrite_a=True, check_finite=False), scale, distances)

    def predict(self, points: npt.ArrayLike, /) -> FloatArray:
        """Return f (n, K) at points (n, d)."""
        x = self._points(points)
        return np.asarray(np.exp(pair_distances(x, self.centers) / -self.bandwidth) @ self.coefficients)

    def gradients(self, points: npt.ArrayLike, /) -> FloatArray:
        """Return the gradients (n, K, d) of all outputs at points (n, d).

        At a center the kernel has a cusp: its own term counts as zero, which is the limit of central differences.
        """
        x = self._points(points)
        slopes = _slopes(pair_distances(x, self.centers), self.bandwidth)
        return np.stack([self._gradient(slopes, x, c) for c in range(self.coefficients.shape[1])], axis=1)

    def outer_product(self) -> FloatArray:
        r"""Return the average gradient outer product at the centers, (d, d), symmetric.

        Notes
        -----
        Derived (proof: study-outer-products): gradients are combinations of the centers, so M = X'QX with, for B = k /
        (s distance) (0 at distance 0) and S = Ba,
        :math:`NQ = \mathrm{diag}(\sum_c S_{ic}^2) - B \circ Sa^\top - (B \circ Sa^\top)^\top
        + B^\top B \circ aa^\top`. O(N^3 + N^2 d + N d^2) for any number of outputs K. Where some centers nearly
        coincide, B is large and the terms cancel; then gradients are summed one output at a time, O(K N^2 d).
        """
        x, a, distances = self.centers, self.coefficients, self.distances
        slopes = _slopes(distances, self.bandwidth)
        count = len(x)
        apart = distances[distances > 0.0]
        if apart.size and apart.min() < _NEAR * self.bandwidth:
            found = np.zeros((x.shape[1], x.shape[1]))
            for c in range(a.shape[1]):
                slope = self._gradient(slopes, x, c)
                found += slope.T @ slope
        else:
            sums = slopes @ a
            inner = (slopes @ slopes) * (a @ a.T)
            cross = slopes * (sums @ a.T)
            inner -= cross + cross.T
            inner[np.diag_indices(count)] += np.square(sums).sum(axis=1)
            found = x.T @ (inner @ x)
        return np.asarray((found + found.T) / (2 * count))

    def _points(self, points: npt.ArrayLike) -> FloatArray:
        x = real_array("points", points, shape="(n, d)", min_ndim=2, max_ndim=2)
        if x.shape[1] != self.centers.shape[1]:
            raise InvalidInputError(f"`points` must have {self.centers.shape[1]} columns, got {x.shape[1]}.")
        return x

    def _gradient(self, slopes: FloatArray, x: FloatArray, c: int) -> FloatArray:
        weighted = slopes * self.coefficients[:, c]
        return np.asarray(weighted @ self.centers - weighted.sum(axis=1, keepdims=True) * x)


def pair_distances(a: npt.ArrayLike, b: npt.ArrayLike, /) -> FloatArray:
    """Return Euclidean distances (n, m) of all rows of (n, d) and (m, d), exactly 0 for equal rows.

    From one matrix product; close pairs, for which it loses digits, again from their differences.
    """
    x = real_array("a", a, shape="(n, d)", min_ndim=2, max_ndim=2)
    z = real_array("b", b, shape="(m, d)", min_ndim=2, max_ndim=2)
    if z.shape[1] != x.shape[1]:
        raise InvalidInputError(f"`b` must have {x.shape[1]} columns, got {z.shape[1]}.")
    norms = np.square(x).sum(axis=1)[:, None] + np.square(z).sum(axis=1)
    squares = norms - 2.0 * (x @ z.T)
    rows, columns = np.nonzero(squares <= _CLOSE * norms)
    for start in range(0, len(rows), _CHUNK):
        part = slice(start, start + _CHUNK)
        squares[rows[part], columns[part]] = np.square(x[rows[part]] - z[columns[part]]).sum(axis=1)
    return np.asarray(np.sqrt(squares))


def matrix_root(matrix: npt.ArrayLike, /) -> tuple[FloatArray, FloatArray]:
    """Return the symmetric root of a positive semi-definite (d, d) matrix, and the matrix's increasing eigenvalues.

    Negative eigenvalues, which come from rounding, count as 0.
    """
    m = real_array("matrix", matrix, shape="(d, d)", min_ndim=2, max_ndim=2)
    if m.shape[0] != m.shape[1]:
        raise InvalidInputError(f"`matrix` must be square, got shape {m.shape}.")
    values, vectors = np.linalg.eigh(m)
    values = np.maximum(values, 0.0)
    return np.asarray((vectors * np.sqrt(values)) @ vectors.T), values


def linear_outer_product(features: npt.ArrayLike, targets: npt.ArrayLike, /) -> FloatArray:
    r"""Return the AGOP W'W (d, d) of the ridgeless linear regression f(x) = Wx on (N, d) features, (N, K) targets.

    With linearly independent examples :math:`XM X^\top = YY^\top`: after ONE layer the Gram matrix of
    :math:`M^{1/2} x_i` is that of the labels, and every class is a point.
    """
    x = real_array("features", features, shape="(N, d)", min_ndim=2, max_ndim=2)
    y = real_array("targets", targets, shape="(N, K)", min_ndim=2, max_ndim=2)
    if len(y) != len(x):
        raise InvalidInputError(f"`targets` must have {len(x)} rows, one per example, got {len(y)}.")
    rank = int(np.linalg.matrix_rank(x))
    if rank < len(x):
        raise InvalidInputError(f"`features` must have linearly independent rows, got {len(x)} rows of rank {rank}.")
    weights = (np.linalg.pinv(x) @ y).T
    return np.asarray(weights.T @ weights)


def collapsed_kernel_value(n_classes: int, per_class: int, ridge: float, /) -> float:
    r"""Return K n / (n + mu), the minimum of :math:`\mathrm{tr}\, Y^\top (k + \mu I)^{-1} Y` over kernels.

    Over positive semi-definite k with k_ii <= 1, for balanced one-hot labels Y of 0 and 1; its minimiser is the
    collapsed kernel, 1 within classes and 0 between. With labels of -1 and 1 that holds for K = 4 only, where the
    value is four times this.
    """
    check_count("n_classes", n_classes, low=2)
    check_count("per_class", per_class)
    check_real("ridge", ridge, low=0.0, strict=True)
    return n_classes * per_class / (per_class + ridge)


def optimal_kernel(targets: npt.ArrayLike, /, *, ridge: float) -> tuple[FloatArray, float]:
    r"""Return the kernel (N, N) with diagonal at most 1 that minimises the trace, and its value, by a solver.

    The trace is :math:`\mathrm{tr}\, Y^\top (k + \mu I)^{-1} Y` of any labels (N, K), mu > 0 the ridge. Keep N small:
    the program has N^2 variables.
    """
    import cvxpy

    cp: Any = cvxpy
    y = real_array("targets", targets, shape="(N, K)", min_ndim=2, max_ndim=2)
    check_real("ridge", ridge, low=0.0, strict=True)
    kernel = cp.Variable((len(y), len(y)), PSD=True)
    problem = cp.Problem(
        cp.Minimize(cp.matrix_frac(y, kernel + ridge * np.eye(len(y)))), [cp.diag(kernel) <= np.ones(len(y))]
    )
    problem.solve(solver=cp.CLARABEL)
    if problem.status != "optimal":
        raise SolverError(f"The program over kernels was not solved: {problem.status}.")
    return np.asarray(kernel.value), float(problem.value)


def right_half(weights: npt.ArrayLike, /) -> FloatArray:
    """Return S V' (min(p, q), q) of W = U S V': all of W but a rotation, so NC1 of S V'x is that of Wx."""
    _, values, right = np.linalg.svd(
        real_array("weights", weights, shape="(p, q)", min_ndim=2, max_ndim=2), full_matrices=False
    )
    return np.asarray(values[:, None] * right)


def _slopes(distances: FloatArray, bandwidth: float) -> FloatArray:
    """K / (s distance), 0 at distance 0: the gradient of k(., z) at x is this times z - x."""
    zero = distances == 0.0
    return np.asarray(
        np.where(zero, 0.0, np.exp(distances / -bandwidth) / np.where(zero, bandwidth, bandwidth * distances))
    )
