"""Writing results so that nothing half-written is ever left behind."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from moltheory.errors import OutputError

__all__ = ["prepare_folder", "write_atomically"]


def prepare_folder(folder: str | os.PathLike[str]) -> Path:
    """Create a folder if need be and prove that it can be written to, before any work starts.

    Raises
    ------
    OutputError
        If it cannot be created, is not a folder, or cannot be written to.
    """
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise OutputError(f"`out` must be a folder that can be written to, got {str(path)!r} ({reason}).") from None
    return path


def write_atomically(path: str | os.PathLike[str], content: bytes | str) -> None:
    """Write a file under a temporary name beside its place, then rename it.

    A reader sees the old file or the new one, never a part.

    Raises
    ------
    OutputError
        If the file cannot be written; no temporary file remains.
    """
    target = Path(path)
    data = content.encode() if isinstance(content, str) else content
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp makes private files; a result should have the permissions of any new file.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, target)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        reason = error.strerror or type(error).__name__
        raise OutputError(f"{str(target)!r} cannot be written ({reason}).") from None
