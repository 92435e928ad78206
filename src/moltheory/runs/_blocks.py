"""Running independent blocks of work, in this process or in several, with or without a run folder."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from moltheory._core._docs import document
from moltheory._core._validation import check_count, check_vector
from moltheory.errors import InvalidInputError
from moltheory.runs._backends import calls_on, chosen_backend
from moltheory.runs._block_result import Part, load_part, save_part
from moltheory.runs._places import Place
from moltheory.runs._pool import calls
from moltheory.runs._store import RunFolder

__all__ = ["block_lengths", "check_jobs", "run_blocks"]

_Result = TypeVar("_Result")
_Task = tuple[Callable[..., tuple[int, Any]], tuple[Any, ...]]

# Blocks are counted by work, so their number is not shown; the time left is.
_BAR = "{desc}: {percentage:3.0f}%|{bar}| [{elapsed}<{remaining}]"


def block_lengths(total: int, block: int) -> list[int]:
    """Cut `total` items into blocks of `block`, the last one shorter.

    Notes
    -----
    Complexity: O(B) time and memory for B blocks.

    Examples
    --------
    >>> block_lengths(10, 4)
    [4, 4, 2]
    """
    full, rest = divmod(check_count("total", total), check_count("block", block))
    return [block] * full + ([rest] if rest else [])


def check_jobs(n_jobs: int | None) -> int | None:
    """Return a number of processes: -1 for one per core, at least 1, or None for that of `joblib.parallel_config`.

    Raises
    ------
    InvalidInputError
        If it is none of these.
    """
    if n_jobs is None:
        return None
    if isinstance(n_jobs, bool) or not isinstance(n_jobs, int) or (n_jobs != -1 and n_jobs < 1):
        raise InvalidInputError(f"`n_jobs` must be -1 or >= 1, got {n_jobs!r}.")
    return n_jobs


@document
def run_blocks(
    function: Callable[..., _Result],
    arguments: Sequence[tuple[Any, ...]],
    *,
    n_jobs: int | None = None,
    progress: bool = False,
    description: str = "",
    weights: Sequence[float] | None = None,
    store: RunFolder | None = None,
) -> list[_Result]:
    """Call `function` once per tuple of arguments and return the results in their order.

    Parameters
    ----------
    function : callable
        Importable by name (it travels to other processes); its result must depend on its arguments alone.
    arguments : sequence of tuple
        One tuple per block; blocks are started in this order, or in a random one where a run goes on in its folder.
    {n_jobs}
    progress : bool, default False
        Show a bar with the time left on standard error; after a resume it starts where the run stopped, and the
        time left follows from what was computed since.
    description : str, default ""
        What the bar says.
    weights : sequence of float, optional
        Work of each block, > 0 in any unit, for the time left; equal by default.
    store : RunFolder, optional
        Where finished blocks are kept, one key per block; those that are there are not computed again. The results
        must be mappings of names to arrays, and come back as dicts.

    Returns
    -------
    list
        One result per block: the same bits for any `n_jobs`, with a store or without, resumed or not.

    Raises
    ------
    InvalidInputError
        If `n_jobs` is neither -1 nor positive, `weights` or `store` do not fit, or a stored part is damaged: this
        is found before any work starts, and the part is not recomputed silently.
    OutputError
        If a part cannot be written; the parts before it are kept.
    WorkerError
        If the process of a block ended five times, as when memory runs out, if a worker of a cluster has another kind
        of processor or other versions, or if the scheduler is lost; the parts that are finished are kept.

    Notes
    -----
    The process that computes a block writes it at once, so a kill loses the blocks that were being computed. A block
    whose process ends, for whatever reason, is computed again in another, from the third time on while no other is
    computed; processes end with the one that started them. Each block runs with one thread for linear algebra, whatever
    `n_jobs`: with another number of threads the last bits of a matrix product differ.

    Complexity: O(B) time and memory for B blocks, besides the calls and their results.

    Examples
    --------
    >>> run_blocks(divmod, [(7, 2), (9, 4)])
    [(3, 1), (2, 1)]
    """
    check_jobs(n_jobs)
    if weights is None:
        work = [1.0] * len(arguments)
    else:
        work = check_vector("weights", weights, length=len(arguments), low=0.0, strict=True).tolist()
    if store is None:
        tasks: list[_Task] = [(_numbered, (index, function, entry)) for index, entry in enumerate(arguments)]
        results: dict[int, _Result] = dict(_watched(_computed(tasks, n_jobs), work, 0.0, progress, description))
        return [results[index] for index in range(len(arguments))]
    if len(store.keys) != len(arguments):
        raise InvalidInputError(
            f"`store` must have one key for each of {len(arguments)} blocks, got {len(store.keys)}."
        )
    parts = {index: part for index, key in enumerate(store.keys) if (part := store.load(key)) is not None}
    tasks = [
        (_stored, (index, function, entry, store.path, store.record.run, store.keys[index]))
        for index, entry in enumerate(arguments)
        if index not in parts
    ]
    done = sum(work[index] for index in parts)
    parts.update(_watched(_computed(store.in_order(tasks), n_jobs), work, done, progress, description))
    store.finish({key: parts[index] for index, key in enumerate(store.keys)})
    columns: list[Any] = [parts[index].columns for index in range(len(arguments))]
    return columns


def _call(function: Callable[..., _Result], entry: tuple[Any, ...]) -> _Result:
    """Call with one thread for linear algebra: the last bits of a matrix product depend on their number."""
    with _thread_pools().limit(limits=1):
        return function(*entry)


@functools.cache
def _thread_pools() -> Any:
    """The thread pools of this process; found once, since the search takes longer than a small block."""
    import scipy.linalg  # noqa: F401  (brings linear algebra of its own, which must be there to be found)
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped,unused-ignore]

    return ThreadpoolController()


def _numbered(index: int, function: Callable[..., _Result], entry: tuple[Any, ...]) -> tuple[int, _Result]:
    return index, _call(function, entry)


def _stored(
    index: int, function: Callable[..., object], entry: tuple[Any, ...], folder: Place, run: str, key: str
) -> tuple[int, Part]:
    # Another process on the same folder may have been faster.
    part = load_part(folder, run, key, argument="store")
    if part is None:
        start = time.perf_counter()
        result = _call(function, entry)
        part = save_part(folder, run, key, result, seconds=time.perf_counter() - start)
    return index, part


def _computed(tasks: Sequence[_Task], n_jobs: int | None) -> Iterable[tuple[int, Any]]:
    """Results with their numbers, as they arrive."""
    if n_jobs != 1 and len(tasks) > 1:
        chosen = chosen_backend()
        if chosen is not None:
            backend, configured = chosen
            count = configured if n_jobs is None else n_jobs
            return calls_on(backend, tasks, count)
        if n_jobs is not None:
            return calls(tasks, n_jobs)
    return (function(*entry) for function, entry in tasks)


def _watched(
    results: Iterable[tuple[int, _Result]], work: Sequence[float], done: float, progress: bool, description: str
) -> Iterator[tuple[int, _Result]]:
    """Pass results on, with a bar if asked for."""
    if not progress:
        yield from results
        return
    from tqdm.auto import tqdm

    # smoothing=0: the rate is that of all work done in this call, so bursts of parallel results do not distort it.
    with tqdm(total=sum(work), initial=done, desc=description, smoothing=0, bar_format=_BAR) as bar:
        for index, result in results:
            bar.update(work[index])
            yield index, result
