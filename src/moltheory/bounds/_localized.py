"""Localized Rademacher complexity: half-widths from the complexity of the hypotheses of small risk only.

Hypotheses are peeled by their unknown risk into shells that halve; the deviation within a shell is that of a class of
small variance (Bousquet's inequality), and a hypothesis belongs to some shell that its empirical risk leaves possible.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_count, check_fraction, check_real, check_vector, real_array
from moltheory.bounds._bound import Bound
from moltheory.bounds._per_hypothesis import check_rates, table_and_sizes
from moltheory.bounds._relative import log_growth
from moltheory.bounds._sizes import IID, count_of
from moltheory.errors import InvalidInputError

__all__ = ["local_complexity", "localized_rademacher"]

# From a radius to an upper bound of the complexity of the losses of risk at most that radius.
Local = Callable[[float], float]


@document
def local_complexity(
    radius: npt.ArrayLike,
    n: int,
    /,
    *,
    n_hypotheses: int | None = None,
    dimension: int | None = None,
    eigenvalues: npt.ArrayLike | None = None,
    weight_norm: float = 1.0,
) -> FloatArray:
    r"""Upper bound of the expected Rademacher complexity of the losses whose risk is at most a radius r.

    For a finite class :math:`\sqrt{2 r G/n} + G/(3n)`, :math:`G = \log |H|`; for 0/1 losses of VC dimension d
    :math:`g + \sqrt{g^2 + g r}`, :math:`g = 2 G/n`, :math:`G = \log \sum_{k \le d} \binom{n}{k}`; both at most
    :math:`\sqrt{G/(2n)}`. For squared losses :math:`(w \cdot x - y)^2 \le 1`, :math:`\|w\| \le W`:
    :math:`4 \sqrt{(2/n) \sum_j \min(r, W^2 \lambda_j)}`, at most :math:`2 W \sqrt{\sum_j \lambda_j/n}`.

    Parameters
    ----------
    radius : (...) array_like
        r >= 0.
    {size}
    n_hypotheses : int, optional
        Size of a finite class of losses in [0, 1]. Exactly one of this and the next two is given.
    dimension : int, optional
        VC dimension of a class of 0/1 losses.
    eigenvalues : (d,) array_like, optional
        Eigenvalues of E[x x'], >= 0, not centered; those of the sample are an estimate and no guarantee.
    weight_norm : float, default 1
        W, with `eigenvalues`.

    Returns
    -------
    (...) ndarray

    {raises}

    Notes
    -----
    Complexity: O(k d) time and memory for k radii and d eigenvalues.

    References
    ----------
    Derived (proof: local-complexity). Eigenvalues: after P. Bartlett, O. Bousquet and S. Mendelson (2005),
    doi 10.1214/009053605000000282, Section 6.

    Examples
    --------
    >>> local_complexity([0.01, 1.0], 10_000, eigenvalues=[0.5, 0.01, 0.0001])
    array([0.0080..., 0.0142...])
    """
    given = [name for name in (n_hypotheses, dimension, eigenvalues) if name is not None]
    if len(given) != 1:
        raise InvalidInputError(
            f"`n_hypotheses` or `dimension` or `eigenvalues` must be given, one of the three, got {len(given)} of them."
        )
    size = check_count("n", n)
    r = real_array("radius", radius, shape="(...)", min_ndim=0)
    if (r < 0.0).any():
        raise InvalidInputError(f"`radius` must be >= 0 everywhere, got {r.min():g}.")
    if eigenvalues is not None:
        scale = check_real("weight_norm", weight_norm, low=0.0) ** 2
        spectrum = scale * check_vector("eigenvalues", eigenvalues, low=0.0)
        kept = np.minimum(r[..., None], spectrum).sum(axis=-1)
        whole = 2.0 * math.sqrt(float(spectrum.sum()) / size)
        return np.asarray(np.minimum(4.0 * np.sqrt(2.0 * kept / size), whole))
    if dimension is not None:
        growth = log_growth(size, check_count("dimension", dimension))
        g = 2.0 * growth / size
        local = g + np.sqrt(g**2 + g * r)
    else:
        growth = math.log(check_count("n_hypotheses", n_hypotheses))
        local = np.sqrt(2.0 * r * growth / size) + growth / (3.0 * size)
    return np.asarray(np.minimum(local, math.sqrt(growth / (2.0 * size))))


@document
def localized_rademacher(
    risks: npt.ArrayLike,
    n: int | npt.ArrayLike,
    /,
    *,
    local_complexity: Local | Sequence[Local],
    delta: float,
    n_shells: int = 10,
) -> Bound:
    r"""Half-widths of a class from its local Rademacher complexities, uniform over the class.

    Shell k holds the hypotheses of risk at most :math:`r_k = 2^{-k}`, k < K. With :math:`\varphi` their complexity and
    :math:`x = \log(2 K N'/\delta)/n_i`, their deviations are at most :math:`A_k = 2 \varphi(r_k) +
    \min(\sqrt{x/2}, \sqrt{2x (r_k + 4 \varphi(r_k))} + x/3)`. The limits are the smallest and the largest risk that
    some shell allows.

    Parameters
    ----------
    risks : (H,) or (H, N) array_like
        Empirical risks of losses in [0, 1] of the hypotheses of interest; the statement is about the whole class.
    {sizes}
    local_complexity : callable, or sequence of N callables
        From a radius r to an upper bound of the expected Rademacher complexity (no absolute value) of the losses whose
        risk is at most r, such as `moltheory.bounds.local_complexity` at n; one for every objective, or one for each.
    {delta}
    n_shells : int, default 10
        K >= 1, fixed before the data.

    Returns
    -------
    Bound
        Its width, lower and upper have shape (H, N).

    {raises}

    Notes
    -----
    Never more than :math:`\sqrt{1 + \log K/\log(2N'/\delta)}` times `rademacher` of :math:`\varphi(1)`: 1.27 times for K =
    10 and delta = 0.05. For finite classes `kl_class` is narrower, for VC classes `relative_deviation_vc`.

    Complexity: O(H N K) time and memory, and N K calls of `local_complexity`.

    References
    ----------
    Derived (proof: localized-rademacher), after P. Bartlett, O. Bousquet and S. Mendelson (2005),
    doi 10.1214/009053605000000282; with the inequality of O. Bousquet (2002), doi 10.1016/S1631-073X(02)02292-6.

    Examples
    --------
    >>> from functools import partial
    >>> from moltheory.bounds import local_complexity, rademacher
    >>> n, spectrum = 100_000, [0.5, 0.01, 0.0001]
    >>> phi = lambda r: float(local_complexity(r, n, eigenvalues=spectrum))
    >>> localized_rademacher([0.0, 0.01, 0.3], n, local_complexity=phi, delta=0.05).width[:, 0]
    array([0.0059..., 0.0096..., 0.0145...])
    >>> rademacher(n, complexity=phi(1.0), delta=0.05).width
    array([0.0133...])
    """
    array, sizes = table_and_sizes("risks", risks, n, low=1)
    inside = check_rates(array, sizes)
    shells = check_count("n_shells", n_shells)
    budget = math.log(2.0 * shells * count_of(sizes)) - math.log(check_fraction("delta", delta))
    radii: FloatArray = 0.5 ** np.arange(shells, dtype=np.float64)
    floors = np.append(radii[1:], 0.0)
    width, lower, upper = np.zeros(array.shape), array.copy(), array.copy()
    for i, phi in enumerate(_of_objectives(local_complexity, sizes.size)):
        if math.isinf(sizes[i]):
            continue
        complexities = _values(phi, radii)
        x = budget / sizes[i]
        small = np.sqrt(2.0 * x * (radii + 4.0 * complexities)) + x / 3.0
        reach = 2.0 * complexities + np.minimum(math.sqrt(x / 2.0), small)
        risk = inside[:, i, None]
        low = np.maximum(risk - reach, floors)
        # Not cut at 1, so that a half-width that says nothing is seen to.
        high = np.minimum(risk + reach, np.where(radii < 1.0, radii, np.inf))
        possible = low <= np.minimum(high, radii)
        lower[:, i] = np.where(possible, low, np.inf).min(axis=1)
        top = np.where(possible, high, -np.inf).max(axis=1)
        upper[:, i] = np.minimum(top, 1.0)
        width[:, i] = np.maximum(top - inside[:, i], inside[:, i] - lower[:, i])
    return Bound(
        width=width,
        loss_range=np.ones(sizes.size),
        delta=float(delta),
        method=f"localized Rademacher complexity, {shells} shells",
        source="derived (proof: localized-rademacher), after Bartlett, Bousquet and Mendelson 2005; Bousquet 2002",
        assumptions=("a class fixed before the data", IID, "losses in [0, 1]"),
        lower=lower,
        upper=upper,
        scope="per hypothesis",
    )


def _of_objectives(given: Local | Sequence[Local], n_objectives: int) -> list[Local]:
    if callable(given):
        return [given] * n_objectives
    entries = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else []
    if len(entries) != n_objectives or not all(callable(one) for one in entries):
        raise InvalidInputError(
            f"`local_complexity` must be a function of the radius, or {n_objectives} of them, got {given!r}."
        )
    return entries


def _values(phi: Local, radii: FloatArray) -> FloatArray:
    """Return upper bounds at all radii; what bounds a larger class bounds a smaller one too."""
    values = np.array([check_real("local_complexity", _number(phi(float(r))), low=0.0) for r in radii])
    smallest: FloatArray = np.minimum.accumulate(values)
    return smallest


def _number(value: object) -> object:
    """Return an array of one number as that number, so that functions of arrays serve too."""
    return value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value
