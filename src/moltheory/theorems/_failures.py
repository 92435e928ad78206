"""What the failure function of a statement returns, read as a probability with its interval."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from moltheory.errors import InvalidInputError
from moltheory.theorems._results import FailureProbability

__all__ = ["read_failure"]

# Probabilities beyond 0 and 1 by no more are sums of floats.
_ROUNDING = 1e-9
_RULE = "must return a probability, a FailureProbability, or a pair of one of them and the number of sample types"


def read_failure(found: Any, theorem: str) -> tuple[FailureProbability, int]:
    """Return the failure probability and the number of sample types (0: not told) from what ``failure`` returned.

    A number, also an exact fraction, is an exact probability; a `FailureProbability` has an interval.
    """
    count = 0
    if isinstance(found, tuple):
        if len(found) != 2 or isinstance(found[1], bool) or not isinstance(found[1], int | np.integer) or found[1] < 0:
            raise _refused(theorem, found)
        found, count = found[0], int(found[1])
    if isinstance(found, FailureProbability):
        ends = [_number(one, theorem, found) for one in (found.low, found.probability, found.high)]
        if not ends[0] <= ends[1] <= ends[2]:
            raise _refused(theorem, found)
        return FailureProbability(ends[1], ends[0], ends[2]), count
    probability = _number(found, theorem, found)
    return FailureProbability(probability, probability, probability), count


def _number(value: Any, theorem: str, found: Any) -> float:
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | Fraction | np.integer | np.floating):
        raise _refused(theorem, found)
    number = float(value)
    if not -_ROUNDING <= number <= 1.0 + _ROUNDING:
        raise _refused(theorem, found)
    return min(max(number, 0.0), 1.0)


def _refused(theorem: str, found: Any) -> InvalidInputError:
    shown = repr(found).replace("\n", " ")
    return InvalidInputError(
        f"`failure` of {theorem!r} {_RULE}, all in [0, 1], got {shown if len(shown) <= 80 else type(found).__name__}."
    )
