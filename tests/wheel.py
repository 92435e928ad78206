"""The wheel as a stranger meets it: what is in it, and its commands and types in an environment without the clone.

Run by ``python -m tests.portable --only wheel``; the environment holds what the wheel asks for, type checkers and pipx.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tests.build_versions import fallback, wrong_versions

ROOT = Path(__file__).resolve().parents[1]
DOWNSTREAM = ROOT / "tests" / "downstream"
UV = (sys.executable, "-m", "uv", "--quiet")
# Files of a user beside which nothing of the kind may be imported.
HOSTILE = ("numpy", "types", "json", "moltheory", "joblib", "cloudpickle", "matplotlib")
SMOKE = """
import numpy as np
import moltheory as mt
certificate = mt.certify((np.random.default_rng(0).random((100, 2, 1)) < [[0.1], [0.9]]).astype(float))
assert mt.Certificate.from_json(certificate.to_json()).status == certificate.status == ("sure", "excluded")
assert mt.nondominated(np.random.default_rng(0).random((20_000, 3))).any()
assert mt.__file__.startswith(PREFIX), mt.__file__
assert mt.__version__ == mt.show_versions().packages["moltheory"] == VERSION, mt.__version__
"""
WHERE = "import moltheory; print(moltheory.__file__, moltheory.__version__)"
# What a source distribution holds beside the package; its folder src has the rest.
SOURCES = {
    *("CHANGELOG.md", "CITATION.cff", "LICENSE", "MANIFEST.in", "PKG-INFO", "README.md", "SECURITY.md"),
    *("pyproject.toml", "setup.cfg", "setup.py", "src"),
}


def contents(wheel: Path, source: Path) -> list[str]:
    """Return what is wrong with the files in a wheel and a source distribution."""
    package = ROOT / "src" / "moltheory"
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["moltheory"]
    wanted = {
        path.relative_to(ROOT / "src").as_posix()
        for pattern in ("**/*.py", *patterns)
        for path in package.glob(pattern)
        if path.is_file()
    }
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        page = archive.read(metadata).decode()
    wrong = [f"not in the wheel: {name}" for name in sorted(wanted - found)]
    wrong += [f"in the wheel: {name}" for name in sorted(found - wanted)]
    wrong += [f"leads nowhere on PyPI: {link}" for link in re.findall(r"\]\((?!https://|#)[^)]*\)", page)]
    with tarfile.open(source) as sources:
        names = {name.split("/")[1] for name in sources.getnames() if "/" in name}
    wrong += [f"in the sources: {name}" for name in sorted(names - SOURCES)]
    return wrong + [f"not in the sources: {name}" for name in sorted(SOURCES - names)]


def different(one: Path, other: Path) -> list[str]:
    """Return which files differ between two wheels."""
    with zipfile.ZipFile(one) as first, zipfile.ZipFile(other) as second:
        files = [{info.filename: info.CRC for info in archive.infolist()} for archive in (first, second)]
    return sorted(name for name in files[0].keys() | files[1].keys() if files[0].get(name) != files[1].get(name))


def check(environment: Path) -> list[str]:
    """Build both distributions, install the wheel in an environment and use it; return what is wrong."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([*UV, "build", "--out-dir", str(folder), str(ROOT)], check=True)
        (wheel,), (source,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
        wrong = contents(wheel, source)
        # This wheel was built from the source distribution; from the clone's files it must be the same.
        _copy_of_the_clone(folder / "copy")
        command = [*UV, "build", "--wheel", "--out-dir", str(folder / "direct"), str(folder / "copy")]
        version = {"SETUPTOOLS_SCM_PRETEND_VERSION": wheel.name.split("-")[1]}
        subprocess.run(command, env={**os.environ, **version}, check=True)
        (direct,) = folder.glob("direct/*.whl")
        wrong += [f"not the same from the sources and from the clone: {name}" for name in different(wheel, direct)]
        python = environment / "bin" / "python"
        subprocess.run([*UV, "venv", "--clear", "--python", sys.executable, str(environment)], check=True)
        tools = ("mypy", "basedpyright", "pandas-stubs", "pipx[uv]")
        subprocess.run([*UV, "pip", "install", "--python", str(python), str(wheel), *tools], check=True)
        wrong += _used(environment, folder, wheel.name.split("-")[1])
        wrong += _typed(environment, folder)
        wrong += _without_installing(environment, folder, wheel)
        wrong += _beside_a_clone(environment, folder, wheel)
        return [*wrong, *wrong_versions(folder)]


def _ran(*command: str | Path, where: Path, **extra: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "NUMBA"))}
    words = [str(word) for word in command]
    return subprocess.run(words, cwd=where, env={**kept, **extra}, capture_output=True, text=True)


