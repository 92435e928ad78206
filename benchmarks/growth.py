"""How time and memory of every public callable grow with the size of its input, beside the growth that its Notes state.

Sizes double until one call takes .3 s of processor time (`--quick`: .05 s) or the case has reached its largest size;
time is the best of two calls or more (2 s are not repeated), memory the peak of `tracemalloc` in a further one. Fitted
exponents are slopes of the logarithms over the last five sizes with at least 2 ms, and 0.5 MB; logarithmic factors are
not told apart from the power. Arrays that outgrow a cache, and neighbors on the machine, look like growth: what is above
the stated exponent by more than .2 (`--quick`: .5) is measured twice more, and the smallest fit counts. If that is still
above, it is marked with (!), and the benchmark fails after all rows are kept. Below is no fault, as the worst case is
stated. `--quick` measures the main operations only.

Memory is that of Python and NumPy: what pyarrow, moocore and compiled solvers hold beside it is not seen. Cases stand in
growth_cases/.
"""

from __future__ import annotations

import contextlib
import gc
import math
import time
import tracemalloc
import warnings
from dataclasses import dataclass
from functools import partial

from ._protocol import Benchmark, Budget, Part, Table, shown
from .growth_cases import CASES, Case

SMALLEST_TIME, SMALLEST_MEMORY = 2e-3, 0.5e6
MOST_MEMORY, MOST_SETUP, LONG, POINTS = 6e8, 4.0, 2.0, 5
# By name and size: the operations on the page of the documentation, and all that `--quick` measures.
MAIN = (
    ("pareto.nondominated", "n points, 2 objectives, all on the front"),
    ("pareto.hypervolume", "n points, 3 objectives"),
    ("inference.binomial_interval", "number of counts"),
    ("inference.mean_interval", "n examples, betting"),
    ("bounds.rademacher_complexity", "n examples, 0/1"),
    ("bounds.certified_members", "H hypotheses, two objectives"),
    ("certification.certify", "n examples, 0/1"),
    ("certification.certify", "n examples, floats"),
    ("certification.certify", "M models, 0/1"),
    ("certification.certify", "M models, floats"),
    ("evaluation.open_losses", "rows of a Parquet file, beyond a block"),
    ("solvers.solve_front", "n examples, Newton"),
    ("solvers.solve_front", "K scalarizations, Newton"),
    ("solvers.weight_cells", "n points, 2 objectives, all on the front"),
    ("problems.MultiTaskLeastSquares.sample", "replicates"),
    ("experiments.asymmetry", "replicates, finite class"),
    ("theorems.check", "replicates"),
    ("runs.run_blocks", "number of blocks"),
)
_SMOKE = (MAIN[0], MAIN[6], MAIN[16])
_COLUMNS = (*("callable", "size", "time", "fitted", "memory", "fitted", "largest size", "time there", "memory there"),)


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


def cell(stated: float, fitted: float, margin: float) -> list[str]:
    """Return stated and fitted exponent."""
    if math.isnan(fitted):
        return [f"{stated:g}", "-"]
    fitted = fitted + 0.0 if abs(fitted) >= 0.005 else 0.0
    return [f"{stated:g}", f"{fitted:.2f}{' (!)' if fitted > stated + margin else ''}"]


def row(case: Case, until: float, margin: float) -> list[str]:
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
    largest = [f"{last.size:,}", shown(last.time), f"{last.memory / 1e6:.3g} MB"]
    return [case.name, case.of, *cell(case.time, times, margin), *cell(case.memory, peaks, margin), *largest]


def measured_row(case: Case, budget: Budget) -> list[str]:
    """Measure a case; one that fails is a fault, and no reason to lose the others."""
    until, margin = budget.pick((0.3, 0.2), (0.05, 0.5), (0.01, 1.0))
    try:
        return row(case, max(until, case.seconds) if budget.name == "full" else until, margin)
    except Exception as error:
        return [case.name, case.of, f"failed (!): {type(error).__name__}: {error}", *[""] * 6]


def measure(face: str, budget: Budget) -> Part:
    """Measure the cases of one part of the package."""
    cases = [case for case in CASES if case.name.partition(".")[0] == face]
    if budget.name != "full":
        chosen = budget.pick((), MAIN, _SMOKE)
        cases = [case for case in cases if (case.name, case.of) in chosen]
    rows = []
    for case in cases:
        rows.append(measured_row(case, budget))
        print("   ", *rows[-1], flush=True)
    faster = sum("(!)" in text for one in rows for text in one)
    return Part([Table(_COLUMNS, rows, [f"{len(rows)} cases; {faster} grow faster than stated, or fail."])])


FACES = tuple(dict.fromkeys(case.name.partition(".")[0] for case in CASES))

BENCHMARK = Benchmark(
    name="growth",
    title="Growth of time and memory",
    compares="How time and memory of every public callable grow with its input, beside the exponents stated in its Notes.",
    parts={face: partial(measure, face) for face in FACES},
    seconds=(1200, 17),
    by_processor=FACES,
)
