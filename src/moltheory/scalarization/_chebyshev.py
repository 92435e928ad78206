"""Chebyshev scalarizations: plain, augmented and smooth."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_real, check_vector
from moltheory.scalarization._base import Optimality, WeightedScalarization
from moltheory.scalarization._form import Epigraph, SmoothForm
from moltheory.scalarization._form_limits import MaximumForm
from moltheory.scalarization._weights import check_weights, products

__all__ = ["Chebyshev", "SmoothChebyshev"]


@dataclass(frozen=True, init=False)
@document
class Chebyshev(WeightedScalarization):
    """Chebyshev scalarization ``max_i w_i (v_i - z_i) + rho sum_i (v_i - z_i)``.

    The maximum runs over the objectives of positive weight. With ``rho = 0`` (plain), every Pareto-optimal
    point ``y`` of a finite set is a minimiser for ``w_i = 1 / (y_i - z_i)``, z below the ideal point, but
    minimisers may be merely weakly optimal; ``rho > 0`` (augmented) makes them Pareto-optimal and leaves some
    points out of reach.

    Parameters
    ----------
    {weights}
    ideal : array_like of shape (N,), optional
        The reference point z; zero by default, never estimated from data.
    augmentation : float, default 0
        The factor rho >= 0 of the sum.

    {raises}

    Notes
    -----
    `width` is ``max w_i C_i + rho sum C_i`` for every z: a translation does not change differences. Where z
    has negative entries, ``U(C)`` is valid but larger than needed; where z has positive ones, (RT) may fail
    and `width` still holds.

    Source: Steuer and Choo 1983, doi 10.1007/BF02591870; the criteria for (S) and (H) and the modulus are
    derived (proof: chebyshev-widths).

    Complexity: O(K N) time and memory for the values of K points.

    Examples
    --------
    >>> u = Chebyshev([1.0, 2.0], augmentation=0.5)
    >>> float(u([3.0, 1.0])), float(u.width([0.1, 0.0])), u.modulus, u.optimality
    (5.0, 0.15000000000000002, 0.5, 'pareto')
    >>> Chebyshev([1.0, 2.0]).optimality
    'weakly-pareto'
    """

    ideal: tuple[float, ...]
    augmentation: float

    # Why a weight of zero leaves the maximum: as a constant term 0 it would hide every difference below z,
    # so that for z above some values a minimiser need not even be weakly optimal. For z <= v, and so for
    # risks with ideal=None, the two readings agree.

    def __init__(
        self, weights: npt.ArrayLike, *, ideal: npt.ArrayLike | None = None, augmentation: float = 0.0
    ) -> None:
        checked = check_weights(weights)
        point = np.zeros(len(checked)) if ideal is None else check_vector("ideal", ideal, length=len(checked))
        object.__setattr__(self, "weights", checked)
        object.__setattr__(self, "ideal", tuple((point + 0.0).tolist()))
        object.__setattr__(self, "augmentation", check_real("augmentation", augmentation, low=0.0))

    @property
    def is_subadditive(self) -> bool:
        """Whether ``w_k z_k + rho sum z <= 0`` for every k of positive weight.

        It does for ``z <= 0``; without augmentation and with all weights positive, for no other z.
        """
        # Write U(v) = g(v - z) with g(x) = max_{w_k > 0} w_k x_k + rho sum x, which is sublinear and
        # non-decreasing on R^N. Sufficient: U(a + b) = g((a - z) + (b - z) + z) <= U(a) + U(b) + g(z), and
        # the criterion says g(z) <= 0. Necessary: for a = b = s e_k with s large, term k is the maximum in
        # U(a) and in U(2a), so U(2a) - 2 U(a) = w_k z_k + rho sum z.
        return max(self._shifts) <= 0.0

    @property
    def is_homogeneous(self) -> bool:
        """Whether ``w_k z_k + rho sum z = 0`` for every k of positive weight, as for z = 0."""
        # Necessary: as above, (H) makes U(2a) - 2 U(a) = 0. Sufficient: then -w_k z_k = rho sum z for all
        # such k, so U(v) = max (w_k v_k + rho sum z) + rho sum v - rho sum z = max w_k v_k + rho sum v.
        return all(shift == 0.0 for shift in self._shifts)

    @property
    def modulus(self) -> float:
        """The augmentation rho if N >= 2, and ``w + rho`` if N = 1."""
        # a >= b: the maximum does not fall and the sum rises by sum(a - b), so mu >= rho. Equality, N >= 2:
        # for w_j > 0, b = s e_j with s large and a = b + e_i, i != j, the maximum is term j in both.
        return self.augmentation + (self.weights[0] if self.n_objectives == 1 else 0.0)

    @property
    def optimality(self) -> Optimality:
        """``"pareto"`` if augmented (or N = 1), else ``"weakly-pareto"``."""
        return "pareto" if self.modulus > 0.0 else "weakly-pareto"

    @property
    def _shifts(self) -> list[float]:
        common = self.augmentation * math.fsum(self.ideal)
        return [w * z + common for w, z in zip(self.weights, self.ideal, strict=True) if w > 0.0]

    def form(self) -> MaximumForm:
        """Return the terms of the maximum."""
        return MaximumForm(self.weights, self.ideal, self.augmentation)

    def _evaluate(self, values: FloatArray) -> FloatArray:
        return self._sublinear(values - np.array(self.ideal))

    def _width(self, widths: FloatArray) -> FloatArray:
        # |g(x) - g(y)| <= g(|x - y|) for the sublinear non-decreasing g above, and x - y = a - b.
        return self._sublinear(widths)

    def _sublinear(self, x: FloatArray) -> FloatArray:
        w = self._w
        positive = w > 0.0
        result: FloatArray = (x[..., positive] * w[positive]).max(axis=-1)
        # No augmentation must mean no term: 0 * inf would be NaN for a vacuous width.
        return result + self.augmentation * x.sum(axis=-1) if self.augmentation > 0.0 else result


@dataclass(frozen=True, init=False)
@document
class SmoothChebyshev(WeightedScalarization):
    """Smooth Chebyshev scalarization ``m log sum_i exp(w_i v_i / m)``.

    It lies between ``max w_i v_i`` and ``max w_i v_i + m log N`` (N counts zero weights too), so it tends to
    the plain Chebyshev scalarization as m tends to 0.

    Parameters
    ----------
    {weights}
    smoothing : float
        The smoothing m > 0, in the units of the weighted risks.

    {raises}

    Notes
    -----
    (RT) holds, but ``U(0) = m log N``, so ``U(C)`` is a poor width; `width` is ``max w_i C_i``, because U is a
    sup-norm contraction of the weighted risks. In exact arithmetic minimisers are Pareto-optimal if all
    weights are positive; where m is small against the gaps, the smaller terms underflow and weakly optimal
    points tie with Pareto-optimal ones.

    Source: Lin et al. 2024, arXiv 2402.19078 (there with a reference point); the properties are derived (proof:
    chebyshev-widths).

    Complexity: O(K N) time and memory for the values of K points.

    Examples
    --------
    >>> u = SmoothChebyshev([1.0, 1.0], smoothing=0.1)
    >>> round(float(u([0.5, 0.5])), 6), float(u.width([0.1, 0.2]))
    (0.569315, 0.2)
    """

    smoothing: float

    def __init__(self, weights: npt.ArrayLike, smoothing: float) -> None:
        object.__setattr__(self, "weights", check_weights(weights))
        object.__setattr__(self, "smoothing", check_real("smoothing", smoothing, low=0.0, strict=True))

    @property
    def is_subadditive(self) -> bool:
        """True."""
        # With x_i = w_i a_i / m and y_i = w_i b_i / m, sum exp(x_i + y_i) is a part of the double sum
        # of the positive terms exp(x_i + y_j), which is (sum exp x_i)(sum exp y_j); take m log.
        return True

    @property
    def is_homogeneous(self) -> bool:
        """False for N >= 2, where ``U(0) = m log N``; for N = 1, U is linear."""
        return self.n_objectives == 1

    @property
    def modulus(self) -> float:
        """The weight if N = 1, otherwise 0."""
        # dU/dv_i = w_i exp(x_i) / sum exp(x_j) >= 0, and it tends to 0 when v_j grows for a j != i of
        # positive weight; if the only positive weight is w_i, every other derivative is 0.
        return self.weights[0] if self.n_objectives == 1 else 0.0

    @property
    def optimality(self) -> Optimality:
        """``"pareto"`` if every weight is positive, else ``"weakly-pareto"``."""
        return "pareto" if self._all_positive else "weakly-pareto"

    def form(self) -> _LogSumExpForm:
        """Return a smooth form."""
        return _LogSumExpForm(self.weights, self.smoothing)

    def _evaluate(self, values: FloatArray) -> FloatArray:
        return _log_sum_exp(products(self._w, values), self.smoothing)

    def _width(self, widths: FloatArray) -> FloatArray:
        # The gradient in the weighted risks is a softmax: non-negative with sum 1.
        result: FloatArray = products(self._w, widths).max(axis=-1)
        return result


def _log_sum_exp(terms: FloatArray, smoothing: float) -> FloatArray:
    """Return ``m log sum exp(terms / m)`` over the last axis."""
    top = terms.max(axis=-1)
    scaled = (terms - top[..., np.newaxis]) / smoothing
    result: FloatArray = top + smoothing * np.log(np.exp(scaled).sum(axis=-1))
    return result


@dataclass(frozen=True)
class _LogSumExpForm(SmoothForm):
    """The form of a smooth Chebyshev scalarization."""

    weights: tuple[float, ...]
    smoothing: float

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
        """The smoothing."""
        return ("log-sum-exp", len(self.weights), self.smoothing)

    @property
    def largest_slopes(self) -> FloatArray:
        """The weights."""
        return np.array(self.weights)

    @property
    def width_peaks(self) -> tuple[FloatArray, float]:
        """The weights: the width is that of the plain maximum."""
        return np.array(self.weights), 0.0

    def value(self, values: FloatArray) -> FloatArray:
        """Return the smooth maxima."""
        return _log_sum_exp(products(np.array(self.weights), values), self.smoothing)

    def parameters(self) -> tuple[FloatArray, FloatArray]:
        """Return the weights, and zeros."""
        return np.array(self.weights), np.zeros(len(self.weights))

    def epigraph(self, risks: Sequence[Any], weights: Any, bounds: Any) -> Epigraph:
        """Minimise the smooth maximum of the weighted risks."""
        import cvxpy

        cp: Any = cvxpy  # its stubs lack most atoms

        terms = [weights[i] * risk / self.smoothing for i, risk in enumerate(risks)]
        return Epigraph(self.smoothing * cp.log_sum_exp(cp.hstack(terms)))

    def derivatives(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return gradient and Hessian."""
        w = np.array(self.weights)
        slope = w * self._shares(values)
        return slope, (np.diag(w * slope) - np.outer(slope, slope)) / self.smoothing

    def height(self, values: FloatArray, slope: FloatArray) -> float:
        """Return the average of the weighted risks plus the entropy of their shares."""
        share = self._shares(values)
        entropy = -float((share * np.log(np.maximum(share, 1e-300))).sum())
        return float(slope @ values + self.smoothing * entropy)

    def _shares(self, values: FloatArray) -> FloatArray:
        scaled = np.array(self.weights) * values / self.smoothing
        share = np.exp(scaled - scaled.max())
        found: FloatArray = share / share.sum()
        return found
