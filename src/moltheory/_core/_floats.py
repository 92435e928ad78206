"""Numbers of other types as 64-bit floats, without changing one in silence."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from moltheory.errors import InvalidInputError

__all__ = [
    "PLAIN",
    "Asked",
    "as_floats",
    "exact_floats",
    "first_line",
    "floats_of_objects",
    "missing_entries",
    "type_of",
]

_Array = npt.NDArray[Any]

# Integers up to this size are doubles.
_EXACT = 2**53
PLAIN = (bool, int, float, complex, str, bytes, np.generic, Decimal, Fraction, type(None))


class Asked(NamedTuple):
    """An argument's name, its shape in words, and how it is read."""

    name: str
    shape: str = ""
    exact: bool = False
    numbers: bool = True


def as_floats(name: str, array: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return numbers of other types as float64; refuse those that it would change into others without a word."""
    found = array.astype(np.float64)
    if array.dtype.kind == "O":
        changed = [a for a in array.flat if isinstance(a, int) and abs(a) > 2**63 and a != float(a)]
    else:
        # Not a number differs from itself.
        changed = array[(found != array) & (array == array)].tolist() if array.dtype.itemsize > 8 else []
    if changed:
        raise InvalidInputError(
            f"`{name}` must be numbers that 64-bit floats hold, got {changed[0]!r} among {len(changed)} that rounding "
            f"changes; convert them yourself."
        )
    return found


def exact_floats(name: str, integers: _Array) -> npt.NDArray[np.float64]:
    """Return integers as floats; refuse those that rounding changes."""
    found = integers.astype(np.float64)
    if integers.dtype.kind in "iu" and integers.dtype.itemsize == 8:
        large = integers[np.abs(found) >= _EXACT].tolist()
        changed = [entry for entry in large if int(float(entry)) != entry]
        if changed:
            raise InvalidInputError(
                f"`{name}` must be numbers that 64-bit floats hold, got {changed[0]} beside floats or missing values: "
                f"convert it yourself."
            )
    return found


def floats_of_objects(name: str, array: _Array, where: str = "") -> npt.NDArray[np.float64]:
    """Return Python's numbers as floats, NaN where one is missing; texts and other objects are refused."""
    missing = missing_entries(array)
    present = array[~missing]
    for kind in set(map(type, present.flat)):
        if issubclass(kind, str | bytes):
            text = next(entry for entry in present.flat if isinstance(entry, kind))
            raise InvalidInputError(f"`{name}` must be real numbers, got the text {text!r}{where}.")
        is_number = issubclass(kind, PLAIN) or hasattr(kind, "__float__")
        # numpy makes a number of an array of one entry, which is a list in a column all the same.
        is_list = issubclass(kind, np.ndarray) and any(np.ndim(entry) for entry in present.flat)
        if not is_number or is_list or issubclass(kind, complex):
            found = f"dtype {array.dtype}" if array.ndim else type_of(array.item())
            raise InvalidInputError(f"`{name}` must be real numbers, got {found}{where}.")
    try:
        values = as_floats(name, present)
    except InvalidInputError:
        raise
    except (TypeError, ValueError, OverflowError):
        raise InvalidInputError(f"`{name}` must be real numbers, got dtype {array.dtype}{where}.") from None
    floats = np.full(array.shape, np.nan)
    floats[~missing] = values
    return floats


def missing_entries(labels: _Array) -> npt.NDArray[np.bool_]:
    """Return which entries are missing: None, NA, NaN or NaT."""
    if labels.dtype.kind == "O":
        import pandas as pd

        return np.asarray(pd.isna(labels), dtype=np.bool_)
    return np.asarray(labels != labels, dtype=np.bool_) if labels.dtype.kind in "fcmM" else np.zeros(labels.shape, bool)


def type_of(value: object) -> str:
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__.split('.')[0]}.{kind.__name__}"


def first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
