"""Intervals for one mean: the kl inverse beside SciPy's root finders, and the table of 0/1 losses.

Every case first checks that both give the same answer. The loop over `scipy.optimize.brentq` runs on a part of the
triples and is extrapolated. `_processor.py` tells how to emulate another kind of processor.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from moltheory.bounds import binomial_interval, confidence_sequence, kl_inverse, mean_interval

from ._protocol import Benchmark, Budget, Main, Part, Table, compared, times_in_turn

Array = npt.NDArray[Any]
SIZE = 1_000


def by_brentq(p: Array, allowed: Array) -> Array:
    """Return what a loop gives."""

    def excess(q: float, a: float, c: float) -> float:
        return a * math.log(a / q) + (1 - a) * math.log((1 - a) / (1 - q)) - c

    pairs = zip(p.tolist(), allowed.tolist(), strict=True)
    return np.array([brentq(excess, a, 1 - 1e-16, args=(a, c), xtol=1e-15, rtol=8.9e-16) for a, c in pairs])


def by_find_root(p: Array, allowed: Array) -> Array:
    """Return what SciPy's elementwise root finder gives."""
    from scipy.optimize import elementwise  # SciPy 1.15

    def excess(q: Array, a: Array, c: Array) -> Array:
        return np.asarray(a * np.log(a / q) + (1 - a) * np.log((1 - a) / (1 - q)) - c)

    return np.asarray(elementwise.find_root(excess, (p, np.full(p.size, 1 - 1e-16)), args=(p, allowed)).x)


def agree(name: str, ours: Array, theirs: Array) -> None:
    """Stop if the answers differ by more than the peers' own rounding."""
    if not np.allclose(ours, theirs, rtol=1e-6, atol=1e-9):
        raise ValueError(f"{name}: the answers differ by {np.abs(ours - theirs).max():g}")


def inverses(budget: Budget) -> Part:
    """Time the inverse beside what a user would write with SciPy, and its table of counts beside itself."""
    rng, many = np.random.default_rng(0), budget.pick(10**6, 10**5, 10**4)
    looped = budget.pick(20_000, 4_000, 1_000)
    p, n, delta = rng.uniform(0.001, 0.999, many), rng.integers(10, 10**5, many), rng.uniform(1e-6, 0.5, many)
    allowed = -np.log(delta) / n
    times, found = times_in_turn(
        {
            "ours": lambda: kl_inverse(p, -np.log(delta) / n),
            "brentq": lambda: by_brentq(p[:looped], allowed[:looped]),
            "find_root": lambda: by_find_root(p, allowed),
        },
        budget.pick(7, 3, 1),
        of={"brentq": looped / many},
    )
    agree("brentq", found["ours"][:looped], found["brentq"])
    solved = np.isfinite(found["find_root"])
    if solved.mean() < 0.999:
        raise ValueError(f"find_root: solves only {solved.mean():.2%} of the triples")
    agree("find_root", found["ours"][solved], found["find_root"][solved])

    errors, level = rng.integers(0, SIZE + 1, many), -np.log(0.05) / SIZE
    of_counts, values = times_in_turn(
        {
            "by table": lambda: kl_inverse(np.arange(SIZE + 1) / SIZE, level)[errors],
            "without": lambda: kl_inverse(errors / SIZE, level),
        },
        budget.pick(15, 5, 2),
    )
    agree("table", values["by table"], values["without"])
    cases = [
        (f"kl inverse of {many:,} triples", times["ours"], "scipy brentq, loop", times["brentq"], 150),
        (f"kl inverse of {many:,} triples", times["ours"], "scipy elementwise.find_root", times["find_root"], 12),
        (
            f"kl inverse of {many:,} counts, by table",
            of_counts["by table"],
            "the same, no table",
            of_counts["without"],
            10,
        ),
    ]
    rows = [
        [what, ours, peer, theirs, compared(ours, theirs), str(target), met(theirs.median / ours.median >= target)]
        for what, ours, peer, theirs, target in cases
    ]
    main = [
        Main("kl inverse", f"{many:,} triples", ours.median, peer, theirs.median)
        for _, ours, peer, theirs, _ in cases[:2]
    ]
    columns = ["case", "moltheory", "reference", "time of it", "times as fast", "target", "met"]
    return Part([Table(columns, rows, [f"The loop over brentq runs on {looped:,} triples."], main=main)])


def met(yes: bool) -> str:
    return "yes" if yes else "no"


def alone(budget: Budget) -> Part:
    """Time intervals that have no peer here."""
    rng, many = np.random.default_rng(0), budget.pick(10**6, 10**5, 10**4)
    errors = rng.integers(0, SIZE + 1, many)
    fewer, sizes = errors[: many // 10], rng.integers(SIZE, 2 * SIZE, many // 10)
    losses = rng.beta(2, 5, (1_000, budget.pick(1_000, 100, 10)))
    shape = f"{losses.shape[0]:,} x {losses.shape[1]:,} losses"
    works: dict[str, Callable[[], Any]] = {
        f"binomial_interval, {method}, {many:,} counts of {SIZE:,}": (
            lambda m=method: binomial_interval(errors, SIZE, method=m, delta=0.05)
        )
        for method in ("kl", "clopper-pearson", "hoeffding-bentkus")
    }
    works[f"binomial_interval, clopper-pearson, {many // 10:,} counts of different n"] = lambda: binomial_interval(
        fewer, sizes, delta=0.05
    )
    for method in ("empirical-bernstein", "betting"):
        works[f"mean_interval, {method}, {shape}"] = lambda m=method: mean_interval(losses, method=m, delta=0.05)
    for method in ("hoeffding", "empirical-bernstein", "betting"):
        works[f"confidence_sequence, {method}, {shape}"] = lambda m=method: confidence_sequence(
            losses, method=m, delta=0.05
        )
    times, _ = times_in_turn(works, budget.pick(5, 3, 1))
    return Part([Table(["both sides", "moltheory"], [[name, one] for name, one in times.items()])])


BENCHMARK = Benchmark(
    name="intervals",
    title="Intervals for one mean",
    compares="The kl inverse beside SciPy's root finders, and how long intervals for many means take.",
    parts={"inverses": inverses, "alone": alone},
    seconds=(45, 4),
    peers=("scipy",),
    by_processor=("inverses", "alone"),
)
