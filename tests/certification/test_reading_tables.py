"""CSV and Parquet, wide and long: every form of the same losses gives the same blocks; malformed rows are named."""

import csv
import itertools

import numpy as np
import pandas as pd
import pytest

from moltheory.evaluation import _long as long_form
from moltheory.evaluation import _read_text as rows
from moltheory.evaluation import open_losses

MODELS = ("small", "org/large", "tree")
OBJECTIVES = ("error", "toxicity")


def _losses(rng, n=57, missing=0.1):
    losses = np.round(rng.random((n, 3, 2)), 3)
    losses[rng.random(losses.shape) < missing] = np.nan
    losses[np.isnan(losses).all((1, 2)), 0, 0] = 0.5  # the long form cannot tell of an example without any loss
    return losses


def _wide(losses, clusters=None, examples=True):
    columns = {f"{m}/{o}": losses[:, i, j] for i, m in enumerate(MODELS) for j, o in enumerate(OBJECTIVES)}
    frame = pd.DataFrame(columns)
    if clusters is not None:
        frame.insert(3, "cluster", clusters)
    if examples:
        frame.insert(0, "example", [f"e{i}" for i in range(len(losses))])
    return frame


def _long(losses, clusters=None):
    rows = [(f"e{e}", MODELS[m], OBJECTIVES[o], losses[e, m, o]) for e, m, o in np.argwhere(~np.isnan(losses)).tolist()]
    frame = pd.DataFrame(rows, columns=["example", "model", "objective", "loss"])
    if clusters is not None:
        frame["cluster"] = [clusters[int(example[1:])] for example in frame["example"]]
    return frame


def _write(frame, path):
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path, row_group_size=11)
    return path


def _read(source, models=MODELS, objectives=OBJECTIVES):
    blocks = list(source.blocks())
    losses = np.concatenate([block for block, _ in blocks])
    # models come in the order of the file
    order = [source.model_names.index(name) for name in models]
    columns = [source.objective_names.index(name) for name in objectives]
    codes = np.concatenate([codes for _, codes in blocks]) if source.has_clusters else None
    return losses[:, order][:, :, columns], codes, blocks


@pytest.fixture(params=[4_000_000, 60, 1], ids=["one block", "small blocks", "one example"])
def block(request, monkeypatch):
    monkeypatch.setattr("moltheory.evaluation._wide.CELLS_PER_BLOCK", request.param)
    monkeypatch.setattr("moltheory.evaluation._long.CELLS_PER_BLOCK", request.param)
    monkeypatch.setattr(long_form, "_ROWS_PER_BATCH", 1 << 19 if request.param > 100 else 7)
    return request.param


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("form", [_wide, _long])
def test_every_form_gives_the_same_losses(form, suffix, block, tmp_path, rng):
    losses = _losses(rng)
    source = open_losses(_write(form(losses), tmp_path / f"losses{suffix}"))
    assert sorted(source.model_names) == sorted(MODELS)
    assert not source.has_clusters
    for _ in range(2):  # a source can be read again
        found, codes, blocks = _read(source)
        np.testing.assert_array_equal(found, losses)
        assert codes is None
        assert all(clusters is None for _, clusters in blocks)
    assert (len(blocks) > 2) == (block < 100)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("form", [_wide, _long])
