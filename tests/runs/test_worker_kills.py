"""Workers killed at random moments: the run goes on, and its table is the same to the last bit."""

import contextlib
import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from moltheory.runs import _pool as pool
from moltheory.runs import read_record
from moltheory.runs._files import is_temporary
from tests.runs._jobs import N_PARTS, table

_KILLS = 200 if os.environ.get("MOLTHEORY_FULL") == "1" else 40
_SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV)


class _Killer(threading.Thread):
    """Kills one of this process's workers now and then, at most once for each part that is finished."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(daemon=True)
        self.kills = 0
        self._folder, self._rng, self._over = folder, np.random.default_rng(seed), threading.Event()

    def run(self) -> None:
        """Wait for a part, then for a moment: a block that is never finished would be given up, and rightly."""
        finished = 0
        while not self._over.wait(self._rng.exponential(0.1)):
            count = len(list(self._folder.glob("part-*")))
            workers = [worker for worker in list(pool._all) if worker.is_alive]
            if count > finished and workers:
                finished = count
                # Also while it starts, reads a call, computes, writes its part, and answers.
                chosen = workers[self._rng.integers(len(workers))]
                with contextlib.suppress(ProcessLookupError):
                    os.kill(chosen._process.pid, _SIGNALS[self._rng.integers(len(_SIGNALS))])
                self.kills += 1

    def end(self) -> int:
        """Return the number of kills."""
        self._over.set()
        self.join()
        return self.kills


@pytest.mark.slow
def test_killed_workers(tmp_path):
    expected = table()
    kills, run = 0, 0
    while kills < _KILLS:
        run += 1
        folder = tmp_path / str(run)
        killer = _Killer(folder, run)
        killer.start()
        start = time.monotonic()
        found = table(folder, n_jobs=3)
        kills += killer.end()
        assert time.monotonic() - start < 300
        pd.testing.assert_frame_equal(found, expected, check_exact=True)
        assert read_record(folder).is_finished
        # What a killed worker was writing is tidied up by the next run.
        pd.testing.assert_frame_equal(table(folder), expected, check_exact=True)
        assert len(os.listdir(folder)) == N_PARTS + 1
        assert not [name for name in os.listdir(folder) if is_temporary(name)]


def _long_answer(index):
    """Return more than a pipe holds, so that the process can be killed in the middle of it."""
    return np.full(200_000, float(index))


@pytest.mark.slow
def test_killed_in_the_middle_of_an_answer(monkeypatch):
    receive, rng, ends = pool._Worker.answer, np.random.default_rng(3), []

    def killed(worker):
        # Its answer has begun to arrive, and the rest is waited for.
        if len(ends) < _KILLS // 4 and rng.random() < 0.5:
            ends.append(worker)
            threading.Timer(rng.uniform(0, 0.002), worker._process.kill).start()
        return receive(worker)

    monkeypatch.setattr(pool._Worker, "answer", killed)
    monkeypatch.setattr(pool, "MOST_ENDS", 100)
    results = dict(enumerate(pool.calls([(_long_answer, (index,)) for index in range(_KILLS)], 2)))
    assert sorted(float(row[0]) for row in results.values()) == list(range(_KILLS))
    assert all((row == row[0]).all() for row in results.values())
    assert len(ends) == _KILLS // 4
