"""Half-widths for a finite or countable class with prior weights: Occam's razor bound."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_fraction, check_vector
from moltheory.bounds._bound import Bound
from moltheory.bounds._sizes import IID, RANGES, count_of, loss_ranges, sample_sizes
from moltheory.errors import InvalidInputError

__all__ = ["finite_prior"]


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
    )
