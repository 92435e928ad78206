"""Files that stand for far more than they hold, or lie about their size: refused from the header or at a stated limit."""

import bz2
import gzip
import io
import json
import math
import struct
import time
import zipfile

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

import moltheory as mt
from moltheory.errors import InvalidInputError, TooLargeError
from moltheory.evaluation import open_losses


def _read(path, **options):
    return [block for block, _ in open_losses(path, **options).blocks()]


def _header(shape, descr="<f8", order=False, version=1, length=118):
    text = f"{{'descr': {descr!r}, 'fortran_order': {order}, 'shape': {shape}, }}".encode().ljust(length - 1) + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(text)) + text


def _archive(path, *members, kind=zipfile.ZIP_DEFLATED):
    """Members are a name, the first bytes and the number of zeros after them."""
    with zipfile.ZipFile(path, "w", kind) as archive:
        for name, head, zeros in members:
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                file.write(head)
                for _ in range(zeros >> 24):
                    file.write(bytes(1 << 24))
                file.write(bytes(zeros % (1 << 24)))
    return path


@pytest.mark.parametrize("order", [False, True])
def test_an_archive_says_its_size_before_it_is_read(order, tmp_path):
    path = tmp_path / "a.npz"
    _archive(path, ("losses", _header((75_000_000, 2), order=order), 0))
    content = bytearray(path.read_bytes())
    place = content.index(b"PK\x01\x02")
    content[place + 24 : place + 28] = struct.pack("<I", 128 + 75_000_000 * 16)
    path.write_bytes(content)
    with pytest.raises(TooLargeError, match="at most 500 times its size"):
        open_losses(path)


@pytest.mark.parametrize(
    ("member", "words"),
    [
        (("losses", _header((10**9, 2)), 80), "the header of 'losses.npy' says"),
        (("losses", _header((2**62, 2**62)), 80), "losses.npy"),
        (("losses", _header((-3, 2)), 48), "shape"),
        (("losses", b"\x93NUMPY\x02\x00\xff\xff\xff\xff", 80), "a header of 4,294,967,295 bytes"),
        (("losses", _header((1, 2**21), descr="|b1"), 2**21), "losses per example"),
        (("losses", b"", 0), "NPZ"),
    ],
)
def test_headers_in_an_archive_that_lie_are_refused(member, words, tmp_path):
    with pytest.raises((InvalidInputError, TooLargeError), match=r"^`a.npz` must .*" + words):
        open_losses(_archive(tmp_path / "a.npz", member))


@pytest.mark.parametrize(
    "content",
    [
        _header((-3, 2)) + bytes(48),
        _header((2**63 - 1, 4)) + bytes(48),
        _header((2, -(2**63))) + bytes(48),
        _header((2, 2), length=70_000, version=2) + bytes(32),
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + bytes(48),
        b"\x93NUMPY\x03\x00" + bytes(48),
        _header((1, 2**21), descr="|b1") + bytes(2**21),
    ],
    ids=range(7),
)
def test_headers_of_npy_that_lie_are_refused(content, tmp_path):
    path = tmp_path / "a.npy"
    path.write_bytes(content)
    with pytest.raises((InvalidInputError, TooLargeError), match=r"^`a.npy` must"):
        open_losses(path)


@pytest.mark.filterwarnings("error")
def test_a_header_of_python_2_is_read_without_a_warning(tmp_path):
    path = tmp_path / "a.npy"
    text = b"{'descr': '<f8', 'fortran_order': False, 'shape': (2L, 2L), }".ljust(117) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + np.eye(2).tobytes())
    np.testing.assert_array_equal(_read(path)[0][:, :, 0], np.eye(2))


