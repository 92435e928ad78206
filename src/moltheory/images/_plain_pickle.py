"""Pickles of the Python version of CIFAR, which can run any code when they are read; here they cannot.

Only bytes, numbers, plain containers and arrays of bytes are read. Names in a pickle stand for objects of this module,
which accept what the original files ask of them and nothing else; numpy itself never sees what a pickle says.
"""

from __future__ import annotations

import math
import pickle
import pickletools
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from moltheory.errors import InvalidInputError

__all__ = ["array_in", "read_plain_pickle"]


def read_plain_pickle(file: Path, /, *, argument: str) -> dict[str, Any]:
    """Return the dict in a pickle, its keys as texts; whatever is wrong with the file is refused with one sentence."""
    try:
        with file.open("rb") as stream:
            _check_memory(stream, file.stat().st_size)
            stream.seek(0)
            content = _PlainUnpickler(stream, encoding="bytes").load()
            if stream.read(1):
                raise pickle.UnpicklingError("it goes on after its end")
    except Exception as error:  # a damaged pickle can make the reader raise anything
        reason = str(error) if isinstance(error, pickle.UnpicklingError) else type(error).__name__
        raise InvalidInputError(
            f"`{argument}` must hold whole pickles of arrays, got {file.name}, which cannot be read ({reason})."
        ) from None
    if not isinstance(content, dict):
        raise InvalidInputError(
            f"`{argument}` must hold pickles of a dict, got {type(content).__name__} in {file.name}."
        )
    return {key.decode("latin1") if isinstance(key, bytes) else str(key): value for key, value in content.items()}


def array_in(value: object) -> npt.NDArray[np.uint8] | None:
    """Return the array that a value of a pickle is, or None."""
    return value.array if isinstance(value, _Array) else None


def _check_memory(stream: IO[bytes], size: int) -> None:
    """Refuse a damaged number that would make the reader reserve more memory than the file has bytes."""
    for code, argument, _ in pickletools.genops(stream):
        if "PUT" in code.name and isinstance(argument, int) and argument > size:
            raise pickle.UnpicklingError("it numbers more objects than it holds")


class _PlainUnpickler(pickle.Unpickler):
    """Refuses every name but those that an array of bytes needs."""

    def find_class(self, module: str, name: str) -> Any:
        found = _NAMES.get((module.replace("numpy._core", "numpy.core"), name))
        if found is None:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return _Name(found)


class _Name:
    """Stands for a function or class: can be called, and nothing else."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, *arguments: Any) -> Any:
        return self.function(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("it changes a function")


class _Type:
    """Stands for the type uint8."""

    __slots__ = ()

    def __setstate__(self, state: Any) -> None:
        """Order of bytes and the like: a byte has none."""


class _Array:
    """Stands for an array of bytes: empty at first, as pickles make it."""

    __slots__ = ("array",)

    def __init__(self) -> None:
        self.array: npt.NDArray[np.uint8] = np.empty(0, dtype=np.uint8)

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, by_columns, content = state
        self.array = _shaped(content, kind, shape, by_columns)


def _shaped(content: Any, kind: Any, shape: Any, by_columns: Any) -> npt.NDArray[np.uint8]:
    whole = (
        isinstance(kind, _Type)
        and isinstance(content, bytes | bytearray)
        and isinstance(shape, tuple)
        and all(type(length) is int and length >= 0 for length in shape)
        and math.prod(shape) == len(content)
    )
    if not whole or by_columns not in (False, 0, "C", b"C"):
        raise pickle.UnpicklingError("it holds an array of an unknown kind")
    return np.frombuffer(content, dtype=np.uint8).reshape(shape)


def _empty_array(kind: Any, *_: Any) -> _Array:
    if not isinstance(kind, _Name) or kind.function is not _refused:
        raise pickle.UnpicklingError("it holds an array of an unknown kind")
    return _Array()


def _whole_array(content: Any, kind: Any, shape: Any, order: Any) -> _Array:
    """As newer pickles make an array."""
    made = _Array()
    made.array = _shaped(content, kind, shape, order)
    return made


def _plain_type(code: Any, *_: Any) -> _Type:
    # Anything but bytes, and objects above all, has no place in an image.
    if code not in ("u1", b"u1"):
        raise pickle.UnpicklingError("it holds an array that is not of uint8")
    return _Type()


def _latin_bytes(text: Any, encoding: Any) -> bytes:
    if not isinstance(text, str) or encoding not in ("latin1", b"latin1"):
        raise pickle.UnpicklingError("it holds text of an unknown kind")
    return text.encode("latin1")


def _refused(*_: Any) -> Any:
    raise pickle.UnpicklingError("it makes an array in an unknown way")


_NAMES: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy.core.multiarray", "_reconstruct"): _empty_array,
    ("numpy.core.numeric", "_frombuffer"): _whole_array,
    ("numpy", "ndarray"): _refused,
    ("numpy", "dtype"): _plain_type,
    ("_codecs", "encode"): _latin_bytes,
}
