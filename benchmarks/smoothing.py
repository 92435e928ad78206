"""Certifying points of input-dependent smoothing from counts, and the sweep over digits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from moltheory.reports import Settings
from moltheory.studies.smoothing import certified_votes, smoothed_sweep
from moltheory.studies.smoothing._study import FULL, QUICK

from ._protocol import Benchmark, Budget, Part, Table, Times, processor_time, seconds_of, times_in_turn


def votes(budget: Budget) -> Part:
    points = budget.pick(1000, 1000, 50)
    rng = np.random.default_rng(0)
    found = rng.binomial(10_000, rng.beta(8.0, 0.5, points))
    counts = np.stack([found, 10_000 - found], axis=1)
    sigma, guess = rng.uniform(0.1, 1.0, points), np.zeros(points, dtype=np.int64)
    works = {
        f"rate {rate:g}": lambda r=rate: certified_votes(counts, guess=guess, sigma=sigma, rate=r, dimension=3072)
        for rate in (0.0, 1e-6, 0.01, 0.1)
    }
    times, _ = times_in_turn(works, budget.pick(3, 1), warm=("rate 0",))
    rows = [[name, one] for name, one in times.items()]
    return Part([Table([f"certify {points:,} points from counts, N = 3072", "time"], rows, ["Target: 5 s each."])])


def sweep(budget: Budget) -> Part:
    # One process, so that all processor time is seen.
    quick = budget.name != "full"
    tiny = replace(QUICK, n_test=20, n_train=500, held_out=20, networks=1, steps=10, hidden=(16,))
    size = budget.pick(FULL, QUICK, tiny)
    seconds, found = seconds_of(lambda: smoothed_sweep(size, Settings(quick=quick)), processor_time)
    given = size.networks * len(found.designs) * len(found.labels) * (size.guesses + size.sizes[-1])
    rows = [[f"digits, {len(found.designs)} designs, {given:,} votes", Times((seconds,))]]
    return Part(
        [Table(["job", "time"], rows, ["Target at full size: 360 s of processor time (3 minutes on 2 cores)."])]
    )


BENCHMARK = Benchmark(
    name="smoothing",
    title="Input-dependent smoothing",
    compares="How long certificates of input-dependent smoothing take, from counts and with all votes of the study.",
    parts={"votes": votes, "sweep": sweep},
    seconds=(130, 11),
)
