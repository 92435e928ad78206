"""Scalarizations of every class and pairs of risk vectors, for the property tests."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from moltheory.scalarization import (
    Chebyshev,
    EpsilonConstraint,
    PNorm,
    Scalarization,
    SmoothChebyshev,
    WeightedSum,
)

INF = math.inf


def _negative(n: int) -> np.ndarray:
    return -np.random.default_rng((n, 21)).uniform(0.0, 2.0, n)


def _mixed(n: int) -> np.ndarray:
    """Return a reference point whose first entry is positive."""
    return _negative(n) + np.eye(n)[0] * 3.0


def weight_vectors(n: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Return positive weights on and off the simplex and, for n >= 2, weights with zeros."""
    positive = rng.uniform(0.2, 1.0, n)
    vectors = [positive, positive / positive.sum(), rng.uniform(1.0, 9.0, n)]
    if n >= 2:
        vectors.append(np.where(np.arange(n) == n - 1, 0.0, positive))
        vectors.append(np.eye(n)[0])
    return vectors


# One entry per class that has weights: functions from weights to instances, the plainest first. Every test of all
# scalarizations draws on this table, so a new class is added here and nowhere else.
MAKERS: dict[str, list[Callable[[Any], Scalarization]]] = {
    "WeightedSum": [WeightedSum],
    "PNorm": [lambda w, p=p: PNorm(w, p) for p in (2.0, 1.0, 1.5, 7.0, INF)],
    "Chebyshev": [
        lambda w, ideal=ideal, rho=rho: Chebyshev(w, ideal=None if ideal is None else ideal(len(w)), augmentation=rho)
        for rho in (0.0, 0.05, 2.0)
        for ideal in (None, _negative, _mixed, lambda n: np.full(n, 0.3))
    ],
    "SmoothChebyshev": [lambda w, m=m: SmoothChebyshev(w, m) for m in (0.5, 3.0)],
}


def lipschitz_cases() -> list[Scalarization]:
    """Return instances of every class that has a width."""
    rng = np.random.default_rng(20)
    vectors = [w for n in (1, 2, 3, 5) for w in weight_vectors(n, rng)]
    cases = [make(w) for w in vectors for makers in MAKERS.values() for make in makers]
    # A positive entry of the ideal, compensated by the others through the augmented term.
    cases.append(Chebyshev([1.0, 1.0], ideal=[0.1, -10.0], augmentation=1.0))
    # An ideal other than zero with (H): w_k z_k + rho sum z = 0 for the only positive weight.
    cases.append(Chebyshev([1.0, 0.0], ideal=[-1.0, 2.0], augmentation=1.0))
    cases.append(Chebyshev([1.0, 0.0], ideal=[1.0, -2.0], augmentation=1.0))
    cases.append(Chebyshev([1.0, 0.0], ideal=[0.0, 5.0]))
    return cases


def one_of_each() -> list[Scalarization]:
    """Return one instance of every class, and of every kind of its parameters that is of another form."""
    weighted = [makers[0]([0.5, 0.5]) for makers in MAKERS.values()]
    return [*weighted, PNorm([0.5, 0.5], INF), Chebyshev([0.5, 0.5], augmentation=0.1), EpsilonConstraint([0.5, 0.5])]


def constraint_cases() -> list[Scalarization]:
    """Return epsilon-constraints under which some other objective has room, so that no case is degenerate."""
    return [
        EpsilonConstraint([INF, 0.8]),
        EpsilonConstraint([1.5, 0.8]),
        EpsilonConstraint([0.0, 2.0, 1.0], objective=1),
        EpsilonConstraint([2.0, INF, INF, INF], objective=2),
    ]


def all_cases() -> list[Scalarization]:
    return lipschitz_cases() + constraint_cases()


def risks(n: int, rng: np.random.Generator, *, size: int = 400) -> np.ndarray:
    """Return `size` vectors >= 0 over eight decades, a third of the entries zero."""
    magnitudes = 10.0 ** rng.uniform(-4.0, 4.0, (size, 1)) * rng.uniform(0.0, 1.0, (size, n))
    return np.where(rng.random((size, n)) < 1 / 3, 0.0, magnitudes)


def ordered_pairs(n: int, rng: np.random.Generator, *, size: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Return (a, b) with a >= b >= 0 row by row; exact, as a is the entrywise maximum of b and another."""
    b = risks(n, rng, size=size)
    return np.maximum(b, risks(n, rng, size=size)), b


def axis_pairs(n: int, s: float, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Return all (b + step e_i, b) with b = s e_j: the pairs at which the moduli are attained or approached."""
    eye = np.eye(n)
    b = s * np.repeat(eye, n, axis=0)
    return b + step * np.tile(eye, (n, 1)), b
