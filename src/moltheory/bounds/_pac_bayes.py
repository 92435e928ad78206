"""PAC-Bayes bounds on the true risk of a randomised hypothesis, simultaneously for all posteriors."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_choice, check_count
from moltheory.bounds._bound import Bound
from moltheory.bounds._pac_bayes_parts import kl_moment, read_statistics
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
    {pac_risks}
    {sizes}
    {pac_divergence}
    {delta}
    constant : {"exact", "maurer"}
        Moment xi(n): its largest value over all risks, or Maurer's :math:`2 \sqrt n` above it.

    {pac_returns}

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
    found = read_statistics(risks, n, divergence, delta)
    check_choice("constant", constant, ("exact", "maurer"))
    moments = np.array([kl_moment(size, constant) if np.isfinite(size) else 1.0 for size in found.sizes.tolist()])
    budget: FloatArray = (found.divergence + np.log(moments) + found.log_union) / found.sizes
    inside = np.clip(found.risks, 0.0, 1.0)
    return found.bound(
        kl_inverse(inside, budget, side="lower"),
        kl_inverse(inside, budget, side="upper"),
        method=f"PAC-Bayes-kl, {constant} constant",
        source="Maurer 2004, arXiv cs/0411099; Seeger 2002, JMLR 3",
        event="for all posteriors and objectives at once: n kl(empirical || true) <= KL + log(N' xi(n) / delta)",
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
    A. Maurer (2004), arXiv cs/0411099, Theorem 1. The closed form: derived (proof:
    pac-bayes-constant).

    Examples
    --------
    >>> pac_bayes_constant(2)
    2.4999...
    """
    return kl_moment(float(check_count("n", n)), "exact")
