"""Half-widths for a finite hypothesis class, from Hoeffding's inequality and the union bound."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_count, check_fraction, real_array
from moltheory.bounds._bound import Bound
from moltheory.bounds._sizes import IID, RANGES, count_of, loss_ranges, sample_sizes
from moltheory.errors import InvalidInputError

__all__ = ["conditional_rate", "finite_class"]

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
    n : int or (N,) array_like
        Sample size, >= 1; one for `n_objectives` data-dependent objectives, or one per objective, where ``inf``
        marks a data-independent objective: its width is 0 and it is not counted.
    n_hypotheses : int
        Size of the class, >= 1; fixed before the data.
    {delta}
    {n_objectives}
    {loss_range}

    {returns_widths}

    {raises}

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
        assumptions=(
            f"{n_hypotheses} hypotheses fixed before the data",
            IID,
            RANGES,
        ),
    )


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
    delta : float
        Total failure probability over all objectives, in (0, 1).
    n_objectives : int, default 1
        Number N' of data-dependent objectives.
    n_rates : int, default 1
        Number k of rates in this objective.
    loss_range : float, default 1.0
        Length B of the interval that holds the losses.

    Returns
    -------
    Bound
        Its width has the shape of `counts`.

    Raises
    ------
    InvalidInputError
        If an argument is out of its range, or a count is not an integer.

    References
    ----------
    Derived, from W. Hoeffding (1963), doi 10.1080/01621459.1963.10500830.

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
        source=f"derived, from {_SOURCE}",
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