@pytest.mark.parametrize("order", ["contiguous", "mixed"])
def test_clusters_stay_whole(form, suffix, order, block, tmp_path, rng):
    losses = _losses(rng)
    clusters = rng.integers(0, 12, len(losses))
    if order == "contiguous":
        clusters = np.sort(clusters)
    source = open_losses(_write(form(losses, clusters), tmp_path / f"losses{suffix}"))
    assert source.has_clusters
    found, codes, blocks = _read(source)
    labels = list(dict.fromkeys(clusters.tolist()))  # clusters come in the order of their first rows
    rows = np.concatenate([np.flatnonzero(clusters == label) for label in labels])
    np.testing.assert_array_equal(found, losses[rows])
    np.testing.assert_array_equal(codes[1:] != codes[:-1], np.diff(clusters[rows]) != 0)
    assert len(set(codes.tolist())) == len(labels)
    for (_, before), (_, after) in itertools.pairwise(blocks):
        assert before[-1] != after[0]
    assert (len(blocks) > 2) == (block < 100)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_shuffled_long_rows_are_sorted_in_memory_or_refused(suffix, tmp_path, rng, refuses):
    losses = _losses(rng)
    frame = _long(losses).sample(frac=1, random_state=1)
    path = _write(frame, tmp_path / f"losses{suffix}")
    found, _, _ = _read(open_losses(path))
    order = [int(name[1:]) for name in dict.fromkeys(frame["example"])]
    np.testing.assert_array_equal(found, losses[order])
    message = refuses(path.name, open_losses, path, most_in_memory=100)
    assert "sort the file by example" in message
    assert f"{len(frame):,}" in message
    sorted_path = _write(_long(losses), tmp_path / f"sorted{suffix}")
    _read(open_losses(sorted_path, most_in_memory=100))


def test_mixed_clusters_of_a_large_wide_file_are_refused(tmp_path, rng, refuses):
    losses = _losses(rng)
    path = _write(_wide(losses, np.arange(len(losses)) % 5), tmp_path / "losses.csv")
    source = open_losses(path, most_in_memory=100)
    assert "sort the file by cluster" in refuses("losses.csv", lambda: list(source.blocks()))


def test_plain_columns_are_one_objective(tmp_path):
    path = tmp_path / "losses.csv"
    path.write_text("a,b\n0,1\n1,\n\n NaN,0.25\n".replace(" ", ""))
    source = open_losses(path)
    assert (source.model_names, source.objective_names) == (("a", "b"), ("loss",))
    np.testing.assert_array_equal(
        _read(source, ("a", "b"), ("loss",))[0][:, :, 0], [[0, 1], [1, np.nan], [np.nan, 0.25]]
    )


def test_another_column_of_clusters(tmp_path):
    path = tmp_path / "losses.csv"
    path.write_text("a,patient,b\n0,P1,1\n1,P1,0\n1,P2,0\n")
    source = open_losses(path, clusters="patient")
    assert source.model_names == ("a", "b")
    assert [codes.tolist() for _, codes in source.blocks()] == [[0, 0], [1]]


def test_objectives_are_chosen_and_ordered(tmp_path, rng, refuses):
    losses = _losses(rng)
    path = _write(_wide(losses), tmp_path / "losses.csv")
    source = open_losses(path, objectives=["toxicity", "error"])
    assert source.objective_names == ("toxicity", "error")
    np.testing.assert_array_equal(next(source.blocks())[0], losses[:, :, ::-1])
    assert open_losses(path, objectives=["error"]).objective_names == ("error",)
    refuses("objectives", open_losses, path, objectives=["price"])
    refuses("objectives", open_losses, path, objectives=["error", "error"])
    refuses("objectives", open_losses, path, objectives=[])


@pytest.mark.parametrize("form", [_wide, _long])
def test_each_objective_has_its_range(form, tmp_path, rng, refuses):
    losses = _losses(rng)
    losses[:, :, 1] *= 80
    path = _write(form(losses), tmp_path / "losses.csv")
    found = _read(open_losses(path, loss_range={"toxicity": (0, 80)}))[0]
    np.testing.assert_array_equal(found, losses)
    assert "losses in [0, 1]" in refuses("losses.csv", lambda: list(open_losses(path).blocks()))
    # what is not chosen is not checked
    assert next(open_losses(path, objectives=["error"]).blocks())[0].shape[2] == 1
    refuses("loss_range", open_losses, path, loss_range={"price": (0, 1)})
    refuses("loss_range", open_losses, path, loss_range={"toxicity": (1, 1)})


