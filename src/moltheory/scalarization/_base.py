"""The contract of a scalarization: the facts it states about itself, and what it declares to solvers.

A scalarization U turns N risks into one number. All properties are statements on ``[0, inf)^N``, where risks
live; `values` may be negative where a class does not say otherwise, but then no property is claimed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from moltheory._core._html_repr import Shown
from moltheory._core._validation import FloatArray, real_array
from moltheory.errors import InvalidInputError
from moltheory.scalarization._form import Form
from moltheory.scalarization._weights import check_weights

__all__ = ["Optimality", "Scalarization", "WeightedScalarization"]

Optimality = Literal["pareto", "weakly-pareto"]


class Scalarization(Shown, ABC):
    """A function U from N risks to one number, with what theory needs to know about it.

    Instances are immutable values: equal arguments give equal, hashable instances. A subclass provides
    the abstract properties and the two protected methods `_evaluate` and `_width`, which map a checked float
    array of shape (K, N) to one of shape (K,).

    Values are enough for finite classes and for black boxes. A solver of convex programs needs a declaration as
    well, by the class that defines the value: `form`, where the value is one of the known kinds; or `program`, and
    `multipliers`, without which no gap is rigorous. By default nothing is declared, and the solver refuses. Check
    a class of your own with `moltheory.testing.check_scalarization`.

    Notes
    -----
    The properties speak about all a, b >= 0: (M) ``a <= b`` implies ``U(a) <= U(b)``;
    (S) ``U(a + b) <= U(a) + U(b)``; (H) ``U(t a) = t U(a)`` for t > 0;
    (RT) ``|U(a) - U(b)| <= U(|a - b|)``.
    """

    _may_be_infinite: ClassVar[bool] = False

    @property
    @abstractmethod
    def n_objectives(self) -> int:
        """The number N of objectives."""

    @property
    @abstractmethod
    def is_monotone(self) -> bool:
        """Whether (M) holds: a larger risk never gives a smaller value."""

    @property
    @abstractmethod
    def is_subadditive(self) -> bool:
        """Whether (S) holds: the value of a sum is at most the sum of the values."""

    @property
    @abstractmethod
    def is_homogeneous(self) -> bool:
        """Whether (H) holds: the value scales with the risks."""

    @property
    @abstractmethod
    def modulus(self) -> float:
        """The largest mu such that ``a >= b >= 0`` implies ``U(a) - U(b) >= mu * sum(a - b)``."""

    @property
    @abstractmethod
    def optimality(self) -> Optimality:
        """What every minimiser of U over a set is for sure: ``"pareto"`` or only ``"weakly-pareto"``."""

    @property
    def has_reverse_triangle(self) -> bool:
        """Whether (RT) holds: ``|U(a) - U(b)| <= U(|a - b|)``."""
        # For a monotone finite U, (RT) and (S) are equivalent on [0, inf)^N.
        # (S) => (RT): a <= b + |a - b|, so U(a) <= U(b + |a - b|) <= U(b) + U(|a - b|); swap a and b.
        # (RT) => (S): take the pair (a + b, b): U(a + b) - U(b) <= U(a).
        return self.is_monotone and self.is_subadditive

    @property
    def has_width(self) -> bool:
        """Whether `width` exists, as it does not where a small change of a risk can move the value to infinity."""
        return True

    def form(self) -> Form | Any:
        """Return the kind of function that this is, from which solvers choose a method; NotImplemented by default.

        Returns
        -------
        Form or NotImplemented
            A `LinearForm`, `MaximumForm`, `ConstrainedForm` or `SmoothForm` with the same values. It stands for
            the class that declares it: a subclass that changes the value must declare its own.
        """
        return NotImplemented

    def program(self, risks: Any, /) -> Any:
        """Return the value as a convex cvxpy expression; NotImplemented by default.

        Parameters
        ----------
        risks : cvxpy.Variable of shape (N,)
            Upper bounds of the convex risks, to which the solver ties them; so U must be monotone.

        Returns
        -------
        cvxpy.Expression, (cvxpy.Expression, list of cvxpy.Constraint) or NotImplemented
            An expression that is convex by cvxpy's rules (DCP) and whose smallest value, under convex constraints
            if there are any, is U(risks).
        """
        form = NotImplemented if changes_value(type(self), "form") else self.form()
        if form is NotImplemented:
            return NotImplemented
        epigraph = form.epigraph([risks[i] for i in range(self.n_objectives)], *form.parameters())
        return epigraph.value + form.offset, [*epigraph.limits.values(), *epigraph.constraints]

    def multipliers(self, values: FloatArray, duals: FloatArray, /) -> Any:
        r"""Return an affine lower bound of U, from which solvers make certificates; NotImplemented by default.

        Parameters
        ----------
        values : (N,) ndarray
            Risks v at the point that is to be certified.
        duals : (N,) ndarray
            What the solver found for the slopes of U there, >= 0: a guess that need not be used. Where U is
            differentiable its gradient at `values` is better; where U is a maximum, it says which terms count.

        Returns
        -------
        (multipliers, height) or NotImplemented
            An (N,) array :math:`\lambda \ge 0` and a number h with :math:`U(x) \ge h + \lambda \cdot (x - v)` for
            all risks x, whatever the duals; a small gap needs h near U(v) and duals like the slopes.
        """
        form = NotImplemented if changes_value(type(self), "form") else self.form()
        if form is NotImplemented:
            return NotImplemented
        return form.lower_bound(values, form.prices(duals))

    def __call__(self, values: npt.ArrayLike, /) -> FloatArray:
        """Evaluate U.

        Parameters
        ----------
        values : array_like of shape (..., N)
            Finite risks, one column per objective.

        Returns
        -------
        numpy.ndarray of shape (...)
            One value per row; a numpy scalar for a single row. Equal rows give bitwise equal values,
            whatever the shape and memory layout of the batch.

        Raises
        ------
        InvalidInputError
            If the last axis does not have length N, an entry is NaN or infinite, or a value is too large
            for a float.
        """
        array = real_array("values", values, shape=f"(..., {self.n_objectives})", min_ndim=1)
        self._check_columns("values", array)
        result = self._by_rows(self._evaluate, array)
        if not self._may_be_infinite and not np.isfinite(result).all():
            raise InvalidInputError(
                f"`values` must be small enough for the scalarized value to be a float, got entries up to "
                f"{np.abs(array).max():g}."
            )
        return result

    def width(self, widths: npt.ArrayLike, /) -> FloatArray:
        """Bound the change of U from bounds on the change of each risk.

        If ``|a_i - b_i| <= C_i`` for all i, then ``|U(a) - U(b)| <= U.width(C)``.

        Parameters
        ----------
        widths : array_like of shape (..., N)
            Half-widths C_i >= 0, in the units of the risks. An infinite (vacuous) width is allowed: the
            result is infinite where U depends on that objective; where it does not, because the weight is
            zero, ``0 * inf`` counts as 0.

        Returns
        -------
        numpy.ndarray of shape (...)
            One width >= 0 per row; a numpy scalar for a single row.

        Raises
        ------
        InvalidInputError
            If the last axis does not have length N, or an entry is negative or NaN.
        """
        array = real_array("widths", widths, shape=f"(..., {self.n_objectives})", min_ndim=1, finite=False)
        self._check_columns("widths", array)
        if (array < 0.0).any():
            raise InvalidInputError(f"`widths` must be >= 0 everywhere, got {array.min():g}.")
        return self._by_rows(self._width, array)

    def _by_rows(self, function: Callable[[FloatArray], FloatArray], array: FloatArray) -> FloatArray:
        """Apply `function` to the C-ordered (K, N) form of `array` and restore the batch shape."""
        # Always two axes in C order: the order of a sum depends on the layout, and numpy's powers and
        # exponentials of scalars and of arrays differ in the last bit. Equal risks must stay tied.
        rows = np.ascontiguousarray(array.reshape(-1, self.n_objectives))
        with np.errstate(over="ignore", invalid="ignore"):
            result = function(rows).reshape(array.shape[:-1])
        scalar_or_array: FloatArray = result[()]
        return scalar_or_array

    def _check_columns(self, name: str, array: npt.NDArray[Any]) -> None:
        if array.shape[-1] != self.n_objectives:
            raise InvalidInputError(
                f"`{name}` must have {self.n_objectives} entries on its last axis, got shape {array.shape}."
            )

    @abstractmethod
    def _evaluate(self, values: FloatArray) -> FloatArray: ...

    @abstractmethod
    def _width(self, widths: FloatArray) -> FloatArray: ...


@lru_cache(maxsize=1024)
def changes_value(kind: type, declaration: str) -> bool:
    """Whether a class may change the value after the class that it inherits a declaration from.

    It does if `__call__` or a private method or attribute is redefined between the two; claims, the constructor and
    the width are not parts of the value.
    """
    owner = next((one for one in kind.__mro__ if declaration in vars(one)), None)
    if owner is None:
        return True
    known = {name for one in owner.__mro__ for name in vars(one)} - {"_width", "_abc_impl"}
    later = kind.__mro__[: kind.__mro__.index(owner)]
    return any(name in known and is_part_of_value(name) for one in later for name in vars(one))


def is_part_of_value(name: str) -> bool:
    """Whether a value may depend on the attribute of this name: private ones, and the call itself."""
    return name in ("__call__", "__getattribute__") or (name[:1] == "_" and name[:2] != "__")


@dataclass(frozen=True, init=False)
class WeightedScalarization(Scalarization):
    """A scalarization with one weight per objective, used as given and never normalised.

    Attributes
    ----------
    weights : tuple of float
        N finite weights >= 0, not all zero; `numpy.asarray` turns them into an array.
    """

    weights: tuple[float, ...]

    def __init__(self, weights: npt.ArrayLike) -> None:
        object.__setattr__(self, "weights", check_weights(weights))

    @property
    def n_objectives(self) -> int:
        """The number N of objectives."""
        return len(self.weights)

    @property
    def is_monotone(self) -> bool:
        """True: every weighted scalarization here is non-decreasing in each risk."""
        return True

    @property
    def _w(self) -> FloatArray:
        return np.array(self.weights)

    @property
    def _all_positive(self) -> bool:
        return min(self.weights) > 0.0
