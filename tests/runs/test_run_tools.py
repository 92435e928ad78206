"""Runs listed, checked, exported, merged and cleaned: whole, damaged, foreign, empty, read-only and very large ones."""

import errno
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from moltheory.errors import InvalidInputError, OutputError
from moltheory.experiments import asymmetry
from moltheory.problems import reference_world
from moltheory.runs import (
    RunFolder,
    check_run,
    clean_runs,
    export_run,
    list_runs,
    merge_runs,
    read_record,
    run_blocks,
)
from moltheory.runs._block_result import part_name, save_part
from moltheory.runs._files import _temporary_beside
from moltheory.runs._record import RECORD_NAME

GOOD = {"sizes": [3, 40], "replicates": 1100}
N = 6
needs_permissions = pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")

# Older pandas reads some floats one bit off; newer has no such option.
_EXACT = {} if pd.__version__ >= "3" else {"float_precision": "round_trip"}


def _table(store, rng=5, **changes):
    return asymmetry(reference_world(), **{**GOOD, "rng": rng, "store": store, **changes})


def _small(folder, keys=("a", "b"), blocks=None, rng=0, **parameters):
    store = RunFolder.open(folder, parameters=parameters, rng=rng, keys=list(keys))
    return run_blocks(dict, [(block,) for block in blocks or [{"x": [k]} for k in range(len(keys))]], store=store)


@pytest.fixture
def run(tmp_path):
    _table(tmp_path / "run")
    return tmp_path / "run"


