"""Which models are on the front? False verdicts against share settled, for `mt.certify` with each promise and its peers.

Usage: python benchmarks/peers.py [--quick] [--write] [--only PATTERN]

Twenty models, 1000 examples, confidence 95 %, in worlds whose true front is known (moltheory.figures._claim_worlds):
trade-off, ties, near-ties, equal, flat, clusters of five and bounded losses, each with one objective and a price, and with
two objectives; 400 runs each. A verdict is false if it says "on the front" of a model that is not, or the other way
round; no verdict is never false. All procedures see the same data. How each peer is asked is said in _peers.py; one that is
not installed (`pip install "moltheory[peers]"`), or a promise that this version of `certify` does not know, is skipped with
a sentence.

`--quick` takes 40 runs and writes nothing; `--write` writes results/peers.csv, peers.md and peers.png; `--only` measures
the procedures whose names match a regular expression and keeps the others' rows of peers.csv, which are for the same data.
"""

from __future__ import annotations

import argparse
import csv
import inspect
import re
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from _peers import PEERS
from _processor import run_on, write_sections

import moltheory as mt
from moltheory.bounds import binomial_interval
from moltheory.figures._claim_counts import SETTINGS, count_verdicts, rows_of
from moltheory.figures._claim_procedures import PROCEDURES, PROMISES, Procedure
from moltheory.figures._claims_drawing import draw_claims
from moltheory.plotting import panels, to_bytes
from moltheory.runs import as_seed_sequence, block_stream

RESULTS = Path(__file__).parent / "results"
MODELS, EXAMPLES, DELTA, RUNS, QUICK_RUNS = 20, 1000, 0.05, 400, 40
COLUMNS = ("world", "objectives", "procedure", "runs", "wrong", "two_wrong", "false_share", "settled", "settled_error")
Row = dict[str, str | float]


def available(only: str) -> tuple[dict[str, tuple[Procedure, tuple[int, ...]]], list[str]]:
    """Return the procedures that can run here with their numbers of objectives, and why the others cannot."""
    known = set(inspect.signature(mt.certify).parameters)
    found: dict[str, tuple[Procedure, tuple[int, ...]]] = {}
    skipped = []
    for name, procedure in PROCEDURES.items():
        unknown = set(PROMISES.get(name, ())) - known
        if unknown and re.search(only, name):
            skipped.append(f"{name} is skipped: this version of `certify` has no parameter `{min(unknown)}`.")
        elif re.search(only, name):
            found[name] = procedure, (1, 2)
    for name, peer in PEERS.items():
        missing = peer.missing()
        if missing and re.search(only, name):
            skipped.append(f"{name} is skipped: {missing}.")
        elif re.search(only, name):
            found[name] = peer.procedure, peer.objectives
    for check in {PEERS[name].check for name in found if name in PEERS}:
        if check is not None:
            check()
    return found, skipped


def measure(world: str, objectives: int, procedures: dict[str, Procedure], runs: int) -> Iterator[Row]:
    """Yield one row per procedure."""
    streams = (block_stream(as_seed_sequence(0), f"peers {world} {objectives}", run) for run in range(runs))
    counts = count_verdicts(procedures, world, objectives, streams, models=MODELS, examples=EXAMPLES, delta=DELTA)
    yield from rows_of(world, objectives, counts, MODELS)


def stored() -> list[Row]:
    """Return the rows of peers.csv."""
    path = RESULTS / "peers.csv"
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [
            {key: value if key in ("world", "procedure") else float(value) for key, value in row.items()}
            for row in csv.DictReader(file)
        ]


def ordered(rows: list[Row]) -> list[Row]:
    """Put worlds and procedures in their order."""
    names = [*PROCEDURES, *PEERS]
    worlds = list(SETTINGS)
    return sorted(rows, key=lambda row: (worlds.index(row["world"]), row["objectives"], names.index(row["procedure"])))


def summary(rows: list[Row]) -> Iterator[str]:
    """Yield the table of all procedures and worlds: runs with a false verdict, share settled."""
    for objectives, title in ((1, "One objective and a price"), (2, "Two objectives")):
        part = [row for row in rows if row["objectives"] == objectives]
        worlds = [world for world in SETTINGS if any(row["world"] == world for row in part)]
        yield f"{title}: runs with a false verdict / share of models settled, in per cent."
        yield ""
        yield "| procedure | " + " | ".join(worlds) + " | worst |"
        yield "| --- |" + " ---: |" * (len(worlds) + 1)
        for name in dict.fromkeys(str(row["procedure"]) for row in part):
            mine = {row["world"]: row for row in part if row["procedure"] == name}
            rates = {world: row["wrong"] / row["runs"] for world, row in mine.items()}
            cells = [
                f"{_percent(rates[world])} / {100 * mine[world]['settled']:.0f}" if world in mine else "–"
                for world in worlds
            ]
            yield f"| {name} | " + " | ".join(cells) + f" | {_percent(max(rates.values()))} |"
        yield ""


