"""What `mt.certify` settles, before and after its procedures of 2026, beside an oracle that knows the front.

Worlds with known truth (moltheory.figures._claim_worlds): trade-off, ties and flat; 5, 20 and 100 models; 200, 1000 and
5000 examples; one objective and a price, or two objectives; 0/1 losses, bounded ones and clusters of five. Each cell is
the mean share of models settled (on the front for sure, or not on it for sure) at a confidence of 95 %.

"before" is the certificate of commit 1cbcb58 (Holm over all pairs, p-values and boxes sharing delta), recorded run by run
in results/certify_power_before.csv by `python -m benchmarks.certify_power 1cbcb58` in a checkout of that commit; all other
columns see the same data, so differences are paired. The oracle knows the front and the best rival of each model, and pays
for nothing but the number of models: level delta / M per model, exact McNemar tests for 0/1 losses, t tests of paired
differences (of cluster means) else; it is a yardstick, no procedure. It is not a bound for error="share", which promises
less, nor for ties of luck.
"""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from moltheory.figures._claim_procedures import PROCEDURES, Procedure, admissible, units
from moltheory.figures._claim_worlds import LOSSES, ComparedModels, compared_models
from moltheory.runs import as_seed_sequence, block_stream

from ._protocol import Benchmark, Budget, Part, Table

BEFORE = Path(__file__).parent / "results" / "certify_power_before.csv"
DELTA = 0.05
KINDS = ("trade-off", "ties", "flat")
SIZES = (200, 1000, 5000)
RUNS = {5: 200, 20: 100, 100: 40}
COLUMNS = ("certify", "certify, false share", "certify, asymptotic")
PAIRS = (("certify", "before"), ("oracle", "certify"))
Cell = tuple[str, int, str, int, int]


def cells(budget: Budget) -> Iterator[Cell]:
    """Yield kind, objectives, loss, models, examples."""
    for objectives in (1, 2):
        for loss in LOSSES:
            for models in budget.pick((5, 20, 100), (5, 20), (5,)):
                for kind in budget.pick(KINDS, KINDS, KINDS[:1]):
                    for n in budget.pick(SIZES, SIZES[:2], SIZES[:1]):
                        yield kind, objectives, loss, models, n


def runs_of(cell: Cell, budget: Budget) -> int:
    """Return the number of runs: fewer where one takes long."""
    runs = RUNS[cell[3]] // (4 if cell[3:] == (100, 5000) else 1)
    return -(-runs // budget.pick(1, 20, 100))


def oracle(models: ComparedModels, losses: np.ndarray, clusters: np.ndarray | None, delta: float) -> np.ndarray:
    """Settled models (M,), by one who knows the front and each model's best rival: level delta / M per model."""
    from scipy.special import bdtr, stdtr

    x = units(losses, clusters)
    n, m, objectives = x.shape
    p = np.ones((objectives, m, m))  # [i, a, b]: against L_i(a) >= L_i(b)
    for i in range(objectives):
        y = x[:, :, i]
        if clusters is None and ((y == 0) | (y == 1)).all():
            both = y.T @ y
            alone = np.diagonal(both)[:, None] - both  # examples on which a errs alone
            total = alone + alone.T
            p[i] = np.where(total > 0, bdtr(alone, np.maximum(total, 1), 0.5), 1.0)
        else:
            covariance = np.cov(y.T)
            variance = np.diagonal(covariance)
            spread = variance[:, None] + variance[None, :] - 2.0 * covariance
            gap = y.mean(axis=0)[None, :] - y.mean(axis=0)[:, None]
            t = np.where(spread > 1e-15, gap / np.sqrt(np.maximum(spread, 1e-18) / n), 0.0)
            p[i] = stdtr(n - 1, -t)
    dominates, free = p.max(axis=0), np.minimum(objectives * p.min(axis=0), 1.0)
    may, level, risks, front = admissible(models.costs, m), delta / m, models.risks, models.on_front
    settled = front & ~(may.T & (free > level)).any(axis=1)
    for h in np.flatnonzero(~front):
        rivals = np.flatnonzero(may[:, h] & (risks <= risks[h]).all(axis=1))
        widest = rivals[(risks[h] - risks[rivals]).min(axis=1).argmax()]
        settled[h] = dominates[widest, h] <= level
    return settled


def measure(cell: Cell, runs: int, procedures: dict[str, Procedure], with_oracle: bool) -> dict[str, np.ndarray]:
    """Return, per procedure, settled and false verdicts of each run, (2, runs)."""
    kind, objectives, loss, models, n = cell
    names = [*procedures, *(["oracle"] if with_oracle else [])]
    found = {name: np.zeros((2, runs), dtype=int) for name in names}
    for run in range(runs):
        rng = block_stream(as_seed_sequence(0), f"certify_power {kind} {objectives} {loss} {models}", n, run)
        world = compared_models(kind, models, objectives, rng)
        losses, clusters = world.draw(n, loss, rng)
        for name, procedure in procedures.items():
            sure, excluded = procedure(losses, world.costs, clusters, DELTA)
            wrong = (sure & ~world.on_front) | (excluded & world.on_front)
            found[name][:, run] = (sure | excluded).sum(), wrong.sum()
        if with_oracle:
            found["oracle"][0, run] = oracle(world, losses, clusters, DELTA).sum()
    return found


def record(commit: str) -> None:
    """Write what the `certify` of this checkout settles, run by run."""
    procedure = PROCEDURES["certify"]
    with BEFORE.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["commit", "world", "objectives", "loss", "models", "examples", "runs_wrong", "settled_by_run"])
        for cell in cells(Budget()):
            start = time.perf_counter()
            found = measure(cell, runs_of(cell, Budget()), {"certify": procedure}, False)["certify"]
            writer.writerow([commit, *cell, (found[1] > 0).sum(), " ".join(map(str, found[0]))])
            file.flush()
            print(*cell, f"{100 * found[0].mean() / cell[3]:.1f} %, {time.perf_counter() - start:.1f} s", flush=True)