def _files(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def _dead_file(folder, name=".part-size-3-block-0.npz.0123456789abcdef.tmp"):
    """As a process leaves it that was killed while it wrote."""
    path = folder / name
    path.write_bytes(b"half")
    return path


class TestList:
    def test_every_run_below_once(self, tmp_path, run):
        _small(tmp_path / "deep" / "er" / "small", what="x")
        store = RunFolder.open(tmp_path / ".hidden", parameters={"study": "s"}, rng=7, keys=["a", "b"])
        save_part(store.path, store.record.run, "a", {"x": [1]}, seconds=1.0)
        (tmp_path / "foreign").mkdir()
        (tmp_path / "foreign" / "record.json").write_text("{}")
        (tmp_path / "foreign" / "note.txt").write_text("mine")
        found = list_runs(tmp_path).set_index("place")
        assert sorted(found.index) == sorted(map(str, (store.path, tmp_path / "deep" / "er" / "small", run)))
        row = found.loc[str(run)]
        assert row[["name", "problem", "seed", "state", "versions"]].tolist() == [
            *("asymmetry", "reference_world", "5", "finished", "as here")
        ]
        assert (row["blocks"], row["of"]) == (N, N)
        assert row["bytes"] == sum(map(len, _files(run).values()))
        assert row["seconds"] == read_record(run).seconds
        assert found.loc[str(store.path), ["name", "blocks", "of", "state"]].tolist() == ["s", 1, 2, "unfinished"]
        assert np.isnan(found.loc[str(store.path), "seconds"])
        assert list_runs(run)["place"].tolist() == [str(run)]

    def test_what_is_damaged_is_listed(self, run):
        (run / "part-size-3-block-1.npz").unlink()
        assert list_runs(run)["state"].tolist() == ["parts missing"]
        (run / RECORD_NAME).write_text("{}")
        assert list_runs(run)["state"].tolist() == ["damaged"]

    def test_versions_that_would_be_refused_are_named(self, run, monkeypatch):
        from dataclasses import replace

        from moltheory.runs import _run_table as module

        here = module.show_versions()
        other = replace(here, packages=here.packages | {"numpy": "9.9"})
        monkeypatch.setattr(module, "show_versions", lambda: other)
        assert list_runs(run)["versions"].tolist() == [f"numpy {here.packages['numpy']}, here 9.9"]

    def test_empty_and_missing_places(self, tmp_path, refuses):
        assert list_runs(tmp_path).empty
        assert list(list_runs(tmp_path).columns) == list(list_runs(tmp_path / ".").columns)
        refuses("place", list_runs, tmp_path / "none")
        (tmp_path / "file").write_text("")
        refuses("place", list_runs, tmp_path / "file")
        refuses("place", list_runs, 3)


class TestCheck:
    def test_a_whole_run_and_an_unfinished_one(self, run, tmp_path):
        assert check_run(run) == []
        store = RunFolder.open(tmp_path / "new", parameters={}, rng=0, keys=["a", "b"])
        assert check_run(tmp_path / "new") == []
        save_part(store.path, store.record.run, "a", {"x": [1]}, seconds=1.0)
        (tmp_path / "new" / ".hidden").write_text("")
        assert check_run(tmp_path / "new") == []

    def test_every_damage_is_found_and_nothing_changed(self, run, tmp_path):
        _table(tmp_path / "other", rng=6)
        name = "part-size-3-block-1.npz"
        whole = (run / name).read_bytes()
        damages = [b"", b"mine", whole[:-1], whole + b"0", (tmp_path / "other" / name).read_bytes()]
        damages += [(run / "part-size-3-block-0.npz").read_bytes()]
        damages += [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(0, len(whole), 5003)]
        for content in damages:
            (run / name).write_bytes(content)
            before = _files(run)
            (sentence,) = check_run(run)
            assert name in sentence
            assert "delete this file" in sentence
            assert _files(run) == before
        (run / name).unlink()
        (sentence,) = check_run(run)
        assert "run it again" in sentence
        (run / "foreign.txt").write_text("mine")
        assert len(check_run(run)) == 2
        # The remedies hold.
        (run / "foreign.txt").unlink()
        _table(run)
        assert check_run(run) == []

    def test_a_part_of_other_columns_is_found_by_the_record(self, run):
        """It is whole, of this run and this block: only the checksum in the record tells."""
        record = read_record(run)
        save_part(run, record.run, "size-3-block-1", {"x": [1]}, seconds=1.0)
        (sentence,) = check_run(run)
        assert "checksum" in sentence

    def test_no_run(self, tmp_path, refuses):
        refuses("folder", check_run, tmp_path)
        refuses("folder", check_run, tmp_path / "none")


class TestExport:
    @pytest.mark.parametrize("suffix", [".csv", ".parquet", ".CSV"])
    def test_the_same_numbers_as_the_table(self, run, tmp_path, suffix):
        expected = _table(None)
        path = tmp_path / f"table{suffix}"
        assert export_run(run, path) == len(expected)
        found = pd.read_parquet(path) if suffix == ".parquet" else pd.read_csv(path, **_EXACT)
        assert found["block"].iloc[[0, -1]].tolist() == ["size-3-block-0", "size-40-block-2"]
        pd.testing.assert_frame_equal(found[list(expected)], expected, check_exact=True)
        assert oct(path.stat().st_mode & 0o777) == oct(0o666 & ~_umask())

    def test_numbers_in_names_are_sorted_by_value(self, tmp_path):
        keys = [f"b{k}" for k in (2, 10, 1, 0)]
        _small(tmp_path / "run", keys)
        export_run(tmp_path / "run", tmp_path / "t.csv")
        assert pd.read_csv(tmp_path / "t.csv")["block"].tolist() == ["b0", "b1", "b2", "b10"]

    def test_shapes(self, tmp_path, refuses):
        blocks = [{"x": np.arange(2), "y": np.arange(6).reshape(2, 3), "s": np.array(["a,b", 'c"\n'])}] * 2
        _small(tmp_path / "wide", blocks=blocks)
        for name in ("t.csv", "t.parquet"):
            assert export_run(tmp_path / "wide", tmp_path / name) == 4
        for found in (
            pd.read_csv(tmp_path / "t.csv", **_EXACT),
            pd.read_parquet(tmp_path / "t.parquet"),
        ):
            assert list(found) == ["block", "x", "y_0", "y_1", "y_2", "s"]
            assert found["y_2"].tolist() == [2, 5, 2, 5]
            assert found["s"].tolist() == ["a,b", 'c"\n'] * 2
        _small(tmp_path / "scalar", blocks=[{"x": np.array(1.5)}, {"x": np.array(2.5)}])
        assert export_run(tmp_path / "scalar", tmp_path / "t.csv") == 2
        _small(tmp_path / "ragged", blocks=[{"x": [1, 2], "y": [1]}] * 2)
        refuses("folder", export_run, tmp_path / "ragged", tmp_path / "t.csv")
        assert export_run(tmp_path / "ragged", tmp_path / "t.csv", columns=["y"]) == 2
        refuses("columns", export_run, tmp_path / "ragged", tmp_path / "t.csv", columns=["z"])
        _small(tmp_path / "differ", blocks=[{"x": [1]}, {"y": [1]}])
        refuses("folder", export_run, tmp_path / "differ", tmp_path / "t.csv")
        _small(tmp_path / "complex", blocks=[{"x": [1j]}] * 2)
        refuses("folder", export_run, tmp_path / "complex", tmp_path / "t.parquet")
        _small(tmp_path / "huge", blocks=[{"x": np.zeros((1, 2000))}] * 2)
        refuses("folder", export_run, tmp_path / "huge", tmp_path / "t.csv")

    def test_no_half_file_and_no_damaged_part(self, run, tmp_path, refuses):
        path = tmp_path / "t.csv"
        path.write_text("before")
        (run / "part-size-40-block-2.npz").write_bytes(b"mine")
        with pytest.raises(InvalidInputError):
            export_run(run, path)
        assert path.read_text() == "before"
        (run / "part-size-40-block-2.npz").unlink()
        refuses("folder", export_run, run, path)
        assert sorted(os.listdir(tmp_path)) == ["run", "t.csv"]
        refuses("path", export_run, run, tmp_path / "t.xlsx")
        with pytest.raises(OutputError, match="cannot be written"):
            export_run(run, tmp_path / "none" / "t.csv")

    def test_unfinished_runs_only_where_asked_for(self, tmp_path, refuses):
        store = RunFolder.open(tmp_path / "run", parameters={}, rng=0, keys=["a", "b"])
        refuses("folder", export_run, tmp_path / "run", tmp_path / "t.csv", partial=True)
        save_part(store.path, store.record.run, "b", {"x": [1, 2]}, seconds=1.0)
        refuses("folder", export_run, tmp_path / "run", tmp_path / "t.csv")
        assert export_run(tmp_path / "run", tmp_path / "t.csv", partial=True) == 2

    @pytest.mark.slow
    @pytest.mark.parametrize("suffix", [".csv", ".parquet"])
    def test_memory_does_not_grow_with_the_run(self, tmp_path, suffix):
        peaks = []
        for count in (15, 60):
            keys = [f"b{k}" for k in range(count)]
            store = RunFolder.open(tmp_path / f"{count}", parameters={}, rng=0, keys=keys)
            noise = np.random.default_rng(0).random(100_000)
            parts = {key: save_part(store.path, store.record.run, key, {"x": noise}, seconds=1.0) for key in keys}
            store.finish(parts)
            peaks.append(_peak(f"export_run({str(store.path)!r}, {str(tmp_path / 'table') + suffix!r})"))
        # 12 MB and 48 MB of numbers, and names of blocks that take as much again.
        assert peaks[1] - peaks[0] < 20, peaks


def _umask():
    umask = os.umask(0)
    os.umask(umask)
    return umask


def _peak(call):
    """Megabytes that a process of its own needs for a call."""
    code = (
        f"import resource; from moltheory.runs import export_run; {call}; "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(found.stdout) / (1 << 10 if sys.platform == "linux" else 1 << 20)


class TestMerge:
    def test_halves_of_one_run(self, run, tmp_path):
        """Two copies, each with some of the blocks: their union is the run, and the same call finishes it."""
        expected = _table(None)
        unfinished = RunFolder.open(tmp_path / "fresh", parameters=read_record(run).parameters, rng=5, keys=_keys(run))
        for name, keep in (("one", (0, 1)), ("two", (1, 2))):
            folder = tmp_path / name
            folder.mkdir()
            shutil.copy(unfinished.path / RECORD_NAME, folder)
            for size in (3, 40):
                for block in keep:
                    shutil.copy(run / part_name(f"size-{size}-block-{block}"), folder)
        both = merge_runs([tmp_path / "one", tmp_path / "two"], into=tmp_path / "both")
        assert both.is_finished
        assert both.run == read_record(run).run
        assert both.checksums == read_record(run).checksums
        pd.testing.assert_frame_equal(_table(tmp_path / "both"), expected, check_exact=True)
        shutil.rmtree(tmp_path / "two")
        shutil.copytree(unfinished.path, tmp_path / "two")
        part = merge_runs([tmp_path / "one", tmp_path / "two"], into=tmp_path / "part")
        assert not part.is_finished
        assert len(part.finished_keys) == 4
        pd.testing.assert_frame_equal(_table(tmp_path / "part"), expected, check_exact=True)

    def test_several_seeds(self, tmp_path):
        seeds = [np.random.SeedSequence(5, spawn_key=(k,)) for k in range(3)]
        tables = [_table(tmp_path / f"{k}", rng=seed) for k, seed in enumerate(seeds)]
        record = merge_runs([tmp_path / f"{k}" for k in range(3)], into=tmp_path / "all")
        assert record.is_finished
        assert len(record.keys) == 3 * N
        assert [one["spawn_key"] for one in record.parameters["merged seeds"]] == [[0], [1], [2]]
        assert check_run(tmp_path / "all") == []
        export_run(tmp_path / "all", tmp_path / "all.csv")
        found = pd.read_csv(tmp_path / "all.csv", **_EXACT)[list(tables[0])]
        pd.testing.assert_frame_equal(found, pd.concat(tables, ignore_index=True), check_exact=True)
        assert list_runs(tmp_path / "all")["seed"].tolist() == ["3 merged"]
        # No experiment takes it for its own.
        with pytest.raises(InvalidInputError, match="merged seeds"):
            _table(tmp_path / "all", rng=seeds[0])

    def test_goes_on_where_it_was_interrupted(self, tmp_path, monkeypatch):
        from moltheory.runs import _run_merge as module

        for seed in (1, 2):
            _table(tmp_path / f"{seed}", rng=seed)
        original, calls = module.save_part, []

        def dies(*args, **options):
            calls.append(1)
            if len(calls) == 8:
                raise KeyboardInterrupt
            return original(*args, **options)

        monkeypatch.setattr(module, "save_part", dies)
        arguments = [tmp_path / "1", tmp_path / "2"]
        with pytest.raises(KeyboardInterrupt):
            merge_runs(arguments, into=tmp_path / "both")
        assert not read_record(tmp_path / "both").is_finished
        assert merge_runs(arguments, into=tmp_path / "both").is_finished
        assert len(calls) == 8 + 5
        assert check_run(tmp_path / "both") == []
        assert merge_runs(arguments, into=tmp_path / "both").is_finished

    def test_what_is_not_sound_is_refused(self, run, tmp_path, refuses):
        other = tmp_path / "other"
        into = tmp_path / "into"
        # The same seed with more replicates holds the same random numbers again.
        _table(other, replicates=1200)
        assert "replicates" in refuses("folders", merge_runs, [run, other], into=into)
        _table(tmp_path / "delta", rng=6, delta=0.1)
        assert "delta" in refuses("folders", merge_runs, [run, tmp_path / "delta"], into=into)
        refuses("folders", merge_runs, [run], into=into)
        refuses("into", merge_runs, [run, run], into=run)
        _table(tmp_path / "six", rng=6)
        refuses("folders", merge_runs, [run, tmp_path / "six", run], into=into)
        shutil.copytree(tmp_path / "six", tmp_path / "damaged")
        (tmp_path / "damaged" / "part-size-3-block-0.npz").write_bytes(b"mine")
        refuses("folders", merge_runs, [run, tmp_path / "damaged"], into=tmp_path / "into1")
        (tmp_path / "damaged" / "part-size-3-block-0.npz").unlink()
        refuses("folders", merge_runs, [run, tmp_path / "damaged"], into=tmp_path / "into2")
        RunFolder.open(tmp_path / "seven", parameters=read_record(run).parameters, rng=7, keys=_keys(run))
        refuses("folders", merge_runs, [run, tmp_path / "seven"], into=tmp_path / "into3")
        into.mkdir(exist_ok=True)
        (into / "mine.txt").write_text("mine")
        refuses("into", merge_runs, [run, tmp_path / "six"], into=into)
        assert os.listdir(into) == ["mine.txt"]
        refuses("into", merge_runs, [run, tmp_path / "six"], into=other)
        refuses("folders", merge_runs, [run, tmp_path / "none"], into=tmp_path / "into4")

    def test_parts_of_one_run_that_differ_are_refused(self, tmp_path, refuses):
        """As from a machine with a broken processor, or a function that does not depend on its arguments alone."""
        for name, value in (("one", 1), ("two", 2)):
            store = RunFolder.open(tmp_path / name, parameters={}, rng=0, keys=["a", "b"])
            save_part(store.path, store.record.run, "a", {"x": [value]}, seconds=1.0)
        refuses("folders", merge_runs, [tmp_path / "one", tmp_path / "two"], into=tmp_path / "both")


def _keys(run):
    return list(read_record(run).keys)


class TestClean:
    def test_leftovers_of_the_dead_only(self, run, tmp_path):
        dead = _dead_file(run)
        others = [
            _dead_file(run, ".mine.0123456789abcdef.tmp"),
            _dead_file(run, "mine.tmp"),
            _dead_file(tmp_path, ".tmp"),
        ]
        with _temporary_beside(run / "part-size-3-block-1.npz") as (_, living):
            for _ in range(2):
                found = clean_runs(tmp_path)
                assert found[["place", "kind", "files", "bytes"]].to_numpy().tolist() == [[str(dead), "leftover", 1, 4]]
                assert dead.exists()
            assert len(clean_runs(tmp_path, remove=True)) == 1
            assert os.path.exists(living)
        assert not dead.exists()
        assert all(path.exists() for path in others)
        assert clean_runs(tmp_path).empty

    def test_a_leftover_of_a_run_without_record(self, tmp_path):
        dead = _dead_file(tmp_path, ".record.json.0123456789abcdef.tmp")
        assert clean_runs(tmp_path, remove=True)["place"].tolist() == [str(dead)]
        assert os.listdir(tmp_path) == []

    def test_unfinished_runs_only_where_asked_for_and_old(self, run, tmp_path):
        store = RunFolder.open(tmp_path / "new", parameters={}, rng=0, keys=["a", "b"])
        save_part(store.path, store.record.run, "a", {"x": [1]}, seconds=1.0)
        finished = _files(run)
        assert clean_runs(tmp_path, remove=True).empty
        assert clean_runs(tmp_path, unfinished_after=1, remove=True).empty
        assert clean_runs(tmp_path, unfinished_after=0)[["kind", "files"]].to_numpy().tolist() == [
            ["unfinished run", 2]
        ]
        assert len(_files(store.path)) == 2
        # One file of late is enough: somebody may be at work.
        os.utime(store.path / RECORD_NAME, (1, 1))
        assert clean_runs(tmp_path, unfinished_after=1, remove=True).empty
        os.utime(store.path / "part-a.npz", (1, 1))
        assert len(clean_runs(tmp_path, unfinished_after=1, remove=True)) == 1
        assert not store.path.exists()
        assert _files(run) == finished

    def test_foreign_files_and_damaged_runs_stay(self, run, tmp_path):
        store = RunFolder.open(tmp_path / "new", parameters={}, rng=0, keys=["a", "b"])
        (store.path / "mine.txt").write_text("mine")
        (store.path / "part-other.npz").write_text("mine")
        (run / RECORD_NAME).write_text("{}")
        before = len(_files(run))
        clean_runs(tmp_path, unfinished_after=0, remove=True)
        assert sorted(os.listdir(store.path)) == ["mine.txt", "part-other.npz"]
        assert len(_files(run)) == before

    def test_bad_arguments(self, tmp_path, refuses):
        refuses("unfinished_after", clean_runs, tmp_path, unfinished_after=-1)
        refuses("unfinished_after", clean_runs, tmp_path, unfinished_after=float("nan"))
        refuses("place", clean_runs, tmp_path / "none")

    def test_a_disk_that_became_read_only(self, tmp_path, monkeypatch):
        RunFolder.open(tmp_path / "new", parameters={}, rng=0, keys=["a"])
        _dead_file(tmp_path / "new")

        def refuse(path, **_):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

        monkeypatch.setattr(Path, "unlink", refuse)
        monkeypatch.setattr(os, "unlink", refuse)
        before = _files(tmp_path)
        with pytest.raises(OutputError, match=r"cannot be removed \(Read-only file system\)"):
            clean_runs(tmp_path, unfinished_after=0, remove=True)
        assert clean_runs(tmp_path, remove=True).empty
        assert _files(tmp_path) == before

    @needs_permissions
    def test_read_only(self, tmp_path, run):
        RunFolder.open(tmp_path / "new", parameters={}, rng=0, keys=["a"])
        for folder in (run, tmp_path / "new"):
            folder.chmod(0o500)
        try:
            assert len(list_runs(tmp_path)) == 2
            assert check_run(run) == []
            with pytest.raises(OutputError, match="cannot be removed"):
                clean_runs(tmp_path, unfinished_after=0, remove=True)
            with pytest.raises(OutputError):
                export_run(run, run / "t.csv")
        finally:
            for folder in (run, tmp_path / "new"):
                folder.chmod(0o700)


def test_two_and_four_writers_in_one_folder(tmp_path):
    """Each computes what is missing; blocks that two compute at once are few, and equal."""
    keys = [f"b{k}" for k in range(40)]
    for count in (2, 4):
        folder, computed, found = tmp_path / f"{count}", [], []
        barrier = threading.Barrier(count)

        def work(folder=folder, computed=computed, found=found, barrier=barrier):
            def slow(k):
                computed.append(k)
                threading.Event().wait(0.01)
                return {"x": [k]}

            store = RunFolder.open(folder, parameters={}, rng=0, keys=keys)
            barrier.wait()
            found.append(run_blocks(slow, [(k,) for k in range(40)], store=store))

        threads = [threading.Thread(target=work) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == count
        assert all([int(part["x"][0]) for part in parts] == list(range(40)) for parts in found)
        # In the same order they would compute every block `count` times.
        assert 40 <= len(computed) < 40 + 20 * (count - 1)
        assert check_run(folder) == []
        assert sorted(os.listdir(folder)) == sorted([*map(part_name, keys), RECORD_NAME])


@pytest.mark.slow
def test_thousands_of_parts(tmp_path, monkeypatch):
    # Flushing so many files to the disk would take most of the time.
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    count = 10_000 if os.environ.get("MOLTHEORY_FULL") else 3_000
    keys = [f"b{k}" for k in range(count)]
    store = RunFolder.open(tmp_path / "run", parameters={}, rng=0, keys=keys)
    parts = {key: save_part(store.path, store.record.run, key, {"x": [k]}, seconds=0.0) for k, key in enumerate(keys)}
    store.finish(parts)
    assert list_runs(tmp_path)["blocks"].tolist() == [count]
    assert check_run(store.path) == []
    assert export_run(store.path, tmp_path / "t.parquet") == count
    assert pd.read_parquet(tmp_path / "t.parquet")["x"].tolist() == list(range(count))
    assert clean_runs(tmp_path, unfinished_after=0).empty


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 4])
def test_two_and_four_parents(tmp_path, count):
    """Processes of their own, one after the other on the same record, finish one run."""
    from tests.runs._jobs import N_PARTS, table

    code = "import sys; from tests.runs._jobs import table; table(sys.argv[1])"
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", code, str(tmp_path / "run")]
    processes = [subprocess.Popen(command, cwd=root) for _ in range(count)]
    assert [process.wait() for process in processes] == [0] * count
    pd.testing.assert_frame_equal(table(tmp_path / "run"), table(), check_exact=True)
    assert check_run(tmp_path / "run") == []
    assert len(os.listdir(tmp_path / "run")) == N_PARTS + 1
