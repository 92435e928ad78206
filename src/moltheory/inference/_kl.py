"""Inverses of the binary relative entropy kl(p, q) = p log(p/q) + (1-p) log((1-p)/(1-q)).

With t = q - p, kl(p, q) = p e(t/p) + (1-p) e(-t/(1-p)) where e(x) = x - log(1 + x) >= 0: a sum of nonnegative
terms, free of cancellation when e is. We solve for u = log((1-p)/(1-q)), in which kl is convex and increasing
with rational derivatives; both q and 1-q are then read off with a small relative error. The lower inverse is
the upper one of the reflected problem.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_choice, real_array
from moltheory.errors import InvalidInputError

__all__ = ["kl_inverse", "upper_kl_inverse"]

# From here on compiled code saves more than loading it costs.
_COMPILED_FROM = 50_000


def kl_inverse(
    p: npt.ArrayLike,
    budget: npt.ArrayLike,
    /,
    *,
    side: str = "upper",
    complement: bool = False,
) -> npt.NDArray[np.float64]:
    r"""Inverse of the binary relative entropy: the largest q >= p, or smallest q <= p, with :math:`kl(p, q) \le` budget.

    Parameters
    ----------
    p : (...) array_like
        Empirical means in [0, 1].
    budget : (...) array_like
        Nonnegative budgets, for example log(1/delta)/n; broadcast against `p`.
    side : {"upper", "lower"}, default "upper"
    complement : bool, default False
        Return 1 - q, accurate also where q rounds to 1.

    Returns
    -------
    (...) ndarray
        Values in [0, 1], with a relative error below 1e-12 for budgets from 1e-16 to 50 (not rounded outward).

    Raises
    ------
    InvalidInputError
        If p is outside [0, 1], a budget is negative or NaN, or the shapes do not broadcast.

    Notes
    -----
    Householder steps of order four, safeguarded by Newton's (global on a convex function); one to three of
    them, O(1) each. Compiled for large inputs, where steps near p take no logarithm.

    Complexity: O(k) time and memory for k means.

    References
    ----------
    The Chernoff bound it inverts: W. Hoeffding (1963), doi 10.1080/01621459.1963.10500830, theorem 1. The
    parametrization: derived (proof: kl-parametrization).

    Examples
    --------
    >>> kl_inverse([0.0, 0.1], 0.03).round(6)
    array([0.029554, 0.188903])
    >>> bool(kl_inverse(0.0, 50.0, complement=True) == np.exp(-50.0))
    True
    """
    check_choice("side", side, ("upper", "lower"))
    means = real_array("p", p, shape="(...)", min_ndim=0)
    budgets = real_array("budget", budget, shape="(...)", min_ndim=0, finite=False)
    if means.min() < 0.0 or means.max() > 1.0:
        found = means.min() if means.min() < 0.0 else means.max()
        raise InvalidInputError(f"`p` must lie in [0, 1], got {found!r}.")
    if budgets.min() < 0.0:
        raise InvalidInputError(f"`budget` must be >= 0, got {float(budgets.min())!r}.")
    try:
        np.broadcast_shapes(means.shape, budgets.shape)
    except ValueError:
        raise InvalidInputError(
            f"`budget` must broadcast with `p` of shape {means.shape}, got {budgets.shape}."
        ) from None
    upper = side == "upper"
    ends = upper_kl_inverse(means, 1.0 - means, budgets) if upper else upper_kl_inverse(1.0 - means, means, budgets)
    return ends[upper == complement]


def upper_kl_inverse(p: FloatArray, rest: FloatArray, budget: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the upper inverse q and 1 - q for means p with rest = 1 - p, broadcast; arguments not checked."""
    p, rest, budget = np.broadcast_arrays(p, rest, budget)
    shape = p.shape
    flat = [np.ascontiguousarray(array, dtype=np.float64).ravel() for array in (p, rest, budget)]
    if p.size < _COMPILED_FROM:
        value, left = _invert(*flat)
    else:
        from moltheory.inference._kernels import invert_kl

        value, left = np.empty(p.size), np.empty(p.size)
        invert_kl(*flat, value, left)
    return value.reshape(shape), left.reshape(shape)


def _excess(x: FloatArray, logarithm: FloatArray) -> FloatArray:
    """Return x - log(1 + x) given that logarithm, without cancellation near 0."""
    r = np.clip(x, -0.2, 0.2)
    r = r / (2.0 + r)
    s = r * r
    series = np.zeros_like(s)
    for odd in (17, 15, 13, 11, 9, 7, 5, 3):
        series = series * s + 1.0 / odd
    near = np.abs(x) <= 0.2
    return np.where(near, r * (x - 2.0 * s * series), x - logarithm)


def _invert(p: FloatArray, rest: FloatArray, budget: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the upper inverse and its complement; the steps and cases of the compiled kernel, all at once."""
    full = budget >= 750.0 * rest
    value, left = np.where(full, 1.0, p), np.where(full, 0.0, rest)
    inner = ~full & (budget > 1e-34 * np.minimum(p, rest))
    # Means below 1e-290 count as zero, before ratios to them overflow.
    zero, where = inner & (p < 1e-290), inner & (p >= 1e-290)
    value[zero], left[zero] = np.maximum(-np.expm1(-budget[zero]), p[zero]), np.exp(-budget[zero])
    if not where.any():
        return value, left
    a, b, c = p[where], rest[where], budget[where]
    tail, small = b, b < 1e-60
    b, c = np.where(small, 1e-60, b), np.where(small, c / b * 1e-60, c)
    with np.errstate(all="ignore"):
        u = _guess(a, b, c)
        low, high = np.zeros_like(u), np.full_like(u, np.inf)
        for _ in range(60):
            y = np.expm1(-u)
            t = -b * y
            q, x = a + t, t / a
            f = a * _excess(x, np.log1p(x)) + b * _excess(y, -u) - c
            high, low = np.where(f > 0.0, u, high), np.where(f > 0.0, low, u)
            d1 = t / q
            d2 = a * (b + b * y) / (q * q)
            d3 = -d2 * (2.0 - q) / q
            newton = f / d1
            r2, r3 = 0.5 * d2 / d1, d3 / (6.0 * d1)
            step: Any = newton * (1.0 - r2 * newton) / (1.0 - 2.0 * r2 * newton + r3 * newton * newton)
            inside = (low < u - step) & (u - step < high)
            step = np.where(inside, step, newton)
            u = u - step
            if (np.abs(step) <= 1e-5 * np.minimum(u, 1.0)).all():
                break
        value[where], left[where] = np.minimum(a - b * np.expm1(-u), 1.0), tail * np.exp(-u)
    return value, left


def _guess(a: FloatArray, b: FloatArray, c: FloatArray) -> FloatArray:
    """Return u from kl(p, p + t) ~ t^2 / (2 (p + 2t/3)(1 - p - 2t/3)), or its asymptote where q nears 1."""
    half, lead = (2.0 / 3.0) * c * (b - a), 1.0 + (8.0 / 9.0) * c
    root = np.sqrt(half * half + 2.0 * lead * c * a * b)
    t = np.where(half >= 0.0, (half + root) / lead, 2.0 * c * a * b / (root - half))
    asymptote = (c - a * np.log(a) - b * np.log(b)) / b
    return np.where(t < 0.9 * b, -np.log1p(-np.minimum(t / b, 0.9)), asymptote)
