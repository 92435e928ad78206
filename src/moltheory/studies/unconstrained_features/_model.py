r"""The loss of collapsed networks as a function of one number: where it is smallest, and where that jumps.

If all class means stay orthogonal and of equal length in every layer, the network's output is a times the targets and
the best norms give

.. math:: F(a) = \tfrac12 (1-a)^2 + \tfrac{K(L+1)}2 \Lambda^{1/(L+1)} a^{2/(L+1)},
          \qquad \Lambda = n \lambda_H \prod_l \lambda_l .

For two classes its minimum is the minimum over all networks (P. Súkeník, M. Mondelli, C. H. Lampert 2023, arXiv
2305.13165); for more classes it is that of collapsed networks only. The formulas below are derived
(proof: study-separated-networks).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._html_repr import Shown
from moltheory._core._validation import FloatArray, check_count, check_real, real_array
from moltheory.errors import InvalidInputError
from moltheory.studies._deep_features import DeepFeatures, Layers

__all__ = ["ReducedLoss", "collapsed_fit", "least_norm_product", "separated_layers"]


@dataclass(frozen=True)
class ReducedLoss(Shown):
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
        If an argument breaks its rule; methods refuse scales outside [0, 1].

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
        """Return F(a) = `fit` + `norms`."""
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
        """Return the loss of networks that output the targets of `learned` classes, scaled, and 0 for the others.

        Derived (proof: study-separated-networks): the loss of networks that keep the classes apart is the mean of F over
        the classes' scales, and this is one of its local minima, with `stable_scale` or 0 for each class. NaN if no
        scale above 0 is stationary and `learned` is; refused outside 0, ..., K.
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


def collapsed_fit(loss: ReducedLoss, norms: npt.ArrayLike, /) -> FloatArray:
    """Return the best fit of collapsed networks within given norms, the inverse of `front_norms`."""
    share = np.minimum(np.asarray(norms, dtype=np.float64) / loss.coefficient, 1.0)
    return loss.fit(share ** (1.0 / loss.exponent))


def least_norm_product(fit: npt.ArrayLike, /, *, depth: int, per_class: int) -> FloatArray:
    r"""Return the smallest product of all squared norms with which two classes can be fitted this well.

    .. math:: \|H_1\|^2 \prod_l \|W_l\|^2 \ge n\, 2^{L+1} (1 - \sqrt{2 f_1})^2 \quad (0 \le f_1 \le 1 / (2 L^2)),

    attained by collapsed networks; above that fit, which is refused, networks that learn one class can need less.
    Derived (proof: study-norm-product) from the optimality of collapse: take :math:`\lambda_l = t / \|W_l\|^2`
    with t such that a* = 1 - sqrt(2 f_1), which exists up to that fit; the regularized loss is then at least F(a*).
    """
    check_count("per_class", per_class)
    most = 1.0 / (2 * check_count("depth", depth, low=2) ** 2)
    f = real_array("fit", fit, shape="any", min_ndim=0)
    if (f < 0).any() or (f > most).any():
        raise InvalidInputError(f"`fit` must be in [0, 1 / (2 L^2)] = [0, {most:g}], got {f.min():g} to {f.max():g}.")
    return np.asarray(per_class * 2.0 ** (depth + 1) * (1.0 - np.sqrt(2.0 * f)) ** 2)


