"""Run folders that somebody or something changed: each is either right or refused in one sentence that says what to do."""

import contextlib
import errno
import json
import os
import shutil
import stat
import time

import numpy as np
import pytest

from moltheory.errors import InvalidInputError, OutputError
from moltheory.runs import RunFolder, read_record, run_blocks, write_atomically
from moltheory.runs._output_folder import OutputFolder
from moltheory.runs._record import RECORD_NAME
from moltheory.runs._versions import HARMLESS

N = 4


def _square(k):
    return {"k": np.array([k]), "square": np.array([k * k])}


def _open(folder, **changes):
    keys = [f"b{k}" for k in range(N)]
    return RunFolder.open(folder, **{"parameters": {"what": "squares", "n": 4}, "rng": 0, "keys": keys, **changes})


def _squares(folder, function=_square, **changes):
    return run_blocks(function, [(k,) for k in range(N)], store=_open(folder, **changes))


def _is_right(found):
    return [int(columns["square"][0]) for columns in found] == [0, 1, 4, 9]


def _outcome(folder, function=_square):
    """Run; return the sentence of a refusal, or None where the result is right."""
    try:
        found = _squares(folder, function)
    except (InvalidInputError, OutputError) as error:
        sentence = str(error)
        assert "\n" not in sentence
        assert sentence.endswith(".")
        assert len(sentence) < 1000
        return sentence
    assert _is_right(found)
    return None


_ODD = [
    *(None, True, False, 0, -1, 1.5, 10**400, -(10**20), 1e308, float("nan"), float("inf")),
    *("", "text", "ü", "\ud800", [], {}, [[]], {"a": 1}, ["b0"], ["../b0", "b1", "b2", "b3"], [None], {"": None}),
]


def _places(content, way=()):
    if isinstance(content, dict):
        for name, value in content.items():
            yield (*way, name)
            yield from _places(value, (*way, name))


def _changed(content, way, value):
    """A copy of the record with another value in one place, or without it."""
    result = json.loads(json.dumps(content))
    inner = result
    for name in way[:-1]:
        inner = inner[name]
    if value is KeyError:
        del inner[way[-1]]
    else:
        inner[way[-1]] = value
    return result


def _may_be_true(way, value):
    """Whether a change is of something that no result depends on: the time it took, the system, who drew it."""
    if way == ("seconds",):
        return value in (1.5, 1e308)
    return (way[-1] == "platform" or way[-1] in HARMLESS) and (isinstance(value, str) or value is KeyError)


def _texts(whole):
    """Records that are no record of this run, or the same one in other words."""
    content = json.loads(whole)
    for way in _places(content):
        for value in (KeyError, *_ODD):
            if _may_be_true(way, value):
                continue
            changed = _changed(content, way, value)
            if changed != content or json.dumps(changed) != json.dumps(content):
                yield json.dumps(changed).encode()
    yield from (whole[:k] for k in range(0, len(whole) - 2, 37))
    yield from (whole.replace(b'"schema"', name) for name in (b'"seconds"', b'"schema": 3, "schema"', b"schema"))
    yield from (
        b"[" * 100_000,
        b'{"schema":' * 5_000,
        b"\xff\xfe",
        b"\xff" * 100,
        b"\0" * 100,
        b"null",
        b"1e999",
        b'"x"',
    )
    nested = "[" * 900 + "]" * 900
    yield from (
        whole.replace(b'"squares"', nested.encode()),
        whole.replace(b'"schema": 2', f'"schema": {nested}'.encode()),
    )
    yield whole.replace(b'"schema": 2', b'"schema": 2' + b"0" * 5000)


