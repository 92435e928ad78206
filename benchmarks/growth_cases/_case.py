"""One case of the benchmark of growth: a callable, what grows, and the exponents that its Notes state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["CASES", "Case", "grows"]

Work = Callable[[], Any]


@dataclass(frozen=True)
class Case:
    """A public callable whose work depends on a size.

    name : face and name, with a method where it is one, such as ``"bounds.Bound.to_json"``
    of : what the size is, and what else is fixed
    time, memory : stated exponents; n log n is 1.1 where it is felt
    make : from the size to the work, whose input is made beforehand
    first, largest : sizes are first, 2 first, 4 first, ..., at most largest
    seconds : how long a call may take before sizes end, where that is longer than usual
    """

    name: str
    of: str
    time: float
    memory: float
    make: Callable[[int], Work]
    first: int
    largest: int
    seconds: float = 0.0


CASES: list[Case] = []


def grows(
    name: str,
    of: str,
    *,
    first: int,
    time: float = 1.0,
    memory: float | None = None,
    largest: int | None = None,
    seconds: float = 0.0,
) -> Callable[[Callable[[int], Work]], Callable[[int], Work]]:
    """Add a function from sizes to work to the table. Memory grows like time unless it is stated otherwise."""

    def add(make: Callable[[int], Work]) -> Callable[[int], Work]:
        stated = time if memory is None else memory
        CASES.append(Case(name, of, time, stated, make, first, largest or first * 2**10, seconds))
        return make

    return add