def separated_layers(
    model: DeepFeatures, scales: npt.ArrayLike, /, *, overlap: float = 0.0, rng: np.random.Generator | None = None
) -> Layers:
    r"""Return the cheapest layers that keep the classes apart and output a_c times the target of each class c.

    Every class has its own unit in each hidden layer, the examples of a class are equal, and each of the L + 1 matrices
    adds as much to the regularization as any other. The loss is the mean of `ReducedLoss.loss` over the scales. With
    equal scales this is a collapsed network, and with a* its gradient is zero.

    Parameters
    ----------
    model : DeepFeatures
    scales : float or (K,) array_like
        a_c >= 0.
    overlap : float, default 0.0
        t in [0, 1/(K-1)]: before the first ReLU the classes have cosines -t, which the ReLU removes. At the largest t
        the features have rank K - 1. It changes no norm, so the optimum fixes the activations, not the features.
    rng : numpy.random.Generator, optional
        Draws a rotation of the features and which hidden units are used; by default the first K coordinates.

    Returns
    -------
    Layers
        The features H_1 and W_1, ..., W_L, without leading axes.

    Raises
    ------
    InvalidInputError
        If `scales` has another shape or a negative entry, or `overlap` is out of range.

    References
    ----------
    Derived (proof: study-separated-networks); the collapsed case is the optimum of P. Súkeník, M. Mondelli, C. H. Lampert
    (2023), arXiv 2305.13165.

    Examples
    --------
    >>> model = DeepFeatures(n_classes=2, per_class=5, depth=3, width=4, regularization=0.02)
    >>> layers = separated_layers(model, 0.5)
    >>> float(model.fit(layers).round(12))
    0.125
    """
    a = _class_scales(model, scales)
    factors = model.factors.copy()
    factors[0] *= model.per_class
    product = np.exp(np.log(factors).sum() / (model.depth + 1))
    # Squared sizes s with equal products of factor and size, whose product over the matrices is a^2.
    sizes = np.sqrt(product * a ** (2.0 / (model.depth + 1)) / factors[:, None])  # (L + 1, K)
    frames = _frames(model, rng)
    # W_1 H_1 is root' root for one class per column: positive semidefinite with the sizes on its diagonal, so its
    # nuclear norm, which is what the two matrices cost, does not depend on the overlap.
    root = _overlap_root(model.n_classes, overlap)
    features = frames[0] @ (root * sizes[0]) @ model.targets
    first = frames[1] @ (root * sizes[1]).T @ frames[0].T
    later = [(frames[k + 1] * sizes[k + 1]) @ frames[k].T for k in range(1, model.depth)]
    return (features, first, *later)


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


def _class_scales(model: DeepFeatures, scales: npt.ArrayLike) -> FloatArray:
    given = np.asarray(real_array("scales", scales, shape="() or (K,)", min_ndim=0, max_ndim=1), dtype=np.float64)
    if given.ndim and given.shape != (model.n_classes,):
        raise InvalidInputError(f"`scales` must be one number or {model.n_classes}, one per class, got {given.size}.")
    if (given < 0).any():
        raise InvalidInputError(f"`scales` must be >= 0, got {given.min():g}.")
    return np.broadcast_to(given, (model.n_classes,))


def _overlap_root(n_classes: int, overlap: float) -> FloatArray:
    """Symmetric root of the matrix with ones on its diagonal and -t elsewhere."""
    t = check_real("overlap", overlap, low=0.0, high=1.0 / (n_classes - 1))
    flat = np.full((n_classes, n_classes), 1.0 / n_classes)
    smallest = max(0.0, 1.0 - t * (n_classes - 1))
    return np.asarray(np.sqrt(1.0 + t) * (np.eye(n_classes) - flat) + np.sqrt(smallest) * flat)


def _frames(model: DeepFeatures, rng: np.random.Generator | None) -> list[FloatArray]:
    """Orthonormal directions of the classes before each matrix, and the targets' at the end."""
    k, width = model.n_classes, model.width
    unit = np.eye(width)
    if rng is None:
        hidden = [unit[:, :k]] * model.depth
    else:
        rotation = np.linalg.qr(rng.normal(size=(width, width)))[0]
        # Behind a ReLU directions must stay nonnegative: other units, no rotation.
        hidden = [rotation[:, :k], *(unit[:, rng.permutation(width)[:k]] for _ in range(model.depth - 1))]
    return [*hidden, np.eye(k)]
