"""The form of a scalarization from outside that declares a program, and perhaps multipliers."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.errors import InvalidInputError, MoltheoryError
from moltheory.scalarization._base import Scalarization, changes_value
from moltheory.scalarization._form import Epigraph, Equations, Form, FormKind

__all__ = ["ProgramForm", "answer_of", "checked_multipliers", "checked_program", "probes"]

# Relative differences below this are rounding.
_ROUNDING = 1e-9
# Relative differences between a program's optimum and the value below this are the solver's.
_SOLVED = 1e-3
# Relative steps of differences of multipliers.
_STEP = 1e-6


class ProgramForm(Form):
    """What `Scalarization.program` and `Scalarization.multipliers` say; each answer is checked where it is used.

    A scalarization that is not monotone, or whose program is not convex by cvxpy's rules, is refused.
    """

    kind: ClassVar[FormKind] = "program"

    def __init__(self, scalarization: Scalarization) -> None:
        import cvxpy

        self._u = scalarization
        if not scalarization.is_monotone:
            raise InvalidInputError(
                f"`scalarizations` must be monotone for a convex program, which bounds the risks from above only, got "
                f"{scalarization!r}; use a finite class or BlackBoxObjectives, for which values are enough."
            )
        checked_program(scalarization, cvxpy.Variable(scalarization.n_objectives))
        self._points = probes(scalarization.n_objectives)
        self._values = scalarization(self._points)
        self.has_lower_bound = self.has_derivatives = (
            False if changes_value(type(scalarization), "multipliers") else self._declares_multipliers()
        )

    def _declares_multipliers(self) -> bool:
        """Whether multipliers are declared; refuses those that are wrong at a few points, before any work starts."""
        if checked_multipliers(self._u, self._points[0], self._points[1]) is None:
            return False
        self.has_lower_bound = True
        for point, duals in zip(self._points, self._points[::-1], strict=True):
            self.lower_bound(point, duals)
        return True

    @property
    def n_objectives(self) -> int:
        """The number N of objectives."""
        return self._u.n_objectives

    @property
    def used(self) -> npt.NDArray[np.bool_]:
        """All objectives, as far as is known."""
        return np.ones(self.n_objectives, bool)

    @property
    def key(self) -> Hashable:
        """The object: its program has no parameters."""
        return ("program", id(self._u))

    @property
    def largest_slopes(self) -> FloatArray:
        """Unknown; `rounding` asks the values."""
        return np.full(self.n_objectives, np.inf)

    def value(self, values: FloatArray) -> FloatArray:
        """Return the scalarization's own values."""
        return self._u(values)

    def epigraph(self, risks: Sequence[Any], weights: Any, bounds: Any) -> Epigraph:
        """Tie a variable to the risks from above, and minimise the program of it; its prices are the multipliers."""
        import cvxpy

        upper = cvxpy.Variable(len(risks))
        value, constraints = checked_program(self._u, upper)
        return Epigraph(value, {i: risk <= upper[i] for i, risk in enumerate(risks)}, constraints)

    def parameters(self) -> tuple[FloatArray, FloatArray]:
        """Return ones and zeros, which are not used."""
        return np.ones(self.n_objectives), np.zeros(self.n_objectives)

    def lower_bound(self, values: FloatArray, prices: FloatArray) -> tuple[FloatArray, float]:
        """Return the declared multipliers and height, or the prices and the value where none are declared.

        A declared function that is above the value somewhere is refused.
        """
        found = checked_multipliers(self._u, values, prices) if self.has_lower_bound else None
        if found is None:
            return prices, float(self._u(values))
        multipliers, height = found
        steps = np.diag(0.01 * np.maximum(1.0, np.abs(values)))
        near = np.concatenate([values[None], 0.99 * values[None], 1.01 * values[None], values + steps])
        points, known = np.concatenate([self._points, near]), np.append(self._values, self._u(near))
        plane = height + (points - values) @ multipliers
        size = 1.0 + np.abs(known) + np.abs(height) + np.abs(points - values) @ multipliers
        above = np.where(np.isfinite(known), plane - known, 0.0) / np.where(np.isfinite(size), size, 1.0)
        if not (above <= _ROUNDING).all():
            worst = int(np.argmax(above))
            raise InvalidInputError(
                f"`multipliers` of {type(self._u).__name__} must give a lower bound of its values, got "
                f"{plane[worst]:.6g} at risks {points[worst].tolist()}, where the value is {known[worst]:.6g}."
            )
        return multipliers, height

    def rounding(self, value: float, values: FloatArray, error: FloatArray, multipliers: FloatArray) -> float:
        """Return how much the value rises with all risks, for convex functions no less than it may fall, and the bound."""
        return max(float(self._u(values + error)) - value, 0.0) + float(multipliers @ error)

    def confirm(self, stated: float, values: FloatArray) -> None:
        """Refuse a program whose minimum differs from that of the scalarization by more than a solver's tolerance."""
        value = float(self._u(values))
        if not abs(stated - value) <= _SOLVED * max(1.0, abs(value), abs(stated)):
            raise InvalidInputError(
                f"`program` of {type(self._u).__name__} must have the value of the scalarization, got {stated:.6g} instead "
                f"of {value:.6g} at risks {values.tolist()}."
            )

    def equations(
        self,
        values: FloatArray,
        slopes: FloatArray,
        error: Callable[[], FloatArray],
        spare: FloatArray,
        limits: Sequence[int],
        base: int,
    ) -> Equations:
        """Return the multipliers, and their differences as curvature: right where the value is smooth.

        A point that they lead to is kept only for its certificate.
        """
        n, none = values.size, np.full(values.size, np.nan)
        if not np.isfinite(values).all():
            return Equations(none, None, [])
        step = _STEP * np.maximum(1e-3, np.abs(values))
        at = [checked_multipliers(self._u, v, np.zeros(n)) for v in (values, *(values + np.diag(step)))]
        slope, *others = [none if found is None else found[0] for found in at]
        bend = (np.array(others) - slope) / step[:, None]
        return Equations(slope, 0.5 * (bend + bend.T), [])


