"""Rademacher complexity of 0/1 losses by packed bits, beside one float32 matrix product of the same size.

The matrix product gets its operands ready-made as float32 and does nothing but multiply; ours starts from a 0/1
array of bytes, packs it, draws the signs, takes the suprema and their certificate. Answers are compared first.
"""

from __future__ import annotations

import numpy as np

from moltheory.bounds import rademacher_complexity

from ._protocol import Benchmark, Budget, Main, Part, Table, compared, times_in_turn

N, DRAWS, TARGET = 1_000, 200, 4.0


def complexity(budget: Budget) -> Part:
    hypotheses = budget.pick(100_000, 10_000, 1_000)
    rng = np.random.default_rng(0)
    losses = (rng.random((N, hypotheses), dtype=np.float32) < 0.3).astype(np.uint8)
    signs = 2 * np.random.default_rng(1).integers(0, 2, size=(DRAWS, N), dtype=np.uint8).astype(np.float32) - 1
    single = losses.astype(np.float32)
    times, found = times_in_turn(
        {
            "product": lambda: signs @ single,
            "ours": lambda: rademacher_complexity(losses, rng=1, delta=0.01, draws=DRAWS).value,
        },
        9,
    )
    expected = found["product"].max(axis=1).astype(np.float64) - signs.sum(axis=1, dtype=np.float64) / 2
    if found["ours"] != float(expected.mean()) / N:
        raise ValueError("the two ways disagree")
    ours, product = times["ours"], times["product"]
    size = f"{hypotheses:,} hypotheses x {N:,} examples x {DRAWS} sign draws"
    rows = [
        ["float32 matrix product, operands ready", product, compared(ours, product)],
        ["suprema and certificate from 0/1 bytes", ours, "1"],
    ]
    main = [
        Main("Rademacher complexity of 0/1 losses", size, ours.median, "one float32 matrix product", product.median)
    ]
    return Part([Table(["what", "seconds", "times ours"], rows, [f"{size}. Target: {TARGET:g}."], main=main)])


BENCHMARK = Benchmark(
    name="complexity",
    title="Rademacher complexity of 0/1 losses",
    compares="Suprema over sign draws by packed bits, beside one float32 matrix product of the same size.",
    parts={"complexity": complexity},
    seconds=(30, 2),
)
