r"""Balanced chains of linear layers: what weight decay drives to, and what follows from it exactly.

Consecutive linear layers A (later) and B are balanced if :math:`A'A = BB'`. Gradients of any loss of the product
satisfy :math:`A' \nabla_A = \nabla_B B'`, so gradient flow with decay :math:`\lambda` shrinks :math:`A'A - BB'` as
:math:`e^{-2\lambda t}`, whatever the data.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count, check_real, real_array
from moltheory.errors import InvalidInputError

__all__ = [
    "balance_gap",
    "balanced_chain",
    "cosine_floor",
    "decayed_gap",
    "gap_after_step",
    "interpolating_features",
    "momentum_rate",
    "row_condition_number",
]


def balance_gap(after: npt.ArrayLike, before: npt.ArrayLike, /) -> FloatArray:
    """Return A'A - BB' of consecutive layers.

    Parameters
    ----------
    after : (..., p, q) array_like
        The later layer A.
    before : (..., q, r) array_like
        The earlier layer B.

    Returns
    -------
    (..., q, q) ndarray
        Zero if they are balanced.

    Raises
    ------
    InvalidInputError
        If shapes disagree.

    Examples
    --------
    >>> balance_gap([[2.0, 0.0]], [[1.0], [0.0]])
    array([[3., 0.],
           [0., 0.]])
    """
    a, b = _pair(after, before)
    return np.asarray(_transposed(a) @ a - b @ _transposed(b))


def decayed_gap(gap: npt.ArrayLike, time: float, /, *, decay: float) -> FloatArray:
    r"""Return what gradient flow of the data term plus weight decay makes of A'A - BB': :math:`e^{-2\lambda t}` times it.

    Parameters
    ----------
    gap : (..., q, q) array_like
        At time 0.
    time : float
        t >= 0.
    decay : float
        :math:`\lambda` >= 0, the factor of half the squared norms.

    Returns
    -------
    (..., q, q) ndarray

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule.

    Notes
    -----
    The data term contributes nothing, since :math:`A'\nabla_A = \nabla_B B'`. Without decay: S. Arora, N. Cohen,
    E. Hazan (2018), arXiv 1802.06509.

    Examples
    --------
    >>> decayed_gap([[3.0]], 10.0, decay=0.05).round(6)
    array([[1.103638]])
    """
    given = real_array("gap", gap, shape="(..., q, q)", min_ndim=2)
    t = check_real("time", time, low=0.0)
    return np.asarray(given * np.exp(-2.0 * check_real("decay", decay, low=0.0) * t))


def gap_after_step(
    gap: npt.ArrayLike, after_slope: npt.ArrayLike, before_slope: npt.ArrayLike, /, *, rate: float, decay: float
) -> FloatArray:
    r"""Return A'A - BB' after one step of gradient descent, exactly.

    .. math:: (1 - \eta\lambda)^2 (A'A - BB') + \eta^2 (\nabla_A' \nabla_A - \nabla_B \nabla_B')

    Parameters
    ----------
    gap : (..., q, q) array_like
        A'A - BB' before the step.
    after_slope : (..., p, q) array_like
        Gradient of the data term by A.
    before_slope : (..., q, r) array_like
        Gradient of the data term by B.
    rate : float
        Step size :math:`\eta` > 0.
    decay : float
        :math:`\lambda` >= 0.

    Returns
    -------
    (..., q, q) ndarray

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule.

    Notes
    -----
    Derived: the terms of first order in the gradients cancel, as for gradient flow.

    Examples
    --------
    >>> gap_after_step([[0.0]], [[1.0]], [[0.5]], rate=0.1, decay=0.0).round(6)
    array([[0.0075]])
    """
    given = real_array("gap", gap, shape="(..., q, q)", min_ndim=2)
    a, b = _pair(after_slope, before_slope, names=("after_slope", "before_slope"))
    eta = check_real("rate", rate, low=0.0, strict=True)
    kept = (1.0 - eta * check_real("decay", decay, low=0.0)) ** 2
    return np.asarray(kept * given + eta**2 * (_transposed(a) @ a - b @ _transposed(b)))


def momentum_rate(rate: float, momentum: float, /, *, decay: float) -> float:
    r"""Return how much faster than :math:`e^{-2\lambda t}` momentum shrinks A'A - BB' near a stationary point.

    Parameters
    ----------
    rate : float
        Step size :math:`\eta` > 0.
    momentum : float
        :math:`\beta` in [0, 1): a step is :math:`\beta` times the one before, less :math:`\eta` times the gradient.
    decay : float
        :math:`\lambda` > 0.

    Returns
    -------
    float
        The exponent per unit of time :math:`\eta/(1-\beta)` a step, over :math:`-2\lambda`; 1 in the limit of small
        steps.

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule.

    Notes
    -----
    Derived. Up to terms quadratic in the steps the gap D and its change C per step obey D <- D + C and
    :math:`C \leftarrow \beta C - 2\eta\lambda D`, since the gradients cancel; the largest root z of
    :math:`z^2 - (1 + \beta - 2\eta\lambda) z + \beta` (in modulus) is left in the long run.

    Examples
    --------
    >>> round(momentum_rate(0.05, 0.9, decay=0.001), 4)
    1.0097
    """
    eta = check_real("rate", rate, low=0.0, strict=True)
    beta = check_real("momentum", momentum, low=0.0, high=1.0)
    if beta == 1.0:
        raise InvalidInputError("`momentum` must be below 1, got 1.")
    speed = 2.0 * eta * check_real("decay", decay, low=0.0, strict=True)
    root = np.abs(np.roots([1.0, -(1.0 + beta - speed), beta])).max()
    return float(-np.log(root) * (1.0 - beta) / speed)


def balanced_chain(product: npt.ArrayLike, n_layers: int, /, *, width: int) -> tuple[FloatArray, ...]:
    """Return balanced layers W_1, ..., W_m whose product W_m ... W_1 is a given matrix.

    Parameters
    ----------
    product : (K, q) array_like
        With singular values s.
    n_layers : int
        m >= 1.
    width : int
        Units between the layers, >= min(K, q).

    Returns
    -------
    tuple of ndarray
        Every layer has singular values s^(1/m).

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule.

    Notes
    -----
    Derived; of all factorizations the balanced ones have least squared norm.

    Examples
    --------
    >>> chain = balanced_chain([[8.0, 0.0], [0.0, 1.0]], 3, width=4)
    >>> (chain[2] @ chain[1] @ chain[0]).round(12), [row_condition_number(one).round(12).item() for one in chain[2:]]
    (array([[8., 0.],
           [0., 1.]]), [2.0])
    """
    given = real_array("product", product, shape="(K, q)", min_ndim=2, max_ndim=2)
    check_count("n_layers", n_layers)
    check_count("width", width)
    rank = min(given.shape)
    if width < rank:
        raise InvalidInputError(f"`width` must be at least {rank}, the smaller side of `product`, got {width}.")
    left, values, right = np.linalg.svd(given, full_matrices=False)
    roots = values ** (1.0 / n_layers)
    if n_layers == 1:
        return (given.copy(),)
    inner = np.zeros((width, width))
    inner[:rank, :rank] = np.diag(roots)
    first = np.zeros((width, given.shape[1]))
    first[:rank] = roots[:, None] * right
    last = np.zeros((given.shape[0], width))
    last[:, :rank] = left * roots
    return (first, *(inner.copy() for _ in range(n_layers - 2)), last)


def interpolating_features(last: npt.ArrayLike, targets: npt.ArrayLike, /) -> FloatArray:
    """Return W_L^+ Y, the features of a network that interpolates and whose last two linear layers are balanced.

    Parameters
    ----------
    last : (..., K, d) array_like
        W_L, of rank K.
    targets : (..., K, N) array_like
        Y.

    Returns
    -------
    (..., d, N) ndarray
        One column per example, the same for all examples of a class: NC1 is 0.

    Raises
    ------
    InvalidInputError
        If shapes disagree or W_L has a smaller rank.

    Notes
    -----
    Derived from Jacot et al. (2024): balanced layers have Z_{L-1} in the row space of W_L, where W_L Z_{L-1} = Y has
    one solution.

    Examples
    --------
    >>> interpolating_features([[2.0, 0.0, 0.0], [0.0, 4.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]])
    array([[0.5 , 0.  ],
           [0.  , 0.25],
           [0.  , 0.  ]])
    """
    w = real_array("last", last, shape="(..., K, d)", min_ndim=2)
    y = real_array("targets", targets, shape="(..., K, N)", min_ndim=2)
    if y.shape[-2] != w.shape[-2]:
        raise InvalidInputError(f"`targets` must have {w.shape[-2]} rows, one per row of `last`, got {y.shape[-2]}.")
    if not np.isfinite(row_condition_number(w)).all():
        raise InvalidInputError(f"`last` must have rank {w.shape[-2]}, its number of rows, got less.")
    return np.asarray(np.linalg.pinv(w) @ y)


def row_condition_number(matrices: npt.ArrayLike, /) -> FloatArray:
    """Return the largest over the K-th singular value of matrices with K rows.

    Parameters
    ----------
    matrices : (..., K, d) array_like

    Returns
    -------
    (...) ndarray
        >= 1; infinity if the rows are linearly dependent. In a balanced chain of m layers that of the last layer is
        the m-th root of that of the product.

    Raises
    ------
    InvalidInputError
        If `matrices` is not real or not finite.

    Examples
    --------
    >>> float(row_condition_number([[3.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))
    3.0
    """
    given = real_array("matrices", matrices, shape="(..., K, d)", min_ndim=2)
    values = np.linalg.svd(given, compute_uv=False)
    if given.shape[-1] < given.shape[-2]:
        return np.full(given.shape[:-2], np.inf)
    smallest = values[..., -1]
    alive = smallest > np.finfo(np.float64).eps * max(given.shape[-2:]) * values[..., 0]
    return np.where(alive, values[..., 0] / np.where(alive, smallest, 1.0), np.inf)


def cosine_floor(condition: npt.ArrayLike, /) -> FloatArray:
    """Return 2k / (1 + k^2), below which no cosine of NC3 falls in a balanced network that interpolates.

    Parameters
    ----------
    condition : (...) array_like
        k >= 1, the condition number of W_L; infinity is allowed.

    Returns
    -------
    (...) ndarray
        In [0, 1]; 1 at k = 1.

    Raises
    ------
    InvalidInputError
        If a condition number is below 1.

    Notes
    -----
    Derived: the cosine of a row of W and the matching column of its pseudoinverse is
    ((WW')_cc ((WW')^-1)_cc)^(-1/2), and the inequality of Kantorovich bounds the product by (k + 1/k)^2 / 4.

    Examples
    --------
    >>> cosine_floor([1.0, 2.0])
    array([1. , 0.8])
    """
    k = real_array("condition", condition, shape="(...)", min_ndim=0, finite=False)
    if (k < 1.0).any():
        raise InvalidInputError(f"`condition` must be at least 1, got {k.min():g}.")
    return np.asarray(2.0 / (k + 1.0 / k))


def _pair(
    after: npt.ArrayLike, before: npt.ArrayLike, *, names: tuple[str, str] = ("after", "before")
) -> tuple[FloatArray, FloatArray]:
    a = real_array(names[0], after, shape="(..., p, q)", min_ndim=2)
    b = real_array(names[1], before, shape="(..., q, r)", min_ndim=2)
    if a.shape[-1] != b.shape[-2]:
        raise InvalidInputError(
            f"`{names[1]}` must have {a.shape[-1]} rows, one per column of `{names[0]}`, got {b.shape[-2]}."
        )
    return a, b


def _transposed(matrices: FloatArray) -> FloatArray:
    return np.swapaxes(matrices, -1, -2)
