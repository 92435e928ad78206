"""Running a study: its files, its page, the report that takes it in, and the command."""

import json
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

from moltheory.cli import main
from moltheory.figures import reproduce
from moltheory.reports import Settings
from moltheory.studies import Claim, Study, get_study, run_study, study_names


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

    def claims(self, result):
        return (
            Claim("Two halves make <one>.", "abstract", "exact value", "The sum.", f"{result}", "agrees"),
            Claim("A & B are equal.", "section 2", "experiment", "A minus B.", "1", "differs", "Other data."),
        )

    def findings(self, result):
        return (f"The value is {result}.", "A & B differ from the paper.")


def test_a_run_writes_figure_table_record_and_page(tmp_path):
    done = run_study(_Tiny(), tmp_path / "out", settings=Settings(quick=True, seed=1))
    names = {"tiny.png", "tiny.pdf", "tiny_halves.csv", "record.json", "index.html"}
    assert {path.name for path in done.files} == names == {path.name for path in (tmp_path / "out").iterdir()}
    (section,) = done.sections
    assert section.caption == "The value is 1.0. A & B differ from the paper."
    assert section.details.splitlines()[2:] == ["The value is 1.0.", "A & B differ from the paper."]
    assert section.details.splitlines()[1].startswith("Data: digits (1,000 images to train on, 797 to test on")
    page = done.page.read_text(encoding="utf-8")
    assert "<p>The value is 1.0.</p>" in page
    assert "On &lt;halves&gt;" in page
    assert "A &amp; B" in page
    # The data and the claims come before the picture.
    places = [page.index(text) for text in ("Data: digits", "Two halves make &lt;one&gt;", "Other data.", "<picture>")]
    assert places == sorted(places)


def test_the_report_has_studies_under_their_own_heading(tmp_path):
    done = reproduce(tmp_path, only=["weight_cells"], further=[_Tiny()], settings=Settings(quick=True))
    page = done.page.read_text(encoding="utf-8")
    assert page.index('id="weight_cells"') < page.index(">Case studies</h2>") < page.index('id="tiny"')


def test_the_catalog_is_whole():
    for name in study_names():
        study = get_study(name)
        assert study.name == name
        assert study.title
        assert "arXiv" in study.paper


def test_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("moltheory.studies.get_study", lambda name, *args, **more: _Tiny())
    monkeypatch.chdir(tmp_path)
    name = study_names()[0]
    assert main(["study", name, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told.pop("seconds") >= 0
    assert told.pop("setting").endswith("Computed on cpu, 1 thread: repeats bit for bit.")
    assert [(one["verdict"], one["found here"], one["why"]) for one in told.pop("claims")] == [
        ("agrees", "0.5", "–"),
        ("differs", "1", "Other data."),
    ]
    assert told == {
        "name": "tiny",
        "paper": "A. Author (2020), On <halves>.",
        "findings": ["The value is 0.5.", "A & B differ from the paper."],
        "tables": {"halves": [{"value": 0.5}]},
    }
    assert main(["study", name, "--out", "here"]) == 0
    printed = capsys.readouterr().out
    assert "- The value is 0.5." in printed
    assert "differs: A & B are equal. (section 2)" in printed
    assert {path.name for path in tmp_path.iterdir()} == {"study-tiny", "here"}


def test_options_reach_the_study(tmp_path, monkeypatch, capsys):
    seen = []

    class Watched(_Tiny):
        def compute(self, settings):
            seen.append((settings.quick, settings.seed, settings.n_jobs))
            return super().compute(settings)

    monkeypatch.setattr("moltheory.studies.get_study", lambda name, *args, **more: Watched())
    options = ["--out", str(tmp_path / "out"), "--quick", "--seed", "3", "--n-jobs", "2"]
    assert main(["study", study_names()[0], *options]) == 0
    assert seen == [(True, 3, 2)]
    assert "- The value is 2.0." in capsys.readouterr().out


def test_the_command_lists_every_study(capsys):
    assert main(["study", "--list"]) == 0
    listed = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert listed == {name: get_study(name).title for name in study_names()}


def test_reproduce_takes_the_studies_in_on_request(tmp_path, monkeypatch):
    monkeypatch.setattr("moltheory.studies.study_names", lambda: ("tiny",))
    monkeypatch.setattr("moltheory.studies.get_study", lambda name, *args, **more: _Tiny())
    options = ["--quick", "--only", "weight_cells", "--n-jobs", "1", "--studies", "--out", str(tmp_path)]
    assert main(["reproduce", *options]) == 0
    assert ">Case studies</h2>" in (tmp_path / "index.html").read_text(encoding="utf-8")
    assert (tmp_path / "tiny.png").exists()


def test_every_study_has_a_notebook():
    folder = Path(__file__).parents[2] / "notebooks"
    for name in study_names():
        subject = type(get_study(name)).__module__.split(".")[2]
        assert (folder / f"study_{subject}.ipynb").is_file(), name


@pytest.mark.parametrize("arguments", [[], ["nonsense"]])
def test_an_unknown_study_is_refused(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["study", *arguments]) == 2
    assert capsys.readouterr().err.startswith("moltheory: `NAME` must be one of ")
    assert not list(tmp_path.iterdir())


def test_only_a_folder_of_images_is_taken(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "data_batch_2").write_bytes(b"something else")
    for name in study_names():
        assert main(["study", name, "--data", "nowhere"]) == 2
        assert capsys.readouterr().err == "moltheory: `data` must be a folder, got 'nowhere'.\n"
        assert main(["study", name, "--data", "here"]) == 2
        # Torch is asked for before any file is read.
        missing = "torch" if get_study(name).needs_torch and find_spec("torch") is None else "data"
        assert capsys.readouterr().err.startswith(f"moltheory: `{missing}` must ")
    assert [path.name for path in tmp_path.iterdir()] == ["here"]
