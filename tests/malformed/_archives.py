"""Changes of ZIP archives and of the arrays in them: headers that lie, members that are not what they seem."""

from __future__ import annotations

import ast
import io
import struct
import warnings
import zipfile
from collections.abc import Callable
from functools import cache

import numpy as np

from tests.malformed._bytes import BYTES, changed

_NAMES = (
    *(
        "../evil.npy",
        "/tmp/evil.npy",
        "..\\evil.npy",
        "C:\\evil.npy",
        "samples/../../evil.json",
        "a\0b.npy",
        ".npy",
        "x" * 3000,
    ),
    *(
        "\udcff.npy".encode("utf-8", "surrogateescape").decode("latin-1"),
        "losses.npy",
        "models.npy",
        "samples/",
        "header.json",
    ),
)
_DESCRIPTIONS = (
    *(
        "'|O'",
        "'<f16'",
        "'<f2'",
        "'<c16'",
        "'<M8[s]'",
        "'<m8'",
        "'|S9'",
        "'<U9'",
        "'|V8'",
        "'<U999999999'",
        "'<f3'",
        "'?'",
        "'x'",
    ),
    *(
        "[('a', '<f8')]",
        "[('a', '|O')]",
        "[]",
        "()",
        "None",
        "7",
        "'" + "<f8" * 3000 + "'",
        "'<i8'",
        "'|b1'",
        "'|u1'",
        "'>f8'",
    ),
)
_SHAPES = (
    *(
        "()",
        "(0,)",
        "(12,)",
        "(12, 3)",
        "(12, 0, 2)",
        "(0, 3, 2)",
        "(-1, 3, 2)",
        "(2.0, 3)",
        "('a', 3)",
        "(True, 3)",
        "12",
        "None",
    ),
    *(
        "(999999999, 99999)",
        "(9223372036854775807, 3)",
        "(99999999999999999999999, 2)",
        "(1, 1, 1, 1)",
        "(805306368, 1)",
        "(12, 3, 3)",
    ),
    "(" + "1, " * 40 + ")",
)


def npy_changed(content: bytes, rng: np.random.Generator) -> bytes:
    """Return an NPY file whose header says something else, or whose bytes are changed."""
    kind = int(rng.integers(6))
    if kind == 0 or content[:6] != b"\x93NUMPY":
        return changed(content, rng, BYTES)
    length = struct.unpack("<H", content[8:10])[0]
    header, rest = content[10 : 10 + length].decode("latin-1"), content[10 + length :]
    known = ast.literal_eval(header)
    parts = {
        "descr": repr(known["descr"]),
        "fortran_order": repr(known["fortran_order"]),
        "shape": repr(known["shape"]),
    }
    if kind == 1:
        parts["descr"] = _DESCRIPTIONS[int(rng.integers(len(_DESCRIPTIONS)))]
    elif kind == 2:
        parts["shape"] = _SHAPES[int(rng.integers(len(_SHAPES)))]
    elif kind == 3:
        parts["fortran_order"] = ("True", "1", "None", "'x'", "__import__('os')", "[0]")[int(rng.integers(6))]
    elif kind == 4:
        text = ("((((((", "{" * 200, "-" * 9000 + "1", "{'descr': '<f8'}", "\0" * 9, "{}", "1", "[" * 9000)[
            int(rng.integers(8))
        ]
        return _npy(text, rest, rng)
    else:
        del parts[list(parts)[int(rng.integers(3))]]
    return _npy("{" + ", ".join(f"'{name}': {value}" for name, value in parts.items()) + ", }", rest, rng)


def _npy(header: str, rest: bytes, rng: np.random.Generator) -> bytes:
    text = header.encode("latin-1") + b"\n"
    version = (b"\x01\x00", b"\x01\x00", b"\x02\x00", b"\x03\x00", b"\xff\x07")[int(rng.integers(5))]
    true = len(text)
    said = true if rng.random() < 0.8 else int(rng.choice([0, 1, 60_000, true - 1, true + 1]))
    size = (
        struct.pack("<H", min(said, 65535))
        if version == b"\x01\x00"
        else struct.pack("<I", said if said != 60_000 else 2**31)
    )
    return b"\x93NUMPY" + version + size + text + rest