@pytest.mark.slow
def test_every_change_of_a_record_is_refused(tmp_path):
    _squares(tmp_path)
    path = tmp_path / RECORD_NAME
    whole = path.read_bytes()
    texts = list(_texts(whole))
    assert len(texts) > 800
    parts = {entry.name: entry.read_bytes() for entry in tmp_path.glob("part-*")}
    for text in texts[:: 1 if os.environ.get("MOLTHEORY_FULL") == "1" else 8]:
        path.write_bytes(text)
        sentence = _outcome(tmp_path)
        assert sentence is not None, text[:2000]
        assert "`store` must" in sentence
        assert path.read_bytes() == text
        with pytest.raises(InvalidInputError, match="`folder` must"):
            read_record(tmp_path)
    assert {entry.name: entry.read_bytes() for entry in tmp_path.glob("part-*")} == parts
    # The same record in another layout or encoding is the same record.
    for text in (json.dumps(json.loads(whole)).encode(), whole.decode().encode("utf-16"), b"\n" + whole):
        path.write_bytes(text)
        assert _outcome(tmp_path) is None


def _fifo(path):
    os.mkfifo(path)


def _loop(path):
    path.symlink_to(path)


def _device(path):
    path.symlink_to("/dev/zero")


def _huge(path):
    with path.open("wb") as file:
        file.truncate(1 << 33)


@pytest.mark.parametrize("name", ["part-b1.npz", RECORD_NAME])
@pytest.mark.parametrize("make", [os.mkdir, _fifo, _loop, _device, _huge], ids=lambda make: make.__name__.strip("_"))
def test_what_took_the_place_of_a_file_is_never_waited_for(tmp_path, name, make):
    if make is _huge and name != RECORD_NAME:
        # Its digest is computed in pieces, which takes seconds for one so large.
        def make(path):
            path.write_bytes(b"0" * 10_000_000)

    _squares(tmp_path)
    (tmp_path / name).unlink()
    make(tmp_path / name)
    before = stat.S_IFMT(os.lstat(tmp_path / name).st_mode)
    sentence = _outcome(tmp_path)
    assert sentence is not None
    assert name in sentence
    assert "delete" in sentence or "use" in sentence
    assert stat.S_IFMT(os.lstat(tmp_path / name).st_mode) == before


@pytest.mark.parametrize("code", [errno.EACCES, errno.EIO, errno.EMFILE, errno.ESTALE, errno.ENOMEM])
def test_a_file_that_cannot_be_read_is_refused(tmp_path, monkeypatch, code):
    _squares(tmp_path)
    original = os.open
    for name in ("part-b1.npz", RECORD_NAME):

        def failing(path, *rest, name=name, **options):
            if str(path).endswith(name):
                raise OSError(code, os.strerror(code), str(path))
            return original(path, *rest, **options)

        with monkeypatch.context() as patch:
            patch.setattr(os, "open", failing)
            assert os.strerror(code) in _outcome(tmp_path)
        assert _outcome(tmp_path) is None


_CODES = [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.EACCES, errno.EFBIG]


@pytest.mark.slow
@pytest.mark.parametrize("call", ["open", "write", "fsync", "replace", "link", "mkdir", "rename", "fchmod"])
def test_any_call_may_fail_at_any_time(tmp_path, monkeypatch, call):
    """Run folders and reports: one sentence, what is there is whole, and the same call finishes it."""
    original = getattr(os, call)
    refused = 0
    for at, code in zip((1, 2, 3, 4, 5, 7, 9), _CODES, strict=True):
        calls = []

        def failing(*args, calls=calls, at=at, code=code, **options):
            calls.append(1)
            if len(calls) >= at:
                raise OSError(code, os.strerror(code))
            return original(*args, **options)

        run, report = tmp_path / f"run{at}", tmp_path / f"report{at}"
        with OutputFolder(report) as out:
            out.replace({"a.csv": "old", "record.json": "old"})
        with monkeypatch.context() as patch:
            patch.setattr(os, call, failing)
            refused += _outcome(run) is not None
            calls.clear()
            with contextlib.suppress(OutputError), OutputFolder(report) as out:
                out.replace({"a.csv": "new", "b.csv": "new", "record.json": "new"})
        texts = {entry.name: entry.read_text() for entry in report.iterdir() if entry.is_file()}
        if not (report / ".moltheory-complete").exists():
            assert set(texts.values()) in ({"old"}, {"new"}), texts
        with OutputFolder(report):
            pass
        texts = {entry.name: entry.read_text() for entry in report.iterdir()}
        assert set(texts.values()) in ({"old"}, {"new"}), texts
        assert _outcome(run) is None
        assert len(os.listdir(run)) == N + 1
    assert refused or call in ("mkdir", "link", "rename")


