"""Files that once ended in a traceback, a hang or a loss, or that stand for a kind of these: each is refused or read well.

The folder of a file says what it is given as: a table or log, costs, names of columns, or options.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from tests.malformed._check import faults_of
from tests.malformed._valid import specimens

_CORPUS = Path(__file__).parent / "corpus"
_FILES = sorted(path.relative_to(_CORPUS).as_posix() for path in _CORPUS.rglob("*") if path.is_file())
_OPTIONS = {"costs": "--costs", "names": "--columns-file", "options": "--config"}
_READ = "reads_"
"""Start of the names of files that only look damaged."""
# How deep JSON may nest is the parser's affair: Python 3.14 reads what is too deep for older ones.
_AS_DEEP_AS_PYTHON = {"logs/samples_marks_deep.jsonl"}


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.mark.parametrize("name", _FILES)
def test_a_file_of_the_corpus(name, tmp_path, temporary):
    folder = tmp_path / "files"
    folder.mkdir()
    path = _CORPUS / name
    shutil.copy(path, folder / path.name)
    kind = name.partition("/")[0]
    given, side = (path.name,), ()
    if kind in _OPTIONS:
        (folder / "losses.csv").write_bytes(specimens()[0].files["losses.csv"])
        given, side = ("losses.csv",), (_OPTIONS[kind], path.name)
    status, faults = faults_of(folder, given, {}, side, temporary, page=False)
    assert not faults, faults
    if name not in _AS_DEEP_AS_PYTHON or sys.version_info < (3, 14):
        assert status == (0 if path.name.startswith(_READ) else 2)


def test_the_corpus_is_small():
    sizes = [(_CORPUS / name).stat().st_size for name in _FILES]
    assert 50 < len(sizes) <= 150
    assert sum(sizes) < 300_000
