"""Forms with limits: the largest of N terms, and one objective under bounds."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.scalarization._form import Epigraph, Equations, Form, FormKind

__all__ = ["ConstrainedForm", "MaximumForm"]


@dataclass(frozen=True)
class MaximumForm(Form):
    """The form of ``max_i w_i (v_i - z_i) + rho sum_i (v_i - z_i)``, the maximum over the objectives with w_i > 0.

    Parameters
    ----------
    weights : tuple of N floats
        Finite, >= 0, not all zero.
    ideal : tuple of N floats
        The reference point z, finite.
    augmentation : float, default 0
        The factor rho >= 0.
    """

    weights: tuple[float, ...]
    ideal: tuple[float, ...]
    augmentation: float = 0.0
    kind: ClassVar[FormKind] = "maximum"
    exchanges_base: ClassVar[bool] = True

    @property
    def n_objectives(self) -> int:
        """The number N of objectives."""
        return len(self.weights)

    @property
    def offset(self) -> float:  # type: ignore[override]
        """The augmented term at the reference point, with a minus."""
        return -self.augmentation * math.fsum(self.ideal) if self.augmentation > 0.0 else 0.0

    @property
    def used(self) -> npt.NDArray[np.bool_]:
        """Objectives of positive weight, or all of them with an augmentation."""
        return np.asarray((np.array(self.weights) > 0.0) | (self.augmentation > 0.0))

    @property
    def key(self) -> Hashable:
        """Which weights are positive, and the augmentation."""
        return ("maximum", tuple(w > 0.0 for w in self.weights), self.augmentation)

    @property
    def largest_slopes(self) -> FloatArray:
        """The weights plus rho."""
        return np.asarray(np.array(self.weights) + self.augmentation)

    @property
    def width_peaks(self) -> tuple[FloatArray, float]:
        """Weights and augmentation: a translation does not change differences."""
        return np.array(self.weights), self.augmentation

    def value(self, values: FloatArray) -> FloatArray:
        """Return the largest terms plus the augmented ones."""
        x, w = values - np.array(self.ideal), np.array(self.weights)
        positive = w > 0.0
        result: FloatArray = (x[..., positive] * w[positive]).max(axis=-1)
        if self.augmentation > 0.0:
            result = result + self.augmentation * x.sum(axis=-1)
        return result

    def epigraph(self, risks: Sequence[Any], weights: Any, bounds: Any) -> Epigraph:
        """Minimise a bound of all terms; `bounds` holds w z, as a product of two parameters is not allowed."""
        import cvxpy

        top = cvxpy.Variable()
        used = np.flatnonzero(np.array(self.weights) > 0.0).tolist()
        limits = {i: weights[i] * risks[i] - bounds[i] <= top for i in used}
        return Epigraph(top + self.augmentation * sum(risks) if self.augmentation > 0.0 else top, limits)

    def parameters(self) -> tuple[FloatArray, FloatArray]:
        """Return the weights w, and w z."""
        w = np.array(self.weights)
        return w, w * np.array(self.ideal)

    def prices(self, duals: FloatArray) -> FloatArray:
        """Return the shares of the terms."""
        w = np.array(self.weights)
        found: FloatArray = np.zeros(w.shape)
        np.divide(np.maximum(duals - self.augmentation, 0.0), w, out=found, where=w > 0.0)
        return found

    def lower_bound(self, values: FloatArray, prices: FloatArray) -> tuple[FloatArray, float]:
        """Return the average of the terms with the prices as shares; equal shares where all prices are zero."""
        w = np.array(self.weights)
        price = prices * (w > 0.0)
        price = price / price.sum() if price.any() else (w > 0.0) / (w > 0.0).sum()
        multipliers = price * w + self.augmentation
        return multipliers, float(multipliers @ (values - np.array(self.ideal)))

    def near(self, values: FloatArray, close: float) -> tuple[tuple[int, ...], int]:
        """Return the terms that equal the largest one up to a share of its size, and that one."""
        w = np.array(self.weights)
        terms = np.where(w > 0.0, w * (values - np.array(self.ideal)), -np.inf)
        base = int(np.argmax(terms))
        equal = np.flatnonzero(terms >= terms[base] - close * max(1.0, abs(float(terms[base]))))
        return tuple(i for i in equal.tolist() if i != base), base

    def violated(self, values: FloatArray, base: int) -> set[int]:
        """Return the terms that are larger than the one of `base`."""
        w = np.array(self.weights)
        terms = w * (values - np.array(self.ideal))
        spare = 1e-12 * max(1.0, abs(float(terms[base])))
        return {i for i in np.flatnonzero(w > 0.0).tolist() if terms[i] > terms[base] + spare}

    def equations(
        self,
        values: FloatArray,
        slopes: FloatArray,
        error: Callable[[], FloatArray],
        spare: FloatArray,
        limits: Sequence[int],
        base: int,
    ) -> Equations:
        """Return the term of `base`, and the differences of the others from it."""
        w = np.array(self.weights)
        terms = w * (values - np.array(self.ideal))
        weights = np.where(np.arange(w.size) == base, w, 0.0) + self.augmentation
        rows = [(i, w[i] * slopes[i] - w[base] * slopes[base], float(terms[i] - terms[base])) for i in limits]
        return Equations(weights, None, rows)

    def add_price(self, total: FloatArray, i: int, price: float, base: int) -> None:
        """Move the share `price` from the term of `base` to term i."""
        total[i] += price * self.weights[i]
        total[base] -= price * self.weights[base]


@dataclass(frozen=True)
class ConstrainedForm(Form):
    """The form of one objective where all risks are within bounds, +inf elsewhere.

    Parameters
    ----------
    objective : int
        The index of the minimised objective.
    bounds : tuple of N floats
        The bounds; inf means unbounded.
    """

    objective: int
    bounds: tuple[float, ...]
    kind: ClassVar[FormKind] = "constrained"

    @property
    def n_objectives(self) -> int:
        """The number N of objectives."""
        return len(self.bounds)

    @property
    def used(self) -> npt.NDArray[np.bool_]:
        """The minimised objective and those with a bound."""
        used = np.isfinite(self.bounds)
        used[self.objective] = True
        return used

    @property
    def key(self) -> Hashable:
        """The minimised objective, and which bounds are finite."""
        return ("constrained", self.objective, tuple(map(math.isfinite, self.bounds)))

    @property
    def largest_slopes(self) -> FloatArray:
        """One for the minimised objective; bounds are met whatever the rounding."""
        return np.asarray(np.arange(self.n_objectives) == self.objective, dtype=np.float64)

    def value(self, values: FloatArray) -> FloatArray:
        """Return the risks of the minimised objective within the bounds."""
        feasible = (values <= np.array(self.bounds)).all(axis=-1)
        return np.where(feasible, values[..., self.objective], np.inf)

    def epigraph(self, risks: Sequence[Any], weights: Any, bounds: Any) -> Epigraph:
        """Minimise the objective under the finite bounds."""
        finite = [i for i, bound in enumerate(self.bounds) if math.isfinite(bound)]
        return Epigraph(risks[self.objective], {i: risks[i] <= bounds[i] for i in finite})

    def parameters(self) -> tuple[FloatArray, FloatArray]:
        """Return ones, and the bounds with 0 for those that are infinite."""
        return np.ones(self.n_objectives), np.where(np.isfinite(self.bounds), self.bounds, 0.0)

    def prices(self, duals: FloatArray) -> FloatArray:
        """Return the prices of the bounds: the minimised objective has multiplier 1 without its own."""
        return np.maximum(duals - self.largest_slopes, 0.0)

    def lower_bound(self, values: FloatArray, prices: FloatArray) -> tuple[FloatArray, float]:
        """Return the Lagrangian of the bounds."""
        finite = np.isfinite(self.bounds)
        price = np.where(finite, prices, 0.0)
        slack = np.where(finite, values - np.array(self.bounds), 0.0)
        multipliers = price.copy()
        multipliers[self.objective] += 1.0
        return multipliers, float(values[self.objective] + price @ slack)

    def near(self, values: FloatArray, close: float) -> tuple[tuple[int, ...], int]:
        """Return the other objectives whose bounds are met up to a share of their size."""
        near = [b - close * max(1.0, abs(b)) if math.isfinite(b) else math.inf for b in self.bounds]
        return tuple(i for i, value in enumerate(values) if value >= near[i] and i != self.objective), 0

    def violated(self, values: FloatArray, base: int) -> set[int]:
        """Return the other objectives whose bounds are broken."""
        return {i for i, b in enumerate(self.bounds) if values[i] > b and i != self.objective}

    def excess(self, values: FloatArray, error: FloatArray) -> FloatArray | None:
        """Return by how much bounds are broken if risks are evaluated as badly as `error` allows."""
        # So the bound is met on whatever processor the risk is evaluated.
        found = np.where(np.isfinite(self.bounds), values + error - np.array(self.bounds), -np.inf)
        return found if (found > 0.0).any() else None

    def equations(
        self,
        values: FloatArray,
        slopes: FloatArray,
        error: Callable[[], FloatArray],
        spare: FloatArray,
        limits: Sequence[int],
        base: int,
    ) -> Equations:
        """Return the minimised objective, and the bounds rounded inwards."""
        rounding = error()
        rows = [(i, slopes[i], float(values[i] - (self.bounds[i] - 3.0 * rounding[i] - spare[i]))) for i in limits]
        return Equations(self.largest_slopes, None, rows)

    def add_price(self, total: FloatArray, i: int, price: float, base: int) -> None:
        """Add the price of bound i."""
        total[i] += price
