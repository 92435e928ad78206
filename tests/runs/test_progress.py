"""The bar of a resumed run: it starts where the run stopped, and its time left is true."""

import time

import numpy as np

from moltheory.runs import run_blocks
from tests.runs.test_store import _open, _square, _squares


class _Bar:
    """Stands in for tqdm with a clock of its own."""

    made: list = []  # noqa: RUF012

    def __init__(self, total, initial, smoothing, **_):
        self.total, self.initial, self.n, self.smoothing = total, initial, initial, smoothing
        _Bar.made.append(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def update(self, work):
        self.n += work


def test_progress_starts_where_the_run_stopped(tmp_path, monkeypatch):
    weights = [1, 2, 3, 4]
    store = _open(tmp_path)
    _squares(store)
    (tmp_path / "part-b2.npz").unlink()
    monkeypatch.setattr("tqdm.auto.tqdm", _Bar)
    _squares(_open(tmp_path), progress=True, weights=weights)
    _squares(None, progress=True, weights=weights, n_jobs=2)
    resumed, fresh = _Bar.made[-2:]
    assert (resumed.initial, resumed.n, resumed.total) == (7, 10, 10)
    assert (fresh.initial, fresh.n, fresh.total) == (0, 10, 10)


def _slow(k):
    time.sleep(0.05)
    return _square(k)


def test_time_left_is_truthful_after_a_resume(tmp_path, monkeypatch):
    """Blocks read back take no time; counting them as computed would promise a tenth of the time left."""
    import tqdm.auto

    n = 40
    calls = [(k,) for k in range(n)]
    run_blocks(_square, calls, store=_open(tmp_path, n=n))
    for k in range(30, n):
        (tmp_path / f"part-b{k}.npz").unlink()
    left = []

    class Watched(tqdm.auto.tqdm):
        def update(self, work=1):
            super().update(work)
            state = self.format_dict
            if state["n"] < n:
                rate = (state["n"] - state["initial"]) / state["elapsed"]
                left.append(((n - state["n"]) / rate, time.perf_counter()))

    monkeypatch.setattr("tqdm.auto.tqdm", Watched)
    run_blocks(_slow, calls, store=_open(tmp_path, n=n), progress=True)
    end = time.perf_counter()
    assert len(left) == 9
    assert 0.4 < np.median([promised / (end - moment) for promised, moment in left]) < 2.5
