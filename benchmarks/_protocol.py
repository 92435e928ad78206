"""What every benchmark shares: parts that run one by one, contestants timed in turn, tables that are kept as numbers.

A benchmark is a module with a `BENCHMARK`. Its parts are functions of a `Budget` that return a `Part`; the runner in
`__main__.py` gives each benchmark a process of its own, with one thread, and keeps each part as soon as it is measured.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = [
    *("Benchmark", "Budget", "Main", "Part", "Table", "Times"),
    *("compared", "processor_time", "seconds_of", "shown", "times_in_turn"),
]


@dataclass(frozen=True)
class Budget:
    """How much is measured: "full", "quick" (minutes for all benchmarks), or "smoke" (does it run at all?)."""

    name: str = "full"

    def pick(self, full: Any, quick: Any, smoke: Any = None) -> Any:
        """Return the value of this budget; a smoke test is as quick as a quick one unless it says otherwise."""
        return {"full": full, "quick": quick, "smoke": quick if smoke is None else smoke}[self.name]


@dataclass(frozen=True)
class Times:
    """Seconds of repeated calls: the median with quartiles. `of` is the share of the whole that was really run."""

    seconds: tuple[float, ...]
    of: float = 1.0

    @property
    def median(self) -> float:
        return statistics.median(self.seconds) / self.of

    def __str__(self) -> str:
        if len(self.seconds) == 1:
            return shown(self.median)
        low, _, high = (value / self.of for value in statistics.quantiles(self.seconds, n=4, method="inclusive"))
        return f"{shown(self.median)} ({shown(low)} to {shown(high)})"


def shown(seconds: float) -> str:
    """Return a time with its unit, three digits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= 0.9995 * size or unit == "µs":
            return f"{float(f'{seconds / size:.3g}'):,g} {unit}"
    raise AssertionError("no unit")


@dataclass(frozen=True)
class Main:
    """A comparison for the page of the documentation: seconds of both, and of what."""

    what: str
    size: str
    moltheory: float
    peer: str
    theirs: float


@dataclass(frozen=True)
class Table:
    """A table, with sentences after it; cells are text, numbers or `Times`."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    notes: Sequence[str] = ()
    title: str = ""
    main: Sequence[Main] = ()


@dataclass(frozen=True)
class Part:
    """What a part found: tables for readers, numbers that the summary needs, and pictures by the name of their file."""

    tables: Sequence[Table]
    data: Any = None
    files: Mapping[str, bytes] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return tables whose cells are text as it is shown, and all times as numbers beside them."""
        tables = []
        for table in self.tables:
            times = {
                f"row {k}, {column}": [round(value / cell.of, 9) for value in cell.seconds]
                for k, row in enumerate(table.rows)
                for column, cell in zip(table.columns, row, strict=True)
                if isinstance(cell, Times)
            }
            cells = [[cell if isinstance(cell, str) else str(cell) for cell in row] for row in table.rows]
            tables.append(
                {
                    "title": table.title,
                    "columns": list(table.columns),
                    "rows": cells,
                    "notes": list(table.notes),
                    "main": [asdict(one) for one in table.main],
                    "seconds": times,
                }
            )
        return {"tables": tables, "data": self.data}


@dataclass(frozen=True)
class Benchmark:
    """What is compared with what, in one sentence, and the parts that measure it.

    peers : packages that some part compares with; one that is missing is said in the results
    seconds : expected in all on one core, for the budgets full and quick
    by_processor : parts whose results are kept for every kind of processor
    summary : from the data of all parts to one more part, where every part has data
    """

    name: str
    title: str
    compares: str
    parts: Mapping[str, Callable[[Budget], Part]]
    seconds: tuple[float, float]
    peers: Sequence[str] = ()
    by_processor: Sequence[str] = ()
    summary: Callable[[Mapping[str, Any]], Part] | None = field(default=None)


def processor_time() -> float:
    """Return seconds of processor time of this process and of its children that have ended."""
    return sum(os.times()[:4])


def seconds_of(function: Callable[[], Any], clock: Callable[[], float] = time.process_time) -> tuple[float, Any]:
    """Return seconds of processor time of one call, and its answer."""
    start = clock()
    answer = function()
    return clock() - start, answer


def times_in_turn(
    contestants: Mapping[str, Callable[[], Any]],
    rounds: int,
    *,
    of: Mapping[str, float] | None = None,
    inner: Mapping[str, int] | None = None,
    clock: Callable[[], float] = time.process_time,
    warm: Iterable[str] | None = None,
) -> tuple[dict[str, Times], dict[str, Any]]:
    """Run contestants in turn, round by round, so that a drift of the machine meets all alike.

    of : shares of the whole that contestants run, 1 unless named; times are scaled up to the whole
    inner : calls per round whose mean is taken, 1 unless named
    warm : contestants that are called once before, all unless named
    """
    names = list(contestants)
    answers = {name: contestants[name]() for name in (names if warm is None else warm)}
    found: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            calls = (inner or {}).get(name, 1)
            start = clock()
            for _ in range(calls):
                answers[name] = contestants[name]()
            found[name].append((clock() - start) / calls)
    times = {name: Times(tuple(found[name]), (of or {}).get(name, 1.0)) for name in names}
    return times, answers


def compared(ours: Times, theirs: Times) -> str:
    """Return how many times less time the first takes: median of the rounds' ratios, with quartiles."""
    if len(ours.seconds) != len(theirs.seconds) or len(ours.seconds) < 3:
        return f"{theirs.median / ours.median:.3g}"
    pairs = zip(ours.seconds, theirs.seconds, strict=True)
    ratios = [(second / theirs.of) / (first / ours.of) for first, second in pairs]
    low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return f"{middle:.3g} ({low:.3g} to {high:.3g})"
