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
import math
import os
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from moltheory.errors import InvalidInputError, OutputError
from moltheory.runs._fingerprint import fingerprint
from moltheory.runs._places import Place, open_file, write_file
from moltheory.runs._remedies import reason_of, remedy_for

__all__ = ["KEY", "Columns", "Part", "load_part", "part_name", "save_part"]

Columns = dict[str, npt.NDArray[Any]]

KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,100}")
"""What a block can be called: its part is a file in the folder."""

_LABEL = "__part__"
_DIGITS = 64
_CHUNK = 1 << 20
# What an archive that is not one of ours can raise.
_UNREADABLE = (
    *(ValueError, LookupError, TypeError, AttributeError, OSError, EOFError, RuntimeError, NotImplementedError),
    *(OverflowError, RecursionError, MemoryError, zipfile.BadZipFile, zlib.error),
)


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


def save_part(folder: Place, run: str, key: str, result: object, *, seconds: float) -> Part:
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
    write_file(folder / part_name(key), body + hashlib.sha256(body).hexdigest().encode())
    return Part(columns, seconds, _checksum(key, columns))


def load_part(folder: Place, run: str, key: str, *, argument: str) -> Part | None:
    """Read a part back and verify it; None if there is none.

    Raises
    ------
    InvalidInputError
        If it cannot be read, a byte is missing or altered, or it belongs to another run or block.
    """
    path = folder / part_name(key)

    def refused(found: str, remedy: str = "delete this file to have its block computed again") -> InvalidInputError:
        return InvalidInputError(
            f"`{argument}` must hold whole parts of one run, got {str(path)!r}, which {found}; {remedy}."
        )

    try:
        with open_file(path) as file:
            # Before it is held in memory: what took the place of a part may be of any size.
            if not _is_whole(file):
                raise refused("is truncated or altered")
            file.seek(0)
            data = file.read()
    except FileNotFoundError:
        return None
    except OutputError:
        # Of object storage, in words of its own.
        raise
    except OSError as error:
        remedy = remedy_for(error, otherwise="delete it to have its block computed again")
        raise refused(f"cannot be read ({reason_of(error)})", remedy) from None
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            label = json.loads(str(archive[_LABEL]))
            columns = {name: archive[name] for name in archive.files if name != _LABEL}
        owner, seconds = (label["run"], label["key"]), float(label["seconds"])
        if not 0.0 <= seconds < math.inf:
            raise ValueError("seconds must be finite and >= 0")
    except _UNREADABLE:
        raise refused("is not a part of a run") from None
    if owner != (run, key):
        raise refused("belongs to another run or block")
    return Part(columns, seconds, _checksum(key, columns))


def _is_whole(file: BinaryIO) -> bool:
    """Whether the last bytes of a file are the digest of all others."""
    left = file.seek(0, os.SEEK_END) - _DIGITS
    file.seek(0)
    digest = hashlib.sha256()
    while left > 0 and (chunk := file.read(min(left, _CHUNK))):
        digest.update(chunk)
        left -= len(chunk)
    return left == 0 and file.read() == digest.hexdigest().encode()


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
