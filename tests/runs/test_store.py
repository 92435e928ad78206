"""Run folders: what is kept, what is read back, and what is refused."""

import contextlib
import errno
import io
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from moltheory.errors import InvalidInputError, OutputError
from moltheory.experiments import asymmetry
from moltheory.problems import FiniteWorld, from_predictions, near_tie, reference_world
from moltheory.runs import RunFolder, read_record, run_blocks
from moltheory.runs._block_result import load_part, save_part
from moltheory.runs._files import remove_leftovers
from moltheory.runs._record import RECORD_NAME
from moltheory.runs._versions import show_versions

GOOD = {"sizes": [3, 40], "replicates": 1100, "rng": 5}
PARTS = sorted(f"part-size-{size}-block-{block}.npz" for size in (3, 40) for block in range(3))


def _table(store, **changes):
    return asymmetry(reference_world(), **{**GOOD, "store": store, **changes})


@pytest.fixture
def expected():
    return _table(None)


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def _square(k):
    return {"k": np.array([k]), "square": np.array([k * k])}


def _open(folder, n=4, **changes):
    keys = [f"b{k}" for k in range(n)]
    return RunFolder.open(folder, **{"parameters": {"what": "squares"}, "rng": 0, "keys": keys, **changes})


def _squares(store, n=4, **options):
    return run_blocks(_square, [(k,) for k in range(n)], store=store, **options)


def test_with_a_store_or_without_is_the_same(tmp_path, expected):
    for name, n_jobs in (("serial", 1), ("parallel", 2)):
        folder = tmp_path / "new" / name
        pd.testing.assert_frame_equal(_table(folder, n_jobs=n_jobs), expected, check_exact=True)
        assert sorted(os.listdir(folder)) == [*PARTS, RECORD_NAME]
        before = _contents(folder)
        pd.testing.assert_frame_equal(_table(str(folder)), expected, check_exact=True)
        assert _contents(folder) == before
    problem = from_predictions(
        [[0, 1], [1, 1], [0, 0], [1, 0]], [1, 0, 0, 0], objectives=["false_negative_rate", "error"]
    )
    arguments = {"sizes": [3], "replicates": 500, "rng": np.random.SeedSequence(7, spawn_key=(1, 2))}
    stored = asymmetry(problem, store=tmp_path / "nan", **arguments)
    assert stored["undefined"].any()
    for again in (stored, asymmetry(problem, store=tmp_path / "nan", **arguments)):
        pd.testing.assert_frame_equal(again, asymmetry(problem, **arguments), check_exact=True)


def test_bits_do_not_hang_on_the_number_of_threads(tmp_path, rng):
    """Losses that are no fractions with small denominators are summed in an order that threads would change."""
    world = FiniteWorld.from_examples(rng.random((400, 150, 2)))
    assert not world.is_lattice
    arguments = {"sizes": [50], "replicates": 600, "rng": 1}
    serial = asymmetry(world, **arguments)
    pd.testing.assert_frame_equal(asymmetry(world, n_jobs=2, **arguments), serial, check_exact=True)
    stored = asymmetry(world, n_jobs=2, store=tmp_path, **arguments)
    pd.testing.assert_frame_equal(stored, serial, check_exact=True)


def test_the_record_says_what_was_computed(tmp_path, expected):
    _table(tmp_path)
    record = read_record(tmp_path)
    assert record.is_finished
    assert record.parameters["problem"] == "reference_world"
    assert (record.parameters["sizes"], record.parameters["replicates"]) == ([3, 40], 1100)
    assert (record.entropy, record.spawn_key) == (5, ())
    assert record.versions == show_versions()
    assert record.seconds > 0
    assert record.finished_keys == record.keys
    assert sorted(f"part-{key}.npz" for key in record.checksums) == PARTS
    columns = record.columns()
    assert list(columns)
    found = pd.DataFrame(columns)[expected.columns].sort_values(["size", "replicate"], ignore_index=True)
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
    # parts are ordinary archives
    with np.load(tmp_path / PARTS[0]) as archive:
        assert archive["coverage_error"].shape == (500,)


