"""Consequences of joint half-widths for fronts and scalarized learning, deterministic on the event E.

E is the event that all true and empirical risks are within their widths, ``|L_i(h) - Lhat_i(h)| <= C_i`` for all
hypotheses and objectives at once. Whatever the widths come from, the functions here turn them into statements that
hold in every sample in which E holds; the failure probability is that of E and nothing more is spent. A `Bound` on
something else, as its `scope` says, is refused; an array is taken at its word.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_real, real_array
from moltheory.bounds._widths import AT_ONE, check_widths
from moltheory.errors import InvalidInputError
from moltheory.pareto import hypervolume as _hypervolume
from moltheory.scalarization import EpsilonConstraint, Scalarization

__all__ = [
    "a_posteriori_excess",
    "boundary",
    "constrained_excess",
    "forward",
    "hypervolume_loss",
    "hypervolume_sandwich",
    "scalarized",
    "scalarized_excess",
    "weak_converse",
]


@document
def scalarized(widths: npt.ArrayLike, /, *, scalarization: Scalarization) -> FloatArray:
    """Half-width of a scalarized risk: ``|U(L(h)) - U(Lhat(h))| <= U(C)`` for all h, and for all U at once.

    On E, for every monotone subadditive U simultaneously, so U may be chosen after seeing the data. The widths may also
    be those of one hypothesis, of a learned one, or of averages under a posterior; the statement is about the same.

    Parameters
    ----------
    {widths}
    scalarization : Scalarization
        U; its `width` is used, which is U(C) where that is tight and never more.

    Returns
    -------
    (...) ndarray

    Raises
    ------
    InvalidInputError
        If U has no width (an epsilon-constraint: use `constrained_excess`), or the widths do not fit.

    Notes
    -----
    Complexity: O(K N) time and memory for K rows of N widths.

    References
    ----------
    P. Súkeník and C. H. Lampert, arXiv 2208.13499.

    Examples
    --------
    >>> from moltheory.scalarization import WeightedSum
    >>> float(scalarized([0.25, 0.0], scalarization=WeightedSum([0.5, 0.5])))
    0.125
    """
    return scalarization.width(check_widths(widths, n_objectives=scalarization.n_objectives, scopes=AT_ONE))


@document
def scalarized_excess(widths: npt.ArrayLike, /, *, scalarization: Scalarization, eta: float = 0.0) -> FloatArray:
    """Excess of scalarized learning: ``U(L(hhat)) <= inf_h U(L(h)) + 2 U(C) + eta``.

    Here hhat minimises U(Lhat) up to `eta`. An array of half-widths C(h), one row per hypothesis, gives the excess over h
    of what minimises U(Lhat) + U(C) instead.

    Parameters
    ----------
    {widths}
    scalarization : Scalarization
        U.
    eta : float, default 0
        Optimization error, >= 0.

    Returns
    -------
    (...) ndarray

    Raises
    ------
    InvalidInputError
        As `scalarized`, or if `eta` is negative.

    Notes
    -----
    Complexity: O(K N) time and memory for K rows of N widths.

    References
    ----------
    Counterpart of Theorem 2 of P. Súkeník and C. H. Lampert, arXiv 2208.13499; the constant is
    derived (proof: scalarized-excess).

    Examples
    --------
    >>> from moltheory.scalarization import Chebyshev
    >>> float(scalarized_excess([0.25, 0.125], scalarization=Chebyshev([0.5, 0.5])))
    0.25
    """
    slack = check_real("eta", eta, low=0.0)
    array = check_widths(widths, each="nonuniform_scalarized_excess")
    return 2.0 * scalarized(array, scalarization=scalarization) + slack


@document
def constrained_excess(widths: npt.ArrayLike, /, *, constraint: EpsilonConstraint) -> tuple[FloatArray, FloatArray]:
    """Excess and constraint violation of constrained learning with bounds relaxed by the half-widths.

    hhat minimises Lhat_1 subject to ``Lhat_i <= b_i + C_i``. If some h satisfies ``L_i <= b_i``, then
    ``L_1(hhat) <= min {L_1 : L_i <= b_i} + 2 C_1`` and ``L_i(hhat) <= b_i + 2 C_i``.

    Parameters
    ----------
    {widths}
    constraint : EpsilonConstraint
        The bounds b and which objective is minimised (objective 1 above).

    Returns
    -------
    excess : (...) ndarray
        Twice the width of the minimised objective.
    limits : (..., N) ndarray
        ``b_i + 2 C_i``.

    {raises}

    Notes
    -----
    Complexity: O(K N) time and memory for K rows of N widths.

    References
    ----------
    Derived (proof: constrained-excess).

    Examples
    --------
    >>> excess, limits = constrained_excess([0.125, 0.25], constraint=EpsilonConstraint([float("inf"), 0.5]))
    >>> float(excess), limits
    (0.25, array([inf,  1.]))
    """
    array = check_widths(widths, n_objectives=constraint.n_objectives)
    return 2.0 * array[..., constraint.objective], np.array(constraint.bounds) + 2.0 * array


@document
def forward(widths: npt.ArrayLike, /) -> FloatArray:
    """Coverage: every h is matched by some member of the empirical front up to ``2 C`` in each objective.

    Finite class, or one in which every h is empirically dominated by or tied with a member of the empirical front.
    One-sided: it does not bound the other members (the asymmetry).

    Parameters
    ----------
    {widths}

    Returns
    -------
    (..., N) ndarray
        The largest entry bounds the coverage error of the empirical front.

    Notes
    -----
    Complexity: O(K N) time and memory for K rows of N widths.

    References
    ----------
    P. Súkeník and C. H. Lampert, arXiv 2208.13499 (the statement); the factor 2, which is attained,
    is derived (proof: forward).

    Examples
    --------
    >>> forward([0.125, 0.0])
    array([0.25, 0.  ])
    """
    return 2.0 * check_widths(widths, each="nonuniform_forward")


@document
def weak_converse(widths: npt.ArrayLike, /) -> FloatArray:
    """Margin ``2 C`` by which no hypothesis is better than a member of the empirical front in all objectives.

    For no member hhat of the empirical front is there an h with ``L(h) <= L(hhat) - 2C``, one of them strict. All
    objectives together: a single one can be improved by any amount.

    Parameters
    ----------
    {widths}

    Returns
    -------
    (..., N) ndarray

    Notes
    -----
    Complexity: O(K N) time and memory for K rows of N widths.

    References
    ----------
    Derived (proof: weak-converse).

    Examples
    --------
    >>> weak_converse([0.125, 0.0])
    array([0.25, 0.  ])
    """
    return 2.0 * check_widths(widths, each="nonuniform_weak_converse")


@document
def boundary(widths: npt.ArrayLike, /) -> FloatArray:
    """Sup-norm Hausdorff distance of the true and the empirical upper set: at most ``max C``.

    The upper set holds the risk vectors that some hypothesis attains or improves on. Boundaries generalize, although
    membership of the front does not.

    Parameters
    ----------
    {widths}

    Returns
    -------
    (...) ndarray

    Notes
    -----
    Complexity: O(K N) time and memory for K rows of N widths.

    References
    ----------
    Derived (proof: boundary).

    Examples
    --------
    >>> float(boundary([0.125, 0.25]))
    0.25
    """
    largest: FloatArray = check_widths(widths).max(axis=-1)
    return largest


@document
def hypervolume_loss(widths: npt.ArrayLike, /, *, reference: npt.ArrayLike) -> FloatArray:
    """Loss of true hypervolume by the empirical front, at most ``prod R_i - prod (R_i - 2 C_i)_+``.

    For true risks >= 0 and the box from 0 to R.

    Parameters
    ----------
    {widths}
    reference : (N,) array_like
        R > 0.

    Returns
    -------
    (...) ndarray

    {raises}

    Notes
    -----
    Complexity: O(K N) time and memory for K rows of N widths.

    References
    ----------
    Derived (proof: hypervolume).

    Examples
    --------
    >>> float(hypervolume_loss([0.125, 0.0], reference=[1.0, 2.0]))
    0.5
    """
    array = check_widths(widths)
    corner = _reference(reference, array.shape[-1])
    if (corner <= 0.0).any():
        raise InvalidInputError(f"`reference` must be > 0 everywhere, got {corner.min():g}.")
    left = np.maximum(corner - 2.0 * array, 0.0).prod(axis=-1)
    loss: FloatArray = corner.prod() - left
    return loss


@document
def hypervolume_sandwich(
    points: npt.ArrayLike, widths: npt.ArrayLike, /, *, reference: npt.ArrayLike
) -> tuple[float, float]:
    """Interval for the true hypervolume from empirical risks, with the reference point moved by C.

    ``HV_{r-C}(Lhat(H)) <= HV_r(L(H)) <= HV_{r+C}(Lhat(H))``, and the same with true and empirical exchanged.

    Parameters
    ----------
    points : (H, N) array_like
        Risks of all hypotheses.
    widths : (N,) array_like
        Finite joint widths C.
    reference : (N,) array_like
        r.

    Returns
    -------
    lower, upper : float

    {raises}

    Notes
    -----
    Complexity: two hypervolumes of H points: see `moltheory.hypervolume`.

    References
    ----------
    Derived (proof: hypervolume).

    Examples
    --------
    >>> hypervolume_sandwich([[0.0, 0.0]], [0.5, 0.0], reference=[1.0, 1.0])
    (0.5, 1.5)
    """
    table = real_array("points", points, shape="(H, N)", min_ndim=2, max_ndim=2)
    shift = check_widths(widths, n_objectives=table.shape[1])
    if shift.ndim != 1 or not np.isfinite(shift).all():
        raise InvalidInputError(f"`widths` must be {table.shape[1]} finite numbers, got shape {shift.shape}.")
    corner = _reference(reference, table.shape[1])
    return _hypervolume(table, reference=corner - shift), _hypervolume(table, reference=corner + shift)


@document
def a_posteriori_excess(lower: npt.ArrayLike, upper: npt.ArrayLike, /, *, scalarization: Scalarization) -> FloatArray:
    """Excess of any hypothesis from simultaneous boxes: ``U(L(h)) - min U(L) <= U(u(h)) - min_g U(l(g))``.

    Holds for every monotone U whenever ``l <= L <= u`` for all hypotheses and objectives, so it may be evaluated
    for whatever h and U were chosen from the same data.

    Parameters
    ----------
    lower, upper : (..., H, N) array_like
        Ends of the boxes, ``lower <= upper``.
    scalarization : Scalarization
        Any monotone U.

    Returns
    -------
    (..., H) ndarray
        One bound per hypothesis; infinite where U(u(h)) is.

    {raises}

    Notes
    -----
    Complexity: O(H N) time and memory per table.

    References
    ----------
    Derived (proof: a-posteriori-excess).

    Examples
    --------
    >>> from moltheory.scalarization import WeightedSum
    >>> u = WeightedSum([0.5, 0.5])
    >>> a_posteriori_excess([[0.0, 0.5], [0.5, 0.5]], [[0.25, 0.5], [1.0, 0.5]], scalarization=u)
    array([0.125, 0.5  ])
    """
    low = real_array("lower", lower, shape="(..., H, N)", min_ndim=2)
    high = real_array("upper", upper, shape="(..., H, N)", min_ndim=2)
    if low.shape != high.shape or (low > high).any():
        raise InvalidInputError(f"`upper` must have the shape of `lower` and lie above it, got shape {high.shape}.")
    if not scalarization.is_monotone:
        raise InvalidInputError(f"`scalarization` must be monotone, got {scalarization!r}.")
    floor = scalarization(low).min(axis=-1, keepdims=True)
    top = scalarization(high)
    # Nobody certainly feasible: infinity minus infinity says nothing, that is, infinity.
    excess: FloatArray = np.where(np.isinf(top), np.inf, top - np.where(np.isinf(floor), 0.0, floor))
    return excess


def _reference(reference: npt.ArrayLike, n_objectives: int) -> FloatArray:
    corner = real_array("reference", reference, shape="(N,)", min_ndim=1, max_ndim=1)
    if corner.shape[0] != n_objectives:
        raise InvalidInputError(f"`reference` must have {n_objectives} entries, got {corner.shape[0]}.")
    return corner
