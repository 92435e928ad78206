"""Does an interval fail as seldom as it promises? Exactly on binary losses, by simulation otherwise."""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
from scipy.stats import binom

Array = npt.NDArray[np.float64]
Ends = tuple[Array, Array]


def exact_failures(lower: Array, upper: Array, n: int, p: Array) -> Array:
    """Return the probability of a miss for each p, given the ends for 0..n errors."""
    missed = (p[:, None] < lower) | (p[:, None] > upper)
    return np.asarray((binom.pmf(np.arange(n + 1), n, p[:, None]) * missed).sum(axis=1))


def grid(lower: Array, upper: Array) -> Array:
    """Return a fine grid of p with points just outside every end, where failures peak."""
    ends = np.concatenate([lower.ravel(), upper.ravel()])
    rare = np.geomspace(1e-6, 1e-2, 40)
    near = [ends * (1 + 1e-9), ends * (1 - 1e-9), rare, 1 - rare, np.linspace(0, 1, 301)]
    return np.unique(np.clip(np.concatenate(near), 0, 1))


def all_sequences(n: int) -> Array:
    """Return all 2^n binary samples as columns, (n, 2^n)."""
    return ((np.arange(2**n) >> np.arange(n)[:, None]) & 1).astype(np.float64)


def exact_failures_of_sequences(missed: Callable[[float], npt.NDArray[np.bool_]], n: int, p: Array) -> Array:
    """Return the probability of a miss where the order matters; `missed(p)` says so for each column."""
    ones = all_sequences(n).sum(axis=0)
    return np.array([(q**ones * (1 - q) ** (n - ones))[missed(q)].sum() for q in p])


def refuted(misses: int, replicates: int, delta: float) -> bool:
    """Return whether so many misses would have probability below 1e-6 at level delta."""
    return bool(binom.sf(misses - 1, replicates, delta) < 1e-6)


Draw = Callable[[np.random.Generator, tuple[int, int]], Array]


def _ties(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    return rng.choice([0.0, 0.5, 1.0], p=[0.6, 0.3, 0.1], size=shape)


def _rare(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    return np.where(rng.random(shape) < 0.01, rng.random(shape), 0.0)


def _rare_full(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    return np.where(rng.random(shape) < 0.03, 1.0, 0.1)


POPULATIONS: dict[str, tuple[Draw, float]] = {
    "flat": (lambda rng, shape: rng.random(shape), 0.5),
    "skewed": (lambda rng, shape: rng.beta(0.3, 3.0, shape), 0.3 / 3.3),
    "rare": (_rare, 0.005),
    "rare and full": (_rare_full, 0.127),
    "degenerate": (lambda _, shape: np.full(shape, 0.3), 0.3),
    "degenerate at an end": (lambda _, shape: np.zeros(shape), 0.0),
    "ties": (_ties, 0.25),
    "binary": (lambda rng, shape: (rng.random(shape) < 0.2).astype(np.float64), 0.2),
}


def simulated_misses(
    population: str, n: int, replicates: int, intervals: Callable[[Array], Ends], seed: int, block: int = 2_000_000
) -> int:
    """Return how many of `replicates` samples miss; ends of shape (R,), or (n, R) for all times at once."""
    draw, mean = POPULATIONS[population]
    rng = np.random.default_rng(seed)
    misses = 0
    for size in _blocks(replicates, max(1, block // n)):
        lower, upper = intervals(draw(rng, (n, size)))
        # The exact mean may be off by a rounding, and may be an end of the interval.
        missed = (lower > mean + 1e-12) | (upper < mean - 1e-12)
        misses += int((missed if missed.ndim == 1 else missed.any(axis=0)).sum())
    return misses


def _blocks(total: int, size: int) -> Iterator[int]:
    while total > 0:
        yield min(size, total)
        total -= size
