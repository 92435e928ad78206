"""Columns that are no models never become models unasked; nothing else is guessed either, in any format."""

import gzip
import os
import time

import numpy as np
import pandas as pd
import pytest

from moltheory.evaluation import open_losses

from ._tables import FORMATS

KINDS = [kind for kind in FORMATS if kind != "partitions"]
NO_MODELS = (
    *("Unnamed: 0", "id", "ID", "prompt_id", "label", "target", "y", "y_true", "index", "split", "fold", "prediction"),
    *("group", "cluster", "level_0", "doc-id", "loss"),
)


def _frame(**columns):
    n = 12
    rng = np.random.default_rng(3)
    given = {name: column[:n] if hasattr(column, "__len__") else [column] * n for name, column in columns.items()}
    return pd.DataFrame({"a": rng.integers(0, 2, n), **given, "b": rng.integers(0, 2, n)})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("label", [0, 1] * 6),
        ("number", range(12)),
        ("number", range(1, 13)),
        ("number", np.arange(12.0)),
        ("language", ["en"] * 12),
    ],
)
def test_a_column_of_something_else_is_refused_in_every_format(name, values, kind, tmp_path, refuses):
    frame = _frame(**{name: values})
    path = FORMATS[kind](frame, tmp_path)
    shown = "part-0.parquet" if kind == "folder" else path.name
    message = refuses(shown, lambda: list(open_losses(path, loss_range=(0, 100)).blocks()))
    assert repr(name) in message
    assert "`models`" in message
    assert "`ignore`" in message
    for options in ({"ignore": [name]}, {"models": ["a", "b"]}):
        table = open_losses(path, loss_range=(0, 100), **options)
        assert table.model_names == ("a", "b")
        np.testing.assert_array_equal(table.losses[:, :, 0], frame[["a", "b"]])
    if name != "language":
        asked = open_losses(path, models=["b", name], loss_range=(0, 100))
        np.testing.assert_array_equal(asked.losses[:, :, 0], frame[["b", name]])


@pytest.mark.parametrize("name", NO_MODELS)
def test_names_that_are_no_models(name, tmp_path, refuses):
    path = FORMATS["csv"](_frame(**{name: [0, 1] * 6}), tmp_path)
    options = {"clusters": "b"} if name == "cluster" else {}
    assert repr(name) in refuses("losses.csv", open_losses, path, **options)
    assert open_losses(path, ignore=[name]).model_names == ("a", "b")


@pytest.mark.parametrize("name", ["gpt-4", "y-net", "idx2vec", "labelprop", "splitter", "valid", "model 1", "x"])
def test_names_of_models(name, tmp_path):
    path = FORMATS["csv"](_frame(**{name: [0, 1] * 6}), tmp_path)
    assert open_losses(path).model_names == ("a", name, "b")


def test_an_index_of_pandas(tmp_path, refuses):
    frame = _frame()
    frame.to_csv(tmp_path / "losses.csv")
    assert "no name for column 1" in refuses("losses.csv", open_losses, tmp_path / "losses.csv")
    frame.index = list("uvwxyzUVWXYZ")
    frame.to_parquet(tmp_path / "losses.parquet")
    table = open_losses(tmp_path / "losses.parquet")
    assert table.model_names == ("a", "b")
    assert table.notes == ("Column '__index_level_0__' of losses.parquet was left out: it is an index of pandas.",)
    frame.reset_index(names="__index_level_0__").to_csv(tmp_path / "losses.csv", index=False)
    assert "'__index_level_0__'" in refuses("losses.csv", open_losses, tmp_path / "losses.csv")


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet", "csv.gz"])
@pytest.mark.parametrize("form", ["wide", "long"])
def test_rows_without_a_cluster_are_refused(form, kind, tmp_path, refuses):
    frame = pd.DataFrame({"example": [1, 2, 3], "a": 0, "b": 1}) if form == "wide" else _long([1, 2, 3])
    frame["patient"] = frame["example"].map({1: 1.5, 2: 2.5, 3: np.nan})
    path = FORMATS[kind](frame, tmp_path)
    assert "a cluster" in refuses(path.name, lambda: list(open_losses(path, clusters="patient").blocks()))
    frame["patient"] = frame["example"].map({1: "P1", 2: "NA", 3: "P2"})
    path = FORMATS[kind](frame, tmp_path)
    if kind.startswith("csv"):
        assert "'NA'" in refuses(path.name, lambda: list(open_losses(path, clusters="patient").blocks()))
    else:
        assert open_losses(path, clusters="patient").losses.shape[0] == 3


def _long(examples):
    rows = [(model, example, (example + place) % 2) for example in examples for place, model in enumerate("ab")]
    return pd.DataFrame(rows, columns=["model", "example", "loss"])


