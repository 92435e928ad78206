"""Tests on other BLAS kernels, instruction sets, versions and Pythons, and of the wheel: ``make test-portable``.

A row runs the tests that its difference can reach; with ``--whole`` the fast suite, with ``--brief`` what it is most likely
to reach. Bit-identity is promised on one machine and one set of versions; all else must hold in every row of `MATRIX`. A
row that means nothing on this machine (no OpenBLAS, no newer Python) is named, with the reason, and not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.wheel import check as check_wheel

ROOT = Path(__file__).resolve().parents[1]
# Rooms of linear algebra and of floating-point sums, with the examples in their documentation.
ROOMS = (
    *("solvers", "objectives", "inference", "bounds", "scalarization", "experiments", "theorems", "problems"),
    *("certification", "pareto", "oracle", "runs"),
)
# What reads, writes, draws, compiles or starts processes, with the libraries of other versions.
OUTER = ("core", "environments", "reports", "images", "evaluation", "plot", "reprs", "explorer", "figures", "studies")
# Numpy's names for what processors of 2011 and of 2013 have: the newer fuse products and sums, which rounds once.
AVX = {"SSSE3", "SSE41", "POPCNT", "SSE42", "AVX", "X86_V2"}
AVX2 = AVX | {"XOP", "FMA4", "F16C", "FMA3", "AVX2", "X86_V3"}
# Variables that a configuration sets, or that would change what it says.
SET = ("OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS", "NPY_DISABLE_CPU_FEATURES", "NUMBA_CPU_NAME", "NUMBA_DISABLE_JIT")
# What an interpreter multiplies matrices with, and what its numpy could do without; a kernel beyond this processor
# ends the process.
PROBE = """
import json, numpy
from numpy._core._multiarray_umath import __cpu_dispatch__ as dispatched, __cpu_features__ as present
from moltheory.runs import show_versions
numpy.linalg.inv(numpy.eye(64) + numpy.ones((64, 64)))
print(json.dumps([show_versions().blas, [name for name in dispatched if present.get(name)]]))
"""


def _folders(rooms: tuple[str, ...]) -> tuple[str, ...]:
    return (
        *(f"tests/{room}" for room in rooms),
        "tests/test_rational.py",
        *(f"src/moltheory/{room}" for room in rooms),
    )


COMMANDS = tuple(sorted(f"tests/{path.name}" for path in (ROOT / "tests").glob("test_cli*.py")))
EVERYWHERE = (*_folders(ROOMS), *(f"tests/{room}" for room in OUTER), *COMMANDS)


def _files(**rooms: str) -> tuple[str, ...]:
    """Return the modules of tests that are named for a room; ``all`` is the whole room."""
    named = ((room, name) for room, names in rooms.items() for name in names.split())
    return tuple(f"tests/{room}" if name == "all" else f"tests/{room}/test_{name}.py" for room, name in named)


# For --brief. Another kernel, other instructions: products of matrices, solvers on them, sums, tails, and what ties.
KERNELS = (
    *_files(objectives="all", solvers="cells programs refinement scale solve_front support"),
    *_files(problems="gaussian_designs group_losses least_squares sparse_regression tables"),
    *_files(experiments="excess two_stage weighted", theorems="golden no_lattice transfer", oracle="all"),
    *_files(inference="binomial_tails kl one_mean target_bets", bounds="class_widths finite"),
    *_files(certification="certify certify_validity contrasts decisions pairs stream tail_tests"),
    *_files(pareto="attainment fronts hypervolume indicators"),
    "tests/test_rational.py",
)
# Old libraries: pyarrow, pandas and narwhals read, matplotlib draws, numba caches, and scipy, cvxpy, moocore and
# scikit-learn compute.
OLD = (
    *_files(evaluation="all", images="all", reprs="all", reports="run_parts pages table_texts", core="all"),
    *_files(plot="bounds face fronts", figures="figures", environments="kernel_cache"),
    *_files(runs="backends damaged_folders digests objects progress run_tools runs store versions"),
    *_files(solvers="programs search solve_front support", objectives="smooth", problems="datasets tables"),
    *_files(inference="binomial_tails kl one_mean", pareto="attainment hypervolume indicators"),
    *_files(certification="adapters certify", experiments="two_stage"),
    *(f"tests/test_cli{part}.py" for part in ("", "_certify", "_data", "_options", "_runs", "_side_files")),
)
# A new Python and new libraries: processes, signals, the console, serialization, and how objects are printed.
NEW = (
    *_files(core="all", environments="all", reprs="all", reports="run_parts", plot="fronts"),
    *_files(
        runs="backends digests objects pool progress runs store versions", evaluation="logs_formats tables_formats"
    ),
    *_files(solvers="programs solve_front", inference="kl", certification="adapters certify"),
    *(f"tests/test_cli{part}.py" for part in ("", "_certify", "_console", "_runs", "_signals")),
    *(f"src/moltheory/{room}" for room in ("certification", "experiments", "inference", "theorems")),
)


@dataclass(frozen=True)
class Configuration:
    """One row of the matrix; `keeps` are the names of numpy's instruction sets that stay on (None: all).

    `tests` are the paths that are run, all with ``--whole`` unless they are `all_there_is`; `brief` those with ``--brief``
    (None: all of `tests`; empty: the row is left out).
    """

    name: str
    python: str = "this"
    kernel: str | None = None
    threads: int = 1
    keeps: frozenset[str] | None = None
    environment: tuple[tuple[str, str], ...] = ()
    tests: tuple[str, ...] = _folders(ROOMS)
    brief: tuple[str, ...] | None = None
    options: tuple[str, ...] = ()
    all_there_is: bool = False


MATRIX = (
    Configuration("native", brief=KERNELS),
    Configuration("haswell", kernel="Haswell", threads=2, keeps=frozenset(AVX2), brief=KERNELS),
    # A third kernel where the processor's own is Haswell's; with --brief prescott stands for it, as it fuses nothing too.
    Configuration("sandybridge", kernel="Sandybridge", keeps=frozenset(AVX), brief=()),
    # Nothing beyond the oldest processor numpy runs on, in numba's code neither.
    Configuration(
        "prescott",
        kernel="Prescott",
        keeps=frozenset(),
        environment=(("NUMBA_CPU_NAME", "generic"),),
        brief=KERNELS,
    ),
    # On inputs that an interpreter can take; numpy's scalars warn where compiled code rounds in silence.
    Configuration(
        "interpreted",
        environment=(("NUMBA_DISABLE_JIT", "1"),),
        tests=(
            *("tests/inference/test_kl.py", "tests/inference/test_one_mean.py", "tests/bounds/test_complexity.py"),
            *(
                "tests/pareto/test_dominance.py",
                "tests/certification/test_stream.py",
                "tests/certification/test_pairs.py",
            ),
        ),
        # The kernels with most branches.
        brief=_files(inference="kl", pareto="dominance", certification="pairs"),
        options=(
            *("-W", "ignore::RuntimeWarning"),
            *("-k", "not at_the_limit and not all_orientations and not left_alone"),
        ),
        all_there_is=True,
    ),
    # Old releases use what newer ones of their own dependencies deprecate; their answers are what is tested.
    Configuration(
        "lowest",
        python="lowest",
        threads=2,
        tests=EVERYWHERE,
        brief=OLD,
        options=("-W", "ignore::DeprecationWarning"),
    ),
    Configuration("newest", python="newest", tests=EVERYWHERE, brief=NEW),
    # Built, installed where there is no clone, and used: see tests/wheel.py.
    Configuration("wheel", python="wheel", tests=(), all_there_is=True),
)


class NotHere(Exception):
    """A configuration that means nothing on this machine, and why."""


def interpreter(kind: str) -> Path:
    """Return the Python of an environment, which is made where it is missing or older than pyproject.toml."""
    if kind == "this":
        return Path(sys.executable)
    folder = ROOT / f".venv-{kind}"
    stamp, python = folder / ".installed-dev", folder / "bin" / "python"
    if stamp.exists() and stamp.stat().st_mtime > (ROOT / "pyproject.toml").stat().st_mtime:
        return python
    lowest = ("--resolution", "lowest-direct") if kind == "lowest" else ()
    for found in _pythons([11] if kind == "lowest" else range(20, sys.version_info.minor, -1)):
        uv = [sys.executable, "-m", "uv", "--quiet"]
        subprocess.run([*uv, "venv", "--clear", "--python", found, str(folder)], check=True)
        # From wheels, all but this package: whoever compiles numpy measures the compiler.
        wheels = ("--only-binary", ":all:", "--no-binary", "moltheory")
        install = [*uv, "pip", "install", "--python", str(python), *wheels, *lowest, "-e", ".[dev]"]
        done = subprocess.run(install, cwd=ROOT, capture_output=True, text=True)
        if done.returncode == 0:
            stamp.touch()
            return python
        if kind == "lowest":
            raise RuntimeError(done.stderr)
        print(f"  {found} is passed over: {' '.join(done.stderr.split())[:300]}")
    version = "3.11" if kind == "lowest" else f"newer than 3.{sys.version_info.minor}"
    raise NotHere(f"no Python {version} with wheels of all dependencies was found")


def _pythons(minors: Iterable[int]) -> Iterator[str]:
    """Yield those Pythons that start, this one and all on the PATH; some names there are of absent versions."""
    for minor in minors:
        check = f"import sys; sys.exit(sys.version_info[:2] != (3, {minor}))"
        for path in [sys.executable, *(f"{folder}/python3.{minor}" for folder in os.get_exec_path())]:
            if shutil.which(path) and subprocess.run([path, "-c", check], capture_output=True).returncode == 0:
                yield path


def environment(configuration: Configuration, python: Path) -> dict[str, str]:
    """Return the variables of a configuration; NotHere if they change nothing on this machine."""
    variables = {name: value for name, value in os.environ.items() if name not in SET}
    if configuration.python != "this":
        # Caches of compiled kernels are not safe between versions of numba.
        variables["NUMBA_CACHE_DIR"] = str(python.parents[1] / "numba")
    blas, features = _probe(python, variables) or ({}, [])
    variables |= {"OPENBLAS_NUM_THREADS": str(configuration.threads), **dict(configuration.environment)}
    if configuration.keeps is not None:
        off = [name for name in features if name not in configuration.keeps]
        if not off:
            raise NotHere("numpy uses no instructions here that could be switched off")
        variables["NPY_DISABLE_CPU_FEATURES"] = " ".join(off)
    if configuration.kernel is not None:
        variables["OPENBLAS_CORETYPE"] = configuration.kernel
        there = _probe(python, variables)
        if there is None or there[0]["numpy"] == blas.get("numpy"):
            raise NotHere(f"OPENBLAS_CORETYPE={configuration.kernel} selects no other kernel than {blas}")
        blas = there[0]
    print(f"  {python} {' '.join(f'{name}={variables[name]!r}' for name in SET if name in variables)} {blas}")
    return variables


def _probe(python: Path, variables: dict[str, str]) -> tuple[dict[str, str], list[str]] | None:
    done = subprocess.run([str(python), "-c", PROBE], cwd=ROOT, env=variables, capture_output=True, text=True)
    if done.returncode > 0:
        raise RuntimeError(done.stderr)
    return None if done.returncode else tuple(json.loads(done.stdout))


def run(configuration: Configuration, *, extent: str = "", processes: int = 2) -> bool:
    """Run one configuration and say in one line how it went; return whether nothing failed."""
    start = time.perf_counter()
    if extent == "brief" and configuration.brief == ():
        print(f"{configuration.name:<12} is left out with --brief", flush=True)
        return True
    print(f"{configuration.name}:", flush=True)
    if configuration.python == "wheel":
        wrong = check_wheel(ROOT / ".venv-wheel")
        print(*wrong, f"wheel        {len(wrong)} faults in {time.perf_counter() - start:.0f} s", sep="\n", flush=True)
        return not wrong
    try:
        python = interpreter(configuration.python)
        variables = environment(configuration, python)
    except NotHere as reason:
        print(f"{configuration.name:<12} does not apply: {reason}", flush=True)
        return True
    command = [str(python), "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider"]
    command += ["-n", str(processes), "--dist=loadscope"] if processes > 1 else []
    tests = configuration.tests
    if extent == "whole" and not configuration.all_there_is:
        tests = ()
    elif extent == "brief" and configuration.brief is not None:
        tests = configuration.brief
    command += [*configuration.options, *tests]
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)
    if done.returncode:
        print(done.stdout, done.stderr)
    counts = re.findall(r"\d+ (?:passed|failed|errors?|skipped)", (done.stdout.splitlines() or [""])[-1])
    verdict = ", ".join(counts) or f"pytest ended with status {done.returncode}"
    print(f"{configuration.name:<12} {verdict} in {time.perf_counter() - start:.0f} s", flush=True)
    return done.returncode == 0


def main() -> int:
    """Run the matrix, or the named rows; return 1 if a test failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--list", action="store_true", help="print the configurations and run nothing")
    names = [configuration.name for configuration in MATRIX]
    parser.add_argument("--only", action="append", choices=names, help="run this one; may be repeated")
    parser.add_argument(
        "--without", action="append", choices=names, default=[], help="leave this one out; may be repeated"
    )
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument("--whole", action="store_true", help="the whole fast suite in each row that can run it")
    extent.add_argument(
        "--brief", action="store_true", help="what each row is most likely to reach: .ci/run, 9 minutes"
    )
    parser.add_argument("--processes", type=int, default=2, help="how many processes run a row's tests (default 2)")
    arguments = parser.parse_args()
    wanted = set(arguments.only or names) - set(arguments.without)
    chosen = [configuration for configuration in MATRIX if configuration.name in wanted]
    if arguments.list:
        for configuration in chosen:
            print(configuration)
        return 0
    kind = "whole" if arguments.whole else "brief" if arguments.brief else ""
    passed = [run(configuration, extent=kind, processes=arguments.processes) for configuration in chosen]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
