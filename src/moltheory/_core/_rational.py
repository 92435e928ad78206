"""Reading floats as the rationals their author meant, so that equal risks come out bitwise equal.

A probability typed as ``0.1`` means one tenth, not the binary fraction next to it. Averages of losses are
formed from integers and divided once; the quotient of two integers below 2**53 is correctly rounded, so two
equal averages are the same float, and ties are ties.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.errors import InvalidInputError

__all__ = ["EXACT_INTEGERS", "integer_scale", "read_probabilities", "read_rational"]

EXACT_INTEGERS = 2**53
_SIMPLE = 10**6
_SCALES = (1, 2, 4, 5, 10, 20, 25, 50, 100, 1000, 10**4, 10**5, 10**6)
_MOST_DISTINCT = 4096


def read_rational(value: Any) -> Fraction:
    """Read a number as a fraction: exact types as they are, a float as the simplest fraction it rounds.

    The simplest fraction has a denominator of at most 10**6 and rounds to the float; where there is none, the
    float's shortest decimal is taken.
    """
    if isinstance(value, Fraction):
        return value
    if isinstance(value, int | np.integer | bool | np.bool_):
        return Fraction(int(value))
    simple = Fraction(float(value)).limit_denominator(_SIMPLE)
    return simple if float(simple) == float(value) else Fraction(repr(float(value)))


def read_probabilities(probabilities: Sequence[Any] | npt.NDArray[Any]) -> tuple[Fraction, ...]:
    """Read probabilities as fractions that sum to one exactly.

    Floats are read as their shortest decimals; if these do not sum to one, as the simplest fractions they
    round (so three times 1/3 works); if these do not either, but the sum is within 1e-9 of one, the decimals
    are divided by their sum.

    Raises
    ------
    InvalidInputError
        If there are none, one is negative or not a finite number, or the sum is not one.
    """
    if isinstance(probabilities, Mapping):
        raise InvalidInputError("`probabilities` must be in the order of the outcomes, got a mapping: give its values.")
    values = list(probabilities)
    if not values or np.ndim(values[0]) != 0:
        raise InvalidInputError(f"`probabilities` must have shape (s,) with s >= 1, got {np.shape(probabilities)}.")
    try:
        usable = all(math.isfinite(value) for value in values)
    except TypeError:
        usable = False
    if not usable:
        raise InvalidInputError("`probabilities` must be finite real numbers, got NaN, an infinity or another type.")
    exact = [
        value
        if isinstance(value, Fraction)
        else Fraction(int(value))
        if float(value).is_integer()
        else Fraction(repr(float(value)))
        for value in values
    ]
    if min(exact) < 0:
        raise InvalidInputError(f"`probabilities` must be >= 0, got {float(min(exact)):g}.")
    total = sum(exact, Fraction(0))
    if total == 1:
        return tuple(exact)
    simple = [read_rational(value) for value in values]
    if sum(simple, Fraction(0)) == 1:
        return tuple(simple)
    if abs(total - 1) > Fraction(1, 10**9):
        raise InvalidInputError(f"`probabilities` must sum to one, got {float(total):.12g}.")
    return tuple(value / total for value in exact)


def integer_scale(values: FloatArray) -> tuple[npt.NDArray[np.int64], int] | None:
    """Write an array as integers over one common denominator, or return None where it is not of that kind.

    Parameters
    ----------
    values : (...) array of float
        Finite.

    Returns
    -------
    (integers, scale) or None
        ``integers / scale == values`` bitwise, with ``scale <= 10**6`` and integers below 2**53.
    """
    if np.abs(values).max(initial=0.0) * _SIMPLE >= EXACT_INTEGERS:
        return None
    for scale in _SCALES:
        integers = np.rint(values * scale)
        if np.array_equal(integers / scale, values):
            return integers.astype(np.int64), scale
    distinct = np.unique(values)
    if distinct.size > _MOST_DISTINCT:
        return None
    common = 1
    for value in distinct.tolist():
        simple = Fraction(value).limit_denominator(_SIMPLE)
        common = math.lcm(common, simple.denominator)
        if float(simple) != value or common > _SIMPLE:
            return None
    integers = np.rint(values * common)
    return integers.astype(np.int64), common
