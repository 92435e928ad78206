r"""The loss of collapsed networks as a function of one number: where it is smallest, and where that jumps.

If all class means stay orthogonal and of equal length in every layer, the network's output is a times the targets and
the best norms give

.. math:: F(a) = \tfrac12 (1-a)^2 + \tfrac{K(L+1)}2 \Lambda^{1/(L+1)} a^{2/(L+1)},
          \qquad \Lambda = n \lambda_H \prod_l \lambda_l .

For two classes its minimum is the minimum over all networks (P. Súkeník, M. Mondelli, C. H. Lampert 2023, arXiv
2305.13165); for more classes it is that of collapsed networks only. The formulas below are derived.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count, check_real, real_array
from moltheory.errors import InvalidInputError
from moltheory.studies._deep_features import DeepFeatures

__all__ = ["ReducedLoss", "least_norm_product"]


@dataclass(frozen=True)
class ReducedLoss:
    r"""F(a), its stationary points and its minimum.

    Parameters
    ----------
    n_classes : int
        K >= 2.
    depth : int
        Layers L >= 2.
    product : float
        :math:`\Lambda = n \lambda_H \prod_l \lambda_l > 0`.

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule.

    Examples
    --------
    >>> loss = ReducedLoss(n_classes=2, depth=3, product=5 * 0.02**4)
    >>> round(loss.minimum, 8), round(loss.scale, 6)
    (0.11778207, 0.938249)
    >>> ReducedLoss(2, 3, 1.01 * loss.critical_product).scale
    0.0
    """

    n_classes: int
    depth: int
    product: float

    def __post_init__(self) -> None:
        check_count("n_classes", self.n_classes, low=2)
        check_count("depth", self.depth, low=2)
        check_real("product", self.product, low=0.0, strict=True)

    @classmethod
    def of_model(cls, model: DeepFeatures, /) -> ReducedLoss:
        """Return the reduced loss of a model."""
        # Through logarithms: a product of many small factors can underflow.
        product = math.exp(math.log(model.per_class) + float(np.log(model.factors).sum()))
        return cls(model.n_classes, model.depth, product)

    @classmethod
    def at_ratio(cls, n_classes: int, depth: int, ratio: float) -> ReducedLoss:
        r"""Return it where :math:`\Lambda^{1/(L+1)}` is `ratio` > 0 times its critical value."""
        check_real("ratio", ratio, low=0.0, strict=True)
        unit = cls(n_classes, depth, 1.0)
        return cls(n_classes, depth, unit.critical_product * ratio ** (depth + 1))

    @property
    def exponent(self) -> float:
        """2 / (L + 1), the power of a in the norms."""
        return 2.0 / (self.depth + 1)

    @property
    def coefficient(self) -> float:
        r"""C = K (L+1)/2 :math:`\Lambda^{1/(L+1)}`, what the norms cost at a = 1."""
        return float(self.n_classes * (self.depth + 1) / 2.0 * self.product ** (1.0 / (self.depth + 1)))

    @property
    def critical_product(self) -> float:
        r""":math:`\Lambda_{crit} = (L-1)^{L-1} / (K^{L+1} L^{2L})`: the minimum is not at 0 iff the product is below."""
        k, depth = self.n_classes, self.depth
        return math.exp((depth - 1) * math.log(depth - 1) - (depth + 1) * math.log(k) - 2 * depth * math.log(depth))

    @property
    def spinodal_product(self) -> float:
        r"""Above :math:`\Lambda_{crit} (L+1)^{L+1} / 4^L` nothing but a = 0 is stationary."""
        return self.critical_product * math.exp((self.depth + 1) * math.log(self.depth + 1) - self.depth * math.log(4))

    @property
    def jump(self) -> float:
        """(L - 1) / L, the smallest nonzero minimiser, taken at the critical product."""
        return (self.depth - 1) / self.depth

    @property
    def stable_scale(self) -> float:
        """The local minimiser above 0, in [(L-1)/(2L), 1); NaN if the product is above the spinodal one."""
        if self.product > self.spinodal_product:
            return math.nan
        p, log_c = self._power, self._log_level
        # b = 1 - a is the smaller root of b (1 - b)^p = c; its logarithm is concave, and negative at b = c.
        b = _from_below(
            lambda b: math.log(b) + p * math.log1p(-b) - log_c,
            lambda b: 1.0 / b - p / (1.0 - b),
            math.exp(log_c),
        )
        return 1.0 - b

    @property
    def barrier_scale(self) -> float:
        """The local maximiser between 0 and `stable_scale`; NaN if there is none."""
        if self.product > self.spinodal_product:
            return math.nan
        p, log_c = self._power, self._log_level
        x = _from_below(
            lambda x: p * x + math.log1p(-math.exp(x)) - log_c,
            lambda x: p - 1.0 / math.expm1(-x),
            log_c / p,
        )
        return math.exp(x)

    @property
    def scale(self) -> float:
        """The minimiser a*: `stable_scale` below the critical product, else 0 (at it, both)."""
        return self.stable_scale if self.product < self.critical_product else 0.0

    @property
    def minimum(self) -> float:
        """F(a*)."""
        return float(self.loss(self.scale))

    def fit(self, scales: npt.ArrayLike, /) -> FloatArray:
        """Return (1 - a)^2 / 2."""
        return np.asarray((1.0 - _scales(scales)) ** 2 / 2.0)

    def norms(self, scales: npt.ArrayLike, /) -> FloatArray:
        """Return C a^{2/(L+1)}, half the sum of all factors times squared norms."""
        return np.asarray(self.coefficient * _scales(scales) ** self.exponent)

    def loss(self, scales: npt.ArrayLike, /) -> FloatArray:
        """Return F(a) = `fit` + `norms`.

        Parameters
        ----------
        scales : array_like
            a in [0, 1].

        Raises
        ------
        InvalidInputError
            If a scale is outside [0, 1].
        """
        return np.asarray(self.fit(scales) + self.norms(scales))

    def slope(self, scales: npt.ArrayLike, /) -> FloatArray:
        """Return F'(a), infinite at a = 0."""
        a = _scales(scales)
        with np.errstate(divide="ignore"):
            return np.asarray(a - 1.0 + self.coefficient * self.exponent * a ** (self.exponent - 1.0))

    def layer_share(self, scales: npt.ArrayLike, /) -> FloatArray:
        """Return what each layer, and the features, add to the sum of factors times squared norms: all the same."""
        return np.asarray(2.0 * self.norms(scales) / (self.depth + 1))

    def branch_loss(self, learned: int, /) -> float:
        """Return the loss of a local minimum that outputs the targets of some classes only, and 0 for the others.

        Derived: of networks with the classes apart the loss is the mean of F over the classes' scales.

        Parameters
        ----------
        learned : int
            Number of classes learned, 0 to K.

        Returns
        -------
        float
            NaN if no scale above 0 is stationary and `learned` is.

        Raises
        ------
        InvalidInputError
            If `learned` is out of range.
        """
        if check_count("learned", learned, low=0) > self.n_classes:
            raise InvalidInputError(
                f"`learned` must be at most the number of classes, {self.n_classes}, got {learned}."
            )
        if learned == 0:
            return 0.5
        share = learned / self.n_classes
        stable = self.stable_scale
        return 0.5 * (1.0 - share) + share * (math.nan if math.isnan(stable) else float(self.loss(stable)))

    @property
    def _power(self) -> float:
        return (self.depth - 1) / (self.depth + 1)

    @property
    def _log_level(self) -> float:
        # Stationary points above 0: (1 - a) a^{(L-1)/(L+1)} = c.
        return math.log(self.n_classes) + math.log(self.product) / (self.depth + 1)


