r"""Regression with the Laplace kernel, and its average gradient outer product in closed form.

With :math:`f_c(x) = \sum_j a_{jc} e^{-\|x - x_j\| / s}` the outer product averaged over the centers is
:math:`M = \frac1N \sum_{i,c} \nabla f_c(x_i) \nabla f_c(x_i)^\top`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_real, real_array
from moltheory.errors import InvalidInputError

__all__ = ["LaplaceRegression", "matrix_root", "pair_distances"]

# Squared distances below this share of the squared norms are computed again from differences.
_CLOSE = 1e-6
# Below this distance the fast form of the outer product loses more than half of its digits.
_NEAR = 1e-4
_CHUNK = 20_000


@dataclass(frozen=True, eq=False)
class LaplaceRegression:
    """A fitted kernel regression; make one with `LaplaceRegression.fit`.

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
        """Fit by solving (k + ridge I) a = targets.

        Parameters
        ----------
        features : (N, d) array_like
        targets : (N, K) array_like
        bandwidth : float, default 2
            > 0.
        ridge : float, default 1e-6
            > 0: examples may coincide.

        Returns
        -------
        LaplaceRegression

        Raises
        ------
        InvalidInputError
            If an argument breaks its rule.
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
        Derived: gradients are combinations of the centers, so M = X'QX with, for B = k / (s distance) (0 at distance
        0) and S = Ba, :math:`NQ = \mathrm{diag}(\sum_c S_{ic}^2) - B \circ Sa^\top - (B \circ Sa^\top)^\top
        + B^\top B \circ aa^\top`. O(N^3 + N^2 d + N d^2) for any number of outputs K. Where some centers nearly
        coincide, B is large and the terms cancel; then gradients are summed one output at a time, O(K N^2 d).

        Examples
        --------
        >>> model = LaplaceRegression.fit([[0.0, 0.0], [1.0, 0.0]], [[1.0], [-1.0]], ridge=1e-12)
        >>> bool(model.outer_product()[1, 1] == 0), bool(model.outer_product()[0, 0] > 0)
        (True, True)
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
    """Return Euclidean distances of all rows, accurate for rows that nearly coincide.

    Parameters
    ----------
    a : (n, d) array_like
    b : (m, d) array_like

    Returns
    -------
    (n, m) ndarray
        Exactly 0 for equal rows.

    Raises
    ------
    InvalidInputError
        If the shapes disagree.

    Notes
    -----
    From one matrix product; close pairs, for which it loses digits, again from their differences.

    Examples
    --------
    >>> pair_distances([[1.0, 0.0], [0.0, 0.0]], [[1.0, 1e-9]]).round(12)
    array([[1.e-09], [1.e+00]])
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
    """Return the root of a symmetric positive semi-definite matrix, and the matrix's eigenvalues.

    Parameters
    ----------
    matrix : (d, d) array_like
        Negative eigenvalues, which rounding makes, count as 0.

    Returns
    -------
    root : (d, d) ndarray
        Symmetric; its square is the matrix.
    eigenvalues : (d,) ndarray
        Increasing, >= 0.

    Raises
    ------
    InvalidInputError
        If the matrix is not square.

    Examples
    --------
    >>> matrix_root([[4.0, 0.0], [0.0, 9.0]])[0]
    array([[2., 0.], [0., 3.]])
    """
    m = real_array("matrix", matrix, shape="(d, d)", min_ndim=2, max_ndim=2)
    if m.shape[0] != m.shape[1]:
        raise InvalidInputError(f"`matrix` must be square, got shape {m.shape}.")
    values, vectors = np.linalg.eigh(m)
    values = np.maximum(values, 0.0)
    return np.asarray((vectors * np.sqrt(values)) @ vectors.T), values


def _slopes(distances: FloatArray, bandwidth: float) -> FloatArray:
    """K / (s distance), 0 at distance 0: the gradient of k(., z) at x is this times z - x."""
    zero = distances == 0.0
    return np.asarray(
        np.where(zero, 0.0, np.exp(distances / -bandwidth) / np.where(zero, bandwidth, bandwidth * distances))
    )
