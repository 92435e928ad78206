r"""Metric entropies of linear and of Lipschitz functions, and the Rademacher complexity that a metric entropy implies.

The metric entropy log N(eps) is the logarithm of a number of functions such that each function of the class is within
eps of one of them on every sample: in root mean square over its n inputs, or more strictly at every input.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import (
    FloatArray,
    check_choice,
    check_count,
    check_real,
    check_vector,
    numbers_or_one,
    real_array,
)
from moltheory.bounds._bound import Bound
from moltheory.bounds._complexity import Complexity
from moltheory.bounds._sizes import IID, RANGES, loss_ranges, sample_sizes
from moltheory.bounds._uniform import rademacher
from moltheory.errors import InvalidInputError

__all__ = ["dudley_complexity", "linear_metric_entropy", "lipschitz_class", "lipschitz_metric_entropy"]

# Resolutions of the chain: radius * 2^(-j/8), j = 0 to 240, down to 1e-9 of the radius.
_STEPS = np.exp2(-np.arange(241) / 8.0)
# Values that a quantised Lipschitz function may take next to a known one.
_CHOICES = np.arange(2.0, 33.0)


@document
def linear_metric_entropy(
    resolution: float | npt.ArrayLike,
    /,
    *,
    weight_norm: float,
    input_norm: float,
    dimension: int | None = None,
    n: int | None = None,
) -> FloatArray:
    r"""Metric entropy of linear functions of bounded norm, in root mean square over any n inputs.

    With :math:`\rho = W X` and m the smaller of d and n, the smaller of :math:`m \log(1 + 2\rho/\epsilon)` (volume) and
    :math:`\log \binom{2m+k}{k}`, :math:`k = \lceil \rho^2/\epsilon^2 \rceil` (Maurey's lemma; bounded by entropy).

    Parameters
    ----------
    resolution : float or (G,) array_like
        eps > 0, in units of the functions' values.
    weight_norm, input_norm : float
        W, X >= 0: :math:`\|w\|_2 \le W` and :math:`\|x\|_2 \le X`.
    dimension : int, optional
        Number d of inputs; unlimited by default.
    n : int, optional
        Sample size; one of `dimension` and `n` must be given.

    Returns
    -------
    ndarray
        One entropy per resolution, (G,).

    {raises}

    Notes
    -----
    Complexity: O(G) time and memory.

    References
    ----------
    Derived (proof: covering-linear), after T. Zhang (2002), "Covering number bounds of certain regularized linear
    function classes", JMLR 2: Maurey's lemma with unordered in place of ordered choices.

    Examples
    --------
    >>> linear_metric_entropy([0.5, 0.1], weight_norm=1.0, input_norm=1.0, dimension=100).round(1)
    array([ 19.7, 191. ])
    """
    eps = _resolutions(resolution)
    radius = check_real("weight_norm", weight_norm, low=0.0) * check_real("input_norm", input_norm, low=0.0)
    limits = [check_count(name, value) for name, value in (("dimension", dimension), ("n", n)) if value is not None]
    if not limits:
        raise InvalidInputError("`dimension` must be given where `n` is not, got None.")
    m = float(min(limits))
    with np.errstate(over="ignore"):
        ratio = radius / eps
        volume = m * np.log1p(2.0 * ratio)
    # Far beyond, the volume alone counts.
    k = np.ceil(np.clip(ratio, 1.0, 1e100) ** 2)
    maurey = np.where(ratio <= 1e100, k * np.log1p(2.0 * m / k) + 2.0 * m * np.log1p(k / (2.0 * m)), np.inf)
    return np.where(ratio <= 1.0, 0.0, np.minimum(volume, maurey))


@document
def lipschitz_metric_entropy(
    resolution: float | npt.ArrayLike,
    /,
    *,
    lipschitz: float,
    dimension: int,
    side: float = 1.0,
    loss_range: float = 1.0,
    norm: Literal["sup", "l2"] = "sup",
) -> FloatArray:
    r"""Metric entropy of Lipschitz functions on a box, in the largest difference over the box.

    The smallest over k of :math:`\log K + (\lceil D/s \rceil^d - 1) \log \min(k, K)` with
    :math:`\eta = \epsilon/(1 + (k-1)c)`, :math:`s = (k-1)\eta/\Lambda` and :math:`K = \lceil B/(2\eta) \rceil`;
    c is 1/2 for the norm ``"sup"`` and :math:`\sqrt d/2` for ``"l2"``.

    Parameters
    ----------
    resolution : float or (G,) array_like
        eps > 0.
    lipschitz : float
        Lipschitz constant :math:`\Lambda \ge 0` in the chosen norm of the inputs.
    dimension : int
        Dimension d >= 1 of the box :math:`[0, D]^d`.
    side : float, default 1.0
        Length D >= 0 of the sides of the box.
    loss_range : float, default 1.0
        Length B >= 0 of the interval that holds the functions' values.
    norm : {"sup", "l2"}
        Norm of the inputs.

    Returns
    -------
    ndarray
        One entropy per resolution, (G,); infinite where it exceeds the range of floats.

    {raises}

    Notes
    -----
    Complexity: O(G) time and memory.

    References
    ----------
    Derived (proof: covering-lipschitz), after A. Kolmogorov and V. Tikhomirov (1959), "Epsilon-entropy and
    epsilon-capacity of sets in function spaces".

    Examples
    --------
    >>> lipschitz_metric_entropy([0.5, 0.1, 0.01], lipschitz=1.0, dimension=1).round(1)
    array([  0. ,  11.8, 107.6])
    """
    eps = _resolutions(resolution)[:, None]
    slope, width = check_real("lipschitz", lipschitz, low=0.0), check_real("loss_range", loss_range, low=0.0)
    extent, d = check_real("side", side, low=0.0), check_count("dimension", dimension)
    inside = 0.5 * (math.sqrt(d) if check_choice("norm", norm, ("sup", "l2")) == "l2" else 1.0)
    quantum = eps / (1.0 + (_CHOICES - 1.0) * inside)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        values = np.maximum(np.ceil(width / (2.0 * quantum)), 1.0)
        cells = np.maximum(np.ceil(slope * extent / ((_CHOICES - 1.0) * quantum)), 1.0) ** d
        steps = np.where(cells > 1.0, (cells - 1.0) * np.log(np.minimum(_CHOICES, values)), 0.0)
    # No choice is left where one value serves: infinity times zero.
    entropy = (np.log(values) + np.where(values > 1.0, steps, 0.0)).min(axis=1)
    return np.where(2.0 * eps[:, 0] >= width, 0.0, entropy)


@document
def dudley_complexity(
    entropy: Callable[[FloatArray], npt.ArrayLike], n: int, /, *, radius: float, lipschitz: float = 1.0
) -> Complexity:
    r"""Rademacher complexity of a class from its metric entropy, by chaining.

    The smallest over chains :math:`r = \epsilon_0 > \dots > \epsilon_J` of a grid of
    :math:`\epsilon_J + \sum_{j \ge 1} (\epsilon_j + \epsilon_{j-1}) \sqrt{2 \log N(\epsilon_j)/n}`, which is at most
    :math:`4\alpha + 6\sqrt2 \int_\alpha^r \sqrt{\log N(\epsilon)/n}\,d\epsilon` (Dudley's integral) for every
    :math:`\alpha \ge 10^{-8} r`.

    Parameters
    ----------
    entropy : callable
        Takes resolutions (G,) and returns the metric entropies there, >= 0 or infinite, on every sample of size n.
    {size}
    radius : float
        r > 0: some fixed function is within r of every function of the class on every sample.
    lipschitz : float, default 1.0
        Lipschitz constant of a loss in the function's value, which multiplies the result.

    Returns
    -------
    Complexity
        An upper bound on the complexity of every sample of size n, and so on its expectation.

    {raises}

    Notes
    -----
    An entropy at a finer resolution serves at a coarser one, so the result holds for entropies that are not monotone.
    Complexity: one call of `entropy` at 241 resolutions.

    References
    ----------
    R. Dudley (1967), doi 10.1016/0022-1236(67)90017-1. The sum over any chain and its constants are derived (proof:
    chaining).

    Examples
    --------
    >>> from functools import partial
    >>> entropy = partial(lipschitz_metric_entropy, lipschitz=1.0, dimension=1)
    >>> round(dudley_complexity(entropy, 10_000, radius=0.5).value, 4)
    0.0503
    """
    size, scale = check_count("n", n), check_real("lipschitz", lipschitz, low=0.0)
    resolutions = check_real("radius", radius, low=0.0) * _STEPS
    if radius == 0.0:
        raise InvalidInputError("`radius` must be > 0, got 0.")
    found = real_array("entropy", entropy(resolutions), shape="(G,)", min_ndim=1, max_ndim=1, finite=False)
    if found.shape != resolutions.shape or not (found >= 0.0).all():
        raise InvalidInputError(
            f"`entropy` must return one number >= 0 for each of {resolutions.size} resolutions, got shape {found.shape}."
        )
    finer = np.minimum.accumulate(found[::-1])[::-1]
    cost = math.sqrt(2.0) * np.sqrt(finer / size)
    best = np.zeros(resolutions.size)
    for j in range(1, resolutions.size):
        best[j] = (best[:j] + (resolutions[:j] + resolutions[j]) * cost[j]).min()
    value = scale * float((best + resolutions).min())
    return Complexity(value, 0.0, 0.0, size, False, "chaining", "derived, after Dudley 1967 (proof: chaining)")


@document
def lipschitz_class(
    n: int | npt.ArrayLike,
    *,
    lipschitz: float | npt.ArrayLike,
    dimension: int,
    side: float = 1.0,
    delta: float,
    n_objectives: int = 1,
    loss_range: float | npt.ArrayLike = 1.0,
    norm: Literal["sup", "l2"] = "sup",
) -> Bound:
    r"""Half-width of losses that are Lipschitz functions on a box, uniform over all of them and over all objectives.

    `rademacher` with the complexity that `dudley_complexity` gives for `lipschitz_metric_entropy`: of order
    :math:`n^{-1/2}` for d = 1 and :math:`n^{-1/d}` for d > 2.

    Parameters
    ----------
    {sizes}
    lipschitz : float or (N,) array_like
        Lipschitz constant of the losses in the example, >= 0.
    dimension : int
        Dimension d >= 1 of the box that holds the examples.
    side : float, default 1.0
        Length of the sides of the box, >= 0.
    {delta}
    {n_objectives}
    {loss_range}
    norm : {"sup", "l2"}
        Norm of the examples.

    {returns_widths}

    {raises}

    Notes
    -----
    Complexity: O(N) time and memory; one call of `dudley_complexity` for each different objective.

    References
    ----------
    Derived (proof: covering-lipschitz, chaining), from P. Bartlett and S. Mendelson, JMLR 3 (2002).

    Examples
    --------
    >>> lipschitz_class(10_000, lipschitz=1.0, dimension=1, delta=0.05).width.round(4)
    array([0.1141])
    """
    sizes = sample_sizes(n, n_objectives)
    ranges = loss_ranges(loss_range, sizes.size)
    constants = check_vector("lipschitz", numbers_or_one("lipschitz", lipschitz), low=0.0)
    if constants.size not in (1, sizes.size):
        raise InvalidInputError(f"`lipschitz` must have {sizes.size} entries, got {constants.size}.")
    slopes = np.broadcast_to(constants, sizes.shape)
    known: dict[tuple[float, float, float], float] = {}
    for size, slope, width in zip(sizes.tolist(), slopes.tolist(), ranges.tolist(), strict=True):
        if (size, slope, width) not in known:
            entropy = partial(
                lipschitz_metric_entropy, lipschitz=slope, dimension=dimension, side=side, loss_range=width, norm=norm
            )
            # Refuses what is wrong before anything is left out.
            entropy(1.0)
            free = math.isinf(size) or width == 0.0
            known[size, slope, width] = 0.0 if free else dudley_complexity(entropy, int(size), radius=width / 2.0).value
    complexities = [known[one] for one in zip(sizes.tolist(), slopes.tolist(), ranges.tolist(), strict=True)]
    bound = rademacher(sizes, complexity=complexities, delta=delta, loss_range=ranges)
    return Bound(
        width=bound.width,
        loss_range=ranges,
        delta=bound.delta,
        method=f"Lipschitz class, {norm}",
        source="derived (proof: covering-lipschitz, chaining); Bartlett and Mendelson 2002, JMLR 3",
        assumptions=(f"losses that are Lipschitz functions on a box of dimension {dimension}", IID, RANGES),
    )


def _resolutions(resolution: float | npt.ArrayLike) -> FloatArray:
    eps = real_array("resolution", numbers_or_one("resolution", resolution), shape="(G,)", min_ndim=1, max_ndim=1)
    if not (eps > 0.0).all():
        raise InvalidInputError(f"`resolution` must be > 0 everywhere, got {eps.min():g}.")
    return np.asarray(eps, dtype=np.float64)
