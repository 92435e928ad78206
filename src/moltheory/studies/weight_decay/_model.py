r"""Balanced chains of linear layers: what weight decay drives to, what follows exactly, and a bound on NC1.

Consecutive linear layers A (later) and B are balanced if :math:`A'A = BB'`. Gradients of any loss of the product
satisfy :math:`A' \nabla_A = \nabla_B B'`, so gradient flow with decay :math:`\lambda` shrinks :math:`A'A - BB'` as
:math:`e^{-2\lambda t}`, whatever the data.

The bound holds at any iterate. With P the projection onto the row space of W_L,
:math:`Z_{L-1} = W_L^+ Y + W_L^+ (Z_L - Y) + (I - P) W_{L-1} Z_{L-2}`. The first term is collapsed. The second is small
if the training error is, the third if the last two layers are nearly balanced, for
:math:`\|(I-P) W_{L-1}\|_{op}^2 \le \|W_L'W_L - W_{L-1}W_{L-1}'\|_{op}`. Nothing else is assumed: neither a stationary
point nor a small step.
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
    "operator_norm_variant",
    "row_condition_number",
    "variability_bound",
]


def balance_gap(after: npt.ArrayLike, before: npt.ArrayLike, /) -> FloatArray:
    """Return A'A - BB', (..., q, q), of a later layer A, (..., p, q), and an earlier one B, (..., q, r)."""
    a, b = _pair(after, before)
    return np.asarray(_transposed(a) @ a - b @ _transposed(b))


def decayed_gap(gap: npt.ArrayLike, time: float, /, *, decay: float) -> FloatArray:
    r"""Return A'A - BB' after gradient flow of the data term plus weight decay for a time: :math:`e^{-2\lambda t}` times it.

    The data term contributes nothing, since :math:`A'\nabla_A = \nabla_B B'`. Without decay: S. Arora, N. Cohen, E.
    Hazan (2018), arXiv 1802.06509.
    """
    given = real_array("gap", gap, shape="(..., q, q)", min_ndim=2)
    t = check_real("time", time, low=0.0)
    return np.asarray(given * np.exp(-2.0 * check_real("decay", decay, low=0.0) * t))


def gap_after_step(
    gap: npt.ArrayLike, after_slope: npt.ArrayLike, before_slope: npt.ArrayLike, /, *, rate: float, decay: float
) -> FloatArray:
    r"""Return A'A - BB' after one step of gradient descent, exactly.

    .. math:: (1 - \eta\lambda)^2 (A'A - BB') + \eta^2 (\nabla_A' \nabla_A - \nabla_B \nabla_B')

    with the step size :math:`\eta` and the gradients of the data term by A and B. Derived (proof: study-balanced-layers):
    the terms of first order in the gradients cancel, as for gradient flow.
    """
    given = real_array("gap", gap, shape="(..., q, q)", min_ndim=2)
    a, b = _pair(after_slope, before_slope, names=("after_slope", "before_slope"))
    eta = check_real("rate", rate, low=0.0, strict=True)
    kept = (1.0 - eta * check_real("decay", decay, low=0.0)) ** 2
    return np.asarray(kept * given + eta**2 * (_transposed(a) @ a - b @ _transposed(b)))


def momentum_rate(rate: float, momentum: float, /, *, decay: float) -> float:
    r"""Return how much faster than :math:`e^{-2\lambda t}` momentum shrinks A'A - BB' near a stationary point.

    A step is :math:`\beta` times the one before, less the rate :math:`\eta` times the gradient, and takes the time
    :math:`\eta/(1-\beta)`. Returned is the exponent per unit of time over :math:`-2\lambda`: 1 in the limit of small
    steps. Derived (proof: study-balanced-layers): up to terms quadratic in the steps the gap D and its change C per step
    obey :math:`C \leftarrow \beta C - 2\eta\lambda D`, since the gradients cancel, and then D <- D + C; the largest root z
    of :math:`z^2 - (1 + \beta - 2\eta\lambda) z + \beta` (in modulus) is left in the long run.
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

    Of all factorizations the balanced ones have least squared norm; derived (proof: study-balanced-layers).

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

    One column per example, the same for all examples of a class: NC1 is 0. Derived (proof: study-balanced-layers),
    after Jacot et al. (2024): balanced layers have Z_{L-1} in the row space of W_L, of rank K, where W_L Z_{L-1} = Y
    has one solution.
    """
    w = real_array("last", last, shape="(..., K, d)", min_ndim=2)
    y = real_array("targets", targets, shape="(..., K, N)", min_ndim=2)
    if y.shape[-2] != w.shape[-2]:
        raise InvalidInputError(f"`targets` must have {w.shape[-2]} rows, one per row of `last`, got {y.shape[-2]}.")
    if not np.isfinite(row_condition_number(w)).all():
        raise InvalidInputError(f"`last` must have rank {w.shape[-2]}, its number of rows, got less.")
    return np.asarray(np.linalg.pinv(w) @ y)


def row_condition_number(matrices: npt.ArrayLike, /) -> FloatArray:
    """Return the largest over the K-th singular value of matrices with K rows, infinity if these are dependent.

    In a balanced chain of m layers that of the last layer is the m-th root of that of the product.
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

    With k >= 1 the condition number of W_L, which may be infinite. Derived (proof: study-balanced-layers): the cosine of
    a row of W and the matching column of its pseudoinverse is ((WW')_cc ((WW')^-1)_cc)^(-1/2), and the inequality of
    Kantorovich bounds the product by (k + 1/k)^2 / 4.
    """
    k = real_array("condition", condition, shape="(...)", min_ndim=0, finite=False)
    if (k < 1.0).any():
        raise InvalidInputError(f"`condition` must be at least 1, got {k.min():g}.")
    return np.asarray(2.0 / (k + 1.0 / k))


def variability_bound(
    last: npt.ArrayLike, before: npt.ArrayLike, inputs: npt.ArrayLike, targets: npt.ArrayLike, /, *, sharp: bool = False
) -> FloatArray:
    r"""Return an upper bound on NC1 of the features Z_{L-1} = W_{L-1} Z_{L-2} that W_L reads.

    .. math:: \frac{\|W_L\|_{op}^2 \left(e_1/s_K + \sqrt{e_2}\, \|Z_{L-2}\|\right)^2}
                   {\left(\sqrt{N(K-1)/K} - e_1\right)^2}, \quad
              e_1 = \|Z_L - Y\|, \quad e_2 = \|W_L'W_L - W_{L-1}W_{L-1}'\|_{op},

    with Frobenius norms of Z and the K-th singular value s_K of W_L.

    Parameters
    ----------
    last : (..., K, d) array_like
        W_L.
    before : (..., d, q) array_like
        W_{L-1}, a linear layer.
    inputs : (..., q, N) array_like
        Z_{L-2}, whatever made it.
    targets : (..., K, N) array_like
        Y, one 0/1 column per example, every class equally often.
    sharp : bool, default False
        Take the root of the sum of squares of the two terms in the numerator instead of their sum: they lie in
        orthogonal spaces. Never larger.

    Returns
    -------
    (...) ndarray
        >= 0; infinity, which claims nothing, where e_1 is at least :math:`\sqrt{N(K-1)/K}` or s_K is 0.

    Raises
    ------
    InvalidInputError
        If shapes disagree or the targets break their rule.

    References
    ----------
    Derived, both forms (proof: study-within-classes); the idea is that of A. Jacot, P. Súkeník, Z. Wang, M. Mondelli
    (2024), arXiv 2410.04887.

    Examples
    --------
    >>> y = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> float(variability_bound(np.eye(2), np.eye(2), y, y))
    0.0
    >>> round(float(variability_bound(np.eye(2), np.eye(2), 0.9 * y, y)), 6)
    0.027131
    """
    parts = _Parts(last, before, inputs, targets)
    first = parts.error / parts.smallest_or_one
    second = np.sqrt(parts.gap) * np.linalg.norm(parts.inputs, axis=(-1, -2))
    return parts.bound(first**2 + second**2 if sharp else (first + second) ** 2, parts.error)


def operator_norm_variant(
    last: npt.ArrayLike, before: npt.ArrayLike, inputs: npt.ArrayLike, targets: npt.ArrayLike, /
) -> FloatArray:
    """Return what `variability_bound` would be with operator norms of Z_L - Y and Z_{L-2}, which is NOT a bound.

    It is kept so that tests and experiments can show iterates that break it. Two independent errors of size 0.1 each
    do, of which the operator norm sees one.
    """
    parts = _Parts(last, before, inputs, targets)
    error = np.linalg.norm(parts.residual, ord=2, axis=(-1, -2))
    second = np.sqrt(parts.gap) * np.linalg.norm(parts.inputs, ord=2, axis=(-1, -2))
    return parts.bound((error / parts.smallest_or_one + second) ** 2, error)


class _Parts:
    """What both forms need, checked."""

    def __init__(
        self, last: npt.ArrayLike, before: npt.ArrayLike, inputs: npt.ArrayLike, targets: npt.ArrayLike
    ) -> None:
        w = real_array("last", last, shape="(..., K, d)", min_ndim=2)
        b = real_array("before", before, shape="(..., d, q)", min_ndim=2)
        self.inputs = real_array("inputs", inputs, shape="(..., q, N)", min_ndim=2)
        y = real_array("targets", targets, shape="(..., K, N)", min_ndim=2)
        if b.shape[-2] != w.shape[-1]:
            raise InvalidInputError(
                f"`before` must have {w.shape[-1]} rows, one per column of `last`, got {b.shape[-2]}."
            )
        if self.inputs.shape[-2] != b.shape[-1]:
            raise InvalidInputError(
                f"`inputs` must have {b.shape[-1]} rows, one per column of `before`, got {self.inputs.shape[-2]}."
            )
        n_classes, n = w.shape[-2], self.inputs.shape[-1]
        if y.shape[-2:] != (n_classes, n):
            raise InvalidInputError(f"`targets` must end in shape {(n_classes, n)}, got {y.shape}.")
        one_hot = ((y == 0) | (y == 1)).all() and (y.sum(axis=-2) == 1).all()
        if n_classes < 2 or not one_hot or (y.sum(axis=-1) != n / n_classes).any():
            raise InvalidInputError(
                "`targets` must have one 1 per column, else 0, and every one of at least two rows equally often."
            )
        values = np.linalg.svd(w, compute_uv=False)
        self.largest = values[..., 0]
        smallest = values[..., -1] if w.shape[-1] >= n_classes else np.zeros(w.shape[:-2])
        # A K-th singular value that is rounding error of 0 certifies nothing.
        self.full_rank = smallest > np.finfo(np.float64).eps * max(w.shape[-2:]) * self.largest
        self.smallest_or_one = np.where(self.full_rank, smallest, 1.0)
        self.residual = w @ (b @ self.inputs) - y
        self.error = np.linalg.norm(self.residual, axis=(-1, -2))
        self.gap = np.linalg.norm(np.swapaxes(w, -1, -2) @ w - b @ np.swapaxes(b, -1, -2), ord=2, axis=(-1, -2))
        self.spread = np.sqrt(n * (n_classes - 1) / n_classes)

    def bound(self, numerator: FloatArray, error: FloatArray) -> FloatArray:
        """The quotient, where its denominator is that of a positive number."""
        left = self.spread - error
        informative = (left > 0) & self.full_rank
        return np.where(informative, self.largest**2 * numerator / np.where(informative, left, 1.0) ** 2, np.inf)


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
