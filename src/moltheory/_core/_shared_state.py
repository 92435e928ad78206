"""State that the whole process shares (filters of warnings, settings of matplotlib), changed by one thread at a time.

Both are saved, changed and restored. Two threads that do so at once restore each other's changes, which then stay for
as long as the process lives.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

__all__ = ["one_thread", "warnings_as"]

_lock = threading.RLock()


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep other threads out of every such block; the same thread may enter one inside another."""
    with _lock:
        yield


@contextmanager
def warnings_as(action: Literal["ignore", "error"], category: type[Warning] = Warning) -> Iterator[None]:
    """Ignore warnings of a category, or raise them, inside."""
    with one_thread(), warnings.catch_warnings():
        warnings.simplefilter(action, category)
        yield


def _renew() -> None:
    global _lock
    _lock = threading.RLock()


# A process forked while another thread was inside would wait for that thread, which it does not have.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