def checked_program(scalarization: Scalarization, risks: Any) -> tuple[Any, list[Any]]:
    """Return the expression and the constraints of a declared program.

    All but a convex expression of one number, alone or with a list of convex constraints, is refused.
    """
    import cvxpy

    cp: Any = cvxpy  # its stubs lack most atoms

    found = answer_of(scalarization, "program", risks)
    value, constraints = found if isinstance(found, tuple) and len(found) == 2 else (found, [])
    rule = f"`program` of {type(scalarization).__name__} must return a convex (DCP) cvxpy expression of one number"
    if isinstance(value, bool) or not isinstance(value, cp.Expression | int | float | np.number):
        raise InvalidInputError(f"{rule}, alone or with a list of constraints, got {type(value).__name__}.")
    expression = cp.Expression.cast_to_const(value)
    if expression.size != 1 or not expression.is_convex():
        raise InvalidInputError(f"{rule}, got one of shape {expression.shape} and curvature {expression.curvature}.")
    listed = list(constraints) if isinstance(constraints, list | tuple) else [constraints]
    kind = cp.constraints.constraint.Constraint
    if not all(isinstance(one, kind) and one.is_dcp() for one in listed):
        raise InvalidInputError(f"{rule}, with a list of convex (DCP) constraints, got something else in the list.")
    return (expression if expression.ndim == 0 else cp.sum(expression)), listed


def checked_multipliers(
    scalarization: Scalarization, values: FloatArray, duals: FloatArray
) -> tuple[FloatArray, float] | None:
    """Return the declared multipliers (N,), finite and >= 0, and height, None without any; refuse other answers."""
    found = answer_of(scalarization, "multipliers", values.copy(), duals.copy())
    if found is NotImplemented:
        return None
    n, rule = scalarization.n_objectives, f"`multipliers` of {type(scalarization).__name__} must return"
    if not isinstance(found, tuple) or len(found) != 2:
        raise InvalidInputError(f"{rule} a pair (multipliers, height), got {type(found).__name__}.")
    try:
        multipliers, height = np.asarray(found[0], dtype=np.float64), float(found[1])
    except (TypeError, ValueError):
        raise InvalidInputError(f"{rule} {n} numbers and a height, got {found!r}.") from None
    if multipliers.shape != (n,) or not np.isfinite(multipliers).all() or (multipliers < 0.0).any():
        raise InvalidInputError(f"{rule} {n} finite multipliers >= 0, got {multipliers.tolist()}.")
    if np.isnan(height) or height == np.inf:
        raise InvalidInputError(f"{rule} a height that is a number, got {height}.")
    return multipliers, height


def answer_of(scalarization: Scalarization, method: str, *arguments: Any) -> Any:
    """Return what a declared method answers; what it raises is the scalarization's fault, and said to be."""
    try:
        return getattr(scalarization, method)(*arguments)
    except MoltheoryError:
        raise
    except Exception as error:
        reason = str(error).split("\n")[0]
        raise InvalidInputError(
            f"`{method}` of {type(scalarization).__name__} must return an answer or NotImplemented, got "
            f"{type(error).__name__}{f': {reason}' if reason else ''}."
        ) from error


def probes(n_objectives: int) -> FloatArray:
    """Return a few risks (K, N) at which declarations are compared with values: axes, and random ones of all sizes."""
    rng = np.random.default_rng(n_objectives)
    size = 10.0 ** np.linspace(-2.0, 2.0, 9)[:, None]
    return np.concatenate([size * rng.random((9, n_objectives)), np.eye(n_objectives), np.zeros((1, n_objectives))])
