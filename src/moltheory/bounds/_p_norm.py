"""Purity of learning with a weighted p-norm: not linear in the half-widths, for no modulus exists where p > 1."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, real_array
from moltheory.bounds._widths import check_widths
from moltheory.errors import InvalidInputError
from moltheory.scalarization import PNorm

__all__ = ["p_norm_purity"]


@document
def p_norm_purity(
    widths: npt.ArrayLike, /, *, scalarization: PNorm, value: npt.ArrayLike, empirical: bool = False
) -> FloatArray:
    r"""Purity of learning with a p-norm: ``w_i (L_i(hhat) - L_i(h*)) <= ((v + 2 U(C))^p - v^p)^(1/p)``.

    For hhat a minimiser of U(Lhat), every truly optimal h* with ``L(h*) <= L(hhat)``, and v any number with
    ``v >= U(L(h*))``: the left side may be ``U(L(hhat) - L(h*))`` as well, which is as large. From a sample,
    ``((v + U(C))^p - max(v - U(C), 0)^p)^(1/p)`` with v the smallest ``U(Lhat)`` bounds it too. All risks are >= 0.

    Parameters
    ----------
    {widths}
    scalarization : PNorm
        U, with all weights > 0 and p < inf, or of one objective.
    value : float or (...) array_like
        v >= 0, as the second argument says.
    empirical : bool, default False
        Whether `value` is the smallest empirical value, ``min_h U(Lhat(h))``, instead of (a bound of) the true one of h*.

    Returns
    -------
    (..., N) ndarray
        The bounds of ``L_i(hhat) - L_i(h*)``, divided by w_i.

    Raises
    ------
    InvalidInputError
        If U is no such p-norm (the maximum, p = inf, has minimisers that are far from every better h* although C = 0),
        or an argument breaks its rule.

    Notes
    -----
    For p = 1 it is `interior_weights`. For p > 1 and small C it is about ``(2 p v^(p-1) U(C))^(1/p)``, of the order
    ``n^(-1/(2 p))``, which cannot be improved: the proof ends with risks that attain this.

    Complexity: O(K N) time and memory for K rows of N widths.

    References
    ----------
    Derived (proof: p-norm-purity).

    Examples
    --------
    >>> u = PNorm([0.5, 0.5], p=2)
    >>> p_norm_purity([0.125, 0.0], scalarization=u, value=1.0).round(4)
    array([1.0308, 1.0308])
    >>> p_norm_purity([0.125, 0.0], scalarization=PNorm([0.5, 0.5], p=1), value=1.0)
    array([0.25, 0.25])
    """
    if not isinstance(scalarization, PNorm):
        raise InvalidInputError(f"`scalarization` must be a PNorm, got {type(scalarization).__name__}.")
    if min(scalarization.weights) == 0.0:
        raise InvalidInputError("`scalarization` must have weights > 0, got a weight of 0.")
    p = 1.0 if scalarization.n_objectives == 1 else scalarization.p
    if p == math.inf:
        raise InvalidInputError("`scalarization` must have p < inf, got inf: a maximum bounds no other objective.")
    if not isinstance(empirical, bool | np.bool_):
        raise InvalidInputError(f"`empirical` must be True or False, got {empirical!r}.")
    array = check_widths(widths, n_objectives=scalarization.n_objectives)
    level = real_array("value", value, shape="(...)", min_ndim=0)
    if (level < 0.0).any():
        raise InvalidInputError(f"`value` must be >= 0 everywhere, got {level.min():g}.")
    vacuous = np.isinf(array).any(axis=-1)
    width = scalarization.width(np.where(np.isinf(array), 0.0, array))
    try:
        np.broadcast_shapes(level.shape, width.shape)
    except ValueError:
        raise InvalidInputError(
            f"`value` must be one number, or one for each of {width.shape} rows of widths, got shape {level.shape}."
        ) from None
    low = np.maximum(level - width, 0.0) if empirical else level
    # high - low, without a difference of close numbers.
    step = np.minimum(2.0 * width, level + width) if empirical else 2.0 * width
    total = np.where(vacuous, np.inf, _power_difference(low, step, p))
    bound: FloatArray = total[..., np.newaxis] / np.array(scalarization.weights)
    return bound


def _power_difference(low: FloatArray, step: FloatArray, p: float) -> FloatArray:
    """Return ``((low + step)^p - low^p)^(1/p)``, where no power overflows and small steps lose no digits."""
    if p == 1.0:
        return np.broadcast_to(step, np.broadcast_shapes(low.shape, step.shape)).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = step / low
        root = (-np.expm1(-p * np.log1p(ratio))) ** (1.0 / p)
        # Where the ratio underflows its p-th root need not: 1 - (1 + x)^(-p) <= min(1, p x).
        tiny = np.exp(np.minimum(0.0, math.log(p) + np.log(step) - np.log(low)) / p)
        root = np.where(ratio < 1e-290, tiny, root)
        result: FloatArray = np.where(step > 0.0, (low + step) * np.where(low > 0.0, root, 1.0), 0.0)
    return result
