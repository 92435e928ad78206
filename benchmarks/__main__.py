"""Run the benchmarks, one after the other: `python -m benchmarks [--quick] [--only NAME ...] [--list] [--out FOLDER]`."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import time
import traceback
import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from . import _page, _record
from ._processor import ROOT, conditions, kind_of_processor, load, versions
from ._protocol import Benchmark, Budget, processor_time

RESULTS = Path(__file__).parent / "results"
# In this order: what others lean on first, what takes hours last.
NAMES = (
    *("startup", "dominance", "intervals", "complexity", "theorems", "model_zoo", "smoothing", "solver_scan"),
    *("least_squares", "solvers", "certify", "limits", "race", "stream", "plans"),
    *("studies", "growth", "certify_power", "peers"),
)
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
_STATE = ".unfinished.json"


def benchmark_of(name: str) -> Benchmark:
    """Return a benchmark by its name."""
    found: Benchmark = importlib.import_module(f"benchmarks.{name}").BENCHMARK
    return found


def missing_peers(benchmark: Benchmark) -> list[str]:
    """Return the peers that are not installed here."""
    found = []
    for name in benchmark.peers:
        try:
            version(name)
        except PackageNotFoundError:
            found.append(name)
    return found


def chosen(only: list[str] | None) -> dict[str, list[str]]:
    """Return the parts to run of each benchmark, from names such as "certify" and "certify/speed"."""
    asked = [text.partition("/") for text in only or NAMES]
    unknown = [name for name, _, _ in asked if name not in NAMES]
    if unknown:
        raise SystemExit(f"`--only` must name benchmarks, got {unknown[0]!r}: take one of {', '.join(NAMES)}")
    found: dict[str, list[str]] = {}
    for name in NAMES:
        if not any(one[0] == name for one in asked):
            continue
        try:
            parts = list(benchmark_of(name).parts)
        except Exception:  # it fails again where it runs, and is reported there
            found[name] = []
            continue
        wanted = [part for one, slash, part in asked if one == name and slash]
        wrong = [part for part in wanted if part not in parts]
        if wrong:
            raise SystemExit(f"{name} has no part {wrong[0]!r}: take one of {', '.join(parts)}")
        found[name] = parts if (name, "", "") in asked else wanted
    return found


def run_here(name: str, parts: list[str], folder: Path, budget: Budget) -> int:
    """Measure parts in this process; keep each at once. Return how many failed."""
    warnings.simplefilter("ignore")  # few examples, many ties: what is warned of is what is measured
    benchmark, failed = benchmark_of(name), 0
    for peer in missing_peers(benchmark):
        print(f"{name}: {peer} is not installed, so not compared ({_install()})", flush=True)
    for part in parts:
        before = load()
        print(f"{name}/{part} ...", flush=True)
        start, used = time.perf_counter(), processor_time()
        try:
            found = benchmark.parts[part](budget).as_json()
        except Exception:
            traceback.print_exc()
            failed += 1
            continue
        wall, cpu = time.perf_counter() - start, processor_time() - used
        ran_on = conditions(benchmark.peers, before) | {"wall": round(wall, 1), "cpu": round(cpu, 1)}
        record = _record.read(folder, name)
        kept = record["parts"] if record.get("budget") == budget.name else {}
        key = f"{part} @ {ran_on['kind']}" if part in benchmark.by_processor else part
        kept[key] = {"conditions": ran_on} | found
        data = {one: kept[one]["data"] for one in benchmark.parts if one in kept}
        if benchmark.summary and all(data.get(one) is not None for one in benchmark.parts):
            whole = benchmark.summary(data)
            kept["summary"] = {"conditions": ran_on} | whole.as_json()
            for file, content in whole.files.items():
                (folder / file).write_bytes(content)
        _record.write(folder, benchmark, kept, budget.name)
        _mark_done(folder, f"{name}/{part}", budget)
        print(f"{name}/{part}: {wall:.1f} s", flush=True)
    return failed


def _done(folder: Path, budget: Budget) -> list[str]:
    """Return what an unfinished run has measured, under the same budget, versions and processor."""
    path = folder / _STATE
    state = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return list(state["done"]) if state.get("of") == _fingerprint(budget) else []


def _mark_done(folder: Path, key: str, budget: Budget) -> None:
    state = {"of": _fingerprint(budget), "done": [*_done(folder, budget), key]}
    (folder / _STATE).write_text(json.dumps(state), encoding="utf-8")


def _fingerprint(budget: Budget) -> str:
    return f"{budget.name}, {versions()}, {kind_of_processor()}"


def run_all(work: dict[str, list[str]], folder: Path, budget: Budget) -> int:
    """Give each benchmark a process of its own; return 1 if a part of one failed."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, **dict.fromkeys(_THREADS, "1")}
    failed = []
    for name, parts in work.items():
        done = _done(folder, budget)
        left = [part for part in parts if f"{name}/{part}" not in done]
        if len(left) < len(parts):
            print(f"{name}: {len(parts) - len(left)} of {len(parts)} parts are kept from the run before", flush=True)
        if parts and not left:
            continue
        asked = json.dumps([name, left, str(folder), budget.name])
        command = [sys.executable, "-m", "benchmarks", "--here", asked]
        if subprocess.run(command, env=environment, cwd=ROOT, check=False).returncode:
            failed.append(name)
            print(f"{name} FAILED, see above; the others go on", flush=True)
    if failed:
        print(f"failed: {', '.join(failed)}; the same command runs only what is left")
        return 1
    (folder / _STATE).unlink(missing_ok=True)
    print(f"all measured, in {folder}")
    return 0


