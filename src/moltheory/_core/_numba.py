"""Compiling kernels with numba: one decorator, and the number of ones of a word in one instruction.

Imported by modules of kernels only, which are loaded on demand: numba takes about half a second to import. Kernels
release the interpreter lock and are cached on disk, beside the module that holds them or where ``NUMBA_CACHE_DIR``
says. With ``NUMBA_DISABLE_JIT=1`` they run as plain Python.
"""

# The kernels are typed by numba.
# mypy: disallow_untyped_defs=False, check_untyped_defs=False, disallow_untyped_decorators=False

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, Literal

import numba
from numba.extending import intrinsic

from moltheory._core._kernel_cache import KernelCache

__all__ = ["compiled", "count_ones"]


def compiled(function: Callable[..., Any], *, error_model: Literal["python", "numpy"] = "python") -> Callable[..., Any]:
    """Return `function` as a kernel that is compiled when first called, with a cache on disk where there is a place.

    Parameters
    ----------
    function : callable
        At the top level of a module.
    error_model : {"python", "numpy"}, default "python"
        What a division by zero does: raise an error, or give an infinity or NaN (and allow vector instructions).
    """
    kernel: Any = numba.njit(function, nogil=True, error_model=error_model)
    if hasattr(kernel, "enable_caching"):
        # No place to keep the cache, for example a read-only installation: it is compiled by every process.
        with contextlib.suppress(RuntimeError, OSError):
            kernel._cache = KernelCache(function)
    found: Callable[..., Any] = kernel
    return found


@intrinsic
def _instruction(context, word):
    """Return the number of ones of a 64-bit word: one instruction, or a few on vectors of words."""

    def generate(target, builder, signature, arguments):
        return builder.ctpop(arguments[0])

    return numba.types.uint64(numba.types.uint64), generate


def _in_python(word):
    """Return the number of ones of a word where nothing is compiled."""
    return int(word).bit_count()


# An intrinsic has no meaning where numba is switched off.
count_ones = _in_python if numba.config.DISABLE_JIT else _instruction  # type: ignore[attr-defined,unused-ignore]
