"""Paired tests of tails: what a tail declares, checked, for certificates.

A tail has a paired test if the class that defines its value and its interval, or one below it, defines
`Tail.paired_p_values` too; a test inherited by a class that changes the value would be of another quantity.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from moltheory._core._text import quoted
from moltheory._core._validation import FloatArray
from moltheory.errors import InvalidInputError
from moltheory.evaluation._objectives import Objective
from moltheory.evaluation._tails import has_own_test

__all__ = ["has_tail_test", "tail_p_values", "tail_test_name"]


def has_tail_test(objective: Objective) -> bool:
    """Return whether the objective is a tail with a paired test of its own value; nothing is computed."""
    return objective.tail is not None and has_own_test(objective.tail)


def tail_test_name(objective: Objective) -> str:
    """Return the name of the paired test for a table; "no paired test" if there is none."""
    tail = objective.tail
    if tail is None or not has_tail_test(objective):
        return "no paired test"
    return tail.test_name or f"paired test of {type(tail).__name__}"


def tail_p_values(objective: Objective, shift: float) -> FloatArray | None:
    """Return p-values (M, M) of "the tail of a is at least that of b plus the shift", None without a paired test.

    Entry [a, b] is small where the tail of a is below that of b plus the shift, in units of the losses; the diagonal
    is 1. Everything is minimised.

    Raises
    ------
    InvalidInputError
        If a tail from outside returns something else than (M, M) numbers in [0, 1].
    """
    tail = objective.tail
    if tail is None or not has_tail_test(objective):
        return None
    found: Any = tail.paired_p_values(shift)
    if found is None:
        return None
    n_models = tail.losses.shape[1]
    p = np.asarray(found)
    if p.shape != (n_models, n_models) or p.dtype.kind not in "biuf" or not ((p >= 0.0) & (p <= 1.0)).all():
        raise InvalidInputError(
            f"`objectives` must return p-values ({n_models}, {n_models}) in [0, 1] from `paired_p_values`, got shape "
            f"{p.shape} of {p.dtype} in {quoted(objective.name)}."
        )
    p = p.astype(np.float64)
    np.fill_diagonal(p, 1.0)
    return p
