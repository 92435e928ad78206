"""A folder in which many files appear together, all of them or none.

The files are written into a hidden folder inside it and flushed to the disk. One rename then says that they are
complete; after it they are moved to their places, one rename each, which takes about a millisecond for a hundred files.
A process that is killed before that one rename leaves everything as it was. One that is killed after it leaves files
whose moves the next run on the folder completes before anything else, so that they are in their places either way.

Whoever opens the folder locks it: two runs on one folder would replace each other's files. The system drops the lock of
the dead. Where there are no locks (some network disks) the last run replaces all files of the one before.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType

from moltheory.errors import OutputError
from moltheory.runs._files import prepare_folder, refuse_special, try_lock
from moltheory.runs._record import RECORD_NAME
from moltheory.runs._remedies import refusal

__all__ = ["OutputFolder"]

_NEW, _NEW_END = ".moltheory-", ".tmp"
_COMPLETE = ".moltheory-complete"


class OutputFolder:
    """A folder that is locked while it is open, and whose files are replaced together.

    Parameters
    ----------
    folder : path
        It and its parents are created.
    names : iterable of str
        Files that will be written, as far as they are known; refused where a folder or device has the place.

    Attributes
    ----------
    path : pathlib.Path

    Raises
    ------
    OutputError
        If it cannot be written to, another run is at work in it, or the place of a file is taken by a folder.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, OutputFolder(folder) as out:
    ...     files = out.replace({"page.html": "<p>", "table.csv": "a,b"})
    ...     sorted(path.name for path in out.path.iterdir())
    ['page.html', 'table.csv']
    """

    def __init__(self, folder: str | os.PathLike[str], names: Iterable[str] = ()) -> None:
        self.path = prepare_folder(folder)
        self._handle = -1
        try:
            self._handle = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            locked = try_lock(self._handle)
            if locked is False:
                raise OutputError(
                    f"`out` must be a folder in which no other run is at work, got {str(self.path)!r}: wait for the end "
                    "of that run, or use another folder."
                )
            for name in names:
                refuse_special(self.path / name)
            _move_complete(self.path)
            if locked:
                _remove_unfinished(self.path)
        except OSError as error:
            self.close()
            raise _refused(self.path, error) from None
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> OutputFolder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let other runs use the folder."""
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)

    def replace(self, contents: Mapping[str, bytes | str]) -> list[Path]:
        """Write files, all of them or none, and return their paths; others in the folder stay as they are.

        Raises
        ------
        OutputError
            If one of them cannot be written, or the folder was moved or removed since it was opened.
        """
        new = self.path / f"{_NEW}{secrets.token_hex(4)}{_NEW_END}"
        try:
            self._refuse_moved()
            for name in contents:
                refuse_special(self.path / name)
            _write_all(new, contents)
            # Of a run that does not know of ours, where there are no locks.
            _move_complete(self.path)
            os.rename(new, self.path / _COMPLETE)
            try:
                _move_complete(self.path)
            except KeyboardInterrupt:
                _move_complete(self.path)
                raise
        except OSError as error:
            raise _refused(self.path, error) from None
        finally:
            _remove(new)
        return [self.path / name for name in contents]

    def discard(self, folder: Path) -> None:
        """Remove a folder of files somewhere inside this one: at once as seen from outside, also if the process is killed.

        What cannot be removed stays, and says nothing.
        """
        name = f"{_NEW}{secrets.token_hex(4)}{_NEW_END}"
        with contextlib.suppress(OSError):
            # If the process is killed after this, the next run removes it.
            os.rename(folder, self.path / name)
            _remove(self.path / name)

    def _refuse_moved(self) -> None:
        with contextlib.suppress(OSError):
            if os.path.samestat(os.fstat(self._handle), os.stat(self.path)):
                return
        raise OutputError(
            f"`out` must stay in its place during a run, got {str(self.path)!r}, which was moved or removed: run it again."
        )


def _refused(path: Path, error: OSError) -> OutputError:
    """Return the refusal of the folder; one that is made already stays as it is."""
    if isinstance(error, OutputError):
        return error
    return OutputError(refusal(f"`out` must be a folder that can be written to, got {str(path)!r}", error))


def _write_all(folder: Path, contents: Mapping[str, bytes | str]) -> None:
    """Write files into a new folder, and flush them to the disk."""
    os.mkdir(folder)
    for name, content in contents.items():
        with open(folder / name, "xb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        # Not every file system flushes folders.
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


def _move_complete(path: Path) -> None:
    """Move complete files to their places, the record last: it says that the others are there."""
    complete = path / _COMPLETE
    try:
        names = sorted(os.listdir(complete), key=lambda name: (name == RECORD_NAME, name))
    except FileNotFoundError:
        return
    for name in names:
        refuse_special(path / name)
    for name in names:
        os.replace(complete / name, path / name)
    os.rmdir(complete)


def _remove_unfinished(path: Path) -> None:
    """Remove what killed runs had not completed."""
    for name in os.listdir(path):
        if name.startswith(_NEW) and name.endswith(_NEW_END):
            _remove(path / name)


def _remove(folder: Path) -> None:
    """Remove a folder of files, if it is there."""
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            os.unlink(folder / name)
        os.rmdir(folder)
