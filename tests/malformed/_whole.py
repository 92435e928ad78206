"""Files that are hostile as a whole: too large, too wide, too deep, or no files at all; by name."""

from __future__ import annotations

import gzip
import io
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from tests.malformed._valid import LOSSES, specimens

_TABLE = next(specimen for specimen in specimens() if specimen.name == "csv wide")
_NPY = b"\x93NUMPY\x01\x00\x76\x00"


class Whole(NamedTuple):
    """A file, how it is made, and the option of the command line that takes it where it is no table."""

    file: str
    write: Callable[[Path], object]
    option: str = ""


# Large contents are made where they are written: every process that collects the tests reads this module.
Content = bytes | Callable[[], bytes]


def _made(content: Content) -> bytes:
    return content() if callable(content) else content


def _bytes(content: Content) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(_made(content))


def _sparse(size: int, start: bytes = b"") -> Callable[[Path], object]:
    def write(path: Path) -> None:
        with path.open("wb") as file:
            file.write(start)
            file.truncate(size)

    return write


def _link(target: str) -> Callable[[Path], object]:
    return lambda path: path.symlink_to(target)


def _header(shape: tuple[int, ...], kind: str = "<f8", order: bool = False) -> bytes:
    text = repr({"descr": kind, "fortran_order": order, "shape": shape})
    return _NPY + text.encode().ljust(117) + b"\n"


