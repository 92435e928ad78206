"""Writing results so that nothing half-written is ever left behind.

A file is written under a temporary name beside its place, flushed to the disk and renamed. While it is written
its temporary file is locked, so that the leftover of a killed process can be told from the file of a living
one: the system drops the locks of the dead.
"""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from moltheory.errors import OutputError

__all__ = ["is_temporary", "prepare_folder", "remove_leftovers", "write_atomically"]

_TEMPORARY = ".tmp"
# What file systems without hard links answer.
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES}
_PROOF = bytes(4096)


def prepare_folder(folder: str | os.PathLike[str], *, argument: str = "out") -> Path:
    """Create a folder if need be and prove that it can be written to, before any work starts.

    Parameters
    ----------
    folder : path
        It and its parents are created.
    argument : str, default "out"
        The caller's name of the folder, for the message.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    OutputError
        If it cannot be created, is not a folder, cannot be written to, or the disk is full; folders created on
        the way are removed again.
    """
    path = Path(folder)
    created: list[Path] = []
    try:
        created = [entry for entry in (path, *path.parents) if not entry.exists()]
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path) as proof:
            proof.write(_PROOF)
            proof.flush()
            os.fsync(proof.fileno())
    except OSError as error:
        remove_empty(created)
        reason = error.strerror or type(error).__name__
        raise OutputError(
            f"`{argument}` must be a folder that can be written to, got {str(path)!r} ({reason})."
        ) from None
    return path


def remove_empty(folders: list[Path]) -> None:
    """Remove folders, innermost first, that are empty; leave the others."""
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()


def write_atomically(path: str | os.PathLike[str], content: bytes | str, *, overwrite: bool = True) -> bool:
    """Write a file under a temporary name beside its place, then rename it.

    A reader sees the old file or the new one, never a part.

    Parameters
    ----------
    path : path
        Where to.
    content : bytes or str
        Text is written in UTF-8.
    overwrite : bool, default True
        Replace a file that is there; otherwise it stays as it is, even if it appears while we write.

    Returns
    -------
    bool
        Whether the file now holds `content`; False only where `overwrite` is off and there was a file.

    Raises
    ------
    OutputError
        If the file cannot be written; no temporary file remains.
    """
    target = Path(path)
    data = content.encode() if isinstance(content, str) else content
    if target.exists() and not target.is_file() and not target.is_dir():
        # A rename would put a file in the place of a device or pipe.
        raise OutputError(f"{str(target)!r} cannot be written (not a regular file).")
    try:
        with _temporary_beside(target) as (handle, temporary):
            view = memoryview(data)
            while view:
                view = view[os.write(handle, view) :]
            # Temporary files are private; a result should have the permissions of any new file.
            umask = os.umask(0)
            os.umask(umask)
            os.fchmod(handle, 0o666 & ~umask)
            os.fsync(handle)
            # The folder itself is not flushed: after a power cut the rename has happened or not, and both are whole.
            return _move(temporary, target, overwrite=overwrite)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise OutputError(f"{str(target)!r} cannot be written ({reason}).") from None


def _move(temporary: str, target: Path, *, overwrite: bool) -> bool:
    if not overwrite:
        try:
            os.link(temporary, target)  # unlike a rename, refuses to replace
            return True
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            if target.exists():
                return False
    os.replace(temporary, target)
    return True


@contextlib.contextmanager
def _temporary_beside(target: Path) -> Iterator[tuple[int, str]]:
    """Give a locked temporary file that is gone afterwards, unless renamed."""
    while True:
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=_TEMPORARY)
        try:
            _lock(handle, wait=True)
            # Between its creation and the lock, somebody tidying up may have taken it for a leftover.
            if os.fstat(handle).st_nlink:
                yield handle, temporary
                return
        finally:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            os.close(handle)


def _lock(handle: int, *, wait: bool) -> bool:
    """Lock an open file for this process; whether it worked."""
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except (ImportError, OSError):
        # Held by another process, or a file system without locks: there, leftovers stay, which is safe.
        return False
    return True


def is_temporary(name: str) -> bool:
    """Whether a file's name is one that `write_atomically` uses while it writes."""
    return name.startswith(".") and name.endswith(_TEMPORARY)


def remove_leftovers(folder: Path) -> int:
    """Remove temporary files of killed processes, never those of living ones.

    Parameters
    ----------
    folder : pathlib.Path
        Where `write_atomically` wrote to.

    Returns
    -------
    int
        How many were removed.
    """
    removed = 0
    for path in folder.iterdir():
        if not is_temporary(path.name):
            continue
        with contextlib.suppress(OSError):
            handle = os.open(path, os.O_RDWR)
            try:
                if _lock(handle, wait=False):
                    path.unlink()
                    removed += 1
            finally:
                os.close(handle)
    return removed
