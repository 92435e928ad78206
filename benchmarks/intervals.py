"""Intervals for one mean: the kl inverse beside SciPy's root finders, and the table of 0/1 losses.

Usage: python benchmarks/intervals.py [--quick] [--write]

Every case first checks that both give the same answer, then times them and reports the shortest processor time of
several calls, to which other programs add least. The loop over `scipy.optimize.brentq` runs on a part of the triples
and is extrapolated. `--quick` takes a tenth of the triples; `--write` also writes the table, under the kind of
processor, to results/intervals.md. `_processor.py` tells how to emulate another.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from _processor import kind_of_processor, run_on, write_sections
from scipy.optimize import brentq, elementwise

from moltheory.bounds import binomial_interval, confidence_sequence, kl_inverse, mean_interval

Array = npt.NDArray[Any]
RESULTS = Path(__file__).parent / "results" / "intervals.md"
_LOOPED = 20_000


def seconds(function: Callable[[], Any], repeats: int) -> float:
    """Return the shortest processor time of a call, after one that may compile."""
    function()
    return min(once(function)[1] for _ in range(repeats))


def once(function: Callable[[], Any]) -> tuple[Any, float]:
    """Return the answer and the processor time of one call."""
    start = time.process_time()
    answer = function()
    return answer, time.process_time() - start


def by_brentq(p: Array, budget: Array) -> Array:
    """Return what a loop gives."""

    def excess(q: float, a: float, c: float) -> float:
        return a * math.log(a / q) + (1 - a) * math.log((1 - a) / (1 - q)) - c

    pairs = zip(p.tolist(), budget.tolist(), strict=True)
    return np.array([brentq(excess, a, 1 - 1e-16, args=(a, c), xtol=1e-15, rtol=8.9e-16) for a, c in pairs])


def by_find_root(p: Array, budget: Array) -> Array:
    """Return what SciPy's elementwise root finder gives."""

    def excess(q: Array, a: Array, c: Array) -> Array:
        return np.asarray(a * np.log(a / q) + (1 - a) * np.log((1 - a) / (1 - q)) - c)

    return np.asarray(elementwise.find_root(excess, (p, np.full(p.size, 1 - 1e-16)), args=(p, budget)).x)


def agree(name: str, ours: Array, theirs: Array) -> None:
    """Stop if the answers differ by more than the peers' own rounding."""
    if not np.allclose(ours, theirs, rtol=1e-6, atol=1e-9):
        raise SystemExit(f"{name}: the answers differ by {np.abs(ours - theirs).max():g}")


def row(name: str, mine: float, reference: float | None, target: float | None) -> str:
    """Return one row of the table."""
    if reference is None:
        return f"| {name} | {mine * 1e3:.2f} | | | | |"
    speed = reference / mine
    verdict = "" if target is None else "yes" if speed >= target else "no"
    return f"| {name} | {mine * 1e3:.2f} | {reference * 1e3:.1f} | {speed:.1f} | {target or ''} | {verdict} |"


def rows(quick: bool) -> Iterator[str]:
    """Yield the rows."""
    rng = np.random.default_rng(0)
    many = 10**5 if quick else 10**6
    p, n, delta = rng.uniform(0.001, 0.999, many), rng.integers(10, 10**5, many), rng.uniform(1e-6, 0.5, many)
    budget = -np.log(delta) / n
    ours = kl_inverse(p, budget)
    mine = seconds(lambda: kl_inverse(p, -np.log(delta) / n), 7)
    agree("brentq", ours[:_LOOPED], by_brentq(p[:_LOOPED], budget[:_LOOPED]))
    time_of_part = seconds(lambda: by_brentq(p[:_LOOPED], budget[:_LOOPED]), 5)
    yield row(f"kl inverse of {many:,} triples; brentq loop", mine, time_of_part * many / _LOOPED, 150)
    found, time_of_root = once(lambda: by_find_root(p, budget))
    solved = np.isfinite(found)
    if solved.mean() < 0.999:
        raise SystemExit(f"find_root: solves only {solved.mean():.2%} of the triples")
    agree("find_root", ours[solved], found[solved])
    yield row(f"kl inverse of {many:,} triples; elementwise.find_root", mine, time_of_root, 12)

    size = 1_000
    errors = rng.integers(0, size + 1, many)
    level = -np.log(0.05) / size
    general = seconds(lambda: kl_inverse(errors / size, level), 7)
    table = kl_inverse(np.arange(size + 1) / size, level)
    agree("table", table[errors], kl_inverse(errors / size, level))
    looked_up = seconds(lambda: kl_inverse(np.arange(size + 1) / size, level)[errors], 15)
    yield row(f"kl inverse of {many:,} counts of {size:,}, by table; without table", looked_up, general, 10)
    for method in ("kl", "clopper-pearson", "hoeffding-bentkus"):
        spent = seconds(lambda m=method: binomial_interval(errors, size, method=m, delta=0.05), 7)  # type: ignore[misc]
        yield row(f"binomial_interval, {method}, {many:,} counts of {size:,}, both sides", spent, None, None)
    sizes = rng.integers(size, 2 * size, many // 10)
    spent = seconds(lambda: binomial_interval(errors[: many // 10], sizes, delta=0.05), 3)
    yield row(
        f"binomial_interval, clopper-pearson, {many // 10:,} counts of different n, both sides", spent, None, None
    )
    losses = rng.beta(2, 5, (1_000, 1_000 if not quick else 100))
    shape = f"{losses.shape[0]:,} x {losses.shape[1]:,} losses"
    for method in ("empirical-bernstein", "betting"):
        spent = seconds(lambda m=method: mean_interval(losses, method=m, delta=0.05), 3)  # type: ignore[misc]
        yield row(f"mean_interval, {method}, {shape}, both sides", spent, None, None)
    for method in ("hoeffding", "empirical-bernstein", "betting"):
        spent = seconds(lambda m=method: confidence_sequence(losses, method=m, delta=0.05), 3)  # type: ignore[misc]
        yield row(f"confidence_sequence, {method}, {shape}, both sides", spent, None, None)


def main() -> None:
    """Print the table, and write it if asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the triples")
    parser.add_argument("--write", action="store_true", help=f"also write {RESULTS.name}")
    options = parser.parse_args()
    lines = [
        f"{run_on()}. Shortest processor times, one thread.",
        "",
        "| case; reference | moltheory ms | reference ms | speed-up | target | met |",
        "|---|---|---|---|---|---|",
    ]
    print("\n".join(lines), flush=True)
    for line in rows(options.quick):
        print(line, flush=True)
        lines.append(line)
    if options.write:
        write_sections(RESULTS, "Intervals for one mean", {f"Processor {kind_of_processor()}": lines})


if __name__ == "__main__":
    main()
