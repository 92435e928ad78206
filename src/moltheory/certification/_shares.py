"""The allocation of the total failure probability to families of claims, fixed before the data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["METHODS", "Family", "Shares"]


class Family(StrEnum):
    """A family of claims with its own share of delta."""

    BOXES = "simultaneous boxes"
    VERDICTS = "paired tests that decide models"
    NAMES = "paired tests that name dominating models"
    REPLACEMENTS = "paired tests that replace"
    MEASURED = "intervals of measured costs"
    BASELINE = "comparisons with the baseline"
    # Families of certificates made before 0.2, which had verdicts in two parts.
    EXCLUSIONS = "paired tests that exclude"
    MEMBERS = "paired tests that confirm"


# Shares of delta: boxes, names, verdicts, replacements (only where there are a tolerance and costs). "mixed" is "auto"
# where some objectives have no paired test, so that boxes alone decide these.
_BOXES = (1.0, 0.0, 0.0, 0.0)
_SHARES = {"auto": (0.1, 0.05, 0.85, 0.0), "mixed": (0.35, 0.05, 0.6, 0.0), "paired": (0.0, 0.05, 0.95, 0.0)}
_REPLACING = {"auto": (0.1, 0.05, 0.65, 0.2), "mixed": (0.3, 0.05, 0.5, 0.15), "paired": (0.0, 0.05, 0.7, 0.25)}
METHODS = ("auto", "boxes", "paired")


@dataclass(frozen=True)
class Shares:
    """Failure probability of each family; `measured` is that of boxes found elsewhere, of measured costs."""

    boxes: float
    names: float = 0.0
    verdicts: float = 0.0
    replacements: float = 0.0
    measured: float = 0.0

    @classmethod
    def of(
        cls,
        delta: float,
        *,
        method: str = "auto",
        replacing: bool,
        measured: float = 0.0,
        n_tested: int = 1,
        n_untested: int = 0,
    ) -> Shares:
        """Return the allocation of delta by a method, fixed before the data; measured costs have their part already.

        `n_tested` and `n_untested` are the numbers of estimated objectives with and without a paired test.
        """
        if method == "auto" and n_untested:
            method = "mixed" if n_tested else "boxes"
        parts = _BOXES if method == "boxes" else (_REPLACING if replacing else _SHARES)[method]
        boxes, names, verdicts, replacements = ((delta - measured) * share for share in parts)
        return cls(boxes, names, verdicts, replacements, measured)

    @classmethod
    def from_allocation(cls, allocation: tuple[tuple[str, float], ...]) -> Shares:
        """Return the shares that `allocation` describes; those of verdicts in two parts are added."""
        found = {Family(name): share for name, share in allocation}
        verdicts = sum(found.get(family, 0.0) for family in (Family.VERDICTS, Family.EXCLUSIONS, Family.MEMBERS))
        others = (Family.BOXES, Family.NAMES, Family.REPLACEMENTS, Family.MEASURED)
        boxes, names, replacements, measured = (found.get(family, 0.0) for family in others)
        return cls(boxes, names, verdicts, replacements, measured)

    @property
    def tested(self) -> bool:
        """Whether paired tests have a share."""
        return self.verdicts > 0.0

    def allocation(self) -> tuple[tuple[str, float], ...]:
        """Return the families that have a share of delta, with their shares."""
        each = {
            Family.BOXES: self.boxes,
            Family.VERDICTS: self.verdicts,
            Family.NAMES: self.names,
            Family.REPLACEMENTS: self.replacements,
            Family.MEASURED: self.measured,
        }
        return tuple((family.value, share) for family, share in each.items() if share > 0.0)

    @property
    def total(self) -> float:
        """Failure probability of all."""
        return self.boxes + self.names + self.verdicts + self.replacements + self.measured
