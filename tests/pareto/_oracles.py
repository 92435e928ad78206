"""Slow and obvious versions of everything, straight from the definitions; and inputs made to be awkward."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

KINDS = ("lattice", "binary", "repeated", "flat", "uniform", "dense", "infinite", "huge")


def at_least_as_good(a: Any, b: Any, maximise: tuple[bool, ...]) -> list[bool]:
    return [x >= y if up else x <= y for x, y, up in zip(a, b, maximise, strict=True)]


def slow_nondominated(points: Array, maximise: tuple[bool, ...], *, weak: bool = False) -> Array:
    """Compare every pair, number by number, in Python: no conversion, no vector code."""
    rows = points.tolist()
    kept = []
    for p in rows:
        dominated = False
        for q in rows:
            if weak:
                dominated |= not any(at_least_as_good(p, q, maximise))
            else:
                dominated |= all(at_least_as_good(q, p, maximise)) and p != q
        kept.append(not dominated)
    return np.array(kept)


def oracle(points: Array, *, weak: bool = False) -> Array:
    """Compare every pair at once, all objectives minimised."""
    if weak:
        return ~(points[:, None] < points[None]).all(axis=2).any(axis=0)
    no_worse = (points[:, None] <= points[None]).all(axis=2)
    better = (points[:, None] < points[None]).any(axis=2)
    return ~(no_worse & better).any(axis=0)


def slow_rank(points: Array) -> Array:
    ranks = np.full(len(points), -1)
    for level in itertools.count():
        left = np.flatnonzero(ranks < 0)
        if left.size == 0:
            return ranks
        ranks[left[oracle(points[left])]] = level
    raise AssertionError


def slow_directed(selected: Array, truth: Array, scale: Array | None = None) -> tuple[float, float]:
    """Return (coverage, purity) from the definition."""
    units = np.ones(selected.shape[1]) if scale is None else scale
    front = truth[oracle(truth)]
    gap = [[max(max((q - p) / units), 0.0) for p in front] for q in selected]
    coverage = max(min(row[j] for row in gap) for j in range(len(front)))
    return float(coverage), float(max(min(row) for row in gap))


def sample(kind: str, n: int, m: int, rng: np.random.Generator) -> Array:
    """Return a set of points of one kind of awkwardness."""
    points = rng.integers(0, 6, (n, m)).astype(float)
    if kind == "binary":
        points = rng.integers(0, 2, (n, m)).astype(float)
    elif kind == "repeated":
        points = rng.random((max(1, n // 5), m))[rng.integers(0, max(1, n // 5), n)]
    elif kind == "flat":
        points[:, rng.integers(m)] = 1.0
    elif kind == "uniform":
        points = rng.random((n, m))
    elif kind == "dense":
        # Rows on the simplex: none dominates another, up to rounding.
        points = rng.random((n, m))
        points /= points.sum(axis=1, keepdims=True)
    elif kind == "infinite":
        points[rng.random((n, m)) < 0.2] = np.inf
        points[rng.random((n, m)) < 0.2] = -np.inf
    elif kind == "huge":
        points[rng.random((n, m)) < 0.2] = np.finfo(float).max
    return points
