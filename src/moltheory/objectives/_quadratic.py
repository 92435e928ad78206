"""Quadratic objectives: risks, minimisers of every weighted sum and fronts in closed form, batched."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import numpy as np
import numpy.typing as npt

from moltheory._core._card import Card, names_text
from moltheory._core._docs import document
from moltheory._core._html_repr import Shown
from moltheory._core._validation import FloatArray, as_readonly, check_names, real_array
from moltheory.errors import InvalidInputError
from moltheory.objectives._cards import parametric_card
from moltheory.objectives._quadratic_checks import check_semidefinite, shaped, symmetric
from moltheory.objectives._weighted_front import WeightedFront, trace_front
from moltheory.objectives._weighted_sums import (
    JointBasis,
    check_weights,
    singular,
    smallest_solutions,
    solutions_of_many,
    solutions_of_two,
)

__all__ = ["QuadraticObjectives"]

# Entries of the largest temporary array.
_CHUNK = 1 << 20


@document
class QuadraticObjectives(Shown):
    r"""Objectives :math:`L_k(\theta) = (\theta - c_k)' A_k (\theta - c_k) + o_k` on R^d, with leading batch axes.

    Hypotheses are vectors of d parameters. Every weighted sum has its minimiser in closed form, so that the
    front, the minimisers of all weighted sums, is known for a grid of weights and, with an error bound, for all.

    Parameters
    ----------
    curvature : (*batch, N, d, d) array_like
        Symmetric positive semidefinite matrices A_k.
    center : (*batch, N, d) array_like
        Minimisers c_k.
    offset : (*batch, N) array_like
        Smallest values o_k.
    {names}

    Attributes
    ----------
    names : tuple of str
    data_dependent : (N,) ndarray of bool
        All True.
    batch_shape : tuple of int
    n_objectives, dimension : int

    {raises}

    Notes
    -----
    Complexity: O(N d^2) memory per batch entry; K weights are solved in O(N d^3 + K d^2) time for N = 2, in O(K d^3)
    for more, and K points are evaluated in O(K N d^2).

    Examples
    --------
    >>> curvature = [[[1.0, 0.0], [0.0, 1.0]], [[2.0, 0.0], [0.0, 1.0]]]
    >>> objectives = QuadraticObjectives(curvature, [[0.0, 0.0], [3.0, 1.0]], [0.0, 0.5])
    >>> objectives.risks([[0.0, 0.0], [3.0, 1.0]])
    array([[ 0. , 19.5],
           [10. ,  0.5]])
    >>> objectives.minimisers([[0.5, 0.5]]).round(12)
    array([[2. , 0.5]])
    """

    def __init__(
        self,
        curvature: npt.ArrayLike,
        center: npt.ArrayLike,
        offset: npt.ArrayLike,
        *,
        names: Iterable[str] | None = None,
    ) -> None:
        matrices = symmetric(curvature)
        shape = matrices.shape[:-1]
        at = shaped("center", center, shape, exact=True)
        constant = shaped("offset", offset, shape[:-1], exact=True)
        check_semidefinite("curvature", matrices)
        self._set(matrices, at, np.zeros(shape[-2:]), constant, names)

    @classmethod
    def from_expansion(
        cls,
        curvature: npt.ArrayLike,
        linear: npt.ArrayLike,
        constant: npt.ArrayLike,
        *,
        at: npt.ArrayLike = 0.0,
        names: Iterable[str] | None = None,
    ) -> QuadraticObjectives:
        r"""Return nonnegative objectives :math:`(\theta - a_k)'A_k(\theta - a_k) - 2 b_k'(\theta - a_k) + s_k`.

        This form needs no center, so it is exact where the curvature is singular: the mean squared error of n
        examples has A = X'X / n, b = X'y / n, s = y'y / n at a = 0, also for n < d.

        Parameters
        ----------
        curvature : (*batch, N, d, d) array_like
            Symmetric positive semidefinite matrices A_k.
        linear : (*batch, N, d) array_like
            Minus half the gradients b_k at the points a_k.
        constant : (*batch, N) array_like
            Values s_k at the points a_k.
        at : array_like, default 0
            Points a_k, broadcast to ``(*batch, N, d)``; risks at them carry no rounding.
        names : iterable of str, optional
            Names of the N objectives.

        Returns
        -------
        QuadraticObjectives

        Raises
        ------
        InvalidInputError
            If shapes disagree, a curvature is not symmetric positive semidefinite, or an objective takes negative
            values (which covers every one that is unbounded below).

        Examples
        --------
        >>> one_example = QuadraticObjectives.from_expansion([[[1.0, 0.0], [0.0, 0.0]]], [[2.0, 0.0]], [4.0])
        >>> one_example.risks([[2.0, 7.0], [0.0, 0.0]])
        array([[0.],
               [4.]])
        """
        matrices = symmetric(curvature)
        shape = matrices.shape[:-1]
        slope = shaped("linear", linear, shape, exact=True)
        value = shaped("constant", constant, shape[:-1], exact=True)
        point = shaped("at", at, shape)
        # Nonnegative everywhere iff the bordered matrix is positive semidefinite, which the curvature then is too.
        bordered = np.empty((*shape[:-1], shape[-1] + 1, shape[-1] + 1))
        bordered[..., :-1, :-1], bordered[..., -1, -1] = matrices, value
        bordered[..., -1, :-1] = bordered[..., :-1, -1] = -slope
        check_semidefinite("linear", bordered, border=True)
        made = cls.__new__(cls)
        made._set(matrices, point, slope, value, names)
        return made

    def _set(
        self,
        curvature: FloatArray,
        at: FloatArray,
        slope: FloatArray,
        constant: FloatArray,
        names: Iterable[str] | None,
    ) -> None:
        self._curvature, self._at = as_readonly(curvature), as_readonly(at)
        self._slope, self._constant = as_readonly(slope), as_readonly(constant)
        self.names = check_names("names", names, length=curvature.shape[-3], stem="objective")
        self.data_dependent = as_readonly(np.ones(curvature.shape[-3], dtype=bool))

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """Leading axes, for example ``(replicates,)``."""
        return self._curvature.shape[:-3]

    @property
    def n_objectives(self) -> int:
        """Number N of objectives."""
        return int(self._curvature.shape[-3])

    @property
    def dimension(self) -> int:
        """Number d of parameters."""
        return int(self._curvature.shape[-1])

    @property
    def curvature(self) -> FloatArray:
        """Matrices A_k, shape (*batch, N, d, d), read-only."""
        return self._curvature

    @property
    def linear(self) -> FloatArray:
        """Vectors b_k of the expansion at 0, shape (*batch, N, d): A_k theta = b_k at a minimiser of L_k."""
        return _times(self._curvature, self._at) + self._slope

    @cached_property
    def joint_basis(self) -> JointBasis | None:
        """Coordinates in which both curvatures are diagonal, None unless N = 2 and their sums are definite."""
        flat = self._curvature.reshape(-1, *self._curvature.shape[-3:])
        return JointBasis.of(flat) if self.n_objectives == 2 else None

    @document
    def risks(self, hypotheses: npt.ArrayLike) -> FloatArray:
        """Return the risks of some hypotheses.

        Parameters
        ----------
        hypotheses : (k, d) or (..., k, d) array_like
            Parameters; leading axes are broadcast against `batch_shape`, so that (k, d) is shared by all of it.

        Returns
        -------
        (*batch, k, N) ndarray

        {raises}
        """
        theta = real_array("hypotheses", hypotheses, shape="(..., k, d)", min_ndim=2)
        try:
            np.broadcast_shapes(theta.shape[:-2], self.batch_shape)
            fits = theta.shape[-1] == self.dimension
        except ValueError:
            fits = False
        if not fits:
            raise InvalidInputError(
                f"`hypotheses` must have shape (k, {self.dimension}), with leading axes that fit {self.batch_shape}, "
                f"got shape {theta.shape}."
            )
        return np.stack([self._risk_and_slope(k, theta)[0] for k in range(self.n_objectives)], axis=-1)

    def risks_and_gradients(self, theta: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return `risks` and the gradients of weighted sums, for solvers: arguments are not checked.

        Parameters
        ----------
        theta : (..., K, d) ndarray
            As in `risks`.
        weights : (K, N) ndarray
            Row j is for the j-th hypothesis.

        Returns
        -------
        risks : (*batch, K, N) ndarray
        gradients : (*batch, K, d) ndarray

        Examples
        --------
        >>> objectives = QuadraticObjectives(np.ones((2, 1, 1)), [[0.0], [1.0]], [0.0, 0.0])
        >>> objectives.risks_and_gradients(np.array([[3.0]]), np.array([[1.0, 0.5]]))
        (array([[9., 4.]]), array([[8.]]))
        """
        risks, halves = zip(*(self._risk_and_slope(k, theta) for k in range(self.n_objectives)), strict=True)
        gradients = weights[:, 0, None] * halves[0]
        for k in range(1, self.n_objectives):
            gradients += weights[:, k, None] * halves[k]
        gradients *= 2.0
        return np.stack(risks, axis=-1), gradients

    def entry(self, r: int) -> QuadraticObjectives:
        """Return one entry of the flattened batch, without batch axes.

        Examples
        --------
        >>> QuadraticObjectives(np.ones((3, 2, 1, 1)), np.zeros((3, 2, 1)), np.zeros((3, 2))).entry(2).batch_shape
        ()
        """
        n, d = self.n_objectives, self.dimension
        at, slope, constant = self.expansion
        made = QuadraticObjectives.__new__(QuadraticObjectives)
        made._set(
            self._curvature.reshape(-1, n, d, d)[r],
            at.reshape(-1, n, d)[r],
            slope.reshape(-1, n, d)[r],
            constant.reshape(-1, n)[r],
            self.names,
        )
        return made

    @property
    def expansion(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Points a_k (*batch, N, d), minus half the gradients there, and the values there (*batch, N)."""
        shape = self._curvature.shape[:-1]
        at, slope = (np.broadcast_to(array, shape) for array in (self._at, self._slope))
        return at, slope, np.broadcast_to(self._constant, shape[:-1])

    def rounding_errors(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        r"""Return bounds on the rounding errors of risks and gradients, for solvers: `theta` is not checked.

        Parameters
        ----------
        theta : (..., K, d) ndarray
            As in `risks`.

        Returns
        -------
        risks : (*batch, K, N) ndarray
        gradients : (*batch, K, N, d) ndarray

        Notes
        -----
        Semidefinite curvatures keep :math:`|A_{ij}| \le v_i v_j`, :math:`v = \sqrt{diag A}`, so with the shift
        :math:`s = \theta - a` sums of sizes are at most :math:`(v'|s|)^2 + 2|b|'|s| + |o|` and
        :math:`2 v_i v'|s| + 2 |b_i|`, off by at most 2d + 8 units of roundoff. Derived (proof: rounding).
        """
        shift = np.abs(theta[..., None, :] - self._at[..., None, :, :])
        root = np.sqrt(np.abs(np.diagonal(self._curvature, axis1=-2, axis2=-1)))[..., None, :, :]
        slope = np.abs(self._slope)[..., None, :, :]
        along = (root * shift).sum(axis=-1)
        unit = (self.dimension + 4) * np.finfo(np.float64).eps
        risks = unit * (along**2 + 2.0 * (slope * shift).sum(axis=-1) + np.abs(self._constant)[..., None, :])
        return risks, 2.0 * unit * (root * along[..., None] + slope)

    def _risk_and_slope(self, k: int, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Risks of one objective, (..., K), and half its gradients."""
        shift = theta - self._at[..., k, None, :]
        slope = self._slope[..., k, None, :]
        half = shift @ self._curvature[..., k, :, :] - slope
        return np.vecdot(shift, half - slope) + self._constant[..., k, None], half

    @document
    def minimisers(self, weights: npt.ArrayLike, *, minimum_norm: bool = False) -> FloatArray:
        r"""Return the minimisers of weighted sums, all weights and all of the batch at once.

        Parameters
        ----------
        {weight_rows}
        minimum_norm : bool, default False
            Where a weighted curvature is singular (fewer examples than parameters, collinear features) return the
            minimiser of smallest Euclidean norm; by default that is refused, as the minimiser is not unique and
            need not be Pareto-optimal.

        Returns
        -------
        (*batch, K, d) ndarray
            :math:`\theta(w) = (\sum_k w_k A_k)^{-1} \sum_k w_k b_k`.

        Raises
        ------
        InvalidInputError
            If the weights break their rule, or a weighted curvature is singular to working precision.

        Notes
        -----
        N = 2: with S = A_1 + A_2 (scaled to unit traces and unit diagonal) one eigendecomposition
        T'A_2 T = diag(m), T'ST = I serves all weights, as T'(w_1 A_1 + w_2 A_2)T = diag(w_1 (1 - m) + w_2 m):
        O(d^3 + K d^2) per batch entry. N >= 3, or `minimum_norm`: O(K d^3).
        """
        w = check_weights(weights, self.n_objectives)
        shape = (*self.batch_shape, w.shape[0], self.dimension)
        curvature = self._curvature.reshape(-1, *self._curvature.shape[-3:])
        linear = self.linear.reshape(curvature.shape[:-1])
        joint = None if minimum_norm else self.joint_basis
        if joint is None and self.n_objectives == 2 and not minimum_norm:
            raise singular(curvature, w)
        solve = smallest_solutions if minimum_norm else solutions_of_many
        found = np.empty((curvature.shape[0], *shape[-2:]))
        step = max(1, _CHUNK // (w.shape[0] * self.dimension * (1 if joint else self.dimension)))
        for start in range(0, found.shape[0], step):
            part = slice(start, start + step)
            if joint is not None:
                found[part] = solutions_of_two(joint.entries(part), curvature[part], linear[part], w)
            else:
                found[part] = solve(curvature[part], linear[part], w)
        return found.reshape(shape)

    def front(self, weights: npt.ArrayLike, *, minimum_norm: bool = False) -> WeightedFront:
        """Return the members of the front for a grid of weights, with the grid's discretization error.

        Parameters
        ----------
        weights : (K, N) array_like
            Nonnegative rows, none of them zero; see `discretization_error` for which grids to take.
        minimum_norm : bool, default False
            As in `minimisers`.

        Returns
        -------
        WeightedFront

        Raises
        ------
        InvalidInputError
            As `minimisers`.

        Examples
        --------
        >>> objectives = QuadraticObjectives(np.ones((2, 1, 1)), [[0.0], [1.0]], [0.0, 0.0])
        >>> front = objectives.front([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
        >>> front.points
        array([[0.  , 1.  ],
               [0.25, 0.25],
               [1.  , 0.  ]])
        >>> front.discretization
        array(0.25)
        """
        return trace_front(self, weights, minimum_norm=minimum_norm)

    def _line(self) -> str:
        sizes = f"batch_shape={self.batch_shape}, dimension={self.dimension}"
        return f"QuadraticObjectives({sizes}, names={names_text(self.names)})"

    def _card(self) -> Card:
        return parametric_card(self)


def _times(matrices: FloatArray, vectors: FloatArray) -> FloatArray:
    product: FloatArray = (matrices @ vectors[..., None])[..., 0]
    return product
