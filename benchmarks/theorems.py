"""Checking every statement over all samples, beside enumerating the samples once.

Run ``python benchmarks/theorems.py`` from the root of the repository; ``--write`` keeps the table.
"""

from __future__ import annotations

import argparse
import platform
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from moltheory.problems import reference_world
from moltheory.theorems import check_all


def _seconds(function: Callable[[], object]) -> float:
    start = time.process_time()
    function()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="n = 60 instead of 200")
    parser.add_argument("--write", action="store_true", help="write benchmarks/results/theorems.md")
    options = parser.parse_args()
    world, n = reference_world(), 60 if options.quick else 200
    oracle = world.exact(n)
    check_all(world, n=10)  # compiles and imports what both need
    once = [_seconds(lambda: oracle.probability(lambda risks: np.ones(len(risks), bool))) for _ in range(5)]
    every = [_seconds(lambda: check_all(world, n=n)) for _ in range(3)]
    first, all_ = statistics.median(once), statistics.median(every)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if platform.system() == "Darwin" else 1e3)
    lines = [
        f"# Theorems\n\nPython {platform.python_version()}, processor time, medians; reference world, n = {n}, "
        f"{oracle.n_types:,} sample types.\n",
        "| job | seconds | times once |",
        "| --- | --- | --- |",
        f"| enumerate all types once | {first:.2f} | 1 |",
        f"| check every statement | {all_:.2f} | {all_ / first:.1f} |",
        f"\nTarget: at most 20. Peak memory of the process: {memory:.0f} MB.\n",
    ]
    print("\n".join(lines))
    if options.write:
        results = Path(__file__).parent / "results"
        results.mkdir(exist_ok=True)
        (results / "theorems.md").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