def before() -> dict[Cell, np.ndarray]:
    """Read the recorded numbers of settled models, by run."""
    if not BEFORE.exists():
        return {}
    with BEFORE.open(newline="", encoding="utf-8") as file:
        return {
            (row["world"], int(row["objectives"]), row["loss"], int(row["models"]), int(row["examples"])): np.array(
                row["settled_by_run"].split(), dtype=int
            )
            for row in csv.DictReader(file)
        }


def _gap(columns: dict[str, np.ndarray], more: str, less: str, models: int) -> tuple[float, float]:
    """Return the mean paired difference in per cent of the models, and its standard error."""
    if more not in columns or less not in columns:
        return float("nan"), float("nan")
    gap = 100.0 * (columns[more][0] - columns[less][0]) / models
    return float(gap.mean()), float(gap.std(ddof=1) / np.sqrt(gap.size)) if gap.size > 1 else float("nan")


def measured(objectives: int, loss: str, budget: Budget) -> Part:
    """Measure all cells of one kind of losses."""
    names, procedures = [*COLUMNS, "oracle"], {name: PROCEDURES[name] for name in COLUMNS}
    earlier, rows, data = before(), [], []
    for cell in cells(budget):
        if cell[1:3] != (objectives, loss):
            continue
        runs = runs_of(cell, budget)
        found = measure(cell, runs, procedures, True)
        if cell in earlier:
            found["before"] = np.stack([earlier[cell][:runs], np.zeros(runs, dtype=int)])
        gaps = {pair: _gap(found, *pair, cell[3]) for pair in PAIRS}
        means = [
            f"{100 * found[name][0].mean() / cell[3]:.1f}" if name in found else "–" for name in ("before", *names)
        ]
        rows.append([cell[0], cell[3], cell[4], *means, *(f"{gap:+.1f} ± {error:.1f}" for gap, error in gaps.values())])
        data.append(
            {
                "where": f"{cell[0]}, {cell[3]} models, n = {cell[4]}",
                "runs": runs,
                "means": dict(zip(("before", *names), means, strict=True)),
                "gaps": [list(gaps[pair]) for pair in PAIRS],
                "wrong": {name: [int((found[name][1] > k).sum()) for k in (0, 1)] for name in COLUMNS},
            }
        )
    runs = "; ".join(f"{runs_of(('flat', 1, '0/1', m, 1000), budget)} runs with {m} models" for m in RUNS)
    fewer = runs_of(("flat", 1, "0/1", 100, 5000), budget)
    notes = [
        "Per cent of the models, means over runs; differences are paired, with their standard errors.",
        f"{runs} ({fewer} where n = 5000).",
    ]
    columns = ["world", "models", "examples", "before", *names, *(f"{more} - {less}" for more, less in PAIRS)]
    return Part([Table(columns, rows, notes)], data)


def summary(data: Mapping[str, list[dict[str, Any]]]) -> Part:
    """Say what the parts say together: gains, largest loss, distance to the oracle, false verdicts."""
    rows = []
    for name, part in data.items():
        low, far = min(part, key=lambda one: one["gaps"][0][0]), max(part, key=lambda one: one["gaps"][1][0])
        means = [np.mean([float(one["means"][column]) for one in part]) for column in ("before", "certify", "oracle")]
        extremes = [(low, 0), (far, 1)]
        shown = [f"{one['gaps'][k][0]:+.1f} ± {one['gaps'][k][1]:.1f} ({one['where']})" for one, k in extremes]
        rows.append([name, *(f"{mean:.1f}" for mean in means), *shown])
    cells = [one for part in data.values() for one in part]
    runs = sum(one["runs"] for one in cells)
    notes = ["Means over all cells of the tables above, in per cent of the models."]
    for name in COLUMNS:
        wrong, two = (sum(one["wrong"][name][k] for one in cells) for k in (0, 1))
        notes.append(f"{name}: a false verdict in {wrong} of {runs} runs, two or more in {two}.")
    columns = ["losses", "before", "certify", "oracle", "largest loss against before", "oracle - certify, largest"]
    return Part([Table(columns, rows, notes)])


_TITLES = {1: "one objective and a price", 2: "two objectives"}

BENCHMARK = Benchmark(
    name="certify_power",
    title="What `mt.certify` settles, before and after",
    compares="Shares of models settled beside those of the first version, and of an oracle that knows the front.",
    parts={f"{loss}, {_TITLES[k]}".replace("/", "-"): partial(measured, k, loss) for k in (1, 2) for loss in LOSSES},
    seconds=(800, 9),
    summary=summary,
)

if __name__ == "__main__":
    record(sys.argv[1])
