"""Half-widths for a finite class that shrink with the empirical risk or variance: Bernstein, Chernoff-kl, shells.

Each takes the empirical quantities of all hypotheses and is valid for all of them at once, so the caller may choose
a hypothesis afterwards. One width per hypothesis and objective.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_count, check_fraction, check_real, real_array
from moltheory.bounds._bound import Bound
from moltheory.bounds._per_hypothesis import FIXED, bound_of_limits, check_rates, class_size, table_and_sizes
from moltheory.bounds._sizes import IID, RANGES, count_of, loss_ranges, matrix_of
from moltheory.errors import InvalidInputError
from moltheory.inference._concentration import binomial_end
from moltheory.inference._kl import kl_inverse

__all__ = ["bernstein_class", "kl_class", "shell_class"]


@document
def bernstein_class(
    variances: npt.ArrayLike,
    n: int | npt.ArrayLike,
    /,
    *,
    n_hypotheses: int | None = None,
    delta: float,
    loss_range: float | npt.ArrayLike = 1.0,
    uniform_share: float = 0.0,
) -> Bound:
    r"""Half-width from the sample variance of each hypothesis's losses, uniform over a finite class.

    :math:`C_i(h) = \sqrt{2 V_i(h) b / n_i} + 7 B_i b / (3 (n_i - 1))` with :math:`b = \log(3 |H| N'/\delta)`.

    Parameters
    ----------
    variances : (H,) or (H, N) array_like
        Unbiased sample variances (divided by n - 1) of the losses themselves, not of averages.
    n : int or (N,) array_like
        Sample size, >= 2; ``inf`` marks a data-independent objective, which has width 0 and is not counted.
    {class_size}
    {delta}
    {loss_range}
    uniform_share : float, default 0
        Share s of delta, in [0, 1), for Hoeffding's inequality; the result is the smaller half-width. For s > 0 it is
        never more than :math:`\sqrt{1 + \log(1/s)/\log(2 |H| N'/\delta)}` times that of `finite_class` at the whole
        delta: 1.05 times for s = 0.5 and :math:`|H| N'/\delta = 500`.

    {returns_class_widths}

    Raises
    ------
    InvalidInputError
        If an argument is out of its range, or a variance larger than losses of that range can have.

    Notes
    -----
    Three events per hypothesis and objective have probability eta each: Bennett's inequality on either side, and the
    sample standard deviation below the true one (Maurer and Pontil, Theorem 10); hence 3 in place of 2 + 2.

    Complexity: O(H N) time and memory.

    References
    ----------
    A. Maurer and M. Pontil (2009), arXiv 0907.3740, Theorem 4; the two-sided count of events is
    derived (proof: empirical-bernstein-class).

    Examples
    --------
    >>> bernstein_class([0.01, 0.25], 1000, delta=0.05).width[:, 0]
    array([0.0209..., 0.0601...])
    """
    array, sizes = table_and_sizes("variances", variances, n, low=2)
    ranges = loss_ranges(loss_range, sizes.size)
    size = class_size(n_hypotheses, array)
    finite = np.isfinite(sizes)
    safe = np.where(finite, sizes, 2.0)
    # The largest unbiased variance: half the losses at either end.
    largest = np.where(finite, ranges**2 / 4.0 * safe / (safe - 1.0), 0.0)
    if (array < 0).any() or (array > largest * (1.0 + 1e-9))[:, finite].any():
        raise InvalidInputError(
            f"`variances` must lie between 0 and what losses of the stated range can have, got {array.max():g}."
        )
    share = check_real("uniform_share", uniform_share, low=0.0, high=math.nextafter(1.0, 0.0))
    means = math.log(count_of(sizes)) + math.log(size) - math.log(check_fraction("delta", delta))
    budget = math.log(3.0) + means - math.log1p(-share)
    width = np.sqrt(2.0 * array * budget / safe) + 7.0 * ranges * budget / (3.0 * (safe - 1.0))
    if share > 0.0:
        width = np.minimum(width, ranges * np.sqrt((math.log(2.0) + means - math.log(share)) / (2.0 * safe)))
    return Bound(
        width=np.where(finite, width, 0.0),
        loss_range=ranges,
        delta=float(delta),
        method="finite class, empirical Bernstein" + (" or Hoeffding" if share > 0.0 else ""),
        source="Maurer and Pontil 2009, arXiv 0907.3740, Theorem 4; two-sided: derived (proof: empirical-bernstein-class)",
        assumptions=(f"{size} {FIXED}", IID, RANGES),
        scope="per hypothesis",
    )


@document
def kl_class(
    risks: npt.ArrayLike, n: int | npt.ArrayLike, /, *, n_hypotheses: int | None = None, delta: float
) -> Bound:
    r"""Lower and upper bounds on the true risks from relative-entropy balls, uniform over a finite class.

    All L with :math:`n_i\, kl(\hat L_i(h) \| L) \le \log(2 |H| N'/\delta)`: of order :math:`\sqrt{\hat L b/n} + b/n`.

    Parameters
    ----------
    risks : (H,) or (H, N) array_like
        Empirical risks of losses in [0, 1].
    {sizes}
    {class_size}
    {delta}

    Returns
    -------
    Bound
        Its width, lower and upper have shape (H, N).

    {raises}

    Notes
    -----
    Complexity: O(H N) time and memory.

    References
    ----------
    W. Hoeffding (1963), doi 10.1080/01621459.1963.10500830, Theorem 1; J. Langford (2005), JMLR 6.

    Examples
    --------
    >>> kl_class([0.0, 0.5], 1000, delta=0.05).upper[:, 0]
    array([0.0043..., 0.546...])
    """
    array, sizes = table_and_sizes("risks", risks, n, low=1)
    size = class_size(n_hypotheses, array)
    finite = np.isfinite(sizes)
    inside = check_rates(array, sizes)
    budget = math.log(2.0 * count_of(sizes)) + math.log(size) - math.log(check_fraction("delta", delta))
    per_example = np.broadcast_to(budget / sizes, array.shape)
    upper = np.where(finite, kl_inverse(inside, per_example, side="upper"), array)
    lower = np.where(finite, kl_inverse(inside, per_example, side="lower"), array)
    return bound_of_limits(
        array,
        lower,
        upper,
        delta,
        method="finite class, relative entropy",
        source="Hoeffding 1963, Theorem 1; Langford 2005, JMLR 6",
        assumptions=(f"{size} {FIXED}", IID, "losses in [0, 1]"),
    )


@document
def shell_class(errors: npt.ArrayLike, n: int, /, *, delta: float, n_shells: int = 16) -> Bound:
    r"""Upper bounds on true error rates, with a union bound over the hypotheses of similar error only.

    Hypotheses are grouped in K shells by their unknown true error. A hypothesis of shell k shares the failure
    probability with the members of its shell only, whose number :math:`N_k` is bounded from the histogram of the
    empirical errors: far below |H| where most hypotheses are bad and the chosen one is good.

    Parameters
    ----------
    errors : (H,) or (H, N) array_like of int
        Number of errors of every member of the class on the n examples; all members must be there.
    {size}
    {delta}
    n_shells : int, default 16
        K >= 1, fixed before the data; shells are equally long in arcsin(sqrt(error)).

    Returns
    -------
    Bound
        One-sided: its lower is 0. Width, lower and upper have shape (H, N).

    {raises}

    Notes
    -----
    Of :math:`\eta = \delta/N'`, half goes to the shells: for shell k with ends (a, b] let :math:`I_k` be the counts
    that a binomial variable with a success rate in it misses with probability at most q = eta/(4K). By Markov's
    inequality at least half of the shell's members have their count in :math:`I_k`, except with probability
    2q, so :math:`N_k < 2 |\{h: \text{count in } I_k\}|`, and :math:`N_k \le |H|`. The other half gives each member of
    shell k a Clopper-Pearson limit at :math:`\eta/(2 K N_k)`. The limit reported is the largest rate that some
    shell allows.

    Complexity: O(H (N + K)) time and memory, and the K limits of every count that occurs, n + 1 at most.

    References
    ----------
    Derived (proof: shell-class), after J. Langford and D. McAllester, "Computable shell decomposition bounds", JMLR 5
    (2004).

    Examples
    --------
    >>> errors = np.array([0] + [480, 500, 520] * 30_000)
    >>> float(shell_class(errors, 1000, delta=0.05).upper[0, 0])
    0.0064...
    """
    array = matrix_of("errors", real_array("errors", errors, shape="(H,) or (H, N)", min_ndim=1, max_ndim=2))
    check_count("n", n)
    if (array != np.rint(array)).any() or array.min() < 0 or array.max() > n:
        raise InvalidInputError(f"`errors` must be integers from 0 to n = {n}, got {array.min():g} to {array.max():g}.")
    log_eta = math.log(check_fraction("delta", delta)) - math.log(array.shape[1])
    counts = array.astype(np.int64)
    edges = np.sin(np.linspace(0.0, np.pi / 2.0, check_count("n_shells", n_shells) + 1)) ** 2
    upper = np.column_stack([_shell_limits(column, n, log_eta, edges) for column in counts.T])
    return bound_of_limits(
        array / n,
        np.zeros(array.shape),
        upper,
        delta,
        method=f"finite class, {n_shells} shells",
        source="derived, after Langford and McAllester 2004, JMLR 5 (proof: shell-class)",
        assumptions=(f"{array.shape[0]} {FIXED}, all of them reported", IID, "0/1 losses"),
    )


def _shell_limits(counts: npt.NDArray[np.int64], n: int, log_eta: float, edges: FloatArray) -> FloatArray:
    """Upper limits of the error rates of one objective, (H,)."""
    from scipy.stats import binom

    n_shells = edges.size - 1
    tail = math.exp(log_eta) / (8.0 * n_shells)
    # Counts outside first..last have probability at most `tail` on either side, for every rate of the shell.
    first = np.maximum(binom.ppf(tail, n, edges[:-1]), 0)
    first -= binom.cdf(first - 1, n, edges[:-1]) > tail
    last = np.minimum(binom.isf(tail, n, edges[1:]), n)
    last += binom.sf(last, n, edges[1:]) > tail
    ordered = np.sort(counts)
    inside = np.searchsorted(ordered, last, side="right") - np.searchsorted(ordered, first, side="left")
    members = np.minimum(2 * inside - 1, counts.size)
    shells = np.flatnonzero(inside > 0)
    values, where = np.unique(counts, return_inverse=True)
    log_level = np.log(2.0 * n_shells * members[shells]) - log_eta
    limits, _ = binomial_end(values[:, None].astype(np.float64), np.float64(n), log_level)
    # A shell allows rates up to its own end only, and none if the limit falls short of it.
    allowed = np.where(limits > edges[shells], np.minimum(limits, edges[shells + 1]), 0.0)
    upper: FloatArray = allowed.max(axis=1, initial=0.0)[where]
    return upper
