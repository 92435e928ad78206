"""Running independent blocks of work, in this process or in several."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from moltheory._validation import check_count
from moltheory.errors import InvalidInputError

__all__ = ["block_lengths", "check_jobs", "run_blocks"]

_Result = TypeVar("_Result")


def block_lengths(total: int, block: int) -> list[int]:
    """Cut `total` items into blocks of `block`, the last one shorter.

    Examples
    --------
    >>> block_lengths(10, 4)
    [4, 4, 2]
    """
    full, rest = divmod(check_count("total", total), check_count("block", block))
    return [block] * full + ([rest] if rest else [])


def check_jobs(n_jobs: int) -> int:
    """Return a number of processes: -1 for one per core, or at least 1.

    Raises
    ------
    InvalidInputError
        If it is neither.
    """
    if isinstance(n_jobs, bool) or not isinstance(n_jobs, int) or (n_jobs != -1 and n_jobs < 1):
        raise InvalidInputError(f"`n_jobs` must be -1 or >= 1, got {n_jobs!r}.")
    return n_jobs


def run_blocks(
    function: Callable[..., _Result],
    arguments: Sequence[tuple[Any, ...]],
    *,
    n_jobs: int = 1,
    progress: bool = False,
    description: str = "",
) -> list[_Result]:
    """Call `function` once per tuple of arguments and return the results in their order.

    Parameters
    ----------
    function : callable
        Importable by name (it travels to other processes); its result must depend on its arguments alone.
    arguments : sequence of tuple
        One tuple per block.
    n_jobs : int, default 1
        Number of processes; -1 is one per core.
    progress : bool, default False
        Show a bar with the time left on standard error.
    description : str, default ""
        What the bar says.

    Returns
    -------
    list
        One result per block.

    Raises
    ------
    InvalidInputError
        If `n_jobs` is neither -1 nor positive.

    Examples
    --------
    >>> run_blocks(divmod, [(7, 2), (9, 4)])
    [(3, 1), (2, 1)]
    """
    check_jobs(n_jobs)
    results: Iterator[_Result]
    if n_jobs == 1 or len(arguments) == 1:
        results = (function(*entry) for entry in arguments)
    else:
        from joblib import Parallel, delayed

        results = Parallel(n_jobs=n_jobs, return_as="generator")(delayed(function)(*entry) for entry in arguments)
    if progress:
        from tqdm.auto import tqdm

        results = iter(tqdm(results, total=len(arguments), desc=description, unit="block"))
    return list(results)
