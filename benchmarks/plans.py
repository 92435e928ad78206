"""Do planned sizes suffice? Plans from a pilot, and fresh data of the planned size.

Worlds with known truth (moltheory.figures._claim_worlds), drawn anew for every pilot. A pilot is certified at 95 %, one of
its undecided models is chosen at random, and its plan is followed: fresh examples, as many as the pilot and the plan have
together, are certified alone. A size that is planned for 80 % should decide the model in 80 % of the cases. Plans without an
end, because no simulated size was enough, and plans of more than 50,000 examples in all are counted and not followed. So the
share is that of pilots whose plan has an end within reach, which saw larger gaps than the others: harder than what a plan
means. The bounds of the same plan stand beside it: "bound", `sufficient_additional`, takes the observed rates for the true
ones, and "safe", `sufficient_additional_high`, takes confidence limits of the gaps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

import moltheory as mt
from moltheory.bounds import binomial_interval
from moltheory.figures._claim_worlds import ComparedModels, compared_models
from moltheory.runs import as_seed_sequence, block_stream

from ._protocol import Benchmark, Budget, Part, Table

# Kind, objectives, loss, pilot, tolerance, goal.
CELLS = (
    ("trade-off", 1, "0/1", 200, 0.0, None),
    ("trade-off", 1, "0/1", 1000, 0.0, None),
    ("trade-off", 2, "0/1", 1000, 0.0, None),
    ("near-ties", 1, "0/1", 1000, 0.0, None),
    ("trade-off", 1, "0/1", 200, 0.03, None),
    ("trade-off", 1, "bounded", 200, 0.0, None),
    ("trade-off", 1, "clusters of five", 200, 0.0, None),
    ("trade-off", 1, "0/1", 200, 0.0, "all"),
    ("trade-off", 1, "0/1", 1000, 0.0, "all"),
)
MODELS, RUNS, LARGEST = 5, 40, 50_000
# Worlds in which a run takes long, and those in which it takes longest.
_SLOW_RUNS, _FEWEST_RUNS = 25, 8
SIZES = {
    "50 %": "expected_additional",
    "80 %": "additional_80",
    "95 %": "additional_95",
    "bound, 80 %": "sufficient_additional",
    "safe, 80 %": "sufficient_additional_high",
}
Cell = tuple[str, int, str, int, float, str | None]


def certified(world: ComparedModels, n: int, cell: Cell, rng: np.random.Generator) -> mt.Certificate:
    """Return the certificate of n fresh examples of a world."""
    losses, clusters = world.draw(n, cell[2], rng)
    return mt.certify(losses, costs=world.costs, clusters=clusters, epsilon=cell[4])


def followed(cell: Cell, run: int, *, simulate: int) -> dict[str, tuple[float, bool | None]] | None:
    """Return, for each kind of size, the planned total and whether it decided (None if not followed); None if no plan."""
    rng = block_stream(as_seed_sequence(0), f"plans {cell}", run)
    goal = cell[5]
    world = compared_models(cell[0], MODELS, cell[1], rng)
    pilot = certified(world, cell[3], cell, rng)
    if not pilot.undecided.any():
        return None
    plan = pilot.plan(goal=goal, simulate=simulate, rng=run)
    row = plan.iloc[int(rng.integers(len(plan)))]
    # Clusters have five examples.
    each = cell[3] / pilot.n_clusters if pilot.n_clusters else 1.0
    found: dict[str, tuple[float, bool | None]] = {}
    for name, column in SIZES.items():
        if column not in row:
            continue
        total = cell[3] + float(row[column]) * each
        decided = None
        if total <= LARGEST:
            again = certified(world, math.ceil(total), cell, rng)
            decided = not (again.undecided.any() if goal else again.undecided[again.names.index(row["model"])])
        found[name] = (total, decided)
    return found


def measured(cell: Cell, budget: Budget) -> Part:
    """Measure how often planned sizes decide in a world."""
    slow = cell[0] == "near-ties" or cell[1] > 1 or cell[4] > 0.0 or cell[2] != "0/1" or cell[5] is not None
    full = _FEWEST_RUNS if cell[2] == "bounded" else _SLOW_RUNS if slow else RUNS
    runs, simulate = budget.pick((full, 30), (3, 6), (1, 2))
    plans = [followed(cell, run, simulate=simulate) for run in range(runs)]
    made = [plan for plan in plans if plan is not None]
    row: list[Any] = [title(cell), cell[3], f"{len(made)} of {runs}"]
    numbers: dict[str, Any] = {}
    for name in SIZES:
        kept = [plan[name] for plan in made if name in plan]
        outcomes = [decided for _, decided in kept if decided is not None]
        row.append(_share(outcomes))
        sizes = [total if math.isfinite(total) else None for total, _ in kept]
        beyond = len(kept) - len(outcomes) - sizes.count(None)
        numbers[name] = {"decided": sum(outcomes), "followed": len(outcomes), "beyond": beyond, "sizes": sizes}
    row += [_ends(numbers[name]) for name in SIMULATED]
    row += [_median(numbers[name]["sizes"]) for name in _WITH_MEDIAN]
    note = f"{MODELS} models; {simulate} simulated runs per size. {_MEANING}"
    return Part([Table(_COLUMNS, [row], [note])], {"row": row, "numbers": numbers})


SIMULATED = ("50 %", "80 %", "95 %")
_WITH_MEDIAN = ("80 %", "bound, 80 %", "safe, 80 %")
_COLUMNS = (
    *("world", "pilot", "plans", *(f"decided at {name}" for name in SIZES)),
    *(f"no end at {name}" for name in SIMULATED),
    *(f"median size, {name}" for name in _WITH_MEDIAN),
)
_MEANING = (
    "Plans: pilots that left something to plan. Decided: share of the followed plans after which fresh data decided, their "
    "number, and an interval for the share at 95 %. No end: plans for which no simulated size was enough; in brackets, "
    f"plans beyond {LARGEST:,} examples; neither is followed. Sizes: examples in all, pilot included."
)


def summary(data: Mapping[str, dict[str, Any]]) -> Part:
    """Say what the parts say together."""
    return Part([Table(_COLUMNS, [part["row"] for part in data.values()], [_MEANING])])


def title(cell: Cell) -> str:
    """Return a cell in words."""
    objectives = "one objective and a price" if cell[1] == 1 else "two objectives"
    slack = f", tolerance {cell[4]}" if cell[4] else ""
    return f"{cell[0]}, {objectives}, {cell[2]}{slack}{', all models' if cell[5] else ''}"


def _share(outcomes: list[bool]) -> str:
    if not outcomes:
        return "–"
    ends = binomial_interval(sum(outcomes), len(outcomes), method="clopper-pearson", delta=0.05)
    low, high = (100 * float(end) for end in (ends.lower, ends.upper))
    return f"{100 * sum(outcomes) / len(outcomes):.0f} % of {len(outcomes)} ({low:.0f} to {high:.0f})"


def _ends(numbers: Mapping[str, Any]) -> str:
    """Return the share of plans that have no end, and of those that are not followed since they end too far away."""
    plans = len(numbers["sizes"])
    if not plans:
        return "–"
    none = numbers["sizes"].count(None)
    further = f" (and {numbers['beyond']} beyond)" if numbers["beyond"] else ""
    return f"{100 * none / plans:.0f} %, {none} of {plans}{further}"


def _median(sizes: list[float | None]) -> str:
    if not sizes:
        return "–"
    middle = float(np.median([math.inf if size is None else size for size in sizes]))
    return f"{middle:,.0f}" if math.isfinite(middle) else "no end"


BENCHMARK = Benchmark(
    name="plans",
    title="Do planned sizes suffice?",
    compares="How often fresh data of a planned size decide, for simulated sizes and for bounds.",
    parts={f"{title(cell)}, pilot {cell[3]}".replace("/", "-"): partial(measured, cell) for cell in CELLS},
    seconds=(900, 15),
    summary=summary,
)
