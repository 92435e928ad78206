"""Half-widths for mixtures of domains, each with a sample of its own: agnostic federated learning."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_choice, check_count, check_fraction, real_array
from moltheory.bounds._bound import Bound
from moltheory.bounds._sizes import RANGES, count_of, loss_ranges, sample_sizes
from moltheory.errors import InvalidInputError

__all__ = ["agnostic_class"]


@document
def agnostic_class(
    n: int | npt.ArrayLike,
    mixtures: npt.ArrayLike,
    /,
    *,
    n_hypotheses: int,
    delta: float,
    loss_range: float | npt.ArrayLike = 1.0,
    method: Literal["skewness", "vertices"] = "skewness",
) -> Bound:
    r"""Half-width for every mixture of domains, uniform over a finite class and the mixtures.

    With weights w of a mixture, :math:`|L_w(h) - \hat L_w(h)| \le C(w)` for all h, where :math:`L_w = \sum_i w_i L_i`
    and objective i is the risk in domain i.

    ============  =====================================================================================
    method        half-width
    ============  =====================================================================================
    skewness      :math:`\sqrt{\sum_i w_i^2 B_i^2/n_i}\;\sqrt{\log(2K|H|/\delta)/2}`, K the number of mixtures
    vertices      :math:`\sum_i w_i B_i \sqrt{\log(2N'|H|/\delta)/(2n_i)}`, for all mixtures there are
    ============  =====================================================================================

    Parameters
    ----------
    n : int or (N,) array_like
        Sample size of each domain, >= 1; ``inf`` marks a domain whose risks are known.
    mixtures : (K, N) array_like
        Rows of weights >= 0 that sum to 1, fixed before the data.
    n_hypotheses : int
        Size of the class, fixed before the data.
    {delta}
    {loss_range}
    method : {"skewness", "vertices"}, default "skewness"
        Fixed before the data. ``"skewness"`` needs samples of the domains that are independent of each other.

    Returns
    -------
    Bound
        Its width has shape (K,), one for each mixture.

    {raises}

    Notes
    -----
    For one range B and m examples in all, :math:`\sum_i w_i^2/n_i = s(w)/m` with the skewness
    :math:`s(w) = 1 + \chi^2(w \| n/m)` of Mohri et al.: the examples of a mixture unlike the sample count for less. The
    hypothesis with the smallest maximum of :math:`\hat L_w` over the mixtures has a maximum of :math:`L_w` within twice
    the largest half-width of the smallest possible. Derived, for a finite class and both sides (proof: agnostic-class).

    Complexity: O(K N) time and memory.

    References
    ----------
    M. Mohri, G. Sivek and A. T. Suresh, "Agnostic federated learning", ICML 2019, arXiv 1902.00146, with Rademacher
    complexities and a cover of the mixtures.

    Examples
    --------
    Half of the weight on a domain with a tenth of the examples:

    >>> agnostic_class([100, 900], [[0.1, 0.9], [0.5, 0.5], [1, 0]], n_hypotheses=50, delta=0.05).width.round(3)
    array([0.066, 0.11 , 0.209])
    """
    weights = real_array("mixtures", mixtures, shape="(K, N)", min_ndim=2, max_ndim=2)
    if weights.min() < 0.0 or np.abs(weights.sum(axis=1) - 1.0).max() > 1e-9:
        raise InvalidInputError(f"`mixtures` must have rows >= 0 that sum to 1, got {weights.tolist()[0]} first.")
    sizes = sample_sizes(n, weights.shape[1] if np.ndim(n) == 0 else 1)
    if sizes.size != weights.shape[1]:
        raise InvalidInputError(f"`n` must have {weights.shape[1]} entries, one per domain, got {sizes.size}.")
    ranges = loss_ranges(loss_range, sizes.size)
    size = check_count("n_hypotheses", n_hypotheses)
    budget = math.log(2.0) + math.log(size) - math.log(check_fraction("delta", delta))
    if check_choice("method", method, ("skewness", "vertices")) == "skewness":
        terms = ((weights * ranges) ** 2 / sizes).sum(axis=1)
        width: FloatArray = np.sqrt(terms * (budget + math.log(weights.shape[0])) / 2.0)
        condition = "samples of the domains independent of each other"
    else:
        width = weights @ (ranges * np.sqrt((budget + math.log(count_of(sizes))) / (2.0 * sizes)))
        condition = "independent, identically distributed examples within each domain"
    return Bound(
        width=width,
        loss_range=weights @ ranges,
        delta=float(delta),
        method=f"agnostic finite class, {method}",
        source="derived, after Mohri, Sivek, Suresh 2019, arXiv 1902.00146 (proof: agnostic-class)",
        assumptions=("hypotheses and mixtures fixed before the data", condition, RANGES),
        event="for all hypotheses and mixtures at once: |true risk of the mixture - empirical one| <= width",
        scope="uniform",
    )
