"""Races in files: the stream as it is saved by itself, what was asked for, and of which examples."""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._reading import reading
from moltheory._core._text import quoted, shortened, visible
from moltheory.certification._stream import CertificateStream
from moltheory.errors import InvalidInputError

__all__ = ["read_race", "write_race"]

_KIND = "moltheory.race 1"
# What must be the same for a race to go on, and what it is called.
_FIXED = {
    "_names": "models",
    "_labels": "objectives",
    "_delta": "delta",
    "_maximise": "directions",
    "_low": "range of losses",
    "_high": "range of losses",
    "_epsilon": "tolerance",
    "_costs": "table of costs",
    "_measured": "table of costs",
}
Counts = npt.NDArray[np.int64]


def write_race(path: Path, stream: CertificateStream, asked: Counts, origin: str) -> None:
    """Write a race so that the file is the old one or the new one at every time."""
    from moltheory.runs import write_atomically

    with tempfile.TemporaryDirectory() as folder:
        inside = Path(folder) / "stream.npz"
        stream.save(inside)
        saved = inside.read_bytes()
    content = io.BytesIO()
    header = {"kind": _KIND, "origin": origin, "checksum": _checksum(saved, asked, origin)}
    np.savez(content, header=np.array(json.dumps(header)), asked=asked, stream=np.frombuffer(saved, np.uint8))
    write_atomically(path, content.getvalue())


def read_race(path: Path, fresh: CertificateStream, origin: str) -> tuple[CertificateStream, Counts]:
    """Return the stream in a file and what was asked for, (M, N).

    Raises
    ------
    InvalidInputError
        If the file is none that `write_race` wrote, is damaged, or is of another race than `fresh`, which has no
        examples yet, on the examples of `origin`.
    """
    called = shortened(visible(path.name))
    wrong = InvalidInputError(
        f"`state` must be a file that a race wrote, got {called!r}, which is damaged, or of another kind or version."
    )
    with reading(called, "be a file that a race wrote"):
        content = path.read_bytes()
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as archive:
                arrays: dict[str, npt.NDArray[Any]] = {name: archive[name] for name in archive.files}
        except (zipfile.BadZipFile, ValueError, AttributeError, TypeError):
            raise wrong from None
    try:
        header = json.loads(str(arrays["header"]))
        asked, saved = arrays["asked"], arrays["stream"].tobytes()
        if header["kind"] != _KIND or header["checksum"] != _checksum(saved, asked, header["origin"]):
            raise wrong
        with tempfile.TemporaryDirectory() as folder:
            inside = Path(folder) / "stream.npz"
            inside.write_bytes(saved)
            stream = CertificateStream.load(inside)
    except (InvalidInputError, KeyError, TypeError, ValueError, AttributeError):
        raise wrong from None
    for what, name in _FIXED.items():
        old, new = getattr(stream, what), getattr(fresh, what)
        if not np.array_equal(old, new):
            found = f": {quoted(old)}" if isinstance(old, tuple | float) else ""
            raise InvalidInputError(f"`state` must be of the same race, got one with another {name}{found}.")
    if header["origin"] != origin:
        raise InvalidInputError(
            "`state` must be of the same race, got one on other examples: of another table or `rng`, or of a function."
        )
    if asked.shape != (len(fresh._names), len(fresh._objectives)) or asked.dtype != np.int64:
        raise wrong
    return stream, asked.copy()


def _checksum(saved: bytes, asked: Counts, origin: str) -> str:
    found = hashlib.sha256(saved)
    found.update(np.ascontiguousarray(asked, dtype=np.int64).tobytes())
    found.update(origin.encode())
    return found.hexdigest()
