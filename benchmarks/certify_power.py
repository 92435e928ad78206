"""What `mt.certify` settles, before and after its procedures of 2026, beside an oracle that knows the front.

Usage: python benchmarks/certify_power.py [--quick] [--write] [--record COMMIT]

Worlds with known truth (moltheory.figures._claim_worlds): trade-off, ties and flat; 5, 20 and 100 models; 200, 1000 and
5000 examples; one objective and a price, or two objectives; 0/1 losses, bounded ones and clusters of five. Each cell is
the mean share of models settled (on the front for sure, or not on it for sure) at a confidence of 95 %.

"before" is the certificate of commit 1cbcb58 (Holm over all pairs, p-values and boxes sharing delta),
recorded run by run in results/certify_power_before.csv by `--record 1cbcb58` in a checkout of that commit; all other
columns see the same data, so differences are paired. The oracle knows the front and the best rival of each model, and pays
for nothing but the number of models: level delta / M per model, exact McNemar tests for 0/1 losses, t tests of paired
differences (of cluster means) else; it is a yardstick, no procedure. It is not a bound for error="share", which promises
less, nor for ties of luck.

`--quick` takes an eighth of the runs; `--write` also writes results/certify_power.md.
"""

from __future__ import annotations

import argparse
import csv
import inspect
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from _processor import run_on, write_sections

import moltheory as mt
from moltheory.figures._claim_procedures import PROCEDURES, PROMISES, Procedure, admissible, units
from moltheory.figures._claim_worlds import LOSSES, ComparedModels, compared_models
from moltheory.runs import as_seed_sequence, block_stream

RESULTS = Path(__file__).parent / "results" / "certify_power.md"
BEFORE = Path(__file__).parent / "results" / "certify_power_before.csv"
DELTA = 0.05
KINDS = ("trade-off", "ties", "flat")
SIZES = (200, 1000, 5000)
RUNS = {5: 200, 20: 100, 100: 40}
COLUMNS = ("certify", "certify, false share", "certify, asymptotic")
Cell = tuple[str, int, str, int, int]


def cells() -> Iterator[Cell]:
    """Yield kind, objectives, loss, models, examples."""
    for objectives in (1, 2):
        for loss in LOSSES:
            for models in RUNS:
                for kind in KINDS:
                    for n in SIZES:
                        yield kind, objectives, loss, models, n


def runs_of(cell: Cell, quick: bool) -> int:
    """Return the number of runs: fewer where one takes long."""
    runs = RUNS[cell[3]] // (4 if cell[3:] == (100, 5000) else 1)
    return -(-runs // 8) if quick else runs


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


def record(commit: str, quick: bool) -> None:
    """Write what the `certify` of this checkout settles, run by run."""
    procedure = PROCEDURES["certify"]
    with BEFORE.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["commit", "world", "objectives", "loss", "models", "examples", "runs_wrong", "settled_by_run"])
        for cell in cells():
            start = time.perf_counter()
            found = measure(cell, runs_of(cell, quick), {"certify": procedure}, False)["certify"]
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


def table(loss: str, objectives: int, found: dict[Cell, dict[str, np.ndarray]], names: list[str]) -> Iterator[str]:
    """Yield the rows of one kind of losses: shares in per cent, and the paired difference to "before"."""
    yield "| world | models | examples | before | " + " | ".join(names) + " | certify - before | oracle - certify |"
    yield "| --- |" + " ---: |" * (len(names) + 5)
    for cell, columns in found.items():
        if cell[1:3] != (objectives, loss):
            continue
        models = cell[3]
        share = {name: 100.0 * counts[0] / models for name, counts in columns.items()}
        cells = [f"{share[name].mean():.1f}" if name in share else "–" for name in ("before", *names)]
        gaps = [_difference(share, "certify", "before"), _difference(share, "oracle", "certify")]
        yield f"| {cell[0]} | {models} | {cell[4]} | " + " | ".join(cells + gaps) + " |"


def _difference(share: dict[str, np.ndarray], more: str, less: str) -> str:
    """Return the mean paired difference with its standard error."""
    if more not in share or less not in share:
        return "–"
    gap = share[more] - share[less]
    return f"{gap.mean():+.1f} ± {gap.std(ddof=1) / np.sqrt(len(gap)):.1f}"


