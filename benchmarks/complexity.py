"""Rademacher complexity of 0/1 losses by packed bits, beside one float32 matrix product of the same size.

Usage: python benchmarks/complexity.py [--quick] [--write]

The matrix product gets its operands ready-made as float32 and does nothing but multiply; ours starts from a 0/1
array of bytes, packs it, draws the signs, takes the suprema and their certificate. Both use all cores. Answers are
compared first; medians of interleaved runs are reported. `--quick` takes a tenth of the hypotheses; `--write` also
writes the table, with versions, to results/complexity.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np

from moltheory.bounds import rademacher_complexity

RESULTS = Path(__file__).parent / "results" / "complexity.md"
N, DRAWS, TARGET = 1_000, 200, 4.0


def seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    n_hypotheses = 10_000 if options.quick else 100_000
    rng = np.random.default_rng(0)
    losses = (rng.random((N, n_hypotheses), dtype=np.float32) < 0.3).astype(np.uint8)
    signs = 2 * np.random.default_rng(1).integers(0, 2, size=(DRAWS, N), dtype=np.uint8).astype(np.float32) - 1
    single = losses.astype(np.float32)

    def ours() -> float:
        return rademacher_complexity(losses, rng=1, delta=0.01, draws=DRAWS).value

    expected = (signs @ single).max(axis=1).astype(np.float64) - signs.sum(axis=1, dtype=np.float64) / 2
    if ours() != float(expected.mean()) / N:
        raise SystemExit("the two ways disagree")
    pairs = [(seconds(lambda: signs @ single), seconds(ours)) for _ in range(9)]
    product, packed = (statistics.median(column) for column in zip(*pairs, strict=True))
    best = min(p for p, _ in pairs) / min(q for _, q in pairs)
    lines = [
        f"numpy {version('numpy')}, numba {version('numba')}, Python {platform.python_version()}, "
        f"{os.cpu_count()} cores; {n_hypotheses} hypotheses x {N} examples x {DRAWS} sign draws",
        "",
        "| what | median seconds |",
        "|---|---|",
        f"| float32 matrix product, operands ready | {product:.4f} |",
        f"| suprema and certificate from 0/1 bytes | {packed:.4f} |",
        "",
        f"Ratio of medians {product / packed:.1f}, of the fastest runs {best:.1f}; target {TARGET:g}.",
    ]
    text = "\n".join(lines)
    print(text)
    if options.write:
        RESULTS.write_text(f"# Rademacher complexity of 0/1 losses\n\n{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
