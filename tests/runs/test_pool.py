"""Worker processes: any of them may end at any moment; the parent never waits for one that is gone."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from moltheory.errors import InvalidInputError, WorkerError
from moltheory.runs import RunFolder, run_blocks
from moltheory.runs import _pool as pool
from moltheory.runs import _worker as worker

_ROOT = Path(__file__).parents[2]


def _die(once, how, index):
    """End this process at the first call."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(once, os.O_CREAT | os.O_EXCL))
        os.kill(os.getpid(), how) if how else os._exit(7)
    return index


@pytest.mark.parametrize("how", [signal.SIGKILL, 0])
def test_lost_blocks_are_computed_again(tmp_path, how):
    assert run_blocks(_die, [(tmp_path / "once", how, i) for i in range(5)], n_jobs=2) == list(range(5))


def _die_at(place, index, folder):
    if index == place:
        os.kill(os.getpid(), signal.SIGKILL)
    (folder / str(index)).touch()
    return {"a": np.array([index])}


def test_a_block_that_ends_every_process_is_given_up_in_one_sentence(tmp_path):
    arguments = [(3, i, tmp_path) for i in range(8)]
    store = RunFolder.open(tmp_path / "run", parameters={}, rng=0, keys=[str(i) for i in range(8)])
    message = r"of block 4 of 8 5 ended \(SIGKILL\): use a smaller `n_jobs`, smaller blocks or more memory\.$"
    with pytest.raises(WorkerError, match=message):
        run_blocks(_die_at, arguments, n_jobs=2, store=store)
    # It is computed alone from the third time on, and so at the end: all others are finished and kept.
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [*sorted("0124567"), "run"]
    assert [store.load(key) is None for key in store.keys] == [i == 3 for i in range(8)]
    found = run_blocks(_die_at, [(-1, i, tmp_path) for i in range(8)], n_jobs=2, store=store)
    assert [int(row["a"][0]) for row in found] == list(range(8))


def _busiest(folder, index):
    """Return how many calls there are at the same time; end the first two processes of block 0."""
    own = folder / f"now-{index}"
    own.touch()
    if index == 0 and len(list(folder.glob("end-*"))) < 2:
        (folder / f"end-{os.getpid()}").touch()
        own.unlink()
        os._exit(1)
    time.sleep(0.02)
    count = len(list(folder.glob("now-*")))
    own.unlink()
    return count


def test_the_last_attempt_is_made_alone(tmp_path):
    # A block that needs all memory has it then.
    assert run_blocks(_busiest, [(tmp_path, i) for i in range(9)], n_jobs=3)[0] == 1


class _NotMadeAgain(Exception):
    def __init__(self, first, second):
        super().__init__(first)


def _raise(kind, *arguments):
    raise kind(*arguments)


def test_what_a_block_raises_is_raised_with_its_traceback():
    with pytest.raises(InvalidInputError, match="why") as caught:
        run_blocks(_raise, [(InvalidInputError, "why")] * 2, n_jobs=2)
    assert "in _raise" in str(caught.value.__cause__)
    with pytest.raises(RuntimeError, match="_NotMadeAgain: 1"):
        run_blocks(_raise, [(_NotMadeAgain, 1, 2)] * 2, n_jobs=2)
    with pytest.raises(TypeError, match="cannot pickle"):
        run_blocks(threading.Lock, [()] * 2, n_jobs=2)
    # The processes are as good as new.
    assert run_blocks(pow, [(2, 3), (2, 4)], n_jobs=2) == [8, 16]


def _received(array, _):
    return os.getpid(), id(array), array.flags.writeable, array.flags.c_contiguous, float(array[-1, -1])


@pytest.mark.parametrize("order", ["C", "F"])
def test_large_arrays_are_sent_once_to_each_process(order):
    array = np.asarray(np.arange(300_000.0).reshape(1000, 300), order=order)
    rows = run_blocks(_received, [(array, i) for i in range(12)], n_jobs=2)
    places = {(pid, place) for pid, place, *_ in rows}
    assert len(places) == len({pid for pid, *_ in rows}) <= 2
    assert {row[2:] for row in rows} == {(False, order == "C", 299_999.0)}
    # Large arrays that the calls do not share are not kept.
    other = [(np.full((400, 400), float(i)), i) for i in range(12)]
    assert [row[-1] for row in run_blocks(_received, other, n_jobs=2)] == list(range(12))


def _where(_):
    return os.getpid(), os.getcwd(), os.environ.get("MOLTHEORY_TEST")


