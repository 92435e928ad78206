"""The result of `certify_limits`: which models meet limits that were fixed before the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._card import MOST_ROWS, Card, Mark, Table
from moltheory._core._html_repr import Shown
from moltheory._core._numbers import percent_text
from moltheory._core._text import few, joined, named, quoted
from moltheory._core._validation import FloatArray, as_readonly
from moltheory.certification._limits import limits_text
from moltheory.errors import InvalidInputError
from moltheory.pareto import nondominated

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LimitTests"]


@dataclass(frozen=True, eq=False, repr=False)
class LimitTests(Shown):
    """Tests whether M models meet k limits, at total failure probability delta.

    Attributes
    ----------
    names : tuple of str
        Names of the M models.
    limits : mapping of str to float
    maximise : tuple of bool
        One per limit: whether it is from below.
    p_values : (M, k) ndarray
        Against "the model breaks this limit"; of known costs 0 or 1.
    order : tuple of str
        Models that were tested, in this order; without those that break a limit on a known cost.
    certified : (M,) ndarray of bool
        Models that meet all limits: with probability at least 1 - delta, all of them do.
    estimates : (M, m) ndarray
        Means, and known costs; NaN for objectives of other kinds.
    objectives : tuple of str
    directions : tuple of bool
        Whether larger is better, one per objective.
    procedure : str
    delta : float
    n_tested : int
        Number of examples, or clusters, that the tests used; 0 if only known costs are limited.
    """

    names: tuple[str, ...]
    limits: Mapping[str, float]
    maximise: tuple[bool, ...]
    p_values: FloatArray
    order: tuple[str, ...]
    certified: npt.NDArray[np.bool_]
    estimates: FloatArray
    objectives: tuple[str, ...]
    directions: tuple[bool, ...]
    procedure: str
    delta: float
    n_tested: int

    @property
    def p_value(self) -> FloatArray:
        """P-value of each model, against "it breaks a limit", (M,)."""
        return as_readonly(self.p_values.max(axis=1))

    @property
    def front(self) -> npt.NDArray[np.bool_]:
        """Certified models on the front of the certified ones, (M,): by their estimates, which nothing guarantees."""
        out = np.zeros(len(self.names), dtype=np.bool_)
        known = np.asarray(~np.isnan(self.estimates).any(axis=0))
        places = np.flatnonzero(self.certified)
        if places.size and known.any():
            up = [up for up, yes in zip(self.directions, known.tolist(), strict=True) if yes]
            out[places[nondominated(self.estimates[places][:, known], maximise=up)]] = True
        return as_readonly(out)

    def best(self, objective: str, /) -> str | None:
        """Return the certified model with the best estimate of an objective; None if none is certified.

        It meets all limits with probability at least 1 - delta, although it was chosen after looking. That no better one
        meets them is not claimed.

        Raises
        ------
        InvalidInputError
            If there is no such objective, or it has no estimate here.
        """
        known = [
            name for name, column in zip(self.objectives, self.estimates.T, strict=True) if not np.isnan(column).any()
        ]
        if objective not in known:
            raise InvalidInputError(
                f"`objective` must be one of {few(known, 8, describe=str)}, a mean of losses or a known cost, got "
                f"{quoted(objective)}."
            )
        places = np.flatnonzero(self.certified)
        if places.size == 0:
            return None
        i = self.objectives.index(objective)
        values = self.estimates[places, i] * (-1.0 if self.directions[i] else 1.0)
        return self.names[int(places[values.argmin()])]

    def to_frame(self) -> pd.DataFrame:
        """Return one row per model: its place in the order (NaN = not tested), its p-values, and what was found."""
        import pandas as pd

        place = {name: float(k) for k, name in enumerate(self.order, start=1)}
        table: dict[str, Any] = {"model": list(self.names), "place": [place.get(name, np.nan) for name in self.names]}
        texts = limits_text(self.limits, self.maximise)
        table |= {f"p_value {text}": self.p_values[:, k] for k, text in enumerate(texts)}
        return pd.DataFrame(table | {"p_value": self.p_value, "certified": self.certified, "on_front": self.front})

    def _line(self) -> str:
        """How many models are certified to meet the limits."""
        texts = joined(limits_text(self.limits, self.maximise))
        share = percent_text(1.0 - self.delta, 1).replace(".0%", "%")
        return (
            f"LimitTests({texts}: {int(self.certified.sum())} of {len(self.order)} tested models certified, at {share})"
        )

    def _card(self) -> Card:
        position = {name: k for k, name in enumerate(self.names)}
        shown = [position[name] for name in self.order[:MOST_ROWS]]
        marks = {True: Mark("certified", "good"), False: Mark("not certified", "open")}
        rows = [
            [named(self.names[h]), marks[bool(self.certified[h])], *(float(p) for p in self.p_values[h])] for h in shown
        ]
        texts = limits_text(self.limits, self.maximise)
        share = percent_text(1.0 - self.delta, 1).replace(".0%", "%")
        return Card(
            "LimitTests",
            f"{int(self.certified.sum())} of {len(self.order)} tested models are certified to meet {joined(texts)}",
            [("procedure", self.procedure), ("examples tested on", self.n_tested)],
            [Table(["model", "verdict", *(f"p, {text}" for text in texts)], rows, len(self.order), "model")],
            [
                f"With probability at least {share}, all certified models meet all limits, if limits, order and number of "
                "examples were fixed before the data."
            ],
            code=["tests.to_frame()"],
        )