def test_a_resumed_run_computes_what_is_missing_only(tmp_path, expected):
    _table(tmp_path)
    before = _contents(tmp_path)
    record = json.loads(before[RECORD_NAME])
    unfinished = {**record, "finished": False, "seconds": None, "checksums": {}}
    (tmp_path / RECORD_NAME).write_text(json.dumps(unfinished))
    for name in PARTS[1:4]:
        (tmp_path / name).unlink()
    partial = read_record(tmp_path)
    assert not partial.is_finished
    assert len(partial.finished_keys) == 3
    assert len(partial.columns()["size"]) == sum(500 if "block-2" not in key else 100 for key in partial.finished_keys)
    kept = {name: (tmp_path / name).stat().st_ino for name in (PARTS[0], *PARTS[4:])}
    pd.testing.assert_frame_equal(_table(tmp_path), expected, check_exact=True)
    assert {name: (tmp_path / name).stat().st_ino for name in kept} == kept
    after = json.loads((tmp_path / RECORD_NAME).read_text())
    assert after["checksums"] == record["checksums"]
    assert after["finished"]
    # a part lost after the end is computed again, and must come out as recorded
    (tmp_path / PARTS[2]).unlink()
    pd.testing.assert_frame_equal(_table(tmp_path, n_jobs=2), expected, check_exact=True)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"sizes": [3, 41]}, "sizes is"),
        ({"sizes": [3]}, "sizes is"),
        ({"sizes": [40, 3]}, "sizes is"),
        ({"replicates": 1101}, "replicates is 1100 and not 1101"),
        ({"replicates": 2000}, "replicates is 1100 and not 2000"),
        ({"delta": 0.1}, "delta is 0.05 and not 0.1"),
        ({"rng": 6}, "seed is"),
        ({"rng": np.random.SeedSequence(5, spawn_key=(1,))}, "seed is"),
    ],
)
def test_other_parameters_are_refused(tmp_path, refuses, changes, told):
    _table(tmp_path)
    before = _contents(tmp_path)
    refuses("store", _table, tmp_path, **changes)
    with pytest.raises(InvalidInputError, match=told):
        _table(tmp_path, **changes)
    assert _contents(tmp_path) == before


def test_the_same_seed_in_other_words_is_accepted(tmp_path, expected):
    _table(tmp_path)
    for rng in (np.int64(5), np.random.SeedSequence(5)):
        pd.testing.assert_frame_equal(_table(tmp_path, rng=rng), expected, check_exact=True)


def test_another_problem_of_the_same_name_is_refused(tmp_path, refuses):
    losses = np.array([[[0, 1], [1, 0]], [[1, 1], [1, 0]], [[0, 0], [0, 1]]])
    other = losses.copy()
    other[1, 1, 0] = 0
    pairs = [
        (FiniteWorld([0.5, 0.3, 0.2], losses), FiniteWorld([0.5, 0.3, 0.2], other)),
        (FiniteWorld([0.5, 0.3, 0.2], losses), FiniteWorld([0.5, 0.2, 0.3], losses)),
        (near_tie(0.3, 0.02), near_tie(0.3, 0.03)),
    ]
    for k, (first, second) in enumerate(pairs):
        assert first.name == second.name
        arguments = {**GOOD, "store": tmp_path / str(k)}
        asymmetry(first, **arguments)
        refuses("store", asymmetry, second, **arguments)
        with pytest.raises(InvalidInputError, match="digest of the problem"):
            asymmetry(second, **arguments)


@pytest.mark.parametrize("package", ["numpy", "moltheory", "threadpoolctl", "python", "processor", "blas", "tqdm"])
def test_other_versions_are_refused(tmp_path, refuses, monkeypatch, package):
    _squares(_open(tmp_path))
    now = show_versions()
    if package in ("python", "processor"):
        changed = replace(now, **{package: "abacus"})
    elif package == "blas":
        package = "BLAS of scipy"
        changed = replace(now, blas={**now.blas, "scipy": "abacus"})
    else:
        changed = replace(now, packages={**now.packages, package: "0.0.1"})
    monkeypatch.setattr("moltheory.runs._record.show_versions", lambda: changed)
    if package == "tqdm":  # draws the bar; no number depends on it
        assert _squares(_open(tmp_path))[3]["square"] == 9
        return
    refuses("store", _open, tmp_path)
    with pytest.raises(InvalidInputError, match=f"{package} is .* and not"):
        _open(tmp_path)
    assert read_record(tmp_path).versions == now  # may still be read


