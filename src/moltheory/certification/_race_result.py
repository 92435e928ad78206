"""What a race found and what it cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._card import MOST_ROWS, Card, Mark, Table
from moltheory._core._html_repr import Shown
from moltheory._core._numbers import number_text, percent_text
from moltheory._core._text import named
from moltheory.certification._certificate import Certificate

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RaceResult"]

_REASONS = {
    "decided": "every model is decided",
    "budget": "the budget does not pay for another batch",
    "examples": "there are no more examples",
}


@dataclass(frozen=True, eq=False, repr=False)
class RaceResult(Shown):
    """What a race found and what it cost.

    Attributes
    ----------
    certificate : Certificate
        Valid although the race chose what to evaluate and when to stop.
    evaluations : (M,) ndarray of int64
        Number of examples for which each model was asked; where objectives are asked for separately, the largest of them.
    evaluations_by_objective : (M, N) ndarray of int64
        The same for each objective of a model.
    cost : float
        What the evaluations cost.
    n_examples : int
        Number of examples that some model was evaluated on.
    uniform_cost : float
        What evaluating all models on all these examples would have cost.
    reason : {"decided", "budget", "examples"}
        Why the race stopped.
    history : tuple of (int, int, int, float)
        After each batch of this run: examples so far, models that were evaluated, models that are decided, cost so far.
    """

    certificate: Certificate
    evaluations: npt.NDArray[np.int64]
    evaluations_by_objective: npt.NDArray[np.int64]
    cost: float
    n_examples: int
    uniform_cost: float
    reason: str
    history: tuple[tuple[int, int, int, float], ...]

    @property
    def saved(self) -> float:
        """Share of the cost that was saved against evaluating all models on the same number of examples."""
        return 1.0 - self.cost / self.uniform_cost if self.uniform_cost > 0.0 else 0.0

    def to_frame(self) -> pd.DataFrame:
        """Return one row per model: its status and on how many examples it was evaluated, also in each objective."""
        import pandas as pd

        names, status = list(self.certificate.names), list(self.certificate.status)
        frame = pd.DataFrame({"model": names, "status": status, "evaluations": self.evaluations})
        for k, objective in enumerate(self.certificate.objectives[: self.evaluations_by_objective.shape[1]]):
            frame[f"evaluations: {objective}"] = self.evaluations_by_objective[:, k]
        return frame

    def _line(self) -> str:
        """How many models are decided, after how many examples, and what was saved."""
        decided = int(np.count_nonzero(~self.certificate.undecided))
        return (
            f"RaceResult({decided} of {len(self.certificate)} models decided from {self.n_examples:,} examples, "
            f"{percent_text(self.saved)} of the cost saved: {_REASONS[self.reason]})"
        )

    def _card(self) -> Card:
        marks = {"sure": Mark("on the front", "good"), "excluded": Mark("not on the front", "bad")}
        status = self.certificate.status
        rows = [
            [named(name), marks.get(status[h], Mark("cannot tell yet", "open")), int(self.evaluations[h])]
            for h, name in enumerate(self.certificate.names[:MOST_ROWS])
        ]
        return Card(
            "RaceResult",
            self._line().removeprefix("RaceResult(").removesuffix(")"),
            [("cost", number_text(self.cost)), ("cost of evaluating all models", number_text(self.uniform_cost))],
            [Table(["model", "verdict", "evaluations"], rows, len(status), "model")],
            [self.certificate.promise],
            code=["result.certificate", "result.to_frame()"],
        )
