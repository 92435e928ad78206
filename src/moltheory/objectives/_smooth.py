"""Smooth convex objectives from user-defined functions, vectorized over points."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from moltheory._core._card import Card, names_text
from moltheory._core._docs import document
from moltheory._core._html_repr import Shown
from moltheory._core._validation import FloatArray, as_readonly, check_count, check_names, check_real, real_array
from moltheory.errors import InvalidInputError
from moltheory.objectives._cards import parametric_card
from moltheory.objectives._convex import NormBall

__all__ = ["SmoothObjectives"]

Function = Callable[[npt.NDArray[np.float64]], npt.ArrayLike]


@document
class SmoothObjectives(Shown):
    r"""Twice differentiable convex objectives, given by functions for value, gradient and Hessian.

    True risks that are integrals, closed forms that no other kind of objective has, empirical risks of a loss of one's
    own: whatever can be evaluated can be minimised. Convexity and the moduli of strong convexity are the caller's word:
    the certificates of `moltheory.solve_front` are rigorous if they are true, and only where the modulus of the
    weighted sum is > 0, or on a ball.

    Parameters
    ----------
    value, gradient, hessian : callable
        Of points (*batch, M, d), for any M >= 1; they return arrays (*batch, M, N), (*batch, M, N, d) and
        (*batch, M, N, d, d).
    n_objectives : int
        Number N of objectives, >= 1.
    dimension : int
        Number d of parameters, >= 1.
    strong_convexity : float or (N,) array_like, default 0
        Moduli mu_k >= 0, valid on the whole class: :math:`L_k - \frac{\mu_k}{2}\|\theta\|^2` is convex.
    {names}
    {ball}
    batch_shape : tuple of int, default ()
        Leading axes, for example ``(replicates,)``.

    Attributes
    ----------
    value, gradient, hessian : callable
        As given.
    n_objectives, dimension : int
    strong_convexity : (N,) ndarray
    names : tuple of str
    ball : NormBall or None
    batch_shape : tuple of int
    data_dependent : (N,) ndarray of bool
        All True.

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule, or a function returns, at the origin, another shape or a value that is not
        finite.

    Notes
    -----
    Complexity: one call of a function for all points that are evaluated together.

    Examples
    --------
    >>> center = np.array([[0.0, 0.0], [1.0, 0.0]])
    >>> objectives = SmoothObjectives(
    ...     lambda x: np.cosh(x[:, None] - center).sum(axis=-1),
    ...     lambda x: np.sinh(x[:, None] - center),
    ...     lambda x: np.cosh(x[:, None] - center)[..., None] * np.eye(2),
    ...     n_objectives=2, dimension=2, strong_convexity=1.0,
    ... )
    >>> objectives.risks([[0.0, 0.0], [1.0, 0.0]]).round(6)
    array([[2.      , 2.543081],
           [2.543081, 2.      ]])
    >>> objectives.check_derivatives([0.3, -0.2]) < 1e-7
    True
    """

    def __init__(
        self,
        value: Function,
        gradient: Function,
        hessian: Function,
        *,
        n_objectives: int,
        dimension: int,
        strong_convexity: float | npt.ArrayLike = 0.0,
        names: Iterable[str] | None = None,
        ball: NormBall | None = None,
        batch_shape: tuple[int, ...] = (),
    ) -> None:
        for name, function in (("value", value), ("gradient", gradient), ("hessian", hessian)):
            if not callable(function):
                raise InvalidInputError(f"`{name}` must be callable, got {type(function).__name__}.")
        self.value, self.gradient, self.hessian = value, gradient, hessian
        self.n_objectives = check_count("n_objectives", n_objectives)
        self.dimension = check_count("dimension", dimension)
        mu = np.atleast_1d(real_array("strong_convexity", strong_convexity, shape="(N,)", min_ndim=0, max_ndim=1))
        if mu.shape not in ((1,), (self.n_objectives,)) or mu.min() < 0.0:
            raise InvalidInputError(
                f"`strong_convexity` must be >= 0, one number or {self.n_objectives}, got {mu.tolist()}."
            )
        self.strong_convexity = as_readonly(np.broadcast_to(mu, (self.n_objectives,)))
        self.names = check_names("names", names, length=self.n_objectives, stem="objective")
        if ball is not None and not isinstance(ball, NormBall):
            raise InvalidInputError(f"`ball` must be a NormBall or None, got {ball!r}.")
        self.ball = ball
        if not isinstance(batch_shape, tuple):
            raise InvalidInputError(f"`batch_shape` must be a tuple of integers, got {batch_shape!r}.")
        self.batch_shape = tuple(check_count("batch_shape", size) for size in batch_shape)
        self.data_dependent = as_readonly(np.ones(self.n_objectives, dtype=bool))
        origin = np.zeros((*self.batch_shape, 1, self.dimension))
        for order, name in enumerate(("value", "gradient", "hessian")):
            found = self._called(name, origin, order)
            if not np.isfinite(found).all():
                raise InvalidInputError(f"`{name}` must be finite at the origin, got a value that is not.")

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
            If the shape does not fit, or `value` returns another shape or a value that is not finite.
        """
        return self._finite("value", hypotheses, 0)

    def gradients(self, hypotheses: npt.ArrayLike) -> FloatArray:
        """Return the gradients (*batch, k, N, d) of all objectives; arguments and errors as in `risks`."""
        return self._finite("gradient", hypotheses, 1)

    def hessians(self, hypotheses: npt.ArrayLike) -> FloatArray:
        """Return the Hessians (*batch, k, N, d, d) of all objectives; arguments and errors as in `risks`."""
        return self._finite("hessian", hypotheses, 2)

    def check_derivatives(self, point: npt.ArrayLike, *, tolerance: float = 1e-5) -> float:
        """Largest relative deviation of gradient and Hessian from central differences at one point.

        Parameters
        ----------
        point : (d,) array_like
            Point of comparison.
        tolerance : float, default 1e-5
            Largest relative error allowed, in (0, 1).

        Returns
        -------
        float
            The larger of the two relative errors, in units of the largest derivative of its order (at least 1).

        Raises
        ------
        InvalidInputError
            If the error is above `tolerance`, a Hessian is not symmetric, or one has an eigenvalue below the stated
            modulus by more than it: the objectives are then not what they claim to be.

        Notes
        -----
        Steps of eps^(1/3) times max(1, abs(coordinate)): errors of about 1e-9 for functions of unit scale.
        """
        at = real_array("point", point, shape=f"({self.dimension},)", min_ndim=1, max_ndim=1)
        if at.shape != (self.dimension,):
            raise InvalidInputError(f"`point` must have shape ({self.dimension},), got shape {at.shape}.")
        limit = check_real("tolerance", tolerance, low=0.0, high=1.0, strict=True)
        step = np.cbrt(np.finfo(np.float64).eps) * np.maximum(1.0, np.abs(at))
        shifts = np.concatenate([at + np.diag(step), at - np.diag(step)])
        worst, hessian = 0.0, self.hessians(at[None])[..., 0, :, :, :]
        given = {"gradient": self.gradients(at[None])[..., 0, :, :], "hessian": hessian}
        lower = {"gradient": self.risks(shifts), "hessian": self.gradients(shifts)}
        for name, below in lower.items():
            axis = -2 if name == "gradient" else -3
            ahead, behind = np.split(below, 2, axis=axis)
            found = np.moveaxis(ahead - behind, axis, -1) / (2.0 * step)
            scale = max(1.0, float(np.abs(given[name]).max()))
            error = float(np.abs(found - given[name]).max()) / scale
            if error > limit:
                raise InvalidInputError(
                    f"`{name}` must agree with finite differences to {limit:g}, got a relative error of {error:.1e}."
                )
            worst = max(worst, error)
        size = max(1.0, float(np.abs(hessian).max()))
        skew = float(np.abs(hessian - np.swapaxes(hessian, -1, -2)).max())
        if skew > limit * size:
            raise InvalidInputError(f"`hessian` must be symmetric, got entries that differ by {skew:g}.")
        margin = float((np.linalg.eigvalsh(hessian)[..., 0] - self.strong_convexity).min())
        if margin < -limit * size:
            raise InvalidInputError(
                f"`strong_convexity` must be at most the smallest eigenvalue of each Hessian, got one that is "
                f"{-margin:.1e} below it."
            )
        return worst

    def _finite(self, name: str, hypotheses: npt.ArrayLike, order: int) -> FloatArray:
        theta = real_array("hypotheses", hypotheses, shape="(..., k, d)", min_ndim=2)
        if theta.shape[-1] != self.dimension or theta.shape[:-2] not in ((), self.batch_shape):
            raise InvalidInputError(
                f"`hypotheses` must have shape (k, {self.dimension}) with leading axes () or {self.batch_shape}, "
                f"got shape {theta.shape}."
            )
        found = self._called(name, np.broadcast_to(theta, (*self.batch_shape, *theta.shape[-2:])), order)
        if not np.isfinite(found).all():
            raise InvalidInputError(f"`{name}` must return finite numbers, got a value that is not.")
        return found

    def _called(self, name: str, theta: FloatArray, order: int) -> FloatArray:
        """Call a function with a copy of the points (*batch, M, d), and check the shape of what it returns."""
        found = np.asarray(getattr(self, name)(theta.copy()), dtype=np.float64)
        shape = (*theta.shape[:-1], self.n_objectives, *[self.dimension] * order)
        if found.shape != shape:
            raise InvalidInputError(f"`{name}` must return shape {shape} here, got shape {found.shape}.")
        return found

    def evaluated(self, name: str, theta: FloatArray) -> FloatArray:
        """Return what ``"value"``, ``"gradient"`` or ``"hessian"`` gives, infinities included, at points (R, M, d).

        What solvers use; R is the size of the flattened batch.
        """
        points = theta.reshape(*self.batch_shape, *theta.shape[-2:])
        found = self._called(name, points, ("value", "gradient", "hessian").index(name))
        return found.reshape(math.prod(self.batch_shape), *found.shape[len(self.batch_shape) :])

    def _line(self) -> str:
        """Shapes and names."""
        return (
            f"SmoothObjectives(batch_shape={self.batch_shape}, dimension={self.dimension}, "
            f"strong_convexity={self.strong_convexity.tolist()}, ball={self.ball}, names={names_text(self.names)})"
        )

    def _card(self) -> Card:
        return parametric_card(self)
