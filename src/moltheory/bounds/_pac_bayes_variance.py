"""PAC-Bayes bounds that shrink with the variance or the second moment of the losses: two Bernstein inequalities."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_real
from moltheory.bounds._bound import Bound
from moltheory.bounds._pac_bayes_parts import Statistics, kl_moment, read_bounded, read_statistics
from moltheory.inference._kl import kl_inverse

__all__ = ["pac_bayes_empirical_bernstein", "pac_bayes_unexpected_bernstein"]


@document
def pac_bayes_empirical_bernstein(
    risks: npt.ArrayLike,
    variances: npt.ArrayLike,
    n: int | npt.ArrayLike,
    /,
    *,
    divergence: float | npt.ArrayLike,
    delta: float,
) -> Bound:
    r"""Lower and upper bounds on the true risk of a randomised hypothesis that shrink with its empirical variance.

    With probability at least 1 - delta, for all posteriors Q and objectives at once, K being their divergence:
    :math:`|L_i(Q) - \hat L_i(Q)| \le \min_\eta\; \sigma_i^2 (e^\eta - 1 - \eta)/\eta + (K + \log(3 k_i N'/\delta)) /
    (\eta n_i)` over the grid :math:`\eta = 1, 1/2, \dots, 2^{1-k_i}`, where :math:`2\sigma_i^2` is the largest number
    with :math:`m_i\, kl(2 \hat V_i(Q) \| 2\sigma_i^2) \le K + \log(3 \xi(m_i) N'/\delta)`, at most 1/2, and
    :math:`m_i = \lfloor n_i / 2 \rfloor`.

    Parameters
    ----------
    {pac_risks}
    variances : (..., N) array_like
        Mean under Q of the unbiased sample variance (divided by n - 1) of each hypothesis's losses.
    n : int or (N,) array_like
        Sample size, >= 2; ``inf`` marks a data-independent objective, which has width 0 and is not counted.
    {pac_divergence}
    {delta}

    {pac_returns}

    {raises}

    Notes
    -----
    A third of delta is spent on the variance and a third on either side. :math:`k_i` is the smallest number >= 1 with
    :math:`2^{1-k_i} \le \sqrt{8 \log(3N'/\delta)/n_i}`: it depends on neither the losses nor Q, and where it jumps the
    bound is not monotone in n and delta. The variance is read through :math:`m_i` disjoint pairs, averaged over all ways
    of pairing: no grid is needed for it, and xi is `pac_bayes_constant`. Derived, with the two steps of the
    source (proof: pac-bayes-empirical-bernstein).

    Complexity: O(k N log n) time and O(k N) memory for k posteriors.

    References
    ----------
    I. Tolstikhin and Y. Seldin, "PAC-Bayes-empirical-Bernstein inequality", NeurIPS 2013: the two steps, with other
    constants.

    Examples
    --------
    >>> pac_bayes_empirical_bernstein([0.5], [0.001], 1000, divergence=5.0, delta=0.05).upper
    array([0.521...])
    """
    found = read_statistics(risks, n, divergence, delta, low=2)
    sizes = found.finite_sizes
    inside = np.clip(found.risks, 0.0, 1.0)
    spread = read_bounded("variances", variances, found, np.zeros(1), sizes / (sizes - 1) * inside * (1 - inside))
    log_union = found.log_union + math.log(3.0)
    pairs = np.floor(sizes / 2.0)
    budget = (found.divergence + np.log([kl_moment(m) for m in pairs.tolist()]) + log_union) / pairs
    # Losses in [0, 1] have a variance of at most 1/4.
    variance = np.minimum(kl_inverse(np.clip(2.0 * spread, 0.0, 1.0), budget, side="upper") / 2.0, 0.25)
    steps = np.maximum(np.ceil(np.log2(np.sqrt(sizes / (8.0 * log_union)))), 0.0) + 1.0
    width = np.full(variance.shape, np.inf)
    for j in range(int(steps.max())):
        rate = 0.5**j
        cost = found.divergence + log_union + np.log(steps)
        terms = variance * (math.expm1(rate) - rate) / rate + cost / (rate * sizes)
        width = np.where(j < steps, np.minimum(width, terms), width)
    return found.bound(
        inside - width,
        inside + width,
        method="PAC-Bayes, empirical Bernstein",
        source="derived, after Tolstikhin and Seldin 2013, NeurIPS (proof: pac-bayes-empirical-bernstein)",
        event="for all posteriors and objectives at once: Bernstein's inequality with an upper limit of the variance",
    )


@document
def pac_bayes_unexpected_bernstein(
    risks: npt.ArrayLike,
    second_moments: npt.ArrayLike,
    n: int | npt.ArrayLike,
    /,
    *,
    divergence: float | npt.ArrayLike,
    delta: float,
    center: float = 0.0,
) -> Bound:
    r"""Lower and upper bounds on the true risk of a randomised hypothesis, from empirical second moments.

    With probability at least 1 - delta, for all posteriors Q and objectives at once, K being their divergence:
    :math:`L_i(Q) \le \hat L_i(Q) + \min_\eta\; \eta\,\vartheta(\eta b) \hat M_i(Q) + (K + \log(2 k_i N'/\delta)) /
    (\eta n_i)` with :math:`\vartheta(u) = (-\log(1-u) - u)/u^2` and b = 1 - `center`; and from below with b = `center`.

    Parameters
    ----------
    {pac_risks}
    second_moments : (..., N) array_like
        Mean :math:`\hat M` under Q of the mean of (loss - center)^2.
    {sizes}
    {pac_divergence}
    {delta}
    center : float, default 0.0
        Number in [0, 1], fixed before the data; near it losses cost little.

    {pac_returns}

    {raises}

    Notes
    -----
    The grid is :math:`\eta = 1/(2B), 1/(4B), \dots, 1/(2^k B)` with B the larger of `center` and 1 - `center`, and
    :math:`k_i = \lceil \log_2(\frac12 \sqrt{n_i/\log(2N'/\delta)}) \rceil`, at least 1: it depends on neither the losses
    nor Q, and where it jumps the bound is not monotone in n and delta. The upper end is that of the source at failure
    probability delta/(2N'); the lower one is the upper one of the losses with their sign changed
    (proof: pac-bayes-unexpected-bernstein).

    Complexity: O(k N log n) time and O(k N) memory for k posteriors.

    References
    ----------
    Z. Mhammedi, P. Grünwald and B. Guedj, "PAC-Bayes un-expected Bernstein inequality", NeurIPS 2019, arXiv 1905.13367;
    the grid: Y.-S. Wu and Y. Seldin, NeurIPS 2022, arXiv 2206.00706.

    Examples
    --------
    >>> pac_bayes_unexpected_bernstein([0.5], [0.001], 1000, divergence=5.0, delta=0.05, center=0.5).upper
    array([0.510...])
    """
    found = read_statistics(risks, n, divergence, delta)
    middle = check_real("center", center, low=0.0, high=1.0)
    inside = np.clip(found.risks, 0.0, 1.0)
    least, most = (inside - middle) ** 2, (1.0 - inside) * middle**2 + inside * (1.0 - middle) ** 2
    moments = read_bounded("second_moments", second_moments, found, least, most)
    return found.bound(
        inside - _unexpected_width(found, moments, middle, max(middle, 1.0 - middle)),
        inside + _unexpected_width(found, moments, 1.0 - middle, max(middle, 1.0 - middle)),
        method="PAC-Bayes, unexpected Bernstein",
        source="Mhammedi, Grünwald, Guedj 2019, arXiv 1905.13367 (proof: pac-bayes-unexpected-bernstein)",
        event="for all posteriors and objectives at once: Bernstein's inequality with empirical second moments",
    )


def _unexpected_width(found: Statistics, moments: FloatArray, b: float, largest: float) -> FloatArray:
    """One-sided width, for centered losses of at most b on that side."""
    sizes = found.finite_sizes
    log_union = found.log_union + math.log(2.0)
    steps = np.maximum(np.ceil(np.log2(0.5 * np.sqrt(sizes / log_union))), 1.0)
    width = np.full(moments.shape, np.inf)
    for j in range(1, int(steps.max()) + 1):
        rate = 0.5**j / largest
        u = rate * b
        # Below 1e-4 the series is exact to rounding, where the difference cancels.
        theta = (-math.log1p(-u) - u) / u**2 if u > 1e-4 else 0.5 + u / 3.0 + u**2 / 4.0 + u**3 / 5.0
        terms = rate * theta * moments + (found.divergence + log_union + np.log(steps)) / (rate * sizes)
        width = np.where(j <= steps, np.minimum(width, terms), width)
    return width
