"""`mt.certify`: speed beside plain matrix products, memory, and what pairing buys over boxes and bootstrap fronts.

Usage: python benchmarks/certify.py [--speed] [--quick] [--write]

Speed and peak memory are taken in processes of their own, with 0/1 losses, and losses between, of 200 models in 3
objectives on up to 2 x 10^5 examples; shortest processor time of several calls, to which other programs add least. The
yardstick is three plain float32 products 200 x n by n x 200 plus one read of the data. Power and failure rates come
from simulated worlds with known truth (tests/certification/_worlds.py). `--speed` takes the first only, `--quick` a
tenth of the examples and of the runs; `--write` also writes the tables to results/certify.md, those of speed under the
kind of processor. `_processor.py` tells how to emulate another.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from _processor import kind_of_processor, run_on, write_sections

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results" / "certify.md"
MODELS, OBJECTIVES = 200, 3
_DTYPES = {"bool": np.bool_, "float32": np.float32}


def seconds(function: Callable[[], Any], repeats: int) -> float:
    """Return the shortest processor time of a call, after one that may compile."""
    function()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


def losses_of(n: int, dtype: str) -> Any:
    """Draw losses (n, 200, 3), 0 or 1 or "between", some of them missing where the type says so."""
    rng = np.random.default_rng(1)
    losses: Any = np.empty((n, MODELS, OBJECTIVES), _DTYPES[dtype.partition(",")[0]])
    rates = rng.uniform(0.1, 0.3, (MODELS, OBJECTIVES)).astype(np.float32)
    for start in range(0, n, 1000):
        part = losses[start : start + 1000]
        drawn = rng.random((len(part), MODELS, OBJECTIVES), dtype=np.float32)
        if "between" in dtype:  # hard examples are hard for all
            part[:] = 0.5 * drawn * (1.0 + rates) * 0.7 + 0.5 * rng.random((len(part), 1, 1), dtype=np.float32)
        else:
            part[:] = drawn < rates
        if "missing" in dtype:
            part[rng.random(part.shape, dtype=np.float32) < 0.1] = np.nan
    return losses


def one_speed(n: int, dtype: str, repeats: int) -> dict[str, float]:
    """Time certify and the yardstick in this process, and its peak memory over the input's."""
    import moltheory as mt
    from moltheory.inference import _pairs

    # Load everything once, compiled kernels too, so that memory is that of the data.
    usual, _pairs._COMPILE_FROM = _pairs._COMPILE_FROM, 0
    for dtype_of_all in _DTYPES.values():
        mt.certify((np.eye(8)[:, :4, None] > 0.5).astype(dtype_of_all))
    mt.certify(0.5 * np.eye(8)[:, :4, None])
    _pairs._COMPILE_FROM = usual
    losses = losses_of(n, dtype)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    start = time.process_time()
    mt.certify(losses)
    first = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    took = seconds(lambda: mt.certify(losses), repeats)
    whole, columns = losses.nbytes, np.ascontiguousarray(losses[:, :, 0], dtype=np.float32)
    read = seconds(lambda: losses.view(np.uint8).max(), repeats)
    rows = np.ascontiguousarray(columns.T)
    product = seconds(lambda: rows @ columns, repeats)
    more = max(peak - before, 0)
    return {"first": first, "certify": took, "yardstick": 3 * product + read, "extra": more / whole, "bytes": whole}


