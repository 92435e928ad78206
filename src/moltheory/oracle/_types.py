"""Sample types: all ways to split n examples over s outcomes, by rank, and their multinomial weights."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_count

__all__ = ["count_types", "multinomial_floats", "multinomial_integers", "types_by_rank"]

_MANTISSA_BITS = 160


def count_types(n: int, n_outcomes: int) -> int:
    """Return C(n + s - 1, s - 1), the number of types of n examples over s outcomes.

    Examples
    --------
    >>> count_types(5, 4), count_types(200, 4)
    (56, 1373701)
    """
    return math.comb(check_count("n", n) + check_count("n_outcomes", n_outcomes) - 1, n_outcomes - 1)


@document
def types_by_rank(n: int, n_outcomes: int, start: int, stop: int) -> npt.NDArray[np.int64]:
    """Return the types of rank ``start`` to ``stop - 1`` in lexicographic order.

    Parameters
    ----------
    {size}
    n_outcomes : int
        Number s of outcomes, >= 1.
    start, stop : int
        Ranks, ``0 <= start <= stop <= count_types(n, n_outcomes)``.

    Returns
    -------
    (stop - start, s) ndarray of int
        Rows sum to n.

    Notes
    -----
    Complexity: O(s log n) time and O(s) memory per type. The number of types whose first count is below c telescopes,
    so each count is found by one bisection in a table of binomial coefficients (the combinatorial number system).
    Derived (proof: types-by-rank).

    Examples
    --------
    >>> types_by_rank(2, 2, 0, 3)
    array([[0, 2],
           [1, 1],
           [2, 0]])
    """
    ranks = np.arange(start, stop, dtype=np.int64)
    types = np.empty((stop - start, n_outcomes), dtype=np.int64)
    left = np.full(stop - start, n, dtype=np.int64)
    for outcome in range(n_outcomes - 1):
        # table[m]: number of ways to split m examples over the outcomes from here on.
        table = np.array([count_types(m, n_outcomes - outcome) if m else 1 for m in range(n + 1)])
        remaining = table[left] - ranks
        after = np.searchsorted(table, remaining)
        ranks -= table[left] - table[after]
        types[:, outcome] = left - after
        left = after
    types[:, -1] = left
    return types


def multinomial_floats(probabilities: tuple[Fraction, ...], n: int) -> _FloatWeights:
    """Prepare multinomial probabilities as floats, with a certified relative error."""
    return _FloatWeights(probabilities, n)


class _FloatWeights:
    """Floats n! prod p_j^c_j / c_j!, each factor held as mantissa and exponent so that none underflows.

    The factors are computed with 160-bit mantissas and rounded once; a product of s + 1 of them has a relative
    error below ``relative_error``.
    """

    def __init__(self, probabilities: tuple[Fraction, ...], n: int) -> None:
        tables = [_power_over_factorial(p, n) for p in probabilities]
        self._mantissas = np.array([[m for m, _ in table] for table in tables])
        self._exponents = np.array([[e for _, e in table] for table in tables], dtype=np.int64)
        factorial = math.factorial(n)
        self._factorial = _split(factorial, 0)
        # One rounding per factor and per product, and one of the final scaling; (1 + u)^k - 1 <= 1.01 k u.
        self.relative_error = 1.01 * (2 * len(probabilities) + 3) * 2.0**-53

    def __call__(self, types: npt.NDArray[np.int64]) -> FloatArray:
        """Return the probability of each type (T, s) -> (T,)."""
        mantissa, first = self._factorial
        product = np.full(types.shape[0], mantissa)
        exponent = np.full(types.shape[0], first, dtype=np.int64)
        for outcome in range(types.shape[1]):
            counts = types[:, outcome]
            product *= self._mantissas[outcome, counts]
            exponent += self._exponents[outcome, counts]
            if outcome % 256 == 255:  # mantissas are at least 1/2: renormalise long before they underflow
                product, shift = np.frexp(product)
                exponent += shift
        scaled: FloatArray = np.ldexp(product, np.clip(exponent, -(2**30), 2**30).astype(np.int32))
        return scaled


def _power_over_factorial(p: Fraction, n: int) -> list[tuple[float, int]]:
    """Return mantissa and exponent of p^c / c! for c = 0..n."""
    value, shift = 1 << _MANTISSA_BITS, -_MANTISSA_BITS
    table = [_split(value, shift)]
    for c in range(1, n + 1):
        # Numerator times 2^k, divided once: relative error below 2^-150 per step.
        extra = (c * p.denominator).bit_length()
        value = ((value * p.numerator) << extra) // (c * p.denominator)
        shift -= extra
        surplus = value.bit_length() - _MANTISSA_BITS
        if surplus > 0:
            value >>= surplus
            shift += surplus
        table.append(_split(value, shift))
    return table


def _split(value: int, shift: int) -> tuple[float, int]:
    """Return (m, e) with value * 2^shift = m * 2^e and 1/2 <= m < 1, m rounded once."""
    if value == 0:
        return 0.0, 0
    surplus = max(value.bit_length() - 1000, 0)
    mantissa, exponent = math.frexp(float(value >> surplus))
    return mantissa, exponent + shift + surplus


def multinomial_integers(
    probabilities: tuple[Fraction, ...], n: int, types: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.object_], int]:
    """Return multinomial probabilities as exact integers (T,) over one common denominator."""
    common = math.lcm(*(p.denominator for p in probabilities))
    factorials = [math.factorial(c) for c in range(n + 1)]
    weights = np.full(types.shape[0], factorials[n], dtype=object)
    divisors = np.ones(types.shape[0], dtype=object)
    for outcome, p in enumerate(probabilities):
        base = p.numerator * (common // p.denominator)
        powers = np.array([base**c for c in range(n + 1)], dtype=object)
        weights *= powers[types[:, outcome]]
        divisors *= np.array(factorials, dtype=object)[types[:, outcome]]
    return weights // divisors, common**n
