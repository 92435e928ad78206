"""Each format of evaluation logs gives the losses, names, directions and certificate of the array it was written from."""

import numpy as np
import pytest

import moltheory as mt
from moltheory.evaluation import open_losses, readers
from tests.evaluation._log_files import OBJECTIVES, REPEATING, WRITERS, log_of

FORMATS = sorted(WRITERS)


@pytest.fixture
def right(rng):
    found = rng.random((40, 3, 1)) < np.array([0.9, 0.5, 0.2])[None, :, None]
    found[0] = True  # so that there is a right answer in every file
    return found


@pytest.mark.parametrize("format", FORMATS)
def test_a_folder_gives_the_certificate_of_the_array(tmp_path, right, format):
    WRITERS[format](tmp_path, right)
    table = open_losses(tmp_path)
    assert table.model_names == ("m0", "m1", "m2")
    assert table.objective_names == (OBJECTIVES[format],)
    assert table.maximise == (True,)
    assert table.clusters is None
    assert table.notes == ()
    np.testing.assert_array_equal(table.losses[:, :, 0], right[:, :, 0])
    found, expected = mt.certify(table), mt.certify(right.astype(float), maximise=True)
    np.testing.assert_array_equal(found.boxes, expected.boxes)
    np.testing.assert_array_equal(found.status, expected.status)


@pytest.mark.parametrize("format", FORMATS)
def test_files_are_read_as_their_folder(tmp_path, right, format):
    WRITERS[format](tmp_path, right)
    files = [log_of(tmp_path, model) for model in ("m2", "m0")]
    table = open_losses(files)
    assert table.model_names == ("m2", "m0")
    np.testing.assert_array_equal(table.losses[:, :, 0], right[:, [2, 0], 0])


@pytest.mark.parametrize("format", FORMATS)
def test_one_reader_recognizes_a_folder(tmp_path, right, format):
    WRITERS[format](tmp_path, right)
    assert next(reader.name for reader in readers() if reader.sniff((tmp_path,))) == format.removesuffix("-json")
    plain = tmp_path / "empty"
    plain.mkdir()
    assert not any(reader.sniff((plain,)) for reader in readers())


@pytest.mark.parametrize("format", REPEATING)
def test_runs_on_one_example_form_a_cluster(tmp_path, rng, format):
    right = rng.random((6, 2, 3)) < 0.5
    right[0] = True
    WRITERS[format](tmp_path, right)
    table = open_losses(tmp_path)
    assert table.losses.shape == (18, 2, 1)
    sizes = np.unique(table.clusters, return_counts=True)[1]
    assert sizes.tolist() == [3] * 6
    for code in range(6):
        rows = table.losses[table.clusters == code, :, 0]
        assert any(np.array_equal(rows, right[i].T) for i in range(6))


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    ("options", "flags"),
    [
        ({"maximise": False}, False),
        ({"maximise": [False]}, False),
        ({"maximise": []}, False),
        ({"maximise": True}, True),
    ],
)
def test_a_stated_direction_wins(tmp_path, right, format, options, flags):
    WRITERS[format](tmp_path, right)
    assert open_losses(tmp_path, **options).maximise == (flags,)


@pytest.mark.parametrize("format", FORMATS)
def test_directions_and_ranges_by_metric_or_objective(tmp_path, right, format):
    WRITERS[format](tmp_path, right)
    whole = OBJECTIVES[format]
    metric = whole if format == "mlflow" else whole.rpartition("/")[2]
    for name in {whole, metric}:
        table = open_losses(tmp_path, objectives=[name], maximise={name: False}, loss_range={name: (-1, 2)})
        assert table.objective_names == (whole,)
        assert table.maximise == (False,)
        assert [float(end[0]) for end in table.loss_range] == [-1, 2]
        assert open_losses(tmp_path, maximise=[name]).maximise == (True,)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("objectives", ["absent"]),
        ("models", ["absent"]),
        ("ignore", ["absent"]),
        ("maximise", ["absent"]),
        ("maximise", {"absent": True}),
        ("maximise", [True, False]),
        ("loss_range", {"absent": (0, 1)}),
        ("separator", ";"),
        ("most_in_memory", 3),
    ],
)
def test_what_is_not_there_is_refused(tmp_path, right, refuses, format, argument, value):
    WRITERS[format](tmp_path, right)
    refuses("path" if argument == "most_in_memory" else argument, open_losses, tmp_path, **{argument: value})


@pytest.mark.parametrize("format", FORMATS)
def test_chosen_models(tmp_path, right, format):
    WRITERS[format](tmp_path, right)
    for options in ({"models": ["m2", "m1"]}, {"ignore": ["m0"]}):
        table = open_losses(tmp_path, **options)
        assert set(table.model_names) == {"m1", "m2"}
        np.testing.assert_array_equal(table.losses[:, table.model_names.index("m2"), 0], right[:, 2, 0])


@pytest.mark.parametrize("format", FORMATS)
def test_clusters_by_a_rule(tmp_path, right, format):
    WRITERS[format](tmp_path, right)
    seen = []
    table = open_losses(tmp_path, clusters=lambda task, example: seen.append(example) or len(example))
    assert len(np.unique(table.clusters)) == len({len(example) for example in seen})
