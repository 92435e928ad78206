"""The page of the documentation: docs/benchmarks.md, from the records in benchmarks/results."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ._protocol import shown

__all__ = ["PAGE", "page"]

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
_SOURCES = "https://github.com/moltheory/moltheory/blob/main/benchmarks"
Records = dict[str, dict[str, Any]]
# Benchmark, part, and text that the comparison's description or size has: the rows of the first table.
_MAIN = (
    ("dominance", "batches", "batch, uniform float64"),
    ("dominance", "large sets", "one set, uniform float64"),
    ("dominance", "large sets", "anticorrelated"),
    ("dominance", "fronts", "on the front, m = 3"),
    ("intervals", "inverses", ""),
    ("complexity", "complexity", ""),
    ("least_squares", "loops", ""),
    ("solvers", "logistic", ""),
    ("solvers", "chebyshev", ""),
    ("solvers", "quadratic", ""),
    ("solvers", "ball", ""),
    ("solvers", "replicates", ""),
    ("certify", "speed", "100,000 examples"),
    ("startup", "imports", ""),
)
_START = """\
# How fast is it, and how does it compare with other packages?

This page is for readers who want to know what a computation costs before they start it, and which package to use for it.
It shows times beside those of other packages, how time and memory grow with the input, and how to measure on your own
machine. Every number comes from a record in
[benchmarks/results](https://github.com/moltheory/moltheory/blob/main/benchmarks/results), with versions, processor and date.
"""
_TIMES = """\
## Times beside other packages

The time of moltheory and of the alternative for the same task on the same data, with equal answers, in one process on one
thread. "Times as fast" is the second time divided by the first; below 1, the alternative is faster. Rows whose alternative
is a matrix product are no comparison of packages: the product is a yardstick for what the machine can do. Loops that would
take minutes are run on a part of the task and extrapolated; the record of each row says on which part.
"""
_SLOWER = """\
## Where the alternative is faster

All comparisons in the records in which moltheory takes longer, not only those above. Where all points are on the front,
moltheory hands the rows to moocore, and what it takes longer is the attempt to avoid that.
"""
_VERDICTS = """\
## Verdicts of packages that say which models are on the front

For 20 models, 1,000 examples, one estimated objective and a known price, in seven simulated worlds whose front is known,
at 95 % confidence. A false verdict says "on the front" of a model that is not, or the other way round. A procedure that
keeps its promise has one in at most 5 % of the runs in every world. Not every procedure promises this: the false-share
options of `certify` limit the share of false verdicts instead, and bootstrap rules promise nothing. The table has the share
of runs with a false verdict in the worst of the worlds and in the trade-off, and the share of models that are decided.
"""
_LIMITS = """\
## Limits that are fixed before the data

Of 1,000 examples, how many configurations are certified to meet limits at 95 % confidence, in worlds whose risks are known;
in parentheses how many meet them. The last column is the share of runs with a false claim where all configurations miss the
limit by a hair: at most 5 % are allowed. A fixed sequence tests in the order in which configurations are given; the pilots
find one on a quarter of the examples. MAPIE's fixed sequence takes its direction from the tested examples if errors are not
monotone, and one limit only.
"""
_GROWTH = """\
## How time and memory grow

Time grows like the size to the power of the exponent. The Notes of every public function state its exponents; the stated
one is an upper limit, and the fitted one is measured. `-` stands where the numbers are too small to fit.
"""
_END = """\
## Run them again

```sh
make benchmarks                                # everything, with all other packages, into benchmarks/results
python -m benchmarks --list                    # what there is, what it needs, how long it takes
python -m benchmarks --quick                   # small sizes, into build/benchmarks-quick
python -m benchmarks --only dominance certify/speed
python -m benchmarks --page                    # this page, from the records
```

The commands run in a clone of the repository. The whole set takes about {minutes} minutes on one core, `--quick` about four
minutes. Each benchmark gets a process of its own and one thread. What is compared runs in turn, several times; the records
have medians and quartiles. A run that is interrupted goes on where it stopped when you give the same command again. One
that fails is reported, the others still run, and the exit status is 1. A package that is missing is named in the output and
in the record; `pip install -e ".[peers]"` installs those that moltheory does not need itself.

If other programs run at the same time, the record says that the machine was busy. Ratios are then still of use, times less.

To follow the times of sixteen operations over commits, use [asv](https://asv.readthedocs.io):

```sh
pip install asv
cd benchmarks/tracked
asv run --quick HEAD^!                         # or a range of commits, such as v0.2.0..main
asv compare HEAD^ HEAD
asv publish && asv preview
```

## What is not measured

* Other operating systems, ARM processors and GPUs. Processors without AVX-512 or AVX2 are emulated, in the records of
  `intervals` and `certify`.
* More than one thread. `n_jobs` runs blocks in parallel, and its gain depends on your machine.
* Energy, and the time that you need to write the code.
* Memory that compiled libraries hold outside of Python and NumPy, in the table of growth.
* Comparisons on losses of real models: the verdicts above are about simulated worlds, because only there the front is known.
"""


def page(records: Records, seconds: float) -> str:
    """Return the page; `seconds` is what the whole set takes."""
    parts = [
        _START,
        _TIMES,
        *_times(records),
        _SLOWER,
        *_table(["task", "size", "alternative", "times as fast", "record"], _slower(records)),
        _VERDICTS,
        *_table(
            ["procedure", "false verdict, worst world", "false verdict, trade-off", "models decided, trade-off"],
            _verdicts(records["peers"]),
        ),
        "The record has [all worlds, two objectives and Monte Carlo errors][peers].\n",
        _LIMITS,
        *_limits(records["limits"]),
        "The record has [all worlds, and what the choice of the cheapest one costs][limits].\n",
        _GROWTH,
        *_table(
            ["function", "size", "time", "fitted", "memory", "fitted", "largest size", "time there"], _growth(records)
        ),
        "The record has [all functions][growth].\n",
        _END.format(minutes=f"{seconds / 60:.0f}"),
        *(f"[{name}]: {_SOURCES}/results/{name}.md" for name in records),
    ]
    return "\n".join(parts) + "\n"


def _table(columns: list[str], rows: Iterator[list[str]]) -> list[str]:
    lines = [" | ".join(one) for one in (columns, ["---"] * len(columns), *rows)]
    return [*(f"| {line} |" for line in lines), ""]


def _compared(records: Records, name: str, part: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield comparisons of a part with what they ran on; of several processors the first, which is no emulation."""
    keys = [key for key in records[name]["parts"] if key.partition(" @ ")[0] == part and "emulated" not in key]
    for key in keys[:1]:
        found = records[name]["parts"][key]
        for table in found["tables"]:
            for one in table["main"]:
                yield one, found["conditions"]


def _main(records: Records) -> list[tuple[list[str], str]]:
    """Return the rows of the first table, each with its processor; a task is named in the first of its rows."""
    rows, last = [], ""
    for name, part, text in _MAIN:
        for one, ran_on in _compared(records, name, part):
            if text in one["what"] or text in one["size"]:
                task = one["what"] if one["size"] == "–" else f"{one['what']}: {one['size']}"
                ratio = float(f"{one['theirs'] / one['moltheory']:.3g}")
                cells = [_time(one["moltheory"]), one["peer"], _time(one["theirs"]), f"{ratio:,g}"]
                row = ["" if task == last else task, *cells, f"[{_date(ran_on['date'])}][{name}]"]
                rows.append((row, f"{ran_on['processor'].partition(';')[0].partition(' (')[0]} {ran_on['kind']}"))
                last = task
    return rows


def _times(records: Records) -> list[str]:
    """Return the first table; processors stand below it where all rows have the same."""
    rows = _main(records)
    processors = list(dict.fromkeys(processor for _, processor in rows))
    several = len(processors) > 1
    cells = iter([*row[:-1], f"{row[-1]}, {processor}"] if several else row for row, processor in rows)
    table = _table(["task", "moltheory", "alternative", "its time", "times as fast", "record"], cells)
    return table if several else [*table, f"All rows were measured on a processor of the kind {processors[0]}.\n"]


def _date(text: str) -> str:
    return text.replace("-", "\N{NON-BREAKING HYPHEN}")


def _time(seconds: float) -> str:
    return shown(seconds).replace(" ", "\N{NO-BREAK SPACE}")


def _slower(records: Records) -> Iterator[list[str]]:
    for name, record in records.items():
        for part in dict.fromkeys(key.partition(" @ ")[0] for key in record["parts"]):
            for one, _ in _compared(records, name, part):
                ratio = one["theirs"] / one["moltheory"]
                if ratio < 0.995:
                    yield [
                        one["what"],
                        one["size"],
                        one["peer"],
                        f"{ratio:.2f}",
                        f"[{name}][{name}]",
                    ]


def _verdicts(record: dict[str, Any]) -> Iterator[list[str]]:
    table = record["parts"]["summary"]["tables"][0]
    place = table["columns"].index("trade-off")
    for row in table["rows"]:
        wrong, decided = row[place].split(" / ")
        yield [row[0], f"{row[-1]} %", f"{wrong} %", f"{decided} %"]


def _limits(record: dict[str, Any]) -> list[str]:
    certified, false, _ = record["parts"]["summary"]["tables"]
    shown_worlds = ("thresholds", "no order", "rare errors", "three limits", "small variance")
    places = [k for k, name in enumerate(certified["columns"]) if name.rpartition(" (")[0] in shown_worlds]
    columns = ["procedure", *(certified["columns"][k] for k in places), "false claims"]
    rows = zip(certified["rows"], false["rows"], strict=True)
    return _table(columns, iter([row[0], *(row[k] for k in places), f"{wrong[-1]} %"] for row, wrong in rows))


def _growth(records: Records) -> Iterator[list[str]]:
    from .growth import MAIN

    parts = records["growth"]["parts"]
    tables = [table for key, part in parts.items() if "emulated" not in key for table in part["tables"]]
    rows = {(row[0], row[1]): row for table in tables for row in table["rows"]}
    for key in MAIN:
        yield [f"`{key[0]}`", *rows[key][1:-1]]
