"""`mt.certify`: speed beside plain matrix products, memory, and what pairing buys over boxes and bootstrap fronts.

Speed and peak memory are taken in processes of their own, with 0/1 losses, and losses between, of 200 models in 3
objectives on up to 2 x 10^5 examples. The yardstick is three plain float32 products 200 x n by n x 200 plus one read of
the data. Power and failure rates come from simulated worlds with known truth (tests/certification/_worlds.py).
`_processor.py` tells how to emulate another kind of processor.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from typing import Any

import numpy as np

from ._processor import ROOT
from ._protocol import Benchmark, Budget, Main, Part, Table, Times, compared, seconds_of, times_in_turn

MODELS, OBJECTIVES = 200, 3
_DTYPES = {"bool": np.bool_, "float32": np.float32}


def losses_of(n: int, dtype: str) -> Any:
    """Draw losses (n, 200, 3), 0 or 1 or "between", some of them missing where the type says so."""
    rng = np.random.default_rng(1)
    losses: Any = np.empty((n, MODELS, OBJECTIVES), _DTYPES[dtype.partition(",")[0]])
    rates = rng.uniform(0.1, 0.3, (MODELS, OBJECTIVES)).astype(np.float32)
    for start in range(0, n, 1000):
        part = losses[start : start + 1000]
        drawn = rng.random((len(part), MODELS, OBJECTIVES), dtype=np.float32)
        if "between" in dtype:  # hard examples are hard for all
            part[:] = 0.5 * drawn * (1.0 + rates) * 0.7 + 0.5 * rng.random((len(part), 1, 1), dtype=np.float32)
        else:
            part[:] = drawn < rates
        if "missing" in dtype:
            part[rng.random(part.shape, dtype=np.float32) < 0.1] = np.nan
    return losses


def one_speed(n: int, dtype: str, rounds: int) -> dict[str, Any]:
    """Time certify and the yardstick in this process, and its peak memory over the input's."""
    import moltheory as mt
    from moltheory.inference import _pairs

    # Load everything once, compiled kernels too, so that memory is that of the data.
    usual, _pairs._COMPILE_FROM = _pairs._COMPILE_FROM, 0
    for dtype_of_all in _DTYPES.values():
        mt.certify((np.eye(8)[:, :4, None] > 0.5).astype(dtype_of_all))
    mt.certify(0.5 * np.eye(8)[:, :4, None])
    _pairs._COMPILE_FROM = usual
    losses = losses_of(n, dtype)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    first, _ = seconds_of(lambda: mt.certify(losses))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    columns = np.ascontiguousarray(losses[:, :, 0], dtype=np.float32)
    rows = np.ascontiguousarray(columns.T)

    def yardstick() -> None:
        losses.view(np.uint8).max()
        for _ in range(3):
            rows @ columns  # the product is thrown away

    times, _ = times_in_turn({"certify": lambda: mt.certify(losses), "yardstick": yardstick}, rounds)
    found = {name: one.seconds for name, one in times.items()}
    return found | {"first": first, "peak": 1 + max(peak - before, 0) / losses.nbytes}


