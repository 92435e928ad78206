"""What a stream decides beside a fixed-size certificate of the same examples, and how many more examples it takes.

Worlds with known truth (moltheory.figures._claim_worlds), one objective and a price, delta = 0.05. The fixed-size
certificate is allowed one look, at 200, 1000 or 5000 examples. The stream is looked at on a grid of numbers of examples,
each 15 % larger than the one before. Its factor is the smallest number on the grid at which it decides as many models, on
average over runs, over the number of the fixed-size certificate.
"""

from __future__ import annotations

from functools import partial

import numpy as np

import moltheory as mt
from moltheory.figures._claim_worlds import compared_models
from moltheory.runs import as_seed_sequence, block_stream

from ._protocol import Benchmark, Budget, Part, Table

DELTA = 0.05
KINDS = ("trade-off", "ties", "flat")
SIZES = (200, 1000, 5000)
GRID = sorted({*SIZES, *(int(50 * 1.15**k) for k in range(42))})


def measure(
    kind: str, loss: str, models: int, runs: int, sizes: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Return the models decided by `certify` (runs, sizes) and by the stream (runs, grid), and runs with a false verdict."""
    grid = [n for n in GRID if n <= 3.2 * max(sizes)]
    fixed, streamed, wrong = np.zeros((runs, len(sizes))), np.zeros((runs, len(grid))), [0, 0]
    for run in range(runs):
        rng = block_stream(as_seed_sequence(0), f"stream {kind} {loss} {models}", 0, run)
        world = compared_models(kind, models, 1, rng)
        losses, _ = world.draw(grid[-1], loss, rng)
        costs = {"price": np.asarray(world.costs).reshape(-1)}
        for k, n in enumerate(sizes):
            found = mt.certify(losses[:n], costs=costs, delta=DELTA)
            fixed[run, k] = np.count_nonzero(~found.undecided)
            wrong[0] += _is_wrong(found, world.on_front)
        stream = mt.CertificateStream(models, losses.shape[2], DELTA, costs=costs)
        before, false = 0, False
        for k, n in enumerate(grid):
            stream.update(losses[before:n])
            found, before = stream.certificate(), n
            streamed[run, k] = np.count_nonzero(~found.undecided)
            false |= _is_wrong(found, world.on_front)
        wrong[1] += false
    return fixed, streamed, wrong


def _is_wrong(found: mt.Certificate, on_front: np.ndarray) -> bool:
    return bool((found.sure & ~on_front).any() or (found.excluded & on_front).any())


def measured(loss: str, budget: Budget) -> Part:
    """Measure all worlds of one kind of losses."""
    rows, data, false, sizes = [], [], [0, 0], budget.pick(SIZES, SIZES[:2], SIZES[:1])
    grid = [n for n in GRID if n <= 3.2 * max(sizes)]
    for models in budget.pick((5, 20), (5,)):
        for kind in budget.pick(KINDS, KINDS[:1]):
            runs = budget.pick(10, 4, 1)
            fixed, streamed, wrong = measure(kind, loss, models, runs, sizes)
            for k, n in enumerate(sizes):
                least = fixed[:, k].mean()
                reached = np.flatnonzero(streamed.mean(axis=0) >= least)
                factor = grid[int(reached[0])] / n if reached.size else float("inf")
                here = streamed[:, grid.index(n)].mean()
                shares = [f"{100.0 * value / models:.0f}" for value in (least, here)]
                rows.append([kind, models, n, *shares, f"{factor:.2g}" if reached.size else f"> {grid[-1] / n:.2g}"])
                data.append({"kind": kind, "models": models, "n": n, "fixed": least, "stream": here, "factor": factor})
            false = [total + more for total, more in zip(false, wrong, strict=True)]
    notes = [
        "Decided models in per cent, means over runs; the factor is that of examples for as many decisions.",
        f"{budget.pick(10, 4, 1)} runs; both see the same examples.",
    ]
    runs = len(rows) // len(sizes) * budget.pick(10, 4, 1)
    notes.append(
        f"A false verdict in {false[0]} of {runs * len(sizes)} fixed-size certificates, and at some look in {false[1]} of "
        f"{runs} streams."
    )
    columns = ["world", "models", "examples", "certify", "stream", "factor"]
    finite = [one["factor"] for one in data if np.isfinite(one["factor"])]
    if finite:
        notes.append(
            f"Factors: median {np.median(finite):.2g}, largest {max(finite):.2g} of those reached on the grid."
        )
    return Part([Table(columns, rows, notes)], [{**one, "factor": str(one["factor"])} for one in data])


BENCHMARK = Benchmark(
    name="stream",
    title="What `CertificateStream` decides beside `mt.certify`",
    compares="Shares of models decided by a stream and by a certificate, and how many examples as many decisions take.",
    parts={loss.replace("/", "-"): partial(measured, loss) for loss in ("0/1", "bounded")},
    seconds=(140, 5),
)
