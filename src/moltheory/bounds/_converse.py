"""Partial converses: conditions under which members of the empirical front are nearly optimal.

All statements are deterministic on the event E of the joint widths C. The first three compare hhat with those
truly optimal h* that are at least as good, ``L(h*) <= L(hhat)``; without that quantifier they are false.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._html_repr import Shown
from moltheory._core._validation import FloatArray, check_count, check_real, check_vector, real_array
from moltheory.bounds._widths import check_widths
from moltheory.errors import InvalidInputError
from moltheory.scalarization import Scalarization

__all__ = [
    "SlackGuarantee",
    "interior_weights",
    "slack_guarantee",
    "slack_pruned",
    "strong_convexity",
    "strongly_monotone",
]


@document
def interior_weights(widths: npt.ArrayLike, /, *, weights: npt.ArrayLike) -> FloatArray:
    """Purity of weighted-sum learning with positive weights: ``L_i(hhat) - L_i(h*) <= 2 (sum_j w_j C_j) / w_i``.

    For hhat a minimiser of ``sum_j w_j Lhat_j`` and every truly optimal h* with ``L(h*) <= L(hhat)``.

    Parameters
    ----------
    {widths}
    weights : (N,) array_like
        All > 0; used as given.

    Returns
    -------
    (..., N) ndarray

    {raises}

    Notes
    -----
    Complexity: O(K N) time and memory for K rows of N widths.

    References
    ----------
    Derived (proof: interior-weights).

    Examples
    --------
    >>> interior_weights([0.125, 0.0], weights=[0.5, 0.5])
    array([0.25, 0.25])
    """
    w = check_vector("weights", weights, low=0.0, strict=True)
    array = check_widths(widths, n_objectives=w.size)
    bound: FloatArray = 2.0 * (array * w).sum(axis=-1, keepdims=True) / w
    return bound


@document
def strongly_monotone(widths: npt.ArrayLike, /, *, scalarization: Scalarization) -> FloatArray:
    """Purity of learning with a strongly monotone U: ``sum_i (L_i(hhat) - L_i(h*)) <= 2 U(C) / mu``.

    For hhat a minimiser of U(Lhat) and every truly optimal h* with ``L(h*) <= L(hhat)``; mu is the modulus of U,
    ``a >= b`` implies ``U(a) - U(b) >= mu sum(a - b)``. The differences are >= 0, so each is bounded too.

    Parameters
    ----------
    {widths}
    scalarization : Scalarization
        With ``modulus`` > 0: a weighted sum with positive weights, an augmented Chebyshev scalarization.

    Returns
    -------
    (...) ndarray

    Raises
    ------
    InvalidInputError
        If the modulus is 0 (plain Chebyshev), or the widths do not fit.

    Notes
    -----
    Complexity: O(K N) time and memory for K rows of N widths.

    References
    ----------
    Derived (proof: strongly-monotone).

    Examples
    --------
    >>> from moltheory.scalarization import Chebyshev
    >>> u = Chebyshev([0.5, 0.5], augmentation=0.5)
    >>> float(strongly_monotone([0.25, 0.0], scalarization=u))
    1.0
    """
    if not scalarization.modulus > 0.0:
        raise InvalidInputError(f"`scalarization` must have a modulus > 0, got {scalarization.modulus:g}.")
    array = check_widths(widths, n_objectives=scalarization.n_objectives)
    return 2.0 * scalarization.width(array) / scalarization.modulus


@document
def strong_convexity(widths: npt.ArrayLike, /, *, moduli: npt.ArrayLike) -> FloatArray:
    """Squared distance in parameters from the empirical to the true front: ``max_i 16 C_i / mu_i``.

    H convex, every true objective mu_i-strongly convex with mu_i > 0 (data-independent ones too), hhat on the
    empirical front: ``|hhat - h*|^2`` is at most this for every truly optimal h* with ``L(h*) <= L(hhat)``. The
    empirical objectives need not be convex. 16 is sharp.

    Parameters
    ----------
    {widths}
    moduli : (N,) array_like
        mu_i > 0; for ``(x - c)'A(x - c)`` twice the smallest eigenvalue of A.

    Returns
    -------
    (...) ndarray

    {raises}

    Notes
    -----
    Complexity: O(K N) time and memory for K rows of N widths.

    References
    ----------
    Derived (proof: strong-convexity).

    Examples
    --------
    >>> float(strong_convexity([0.5, 0.0], moduli=[2.0, 2.0]))
    4.0
    """
    mu = check_vector("moduli", moduli, low=0.0, strict=True)
    bound: FloatArray = (16.0 * check_widths(widths, n_objectives=mu.size) / mu).max(axis=-1)
    return bound


@dataclass(frozen=True)
class SlackGuarantee(Shown):
    """Guarantees of pruning with slack, in units of the risks.

    Attributes
    ----------
    margin : float
        ``e = 2 (N - 1) c + t``: the margin by which a rival must be better in one objective.
    purity, coverage : float
        Largest purity and coverage error of the survivors: ``t + 2 N c`` and
        ``2 c ((N - 1) B / (2 c + t) + 1)``.
    """

    margin: float
    purity: float
    coverage: float


@document
def slack_guarantee(widths: npt.ArrayLike, /, *, t: float, loss_range: float) -> SlackGuarantee:
    """Guarantees of `slack_pruned` on the event E, for all objectives in [0, B], true and empirical.

    Parameters
    ----------
    widths : (N,) array_like
        Joint widths C; c is the largest.
    t : float
        > 0: the smaller, the purer the survivors and the worse the guarantee of their coverage, which stays below
        ``(N - 1) B + 2 c``.
    loss_range : float
        B > 0; data-independent objectives have to lie in [0, B] too.

    Returns
    -------
    SlackGuarantee

    {raises}

    References
    ----------
    Derived (proof: slack-pruned).

    Notes
    -----
    Proof of the coverage. From h* follow deletions by a rival until one of them survives: k steps, each with a
    coordinate that falls by more than e, while every other rises by at most 2 c. Let m_j steps fall in coordinate j,
    so that the m_j sum to k (choose one where several fall). All values lie in [0, B], so for every j

        ``m_j e - (k - m_j) 2 c <= B``.

    Summed over all j: ``k t <= N B``, so the steps end. Coordinate i rises by at most ``2 c f - m_i e`` in all,
    where ``f = k - m_i`` steps fall elsewhere. Summed over the N - 1 others, ``f e - ((N - 1) k - f) 2 c <= (N - 1) B``,
    that is ``f (2 c + t) <= (N - 1) (B + 2 c m_i)`` as ``e = 2 (N - 1) c + t``. A fall in i itself thus allows
    ``2 c (N - 1) 2 c / (2 c + t) < e`` of further rise and costs e: the rise is largest for ``m_i = 0``, at most
    ``2 c (N - 1) B / (2 c + t)``. Passing from empirical to true risks at both ends adds 2 c.

    The order of rises and falls plays no part, and objectives without data (C_i = 0) may be the ones that fall. Since
    f is an integer, of which a fall in i allows at most N - 1 more, the bound holds with the quotient
    ``(N - 1) B / (2 c + t)`` rounded down; that is attained for N = 2.

    Complexity: O(N) time and memory.

    Examples
    --------
    >>> slack_guarantee([0.125, 0.0], t=0.25, loss_range=1.0)
    SlackGuarantee(margin=0.5, purity=0.75, coverage=0.75)
    """
    array = check_widths(widths)
    if array.ndim != 1:
        raise InvalidInputError(f"`widths` must have shape (N,), got shape {array.shape}.")
    step = check_real("t", t, low=0.0)
    size = check_real("loss_range", loss_range, low=0.0)
    for name, value in (("t", step), ("loss_range", size)):
        if value == 0.0:
            raise InvalidInputError(f"`{name}` must be > 0, got 0.")
    n, c = array.size, float(array.max())
    return SlackGuarantee(
        margin=2.0 * (n - 1) * c + step,
        purity=step + 2.0 * n * c,
        coverage=2.0 * c * ((n - 1) * size / (2.0 * c + step) + 1.0),
    )


@document
def slack_pruned(risks: npt.ArrayLike, widths: npt.ArrayLike, /, *, t: float) -> npt.NDArray[np.bool_]:
    """Mask of the hypotheses that survive pruning with slack, from empirical risks.

    h is deleted iff some h' has ``Lhat(h') <= Lhat(h) + 2C`` and, for some j,
    ``Lhat_j(h') < Lhat_j(h) - 2 (N - 1) c - t``. See `slack_guarantee` for what the survivors satisfy.

    Parameters
    ----------
    risks : (..., H, N) array_like
        Empirical risks of all hypotheses.
    widths : (..., N) array_like
        Joint widths C; c is the largest.
    t : float
        > 0.

    Returns
    -------
    (..., H) ndarray of bool

    {raises}

    References
    ----------
    Derived (proof: slack-pruned).

    Notes
    -----
    Complexity: O(H^2 N) time and O(H N) memory per table.

    Examples
    --------
    >>> slack_pruned([[0.5, 0.0], [0.46875, 1.0]], [0.03125, 0.0], t=0.25)
    array([ True, False])
    """
    table = real_array("risks", risks, shape="(..., H, N)", min_ndim=2)
    array = check_widths(widths, n_objectives=table.shape[-1])
    step = check_real("t", t, low=0.0)
    if step == 0.0:
        raise InvalidInputError("`t` must be > 0, got 0.")
    margin = 2.0 * (check_count("n_objectives", table.shape[-1]) - 1) * array.max(axis=-1) + step
    return pruned_with_margin(table, array, margin)


def pruned_with_margin(risks: FloatArray, widths: FloatArray, margin: FloatArray) -> npt.NDArray[np.bool_]:
    """Apply the rule with any margin (...); values that differ by rounding only count as equal."""
    # Reading rounding in favour of deletion costs no more than that rounding in either guarantee.
    rounding = 1e-14 * max(1.0, float(np.abs(risks).max()))
    lead = np.broadcast_shapes(risks.shape[:-2], widths.shape[:-1], margin.shape)
    # Objectives and hypotheses first, tables last: each step runs over long rows of memory.
    table = np.moveaxis(risks.reshape((1,) * (len(lead) + 2 - risks.ndim) + risks.shape), (-1, -2), (0, 1))
    allowed = np.moveaxis(2.0 * widths, -1, 0) + rounding
    survives = np.ones((risks.shape[-2], *lead), dtype=np.bool_)
    for rival in range(risks.shape[-2]):
        not_worse: npt.NDArray[np.bool_] = np.ones((), dtype=np.bool_)
        better: npt.NDArray[np.bool_] = np.zeros((), dtype=np.bool_)
        for i in range(risks.shape[-1]):
            excess = table[i, rival] - table[i]
            not_worse = not_worse & (excess <= allowed[i])
            better = better | (excess < -margin)
        survives &= ~(not_worse & better)
    return np.moveaxis(survives, 0, -1)
