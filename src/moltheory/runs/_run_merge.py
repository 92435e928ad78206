"""Runs put together: the parts of one run that lie apart, or the replicates of several seeds.

Two cases are sound. Folders of the same run hold parts that are equal where both have them, so their union is that run.
Finished runs that agree in everything but the seed are independent replicates of one another, so their rows can stand
in one table. Runs of one seed that differ in anything else share random numbers, or answer different questions: they
are refused.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from moltheory.errors import InvalidInputError
from moltheory.runs._block_result import KEY, load_part, part_name, save_part
from moltheory.runs._places import Location, as_place
from moltheory.runs._record import RunRecord, read_record
from moltheory.runs._store import RunFolder, open_record

__all__ = ["MERGED_SEEDS", "merge_runs"]

MERGED_SEEDS = "merged seeds"
"""The parameter of a record that holds the seeds of several runs."""


def merge_runs(folders: Sequence[Location], *, into: Location) -> RunRecord:
    """Write the parts of several runs into a new run folder, and return its record.

    Parameters
    ----------
    folders : sequence of path or URL
        Two or more. Either all of the same run, finished or not: the result is that run, and the same call that began
        it finishes it. Or finished runs that differ in nothing but their seeds: the result holds their rows one after
        the other, in blocks ``0.KEY``, ``1.KEY`` and so on, and the seeds in its record under ``merged seeds``.
    into : path or URL
        New, empty, or that of the same merge, which goes on where it was interrupted.

    Returns
    -------
    RunRecord

    Raises
    ------
    InvalidInputError
        If the runs differ in more than their seeds, as in versions or the processor, two have the same seed and other
        blocks, a run of several seeds is not finished, a part is damaged, or `into` holds something else.
    OutputError
        If `into` cannot be written to.

    Notes
    -----
    To share a run among machines without a common folder, let machine k compute with
    ``numpy.random.SeedSequence(seed, spawn_key=(k,))`` and merge the folders: streams of different spawn keys are
    independent.

    Complexity: O(b) time for b bytes, each read and written once; the memory of the largest part.

    Examples
    --------
    >>> import tempfile
    >>> from moltheory.experiments import asymmetry
    >>> from moltheory.problems import two_coins
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for seed in (1, 2):
    ...         arguments = dict(sizes=[10], replicates=3, rng=seed, store=f"{folder}/{seed}")
    ...         table = asymmetry(two_coins(), **arguments)
    ...     record = merge_runs([f"{folder}/1", f"{folder}/2"], into=f"{folder}/both")
    ...     record.keys, len(record.columns()["size"])
    (('0.size-10-block-0', '1.size-10-block-0'), 6)
    """
    records = [read_record(folder, argument="folders") for folder in folders]
    if len(records) < 2:
        raise InvalidInputError(f"`folders` must be two at least, got {len(records)}.")
    place = as_place(into, argument="into")
    if any(str(record.folder) == str(place) for record in records):
        raise InvalidInputError(f"`into` must be another folder than those that are merged, got {str(place)!r}.")
    same = len({record.run for record in records}) == 1
    if same:
        wanted = replace(records[0], folder=place, seconds=None, checksums={})
        sources = [(key, [(record, key) for record in records]) for key in wanted.keys]
    else:
        wanted = _stacked(records, place)
        sources = [
            (_numbered(index, key), [(record, key)]) for index, record in enumerate(records) for key in record.keys
        ]
    store = RunFolder(place, open_record(place, wanted, argument="into")[0])
    seconds, checksums = 0.0, {}
    for key, origins in sources:
        found = _copied(store, key, origins)
        if found is not None:
            seconds, checksums[key] = seconds + found[0], found[1]
    if len(checksums) < len(wanted.keys):
        return store.record
    return store.close(seconds=seconds, checksums=checksums)


def _copied(store: RunFolder, key: str, origins: list[tuple[RunRecord, str]]) -> tuple[float, str] | None:
    """Copy a part; return its seconds and its checksum, or None if no run has it."""
    first, kept = None, store.load(key)
    for record, name in origins:
        part = load_part(record.folder, record.run, name, argument="folders")
        if part is None:
            if record.is_finished:
                path = str(record.folder / part_name(name))
                raise InvalidInputError(f"`folders` must hold every part of a finished run, got no {path!r}.")
            continue
        path = str(record.folder / part_name(name))
        if part.checksum != record.checksums.get(name, part.checksum):
            raise InvalidInputError(f"`folders` must hold the parts their records list, got another {path!r}.")
        if first is not None and part.checksum != first.checksum:
            raise InvalidInputError(f"`folders` of one run must hold equal parts, got another {path!r}.")
        first = first or part
    if kept is None and first is not None:
        kept = save_part(store.path, store.record.run, key, first.columns, seconds=first.seconds)
    return None if kept is None else (kept.seconds, kept.checksum)


def _stacked(records: Sequence[RunRecord], place: Any) -> RunRecord:
    """Return the record of runs of several seeds."""
    first = records[0]
    rest = _without_seed(first)
    seeds: set[str] = set()
    for record in records:
        other = _without_seed(record)
        differing = [name for name in {**rest, **other} if rest.get(name, "absent") != other.get(name, "absent")]
        if differing:
            raise InvalidInputError(
                f"`folders` must hold runs that differ in their seeds alone, got {str(record.folder)!r}, where "
                f"{differing[0]} is another than in {str(first.folder)!r}."
            )
        seed = json.dumps([record.entropy, list(record.spawn_key)])
        if seed in seeds:
            raise InvalidInputError(
                f"`folders` must hold runs of different seeds, got seed {seed} twice among others: leave one out."
            )
        seeds.add(seed)
        if not record.is_finished:
            raise InvalidInputError(
                f"`folders` of several seeds must hold finished runs, got {str(record.folder)!r}: finish it first."
            )
    keys = tuple(_numbered(index, key) for index, record in enumerate(records) for key in record.keys)
    if not all(KEY.fullmatch(key) for key in keys):
        raise InvalidInputError("`folders` must hold runs with shorter names of blocks.")
    merged = [{"entropy": record.entropy, "spawn_key": list(record.spawn_key)} for record in records]
    parameters = {**first.parameters, MERGED_SEEDS: merged}
    return replace(first, folder=place, parameters=parameters, keys=keys, seconds=None, checksums={})


def _without_seed(record: RunRecord) -> dict[str, Any]:
    return {name: value for name, value in record.identity.items() if name != "seed"}


def _numbered(index: int, key: str) -> str:
    return f"{index}.{key}"