def test_every_altered_byte_is_detected(tmp_path, refuses):
    _squares(_open(tmp_path))
    path = tmp_path / "part-b1.npz"
    whole = path.read_bytes()
    damaged = [whole[:k] for k in (0, 1, 60, len(whole) // 2, len(whole) - 1)] + [whole + b"\0", b"", whole[1:]]
    damaged += [whole[:k] + bytes([whole[k] ^ 1]) + whole[k + 1 :] for k in range(0, len(whole), 23)]
    damaged.append((tmp_path / "part-b2.npz").read_bytes())
    for content in damaged:
        path.write_bytes(content)
        refuses("store", lambda: _squares(_open(tmp_path)))
        refuses("folder", read_record(tmp_path).columns)
        assert path.read_bytes() == content
    path.unlink()
    path.mkdir()
    refuses("store", lambda: _squares(_open(tmp_path)))
    path.rmdir()
    assert _squares(_open(tmp_path))[1]["square"] == 1


def test_damaged_parts_are_refused_before_any_work(tmp_path, refuses):
    _table(tmp_path)
    (tmp_path / PARTS[0]).unlink()
    (tmp_path / PARTS[5]).write_bytes((tmp_path / PARTS[5]).read_bytes()[:-3])
    refuses("store", _table, tmp_path)
    assert not (tmp_path / PARTS[0]).exists()


def test_parts_of_another_run_are_refused(tmp_path, refuses):
    _squares(_open(tmp_path / "a"))
    _squares(_open(tmp_path / "b", rng=1))
    (tmp_path / "a" / "part-b0.npz").write_bytes((tmp_path / "b" / "part-b0.npz").read_bytes())
    refuses("store", lambda: _squares(_open(tmp_path / "a")))


def test_results_that_do_not_repeat_are_refused(tmp_path, refuses):
    _squares(_open(tmp_path))
    (tmp_path / "part-b3.npz").unlink()
    refuses("store", lambda: run_blocks(_square, [(k + 1,) for k in range(4)], store=_open(tmp_path)))


def test_altered_records_are_refused(tmp_path, refuses):
    _squares(_open(tmp_path))
    path = tmp_path / RECORD_NAME
    content = json.loads(path.read_text())
    parameters = {**content, "parameters": {"what": "cubes"}}
    for altered in (parameters, {**content, "schema": 1}, {**content, "checksums": {}}, {}, [], {"schema": 1}, 3):
        path.write_text(json.dumps(altered))
        refuses("store", _open, tmp_path)
        refuses("folder", read_record, tmp_path)
    for text in ("", "{", "\0"):
        path.write_text(text)
        refuses("store", _open, tmp_path)
    refuses("folder", read_record, tmp_path / "nowhere")


def test_foreign_folders_are_refused_and_left_alone(tmp_path, refuses):
    for name, record in (("thesis.tex", False), ("part-b0.npz", False), ("notes.txt", True), ("part-b9.npz", True)):
        folder = tmp_path / name
        folder.mkdir()
        if record:
            _squares(_open(folder))
        (folder / name).write_text("mine")
        before = _contents(folder)
        refuses("store", _open, folder)
        assert _contents(folder) == before
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / ".DS_Store").write_text("mine")
    assert _squares(_open(hidden))[2]["square"] == 4
    assert (hidden / ".DS_Store").read_text() == "mine"


def test_sources_that_cannot_be_recorded_are_refused(tmp_path, refuses):
    for rng in (np.random.default_rng(0), None, -1, "seed"):
        refuses("rng", _table, tmp_path / "new", rng=rng)
    for bad in ({"sizes": []}, {"replicates": 0}, {"delta": 2}, {"n_jobs": 0}):
        refuses(next(iter(bad)), _table, tmp_path / "new", **bad)
    assert not (tmp_path / "new").exists()


def test_bad_arguments(tmp_path, refuses):
    refuses("store", _open, 5)
    for keys in ([], ["a", "a"], ["a", "A"], ["a/b"], [".."], [3], ["ä"]):
        refuses("keys", _open, tmp_path / "new", keys=keys)
    for parameters in ({"x": float("nan")}, {"x": np.arange(2)}, {"x": (1, 2)}, {1: 2}, {"seed": 3}):
        refuses("parameters", _open, tmp_path / "new", parameters=parameters)
    assert not (tmp_path / "new").exists()
    refuses("store", run_blocks, _square, [(1,)], store=_open(tmp_path / "four"))
    for weights in ([1, 2, 3], [1, 2, 3, 0], [1, 2, 3, np.nan]):
        refuses("weights", _squares, None, weights=weights)
    for result in ([1], {"a b": [1]}, {"x": [object()]}, {3: [1]}):
        refuses(
            "function",
            run_blocks,
            dict if isinstance(result, dict) else list,
            [(result,)],
            store=_open(tmp_path / "one", n=1),
        )


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
@pytest.mark.parametrize("call", ["fsync", "write"])
def test_a_full_disk_is_refused_before_work_starts(tmp_path, monkeypatch, call, code):
    def full(*_):
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(OutputError, match=os.strerror(code)):
            _open(tmp_path / "deep" / "run")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("call", ["fsync", "write", "replace"])
def test_a_disk_that_fills_up_leaves_whole_parts_only(tmp_path, monkeypatch, expected, call):
    original, calls = getattr(os, call), []

    def fills_up(*args):
        calls.append(1)
        if len(calls) > 5:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return original(*args)

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fills_up)
        with pytest.raises(OutputError, match=r"cannot be written \(No space left on device\): make room"):
            _table(tmp_path / "run")
    left = os.listdir(tmp_path / "run")
    assert set(left) < {*PARTS, RECORD_NAME}
    assert len(left) > 1
    pd.testing.assert_frame_equal(_table(tmp_path / "run"), expected, check_exact=True)


