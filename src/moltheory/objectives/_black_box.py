"""Objectives known only through their values, over boxes of floats or integers."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from moltheory._core._card import Card, names_text
from moltheory._core._html_repr import Shown
from moltheory._core._validation import FloatArray, as_readonly, check_count, check_names, real_array
from moltheory.errors import InvalidInputError
from moltheory.objectives._cards import parametric_card

__all__ = ["BlackBoxObjectives"]


class BlackBoxObjectives(Shown):
    """Objectives known only through their values: N functions of v variables in a box, vectorized over points.

    Parameters
    ----------
    function : callable
        Maps points (m, v) to risks (m, N); must be deterministic.
    lower, upper : (v,) array_like
        Bounds of the variables, both included.
    n_objectives : int
    integer : bool or (v,) array_like of bool, default False
        Which variables take whole numbers only: feature subsets (0 and 1), depths, thresholds by rank.
    names : iterable of str, optional
        Names of the objectives.

    Attributes
    ----------
    names : tuple of str
    lower, upper : (v,) ndarray
    integer : (v,) ndarray of bool
    batch_shape : tuple of int
        Always ``()``.
    n_objectives, dimension : int

    Raises
    ------
    InvalidInputError
        If the bounds do not fit together, or those of an integer variable are not whole numbers.

    Notes
    -----
    Complexity: one call of the function for all points that are evaluated together.

    Examples
    --------
    >>> objectives = BlackBoxObjectives(lambda x: np.c_[x[:, 0] ** 2, (x[:, 0] - 2) ** 2], [0], [4], n_objectives=2)
    >>> objectives.risks([[1.0], [3.0]])
    array([[1., 1.],
           [9., 1.]])
    """

    def __init__(
        self,
        function: Callable[[npt.NDArray[np.float64]], npt.ArrayLike],
        lower: npt.ArrayLike,
        upper: npt.ArrayLike,
        *,
        n_objectives: int,
        integer: bool | npt.ArrayLike = False,
        names: Iterable[str] | None = None,
    ) -> None:
        if not callable(function):
            raise InvalidInputError(f"`function` must be callable, got {type(function).__name__}.")
        self.function = function
        self.lower = as_readonly(real_array("lower", lower, shape="(v,)", min_ndim=1, max_ndim=1))
        self.upper = as_readonly(real_array("upper", upper, shape="(v,)", min_ndim=1, max_ndim=1))
        if self.upper.shape != self.lower.shape or (self.upper < self.lower).any():
            raise InvalidInputError("`upper` must have the shape of `lower` and be at least it, got other bounds.")
        whole = np.asarray(integer)
        if whole.dtype != np.bool_ or whole.shape not in ((), self.lower.shape):
            raise InvalidInputError(f"`integer` must be a bool or {self.lower.size} bools, got {integer!r}.")
        self.integer = as_readonly(np.broadcast_to(whole, self.lower.shape))
        ends = np.concatenate([self.lower[self.integer], self.upper[self.integer]])
        if (ends != np.round(ends)).any():
            raise InvalidInputError("`integer` must mark variables with whole bounds only, got others.")
        self.n_objectives = check_count("n_objectives", n_objectives)
        self.names = check_names("names", names, length=self.n_objectives, stem="objective")
        self.batch_shape: tuple[int, ...] = ()

    @property
    def dimension(self) -> int:
        """Number v of variables."""
        return int(self.lower.size)

    def risks(self, hypotheses: npt.ArrayLike) -> FloatArray:
        """Return the risks (k, N) of points (k, v).

        Raises
        ------
        InvalidInputError
            If the shape does not fit, or the function returns another shape or a value that is not finite.
        """
        points = real_array("hypotheses", hypotheses, shape=f"(k, {self.dimension})", min_ndim=2, max_ndim=2)
        if points.shape[1] != self.dimension:
            raise InvalidInputError(f"`hypotheses` must have shape (k, {self.dimension}), got shape {points.shape}.")
        risks = np.asarray(self.function(points.copy()), dtype=np.float64)
        if risks.shape != (points.shape[0], self.n_objectives) or not np.isfinite(risks).all():
            raise InvalidInputError(
                f"`function` must return finite risks of shape {(points.shape[0], self.n_objectives)}, "
                f"got shape {risks.shape}."
            )
        return risks

    def _line(self) -> str:
        """Shapes and names."""
        return f"BlackBoxObjectives(dimension={self.dimension}, names={names_text(self.names)})"

    def _card(self) -> Card:
        return parametric_card(self)
