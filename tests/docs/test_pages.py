"""What the pages show is what happens: every code block of the documentation is run and compared."""

import shutil
import textwrap
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.docs.blocks import blocks, run_page

_ROOT = Path(__file__).parents[2]
_GENERATED = {"_build", "_ext", "_static", "_templates", "gallery", "generated", "notebooks"}
_PAGES = [
    path
    for path in sorted((_ROOT / "docs").rglob("*.md"))
    if not _GENERATED & set(path.relative_to(_ROOT / "docs").parts[:-1])
    if "```" in path.read_text(encoding="utf-8")
]
# They start processes.
_LONG = ("docs/howto/cluster.md", "docs/howto/long_runs.md")


def _parameter(path):
    """Return a page as a parameter; long ones are left to the slow tests."""
    name = path.relative_to(_ROOT)
    marks = [pytest.mark.slow] if name.as_posix() in _LONG else []
    return pytest.param(path, id=name.with_suffix("").as_posix(), marks=marks)


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    """Run in an empty folder that holds the examples, without a display."""
    shutil.copytree(_ROOT / "data" / "examples", tmp_path / "data" / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    import matplotlib
    import matplotlib.pyplot as plt

    backend = matplotlib.get_backend()
    plt.switch_backend("agg")
    yield
    plt.close("all")
    plt.switch_backend(backend)


# README.md shares its data between blocks: tests/test_readme.py runs it.
@pytest.mark.parametrize("path", [_parameter(path) for path in (*_PAGES, _ROOT / "CONTRIBUTING.md")])
def test_page(path):
    name = path.relative_to(_ROOT).as_posix()
    run_page(path.read_text(encoding="utf-8"), name)


def _page(text):
    return textwrap.dedent(text).replace("'''", "```")


_RIGHT = """
    '''python
    x = 1 / 3
    '''

    '''python
    print("x is", x)
    {"third": x}
    '''

    '''text
    x is 0.3333333333333333
    {'third': 0.33333333}
    '''
"""


def test_a_right_page_passes():
    assert run_page(_page(_RIGHT), "page") == 2


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x is 0.3333333333333333", "y is 0.3333333333333333"),
        ("0.33333333}", "0.3334}"),
        ("x = 1 / 3", "x = 1 / 0"),
        ("x is 0.3333333333333333\n", ""),
        ("{'third': 0.33333333}", "{'third': 0.33333333}\n    and more"),
        ("x = 1 / 3", "x = (1 / 3"),
    ],
    ids=["word", "number", "raises", "missing line", "additional line", "syntax"],
)
def test_a_wrong_page_is_refused(before, after):
    assert before in _RIGHT
    with pytest.raises((AssertionError, ZeroDivisionError, SyntaxError)):
        run_page(_page(_RIGHT.replace(before, after)), "page")


_CONSOLE = """
    '''console
    $ moltheory bound --n 1000 --models 20 \\
        --delta 0.05 --json
    OUTPUT
    '''
"""


def test_a_command_with_another_output_is_refused():
    with pytest.raises(AssertionError, match="writes"):
        run_page(_page(_CONSOLE), "page")


@pytest.mark.parametrize(
    "block",
    [
        "'''console\n$ rm -r folder\n'''",
        "'''console\nno prompt\n'''",
        "'''sh\nmake nothing-of-that-name\n'''",
        "'''sh\npip install 'moltheory[nothing]'\n'''",
        "'''sh\nuvx moltheory nothing data\n'''",
        "'''toml\na = [1\n'''",
        "'''json\n{a: 1}\n'''",
        pytest.param("'''yaml\na: [1\n'''", marks=pytest.mark.skipif(find_spec("yaml") is None, reason="needs PyYAML")),
        "'''python\n1\n",
    ],
)
def test_other_blocks_are_checked(block):
    with pytest.raises(Exception, match=r"."):
        run_page(block.replace("'''", "```"), "page")


def test_what_is_left_out_is_marked():
    text = "% not run: needs a cluster\n\n'''python\n1 / 0\n'''\n\n'''python\n2 / 0\n'''\n".replace("'''", "```")
    assert [block.is_left_out for block in blocks(text)] == [True, False]
    with pytest.raises(ZeroDivisionError):
        run_page(text, "page")
    with pytest.raises(ZeroDivisionError):  # a reason is required
        run_page(text.replace(" needs a cluster", ""), "page")


def test_text_that_does_not_follow_directly_is_not_output():
    text = "'''python\n1\n'''\n\nA sentence.\n\n'''text\nanything\n'''\n".replace("'''", "```")
    assert run_page(text, "page") == 1
    with pytest.raises(AssertionError):
        run_page(text.replace("A sentence.\n", ""), "page")
    assert Path("data/examples/lm_eval").is_dir()
