"""Checks of arguments, shared by every room: each refuses with one sentence.

A check returns the argument in canonical form, so that the code after it needs no second look. Arrays are
never copied where they already are in that form, and never written to.
"""

from __future__ import annotations

import math
import numbers
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from moltheory._core._inputs import as_floats, labels_in, masked_entries, missing_entries, numbers_in
from moltheory._core._text import few, quoted
from moltheory.errors import InvalidInputError

__all__ = [
    "FloatArray",
    "Maximise",
    "as_floats",
    "as_readonly",
    "bools_in",
    "check_choice",
    "check_count",
    "check_fits",
    "check_fraction",
    "check_names",
    "check_real",
    "check_vector",
    "numbers_or_one",
    "real_array",
    "real_or_missing",
    "refuse_masked",
    "without_mask",
]

FloatArray = npt.NDArray[np.float64]
Maximise = bool | Sequence[bool] | npt.NDArray[np.bool_]

_Text = TypeVar("_Text", bound=str)
_Array = TypeVar("_Array", bound=npt.NDArray[Any])


def real_array(
    name: str,
    value: npt.ArrayLike,
    *,
    shape: str,
    min_ndim: int,
    max_ndim: int | None = None,
    finite: bool = True,
    keep_integers: bool = False,
) -> npt.NDArray[Any]:
    """Return `value` as a real array without NaN and without an empty axis.

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    value : array_like
        What the caller passed.
    shape : str
        The expected shape in words, for the message, for example ``"(..., n, m)"``.
    min_ndim, max_ndim : int, optional
        Allowed number of dimensions; no upper limit by default.
    finite : bool, default True
        Refuse infinities too.
    keep_integers : bool, default False
        Leave integer arrays integers; by default the result is float64.

    Returns
    -------
    numpy.ndarray
        float64, or the caller's integer dtype where `keep_integers` is set.

    Raises
    ------
    InvalidInputError
        If `value` is ragged, not real, empty, of another dimension, or holds NaN (or, where `finite`,
        an infinity).
    """
    refuse_masked(name, value)
    array = numbers_in(name, value, exact=keep_integers, shape=shape)
    if array.dtype == np.bool_:
        array = array.astype(np.int8 if keep_integers else np.float64)
    too_many = max_ndim is not None and array.ndim > max_ndim
    if array.ndim < min_ndim or too_many:
        raise InvalidInputError(f"`{name}` must have shape {shape}, got shape {array.shape}.")
    if array.size == 0:
        raise InvalidInputError(f"`{name}` must not be empty, got shape {array.shape}.")
    if array.dtype.kind == "f" and isinstance(value, list | tuple) and float(np.abs(array).max()) >= 2.0**63:
        # A list of integers beyond 64 bits became floats on the way here.
        as_floats(name, np.asarray(value, dtype=object))
    if array.dtype.kind in "iu":
        return array if keep_integers else array.astype(np.float64)
    if array.dtype != np.float64:
        array = as_floats(name, array)
    if finite:
        if not np.isfinite(array).all():
            found = "NaN" if np.isnan(array).any() else "an infinity"
            raise InvalidInputError(f"`{name}` must be finite, got {found}.")
    elif np.isnan(array).any():
        raise InvalidInputError(f"`{name}` must not contain NaN, got {int(np.isnan(array).sum())} of them.")
    return array


def refuse_masked(name: str, value: object) -> None:
    """Refuse masked entries where nothing may be missing: the numbers below the mask are no data.

    Raises
    ------
    InvalidInputError
    """
    masked = masked_entries(value)
    if masked is not None:
        raise InvalidInputError(f"`{name}` must not hold masked entries, got {int(masked.sum())} of them.")


def without_mask(value: Any) -> Any:
    """Return losses with NaN in place of masked entries; anything else as it is."""
    masked = masked_entries(value)
    if masked is None:
        return value
    return np.where(masked, np.nan, np.asarray(value, dtype=np.float64))


def real_or_missing(name: str, value: Any) -> npt.NDArray[Any]:
    """Return real numbers of at most 64 bits in the type that they have, NaN where one is missing.

    Raises
    ------
    InvalidInputError
        If the value holds something else, or numbers that 64-bit floats do not hold.
    """
    masked = masked_entries(value)
    if masked is not None and np.asarray(value).dtype.kind in "biuf":
        return np.where(masked, np.nan, as_floats(name, np.asarray(value)))
    array = numbers_in(name, value)
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = as_floats(name, array)
    return array


