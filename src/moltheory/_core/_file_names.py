"""Names from outside as parts of names of files."""

from __future__ import annotations

import hashlib
import re

from moltheory._core._text import visible

__all__ = ["file_stem"]

# In bytes, of which a name of a file has at most 255.
_MOST = 100
# Names that Windows keeps for devices, whatever their ending.
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)", re.IGNORECASE)
_UNSAFE = re.compile(r"[/\\:]+")


def file_stem(name: str) -> str:
    r"""Return a name that is safe as the first part of a file's name; one that is already stays as it is.

    It names no other folder, no hidden file, no device and no option, and holds no character that is not seen. Different
    names stay different: one that is changed ends in a digest.

    Examples
    --------
    >>> print(file_stem("near_tie"), file_stem("../a b"), file_stem("NUL"), file_stem(""))
    near_tie _a b-4acc1f99 _NUL-3c58a996 _-36e9d246
    """
    safe = _UNSAFE.sub("_", visible(name)).encode()[:_MOST].decode(errors="ignore").lstrip(" .-~").rstrip(" .")
    if safe == name and safe and not _DEVICE.match(safe):
        return name
    digest = hashlib.blake2s(name.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return f"{'_' if not safe or _DEVICE.match(safe) else ''}{safe}-{digest}"