def test_types_of_parquet_columns(tmp_path):
    frame = pd.DataFrame({"a": [True, False], "b": np.array([0.5, 1], np.float32), "c": pd.array([1, None], "Int8")})
    frame["d"] = np.array([0, 1], np.int64)
    frame.index = pd.Index([7, 3], name="example")  # pandas keeps a named index as a column
    path = tmp_path / "losses.parquet"
    frame.to_parquet(path)
    source = open_losses(path)
    assert source.model_names == ("a", "b", "c", "d")
    losses = next(source.blocks())[0]
    np.testing.assert_array_equal(losses[:, :, 0], [[1, 0.5, 1, 0], [0, 1, np.nan, 1]])
    assert losses.dtype == np.float64
    frame[["b"]].reset_index(drop=True).assign(e=np.float32(1)).to_parquet(path)
    assert next(open_losses(path).blocks())[0].dtype == np.float32


def test_categories_of_a_long_table(tmp_path):
    frame = pd.DataFrame({"model": list("xyxy"), "example": [1, 1, 2, 2], "loss": [0, 1, 1, 0]})
    frame["model"] = pd.Categorical(frame["model"], categories=list("wyx"))  # one category without rows
    path = tmp_path / "losses.parquet"
    frame.to_parquet(path)
    source = open_losses(path)
    for _ in range(2):
        np.testing.assert_array_equal(_read(source, ("x", "y"), ("loss",))[0][:, :, 0], [[0, 1], [1, 0]])
    assert sorted(source.model_names) == ["x", "y"]


def test_quoted_fields_and_line_numbers(tmp_path, refuses):
    path = tmp_path / "losses.csv"
    path.write_text('model,example,loss\n"a, b","one\ntwo",0\nc,"one\ntwo",1\n\nc,three,2\n')
    source = open_losses(path)
    assert source.model_names == ("a, b", "c")
    assert "2 in line 7" in refuses("losses.csv", lambda: list(source.blocks()))


WIDE = "example,a,b\nx,0,1\ny,1,0\n"
LONG = "model,example,objective,loss\na,x,o,0\nb,x,o,1\na,y,o,1\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "an empty file"),
        ("\n", "no header"),
        ("a,b\n", "at least one row, got none"),
        ("model,example,loss\n", "at least one row, got none"),
        (WIDE + "z,1\n", "3 fields in every row, got 2 in line 4"),
        (WIDE + "z,1,0,1\n", "3 fields in every row, got 4 in line 4"),
        (WIDE + "z,bad,0\n", "numbers in column 'a', got 'bad' in line 4"),
        (WIDE + "z,0,1.5\n", "losses in [0, 1], got 1.5 in column 'b' in line 4"),
        (WIDE + "z,-1,0\n", "got -1 in column 'a' in line 4"),
        (WIDE + "z,inf,0\n", "got inf in column 'a' in line 4"),
        (WIDE + "x,1,1\n", "every example once, got 'x' in line 2 and line 4"),
        (WIDE + ",1,1\n", "a name in column 'example' in every row, got none in line 4"),
        ("example,a,a\n1,0,0\n", "distinct column names, got 'a' twice"),
        (",a,b\n1,0,0\n", "name every column, got no name for column 1"),
        ("example\n1\n", "a column of losses for every model"),
        ("a/o,b\n0,0\n", "'model' or all 'model/objective', got 'a/o' and 'b'"),
        ("a/o,a/p,b/o\n0,0,0\n", "no column 'b/p'"),
        (LONG + "a,x,o,1\n", "model 'a' and objective 'o' twice for the example in line 2 and line 5"),
        (LONG + "b,y,o,7\n", "losses in [0, 1], got 7 in line 5"),
        (LONG + "b,y,o,high\n", "numbers in column 'loss', got 'high' in line 5"),
        (LONG + "b,y,o\n", "4 fields in every row, got 3 in line 5"),
        (LONG + ",y,o,1\n", "a name in column 'model' in every row, got none in line 5"),
        (LONG + "b,,o,1\n", "a name in column 'example' in every row, got none in line 5"),
        ("model,example\na,x\n", "a column 'loss'"),
        ("model,loss\na,0\n", "a column 'example'"),
        ("model,example,loss,split\na,x,0,test\n", "model, example, loss, objective only, got a column 'split'"),
        ("model,example,cluster,loss\na,x,p,0\nb,x,q,0\n", "the same cluster, got another one in line 3"),
        ("model,example,cluster,loss\na,x,p,0\nb,y,p,0\nb,x,q,0\n", "the same cluster, got another one in line 4"),
    ],
)
def test_malformed_files_are_refused_with_the_line(content, words, tmp_path, refuses):
    path = tmp_path / "losses.csv"
    path.write_text(content)
    assert words in refuses("losses.csv", lambda: list(open_losses(path).blocks()))


