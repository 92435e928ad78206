"""Files of logs in folders: found by name and first bytes, and never waited for."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from moltheory.errors import InvalidInputError

__all__ = ["check_ordinary", "found_below", "head", "others_below"]


def head(path: Path, size: int = 4096) -> bytes:
    """Return the first bytes of a file, and none if it cannot be read or is none."""
    try:
        # A pipe would be waited for.
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(size)
    except (OSError, ValueError):
        return b""


def check_ordinary(path: Path, argument: str = "path") -> int:
    """Return the size of a file in bytes.

    Raises
    ------
    InvalidInputError
        If there is none, or it is a pipe or a device, which might be waited for, or end never.
    """
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no possible name"
        raise InvalidInputError(f"`{argument}` must be readable files, got {reason} for {path}.") from None
    if not stat.S_ISREG(found.st_mode):
        raise InvalidInputError(f"`{argument}` must be ordinary files, got {_kind(found.st_mode)} for {path}.")
    return found.st_size


def _kind(mode: int) -> str:
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")


def found_below(paths: Sequence[Path], patterns: Iterable[str], accept: Callable[[Path], bool]) -> list[Path]:
    """Return the given files, and those below given folders that match a pattern and are accepted; sorted.

    Raises
    ------
    InvalidInputError
        If a folder below cannot be read: what is in it would be missed.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            found.update(dict.fromkeys(file for file in _below(path, patterns) if accept(file)))
        else:
            found[path] = None
    return list(found)


def others_below(paths: Sequence[Path], patterns: Iterable[str], found: Iterable[Path]) -> list[Path]:
    """Return the files below given folders that match a pattern and are none of those found.

    Raises
    ------
    InvalidInputError
        If one is empty, as the log of an interrupted run is.
    """
    known = set(found)
    others = [file for path in paths if path.is_dir() for file in _below(path, patterns) if file not in known]
    for file in others:
        if not head(file).strip():
            raise InvalidInputError(
                f"`path` must hold no empty logs, got nothing in {file}: repeat that evaluation, or remove the file."
            )
    return others


def _below(folder: Path, patterns: Iterable[str]) -> list[Path]:
    """Return the files below a folder whose names match; folders behind symbolic links are not entered.

    Raises
    ------
    InvalidInputError
        If a name stands for something that is no file: a link to nothing or to itself, a pipe, a socket, a device.
    """

    def refuse(error: OSError) -> None:
        raise InvalidInputError(
            f"`path` must be readable folders, got {error.strerror} for {error.filename}."
        ) from None

    patterns = tuple(patterns)
    found = []
    for place, _, names in os.walk(folder, onerror=refuse):
        for name in names:
            if any(fnmatchcase(name, pattern) for pattern in patterns):
                path = Path(place, name)
                # What is called like a log and cannot be read is not left out without a word.
                check_ordinary(path)
                found.append(path)
    return sorted(found)
