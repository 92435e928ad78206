"""The convex surrogate of sparsity: least squares in balls of the l1 norm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._card import Card
from moltheory._core._docs import document
from moltheory._core._html_repr import Printed
from moltheory._core._validation import FloatArray, as_readonly, check_real, check_vector, real_array
from moltheory.errors import InvalidInputError
from moltheory.objectives import ConvexObjectives, NormBall
from moltheory.problems._cards import l1_card
from moltheory.problems._gaussians import cholesky_factors
from moltheory.scalarization import WeightedSum
from moltheory.solvers import solve_front

__all__ = ["L1Path", "least_squares_in_l1_balls", "rows_of_moments"]


@dataclass(frozen=True, eq=False, repr=False)
class L1Path(Printed):
    """Least squares in l1 balls of K radii.

    Attributes
    ----------
    radii : (K,) ndarray
    coefficients : (K, d) ndarray
    errors : (K,) ndarray
        Mean squared errors.
    gap : (K,) ndarray
        Bounds on how far the errors are above the smallest in the ball.
    """

    radii: FloatArray
    coefficients: FloatArray
    errors: FloatArray
    gap: FloatArray

    @document
    def supports(self, *, threshold: float = 1e-4) -> npt.NDArray[np.bool_]:
        """Return which coefficients exceed a threshold, (K, d): the solver's zeros are small numbers.

        Parameters
        ----------
        threshold : float, default 1e-4
            > 0, in the units of the coefficients.

        {raises}
        """
        return np.abs(self.coefficients) > check_real("threshold", threshold, low=0.0, strict=True)

    def _card(self) -> Card:
        return l1_card(self)


def least_squares_in_l1_balls(x: npt.ArrayLike, y: npt.ArrayLike, /, *, radii: npt.ArrayLike) -> L1Path:
    r"""Minimise :math:`\|y - X\theta\|^2 / n` over :math:`\|\theta\|_1 \le r` for each radius r (the lasso).

    Parameters
    ----------
    x : (n, d) array_like
        Features; `rows_of_moments` makes some from a covariance, for the true risk of a Gaussian design.
    y : (n,) array_like
        Targets.
    radii : (K,) array_like
        Positive.

    Returns
    -------
    L1Path

    Raises
    ------
    InvalidInputError
        If shapes disagree or a radius is not positive.
    SolverError
        If a program is not solved.

    Notes
    -----
    One cone program for each radius by `solve_front`, with its certificate. On an orthogonal design,
    :math:`X'X = nI`, the solution is X'y / n with every entry shrunk by the same amount, so the supports on the path
    are the best subsets of their sizes; correlated features break this.

    Complexity: K cone programs of n + d rows each.

    References
    ----------
    R. Tibshirani (1996), doi 10.1111/j.2517-6161.1996.tb02080.x.

    Examples
    --------
    >>> x = np.sqrt(2) * np.eye(2)
    >>> path = least_squares_in_l1_balls(x, x @ [3.0, 1.0], radii=[1.0, 2.0, 3.0])
    >>> path.coefficients.round(4) + 0.0
    array([[1. , 0. ],
           [2. , 0. ],
           [2.5, 0.5]])
    """
    sizes = check_vector("radii", radii, low=0.0, strict=True)
    design = real_array("x", x, shape="(n, d)", min_ndim=2, max_ndim=2)
    target = check_vector("y", y, length=design.shape[0])
    sweeps = [
        solve_front(
            ConvexObjectives([design], [target], losses="squared", ball=NormBall(float(radius), norm="l1")),
            scalarizations=[WeightedSum([1.0])],
            method="cvxpy",
        )
        for radius in sizes
    ]
    return L1Path(
        as_readonly(sizes),
        as_readonly(np.concatenate([np.asarray(sweep.solutions, dtype=np.float64) for sweep in sweeps])),
        as_readonly(np.array([sweep.points[0, 0] for sweep in sweeps])),
        as_readonly(np.array([sweep.certified_gap[0] for sweep in sweeps])),
    )


@document
def rows_of_moments(
    covariance: npt.ArrayLike, coefficients: npt.ArrayLike, noise: float, /
) -> tuple[FloatArray, FloatArray]:
    r"""Return d + 1 examples whose mean squared error is the true risk of a Gaussian design.

    :math:`(\theta - \beta)'S(\theta - \beta) + \sigma^2 = \|y - X\theta\|^2 / (d + 1)` for all theta: the rows of the
    transposed Cholesky factor of S with targets on beta, and one empty row with the noise as its target.

    Parameters
    ----------
    covariance : (d, d) array_like
        Symmetric positive definite S.
    coefficients : (d,) array_like
        beta.
    noise : float
        Standard deviation >= 0.

    Returns
    -------
    x : (d + 1, d) ndarray
    y : (d + 1,) ndarray

    {raises}

    Notes
    -----
    Complexity: O(d^3) time and O(d^2) memory.

    Examples
    --------
    >>> x, y = rows_of_moments([[2.0, 1.0], [1.0, 2.0]], [1.0, 0.0], 0.5)
    >>> round(float(((y - x @ [0.0, 1.0]) ** 2).mean()), 12)
    2.25
    """
    s = real_array("covariance", covariance, shape="(d, d)", min_ndim=2, max_ndim=2)
    d = s.shape[0]
    if s.shape != (d, d):
        raise InvalidInputError(f"`covariance` must have shape (d, d), got shape {s.shape}.")
    beta = check_vector("coefficients", coefficients, length=d)
    sigma = check_real("noise", noise, low=0.0)
    x = np.zeros((d + 1, d))
    x[:d] = np.sqrt(d + 1.0) * cholesky_factors("covariance", s).T
    return x, np.append(x[:d] @ beta, np.sqrt(d + 1.0) * sigma)