@pytest.mark.parametrize(("kind", "separator"), [("csv", ","), ("tsv", "\t"), ("csv.gz", ",")])
@pytest.mark.parametrize("before", [99, 1000, 300_000])
@pytest.mark.parametrize("first", ["1", "1.0", ""])
def test_true_and_false_may_come_late(first, before, kind, separator, tmp_path):
    if before > 1000 and (first != "1.0" or kind != "csv"):
        pytest.skip("one large file is enough")
    content = "a,b\n" + f"{first},0.25\n" * before + "True,1\nFALSE,0.5\n,1\n1,1\n"
    path = tmp_path / f"losses.{kind}"
    data = content.replace(",", separator).encode()
    path.write_bytes(gzip.compress(data, 1) if kind == "csv.gz" else data)
    table = open_losses(path)
    for _ in range(2):
        losses = table.losses[:, :, 0]
        assert len(losses) == before + 4
        np.testing.assert_array_equal(losses[-4:], [[1, 1], [0, 0.5], [np.nan, 1], [1, 1]])
        np.testing.assert_array_equal(losses[0], [float(first or "nan"), 0.25])


@pytest.mark.parametrize("rows", [["0.5,1", "True,0"], ["True,0", "0.5,1"], ["0.5,1", *["1,1"] * 400_000, "True,0"]])
def test_true_beside_other_numbers_is_refused_with_the_line(rows, tmp_path, refuses):
    path = tmp_path / "losses.csv"
    path.write_text("\n".join(["a,b", *rows]))
    line = rows.index("0.5,1") + 2
    assert f"column 'a', got '0.5' in line {line} " in refuses("losses.csv", lambda: list(open_losses(path).blocks()))


def test_a_tidy_table_must_say_its_losses(tmp_path, refuses):
    path = tmp_path / "runs.csv"
    path.write_text("model,example,correct,seconds,note\na,1,1,2.5,x\nb,1,0,3.5,y\n")
    message = refuses("runs.csv", open_losses, path)
    assert "by `objectives` (numbers are in 'correct', 'seconds')" in message
    assert "'correct', 'seconds'" in refuses("objectives", open_losses, path, objectives=["latency"])
    refuses("objectives", open_losses, path, objectives=["correct", "correct"])
    refuses("objectives", open_losses, path, objectives=["model"])
    refuses("objectives", open_losses, path, objectives="correct")
    refuses("runs.csv", lambda: list(open_losses(path, objectives=["note"]).blocks()))
    ranges = {"seconds": (0, 60)}
    table = open_losses(path, objectives=["seconds", "correct"], maximise=["correct"], loss_range=ranges)
    assert (table.objective_names, table.maximise) == (("seconds", "correct"), (False, True))
    np.testing.assert_array_equal(table.losses, [[[2.5, 1], [3.5, 0]]])
    path.write_text("model,example,correct,seconds\na,1,1,2.5\nb,1,0,90\n")
    found = open_losses(path, objectives=["correct", "seconds"], loss_range=ranges)
    assert "got 90 in column 'seconds' in line 3" in refuses("runs.csv", lambda: list(found.blocks()))
    # what is not read is not checked
    assert open_losses(path, objectives=["correct"]).losses.shape == (1, 2, 1)


def test_requests_that_contradict_the_file(tmp_path, refuses):
    path = tmp_path / "losses.csv"
    path.write_text("a,b\n0,1\n1,1\n")
    np.save(tmp_path / "losses.npy", np.eye(2))
    refuses("ignore", open_losses, path, ignore=["c"])
    refuses("models", open_losses, path, models=["c"])
    refuses("models", open_losses, path, models=[])
    refuses("models", open_losses, path, models=["a", "a"])
    refuses("example", open_losses, path, example="c")
    refuses("model", open_losses, path, model="c")
    refuses("losses.csv", open_losses, path, wide=False)
    refuses("wide", open_losses, path, wide="yes")
    refuses("filter", open_losses, path, filter="strict-match")
    refuses("tasks", open_losses, path, tasks=["arc"])
    refuses("clusters", open_losses, path, clusters=lambda task, name: name)
    refuses("separator", open_losses, tmp_path / "losses.npy", separator=";")
    refuses("ignore", open_losses, tmp_path / "losses.npy", ignore=["c"])
    refuses("path", open_losses, [])
    refuses("path", open_losses, 3)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.csv")
        assert "without a writer" in refuses("pipe.csv", open_losses, tmp_path / "pipe.csv")
    refuses("path", open_losses, [path, "-"])
    refuses("format", open_losses, path, format="excel")
    refuses("maximise", open_losses, path, maximise=["c"])
    refuses("maximise", open_losses, path, maximise="loss")


def test_several_wide_files_need_examples(tmp_path, refuses):
    """Files of one model each, with its metrics in columns, are no files of several models."""
    for name in "ab":
        (tmp_path / f"{name}.csv").write_text("correct,latency\n1,0.5\n0,0.25\n")
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    message = refuses("a.csv and 1 more", open_losses, paths)
    assert "'@file'" in message
    assert open_losses(paths, wide=True).losses.shape == (4, 2, 1)


def test_wide_headers_of_16000_columns_do_not_hang(tmp_path):
    names = [f"model{i}/task{j}" for i in range(160) for j in range(100)]
    path = tmp_path / "losses.csv"
    path.write_text("\n".join([",".join(names), *[",".join(["0", "1"] * (len(names) // 2))] * 2]))
    begin = time.perf_counter()
    assert open_losses(path).losses.shape == (2, 160, 100)
    # Less than a second; quadratic work took minutes.
    assert time.perf_counter() - begin < 20.0
