"""Files, folders, pipes and standard input as paths that can be read as often as needed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from moltheory._core._reading import is_pipe
from moltheory._core._text import visible
from moltheory.errors import InvalidInputError
from moltheory.evaluation._standard_input import spooled
from moltheory.evaluation._tabular import brief

__all__ = ["readable_paths", "removed_at_errors"]


def readable_paths(path: Any) -> tuple[tuple[Path, ...], list[Path]]:
    """Return files or folders that can be read, and the temporary folders of standard input and pipes among them.

    Raises
    ------
    InvalidInputError
        If one cannot be read, is a device or a socket, or is given twice.
    """
    if isinstance(path, str) and path == "-":
        file = spooled()
        return (file,), [file.parent]
    one = isinstance(path, str | os.PathLike)
    if not one and not (isinstance(path, Sequence) and path and all(isinstance(p, str | os.PathLike) for p in path)):
        raise InvalidInputError(f"`path` must be a file, a folder or a list of them, got {path!r}.")
    paths = tuple(Path(os.fsdecode(entry)) for entry in ([path] if one else path))
    for entry in paths:
        if str(entry) == "-":
            raise InvalidInputError("`path` must be '-' alone for standard input, got it among other files.")
        try:
            if entry.is_dir():
                next(entry.iterdir(), None)
            elif entry.exists() and not entry.is_file() and not is_pipe(entry):
                raise InvalidInputError(
                    f"`{visible(entry.name)}` must be an ordinary file or a pipe, got a device or a socket: give '-' and "
                    "redirect standard input."
                )
            elif not is_pipe(entry):
                entry.open("rb").close()
        except InvalidInputError:
            raise
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "no possible name"
            raise InvalidInputError(f"`{brief(entry.name)}` must be a file that can be read, got {reason}.") from None
    # Links that lead around in a circle were refused above.
    seen: set[Path] = set()
    for entry in paths:
        resolved = entry.resolve()
        if resolved in seen:
            raise InvalidInputError(f"`{visible(entry.name)}` must be given once, got it twice.")
        seen.add(resolved)
    return _kept(paths)


def _kept(paths: tuple[Path, ...]) -> tuple[tuple[Path, ...], list[Path]]:
    """Return files with the contents of pipes in their places, and the temporary folders of these."""
    found: list[Path] = []
    folders: list[Path] = []
    with removed_at_errors(folders):
        for entry in paths:
            file = spooled(entry) if is_pipe(entry) else entry
            found.append(file)
            folders += [file.parent] if file is not entry else []
    return tuple(found), folders


@contextmanager
def removed_at_errors(folders: Sequence[Path]) -> Iterator[None]:
    """Remove temporary folders if what they are for fails."""
    try:
        yield
    except BaseException:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        raise