def speed(budget: Budget) -> Part:
    shrink = budget.pick(1, 10, 100)
    cases = [(n // shrink, "bool") for n in (25_000, 50_000, 100_000, 200_000)]
    cases += [(100_000 // shrink, f"float32{more}") for more in ("", ", 10 % missing", ", between 0 and 1")]
    rows, main = [], []
    for n, dtype in cases[:: budget.pick(1, 1, 3)]:
        asked = json.dumps([n, dtype, budget.pick(5, 3, 1)])
        command = [sys.executable, "-m", "benchmarks.certify", asked]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout)
        ours, base = Times(tuple(found["certify"])), Times(tuple(found["yardstick"]))
        cells = [Times((found["first"],)), base, compared(base, ours), Times(ours.seconds, n), f"{found['peak']:.2f}"]
        rows.append([dtype, f"{n:,}", ours, *cells])
        size = f"{n:,} examples, {MODELS} models, {OBJECTIVES} objectives, {dtype}"
        main.append(Main("certify", size, ours.median, "three float32 products and one read", base.median))
    notes = [
        "Targets: at most 8 times the yardstick, time linear in the examples, at most 5 s for 100,000, peak at most 2 x the "
        "input (input included)."
    ]
    columns = [
        "losses",
        "examples",
        "certify",
        "first call",
        "3 products + read",
        "times it",
        "per example",
        "peak / input",
    ]
    return Part([Table(columns, rows, notes, main=main)])


def power(budget: Budget) -> Part:
    """Count settled models and false verdicts."""
    from tests.certification._worlds import METHODS, study

    runs = budget.pick(20, 4, 1)
    rows = []
    for kind in budget.pick(
        ("ties", "near ties", "trade-off", "independent", "clusters"), ("ties", "trade-off"), ("ties",)
    ):
        for models, m in budget.pick(((10, 2), (50, 2), (50, 3)), ((10, 2), (50, 2)), ((10, 2),)):
            found = study(kind, models=models, m=m, n=1000, runs=runs, seed=1, delta=0.05, methods=METHODS)
            cells = [f"{100 * o.settled:.0f} %, {100 * o.failures / runs:.0f} % wrong" for o in found.values()]
            rows.append([kind, models, m, *cells])
    notes = [
        f"1000 examples, delta = 0.05, {runs} worlds per row; each cell: mean share of settled models, runs gone wrong.",
        "Bootstrap: on the front in at least 95 % of 200 resamples, or in at most 5 %. It promises nothing, and it shows. "
        "Hoeffding boxes and bootstrap ignore clusters.",
    ]
    return Part([Table(["world", "models", "objectives", *METHODS], rows, notes)])


def saved(budget: Budget) -> Part:
    """Count the examples that pairing saves."""
    from tests.certification._worlds import METHODS, study

    runs = budget.pick(6, 2, 1)
    sizes = [250 * 2**k for k in range(budget.pick(9, 5, 2))]
    methods = {name: METHODS[name] for name in list(METHODS)[:3]}
    rows = []
    for kind in ("trade-off", "independent"):
        curves: dict[str, list[float]] = {name: [] for name in methods}
        for n in sizes:
            found = study(kind, models=20, m=2, n=n, runs=runs, seed=3, delta=0.05, methods=methods)
            for name, outcome in found.items():
                curves[name].append(outcome.settled)
        for share in (0.5, 0.8):
            need = [crossing(sizes, curve, share) for curve in curves.values()]
            cells = [f"{n:.0f}" if np.isfinite(n) else f"> {sizes[-1]}" for n in need]
            rows.append(
                [kind, f"{100 * share:.0f} %", *cells, *(_times_fewer(n, need[0], sizes[-1]) for n in need[1:])]
            )
    notes = [
        "Examples until the share of models is settled, interpolated between doublings; 20 models, 2 objectives; times "
        "fewer than either box."
    ]
    columns = [
        "world",
        "settled",
        "certify",
        "boxes, Clopper-Pearson",
        "boxes, Hoeffding",
        "times fewer",
        "times fewer",
    ]
    return Part([Table(columns, rows, notes)])


def _times_fewer(n: float, ours: float, most: int) -> str:
    if np.isfinite(n):
        return f"{n / ours:.1f}"
    return f"> {most / ours:.1f}" if np.isfinite(ours) else "?"


def crossing(sizes: list[int], curve: list[float], share: float) -> float:
    """Return the number of examples at which the curve first reaches a share, log-linear between the sizes."""
    for k, value in enumerate(curve):
        if value >= share:
            if k == 0:
                return float(sizes[0])
            part = (share - curve[k - 1]) / (value - curve[k - 1])
            return float(sizes[k - 1] * (sizes[k] / sizes[k - 1]) ** part)
    return float("inf")


BENCHMARK = Benchmark(
    name="certify",
    title="`mt.certify`",
    compares="Time and memory of a certificate beside plain matrix products, and what pairing buys over boxes.",
    parts={"speed": speed, "power": power, "saved": saved},
    seconds=(300, 28),
    by_processor=("speed",),
)

if __name__ == "__main__":
    print(json.dumps(one_speed(*json.loads(sys.argv[1]))))
