"""Races in files: the stream as it is saved by itself, what was asked for, and of which examples."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import stat
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._reading import reading
from moltheory._core._text import quoted, shortened, visible
from moltheory._core._validation import FloatArray
from moltheory.certification._stream import CertificateStream
from moltheory.certification._stream_file import stream_bytes, stream_from
from moltheory.errors import InvalidInputError

__all__ = ["read_race", "state_path", "write_race"]

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


def state_path(state: object) -> Path:
    """Return where a race is to be kept, where a file can be written or is.

    Raises
    ------
    InvalidInputError
        If it is no path, its folder is missing or cannot be written to, or something else than a file is there.
    """
    if not isinstance(state, str | os.PathLike) or not str(state):
        found = "an empty text" if state == "" else type(state).__name__
        raise InvalidInputError(f"`state` must be the path of a file, got {found}.")
    path = Path(state)
    called = quoted(visible(str(path)))
    try:
        with tempfile.TemporaryFile(dir=path.parent), contextlib.suppress(FileNotFoundError):
            mode = os.stat(path).st_mode
            if not stat.S_ISREG(mode):
                found = "a folder" if stat.S_ISDIR(mode) else "a device, a pipe or a socket"
                raise InvalidInputError(f"`state` must be the path of a file of a race, got {found}: {called}.")
    except (OSError, ValueError) as error:
        if isinstance(error, InvalidInputError):
            raise
        raise InvalidInputError(
            f"`state` must be a file in a folder that is there and can be written to, got {called}."
        ) from None
    return path


def write_race(path: Path, stream: CertificateStream, asked: Counts, prices: FloatArray, origin: str) -> None:
    """Write a race so that the file is the old one or the new one at every time."""
    from moltheory.runs import write_atomically

    saved = stream_bytes(stream)
    content = io.BytesIO()
    header = {"kind": _KIND, "origin": origin, "checksum": _checksum(saved, asked, prices, origin)}
    stored = np.frombuffer(saved, np.uint8)
    np.savez(content, header=np.array(json.dumps(header)), asked=asked, prices=prices, stream=stored)
    write_atomically(path, content.getvalue())


def read_race(
    path: Path, fresh: CertificateStream, prices: FloatArray, origin: str
) -> tuple[CertificateStream, Counts]:
    """Return the stream in a file and what was asked for, (M, N).

    Raises
    ------
    InvalidInputError
        If the file is none that `write_race` wrote, is damaged, or is of another race than `fresh`, which has no
        examples yet, on the examples of `origin`, or had other prices (M, N).
    """
    called = shortened(visible(path.name))
    wrong = InvalidInputError(
        f"`state` must be a file that a race wrote, got {called!r}, which is damaged, or of another kind or version."
    )
    with reading("state", "be a file that a race wrote"):
        content = path.read_bytes()
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as archive:
                arrays: dict[str, npt.NDArray[Any]] = {name: archive[name] for name in archive.files}
        except (zipfile.BadZipFile, ValueError, AttributeError, TypeError):
            raise wrong from None
    try:
        header = json.loads(str(arrays["header"]))
        asked, paid, saved = arrays["asked"], arrays["prices"], arrays["stream"].tobytes()
        if header["kind"] != _KIND or header["checksum"] != _checksum(saved, asked, paid, header["origin"]):
            raise wrong
        stream = stream_from(CertificateStream, saved, called)
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
    if not np.array_equal(paid, prices):
        raise InvalidInputError(
            "`evaluation_costs` must be those of the race in `state`, got others, at which its cost so far would change."
        )
    return stream, asked.copy()


def _checksum(saved: bytes, asked: Counts, prices: FloatArray, origin: str) -> str:
    found = hashlib.sha256(saved)
    found.update(np.ascontiguousarray(asked, dtype=np.int64).tobytes())
    found.update(np.ascontiguousarray(prices, dtype=np.float64).tobytes())
    found.update(origin.encode())
    return found.hexdigest()
