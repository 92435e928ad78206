"""A process that computes blocks for another one: takes a call, answers with its result, and ends with its parent.

Each worker has a connection of its own. So the parent notices the end of a worker at once, even if it dies in the
middle of an answer: nobody else holds that end open. Standard input is never written to; it ends when the parent does,
and with it the worker.
"""

from __future__ import annotations

import io
import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["BOOT", "IDLE_SECONDS", "READY", "RETIRED", "RemoteTraceback", "answer_of", "answer_to", "unpacked"]

IDLE_SECONDS = 300.0
"""How long a worker waits for the next run before it ends."""

READY = b"ready"
"""What a worker says first."""

RETIRED = 79
"""Exit status of a worker that has waited too long."""

# The paths come first: the working directory of a user is no place to import from.
BOOT = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from moltheory.runs._worker import serve; serve({})"
"""What a worker's interpreter runs, with the number of the connection's descriptor and the parent's paths."""


class RemoteTraceback(Exception):
    """Where in a worker an exception was raised, as text; the cause of the exception in the parent."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


class _Unpickler(pickle.Unpickler):
    """Reads a call in which large arrays are numbers, since they were sent before."""

    def __init__(self, content: bytes, arrays: dict[int, npt.NDArray[Any]]) -> None:
        super().__init__(io.BytesIO(content))
        self._arrays = arrays

    def persistent_load(self, pid: Any) -> npt.NDArray[Any]:
        """Return the array of that number."""
        return self._arrays[pid]


def unpacked(content: bytes, arrays: dict[int, npt.NDArray[Any]]) -> Any:
    """Return an object from its bytes; `arrays` holds those that the bytes name by number."""
    return _Unpickler(content, arrays).load()


def serve(descriptor: int) -> None:
    """Answer calls until the parent has no more, or there was none for `IDLE_SECONDS`; never returns."""
    # Ctrl-C reaches every process of a terminal; what becomes of this one is decided by its parent.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_parent, daemon=True).start()
    connection = Connection(descriptor)
    # A process that a call starts must not hold the connection open.
    os.set_inheritable(descriptor, False)
    os.register_at_fork(after_in_child=connection.close)
    arrays: dict[int, npt.NDArray[Any]] = {}
    status = RETIRED
    try:
        connection.send_bytes(READY)
        while connection.poll(IDLE_SECONDS):
            kind, number, content = connection.recv()
            if kind == "array":
                arrays[number] = pickle.loads(content, buffers=[connection.recv_bytes()])
                # Several calls share it.
                arrays[number].flags.writeable = False
            elif kind == "forget":
                arrays.clear()
            else:
                connection.send_bytes(answer_to(content, arrays))
    except (EOFError, OSError):
        # The parent has closed the connection, or is gone.
        status = 1
    # What other threads of a library wait for is of no use any more.
    os._exit(status)


def _end_with_parent() -> None:
    """Wait for the end of standard input, and end this process in the middle of whatever it does."""
    while os.read(0, 1):
        pass
    os._exit(1)


def answer_to(content: bytes, arrays: dict[int, npt.NDArray[np.generic]]) -> bytes:
    """Return the result of a call or what was raised, as bytes."""

    def call() -> Any:
        function, arguments = unpacked(content, arrays)
        return function(*arguments)

    return answer_of(call)


def answer_of(call: Callable[[], Any]) -> bytes:
    """Return what a function without arguments returns or raises, as bytes."""
    import cloudpickle  # type: ignore[import-untyped,unused-ignore]

    try:
        return bytes(cloudpickle.dumps(("result", call(), "")))
    except BaseException as error:
        text = traceback.format_exc()
        try:
            answer = bytes(cloudpickle.dumps(("error", error, text)))
            # Some exceptions cannot be made again from what they keep.
            pickle.loads(answer)
        except Exception:
            plain = RuntimeError(f"{type(error).__name__}: {error}")
            answer = bytes(cloudpickle.dumps(("error", plain, text)))
        return answer