def least_norm_product(fit: npt.ArrayLike, /, *, depth: int, per_class: int) -> FloatArray:
    r"""Return the smallest product of all squared norms with which two classes can be fitted this well.

    .. math:: \|H_1\|^2 \prod_l \|W_l\|^2 \ge n\, 2^{L+1} (1 - \sqrt{2 f_1})^2 .

    Parameters
    ----------
    fit : array_like
        Data term f_1, in [0, 1 / (2 L^2)].
    depth : int
        Layers L >= 2.
    per_class : int
        Examples n >= 1 of each of the two classes.

    Returns
    -------
    ndarray
        Attained by collapsed networks.

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule; above 1 / (2 L^2) a network that learns one class needs less.

    Notes
    -----
    Derived from the optimality of collapse for two classes: take :math:`\lambda_l = t / \|W_l\|^2` with t such that
    a* = 1 - sqrt(2 f_1), which exists up to that fit; the regularised loss is then at least F(a*).

    Examples
    --------
    >>> float(least_norm_product(0.0, depth=3, per_class=5))
    80.0
    """
    check_count("per_class", per_class)
    most = 1.0 / (2 * check_count("depth", depth, low=2) ** 2)
    f = real_array("fit", fit, shape="any", min_ndim=0)
    if (f < 0).any() or (f > most).any():
        raise InvalidInputError(f"`fit` must be in [0, 1 / (2 L^2)] = [0, {most:g}], got {f.min():g} to {f.max():g}.")
    return np.asarray(per_class * 2.0 ** (depth + 1) * (1.0 - np.sqrt(2.0 * f)) ** 2)


def _scales(scales: npt.ArrayLike) -> FloatArray:
    a: FloatArray = np.asarray(real_array("scales", scales, shape="any", min_ndim=0), dtype=np.float64)
    if (a < 0).any() or (a > 1).any():
        raise InvalidInputError(f"`scales` must be in [0, 1], got {a.min():g} to {a.max():g}.")
    return a


def _from_below(value: Callable[[float], float], slope: Callable[[float], float], start: float) -> float:
    """Root of a concave increasing function by Newton steps from its left, which never pass it."""
    x = start
    for _ in range(200):
        rate = slope(x)
        step = -value(x) / rate if rate > 0 else 0.0
        if not x + step > x:
            break
        x += step
    return x
