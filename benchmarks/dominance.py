"""Non-dominated rows: moltheory beside moocore, in one process, on the same arrays.

Usage: python benchmarks/dominance.py [--quick] [--write]

Every case first checks that both give the same answer, then times them in turn and reports medians. `--quick`
takes a tenth of the points; `--write` also writes the table, with versions, to results/dominance.md.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import moocore
import numpy as np
import numpy.typing as npt

from moltheory.pareto import nondominated

Array = npt.NDArray[Any]
RESULTS = Path(__file__).parent / "results" / "dominance.md"


@dataclass(frozen=True)
class Case:
    """One comparison, and the speed-up over moocore that it must reach."""

    name: str
    points: Array
    target: float
    repeats: int


def on_the_sphere(n: int, m: int, rng: np.random.Generator) -> Array:
    """Return n mutually non-dominated points."""
    points = np.abs(rng.normal(size=(n, m)))
    return 2.0 - points / np.linalg.norm(points, axis=1, keepdims=True)


def counts(points: Array, n: int, dtype: type) -> Array:
    """Return error counts out of n for risks in [0, 1]."""
    return np.floor(points * n).astype(dtype)


def cases(quick: bool) -> Iterator[Case]:
    """Yield the cases one by one, so that only one large array lives at a time."""
    rng = np.random.default_rng(0)
    sets, many = (200, 10**6) if quick else (2_000, 10**7)
    batch = rng.random((sets, 2_000, 2))
    yield Case("batch, uniform float64", batch, 15, 5)
    yield Case("batch, counts of 1,000, int16", counts(batch, 1_000, np.int16), 15, 5)
    yield Case("batch, counts of 100,000, int32", counts(batch, 100_000, np.int32), 15, 5)
    yield Case("batch, m = 3, uniform float64", rng.random((sets, 500, 3)), 1, 5)
    batch[..., 1] = 1.0 - batch[..., 0]
    yield Case("batch, all on the front", batch, 0.8, 3)
    del batch
    large = rng.random((many, 2))
    yield Case("one set, uniform float64", large, 20, 3)
    yield Case("one set, counts of 10,000, int16", counts(large, 10_000, np.int16), 20, 3)
    yield Case("one set, counts of 1,000,000, int32", counts(large, 1_000_000, np.int32), 20, 3)
    large[:, 1] = 0.9 * large[:, 0] + 0.1 * large[:, 1]
    yield Case("one set, correlated float64", large, 20, 3)
    large[:, 1] = 1.0 - large[:, 1]
    yield Case("one set, anticorrelated float64", large, 1, 3)
    del large
    for n, m in ((5_000, 2), (20_000, 2), (100_000, 2), (5_000, 3), (20_000, 3), (5_000, 5), (20_000, 5)):
        yield Case(f"one set, all on the front, m = {m}", on_the_sphere(n, m, rng), 0.8, 9)


def by_moocore(points: Array) -> Array:
    """Return what a user of moocore would write."""
    if points.ndim == 2:
        return np.asarray(moocore.is_nondominated(points, keep_weakly=True))
    return np.stack([moocore.is_nondominated(rows, keep_weakly=True) for rows in points])


def seconds(function: Callable[[Array], Array], points: Array) -> float:
    """Return the time of one call."""
    start = time.perf_counter()
    function(points)
    return time.perf_counter() - start


def measure(case: Case) -> str:
    """Check one case and return its row of the table."""
    ours, theirs = nondominated(case.points), by_moocore(case.points)
    if not np.array_equal(ours, theirs):
        raise SystemExit(f"{case.name}: the answers differ")
    times = [(seconds(nondominated, case.points), seconds(by_moocore, case.points)) for _ in range(case.repeats)]
    mine, reference = (statistics.median(column) for column in zip(*times, strict=True))
    tracemalloc.start()
    nondominated(case.points)
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    shape = " x ".join(f"{size:,}" for size in case.points.shape)
    verdict = "yes" if reference / mine >= case.target else "no"
    return (
        f"| {case.name} | {shape} | {ours.mean():.2g} | {mine * 1e3:.2f} | {reference * 1e3:.2f} "
        f"| {reference / mine:.2f} | {case.target:g} | {verdict} | {peak:.1f} |"
    )


def table(quick: bool) -> Iterator[str]:
    """Yield the lines of the report."""
    names = ("numpy", "numba", "moocore")
    found = ", ".join(f"{name} {version(name)}" for name in names)
    yield f"Python {platform.python_version()}, {found}; {platform.machine()}; medians, one thread."
    yield ""
    yield "| case | shape | front | moltheory ms | moocore ms | speed-up | target | met | peak MB over input |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for case in cases(quick):
        yield measure(case)


def main() -> None:
    """Print the table, and write it if asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the points")
    parser.add_argument("--write", action="store_true", help=f"also write {RESULTS.name}")
    options = parser.parse_args()
    lines = []
    for line in table(options.quick):
        print(line, flush=True)
        lines.append(line)
    if options.write:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text("# Dominance\n\n" + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
