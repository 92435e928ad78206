"""Runs in object storage, in memory: the same tables, whole or refused; errors that pass are met by trying again."""

import pickle
import sys
import threading
import uuid

import numpy as np
import pandas as pd
import pytest

from moltheory.errors import InvalidInputError, MissingDependencyError, OutputError
from moltheory.experiments import asymmetry
from moltheory.problems import reference_world
from moltheory.runs import RunFolder, check_run, list_runs, read_record, run_blocks
from moltheory.runs import _objects as objects
from moltheory.runs._places import as_place
from moltheory.runs._record import RECORD_NAME

pytest.importorskip("fsspec")

GOOD = {"sizes": [3, 40], "replicates": 1100, "rng": 5}
KEYS = [f"b{k}" for k in range(4)]


@pytest.fixture
def url():
    return f"memory://bucket/{uuid.uuid4().hex}/run"


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    """No waiting: how often is tried counts here, not how long."""
    waited = []
    monkeypatch.setattr(objects.time, "sleep", waited.append)
    return waited


def _square(k):
    return {"k": np.array([k]), "square": np.array([k * k])}


def _open(place, **changes):
    return RunFolder.open(place, **{"parameters": {"what": "squares"}, "rng": 0, "keys": KEYS, **changes})


def _squares(store, function=_square, **options):
    return run_blocks(function, [(k,) for k in range(len(KEYS))], store=store, **options)


def _is_right(found):
    return [int(columns["square"][0]) for columns in found] == [0, 1, 4, 9]


def _objects(url):
    return {name: (as_place(url, argument="store") / name).read() for name in as_place(url, argument="store").entries()}


def test_the_same_table_as_without(url):
    expected = asymmetry(reference_world(), **GOOD)
    for _ in range(2):
        pd.testing.assert_frame_equal(asymmetry(reference_world(), **GOOD, store=url), expected, check_exact=True)
    record = read_record(url)
    assert record.is_finished
    assert len(record.finished_keys) == 6
    assert sorted(record.columns()["size"].tolist()) == sorted(expected["size"])
    assert check_run(url) == []
    assert url in str(_open(url + "2"))
    (row,) = list_runs(url.rpartition("/")[0]).query("state == 'finished'").to_dict("records")
    assert (row["place"], row["blocks"], row["problem"]) == (url, 6, "reference_world")


def test_what_is_finished_is_kept(url):
    def stops(k):
        if k == 2:
            raise KeyboardInterrupt
        return _square(k)

    with pytest.raises(KeyboardInterrupt):
        _squares(_open(url), stops)
    before = _objects(url)
    assert {RECORD_NAME, "part-b0.npz", "part-b1.npz"} == set(before)
    computed = []
    assert _is_right(_squares(_open(url), lambda k: computed.append(k) or _square(k)))
    assert sorted(computed) == [2, 3]
    assert {name: content for name, content in _objects(url).items() if name in before and name != RECORD_NAME} == {
        name: content for name, content in before.items() if name != RECORD_NAME
    }


def test_anything_else_there_is_refused_and_left(url, refuses):
    place = as_place(url, argument="store")
    (place / "mine.txt").write("mine")
    refuses("store", _open, url)
    assert set(place.entries()) == {"mine.txt"}
    (place / "mine.txt").remove()
    _squares(_open(url))
    before = _objects(url)
    for change in ({"rng": 1}, {"parameters": {"what": "cubes"}}, {"keys": ["x"]}):
        refuses("store", _open, url, **change)
    for content in (b"", b"mine", before["part-b1.npz"][:-1], before["part-b0.npz"], before["part-b1.npz"] + b"0"):
        (place / "part-b1.npz").write(content)
        with pytest.raises(InvalidInputError, match=r"part-b1\.npz"):
            _squares(_open(url))
        assert len(check_run(url)) == 1
    (place / "part-b1.npz").remove()
    assert len(check_run(url)) == 1
    assert _is_right(_squares(_open(url)))
    assert check_run(url) == []
    (place / RECORD_NAME).write(b"{}")
    refuses("store", _open, url)


def test_the_record_of_another_that_comes_first_stays(url, refuses, monkeypatch):
    """It appears after we looked and before we write."""
    original = objects.ObjectPlace.write

    def and_then(place, content, **options):
        monkeypatch.setattr(objects.ObjectPlace, "write", original)
        _squares(_open(url, rng=1))
        return original(place, content, **options)

    monkeypatch.setattr(objects.ObjectPlace, "write", and_then)
    refuses("store", _open, url)
    assert read_record(url).entropy == 1
    assert read_record(url).is_finished


