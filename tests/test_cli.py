"""The command line as a person meets it."""

import json
import subprocess
import sys

import pytest

from moltheory.cli import main
from moltheory.figures import figure_names


def test_lists_figures(capsys):
    assert main(["reproduce", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(figure_names())


def test_runs_one_figure(tmp_path, capsys):
    arguments = ["reproduce", "--quick", "--only", "weights", "--out", str(tmp_path / "r"), "--n-jobs", "1"]
    assert main(arguments) == 0
    assert "open " + str(tmp_path / "r" / "index.html") in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "nonsense"], "must be one of"),
        (["--seed", "-1"], "`seed` must be an integer >= 0, got -1."),
        (["--n-jobs", "0"], "`n_jobs` must be -1 or >= 1, got 0."),
    ],
)
def test_refuses_in_one_sentence_and_writes_nothing(arguments, message, tmp_path, capsys):
    assert main(["reproduce", "--quick", "--out", str(tmp_path / "r"), *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("moltheory: ")
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "r").exists()


def test_unwritable_folder_is_refused(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["reproduce", "--out", str(tmp_path / "file" / "below")]) == 2
    assert "`out` must be a folder that can be written to" in capsys.readouterr().err


def test_bound_prints_everything_that_applies(capsys):
    facts = ["--n", "1000", "--hypotheses", "100", "--objectives", "3", "--dimension", "10", "--excess", "0.1"]
    assert main(["bound", *facts, "--json"]) == 0
    rows = {(row["bound"], row["quantity"]): row["value"] for row in json.loads(capsys.readouterr().out)}
    assert rows["finite class", "width"] == pytest.approx(0.06852978, abs=1e-8)
    assert rows["finite class", "sample size"] == 1879
    assert rows["VC dimension", "sample size"] > 10_000
    assert main(["bound", "--n", "100", "--errors", "10"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "One model that was fixed before the data:"
    assert lines[2].split()[:2] == ["clopper-pearson", "interval"]
    assert len(lines) == 7
    assert main(["bound", *facts, "--risk", "0.1"]) == 0
    blocks = capsys.readouterr().out.split("\n\n")
    assert [block.splitlines()[0].split()[0] for block in blocks] == ["All", "All", "Excess", "What", "Examples"]


def test_theorems_are_listed_checked_and_attacked(capsys):
    assert main(["theorems", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == 25
    assert all(row["assumptions"] and row["proof"].startswith("**Statement.**") for row in rows)
    assert main(["theorems", "forward"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("forward\n")
    assert "    assumes: H is finite, one row of finite risks per hypothesis; event E" in shown
    assert main(["theorems", "forward", "joint", "--proof"]) == 0
    shown = capsys.readouterr().out
    assert "**Lemma 1" in shown
    assert shown.index("**Lemma 1") < shown.index("# forward\n\n**Statement.**") < shown.index("# joint\n")
    assert main(["theorems", "forward", "joint", "--check", "--n", "5", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["theorem"] for row in rows] == ["forward", "joint"]
    assert all(row["holds"] and row["violations"] == 0 for row in rows)
    assert main(["theorems", "forward", "--check", "--n", "8"]) == 0
    assert " -0 " not in capsys.readouterr().out
    assert main(["theorems", "forward", "--falsify", "300"]) == 0
    assert "forward" in capsys.readouterr().out
    assert main(["theorems", "forward", "--falsify", "--seconds", "0.1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["tried"] > 300


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["bound"], "`n` or `excess` must be given"),
        (["bound", "--n", "0", "--hypotheses", "3"], "`n` must be an integer >= 1, got 0."),
        (["bound", "--n", "5", "--errors", "9"], "`errors`"),
        (["bound", "--errors", "9"], "`n` must be given with `errors`"),
        (["bound", "--n", "5", "--hypotheses", "3", "--delta", "2"], "`delta` must lie in (0, 1)"),
        (["theorems", "nonsense"], "`ID` must be one of"),
        (["theorems", "--check", "--world", "atlantis"], "`world` must be one of"),
    ],
)
def test_bound_and_theorems_refuse_in_one_sentence(arguments, message, capsys):
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_runs_as_a_module():
    done = subprocess.run([sys.executable, "-m", "moltheory", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("moltheory ")


@pytest.mark.parametrize(("command", "goes_on"), [(["reproduce"], True), (["bound", "--n", "5"], False)])
def test_an_interrupt_says_what_is_kept(command, goes_on, tmp_path, monkeypatch, capsys):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("moltheory.figures.reproduce", interrupted)
    monkeypatch.setattr("moltheory.bounds.applicable_bounds", interrupted)
    monkeypatch.chdir(tmp_path)
    assert main(command) == 130
    error = capsys.readouterr().err
    assert error.startswith("moltheory: interrupted")
    assert ("finished blocks are kept, and the same command resumes there" in error) == goes_on
