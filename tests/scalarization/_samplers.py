"""Scalarizations of every class and pairs of risk vectors, for the property tests."""

from __future__ import annotations

import math

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


def weight_vectors(n: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Return positive weights on and off the simplex and, for n >= 2, weights with zeros."""
    positive = rng.uniform(0.2, 1.0, n)
    vectors = [positive, positive / positive.sum(), rng.uniform(1.0, 9.0, n)]
    if n >= 2:
        vectors.append(np.where(np.arange(n) == n - 1, 0.0, positive))
        vectors.append(np.eye(n)[0])
    return vectors


def lipschitz_cases() -> list[Scalarization]:
    """Return instances of every class that has a width."""
    rng = np.random.default_rng(20)
    cases: list[Scalarization] = []
    for n in (1, 2, 3, 5):
        for w in weight_vectors(n, rng):
            negative = -rng.uniform(0.0, 2.0, n)
            mixed = negative + np.eye(n)[0] * 3.0  # first entry positive
            cases.append(WeightedSum(w))
            cases.extend(PNorm(w, p) for p in (1.0, 1.5, 2.0, 7.0, INF))
            for rho in (0.0, 0.05, 2.0):
                cases.append(Chebyshev(w, augmentation=rho))
                cases.extend(Chebyshev(w, ideal=z, augmentation=rho) for z in (negative, mixed, np.full(n, 0.3)))
            cases.extend(SmoothChebyshev(w, m) for m in (0.5, 3.0))
    # A positive entry of the ideal, compensated by the others through the augmented term.
    cases.append(Chebyshev([1.0, 1.0], ideal=[0.1, -10.0], augmentation=1.0))
    # An ideal other than zero with (H): w_k z_k + rho sum z = 0 for the only positive weight.
    cases.append(Chebyshev([1.0, 0.0], ideal=[-1.0, 2.0], augmentation=1.0))
    cases.append(Chebyshev([1.0, 0.0], ideal=[1.0, -2.0], augmentation=1.0))
    cases.append(Chebyshev([1.0, 0.0], ideal=[0.0, 5.0]))
    return cases


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
