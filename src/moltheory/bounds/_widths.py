"""Half-widths as arguments: arrays, or bounds from which the statement asked for follows."""

from __future__ import annotations

import numpy.typing as npt

from moltheory._core._validation import FloatArray, real_array
from moltheory.bounds._bound import Bound
from moltheory.bounds._scope import refuse_scope
from moltheory.errors import InvalidInputError

__all__ = ["AT_ONE", "EACH", "check_widths"]

# Bounds that hold for all hypotheses at once, where each may have half-widths of its own.
EACH = ("uniform", "per hypothesis")
# Bounds of |true risk - empirical risk|, of whatever it is that they are about.
AT_ONE = (*EACH, "learned", "posterior")


def check_widths(
    widths: npt.ArrayLike,
    *,
    n_objectives: int | None = None,
    scopes: tuple[str, ...] = ("uniform",),
    each: str | None = None,
) -> FloatArray:
    """Return half-widths, arrays or a `Bound`, as floats (..., N); refuse negative ones, NaN and a wrong N.

    Infinite ones are vacuous and allowed. A `Bound` must have one of the `scopes`; an array is taken at its word. `each`
    names the function for half-widths that depend on the hypothesis.
    """
    if isinstance(widths, Bound):
        remedy = "take a bound of all hypotheses, such as `finite_class`"
        if each is not None and widths.scope == "per hypothesis":
            remedy = f"use `{each}`"
        refuse_scope(widths.scope, scopes, remedy)
    array = real_array("widths", widths, shape="(..., N)", min_ndim=1, finite=False)
    if (array < 0.0).any():
        raise InvalidInputError(f"`widths` must be >= 0 everywhere, got {array.min():g}.")
    if n_objectives is not None and array.shape[-1] != n_objectives:
        raise InvalidInputError(f"`widths` must have {n_objectives} entries on its last axis, got {array.shape[-1]}.")
    return array
