"""The door for data in memory: arrays, data frames, series and tensors of any library become numpy arrays.

Data frames and series are read by narwhals, column by column; tables of Arrow by their stream; everything else by
``__array__`` or ``__dlpack__``. Types are kept: bools stay bools and integers stay integers. A missing value (a masked
entry, ``NA``, null, ``None``, ``NaN``) is NaN among numbers, whatever the library calls it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._containers import read_container
from moltheory._core._floats import PLAIN, Asked, as_floats, floats_of_objects, missing_entries
from moltheory.errors import InvalidInputError

__all__ = ["as_floats", "labels_in", "masked_entries", "missing_entries", "numbers_in", "rows_of"]

_Array = npt.NDArray[Any]

# Integers up to this size are doubles.
_EXACT = 2**53


def masked_entries(value: object) -> npt.NDArray[np.bool_] | None:
    """Return the mask of a masked array with masked entries, else None."""
    mask = getattr(value, "mask", None)
    if mask is None or callable(mask) or not isinstance(value, np.ndarray):
        return None
    masked = np.broadcast_to(np.asarray(mask, dtype=np.bool_), value.shape)
    return masked if masked.any() else None


def numbers_in(name: str, value: Any, *, exact: bool = False, shape: str = "") -> _Array:
    """Return real numbers as an array in native byte order, with NaN for what is missing.

    Bools and integers without missing values keep their type. With `exact`, integers that a float beside them would
    round are refused. `shape` is the expected one in words, for a message.

    Raises
    ------
    InvalidInputError
        If the value is ragged, or holds something else than real numbers; type and remedy are named.
    """
    array = _native(Asked(name, shape, exact), value)
    kind = array.dtype.kind
    if kind in "biuf":
        return array
    if kind == "O":
        return floats_of_objects(name, array)
    raise InvalidInputError(f"`{name}` must be real numbers, got dtype {array.dtype}.")


def labels_in(name: str, value: Any) -> _Array:
    """Return labels as an array: numbers, texts, dates or, where kinds are mixed or some are missing, objects.

    Raises
    ------
    InvalidInputError
        If the value is ragged, or holds tensors or the like that cannot be read.
    """
    masked = masked_entries(value)
    if masked is not None:
        found = np.asarray(value, dtype=object)
        found[masked] = None
        return found
    if isinstance(value, set | frozenset):
        raise InvalidInputError(f"`{name}` must have an order, got {type(value).__name__}: give a list.")
    array = _native(Asked(name, numbers=False), value)
    if array.dtype.kind in "US" and isinstance(value, list | tuple):
        # numpy turns numbers beside texts, and even None and NaN, into texts, and drops NUL at their ends.
        objects = np.asarray(value, dtype=object)
        nul, kind = ("\0", str) if array.dtype.kind == "U" else (b"\0", bytes)
        if not all(isinstance(entry, kind) and entry[-1:] != nul for entry in objects.flat):
            return objects
    if array.dtype.kind in "OT" and array.size:
        entries = array.ravel().tolist()
        if all(type(entry) is str and entry[-1:] != "\0" for entry in entries):
            return np.array(entries).reshape(array.shape)
        if all(
            isinstance(entry, bool | int | float | np.bool_ | np.integer | np.floating | Decimal) for entry in entries
        ):
            if any(isinstance(entry, Decimal) for entry in entries):
                # Of two decimals that one float rounds, neither is lost.
                floats = np.array([float(entry) for entry in entries])
                return floats.reshape(array.shape) if np.unique(floats).size == len(set(entries)) else array
            plain = np.array(entries)
            # Beyond 64 bits, or beside floats that would round them, integers stay objects.
            if plain.dtype.kind in "biu" or all(found == entry for found, entry in zip(plain, entries, strict=True)):
                return plain.reshape(array.shape)
        return np.asarray(array, dtype=object)
    return array


def rows_of(name: str, value: Any) -> int:
    """Return the number of rows of features: of an array, a frame, a list or a sparse matrix.

    Raises
    ------
    InvalidInputError
        If it has no rows.
    """
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape and isinstance(shape[0], int | np.integer):
        return int(shape[0])
    if not hasattr(value, "__len__") or isinstance(value, str | bytes):
        raise InvalidInputError(f"`{name}` must hold one row for each example, got {type(value).__name__}.")
    return len(value)


def _native(asked: Asked, value: Any) -> _Array:
    """Return whatever it is as an array, in which only objects are still to be read."""
    if isinstance(value, np.ndarray):
        masked = masked_entries(value)
        plain = np.asarray(value)
        if masked is not None:
            filled = plain.astype(object)
            filled[masked] = None
            plain = filled
        return plain if plain.dtype.isnative else plain.astype(plain.dtype.newbyteorder("="))
    if isinstance(value, list | tuple):
        return _of_sequence(asked, value)
    if isinstance(value, PLAIN):
        return np.asarray(value)
    return read_container(asked, value)


def _of_sequence(asked: Asked, value: Any) -> _Array:
    name = asked.name
    kinds = set(map(type, value))
    if any(not issubclass(kind, (*PLAIN, list, tuple)) for kind in kinds) and not _are_rows(kinds):
        value = [_of_entry(asked, entry) for entry in value]
    try:
        array = np.asarray(value)
        if asked.exact and array.dtype.kind == "f" and array.size and float(np.abs(array).max()) >= _EXACT:
            objects = np.asarray(value, dtype=object)
            whole = [entry for entry in objects.flat if isinstance(entry, int | np.integer)]
            if any(int(float(entry)) != int(entry) for entry in whole):
                raise InvalidInputError(
                    f"`{name}` must be numbers that 64-bit floats hold where some are floats, got integers that "
                    f"rounding changes: convert them yourself."
                )
    except InvalidInputError:
        raise
    except Exception:
        # A foreign entry may raise anything.
        if any(isinstance(entry, list | tuple | np.ndarray) for entry in value):
            of = f" of shape {asked.shape}" if asked.shape else ""
            raise InvalidInputError(f"`{name}` must be an array{of}, got ragged nested sequences.") from None
        raise InvalidInputError(f"`{name}` must be an array, got a list of {_listed(kinds)}.") from None
    return array


def _are_rows(kinds: set[type]) -> bool:
    """Whether entries are plain arrays, which numpy stacks by itself."""
    return kinds == {np.ndarray}


def _of_entry(asked: Asked, entry: Any) -> Any:
    """Return an entry of a list: an array for what holds numbers, else the entry itself."""
    if isinstance(entry, (*PLAIN, list, tuple)):
        return entry
    holds = any(hasattr(entry, attribute) for attribute in ("__array__", "__dlpack__", "__arrow_c_stream__", "detach"))
    if not (holds or isinstance(entry, np.ndarray)):
        return entry
    found = _native(asked, entry)
    return found.item() if found.ndim == 0 else found


def _listed(kinds: set[type]) -> str:
    return ", ".join(sorted(kind.__name__ for kind in kinds)[:3]) or "nothing"
