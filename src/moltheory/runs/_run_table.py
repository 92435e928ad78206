"""The runs below a place, as a table; nothing but their records is read."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moltheory._core._text import few
from moltheory.errors import InvalidInputError, OutputError
from moltheory.runs._block_result import part_name
from moltheory.runs._places import Location, Place, as_place
from moltheory.runs._record import RECORD_NAME, RunRecord, read_record
from moltheory.runs._remedies import reason_of, refusal
from moltheory.runs._run_merge import MERGED_SEEDS
from moltheory.runs._versions import Versions, show_versions

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FoundRun", "found_runs", "list_runs", "run_names"]

_COLUMNS = ("place", "name", "problem", "seed", "blocks", "of", "state", "seconds", "bytes", "versions")


@dataclass(frozen=True)
class FoundRun:
    """A run, its files with their sizes and times of change, and its record, or why there is none."""

    place: Place
    files: dict[str, tuple[int, float | None]]
    record: RunRecord | None
    refusal: str = ""


def found_runs(place: Location) -> Iterator[FoundRun]:
    """Yield the runs in a folder and below it, in the order of their names; other folders are passed over.

    Raises
    ------
    InvalidInputError
        If there is no such folder.
    OutputError
        If it cannot be read.
    """
    top = as_place(place, argument="place")
    for folder, files in _local(top) if isinstance(top, Path) else _remote(top):
        if RECORD_NAME not in files:
            continue
        try:
            yield FoundRun(folder, files, read_record(folder))
        except InvalidInputError as error:
            # Reports have records of another kind, and no parts.
            if any(name.startswith("part-") and name.endswith(".npz") for name in files):
                yield FoundRun(folder, files, None, str(error))


def _local(top: Path) -> Iterator[tuple[Path, dict[str, tuple[int, float | None]]]]:
    def refuse(error: OSError) -> None:
        if error.filename == str(top):
            rule = f"`place` must be a folder that can be read, got {str(top)!r}"
            if isinstance(error, FileNotFoundError | NotADirectoryError):
                raise InvalidInputError(f"{rule} ({reason_of(error)}): use one that exists.")
            raise OutputError(refusal(rule, error, otherwise="use another folder"))

    for folder, inner, names in os.walk(top, onerror=refuse):
        inner.sort()
        if RECORD_NAME in names:
            yield Path(folder), _sizes(folder, names)


def _sizes(folder: str, names: list[str]) -> dict[str, tuple[int, float | None]]:
    found: dict[str, tuple[int, float | None]] = {}
    for name in sorted(names):
        try:
            status = os.lstat(os.path.join(folder, name))
        except OSError:
            # Gone since it was listed.
            continue
        found[name] = status.st_size, status.st_mtime
    return found


def _remote(top: Any) -> Iterator[tuple[Place, dict[str, tuple[int, float | None]]]]:
    try:
        entries = top.entries(below=True)
    except OSError as error:
        rule = f"`place` must be a place that can be read, got {str(top)!r}"
        raise OutputError(refusal(rule, error, otherwise="check the connection and the credentials")) from None
    folders: dict[str, dict[str, tuple[int, float | None]]] = {}
    for path, facts in sorted(entries.items()):
        folder, _, name = path.rpartition("/")
        folders.setdefault(folder, {})[name] = facts
    for folder, files in sorted(folders.items()):
        yield (top / folder if folder else top), files


def run_names(record: RunRecord) -> tuple[str, str]:
    """Return what a run computes, and of which problem; empty where it does not say."""
    parameters = record.parameters
    name = next((parameters[key] for key in ("experiment", "study") if isinstance(parameters.get(key), str)), "")
    problem = parameters.get("problem", parameters.get("data", ""))
    return str(name), problem if isinstance(problem, str) else ""


def list_runs(place: Location = ".") -> pd.DataFrame:
    """Return the runs in a folder or in object storage, one per row.

    Parameters
    ----------
    place : path or URL, default "."
        A run folder, or one with run folders at any depth.

    Returns
    -------
    pandas.DataFrame
        ``place``; ``name``, what is computed, and ``problem``; ``seed``, with its spawn key if it has one, or how
        many are merged; ``blocks``
        that are there ``of`` all; ``state``: finished, unfinished, parts missing (of a finished run) or damaged (no
        record that can be read); ``seconds`` of computing, once finished; ``bytes`` of its files; ``versions``: "as here"
        if it can be resumed in this environment, otherwise what differs.

    Raises
    ------
    InvalidInputError
        If there is no such folder.
    OutputError
        If it cannot be read.

    Notes
    -----
    Parts are counted by their names and not read: `check_run` reads them.

    Complexity: O(f) time and memory for f files, besides one record per run.

    Examples
    --------
    >>> import tempfile
    >>> from moltheory.runs import RunFolder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = RunFolder.open(folder + "/a", parameters={"experiment": "squares"}, rng=7, keys=["x", "y"])
    ...     list_runs(folder)[["name", "seed", "blocks", "of", "state"]]
          name seed  blocks  of       state
    0  squares    7       0   2  unfinished
    """
    import pandas as pd

    here = show_versions()
    return pd.DataFrame([_row(run, here) for run in found_runs(place)], columns=list(_COLUMNS))


def _row(run: FoundRun, here: Versions) -> dict[str, Any]:
    record, size = run.record, sum(size for size, _ in run.files.values())
    if record is None:
        empty = dict.fromkeys(_COLUMNS, "") | {"blocks": 0, "of": 0, "seconds": math.nan}
        return empty | {"place": str(run.place), "state": "damaged", "bytes": size}
    name, problem = run_names(record)
    there = sum(part_name(key) in run.files for key in record.keys)
    whole = "finished" if there == len(record.keys) else "parts missing"
    return {
        "place": str(run.place),
        "name": name,
        "problem": problem,
        "seed": _seed(record),
        "blocks": there,
        "of": len(record.keys),
        "state": whole if record.is_finished else "unfinished",
        "seconds": math.nan if record.seconds is None else record.seconds,
        "bytes": size,
        "versions": _versions(record, here),
    }


def _seed(record: RunRecord) -> str:
    merged = record.parameters.get(MERGED_SEEDS)
    if isinstance(merged, list):
        return f"{len(merged):,} merged"
    return f"{record.entropy}" + (f" {record.spawn_key}" if record.spawn_key else "")


def _versions(record: RunRecord, here: Versions) -> str:
    there, ours = record.identity, replace(record, versions=here).identity
    differing = [name for name in {**there, **ours} if there.get(name) != ours.get(name)]
    return "as here" if not differing else few(differing, 1, describe=lambda name: _difference(str(name), there, ours))


def _difference(name: str, there: dict[str, Any], here: dict[str, Any]) -> str:
    return f"{name.removeprefix('version of ')} {there.get(name, 'absent')}, here {here.get(name, 'absent')}"
