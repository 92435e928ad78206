"""Running a study: its files, its page, the report that takes it in, and the command."""

import json

import pandas as pd
import pytest

from moltheory.cli import main
from moltheory.figures import reproduce
from moltheory.reports import Settings
from moltheory.studies import Study, get_study, run_study, study_names


class _Tiny(Study[float]):
    name = "tiny"
    title = "Two halves make one"
    n_panels = 1
    paper = "A. Author (2020), On <halves>"

    def compute(self, settings):
        return 0.5 + 0.5 * settings.seed

    def draw(self, result, axes):
        axes[0].plot([0, 1], [0, result])
        axes[0].set(xlabel="x", ylabel="y", title="halves")
        return axes

    def tables(self, result):
        return {"halves": pd.DataFrame({"value": [result]})}

    def findings(self, result):
        return (f"The value is {result}.", "A & B differ from the paper.")


def test_a_run_writes_figure_table_record_and_page(tmp_path):
    done = run_study(_Tiny(), tmp_path / "out", settings=Settings(quick=True, seed=1))
    names = {"tiny.png", "tiny.pdf", "tiny_halves.csv", "record.json", "index.html"}
    assert {path.name for path in done.files} == names == {path.name for path in (tmp_path / "out").iterdir()}
    (section,) = done.sections
    assert section.caption.splitlines()[1:] == ["The value is 1.0.", "A & B differ from the paper."]
    page = done.page.read_text(encoding="utf-8")
    assert "<p>The value is 1.0.</p>" in page
    assert "On &lt;halves&gt;" in page
    assert "A &amp; B" in page


def test_the_report_has_studies_under_their_own_heading(tmp_path):
    done = reproduce(tmp_path, only=["weight_cells"], further=[_Tiny()], settings=Settings(quick=True))
    page = done.page.read_text(encoding="utf-8")
    assert page.index('<section id="weight_cells">') < page.index("<h1>Case studies</h1>") < page.index('id="tiny"')


def test_the_catalog_is_whole():
    for name in study_names():
        study = get_study(name)
        assert study.name == name
        assert study.title
        assert "arXiv" in study.paper


def test_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("moltheory.studies.get_study", lambda name: _Tiny())
    monkeypatch.chdir(tmp_path)
    name = study_names()[0]
    assert main(["study", name, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "name": "tiny",
        "paper": "A. Author (2020), On <halves>.",
        "findings": ["The value is 0.5.", "A & B differ from the paper."],
        "tables": {"halves": [{"value": 0.5}]},
    }
    assert main(["study", name, "--out", "here"]) == 0
    assert "- The value is 0.5." in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {"study-tiny", "here"}


@pytest.mark.parametrize("arguments", [[], ["nonsense"]])
def test_an_unknown_study_is_refused(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["study", *arguments]) == 2
    assert capsys.readouterr().err.startswith("moltheory: `NAME` must be one of ")
    assert not list(tmp_path.iterdir())
