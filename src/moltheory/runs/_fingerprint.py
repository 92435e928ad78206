"""A digest of any value by its content, to tell apart two things that share a name."""

from __future__ import annotations

import copyreg
import functools
import hashlib
import struct
import types
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np

from moltheory.errors import InvalidInputError

__all__ = ["fingerprint"]


def fingerprint(value: object, /) -> str:
    """Return a digest of everything a value is made of.

    Two values have equal fingerprints if and only if (up to collisions of SHA-256) they have the same types and
    the same content, bit for bit: arrays by dtype, shape and bytes, objects by class and attributes. Whether
    parts are shared or copied, and the order in which attributes were set, makes no difference.

    Parameters
    ----------
    value : object
        Numbers, strings, arrays, containers of those, and objects that can be pickled.

    Returns
    -------
    str
        64 hexadecimal digits, the same in every process with the same versions.

    Raises
    ------
    InvalidInputError
        If it holds a function without a name to import it by, or something that cannot be pickled.

    Notes
    -----
    Attributes that are a ``functools.cached_property`` of the class are left out: they follow from the others and
    come and go. One pass over the bytes.

    Complexity: O(b) time for b bytes and O(k) for k objects; memory does not grow with the arrays.

    Examples
    --------
    >>> import numpy as np
    >>> fingerprint({"a": np.arange(3)}) == fingerprint({"a": np.array([0, 1, 2])})
    True
    >>> fingerprint(np.array([0.0])) == fingerprint(np.array([-0.0]))
    False
    """
    return _Walk().digest(value).hex()


class _Walk:
    """One walk; remembers what it has seen, so that shared parts are read once and cycles end."""

    def __init__(self) -> None:
        # The value is kept beside its digest: an id is unique only while its owner lives.
        self._seen: dict[int, tuple[object, bytes]] = {}

    def digest(self, value: object) -> bytes:
        """Digest of one node."""
        found = self._seen.get(id(value))
        if found is not None:
            return found[1]
        self._seen[id(value)] = (value, b"cycle %d" % len(self._seen))
        result = hashlib.sha256()
        for part in self._parts(value):
            result.update(b"%d:" % memoryview(part).nbytes)
            result.update(part)
        digest = result.digest()
        self._seen[id(value)] = (value, digest)
        return digest

    def _all(self, values: Iterable[object]) -> list[bytes]:
        return [self.digest(entry) for entry in values]

    def _parts(self, value: Any) -> list[bytes | memoryview]:
        kind = type(value)
        if value is None or kind in (bool, int, str, bytes):
            return [kind.__name__.encode(), value if kind is bytes else str(value).encode()]
        if kind is float:
            return [b"float", struct.pack("<d", value)]
        if kind is Fraction:
            return [b"Fraction", str(value).encode()]
        if kind is np.ndarray or isinstance(value, np.generic):
            return self._array(np.asarray(value), kind.__name__)
        if kind in (tuple, list):
            return [kind.__name__.encode(), *self._all(value)]
        if kind in (set, frozenset):
            return [kind.__name__.encode(), *sorted(self._all(value))]
        if kind is dict:
            return [b"dict", *self._all(entry for item in value.items() for entry in item)]
        if isinstance(value, type | types.FunctionType | types.BuiltinFunctionType | types.ModuleType):
            return [b"name", _import_name(value).encode()]
        return self._object(value)

    def _array(self, array: np.ndarray[Any, Any], kind: str) -> list[bytes | memoryview]:
        header = f"{kind} {array.dtype.descr} {array.shape}".encode()
        if array.dtype.hasobject:
            return [header, *self._all(array.ravel().tolist())]
        return [header, np.ascontiguousarray(array).reshape(-1).view(np.uint8).data if array.size else b""]

    def _object(self, value: Any) -> list[bytes | memoryview]:
        try:
            # As pickle does: registered ways first.
            registered = copyreg.dispatch_table.get(type(value))
            made: Any = registered(value) if registered is not None else value.__reduce_ex__(4)
        except Exception as error:
            raise InvalidInputError(
                f"`value` must be made of parts that can be pickled, got {type(value).__name__} ({error})."
            ) from None
        if isinstance(made, str):
            return [b"name", f"{type(value).__module__}.{made}".encode()]
        maker, arguments, *rest = made
        state = rest[0] if rest else None
        if isinstance(state, dict):
            state = sorted(
                (name, entry)
                for name, entry in ((str(k), self.digest(v)) for k, v in state.items() if not _is_cache(value, k))
            )
        items = [None if more is None else list(more) for more in rest[1:3]]
        return [b"object", _import_name(type(value)).encode(), *self._all((maker, arguments, state, items))]


def _is_cache(value: object, name: object) -> bool:
    return isinstance(name, str) and isinstance(getattr(type(value), name, None), functools.cached_property)


def _import_name(value: Any) -> str:
    name = getattr(value, "__qualname__", value.__name__)
    # Classes defined inside functions differ by their content only in ways nobody can check; functions likewise.
    if not isinstance(value, type) and ("<lambda>" in name or "<locals>" in name):
        raise InvalidInputError(f"`value` must hold functions that can be imported by name only, got {name}.")
    return f"{getattr(value, '__module__', '')}.{name}"
