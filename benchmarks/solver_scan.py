"""Convex problems whose columns have any scale and offset, under several BLAS kernels, against 60-digit references.

Usage: python benchmarks/solver_scan.py [--count N] [--write]

The problems are those of tests/solvers/_scan.py: least squares, logistic losses, balls, Chebyshev, absolute losses, lasso
and l1 balls. A value counts as wrong if it, or the exact value of the returned parameters, is farther from the least value
than the stated gap. `--write` also writes the table to results/solver_scan.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results" / "solver_scan.md"
KERNELS = ("native", "Haswell", "Prescott")


def scan(count: int) -> dict[str, Counter]:
    """Return counts for each kind of problem, in this process."""
    import mpmath as mp
    import numpy as np

    import moltheory as mt
    from tests.solvers._scan import least, problems, value

    found: dict[str, Counter] = defaultdict(Counter)
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


def main() -> None:
    """Run one process for each kernel, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--here", action="store_true", help="scan in this process and print JSON")
    asked = parser.parse_args()
    if asked.here:
        print(json.dumps(scan(asked.count)))
        return
    lines = [
        "# Convex problems in any units, under several kernels",
        "",
        f"{asked.count} problems for each kernel; columns scaled by 1e-6 to 1e6 and shifted by up to 1e6, an intercept in",
        "two of three. Wrong: the value, or the exact value of the returned parameters, is farther from the least value",
        "(60 digits) than the stated gap. All gaps are rigorous unless a column says otherwise.",
        "",
        "| kernel | kind | problems | refused | wrong | not rigorous | without reference | largest gap | seconds |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for kernel in KERNELS:
        chosen = {} if kernel == "native" else {"OPENBLAS_CORETYPE": kernel}
        environment = {**os.environ, **chosen, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, __file__, "--here", "--count", str(asked.count)]
        run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        for kind, row in json.loads(run.stdout).items():
            loose = row["problems"] - row["refused"] - row["rigorous"]
            lines.append(
                f"| {kernel} | {kind} | {row['problems']} | {row['refused']} | {row.get('wrong', 0)} | {loose} | "
                f"{row['without reference']} | {row.get('largest gap', 0.0):.1e} | {row['seconds']:.1f} |"
            )
            print(lines[-1], flush=True)
    if asked.write:
        RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
