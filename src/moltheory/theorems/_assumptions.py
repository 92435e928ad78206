"""Assumptions: conditions that are evaluated, and those that several statements share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from moltheory._core._html_repr import Shown
from moltheory._core._validation import FloatArray
from moltheory.errors import InvalidInputError
from moltheory.scalarization._declared import believed
from moltheory.theorems._columns import TIE, TOLERANCE, realized_widths, scale_of
from moltheory.theorems._protocols import Inputs

__all__ = [
    "EVENT",
    "FINITE",
    "HAS_WIDTH",
    "MODULUS",
    "MONOTONE",
    "NONNEGATIVE",
    "POSITIVE_WEIGHTS",
    "Assumption",
    "NotApplicableError",
]


class NotApplicableError(InvalidInputError):
    """A statement does not speak about what it was given: one of its assumptions fails."""


@dataclass(frozen=True, eq=False, repr=False)
class Assumption(Shown):
    """A condition that is evaluated, not only stated.

    Attributes
    ----------
    text : str
        The condition in words.
    argument : str
        The argument that is refused where it fails.
    needs : tuple of str
        What the predicate is computed from: ``"true"``, ``"empirical"``, ``"widths"`` or names of inputs.
    holds : callable
        Gets those as keyword arguments; returns a bool, or one per pair.
    """

    text: str
    argument: str
    needs: tuple[str, ...]
    holds: Callable[..., Any]

    @property
    def per_sample(self) -> bool:
        """Whether the condition depends on the sample, so that it may hold in some samples only."""
        return bool({"empirical", "widths"} & set(self.needs))

    def evaluate(self, known: Inputs) -> Any:
        """Return whether it holds, as one bool or one per pair; True where its arguments are not known."""
        if not set(self.needs) <= set(known):
            return np.True_
        return np.asarray(self.holds(**{name: known[name] for name in self.needs}), dtype=np.bool_)

    def require(self, known: Inputs) -> None:
        """Refuse if it fails anywhere.

        Raises
        ------
        NotApplicableError
            Naming the argument and the assumption.
        """
        holds = self.evaluate(known)
        if not holds.all():
            raise NotApplicableError(
                f"`{self.argument}` must satisfy the assumption '{self.text}', "
                f"got {int((~holds).sum())} of {holds.size} for which it fails."
            )

    def _line(self) -> str:
        """The condition in words."""
        return f"Assumption({self.text!r})"


def _event(true: FloatArray, empirical: FloatArray, widths: FloatArray) -> Any:
    # Widths that were computed in another order of operations may differ in the last bit.
    slack = TIE * scale_of(true, empirical)
    return (realized_widths(true, empirical) <= widths + slack).all(axis=-1)


EVENT = Assumption(
    "event E: |L_i(h) - Lhat_i(h)| <= C_i for all h and i", "widths", ("true", "empirical", "widths"), _event
)
FINITE = Assumption(
    "H is finite, one row of finite risks per hypothesis",
    "true",
    ("true",),
    lambda true: isinstance(true, np.ndarray | list | tuple) and bool(np.isfinite(np.asarray(true)).all()),
)
HAS_WIDTH = Assumption(
    "U is monotone and subadditive, or otherwise has a width",
    "scalarization",
    ("scalarization",),
    lambda scalarization: believed(scalarization).has_width,
)
MONOTONE = Assumption(
    "U is monotone", "scalarization", ("scalarization",), lambda scalarization: believed(scalarization).is_monotone
)
MODULUS = Assumption(
    "U is strongly monotone: modulus mu > 0",
    "scalarization",
    ("scalarization",),
    lambda scalarization: believed(scalarization).modulus > 0.0,
)
NONNEGATIVE = Assumption(
    "true and empirical risks are >= 0",
    "true",
    ("true", "empirical"),
    lambda true, empirical: (true.min(axis=(-2, -1)) >= 0.0) & (empirical.min(axis=(-2, -1)) >= -TOLERANCE),
)
POSITIVE_WEIGHTS = Assumption(
    "all weights are > 0", "weights", ("weights",), lambda weights: bool((np.asarray(weights, dtype=float) > 0.0).all())
)
