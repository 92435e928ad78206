"""Half-widths for infinite classes: VC dimension, Rademacher complexity, linear functions of bounded norm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import (
    FloatArray,
    check_choice,
    check_count,
    check_fraction,
    check_real,
    check_vector,
    numbers_or_one,
)
from moltheory.bounds._bound import Bound
from moltheory.bounds._complexity import Complexity
from moltheory.bounds._sizes import IID, RANGES, count_of, loss_ranges, sample_sizes
from moltheory.errors import InvalidInputError

__all__ = ["linear_class", "rademacher", "vc"]

_BARTLETT = "Bartlett and Mendelson 2002, JMLR 3; McDiarmid 1989"


@document
def vc(n: int | npt.ArrayLike, *, dimension: int, delta: float, n_objectives: int = 1) -> Bound:
    r"""Half-width of the 0/1 loss, uniform over a class of finite VC dimension and over all objectives.

    :math:`C_i = \sqrt{8 (d \log(2 e n_i/d) + \log(4 N'/\delta)) / n_i}`.

    Parameters
    ----------
    n : int or (N,) array_like
        Sample size, >= d; ``inf`` marks a data-independent objective, which has width 0 and is not counted.
    dimension : int
        VC dimension d >= 1 of the class of 0/1 losses of every objective.
    {delta}
    {n_objectives}

    {returns_widths}

    {raises}

    Notes
    -----
    Complexity: O(N) time and memory.

    References
    ----------
    V. Vapnik and A. Chervonenkis (1971), doi 10.1137/1116025, with the lemma of N. Sauer (1972),
    doi 10.1016/0097-3165(72)90019-2.

    Examples
    --------
    >>> vc(10_000, dimension=10, delta=0.05, n_objectives=2).width
    array([0.26..., 0.26...])
    """
    sizes = sample_sizes(n, n_objectives, low=check_count("dimension", dimension))
    budget = math.log(4.0 * count_of(sizes)) - math.log(check_fraction("delta", delta))
    finite = np.isfinite(sizes)
    safe = np.where(finite, sizes, 1.0)
    growth = dimension * (1.0 + math.log(2.0) + np.log(safe) - math.log(dimension))
    return Bound(
        width=np.where(finite, np.sqrt(8.0 * (growth + budget) / safe), 0.0),
        loss_range=np.ones(sizes.size),
        delta=float(delta),
        method="VC dimension",
        source="Vapnik and Chervonenkis 1971, doi 10.1137/1116025; Sauer 1972",
        assumptions=(f"0/1 losses of VC dimension {dimension}", IID),
    )


@document
def rademacher(
    n: int | npt.ArrayLike,
    *,
    complexity: float | Complexity | Sequence[float | Complexity] | FloatArray,
    empirical: bool = False,
    delta: float,
    n_objectives: int = 1,
    loss_range: float | npt.ArrayLike = 1.0,
) -> Bound:
    r"""Half-width from the Rademacher complexity of the losses, uniform over the class and over all objectives.

    :math:`2 R + B \sqrt{\log(2 N'/\delta)/(2n)}` from the expected complexity, and
    :math:`2 \hat R + 3 B \sqrt{\log(4 N'/\delta)/(2n)}` from the empirical one.

    Parameters
    ----------
    {sizes}
    complexity : float, Complexity, or (N,) sequence of either
        Complexity of each objective's losses (no absolute value inside, loss included). A `Complexity` includes its
        certificate, whose failure probability is part of `delta`; a single one for all objectives must bound the
        complexity of each (as that of their union does) and is counted once.
    empirical : bool, default False
        Whether it is the complexity on the sample.
    delta : float
        Total failure probability, in (0, 1), that of simulated signs included.
    {n_objectives}
    {loss_range}

    {returns_widths}

    Raises
    ------
    InvalidInputError
        If an argument is out of its range, a `Complexity` is of another sample size or kind than stated, or the
        simulated signs leave nothing of `delta`.

    Notes
    -----
    Complexity: O(N) time and memory.

    References
    ----------
    P. Bartlett and S. Mendelson, JMLR 3 (2002); V. Koltchinskii (2001), doi 10.1109/18.930926.

    Examples
    --------
    >>> rademacher(10_000, complexity=0.01, delta=0.05).width
    array([0.033581...])
    >>> from moltheory.bounds import rademacher_complexity
    >>> losses = np.random.default_rng(0).integers(0, 2, (2000, 50))
    >>> found = rademacher_complexity(losses, rng=0, delta=0.01)
    >>> rademacher(2000, complexity=found, empirical=True, delta=0.05)
    Bound(width=[0.15...], delta=0.05, method='empirical Rademacher complexity')
    """
    sizes = sample_sizes(n, n_objectives)
    ranges = loss_ranges(loss_range, sizes.size)
    finite = np.isfinite(sizes)
    values, spent = _complexities(complexity, sizes, bool(empirical))
    left = check_fraction("delta", delta) - spent
    if not left > 0.0:
        raise InvalidInputError(f"`delta` must exceed the {spent:g} spent on simulated signs, got {delta:g}.")
    factor, count = (3.0, 4.0) if empirical else (1.0, 2.0)
    budget = math.log(count * count_of(sizes)) - math.log(left)
    width = 2.0 * values + factor * ranges * np.sqrt(budget / (2.0 * sizes))
    return Bound(
        width=np.where(finite, width, 0.0),
        loss_range=ranges,
        delta=float(delta),
        method=f"{'empirical' if empirical else 'expected'} Rademacher complexity",
        source=_BARTLETT,
        assumptions=("a class fixed before the data", IID, RANGES),
    )


@document
def linear_class(
    n: int | npt.ArrayLike,
    *,
    lipschitz: float | npt.ArrayLike,
    weight_norm: float,
    input_norm: float,
    delta: float,
    n_objectives: int = 1,
    loss_range: float | npt.ArrayLike = 1.0,
    norm: Literal["l2", "l1"] = "l2",
    dimension: int | None = None,
) -> Bound:
    r"""Half-width of a Lipschitz loss of linear functions of bounded norm, uniform over them and over all objectives.

    `rademacher` with :math:`R \le L W X/\sqrt n` for :math:`\|w\|_2 \le W, \|x\|_2 \le X`, and
    :math:`R \le L W X \sqrt{2 \log(2d)/n}` for :math:`\|w\|_1 \le W, \|x\|_\infty \le X`.

    Parameters
    ----------
    {sizes}
    lipschitz : float or (N,) array_like
        Lipschitz constant L >= 0 of the loss in the linear function's value.
    weight_norm, input_norm : float
        W, X >= 0.
    {delta}
    {n_objectives}
    {loss_range}
    norm : {"l2", "l1"}
        Norm of the weights; the inputs are measured in its dual.
    dimension : int, optional
        Number d of inputs; required by ``"l1"``, ignored otherwise.

    {returns_widths}

    {raises}

    Notes
    -----
    Complexity: O(N) time and memory.

    References
    ----------
    S. Kakade, K. Sridharan and A. Tewari, NeurIPS 2008; contraction: M. Ledoux and M. Talagrand (1991), Theorem 4.12.

    Examples
    --------
    >>> linear_class(10_000, lipschitz=1.0, weight_norm=1.0, input_norm=1.0, delta=0.05).width
    array([0.033581...])
    """
    sizes = sample_sizes(n, n_objectives)
    ranges = loss_ranges(loss_range, sizes.size)
    constants = check_vector("lipschitz", numbers_or_one("lipschitz", lipschitz), low=0.0)
    if constants.size not in (1, sizes.size):
        raise InvalidInputError(f"`lipschitz` must have {sizes.size} entries, got {constants.size}.")
    scale = check_real("weight_norm", weight_norm, low=0.0) * check_real("input_norm", input_norm, low=0.0)
    if check_choice("norm", norm, ("l2", "l1")) == "l1":
        if dimension is None:
            raise InvalidInputError("`dimension` must be given for norm 'l1', got None.")
        scale *= math.sqrt(2.0 * math.log(2 * check_count("dimension", dimension)))
    # A product that is too large for a float says nothing; known objectives and constant losses have none.
    with np.errstate(over="ignore", invalid="ignore"):
        steepness = np.broadcast_to(np.where(constants > 0.0, constants * scale, 0.0), sizes.shape)
        complexity = np.where(np.isinf(sizes), 0.0, 2.0 * (steepness / np.sqrt(sizes)))
    budget = math.log(2.0 * count_of(sizes)) - math.log(check_fraction("delta", delta))
    return Bound(
        width=complexity + ranges * np.sqrt(budget / (2.0 * sizes)),
        loss_range=ranges,
        delta=float(delta),
        method=f"linear class, {norm}",
        source=f"Kakade, Sridharan, Tewari 2008; {_BARTLETT}",
        assumptions=("weights and inputs inside the stated balls", "Lipschitz losses", IID, RANGES),
    )


def _complexities(
    complexity: float | Complexity | Sequence[float | Complexity] | FloatArray, sizes: FloatArray, empirical: bool
) -> tuple[FloatArray, float]:
    """Upper bounds of the complexities, (N,), and the failure probability of all their certificates together."""
    entries: list[object]
    if isinstance(complexity, Complexity) or np.ndim(complexity) == 0:  # type: ignore[arg-type]
        # One simulation serves all objectives that share the class: its certificate is spent once.
        entries, repeats = [complexity], sizes.size
    else:
        entries, repeats = list(complexity), 1  # type: ignore[arg-type]
        if len(entries) != sizes.size:
            raise InvalidInputError(f"`complexity` must have {sizes.size} entries, got {len(entries)}.")
    values, spent = [], 0.0
    for i, entry in enumerate(entries):
        counted = np.isfinite(sizes) if repeats > 1 else np.isfinite(sizes[i : i + 1])
        if not isinstance(entry, Complexity):
            values.append(check_real("complexity", entry, low=0.0))
            continue
        if entry.empirical is not empirical:
            kind = "an empirical" if entry.empirical else "an expected"
            raise InvalidInputError(f"`complexity` must be of the kind `empirical` states, got {kind} one.")
        expected = sizes if repeats > 1 else sizes[i : i + 1]
        if (expected[counted] != entry.n).any():
            raise InvalidInputError(f"`complexity` must be of the stated sample size, got one of n = {entry.n}.")
        values.append(entry.upper)
        spent += entry.delta if counted.any() else 0.0
    return np.repeat(np.array(values), repeats), spent
