"""Convex objectives of linear predictors: risks, gradients and curvatures, batched over replicates."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._validation import FloatArray, check_choice, check_names, check_real, frozen, real_array
from moltheory.errors import InvalidInputError
from moltheory.objectives._losses import LOSSES, check_targets

__all__ = ["ConvexObjectives", "NormBall"]


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


class ConvexObjectives:
    r"""Objectives :math:`L_k(\theta) = \sum_i c_{ki} \ell_k(x_{ki}'\theta, y_{ki}) + \frac{r_k}{2}\|\theta\|^2`.

    Each objective has its own examples, convex loss and ridge; hypotheses are vectors of d parameters. The same form
    serves empirical risks (c = 1/n) and the true risks of a finite population (c its probabilities).

    Parameters
    ----------
    designs : sequence of N arrays of shape (*batch, n_k, d)
        Features; the batch is the same for all.
    targets : sequence of N arrays of shape (*batch, n_k)
        For classification -1 and +1 or 0 and 1; for poisson >= 0.
    losses : str or sequence of N str
        ``"logistic"`` log(1 + exp(-yz)), ``"squared"`` (z - y)^2, ``"poisson"`` exp(z) - yz or ``"smoothed-hinge"``
        (quadratic for margins from 0 to 1).
    ridge : float or sequence of N float, default 0
        Factors r_k >= 0; L_k is r_k-strongly convex, so a positive one makes every certificate rigorous.
    example_weights : sequence of N arrays of shape (n_k,), optional
        Weights c_k >= 0, normalised to sum 1; by default 1/n_k.
    ball : NormBall, optional
        Restricts the class to a ball.
    names : iterable of str, optional
        Names of the N objectives; by default ``objective_1`` and so on.

    Attributes
    ----------
    names, losses : tuple of str
    ridge : (N,) ndarray
    ball : NormBall or None
    data_dependent : (N,) ndarray of bool
        All True.
    batch_shape : tuple of int
    n_objectives, dimension : int

    Raises
    ------
    InvalidInputError
        If shapes disagree or a value is outside its range.

    Examples
    --------
    >>> x = [[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]]
    >>> objectives = ConvexObjectives([x, x], [[0, 1, 0], [1.0, 2.0, 4.0]], losses=["logistic", "squared"], ridge=0.1)
    >>> objectives.risks([[0.0, 0.0]]).round(6)
    array([[0.693147, 7.      ]])
    """

    def __init__(
        self,
        designs: Sequence[npt.ArrayLike],
        targets: Sequence[npt.ArrayLike],
        *,
        losses: str | Sequence[str],
        ridge: float | Sequence[float] = 0.0,
        example_weights: Sequence[npt.ArrayLike] | None = None,
        ball: NormBall | None = None,
        names: Iterable[str] | None = None,
    ) -> None:
        x = [real_array("designs", one, shape="(*batch, n, d)", min_ndim=2) for one in designs]
        n = len(x)
        if not n or any(one.shape[:-2] + one.shape[-1:] != x[0].shape[:-2] + x[0].shape[-1:] for one in x):
            raise InvalidInputError(
                f"`designs` must be arrays (*batch, n, d) that share batch and d, got shapes {[a.shape for a in x]}."
            )
        self.losses = (losses,) * n if isinstance(losses, str) else tuple(losses)
        for name in self.losses:
            check_choice("losses", name, LOSSES)
        y = [real_array("targets", one, shape="(*batch, n)", min_ndim=1) for one in targets]
        if len(self.losses) != n or [a.shape for a in y] != [a.shape[:-1] for a in x]:
            raise InvalidInputError(
                f"`targets` must fit the {n} designs with one loss each, got shapes {[a.shape for a in y]} "
                f"and {len(self.losses)} losses."
            )
        self._y = [frozen(check_targets("targets", one, a)) for one, a in zip(self.losses, y, strict=True)]
        self._x = [frozen(one) for one in x]
        r = np.atleast_1d(real_array("ridge", ridge, shape="(N,)", min_ndim=0, max_ndim=1))
        if r.shape not in ((1,), (n,)) or r.min() < 0.0:
            raise InvalidInputError(f"`ridge` must be >= 0, one number or {n}, got {r.tolist()}.")
        self.ridge = frozen(np.broadcast_to(r, (n,)))
        given: Sequence[npt.ArrayLike | None] = [None] * n if example_weights is None else example_weights
        if len(given) != n:
            raise InvalidInputError(f"`example_weights` must hold {n} arrays, got {len(given)}.")
        self._c = [_shares(one, a.shape[-2]) for one, a in zip(given, x, strict=True)]
        if ball is not None and not isinstance(ball, NormBall):
            raise InvalidInputError(f"`ball` must be a NormBall or None, got {ball!r}.")
        self.ball = ball
        self.names = check_names("names", names, length=n, stem="objective")
        self.data_dependent = frozen(np.ones(n, bool))

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """Leading axes, for example ``(replicates,)``."""
        return self._x[0].shape[:-2]

    @property
    def n_objectives(self) -> int:
        """Number N of objectives."""
        return len(self._x)

    @property
    def dimension(self) -> int:
        """Number d of parameters."""
        return int(self._x[0].shape[-1])

    @property
    def n_examples(self) -> tuple[int, ...]:
        """Number n_k of examples of each objective."""
        return tuple(int(one.shape[-2]) for one in self._x)

    def part(self, entries: slice) -> ConvexPart:
        """Return some entries of the flattened batch in the form that solvers work on."""
        x = [one.reshape(-1, *one.shape[-2:])[entries] for one in self._x]
        y = [one.reshape(-1, one.shape[-1])[entries] for one in self._y]
        return ConvexPart(x, y, self._c, self.losses, self.ridge, self.ball)

    def risks(self, hypotheses: npt.ArrayLike) -> FloatArray:
        """Return the risks of some hypotheses.

        Parameters
        ----------
        hypotheses : (k, d) or (*batch, k, d) array_like
            Parameters; (k, d) is shared by the whole batch. Membership of the ball is not asked for.

        Returns
        -------
        (*batch, k, N) ndarray

        Raises
        ------
        InvalidInputError
            If the shape does not fit.
        """
        theta = self._flat(hypotheses)
        return self.part(slice(None)).values(theta).reshape(*self.batch_shape, theta.shape[1], self.n_objectives)

    def gradients(self, hypotheses: npt.ArrayLike) -> FloatArray:
        """Return the gradients of all objectives.

        Parameters
        ----------
        hypotheses : (k, d) or (*batch, k, d) array_like
            As in `risks`.

        Returns
        -------
        (*batch, k, N, d) ndarray

        Raises
        ------
        InvalidInputError
            If the shape does not fit.
        """
        theta = self._flat(hypotheses)
        found = self.part(slice(None)).gradients(theta)
        return found.reshape(*self.batch_shape, *found.shape[1:])

    def _flat(self, hypotheses: npt.ArrayLike) -> FloatArray:
        theta = real_array("hypotheses", hypotheses, shape="(..., k, d)", min_ndim=2)
        if theta.shape[-1] != self.dimension or theta.shape[:-2] not in ((), self.batch_shape):
            raise InvalidInputError(
                f"`hypotheses` must have shape (k, {self.dimension}) with leading axes () or {self.batch_shape}, "
                f"got shape {theta.shape}."
            )
        lead = math.prod(self.batch_shape)
        flat: FloatArray = np.broadcast_to(theta, (*self.batch_shape, *theta.shape[-2:])).reshape(
            lead, -1, self.dimension
        )
        return flat

    def __repr__(self) -> str:
        """Shapes and names."""
        return (
            f"ConvexObjectives(batch_shape={self.batch_shape}, dimension={self.dimension}, losses={self.losses}, "
            f"ridge={self.ridge.tolist()}, ball={self.ball}, names={self.names})"
        )


@dataclass(frozen=True, eq=False)
class ConvexPart:
    """Entries of a batch: examples x (R, n_k, d), y (R, n_k); points are (R, M, d), M of them for each entry."""

    x: list[FloatArray]
    y: list[FloatArray]
    shares: list[FloatArray]
    losses: tuple[str, ...]
    ridge: FloatArray
    ball: NormBall | None

    @cached_property
    def _products(self) -> list[FloatArray]:
        """Products x_i x_j of features, i <= j: (R, d(d+1)/2, n_k), which make all curvatures one matrix product."""
        rows, columns = np.triu_indices(self.x[0].shape[-1])
        turned = [np.ascontiguousarray(np.swapaxes(one, -1, -2)) for one in self.x]
        return [one[:, rows] * one[:, columns] for one in turned]

    @cached_property
    def strong_convexity(self) -> FloatArray:
        """Moduli (R, N): the ridge, and the smallest eigenvalue of the curvature of squared losses."""
        found = np.tile(self.ridge, (self.x[0].shape[0], 1))
        for k, name in enumerate(self.losses):
            curvature = LOSSES[name].curvature
            if curvature > 0.0 and self.x[k].shape[-2] >= self.x[k].shape[-1]:
                gram = np.swapaxes(self.x[k], -1, -2) @ (self.x[k] * self.shares[k][:, None])
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
        """
        found = np.zeros(self.x[0].shape[0])
        for k, name in enumerate(self.losses):
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
                found = np.maximum(found, np.sqrt(self.shares[k] @ self.x[k] ** 2))
        return found

    def _predictions(self, k: int, theta: FloatArray) -> FloatArray:
        """Predictions (R, n_k, M)."""
        found: FloatArray = self.x[k] @ np.swapaxes(theta, -1, -2)
        return found

    def values(self, theta: FloatArray) -> FloatArray:
        """Risks (R, M, N)."""
        found = np.empty((*theta.shape[:2], len(self.x)))
        square = 0.5 * (theta * theta).sum(axis=-1)
        for k, name in enumerate(self.losses):
            losses = LOSSES[name].value(self._predictions(k, theta), self.y[k][:, :, None])
            found[..., k] = self.shares[k] @ losses + self.ridge[k] * square
        return found

    def gradients(self, theta: FloatArray) -> FloatArray:
        """Gradients (R, M, N, d)."""
        found = np.empty((*theta.shape[:2], len(self.x), theta.shape[-1]))
        for k, name in enumerate(self.losses):
            first, _ = LOSSES[name].derivatives(self._predictions(k, theta), self.y[k][:, :, None])
            found[:, :, k] = self._pull(k, first) + self.ridge[k] * theta
        return found

    def derivatives(self, theta: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Gradients (R, M, N, d), and the curvatures (R, M, d, d) of the sums with weights (R, M, N)."""
        d = theta.shape[-1]
        gradients = np.empty((*theta.shape[:2], len(self.x), d))
        packed = np.zeros((theta.shape[0], d * (d + 1) // 2, theta.shape[1]))
        for k, name in enumerate(self.losses):
            first, second = LOSSES[name].derivatives(self._predictions(k, theta), self.y[k][:, :, None])
            gradients[:, :, k] = self._pull(k, first) + self.ridge[k] * theta
            packed += self._products[k] @ (second * self.shares[k][:, None] * weights[:, None, :, k])
        curvature = np.empty((*theta.shape[:2], d, d))
        rows, columns = np.triu_indices(d)
        curvature[..., rows, columns] = np.swapaxes(packed, -1, -2)
        curvature[..., columns, rows] = curvature[..., rows, columns]
        curvature[..., np.arange(d), np.arange(d)] += (weights @ self.ridge)[..., None]
        return gradients, curvature

    def _pull(self, k: int, first: FloatArray) -> FloatArray:
        found: FloatArray = np.swapaxes(first * self.shares[k][:, None], -1, -2) @ self.x[k]
        return found

    def expressions(self, variable: Any) -> list[Any]:
        """Return the risks of the first entry as cvxpy expressions of a variable (d,)."""
        import cvxpy

        cp: Any = cvxpy  # its stubs lack most atoms

        found = []
        for k, name in enumerate(self.losses):
            risk = self.shares[k] @ LOSSES[name].expression(self.x[k][0] @ variable, self.y[k][0])
            found.append(risk + 0.5 * self.ridge[k] * cp.sum_squares(variable) if self.ridge[k] > 0.0 else risk)
        return found


def _shares(weights: npt.ArrayLike | None, n: int) -> FloatArray:
    """Return example weights of sum 1."""
    if weights is None:
        return frozen(np.full(n, 1.0 / n))
    c = real_array("example_weights", weights, shape=f"({n},)", min_ndim=1, max_ndim=1)
    if c.shape != (n,) or c.min() < 0.0 or not c.any():
        raise InvalidInputError(
            f"`example_weights` must be {n} numbers >= 0 for each objective, not all zero, got shape {c.shape} "
            f"and a smallest entry {c.min():g}."
        )
    return frozen(c / c.sum())
