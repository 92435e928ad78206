"""The wheel as a stranger meets it: what is in it, and its commands and types in an environment without the clone.

Run by ``python -m tests.portable --only wheel``; the environment holds what the wheel asks for, and mypy.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Files of a user beside which nothing of the kind may be imported.
HOSTILE = ("numpy", "types", "json", "moltheory", "joblib", "cloudpickle", "matplotlib")
SMOKE = """
import numpy as np
import moltheory as mt
certificate = mt.certify((np.random.default_rng(0).random((100, 2, 1)) < [[0.1], [0.9]]).astype(float))
assert mt.Certificate.from_json(certificate.to_json()).status == certificate.status == ("sure", "excluded")
assert mt.nondominated(np.random.default_rng(0).random((20_000, 3))).any()
assert mt.__file__.startswith(PREFIX), mt.__file__
"""
# Types reach whoever imports the package: the second call is refused, the first is not Any.
TYPED = """
import moltheory as mt
certificate: mt.Certificate = mt.certify([[[0.0], [1.0]]])
wrong: int = mt.nondominated([[0.0, 1.0]])
"""


def contents(wheel: Path, source: Path) -> list[str]:
    """Return what is wrong with the files in a wheel and a source distribution."""
    package = ROOT / "src" / "moltheory"
    wanted = {
        path.relative_to(ROOT / "src").as_posix()
        for path in package.rglob("*")
        if path.is_file()
        and (path.suffix == ".py" or path.name == "py.typed" or path.parent.name in ("templates", "static"))
    }
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
    wrong = [f"not in the wheel: {name}" for name in sorted(wanted - found)]
    wrong += [f"in the wheel: {name}" for name in sorted(found - wanted)]
    with tarfile.open(source) as sources:
        names = [name.split("/", 1)[-1] for name in sources.getnames()]
    return wrong + [f"in the sources: {name}" for name in names if name.startswith(("tests", "docs", "benchmarks"))]


def check(environment: Path) -> list[str]:
    """Build both distributions, install the wheel in an environment and use it; return what is wrong."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        uv = [sys.executable, "-m", "uv", "--quiet"]
        subprocess.run([*uv, "build", "--out-dir", str(folder), str(ROOT)], check=True)
        (wheel,), (source,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
        wrong = contents(wheel, source)
        python = environment / "bin" / "python"
        subprocess.run([*uv, "venv", "--clear", "--python", sys.executable, str(environment)], check=True)
        subprocess.run([*uv, "pip", "install", "--python", str(python), str(wheel), "mypy"], check=True)
        return wrong + _used(environment, folder)


def _used(environment: Path, folder: Path) -> list[str]:
    here = folder / "here"
    here.mkdir()
    for name in HOSTILE:
        (here / f"{name}.py").write_text("open('imported', 'a').write(__name__)\nraise SystemExit(3)\n")
    (here / "losses.csv").write_text("a,b\n" + "0,1\n" * 50)
    scripts = folder / "scripts"
    scripts.mkdir()
    (scripts / "smoke.py").write_text(SMOKE.replace("PREFIX", repr(str(environment))))
    (scripts / "typed.py").write_text(TYPED)
    binaries = environment / "bin"
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "NUMBA"))}

    def done(*command: str, where: Path = here) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(binaries / command[0]), *command[1:]], cwd=where, env=variables, capture_output=True, text=True
        )

    wrong = []
    for command in (
        ("moltheory", "--help"),
        ("moltheory", "certify", "losses.csv", "--html", "page.html", "--plot", "figure.svg"),
        ("moltheory", "reproduce", "--quick", "--only", "near_tie", "--n-jobs", "2", "--out", "report"),
        ("python", str(scripts / "smoke.py")),
    ):
        found = done(*command)
        if found.returncode or found.stderr:
            wrong.append(f"{' '.join(command)} ended with {found.returncode}: {found.stderr[-2000:]}")
    wrong += [
        f"not written: {name}"
        for name in ("page.html", "figure.svg", "report/index.html")
        if not (here / name).exists()
    ]
    if (here / "imported").exists():
        wrong.append(f"imported from the working directory: {(here / 'imported').read_text()}")
    # Of its own sources nothing: what is checked is that a caller sees its types.
    found = done("mypy", "--strict", "--cache-dir", str(folder / "mypy"), "typed.py", where=scripts)
    lines = [line for line in found.stdout.splitlines() if ": error:" in line]
    if len(lines) != 1 or "typed.py:4" not in lines[0] or "[assignment]" not in lines[0]:
        wrong.append(f"mypy must find one error, in line 4, and found: {found.stdout}{found.stderr}")
    return wrong
