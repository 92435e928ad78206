"""What a search looks at: numbers of hypotheses and objectives, lattices and the range of risks, and how they grow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import check_count, check_real
from moltheory.errors import InvalidInputError

__all__ = ["Shape", "Space", "read_space"]

Shape = tuple[int, int]

# Tries after which the largest tables are drawn as well; before, the largest grow with the logarithm of the tries.
_HORIZON = 30_000
_SCALE = 1_000
# Hypotheses and objectives from the start on: what fails on a large table mostly does on a small one.
_FIRST: Shape = (4, 3)
# How often numbers of objectives are drawn, before what is not allowed is left out; above the last, as the last.
_SHARES = (0.1, 0.36, 0.25, 0.17, 0.12)
# Most steps of a lattice: entries are multiples of 2^-20 of the range, whose sums and differences are exact.
_MOST_STEPS = 2**16
_LARGEST = 64


@dataclass(frozen=True)
class Space:
    """Ranges of the numbers of hypotheses and of objectives, lattices of risks, and the range of risks."""

    n_hypotheses: Shape
    n_objectives: Shape
    lattice: tuple[int, ...]
    risk_range: tuple[float, float]

    @property
    def unit(self) -> float:
        """The length of the range of risks."""
        return self.risk_range[1] - self.risk_range[0]

    def largest(self, tried: int) -> Shape:
        """Return the most hypotheses and objectives that are drawn after so many tries."""
        grown = min(1.0, math.log1p(tried / _SCALE) / math.log1p(_HORIZON / _SCALE))
        limits = zip((self.n_hypotheses, self.n_objectives), _FIRST, strict=True)
        most = [min(high, max(low, round(first + grown * (high - first)))) for (low, high), first in limits]
        return most[0], most[1]

    def draw(self, rng: np.random.Generator, tried: int) -> Shape:
        """Return a random number of hypotheses and of objectives."""
        most_h, most_n = self.largest(tried)
        low = max(self.n_hypotheses[0], min(2, most_h))
        # In most batches few hypotheses: a local search of their tables is quick.
        draws = rng.integers(low, most_h + 1, size=3)
        h = int(draws.min() if rng.random() < 0.7 else draws[0])
        counts = np.arange(self.n_objectives[0], most_n + 1)
        shares: npt.NDArray[Any] = np.array([_SHARES[min(n, len(_SHARES)) - 1] for n in counts.tolist()])
        return h, int(rng.choice(counts, p=shares / shares.sum()))

    def shapes(self) -> list[Shape]:
        """Return shapes of trivial pairs, the small ones first."""
        some = [
            sorted({low, high, *(k for k in (1, 2, 3, 4, 6) if low <= k <= high)})
            for low, high in (self.n_hypotheses, self.n_objectives)
        ]
        return sorted(((h, n) for h in some[0] for n in some[1]), key=lambda shape: (shape[0] * shape[1], shape))

    def restricted(self, objectives: Sequence[int]) -> Space:
        """Return the space with the numbers of objectives between the least and the largest of some."""
        return Space(self.n_hypotheses, (min(objectives), max(objectives)), self.lattice, self.risk_range)


def read_space(n_hypotheses: Any, n_objectives: Any, lattice: Any, risk_range: Any) -> Space:
    """Return the checked options of a search."""
    steps = [lattice] if isinstance(lattice, int | np.integer) else lattice
    if isinstance(steps, str) or not isinstance(steps, Sequence | np.ndarray) or len(steps) == 0:
        raise InvalidInputError(f"`lattice` must be numbers of steps of the range of risks, got {lattice!r}.")
    counts = tuple(check_count("lattice", one) for one in steps)
    if max(counts) > _MOST_STEPS:
        raise InvalidInputError(f"`lattice` must be at most {_MOST_STEPS:,} steps, got {max(counts):,}.")
    if isinstance(risk_range, str) or not isinstance(risk_range, Sequence | np.ndarray) or len(risk_range) != 2:
        raise InvalidInputError(
            f"`risk_range` must be two numbers, the least and the largest risk, got {risk_range!r}."
        )
    low, high = (check_real("risk_range", end) for end in risk_range)
    if not low < high:
        raise InvalidInputError(f"`risk_range` must have its smaller end first, got ({low}, {high}).")
    return Space(_counts("n_hypotheses", n_hypotheses), _counts("n_objectives", n_objectives), counts, (low, high))


def _counts(name: str, given: Any) -> Shape:
    if isinstance(given, int | np.integer):
        least = most = check_count(name, given)
    elif isinstance(given, Sequence | np.ndarray) and not isinstance(given, str) and len(given) == 2:
        least, most = (check_count(name, one) for one in given)
    else:
        raise InvalidInputError(f"`{name}` must be one number, or the fewest and the most, got {given!r}.")
    if not least <= most <= _LARGEST:
        raise InvalidInputError(f"`{name}` must be (fewest, most) with at most {_LARGEST}, got ({least}, {most}).")
    return least, most