def test_processes_wait_for_the_next_run_with_the_same_surroundings(tmp_path, monkeypatch):
    first = {pid for pid, *_ in run_blocks(_where, [(i,) for i in range(8)], n_jobs=2)}
    assert {pid for pid, *_ in run_blocks(_where, [(i,) for i in range(8)], n_jobs=2)} <= first
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MOLTHEORY_TEST", "other")
    rows = run_blocks(_where, [(i,) for i in range(8)], n_jobs=2)
    assert {row[1:] for row in rows} == {(str(tmp_path), "other")}
    assert not {pid for pid, *_ in rows} & first


def test_a_process_that_ended_while_it_waited_is_replaced():
    pids = {pid for pid, *_ in run_blocks(_where, [(i,) for i in range(8)], n_jobs=2)}
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    assert not {pid for pid, *_ in run_blocks(_where, [(i,) for i in range(8)], n_jobs=2)} & pids


def _retire_once(once, index):
    """Do as a worker does that has waited too long."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(once, os.O_CREAT | os.O_EXCL))
        os._exit(worker.RETIRED)
    return index


def test_a_process_that_retires_costs_no_attempt(tmp_path, monkeypatch):
    # It may do so after the parent has seen it alive, and before it sees the call.
    monkeypatch.setattr(pool, "MOST_ENDS", 1)
    assert run_blocks(_retire_once, [(tmp_path / "once", i) for i in range(4)], n_jobs=2) == list(range(4))


def test_processes_that_cannot_be_started_are_refused(monkeypatch):
    pool._end_all()
    monkeypatch.setattr(sys, "executable", "/nonexistent")
    with pytest.raises(WorkerError, match="`n_jobs` processes must be started, got No such file"):
        run_blocks(pow, [(2, 3)] * 2, n_jobs=2)
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(WorkerError, match=r"`n_jobs` processes must be started, but 5 ended at once \(exit status 1\)"):
        run_blocks(pow, [(2, 3)] * 2, n_jobs=2)


def test_an_abandoned_run_ends_what_it_computes():
    results = pool.calls([(os.getpid, ()), (time.sleep, (60,))], 2)
    assert next(results) != os.getpid()
    held = {entry for entry in pool._all if entry.is_alive} - set(pool._idle)
    start = time.monotonic()
    results.close()
    assert time.monotonic() - start < 10
    assert sum(not entry.is_alive for entry in held) == 1


def test_runs_in_threads_do_not_share_processes():
    found = {}

    def run(base):
        found[base] = run_blocks(pow, [(base, i) for i in range(30)], n_jobs=2)

    threads = [threading.Thread(target=run, args=(base,)) for base in (2, 3, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == {base: [base**i for i in range(30)] for base in (2, 3, 5)}


_SCRIPT = """
import os, pathlib, sys, time
from moltheory.runs import run_blocks

class Own:
    def __call__(self, folder, index):
        # A class of the script itself, which no other process could import.
        pathlib.Path(folder, str(os.getpid())).touch()
        time.sleep({seconds})
        return index

print(run_blocks(Own(), [({folder!r}, i) for i in range(4)], n_jobs=2))
"""


def _is_running(pid):
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0]
    except FileNotFoundError:
        return False


def _script(folder, seconds):
    file = folder / "script.py"
    file.write_text(textwrap.dedent(_SCRIPT).format(folder=str(folder / "pids"), seconds=seconds))
    (folder / "pids").mkdir()
    # A file of the user's that must not be imported instead of the library's.
    (folder / "pickle.py").write_text("raise SystemExit('imported from the working directory')\n")
    return subprocess.Popen(
        [sys.executable, "-P", str(file)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_scripts_need_no_guard_and_may_define_what_they_call(tmp_path):
    with _script(tmp_path, 0) as process:
        output, errors = process.communicate(timeout=60)
    assert (output, errors) == ("[0, 1, 2, 3]\n", "")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.usefixtures("default_signals")
def test_workers_end_with_their_parent(tmp_path, number):
    with _script(tmp_path, 60) as process:
        deadline = time.monotonic() + 60
        while len(pids := [int(path.name) for path in (tmp_path / "pids").iterdir()]) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        if number == signal.SIGINT:
            # From a terminal it reaches every process of the group.
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    # Only the parent has something to say.
    assert errors.count("Traceback") == (number == signal.SIGINT)
    while any(map(_is_running, pids)):
        assert time.monotonic() < deadline
        time.sleep(0.01)
