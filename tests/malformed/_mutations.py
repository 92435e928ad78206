"""Malformed files by number: each number below any limit stands for one file, the same on every run."""

from __future__ import annotations

import bz2
import gzip
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from tests.malformed._archives import npy_changed, zip_changed
from tests.malformed._bytes import BYTES, TEXT, changed
from tests.malformed._columns import columns_changed
from tests.malformed._documents import json_changed, lines_changed
from tests.malformed._valid import Specimen, specimens

_SEED = 17
Change = Callable[[bytes, np.random.Generator], bytes]

_WHOLE: dict[str, Change] = {
    "text": lambda content, rng: changed(content, rng, TEXT),
    "json": json_changed,
    "lines": lines_changed,
    "npy": npy_changed,
    "parquet": lambda content, rng: columns_changed(content, rng, arrow=False),
    "arrow": lambda content, rng: columns_changed(content, rng, arrow=True),
}
_PACKED: dict[str, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    "gzip": (gzip.decompress, lambda content: gzip.compress(content, 1, mtime=0)),
    "bz2": (bz2.decompress, bz2.compress),
    "zstd": (
        lambda content: bytes(pa.CompressedInputStream(pa.py_buffer(content), "zstd").read()),
        lambda content: bytes(pa.Codec("zstd").compress(content, asbytes=True)),
    ),
}


class Case(NamedTuple):
    """A specimen and the bytes of its changed file."""

    specimen: Specimen
    content: bytes


def mutated(content: bytes, layers: tuple[str, ...], rng: np.random.Generator) -> bytes:
    """Return a file with a change in one of the layers that it is made of."""
    outer, *inner = layers
    if outer == "zip":
        return zip_changed(content, rng, _WHOLE[inner[0]])
    if outer in _PACKED:
        if rng.random() < 0.3:
            return changed(content, rng, BYTES)
        unpack, pack = _PACKED[outer]
        return pack(mutated(unpack(content), tuple(inner), rng))
    return _WHOLE[outer](content, rng)


def malformed(number: int) -> Case:
    """Return malformed file `number`: specimens take turns, all else follows from the number."""
    every = specimens()
    specimen = every[number % len(every)]
    rng = np.random.default_rng([_SEED, number])
    content = mutated(specimen.files[specimen.target], specimen.layers, rng)
    while rng.random() < 0.1 and len(content) < 10**6:
        content = changed(content, rng, BYTES)
    return Case(specimen, content)


def write_case(case: Case, folder: Path) -> None:
    """Write the files of a case into a folder."""
    for name, content in case.specimen.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(case.content if name == case.specimen.target else content)


def described(number: int, case: Case) -> str:
    """Return what names a file, and how to make it again."""
    return (
        f"file {number} ({case.specimen.name}, {len(case.content):,} bytes, CRC {zlib.crc32(case.content):08x}); again by "
        f"`python -m tests.malformed._run {number} FOLDER`"
    )
