"""What a person can do about an error of the file system."""

from __future__ import annotations

import errno

__all__ = ["reason_of", "refusal", "remedy_for"]

_ROOM = "make room there and run it again"
_ALLOW = "allow it and run it again, or use another place"
_REMEDIES = {
    errno.EACCES: _ALLOW,
    errno.EPERM: _ALLOW,
    errno.EROFS: _ALLOW,
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: "raise the limit on the size of files and run it again",
    errno.EMFILE: "raise the limit on open files, or close some",
    errno.ENFILE: "raise the limit on open files, or close some",
    errno.ENAMETOOLONG: "use a shorter path",
    errno.ENOENT: "if its folder was moved or removed meanwhile, run it again",
    errno.ENOTDIR: "if its folder was moved or removed meanwhile, run it again",
    errno.EIO: "check the disk",
    errno.ESTALE: "check the connection to the disk and run it again",
    errno.ENOMEM: "use a machine with more memory",
}
_OTHER = "use another place"


def reason_of(error: OSError | ValueError) -> str:
    """Return an error in the system's words; a path that cannot be one gives a ValueError."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return "not a possible path"


def remedy_for(error: OSError | ValueError, *, otherwise: str = _OTHER) -> str:
    """Return what to do about an error, as the end of a sentence."""
    known = _REMEDIES.get(error.errno or 0) if isinstance(error, OSError) else None
    return known or otherwise


def refusal(rule: str, error: OSError | ValueError, *, otherwise: str = _OTHER) -> str:
    """Return the sentence of a rule, with the reason and the remedy.

    Examples
    --------
    >>> refusal("'table.csv' cannot be written", OSError(errno.ENOSPC, "No space left on device"))
    "'table.csv' cannot be written (No space left on device): make room there and run it again."
    """
    return f"{rule} ({reason_of(error)}): {remedy_for(error, otherwise=otherwise)}."
