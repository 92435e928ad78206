"""Non-dominated rows: moltheory beside moocore, in one process, on the same arrays.

Every case first checks that both give the same answer, then times them in turn.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import moocore
import numpy as np
import numpy.typing as npt

from moltheory.pareto import nondominated

from ._protocol import Benchmark, Budget, Main, Part, Table, compared, times_in_turn

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Case:
    """One comparison, and the speed-up over moocore that it must reach."""

    name: str
    points: Array
    target: float
    rounds: int


def on_the_sphere(n: int, m: int, rng: np.random.Generator) -> Array:
    """Return n mutually non-dominated points."""
    points = np.abs(rng.normal(size=(n, m)))
    return 2.0 - points / np.linalg.norm(points, axis=1, keepdims=True)


def counts(points: Array, n: int, dtype: type) -> Array:
    """Return error counts out of n for risks in [0, 1]."""
    return np.floor(points * n).astype(dtype)


def batches(budget: Budget) -> Iterator[Case]:
    """Yield the cases one by one, so that only one large array lives at a time."""
    rng, sets = np.random.default_rng(0), budget.pick(2_000, 200, 20)
    batch = rng.random((sets, 2_000, 2))
    yield Case("batch, uniform float64", batch, 15, 5)
    yield Case("batch, counts of 1,000, int16", counts(batch, 1_000, np.int16), 15, 5)
    yield Case("batch, counts of 100,000, int32", counts(batch, 100_000, np.int32), 15, 5)
    yield Case("batch, m = 3, uniform float64", rng.random((sets, 500, 3)), 1, 5)
    batch[..., 1] = 1.0 - batch[..., 0]
    yield Case("batch, all on the front", batch, 0.8, 5)


def large_sets(budget: Budget) -> Iterator[Case]:
    many = budget.pick(10**7, 10**6, 10**5)
    large = np.random.default_rng(0).random((many, 2))
    yield Case("one set, uniform float64", large, 20, 3)
    yield Case("one set, counts of 10,000, int16", counts(large, 10_000, np.int16), 20, 3)
    yield Case("one set, counts of 1,000,000, int32", counts(large, 1_000_000, np.int32), 20, 3)
    large[:, 1] = 0.9 * large[:, 0] + 0.1 * large[:, 1]
    yield Case("one set, correlated float64", large, 20, 3)
    large[:, 1] = 1.0 - large[:, 1]
    yield Case("one set, anticorrelated float64", large, 1, 3)


def fronts(budget: Budget) -> Iterator[Case]:
    rng = np.random.default_rng(0)
    for n, m in ((5_000, 2), (20_000, 2), (100_000, 2), (5_000, 3), (20_000, 3), (5_000, 5), (20_000, 5)):
        yield Case(f"one set, all on the front, m = {m}", on_the_sphere(n // budget.pick(1, 1, 10), m, rng), 0.8, 9)


def by_moocore(points: Array) -> Array:
    """Return what a user of moocore would write."""
    if points.ndim == 2:
        return np.asarray(moocore.is_nondominated(points, keep_weakly=True))
    return np.stack([moocore.is_nondominated(rows, keep_weakly=True) for rows in points])


def measured(cases: Iterator[Case]) -> Part:
    """Check each case and time it."""
    rows, main = [], []
    for case in cases:
        ways = {"moltheory": lambda p=case.points: nondominated(p), "moocore": lambda p=case.points: by_moocore(p)}
        times, answers = times_in_turn(ways, case.rounds)
        if not np.array_equal(answers["moltheory"], answers["moocore"]):
            raise ValueError(f"{case.name}: the answers differ")
        tracemalloc.start()
        nondominated(case.points)
        peak = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
        ours, theirs = times["moltheory"], times["moocore"]
        shape = " x ".join(f"{size:,}" for size in case.points.shape)
        met = "yes" if theirs.median / ours.median >= case.target else "no"
        share = f"{answers['moltheory'].mean():.2g}"
        ratio = compared(ours, theirs)
        rows.append([case.name, shape, share, ours, theirs, ratio, f"{case.target:g}", met, f"{peak:.1f}"])
        *sets, n, m = case.points.shape
        size = "".join(f"{one:,} sets of " for one in sets) + f"{n:,} points, {m} objectives"
        main.append(Main(f"non-dominated rows, {case.name}", size, ours.median, "moocore", theirs.median))
    columns = ["case", "shape", "front", "moltheory", "moocore", "times as fast", "target", "met", "peak MB over input"]
    return Part([Table(columns, rows, main=main)])


BENCHMARK = Benchmark(
    name="dominance",
    title="Dominance",
    compares="Non-dominated rows of many small sets and of one large set, beside moocore on the same arrays.",
    parts={
        "batches": lambda budget: measured(batches(budget)),
        "large sets": lambda budget: measured(large_sets(budget)),
        "fronts": lambda budget: measured(fronts(budget)),
    },
    seconds=(100, 9),
    peers=("moocore",),
)
