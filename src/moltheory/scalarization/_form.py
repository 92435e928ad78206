r"""The form of a scalarization: what a solver of convex programs has to know about it.

A scalarization declares its form; the method of solution is chosen by the form, never by the class.

====================  ==========================================================  ==============================
form                  value                                                       fast methods
====================  ==========================================================  ==============================
`LinearForm`          sum w_i v_i                                                 closed form, Newton
`MaximumForm`         max_{w_i > 0} w_i (v_i - z_i) + rho sum_i (v_i - z_i)       minimax
`ConstrainedForm`     v_j where v <= b, else +inf                                 none: a convex program
`SmoothForm`          convex, non-decreasing, with derivatives                    none: a convex program
====================  ==========================================================  ==============================

For prices >= 0 of the terms of a maximum or of bounds, `Form.lower_bound` gives an affine function of the risks that is
nowhere above the value: with convex risks its minimum, which is easy to bound, certifies a minimiser.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from moltheory._core._html_repr import Shown
from moltheory._core._validation import FloatArray
from moltheory.scalarization._weights import products

__all__ = ["Epigraph", "Equations", "Form", "FormKind", "LinearForm", "SmoothForm"]

FormKind = Literal["linear", "maximum", "constrained", "smooth", "program"]


@dataclass(frozen=True)
class Epigraph:
    """A convex program whose smallest value is that of a scalarization, in cvxpy's terms."""

    value: Any
    """The expression that is minimised."""
    limits: dict[int, Any] = field(default_factory=dict)
    """Constraints whose dual values are prices, by the objective that each belongs to."""
    constraints: Sequence[Any] = ()
    """The other constraints."""


class Equations(NamedTuple):
    """The optimality conditions that a scalarization contributes at a point, some limits or terms held equal."""

    weights: FloatArray
    """Slopes (N,) of what is minimised, in the risks."""
    bend: FloatArray | None
    """Its curvature (N, N) in the risks, None where it is linear."""
    rows: list[tuple[int, FloatArray, float]]
    """For each limit: the objective, its slope (d,) in the parameters, and by how much it is not met."""


class Form(Shown, ABC):
    """What a solver of convex programs has to know about a scalarization; convex and non-decreasing in the risks."""

    kind: ClassVar[FormKind]
    has_derivatives: bool = True
    """Whether `equations` are known, with which Newton steps polish a point."""
    has_lower_bound: bool = True
    """Whether `lower_bound` is known, without which no gap is rigorous."""
    exchanges_base: ClassVar[bool] = False
    """Whether the limits are terms compared with one of them, the base, which any other may replace."""
    offset: float = 0.0
    """What the value of the epigraph lacks of that of the scalarization."""

    @property
    @abstractmethod
    def n_objectives(self) -> int:
        """The number N of objectives."""

    @property
    @abstractmethod
    def used(self) -> npt.NDArray[np.bool_]:
        """Which objectives the value depends on, (N,)."""

    @property
    @abstractmethod
    def key(self) -> Hashable:
        """What forms must share to be one parametrised program."""

    @property
    @abstractmethod
    def largest_slopes(self) -> FloatArray:
        """How fast the value changes with each risk at most, (N,)."""

    @property
    def width_peaks(self) -> tuple[FloatArray, float] | None:
        """Weights w and rho where the width is ``max w_i C_i + rho sum C_i``, None where it has no such kinks."""
        return None

    @abstractmethod
    def value(self, values: FloatArray) -> FloatArray:
        """Return the values (K,) of risks (K, N)."""

    @abstractmethod
    def epigraph(self, risks: Sequence[Any], weights: Any, bounds: Any) -> Epigraph:
        """Return the program for N cvxpy expressions; `weights` and `bounds` (N,) are numbers or cvxpy parameters."""

    @abstractmethod
    def parameters(self) -> tuple[FloatArray, FloatArray]:
        """Return the numbers (N,) that stand for `weights` and `bounds` in the epigraph."""

    @abstractmethod
    def lower_bound(self, values: FloatArray, prices: FloatArray) -> tuple[FloatArray, float]:
        r"""Return multipliers :math:`\lambda \ge 0` (N,) and a height :math:`h` for prices (N,) at risks v (N,).

        For all risks x, :math:`U(x) \ge h + \lambda \cdot (x - v)`, whatever the prices >= 0.
        """

    def prices(self, duals: FloatArray) -> FloatArray:
        """Return prices (N,) of terms or bounds from the multipliers (N,) of the risks."""
        return duals

    def rounding(self, value: float, values: FloatArray, error: FloatArray, multipliers: FloatArray) -> float:
        """Bound how far value and lower bound at risks (N,) are off, if the risks are by `error` (N,) at most."""
        return float((multipliers + self.largest_slopes) @ error)

    def confirm(self, stated: float, values: FloatArray) -> None:
        """Refuse a smallest value of the epigraph that is not the value at its risks; forms of our own are tested."""
        return

    def near(self, values: FloatArray, close: float) -> tuple[tuple[int, ...], int]:
        """Return which bounds are met, or which terms equal the largest one, and that one."""
        return (), 0

    def violated(self, values: FloatArray, base: int) -> set[int]:
        """Return which bounds are broken, or which terms are larger than the one of `base`."""
        return set()

    def excess(self, values: FloatArray, error: FloatArray) -> FloatArray | None:
        """Return by how much risks of this rounding error may break bounds, (N,), None where they break none."""
        return None

    @abstractmethod
    def equations(
        self,
        values: FloatArray,
        slopes: FloatArray,
        error: Callable[[], FloatArray],
        spare: FloatArray,
        limits: Sequence[int],
        base: int,
    ) -> Equations:
        """Return the conditions at risks (N,) with slopes (N, d), these limits held equal.

        Bounds are met with `spare` (N,), and what `error` says of the rounding of the risks, to their inside.
        """

    def add_price(self, total: FloatArray, i: int, price: float, base: int) -> None:
        """Add to the weights (N,) of the risks in the Lagrangian, in place, the price of limit i."""
        raise NotImplementedError


