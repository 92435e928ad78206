"""How time and memory of every public callable grow with the size of its input, beside the growth that its Notes state.

Usage: python benchmarks/growth.py [--quick] [--write] [--only NAME ...]

Sizes double until one call takes .3 s of processor time (`--quick`: .05 s) or the case has reached its largest size;
time is the best of two calls or more (2 s are not repeated), memory the peak of `tracemalloc` in a further one. Fitted
exponents are slopes of the logarithms over the last five sizes with at least 2 ms, and 0.5 MB; logarithmic factors are
not told apart from the power. Arrays that outgrow a cache, and neighbors on the machine, look like growth: what is above
the stated exponent by more than .2 (`--quick`: .5) is measured twice more, and the smallest fit counts. If that is still
above, it is marked with (!), and the exit status is 1. Below is no fault, as the worst case is stated. `--only` takes
names, or beginnings of names, such as ``solvers``. `--write` also writes the table to results/growth.md.

Memory is that of Python and NumPy: what pyarrow, moocore and compiled solvers hold beside it is not seen. Cases stand in
growth_cases/.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import math
import os
import sys
import time
import tracemalloc
import warnings
from dataclasses import dataclass
from pathlib import Path

# One thread, so that processor time is that of the work.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

from _processor import kind_of_processor, run_on, write_sections  # noqa: E402
from growth_cases import CASES, Case  # noqa: E402

RESULTS = Path(__file__).parent / "results" / "growth.md"
SMALLEST_TIME, SMALLEST_MEMORY = 2e-3, 0.5e6
MARGIN, MARGIN_QUICK = 0.2, 0.5
MOST_MEMORY, MOST_SETUP, LONG, POINTS = 6e8, 4.0, 2.0, 5


@dataclass(frozen=True)
class Point:
    """Time in seconds and peak memory in bytes at one size."""

    size: int
    time: float
    memory: float


def measured(case: Case, size: int, enough: float) -> tuple[Point, float]:
    """Measure one size; return seconds of preparation too."""
    start = time.process_time()
    work = case.make(size)
    setup = time.process_time() - start
    best, total, calls = math.inf, 0.0, 0
    gc.collect()
    while calls < 1 or (calls < 2 and best < LONG) or (total < enough and calls < 5):
        start = time.process_time()
        work()
        last = time.process_time() - start
        best, total, calls = min(best, last), total + last, calls + 1
    gc.collect()
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return Point(size, best, peak), setup


def points_of(case: Case, until: float) -> list[Point]:
    """Measure sizes until a call takes long."""
    found, size = [], case.first
    with contextlib.suppress(MemoryError):
        case.make(size)()  # compiled and imported
        gc.collect()
        gc.freeze()  # what is imported need not be looked at again
        while size <= case.largest:
            point, setup = measured(case, size, until / 2)
            found.append(point)
            most = MOST_MEMORY if not case.seconds else math.inf
            if point.time > until or point.memory > most or setup > max(MOST_SETUP, case.seconds):
                break
            size *= 2
    return found


def exponent(points: list[tuple[float, float]], smallest: float) -> float:
    """Fit a power to the last sizes whose value is at least the smallest; NaN for fewer than three."""
    used = [(math.log(size), math.log(value)) for size, value in points[-POINTS:] if value >= smallest]
    if len(used) < 3:
        return math.nan
    x = sum(size for size, _ in used) / len(used)
    y = sum(value for _, value in used) / len(used)
    return sum((size - x) * (value - y) for size, value in used) / sum((size - x) ** 2 for size, _ in used)


def cell(stated: float, fitted: float, margin: float) -> str:
    """Return stated and fitted exponent."""
    if math.isnan(fitted):
        return f"{stated:g} | -"
    fitted = fitted + 0.0 if abs(fitted) >= 0.005 else 0.0
    return f"{stated:g} | {fitted:.2f}{' (!)' if fitted > stated + margin else ''}"


def row(case: Case, until: float, margin: float) -> str:
    """Measure a case and return its row."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = points_of(case, until)
        times = exponent([(point.size, point.time) for point in found], SMALLEST_TIME)
        for _ in range(2):
            if times > case.time + margin:
                again = [(point.size, point.time) for point in points_of(case, until)]
                times = min(times, exponent(again, SMALLEST_TIME))
    last = found[-1]
    peaks = exponent([(point.size, point.memory) for point in found], SMALLEST_MEMORY)
    return (
        f"| {case.name} | {case.of} | {cell(case.time, times, margin)} | {cell(case.memory, peaks, margin)} | {last.size} | "
        f"{1e3 * last.time:.3g} ms | {last.memory / 1e6:.3g} MB |"
    )


def known_rows(heading: str) -> dict[tuple[str, str], str]:
    """Return the rows that were written before, which `--only` keeps."""
    if not RESULTS.exists():
        return {}
    section = RESULTS.read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")]
    return {(line.split(" | ")[0].removeprefix("| "), line.split(" | ")[1]): line for line in rows}


def measured_row(case: Case, quick: bool) -> str:
    """Measure a case; one that fails is a fault, and no reason to lose the others."""
    try:
        return row(case, 0.05, MARGIN_QUICK) if quick else row(case, max(0.3, case.seconds), MARGIN)
    except Exception as error:
        return f"| {case.name} | {case.of} | failed (!): {type(error).__name__}: {error} |" + " |" * 6


def main() -> int:
    """Print the table, write it if asked, and return 1 if something grows faster than stated."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="smaller sizes")
    parser.add_argument("--write", action="store_true", help=f"also write {RESULTS.name}; with --only these rows")
    parser.add_argument("--only", nargs="+", default=[""], metavar="NAME", help="beginnings of names")
    options = parser.parse_args()
    heading = f"Processor {kind_of_processor()}"
    head = [
        run_on() + ".",
        "",
        "Exponents of time and memory, stated and fitted; - where the largest size is too small to fit one.",
        "",
        "| callable | size | time | fitted | memory | fitted | largest size | time there | memory there |",
        "|" + " --- |" * 9,
    ]
    print("\n".join(head), flush=True)
    faster = 0
    for case in CASES:
        if not case.name.startswith(tuple(options.only)):
            continue
        line = measured_row(case, options.quick)
        faster += "(!)" in line
        print(line, flush=True)
        if options.write:  # at once: a run that is stopped keeps what it has
            rows = known_rows(heading) | {(case.name, case.of): line}
            table = [rows[key] for key in ((one.name, one.of) for one in CASES) if key in rows]
            count = sum("(!)" in one for one in table)
            end = ["", f"{len(table)} cases; {count} grow faster than stated, or fail."]
            write_sections(RESULTS, "Growth of time and memory", {heading: [*head, *table, *end]})
    print(f"\n{faster} grow faster than stated, or fail.")
    return int(faster > 0)


if __name__ == "__main__":
    sys.exit(main())
