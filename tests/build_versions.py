"""What builds call themselves: of a tag, after it, without one, of an archive, without git. Part of the wheel's row."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# What decides the version, with a package of two files.
DECIDES = ("pyproject.toml", "setup.py", "README.md", "LICENSE", "MANIFEST.in", ".gitignore")
DECIDES += (".gitattributes", ".git_archival.txt")
PERSON = ("-c", "user.name=Nobody", "-c", "user.email=nobody@example.org", "-c", "commit.gpgsign=false")


def fallback() -> str:
    """Return the version of a folder without git."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools_scm"]["fallback_version"]


def built(folder: Path) -> str:
    """Return the version of the wheel of a folder; the package says the same, or the name of the wheel is returned."""
    out = folder / "dist"
    uv = (sys.executable, "-m", "uv", "--quiet", "build", "--wheel", "--clear", "--out-dir", str(out))
    done = subprocess.run([*uv, str(folder)], capture_output=True, text=True)
    if done.returncode:
        return done.stderr[-2000:]
    (wheel,) = out.glob("*.whl")
    version = wheel.name.split("-")[1]
    written = (folder / "src" / "moltheory" / "_core" / "_version.py").read_text()
    return version if f'"{version}"' in written else wheel.name


def wrong_versions(folder: Path) -> Iterator[str]:
    """Yield what builds call themselves and must not."""
    repository = folder / "repository"
    package = repository / "src" / "moltheory" / "_core"
    package.mkdir(parents=True)
    for path in (package / "__init__.py", package.parent / "__init__.py"):
        path.touch()
    for name in DECIDES:
        shutil.copy(ROOT / name, repository / name)

    def git(*words: str) -> bytes:
        command = ["git", *PERSON, *words]
        return subprocess.run(command, cwd=repository, check=True, capture_output=True).stdout

    def archive(name: str) -> Path:
        with tarfile.open(fileobj=io.BytesIO(git("archive", "HEAD"))) as content:
            content.extractall(folder / name, filter="data")
        return folder / name

    following = fallback().removesuffix(".dev0")
    cases = [("a folder without git", built(repository), re.escape(fallback()))]
    git("init", "--quiet", ".")
    git("add", ".")
    git("commit", "--quiet", "-m", "one")
    git("commit", "--quiet", "--allow-empty", "-m", "two")
    cases.append(("a clone without tags", built(repository), rf"{re.escape(following)}\.dev2\+g[0-9a-f]+"))
    cases.append(("an archive without tags", built(archive("untagged")), re.escape(fallback())))
    git("tag", "--annotate", "v1.2.3", "-m", "release")
    cases.append(("the commit of a tag", built(repository), r"1\.2\.3"))
    cases.append(("the archive of a tag", built(archive("tagged")), r"1\.2\.3"))
    git("commit", "--quiet", "--allow-empty", "-m", "three")
    cases.append(("a commit after a tag", built(repository), r"1\.2\.4\.dev1\+g[0-9a-f]+"))
    (repository / "README.md").write_text("changed")
    cases.append(("a changed clone", built(repository), r"1\.2\.4\.dev1\+g[0-9a-f]+\.d\d{8}"))
    for what, version, pattern in cases:
        if not re.fullmatch(pattern, version):
            yield f"{what} must have a version {pattern}, and has: {version}"
