"""Checking every statement over all samples, beside enumerating the samples once."""

from __future__ import annotations

import platform
import resource

import numpy as np

from moltheory.problems import reference_world
from moltheory.theorems import check_all

from ._protocol import Benchmark, Budget, Part, Table, compared, times_in_turn


def check(budget: Budget) -> Part:
    world, n = reference_world(), budget.pick(200, 60, 20)
    oracle = world.exact(n)
    check_all(world, n=10)  # compiles and imports what both need
    times, _ = times_in_turn(
        {
            "once": lambda: oracle.probability(lambda risks: np.ones(len(risks), bool)),
            "all": lambda: check_all(world, n=n),
        },
        3,
        warm=(),
    )
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if platform.system() == "Darwin" else 1e3)
    rows = [
        ["enumerate all types once", times["once"], "1"],
        ["check every statement", times["all"], compared(times["once"], times["all"])],
    ]
    notes = [
        f"Reference world, n = {n}, {oracle.n_types:,} sample types.",
        f"Target: at most 20 times. Peak memory of the process: {memory:.0f} MB.",
    ]
    return Part([Table(["job", "time", "times once"], rows, notes)])


BENCHMARK = Benchmark(
    name="theorems",
    title="Theorems",
    compares="Checking every statement of the ledger over all samples, beside enumerating the samples once.",
    parts={"check": check},
    seconds=(50, 3),
)
