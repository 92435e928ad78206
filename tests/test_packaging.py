"""What describes the package to others agrees with what it is: recipe, archives, workflows, layers of the documentation."""

import json
import re
import runpy
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.install_size import PAGE, requirements
from tests.portable import MATRIX
from tests.test_architecture import _FLOORS
from tests.wheel import SOURCES, different, marked

_ROOT = Path(__file__).parents[1]
_PROJECT = tomllib.loads((_ROOT / "pyproject.toml").read_text())
_WORKFLOWS = sorted((_ROOT / ".github" / "workflows").glob("*.yml"))
_RECIPE = yaml.safe_load((_ROOT / "recipe" / "recipe.yaml").read_text())
_CITATION = yaml.safe_load((_ROOT / "CITATION.cff").read_text())


def _split(requirement):
    """Return the name and the bounds of a requirement, whatever spaces it is written with."""
    name, bounds = re.match(r"([\w-]+)\s*(.*)", requirement).groups()
    return name, bounds


def test_the_recipe_asks_for_what_the_package_asks_for():
    renamed = {"matplotlib-base": "matplotlib"}  # without Qt, which nothing here needs
    minimum = _RECIPE["context"]["python_min"]
    assert _PROJECT["project"]["requires-python"] == f">={minimum}"
    python, *others = _RECIPE["requirements"]["run"]
    assert python == "python >=${{ python_min }}"
    found = {renamed.get(name, name): bounds for name, bounds in map(_split, others)}
    assert found == dict(map(_split, _PROJECT["project"]["dependencies"]))
    host = dict(map(_split, _RECIPE["requirements"]["host"]))
    assert host.items() >= dict(map(_split, _PROJECT["build-system"]["requires"])).items()
    (command,) = _RECIPE["build"]["python"]["entry_points"]
    assert command == f"moltheory = {_PROJECT['project']['scripts']['moltheory']}"


def test_the_next_version_is_the_same_everywhere():
    following = _PROJECT["tool"]["setuptools_scm"]["fallback_version"].removesuffix(".dev0")
    assert _RECIPE["context"]["version"] == str(_CITATION["version"]) == following


def test_zenodo_and_citation_agree():
    found = json.loads((_ROOT / ".zenodo.json").read_text())
    assert found["title"] == _CITATION["title"]
    assert found["license"] == _CITATION["license"] == _PROJECT["project"]["license"]
    assert [one["name"] for one in found["creators"]] == [one["name"] for one in _CITATION["authors"]]
    assert found["keywords"] == _PROJECT["project"]["keywords"]
    assert [one["identifier"] for one in found["related_identifiers"]] == [
        one["doi"] for one in _CITATION["references"]
    ]
    assert "version" not in found  # it would stay behind: Zenodo takes it from the release


