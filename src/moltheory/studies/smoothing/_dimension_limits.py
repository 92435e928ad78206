r"""The curse of dimension of input-dependent noise: how little sigma may change if anything is to be certified.

Already at distance zero a ball that has probability p under noise :math:`\sigma_0` has probability 1/2 or more under a
smaller noise :math:`\sigma_1`, unless

.. math:: \frac{\sigma_1}{\sigma_0} > \sqrt{\frac{Q(p; N)}{Q(1/2; N)}},

Q being the quantile of the chi-square law, and then at any distance (proof: study-noise-balls). As N grows this tends to 1.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_choice, check_count, check_fraction, check_real, real_array
from moltheory.errors import InvalidInputError
from moltheory.studies.smoothing._certificates import certified_radius
from moltheory.studies.smoothing._noncentral import offset_quantile

__all__ = ["approximate_radius", "check_design", "largest_radius", "smallest_ratio"]

_KINDS = ("exact", "chernoff", "simplified")


def smallest_ratio(p_other: npt.ArrayLike, /, *, dimension: int, kind: str = "exact") -> FloatArray:
    r"""Return the ratio sigma1/sigma0 in [0, 1) below which nothing can be certified, at any distance; p_other < 1/2.

    Of `kind` "exact", from the quantiles; "chernoff", the square root of the root t of
    :math:`\log t + 1 - t = 2 \log(p)/N`; or "simplified", :math:`\sqrt{1 - 2\sqrt{-\log(p)/N}}` (0 where that is not
    real). The last two, derived from Chernoff's bound (proof: study-noise-balls), are smaller: below them the
    certificate fails for sure.
    """
    check_choice("kind", kind, _KINDS)
    n = check_count("dimension", dimension)
    p = real_array("p_other", p_other, shape="(...)", min_ndim=0)
    if not ((p > 0) & (p < 0.5)).all():
        raise InvalidInputError("`p_other` must lie in (0, 0.5) everywhere, got a value outside.")
    budget = -np.log(p) / n
    if kind == "simplified":
        return np.asarray(np.sqrt(np.maximum(1.0 - 2.0 * np.sqrt(budget), 0.0)))
    if kind == "exact":
        logs = np.append(np.log(p).ravel(), math.log(0.5))
        _, quantiles = offset_quantile(n, np.zeros_like(logs), logs, True)
        return np.asarray(np.sqrt(quantiles[:-1] / quantiles[-1]).reshape(p.shape))
    # In log t the left side is concave and increasing: from the left of the root Newton's rule comes up to it.
    log_t = -2.0 * budget - 1.0
    for _ in range(100):
        t = np.exp(log_t)
        step = (log_t + 1.0 - t + 2.0 * budget) / np.where(t < 1.0, 1.0 - t, 1.0)
        log_t = np.where(np.abs(step) > 0, log_t - step, log_t)
        if (np.abs(step) <= 1e-15 * np.abs(log_t)).all():
            break
    return np.asarray(np.exp(0.5 * log_t))


def approximate_radius(p_other: npt.ArrayLike, /, *, sigma: npt.ArrayLike, rate: float, dimension: int) -> FloatArray:
    r"""Return an approximate certified radius: that of constant noise over :math:`\sqrt{1 + 2 N r^2 \sigma^2}`.

    Within about 1.7 % while r times the radius is at most 0.05, and 7 % while it is at most 0.2, for N >= 64 (found on
    a grid; 3 % and 10 % in two dimensions at p = 0.4); not a certificate. Derived as the limit of many dimensions N
    where :math:`N r^2 \sigma^2` stays the same (proof: study-noise-balls).
    """
    constant = certified_radius(p_other, sigma=sigma, dimension=dimension)
    r, s = check_real("rate", rate, low=0.0), np.asarray(sigma, dtype=np.float64)
    return np.asarray(constant / np.sqrt(1.0 + 2.0 * dimension * np.square(r * s)))


def largest_radius(sigma: npt.ArrayLike, /, *, rate: float, dimension: int, n: int, alpha: float) -> FloatArray:
    """Return the radius that n equal votes certify, the largest that this design can certify; 0 if n is too small.

    Arguments as for `certified_radius`; each certificate fails with probability alpha at most.
    """
    # Clopper and Pearson at no errors: (1 - p)^n = alpha.
    p = -math.expm1(math.log(check_fraction("alpha", alpha)) / check_count("n", n))
    return certified_radius(p, sigma=sigma, rate=rate, dimension=dimension)


def check_design(
    sigma: npt.ArrayLike, /, *, rate: float, dimension: int, n: int, alpha: float, least_radius: float | None = None
) -> None:
    """Refuse a design of the noise that cannot certify anything, before any vote is taken.

    The smallest radius worth having is >= 0, by default 1 % of what constant noise certifies. Refused is a design of
    too few votes, or one under which, by the curse of dimension, n equal votes certify less than that at every point.
    """
    enough = math.floor(math.log(check_fraction("alpha", alpha)) / math.log(0.5)) + 1
    if check_count("n", n) < enough:
        raise InvalidInputError(
            f"`n` must be at least {enough} at alpha = {alpha:g}, since fewer votes certify nothing even if all are "
            f"equal, got {n}."
        )
    best = float(largest_radius(sigma, rate=rate, dimension=dimension, n=n, alpha=alpha).max())
    constant = float(largest_radius(sigma, rate=0.0, dimension=dimension, n=n, alpha=alpha).max())
    least = 0.01 * constant if least_radius is None else check_real("least_radius", least_radius, low=0.0)
    if best >= least:
        return
    if constant < least:
        raise InvalidInputError(
            f"`sigma` must let some radius of {least:.3g} or more be certified, got at most {constant:.3g} from {n} equal "
            f"votes even if sigma were constant: larger sigma or more votes certify more."
        )
    p = -math.expm1(math.log(alpha) / n)
    ratio = float(smallest_ratio(p, dimension=dimension))
    raise InvalidInputError(
        f"`rate` must let some radius of {least:.3g} or more be certified, got {rate:g}: in {dimension} dimensions {n} "
        f"equal votes certify nothing where sigma falls below {ratio:.4f} of itself, so no radius is above {best:.3g}."
    )
