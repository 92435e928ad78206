"""Problems in closed form that a search tries beside finite worlds: near-ties, and worlds with planted fronts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from moltheory.problems import near_tie, planted_best
from moltheory.theorems._world_settings import draw_delta, draw_size, rounded

__all__ = ["FAMILIES", "Member", "draw_member", "moved_member"]

FAMILIES = ("near-ties", "planted fronts")
# Counts of one hypothesis in three objectives are enumerated.
_MOST_EXAMPLES = {"near-ties": 1_000, "planted fronts": 60}


@dataclass(frozen=True)
class Member:
    """A problem of a family by its parameters, with a size and a level."""

    family: str
    parameters: tuple[float, ...]
    n: int
    delta: float

    @property
    def problem(self) -> Any:
        """The problem."""
        if self.family == "near-ties":
            return near_tie(*self.parameters)
        gap, *counts = self.parameters
        size, groups, objectives = map(int, counts)
        return planted_best(size, gap, n_groups=groups, n_objectives=objectives)

    @property
    def most(self) -> int:
        """The most examples that are tried."""
        return _MOST_EXAMPLES[self.family]

    def at(self, n: int, delta: float) -> Member:
        """Return the same problem with another size and level."""
        return replace(self, n=max(1, min(n, self.most)), delta=delta)


def draw_member(rng: np.random.Generator, family: str) -> Member:
    """Return a random problem of a family: gaps of all orders of magnitude."""
    small = float(f"{0.5 * 1e-4 ** rng.random():.2g}")
    n = draw_size(rng, _MOST_EXAMPLES[family])
    if family == "near-ties":
        error = float(rng.choice([0.5, 0.25, 0.1, 0.05, np.round(rng.uniform(0.02, 0.5), 2)]))
        return Member(family, (error, small), n, draw_delta(rng))
    counts = (int(rng.choice([2, 3, 4, 8, 16, 64])), int(rng.integers(1, 5)), int(rng.choice([1, 1, 2, 3])))
    return Member(family, (small, *counts), min(n, _MOST_EXAMPLES[family]), draw_delta(rng))


def moved_member(rng: np.random.Generator, one: Member) -> Member:
    """Return a problem with another gap or error, another count, size or level."""
    parameters, n, delta = list(one.parameters), one.n, one.delta
    gap = 1 if one.family == "near-ties" else 0
    for _ in range(int(rng.integers(1, 3))):
        kind, factor = int(rng.integers(4)), float(np.exp(0.4 * rng.standard_normal()))
        if kind == 0:
            parameters[gap] = float(f"{min(0.5, parameters[gap] * factor):.3g}")
        elif kind == 1:
            n = max(1, min(one.most, round(n * factor) if rng.random() < 0.5 else n + int(rng.integers(-1, 2))))
        elif kind == 2:
            delta = rounded(delta * factor)
        elif gap:
            parameters[0] = float(np.clip(round(parameters[0] * factor, 3), 0.001, 0.5))
        else:
            k = int(rng.integers(1, 4))
            parameters[k] = float(max(2 if k == 1 else 1, parameters[k] + int(rng.integers(-1, 2))))
            parameters[3] = min(parameters[3], 3.0)
    return Member(one.family, tuple(parameters), n, delta)
