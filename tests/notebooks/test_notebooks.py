"""Every notebook runs from top to bottom, shows what it is stored with, and is a lesson."""

import importlib
import re
import time
from pathlib import Path

import pytest

from moltheory.studies import get_study, study_names
from tests.notebooks._execution import IGNORED, NOTEBOOKS, differences, execute, texts

_LESSONS = [path for path in NOTEBOOKS if not path.stem.startswith("study_")]
every = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def _code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.notebook
@every
def test_runs_and_prints_what_is_stored(path, monkeypatch, tmp_path):
    studies = {type(get_study(name)).__module__.split(".")[2]: get_study(name) for name in study_names()}
    if path.stem.startswith("study_") and studies[path.stem.removeprefix("study_")].needs_torch:
        pytest.importorskip("torch", reason="torch is an optional extra")
    monkeypatch.delenv("MOLTHEORY_FULL", raising=False)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    nbformat = importlib.import_module("nbformat")
    start = time.perf_counter()
    stored, fresh = nbformat.read(path, as_version=4), execute(path, tmp_path)
    # A minute on two cores, with room for slow ones.
    assert time.perf_counter() - start < 240
    wrong = {}
    for number, (one, other) in enumerate(zip(_code(stored), _code(fresh), strict=True), start=1):
        found = None if IGNORED in one.metadata.get("tags", ()) else differences(texts(one), texts(other))
        if found:
            wrong[number] = found
    assert not wrong


@every
def test_is_stored_with_its_outputs(path):
    notebook = importlib.import_module("nbformat").read(path, as_version=4)
    importlib.import_module("nbformat").validate(notebook)
    cells = _code(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    text = path.read_text()
    # Nothing of the machine on which it was stored.
    assert str(Path.home()) not in text
    assert "/tmp/" not in text
    assert len(text) < 1_500_000


@pytest.mark.parametrize("path", _LESSONS, ids=lambda path: path.stem)
def test_is_a_lesson(path):
    notebook = importlib.import_module("nbformat").read(path, as_version=4)
    first, *_ = notebook.cells
    title, _, rest = first.source.partition("\n")
    assert title.startswith("# ")
    assert "?" in title + rest.strip().split("\n\n")[0]
    pictures = [
        number
        for number, cell in enumerate(_code(notebook), start=1)
        if any("image/png" in output.get("data", {}) for output in cell.outputs)
    ]
    assert pictures[0] <= 3
    assert notebook.cells[-1].cell_type == "markdown"
    assert notebook.cells[-1].source.startswith("## Exercises")
    assert len(re.findall(r"^\d\. ", notebook.cells[-1].source, re.MULTILINE)) == 2


@pytest.mark.parametrize(
    ("stored", "printed", "agree"),
    [
        ("mean 0.123456789", "mean 0.123456788", True),
        ("mean 0.1234", "mean 0.1235", False),
        ("mean 1", "median 1", False),
        ("n = 1,000 and −2", "n = 1000 and -2", True),
        ("a  b\n 1.0", "a b 1.0", True),
        ("1 2", "1 2 3", False),
        ("h0 and h1", "h0 and h2", False),
    ],
)
def test_differences(stored, printed, agree):
    assert (differences(stored, printed) is None) is agree