def _zst(start: bytes, size: int, end: bytes = b"") -> Callable[[Path], object]:
    def write(path: Path) -> None:
        with pa.CompressedOutputStream(str(path), "zstd") as stream:
            stream.write(start)
            for _ in range(size // 2**24):
                stream.write(b"0" * 2**24)
            stream.write(end)

    return write


def _zip(
    *members: tuple[str, Content], kind: int = zipfile.ZIP_DEFLATED, size: int | None = None
) -> Callable[[Path], object]:
    """An archive; `size` is what its first member says of its size."""

    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", kind, compresslevel=1) as made:
            for name, content in members:
                made.writestr(zipfile.ZipInfo(name), _made(content), kind, compresslevel=1)
        if size is not None:
            content = bytearray(path.read_bytes())
            struct.pack_into("<I", content, content.index(b"PK\x01\x02") + 24, size)
            struct.pack_into("<I", content, 22, size)
            path.write_bytes(content)

    return write


def _columns(count: int) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        names = [f"m{number}" for number in range(count)]
        columns = [pa.array([0.0, 1.0])] * (count - 1) + [pa.array(["x", "y"])]
        parquet.write_table(pa.table(columns, names), path)

    return write


def _npz(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def _code_points(*numbers: int) -> np.ndarray:
    return np.array(numbers * 3, np.uint32).reshape(3, -1).view(f"<U{len(numbers)}").ravel()


def _costs(text: str) -> Whole:
    return Whole("costs.json", _bytes(text.encode()), "--costs")


_ONE_COST = '{"small": {"size": 1}, "large": {"size": 2}, "tree": {"size": %s}}'
_DOUBLE = "".join(f'"k{number}": 0, ' for number in range(150_000))
_WIDE = b",".join(b"m%d" % number for number in range(16_000)) + b"\n"
_KEYS = b"{" + b", ".join(b'"m%d": 0' % number for number in range(20_000))
_LOSSES = _header((3, 4, 1)) + bytes(96)

WHOLE: dict[str, Whole] = {
    "an empty file": Whole("losses.csv", _bytes(b"")),
    "an empty archive": Whole("losses.npz", _bytes(b"PK\x05\x06" + bytes(18))),
    "an archive without arrays": Whole("losses.npz", _zip(("readme.txt", b"x"))),
    "a file of nothing": Whole("losses.npz", _bytes(b"")),
    "an NPY file of nothing": Whole("losses.npy", _bytes(b"")),
    "a folder that is called like a table": Whole("losses.csv", Path.mkdir),
    "a folder that is called like a column file": Whole("losses.parquet", Path.mkdir),
    "a pipe": Whole("losses.csv", os.mkfifo),
    "a device": Whole("losses.csv", _link("/dev/zero")),
    "a device as an archive": Whole("losses.npz", _link("/dev/zero")),
    "the random device": Whole("losses.jsonl", _link("/dev/urandom")),
    "a full device": Whole("losses.parquet", _link("/dev/full")),
    "a link to nothing": Whole("losses.csv", _link("nothing")),
    "a link to itself": Whole("losses.csv", _link("losses.csv")),
    "a process": Whole("losses.csv", _link("/proc/self/mem")),
    "a pipe as costs": Whole("costs.csv", os.mkfifo, "--costs"),
    "a pipe as options": Whole("certify.toml", os.mkfifo, "--config"),
    "a pipe as names": Whole("names.txt", os.mkfifo, "--columns-file"),
    "a device as costs": Whole("costs.json", _link("/dev/zero"), "--costs"),
    "a device as costs in CSV": Whole("costs.csv", _link("/dev/zero"), "--costs"),
    "a device as options": Whole("certify.toml", _link("/dev/zero"), "--config"),
    "a device as names": Whole("names.txt", _link("/dev/zero"), "--columns-file"),
    "costs of 4 GiB of nothing": Whole("costs.json", _sparse(2**32), "--costs"),
    "costs in CSV of 4 GiB of nothing": Whole("costs.csv", _sparse(2**32, b"model,size\n"), "--costs"),
    "options of 4 GiB of nothing": Whole("certify.toml", _sparse(2**32), "--config"),
    "names of 4 GiB of nothing": Whole("names.txt", _sparse(2**32), "--columns-file"),
    "names of a folder": Whole("names.txt", Path.mkdir, "--columns-file"),
    "deep costs": _costs("[" * 100_000),
    "deep costs that end": _costs(_ONE_COST % ("[" * 900 + "]" * 900)),
    "large costs": _costs(_ONE_COST % "1e308"),
    "infinite costs": _costs(_ONE_COST % "1e999"),
    "costs of 400 digits": _costs(_ONE_COST % ("1" + "0" * 400)),
    "costs of 5,000 digits": _costs(_ONE_COST % ("9" * 5000)),
    "costs that are no numbers": _costs(_ONE_COST % "NaN"),
    "costs by half a letter": _costs(_ONE_COST.replace("size", "\\ud800") % "3"),
    "costs of half a letter": _costs(_ONE_COST % '"\\ud800"'),
    "costs with a key twice": _costs(
        '{"small": {"size": 1}, "small": {"size": 2}, "large": {"size": 2}, "tree": {"size": 3}}'
    ),
    "costs with a key twice among many": _costs("{" + _DOUBLE + '"k149999": 0}'),
    "names with a key twice": Whole(
        "names.json", _bytes(b'{"models": ["small"], "models": ["large"]}'), "--columns-file"
    ),
    "names of half a letter": Whole("names.json", _bytes(b'["x", "\\ud800"]'), "--columns-file"),
    "deep names": Whole("names.json", _bytes(b'{"models": ' * 900 + b"1" + b"}" * 900), "--columns-file"),
    "deep options": Whole("certify.toml", _bytes(b"delta = " + b"[" * 5000), "--config"),
    "options with dots": Whole("certify.toml", _bytes(b".".join([b"a"] * 5000) + b" = 1"), "--config"),
    "16,000 columns of CSV": Whole("losses.csv", _bytes(_WIDE + b"0," * 15_999 + b"x\n")),
    "16,000 columns of CSV of many rows": Whole(
        "losses.csv", _bytes(_WIDE + (b"0," * 15_999 + b"1\n") * 30 + b"0," * 15_999 + b"x\n")
    ),
    "16,000 columns twice": Whole("losses.csv", _bytes(_WIDE.replace(b"m9,", b"m8,") + b"0," * 15_999 + b"1\n")),
    "20,000 columns of Parquet": Whole("losses.parquet", _columns(20_000)),
    "20,000 keys in JSON": Whole("losses.jsonl", _bytes(_KEYS + b', "last": "x"}\n')),
    "a key twice among many": Whole("losses.jsonl", _bytes(b"{" + _DOUBLE.encode() + b'"k149999": 0}\n')),
    "a CSV file without line ends": Whole("losses.csv", _sparse(2**32, b"a,b")),
    "a CSV row without end": Whole("losses.csv", _sparse(2**32, b"a,b\n0,1\n")),
    "a quote without end": Whole("losses.csv", _sparse(2**31, b'a,b\n0,1\n"')),
    "JSON lines without line ends": Whole("losses.jsonl", _sparse(2**32, b'{"a": 0, "b": 1}')),
    "4 GiB of nothing as JSON lines": Whole("losses.jsonl", _sparse(2**32)),
    "4 GiB of nothing as Parquet": Whole("losses.parquet", _sparse(2**32, b"PAR1")),
    "4 GiB of nothing as Arrow": Whole("losses.feather", _sparse(2**32, b"ARROW1")),
    "4 GiB of nothing as an archive": Whole("losses.npz", _sparse(2**32, b"PK\x03\x04")),
    "a packed line without end": Whole("losses.csv.zst", _zst(b"a,b\n", 2**30)),
    "a packed header without end": Whole("losses.csv.zst", _zst(b"a,b", 2**30)),
    "a packed JSON line without end": Whole("losses.jsonl.zst", _zst(b'{"a": ', 2**30, b"}\n")),
    "a packed file of zeros": Whole(
        "losses.csv.gz", _bytes(lambda: b"".join([gzip.compress(b"0" * 2**22, 1, mtime=0)] * 256))
    ),
    "two million packed rows": Whole(
        "losses.csv.gz", _bytes(lambda: gzip.compress(b"a,b\n" + b"0,1\n" * 2**21, 1, mtime=0))
    ),
    "an array of 6 GiB in a small archive": Whole(
        "losses.npz", _zip(("losses.npy", _header((268_435_456, 3, 1)) + bytes(96)), size=6 * 2**29)
    ),
    "an array that lies": Whole("losses.npz", _zip(("losses.npy", _header((268_435_456, 3)) + bytes(96)))),
    "an array that lies in Fortran order": Whole(
        "losses.npz", _zip(("losses.npy", _header((6_666_666, 3), order=True) + bytes(96)))
    ),
    "names that lie": Whole(
        "losses.npz", _zip(("losses.npy", _LOSSES), ("models.npy", _header((500_000_000,), "<U4")))
    ),
    "names of 10^8 letters": Whole(
        "losses.npz", _zip(("losses.npy", _LOSSES), ("models.npy", _header((4,), "<U100000000")))
    ),
    "10^8 names": Whole(
        "losses.npz",
        _zip(("losses.npy", _LOSSES), ("models.npy", lambda: _header((100_000_000,), "|S1") + bytes(10**8))),
    ),
    "clusters of 10^8": Whole(
        "losses.npz",
        _zip(("losses.npy", _LOSSES), ("cluster.npy", lambda: _header((100_000_000,), "|u1") + bytes(10**8))),
    ),
    "many zeros in an archive": Whole(
        "losses.npz", _zip(("losses.npy", lambda: _header((2**22, 3), "|u1") + bytes(3 * 2**22)))
    ),
    "an NPY file that lies": Whole("losses.npy", _bytes(_header((999_999_999, 99_999)))),
    "an NPY file of zeros that is not there": Whole("losses.npy", _sparse(2**33, _header((2**30, 1)))),
    "names by half a letter": Whole("losses.npz", _bytes(_npz(losses=LOSSES * 1.0, models=_code_points(0xD800)))),
    "names by what is no letter": Whole("losses.npz", _bytes(_npz(losses=LOSSES * 1.0, models=_code_points(0x110000)))),
    "clusters by what is no letter": Whole(
        "losses.npz", _bytes(_npz(losses=LOSSES[:3] * 1.0, cluster=_code_points(0xFFFFFFFF)))
    ),
    "a log that only fills memory": Whole("m.eval", _zip(("header.json", lambda: b"[[]" + b",[]" * 2**26 + b"]"))),
    "a log of blanks": Whole("m.eval", _zip(("header.json", lambda: b" " * 2**28))),
    "a log of 4 GiB of nothing": Whole("run.json", _sparse(2**32, b'{"testCases": ')),
    "a log of a gigabyte of nothing": Whole("run.json", _sparse(10**9, b'{"testCases": ')),
    "a log without line ends": Whole("samples_arc.jsonl", _sparse(2**32, b'{"doc_id": 0, "acc": 1')),
}
"""Everything here is refused, or read where it is only large."""


def write_whole(name: str, folder: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Write a hostile file, beside a table in order where it is none itself; return what is opened and the options."""
    file, write, option = WHOLE[name]
    if option:
        (folder / "losses.csv").write_bytes(_TABLE.files["losses.csv"])
    write(folder / file)
    return (("losses.csv",), (option, file)) if option else ((file,), ())