def check_vector(
    name: str,
    value: npt.ArrayLike,
    *,
    length: int | None = None,
    low: float = -math.inf,
    strict: bool = False,
    finite: bool = True,
) -> FloatArray:
    """Return `value` as a 1-d float array of a given length with entries above (or at) `low`.

    Raises
    ------
    InvalidInputError
        If the shape, the length or a value breaks the rule.
    """
    array = real_array(name, value, shape="(N,)", min_ndim=1, max_ndim=1, finite=finite)
    if length is not None and array.shape[0] != length:
        raise InvalidInputError(f"`{name}` must have {length} entries, got {array.shape[0]}.")
    smallest = float(array.min())
    if smallest < low or (strict and smallest == low):
        raise InvalidInputError(f"`{name}` must be {'>' if strict else '>='} {low:g} everywhere, got {smallest:g}.")
    return array


def check_real(
    name: str, value: object, *, low: float = -math.inf, high: float = math.inf, strict: bool = False
) -> float:
    """Return `value` as a finite float in [low, high] (open interval if `strict`).

    Raises
    ------
    InvalidInputError
        If it is not one finite real number in that range.
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        raise InvalidInputError(f"`{name}` must be a real number, got {value!r}.")
    number = float(value)
    outside = not low <= number <= high or (strict and number in (low, high))
    if not math.isfinite(number) and math.isinf(low) and math.isinf(high):
        raise InvalidInputError(f"`{name}` must be finite, got {number!r}.")
    if not math.isfinite(number) or outside:
        left, right = ("(", ")") if strict else ("[", "]")
        raise InvalidInputError(f"`{name}` must lie in {left}{low:g}, {high:g}{right}, got {number!r}.")
    return number


def check_fraction(name: str, value: object) -> float:
    """Return `value` as a float strictly between 0 and 1, for example a failure probability.

    Raises
    ------
    InvalidInputError
        If it is not a number in the open interval (0, 1).
    """
    return check_real(name, value, low=0.0, high=1.0, strict=True)


def check_count(name: str, value: object, *, low: int = 1) -> int:
    """Return `value` as an int of at least `low`; bools and floats are refused.

    Raises
    ------
    InvalidInputError
        If it is not an integer or too small.
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Integral):
        raise InvalidInputError(f"`{name}` must be an integer, got {value!r}.")
    number = int(value)
    if number < low:
        raise InvalidInputError(f"`{name}` must be an integer >= {low}, got {number}.")
    return number


def check_choice(name: str, value: _Text, choices: Collection[str]) -> _Text:
    """Return `value` if it is one of `choices`.

    Raises
    ------
    InvalidInputError
        If it is none of them; the message lists them.
    """
    if value not in choices:
        raise InvalidInputError(f"`{name}` must be one of {', '.join(sorted(choices))}, got {quoted(value)}.")
    return value


def check_fits(name: str, value: npt.ArrayLike, shape: tuple[int, ...], *, of: str) -> None:
    """Refuse an array that cannot be broadcast to the shape of another, `of`; one number fits every shape.

    Raises
    ------
    InvalidInputError
        If some axis of `value` is neither 1 nor that of `shape`.
    """
    found = np.shape(value)
    try:
        fits = math.prod(found) == 1 or np.broadcast_shapes(found, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise InvalidInputError(f"`{name}` must fit the shape {shape} of `{of}`, got shape {found}.")


def check_names(name: str, value: Iterable[str] | None, *, length: int, stem: str) -> tuple[str, ...]:
    """Return `length` distinct names; by default ``stem_1`` to ``stem_length``.

    Raises
    ------
    InvalidInputError
        If the number is wrong, an entry is not a non-empty string, or two agree.
    """
    if value is None:
        return tuple(f"{stem}_{i + 1}" for i in range(length))
    if isinstance(value, set | frozenset):
        raise InvalidInputError(f"`{name}` must have an order, got {type(value).__name__}: give a list.")
    names = tuple(value)
    if len(names) != length:
        raise InvalidInputError(f"`{name}` must hold {length} names, got {len(names)}.")
    wrong = [entry for entry in names if not isinstance(entry, str) or not entry]
    if wrong or len(set(names)) != length:
        found = few(wrong) if wrong else f"{few([entry for entry, count in Counter(names).items() if count > 1])} twice"
        raise InvalidInputError(f"`{name}` must hold distinct non-empty strings, got {found}.")
    return names


def bools_in(name: str, value: Any) -> npt.NDArray[Any]:
    """Return conditions as an array, of bools where they are such; refuse missing and masked ones.

    Raises
    ------
    InvalidInputError
    """
    refuse_masked(name, value)
    found = labels_in(name, value)
    missing = int(missing_entries(found).sum())
    if missing:
        raise InvalidInputError(f"`{name}` must not hold missing values, got {missing} of them.")
    return found


def numbers_or_one(name: str, value: Any) -> npt.NDArray[Any]:
    """Return real numbers in at least one dimension, so that one number is a vector."""
    return np.atleast_1d(numbers_in(name, value))


def as_readonly(array: _Array) -> _Array:
    """Return a read-only copy, for arrays kept inside immutable results; one that owns its memory is kept as it is."""
    if not array.flags.writeable and array.base is None:
        return array
    copy = array.copy()
    copy.flags.writeable = False
    return copy
