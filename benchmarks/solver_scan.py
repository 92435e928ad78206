"""Convex problems whose columns have any scale and offset, under several BLAS kernels, against 60-digit references.

The problems are those of tests/solvers/_scan.py: least squares, logistic losses, balls, Chebyshev, absolute losses, lasso
and l1 balls. A value counts as wrong if it, or the exact value of the returned parameters, is farther from the least value
than the stated gap.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter, defaultdict

from ._processor import ROOT
from ._protocol import Benchmark, Budget, Part, Table

_NOTES = [
    "Columns scaled by 1e-6 to 1e6 and shifted by up to 1e6, an intercept in two of three. Wrong: the value, or the exact "
    "value of the returned parameters, is farther from the least value (60 digits) than the stated gap. All gaps are "
    "rigorous unless a column says otherwise.",
]
_COLUMNS = ["kind", "problems", "refused", "wrong", "not rigorous", "without reference", "largest gap", "seconds"]


def scan(count: int) -> dict[str, Counter[str]]:
    """Return counts for each kind of problem, in this process."""
    import mpmath as mp
    import numpy as np

    import moltheory as mt
    from tests.solvers._scan import least, problems, value

    found: dict[str, Counter[str]] = defaultdict(Counter)
    for one in problems(2026, count):
        start = time.process_time()
        sweep = mt.solve_front(one.objectives, scalarizations=[one.u], on_failure="mark")
        row = found[one.kind]
        row["seconds"] += time.process_time() - start
        row["problems"] += 1
        solved = bool(sweep.solved[0])
        row["refused"] += not solved
        row["rigorous"] += solved and bool(sweep.rigorous[0])
        exact = least(one, sweep.solutions[0]) if np.isfinite(sweep.solutions).all() else None
        row["without reference"] += exact is None
        if solved and exact is not None:
            off = abs(mp.mpf(float(sweep.values[0])) - exact)
            row["wrong"] += bool(max(off, value(one, sweep.solutions[0]) - exact) > sweep.gap[0])
            row["largest gap"] = max(row["largest gap"], float(sweep.gap[0]))
    return found


def _part(kernel: str, budget: Budget) -> Part:
    """Scan in a process of its own, which loads the kernel."""
    chosen = {} if kernel == "native" else {"OPENBLAS_CORETYPE": kernel}
    command = [sys.executable, "-m", "benchmarks.solver_scan", str(budget.pick(1000, 40, 8))]
    environment = {**os.environ, **chosen}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    rows = []
    for kind, row in json.loads(run.stdout).items():
        loose = row["problems"] - row["refused"] - row["rigorous"]
        counts = [row["problems"], row["refused"], row.get("wrong", 0), loose, row["without reference"]]
        rows.append([kind, *counts, f"{row.get('largest gap', 0.0):.1e}", f"{row['seconds']:.1f}"])
    return Part([Table(_COLUMNS, rows, _NOTES)])


BENCHMARK = Benchmark(
    name="solver_scan",
    title="Convex problems in any units, under several kernels",
    compares="Values and gaps of convex problems in any units, beside references of 60 digits, under three BLAS kernels.",
    parts={name: lambda budget, kernel=name: _part(kernel, budget) for name in ("native", "Haswell", "Prescott")},
    seconds=(230, 10),
    peers=("mpmath",),
)

if __name__ == "__main__":
    print(json.dumps(scan(int(sys.argv[1]))))