def worse(found: dict[Cell, dict[str, np.ndarray]]) -> Iterator[str]:
    """Yield what the tables say together: gains, losses beyond Monte Carlo error, distance to the oracle, false verdicts."""
    yield "| losses | objectives | before | certify | oracle | largest loss against before | oracle - certify, largest |"
    yield "| --- | ---: | ---: | ---: | ---: | --- | --- |"
    for objectives in (1, 2):
        for loss in LOSSES:
            part = {cell: columns for cell, columns in found.items() if cell[1:3] == (objectives, loss)}
            part = {cell: columns for cell, columns in part.items() if {"before", "certify"} <= set(columns)}
            if not part:
                continue
            gain = {cell: _gap(columns, "certify", "before", cell[3]) for cell, columns in part.items()}
            short = {cell: _gap(columns, "oracle", "certify", cell[3]) for cell, columns in part.items()}
            low, far = min(gain, key=lambda cell: gain[cell][0]), max(short, key=lambda cell: short[cell][0])
            means = [
                np.mean([100.0 * columns[name][0].mean() / cell[3] for cell, columns in part.items()])
                for name in ("before", "certify", "oracle")
            ]
            yield (
                f"| {loss} | {objectives} | "
                + " | ".join(f"{mean:.1f}" for mean in means)
                + f" | {gain[low][0]:+.1f} ± {gain[low][1]:.1f} ({_named(low)}) | "
                f"{short[far][0]:+.1f} ± {short[far][1]:.1f} ({_named(far)}) |"
            )
    yield ""
    runs = {name: sum(columns[name].shape[1] for columns in found.values() if name in columns) for name in COLUMNS}
    for name, total in runs.items():
        if total:
            wrong = sum(int((columns[name][1] > 0).sum()) for columns in found.values() if name in columns)
            two = sum(int((columns[name][1] > 1).sum()) for columns in found.values() if name in columns)
            yield f"* {name}: a false verdict in {wrong} of {total} runs, two or more in {two}."


def _gap(columns: dict[str, np.ndarray], more: str, less: str, models: int) -> tuple[float, float]:
    gap = 100.0 * (columns[more][0] - columns[less][0]) / models
    return float(gap.mean()), float(gap.std(ddof=1) / np.sqrt(gap.size))


def _named(cell: Cell) -> str:
    return f"{cell[0]}, {cell[3]} models, n = {cell[4]}"


def main() -> None:
    """Measure and print; write if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="an eighth of the runs")
    parser.add_argument("--write", action="store_true", help=f"also write {RESULTS.name}")
    parser.add_argument("--record", metavar="COMMIT", help=f"write {BEFORE.name} from the certify of this checkout")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # few examples, many ties: what certify warns of is what is measured here
    if options.record:
        record(options.record, options.quick)
        return
    known = set(inspect.signature(mt.certify).parameters)
    skipped = [name for name in COLUMNS if not set(PROMISES[name]) <= known]
    procedures = {name: PROCEDURES[name] for name in COLUMNS if name not in skipped}
    earlier, start = before(), time.perf_counter()
    found: dict[Cell, dict[str, np.ndarray]] = {}
    for cell in cells():
        runs = runs_of(cell, options.quick)
        found[cell] = measure(cell, runs, procedures, True)
        if cell in earlier:
            found[cell]["before"] = np.stack([earlier[cell][:runs], np.zeros(runs, dtype=int)])
        share = {name: f"{100 * counts[0].mean() / cell[3]:.1f}" for name, counts in found[cell].items()}
        print(f"{time.perf_counter() - start:.0f} s", *cell, share, flush=True)
    names = [*procedures, "oracle"]
    note = [f"{name} is skipped: this version of `certify` has no such parameter." for name in skipped]
    runs = "; ".join(f"{runs_of(('flat', 1, '0/1', m, 1000), options.quick)} runs with {m} models" for m in RUNS)
    fewer = runs_of(("flat", 1, "0/1", 100, 5000), options.quick)
    first = [f"{run_on()}.", "", *note, "", f"{runs} ({fewer} where n = 5000)."]
    first += ["", "Means over all cells of the tables below, in per cent of the models.", ""]
    sections = {"In short": [*first, *worse(found)]}
    for objectives in (1, 2):
        for loss in LOSSES:
            title = "one objective and a price" if objectives == 1 else "two objectives"
            sections[f"Settled, {loss}, {title}"] = [
                "Per cent of the models, means over runs; differences are paired, with their standard errors.",
                "",
                *table(loss, objectives, found, names),
            ]
    for heading, lines in sections.items():
        print(f"## {heading}\n\n" + "\n".join(lines) + "\n")
    if options.write:
        write_sections(RESULTS, "What `mt.certify` settles, before and after", sections)


if __name__ == "__main__":
    main()
