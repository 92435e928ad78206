"""Damaged and hostile files of tables: the right table, or one sentence; never another library's error, and no loss."""

import gzip
import io
import json
import pathlib
import tempfile
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from moltheory.errors import InvalidInputError, MoltheoryError, TooLargeError
from moltheory.evaluation import open_losses

from ._tables import FORMATS, long, tidy, wide

FORMS = {"wide": wide, "long": long, "tidy": tidy}
FILES = [kind for kind in FORMATS if kind not in ("folder", "partitions")]
OPTIONS = {"wide": {}, "long": {}, "tidy": {"example": "prompt", "objectives": ["error", "seconds"]}}


def _good(rng):
    """Files of all formats, as bytes with a name and options."""
    losses = (rng.random((30, 4, 2)) < 0.4).astype(float)
    clusters = np.arange(30) // 3
    files = []
    with tempfile.TemporaryDirectory() as folder:
        for form, write in FORMS.items():
            for kind in FILES:
                path = FORMATS[kind](write(losses, clusters), pathlib.Path(folder))
                files.append((path.name, path.read_bytes(), OPTIONS[form]))
    for save in (np.savez, np.savez_compressed):
        buffer = io.BytesIO()
        save(buffer, losses=losses, models=list("abcd"), cluster=clusters)
        files.append(("losses.npz", buffer.getvalue(), {}))
    buffer = io.BytesIO()
    np.save(buffer, losses)
    return [*files, ("losses.npy", buffer.getvalue(), {})]


def _truncated(content, rng):
    return content[: rng.integers(0, len(content))]


def _flipped(content, rng):
    changed = bytearray(content)
    for place in rng.integers(0, len(content), rng.integers(1, 6)):
        changed[place] ^= 1 << rng.integers(0, 8)
    return bytes(changed)


def _header_flipped(content, rng):
    changed = bytearray(content)
    for place in rng.integers(0, min(len(content), 128), 3):
        changed[place] = rng.integers(0, 256)
    return bytes(changed)


def _end_flipped(content, rng):
    return content[:-100] + _flipped(content[-100:], rng)


def _inserted(content, rng):
    place = rng.integers(0, len(content))
    new = (b"\0" * 9, b'"', b"\r", b"\n", b",,,", b"\xff\xfe", b"9" * 5000, b'{"a":', b"[" * 3000, b"\xc3", b"1e999")
    return content[:place] + new[rng.integers(len(new))] + content[place:]


def _recoded(content, rng):
    text = content.decode("latin-1")
    return text.encode(("utf-16", "utf-32", "utf-16-le", "utf-7")[rng.integers(4)])


def _doubled(content, rng):
    return content + content[: rng.integers(1, len(content))]


DAMAGES = (_truncated, _flipped, _header_flipped, _end_flipped, _inserted, _recoded, _doubled)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("seed", range(10))
def test_500_damaged_files_give_a_table_or_a_sentence(seed, tmp_path):
    rng = np.random.default_rng(seed)
    files = _good(rng)
    for number in range(50):
        name, content, options = files[rng.integers(len(files))]
        damage = DAMAGES[number % len(DAMAGES)]
        path = tmp_path / name
        path.write_bytes(damage(content, rng))
        try:
            for losses, _ in open_losses(path, **options).blocks():
                assert losses.size
                assert not (losses < 0).any()
                assert not (losses > 1).any()
        except (InvalidInputError, TooLargeError) as error:
            message = str(error)
            assert message.startswith("`"), message
            assert message.endswith("."), message
            assert message.isprintable(), message
            assert len(message) < 800, message


@pytest.mark.parametrize("kind", [*FILES, "npz", "compressed npz", "npy"])
def test_what_is_cut_off_is_not_lost_without_a_word(kind, tmp_path):
    """Every cut but at the end of a line is refused; there the file is one with fewer rows."""
    rng = np.random.default_rng(1)
    losses = rng.random((60, 4, 2))
    kinds = {"npz": np.savez, "compressed npz": np.savez_compressed, "npy": lambda path, losses: np.save(path, losses)}
    if kind in kinds:
        path = tmp_path / ("losses.npy" if kind == "npy" else "losses.npz")
        kinds[kind](path, losses=losses)
    else:
        path = FORMATS[kind](wide(losses, np.arange(60)), tmp_path)
    content = path.read_bytes()
    lines = kind in ("csv", "tsv", "semicolons", "jsonl")
    for place in rng.integers(0, len(content) - 1, 12):
        path.write_bytes(content[:place])
        try:
            found = sum(len(block) for block, _ in open_losses(path).blocks())
        except MoltheoryError:
            continue
        assert lines
        assert found in (content[:place].count(b"\n"), content[:place].count(b"\n") - 1)


