r"""What bounds the condition number k of linear layers, and so NC2 and NC3: a norm near its least, and large stable steps.

Derived (proof: study-conditioning), in the sense of section (ii) of the source's abstract but with explicit numbers, and
both true at any iterate.

* Of all factors :math:`W_1, ..., W_m` of a product P with K singular values, the mean of
  :math:`\|W_l\|^2 / K` is at least the mean of :math:`s_k^{2/m}`, which is at least their geometric mean. If it is
  only e times the latter (`norm_excess`), then :math:`k = \kappa(P)^{1/m}` has :math:`k + 1/k \le 2 e^{K/2}`: among K
  positive numbers of product 1 whose largest is :math:`k^2` times their smallest, the mean is at least
  :math:`((k + 1/k) / 2)^{2/K}`.
* With u the left singular vector of the K-th singular value s of W_L,
  :math:`s_K(Z_L) \le \|u' Z_L\| = s \|v' Z_{L-1}\| \le s \|Z_{L-1}\|_{op}`, and
  :math:`s_K(Z_L) \ge \sqrt{N/K} - \|Z_L - Y\|_{op}`. The largest curvature G of the data term in W_L alone is
  :math:`\|Z_{L-1}\|_{op}^2 / N`, and descent with step size :math:`\eta` and momentum :math:`\beta` stays only where
  it is at most :math:`2 (1 + \beta) / \eta`: larger steps, smaller features, better conditioned layers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count, check_real, real_array
from moltheory.errors import InvalidInputError

__all__ = ["condition_ceiling", "conditioning_bound", "norm_excess", "stable_curvature"]


def norm_excess(layers: Sequence[npt.ArrayLike], /) -> FloatArray:
    """Return how many times the squared norm of linear layers is that of well-conditioned ones, at least 1.

    The layers W_1, ..., W_m, the last one with K rows, are compared with those of least norm among all whose product
    has the same product of K singular values; infinity if that product is 0.
    """
    given = [real_array("layers", one, shape="(..., p, q)", min_ndim=2) for one in layers]
    product = given[0]
    for one in given[1:]:
        product = one @ product
    n_classes = product.shape[-2]
    values = np.linalg.svd(product, compute_uv=False)
    if product.shape[-1] < n_classes:
        return np.full(product.shape[:-2], np.inf)
    alive = values[..., -1] > 0
    logs = np.log(np.where(alive[..., None], values, 1.0)).mean(axis=-1)
    mean = np.asarray(sum(np.square(one).sum(axis=(-1, -2)) for one in given)) / (len(given) * n_classes)
    return np.where(alive, mean * np.exp(-2.0 * logs / len(given)), np.inf)


def condition_ceiling(excess: npt.ArrayLike, n_classes: int, /) -> FloatArray:
    """Return the largest k >= 1 with (k + 1/k) / 2 <= excess^(K/2), which no root of a condition number exceeds.

    For m linear layers of a `norm_excess`, k is the m-th root of the condition number of their product.

    Examples
    --------
    >>> condition_ceiling([1.0, 1.25], 2).tolist()
    [1.0, 2.0]
    """
    given = real_array("excess", excess, shape="(...)", min_ndim=0, finite=False)
    if (given < 1.0).any():
        raise InvalidInputError(f"`excess` must be at least 1, got {given.min():g}.")
    with np.errstate(over="ignore"):
        half = given ** (check_count("n_classes", n_classes, low=2) / 2.0)
        return np.asarray(half + np.sqrt(half - 1.0) * np.sqrt(half + 1.0))


def conditioning_bound(last: npt.ArrayLike, features: npt.ArrayLike, targets: npt.ArrayLike, /) -> FloatArray:
    r"""Return an upper bound on the condition number of W_L from the features Z_{L-1} that it reads.

    .. math:: \frac{\|W_L\|_{op} \|Z_{L-1}\|_{op}}{\sqrt{N/K} - \|W_L Z_{L-1} - Y\|_{op}}

    for Y one-hot with every class equally often; infinity, which claims nothing, where the denominator is not
    positive. Where steps of size :math:`\eta` are stable, :math:`\|Z_{L-1}\|_{op}` is at most
    :math:`\sqrt{N}` times the root of `stable_curvature`.
    """
    w = real_array("last", last, shape="(..., K, d)", min_ndim=2)
    z = real_array("features", features, shape="(..., d, N)", min_ndim=2)
    y = real_array("targets", targets, shape="(..., K, N)", min_ndim=2)
    if z.shape[-2] != w.shape[-1] or y.shape[-2:] != (w.shape[-2], z.shape[-1]):
        raise InvalidInputError(
            f"`features` and `targets` must fit `last` {w.shape}, got shapes {z.shape} and {y.shape}."
        )
    left = np.sqrt(z.shape[-1] / w.shape[-2]) - _operator_norm(w @ z - y)
    sizes = _operator_norm(w) * _operator_norm(z)
    return np.where(left > 0, sizes / np.where(left > 0, left, 1.0), np.inf)


def stable_curvature(rate: float, momentum: float, /) -> float:
    r"""Return the curvature beyond which descent with momentum leaves a minimum: :math:`2 (1 + \beta) / \eta`.

    B. Polyak (1964), doi 10.1016/0041-5553(64)90137-5, for a quadratic function.
    """
    beta = check_real("momentum", momentum, low=0.0, high=1.0)
    return float(2.0 * (1.0 + beta) / check_real("rate", rate, low=0.0, strict=True))


def _operator_norm(matrices: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.norm(matrices, ord=2, axis=(-1, -2)))
