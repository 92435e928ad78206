"""What killed runs left: temporary files, and runs that nobody finishes."""

from __future__ import annotations

import contextlib
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moltheory.errors import InvalidInputError, OutputError
from moltheory.runs._block_result import part_name
from moltheory.runs._files import leftovers
from moltheory.runs._places import Location, as_place
from moltheory.runs._record import RECORD_NAME
from moltheory.runs._remedies import refusal
from moltheory.runs._run_table import FoundRun, found_runs

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["clean_runs"]

# The temporary names of records and parts, and of no other file.
_OURS = re.compile(r"\.(record\.json|part-.*)\.[0-9a-f]{16}\.tmp")


def clean_runs(place: Location = ".", *, unfinished_after: float | None = None, remove: bool = False) -> pd.DataFrame:
    """Return what killed runs left in a folder and below it, and remove it if asked for.

    Parameters
    ----------
    place : path or URL, default "."
        A run folder, or one with run folders at any depth.
    unfinished_after : float, optional
        Unfinished runs in which nothing was written for so many hours count too; by default none does.
    remove : bool, default False
        Remove it; otherwise it is listed only.

    Returns
    -------
    pandas.DataFrame
        ``place``; ``kind``: leftover (a temporary file of a killed process) or unfinished run; ``files``; ``bytes``.

    Raises
    ------
    InvalidInputError
        If there is no such folder, or `unfinished_after` is negative.
    OutputError
        If it cannot be read, or something cannot be removed.

    Notes
    -----
    Temporary files of living processes are locked and stay. Of an unfinished run the parts that its record names go
    first, then the record, then the folder, if it is empty by then: other files stay. Finished and damaged runs stay.
    Where a store does not say when objects were written, unfinished runs stay too.

    Complexity: O(f) time and memory for f files.

    Examples
    --------
    >>> import tempfile
    >>> from moltheory.runs import RunFolder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = RunFolder.open(folder + "/a", parameters={}, rng=7, keys=["x"])
    ...     len(clean_runs(folder)), clean_runs(folder, unfinished_after=0, remove=True)["kind"].tolist()
    (0, ['unfinished run'])
    """
    import pandas as pd

    if unfinished_after is not None and not unfinished_after >= 0:
        raise InvalidInputError(f"`unfinished_after` must be a number of hours >= 0, got {unfinished_after!r}.")
    top = as_place(place, argument="place")
    runs = list(found_runs(top))
    rows = _leftovers(top, remove=remove) if isinstance(top, Path) else []
    for run in runs:
        if unfinished_after is None or run.record is None or run.record.is_finished:
            continue
        if not _is_old(run, unfinished_after):
            continue
        names = [name for name in map(part_name, run.record.keys) if name in run.files]
        names.append(RECORD_NAME)
        if remove:
            _remove(run, names)
        size = sum(run.files[name][0] for name in names)
        rows.append({"place": str(run.place), "kind": "unfinished run", "files": len(names), "bytes": size})
    return pd.DataFrame(rows, columns=["place", "kind", "files", "bytes"])


def _leftovers(top: Path, *, remove: bool) -> list[dict[str, Any]]:
    rows = []
    for folder, inner, names in os.walk(top):
        inner.sort()
        ours = [name for name in names if _OURS.fullmatch(name)]
        if not ours:
            continue
        sizes = {}
        for name in ours:
            with contextlib.suppress(OSError):
                sizes[name] = os.lstat(os.path.join(folder, name)).st_size
        dead = [name for name in leftovers(Path(folder), remove=remove, matching=_OURS) if name in sizes]
        rows += [
            {"place": str(Path(folder) / name), "kind": "leftover", "files": 1, "bytes": sizes[name]} for name in dead
        ]
    return rows


def _is_old(run: FoundRun, hours: float) -> bool:
    times = [when for _, when in run.files.values()]
    return all(when is not None and time.time() - when >= 3600.0 * hours for when in times)


def _remove(run: FoundRun, names: list[str]) -> None:
    try:
        for name in names:
            place = run.place / name
            if isinstance(place, Path):
                place.unlink(missing_ok=True)
            else:
                place.remove()
        if isinstance(run.place, Path):
            # Other files in it are not ours.
            with contextlib.suppress(OSError):
                run.place.rmdir()
    except OSError as error:
        raise OutputError(refusal(f"{str(run.place)!r} cannot be removed", error)) from None
