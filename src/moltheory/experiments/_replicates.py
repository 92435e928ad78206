"""Replicated simulations over sample sizes: cut into blocks with streams of their own, stored, put together by size."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import check_count
from moltheory.errors import InvalidInputError
from moltheory.problems import Problem
from moltheory.problems._base import SampleSize
from moltheory.runs import (
    RandomSource,
    RunFolder,
    as_seed_sequence,
    block_lengths,
    check_jobs,
    check_memory,
    check_recordable,
    fingerprint,
    run_blocks,
)

__all__ = ["Columns", "check_problem", "check_sizes", "check_sizes_or_tuples", "computed_once", "run_sizes"]

Columns = dict[str, npt.NDArray[np.generic]]
_Result = TypeVar("_Result")


def run_sizes(
    function: Callable[..., Columns],
    problem: Problem,
    arguments: tuple[Any, ...],
    *,
    experiment: str,
    parameters: Mapping[str, Any],
    sizes: Sequence[SampleSize],
    replicates: int,
    block: int,
    row_bytes: float,
    block_bytes: float,
    rng: RandomSource,
    n_jobs: int | None = None,
    store: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> list[Columns]:
    """Call ``function(problem, size, number, length, root, *arguments)`` for every block of replicates of every size.

    `function` is importable by name; `number` counts the blocks of a size, and `root` is the seed from which it makes
    its stream. `experiment` names the run in its record, and `parameters` is what else identifies it, fit for JSON. A
    `block` has a fixed number of replicates, so that streams do not depend on the number of processes; the columns of a
    replicate take `row_bytes`, and a block takes `block_bytes` at most while it is computed. The rest is as in
    `asymmetry`. Returns the columns of every size, all blocks joined.
    """
    check_jobs(n_jobs)
    check_memory(len(sizes) * replicates, row_bytes=row_bytes, block_bytes=block_bytes, n_jobs=n_jobs)
    root = as_seed_sequence(rng) if store is None else check_recordable(rng)
    lengths = block_lengths(replicates, block)
    # Sizes alternate, so that the estimate of the time left does not depend on how the work grows with the size.
    order = [(size, number) for number in range(len(lengths)) for size in sizes]
    folder = None
    if store is not None:
        identity = {
            "experiment": experiment,
            "problem": problem.name,
            "digest of the problem": fingerprint(problem),
            "sizes": [size if isinstance(size, int) else list(size) for size in sizes],
            "replicates": replicates,
            **parameters,
            "block": block,
        }
        keys = [f"size-{_label(size)}-block-{number}" for size, number in order]
        folder = RunFolder.open(store, parameters=identity, rng=root, keys=keys)
    parts = run_blocks(
        function,
        [(problem, size, number, lengths[number], root, *arguments) for size, number in order],
        n_jobs=n_jobs,
        progress=progress,
        description=problem.name,
        weights=[lengths[number] for _, number in order],
        store=folder,
    )
    found = []
    for i in range(len(sizes)):
        mine = parts[i :: len(sizes)]
        found.append({name: np.concatenate([part[name] for part in mine]) for name in mine[0]})
    return found


def _label(size: SampleSize) -> str:
    return str(size) if isinstance(size, int) else "x".join(map(str, size))


def computed_once(function: Callable[..., _Result], *arguments: Any) -> _Result:
    """Return ``function(*arguments)`` for use in all blocks, with the bits that it would have inside a block."""
    return run_blocks(function, [arguments])[0]


def check_problem(problem: object, *kinds: type) -> None:
    """Refuse what is not a problem of one of these kinds."""
    if not isinstance(problem, kinds):
        named = " or ".join(kind.__name__ for kind in kinds)
        raise InvalidInputError(f"`problem` must be a {named} (see moltheory.problems), got {type(problem).__name__}.")


def check_sizes(sizes: Iterable[int]) -> list[int]:
    """Return sample sizes as a list of distinct positive ints."""
    chosen = []
    for size in _listed(sizes):
        try:
            chosen.append(check_count("sizes", size))
        except InvalidInputError:
            found = repr(size) if isinstance(size, str) else str(size)
            raise InvalidInputError(f"`sizes` must hold integers >= 1, got {found}.") from None
    return _distinct(chosen)


def check_sizes_or_tuples(sizes: Iterable[SampleSize], n_objectives: int) -> list[SampleSize]:
    """Return distinct sample sizes: positive ints, or tuples with one for each objective."""
    chosen: list[SampleSize] = []
    for size in _listed(sizes):
        entries = size if isinstance(size, tuple | list) else (size,)
        if len(entries) != n_objectives and isinstance(size, tuple | list):
            raise InvalidInputError(
                f"`sizes` must hold integers, or tuples with one entry for each of {n_objectives} objectives, got {size!r}."
            )
        counts = tuple(check_sizes([entry])[0] for entry in entries)
        chosen.append(counts if isinstance(size, tuple | list) else counts[0])
    return _distinct(chosen)


def _listed(sizes: Iterable[Any]) -> list[Any]:
    try:
        return list(sizes)
    except TypeError:
        raise InvalidInputError(f"`sizes` must be an iterable of integers, got {sizes!r}.") from None


def _distinct(chosen: list[_Result]) -> list[_Result]:
    if not chosen or len(set(chosen)) != len(chosen):
        raise InvalidInputError(f"`sizes` must be distinct and not empty, got {chosen}.")
    return chosen