_CHANGES = {
    "removed": shutil.rmtree,
    "emptied": lambda folder: (shutil.rmtree(folder), folder.mkdir()),
    "moved": lambda folder: folder.rename(folder.with_name("elsewhere")),
    "a file": lambda folder: (shutil.rmtree(folder), folder.write_text("mine")),
    "another run": lambda folder: (shutil.rmtree(folder), _squares(folder, rng=1)),
    "another, unfinished": lambda folder: (shutil.rmtree(folder), _open(folder, rng=1)),
    "without record": lambda folder: (folder / RECORD_NAME).unlink(),
    "record altered": lambda folder: (folder / RECORD_NAME).write_text("{}"),
    "a part altered": lambda folder: (folder / "part-b0.npz").write_bytes(b"mine"),
    "a part of the future": lambda folder: os.utime(folder / "part-b0.npz", (4e9, 4e9)),
}


@pytest.mark.parametrize("change", _CHANGES)
def test_a_folder_that_changes_during_the_run(tmp_path, change):
    folder = tmp_path / "run"

    def changing(k):
        if k == 2:
            _CHANGES[change](folder)
        return _square(k)

    sentence = _outcome(folder, changing)
    assert sentence is None or "`store`" in sentence or "cannot be written" in sentence
    again = _outcome(folder)
    if again is not None:
        assert str(folder) in again
        # What it holds by then is no run, or another: in a new place it works.
        assert _outcome(tmp_path / "new") is None


def test_a_clock_that_goes_back(tmp_path, monkeypatch):
    later = iter(range(10**9, 0, -1000))
    # It keeps the clock that it finds when it is imported.
    import tqdm.auto  # noqa: F401

    monkeypatch.setattr(time, "time", lambda: float(next(later)))
    assert _outcome(tmp_path) is None
    for k in range(N):
        os.utime(tmp_path / f"part-b{k}.npz", (4e9, 4e9))
    assert _outcome(tmp_path) is None
    assert read_record(tmp_path).seconds >= 0
    assert _is_right(run_blocks(_square, [(k,) for k in range(N)], progress=True))


@pytest.mark.parametrize("path", ["a\0b", "x" * 300, "\ud800", "/dev/null/x", "/proc/none/x", "loop/x"])
def test_impossible_places(tmp_path, path):
    (tmp_path / "loop").symlink_to("loop")
    place = tmp_path / path
    for attempt in (_squares, OutputFolder, lambda where: write_atomically(where, b"")):
        with pytest.raises(OutputError) as caught:
            attempt(place)
        assert "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == ["loop"]


def test_the_longest_name_can_be_written(tmp_path):
    path = tmp_path / ("x" * 255)
    assert write_atomically(path, b"whole")
    assert path.read_bytes() == b"whole"
    assert len(os.listdir(tmp_path)) == 1


def test_a_limit_on_the_size_of_files(tmp_path):
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(OutputError, match="raise the limit on the size of files"):
            write_atomically(tmp_path / "file", bytes(20_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert os.listdir(tmp_path) == []


def test_one_run_at_a_time_in_a_folder_of_results(tmp_path):
    with OutputFolder(tmp_path), pytest.raises(OutputError, match="wait for the end of that run"):
        OutputFolder(tmp_path)
    with OutputFolder(tmp_path) as out:
        assert [path.name for path in out.replace({"a": "1"})] == ["a"]


def test_results_never_take_the_place_of_folders_nor_appear_elsewhere(tmp_path):
    place = tmp_path / "report"
    with OutputFolder(place) as out:
        (place / "a").mkdir()
        with pytest.raises(OutputError, match="move away"):
            out.replace({"a": "1", "b": "2"})
        assert os.listdir(place) == ["a"]
        place.rename(tmp_path / "moved")
        place.mkdir()
        with pytest.raises(OutputError, match="was moved or removed"):
            out.replace({"b": "2"})
    with pytest.raises(OutputError, match="move away"):
        OutputFolder(tmp_path / "moved", ["a"])
    assert os.listdir(place) == []