@dataclass(frozen=True)
class LinearForm(Form):
    """The form of a weighted sum.

    Parameters
    ----------
    weights : tuple of N floats
        Finite, >= 0, not all zero.
    """

    weights: tuple[float, ...]
    kind: ClassVar[FormKind] = "linear"

    @property
    def n_objectives(self) -> int:
        """The number N of objectives."""
        return len(self.weights)

    @property
    def used(self) -> npt.NDArray[np.bool_]:
        """Objectives of positive weight."""
        return np.array(self.weights) > 0.0

    @property
    def key(self) -> Hashable:
        """Nothing: all sums are one program."""
        return ("linear", len(self.weights))

    @property
    def largest_slopes(self) -> FloatArray:
        """The weights."""
        return np.array(self.weights)

    def value(self, values: FloatArray) -> FloatArray:
        """Return the weighted sums."""
        total: FloatArray = products(np.array(self.weights), values).sum(axis=-1)
        return total

    def epigraph(self, risks: Sequence[Any], weights: Any, bounds: Any) -> Epigraph:
        """Minimise the sum."""
        return Epigraph(sum(weights[i] * risk for i, risk in enumerate(risks)))

    def parameters(self) -> tuple[FloatArray, FloatArray]:
        """Return the weights, and zeros."""
        return np.array(self.weights), np.zeros(len(self.weights))

    def lower_bound(self, values: FloatArray, prices: FloatArray) -> tuple[FloatArray, float]:
        """Return the weights, and the sum itself."""
        slope = np.array(self.weights)
        return slope, float(slope @ values)

    def equations(
        self,
        values: FloatArray,
        slopes: FloatArray,
        error: Callable[[], FloatArray],
        spare: FloatArray,
        limits: Sequence[int],
        base: int,
    ) -> Equations:
        """Return the weights: nothing is held equal."""
        return Equations(np.array(self.weights), None, [])


class SmoothForm(Form):
    """The form of a differentiable function; a subclass provides value, derivatives, epigraph and parameters."""

    kind: ClassVar[FormKind] = "smooth"

    @abstractmethod
    def derivatives(self, values: FloatArray) -> tuple[FloatArray, FloatArray | None]:
        """Return the gradient (N,) and the Hessian (N, N) at risks (N,), None where the value is linear nearby."""

    @abstractmethod
    def height(self, values: FloatArray, slope: FloatArray) -> float:
        """Return the value at risks (N,) with this gradient, as the tangent plane has it."""

    def lower_bound(self, values: FloatArray, prices: FloatArray) -> tuple[FloatArray, float]:
        """Return the tangent plane."""
        slope, _ = self.derivatives(values)
        return slope, self.height(values, slope)

    def equations(
        self,
        values: FloatArray,
        slopes: FloatArray,
        error: Callable[[], FloatArray],
        spare: FloatArray,
        limits: Sequence[int],
        base: int,
    ) -> Equations:
        """Return the derivatives: nothing is held equal."""
        return Equations(*self.derivatives(values), [])
