"""Values that a logarithmic axis cannot show."""

from __future__ import annotations

import numpy as np

from moltheory._core._validation import FloatArray

__all__ = ["with_zeros"]


def with_zeros(label: str, sizes: FloatArray, values: FloatArray, *, always: str = "exactly 0") -> str:
    r"""Return the label of a curve, which says where it is zero: `always` is for all sizes.

    >>> with_zeros("error", np.array([1.0, 10.0, 100.0]), np.array([0.5, 0.0, 0.0]))
    'error:\n0 from n = 10 on'
    """
    zero = values == 0.0
    if not zero.any():
        return label
    if zero.all():
        return f"{label}:\n{always}"
    first = int(np.argmax(zero))
    if zero[first:].all():
        return f"{label}:\n0 from n = {int(sizes[first]):,} on"
    if zero[: int(zero.sum())].all():
        return f"{label}:\n0 up to n = {int(sizes[zero][-1]):,}"
    if zero.sum() <= 3:
        return f"{label}:\n0 at n = {', '.join(f'{int(n):,}' for n in sizes[zero])}"
    return f"{label}:\n0 at {int(zero.sum())} of {zero.size} sizes"