@pytest.mark.parametrize("kind", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_of_an_archive_are_refused_before_they_unpack(kind, tmp_path, refuses):
    path = _archive(tmp_path / "a.npz", ("losses", _header((200_000, 2)), 3_200_000), kind=kind)
    assert "stored or deflated" in refuses("a.npz", open_losses, path)


def test_other_compressions_that_are_damaged_are_refused(tmp_path, refuses):
    path = _archive(tmp_path / "a.npz", ("losses", _header((20, 2)), 320), kind=zipfile.ZIP_LZMA)
    good = path.read_bytes()
    for place in range(30, len(good)):
        content = bytearray(good)
        content[place] ^= 0xFF
        path.write_bytes(content)
        refuses("a.npz", _read, path)


@pytest.mark.parametrize(
    "names",
    [
        np.frombuffer(struct.pack("<2I", 0x110000, 97), "<U1"),
        np.frombuffer(struct.pack("<2I", 0xFFFFFFFF, 97), "<U1"),
        np.array([b"\xff", b"a"]),
        np.array([["a", "b", "c"]]),
        np.zeros(2, "V4"),
    ],
    ids=range(5),
)
@pytest.mark.parametrize("role", ["models", "cluster"])
def test_labels_of_an_archive_are_text_or_refused(names, role, tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, losses=np.eye(2), **{role: names})
    message = "`a.npz"
    try:
        assert all(name.isprintable() for name in open_losses(path).model_names)
    except InvalidInputError as error:
        message = str(error)
    assert message.startswith("`a.npz")


def test_an_archive_that_ends_before_its_members_is_refused(tmp_path, refuses):
    path = _archive(tmp_path / "a.npz", ("losses", _header((20, 2)), 320))
    content = bytearray(path.read_bytes())
    place = content.index(b"PK\x01\x02")
    content[place + 20 : place + 24] = struct.pack("<I", 2**32 - 2)
    path.write_bytes(content)
    refuses("a.npz", open_losses, path)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", ["f4", "f2", "f8"])
def test_every_nan_of_a_file_is_a_missing_loss(kind, tmp_path):
    """Also a signalling one, at which processors complain."""
    path = tmp_path / "a.npy"
    losses = np.tile(np.eye(2), (20, 1)).astype(kind)
    signal = {"f2": b"\x01\x7c", "f4": b"\x01\x00\x80\x7f", "f8": b"\x01" + bytes(5) + b"\xf0\x7f"}[kind]
    losses[3, 0] = np.frombuffer(signal, kind)[0]
    np.save(path, losses)
    assert mt.certify(open_losses(path)).n_examples == 40


def test_members_are_never_extracted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    buffer = io.BytesIO()
    np.save(buffer, np.eye(2))
    for name in ("../../evil.npy", "/tmp/moltheory-evil.npy", "C:\\evil.npy", "a/../../b.npy"):
        with zipfile.ZipFile("a.npz", "w") as archive:
            archive.writestr(name, buffer.getvalue())
        assert _read("a.npz")[0].shape == (2, 2, 1)
        assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def _zstd(content):
    return pa.Codec("zstd").compress(content, asbytes=True)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, _zstd], ids=["gz", "bz2", "zst"])
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_compressed_text_that_swells_is_refused(pack, kind, tmp_path, monkeypatch):
    # Limits of a size for tests.
    monkeypatch.setattr("moltheory.evaluation._compressed._FREELY", 1 << 18)
    monkeypatch.setattr("moltheory.evaluation._read_json_lines._UNPACKED_FREELY", 1 << 18)
    head, row = (b"", b'{"a":0,"b":1}\n') if kind == "jsonl" else (b"a,b\n", b"0,0\n")
    path = tmp_path / f"a.{'jsonl' if kind == 'jsonl' else 'csv'}.x"
    path = path.with_suffix({"compress": ".gz"}.get(pack.__name__, ".zst"))
    # Many members, as a file of gigabytes would have.
    part = row * ((1 << 20) // len(row))
    path.write_bytes(pack(head + row) + pack(part) * 2)
    with pytest.raises(TooLargeError, match="200 times its size"):
        _read(path)


def test_text_that_is_well_compressed_is_read(tmp_path):
    path = tmp_path / "a.csv.gz"
    rng = np.random.default_rng(0)
    rows = "".join(f"{a},{b}\n" for a, b in (rng.random((200_000, 2)) < 0.01).astype(int))
    path.write_bytes(gzip.compress(b"a,b\n" + rows.encode()))
    assert sum(map(len, _read(path))) == 200_000


def test_rows_that_take_no_room_are_counted_before_they_are_read(tmp_path):
    path = tmp_path / "a.parquet"
    # Columns of nulls take no room at all.
    parquet.write_table(pa.table({"a": pa.nulls(10**8), "b": pa.nulls(10**8)}), path, row_group_size=10**8)
    with pytest.raises(TooLargeError, match="500 times its size"):
        open_losses(path)


def test_long_labels_are_refused_and_long_texts_are_left_out(tmp_path):
    path = tmp_path / "a.parquet"
    long = pa.array(["x" * (1 << 26), "y"])
    table = {"model": ["a", "b"], "example": ["1", "1"], "loss": [0.0, 1.0], "error": [0.0, 1.0]}
    parquet.write_table(pa.table({**table, "example": long}), path, compression="zstd")
    with pytest.raises(TooLargeError, match="labels of at most 4,096 bytes"):
        _read(path, objectives=["loss"])
    parquet.write_table(pa.table({**table, "answer": long}), path, compression="zstd")
    assert _read(path, objectives=["loss", "error"])[0].shape == (1, 2, 2)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"a,b\n" + b"0" * (1 << 26), "a line of"),
        ("a.csv", b"0" * (1 << 26), "a line of"),
        ("a.csv", b"," * (1 << 22), "columns"),
        ("a.csv", b'example,a,b\n1,0,0\n"' + b"0,0\n" * (1 << 20), "field larger than"),
        ("a.jsonl", b'{"a":"' + b"0" * (1 << 25), "lines of at most"),
    ],
    ids=["line", "header", "commas", "quote", "jsonl"],
)
def test_text_without_ends_is_refused_at_a_limit(name, content, words, tmp_path, refuses, monkeypatch):
    monkeypatch.setattr("moltheory.evaluation._read_text._LONGEST_FIELD", 1 << 20)
    path = tmp_path / name
    path.write_bytes(content)
    assert words in refuses(name, _read, path)


