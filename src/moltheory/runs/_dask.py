"""Calls on the workers of a Dask cluster: Dask computes what a lost worker held again, and says what it gives up."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from moltheory.errors import WorkerError
from moltheory.runs._pool import ALONE, MOST_ENDS, Call, ended
from moltheory.runs._remote import Groups, Sender, answered, computed

__all__ = ["calls_on_dask"]

# Blocks handed to the scheduler for each core: one is computed, and the next one is there when it is through.
_AHEAD = 2
# The cluster may grow and shrink; it is asked again after so many seconds.
_LOOK = 2.0
# Seconds to wait for a worker, as often as a block may lose its own.
_PATIENCE, _SHORT = 20.0, 2.0
# Seconds in which the result of a group, which took half of one, must arrive once it is there.
_FETCH = 40.0
# Dask tries a block whose worker ends three more times before it gives it up.
_ENDS_OF_KILLED = 4


def calls_on_dask(tasks: Sequence[Call], client: Any, n_jobs: int) -> Iterator[Any]:
    """Yield the results of calls in the order in which they arrive; as `calls_on`."""
    cluster = _Cluster(client, n_jobs)
    waiting, ends = deque(range(len(tasks))), Counter[int]()
    groups = Groups()
    running: dict[Any, list[int]] = {}
    lost: set[int] = set()
    try:
        while waiting or running:
            while waiting and len(running) < cluster.most():
                # A block that ends processes again and again is computed while nothing else is.
                alone = ends[waiting[0]] >= ALONE
                if running and (alone or any(ends[index] >= ALONE for group in running.values() for index in group)):
                    break
                group = [waiting.popleft()]
                size = 1 if alone else groups.size(len(waiting), cluster.most())
                while len(group) < size and ends[waiting[0]] < ALONE:
                    group.append(waiting.popleft())
                # Arrays that are sent along cannot be lost with a worker.
                along = any(index in lost for index in group)
                running[cluster.submit([tasks[index] for index in group], along=along)] = group
            future, status, found = cluster.next_answer()
            group = running.pop(future)
            if status == "finished":
                future.release()
                seconds, answers = found
                groups.took(seconds, len(group))
                for content in answers:
                    yield answered(content)
                continue
            ended_now = cluster.ends_of(status, found)
            lost.update(group)
            for index in group:
                ends[index] += ended_now
                if ends[index] >= MOST_ENDS:
                    raise ended(index, len(tasks), "lost by Dask")
                (waiting.append if ends[index] >= ALONE else waiting.appendleft)(index)
    finally:
        # What is being computed is finished, and kept where there is a store; the rest is not started.
        cluster.forget(list(running))


class _Cluster:
    """A client, and the arrays that its workers hold."""

    def __init__(self, client: Any, n_jobs: int) -> None:
        from distributed import as_completed

        self._client, self._n_jobs = client, n_jobs
        self._send = Sender()
        self._held: dict[int, Any] = {}
        self._answers: Any = as_completed(loop=client.loop)  # type: ignore[no-untyped-call,unused-ignore]
        self._cores, self._looked = 0, -_LOOK

    def most(self) -> int:
        """Return how many calls the scheduler may hold now."""
        if self._n_jobs > 0:
            return self._n_jobs
        if time.monotonic() - self._looked >= _LOOK:
            with self._connected():
                self._cores = sum(self._client.ncores().values())
            self._looked = time.monotonic()
        return _AHEAD * max(self._cores, 1)

    def submit(self, calls: Iterable[Call], *, along: bool) -> Any:
        """Return the future of a group of calls; large arrays are sent along, or to all workers before."""
        wanted, content, outsides, memory = self._send(calls)
        with self._connected(), warnings.catch_warnings():
            # That sending arrays along with a task is slow.
            warnings.simplefilter("ignore", UserWarning)
            held = zip(outsides, memory, strict=True)
            arrays = memory if along else [self._scattered(number, array) for (number, _), array in held]
            future = self._client.submit(computed, wanted, content, outsides, *arrays, pure=False)
        self._answers.add(future)
        return future

    def next_answer(self) -> tuple[Any, str, Any]:
        """Wait for a future that is through; return it with its status, and its result or what is in its place."""
        future = next(self._answers)
        status = str(future.status)
        try:
            if status == "error":
                return future, status, future.exception()
            # Some versions of Dask wait for ever for a result that was lost together with an array that it needs.
            return future, status, future.result(timeout=_FETCH)
        except Exception as error:
            future.cancel()
            return future, "cancelled", error

    def ends_of(self, status: str, error: Any) -> int:
        """Return how many processes ended because of a call without an answer, as far as Dask can tell."""
        from distributed import KilledWorker

        if status == "error":
            if isinstance(error, KilledWorker):
                return _ENDS_OF_KILLED
            text = str(error).partition("\n")[0]
            raise WorkerError(
                f"The workers of a cluster must be able to compute blocks, got {type(error).__name__} ({text}): install "
                "the same versions of moltheory and its dependencies there."
            ) from error
        # Cancelled: with the connection to the scheduler, or with an array that only a lost worker held.
        if self._client.status != "running" or "scheduler-connection-lost" in str(error):
            raise self._lost()
        self._held.clear()
        return 0

    def forget(self, futures: Sequence[Any]) -> None:
        """Take back what is not computed yet, and let go of the arrays."""
        self._answers.clear()
        self._held.clear()
        if futures and self._client.status == "running":
            with contextlib.suppress(OSError, RuntimeError):
                self._client.cancel(list(futures), force=True)

    def _scattered(self, number: int, array: Any) -> Any:
        """Return a large array on all workers: so the end of one does not lose it."""
        found: Exception | None = None
        for _ in range(MOST_ENDS):
            if number in self._held:
                break
            try:
                # Those that ended a moment ago are being started again, and may end while they receive it.
                self._client.wait_for_workers(1, timeout=_PATIENCE)
                self._held[number] = self._client.scatter(array, broadcast=True, hash=False, timeout=_SHORT)
            except Exception as error:
                if self._client.status != "running":
                    raise self._lost() from error
                found = error
        else:
            raise WorkerError(
                "A cluster must have workers that can hold the arrays of a run, got "
                f"{type(found).__name__} {MOST_ENDS} times: start workers, set a minimum of 1 where it adapts, or give them "
                "more memory."
            ) from found
        return self._held[number]

    @contextlib.contextmanager
    def _connected(self) -> Iterator[None]:
        try:
            yield
        except WorkerError:
            raise
        except (OSError, RuntimeError) as error:
            raise self._lost() from error

    def _lost(self) -> WorkerError:
        place = getattr(self._client.scheduler, "address", "unknown")
        return WorkerError(
            f"The scheduler of a cluster must live until the end of the run, but the one at {place} does not answer: "
            "start a cluster and run it again; blocks in a `store` are kept."
        )
