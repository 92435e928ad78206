"""The command line as a person meets it."""

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


def test_runs_as_a_module():
    done = subprocess.run([sys.executable, "-m", "moltheory", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("moltheory ")
