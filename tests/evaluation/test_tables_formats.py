"""Every format and form of the same losses gives the certificate of the array."""

import io
import sys

import numpy as np
import pytest

import moltheory as mt
from moltheory.evaluation import open_losses

from ._tables import FORMATS, FORMS, MODELS, OBJECTIVES, RANGES, losses_of, wide

LOW_HIGH = ([0.0, 0.0], [1.0, 60.0])


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(7)
    losses = losses_of(rng)
    clusters = np.arange(len(losses)) // 4
    whole = mt.certify(losses, names=MODELS, objectives=OBJECTIVES, loss_range=LOW_HIGH, clusters=clusters)
    return losses, np.array([f"00{label}" for label in clusters]), whole


def _same(found, expected):
    """Whether certificates agree; models may come in another order."""
    assert set(found.names) == set(expected.names)
    assert found.objectives == expected.objectives
    order = [found.names.index(name) for name in expected.names]
    np.testing.assert_array_equal(found.boxes[order], expected.boxes)
    assert [found.status[place] for place in order] == list(expected.status)
    assert found.n_examples == expected.n_examples


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", FORMATS)
def test_every_file_gives_the_certificate_of_the_array(kind, form, data, tmp_path):
    losses, clusters, expected = data
    write, options = FORMS[form]
    path = FORMATS[kind](write(losses, clusters), tmp_path)
    found = open_losses(path, loss_range=RANGES, **options)
    _same(found.certify(), expected)
    # once more, and with a choice that the array makes by its columns
    chosen = open_losses(path, loss_range=RANGES, **options | {"objectives": ["seconds"]}, models=MODELS[::-1])
    assert chosen.model_names == MODELS[::-1]
    table = np.concatenate([block for block, _ in chosen.blocks()])
    np.testing.assert_array_equal(table, losses[:, ::-1, 1:])
    left = open_losses(path, loss_range=RANGES, **options, ignore=["small"])
    assert set(left.model_names) == set(MODELS[1:])


@pytest.mark.parametrize("kind", ["npz", "npy"])
def test_arrays_too(kind, data, tmp_path):
    losses, clusters, expected = data
    path = tmp_path / f"losses.{kind}"
    if kind == "npy":
        np.save(path, losses)
        expected = mt.certify(losses, loss_range=LOW_HIGH)
        ranges = {"objective_2": (0, 60)}
    else:
        np.savez(path, losses=losses, models=np.array(MODELS, "S"), objectives=OBJECTIVES, cluster=clusters)
        ranges = RANGES
    found = open_losses(path, loss_range=ranges)
    _same(found.certify(), expected)
    chosen = open_losses(path, models=found.model_names[:2], objectives=found.objective_names[:1])
    np.testing.assert_array_equal(chosen.losses, losses[:, :2, :1])


class _Input:
    def __init__(self, content):
        self.buffer = io.BytesIO(content)


@pytest.mark.parametrize(
    "kind", ["csv", "tsv", "csv.gz", "csv.zst", "semicolons", "jsonl", "jsonl.gz", "parquet", "arrow", "npz"]
)
def test_standard_input_is_read_like_a_file(kind, data, tmp_path, monkeypatch):
    losses, clusters, expected = data
    if kind == "npz":
        archive = io.BytesIO()
        np.savez(archive, losses=losses, models=MODELS, objectives=OBJECTIVES, cluster=clusters)
        content = archive.getvalue()
    else:
        content = FORMATS[kind](wide(losses, clusters), tmp_path).read_bytes()
    monkeypatch.setattr(sys, "stdin", _Input(content))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    found = open_losses("-", loss_range=RANGES)
    assert list(tmp_path.glob("moltheory-*"))
    _same(found.certify(), expected)
    del found
    assert not list(tmp_path.glob("moltheory-*"))


def test_standard_input_that_is_empty_too_long_or_of_no_format(monkeypatch, refuses, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for content in (b"", b"word", b"\x00\x01"):
        monkeypatch.setattr(sys, "stdin", _Input(content))
        refuses("standard input", open_losses, "-")
    monkeypatch.setattr("moltheory.evaluation._standard_input._MOST", 5)
    monkeypatch.setattr(sys, "stdin", None)
    refuses("standard input", open_losses, "-")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["csv", "csv.gz", "jsonl", "parquet"])
