"""How long the case studies take: training at once over seeds, deep recursive features, and whole studies.

Training needs torch; full runs on real images are in docs/studies.md.
"""

from __future__ import annotations

import tempfile
from functools import partial

from moltheory.reports import Settings
from moltheory.studies import get_study, run_study, study_names
from moltheory.studies.gradient_outer_product import digit_split, recursive_features
from moltheory.studies.low_rank_bias import Cell, trained_networks
from moltheory.studies.low_rank_bias._experiment import FACTOR, WIDTH

from ._protocol import Benchmark, Budget, Part, Table, Times, processor_time, seconds_of


def _timed(work) -> tuple[Times, object]:
    seconds, found = seconds_of(work, clock=processor_time)
    return Times((seconds,)), found


def training(budget: Budget) -> Part:
    """Ten classes, four layers; at full size with the steps of the full study."""
    seeds, steps, iterations = budget.pick((10, 20_000, 2500), (3, 1000, 300), (1, 20, 10))
    cells = {
        f"gradient descent, {steps:,} steps, all seeds at once": (Cell(0, FACTOR, WIDTH, 0, seeds, steps),),
        f"L-BFGS, {iterations:,} iterations": tuple(
            Cell(1, FACTOR, WIDTH, seed, 1, iterations) for seed in range(seeds)
        ),
    }
    rows = []
    for name, work in cells.items():
        times, found = _timed(lambda w=work: trained_networks(w, settings=Settings(n_jobs=1)))
        rows.append([name, times, f"{int((found['end'] == 'below').sum())} of {len(found)}"])
    notes = [f"Ten classes, four layers, width {WIDTH}, {seeds} seeds. Target at full size: 240 s in all."]
    return Part([Table(["method", "time", "seeds below collapse"], rows, notes)])


def recursion(budget: Budget) -> Part:
    depth, width, examples, seeds = budget.pick((8, 512, 1000, 3), (4, 256, 500, 1), (2, 64, 100, 1))
    rows = []
    for feature_map in ("relu", "fourier"):
        seconds = []
        for seed in range(seeds):
            split = digit_split(0, seed, examples, examples // 2)
            work = partial(recursive_features, *split, depth=depth, width=width, feature_map=feature_map, rng=seed)
            seconds.append(seconds_of(work)[0])
        rows.append([feature_map, Times(tuple(seconds))])
    notes = [f"{examples:,} digits, {depth} layers, width {width}; time of one seed. Target at full size: 5 s."]
    return Part([Table(["features", "time"], rows, notes)])


def whole(budget: Budget) -> Part:
    """All studies with a quick budget, or the one that takes least; the tests of studies are their smoke test."""
    rows = []
    for name in budget.pick(study_names(), ["unconstrained-features"], []):
        with tempfile.TemporaryDirectory() as folder:
            times, _ = _timed(
                lambda n=name, f=folder: run_study(get_study(n), f, settings=Settings(quick=True, n_jobs=1))
            )
        rows.append([name, times])
    return Part([Table(["study, quick budget, one process", "time"], rows, ["Target: 30 s each on two idle cores."])])


BENCHMARK = Benchmark(
    name="studies",
    title="Case studies",
    compares="How long training over seeds, deep recursive features and whole quick studies take (processor time).",
    parts={"training": training, "recursion": recursion, "whole": whole},
    seconds=(260, 28),
    peers=("torch",),
)
