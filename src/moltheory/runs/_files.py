"""Writing results so that nothing half-written is ever left behind.

A file is written under a temporary name beside its place, flushed to the disk and renamed. While it is written
its temporary file is locked, so that the leftover of a killed process can be told from the file of a living
one: the system drops the locks of the dead.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from moltheory.errors import OutputError
from moltheory.runs._objects import is_url, masked
from moltheory.runs._remedies import refusal

__all__ = [
    "atomic_file",
    "is_temporary",
    "leftovers",
    "open_regular",
    "prepare_folder",
    "remove_leftovers",
    "try_lock",
    "write_atomically",
]

_TEMPORARY = ".tmp"
# A temporary name is longer than that of its file, which may be as long as the system allows.
_LETTERS = 40
# What file systems without hard links answer.
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES}
_PROOF = bytes(4096)
_ANY = re.compile(".*", re.DOTALL)


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
    if is_url(folder):
        raise OutputError(
            f"`{argument}` must be a local folder, got {masked(str(folder))!r}: only runs are kept in object storage."
        )
    path = Path(folder)
    created: list[Path] = []
    try:
        created = [entry for entry in (path, *path.parents) if not os.path.lexists(entry)]
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path) as proof:
            proof.write(_PROOF)
            proof.flush()
            os.fsync(proof.fileno())
    except (OSError, ValueError) as error:
        remove_empty(created)
        rule = f"`{argument}` must be a folder that can be written to, got {str(path)!r}"
        raise OutputError(refusal(rule, error)) from None
    return path


def remove_empty(folders: list[Path]) -> None:
    """Remove folders, innermost first, that are empty; leave the others."""
    for folder in folders:
        # ValueError: a path that cannot be one.
        with contextlib.suppress(OSError, ValueError):
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
        If the file cannot be written, or what is there is no file; no temporary file remains.

    Notes
    -----
    Complexity: O(b) time for b bytes, and as much memory for text.
    """
    target = Path(path)
    data = content.encode() if isinstance(content, str) else content
    try:
        refuse_special(target)
        with _temporary_beside(target) as (handle, temporary):
            view = memoryview(data)
            while view:
                view = view[os.write(handle, view) :]
            return _finish(handle, temporary, target, overwrite=overwrite)
    except OutputError:
        raise
    except (OSError, ValueError) as error:
        raise OutputError(refusal(f"{str(target)!r} cannot be written", error)) from None


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write to piece by piece, which takes the place of `path` when the block ends without an error.

    Raises
    ------
    OutputError
        As `write_atomically` does.
    """
    try:
        refuse_special(path)
        with _temporary_beside(path) as (handle, temporary):
            with os.fdopen(os.dup(handle), "wb") as file:
                yield file
            _finish(handle, temporary, path, overwrite=True)
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(refusal(f"{str(path)!r} cannot be written", error)) from None


def refuse_special(path: Path) -> None:
    """Refuse a place where a rename would fail, at a folder, or put a file in the place of a device or pipe."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        found = "a folder is there" if stat.S_ISDIR(mode) else "not a regular file"
        raise OutputError(f"{str(path)!r} cannot be written ({found}): move away what is there, or use another place.")


def open_regular(path: Path) -> BinaryIO:
    """Open a file for reading, but no folder, device or pipe, which would have to be waited for.

    Raises
    ------
    OSError
        If there is none, it is none or it cannot be read.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return os.fdopen(handle, "rb")


def _finish(handle: int, temporary: str, target: Path, *, overwrite: bool) -> bool:
    # Temporary files are private; a result should have the permissions of any new file.
    umask = os.umask(0)
    os.umask(umask)
    os.fchmod(handle, 0o666 & ~umask)
    os.fsync(handle)
    # The folder itself is not flushed: after a power cut the rename has happened or not, and both are whole.
    return _move(temporary, target, overwrite=overwrite)


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
        # Named first: whatever interrupts us, the file is removed.
        temporary = str(target.parent / f".{target.name[:_LETTERS]}.{secrets.token_hex(8)}{_TEMPORARY}")
        handle = -1
        try:
            handle = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try_lock(handle, wait=True)
            # Between its creation and the lock, somebody tidying up may have taken it for a leftover.
            if os.fstat(handle).st_nlink:
                yield handle, temporary
                return
        finally:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            if handle >= 0:
                os.close(handle)


def try_lock(handle: int, *, wait: bool = False) -> bool | None:
    """Lock an open file or folder for this process, until it closes it or ends; None where there are no locks."""
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except (ImportError, OSError):
        return None
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
    return len(leftovers(folder, remove=True))


def leftovers(folder: Path, *, remove: bool, matching: re.Pattern[str] = _ANY) -> list[str]:
    """Return the names of temporary files of killed processes, which are removed if asked for."""
    found = []
    try:
        names = sorted(name for name in os.listdir(folder) if is_temporary(name) and matching.fullmatch(name))
    except OSError:
        # Whoever needs the folder says what is wrong with it.
        return []
    for name in names:
        with contextlib.suppress(OSError):
            handle = os.open(folder / name, os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW)
            try:
                # Where there are no locks, leftovers stay, which is safe.
                if stat.S_ISREG(os.fstat(handle).st_mode) and try_lock(handle):
                    if remove:
                        os.unlink(folder / name)
                    found.append(name)
            finally:
                os.close(handle)
    return found
