"""Every notebook runs from top to bottom with a quick budget, and is stored without output."""

from pathlib import Path

import nbformat
import pytest

from moltheory.studies import get_study, study_names

_NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


@pytest.mark.notebook
@pytest.mark.parametrize("path", _NOTEBOOKS, ids=lambda path: path.stem)
def test_runs(path, monkeypatch, tmp_path):
    from nbclient import NotebookClient

    studies = {type(get_study(name)).__module__.split(".")[2]: get_study(name) for name in study_names()}
    if path.stem.startswith("study_") and studies[path.stem.removeprefix("study_")].needs_torch:
        pytest.importorskip("torch", reason="torch is an optional extra")
    monkeypatch.setenv("MOLTHEORY_QUICK", "1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()
    assert all(cell.get("execution_count") for cell in notebook.cells if cell.cell_type == "code")


@pytest.mark.parametrize("path", _NOTEBOOKS, ids=lambda path: path.stem)
def test_is_stored_without_output(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert all(not cell.outputs for cell in notebook.cells if cell.cell_type == "code")
