"""How long the case studies take: training at once over seeds, deep recursive features, and whole studies.

Run ``python benchmarks/studies.py`` from the root of the repository; ``--full`` takes the full studies on digits too (half
an hour), ``--write`` keeps the tables.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
import time
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from moltheory.reports import Settings
from moltheory.studies import get_study, run_study
from moltheory.studies.gradient_outer_product import digit_split, recursive_features
from moltheory.studies.low_rank_bias import Cell, trained_networks
from moltheory.studies.low_rank_bias._experiment import FACTOR, WIDTH

_STUDIES = (
    "unconstrained-features",
    "low-rank-bias",
    "weight-decay",
    "average-gradient-outer-product",
    "smoothing",
    "fully-connected",
)
_SEEDS = 10


def _training() -> list[str]:
    """Ten classes, four layers, width 30, ten seeds, with the steps of the full study."""
    rows = []
    cells = {
        "gradient descent, 20,000 steps, all seeds at once": (Cell(0, FACTOR, WIDTH, 0, _SEEDS, 20_000),),
        "L-BFGS, 2500 iterations": tuple(Cell(1, FACTOR, WIDTH, seed, 1, 2500) for seed in range(_SEEDS)),
    }
    for name, work in cells.items():
        start = time.perf_counter()
        found = trained_networks(work, settings=Settings(n_jobs=2))
        seconds = time.perf_counter() - start
        below = int((found["end"] == "below").sum())
        rows.append(f"| {name} | {seconds:.1f} | {below} of {len(found)} |")
    return rows


def _recursion() -> list[str]:
    """One seed at a time, with one thread as in the study."""
    rows = []
    for feature_map in ("relu", "fourier"):
        seconds = []
        for seed in range(3):
            split = digit_split(0, seed, 1000, 500)
            start = time.perf_counter()
            with threadpool_limits(limits=1):
                recursive_features(*split, depth=8, width=512, feature_map=feature_map, rng=seed)
            seconds.append(time.perf_counter() - start)
        rows.append(f"| {feature_map} | {np.median(seconds):.2f} |")
    return rows


def _study(name: str, *, quick: bool) -> str:
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        run_study(get_study(name), folder, settings=Settings(quick=quick, n_jobs=2))
        seconds = time.perf_counter() - start
    return f"| {name} | {'quick' if quick else 'full'} | {seconds:.1f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="the full studies too")
    parser.add_argument("--write", action="store_true", help="write benchmarks/results/studies.md")
    options = parser.parse_args()
    lines = [
        f"# Case studies\n\nPython {platform.python_version()}, numpy {np.__version__}; two processes; other programs ran "
        "on the same machine.\n",
        f"## Ten classes, four layers, width {WIDTH}, {_SEEDS} seeds\n",
        "| method | s | seeds below collapse |",
        "| --- | --- | --- |",
        *_training(),
        "\nTarget: less than 240 s in all.\n",
        "## Deep recursive features: 1,000 digits, 8 layers, width 512\n",
        "| features | s per seed |",
        "| --- | --- |",
        *_recursion(),
        "\nTarget: less than 5 s.\n",
        "## Whole studies\n",
        "| study | budget | s |",
        "| --- | --- | --- |",
        *(_study(name, quick=True) for name in _STUDIES),
        *(_study(name, quick=False) for name in _STUDIES if options.full),
        "\nTargets: quick in less than 30 s, full in less than 900 s; full runs on real images are in docs/studies.md.\n",
    ]
    print("\n".join(lines))
    if options.write:
        results = Path(__file__).parent / "results"
        results.mkdir(exist_ok=True)
        (results / "studies.md").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