def details(rows: list[Row]) -> Iterator[str]:
    """Yield all rows with their Monte Carlo errors."""
    yield "Intervals: Clopper-Pearson, 95 % each. False share: mean over runs of false verdicts / verdicts (0 without any)."
    yield ""
    yield "| world | objectives | procedure | a false verdict | 95 % | two or more | mean false share | settled |"
    yield "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: |"
    for row in rows:
        runs, wrong = int(row["runs"]), int(row["wrong"])
        interval = binomial_interval([wrong], runs, method="clopper-pearson", delta=0.05)
        low, high = float(np.ravel(interval.lower)[0]), float(np.ravel(interval.upper)[0])
        objectives = "1 + price" if row["objectives"] == 1 else "2"
        yield (
            f"| {row['world']} | {objectives} | {row['procedure']} | {wrong} of {runs} | "
            f"{100 * low:.1f} to {100 * high:.1f} % | {int(row['two_wrong'])} | {100 * row['false_share']:.2f} % | "
            f"{100 * row['settled']:.1f} ± {100 * row['settled_error']:.1f} % |"
        )


def draw(rows: list[Row]) -> None:
    """Write peers.png: how often each procedure is wrong, and how much it decides."""
    import pandas as pd

    table = pd.DataFrame(rows)
    figure, axes = panels(2)
    figure.set_size_inches(13.0, 7.0)
    draw_claims(axes, table, DELTA)
    (RESULTS / "peers.png").write_bytes(to_bytes(figure, "png"))


def _percent(share: float) -> str:
    return f"{100 * share:.1f}" if 0 < share < 0.1 else f"{100 * share:.0f}"


def main() -> None:
    """Measure, print, and write if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_RUNS} runs")
    parser.add_argument("--write", action="store_true", help="write results/peers.csv, peers.md and peers.png")
    parser.add_argument("--only", default="", help="procedures whose names match this regular expression")
    parser.add_argument("--world", choices=SETTINGS, help="one world only; keeps the rows of the others")
    options = parser.parse_args()
    if options.quick and options.write:
        parser.error("--quick writes nothing")
    # Few examples of one kind, or many ties: what certify and the peers warn of is what is measured here.
    warnings.simplefilter("ignore")
    entries, skipped = available(options.only)
    print("\n".join(skipped), flush=True)
    rows = {(row["world"], row["objectives"], row["procedure"]): row for row in (stored() if not options.quick else [])}
    for world in [options.world] if options.world else SETTINGS:
        for objectives in (1, 2):
            if not any(objectives in entry[1] for entry in entries.values()):
                continue
            start = time.perf_counter()
            procedures = {name: entry[0] for name, entry in entries.items() if objectives in entry[1]}
            for row in measure(world, objectives, procedures, QUICK_RUNS if options.quick else RUNS):
                rows[row["world"], row["objectives"], row["procedure"]] = row
            print(f"{world}, {objectives} estimated: {time.perf_counter() - start:.0f} s", flush=True)
    found = ordered(list(rows.values()))
    first = [f"{run_on()}.", "", f"{MODELS} models, {EXAMPLES} examples, confidence {1 - DELTA:.0%}.", "", *skipped, ""]
    first += ["Rows are kept until their procedure is measured again; all are for the same data.", ""]
    first += ["Large marks: the trade-off; small ones: the other worlds. The vertical axis has square roots.", ""]
    first += ["![False verdicts against share settled](peers.png)", ""]
    sections = {
        "False verdicts and share settled": [*first, *summary(found)],
        "Monte Carlo errors": list(details(found)),
    }
    for heading, lines in sections.items():
        print(f"## {heading}\n\n" + "\n".join(lines) + "\n")
    if options.write:
        with (RESULTS / "peers.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(found)
        write_sections(RESULTS / "peers.md", "`mt.certify` and its peers", sections)
        draw(found)


if __name__ == "__main__":
    main()
