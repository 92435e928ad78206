"""What sentences about the result share: the design in the headline, its rivals, and numbers over networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._numbers import number_text
from moltheory.studies._over_seeds import mean_text
from moltheory.studies.smoothing._designs import CONSTANT, MATCHED, MOVING

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.studies.smoothing._result import SmoothingResult

__all__ = ["Trio", "headline", "over_networks", "trio", "trios"]

_HEADLINE = 0.25


@dataclass(frozen=True)
class Trio:
    """One base deviation and one rate: the rows of `waterfall_table` of all networks for the three kinds of noise."""

    sigma: float
    rate: float
    constant: pd.DataFrame
    moving: pd.DataFrame
    matched: pd.DataFrame


def trio(result: SmoothingResult, sigma: float, rate: float, votes: int | None = None) -> Trio:
    """Return the rows at a number of votes, by default the most."""
    table = result.waterfalls
    most = table["votes"].max() if votes is None else votes
    rows = table[(table["sigma"] == sigma) & (table["votes"] == most)]
    return Trio(
        sigma,
        rate,
        *(
            rows[(rows["kind"] == kind) & ((rows["rate"] == rate) | (kind == CONSTANT))].sort_values("network")
            for kind in (CONSTANT, MOVING, MATCHED)
        ),
    )


def trios(result: SmoothingResult, votes: int | None = None) -> list[Trio]:
    """Return one trio for each base deviation, at the largest rate."""
    rate = float(result.waterfalls["rate"].max())
    return [trio(result, float(sigma), rate, votes) for sigma in sorted(result.waterfalls["sigma"].unique())]


def headline(result: SmoothingResult, votes: int | None = None) -> Trio:
    """Return the trio of the base deviation 0.25, or the first if there is none, at the largest rate."""
    levels = result.sweep.budget.levels
    return trios(result, votes)[levels.index(_HEADLINE) if _HEADLINE in levels else 0]


def over_networks(values: npt.ArrayLike, digits: int = 3) -> str:
    """Return the mean over networks with its interval, or the number alone of one network."""
    given = np.asarray(values, dtype=np.float64)
    if len(given) == 1:
        return f"{number_text(float(given[0]), digits)} (1 network)"
    return mean_text(given, digits=digits)
