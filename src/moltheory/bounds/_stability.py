r"""Uniform stability of regularized scalarized learning: widths at the hypothesis that is learned, without a class.

:math:`\hat\theta` minimises :math:`\sum_k w_k \hat L_k(\theta) + \lambda \|\theta\|^2` for losses that are convex and
:math:`G_k`-Lipschitz in :math:`\theta`. Replacing one example moves it by little, and so the gap between its true and
its empirical risk is small.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._memory_estimate import require_memory
from moltheory._core._validation import FloatArray, check_fraction, check_real, check_vector, numbers_or_one, real_array
from moltheory.bounds._bound import Bound
from moltheory.bounds._sizes import IID, count_of, loss_ranges, sample_sizes
from moltheory.errors import InvalidInputError

__all__ = ["regularized_sum", "uniform_stability"]


@document
def uniform_stability(
    n: int | npt.ArrayLike,
    *,
    weights: npt.ArrayLike,
    penalty: float,
    lipschitz: float | npt.ArrayLike,
    shared: bool = False,
) -> FloatArray:
    r"""Uniform stability of regularized scalarized learning: how far one example can move the loss of any other.

    :math:`\beta_{jk} = G_j w_k G_k/(\lambda n_k)` bounds the change of every loss of objective j when one example of
    objective k is replaced; :math:`\beta_j = G_j \sum_k w_k G_k/(\lambda n)` if all objectives share the examples.

    Parameters
    ----------
    n : int or (N,) array_like
        Sample size, >= 1; ``inf`` marks a data-independent objective.
    weights : (N,) or (K, N) array_like
        Nonnegative, used as given.
    penalty : float
        lambda > 0 of the term :math:`\lambda \|\theta\|^2`.
    lipschitz : float or (N,) array_like
        :math:`G_k \ge 0`, on all hypotheses that can be learned.
    shared : bool, default False
        Whether one sample serves all objectives; then `n` is one number.

    Returns
    -------
    ndarray
        (..., N, N), or (..., N) where `shared`.

    {raises}
    TooLargeError
        If the N^2 entries do not fit into memory.

    Notes
    -----
    The constant is attained by linear losses. It is for the replacement of an example; for its removal it is half of
    that, the :math:`\sigma^2\kappa^2/(2\lambda n)` of Bousquet and Elisseeff for one objective.

    Complexity: O(K N^2) time and memory.

    References
    ----------
    Derived (proof: regularized-sum), after O. Bousquet and A. Elisseeff (2002), "Stability and generalization", JMLR 2.

    Examples
    --------
    >>> uniform_stability([100, 400], weights=[0.5, 0.5], penalty=0.1, lipschitz=1.0)
    array([[0.05  , 0.0125],
           [0.05  , 0.0125]])
    """
    scale, sizes, constants = _setting(n, weights, penalty, lipschitz, shared)
    stability: FloatArray
    if shared:
        stability = constants * scale.sum(axis=-1, keepdims=True) / sizes[0]
    else:
        require_memory(
            8.0 * scale.size * sizes.size, f"`weights` of {sizes.size} objectives", "take fewer rows of weights"
        )
        stability = constants[:, None] * (scale / sizes)[..., None, :]
    return stability


@document
def regularized_sum(
    n: int | npt.ArrayLike,
    *,
    weights: npt.ArrayLike,
    penalty: float,
    lipschitz: float | npt.ArrayLike,
    delta: float,
    loss_range: float | npt.ArrayLike = 1.0,
    shared: bool = False,
    radius: float = 0.0,
) -> Bound:
    r"""Half-width at the minimiser of a regularized weighted sum, for all objectives and all given weights at once.

    :math:`\beta_{jj} + \sqrt{\tfrac12 \log(2KN'/\delta) \sum_k n_k (2\beta_{jk} + [k = j] B_j/n_j)^2} + G_j r/\lambda`
    for samples of their own; :math:`\beta_j + (2n\beta_j + B_j) \sqrt{\log(2KN'/\delta)/(2n)} + G_j r/\lambda` for a
    shared one, with the constants of `uniform_stability`.

    Parameters
    ----------
    n : int or (N,) array_like
        Sample size, >= 1; ``inf`` marks a data-independent objective, which has width 0 and is not counted.
    weights : (N,) or (K, N) array_like
        Nonnegative, used as given; K rows, fixed before the data, hold at once.
    penalty : float
        lambda > 0 of the term :math:`\lambda \|\theta\|^2`.
    lipschitz : float or (N,) array_like
        Lipschitz constants :math:`G_k \ge 0` of the losses in :math:`\theta`, on all hypotheses that can be learned.
    {delta}
    loss_range : float or (N,) array_like, default 1.0
        Length B of an interval that holds the losses of all hypotheses that can be learned.
    shared : bool, default False
        Whether one sample serves all objectives; then `n` is one number.
    radius : float, default 0.0
        r >= 0: the widths of a row hold for all weights v with :math:`\sum_k G_k |v_k - w_k| \le r`, even chosen
        after seeing the data.

    Returns
    -------
    Bound
        Its width has shape (N,), or (K, N) for K rows of weights. It is about the hypotheses that are learned, not
        about all of a class: no statement that compares with other hypotheses follows from it.

    {raises}

    Notes
    -----
    For squares :math:`(\langle\theta, x\rangle - y)^2` with :math:`\|x\| \le X`, :math:`|y| \le Y` and weights that sum to
    1, all learned hypotheses have norm at most :math:`Y/\sqrt\lambda`, hence :math:`G = 2XY(1 + X/\sqrt\lambda)` and
    :math:`B = Y^2 (1 + X/\sqrt\lambda)^2`.

    Complexity: O(K N) time and memory.

    References
    ----------
    Derived (proof: regularized-sum), after O. Bousquet and A. Elisseeff (2002), "Stability and generalization", JMLR 2.

    Examples
    --------
    >>> regularized_sum(10_000, weights=[0.5, 0.5], penalty=0.1, lipschitz=1.0, delta=0.05).width.round(3)
    array([0.221, 0.221])
    """
    scale, sizes, constants = _setting(n, weights, penalty, lipschitz, shared)
    ranges = loss_ranges(loss_range, sizes.size)
    extra = constants * check_real("radius", radius, low=0.0) / penalty
    n_rows = scale.size // sizes.size
    budget = math.log(2.0 * count_of(sizes) * n_rows) - math.log(check_fraction("delta", delta))
    if shared:
        own = constants * scale.sum(axis=-1, keepdims=True) / sizes[0]
        spread = (2.0 * own * np.sqrt(sizes) + ranges / np.sqrt(sizes)) ** 2
    else:
        own = constants * scale / sizes
        # The sum over k of the squares, of which only k = j has a second part.
        others = constants**2 * (scale**2 / sizes).sum(axis=-1, keepdims=True)
        spread = 4.0 * others + 4.0 * own * ranges + ranges**2 / sizes
    width = own + np.sqrt(0.5 * budget * spread) + extra
    return Bound(
        width=np.where(np.isinf(sizes), 0.0, width),
        loss_range=ranges,
        delta=float(delta),
        method="regularized weighted sum",
        source="derived, after Bousquet and Elisseeff 2002, JMLR 2 (proof: regularized-sum)",
        assumptions=(
            "exact minimisers of the regularized sum",
            "losses convex and Lipschitz in the parameters",
            "losses of learned hypotheses inside intervals of the given lengths",
            "weights fixed before the data",
            IID,
            "one sample shared by all objectives" if shared else "independent samples of different objectives",
        ),
        event="for the learned hypotheses of all weights, and all objectives: |true risk - empirical risk| <= width",
        scope="learned",
    )


def _setting(
    n: int | npt.ArrayLike, weights: npt.ArrayLike, penalty: float, lipschitz: float | npt.ArrayLike, shared: bool
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return w G / lambda (..., N), sizes (N,) and Lipschitz constants G (N,)."""
    rows = real_array("weights", weights, shape="(N,) or (K, N)", min_ndim=1, max_ndim=2)
    if rows.min() < 0.0:
        raise InvalidInputError(f"`weights` must be >= 0 everywhere, got {rows.min():g}.")
    n_objectives = rows.shape[-1]
    if shared and np.ndim(n):
        raise InvalidInputError("`n` must be one number where `shared`, got several.")
    sizes = sample_sizes(n, n_objectives if np.ndim(n) == 0 else 1)
    constants = check_vector("lipschitz", numbers_or_one("lipschitz", lipschitz), low=0.0)
    for name, array, allowed in (("n", sizes, {n_objectives}), ("lipschitz", constants, {1, n_objectives})):
        if array.size not in allowed:
            raise InvalidInputError(f"`{name}` must have {n_objectives} entries, one per weight, got {array.size}.")
    factor = check_real("penalty", penalty, low=0.0)
    if factor == 0.0:
        raise InvalidInputError("`penalty` must be > 0, got 0.")
    with np.errstate(over="ignore"):
        scale = rows * constants / factor
        if not np.isfinite((scale * constants.max()) ** 2).all():
            raise InvalidInputError(f"`penalty` must be large enough for a finite stability, got {factor:g}.")
    return scale, sizes, np.broadcast_to(constants, sizes.shape)
