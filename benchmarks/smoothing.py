"""Certifying points of input-dependent smoothing from counts, and the sweep over digits.

Run ``python benchmarks/smoothing.py`` from the root of the repository; ``--write`` keeps the table.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import time
from pathlib import Path

import numpy as np

from moltheory.reports import Settings
from moltheory.studies.smoothing import certified_votes, smoothed_sweep
from moltheory.studies.smoothing._study import FULL, QUICK


def _cpu() -> float:
    """Processor time of this process and of those that ended."""
    return sum(
        used.ru_utime + used.ru_stime
        for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def _certify(rate: float, points: int = 1000) -> float:
    rng = np.random.default_rng(0)
    votes = rng.binomial(10_000, rng.beta(8.0, 0.5, points))
    counts = np.stack([votes, 10_000 - votes], axis=1)
    sigma = rng.uniform(0.1, 1.0, points)
    start = time.process_time()
    certified_votes(counts, guess=np.zeros(points, dtype=np.int64), sigma=sigma, rate=rate, dimension=3072)
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the quick budget of the study")
    parser.add_argument("--write", action="store_true", help="write benchmarks/results/smoothing.md")
    options = parser.parse_args()
    _certify(0.01, 10)
    certified = {rate: _certify(rate) for rate in (0.0, 1e-6, 0.01, 0.1)}
    budget = QUICK if options.quick else FULL
    start, used = time.perf_counter(), _cpu()
    # One process, so that all processor time is seen.
    sweep = smoothed_sweep(budget, Settings(quick=options.quick))
    wall, cpu = time.perf_counter() - start, _cpu() - used
    votes = budget.networks * len(sweep.designs) * len(sweep.labels) * (budget.guesses + budget.sizes[-1])
    lines = [
        f"# Input-dependent smoothing\n\nPython {platform.python_version()}, one process; processor time in seconds.\n",
        "| job | seconds | target |",
        "| --- | --- | --- |",
        *(
            f"| certify 1,000 points from counts, N = 3072, rate {rate:g} | {seconds:.2f} | 5 |"
            for rate, seconds in certified.items()
        ),
        f"| digits, {len(sweep.designs)} designs, {votes:,} votes | {cpu:.0f} | 360 (3 minutes on 2 cores) |",
        f"\nThe sweep took {wall:.0f} s of wall time in one process at a load of {os.getloadavg()[0]:.1f}.\n",
    ]
    print("\n".join(lines))
    if options.write:
        results = Path(__file__).parent / "results"
        results.mkdir(exist_ok=True)
        (results / "smoothing.md").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
