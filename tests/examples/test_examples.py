"""Every script of the gallery runs without a warning, shows a picture, and computes what its prose says."""

import re
from dataclasses import replace

import pytest

from tests.examples._cells import EXAMPLES, SCRIPTS, run
from tests.examples._facts import FACTS

# Seconds in all; the others are slow tests.
_CHEAP = ("bounds_curves", "cells", "certificate", "fronts", "price")


@pytest.fixture
def ran(request, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.delenv("COMPAS", raising=False)
    path = SCRIPTS[request.param]
    return request.param, run(path.read_text(encoding="utf-8"), str(path))


@pytest.mark.parametrize("ran", _CHEAP, indirect=True)
def test_cheap_scripts_compute_what_they_say(ran):
    name, result = ran
    assert result.pictures
    FACTS[name](result)


@pytest.mark.slow
@pytest.mark.parametrize("ran", sorted(SCRIPTS.keys() - set(_CHEAP)), indirect=True)
def test_scripts_compute_what_they_say(ran):
    name, result = ran
    assert result.pictures
    for picture in result.pictures:
        content, size = picture._repr_png_()
        assert content.startswith(b"\x89PNG")
        assert size["width"] >= 300
    FACTS[name](result)


def test_each_script_has_its_facts():
    assert FACTS.keys() == SCRIPTS.keys()
    assert len(SCRIPTS) > 30


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_have_the_form_of_a_page(name):
    """A title as long as its line, prose, cells with text, no more than 120 lines, and nothing of this machine."""
    source = SCRIPTS[name].read_text(encoding="utf-8")
    opening, title, line, empty, *_ = source.split("\n")
    assert (opening, empty) == ('"""', "")
    assert line == "=" * len(title)
    assert source.count("\n") <= 120
    prose = source.split('"""')[1].split("\n", 4)[4]
    assert 2 <= len(re.findall(r"[.?](?=\s|$)", re.sub(r"``.*?``", "x", prose, flags=re.DOTALL))) <= 7, prose
    for cell in source.split("\n# %%\n")[1:]:
        assert cell.startswith("# "), cell[:80]
    assert not re.search(r"/work|/tmp|plt\.show", source)


def test_each_folder_has_a_header():
    folders = {path.parent for path in SCRIPTS.values()} | {EXAMPLES}
    for folder in folders:
        _title, line, *_ = (folder / "GALLERY_HEADER.rst").read_text(encoding="utf-8").split("\n")
        assert set(line) <= {"=", "-"}


@pytest.mark.parametrize("ran", ["fronts"], indirect=True)
def test_a_wrong_number_is_noticed(ran):
    name, result = ran
    wrong = replace(result, names=result.names | {"probability": 0.99})
    with pytest.raises(AssertionError):
        FACTS[name](wrong)