def test_places_that_cannot_hold_a_folder(tmp_path, refuses):
    file = tmp_path / "file"
    file.write_text("mine")
    for place in (file, file / "below", file / "far" / "below"):
        refuses("store", _table, place)
    assert file.read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_finished_run_is_read_from_a_read_only_folder(tmp_path, monkeypatch, expected):
    _table(tmp_path)

    def read_only(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    for call in ("write", "fsync", "replace", "link", "unlink", "mkdir"):
        monkeypatch.setattr(os, call, read_only)
    pd.testing.assert_frame_equal(_table(tmp_path), expected, check_exact=True)


def test_leftovers_of_the_dead_are_removed_and_those_of_the_living_not(tmp_path, expected):
    import fcntl

    _table(tmp_path)
    (tmp_path / PARTS[0]).unlink()
    dead, living = tmp_path / f".{PARTS[0]}.abcdefgh.tmp", tmp_path / f".{PARTS[0]}.ijklmnop.tmp"
    dead.write_bytes(b"half")
    with living.open("wb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        pd.testing.assert_frame_equal(_table(tmp_path), expected, check_exact=True)
        assert not dead.exists()
        assert living.exists()
    assert remove_leftovers(tmp_path) == 1
    assert sorted(os.listdir(tmp_path)) == [*PARTS, RECORD_NAME]


def test_another_run_that_comes_first_by_a_moment_wins(tmp_path, monkeypatch, refuses):
    """Its record appears after we looked and before we write ours: ours must not replace it."""
    from moltheory.runs import _store as store

    def and_then(path, **options):
        monkeypatch.undo()
        _squares(_open(tmp_path, rng=1))
        return store.prepare_place(path, **options)

    monkeypatch.setattr(store, "prepare_place", and_then)
    refuses("store", _open, tmp_path)
    assert read_record(tmp_path).entropy == 1


def test_file_systems_without_links(tmp_path, monkeypatch, refuses):
    def no_links(*_):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", no_links)
    assert _squares(_open(tmp_path))[3]["square"] == 9
    refuses("store", _open, tmp_path, rng=1)


def test_another_seed_is_told_plainly(tmp_path, refuses):
    _open(tmp_path / "plain", rng=0)
    assert "seed is 0 and not 1." in refuses("store", _open, tmp_path / "plain", rng=1)
    child = np.random.SeedSequence(0).spawn(1)[0]
    assert "seed is 0 and not {'entropy': 0, 'spawn_key': [0]}" in refuses(
        "store", _open, tmp_path / "plain", rng=child
    )


@pytest.mark.slow
def test_the_checksum_notices_what_the_crc_of_a_zip_archive_does_not(tmp_path, refuses):
    """Without its comment a part could lose its last bytes, or a bit of a header, and still be read."""
    _squares(_open(tmp_path))
    path = tmp_path / "part-b1.npz"
    whole = path.read_bytes()
    readable = 0
    for damaged in [whole[:-64], whole[:-1], whole + b"\0"] + [
        whole[:k] + bytes([whole[k] ^ 1]) + whole[k + 1 :] for k in range(len(whole) - 250, len(whole) - 64)
    ]:
        path.write_bytes(damaged)
        with contextlib.suppress(Exception), np.load(io.BytesIO(damaged)) as archive:
            readable += all(archive[name].size for name in archive.files)
        refuses("store", lambda: _squares(_open(tmp_path)))
    assert readable > 10


def test_parts_of_version_0_1_are_read(tmp_path):
    """A part written by 0.1 for this run and block, byte for byte."""
    part = load_part(Path(__file__).parent / "data", "0" * 64, "a", argument="store")
    assert part.seconds == 0.25
    assert part.columns["size"].tolist() == [1, 2]
    np.testing.assert_array_equal(part.columns["error"], [0.1, np.nan])
    again = save_part(tmp_path, "0" * 64, "a", part.columns, seconds=0.25)
    assert again.checksum == part.checksum == "17b3f02942bed08709bdfa044c50c0a296e31e57e99014629a8611aa771293a1"
