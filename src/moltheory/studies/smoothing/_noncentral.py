r"""Tails and quantiles of the noncentral chi-square law, to full relative accuracy wherever smoothing needs them.

With :math:`g(\tau) = \frac{2\lambda\tau^2}{1-2\tau} - \frac N2\log(1-2\tau) - \tau\eta` and :math:`x = \lambda + \eta`,

.. math:: P(X > x) = \frac{1}{2\pi i}\int_{\tau_0 - i\infty}^{\tau_0 + i\infty} \frac{e^{g(\tau)}}{\tau}\,d\tau,
   \qquad 0 < \tau_0 < \tfrac12,

and the same with the opposite sign is P(X <= x) for :math:`\tau_0 < 0`. The line is bent into the parabola that touches
the path of steepest descent, and the trapezoid rule on it converges exponentially (S. O. Rice, 1980, SIAM
Journal on Scientific and Statistical Computing 1; the contour is derived; proof: study-contour). Values are written as an
offset :math:`\eta` from the noncentrality :math:`\lambda`: no digits are lost however large :math:`\lambda` is.

SciPy's ``ncx2`` agrees to 1e-10 for noncentralities up to 1e10 and serves as the reference of the tests. The
certificates do not call it: its time grows with the noncentrality (30 microseconds per value at 1e4, 365 at 1e6, against
5 here), tails below about 1e-200 come back as 0, and above 1e11 it is wrong without a warning.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count, real_array
from moltheory.errors import InvalidInputError

__all__ = [
    "columns",
    "noncentral_quantile",
    "noncentral_tails",
    "not_negative",
    "offset_median",
    "offset_quantile",
    "offset_tails",
]

# Step in standard deviations and number of nodes, below and from _LARGE degrees of freedom on: errors below 1e-11.
_LARGE = 64
_RULES = ((0.13, 76), (0.2, 46))
# How near to the pole at zero, in standard deviations, the contour may pass.
_CLEAR = 1.0
_BLOCK = 2048
_STEPS = 100


def offset_tails(
    dimension: int, noncentrality: FloatArray, offset: FloatArray, values: FloatArray | None = None, /
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return log P(X <= x), log P(X > x) and the density at x = noncentrality + offset; 1-d arrays, not checked.

    `values` are x, for offsets that have lost their digits because x is small beside the noncentrality.
    """
    size = len(offset)
    x = noncentrality + offset if values is None else values
    found = np.empty((3, size))
    for start in range(0, size, _BLOCK):
        part = slice(start, start + _BLOCK)
        found[:, part] = _contour(float(dimension), noncentrality[part], offset[part], x[part])
    return found[0], found[1], found[2]


def _contour(n: float, nc: FloatArray, eta: FloatArray, x: FloatArray) -> FloatArray:
    step, nodes = _RULES[int(n >= _LARGE)]
    outside = x <= 0.0
    x = np.where(outside, 1.0, x)
    eta = np.where(outside, 1.0 - nc, eta)
    # The saddle point: g = 1/(1 - 2 tau) is 1 + e; e is free of cancellation for x near the mean, g for x near zero.
    b, d = 2.0 * nc + n, eta - n
    e = 2.0 * d / (b + np.sqrt(np.maximum(b * b + 4.0 * nc * d, 0.0)))
    g = np.where(e < -0.5, 2.0 * x / (n + np.sqrt(n * n + 4.0 * nc * x)), 1.0 + e)
    tau = np.where(e < -0.5, g - 1.0, e) / (2.0 * g)
    spread = np.sqrt(2.0 * n + 4.0 * nc)
    near = (tau * spread > -_CLEAR) & (tau < np.minimum(_CLEAR / spread, 0.25))
    tau = np.where(near, -_CLEAR / spread, tau)
    g = 1.0 / (1.0 - 2.0 * tau)
    second = 4.0 * nc * g**3 + 2.0 * n * g**2
    bend = (24.0 * nc * g**4 + 8.0 * n * g**3) / (6.0 * second)
    width = 1.0 / np.sqrt(second)
    v = width[:, None] * ((np.arange(nodes) + 0.5) * step)
    real = tau[:, None] + bend[:, None] * v * v
    t = real + 1j * v
    log = 0.5 * np.log1p(-4.0 * real + 4.0 * (real * real + v * v)) + 1j * np.arctan2(-2.0 * v, 1.0 - 2.0 * real)
    # Two ways to write nc tau/(1 - 2 tau) - tau x, each exact where it is used.
    offsets = tau > -0.5
    square, single = np.where(offsets, 2.0 * nc, 0.0), np.where(offsets, 0.0, nc)
    shift = np.where(offsets, eta, x)
    at_saddle = tau * ((square * tau + single) * g - shift) - 0.5 * n * np.log1p(-2.0 * tau)
    exponent = t * ((square[:, None] * t + single[:, None]) / (1.0 - 2.0 * t) - shift[:, None]) - 0.5 * n * log
    exponent -= at_saddle[:, None]
    values = np.exp(exponent) * (1j + 2.0 * bend[:, None] * v)
    scale = step * width / np.pi
    tail = np.abs((values / t).imag.sum(axis=1)) * scale
    with np.errstate(divide="ignore", under="ignore", over="ignore", invalid="ignore"):
        log_tail = np.minimum(np.log(tail) + at_saddle, 0.0)
        log_tail = np.where(outside, -np.inf, log_tail)
        other = np.log1p(-np.exp(log_tail))
        density = np.where(outside, 0.0, np.exp(at_saddle) * values.imag.sum(axis=1) * scale)
    upper = (tau > 0) & ~outside
    return np.stack([np.where(upper, other, log_tail), np.where(upper, log_tail, other), density])


