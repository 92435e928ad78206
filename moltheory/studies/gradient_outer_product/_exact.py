"""Exact facts: one linear layer collapses, kernels do best when collapsed, and half a layer carries all of its NC1."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count, check_real, real_array
from moltheory.errors import InvalidInputError, SolverError

__all__ = ["collapsed_kernel_value", "linear_outer_product", "optimal_kernel", "right_half"]


def linear_outer_product(features: npt.ArrayLike, targets: npt.ArrayLike, /) -> FloatArray:
    r"""Return the average gradient outer product W'W of the ridgeless linear regression f(x) = Wx.

    With linearly independent examples :math:`XM X^\top = YY^\top`: after ONE layer the Gram matrix of
    :math:`M^{1/2} x_i` is that of the labels, and every class is a point.

    Parameters
    ----------
    features : (N, d) array_like
        Linearly independent rows, so N <= d.
    targets : (N, K) array_like

    Returns
    -------
    (d, d) ndarray

    Raises
    ------
    InvalidInputError
        If shapes disagree or the rows are linearly dependent.

    References
    ----------
    D. Beaglehole, P. Súkeník, M. Mondelli, M. Belkin (2024), arXiv 2402.13728; this form derived.

    Examples
    --------
    >>> linear_outer_product([[2.0, 0.0], [0.0, 1.0]], [[1.0], [1.0]])
    array([[0.25, 0.5 ], [0.5 , 1.  ]])
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

    Parameters
    ----------
    n_classes, per_class : int
        K >= 2 and n >= 1.
    ridge : float
        mu > 0.

    Returns
    -------
    float

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule.

    References
    ----------
    D. Beaglehole, P. Súkeník, M. Mondelli, M. Belkin (2024), arXiv 2402.13728; the value derived.

    Examples
    --------
    >>> collapsed_kernel_value(2, 3, 1.0)
    1.5
    """
    check_count("n_classes", n_classes, low=2)
    check_count("per_class", per_class)
    check_real("ridge", ridge, low=0.0, strict=True)
    return n_classes * per_class / (per_class + ridge)


def optimal_kernel(targets: npt.ArrayLike, /, *, ridge: float) -> tuple[FloatArray, float]:
    r"""Minimise :math:`\mathrm{tr}\, Y^\top (k + \mu I)^{-1} Y` over kernels with diagonal at most 1, numerically.

    Parameters
    ----------
    targets : (N, K) array_like
        Any labels; keep N small, the program has N^2 variables.
    ridge : float
        mu > 0.

    Returns
    -------
    kernel : (N, N) ndarray
    value : float

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule.
    SolverError
        If the program was not solved.

    Examples
    --------
    >>> kernel, value = optimal_kernel([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], ridge=0.5)
    >>> round(value, 5), collapsed_kernel_value(2, 2, 0.5)
    (1.6, 1.6)
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
    """Return S V' of W = U S V': all of W but a rotation, so NC1 of S V'x is that of Wx.

    Parameters
    ----------
    weights : (p, q) array_like

    Returns
    -------
    (min(p, q), q) ndarray

    Examples
    --------
    >>> np.abs(right_half([[0.0, 2.0], [1.0, 0.0]]))
    array([[0., 2.], [1., 0.]])
    """
    _, values, right = np.linalg.svd(
        real_array("weights", weights, shape="(p, q)", min_ndim=2, max_ndim=2), full_matrices=False
    )
    return np.asarray(values[:, None] * right)
