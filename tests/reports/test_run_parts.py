"""The blocks of a report's simulations: there while it is made, gone when it is written, and nothing else goes."""

import pandas as pd
import pytest

from moltheory.reports import Figure, Opening, Settings, write_report
from moltheory.runs import RunFolder, read_record, run_blocks


def _square(x):
    return {"y": [x * x]}


class Squares(Figure):
    """Two simulations, and a look at what is there when they are done."""

    name, title, n_panels, chapter = "squares", "Squares grow", 1, "One"

    def __init__(self):
        self.seen, self.fail = set(), False

    def compute(self, settings):
        found = []
        for part in ("even", "odd"):
            store = settings.store_for(self.name, part)
            numbers = range(part == "odd", 6, 2)
            folder = RunFolder.open(store, parameters={"part": part}, rng=0, keys=[f"k{x}" for x in numbers])
            found += run_blocks(_square, [(x,) for x in numbers], store=folder)
            self.seen |= {path.relative_to(settings.store).as_posix() for path in store.iterdir()}
        if self.fail:
            raise RuntimeError("killed")
        return [int(block["y"][0]) for block in found]

    def draw(self, result, axes):
        axes[0].plot(result)
        return axes

    def caption(self, result):
        return f"The last is {result[-1]}."

    def tables(self, result):
        return {"all": pd.DataFrame({"y": result})}


def _write(out, figure=None, **settings):
    return write_report(out, {"One": [figure or Squares()]}, Opening("a", "b"), settings=Settings(**settings))


def _names(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


_REPORT = {"squares.png", "squares.pdf", "squares_all.csv", "index.html", "record.json"}
_RUNS = {f"runs/squares-{part}-full-seed0" for part in ("even", "odd")}


def test_blocks_are_removed_when_the_report_is_written(tmp_path):
    figure = Squares()
    _write(tmp_path, figure)
    assert _names(tmp_path) == _REPORT
    assert {"squares-even-full-seed0/record.json", "squares-odd-full-seed0/part-k5.npz"} < figure.seen


def test_blocks_stay_where_that_is_asked_for_also_in_later_calls(tmp_path):
    _write(tmp_path, keep_runs=True)
    kept = _names(tmp_path)
    assert kept > _REPORT | _RUNS
    assert read_record(tmp_path / "runs" / "squares-odd-full-seed0").is_finished
    _write(tmp_path)
    assert _names(tmp_path) == kept


def test_a_call_that_keeps_them_adopts_those_of_one_that_failed(tmp_path):
    figure = Squares()
    figure.fail = True
    with pytest.raises(RuntimeError, match="killed"):
        _write(tmp_path, figure)
    assert _names(tmp_path) > _RUNS
    _write(tmp_path, keep_runs=True)
    _write(tmp_path)
    assert _names(tmp_path) > _RUNS | _REPORT


def test_a_failed_run_keeps_its_blocks_and_the_next_one_resumes_and_removes_them(tmp_path):
    figure = Squares()
    figure.fail = True
    with pytest.raises(RuntimeError, match="killed"):
        _write(tmp_path, figure)
    parts = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*.npz")}
    assert len(parts) == 6
    resumed = Squares()

    def compute(settings):
        result = Squares.compute(resumed, settings)
        # The same files: nothing was computed again.
        assert {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*.npz")} == parts
        return result

    resumed.compute = compute
    _write(tmp_path, resumed)
    assert _names(tmp_path) == _REPORT


def test_a_store_of_the_user_is_never_cleaned_up(tmp_path):
    _write(tmp_path / "out", store=tmp_path / "store")
    assert _names(tmp_path / "out") == _REPORT
    assert {path.name for path in (tmp_path / "store").iterdir()} == {run.removeprefix("runs/") for run in _RUNS}
    # Not even where it is the folder that a report would use.
    _write(tmp_path / "other", store=tmp_path / "other" / "runs")
    assert _names(tmp_path / "other") > _REPORT | _RUNS


def test_what_others_put_there_stays(tmp_path):
    (tmp_path / "runs" / "mine").mkdir(parents=True)
    (tmp_path / "runs" / "mine" / "record.json").write_text("{}")
    figure = Squares()

    def compute(settings):
        result = Squares.compute(figure, settings)
        (tmp_path / "runs" / "squares-odd-full-seed0" / "notes.txt").write_text("mine")
        (tmp_path / "runs" / "squares-even-full-seed0" / ".hidden").write_text("mine")
        return result

    figure.compute = compute
    _write(tmp_path, figure)
    left = _names(tmp_path / "runs")
    assert {"mine/record.json", "squares-odd-full-seed0/notes.txt", "squares-even-full-seed0/.hidden"} < left
    assert read_record(tmp_path / "runs" / "squares-odd-full-seed0").is_finished


def test_links_are_not_followed(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "runs").symlink_to(elsewhere)
    _write(tmp_path / "out")
    assert {path.name for path in elsewhere.iterdir()} == {run.removeprefix("runs/") for run in _RUNS}
