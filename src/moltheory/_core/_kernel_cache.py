"""The cache of compiled kernels on disk, in which damage costs a compilation and never an error or a wrong kernel.

numba replaces its files whole, so a process that is killed damages nothing. Beyond that it trusts them: an index cut
short by a full disk ends in a traceback, machine code that changed on the disk is run, two processes that compile one
kernel for different types at the same time may each find the code of the other under its own name, and a kernel stays
in the cache when another one that it calls has changed.
"""

# numba has no types here.
# mypy: disallow_untyped_calls=False

from __future__ import annotations

import contextlib
import hashlib
import pickle
from collections.abc import Callable
from typing import Any

from numba.core.caching import FunctionCache, IndexDataCacheFile
from numba.core.dispatcher import Dispatcher

__all__ = ["KernelCache"]


class KernelCache(FunctionCache):  # type: ignore[misc,unused-ignore]
    """numba's cache of one kernel; what cannot be read is compiled again, what cannot be written is not kept.

    Parameters
    ----------
    function : callable
        At the top level of a module.

    Raises
    ------
    RuntimeError
        If there is no folder that the cache could be kept in.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        stamp = self._impl.locator.get_source_stamp(), _called(function)
        self._cache_file = _CheckedFile(self._cache_path, self._impl.filename_base, stamp)

    @property
    def stamp(self) -> Any:
        """What changes with the source of the kernel, or of one that it calls."""
        return self._cache_file._source_stamp

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled kernel for a signature, or None if the cache does not hold it whole."""
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # unpickling what is damaged raises almost anything
            with contextlib.suppress(OSError):
                self.flush()  # no kernel can be kept beside an index that cannot be read
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a compiled kernel, unless the disk is full, the folder is gone or anything else is in the way."""
        with contextlib.suppress(Exception):
            super().save_overload(sig, data)


class _CheckedFile(IndexDataCacheFile):  # type: ignore[misc,unused-ignore]
    """The files of one kernel: the code for a signature, with its owner and a digest."""

    def save(self, key: Any, data: Any) -> None:
        content = self._dump((self._version, key, data))
        super().save(key, (hashlib.sha256(content).digest(), content))

    def load(self, key: Any) -> Any:
        found = super().load(key)
        if found is None:
            return None
        digest, content = found
        if hashlib.sha256(content).digest() != digest:
            return None
        version, owner, data = pickle.loads(content)
        return data if (version, owner) == (self._version, key) else None


def _called(function: Callable[..., Any]) -> tuple[Any, ...]:
    """Return what is compiled into a kernel from outside: the stamps of the kernels it calls, and its constants."""
    found: list[Any] = []
    for name in function.__code__.co_names:
        value = function.__globals__.get(name)
        cache = getattr(value, "_cache", None) if isinstance(value, Dispatcher) else None
        if isinstance(cache, KernelCache):
            found.append((name, cache.stamp))
        elif isinstance(value, (bool, int, float)):
            found.append((name, value))
    return tuple(found)