HOSTILE = {
    "quote to the end": ("losses.csv", b'example,a,b\n1,0,1\n"2,1,0\n3,0,0\n'),
    "quote to another": ("losses.csv", b'example,a,b\n1,0,1\n"2,1,0\n3,0,0\n4"x,1,1\n'),
    "quote in an unread column": ("runs.csv", b'model,example,error,text\na,1,0,"x\nb,1,0,y\na,2,0,z\n'),
    "header only": ("losses.csv", b"a,b\n"),
    "duplicate header": ("losses.csv", b"a,b,a\n0,1,0\n"),
    "duplicate column of a tidy table": ("runs.csv", b"model,example,error,error\na,1,0,0\n"),
    "UTF-16": ("losses.csv", "a,b\n0,1\n".encode("utf-16")),
    "bytes": ("losses.csv", bytes(range(256)) * 8),
    "NULs": ("losses.csv", b"a,b\n0,1\n" + b"\0" * 4000),
    "a gzip bomb without lines": ("losses.csv.gz", lambda: gzip.compress(b"0" * 100_000_000)),
    "a key twice": ("losses.jsonl", b'{"a": 0, "b": 1, "a": 1}\n'),
    "deep": ("losses.jsonl", b'{"a": ' + b"[" * 100_000 + b"\n"),
    "a list": ("losses.jsonl", b"[0, 1]\n"),
    "text": ("losses.jsonl", b'{"a": "0", "b": 1}\n'),
    "a huge number": ("losses.jsonl", b'{"a": 1' + b"0" * 400 + b', "b": 1}\n'),
    "a number too long": ("losses.jsonl", b'{"a": 1' + b"0" * 9000 + b', "b": 1}\n'),
    "an object as a name": ("losses.jsonl", b'{"model": {"x": 1}, "example": 1, "loss": 1}\n'),
    "blank lines": ("losses.jsonl", b"\n\n"),
    "NPY that lies": (
        "losses.npy",
        b"\x93NUMPY\x01\x00\x46\x00" + b"{'descr': '<f8', 'fortran_order': False, 'shape': (999999999, 99999)}\n",
    ),
    "NPY of nonsense": ("losses.npy", b"\x93NUMPY\x01\x00\x10\x00" + b"((((((((((((((((" + b"\n"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_files_are_refused(what, tmp_path, refuses):
    name, content = HOSTILE[what]
    path = tmp_path / name
    path.write_bytes(content() if callable(content) else content)
    options = {"objectives": ["error"]} if name.startswith("runs") else {}
    refuses(name, lambda: list(open_losses(path, **options).blocks()))


def test_what_only_looks_odd_is_read(tmp_path):
    rows = b'model,example,text,error\na,"1 ""quoted""",5" pipe,0\nb,"1 ""quoted""","two\nlines, ""q""\r\n",1\n'
    path = tmp_path / "runs.csv"
    for content in (rows, b"\xef\xbb\xbf" + rows, rows.replace(b"\n", b"\r\n"), rows.rstrip(b"\n")):
        path.write_bytes(content)
        table = open_losses(path, objectives=["error"])
        np.testing.assert_array_equal(table.losses[:, :, 0], [[0, 1]])
    # a long answer in a field, as of a language model
    path.write_bytes(b'model,example,text,error\na,1,"' + b'word ""q""\n' * 30_000 + b'",0\nb,1,"",1\n')
    np.testing.assert_array_equal(open_losses(path, objectives=["error"]).losses[:, :, 0], [[0, 1]])


@pytest.mark.parametrize(
    "column",
    [
        pa.array([[0.0], [1.0]]),
        pa.array([{"x": 1}, {"x": 2}]),
        pa.array(["0", "1"]),
        pa.array([b"\xff", b"\xfe"]),
        pa.array([0, 1], pa.timestamp("s")),
        pa.array([0, 1], pa.duration("s")),
    ],
    ids=lambda column: str(column.type),
)
@pytest.mark.parametrize("role", ["a", "example"])
def test_columns_of_other_types_are_refused(role, column, tmp_path, refuses):
    path = tmp_path / "losses.parquet"
    parquet.write_table(pa.table({role: column, "b": [0.0, 1.0]}), path)
    if role == "example" and not pa.types.is_nested(column.type) and not pa.types.is_binary(column.type):
        assert open_losses(path).losses.shape == (2, 1, 1)
    else:
        refuses("losses.parquet", lambda: list(open_losses(path).blocks()))


@pytest.mark.parametrize(
    "column",
    [
        pa.array([0, 1], pa.uint64()),
        pa.array(np.array([0.0, 1.0], np.float16)),
        pa.array([False, True]),
        pa.array([0, 1], pa.decimal128(38, 5)),
        pa.array([0, 1], pa.decimal256(50, 3)),
        pa.array([0.0, 1.0]).dictionary_encode(),
    ],
    ids=lambda column: str(column.type),
)
def test_all_types_of_numbers_are_numbers(column, tmp_path):
    path = tmp_path / "losses.parquet"
    parquet.write_table(pa.table({"a": column, "b": pa.array([None, 0.1]).cast(pa.float64()), "c": pa.nulls(2)}), path)
    table = next(open_losses(path).blocks())[0][:, :, 0]
    np.testing.assert_array_equal(table, [[0, np.nan, np.nan], [1, 0.1, np.nan]])


def test_decimals_are_rounded_once(tmp_path):
    rng = np.random.default_rng(0)
    texts = [f"0.{rng.integers(10**16, 10**17)}" for _ in range(300)]
    path = tmp_path / "losses.parquet"
    parquet.write_table(pa.table({"a": pa.array(texts).cast(pa.decimal128(20, 18)), "b": pa.nulls(300)}), path)
    np.testing.assert_array_equal(open_losses(path).losses[:, 0, 0], [float(text) for text in texts])


def _archive(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in members:
            buffer = io.BytesIO()
            np.save(buffer, array, allow_pickle=True)
            archive.writestr(f"{name}.npy", buffer.getvalue())


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    "members",
    [
        [("losses", np.eye(2)), ("losses", np.ones((2, 2)))],
        [("losses", np.eye(2)), ("models", np.array(["a", {}], object))],
        [("losses", np.eye(2)), ("models", np.array([b"\xff", b"b"]))],
        [("losses", np.eye(2)), ("models", np.array(["a", "b", "c", "d", "e"]))],
        [("losses", np.eye(2)), ("cluster", np.array(["a", ""]))],
        [("losses", np.eye(2)), ("cluster", np.array(["2020", "NaT"], "datetime64[D]"))],
        [("losses", np.eye(2)), ("cluster", np.array([1 + 0j, np.nan]))],
        [("losses", np.array([[0, {}]], object))],
        [("losses", np.zeros((2, 2), "datetime64[s]"))],
        [("losses", np.zeros(3, [("a", float)]))],
    ],
    ids=range(10),
)
def test_archives_of_something_else_are_refused(members, tmp_path):
    path = tmp_path / "losses.npz"
    _archive(path, members)
    with pytest.raises(InvalidInputError, match=r"^`losses.npz"):
        list(open_losses(path).blocks())


def test_an_encrypted_archive_is_refused(tmp_path, refuses):
    path = tmp_path / "losses.npz"
    _archive(path, [("losses", np.eye(2))])
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    assert "encrypted" in refuses("losses.npz", lambda: list(open_losses(path).blocks()))


def test_a_changed_byte_of_an_archive_is_noticed(tmp_path, refuses):
    path = tmp_path / "losses.npz"
    np.savez(path, losses=np.eye(400))
    content = bytearray(path.read_bytes())
    place = content.index(np.float64(1).tobytes(), 9000)
    content[place + 6] ^= 0x10
    path.write_bytes(content)
    assert "CRC" in refuses("losses.npz", lambda: list(open_losses(path).blocks()))


def test_empty_parts_among_several(tmp_path, refuses):
    """An empty file of a run that failed is refused; Spark writes empty files into folders."""
    good = pd.DataFrame({"model": ["a", "b"], "example": [1, 1], "loss": [0.0, 1.0]})
    (tmp_path / "folder").mkdir()
    for name, frame in (("part-0", good), ("part-1", good[:0])):
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
        frame.to_parquet(tmp_path / "folder" / f"{name}.parquet")
    refuses("part-1.csv", open_losses, [tmp_path / "part-0.csv", tmp_path / "part-1.csv"])
    np.testing.assert_array_equal(open_losses(tmp_path / "folder").losses[:, :, 0], [[0, 1]])
    (tmp_path / "part-1.csv").write_text("")
    refuses("part-1.csv", open_losses, [tmp_path / "part-0.csv", tmp_path / "part-1.csv"])
    (tmp_path / "part-2.jsonl").write_text(json.dumps({"a": 0}))
    refuses("part-0.csv", open_losses, [tmp_path / "part-0.csv", tmp_path / "part-2.jsonl"])
