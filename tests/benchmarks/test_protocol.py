"""The runner of the benchmarks: what is kept, what a failure costs, what is said; with benchmarks that take no time."""

import json
import re

import pytest

import benchmarks.__main__ as runner
from benchmarks import _page, _processor, _record
from benchmarks._protocol import Benchmark, Budget, Main, Part, Table, Times, compared, shown, times_in_turn

_RESULTS = runner.RESULTS


@pytest.fixture
def two(monkeypatch):
    """One benchmark of two parts; the first fails as long as the list holds something, and calls are counted."""
    broken, calls = [], []

    def first(budget):
        calls.append("first")
        if broken:
            raise ValueError("broken")
        return Part([Table(["what", "time"], [["a", Times((1.0, 2.0, 4.0))]], ["A note."])], data=1)

    def second(budget):
        calls.append("second")
        return Part([Table(["size"], [[budget.pick(30, 20, 10)]])], data=2)

    def summary(data):
        return Part([Table(["sum"], [[sum(data.values())]])], files={"two.txt": b"drawn"})

    made = Benchmark("two", "Two", "This with that.", {"first": first, "second": second}, (3, 1), summary=summary)
    monkeypatch.setattr(runner, "benchmark_of", lambda name: made)
    monkeypatch.setattr(runner, "NAMES", ("two",))
    return made, broken, calls


def test_a_failing_part_is_reported_and_the_others_are_kept(two, tmp_path, capsys):
    _, broken, _ = two
    broken.append(True)
    assert runner.run_here("two", ["first", "second"], tmp_path, Budget("smoke")) == 1
    assert "ValueError: broken" in capsys.readouterr().err
    assert list(json.loads((tmp_path / "two.json").read_text())["parts"]) == ["second"]
    assert not (tmp_path / "two.txt").exists()
    broken.clear()
    assert runner.run_here("two", ["first"], tmp_path, Budget("smoke")) == 0
    record = _record.read(tmp_path, "two")
    assert list(record["parts"]) == ["summary", "first", "second"]
    assert record["parts"]["summary"]["tables"][0]["rows"] == [["3"]]
    assert (tmp_path / "two.txt").read_bytes() == b"drawn"
    text = (tmp_path / "two.md").read_text()
    assert text == _record.as_markdown(record)
    assert "| a | 2 s (1.5 s to 3 s) |" in text
    assert "a look, not a result" in text
    assert record["parts"]["first"]["tables"][0]["seconds"] == {"row 0, time": [1.0, 2.0, 4.0]}


def test_a_run_that_was_interrupted_goes_on_where_it_stopped(two, tmp_path, monkeypatch, capsys):
    _, broken, calls = two

    class Done:
        def __init__(self, command, **_):
            name, parts, _, budget = json.loads(command[-1])
            self.returncode = runner.run_here(name, parts, tmp_path, Budget(budget))

    monkeypatch.setattr(runner.subprocess, "run", Done)
    monkeypatch.setattr(_processor, "_commit", lambda: "")
    broken.append(True)
    work = {"two": ["first", "second"]}
    assert runner.run_all(work, tmp_path, Budget("smoke")) == 1
    assert "two FAILED" in capsys.readouterr().out
    broken.clear()
    assert runner.run_all(work, tmp_path, Budget("smoke")) == 0
    assert calls == ["first", "second", "first"]
    # Once all is measured, the same command measures anew; and another budget never goes on with this one.
    assert runner.run_all(work, tmp_path, Budget("smoke")) == 0
    assert len(calls) == 5


def test_a_benchmark_that_cannot_be_loaded_does_not_stop_the_others(two, monkeypatch):
    made, _, _ = two

    def load(name):
        if name == "one":
            raise ImportError("no")
        return made

    monkeypatch.setattr(runner, "NAMES", ("one", "two"))
    monkeypatch.setattr(runner, "benchmark_of", load)
    assert runner.chosen(None) == {"one": [], "two": ["first", "second"]}


