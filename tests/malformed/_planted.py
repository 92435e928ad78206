"""Faults of every kind in the reading of files, to see that the check finds them."""

from __future__ import annotations

import os
import signal
import tempfile
import time
import warnings

from moltheory.errors import InvalidInputError
from moltheory.evaluation import open_losses
from tests.malformed import _check


def _raise() -> None:
    raise OSError("no sentence")


def _say_two() -> None:
    raise InvalidInputError("`path` must be one sentence.\nAnd this is another.")


PLANTED = {
    "the library raised": _raise,
    "has characters that are not seen": _say_two,
    "ends the process with status -9": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "a hang of more than 1 s": lambda: time.sleep(30),
    "GB of memory": lambda: bytearray(b"0") * (12 * 10**8),
    "a file was left open": lambda: _KEPT.append(os.open(__file__, os.O_RDONLY)),
    "temporary files were left": lambda: tempfile.mkstemp(),
    "a warning: careless": lambda: warnings.warn("careless", RuntimeWarning, stacklevel=1),
}
_KEPT: list[int] = []


def plant(number: int) -> None:
    """Let the library do what it must not, whenever it opens a file."""
    _check.open_losses = lambda *args, **options: (list(PLANTED.values())[number](), open_losses(*args, **options))[1]