def speed(quick: bool) -> Iterator[str]:
    """Yield the table of speed and memory."""
    yield f"{run_on()}. Shortest processor times of 5 calls, one thread."
    yield ""
    yield "| losses | examples | certify, s | first call, s | 3 products + read, s | ratio | µs per example | peak / input |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    shrink = 10 if quick else 1
    cases = [(n // shrink, "bool") for n in (25_000, 50_000, 100_000, 200_000)]
    cases += [(100_000 // shrink, f"float32{more}") for more in ("", ", 10 % missing", ", between 0 and 1")]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    for n, dtype in cases:
        command = [sys.executable, __file__, "--one", json.dumps([n, dtype, 3 if quick else 5])]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)
        took, base = found["certify"], found["yardstick"]
        yield (
            f"| {dtype} | {n} | {took:.2f} | {found['first']:.2f} | {base:.2f} | {took / base:.2f} | "
            f"{1e6 * took / n:.1f} | {1 + found['extra']:.2f} |"
        )
    yield ""
    yield (
        "Targets: ratio at most 8, time linear in the examples, at most 5 s for 100000, peak at most "
        "2 x the input (input included)."
    )


def power(quick: bool) -> Iterator[str]:
    """Yield the tables of settled models and of false verdicts."""
    from tests.certification._worlds import METHODS, study

    runs = 5 if quick else 20
    yield f"{run_on()}."
    yield ""
    yield f"1000 examples, delta = 0.05, {runs} worlds per row; each cell: mean share of settled models, runs gone wrong."
    yield ""
    yield "| world | models | objectives | " + " | ".join(METHODS) + " |"
    yield "| --- | --- | --- |" + " --- |" * len(METHODS)
    for kind in ("ties", "near ties", "trade-off", "independent", "clusters"):
        for models, m in ((10, 2), (50, 2), (50, 3)):
            found = study(kind, models=models, m=m, n=1000, runs=runs, seed=1, delta=0.05, methods=METHODS)
            cells = [f"{100 * o.settled:.0f} %, {100 * o.failures / runs:.0f} % wrong" for o in found.values()]
            yield f"| {kind} | {models} | {m} | " + " | ".join(cells) + " |"
    yield ""
    yield (
        "Bootstrap: on the front in at least 95 % of 200 resamples, or in at most 5 %. It promises nothing, and it "
        "shows. Hoeffding boxes and bootstrap ignore clusters."
    )


def saved(quick: bool) -> Iterator[str]:
    """Yield the table of examples that pairing saves."""
    from tests.certification._worlds import METHODS, study

    runs = 2 if quick else 6
    sizes = [250 * 2**k for k in range(6 if quick else 9)]
    yield f"{run_on()}."
    yield ""
    yield (
        "Examples until the share of models is settled, interpolated between doublings; 20 models, 2 objectives; "
        "times fewer than either box."
    )
    yield ""
    yield "| world | settled | certify | boxes, Clopper-Pearson | boxes, Hoeffding | times fewer | times fewer |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    methods = {name: METHODS[name] for name in list(METHODS)[:3]}
    for kind in ("trade-off", "independent"):
        curves: dict[str, list[float]] = {name: [] for name in methods}
        for n in sizes:
            found = study(kind, models=20, m=2, n=n, runs=runs, seed=3, delta=0.05, methods=methods)
            for name, outcome in found.items():
                curves[name].append(outcome.settled)
        for share in (0.5, 0.8):
            need = [crossing(sizes, curve, share) for curve in curves.values()]
            cells = [f"{n:.0f}" if np.isfinite(n) else f"> {sizes[-1]}" for n in need]
            factors = [
                f"{n / need[0]:.1f}"
                if np.isfinite(n)
                else f"> {sizes[-1] / need[0]:.1f}"
                if np.isfinite(need[0])
                else "?"
                for n in need[1:]
            ]
            yield f"| {kind} | {100 * share:.0f} % | " + " | ".join(cells + factors) + " |"


def crossing(sizes: list[int], curve: list[float], share: float) -> float:
    """Return the number of examples at which the curve first reaches a share, log-linear between the sizes."""
    for k, value in enumerate(curve):
        if value >= share:
            if k == 0:
                return float(sizes[0])
            part = (share - curve[k - 1]) / (value - curve[k - 1])
            return float(sizes[k - 1] * (sizes[k] / sizes[k - 1]) ** part)
    return float("inf")


def main() -> None:
    """Print the tables, and write them if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the examples and of the runs")
    parser.add_argument("--write", action="store_true", help=f"also write {RESULTS.name}")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--speed", action="store_true", help="speed and memory only")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one_speed(*json.loads(options.one))))
        return
    sys.path.insert(0, str(ROOT))
    parts = {f"Speed and memory, processor {kind_of_processor()}": speed}
    if not options.speed:
        parts |= {"Settled models, and runs with a false verdict": power, "Examples saved by pairing": saved}
    found: dict[str, list[str]] = {}
    for heading, part in parts.items():
        print(f"## {heading}\n", flush=True)
        lines = found.setdefault(heading, [])
        for line in part(options.quick):
            print(line, flush=True)
            lines.append(line)
        print()
    if options.write:
        write_sections(RESULTS, "`mt.certify`", found)


if __name__ == "__main__":
    main()
