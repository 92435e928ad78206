"""PAC-Bayes bounds on the true risk of a randomised hypothesis, simultaneously for all posteriors."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_choice, check_count, check_fraction, real_array
from moltheory.bounds._bound import Bound
from moltheory.bounds._sizes import IID, count_of, sample_sizes
from moltheory.errors import InvalidInputError
from moltheory.inference._kl import kl_inverse

__all__ = ["pac_bayes_constant", "pac_bayes_kl"]


@document
def pac_bayes_kl(
    risks: npt.ArrayLike,
    n: int | npt.ArrayLike,
    /,
    *,
    divergence: float | npt.ArrayLike,
    delta: float,
    constant: Literal["exact", "maurer"] = "exact",
) -> Bound:
    r"""Lower and upper bounds on the true risk of a randomised hypothesis, from the PAC-Bayes-kl inequality.

    With probability at least 1 - delta, for all posteriors Q and objectives at once,
    :math:`n_i\, kl(\hat L_i(Q) \| L_i(Q)) \le KL(Q \| \pi) + \log(N' \xi(n_i)/\delta)`: two-sided at no extra cost.

    Parameters
    ----------
    risks : (N,) or (..., N) array_like
        Empirical risk of the randomised hypothesis, the mean under Q of losses in [0, 1]; a leading axis is over
        posteriors.
    {sizes}
    divergence : float or (..., 1) or (..., N) array_like
        KL(Q || pi) in nats, >= 0, to a prior fixed before the data.
    {delta}
    constant : {"exact", "maurer"}
        Moment xi(n): its largest value over all risks, or Maurer's :math:`2 \sqrt n` above it.

    Returns
    -------
    Bound
        Its width, lower and upper have the shape of `risks`.

    {raises}

    Notes
    -----
    Complexity: O(k N) time and memory for k posteriors.

    References
    ----------
    A. Maurer (2004), arXiv cs/0411099; M. Seeger, JMLR 3 (2002); for n < 8 see P. Germain et al., JMLR 16 (2015).

    Examples
    --------
    >>> pac_bayes_kl([0.1], 1000, divergence=5.0, delta=0.05).upper
    array([0.152...])
    """
    array = real_array("risks", risks, shape="(..., N)", min_ndim=1)
    sizes = sample_sizes(n, array.shape[-1] if np.ndim(n) == 0 else 1)
    if sizes.size != array.shape[-1]:
        raise InvalidInputError(f"`n` must have {array.shape[-1]} entries, one per objective, got {sizes.size}.")
    finite = np.isfinite(sizes)
    if ((array < 0) | (array > 1))[..., finite].any():
        raise InvalidInputError(f"`risks` must lie in [0, 1], got values from {array.min():g} to {array.max():g}.")
    spread = real_array("divergence", divergence, shape="(..., N)", min_ndim=0)
    if (spread < 0).any():
        raise InvalidInputError(f"`divergence` must be >= 0, got {spread.min():g}.")
    try:
        spread = np.broadcast_to(spread, array.shape)
    except ValueError:
        raise InvalidInputError(
            f"`divergence` must broadcast to the shape {array.shape} of `risks`, got {spread.shape}."
        ) from None
    check_choice("constant", constant, ("exact", "maurer"))
    moments = np.array([_moment(size, constant) if np.isfinite(size) else 1.0 for size in sizes.tolist()])
    budget = spread + np.log(moments) + math.log(count_of(sizes)) - math.log(check_fraction("delta", delta))
    per_example: FloatArray = budget / sizes
    inside = np.clip(array, 0.0, 1.0)
    upper = np.where(finite, kl_inverse(inside, per_example, side="upper"), array)
    lower = np.where(finite, kl_inverse(inside, per_example, side="lower"), array)
    return Bound(
        width=np.maximum(np.maximum(upper - array, array - lower), 0.0),
        loss_range=np.ones(array.shape[-1]),
        delta=float(delta),
        method=f"PAC-Bayes-kl, {constant} constant",
        source="Maurer 2004, arXiv cs/0411099; Seeger 2002, JMLR 3",
        assumptions=("a prior fixed before the data", IID, "losses in [0, 1]"),
        event="for all posteriors and objectives at once: n kl(empirical || true) <= KL + log(N' xi(n) / delta)",
        lower=lower,
        upper=upper,
    )


@document
def pac_bayes_constant(n: int, /) -> float:
    r"""Exact constant of the PAC-Bayes-kl inequality, :math:`\xi(n) = \sum_k C(n,k) (k/n)^k (1-k/n)^{n-k}`.

    It is the largest value of :math:`E \exp(n\, kl(\hat p \| p))`, lies between :math:`\sqrt n` and
    :math:`2 \sqrt n`, and is close to :math:`\sqrt{\pi n/2} + 2/3`.

    Parameters
    ----------
    {size}

    Returns
    -------
    float

    {raises}

    Notes
    -----
    The sum equals :math:`n!\,(e/n)^n\, Q(n+1, n)`, Q the regularized upper incomplete gamma function (Abel's
    identity), so the cost does not grow with n.

    References
    ----------
    A. Maurer (2004), arXiv cs/0411099, Theorem 1. The closed form: derived.

    Examples
    --------
    >>> pac_bayes_constant(2)
    2.4999...
    """
    return _moment(float(check_count("n", n)), "exact")


def _moment(n: float, constant: str) -> float:
    if constant == "maurer":
        return 2.0 * math.sqrt(n)
    from scipy.special import gammaincc

    # Logarithm of n! (e/n)^n; Stirling's series where the gamma function's logarithm would cancel.
    series = 1.0 / (12.0 * n) - 1.0 / (360.0 * n**3) + 1.0 / (1260.0 * n**5)
    factor = 0.5 * math.log(2.0 * math.pi * n) + series if n >= 64 else math.lgamma(n + 1.0) + n - n * math.log(n)
    return math.exp(factor) * float(gammaincc(n + 1.0, n))