@cache
def _bomb(array: bool) -> bytes:
    """Much that takes little: zeros behind the header of an array, or blanks before a document."""
    head = (
        b"\x93NUMPY\x01\x00\x76\x00"
        + b"{'descr': '<f8', 'fortran_order': False, 'shape': (8388608, 3), }".ljust(117)
        + b"\n"
    )
    return head + bytes(8 * 3 * 8_388_608) if array else b"[[]" + b",[]" * 12_000_000 + b"]"


def zip_changed(
    content: bytes, rng: np.random.Generator, inner: Callable[[bytes, np.random.Generator], bytes]
) -> bytes:
    """Return an archive with a changed member, other members, other compression, or headers that lie."""
    kind = int(rng.integers(10))
    if kind == 0:
        return changed(content, rng, BYTES)
    with zipfile.ZipFile(io.BytesIO(content)) as given:
        members = [(entry.filename, given.read(entry), entry.compress_type) for entry in given.infolist()]
    place = int(rng.integers(len(members)))
    name, data, packed = members[place]
    if kind <= 3:
        members[place] = name, inner(data, rng), packed
    elif kind == 4:
        members[place] = _NAMES[int(rng.integers(len(_NAMES)))], data, packed
    elif kind == 5:
        members.append((_NAMES[int(rng.integers(len(_NAMES)))], inner(data, rng), packed))
    elif kind == 6:
        members = [members[i] for i in rng.integers(len(members), size=int(rng.integers(len(members) + 2)))]
    elif kind == 7 and rng.random() < 0.2:
        members[place] = name, _bomb(name.endswith(".npy")), zipfile.ZIP_DEFLATED
    elif kind == 7:
        members[place] = name, data, (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, zipfile.ZIP_STORED)[int(rng.integers(3))]
    written = _written(members)
    return _lying(written, rng) if kind >= 8 else written


def _written(members: list[tuple[str, bytes, int]]) -> bytes:
    buffer = io.BytesIO()
    # Names that occur twice are meant.
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as made:
        warnings.simplefilter("ignore", UserWarning)
        for name, data, packed in members:
            entry = zipfile.ZipInfo("x")
            entry.filename = name
            made.writestr(entry, data, packed, compresslevel=1)
    return buffer.getvalue()


def _lying(content: bytes, rng: np.random.Generator) -> bytes:
    """One field of the central directory, and sometimes of the member's own header, becomes another one."""
    lied = bytearray(content)
    entries = [place for place in range(len(content) - 46) if content[place : place + 4] == b"PK\x01\x02"]
    if not entries:
        return content
    entry = entries[int(rng.integers(len(entries)))]
    local = struct.unpack_from("<I", content, entry + 42)[0]
    # Places in the directory's entry and in the local header, the form, and values of each.
    fields: tuple[tuple[int, int | None, str, tuple[int, ...]], ...] = (
        (8, 6, "<H", (1, 0x41, 0x20, 0x2000, 0x800, 8)),
        (10, 8, "<H", (1, 6, 9, 12, 14, 20, 93, 95, 97, 98, 99, 65535)),
        (16, 14, "<I", (0, 2**32 - 1)),
        (20, 18, "<I", (0, 1, 2**31, 2**32 - 2, 2**32 - 1)),
        (24, 22, "<I", (0, 1, 2**31, 6 * 2**29, 2**32 - 1)),
        (28, 26, "<H", (0, 1, 65535)),
        (30, 28, "<H", (1, 65535)),
        (42, None, "<I", (0, 1, len(content), 2**32 - 2)),
    )
    there, own, form, values = fields[int(rng.integers(len(fields)))]
    value = values[int(rng.integers(len(values)))]
    struct.pack_into(form, lied, entry + there, value)
    if own is not None and rng.random() < 0.6:
        struct.pack_into(form, lied, local + own, value)
    return bytes(lied)
