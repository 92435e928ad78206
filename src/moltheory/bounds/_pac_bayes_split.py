"""The PAC-Bayes-split-kl bound: losses in [0, 1] cut at thresholds, the kl inequality for each part."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_vector, real_array
from moltheory.bounds._bound import Bound
from moltheory.bounds._pac_bayes_parts import kl_moment, read_statistics
from moltheory.errors import InvalidInputError
from moltheory.inference._kl import kl_inverse

__all__ = ["check_thresholds", "pac_bayes_split_kl"]


@document
def pac_bayes_split_kl(
    parts: npt.ArrayLike,
    n: int | npt.ArrayLike,
    /,
    *,
    divergence: float | npt.ArrayLike,
    delta: float,
    thresholds: Sequence[float] = (0.5,),
) -> Bound:
    r"""Lower and upper bounds on the true risk of a randomised hypothesis, from the PAC-Bayes-split-kl inequality.

    A loss in [0, 1] is the sum over parts j of its length within :math:`[t_j, t_{j+1}]`, where :math:`t_0 = 0`, the
    thresholds and :math:`t_{J} = 1` are the ends. The PAC-Bayes-kl inequality holds for each of the J parts, scaled to
    [0, 1], with delta/J. Losses that are almost always at a threshold cost little.

    Parameters
    ----------
    parts : (J, ..., N) array_like
        Mean under Q of the mean of :math:`\min((\ell - t_j)_+, t_{j+1} - t_j)`, one entry for each of the J = K + 1
        parts; the empirical risks are their sum.
    {sizes}
    {pac_divergence}
    {delta}
    thresholds : sequence of K floats, default (0.5,)
        Increasing, inside (0, 1), fixed before the data; none gives `pac_bayes_kl`.

    {pac_returns}

    {raises}

    Notes
    -----
    With one threshold t, :math:`L \le t + (1-t) kl^{-1}_+(\hat L^+/(1-t)) - t\, kl^{-1}_-(\hat L^-/t)` at the budget
    :math:`(K + \log(2 N' \xi(n)/\delta))/n`, where :math:`\hat L^+` and :math:`\hat L^-` are the parts of the losses above
    and below t (proof: pac-bayes-split-kl).

    Complexity: O(k N J) time and memory for k posteriors.

    References
    ----------
    Y.-S. Wu and Y. Seldin, "Split-kl and PAC-Bayes-split-kl inequalities for ternary random variables", NeurIPS 2022,
    arXiv 2206.00706, for one threshold and with :math:`2\sqrt n` for xi(n).

    Examples
    --------
    >>> pac_bayes_split_kl([[0.499], [0.001]], 1000, divergence=5.0, delta=0.05).upper
    array([0.509...])
    """
    cuts = check_thresholds(thresholds)
    lengths = np.diff(cuts)
    array = real_array("parts", parts, shape="(J, ..., N)", min_ndim=2)
    if array.shape[0] != lengths.size:
        raise InvalidInputError(
            f"`parts` must have {lengths.size} entries, one more than `thresholds`, got {array.shape[0]}."
        )
    found = read_statistics(array.sum(axis=0), n, divergence, delta)
    shares = array / lengths.reshape(-1, *(1,) * (array.ndim - 1))
    wrong = ((shares < -1e-9) | (shares > 1.0 + 1e-9)).any(axis=0) & found.finite
    if wrong.any():
        raise InvalidInputError(
            f"`parts` must lie between 0 and the lengths {lengths.tolist()} of the parts, got "
            f"{array[:, wrong][:, 0].tolist()}."
        )
    moments = np.array([kl_moment(size) for size in found.finite_sizes.tolist()])
    budget = (found.divergence + np.log(moments) + found.log_union + math.log(lengths.size)) / found.finite_sizes
    inside = np.clip(shares, 0.0, 1.0)
    lower, upper = (np.tensordot(lengths, kl_inverse(inside, budget, side=side), axes=1) for side in ("lower", "upper"))
    named = ", ".join(f"{cut:g}" for cut in cuts[1:-1].tolist()) or "none"
    return found.bound(
        lower,
        upper,
        method=f"PAC-Bayes-split-kl, thresholds {named}",
        source="Wu and Seldin 2022, arXiv 2206.00706 (proof: pac-bayes-split-kl)",
        event="for all posteriors, objectives and parts at once: n kl(empirical || true) <= KL + log(J N' xi(n) / delta)",
    )


def check_thresholds(thresholds: Sequence[float]) -> FloatArray:
    """Return the thresholds with 0 before and 1 after them; refuse others than increasing ones inside (0, 1)."""
    empty = isinstance(thresholds, list | tuple) and not thresholds
    inner = np.empty(0) if empty else check_vector("thresholds", thresholds)
    cuts = np.concatenate([[0.0], inner, [1.0]])
    if not (np.diff(cuts) > 0).all():
        raise InvalidInputError(f"`thresholds` must increase inside (0, 1), got {inner.tolist()}.")
    return cuts
