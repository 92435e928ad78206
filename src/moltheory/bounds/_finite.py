"""Half-widths for a finite class, or a countable one with prior weights: Hoeffding's inequality and the union bound."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_count, check_fraction, check_vector, real_array
from moltheory.bounds._bound import Bound
from moltheory.bounds._sizes import IID, RANGES, count_of, loss_ranges, sample_sizes
from moltheory.errors import InvalidInputError

__all__ = ["conditional_rate", "finite_class", "finite_prior"]

_SOURCE = "Hoeffding 1963, doi 10.1080/01621459.1963.10500830, and the union bound"


@document
def finite_class(
    n: int | npt.ArrayLike,
    *,
    n_hypotheses: int,
    delta: float,
    n_objectives: int = 1,
    loss_range: float | npt.ArrayLike = 1.0,
) -> Bound:
    r"""Half-width of sample averages, uniform over a finite class and over all objectives.

    :math:`C_i = B_i \sqrt{\log(2 |H| N' / \delta) / (2 n_i)}`, with N' the number of data-dependent objectives.
    Samples of different objectives may coincide, overlap or be independent.

    Parameters
    ----------
    {sizes}
    n_hypotheses : int
        Size of the class, >= 1; fixed before the data.
    {delta}
    {n_objectives}
    {loss_range}

    {returns_widths}

    {raises}

    Notes
    -----
    Complexity: O(N) time and memory.

    References
    ----------
    W. Hoeffding (1963), doi 10.1080/01621459.1963.10500830. The union over objectives: P. Súkeník and
    C. H. Lampert, arXiv 2208.13499.

    Examples
    --------
    >>> finite_class(1000, n_hypotheses=100, delta=0.05, n_objectives=3).width
    array([0.0685..., 0.0685..., 0.0685...])
    >>> finite_class([1000, float("inf")], n_hypotheses=100, delta=0.05).width
    array([0.0643..., 0.        ])
    """
    sizes = sample_sizes(n, n_objectives)
    ranges = loss_ranges(loss_range, sizes.size)
    width = _hoeffding(sizes, ranges, n_hypotheses, check_fraction("delta", delta) / count_of(sizes))
    return Bound(
        width=width,
        loss_range=ranges,
        delta=float(delta),
        method="finite class",
        source=_SOURCE,
        assumptions=(f"{n_hypotheses} hypotheses fixed before the data", IID, RANGES),
    )


@document
def conditional_rate(
    counts: npt.ArrayLike,
    /,
    *,
    n_hypotheses: int,
    delta: float,
    n_objectives: int = 1,
    n_rates: int = 1,
    loss_range: float = 1.0,
) -> Bound:
    r"""Half-width of rates with random denominators, conditionally on the denominators.

    Given that `counts` examples satisfy the condition, these are an independent sample of the conditional
    distribution, so Hoeffding's inequality holds conditionally, hence also overall:
    :math:`w = B \sqrt{\log(2 |H| N' k / \delta) / (2 n_a)}` for each of the k rates of an objective (k = 2
    for a demographic-parity gap, whose width is the sum of its two).

    Parameters
    ----------
    counts : (...,) array_like of int
        Number of examples that satisfy the condition, >= 0; 0 gives an infinite half-width.
    n_hypotheses : int
        Size of the class, >= 1.
    {delta}
    {n_objectives}
    n_rates : int, default 1
        Number k of rates in this objective.
    loss_range : float, default 1.0
        Length B of the interval that holds the losses.

    Returns
    -------
    Bound
        Its width has the shape of `counts`.

    {raises}

    Notes
    -----
    Complexity: O(k) time and memory for k counts.

    References
    ----------
    Derived (proof: conditional-rate), from W. Hoeffding (1963), doi 10.1080/01621459.1963.10500830.

    Examples
    --------
    >>> conditional_rate([50, 0], n_hypotheses=10, delta=0.05, n_rates=2).width
    array([0.258..., inf])
    """
    sizes = real_array("counts", counts, shape="(...)", min_ndim=0)
    if (sizes < 0).any() or (sizes != np.rint(sizes)).any():
        raise InvalidInputError(f"`counts` must be integers >= 0, got {sizes.min():g} as the smallest.")
    shares = check_count("n_objectives", n_objectives) * check_count("n_rates", n_rates)
    ranges = loss_ranges(loss_range, 1)
    width = _hoeffding(sizes, ranges, n_hypotheses, check_fraction("delta", delta) / shares)
    return Bound(
        width=width.reshape(sizes.shape),
        loss_range=ranges,
        delta=float(delta),
        method="conditional rate of a finite class",
        source=f"derived (proof: conditional-rate), from {_SOURCE}",
        assumptions=(
            f"{n_hypotheses} hypotheses fixed before the data",
            "independent, identically distributed examples; the statement holds given the denominators",
        ),
    )


def _hoeffding(sizes: FloatArray, ranges: FloatArray, n_hypotheses: int, eta: float) -> FloatArray:
    """Two-sided width at failure probability eta; 0 for infinitely many examples, inf for none."""
    budget = math.log(2.0) - math.log(eta) + math.log(check_count("n_hypotheses", n_hypotheses))
    empty = sizes == 0
    width: FloatArray = ranges * np.sqrt(budget / (2.0 * np.where(empty, 1.0, sizes)))
    return np.where(empty, np.inf, width)


@document
def finite_prior(
    n: int | npt.ArrayLike,
    *,
    prior: npt.ArrayLike,
    delta: float,
    n_objectives: int = 1,
    loss_range: float | npt.ArrayLike = 1.0,
) -> Bound:
    r"""Half-width of each hypothesis of a class with prior weights, simultaneously for all of them.

    :math:`C_i(h) = B_i \sqrt{\log(2 N' / (\pi(h) \delta)) / (2 n_i)}`: hypothesis h has the share
    :math:`\pi(h)` of the failure probability. Uniform weights give `finite_class`.

    Parameters
    ----------
    {sizes}
    prior : (H,) array_like
        Weights >= 0 fixed before the data, with a sum of at most 1; weight 0 gives an infinite width.
    {delta}
    {n_objectives}
    {loss_range}

    {returns_class_widths}

    {raises}

    Notes
    -----
    Complexity: O(H N) time and memory.

    References
    ----------
    A. Blumer, A. Ehrenfeucht, D. Haussler and M. Warmuth (1987), doi 10.1016/0020-0190(87)90114-1, with
    W. Hoeffding (1963), doi 10.1080/01621459.1963.10500830.

    Examples
    --------
    >>> finite_prior(1000, prior=[0.5, 0.25, 0.25], delta=0.05).width[:, 0]
    array([0.0468..., 0.0503..., 0.0503...])
    """
    sizes = sample_sizes(n, n_objectives)
    ranges = loss_ranges(loss_range, sizes.size)
    weights = check_vector("prior", prior, low=0.0)
    total = float(weights.sum())
    # A sum of rounded weights may exceed 1 by rounding alone.
    if total > 1.0 + 1e-12 * weights.size:
        raise InvalidInputError(f"`prior` must have a sum of at most 1, got {total:g}.")
    share = check_fraction("delta", delta) / count_of(sizes)
    with np.errstate(divide="ignore"):
        budgets: FloatArray = np.log(2.0) - np.log(share) - np.log(weights)
    # Where nothing is left to chance, a weight of 0 costs nothing either.
    per_example = np.divide(
        budgets[:, None], 2.0 * sizes, out=np.zeros((weights.size, sizes.size)), where=sizes < np.inf
    )
    with np.errstate(invalid="ignore"):
        width = ranges * np.sqrt(per_example)
    return Bound(
        width=np.where(np.isnan(width), 0.0, width),
        loss_range=ranges,
        delta=float(delta),
        method="finite class with a prior",
        source="Occam's razor bound: Blumer et al. 1987, with Hoeffding 1963",
        assumptions=(f"{weights.size} hypotheses and their prior fixed before the data", IID, RANGES),
        scope="per hypothesis",
    )
