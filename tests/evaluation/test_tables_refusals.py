"""What would be silently wrong is refused in one sentence, whatever the format that holds it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

import moltheory.evaluation._readers as registry
from moltheory.evaluation import Reader, open_losses, readers, register_reader

from ._tables import FORMATS

SIMPLE = ["csv", "tsv", "csv.gz", "csv.zst", "semicolons", "jsonl", "jsonl.gz", "parquet", "folder", "arrow"]


def _read(path, **options):
    """All losses, which reads every row."""
    return [block for block, _ in open_losses(path, **options).blocks()]


def _shown(path):
    """Name in messages: a folder of several files has its own, one of a single file that of the file."""
    return "part-0.parquet" if path.is_dir() and len(list(path.glob("part-*"))) == 1 else path.name


def _frame(**columns):
    n = len(next(iter(columns.values()))) if columns else 8
    return pd.DataFrame({"a": np.tile([0, 1], n)[:n], "b": np.tile([1, 1, 0], n)[:n]} | columns)


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind != "partitions"])
@pytest.mark.parametrize("form", ["wide", "long"])
def test_rows_without_a_cluster_are_refused(kind, form, tmp_path, refuses):
    clusters = ["x", None, "y", None]
    frame = pd.DataFrame({"a": [0, 1, 1, 0], "b": [1, 0, 1, 0], "cluster": clusters})
    if form == "long":
        rows = [(e, m, e % 2, clusters[e]) for e in range(4) for m in "ab"]
        frame = pd.DataFrame(rows, columns=["example", "model", "loss", "cluster"])
    path = FORMATS[kind](frame, tmp_path)
    assert "a cluster in column 'cluster' in every row" in refuses(_shown(path), _read, path)


@pytest.mark.parametrize(
    "clusters",
    [[1.0, np.nan, 2.0], ["x", "", "y"], np.array(["2020-01-01", "NaT", "2020-01-02"], "M8[D]"), [b"x", b"", b"y"]],
)
def test_examples_of_an_archive_without_a_cluster_are_refused(clusters, tmp_path, refuses):
    np.savez(tmp_path / "a.npz", losses=np.eye(3), cluster=np.array(clusters))
    assert "none for example 2" in refuses("a.npz", open_losses, tmp_path / "a.npz")


def test_an_archive_keeps_what_it_holds_or_says_so(tmp_path, refuses):
    path = tmp_path / "a.npz"
    np.savez(path, losses=np.eye(3), groups=[1, 1, 2])
    assert "clusters='groups'" in refuses("a.npz", open_losses, path)
    assert open_losses(path, clusters="groups").has_clusters
    np.savez(path, losses=np.eye(3), curve=np.arange(9.0))
    assert "'curve'" in open_losses(path).notes[0]
    np.savez(path, losses=np.eye(2), models=np.array(["größer", "klein"]).astype("U"), objectives=[b"error"])
    assert open_losses(path).objective_names == ("error",)
    np.savez(path, losses=np.eye(2), models=np.array(["größer".encode(), b"klein"]))
    assert open_losses(path).model_names == ("größer", "klein")
    np.savez(path, losses=np.eye(2), models=np.array(["größer".encode("latin-1"), b"klein"]))
    refuses("a.npz", open_losses, path)
    np.savez(path, losses=np.eye(2), models=np.array(["a", "b"], object))
    refuses("a.npz", open_losses, path)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", "a,b,a\n0,1,0\n", "'a' twice"),
        ("a.tsv", "a\tb\ta\n0\t1\t0\n", "'a' twice"),
        ("a.csv", "example,model,loss,loss\n0,a,0,1\n", "'loss' twice"),
        ("a.jsonl", '{"a": 0, "b": 1, "a": 1}\n', "'a' twice"),
        ("a.parquet", ["a", "b", "a"], "'a' twice"),
        ("a.feather", ["a", "b", "a"], "'a' twice"),
    ],
)
def test_what_stands_twice_is_refused(name, content, words, tmp_path, refuses):
    path = tmp_path / name
    if isinstance(content, str):
        path.write_text(content)
    else:
        table = pa.Table.from_arrays([pa.array([0, 1])] * 3, names=content)
        parquet.write_table(table, path) if name == "a.parquet" else pa.feather.write_feather(table, path)
    assert words in refuses(name, _read, path)


@pytest.mark.parametrize("form", ["long", "wide"])
@pytest.mark.parametrize("kind", SIMPLE)
def test_an_example_twice_is_refused(kind, form, tmp_path, refuses):
    frame = _frame(example=list("xyzx"))
    if form == "long":
        frame = frame.melt("example", var_name="model", value_name="loss")
    path = FORMATS[kind](frame, tmp_path)
    assert "once" in refuses(_shown(path), _read, path)


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl"])
@pytest.mark.parametrize("before", [0, 150, 300_000])
def test_true_is_one_wherever_it_stands(name, before, tmp_path, refuses, monkeypatch):
    if name == "a.jsonl":
        # Several batches, of a size for tests.
        before = min(before, 300)
        monkeypatch.setattr("moltheory.evaluation._read_json_lines._ROWS_PER_BATCH", 64)
    path = tmp_path / name

    def write(last):
        if name == "a.jsonl":
            path.write_text(
                '{"a": 1.0, "b": 0}\n' * before + f'{{"a": {last.lower()}, "b": 0}}\n{{"a": false, "b": 0}}\n'
            )
        else:
            rows = "a,b\n" + "1.0,0\n" * before + f"{last},0\nFalse,0\n"
            path.write_text(rows.replace(",", "\t") if name == "a.tsv" else rows)

    write("True")
    losses = np.concatenate(_read(path))[:, 0, 0]
    np.testing.assert_array_equal(losses, [*[1.0] * before, 1.0, 0.0])
    write("0.5")
    message = refuses(name, _read, path)
    assert f"line {before + 2 - (name == 'a.jsonl')}" in message
    assert "0.5" in message


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet", "npz"])
def test_what_was_not_chosen_is_not_checked(kind, tmp_path, refuses):
    losses = np.array([[[0, 50], [1, 70]], [[1, 90], [1, 20]]], float)
    path = tmp_path / "a.npz"
    np.savez(path, losses=losses, models=["a", "b"], objectives=["error", "tokens"])
    if kind != "npz":
        columns = {f"{m}/{o}": losses[:, i, j] for i, m in enumerate("ab") for j, o in enumerate(("error", "tokens"))}
        path = FORMATS[kind](pd.DataFrame(columns), tmp_path)
    np.testing.assert_array_equal(_read(path, objectives=["error"])[0], losses[:, :, :1])
    refuses(path.name, _read, path)


@pytest.mark.parametrize(
    "suffix", ["csv", "tsv", "csv.gz", "csv.zst", "jsonl", "parquet", "feather", "npy", "npz", "xlsx", "txt", ""]
)
@pytest.mark.parametrize("content", [b"", b"\n", b"a,b\n", b"\x00" * 9, b"\xff\xfea\x00", b"PK\x03\x04"])
def test_empty_files_and_files_of_no_format_are_refused(suffix, content, tmp_path, refuses):
    path = tmp_path / f"a.{suffix}".rstrip(".")
    path.write_bytes(content)
    refuses(path.name, _read, path)


def test_an_empty_frame_and_an_empty_folder_are_refused(tmp_path, refuses):
    for kind in SIMPLE:
        if "jsonl" not in kind and kind != "folder":
            path = FORMATS[kind](_frame()[:0], tmp_path)
            refuses(path.name, _read, path)
    (tmp_path / "empty").mkdir()
    assert "`format`" in refuses("empty", open_losses, tmp_path / "empty")
    refuses("none", open_losses, tmp_path / "none")


@pytest.mark.parametrize(
    ("name", "options", "argument"),
    [
        ("csv", {"filter": "strict"}, "filter"),
        ("csv", {"pooled": True}, "pooled"),
        ("csv", {"tasks": ["gsm8k"]}, "tasks"),
        ("csv", {"clusters": lambda task, example: example}, "clusters"),
        ("csv", {"clusters": "a", "example": "a"}, "clusters"),
        ("csv", {"model": "a", "example": "a"}, "example"),
        ("csv", {"example": "prompt"}, "example"),
        ("csv", {"format": "excel"}, "format"),
        ("csv", {"ignore": ["c"]}, "ignore"),
        ("csv", {"ignore": "a"}, "ignore"),
        ("csv", {"models": ["a", "c"]}, "models"),
        ("csv", {"models": []}, "models"),
        ("csv", {"maximise": ["accuracy"]}, "maximise"),
        ("csv", {"maximise": "loss"}, "maximise"),
        ("csv", {"maximise": 3}, "maximise"),
        ("csv", {"wide": False}, "losses.csv"),
        ("csv", {"wide": "yes"}, "wide"),
        ("parquet", {"separator": ";"}, "separator"),
        ("jsonl", {"decimal": ","}, "decimal"),
        ("npz", {"example": "example"}, "example"),
        ("npz", {"wide": True}, "wide"),
        ("npz", {"ignore": ["c"]}, "ignore"),
    ],
)
def test_options_that_a_format_does_not_take_are_refused(name, options, argument, tmp_path, refuses):
    path = tmp_path / "a.npz"
    np.savez(path, losses=np.eye(2), models=["a", "b"])
    path = path if name == "npz" else FORMATS[name](_frame(), tmp_path)
    refuses(argument, open_losses, path, **options)


def test_a_format_of_ones_own_is_read_once_registered(tmp_path, refuses, monkeypatch):
    monkeypatch.setattr(registry, "_REGISTERED", [])
    path = tmp_path / "a.doubled"
    path.write_text("a,b\n0,1\n1,1\n")

    def opened(paths: tuple[Path, ...], request):
        copy = paths[0].with_suffix(".csv")
        copy.write_bytes(paths[0].read_bytes())
        return open_losses(copy, separator=request.separator)

    refuses("a.doubled", open_losses, path)
    mine = Reader("doubled", "mine", lambda paths: paths[0].suffix == ".doubled", opened, frozenset({"separator"}))
    assert register_reader(mine) is mine is readers()[0]
    assert open_losses(path, separator=",").losses.shape == (2, 2, 1)
    assert open_losses(path, format="csv").losses.shape == (2, 2, 1)
    refuses("decimal", open_losses, path, decimal=",")
    for wrong in (mine, Reader("csv", "", lambda paths: True, opened), "doubled"):
        refuses("reader", register_reader, wrong)


def test_every_reader_has_a_name_of_its_own_and_says_what_it_reads(tmp_path):
    known = readers()
    assert len({reader.name for reader in known}) == len(known)
    (tmp_path / "a").write_bytes(b"\x00\xff")
    for reader in known:
        assert reader.description
        # sniffing never raises, also at what is no file
        for path in (tmp_path / "a", tmp_path / "none", tmp_path):
            assert not reader.sniff((path,))