def _install() -> str:
    return 'pip install -e ".[peers]"'


def listed() -> str:
    """Return one paragraph for each benchmark."""
    lines = []
    for name in NAMES:
        benchmark = benchmark_of(name)
        missing = missing_peers(benchmark)
        peers = ", ".join(f"{peer} (missing)" if peer in missing else peer for peer in benchmark.peers) or "none"
        full, quick = benchmark.seconds
        lines.append(f"{name}: {benchmark.compares}")
        lines.append(f"    parts: {'; '.join(benchmark.parts)}")
        lines.append(f"    peers: {peers}; about {full:,g} s, with --quick {quick:g} s")
    total = [sum(benchmark_of(name).seconds[k] for name in NAMES) / 60 for k in (0, 1)]
    lines.append(f"all: about {total[0]:.0f} minutes, with --quick {total[1]:.1f} minutes, on one core")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes: a look in minutes, no result")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes: does everything run?")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="benchmarks, or parts such as certify/speed")
    parser.add_argument("--list", action="store_true", help="say what there is, and run nothing")
    parser.add_argument(
        "--page", action="store_true", help="write docs/benchmarks.md from the results, and run nothing"
    )
    parser.add_argument("--out", type=Path, help="folder of the results; benchmarks/results, or build/... with --quick")
    parser.add_argument("--here", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.here:
        name, parts, folder, budget_name = json.loads(options.here)
        return int(run_here(name, parts, Path(folder), Budget(budget_name)) > 0)
    if options.list:
        print(listed())
        return 0
    if options.page:
        _page.PAGE.write_text(page_of(options.out or RESULTS), encoding="utf-8")
        return 0
    budget = Budget("smoke" if options.smoke else "quick" if options.quick else "full")
    if budget.name != "full" and options.out and options.out.resolve() == RESULTS:
        parser.error("`--out` must be another folder with --quick: the results there are those of full runs")
    folder = options.out or (RESULTS if budget.name == "full" else ROOT / "build" / f"benchmarks-{budget.name}")
    return run_all(chosen(options.only), folder.resolve(), budget)


def page_of(folder: Path) -> str:
    """Return the page of the documentation from the records in a folder."""
    records = {name: _record.read(folder, name) for name in NAMES}
    return _page.page(records, sum(benchmark_of(name).seconds[0] for name in NAMES))


if __name__ == "__main__":
    sys.exit(main())
