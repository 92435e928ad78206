"""What the README says is so."""

import re
import runpy
import shutil
import sys
import zipfile
from pathlib import Path

import numpy as np

from tests.docs.blocks import run_page

_ROOT = Path(__file__).parents[1]
_TEXT = (_ROOT / "README.md").read_text(encoding="utf-8")


def test_blocks_run_and_show_what_they_say(tmp_path, monkeypatch):
    import matplotlib.pyplot as plt

    shutil.copytree(_ROOT / "data" / "examples", tmp_path / "data" / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    scope = {"__name__": "__main__"}
    assert run_page(_TEXT, "README.md", scope) == 4
    plt.close("all")
    assert scope["certificate"].status == ("sure", "undecided", "sure", "excluded", "sure")


def test_values_in_comments_are_those_of_their_lines():
    import moltheory as mt

    lines = re.findall(r"^(\w.*?)  # (True|[\d.]+)\b", _TEXT, re.MULTILINE)
    assert len(lines) == 3
    for code, value in lines:
        found = np.atleast_1d(eval(code, {"mt": mt, "world": mt.problems.mirrored_decoys()}))
        assert set(found.round(len(value.partition(".")[2])).tolist()) == {float(value) if value != "True" else True}, (
            code
        )


def test_targets_and_files_exist():
    makefile = (_ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"\bmake\s([a-z]+)", _TEXT):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE) or target == "python", target
    for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", _TEXT):
        assert (_ROOT / link).exists(), link


def test_it_is_a_screen_for_each_reader():
    assert len(_TEXT.splitlines()) <= 170


def test_the_example_inputs_are_those_of_their_script(tmp_path, monkeypatch):
    examples = _ROOT / "data" / "examples"
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    scope = runpy.run_path(str(examples / "make.py"))
    for make, seed in ((scope["lm_eval"], 1), (scope["inspect"], 2), (scope["tidy"], 3)):
        monkeypatch.setitem(make.__globals__, "FOLDER", tmp_path)
        make(np.random.default_rng(seed))
    written = {path.relative_to(tmp_path): path for path in tmp_path.rglob("*") if path.is_file()}
    kept = {path.relative_to(examples): path for path in examples.rglob("*") if path.is_file() and path.suffix != ".py"}
    assert written.keys() == kept.keys()
    for name, path in written.items():
        if name.suffix == ".eval":  # compressed by whatever version of zlib
            with zipfile.ZipFile(path) as one, zipfile.ZipFile(kept[name]) as other:
                assert {entry: one.read(entry) for entry in one.namelist()} == {
                    entry: other.read(entry) for entry in other.namelist()
                }
        else:
            assert path.read_bytes() == kept[name].read_bytes()
