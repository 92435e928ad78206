"""Calls on several processes that survive the end of any of them: what was lost is computed again, or refused.

The queues that pools of processes share have a weakness: a worker killed while it writes to one leaves a part of a
message, and the parent waits for the rest for ever, since the other workers hold the queue open. Here each worker has a
connection of its own, so its end is the end of the connection.
"""

from __future__ import annotations

import atexit
import contextlib
import io
import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import weakref
from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory.errors import WorkerError
from moltheory.runs._worker import BOOT, READY, RETIRED, RemoteTraceback, unpacked

__all__ = ["ALONE", "MOST_ENDS", "Call", "Packer", "calls", "ended", "n_cores"]

Call = tuple[Callable[..., Any], tuple[Any, ...]]

MOST_ENDS = 5
"""Processes that may end while they compute a call, before it is given up."""

ALONE = 2
"""From that many ended processes on a call is computed alone: it may need all memory there is."""

# Arrays from this size on are sent once to each worker, and not with every call.
_LARGE = 1 << 20
# One thread per worker for whatever is not limited in the call itself: there is one worker per core already.
_THREADS = ("OMP", "OPENBLAS", "MKL", "BLIS", "VECLIB_MAXIMUM", "NUMBA", "NUMEXPR")


def n_cores() -> int:
    """Return how many cores this process may use, in a container too."""
    from joblib import cpu_count

    return int(cpu_count())


def calls(tasks: Sequence[Call], n_jobs: int) -> Iterator[Any]:
    """Yield the results of calls in the order in which they arrive, each computed in one of `n_jobs` processes.

    Parameters
    ----------
    tasks : sequence of (callable, tuple)
        Started in this order.
    n_jobs : int
        Number of processes, or -1 for one per core.

    Raises
    ------
    WorkerError
        If the process of a call ended `MOST_ENDS` times, as when memory runs out. From the third time on it is computed
        alone, after all others.
    Exception
        What a call raises, with the traceback of its process as the cause.

    Notes
    -----
    Processes wait for the next calls afterwards, if all calls were answered; the others are ended. They are used again
    where the working directory, the environment and the paths of imports are the same.
    """
    count = min(n_cores() if n_jobs == -1 else n_jobs, len(tasks))
    waiting = deque(range(len(tasks)))
    ends: Counter[int] = Counter()
    failures = 0
    free = _waiting_workers(count, here := _surroundings())
    starting: dict[Any, _Worker] = {}
    busy: dict[Any, tuple[_Worker, int]] = {}
    packed = Packer()
    try:
        while waiting or busy:
            while free and waiting and not (busy and any(ends[i] >= ALONE for i in (waiting[0], *_indices(busy)))):
                worker, index = free.pop(), waiting.popleft()
                busy[worker.connection] = worker, index
                worker.send(tasks[index], packed)
            while len(free) + len(starting) + len(busy) < min(count, len(waiting) + len(busy)):
                worker = _Worker(here)
                starting[worker.connection] = worker
            for ready in wait([*busy, *starting]):
                if ready in starting:
                    worker = starting.pop(ready)
                    if worker.is_ready():
                        free.append(worker)
                        continue
                    how = worker.end()
                    failures += 1
                    if failures == MOST_ENDS:
                        raise WorkerError(
                            f"`n_jobs` processes must be started, but {MOST_ENDS} ended at once ({how}): use a smaller "
                            "`n_jobs` or more memory."
                        )
                    continue
                worker, index = busy.pop(ready)
                answer = worker.answer()
                if answer is not None:
                    failures = 0
                    free.append(worker)
                    kind, result, text = answer
                    if kind == "error":
                        raise result from RemoteTraceback(text)
                    yield result
                    continue
                how = worker.end()
                # One that had waited too long retired before it saw the call.
                ends[index] += how is not None
                if ends[index] == MOST_ENDS:
                    raise ended(index, len(tasks), str(how))
                # A block that ends processes again and again must not keep the others back.
                (waiting.append if ends[index] >= ALONE else waiting.appendleft)(index)
    finally:
        for worker in (*starting.values(), *(worker for worker, _ in busy.values())):
            worker.kill()
        _keep(free)


def ended(index: int, count: int, how: str) -> WorkerError:
    """Return the refusal of a call whose processes ended too often."""
    return WorkerError(
        f"The process of a block must live until its end, but of block {index + 1} of {count} {MOST_ENDS} ended ({how}): "
        "use a smaller `n_jobs`, smaller blocks or more memory."
    )


def _indices(busy: dict[Any, tuple[_Worker, int]]) -> list[int]:
    """Return which calls are being computed."""
    return [index for _, index in busy.values()]