def test_parts_of_another_budget_are_not_kept(two, tmp_path):
    assert runner.run_here("two", ["first", "second"], tmp_path, Budget("smoke")) == 0
    assert runner.run_here("two", ["second"], tmp_path, Budget("quick")) == 0
    record = _record.read(tmp_path, "two")
    assert (record["budget"], list(record["parts"])) == ("quick", ["second"])
    assert record["parts"]["second"]["tables"][0]["rows"] == [["20"]]


def test_names_and_parts_are_chosen_or_refused(two):
    assert runner.chosen(None) == {"two": ["first", "second"]}
    assert runner.chosen(["two/second"]) == {"two": ["second"]}
    assert runner.chosen(["two/second", "two"]) == {"two": ["first", "second"]}
    with pytest.raises(SystemExit, match="got 'three': take one of two"):
        runner.chosen(["three"])
    with pytest.raises(SystemExit, match="two has no part 'third'"):
        runner.chosen(["two/third"])


def test_a_peer_that_is_missing_is_said_in_the_record():
    ran_on = _processor.conditions(["numpy", "no-such-package"], None)
    assert ran_on["versions"]["no-such-package"] == "missing"
    record = {"title": "T", "compares": "C.", "budget": "full", "parts": {"one": {"conditions": ran_on, "tables": []}}}
    assert "Not installed, so not compared: no-such-package." in _record.as_markdown(record)


@pytest.mark.parametrize(("before", "after", "busy"), [(0.1, 1.2, False), (1.6, 1.0, True), (0.0, 2.0, True)])
def test_a_busy_machine_is_said(before, after, busy):
    ran_on = _processor.conditions([], None) | {"load before": before, "load after": after, "threads": 1}
    record = {"title": "T", "compares": "C.", "budget": "full", "parts": {"one": {"conditions": ran_on, "tables": []}}}
    assert ("The machine was busy" in _record.as_markdown(record)) is busy


def test_contestants_run_in_turn_and_parts_are_scaled_up():
    order = []
    ticks = iter(range(100))
    ways = {"a": lambda: order.append("a"), "b": lambda: order.append("b") or "answer"}
    times, answers = times_in_turn(ways, 3, of={"b": 0.5}, clock=lambda: float(next(ticks)), warm=())
    assert order == ["a", "b"] * 3
    assert answers["b"] == "answer"
    assert times["a"].median == 1.0
    assert times["b"].median == 2.0
    # The median of the rounds' ratios, not the ratio of medians: a drift meets both contestants.
    ours, theirs = Times((1.0, 2.0, 3.0)), Times((2.0, 6.0, 6.0))
    assert compared(ours, theirs) == "2 (2 to 2.5)"


def test_times_have_units():
    assert [shown(one) for one in (12.34, 0.9999, 0.0123, 4.5e-5)] == ["12.3 s", "1 s", "12.3 ms", "45 µs"]
    assert shown(2577.0) == "2,580 s"


@pytest.mark.parametrize("name", runner.NAMES)
def test_records_are_whole_and_the_text_is_written_from_the_numbers(name):
    record = json.loads((_RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    assert record["budget"] == "full"
    assert (_RESULTS / f"{name}.md").read_text(encoding="utf-8") == _record.as_markdown(record)
    for part in record["parts"].values():
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", part["conditions"]["date"])
        for table in part["tables"]:
            assert {len(row) for row in table["rows"]} <= {len(table["columns"])}


def test_the_page_is_written_from_the_records():
    assert _page.PAGE.read_text(encoding="utf-8") == runner.page_of(_RESULTS)


def test_every_comparison_that_moltheory_loses_is_on_the_page():
    text = (
        _page.PAGE.read_text(encoding="utf-8").partition("## Where the alternative is faster")[2].partition("\n## ")[0]
    )
    lost = {
        (one["what"], one["size"])
        for name in runner.NAMES
        for key, part in _record.read(_RESULTS, name)["parts"].items()
        if "emulated" not in key
        for table in part["tables"]
        for one in table["main"]
        if one["theirs"] < 0.995 * one["moltheory"]
    }
    assert lost
    assert all(f"| {what} | {size} |" in text for what, size in lost)
    assert isinstance(Main("a", "b", 1.0, "c", 2.0), Main)
