"""`--baseline`, `--fail-on` and the files for pull requests."""

import csv
import json
from xml.etree import ElementTree

import numpy as np
import pytest

from moltheory.cli import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = np.zeros((1000, 3, 2), dtype=int)
    table[:200, 0, 0] = table[:120, 1, 0] = table[10:215, 2, 0] = 1
    table[:100, 0, 1] = table[:105, 1, 1] = table[:170, 2, 1] = 1
    head = ",".join(f"{model}/{name}" for name in ("error", "harm|rate") for model in ("prod", "new", "<small>"))
    np.savetxt("losses.csv", np.hstack([table[:, :, 0], table[:, :, 1]]), "%d", ",", header=head, comments="")
    return tmp_path


_GATE = ("losses.csv", "--baseline", "prod", "--margin", "harm|rate=0.05")


def test_the_gate_stops_what_is_worse_and_everything_is_written(folder, capsys):
    code = main(["certify", *_GATE, "--fail-on", "worse,not-better", "--summary", "s.md", "--junit", "j.xml"])
    text = capsys.readouterr().out
    assert code == 1
    assert "Beside prod, with a margin of 0.05 in harm|rate:\n" in text
    assert "  --fail-on worse: stops <small>.\n" in text
    assert "With probability at least 97.5%, none of these claims is wrong." in text
    summary = (folder / "s.md").read_text()
    assert "| &lt;small> | **worse** | cannot tell | worse |" in summary
    assert "| model | verdict | error | harm\\|rate |" in summary
    assert summary.startswith("### Beside prod: stopped\n")
    suite = ElementTree.parse(folder / "j.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("4", "2")
    failing = [case for case in suite if case.find("failure") is not None]
    assert {case.get("name") for case in failing} == {"<small>"}
    assert {case.get("classname") for case in suite} == {"moltheory.worse", "moltheory.not-better"}


def test_names_do_not_become_markdown_and_files_stay_well_formed(tmp_path, monkeypatch, capsys):
    """Links, code, emphasis, entities, tags, columns and control characters in names of models."""
    monkeypatch.chdir(tmp_path)
    names = ["prod", "[a](http://b)", "`c`", "_d_", "&amp;", "e|f", "g\nh", "i\x07", "![j](k)", "snake_case"]
    table = np.zeros((400, len(names)), dtype=int)
    for k in range(1, len(names)):
        table[: 40 * k, k] = 1
    with (tmp_path / "l.csv").open("w", newline="") as file:
        csv.writer(file).writerows([[f"{name}/error" for name in names], *table.tolist()])
    gate = ("l.csv", "--baseline", "prod", "--fail-on", "worse", "--summary", "s.md", "--junit", "j.xml")
    assert main(["certify", *gate]) == 1
    capsys.readouterr()
    summary = (tmp_path / "s.md").read_text()
    rows = {line.split(" | ")[0] for line in summary.splitlines() if line.startswith("| ")}
    shown = [
        r"\[a\](http://b)",
        r"\`c\`",
        r"\_d\_",
        "&amp;amp;",
        r"e\|f",
        r"g\\nh",
        r"i\\x07",
        r"!\[j\](k)",
        "snake_case",
    ]
    assert rows == {"| model", "| ---", *(f"| {name}" for name in shown)}
    cases = [case.get("name") for case in ElementTree.parse(tmp_path / "j.xml").getroot()]
    assert cases == [name.replace("\n", "\\n").replace("\x07", "\\x07") for name in names[1:]]


def test_a_gate_that_stops_nothing_leaves_the_status(folder, capsys):
    assert main(["certify", *_GATE, "--fail-on", "worse", "--ignore", "<small>", "--summary", "s.md"]) == 0
    assert "--fail-on worse: stops no model." in capsys.readouterr().out
    assert (folder / "s.md").read_text().startswith("### Beside prod: passed\n")
    assert main(["certify", *_GATE]) == 0


def test_json_says_what_fails(folder, capsys):
    assert main(["certify", *_GATE, "--fail-on", "undecided", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["failing"] == {"undecided": ["<small>"]}
    assert found["baseline"]["names"] == ["new", "<small>"]
    assert main(["certify", "losses.csv", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["failing"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fail-on", "worse"], "`fail-on` must be given with --baseline"),
        (["--margin", "error=1"], "`margin` must be given with --baseline"),
        (["--junit", "j.xml"], "`junit` must be given with --baseline"),
        (["--baseline", "prod", "--junit", "j.xml"], "`junit` must be given with --fail-on"),
        (["--baseline", "pord"], "did you mean prod"),
        (["--baseline", "prod", "--fail-on", "bad"], "`fail-on` must be one of"),
        (["--baseline", "prod", "--margin", "error"], "`margin` must be A=E"),
        (["--baseline", "prod", "--margin", "error=0"], "`margin` must be A=E"),
        (["--baseline", "prod", "--margin", "error=1e999"], "`margin` must be A=E"),
        (["--baseline", "prod", "--margin", "error=1"], "smaller than the range of the losses, 1 in 'error', got 1"),
        (["--baseline", "prod", "--margin", "error=.1", "--margin", "error=.2"], "must be given once"),
        (["--baseline", "prod", "--margin", "speed=1"], "`margin` must be one of"),
        (["--baseline", "prod", "--summary", "losses.csv"], "must be another file than the input"),
    ],
)
def test_what_is_refused(folder, capsys, arguments, message):
    before = sorted(path.name for path in folder.iterdir())
    assert main(["certify", "losses.csv", *arguments]) == 2
    out, error = capsys.readouterr()
    assert message in error
    assert (out, error.count("\n")) == ("", 1)
    assert sorted(path.name for path in folder.iterdir()) == before