class Packer:
    """Makes bytes of calls; the large arrays of the first one become numbers, each sent once to a worker."""

    def __init__(self) -> None:
        # Kept for as long as the run, so that no other array takes the place of one.
        self.arrays: dict[int, npt.NDArray[Any]] = {}
        self._is_first = True

    def __call__(self, call: Call | Sequence[Call]) -> tuple[bytes, list[int]]:
        """Return the bytes of a call or of several, and the numbers of the arrays in it."""
        import cloudpickle  # type: ignore[import-untyped,unused-ignore]

        named: list[int] = []

        class Pickler(cloudpickle.Pickler):  # type: ignore[misc,unused-ignore]
            def persistent_id(pickler, obj: Any) -> int | None:
                if type(obj) is not np.ndarray or obj.nbytes < _LARGE or obj.dtype.hasobject:
                    return None
                # What calls share is in the first; what is made while one is pickled must not be kept for each.
                if self._is_first:
                    self.arrays[id(obj)] = obj
                elif self.arrays.get(id(obj)) is not obj:
                    return None
                named.append(id(obj))
                return id(obj)

        content = io.BytesIO()
        Pickler(content).dump(call)
        self._is_first = False
        return content.getvalue(), named


class _Worker:
    """A process, its connection, and the arrays it holds."""

    def __init__(self, surroundings: Hashable) -> None:
        ours, theirs = socket.socketpair()
        environment = {f"{name}_NUM_THREADS": "1" for name in _THREADS} | dict(os.environ)
        flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
        try:
            # Blocked from its first instruction on: an interrupt while it starts would print a traceback.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                self._process = subprocess.Popen(
                    [sys.executable, *flags, "-P", "-c", BOOT.format(theirs.fileno()), json.dumps(sys.path)],
                    stdin=subprocess.PIPE,
                    pass_fds=(theirs.fileno(),),
                    env=environment,
                )
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
        except OSError as error:
            ours.close()
            raise WorkerError(
                f"`n_jobs` processes must be started, got {error.strerror or error}: use a smaller `n_jobs`."
            ) from None
        finally:
            theirs.close()
        self.connection = Connection(ours.detach())
        self.surroundings = surroundings
        self._held: set[int] = set()
        _all.add(self)

    def send(self, call: Call, packed: Packer) -> None:
        """Send a call; a worker that is gone is met when its answer is read."""
        content, named = packed(call)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for number in named:
                if number not in self._held:
                    buffers: list[pickle.PickleBuffer] = []
                    outside = pickle.dumps(packed.arrays[number], protocol=5, buffer_callback=buffers.append)
                    self.connection.send(("array", number, outside))
                    # One buffer, of the memory order of the array; none of an array whose memory has gaps.
                    self.connection.send_bytes(buffers[0].raw() if buffers else b"")
                    self._held.add(number)
            self.connection.send(("call", 0, content))

    def is_ready(self) -> bool:
        """Whether the process has started, rather than ended."""
        try:
            return self.connection.recv_bytes() == READY
        except (EOFError, OSError):
            return False

    def answer(self) -> tuple[str, Any, str] | None:
        """Return what the worker answers, or None if it has ended."""
        try:
            content = self.connection.recv_bytes()
        except (EOFError, OSError):
            return None
        answer: tuple[str, Any, str] = unpacked(content, {})
        return answer

    def forget(self) -> None:
        """Let go of the arrays of a run."""
        if self._held:
            self._held.clear()
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.connection.send(("forget", 0, b""))

    def end(self) -> str | None:
        """Return how a process without connection ended; None if it had waited too long for a call."""
        self.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            # One that died a moment ago may not be known to be dead yet.
            self._process.wait(timeout=10.0)
        self._process.kill()
        status = self._process.wait()
        if status == RETIRED:
            return None
        return signal.Signals(-status).name if status < 0 else f"exit status {status}"

    def kill(self) -> None:
        """End the process in the middle of a call."""
        self._process.kill()
        self.close()
        self._process.wait()

    def close(self) -> None:
        """Close what connects the process with this one, upon which it ends."""
        self.connection.close()
        if self._process.stdin is not None:
            self._process.stdin.close()

    @property
    def is_alive(self) -> bool:
        """Whether the process has not ended yet."""
        return self._process.poll() is None


_all: weakref.WeakSet[_Worker] = weakref.WeakSet()
_idle: list[_Worker] = []
_lock = threading.Lock()


def _surroundings() -> Hashable:
    """Return what a worker takes over from this process when it starts."""
    try:
        folder = os.getcwd()
    except OSError:
        folder = ""
    return folder, tuple(sys.path), tuple(sorted(os.environ.items()))


def _waiting_workers(count: int, surroundings: Hashable) -> list[_Worker]:
    """Return at most `count` waiting workers of the same surroundings; the others are of no use any more."""
    with _lock:
        fitting = [worker for worker in _idle if worker.surroundings == surroundings and worker.is_alive]
        others = [worker for worker in _idle if worker not in fitting]
        _idle[:] = fitting[count:]
    for worker in others:
        worker.kill()
    return fitting[:count]


def _keep(workers: Sequence[_Worker]) -> None:
    """Let workers wait for the next run."""
    for worker in workers:
        worker.forget()
    with _lock:
        _idle.extend(workers)


def _end_all() -> None:
    """End the waiting workers."""
    with _lock:
        workers, _idle[:] = list(_idle), []
    for worker in workers:
        worker.kill()


def _leave_to_parent() -> None:
    """In a fork: the workers are those of the process that it came from, and must see its end."""
    global _lock
    _lock = threading.Lock()
    for worker in list(_all):
        worker.close()
    _all.clear()
    _idle.clear()


atexit.register(_end_all)
os.register_at_fork(after_in_child=_leave_to_parent)
