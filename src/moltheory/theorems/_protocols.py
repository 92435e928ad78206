"""Types of the functions that make up a statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from moltheory._core._validation import FloatArray

__all__ = ["Cases", "Draw", "Failure", "Inputs", "Pairs", "Value", "Violation"]

# Values of a statement's inputs, by name.
Inputs = Mapping[str, Any]


class Violation(Protocol):
    """By how much a statement fails, per pair of true and empirical risks."""

    def __call__(self, true: Any, empirical: Any, widths: FloatArray, /, *args: Any, **kwargs: Any) -> Any:
        """Return numbers (...) from risks (..., H, N), half-widths (..., N) and the inputs as keyword arguments.

        Positive where the statement fails, minus the slack where it holds, -inf where it says nothing.
        """


class Value(Protocol):
    """The bound of a statement."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return the bound from the inputs as keyword arguments."""


class Failure(Protocol):
    """The probability that a statement fails, for one that is not about the event E."""

    def __call__(self, problem: Any, n: int, delta: float, /) -> Any:
        """Return the probability that the statement fails for samples of size n.

        A number in [0, 1], float or `fractions.Fraction`, is taken as exact; a `FailureProbability` brings an interval,
        as of a simulation, whose lower end decides. Either may come as a pair with the number of sample types that
        were enumerated, or samples that were drawn: ``(0.03, 126)``. Anything else is refused.

        Raises `NotApplicableError` if the statement is not about such a problem.
        """


class Cases(Protocol):
    """The inputs that `check` tries."""

    def __call__(self, true: Any, limits: FloatArray, /) -> Sequence[Inputs]:
        """Return inputs worth trying, from true risks (..., H, N) and the largest risks (N,)."""


class Draw(Protocol):
    """Random inputs for `falsify`."""

    def __call__(self, rng: np.random.Generator, true: FloatArray, limits: FloatArray, /) -> Inputs:
        """Return inputs, from true risks (R, H, N) and the largest risks (N,)."""


class Pairs(Protocol):
    """Random pairs for `falsify`, for a statement that is not about any table of risks."""

    def __call__(self, rng: np.random.Generator, count: int, /) -> tuple[Any, Any, FloatArray, Inputs]:
        """Return true and empirical risks, half-widths (count, N), and inputs."""
