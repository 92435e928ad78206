"""One part of a run: the columns of one block in one file, whole or refused.

A part is an ordinary ``.npz`` archive (`numpy.load` reads it) whose comment, its last 64 bytes, is the SHA-256 of
all bytes before. The CRC-32 of a zip archive is no substitute: it does not cover names, types of members and lengths,
so that altered bits change what is read, and an archive that lost its last bytes is read as whole. Beside the columns
a part holds which run and which block it belongs to, and the seconds it took.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory.errors import InvalidInputError
from moltheory.runs._files import write_atomically
from moltheory.runs._fingerprint import fingerprint

__all__ = ["Columns", "Part", "load_part", "part_name", "save_part"]

Columns = dict[str, npt.NDArray[Any]]

_LABEL = "__part__"
_DIGITS = 64


@dataclass(frozen=True, eq=False)
class Part:
    """The finished result of one block.

    Attributes
    ----------
    columns : dict of str to ndarray
    seconds : float
        What the computation took, in whichever process did it.
    checksum : str
        Of the block's key and columns; the seconds do not enter, so every process that computes the block finds
        the same.
    """

    columns: Columns
    seconds: float
    checksum: str


def part_name(key: str) -> str:
    """Return the file name of a block's part."""
    return f"part-{key}.npz"


def save_part(folder: Path, run: str, key: str, result: object, *, seconds: float) -> Part:
    """Write the result of a block, atomically, and return it as a part.

    Raises
    ------
    InvalidInputError
        If the result is not a mapping of names to arrays of plain dtype.
    OutputError
        If it cannot be written.
    """
    columns = _check_columns(result)
    label = json.dumps({"run": run, "key": key, "seconds": seconds})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in ((_LABEL, np.array(label)), *columns.items()):
            member = io.BytesIO()
            np.lib.format.write_array(member, array, allow_pickle=False)
            # An explicit ZipInfo has a fixed date, so that equal content is equal bytes.
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue())
        archive.comment = b"0" * _DIGITS
    body = buffer.getvalue()[:-_DIGITS]
    write_atomically(folder / part_name(key), body + hashlib.sha256(body).hexdigest().encode())
    return Part(columns, seconds, _checksum(key, columns))


def load_part(folder: Path, run: str, key: str, *, argument: str) -> Part | None:
    """Read a part back and verify it; None if there is none.

    Raises
    ------
    InvalidInputError
        If it cannot be read, a byte is missing or altered, or it belongs to another run or block.
    """
    path = folder / part_name(key)

    def refusal(found: str) -> InvalidInputError:
        return InvalidInputError(
            f"`{argument}` must hold whole parts of one run, got {str(path)!r}, which {found}; "
            "delete this file to have its block computed again."
        )

    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise refusal(f"cannot be read ({error.strerror})") from None
    body, digits = data[:-_DIGITS], data[-_DIGITS:]
    if hashlib.sha256(body).hexdigest().encode() != digits:
        raise refusal("is truncated or altered")
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            label = json.loads(str(archive[_LABEL]))
            columns = {name: archive[name] for name in archive.files if name != _LABEL}
        owner, seconds = (label["run"], label["key"]), float(label["seconds"])
    except (ValueError, KeyError, TypeError, OSError, zipfile.BadZipFile):
        raise refusal("is not a part of a run") from None
    if owner != (run, key):
        raise refusal("belongs to another run or block")
    return Part(columns, seconds, _checksum(key, columns))


def _checksum(key: str, columns: Columns) -> str:
    return fingerprint((key, columns))


def _check_columns(result: object) -> Columns:
    if not isinstance(result, Mapping):
        raise InvalidInputError(
            f"`function` must return a mapping of names to arrays where results are stored, got {type(result).__name__}."
        )
    columns = {name: np.asarray(array) for name, array in result.items()}
    for name, array in columns.items():
        if not isinstance(name, str) or not name.isidentifier() or name == _LABEL:
            raise InvalidInputError(f"`function` must return columns named by identifiers, got {name!r}.")
        if array.dtype.hasobject:
            raise InvalidInputError(f"`function` must return arrays of plain dtype, got objects in {name!r}.")
    return columns