def test_files_that_cannot_be_read(tmp_path, refuses):
    refuses("none.csv", open_losses, tmp_path / "none.csv")
    refuses("losses.txt", open_losses, tmp_path / "losses.txt")
    path = tmp_path / "losses.csv"
    path.write_text(WIDE)
    assert "patient" in refuses("clusters", open_losses, path, clusters="patient")
    refuses("loss_range", open_losses, path, loss_range=(1, 0))
    refuses("loss_range", open_losses, path, loss_range=(0, float("nan")))
    path.write_bytes(b"a,b\n0,1\n\xff\xfe,1\n")
    refuses("losses.csv", lambda: list(open_losses(path).blocks()))
    path.write_bytes(b"\xff\xfe,b\n0,1\n")
    refuses("losses.csv", open_losses, path)
    bad = tmp_path / "losses.parquet"
    bad.write_bytes(b"PAR1 and nothing else")
    refuses("losses.parquet", open_losses, bad)
    pd.DataFrame({"a": ["x", "y"], "b": [0, 1]}).to_parquet(bad)
    assert "column 'a'" in refuses("losses.parquet", lambda: list(open_losses(bad).blocks()))
    pd.DataFrame({"a": [0.0, 3.0], "b": [0, 1]}).to_parquet(bad)
    assert "row 2" in refuses("losses.parquet", lambda: list(open_losses(bad).blocks()))


def test_a_large_file_is_read_batch_by_batch(tmp_path, rng):
    # several 4 MB batches of CSV text, so that examples and clusters span batches
    n = 14_000
    losses = (rng.random((n, 8, 1)) < 0.3).astype(float)
    path = tmp_path / "losses.csv"
    with path.open("w", newline="") as handle:
        out = csv.writer(handle)
        out.writerow(["example", "cluster", "model", "loss"])
        for example in range(n):
            text = f"{'an example with a long name':60}{example:09d}"
            out.writerows([text, example // 7, model, int(losses[example, model, 0])] for model in range(8))
    assert path.stat().st_size > 2 * rows._BYTES_PER_BATCH
    source = open_losses(path)
    found, codes, blocks = _read(source, [str(m) for m in range(8)], ["loss"])
    np.testing.assert_array_equal(found, losses)
    np.testing.assert_array_equal(codes, np.arange(n) // 7)
    assert len(blocks) > 1
    assert all(before[-1] != after[0] for (_, before), (_, after) in itertools.pairwise(blocks))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (",a,b\n0,0,1\n", "pandas leaves it out with index=False"),
        ("a;b\n0,5;1\n", "numbers in column 'a', got '0,5' in line 2: say decimal=','"),
        ("a/o,b\n0,0\n", "give wide=True if every column is a model"),
        ("a,b,language\n0,1,en\n", "every column is a model, except 'example' and 'cluster'"),
        ("a,b\nTrue,0\n0.5,1\n", "True, False, 1 or 0 in column 'a', got '0.5' in line 3"),
    ],
)
def test_a_refusal_tells_what_to_do(content, words, tmp_path, refuses):
    path = tmp_path / "losses.csv"
    path.write_text(content)
    assert words in refuses("losses.csv", lambda: list(open_losses(path).blocks()))


def test_true_and_false_are_one_and_zero(tmp_path):
    path = tmp_path / "losses.csv"
    path.write_text("a,b\nTrue,0\n,0.25\nfalse,1\n1,0\n")
    losses = np.concatenate([block for block, _ in open_losses(path).blocks()])
    np.testing.assert_array_equal(losses[:, :, 0], [[1, 0], [np.nan, 0.25], [0, 1], [1, 0]])


def test_a_folder_of_no_format_is_named(tmp_path, refuses):
    assert "a folder of none of them" in refuses(tmp_path.name, open_losses, tmp_path)