def test_one_of_many_creates(url):
    place = as_place(url, argument="store") / RECORD_NAME
    won = [place.write(str(k), overwrite=False) for k in range(5)]
    assert won == [True, False, False, False, False]
    assert place.read() == b"0"


def test_two_and_four_writers_share_the_work(url):
    for count in (2, 4):
        found, computed = [], []

        def work(place, found=found, computed=computed):
            found.append(_squares(_open(place), lambda k: computed.append(k) or _square(k)))

        threads = [threading.Thread(target=work, args=(f"{url}{count}",)) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == count
        assert all(map(_is_right, found))
        assert set(computed) == {0, 1, 2, 3}
        assert check_run(f"{url}{count}") == []
        assert len(_objects(f"{url}{count}")) == len(KEYS) + 1


def test_a_run_that_was_begun_goes_on_in_a_random_order(url):
    tasks = list(range(1000))
    assert _open(url).in_order(tasks) == tasks
    joined = _open(url)
    assert joined.is_joined
    assert joined.in_order(tasks) != tasks
    assert sorted(joined.in_order(tasks)) == tasks
    _squares(joined)
    assert not _open(url).is_joined


class _Failing:
    """A file system whose calls fail a number of times."""

    def __init__(self, system, error, times):
        self._system, self._error, self.left = system, error, times

    def __getattr__(self, name):
        call = getattr(self._system, name)
        if name not in ("pipe_file", "cat_file", "ls", "info", "find"):
            return call

        def failing(*args, **options):
            if self.left > 0:
                self.left -= 1
                raise self._error
            return call(*args, **options)

        return failing


def _fails(monkeypatch, error, times):
    original = objects.ObjectPlace._system
    state = _Failing(None, error, times)

    def system(place):
        state._system, path = original(place)
        return state, path

    monkeypatch.setattr(objects.ObjectPlace, "_system", system)
    return state


class _LibraryError(Exception):
    """As those of libraries that speak to stores, which are no OSError."""


_PASSING = [
    ConnectionResetError(104, "Connection reset by peer"),
    TimeoutError("timed out"),
    OSError(16, "Please reduce your request rate."),
    _LibraryError("Could not connect to the endpoint"),
]


@pytest.mark.parametrize("error", _PASSING, ids=lambda error: type(error).__name__)
def test_errors_that_pass(url, monkeypatch, error, hasty):
    state = _fails(monkeypatch, error, 2)
    store = _open(url)
    assert state.left == 0
    for function in (_square,):
        state.left = 2
        assert _is_right(_squares(store, function))
    assert hasty
    assert max(hasty) <= 32


@pytest.mark.parametrize("error", _PASSING, ids=lambda error: type(error).__name__)
def test_errors_that_stay_are_refused_and_parts_kept(url, monkeypatch, error, hasty):
    def unplugged(k):
        if k == 2:
            state.left = 10**6
        return _square(k)

    state = _fails(monkeypatch, error, 0)
    store = _open(url)
    with pytest.raises(OutputError, match=r"part-b2\.npz.*check the connection to it and run it again; finished parts"):
        _squares(store, unplugged)
    assert sum(hasty) < 120
    with pytest.raises(OutputError, match="check the connection"):
        _open(url)
    with pytest.raises(OutputError, match="check the connection"):
        read_record(url)
    state.left = 0
    assert set(read_record(url).finished_keys) == {"b0", "b1"}
    assert _is_right(_squares(_open(url)))


def test_a_store_that_is_read_only_for_a_while(url, monkeypatch):
    """A finished part is work: it is tried for long. What can be asked again is refused at once."""
    state = _fails(monkeypatch, PermissionError(13, "Access Denied"), 0)

    def read_only(k):
        state.left = 5 if k == 2 else 0
        return _square(k)

    store = _open(url)
    assert _is_right(_squares(store, read_only))
    state.left = 1
    with pytest.raises(OutputError, match=r"Access Denied.*check the credentials"):
        _open(url)
    state.left = 10**6
    with pytest.raises(OutputError, match="check the credentials"):
        _open(url + "2")


def test_without_tries_a_part_would_be_lost(url, monkeypatch):
    """The wrong variant: one attempt."""
    monkeypatch.setattr(objects, "_PATIENT", ())
    store = _open(url)
    _fails(monkeypatch, _PASSING[0], 0).left = 1
    with pytest.raises(OutputError):
        (store.path / "x").write("x")


def test_a_store_that_knows_no_conditions(url, monkeypatch):
    """It is asked first whether something is there."""
    import fsspec

    original = type(fsspec.filesystem("memory")).pipe_file
    for error in (NotImplementedError(), TypeError("mode"), OSError(38, "NotImplemented")):

        def old(self, path, value, error=error, **options):
            if "mode" in options:
                raise error
            return original(self, path, value)

        monkeypatch.setattr(type(fsspec.filesystem("memory")), "pipe_file", old)
        place = as_place(url, argument="store") / type(error).__name__
        assert [place.write(text, overwrite=False) for text in ("a", "b")] == [True, False]
        assert place.read() == b"a"


def test_a_condition_is_never_dropped_after_an_error_that_passes(url, monkeypatch):
    """The connection is lost, and before the next attempt another process creates the object."""
    import fsspec

    kind = type(fsspec.filesystem("memory"))
    original, calls = kind.pipe_file, []

    def lost(self, path, value, **options):
        calls.append(options)
        if len(calls) == 1:
            raise ConnectionResetError(104, "Connection reset by peer")
        if len(calls) == 2:
            original(self, path, b"theirs")
        return original(self, path, value, **options)

    place = as_place(url, argument="store") / RECORD_NAME
    monkeypatch.setattr(kind, "pipe_file", lost)
    assert not place.write("ours", overwrite=False)
    assert place.read() == b"theirs"


@pytest.mark.parametrize(
    "bad",
    [
        *("s3://key:secret@bucket/run", "https://host/run?X-Amz-Signature=secret", "memory://a/b?token=secret"),
        *("simplecache::memory://a/b", "nonsense://a/b"),
    ],
)
def test_urls_that_are_refused(bad, refuses):
    refuses("store", _open, bad)
    with pytest.raises(InvalidInputError) as caught:
        _open(bad)
    assert "secret" not in str(caught.value)


def test_credentials_are_never_shown_nor_sent(monkeypatch):
    pytest.importorskip("upath")
    from upath import UPath

    for options in ({"key": "AK", "secret": "hidden"}, {"client_kwargs": {"aws_secret_access_key": "hidden"}}):
        with pytest.raises(InvalidInputError, match="must be a URL without credentials") as caught:
            as_place(UPath("memory://a/b", **options), argument="store")
        assert "hidden" not in str(caught.value)
    place = as_place(UPath("memory://a/b", anon=True), argument="store")
    assert (str(place), place.options) == ("memory://a/b", {"anon": True})
    _fails(
        monkeypatch, _LibraryError("GET https://me:hidden@host/?X-Amz-Signature=hidden failed, secret_key=hidden"), 99
    )
    with pytest.raises(OutputError) as caught:
        place.write("x")
    assert "hidden" not in str(caught.value)
    assert "***" in str(caught.value)


def test_memory_does_not_reach_other_processes(url):
    with pytest.raises(InvalidInputError, match="use `n_jobs=1`"):
        _squares(_open(url), n_jobs=2)
    with pytest.raises(InvalidInputError, match="use `n_jobs=1`"):
        pickle.dumps(as_place(url, argument="store"))


def test_local_urls_and_universal_paths_are_paths(tmp_path):
    assert as_place(f"file://{tmp_path}/run", argument="store") == tmp_path / "run"
    assert _is_right(_squares(_open(f"file://{tmp_path}/run")))
    assert read_record(tmp_path / "run").is_finished
    upath = pytest.importorskip("upath")
    assert as_place(upath.UPath(tmp_path / "run"), argument="store") == tmp_path / "run"


def test_without_fsspec_a_url_is_refused_by_the_name_of_the_extra(monkeypatch, tmp_path):
    for name in [name for name in sys.modules if name.partition(".")[0] == "fsspec"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingDependencyError, match=r'run pip install "moltheory\[cluster\]"') as caught:
        _open("s3://bucket/run")
    assert str(caught.value).count("\n") == 0
    # A local path asks for nothing.
    assert _is_right(_squares(_open(tmp_path)))
