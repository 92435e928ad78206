r"""Certificates of smoothed classifiers, for noise of constant and of input-dependent standard deviation.

Let :math:`\sigma_0` be the standard deviation of the noise at a point x and :math:`\sigma_1` that at distance a. By the
lemma of Neyman and Pearson the worst classifier errs on a ball around a point of the line through both (outside of one, if
:math:`\sigma_1 > \sigma_0`), so that probabilities are those of the noncentral chi-square law. In units of
:math:`\sigma_0`, with :math:`q = \sigma_1^2/\sigma_0^2`, the noncentralities are :math:`a^2/(1-q)^2` at x and
:math:`q a^2/(1-q)^2` there, and a ball of offset :math:`\eta_1` there has at x the offset (derived;
proof: study-noise-balls)

.. math:: \eta_0 = q \eta_1 - a^2 \frac{1+q}{1-q}.

Nothing here cancels as q tends to 1: the Gaussian certificate is the limit, and no switch to it is needed.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count, check_real
from moltheory.errors import InvalidInputError
from moltheory.studies.smoothing._noncentral import columns, not_negative, offset_median, offset_quantile, offset_tails

__all__ = ["certifiable_probability", "certified_radius", "worst_probability"]

# A sigma that is r-semi-elastic is so for every larger r too: raising r to this over sigma is conservative, and keeps
# 1/r finite. The radius shrinks by a relative N 1e-18 at most.
_LEAST_RATE = 1e-9
# Decisions allow for this relative error of probabilities, a hundred times what tests find.
_MARGIN = 1e-9
_WIDTH = 1e-8
_STEPS = 200


def worst_probability(
    p_other: npt.ArrayLike, /, *, distance: npt.ArrayLike, sigma0: npt.ArrayLike, sigma1: npt.ArrayLike, dimension: int
) -> FloatArray:
    r"""Return :math:`\xi`, the largest probability that the other classes can have at a distance; below 1/2 certifies.

    All arguments broadcast: `p_other` in (0, 1) of all other classes together at the point, the Euclidean distance >
    0, and the standard deviations > 0 at the point and there. P. Súkeník, A. Kuvshinov, S. Günnemann (2022), arXiv
    2110.05365; J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv 1902.02918, for equal standard deviations.
    """
    from scipy.special import log_ndtr, ndtri_exp

    n = check_count("dimension", dimension)
    p, a, s0, s1 = columns(p_other=p_other, distance=distance, sigma0=sigma0, sigma1=sigma1)
    if not ((p > 0) & (p < 1)).all():
        raise InvalidInputError("`p_other` must lie in (0, 1) everywhere, got a value outside.")
    for name, one in (("distance", a), ("sigma0", s0), ("sigma1", s1)):
        not_negative(name, one, strict=True)
    shape = p.shape
    log_p, a, double = np.log(p).ravel(), (a / s0).ravel(), 2.0 * np.log(s1 / s0).ravel()
    # The ratio of two nearby numbers is exact enough, its logarithm not: see log1p.
    close = np.abs(double) < 0.5
    double = np.where(close, 2.0 * np.log1p(((s1 - s0) / s0).ravel()), double)
    found = log_ndtr(ndtri_exp(log_p) + a)
    for shrinking in (True, False):
        some = np.flatnonzero(double < 0 if shrinking else double > 0)
        if not some.size:
            continue
        q, gap, here, there = _geometry(a[some], double[some])
        eta, x = offset_quantile(n, here, log_p[some], shrinking)
        low, high, _ = offset_tails(n, there, (eta + gap) / q, x / q)
        found[some] = low if shrinking else high
    return np.asarray(np.exp(found).reshape(shape))


def certifiable_probability(
    distance: npt.ArrayLike, /, *, sigma: npt.ArrayLike, rate: float, dimension: int
) -> FloatArray:
    """Return the probability of the other classes, in [0, 1/2], below which predictions are certified at a distance.

    Arguments as for `certified_radius`; it decreases in the distance, in the rate and in the dimension.
    `worst_probability` is below 1/2 exactly if `p_other` is below this, at both ends exp(-r a) and exp(r a): the ball
    of probability 1/2 at the distance is carried back to the point, which takes one median and no quantile.
    """
    n, r = check_count("dimension", dimension), check_real("rate", rate, low=0.0)
    a, s = columns(distance=distance, sigma=sigma)
    not_negative("sigma", s, strict=True)
    not_negative("distance", a)
    logs = np.full(a.size, np.log(0.5))
    some = np.flatnonzero(a.ravel() > 0)
    scaled = s.ravel()[some]
    logs[some] = _log_threshold(n, a.ravel()[some] / scaled, r * scaled)
    return np.asarray(np.exp(logs).reshape(a.shape))


def certified_radius(
    p_other: npt.ArrayLike, /, *, sigma: npt.ArrayLike, rate: float = 0.0, dimension: int
) -> FloatArray:
    r"""Return the certified radii: the largest distances at which the prediction cannot change.

    Parameters
    ----------
    p_other : (...) array_like
        Upper bound on the probability of all other classes together, in (0, 1]; 1/2 or more certifies nothing.
    sigma : (...) array_like
        Standard deviation of the noise at the point, > 0; broadcast against `p_other`.
    rate : float, default 0
        r >= 0 such that sigma changes by a factor of at most exp(r a) at distance a; 0 is constant noise.
    dimension : int
        N >= 1, of the inputs.

    Returns
    -------
    (...) ndarray
        >= 0, within a relative 1e-8 of the largest a whose :math:`\xi` is below 1/2 at both ends, and never above it.

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule.

    Notes
    -----
    That :math:`\xi` grows with the distance, and that no standard deviation between both ends is worse than they are,
    are theorems of the paper; tests check them. A bracket is halved or cut by secants until both ends agree; what is
    returned was found certifiable, with a margin for the error of the probabilities. Constant noise is in closed form:
    :math:`-\sigma \Phi^{-1}(p)`.

    References
    ----------
    P. Súkeník, A. Kuvshinov, S. Günnemann (2022), arXiv 2110.05365.

    Examples
    --------
    >>> certified_radius([0.1, 0.01, 0.6], sigma=0.5, rate=0.01, dimension=784).round(5)
    array([0.62854, 1.14089, 0.     ])
    >>> certified_radius(0.1, sigma=0.5, dimension=784).round(5)
    np.float64(0.64078)
    """
    from scipy.special import ndtri

    n, r = check_count("dimension", dimension), check_real("rate", rate, low=0.0)
    p, s = columns(p_other=p_other, sigma=sigma)
    not_negative("sigma", s, strict=True)
    if not ((p > 0) & (p <= 1)).all():
        raise InvalidInputError("`p_other` must lie in (0, 1] everywhere, got a value outside.")
    shape = p.shape
    p, s = p.ravel(), s.ravel()
    found = np.zeros(p.size)
    some = np.flatnonzero(p < 0.5)
    if some.size:
        constant = -ndtri(p[some])
        scaled = constant if r == 0.0 else _largest(n, p[some], r * s[some], constant)
        found[some] = scaled * s[some]
    return found.reshape(shape)


def _largest(n: int, p: FloatArray, rate: FloatArray, constant: FloatArray) -> FloatArray:
    """Largest distances in units of sigma, none above those of constant noise."""
    from scipy.special import ndtri_exp

    low, high = np.zeros(p.size), constant.copy()
    # Negative probits of thresholds: all but linear in the distance, zero at distance zero.
    wanted = constant
    at_low, at_high = -wanted, np.full(p.size, np.nan)
    x = high / np.sqrt(1.0 + 2.0 * n * np.maximum(rate, _LEAST_RATE) ** 2)
    x = np.minimum(x, high * (1.0 - _WIDTH / 4.0))
    active = np.arange(p.size)
    checked = high - low
    for step in range(_STEPS):
        here = x[active]
        value = -ndtri_exp(_log_threshold(n, here, rate[active]) + np.log1p(-_MARGIN)) - wanted[active]
        ok = value < 0.0
        low[active[ok]], high[active[~ok]] = here[ok], here[~ok]
        # Illinois: an end that stays is trusted half as much.
        stays_high, stays_low = active[ok], active[~ok]
        at_low[stays_high], at_high[stays_low] = value[ok], value[~ok]
        at_high[stays_high] *= 0.5
        at_low[stays_low] *= 0.5
        active = active[high[active] - low[active] > _WIDTH * high[active]]
        if not active.size:
            break
        lo, hi, f, g = low[active], high[active], at_low[active], at_high[active]
        # Without a value at the upper end: a line through zero distance.
        slope = np.where(np.isnan(g), (f + wanted[active]) / np.where(lo > 0, lo, 1.0), (g - f) / (hi - lo))
        new = lo - f / np.where(slope > 0, slope, 1.0)
        new = np.where((slope > 0) & np.isfinite(new), new, 0.5 * (lo + hi))
        if step % 3 == 2:
            slow = hi - lo > 0.5 * checked[active]
            new = np.where(slow, 0.5 * (lo + hi), new)
            checked[active] = hi - lo
        inset = _WIDTH / 4.0 * hi
        x[active] = np.clip(new, lo + inset, hi - inset)
    return low


def _log_threshold(n: int, a: FloatArray, rate: FloatArray) -> FloatArray:
    """Log of the certifiable probability at distances a > 0 in units of sigma; rate is r sigma."""
    from scipy.special import log_ndtr

    worst = np.asarray(log_ndtr(-a))
    some = np.flatnonzero(rate > 0.0)
    if not some.size:
        return worst
    a, change = a[some], 2.0 * np.maximum(rate[some], _LEAST_RATE) * a[some]
    for sign in (-1.0, 1.0):
        # exp(2 r a) overflows long after nothing is certifiable any more.
        q, gap, here, there = _geometry(a, np.clip(sign * change, -300.0, 300.0))
        median = offset_median(n, there)
        logs = offset_tails(n, here, q * median - gap, q * (there + median))[0 if sign < 0 else 1]
        worst[some] = np.minimum(worst[some], logs)
    return worst


def _geometry(a: FloatArray, double: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Ratio q of variances from its logarithm, the shift between offsets, and both noncentralities."""
    q = np.exp(double)
    ratio = a / -np.expm1(double)
    return q, a * ratio * (1.0 + q), ratio**2, q * ratio**2
