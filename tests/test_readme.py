"""What the README says is so."""

import contextlib
import io
import re
import runpy
import shlex
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

_ROOT = Path(__file__).parents[1]
_TEXT = (_ROOT / "README.md").read_text(encoding="utf-8")


def _own_frame(rng):
    import pandas as pd

    columns = {f"x{i}": rng.standard_normal(80) for i in range(4)}
    return pd.DataFrame({**columns, "sex": rng.integers(0, 2, 80), "recidivism": rng.integers(0, 2, 80)})


def test_examples_run_and_print_what_they_say(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    scope = {
        "predictions": rng.integers(0, 2, (50, 4)),
        "target": rng.integers(0, 2, 50),
        "n_parameters": [1, 2, 3, 4],
        "frame": _own_frame(rng),
        "losses": rng.integers(0, 2, (60, 4, 2)),
        "sizes": [1, 2, 3, 4],
        "names": ["a", "b", "c", "d"],
        "np": np,
    }
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        for block in re.findall(r"```python\n(.*?)```", _TEXT, re.DOTALL):
            exec(compile(block, "README.md", "exec"), scope)
    expected = re.search(r"```text\n(.*?)```", _TEXT, re.DOTALL).group(1)
    assert [line.rstrip() for line in printed.getvalue().splitlines()] == expected.splitlines()
    assert scope["front"].points.shape[1] == 3
    assert len(scope["certificate"].status) == 4
    sweep = scope["sweep"]
    assert sweep.points.shape == (10, 101, 2)
    assert sweep.gap.max() < 1e-12
    assert sweep.rigorous.all()


def test_commands_and_files_exist():
    makefile = (_ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"\bmake ([a-z]+)", _TEXT.replace("make`", "").replace("installs make", "")):
        if target not in ("python",):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", _TEXT):
        assert (_ROOT / link).exists(), link


def test_rooms_are_all_listed():
    rooms = {
        path.name
        for path in (_ROOT / "src" / "moltheory").iterdir()
        if (path / "__init__.py").exists() and path.name[0] != "_"
    }
    assert rooms <= set(re.findall(r"`moltheory\.(\w+)`", _TEXT))


def _commands():
    """Return the commands of the README with the output that it shows."""
    for block in re.findall(r"```console\n\$ moltheory (.*?)```", _TEXT, re.DOTALL):
        command, _, shown = re.sub(r"\\\n *", "", block).partition("\n")
        yield pytest.param(shlex.split(command), shown, id=command[:40])


@pytest.mark.parametrize(("command", "shown"), list(_commands()))
def test_commands_print_what_it_shows(command, shown, monkeypatch, capsys):
    from moltheory.cli import main

    monkeypatch.chdir(_ROOT)
    assert main(command) == 0
    printed = capsys.readouterr()
    assert printed.out == shown
    assert "warning" not in printed.err


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
