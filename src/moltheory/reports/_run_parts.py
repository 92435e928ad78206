"""The finished blocks of simulations beside a report: kept while it is made, removed when it is written.

A folder of blocks that a report begins is marked by a hidden file. Only marked folders are removed, so that what was
there before, or was asked to stay, does; a killed run leaves the mark, and the run that resumes it removes both.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from moltheory.errors import MoltheoryError
from moltheory.reports._figure import Settings
from moltheory.runs import read_record
from moltheory.runs._files import is_temporary
from moltheory.runs._output_folder import OutputFolder
from moltheory.runs._record import RECORD_NAME

__all__ = ["WatchedSettings", "remove_finished", "watched"]

_MARK = ".moltheory-temporary"
# Records and parts of runs, and checkpoints of networks.
_OURS = re.compile(rf"{re.escape(_MARK)}|{re.escape(RECORD_NAME)}|part-.*\.npz|.*\.pt")


@dataclass(frozen=True)
class WatchedSettings(Settings):
    """Settings that remember which folders of blocks were asked for.

    Attributes
    ----------
    used : list of pathlib.Path
    """

    used: list[Path] = field(default_factory=list, compare=False, repr=False)

    def store_for(self, *names: str) -> Path | str | None:
        """Return the run folder of one simulation, marked as temporary if it is new and not to be kept."""
        path = super().store_for(*names)
        if isinstance(path, Path) and path not in self.used:
            self.used.append(path)
            # A folder that cannot be written to is refused by the run itself.
            with contextlib.suppress(OSError):
                _mark(path, keep=self.keep_runs)
        return path


def watched(settings: Settings, store: Path) -> Settings:
    """Return the same settings with a store that belongs to the report; settings with a store of their own stay."""
    if settings.store is not None:
        return settings
    return WatchedSettings(
        quick=settings.quick,
        seed=settings.seed,
        n_jobs=settings.n_jobs,
        progress=settings.progress,
        store=store,
        keep_runs=settings.keep_runs,
    )


def remove_finished(out: OutputFolder, folders: Iterable[Path]) -> None:
    """Remove the marked run folders that are finished and hold nothing else; and the folder around them, if empty."""
    for folder in folders:
        if not folder.parent.is_symlink() and not folder.is_symlink() and _is_temporary(folder):
            out.discard(folder)
            with contextlib.suppress(OSError):
                os.rmdir(folder.parent)


def _mark(folder: Path, *, keep: bool) -> None:
    mark = folder / _MARK
    if keep:
        mark.unlink(missing_ok=True)
    elif not os.path.lexists(folder) or not any(folder.iterdir()):
        folder.mkdir(parents=True, exist_ok=True)
        mark.touch()


def _is_temporary(folder: Path) -> bool:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return False
    names = {entry.name for entry in entries}
    if _MARK not in names or not all(
        entry.is_file(follow_symlinks=False) and (_OURS.fullmatch(entry.name) or is_temporary(entry.name))
        for entry in entries
    ):
        return False
    try:
        return RECORD_NAME not in names or read_record(folder).is_finished
    except MoltheoryError:
        return False
