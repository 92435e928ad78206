"""What is written once is written once: shared descriptions, the version, recipes, decisions."""

import contextlib
import importlib
import importlib.util
import inspect
import pkgutil
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import moltheory
from moltheory._core._docs import ENTRIES, PLACEHOLDER, document

_ROOT = Path(__file__).parents[1]
_CONTRIBUTING = (_ROOT / "CONTRIBUTING.md").read_text()
_RECIPES = re.findall(r"^### (Add .+?)\n\n(.+?)(?=^#|\Z)", _CONTRIBUTING, re.MULTILINE | re.DOTALL)
_DECISIONS = sorted((_ROOT / "docs" / "decisions").glob("*.md"))
_NO_TORCH = importlib.util.find_spec("torch") is None


def _documented():
    """Yield every function and class that some module of the package defines, and their members."""
    modules = [moltheory]
    for module in pkgutil.walk_packages(moltheory.__path__, "moltheory."):
        if not module.name.endswith("__main__") and "._core._numba" not in module.name:
            # Parts of some studies need torch.
            with contextlib.suppress(ModuleNotFoundError) if _NO_TORCH else contextlib.nullcontext():
                modules.append(importlib.import_module(module.name))
    for module in modules:
        for thing in vars(module).values():
            if getattr(thing, "__module__", None) == module.__name__ and (
                inspect.isclass(thing) or inspect.isfunction(thing)
            ):
                yield thing
                if inspect.isclass(thing):
                    for member in vars(thing).values():
                        yield member.fget if isinstance(member, property) else getattr(member, "__func__", member)


def test_no_placeholder_is_left_in_a_docstring():
    left = {}
    for thing in _documented():
        found = PLACEHOLDER.search(getattr(thing, "__doc__", None) or "")
        if found and thing is not document:
            left[thing.__qualname__] = found[0]
    assert left == {}


@pytest.mark.parametrize("name", ENTRIES)
def test_entries_are_entries(name):
    """The first line names a parameter or a section; the rest is indented, and everything fits in a line."""
    first, *rest = ENTRIES[name].split("\n")
    assert re.fullmatch(r"\w+(, \w+)* : .+|Returns|Raises", first), first
    assert rest
    assert all(line.startswith("    ") for line in rest) == (first not in ("Returns", "Raises"))
    assert all(len(line) <= 116 for line in (first, *rest))
    assert rest[-1].rstrip().endswith(".")


def test_every_entry_is_used():
    text = "\n".join(path.read_text() for path in (_ROOT / "src" / "moltheory").rglob("*.py"))
    assert [name for name in ENTRIES if not re.search(rf"^ *\{{{name}\}}$", text, re.MULTILINE)] == []


def test_document_fills_in_and_keeps_the_rest():
    @document(own="x : int\n    A number.")
    def function(x, delta):
        r"""Return {x} in :math:`\frac{1}{2}`.

        Parameters
        ----------
        {own}
        {delta}
        """

    lines = inspect.getdoc(function).split("\n")
    assert lines[0] == r"Return {x} in :math:`\frac{1}{2}`."
    assert lines[4:] == ["x : int", "    A number.", *ENTRIES["delta"].split("\n")]
    for text in ("{nothing_of_that_name}", "No placeholder at all."):

        def other():
            pass

        other.__doc__ = text
        with pytest.raises(LookupError):
            document(other)
    other.__doc__ = None
    assert document(other) is other


def test_the_package_works_without_docstrings():
    code = (
        "from moltheory import certification, experiments, figures, solvers, theorems; from moltheory.bounds import vc; "
        "print(vc.__doc__, vc(9, dimension=1, delta=0.1).delta)"
    )
    done = subprocess.run([sys.executable, "-OO", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "None 0.1\n"


def test_one_version():
    """The tag of a release is its version; what is written by hand is the next one, in three files."""
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text())
    assert project["project"]["dynamic"] == ["version"]
    following = re.search(r"^## (\d+\.\d+\.\d+) \(", (_ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[1]
    assert project["tool"]["setuptools_scm"]["fallback_version"] == f"{following}.dev0"
    assert f"\nversion: {following}\n" in (_ROOT / "CITATION.cff").read_text()
    # Of the code that runs, and not of another installation: the file lies beside it.
    written = _ROOT / "src" / "moltheory" / "_core" / "_version.py"
    assert f'\n__version__ = "{moltheory.__version__}"\n' in written.read_text()
    assert "/src/moltheory/_core/_version.py" in (_ROOT / ".gitignore").read_text().splitlines()
    assert moltheory.show_versions().packages["moltheory"] == moltheory.__version__
    minors = [name.rpartition(" ")[2] for name in project["project"]["classifiers"] if re.search(r"3\.\d+$", name)]
    assert f">={minors[0]}" == project["project"]["requires-python"]


def test_sources_that_no_build_has_seen_say_that_their_version_is_unknown(monkeypatch):
    monkeypatch.setitem(sys.modules, "moltheory._core._version", None)
    monkeypatch.delitem(sys.modules, "moltheory._core._package", raising=False)
    found = importlib.import_module("moltheory._core._package").__version__
    monkeypatch.delitem(sys.modules, "moltheory._core._package")
    assert found == "0+unknown"


def test_recipes():
    things = ("interval", "bound", "theorem", "scalarization", "measure", "reader", "problem", "figure", "study")
    titles = [title for title, _ in _RECIPES]
    assert titles == [f"Add {'an' if thing == 'interval' else 'a'} {thing}" for thing in things]


@pytest.mark.parametrize(("title", "text"), _RECIPES, ids=lambda value: value if len(value) < 30 else "")
def test_a_recipe_names_at_most_four_files_that_exist(title, text):
    files = set(re.findall(r"`((?:src|tests|data|docs|notebooks)/[^`]*|[A-Z]+\.md)`", text))
    assert 1 <= len(files) <= 4
    # Names in angle brackets or capitals stand for the new file.
    missing = [name for name in files if "NEW" not in name and not (_ROOT / name).exists()]
    assert missing == []
    assert [name for name in files if "NEW" in name and not (_ROOT / name).parent.exists() and "NEW/" not in name] == []


@pytest.mark.parametrize("path", _DECISIONS, ids=lambda path: path.stem[:4])
def test_decisions_have_their_parts_and_cite_modules(path):
    text = path.read_text()
    number = int(path.stem[:4])
    assert text.startswith(f"# {number}. ")
    assert re.findall(r"^## (\w+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequence"]
    assert 10 <= len(text.splitlines()) <= 25
    modules = re.findall(r"`(moltheory[\w.]*)`", text.partition("\nCode: ")[2])
    assert modules
    for name in modules:
        assert importlib.import_module(name)


def test_decisions_are_numbered():
    assert [int(path.stem[:4]) for path in _DECISIONS] == list(range(1, len(_DECISIONS) + 1))
    assert len(_DECISIONS) >= 10