@pytest.mark.parametrize("path", _WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_have_few_rights_and_pinned_actions(path):
    text = path.read_text()
    content = yaml.safe_load(text)
    assert content["permissions"] == {"contents": "read"}
    rights = {name: set(job.get("permissions", ())) for name, job in content["jobs"].items()}
    allowed = {"publish": {"pages", "id-token"}, "pypi": {"id-token"}, "github": {"contents"}}
    assert {name: found for name, found in rights.items() if found} == {k: v for k, v in allowed.items() if k in rights}
    for action in re.findall(r"uses: (.*)", text):
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action
    for job in content["jobs"].values():
        assert job["timeout-minutes"] <= 90
        for step in job["steps"]:
            # What an expression holds is text of a stranger as soon as a branch has a name.
            assert "${{" not in step.get("run", "")
            if "checkout" in step.get("uses", ""):
                assert step["with"] == {"fetch-depth": 0, "persist-credentials": False}


def test_workflows_run_commands_that_exist():
    targets = set(re.findall(r"^([\w-]+):", (_ROOT / "Makefile").read_text(), re.MULTILINE))
    text = "".join(path.read_text() for path in _WORKFLOWS)
    assert set(re.findall(r"\bmake ([\w-]+)", text)) <= targets


def test_pythons_are_those_of_the_matrix():
    matrix = yaml.safe_load((_ROOT / ".github/workflows/ci.yml").read_text())["jobs"]["test"]["strategy"]["matrix"]
    stated = re.findall(r"Python :: (3\.\d+)", " ".join(_PROJECT["project"]["classifiers"]))
    assert stated == matrix["python"]
    systems = {"ubuntu-latest": "POSIX :: Linux", "macos-latest": "MacOS"}
    for system in matrix["os"]:
        assert f"Operating System :: {systems[system]}" in _PROJECT["project"]["classifiers"]


@pytest.mark.parametrize("row", MATRIX, ids=lambda row: row.name)
def test_a_brief_row_is_a_part_of_the_row(row):
    assert [path for path in (*row.tests, *(row.brief or ())) if not (_ROOT / path).exists()] == []
    assert [path for path in row.brief or () if not any(Path(path).is_relative_to(whole) for whole in row.tests)] == []


def test_ci_runs_every_row_in_brief_but_the_one_that_it_ran():
    (command,) = re.findall(r"^make test-portable (.*)$", (_ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert command == 'PORTABLE="--brief --without native"'


def test_every_name_at_the_top_is_in_the_sources_or_left_out():
    """setuptools-scm takes what git tracks: a new folder must be named, or it travels with every release."""
    done = subprocess.run(["git", "ls-files"], cwd=_ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("no git here")
    manifest = (_ROOT / "MANIFEST.in").read_text()
    out = set(re.findall(r"^prune (\S+)$", manifest, re.MULTILINE))
    out |= {name for line in re.findall(r"^exclude (.+)$", manifest, re.MULTILINE) for name in line.split()}
    top = {name.partition("/")[0] for name in done.stdout.splitlines()}
    hidden = {name for name in top if name.startswith(".git") and name != ".github"}
    assert sorted(top - hidden - out - SOURCES) == []
    assert ".git*" in out


def test_links_of_the_readme_are_absolute_on_pypi():
    """To the tag of a release, and to the main branch from builds between releases."""
    absolute = runpy.run_path(str(_ROOT / "setup.py"))["absolute"]
    text = "![a](b/c.png) [d](e.md#f) [g](https://h.example/i) [j](#k)"
    for version, branch in (("1.2.3", "v1.2.3"), ("1.2.4.dev7+gabc1234", "main"), ("0.2.0.dev0", "main")):
        assert absolute(text, version) == (
            f"![a](https://raw.githubusercontent.com/moltheory/moltheory/{branch}/b/c.png) "
            f"[d](https://github.com/moltheory/moltheory/blob/{branch}/e.md#f) [g](https://h.example/i) [j](#k)"
        )
    assert not re.search(r"\]\((?!https://|#)", absolute((_ROOT / "README.md").read_text(), "1.2.3"))
    assert _PROJECT["project"]["urls"]["Source"] == "https://github.com/moltheory/moltheory"


def test_layers_of_the_documentation_are_those_of_the_test():
    page = (_ROOT / "docs" / "explanation" / "architecture.md").read_text()
    rows = re.findall(r"^\| (\d+) \| (.+?) \|", page, re.MULTILINE)
    assert {name: int(layer) for layer, names in rows for name in re.findall(r"`(\w+)`", names)} == _FLOORS


def test_every_requirement_has_its_reason_on_the_page():
    page = PAGE.read_text()
    for name, (_, reason) in requirements().items():
        assert re.search(rf"^\| {name} \| .* \| {re.escape(reason)} \|$", page, re.MULTILINE), name


def test_lines_that_checkers_must_refuse_are_found(tmp_path):
    (tmp_path / "one.py").write_text("x = 1\ny: int = ''  # wrong\n")
    assert marked(tmp_path) == {("one.py", 2)}
    assert len(marked(_ROOT / "tests" / "downstream")) >= 8


def test_wheels_that_differ_are_told_apart(tmp_path):
    import zipfile

    for name, content in (("a", "1"), ("b", "1"), ("c", "2")):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("same.py", "")
            archive.writestr("other.py", content)
    assert different(tmp_path / "a", tmp_path / "b") == []
    assert different(tmp_path / "a", tmp_path / "c") == ["other.py"]
