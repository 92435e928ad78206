"""Weighted sum and weighted p-norm."""

from __future__ import annotations

import math
import numbers
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_real
from moltheory.errors import InvalidInputError
from moltheory.scalarization._base import Optimality, WeightedScalarization
from moltheory.scalarization._form import Epigraph, Form, LinearForm, SmoothForm
from moltheory.scalarization._form_limits import MaximumForm
from moltheory.scalarization._weights import check_weights, products

__all__ = ["PNorm", "WeightedSum"]


@dataclass(frozen=True, init=False)
@document
class WeightedSum(WeightedScalarization):
    """Weighted sum ``sum_i w_i v_i``.

    Its minimisers are Pareto-optimal if every weight is positive, but only supported points (those on the
    convex hull's lower boundary) are ever found.

    Parameters
    ----------
    {weights}

    {raises}

    Notes
    -----
    Complexity: O(K N) time and memory for the values of K points.

    Examples
    --------
    >>> u = WeightedSum([0.75, 0.25])
    >>> float(u([1.0, 2.0])), float(u.width([0.1, 0.0])), u.modulus
    (1.25, 0.07500000000000001, 0.25)
    """

    @property
    def is_subadditive(self) -> bool:
        """True: U is linear."""
        return True

    @property
    def is_homogeneous(self) -> bool:
        """True: U is linear."""
        return True

    @property
    def modulus(self) -> float:
        """The smallest weight."""
        # U(a) - U(b) = sum w_i (a_i - b_i) >= min w * sum(a - b), equal when only that objective moves.
        return min(self.weights)

    @property
    def optimality(self) -> Optimality:
        """``"pareto"`` if every weight is positive, else ``"weakly-pareto"``."""
        return "pareto" if self._all_positive else "weakly-pareto"

    def form(self) -> LinearForm:
        """Return the weights as a linear form."""
        return LinearForm(self.weights)

    def _evaluate(self, values: FloatArray) -> FloatArray:
        # Not a matrix product: its last bit may depend on the batch, and equal risks must stay tied.
        total: FloatArray = products(self._w, values).sum(axis=-1)
        return total

    def _width(self, widths: FloatArray) -> FloatArray:
        return self._evaluate(widths)


@dataclass(frozen=True, init=False)
@document
class PNorm(WeightedScalarization):
    """Weighted p-norm ``(sum_i (w_i v_i)^p)^(1/p)``, the weights inside the power.

    ``p = 1`` is the weighted sum, ``p = inf`` the Chebyshev scalarization ``max_i w_i v_i``. The largest term
    is factored out, so no power overflows or underflows; for large p, terms far below the largest are lost to
    rounding, and strict inequalities between values may become ties.

    Parameters
    ----------
    {weights}
    p : float
        At least 1; ``inf`` is allowed.

    Raises
    ------
    InvalidInputError
        If a weight or `p` breaks its rule; when called, if a value is negative.

    Notes
    -----
    Complexity: O(K N) time and memory for the values of K points.

    Examples
    --------
    >>> u = PNorm([1.0, 2.0], p=2)
    >>> float(u([3.0, 2.0]))
    5.0
    """

    p: float

    def __init__(self, weights: npt.ArrayLike, p: float) -> None:
        object.__setattr__(self, "weights", check_weights(weights))
        infinite = isinstance(p, numbers.Real) and float(p) == math.inf
        object.__setattr__(self, "p", math.inf if infinite else check_real("p", p, low=1.0))

    @property
    def is_subadditive(self) -> bool:
        """True: Minkowski's inequality."""
        return True

    @property
    def is_homogeneous(self) -> bool:
        """True: U is a (semi)norm."""
        return True

    @property
    def modulus(self) -> float:
        """The smallest weight if ``p = 1`` or N = 1, otherwise 0."""
        # p > 1, N >= 2: let w_j > 0, b = s e_j and a = b + e_i with i != j. Then
        # U(a) - U(b) = ((w_j s)^p + w_i^p)^(1/p) - w_j s -> 0 as s -> inf, while sum(a - b) = 1
        # (for p = inf it is 0 as soon as w_j s >= w_i). Monotonicity gives >= 0.
        return min(self.weights) if self.p == 1.0 or self.n_objectives == 1 else 0.0

    @property
    def optimality(self) -> Optimality:
        """``"pareto"`` if every weight is positive and p < inf (or N = 1), else ``"weakly-pareto"``."""
        strict = self._all_positive and (self.p < math.inf or self.n_objectives == 1)
        return "pareto" if strict else "weakly-pareto"

    def form(self) -> Form:
        """Return a linear form for ``p = 1``, a maximum for ``p = inf``, and a smooth one between."""
        if self.p == 1.0:
            return LinearForm(self.weights)
        if self.p == math.inf:
            return MaximumForm(self.weights, (0.0,) * self.n_objectives)
        return _PowerForm(self.weights, self.p)

    def _evaluate(self, values: FloatArray) -> FloatArray:
        smallest = float(values.min())
        if smallest < 0.0:
            raise InvalidInputError(f"`values` must be >= 0 everywhere for a p-norm, got {smallest:g}.")
        return _norm(products(self._w, values), self.p)

    def _width(self, widths: FloatArray) -> FloatArray:
        return _norm(products(self._w, widths), self.p)


