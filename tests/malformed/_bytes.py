"""Changes of bytes and of text that any file may suffer."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np

Change = Callable[[bytes, np.random.Generator], bytes]

ODD = (
    *(b"\0", b"\0" * 9, b"\x1a", b"\x1b[31m", b"\x07", b"\x7f", b"\r", b"\n", b"\r\n\r\n", b"\x0b\x0c\x1c\x85"),
    *(
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xfe\xff\0",
        b"\xc3",
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b"\xf5\xff",
        b"\xf4\x90\x80\x80",
    ),
    *(
        "\u202e".encode(),
        "\u2028".encode(),
        "e\u0301".encode(),
        "\U0001f469\u200d\U0001f680".encode(),
        "\ufeff".encode(),
    ),
    *(b'"', b'""', b"'", b",", b",,,", b";", b"\t", b"|", b"\\", b"\\n", b"=1+1", b"@x", b"#", b"$x^2$", b"<script>"),
    *(b"9" * 5000, b"1e999", b"-1e999", b"nan", b"inf", b"-0.0", b"1e-400", b"0x1p3", b"1_0", b"TRUE", b"None", b"1.5"),
    *(b"a" * 10_000, b"[" * 3000, b'{"a":' * 300, b"%s%n", b"../../x", b"\xd9\xa3", "½".encode(), b"1,5", b"-1", b"2"),
)


def _place(content: bytes, rng: np.random.Generator) -> int:
    return int(rng.integers(len(content) + 1))


def _range(content: bytes, rng: np.random.Generator) -> tuple[int, int]:
    start, end = sorted(int(place) for place in rng.integers(len(content) + 1, size=2))
    return start, min(end, start + int(rng.integers(1, 200)))


def _flip(content: bytes, rng: np.random.Generator) -> bytes:
    changed = bytearray(content)
    for place in rng.integers(len(content), size=int(rng.integers(1, 8))):
        changed[place] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _replace(content: bytes, rng: np.random.Generator) -> bytes:
    changed = bytearray(content)
    for place in rng.integers(len(content), size=int(rng.integers(1, 5))):
        changed[place] = int(rng.choice([0, 1, 0x7F, 0x80, 0xFF, int(rng.integers(256))]))
    return bytes(changed)


def _truncate(content: bytes, rng: np.random.Generator) -> bytes:
    return content[: _place(content, rng)]


def _behead(content: bytes, rng: np.random.Generator) -> bytes:
    return content[_place(content, rng) :]


def _drop(content: bytes, rng: np.random.Generator) -> bytes:
    start, end = _range(content, rng)
    return content[:start] + content[end:]


def _repeat(content: bytes, rng: np.random.Generator) -> bytes:
    start, end = _range(content, rng)
    return content[:end] + content[start:end] * int(rng.integers(1, 20)) + content[end:]


def _splice(content: bytes, rng: np.random.Generator) -> bytes:
    """Part of the file takes the place of another part."""
    start, end = _range(content, rng)
    place = _place(content, rng)
    return content[:place] + content[start:end] + content[place + end - start :]


def _zeros(content: bytes, rng: np.random.Generator) -> bytes:
    start, end = _range(content, rng)
    return content[:start] + bytes(end - start) + content[end:]


def _insert(content: bytes, rng: np.random.Generator) -> bytes:
    place = _place(content, rng)
    return content[:place] + ODD[int(rng.integers(len(ODD)))] + content[place:]


def _lie(content: bytes, rng: np.random.Generator) -> bytes:
    """A number of 2, 4 or 8 bytes, as lengths are, becomes an extreme one."""
    form, most = (("<H", 2**16), ("<I", 2**32), ("<Q", 2**64), (">I", 2**32), ("<i", 2**31))[int(rng.integers(5))]
    number = (0, 1, most - 1, most // 2 - 1, most // 4, min(most - 1, 2**30))[int(rng.integers(6))]
    near = int(rng.integers(3))
    ends = (len(content), min(len(content), 200), len(content))
    place = int(rng.integers(max(len(content) - 200, 0) if near == 2 else 0, ends[near] + 1))
    lied = struct.pack(form, number)
    return content[:place] + lied + content[place + len(lied) :]


def _empty(content: bytes, rng: np.random.Generator) -> bytes:
    return (b"", b"\n", b" \n \n", b"\0", b"\xef\xbb\xbf", b"\0" * 4096)[int(rng.integers(6))]


def _double(content: bytes, rng: np.random.Generator) -> bytes:
    return content + content[: _place(content, rng)]


def _recode(content: bytes, rng: np.random.Generator) -> bytes:
    codes = ("utf-16", "utf-32", "utf-16-le", "utf-16-be", "utf-7", "cp037")
    return content.decode("latin-1").encode(codes[int(rng.integers(len(codes)))], "replace")


def _field(content: bytes, rng: np.random.Generator) -> bytes:
    """One field between separators becomes something odd."""
    signs = b',;\t\n:{}[]"= '
    borders = [-1, *(place for place, sign in enumerate(content) if sign in signs), len(content)]
    number = int(rng.integers(len(borders) - 1))
    return content[: borders[number] + 1] + ODD[int(rng.integers(len(ODD)))] + content[borders[number + 1] :]


def _lines(content: bytes, rng: np.random.Generator) -> bytes:
    """Lines in another order, once more, or without an end."""
    rows = content.splitlines(keepends=True)
    if not rows:
        return content
    kind, row = int(rng.integers(4)), int(rng.integers(len(rows)))
    if kind == 0:
        rows = [rows[place] for place in rng.permutation(len(rows))]
    elif kind == 1:
        rows.insert(int(rng.integers(len(rows) + 1)), rows[row])
    elif kind == 2:
        rows[row] = rows[row].rstrip(b"\r\n")
    else:
        del rows[row]
    return b"".join(rows)


def _wider(content: bytes, rng: np.random.Generator) -> bytes:
    """Many more columns or rows than there were."""
    first, _, rest = content.partition(b"\n")
    more = int(rng.choice([100, 3000]))
    sign = b"," if b"," in first else b"\t"
    if rng.random() < 0.5:
        return sign.join([first, *(b"c%d" % number for number in range(more))]) + b"\n" + rest
    return first + sign * more + b"\n" + rest


BYTES: tuple[Change, ...] = (
    _flip,
    _replace,
    _truncate,
    _behead,
    _drop,
    _repeat,
    _splice,
    _zeros,
    _insert,
    _lie,
    _empty,
    _double,
)
TEXT: tuple[Change, ...] = (*BYTES, _recode, _field, _field, _field, _lines, _lines, _insert, _wider)


def changed(content: bytes, rng: np.random.Generator, changes: tuple[Change, ...]) -> bytes:
    """Return bytes after one change, which an empty file does not need."""
    return changes[int(rng.integers(len(changes)))](content, rng) if content else content
