"""PAC-Bayes bounds of weights over a finite class, straight from the losses."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_choice, check_real, check_vector, real_array
from moltheory.bounds._bound import Bound
from moltheory.bounds._pac_bayes import pac_bayes_kl
from moltheory.bounds._pac_bayes_split import check_thresholds, pac_bayes_split_kl
from moltheory.bounds._pac_bayes_variance import pac_bayes_empirical_bernstein, pac_bayes_unexpected_bernstein
from moltheory.errors import InvalidInputError

__all__ = ["gibbs_bound"]


@document
def gibbs_bound(
    losses: npt.ArrayLike,
    posterior: npt.ArrayLike,
    /,
    *,
    delta: float,
    prior: npt.ArrayLike | None = None,
    method: Literal["kl", "empirical-bernstein", "unexpected-bernstein", "split-kl"] = "kl",
    center: float = 0.0,
    thresholds: Sequence[float] = (0.5,),
) -> Bound:
    """Bound on the true risks of Gibbs predictors, which draw one of H hypotheses for every prediction.

    It holds for all posteriors and objectives at once, so the weights may depend on the losses in any way.

    Parameters
    ----------
    losses : (n, H, N) array_like
        Losses in [0, 1] of H hypotheses, fixed before the data, on n examples, in N objectives.
    posterior : (H,) or (..., H) array_like
        Probabilities of the hypotheses; a leading axis is over posteriors.
    {delta}
    prior : (H,) array_like, optional
        Probabilities, fixed before the data; equal ones by default.
    method : {"kl", "empirical-bernstein", "unexpected-bernstein", "split-kl"}, default "kl"
        Which inequality: `pac_bayes_kl`, `pac_bayes_empirical_bernstein`, `pac_bayes_unexpected_bernstein` or
        `pac_bayes_split_kl`. Fixed before the data: the smallest of several needs its share of delta for each.
    center : float, default 0.0
        Of `pac_bayes_unexpected_bernstein`; ignored by other methods.
    thresholds : sequence of float, default (0.5,)
        Of `pac_bayes_split_kl`; ignored by other methods.

    Returns
    -------
    Bound
        Its width, lower and upper have shape (..., N).

    {raises}

    Notes
    -----
    Complexity: O(n H N J + k H N J) time and O(n H N) memory for k posteriors, J being the number of parts of the
    split-kl inequality, else 1.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> losses = rng.choice([0.0, 0.5, 1.0], p=[0.02, 0.96, 0.02], size=(1000, 50, 2))
    >>> for method in ("kl", "empirical-bernstein", "split-kl"):
    ...     print(gibbs_bound(losses, np.full(50, 1 / 50), delta=0.05, method=method).width.round(3))
    [0.061 0.061]
    [0.021 0.021]
    [0.018 0.018]
    """
    table = real_array("losses", losses, shape="(n, H, N)", min_ndim=3, max_ndim=3)
    if table.min() < 0 or table.max() > 1:
        raise InvalidInputError(f"`losses` must lie in [0, 1], got values from {table.min():g} to {table.max():g}.")
    n, n_hypotheses, _ = table.shape
    weights = _probabilities(
        "posterior", real_array("posterior", posterior, shape="(..., H)", min_ndim=1), n_hypotheses
    )
    check_choice("method", method, ("kl", "empirical-bernstein", "unexpected-bernstein", "split-kl"))
    first = np.full(n_hypotheses, 1.0 / n_hypotheses)
    if prior is not None:
        first = _probabilities("prior", check_vector("prior", prior), n_hypotheses)
    if ((weights > 0) & (first == 0)).any():
        raise InvalidInputError("`posterior` must be zero wherever `prior` is, got a positive weight there.")
    # Nonnegative but for rounding.
    used = np.where(weights > 0, weights, 1.0)
    divergence = np.maximum((weights * np.log(used / np.where(first > 0, first, 1.0))).sum(axis=-1), 0.0)[..., None]
    common = {"divergence": divergence, "delta": delta}
    risks = _mixed(weights, table)
    if method == "kl":
        return pac_bayes_kl(risks, n, **common)
    if method == "split-kl":
        cuts = check_thresholds(thresholds)
        parts = [_mixed(weights, np.clip(table, low, high) - low) for low, high in itertools.pairwise(cuts)]
        return pac_bayes_split_kl(np.stack(parts), n, thresholds=thresholds, **common)
    if method == "empirical-bernstein":
        if n < 2:
            raise InvalidInputError(f"`losses` must hold at least 2 examples for this method, got {n}.")
        return pac_bayes_empirical_bernstein(risks, weights @ table.var(axis=0, ddof=1), n, **common)
    middle = check_real("center", center, low=0.0, high=1.0)
    return pac_bayes_unexpected_bernstein(risks, _mixed(weights, (table - middle) ** 2), n, center=middle, **common)


def _mixed(weights: FloatArray, table: FloatArray) -> FloatArray:
    """Mean under each posterior of the mean over examples; the clip takes back rounding."""
    mixed: FloatArray = np.clip(weights @ table.mean(axis=0), 0.0, 1.0)
    return mixed


def _probabilities(name: str, array: FloatArray, length: int) -> FloatArray:
    if array.shape[-1] != length:
        raise InvalidInputError(f"`{name}` must have {length} entries, one per hypothesis, got {array.shape[-1]}.")
    if array.min() < 0 or np.abs(array.sum(axis=-1) - 1.0).max() > 1e-9:
        total = array.sum(axis=-1).flat[np.abs(array.sum(axis=-1) - 1.0).argmax()]
        raise InvalidInputError(f"`{name}` must be >= 0 and sum to 1, got {array.min():g} and a sum of {total:g}.")
    scaled: FloatArray = array / array.sum(axis=-1, keepdims=True)
    return scaled
