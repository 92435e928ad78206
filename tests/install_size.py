"""How long installing takes and what lies on disk afterwards: ``python -m tests.install_size`` writes the page.

Needs a package index; nothing in the test suite runs it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "development" / "install_size.md"
UV = (sys.executable, "-m", "uv", "--quiet")
# What an extra could hold: nothing in it is imported before it is asked for.
CANDIDATES = (
    ("cvxpy", "pymoo"),
    ("numba",),
    ("pyarrow",),
    ("scikit-learn",),
    ("cvxpy", "pymoo", "scikit-learn", "numba", "pyarrow"),
)
# Run in the new environment: version, bytes and requirements of all that is installed there.
PROBE = """
import importlib.metadata, json
print(json.dumps([
    [found.metadata["Name"], found.version, found.requires or [], sum(
        path.stat().st_size for path in map(found.locate_file, found.files or []) if path.is_file()
    )]
    for found in importlib.metadata.distributions()
]))
"""


def normal(name: str) -> str:
    """Return the name under which an index knows a distribution."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", name)[0]).lower()


class Installed:
    """The distributions of an environment, with what each one brings."""

    def __init__(self, python: Path) -> None:
        rows = json.loads(subprocess.run([python, "-c", PROBE], capture_output=True, check=True).stdout)
        self.version = {normal(name): version for name, version, _, _ in rows}
        self.size = {normal(name): size / 2**20 for name, _, _, size in rows}
        # What an extra asks for is not installed, unless something else asks for it too.
        self.needs = {
            normal(name): {normal(one) for one in requires if "extra ==" not in one} & set(self.size)
            for name, _, requires, _ in rows
        }

    def closure(self, names: Iterable[str]) -> set[str]:
        """Return names with everything they bring."""
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += self.needs[name]
        return found

    def saved(self, names: Iterable[str]) -> float:
        """Return the MiB that would not be there without some requirements of the package."""
        every = self.needs["moltheory"]
        return sum(self.size[one] for one in self.closure(every) - self.closure(every - set(names)))


def requirements() -> dict[str, tuple[str, str]]:
    """Return each requirement of the package with its comment in pyproject.toml."""
    text = (ROOT / "pyproject.toml").read_text()
    block = re.search(r"^dependencies = \[\n(.*?)^\]", text, re.MULTILINE | re.DOTALL)[1]
    rows = re.findall(r'^    "([^"]+)", +# (.*)$', block, re.MULTILINE)
    if len(rows) != len(tomllib.loads(text)["project"]["dependencies"]):
        raise ValueError("every requirement in pyproject.toml must stand in a line of its own, with its reason")
    return {normal(requirement): (requirement, reason) for requirement, reason in rows}


def seconds(installer: str, folder: Path, name: str, what: list[str], cache: Path) -> np.ndarray:
    """Install into a new environment and return how long it took, and how long a processor was busy with it."""
    environment = folder / name
    python = environment / "bin" / "python"
    subprocess.run([*UV, "venv", "--python", sys.executable, str(environment)], check=True)
    if installer == "uv":
        command = [*UV, "pip", "install", "--python", str(python), "--cache-dir", str(cache)]
    else:
        subprocess.run([*UV, "pip", "install", "--python", str(python), "pip"], check=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "--cache-dir", str(cache)]
    before = np.array([time.perf_counter(), sum(os.times()[2:4])])
    subprocess.run([*command, *what], check=True, stderr=subprocess.DEVNULL)
    return np.array([time.perf_counter(), sum(os.times()[2:4])]) - before


def measure(folder: Path) -> str:
    """Return the tables of the page."""
    subprocess.run([*UV, "build", "--out-dir", str(folder), str(ROOT)], check=True)
    wheel = str(next(folder.glob("*.whl")))
    needed = requirements()
    light = ["--no-deps", wheel], [one for name, (one, _) in needed.items() if name not in ("cvxpy", "pymoo")]
    lines = ["| installer | everything, s | without cvxpy and pymoo, s |", "| --- | --- | --- |"]
    for installer in ("uv", "pip"):
        for state in ("empty", "filled"):
            whole = seconds(installer, folder, f"{installer}-{state}", [wheel], folder / f"{installer}-cache")
            less = [
                seconds(installer, folder, f"{installer}-{state}-less-{k}", what, folder / f"{installer}-cache-less")
                for k, what in enumerate(light)
            ]
            cells = (f"{wall:.1f} ({busy:.1f})" for wall, busy in (whole, sum(less)))
            lines.append(f"| {installer}, {state} cache | {' | '.join(cells)} |")
    versions = subprocess.run([*UV[:3], "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    lines += ["", f"Python {platform.python_version()}, uv {versions}, {platform.system()} {platform.machine()}, "]
    lines[-1] += f"{os.cpu_count()} cores. Times are seconds of single runs with the network, on a machine with other "
    lines[-1] += "work; in brackets the seconds of the processor."
    found = Installed(folder / "uv-empty" / "bin" / "python")
    total = sum(found.size[name] for name in found.closure(["moltheory"]))
    lines += ["", f"{len(found.closure(['moltheory']))} distributions take {total:.0f} MiB.", ""]
    lines += ["| requirement | version | MiB | MiB saved without it | for |", "| --- | --- | --- | --- | --- |"]
    for name, (_, reason) in sorted(needed.items(), key=lambda row: -found.saved([row[0]])):
        lines.append(
            f"| {name} | {found.version[name]} | {found.size[name]:.1f} | {found.saved([name]):.1f} | {reason} |"
        )
    lines += ["", "| left to an extra | MiB saved | share |", "| --- | --- | --- |"]
    for names in CANDIDATES:
        saved = found.saved(names)
        lines.append(f"| {', '.join(names)} | {saved:.0f} | {saved / total:.0%} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, and write the tables between the marks of the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--print", action="store_true", help="print the tables and write nothing")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        tables = measure(Path(name))
    if options.print:
        print(tables)
        return
    text = PAGE.read_text()
    first, last = "<!-- tables: begin -->\n", "<!-- tables: end -->"
    head, tail = text.partition(first)[0], text.partition(last)[2]
    PAGE.write_text(f"{head}{first}\n{tables}\n\n{last}{tail}")


if __name__ == "__main__":
    main()