def _used(environment: Path, folder: Path, version: str) -> list[str]:
    here = folder / "here"
    here.mkdir()
    for name in HOSTILE:
        (here / f"{name}.py").write_text("open('imported', 'a').write(__name__)\nraise SystemExit(3)\n")
    (here / "losses.csv").write_text("a,b\n" + "0,1\n" * 50)
    scripts = folder / "scripts"
    scripts.mkdir()
    (scripts / "smoke.py").write_text(SMOKE.replace("PREFIX", repr(str(environment))).replace("VERSION", repr(version)))
    wrong = []
    for command in (
        ("moltheory", "--help"),
        ("moltheory", "--version"),
        ("moltheory", "certify", "losses.csv", "--minimise", "loss", "--html", "page.html", "--plot", "figure.svg"),
        ("moltheory", "reproduce", "--quick", "--only", "near_tie", "--n-jobs", "2", "--out", "report"),
        ("python", str(scripts / "smoke.py")),
    ):
        found = _ran(environment / "bin" / command[0], *command[1:], where=here)
        if found.returncode or found.stderr:
            wrong.append(f"{' '.join(command)} ended with {found.returncode}: {found.stderr[-2000:]}")
        if command[1] == "--version" and found.stdout != f"moltheory {version}\n":
            wrong.append(f"the version must be {version}, and is said to be: {found.stdout}")
    wrong += [
        f"not written: {name}"
        for name in ("page.html", "figure.svg", "report/index.html")
        if not (here / name).exists()
    ]
    if (here / "imported").exists():
        wrong.append(f"imported from the working directory: {(here / 'imported').read_text()}")
    return wrong


def marked(folder: Path) -> set[tuple[str, int]]:
    """Return the files and lines in which a checker of types must find an error, and no others."""
    return {
        (path.name, number)
        for path in folder.glob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if line.endswith("# wrong")
    }


def _typed(environment: Path, folder: Path) -> Iterator[str]:
    """Check a project that uses the package as others do: nothing in its right file, all in its wrong one."""
    copy = folder / "downstream"
    shutil.copytree(DOWNSTREAM, copy, ignore=shutil.ignore_patterns("__pycache__"))
    found = _ran(environment / "bin" / "mypy", "--strict", "--cache-dir", folder / "mypy", ".", where=copy)
    lines = re.findall(r"^(\w+\.py):(\d+): error:", found.stdout, re.MULTILINE)
    if {(name, int(line)) for name, line in lines} != marked(copy):
        yield f"mypy must find {len(marked(copy))} errors, and found: {found.stdout}{found.stderr}"
    python = ("--pythonpath", environment / "bin" / "python")
    found = _ran(environment / "bin" / "basedpyright", "--outputjson", "--level", "error", *python, ".", where=copy)
    said = json.loads(found.stdout)["generalDiagnostics"] if found.stdout.strip() else []
    places = {(Path(one["file"]).name, one["range"]["start"]["line"] + 1) for one in said}
    if places != marked(copy):
        yield f"pyright must find {len(marked(copy))} errors, and found: {found.stdout}{found.stderr}"


def _without_installing(environment: Path, folder: Path, wheel: Path) -> Iterator[str]:
    """Run the command by uvx and by pipx, which make an environment of their own."""
    version = f"moltheory {wheel.name.split('-')[1]}\n"
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    python = ("--python", sys.executable)
    found = _ran(*UV, "tool", "run", *python, "--from", wheel, "moltheory", "--version", where=elsewhere)
    if found.stdout != version:
        yield f"uvx must print {version}, and printed: {found.stdout}{found.stderr}"
    homes = {name: str(folder / name) for name in ("PIPX_HOME", "PIPX_BIN_DIR", "PIPX_MAN_DIR")}
    command = (environment / "bin" / "pipx", "run", *python, "--spec", wheel, "moltheory", "--version")
    found = _ran(*command, where=elsewhere, **homes)
    if found.stdout != version:
        yield f"pipx must print {version}, and printed: {found.stdout}{found.stderr}"


def _copy_of_the_clone(folder: Path) -> None:
    """Copy what the package is made of, without what was built from it, and without git."""
    folder.mkdir(parents=True)
    for name in SOURCES - {"PKG-INFO", "setup.cfg", "src"}:
        shutil.copy(ROOT / name, folder / name)
    built = shutil.ignore_patterns("__pycache__", "*.egg-info", "_version.py")
    shutil.copytree(ROOT / "src", folder / "src", ignore=built)


def _beside_a_clone(environment: Path, folder: Path, wheel: Path) -> Iterator[str]:
    """Import from the folder that holds a clone of that name: never the clone's folder, installed in place or not."""
    clone = folder / "beside" / "moltheory"
    _copy_of_the_clone(clone)
    python = environment / "bin" / "python"
    installed = f"{environment}{os.sep}"
    found = _ran(python, "-c", WHERE, where=clone.parent)
    if not found.stdout.startswith(installed) or not found.stdout.endswith(f" {wheel.name.split('-')[1]}\n"):
        yield f"beside a clone, not the wheel is imported: {found.stdout}{found.stderr}"
    subprocess.run([*UV, "pip", "install", "--python", str(python), "--no-deps", "-e", str(clone)], check=True)
    found = _ran(python, "-c", WHERE, where=clone.parent)
    # Of a folder without git.
    if found.stdout != f"{clone}/src/moltheory/__init__.py {fallback()}\n":
        yield f"beside a clone installed in place, something else is imported: {found.stdout}{found.stderr}"
