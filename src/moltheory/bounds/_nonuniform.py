"""Consequences of half-widths that depend on the hypothesis, deterministic where they hold.

With ``|L_i(h) - Lhat_i(h)| <= C_i(h)`` for all hypotheses and objectives, 2C becomes ``C(h) + C(hhat)``. The hypothesis
that a selected one is compared with is unknown, so each function keeps only those that the data leave possible. Which
of both half-widths a statement needs matters: a penalty C(h) in the learning rule removes C(hhat) from its excess
(`scalarized_excess` of half-widths (H, N)), and nothing else does.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_real, real_array
from moltheory.bounds._widths import EACH, check_widths
from moltheory.errors import InvalidInputError
from moltheory.pareto import nondominated
from moltheory.scalarization import Scalarization

__all__ = ["nonuniform_forward", "nonuniform_scalarized_excess", "nonuniform_weak_converse", "relative_excess"]


@document
def nonuniform_forward(widths: npt.ArrayLike, /, *, risks: npt.ArrayLike) -> FloatArray:
    """Coverage of each hypothesis by the empirical front, ``C(h) + C(hhat)``, where half-widths depend on it.

    For every h some member hhat of the empirical front has ``L_i(hhat) <= L_i(h) + C_i(h) + C_i(hhat)`` for all i. It is
    one of those with ``Lhat(hhat) <= Lhat(h)``; of these, the one whose largest allowance is smallest is taken.

    Parameters
    ----------
    {hypothesis_widths}
    {hypothesis_risks}

    Returns
    -------
    (..., H, N) ndarray
        Row h belongs to hypothesis h; the largest entry of all bounds the coverage error of the empirical front.

    {raises}

    Notes
    -----
    `forward` of C where all rows of the half-widths are equal to C.

    Complexity: O(H^2 N) time and memory per table.

    References
    ----------
    Derived (proof: nonuniform-forward).

    Examples
    --------
    >>> nonuniform_forward([[0.125, 0.0], [0.25, 0.0]], risks=[[0.5, 0.0], [0.5, 1.0]])
    array([[0.25 , 0.   ],
           [0.375, 0.   ]])
    """
    array, table = _tables(widths, risks)
    below = (table[..., None, :, :] <= table[..., :, None, :]).all(axis=-1)
    qualifies = below & np.asarray(nondominated(table))[..., None, :]
    both = array[..., :, None, :] + array[..., None, :, :]
    cost = np.where(qualifies, both.max(axis=-1), np.inf)
    # Where all that qualify have an infinite half-width, any of them will do.
    place = np.where(np.isinf(cost).all(axis=-1), qualifies.argmax(axis=-1), cost.argmin(axis=-1))
    chosen: FloatArray = np.take_along_axis(both, place[..., None, None], axis=-2)[..., 0, :]
    return chosen


@document
def nonuniform_weak_converse(widths: npt.ArrayLike, /, *, risks: npt.ArrayLike) -> FloatArray:
    """Margin by which nothing is better than a member of the empirical front, where half-widths depend on it.

    For no member hhat of the empirical front is there an h with ``L(h) <= L(hhat) - C(h) - C(hhat)``, one of them strict.
    Such an h has ``Lhat(h) - C(h) <= Lhat(hhat) + C(hhat)``: the margin is C(hhat) plus the largest C(h) among those.

    Parameters
    ----------
    {hypothesis_widths}
    {hypothesis_risks}

    Returns
    -------
    (..., H, N) ndarray
        Row h belongs to hypothesis h; it is infinite where h is not on the empirical front.

    {raises}

    Notes
    -----
    At most `weak_converse` of C where C is the largest row of the half-widths, and equal where all rows are.

    Complexity: O(H^2 N) time and memory per table.

    References
    ----------
    Derived (proof: nonuniform-weak-converse).

    Examples
    --------
    >>> nonuniform_weak_converse([[0.125, 0.0], [0.25, 0.0]], risks=[[0.25, 0.0], [0.5, 0.0]])
    array([[0.375, 0.   ],
           [  inf,   inf]])
    """
    array, table = _tables(widths, risks)
    lower, upper = table - array, table + array
    possible = np.asarray((lower[..., None, :, :] <= upper[..., :, None, :]).all(axis=-1))
    rival = np.where(possible[..., None], array[..., None, :, :], 0.0).max(axis=-2)
    margin: FloatArray = np.where(np.asarray(nondominated(table))[..., None], array + rival, np.inf)
    return margin


@document
def nonuniform_scalarized_excess(
    widths: npt.ArrayLike, /, *, scalarization: Scalarization, risks: npt.ArrayLike
) -> FloatArray:
    """Excess of each hypothesis in a scalarized risk, where half-widths depend on the hypothesis.

    With W(h) a width of U at C(h), ``U(L(hhat)) - U(L(h)) <= W(hhat) + W(h) + U(Lhat(hhat)) - U(Lhat(h))`` for all h: row
    hhat is the largest right side. For a minimiser of U(Lhat) it is ``W(hhat) + max (W(h) - eta(h))``, where h exceeds the
    minimum by eta(h): hypotheses that are clearly worse do not count, however wide they are.

    Parameters
    ----------
    {hypothesis_widths}
    scalarization : Scalarization
        U; its `width` is used.
    {hypothesis_risks}

    Returns
    -------
    (..., H) ndarray
        Row h bounds ``U(L(h)) - min U(L)``.

    {raises}

    Notes
    -----
    For a minimiser of ``U(Lhat(h)) + W(h)`` instead, ``U(L(hhat)) <= U(L(h)) + 2 W(h)`` for all h, which is
    `scalarized_excess`. From limits of the risks, `a_posteriori_excess` is at most as large if U is monotone and
    subadditive.

    Complexity: O(H N) time and memory per table.

    References
    ----------
    Derived (proof: nonuniform-scalarized-excess, penalized-excess).

    Examples
    --------
    >>> from moltheory.scalarization import WeightedSum
    >>> widths, risks = [[0.125, 0.0], [0.5, 0.0]], [[0.0, 0.0], [1.0, 0.0]]
    >>> nonuniform_scalarized_excess(widths, scalarization=WeightedSum([1.0, 1.0]), risks=risks)
    array([0.25 , 1.625])
    """
    array, table = _tables(widths, risks)
    width = scalarization.width(array)
    values = scalarization(table)
    if np.isinf(values).any():
        raise InvalidInputError(f"`scalarization` must be finite at all risks, got {scalarization!r}.")
    excess: FloatArray = values + width - (values - width).min(axis=-1, keepdims=True)
    return excess


@document
def relative_excess(
    scales: npt.ArrayLike, /, *, scalarization: Scalarization, best: npt.ArrayLike, eta: float = 0.0
) -> FloatArray:
    r"""Excess of scalarized learning under relative deviations: of order c where the best risk is 0.

    Where :math:`|L_i - \hat L_i| \le \sqrt{c_i \max(L_i, \hat L_i)}` for all hypotheses and objectives, hhat minimising
    U(Lhat) up to eta has :math:`U(L(\hat h)) \le r(r(U(L(h))) + \eta)` for all h, where
    :math:`r(x) = x + c/2 + \sqrt{c^2/4 + c x}` and c = U(c_1, ..., c_N). For eta = 0 the excess is at most
    :math:`2 \sqrt{c\, U(L(h))} + (3 + \sqrt 5)\, c / 2`.

    Parameters
    ----------
    scales : (..., N) array_like
        The c_i >= 0, for example from `relative_scales`.
    scalarization : Scalarization
        U: monotone, subadditive and homogeneous.
    best : float or (...) array_like
        U(L(h)) >= 0 of the hypothesis to compare with, such as the best.
    eta : float, default 0
        Optimization error, >= 0.

    Returns
    -------
    (...) ndarray
        Bound of ``U(L(hhat)) - U(L(h))``.

    {raises}

    Notes
    -----
    Complexity: O(K N) time and memory for K rows of N scales.

    References
    ----------
    Derived (proof: relative-excess); for one objective after C. Cortes, S. Greenberg and M. Mohri (2019),
    arXiv 1310.5796.

    Examples
    --------
    >>> from moltheory.scalarization import WeightedSum
    >>> relative_excess([0.01, 0.0], scalarization=WeightedSum([0.5, 0.5]), best=[0.0, 0.5]).round(4)
    array([0.0131, 0.1077])
    """
    if not (scalarization.is_monotone and scalarization.is_subadditive and scalarization.is_homogeneous):
        raise InvalidInputError(
            f"`scalarization` must be monotone, subadditive and homogeneous, got {scalarization!r}."
        )
    array = real_array("scales", scales, shape="(..., N)", min_ndim=1)
    if (array < 0.0).any():
        raise InvalidInputError(f"`scales` must be >= 0 everywhere, got {array.min():g}.")
    if array.shape[-1] != scalarization.n_objectives:
        raise InvalidInputError(
            f"`scales` must have {scalarization.n_objectives} entries on its last axis, got {array.shape[-1]}."
        )
    value = real_array("best", best, shape="(...)", min_ndim=0)
    if (value < 0.0).any():
        raise InvalidInputError(f"`best` must be >= 0 everywhere, got {value.min():g}.")
    slack = check_real("eta", eta, low=0.0)
    scale = scalarization(array)
    try:
        np.broadcast_shapes(scale.shape, value.shape)
    except ValueError:
        raise InvalidInputError(
            f"`best` must be one number, or one for each of {scale.shape} rows of scales, got shape {value.shape}."
        ) from None

    def added(x: FloatArray) -> FloatArray:
        step: FloatArray = scale / 2.0 + np.sqrt(scale**2 / 4.0 + scale * x)
        return step

    first = added(value) + slack
    return first + added(value + first)


def _tables(widths: npt.ArrayLike, risks: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return half-widths and empirical risks (..., H, N) of one shape; refuse others."""
    array = check_widths(widths, scopes=EACH)
    table = real_array("risks", risks, shape="(..., H, N)", min_ndim=2)
    if array.ndim < 2 or array.shape != table.shape:
        raise InvalidInputError(
            f"`widths` must have one entry per hypothesis and objective, as `risks` of shape {table.shape}, got shape "
            f"{array.shape}."
        )
    return array, table
