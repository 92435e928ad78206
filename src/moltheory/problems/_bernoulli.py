"""Worlds of 0/1 losses with given true risks, and as much correlation as is asked for."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._rational import read_rational
from moltheory._core._validation import FloatArray, check_real, real_array
from moltheory.errors import InvalidInputError, TooLargeError
from moltheory.problems._world import FiniteWorld

__all__ = ["bernoulli_world"]

# Losses that may be independent: every pattern of them is an outcome.
_MOST_INDEPENDENT = 14


@document
def bernoulli_world(
    risks: npt.ArrayLike,
    *,
    correlation: float = 0.0,
    objective_names: Iterable[str] | None = None,
    name: str = "bernoulli_world",
) -> FiniteWorld:
    r"""Return a world of 0/1 losses that has given true risks, exactly.

    Each example is *nested* with probability c, the `correlation`: one uniform number decides all losses, so that
    whatever errs with the smaller probability errs only where the larger one does. Otherwise all losses are drawn
    independently.

    Parameters
    ----------
    risks : (H,) or (H, N) array_like
        True risks in [0, 1] of H hypotheses in N objectives (N = 1 for a vector), at least one of them in (0, 1). Floats
        are read as the simplest fractions that round to them; `fractions.Fraction` as they are.
    correlation : float or Fraction, default 0
        Share c in [0, 1] of nested examples: the covariance of any two losses is c times the largest that their risks
        permit, and the correlation coefficient of two with equal risks is c. At 1 any number of losses has at most
        H N + 1 outcomes; below, all patterns of losses are outcomes, and at most 14 risks may be in (0, 1).
    {objective_names}
    {problem_name}

    Returns
    -------
    FiniteWorld
        Its true risks are `risks`, bit for bit.

    Raises
    ------
    InvalidInputError
        If a risk or the correlation is out of its range, or all risks are 0 or 1.
    TooLargeError
        If too many risks are in (0, 1) for losses that are not nested.

    Notes
    -----
    With p <= q both kinds of examples have the marginals p and q; nested ones err together with probability p, independent
    ones with pq. So :math:`P(\text{{both}}) = cp + (1 - c)pq` and the covariance is :math:`c\,p(1 - q)`, where
    :math:`p(1 - q)` is the largest of all joint laws, since both err with probability at most p (M. Fréchet 1951).
    Probabilities of outcomes are exact fractions. Derived (proof: worlds).

    Complexity: O(2^M H N) time and memory for M risks in (0, 1), O(M H N) at correlation 1.

    Examples
    --------
    >>> world = bernoulli_world([0.1, 0.2, 0.2], correlation=0.5)
    >>> world.true_risks.ravel()
    array([0.1, 0.2, 0.2])
    >>> len(world.probabilities), len(bernoulli_world([0.1, 0.2, 0.2], correlation=1).probabilities)
    (8, 3)
    >>> world.exact(3).probability(lambda risks: risks[:, 0, 0] > risks[:, 1, 0])
    0.08535...
    """
    table = _read(risks)
    share = _share(correlation)
    flat: list[Fraction] = [one for row in table for one in row]
    free = [k for k, p in enumerate(flat) if 0 < p < 1]
    if not free:
        raise InvalidInputError("`risks` must not all be 0 or 1, where no loss depends on the example, got such risks.")
    if share < 1 and len(free) > _MOST_INDEPENDENT:
        raise TooLargeError(
            f"`risks` must have at most {_MOST_INDEPENDENT} entries in (0, 1) unless correlation=1, since each pattern of "
            f"losses is an outcome, got {len(free)}."
        )
    outcomes: dict[tuple[bool, ...], Fraction] = {}
    for weight, law in ((share, _nested), (1 - share, _independent)):
        if weight > 0:
            for pattern, probability in law([flat[k] for k in free]):
                outcomes[pattern] = outcomes.get(pattern, Fraction(0)) + weight * probability
    losses: FloatArray = np.zeros((len(outcomes), len(flat)))
    losses[:, [k for k, p in enumerate(flat) if p == 1]] = 1.0
    losses[:, free] = list(outcomes)
    shape = (len(outcomes), len(table), len(table[0]))
    return FiniteWorld(list(outcomes.values()), losses.reshape(shape), objective_names=objective_names, name=name)


def _read(risks: npt.ArrayLike) -> list[list[Fraction]]:
    """Return risks (H, N) as fractions in [0, 1]."""
    given: Any = np.asarray(risks, dtype=object)
    plain = np.frompyfunc(lambda x: float(x) if isinstance(x, Fraction) else x, 1, 1)(given)
    values = real_array(
        "risks", plain.tolist() if given.ndim else given, shape="(H,) or (H, N)", min_ndim=1, max_ndim=2
    )
    if (values < 0.0).any() or (values > 1.0).any():
        raise InvalidInputError(f"`risks` must be in [0, 1], got {values[(values < 0.0) | (values > 1.0)][0]:g}.")
    rows = given.reshape(len(given), -1)
    found = [[read_rational(one) for one in row] for row in rows]
    if any(not 0 <= one <= 1 for row in found for one in row):
        raise InvalidInputError("`risks` must be in [0, 1], got a fraction beyond.")
    return found


def _share(correlation: Any) -> Fraction:
    if isinstance(correlation, Fraction) and 0 <= correlation <= 1:
        return correlation
    return read_rational(check_real("correlation", correlation, low=0.0, high=1.0))


def _nested(risks: list[Fraction]) -> Iterable[tuple[tuple[bool, ...], Fraction]]:
    """Yield patterns of losses and their probabilities, where all losses are decided by one uniform number."""
    steps = sorted({Fraction(0), Fraction(1), *risks})
    for low, high in itertools.pairwise(steps):
        yield tuple(p >= high for p in risks), high - low


def _independent(risks: list[Fraction]) -> Iterable[tuple[tuple[bool, ...], Fraction]]:
    """Yield all patterns of losses and their probabilities, where losses are independent."""
    patterns: list[tuple[tuple[bool, ...], Fraction]] = [((), Fraction(1))]
    for p in risks:
        patterns = [((*before, errs), q * (p if errs else 1 - p)) for before, q in patterns for errs in (False, True)]
    return patterns
