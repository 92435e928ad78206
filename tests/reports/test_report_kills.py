"""Reports killed at any moment: the folder shows the report before or the new one, and the same command finishes it."""

import contextlib
import fcntl
import hashlib
import json
import os
import signal
import time

import numpy as np
import pytest

from tests.runs._jobs import server

_KILLS = 200 if os.environ.get("MOLTHEORY_FULL") == "1" else 40
_NEW, _OLD = 0, 1


@pytest.fixture(scope="module")
def commands():
    with server() as running:
        yield running


def _arguments(folder, seed=_NEW):
    return ["reproduce", "--quick", "--only", "mechanism", "--n-jobs", "1", "--seed", str(seed), "--out", str(folder)]


def _finish(commands, folder, seed=_NEW, *further):
    commands.start(arguments=[*_arguments(folder, seed), *further])
    return commands.wait()


def _begin(commands, folder):
    """A folder with an older report and files of the user."""
    assert _finish(commands, folder, _OLD) == 0
    (folder / "mine.csv").write_text("mine")
    (folder / ".hidden.tmp").write_text("mine")


@pytest.fixture(scope="module")
def expected(commands, tmp_path_factory):
    folder = tmp_path_factory.mktemp("expected")
    assert _finish(commands, folder) == 0
    return _report(folder)


def _report(folder):
    """The seed of the report in a folder, and its files apart from the page, which says how long it took."""
    record = json.loads((folder / "record.json").read_text())
    contents = {name: (folder / name).read_bytes() for name in record["files"]}
    for name, digest in record["files"].items():
        assert hashlib.sha256(contents[name]).hexdigest() == digest, name
    return record["seed"], {name: content for name, content in contents.items() if name != "index.html"}


def _check_finished(commands, folder, expected, *kept):
    assert _finish(commands, folder) == 0
    assert _report(folder) == expected
    assert {entry.name for entry in folder.iterdir()} == {
        *(*expected[1], "index.html", "record.json", "mine.csv", ".hidden.tmp", *kept)
    }
    assert (folder / "mine.csv").read_text() == (folder / ".hidden.tmp").read_text() == "mine"


def test_a_report_names_its_files(expected):
    seed, contents = expected
    assert seed == _NEW
    assert {"mechanism.png", "mechanism.pdf"} < set(contents)
    assert any(name.endswith(".csv") for name in contents)


@pytest.mark.slow
@pytest.mark.parametrize(
    "die",
    [
        ("mkdir", 1, "before"),
        ("fsync", 3, "after"),
        ("rename", 1, "before"),
        ("rename", 1, "after"),
        ("replace", 1, "after"),
        ("replace", 3, "before"),
        ("replace", 5, "after"),
        ("rmdir", 1, "before"),
    ],
)
def test_killed_at_every_step_of_writing(commands, expected, tmp_path, die):
    folder = tmp_path / "report"
    # The blocks of the new report first: what is written then are the files of the report.
    assert _finish(commands, folder, _NEW, "--keep-runs") == 0
    _begin(commands, folder)
    commands.start(arguments=_arguments(folder), die=die)
    assert commands.wait() == -signal.SIGKILL
    complete = folder / ".moltheory-complete"
    if complete.exists():
        # Whatever the next run is, it first completes what was begun.
        assert _finish(commands, folder, 7) == 0
        assert _report(folder)[0] == 7
    else:
        assert _report(folder)[0] == _OLD
    # Blocks that were asked to stay do.
    _check_finished(commands, folder, expected, "runs")
    assert [run.name for run in (folder / "runs").iterdir()] == ["mechanism-quick-seed0"]


@pytest.mark.parametrize(
    ("die", "seed"),
    [
        # Before the files are in their places: the blocks are there still.
        (("replace", 2, "after"), _OLD),
        (("rmdir", 1, "before"), _NEW),
        # While the blocks are removed.
        (("rmdir", 2, "before"), _NEW),
        (("rmdir", 3, "before"), _NEW),
    ],
)
def test_killed_while_blocks_are_removed(commands, expected, tmp_path, die, seed):
    folder = tmp_path / "report"
    _begin(commands, folder)
    assert not (folder / "runs").exists()
    commands.start(arguments=_arguments(folder), die=die)
    assert commands.wait() == -signal.SIGKILL
    assert _report(folder)[0] == seed
    assert (folder / "runs").exists()
    _check_finished(commands, folder, expected)


def test_two_runs_on_one_folder(commands, expected, tmp_path):
    folder = tmp_path / "report"
    _begin(commands, folder)
    before = _report(folder)
    handle = os.open(folder, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    assert _finish(commands, folder) == 2
    assert _report(folder) == before
    os.close(handle)
    _check_finished(commands, folder, expected)


@pytest.mark.slow
def test_many_kills(commands, expected, tmp_path):
    start = time.perf_counter()
    assert _finish(commands, tmp_path / "first") == 0
    seconds = time.perf_counter() - start
    rng = np.random.default_rng(2208)
    hits, attempts, seen = 0, 0, set()
    while hits < _KILLS:
        attempts += 1
        assert attempts < 5 * _KILLS
        folder = tmp_path / str(hits // 5)
        if not folder.exists():
            _begin(commands, folder)
        pid = commands.start(arguments=_arguments(folder))
        time.sleep(rng.uniform(0, seconds))
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        killed = commands.wait() != 0
        hits += killed
        if not (folder / ".moltheory-complete").exists():
            seen.add(_report(folder)[0])
        if killed and hits % 5 == 0:
            _check_finished(commands, folder, expected)
    assert _OLD in seen
