"""Blocks on processes that another engine has started: what travels to them, and what they do with it.

An engine brings its own workers, on other machines too. So each of them first compares what decides the last bits of
sums with that of the process that asks: the same bits are promised on one kind of processor and one set of versions.
"""

from __future__ import annotations

import functools
import pickle
import socket
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._text import shortened
from moltheory.errors import WorkerError
from moltheory.runs._pool import Call, Packer
from moltheory.runs._versions import deciding, show_versions
from moltheory.runs._worker import RemoteTraceback, answer_of, unpacked

__all__ = ["Groups", "Sender", "answered", "computed"]

Bytes = npt.NDArray[np.uint8]

# What a group of short blocks should take, and the most blocks in one.
_GROUP_SECONDS = 0.5
_MOST = 500

# The limit on threads of linear algebra is one for the whole process: threads of a worker would lift it for each other.
_one_at_a_time = threading.Lock()


class Sender:
    """Makes arguments of `computed`; arrays that calls share are the same objects in all of them.

    Engines send such an object once (Dask scatters it, loky maps a file), and not with every call.
    """

    def __init__(self) -> None:
        self._packed = Packer()
        self._wanted = _deciding()
        self._arrays: dict[int, tuple[bytes, Bytes]] = {}

    def __call__(self, calls: Iterable[Call]) -> tuple[Mapping[str, str], bytes, list[tuple[int, bytes]], list[Bytes]]:
        """Return what a worker must agree with, the bytes of calls, and their large arrays: outsides, memory."""
        # In one go: what calls share, as a problem, is written once.
        content, named = self._packed(list(calls))
        distinct = dict.fromkeys(named)
        for number in distinct:
            if number not in self._arrays:
                self._arrays[number] = _outside_and_memory(self._packed.arrays[number])
        outsides = [(number, self._arrays[number][0]) for number in distinct]
        return self._wanted, content, outsides, [self._arrays[number][1] for number in distinct]


class Groups:
    """Decides how many blocks travel together: engines take milliseconds for each message, blocks often less."""

    def __init__(self) -> None:
        self._seconds: float | None = None

    def took(self, seconds: float, count: int) -> None:
        """Note what a group took."""
        mean = seconds / count
        self._seconds = mean if self._seconds is None else 0.5 * (self._seconds + mean)

    def size(self, waiting: int, workers: int) -> int:
        """Return how many blocks to send next; one at first, and toward the end few, so that all finish together."""
        if self._seconds is None:
            return 1
        of_time = _GROUP_SECONDS / max(self._seconds, _GROUP_SECONDS / _MOST)
        return max(1, min(int(of_time), waiting // (2 * max(workers, 1))))


def computed(
    wanted: Mapping[str, str], content: bytes, outsides: list[tuple[int, bytes]], *memory: Bytes
) -> tuple[float, list[bytes]]:
    """Return the seconds of a group of calls, and as bytes their results, what one raised, or why none is computed."""
    import cloudpickle  # type: ignore[import-untyped,unused-ignore]
    from joblib import parallel_config

    with _one_at_a_time:
        start = time.perf_counter()
        refusal = _refusal(wanted)
        if refusal is not None:
            return 0.0, [bytes(cloudpickle.dumps(("error", WorkerError(refusal), "")))]
        arrays = {
            # One buffer, or none of an array whose memory has gaps.
            number: pickle.loads(outside, buffers=[np.asarray(buffer).data])
            for (number, outside), buffer in zip(outsides, memory, strict=True)
        }
        for array in arrays.values():
            array.flags.writeable = False
        # Learners that ask joblib for processes must not send work to the engine from inside of it.
        with parallel_config(backend="sequential"):
            answers = _answers(content, arrays)
        return time.perf_counter() - start, answers


def _answers(content: bytes, arrays: dict[int, npt.NDArray[Any]]) -> list[bytes]:
    """Return the answers to a group of calls."""
    try:
        calls = unpacked(content, arrays)
    except Exception as error:
        # As where a module of the user's is not there.
        return [answer_of(functools.partial(_raise, error))]
    return [answer_of(functools.partial(function, *arguments)) for function, arguments in calls]


def _raise(error: Exception) -> None:
    raise error


def answered(content: bytes) -> Any:
    """Return the result in an answer of `computed`, or raise what it holds."""
    kind, result, text = unpacked(content, {})
    if kind == "error":
        raise result from (RemoteTraceback(text) if text else None)
    return result


def _outside_and_memory(array: npt.NDArray[Any]) -> tuple[bytes, Bytes]:
    """Return an array without its memory, and its memory as a plain row of bytes, in the order in which it lies."""
    buffers: list[pickle.PickleBuffer] = []
    outside = pickle.dumps(array, protocol=5, buffer_callback=buffers.append)
    return outside, np.frombuffer(buffers[0].raw() if buffers else b"", dtype=np.uint8)


def _refusal(wanted: Mapping[str, str]) -> str | None:
    """Return why this process must not compute for one with these versions, None if it may."""
    here = _deciding()
    differing = [name for name in {**wanted, **here} if wanted.get(name) != here.get(name)]
    if not differing:
        return None
    name = differing[0]
    theirs, ours = (shortened(found.get(name, "absent")) for found in (here, wanted))
    return (
        f"The workers of `n_jobs` must be like this process, to give the same bits, got one on {socket.gethostname()!r} "
        f"whose {name} is {theirs} and not {ours}: use machines of one kind with the same versions."
    )


@functools.cache
def _deciding() -> dict[str, str]:
    """Return what the last bits of a result depend on; found once for each process."""
    return deciding(show_versions())
