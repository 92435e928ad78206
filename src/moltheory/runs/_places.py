"""Where the files of a run lie: a local folder or one in object storage, and the few calls that both answer."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any, BinaryIO

from moltheory.errors import InvalidInputError, OutputError
from moltheory.runs._files import open_regular, prepare_folder, remove_leftovers, write_atomically
from moltheory.runs._objects import ObjectPlace, is_url
from moltheory.runs._remedies import refusal

__all__ = ["Location", "Place", "as_place", "exists", "names_in", "open_file", "prepare_place", "tidy", "write_file"]

Place = Path | ObjectPlace
"""A folder or a file; both are joined to a name by ``/`` and shown by `str`."""

Location = str | os.PathLike[str] | ObjectPlace
"""What places are given by."""

_LOCAL = ("file://", "local://")


def as_place(store: Location, *, argument: str) -> Place:
    """Return a path as a Path, and a URL, or a universal path, as an `ObjectPlace`.

    Raises
    ------
    InvalidInputError
        If it is neither, its protocol is not installed, or it holds credentials.

    Examples
    --------
    >>> as_place("runs/1", argument="store") == as_place(Path("runs/1"), argument="store")
    True
    """
    given: Any = store
    if isinstance(given, ObjectPlace):
        return given
    # Universal paths are known by what they have; most are no paths of the system.
    universal = hasattr(given, "storage_options")
    if universal or isinstance(given, str):
        text = str(given)
        for prefix in _LOCAL:
            if text.startswith(prefix):
                return Path(text.removeprefix(prefix))
        if is_url(text):
            return ObjectPlace.of(text, dict(given.storage_options) if universal else {}, argument=argument)
    try:
        return Path(given)
    except TypeError:
        raise InvalidInputError(f"`{argument}` must be a path or a URL, got {type(given).__name__}.") from None


def exists(place: Place) -> bool:
    """Whether something is there; an object is asked for by name.

    Raises
    ------
    OSError
        If object storage does not answer.
    """
    if isinstance(place, Path):
        return os.path.lexists(place)
    try:
        place.read()
    except FileNotFoundError:
        return False
    return True


def open_file(place: Place, *, most: int | None = None) -> BinaryIO:
    """Open a file for reading; an object is read as a whole, unless it has more than `most` bytes.

    Raises
    ------
    OSError
        If there is none, or it cannot be read.
    """
    return open_regular(place) if isinstance(place, Path) else io.BytesIO(place.read(most))


def write_file(place: Place, content: bytes | str, *, overwrite: bool = True) -> bool:
    """Write a file as `write_atomically` does."""
    if isinstance(place, Path):
        return write_atomically(place, content, overwrite=overwrite)
    return place.write(content, overwrite=overwrite)


def prepare_place(place: Place, *, argument: str) -> None:
    """Prove that a folder can be written to, as `prepare_folder` does.

    Raises
    ------
    OutputError
        If it cannot.
    """
    if isinstance(place, Path):
        prepare_folder(place, argument=argument)
    else:
        place.prove_writable(argument)


def names_in(place: Place, *, argument: str) -> set[str]:
    """Return the names of the files in a folder; none if it does not exist.

    Raises
    ------
    OutputError
        If it cannot be read.
    """
    try:
        return {entry.name for entry in place.iterdir()} if isinstance(place, Path) else set(place.entries())
    except FileNotFoundError:
        return set()
    except (OSError, ValueError) as error:
        rule = f"`{argument}` must be a folder that can be written to, got {str(place)!r}"
        raise OutputError(refusal(rule, error)) from None


def tidy(place: Place) -> int:
    """Remove what killed processes left, and return how many files that were; in object storage there is nothing."""
    return remove_leftovers(place) if isinstance(place, Path) else 0
