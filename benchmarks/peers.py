"""Which models are on the front? False verdicts against share settled, for `mt.certify` with each promise and its peers.

Twenty models, 1000 examples, confidence 95 %, in worlds whose true front is known (moltheory.figures._claim_worlds):
trade-off, ties, near-ties, equal, flat, clusters of five and bounded losses, each with one objective and a price, and with
two objectives; 400 runs each. A verdict is false if it says "on the front" of a model that is not, or the other way
round; no verdict is never false. All procedures see the same data. How each peer is asked is said in _peers.py; one that is
not installed is skipped with a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from moltheory.bounds import binomial_interval
from moltheory.figures._claim_counts import SETTINGS, count_verdicts, rows_of
from moltheory.figures._claim_procedures import PROCEDURES
from moltheory.runs import as_seed_sequence, block_stream

from ._peers import PEERS
from ._protocol import Benchmark, Budget, Part, Table

MODELS, EXAMPLES, DELTA = 20, 1000, 0.05
Row = dict[str, Any]
_TITLES = {1: "one objective and a price", 2: "two objectives"}


def measured(world: str, objectives: int, budget: Budget) -> Part:
    """Measure all procedures that can run here, on the same data."""
    entries = dict(PROCEDURES)
    asked = {name: peer for name, peer in PEERS.items() if objectives in peer.objectives}
    skipped = [f"{name} is skipped: {peer.missing()}." for name, peer in asked.items() if peer.missing()]
    present = {name: peer for name, peer in asked.items() if not peer.missing()}
    for check in {peer.check for peer in present.values()} - {None}:
        check()
    entries |= {name: peer.procedure for name, peer in present.items()}
    runs = budget.pick(400, 8, 2)
    streams = (block_stream(as_seed_sequence(0), f"peers {world} {objectives}", run) for run in range(runs))
    counts = count_verdicts(entries, world, objectives, streams, models=MODELS, examples=EXAMPLES, delta=DELTA)
    rows = list(rows_of(world, objectives, counts, MODELS))
    return Part([details(rows, skipped)], rows)


def details(rows: list[Row], skipped: list[str]) -> Table:
    """Return all rows with their Monte Carlo errors."""
    cells = []
    for row in rows:
        runs, wrong = int(row["runs"]), int(row["wrong"])
        interval = binomial_interval([wrong], runs, method="clopper-pearson", delta=0.05)
        low, high = float(np.ravel(interval.lower)[0]), float(np.ravel(interval.upper)[0])
        settled = f"{100 * row['settled']:.1f} ± {100 * row['settled_error']:.1f} %"
        false = [f"{wrong} of {runs}", f"{100 * low:.1f} to {100 * high:.1f} %", int(row["two_wrong"])]
        cells.append([row["procedure"], *false, f"{100 * row['false_share']:.2f} %", settled])
    notes = [
        "Intervals: Clopper-Pearson, 95 % each. False share: mean over runs of false verdicts / verdicts (0 without any).",
        *skipped,
    ]
    return Table(["procedure", "a false verdict", "95 %", "two or more", "mean false share", "settled"], cells, notes)


def summary(data: Mapping[str, list[Row]]) -> Part:
    """Return the tables of all procedures and worlds: runs with a false verdict, share settled."""
    rows = [row for part in data.values() for row in part]
    tables = []
    for objectives, title in _TITLES.items():
        part = [row for row in rows if row["objectives"] == objectives]
        cells = []
        for name in dict.fromkeys([*PROCEDURES, *PEERS]):
            mine = {row["world"]: row for row in part if row["procedure"] == name}
            if mine:
                rates = {world: row["wrong"] / row["runs"] for world, row in mine.items()}
                shares = [
                    f"{_percent(rates[world])} / {100 * mine[world]['settled']:.0f}" if world in mine else "–"
                    for world in SETTINGS
                ]
                cells.append([name, *shares, _percent(max(rates.values()))])
        notes = [
            f"{MODELS} models, {EXAMPLES} examples: runs with a false verdict / share of models settled, in per cent."
        ]
        tables.append(Table(["procedure", *SETTINGS, "worst"], cells, notes, title=title.capitalize()))
    notes = [
        "![False verdicts against share settled](peers.png)",
        "Large marks: the trade-off; small ones: the other worlds. The vertical axis has square roots.",
    ]
    return Part([*tables, Table([], [], notes)], files={"peers.png": draw(rows)})


def draw(rows: list[Row]) -> bytes:
    """Return the picture peers.png: how often each procedure is wrong, and how much it decides."""
    import pandas as pd

    from moltheory.figures._claims_drawing import draw_claims
    from moltheory.plotting import panels, to_bytes

    figure, axes = panels(2)
    figure.set_size_inches(13.0, 7.0)
    draw_claims(axes, pd.DataFrame(rows), DELTA)
    return to_bytes(figure, "png")


def _percent(share: float) -> str:
    return f"{100 * share:.1f}" if 0 < share < 0.1 else f"{100 * share:.0f}"


BENCHMARK = Benchmark(
    name="peers",
    title="`mt.certify` and its peers",
    compares="False verdicts and shares of models settled, beside other packages that say which models are on the front.",
    parts={f"{world}, {_TITLES[k]}": partial(measured, world, k) for world in SETTINGS for k in (1, 2)},
    seconds=(1800, 20),
    peers=("evalstats", "claimeval", "arch", "mapie"),
    summary=summary,
)
