"""torch, an optional extra: asked for in one place, with one sentence where it is absent; and runs that repeat."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory.errors import MoltheoryError
from moltheory.runs import block_stream

if TYPE_CHECKING:
    from moltheory.studies._machine import Machine

__all__ = ["TorchMissingError", "repeatable", "require_torch", "seeded"]


class TorchMissingError(MoltheoryError, ImportError):
    """torch is not installed."""


def require_torch() -> Any:
    """Return the module torch, or raise a `TorchMissingError` that holds the line that installs it."""
    try:
        import torch
    except ImportError:
        raise TorchMissingError(
            "`torch` must be installed for networks (the CPU build: python -m pip install torch --index-url "
            "https://download.pytorch.org/whl/cpu), got none."
        ) from None
    return torch


@contextlib.contextmanager
def repeatable(machine: Machine | None = None) -> Iterator[Any]:
    """Give torch with one thread and deterministic algorithms, and restore the caller's settings afterwards.

    The order in which threads add up changes the last bits; with one thread a run repeats bit for bit. Another
    `machine` may have more threads; then, and on another device, faster algorithms that do not repeat are let through.
    """
    n_threads, repeats = (1, True) if machine is None else (machine.threads, machine.repeats)
    torch = require_torch()
    threads = torch.get_num_threads()
    mode = torch.get_deterministic_debug_mode()
    torch.set_num_threads(n_threads)
    # Like use_deterministic_algorithms(True), without the compiler that it imports.
    torch.set_deterministic_debug_mode("error" if repeats else "default")
    try:
        yield torch
    finally:
        torch.set_deterministic_debug_mode(mode)
        torch.set_num_threads(threads)


@contextlib.contextmanager
def seeded(root: np.random.SeedSequence, key: str, *path: int) -> Iterator[Any]:
    """Give torch with a generator of this key, as in `block_stream`; the caller's generator is left as it was."""
    torch = require_torch()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(block_stream(root, key, *path).integers(2**62)))
        yield torch