def test_several_files_are_one_table(kind, form, data, tmp_path, refuses):
    losses, clusters, expected = data
    write, options = FORMS[form]
    frame = write(losses, clusters)
    half = len(frame) // 2
    paths = []
    for name, part in (("a", frame[:half]), ("b", frame[half:])):
        (tmp_path / name).mkdir()
        paths.append(FORMATS[kind](part, tmp_path / name))
    found = open_losses(paths, loss_range=RANGES, **options)
    _same(found.certify(), expected)
    twice = open_losses([paths[0], paths[1], FORMATS[kind](frame[:1], tmp_path)], loss_range=RANGES, **options)
    message = refuses(f"{paths[0].name} and 2 more", lambda: list(twice.blocks()))
    assert f"of {paths[0].name!r}" in message
    other = FORMATS[kind](frame.drop(columns="cluster"), tmp_path)
    assert "'cluster'" in refuses(f"{paths[0].name} and 1 more", open_losses, [paths[0], other], **options)


@pytest.mark.parametrize("kind", ["csv", "jsonl.gz", "parquet"])
def test_one_file_per_model_is_read_if_asked_for(kind, data, tmp_path, refuses):
    losses, _, _ = data
    frame = FORMS["tidy"][0](losses, np.zeros(len(losses), int)).drop(columns="cluster")
    paths = []
    for place, model in enumerate(MODELS):
        part = frame[frame["model"] == model].drop(columns="model")
        path = FORMATS[kind](part, tmp_path)
        paths.append(path.rename(path.with_name(path.name.replace("losses", f"model-{place}.5"))))
    options = {"example": "prompt", "objectives": OBJECTIVES, "loss_range": RANGES}
    found = open_losses(paths, model="@file", **options)
    assert found.model_names == tuple(f"model-{place}.5" for place in range(4))
    np.testing.assert_array_equal(found.losses, losses)
    refuses(f"{paths[0].name} and 3 more", lambda: list(open_losses(paths, example="prompt").blocks()))
    assert "must be given once" in refuses(paths[0].name, open_losses, [paths[0], paths[0]], model="@file", **options)
    whole = FORMATS[kind](frame, tmp_path)
    refuses(whole.name, open_losses, whole, model="@file", **options)


def test_decimal_commas_and_separators(tmp_path, refuses):
    path = tmp_path / "losses.csv"
    path.write_text("a;b\n0,5;1\nTrue;0,0\n")
    refuses("losses.csv", lambda: list(open_losses(path, decimal=",").blocks()))
    path.write_text("a;b\n0,5;1\n0,25;0,0\n")
    np.testing.assert_array_equal(open_losses(path, decimal=",").losses[:, :, 0], [[0.5, 1], [0.25, 0]])
    path.write_text("a;b\n1;0,5\nTrue;0,25\n")
    np.testing.assert_array_equal(open_losses(path, decimal=",").losses[:, :, 0], [[1, 0.5], [1, 0.25]])
    path.write_text("a|b\n1|0.5\n")
    np.testing.assert_array_equal(open_losses(path).losses[:, :, 0], [[1, 0.5]])
    path.write_text("a:b\n1:0.5\n")
    np.testing.assert_array_equal(open_losses(path, separator=":").losses[:, :, 0], [[1, 0.5]])
    path.write_text("a,b\n1,0.5\n")
    for options in ({"decimal": ","}, {"decimal": ";"}, {"separator": "ab"}, {"separator": '"'}, {"separator": 1}):
        refuses(next(iter(options)), open_losses, path, **options)


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_names_may_hold_slashes(kind, data, tmp_path):
    losses, clusters, _ = data
    frame = wide(losses, clusters).filter(regex="example|error")
    found = open_losses(FORMATS[kind](frame, tmp_path), wide=True)
    assert found.model_names == tuple(f"{model}/error" for model in MODELS)
    assert found.objective_names == ("loss",)


def test_directions_and_ranges_stay_with_the_table(tmp_path, data, refuses):
    losses, clusters, _ = data
    write, options = FORMS["tidy"]
    path = FORMATS["csv"](write(losses, clusters), tmp_path)
    found = open_losses(path, maximise=["error"], loss_range=RANGES, **options)
    assert found.maximise == (True, False)
    assert found.certify().maximise == (True, False)
    assert found.loss_range[1].tolist() == [1, 60]
    # a range of a column that is not read does no harm, one of no column does
    assert open_losses(path, **options | {"objectives": ["error"]}, loss_range=RANGES).objective_names == ("error",)
    refuses("loss_range", open_losses, path, **options, loss_range={"tokens": (0, 60)})
