"""Calls on the backend that the user has chosen by `joblib.parallel_config`: loky, Dask, Ray, one of their own."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from typing import Any

from moltheory.errors import InvalidInputError
from moltheory.runs._dask import calls_on_dask
from moltheory.runs._pool import ALONE, MOST_ENDS, Call, ended, n_cores
from moltheory.runs._remote import Groups, Sender, answered, computed

__all__ = ["calls_on", "chosen_backend", "processes_here"]

# Blocks for each process in a round of a backend that gives results all together, as Ray's does.
_ROUND = 8


def chosen_backend() -> tuple[Any, int] | None:
    """Return the backend of other processes chosen by `joblib.parallel_config`, and its number; None without one.

    Raises
    ------
    InvalidInputError
        If it is that of multiprocessing, which waits for ever after the end of a process.
    """
    from joblib.parallel import get_active_backend

    # A hint has no effect on a choice; without a choice it gives threads, and these never compute blocks.
    backend, n_jobs = get_active_backend(prefer="threads")
    if getattr(backend, "supports_sharedmem", False):
        return None
    if type(backend).__name__ == "MultiprocessingBackend":
        raise InvalidInputError(
            "`joblib.parallel_config` must choose a backend that notices the end of a process, got 'multiprocessing': "
            "use 'loky', 'dask' or 'ray', or none for processes of this machine."
        )
    return backend, -1 if n_jobs is None else int(n_jobs)


def processes_here(n_jobs: int | None) -> int:
    """Return how many processes of this machine compute blocks; 0 if those of a cluster do."""
    chosen = None if n_jobs == 1 else chosen_backend()
    if chosen is None:
        return n_cores() if n_jobs == -1 else n_jobs or 1
    backend, configured = chosen
    if type(backend).__name__ != "LokyBackend":
        return 0
    return int(backend.effective_n_jobs(configured if n_jobs is None else n_jobs))


def calls_on(backend: Any, tasks: Sequence[Call], n_jobs: int) -> Iterator[Any]:
    """Yield the results of calls in the order in which they arrive, each computed by a worker of a joblib backend.

    Parameters
    ----------
    backend : joblib.parallel.ParallelBackendBase
        The active one.
    tasks : sequence of (callable, tuple)
        Started in this order.
    n_jobs : int
        How many at a time, in joblib's way of counting.

    Raises
    ------
    WorkerError
        If the processes of a call ended `MOST_ENDS` times, or a worker is of another kind than this process.
    Exception
        What a call raises, with the traceback of its process as the cause.
    """
    client = getattr(backend, "client", None)
    # joblib waits for ever for a block that Dask has given up.
    return _calls_on_joblib(backend, tasks, n_jobs) if client is None else calls_on_dask(tasks, client, n_jobs)


class _NotSentError(Exception):
    """Calls cannot be made bytes of: no other process would help."""


def _calls_on_joblib(backend: Any, tasks: Sequence[Call], n_jobs: int) -> Iterator[Any]:
    """Rounds of `joblib.Parallel`: the end of a process ends a round, and what is missing is computed in the next."""
    import joblib

    streams = getattr(backend, "supports_return_generator", False)
    return_as = "generator_unordered" if streams else "list"
    workers = backend.effective_n_jobs(n_jobs)
    send, groups, ends = Sender(), Groups(), Counter[int]()
    waiting = dict.fromkeys(range(len(tasks)))
    while waiting:
        # A block that ends processes again and again must not keep the others back.
        together = [index for index in waiting if ends[index] < ALONE] or [next(iter(waiting))]
        if not streams:
            together = together[: _ROUND * workers * groups.size(len(together), workers)]
        started: list[int] = []
        run = joblib.Parallel(n_jobs=n_jobs, batch_size=1, return_as=return_as)
        answers = _answers(run, _stream(tasks, together, send, started, groups, workers))
        how = None
        try:
            while True:
                try:
                    group, seconds, contents = next(answers)
                except StopIteration:
                    break
                except _NotSentError as error:
                    raise error.args[0] from None
                except Exception as error:
                    how = type(error).__name__
                    break
                groups.took(seconds, len(group))
                for index in group:
                    del waiting[index]
                for content in contents:
                    yield answered(content)
        finally:
            with warnings.catch_warnings():
                # That it has cancelled the rest is what was asked for.
                warnings.simplefilter("ignore", UserWarning)
                answers.close()
        if how is not None:
            # Which of these it was is not known.
            for index in started:
                if index in waiting:
                    ends[index] += 1
                    if ends[index] == MOST_ENDS:
                        raise ended(index, len(tasks), how)


def _answers(run: Any, stream: Iterator[Any]) -> Generator[tuple[list[int], float, list[bytes]], None, None]:
    """Results of a round; what the engine raises is raised here, when the first one is asked for."""
    yield from run(stream)


def _stream(
    tasks: Sequence[Call], together: Sequence[int], send: Sender, started: list[int], groups: Groups, workers: int
) -> Iterator[Any]:
    """Groups of blocks, made when the engine asks for the next one."""
    import joblib

    while (first := len(started)) < len(together):
        group = list(together[first : first + groups.size(len(together) - first, workers)])
        started += group
        try:
            wanted, content, outsides, memory = send([tasks[index] for index in group])
        except Exception as error:
            raise _NotSentError(error) from error
        yield joblib.delayed(_numbered)(group, wanted, content, outsides, *memory)


def _numbered(group: list[int], *parcel: Any) -> tuple[list[int], float, list[bytes]]:
    return group, *computed(*parcel)
