r"""Relative deviations: half-widths that shrink with the risk itself, for finite classes and for VC classes.

On one event all hypotheses satisfy :math:`|L - \hat L| \le \sqrt{c \max(L, \hat L)}`, a statement about true risks
that `moltheory.bounds.relative_excess` uses; solved for L it is a half-width per hypothesis from its empirical risk.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_count, check_fraction
from moltheory.bounds._bound import Bound
from moltheory.bounds._per_hypothesis import FIXED, check_rates, class_size, table_and_sizes
from moltheory.bounds._sizes import IID, count_of, sample_sizes
from moltheory.bounds._uniform import vc
from moltheory.errors import InvalidInputError

__all__ = ["relative_deviation_class", "relative_deviation_vc", "relative_scales"]

# Terms of Sauer's sum that are added one by one.
_MOST_TERMS = 1_000_000


@document
def relative_deviation_class(
    risks: npt.ArrayLike, n: int | npt.ArrayLike, /, *, n_hypotheses: int | None = None, delta: float
) -> Bound:
    r"""Half-widths in closed form that shrink with the empirical risks, uniform over a finite class.

    With :math:`c = 2 \log(2 |H| N'/\delta)/n_i`: :math:`L \le \hat L + c/2 + \sqrt{c^2/4 + c \hat L}` and
    :math:`L \ge \hat L - \sqrt{c \hat L}`, and never more than Hoeffding's half-width :math:`\sqrt{c}/2`.

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
    All of it holds on the event of `kl_class`, whose limits are narrower still but have no closed form. As Hoeffding's
    inequality holds on that event too, the half-width is never larger than that of `finite_class` at the same delta.

    Complexity: O(H N) time and memory.

    References
    ----------
    W. Hoeffding (1963), doi 10.1080/01621459.1963.10500830, Theorem 1. Derived (proof: relative-deviation-class).

    Examples
    --------
    >>> relative_deviation_class([0.0, 0.02, 0.5], 1000, delta=0.05).width[:, 0]
    array([0.0095..., 0.0194..., 0.0489...])
    """
    array, sizes = table_and_sizes("risks", risks, n, low=1)
    size = class_size(n_hypotheses, array)
    scale = relative_scales(sizes, n_hypotheses=size, delta=delta)
    return _bound(
        array,
        sizes,
        scale,
        np.sqrt(scale) / 2.0,
        delta,
        method="finite class, relative deviations",
        source="Hoeffding 1963, Theorem 1; derived (proof: relative-deviation-class)",
        assumptions=(f"{size} {FIXED}", IID, "losses in [0, 1]"),
    )


@document
def relative_deviation_vc(
    risks: npt.ArrayLike, n: int | npt.ArrayLike, /, *, dimension: int, delta: float, uniform_share: float = 0.5
) -> Bound:
    r"""Half-widths that shrink with the empirical error rates, uniform over a class of finite VC dimension.

    With :math:`c = 4 (\log \sum_{k \le d} \binom{2 n_i}{k} + \log(8 N'/\delta'))/n_i`:
    :math:`L \le \hat L + c/2 + \sqrt{c^2/4 + c \hat L}` and :math:`L \ge \hat L - \sqrt{c \hat L}`, with
    :math:`\delta' = (1 - s) \delta`, and never more than the half-width of `vc` at :math:`s \delta`.

    Parameters
    ----------
    risks : (H,) or (H, N) array_like
        Empirical error rates of the hypotheses of interest; the statement is about the whole class.
    n : int or (N,) array_like
        Sample size, >= d; ``inf`` marks a data-independent objective, which has width 0 and is not counted.
    dimension : int
        VC dimension d >= 1 of the class of 0/1 losses of every objective.
    {delta}
    uniform_share : float, default 0.5
        Share s of delta, in (0, 1), that is kept for the uniform half-width. The result is then never more than
        :math:`\sqrt{1 + \log(1/s)/\log(8e)}` times that of `vc` at the whole delta: 1.11 for s = 0.5.

    Returns
    -------
    Bound
        Its width, lower and upper have shape (H, N).

    {raises}

    Notes
    -----
    Complexity: O(d + H N) time and memory.

    References
    ----------
    C. Cortes, S. Greenberg and M. Mohri (2019), arXiv 1310.5796, Theorem 5, with the exact sum of N. Sauer's lemma
    (1972), doi 10.1016/0097-3165(72)90019-2. With all constants: derived (proof: relative-deviation-vc).

    Examples
    --------
    >>> relative_deviation_vc([0.0, 0.02, 0.5], 10_000, dimension=3, delta=0.05).width[:, 0]
    array([0.0134..., 0.0244..., 0.0890...])
    >>> vc(10_000, dimension=3, delta=0.05).width
    array([0.164...])
    """
    array, sizes = table_and_sizes("risks", risks, n, low=check_count("dimension", dimension))
    share = check_fraction("uniform_share", uniform_share)
    level = check_fraction("delta", delta)
    scale = relative_scales(sizes, dimension=dimension, delta=(1.0 - share) * level)
    uniform = vc(sizes, dimension=dimension, delta=share * level).width
    return _bound(
        array,
        sizes,
        scale,
        uniform,
        delta,
        method="VC dimension, relative deviations",
        source="Cortes, Greenberg and Mohri 2019, arXiv 1310.5796, Theorem 5 (proof: relative-deviation-vc)",
        assumptions=(f"0/1 losses of VC dimension {dimension}", IID),
    )


@document
def relative_scales(
    n: int | npt.ArrayLike,
    *,
    n_hypotheses: int | None = None,
    dimension: int | None = None,
    delta: float,
    n_objectives: int = 1,
) -> FloatArray:
    r"""Scale c of the relative deviations of a class: all :math:`|L_i - \hat L_i| \le \sqrt{c_i \max(L_i, \hat L_i)}`.

    :math:`c_i = 2 \log(2 |H| N'/\delta)/n_i` for a finite class and losses in [0, 1], and
    :math:`c_i = 4 (\log \sum_{k \le d} \binom{2 n_i}{k} + \log(8 N'/\delta))/n_i` for 0/1 losses of VC dimension d.

    Parameters
    ----------
    n : int or (N,) array_like
        Sample size, >= 1 and at least the dimension; ``inf`` marks a data-independent objective, which has scale 0 and
        is not counted.
    n_hypotheses : int, optional
        Size of a finite class; either this or `dimension`.
    dimension : int, optional
        VC dimension.
    {delta}
    {n_objectives}

    Returns
    -------
    (N,) ndarray

    {raises}

    Notes
    -----
    Complexity: O(N) time and memory, or O(N d).

    References
    ----------
    Derived (proof: relative-deviation-class, relative-deviation-vc), the latter after C. Cortes, S. Greenberg and
    M. Mohri (2019), arXiv 1310.5796, Theorem 5.

    Examples
    --------
    >>> relative_scales([1000, float("inf")], n_hypotheses=100, delta=0.05)
    array([0.0165..., 0.        ])
    """
    if (n_hypotheses is None) is (dimension is None):
        found = "neither" if dimension is None else "both"
        raise InvalidInputError(f"`n_hypotheses` or `dimension` must be given, one of both, got {found}.")
    least = 1 if dimension is None else check_count("dimension", dimension)
    sizes = sample_sizes(n, n_objectives, low=least)
    budget = math.log(count_of(sizes)) - math.log(check_fraction("delta", delta))
    if dimension is None:
        size = check_count("n_hypotheses", n_hypotheses)
        return np.asarray(2.0 * (math.log(2.0) + math.log(size) + budget) / sizes)
    growth = [0.0 if math.isinf(size) else log_growth(int(2 * size), dimension) for size in sizes]
    return np.asarray(4.0 * (np.array(growth) + math.log(8.0) + budget) / sizes)


def log_growth(points: int, dimension: int) -> float:
    """Return log sum_{k <= d} C(m, k), Sauer's bound on the number of dichotomies of m points, or d log(em/d)."""
    top = min(points, dimension)
    if top > _MOST_TERMS:
        return top * (1.0 + math.log(points) - math.log(top))
    k = np.arange(1.0, top + 1.0)
    terms = np.append(0.0, np.cumsum(np.log(points - k + 1.0) - np.log(k)))
    return float(terms.max() + np.log(np.exp(terms - terms.max()).sum()))


def _bound(
    risks: FloatArray,
    sizes: FloatArray,
    scale: FloatArray,
    uniform: FloatArray,
    delta: float,
    *,
    method: str,
    source: str,
    assumptions: tuple[str, ...],
) -> Bound:
    """Return what |L - Lhat| <= sqrt(scale max(L, Lhat)) and a uniform half-width say together.

    Half-widths are not cut at the ends of [0, 1], so that one of 1 or more is seen to say nothing; limits are.
    """
    inside = check_rates(risks, sizes)
    below = np.minimum(np.sqrt(scale * inside), uniform)
    above = np.minimum(scale / 2.0 + np.sqrt(scale**2 / 4.0 + scale * inside), uniform)
    finite = np.isfinite(sizes)
    return Bound(
        width=np.maximum(above, below),
        loss_range=np.ones(risks.shape[-1]),
        delta=float(delta),
        method=method,
        source=source,
        assumptions=assumptions,
        lower=np.where(finite, np.maximum(inside - below, 0.0), risks),
        upper=np.where(finite, np.minimum(inside + above, 1.0), risks),
        scope="per hypothesis",
    )
