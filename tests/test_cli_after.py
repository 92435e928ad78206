"""`--limit X<=L` and `--choose`: what is printed, what JSON holds, and what is refused."""

import json

import numpy as np
import pytest

from moltheory import Certificate
from moltheory.cli import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    losses = rng.random((600, 3)) < [0.05, 0.2, 0.5]
    seconds = np.round(rng.exponential(1.0, (600, 3)) * [3.0, 1.0, 0.3], 3)
    head = ",".join(f"{name}/{metric}" for metric in ("error", "seconds") for name in "abc")
    np.savetxt("losses.csv", np.hstack([losses, seconds]), delimiter=",", header=head, comments="", fmt="%g")
    (tmp_path / "costs.csv").write_text("model,price\na,3\nb,2\nc,1\n")
    return tmp_path


_OPTIONS = ("losses.csv", "--quantile", "seconds=0.9", "--costs", "costs.csv", "--method", "boxes")


def _text(capsys, *arguments):
    assert main(["certify", *_OPTIONS, *arguments]) == 0
    return capsys.readouterr().out


def test_limits_and_a_choice_are_printed(folder, capsys):
    text = _text(capsys, "--limit", "error<=0.3", "--limit", "seconds p90 <= 20", "--choose", "error + 0.01*price")
    assert "Limits error<=0.3, seconds p90<=20:\n  within:      a, b\n" in text
    assert "  not within:  c\n" in text
    assert "The best models within the limits are among a, b." in text
    assert "Choice by error + 0.01*price within the limits: a, at most " in text
    assert "  It is also the best one by the estimates alone.\n" in text
    assert text.count("With probability at least 95%, for all preferences and limits at once") == 1
    alone = _text(capsys, "--limit", "price<=2")
    assert "Choice" not in alone
    assert "for all limits at once, no verdict is wrong" in alone


def test_json_holds_them_and_is_read_back(folder, capsys):
    found = json.loads(_text(capsys, "--json", "--limit", "error<=0.3", "--choose", "price"))
    assert found["limits"]["verdicts"] == {"a": "within", "b": "within", "c": "not within"}
    assert found["limits"]["candidates"] == ["a", "b"]
    assert (found["choice"]["model"], found["choice"]["excess"]) == ("b", 0.0)
    certificate = Certificate.from_json(json.dumps(found))
    assert certificate.choose("price", limits={"error": 0.3}).model == "b"
    empty = json.loads(_text(capsys, "--json"))
    assert (empty["limits"], empty["choice"]) == (None, None)


def test_the_report_is_written_where_no_model_certainly_meets_the_limits(folder, capsys):
    arguments = ("--limit", "error<=0.05", "--choose", "price")
    text = _text(capsys, *arguments, "--html", "report.html")
    assert "No choice: no model certainly meets error<=0.05; a may or may not.\n" in text
    assert "Limits error<=0.05:" in text
    assert (folder / "report.html").exists()
    found = json.loads(_text(capsys, "--json", *arguments))["choice"]
    assert (found["model"], found["utility"]) == (None, "price")
    assert found["reason"] == "no model certainly meets error<=0.05; a may or may not"
    assert "error<=0; none may.\n" in _text(capsys, "--limit", "error<=0", "--choose", "price")


def test_a_share_above_a_limit_is_still_one(folder, capsys):
    found = json.loads(_text(capsys, "--json", "--limit", "seconds=2", "--limit", "seconds above 2<=0.5"))
    assert "seconds above 2" in found["objectives"]
    assert found["limits"]["limits"] == {"seconds above 2": 0.5}


def test_both_may_stand_in_a_file_of_options(folder, capsys):
    (folder / "certify.toml").write_text('limit = ["error<=0.3"]\nchoose = "price"\n')
    found = json.loads(_text(capsys, "--json", "--config", "certify.toml"))
    assert found["choice"]["model"] == "b"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--limit", "error<0.3"], "X<=L or X>=L"),
        (["--limit", "error<=many"], "X<=L or X>=L"),
        (["--limit", "<=3"], "X<=L or X>=L"),
        (["--limit", "error<=inf"], "X<=L or X>=L"),
        (["--limit", "error>=0.3"], "write error<=0.3"),
        (["--limit", "eror<=0.3"], "did you mean error"),
        (["--limit", "error<=1.5"], "must lie between 0 and 1"),
        (["--limit", "error<=0.3", "--limit", "error<=0.2"], "must be given once"),
        (["--limit", "error<=0"], None),
        (["--limit", "error<=0", "--choose=-error"], "wrong sign"),
        (["--limit", "error=0.3", "--maximise", "error"], "write error>=0.3"),
        (["--choose", "2*seconds p90"], "write 'seconds p90', with the quotes"),
        (["--choose=-error"], "wrong sign"),
        (["--choose", "error; import os"], "`choose` must be a formula"),
        (["--choose", "speed"], "`choose` must name objectives"),
        (["--choose", ""], "`choose` must be a formula"),
    ],
)
def test_what_is_refused_is_one_sentence_and_nothing_is_written(folder, capsys, arguments, message):
    code = main(["certify", *_OPTIONS, *arguments, "--html", "report.html"])
    out, error = capsys.readouterr()
    if message is None:
        assert code == 0
        return
    assert code == 2
    assert message in error
    assert (out, error.count("\n")) == ("", 1)
    assert not (folder / "report.html").exists()
