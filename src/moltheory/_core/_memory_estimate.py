"""The memory that is left for this process, and refusals of work that would need more.

Sources are asked one by one, and the least counts: what the machine has available, what is left of the limits of control
groups (containers, batch systems) and of the limit on address space. What a platform does not say limits nothing.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from moltheory.errors import TooLargeError

__all__ = ["available_memory", "require_memory"]

# Less is never refused: so much is freed and taken by other processes meanwhile.
_IGNORED = 2**26
_PROC, _GROUPS = Path("/proc"), Path("/sys/fs/cgroup")


def require_memory(needed: float, what: str, remedy: str) -> None:
    """Refuse work that needs more bytes than are available, before it starts.

    Parameters
    ----------
    needed : float
        Estimate in bytes of what the work takes at most, beside what is held already.
    what : str
        The argument and its size, which begin the sentence.
    remedy : str
        What to do instead.

    Raises
    ------
    TooLargeError
        If more is needed than there is.
    """
    if needed < _IGNORED:
        return
    available = available_memory()
    if available is not None and needed > available:
        raise TooLargeError(
            f"{what}: this needs about {needed / 1e9:.2g} GB of memory, got {available / 1e9:.2g} GB available: {remedy}."
        )


def available_memory() -> int | None:
    """Return the bytes that this process may still take, None if nothing is known about them."""
    found: list[int] = []
    for source in (_of_machine, _of_groups, _of_address_space):
        try:
            found += [max(left, 0) for left in source()]
        except (ImportError, OSError, ValueError, IndexError):
            # This one is not there, or is written in another way.
            continue
    return min(found, default=None)


def _of_machine() -> list[int]:
    if sys.platform == "darwin":
        # All there is, as the system does not say how much of it is free.
        return [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    lines = (line.split() for line in (_PROC / "meminfo").read_text().splitlines())
    return [1024 * int(line[1]) for line in lines if line and line[0] == "MemAvailable:"]


def _of_groups() -> list[int]:
    """Return what is left in each control group of this process and above it, of version 2 and of version 1."""
    found: list[int] = []
    for line in (_PROC / "self" / "cgroup").read_text().splitlines():
        _, kinds, path = line.split(":", 2)
        if kinds == "":
            found += _of_ancestors(_GROUPS, path, "memory.max", "memory.current", "inactive_file")
        elif "memory" in kinds.split(","):
            found += _of_ancestors(
                _GROUPS / "memory", path, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
            )
    return found


def _of_ancestors(root: Path, path: str, limit: str, usage: str, cache: str) -> list[int]:
    # Inside a container the path may be that of the host, of which only the root is seen.
    inner, found = root / path.lstrip("/"), []
    for folder in (inner, *inner.parents):
        if root in (folder, *folder.parents):
            with contextlib.suppress(OSError, ValueError):  # not there, or "max"
                found.append(_of_group(folder, limit, usage, cache))
    return found


def _of_group(folder: Path, limit: str, usage: str, cache: str) -> int:
    most, used = int((folder / limit).read_text()), int((folder / usage).read_text())
    stated = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    # Files read before count as used, and make room when it is needed.
    return most - used + int(stated.get(cache, 0))


def _of_address_space() -> list[int]:
    import resource  # not on Windows

    most = resource.getrlimit(resource.RLIMIT_AS)[0]
    if most == resource.RLIM_INFINITY:
        return []
    return [most - int((_PROC / "self" / "statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")]
