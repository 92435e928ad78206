"""What a search for a violation found, and what it searched."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from moltheory._core._card import Card
from moltheory._core._html_repr import Printed
from moltheory._core._text import named, plural
from moltheory.theorems._cards import attack_card
from moltheory.theorems._protocols import Inputs

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Attack"]


@dataclass(frozen=True, eq=False, repr=False)
class Attack(Printed):
    """What `falsify` found.

    Attributes
    ----------
    theorem : str
    falsified : bool
        Whether a violation beyond rounding was found.
    worst : float
        Largest violation, that of the witness; for worlds, by how much the failure probability of the witness exceeds
        delta, where it is the largest in comparison. -inf where the statement says nothing of anything that was tried.
    tried : int
        Pairs (or worlds, each counted as 100) tried until the search stopped.
    witness : mapping
        What attains it: ``true``, ``empirical``, ``widths`` and the inputs; or ``world``, ``n``, ``delta`` and ``failure``.
        Where the statement is falsified by a table it was made small: fewest hypotheses and objectives, then short decimals.
    nearest : float
        Largest violation in units of the largest width of its pair: how near the best came where nothing was found, on a
        scale that small deviations do not make small. For worlds the largest failure probability divided by delta.
    stages : mapping of str to int
        Tries of each stage of the search, in its order; those that made the witness small do not count as tried.
    shapes : mapping of (int, int) to int
        Tries of tables of each shape, (hypotheses, objectives).
    lattice : tuple of int
        Numbers of steps of the lattices of risks on which random tables start.
    risk_range : (float, float)
        Least and largest risk.
    seconds : float
        How long it took.
    passed_over : mapping of str to int
        Worlds of each stage that were made and not tried, since the statement does not speak of them.
    reason : str
        What the statement said of the last of these.
    """

    theorem: str
    falsified: bool
    worst: float
    tried: int
    witness: Inputs = field(default_factory=dict, repr=False)
    nearest: float = math.nan
    stages: Mapping[str, int] = field(default_factory=dict, repr=False)
    shapes: Mapping[tuple[int, int], int] = field(default_factory=dict, repr=False)
    lattice: tuple[int, ...] = ()
    risk_range: tuple[float, float] = (0.0, 1.0)
    seconds: float = math.nan
    passed_over: Mapping[str, int] = field(default_factory=dict, repr=False)
    reason: str = ""

    @property
    def verdict(self) -> str:
        """What was found in how many tries: falsified or not, or that nothing that was tried met its conditions."""
        if self.worst == -math.inf:
            what = "pair" if "true" in self.witness else "world"
            tried = self.tried or sum(self.passed_over.values())
            return f"says nothing: no {what}{f' of {tried:,}' if tried else ''} met its conditions"
        return f"{'FALSIFIED' if self.falsified else 'not falsified'} by {plural(self.tried, 'try', 'tries')}"

    def to_frame(self) -> pd.DataFrame:
        """Return one row."""
        import pandas as pd

        row = {
            "theorem": self.theorem,
            "falsified": self.falsified,
            "worst": self.worst,
            "nearest": self.nearest,
            "tried": self.tried,
        }
        return pd.DataFrame([row])

    def plot(self, *, theorem: Any = None, ax: Any = None, theme: str | None = None) -> Any:
        """Return axes with the witness drawn; `moltheory.plot.attack` has the parameters."""
        # Pictures are a layer above this one: theirs is asked for by name, and only here.
        from importlib import import_module

        return import_module("moltheory.plot").attack(self, theorem=theorem, ax=ax, theme=theme)

    def _line(self) -> str:
        """Verdict, worst violation, number tried."""
        return f"Attack({named(self.theorem)!r}: {self.verdict}, worst violation {self.worst:.3g})"

    def _card(self) -> Card:
        return attack_card(self)
