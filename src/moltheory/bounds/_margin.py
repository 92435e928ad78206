r"""Margins of linear classifiers: half-widths of the error rate that shrink as 1/margin, and the fat-shattering dimension.

The margin of a classifier sign<w, x> at an example with label y in {-1, +1} is y<w, x>; it errs where the margin is
not positive. The ramp loss of margin gamma is 1 below 0, 0 above gamma and linear between; it lies between the error
and the indicator of a margin below gamma, and it is 1/gamma-Lipschitz.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_count, check_fraction, check_real, numbers_or_one, real_array
from moltheory.bounds._bound import Bound
from moltheory.bounds._sizes import IID
from moltheory.bounds._uniform import linear_class
from moltheory.errors import InvalidInputError

__all__ = ["fat_shattering_dimension", "margin_class", "margin_limits"]

_SOURCE = "derived, after Koltchinskii and Panchenko 2002; Bartlett and Mendelson 2002 (proof: margin)"
# Of margins, so that 1/margin is finite.
_SMALLEST = 1e-300
_EVENT = (
    "for all hypotheses, objectives and margins at once: true error rate <= empirical ramp loss + width, "
    "and >= empirical ramp loss moved down by the margin - width"
)


@document
def margin_class(
    n: int | npt.ArrayLike,
    *,
    margin: float | npt.ArrayLike,
    weight_norm: float,
    input_norm: float,
    delta: float,
    n_objectives: int = 1,
) -> Bound:
    r"""Half-width between error rates and ramp losses of linear classifiers, uniform over them and over all objectives.

    :math:`2 W X/(\gamma \sqrt n) + \sqrt{\log(2 G N'/\delta)/(2n)}` for all of G margins :math:`\gamma` at once.

    Parameters
    ----------
    {sizes}
    margin : float or (G,) array_like
        Margins > 0 fixed before the data, of which the best may be chosen afterwards.
    weight_norm, input_norm : float
        W, X >= 0: :math:`\|w\|_2 \le W` and :math:`\|x\|_2 \le X`.
    {delta}
    {n_objectives}

    Returns
    -------
    Bound
        Its width has shape (N,), or (G, N) for several margins. It is added to the ramp loss, or to the fraction of
        margins below gamma, which is larger; not to the empirical error rate.

    {raises}

    Notes
    -----
    A margin between two of the grid may be rounded down to it, so a geometric grid from a to b serves all margins of
    [a, b] at the price of its ratio and of :math:`\log G`.

    Complexity: O(G N) time and memory.

    References
    ----------
    Derived (proof: margin), after V. Koltchinskii and D. Panchenko (2002), "Empirical margin distributions and bounding
    the generalization error of combined classifiers", and P. Bartlett and S. Mendelson, JMLR 3 (2002).

    Examples
    --------
    >>> margin_class(10_000, margin=[0.1, 0.5], weight_norm=1.0, input_norm=1.0, delta=0.05).width[:, 0].round(4)
    array([0.2148, 0.0548])
    """
    grid = _margins(margin)
    share = check_fraction("delta", delta) / grid.size
    widths = [
        linear_class(
            n,
            lipschitz=1.0 / gamma,
            weight_norm=weight_norm,
            input_norm=input_norm,
            delta=share,
            n_objectives=n_objectives,
        ).width
        for gamma in grid.tolist()
    ]
    return Bound(
        width=np.array(widths if np.ndim(margin) else widths[0]),
        loss_range=np.ones(widths[0].size),
        delta=float(delta),
        method="margins of linear classifiers",
        source=_SOURCE,
        assumptions=("weights and inputs inside the stated balls", "margins fixed before the data", IID),
        event=_EVENT,
        scope="margin",
    )


@document
def margin_limits(
    scores: npt.ArrayLike | Sequence[npt.ArrayLike],
    /,
    *,
    margin: float | npt.ArrayLike,
    weight_norm: float,
    input_norm: float,
    delta: float,
) -> Bound:
    r"""Lower and upper bounds on the error rates of linear classifiers from their margins on the sample.

    The smallest over the G margins of ramp loss + width, and the largest of the ramp loss moved down by the margin,
    - width, with the widths of `margin_class`; valid for all classifiers of the ball at once.

    Parameters
    ----------
    scores : (n, H) array_like, (n, H, N) ndarray, or list of N matrices (n_i, H)
        Margins y<w, x> of H classifiers; a list where objectives have samples of their own.
    margin : float or (G,) array_like
        Margins > 0 fixed before the data.
    weight_norm, input_norm : float
        W, X >= 0; no entry of `scores` may exceed W X.
    {delta}

    Returns
    -------
    Bound
        Its width, around the empirical error rate, lower and upper have shape (H, N).

    {raises}

    Notes
    -----
    Complexity: O(n H N G) time, O(n H N) memory.

    References
    ----------
    Derived (proof: margin), after V. Koltchinskii and D. Panchenko (2002) and P. Bartlett and S. Mendelson (2002).

    Examples
    --------
    >>> scores = np.random.default_rng(0).uniform(-0.1, 0.9, size=(20_000, 1))
    >>> found = margin_limits(scores, margin=[0.1, 0.2, 0.4], weight_norm=1.0, input_norm=1.0, delta=0.05)
    >>> found.lower.round(3), found.upper.round(3)
    (array([[0.]]), array([[0.278]]))
    """
    arrays = _objectives(scores)
    grid = _margins(margin)
    largest = check_real("weight_norm", weight_norm, low=0.0) * check_real("input_norm", input_norm, low=0.0)
    found = max(float(np.abs(array).max()) for array in arrays)
    if found > largest * (1.0 + 1e-9):
        raise InvalidInputError(
            f"`scores` must not exceed `weight_norm` times `input_norm`, {largest:g}, got one of size {found:g}."
        )
    widths = margin_class(
        [array.shape[0] for array in arrays],
        margin=grid,
        weight_norm=weight_norm,
        input_norm=input_norm,
        delta=delta,
    ).width
    errors = np.column_stack([(array <= 0.0).mean(axis=0) for array in arrays])
    upper, lower = np.ones(errors.shape), np.zeros(errors.shape)
    for gamma, width in zip(grid, widths, strict=True):
        above = np.column_stack([np.clip(1.0 - array / gamma, 0.0, 1.0).mean(axis=0) for array in arrays])
        below = np.column_stack([np.clip(-array / gamma, 0.0, 1.0).mean(axis=0) for array in arrays])
        upper, lower = np.minimum(upper, above + width), np.maximum(lower, below - width)
    return Bound(
        width=np.maximum(upper - errors, errors - lower).clip(min=0.0),
        loss_range=np.ones(len(arrays)),
        delta=float(delta),
        method="margins of linear classifiers",
        source=_SOURCE,
        assumptions=("weights and inputs inside the stated balls", "margins fixed before the data", IID),
        lower=lower,
        upper=upper,
        scope="per hypothesis",
    )


@document
def fat_shattering_dimension(
    margin: float, /, *, weight_norm: float, input_norm: float, dimension: int | None = None
) -> int:
    r"""Fat-shattering dimension of linear functions of bounded norm, :math:`\min(d, \lfloor W^2X^2/\gamma^2 \rfloor)`.

    The largest number of inputs to which the class can give all patterns of signs, each value at least
    :math:`\gamma` above or below a witness of the input.

    Parameters
    ----------
    margin : float
        Scale gamma > 0.
    weight_norm, input_norm : float
        W, X >= 0.
    dimension : int, optional
        Number d of inputs; unlimited by default.

    Returns
    -------
    int

    {raises}

    Notes
    -----
    It is the exact value: m orthogonal inputs of length X are shattered. Complexity: O(1).

    References
    ----------
    Derived (proof: fat-shattering). Its use for margins: P. Bartlett (1998), "The sample complexity of pattern
    classification with neural networks".

    Examples
    --------
    >>> fat_shattering_dimension(0.1, weight_norm=1.0, input_norm=2.0)
    400
    """
    gamma = check_real("margin", margin, low=0.0)
    if gamma == 0.0:
        raise InvalidInputError("`margin` must be > 0, got 0.")
    ratio = check_real("weight_norm", weight_norm, low=0.0) * check_real("input_norm", input_norm, low=0.0) / gamma
    # A ratio that is the root of an integer, but for rounding, counts.
    square = ratio * ratio * (1.0 + 8.0 * np.finfo(float).eps)
    limit = math.inf if dimension is None else float(check_count("dimension", dimension))
    smaller = min(square, limit)
    if not smaller < 2.0**53:
        raise InvalidInputError(f"`margin` must be large enough for a dimension below 2^53, got {gamma:g}.")
    return math.floor(smaller)


def _margins(margin: float | npt.ArrayLike) -> FloatArray:
    grid = real_array("margin", numbers_or_one("margin", margin), shape="(G,)", min_ndim=1, max_ndim=1)
    if not (grid >= _SMALLEST).all():
        raise InvalidInputError(f"`margin` must be >= {_SMALLEST:g} everywhere, got {grid.min():g}.")
    return np.asarray(grid, dtype=np.float64)


def _objectives(scores: npt.ArrayLike | Sequence[npt.ArrayLike]) -> list[FloatArray]:
    """Margins of each objective, (n_i, H)."""
    shape = "(n, H), (n, H, N) or a list of (n_i, H)"
    if isinstance(scores, list | tuple) and any(_is_matrix(part) for part in scores):
        arrays = [real_array("scores", part, shape=shape, min_ndim=2, max_ndim=2) for part in scores]
        if len({array.shape[1] for array in arrays}) > 1:
            raise InvalidInputError("`scores` must hold the same number of classifiers for every objective.")
        return arrays
    whole = real_array("scores", cast("npt.ArrayLike", scores), shape=shape, min_ndim=2, max_ndim=3)
    return [whole] if whole.ndim == 2 else list(np.moveaxis(whole, 2, 0))


def _is_matrix(part: object) -> bool:
    nested = isinstance(part, list | tuple) and len(part) > 0 and isinstance(part[0], list | tuple | np.ndarray)
    return nested or getattr(part, "ndim", 0) == 2