def offset_median(dimension: int, noncentrality: FloatArray, /) -> FloatArray:
    """Return the median less the noncentrality; a 1-d array, not checked."""
    nc, n = noncentrality, float(dimension)
    spread = np.sqrt(2.0 * n + 4.0 * nc)
    eta = n - (8.0 * n + 24.0 * nc) / (6.0 * spread**2)
    for _ in range(_STEPS):
        low, _, density = offset_tails(dimension, nc, eta)
        step = (0.5 - np.exp(low)) / density
        # Never below zero.
        eta = np.maximum(eta + step, 0.5 * (eta - nc))
        # Newton's rule squares the error, so the next step would be rounding.
        if (np.abs(step) <= 1e-8 * spread).all():
            break
    return np.asarray(eta)


def offset_quantile(
    dimension: int, noncentrality: FloatArray, log_p: FloatArray, lower: bool, /
) -> tuple[FloatArray, FloatArray]:
    """Return x where log P(X <= x) (or log P(X > x)) is `log_p`, less the noncentrality and as it is; not checked."""
    from scipy.special import ndtri_exp

    nc, n = noncentrality, float(dimension)
    spread = np.sqrt(2.0 * n + 4.0 * nc)
    # L. Birgé (2001): outside these ends there is less than exp(-t) on either side.
    t = np.maximum(-log_p, -np.log(-np.expm1(log_p))) + 1.0
    left = np.maximum(n - np.sqrt(2.0 * t) * spread, -nc)
    right = n + np.sqrt(2.0 * t) * spread + 2.0 * t
    z = ndtri_exp(log_p) if lower else -ndtri_exp(log_p)
    eta = n + z * spread + (8.0 * n + 24.0 * nc) * (z * z - 1.0) / (6.0 * spread**2)
    x = nc + eta
    # Far below the mean in logarithms of x, where the offset would lose its digits.
    small = 0.01 * (nc + n)
    index = 0 if lower else 1
    at_small = offset_tails(dimension, nc, small - nc, small)[index]
    logs = (at_small >= log_p) if lower else (at_small <= log_p)
    left, right = np.where(logs, -700.0, left), np.where(logs, np.log(small), right)
    u = np.where(logs, right, eta)
    u = np.where((u >= left) & (u <= right), u, 0.5 * (left + right))
    for _ in range(_STEPS):
        x = np.where(logs, np.exp(np.where(logs, u, 0.0)), nc + u)
        eta = np.where(logs, x - nc, u)
        found = offset_tails(dimension, nc, eta, x)
        here = found[index]
        below = (here < log_p) if lower else (here > log_p)
        left, right = np.where(below, u, left), np.where(below, right, u)
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            slope = found[2] * np.exp(-here) * np.where(logs, x, 1.0) * (1.0 if lower else -1.0)
            new = u + (log_p - here) / slope
        inside = (new >= left) & (new <= right) & np.isfinite(new)
        new = np.where(inside, new, 0.5 * (left + right))
        change, u = np.abs(new - u), new
        # Newton's rule squares the error, so the next step would be rounding.
        if (change <= 1e-7 * np.where(logs, 1.0, np.minimum(spread, nc + np.abs(u)))).all():
            break
    x = np.where(logs, np.exp(np.where(logs, u, 0.0)), nc + u)
    return np.where(logs, x - nc, u), x


def noncentral_tails(
    values: npt.ArrayLike, /, *, dimension: int, noncentrality: npt.ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Return P(X <= x) and P(X > x) of the noncentral chi-square law, each to a relative 1e-11 or so.

    Of finite values x and noncentralities >= 0, broadcast, such that x - noncentrality keeps its digits.
    """
    n, (x, nc) = check_count("dimension", dimension), columns(values=values, noncentrality=noncentrality)
    not_negative("noncentrality", nc)
    low, high, _ = offset_tails(n, nc.ravel(), (x - nc).ravel(), x.ravel())
    return np.exp(low).reshape(x.shape), np.exp(high).reshape(x.shape)


def noncentral_quantile(
    p: npt.ArrayLike, /, *, dimension: int, noncentrality: npt.ArrayLike, upper: bool = False
) -> FloatArray:
    """Return the x with P(X <= x) = p in (0, 1), or P(X > x) = p if `upper`, of the noncentral chi-square law."""
    n, (chance, nc) = check_count("dimension", dimension), columns(p=p, noncentrality=noncentrality)
    if not ((chance > 0) & (chance < 1)).all():
        raise InvalidInputError("`p` must lie in (0, 1) everywhere, got a value outside.")
    not_negative("noncentrality", nc)
    _, x = offset_quantile(n, nc.ravel(), np.log(chance).ravel(), not upper)
    return np.asarray(x.reshape(nc.shape))


def columns(**given: npt.ArrayLike) -> tuple[FloatArray, ...]:
    """Return real arrays of one shape, or refuse the last one by name."""
    arrays = {name: real_array(name, value, shape="(...)", min_ndim=0) for name, value in given.items()}
    try:
        return np.broadcast_arrays(*arrays.values())
    except ValueError:
        first, *rest = arrays
        raise InvalidInputError(
            f"`{rest[-1]}` must broadcast with `{first}` of shape {arrays[first].shape}, got {arrays[rest[-1]].shape}."
        ) from None


def not_negative(name: str, values: FloatArray, *, strict: bool = False) -> None:
    """Refuse negative values, and zeros if `strict`."""
    if not (values > 0 if strict else values >= 0).all():
        raise InvalidInputError(
            f"`{name}` must be {'>' if strict else '>='} 0 everywhere, got {float(values.min()):g}."
        )
