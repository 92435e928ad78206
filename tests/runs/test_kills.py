"""Runs killed at any moment, and two at once: the table comes out the same to the last bit."""

import contextlib
import os
import shutil
import signal
import time

import numpy as np
import pandas as pd
import pytest

from moltheory.runs import read_record
from moltheory.runs._files import is_temporary
from moltheory.runs._record import RECORD_NAME
from tests.runs._jobs import N_PARTS, server, table


@pytest.fixture(scope="module")
def runs():
    with server() as running:
        yield running


@pytest.fixture(scope="module")
def expected():
    return table()


@pytest.fixture(scope="module")
def seconds(runs, tmp_path_factory):
    """How long an undisturbed run takes; the first one in a new environment also compiles kernels for seconds."""
    for name in ("first", "undisturbed"):
        start = time.perf_counter()
        runs.start(tmp_path_factory.mktemp(name))
        assert runs.wait() == 0
    return time.perf_counter() - start


def _end_workers(pid):
    """End the rest of a run's process group; the one process that ignores this signal tidies up after the others."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGTERM)


def _check_resume(folder, expected, *, workers=False):
    """Only whole files lie there; the same call finishes the run, bit for bit; nothing else is left.

    Workers may outlive the signal by a moment, and then leave a temporary file after the others were removed.
    """
    if (folder / RECORD_NAME).exists():
        record = read_record(folder)
        rows = record.columns()
        assert len(record.finished_keys) <= N_PARTS
        assert sum(map(len, rows.values())) == 0 or len(rows["size"]) <= len(expected)
    pd.testing.assert_frame_equal(table(folder), expected, check_exact=True)
    assert read_record(folder).is_finished
    left = [name for name in os.listdir(folder) if not (workers and is_temporary(name))]
    assert len(left) == N_PARTS + 1, left
    pd.testing.assert_frame_equal(table(folder), expected, check_exact=True)


def _wait_for_a_moment(folder, pid, seconds, rng, *, most):
    """A random part, then a random moment after it: spread over the run however busy the machine is."""
    target = int(rng.integers(most))
    with contextlib.suppress(ProcessLookupError):
        while len(list(folder.glob("part-*"))) < target:
            os.kill(pid, 0)
            time.sleep(0.001)
    time.sleep(rng.uniform(0, 3 * seconds / N_PARTS))


def _kill_at_random(runs, folder, expected, seconds, rng, kills):
    """Kill and resume until the run is through, at most `kills` times; return how many kills hit."""
    hits = 0
    for _ in range(kills):
        pid = runs.start(folder)
        _wait_for_a_moment(folder, pid, seconds, rng, most=N_PARTS // 2)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        status = runs.wait()
        assert status in (0, -signal.SIGKILL)
        hits += status != 0
        if status == 0:
            break
    _check_resume(folder, expected)
    return hits


@pytest.mark.slow
def test_killed_at_random_moments(runs, expected, seconds, tmp_path):
    rng = np.random.default_rng(2022)
    hits = [_kill_at_random(runs, tmp_path / str(k), expected, seconds, rng, kills=1) for k in range(5)]
    assert sum(hits) >= 3
    # Killed again and again on its way.
    _kill_at_random(runs, tmp_path / "again", expected, seconds, rng, kills=4)


# Every step of writing a file, for the record (first call) and for parts: the proof of the folder is the first
# fsync, the record the second, the proof before the work the third.
@pytest.mark.slow
@pytest.mark.parametrize(
    "die",
    [
        ("fsync", 1, "after"),
        ("write", 1, "half"),
        ("fsync", 2, "before"),
        ("link", 1, "before"),
        ("link", 1, "after"),
        ("write", 2, "half"),
        ("fsync", 12, "after"),
        ("replace", 1, "before"),
        ("replace", 7, "after"),
        ("replace", N_PARTS + 1, "before"),
        ("replace", N_PARTS + 1, "after"),
    ],
)
def test_killed_at_every_step_of_writing(runs, expected, tmp_path, die):
    folder = tmp_path / "run"
    runs.start(folder, die=die)
    assert runs.wait() == -signal.SIGKILL
    _check_resume(folder, expected)


def test_killed_parent_of_workers_that_live_on(runs, expected, tmp_path):
    """Workers finish what they hold while the resumed run is already under way."""
    folder = tmp_path / "run"
    pid = runs.start(folder, n_jobs=2)
    try:
        for _ in range(600):
            if len(list(folder.glob("part-*"))) >= 5:
                break
            time.sleep(0.01)
        os.kill(pid, signal.SIGKILL)
        assert runs.wait() in (0, -signal.SIGKILL)
        pd.testing.assert_frame_equal(table(folder), expected, check_exact=True)
    finally:
        _end_workers(pid)
    assert not [name for name in os.listdir(folder) if not name.startswith(("part-", RECORD_NAME, "."))]
    pd.testing.assert_frame_equal(table(folder), expected, check_exact=True)


def test_two_processes_on_one_folder(runs, expected, tmp_path):
    for repeat in range(2):
        folder = tmp_path / str(repeat)
        runs.start(folder)
        here = table(folder)
        assert runs.wait() == 0
        pd.testing.assert_frame_equal(here, expected, check_exact=True)
        pd.testing.assert_frame_equal(table(folder), expected, check_exact=True)
        assert not [name for name in os.listdir(folder) if is_temporary(name)]
        assert len(os.listdir(folder)) == N_PARTS + 1


# Processes of their own start anew after each kill, which takes seconds.
_KILLS = {1: 100, 2: 100} if os.environ.get("MOLTHEORY_FULL") == "1" else {1: 32, 2: 8}


@pytest.mark.slow
@pytest.mark.parametrize("n_jobs", _KILLS)
def test_many_kills_of_parents(runs, expected, seconds, tmp_path, n_jobs):
    """The parent dies at random moments, again and again on the way; every few kills the run is finished."""
    rng = np.random.default_rng(50)
    hits, attempts = 0, 0
    parts: set[int] = set()
    while hits < _KILLS[n_jobs]:
        attempts += 1
        assert attempts < 5 * _KILLS[n_jobs]
        folder = tmp_path / str(hits // 4)
        pid = runs.start(folder, n_jobs=n_jobs)
        _wait_for_a_moment(folder, pid, seconds, rng, most=N_PARTS)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        _end_workers(pid)
        killed = runs.wait() != 0
        hits += killed
        parts.add(len(list(folder.glob("part-*"))))
        if not killed or hits % 4 == 0:
            _check_resume(folder, expected, workers=n_jobs > 1)
            shutil.rmtree(folder)
    # The kills fell everywhere.
    assert len(parts - {0, N_PARTS}) >= min(8, _KILLS[n_jobs] // 4)