def _norm(terms: FloatArray, p: float) -> FloatArray:
    """Return the p-norm of non-negative terms, infinite terms included, over the last axis."""
    top: FloatArray = terms.max(axis=-1)
    if p == math.inf:
        return top
    if p == 1.0:
        total: FloatArray = terms.sum(axis=-1)
        return total
    regular = (top > 0.0) & np.isfinite(top)
    scale = np.where(regular, top, 1.0)
    relative = ((terms / scale[..., np.newaxis]) ** p).sum(axis=-1) ** (1.0 / p)
    return np.where(regular, scale * relative, top)


@dataclass(frozen=True)
class _PowerForm(SmoothForm):
    """The form of a p-norm with 1 < p < inf."""

    weights: tuple[float, ...]
    p: float

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
        """The power."""
        return ("p-norm", len(self.weights), self.p)

    @property
    def largest_slopes(self) -> FloatArray:
        """The weights."""
        return np.array(self.weights)

    def value(self, values: FloatArray) -> FloatArray:
        """Return the norms."""
        return _norm(products(np.array(self.weights), values), self.p)

    def parameters(self) -> tuple[FloatArray, FloatArray]:
        """Return the weights, and zeros."""
        return np.array(self.weights), np.zeros(len(self.weights))

    def epigraph(self, risks: Sequence[Any], weights: Any, bounds: Any) -> Epigraph:
        """Minimise the norm of upper bounds of the weighted risks."""
        import cvxpy

        cp: Any = cvxpy  # its stubs lack most atoms

        terms = cp.Variable(len(risks), nonneg=True)
        constraints = [weights[i] * risk <= terms[i] for i, risk in enumerate(risks)]
        return Epigraph(cp.pnorm(terms, self.p), constraints=constraints)

    def derivatives(self, values: FloatArray) -> tuple[FloatArray, FloatArray | None]:
        """Return gradient and Hessian; where the norm vanishes, a subgradient with equal shares."""
        w = np.array(self.weights)
        value = float(self.value(values[None])[0])
        if value <= 0.0:
            # The weights themselves would be too large: shares must have a dual norm of at most 1.
            return w * float((w > 0.0).sum()) ** (1.0 / self.p - 1.0), None
        share = w * values / value
        slope = w * share ** (self.p - 1.0)
        # Below p = 2 the curvature is infinite where a risk vanishes; a large number serves.
        bend = np.diag(w**2 * np.maximum(share, 1e-12) ** (self.p - 2.0)) - np.outer(slope, slope)
        return slope, (self.p - 1.0) / value * bend

    def height(self, values: FloatArray, slope: FloatArray) -> float:
        """Return the norm, by Euler's theorem on homogeneous functions."""
        return float(slope @ values)