def test_tables_that_are_nearly_empty_are_refused(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps({f"m{i}": 0, "a": 1}) + "\n" for i in range(5_000)))
    with pytest.raises(TooLargeError, match="the same keys in all rows"):
        _read(path)
    path = tmp_path / "a.csv"
    path.write_text("model,example,objective,loss\n" + "".join(f"m{i},e{i},o{i},0\n" for i in range(2_000)))
    with pytest.raises(TooLargeError, match="4,000,000"):
        _read(path)


WIDE = {
    "parquet": lambda names, path: parquet.write_table(pa.table({name: [0.0, 1.0] for name in names}), path),
    "csv": lambda names, path: path.write_text(",".join(names) + ("\n" + ",".join("0" * len(names))) * 2),
    "jsonl": lambda names, path: path.write_text((json.dumps(dict.fromkeys(names, 0)) + "\n") * 2),
    "npz": lambda names, path: np.savez(path, losses=np.eye(2), **dict.fromkeys(names, np.zeros(1))),
}


@pytest.mark.parametrize("kind", WIDE)
def test_wide_headers_take_linear_time(kind, tmp_path):
    """Quadratic work on 2,000 names takes 16 times that on 500; the limit is half of it, beyond what is ever noise."""
    times = []
    for count in (500, 2_000):
        path = tmp_path / f"a.{kind}"
        WIDE[kind]([f"model {number}" for number in range(count)], path)
        found = []
        for _ in range(2):
            start = time.perf_counter()
            _read(path)
            found.append(time.perf_counter() - start)
        times.append(min(found))
    assert times[1] < 8 * times[0] + 2


def test_chosen_and_ignored_names_of_wide_tables(tmp_path):
    path = tmp_path / "a.csv"
    names = [f"{'x' * 1000}{number}" for number in range(2_000)]
    WIDE["csv"](names, path)
    assert open_losses(path, ignore=names[10:]).model_names == tuple(names[:10])
    assert open_losses(path, models=names[:1990]).model_names == tuple(names[:1990])
    assert math.prod(_read(path)[0].shape) == 4_000
