"""The model that is best by a preference, and how much better another one may be: also for preferences after looking.

The score of a model lies between those of the ends of its box, because a preference never falls when an objective gets
worse. All boxes hold at once, so the worst score of the chosen model minus the best score of every other one bounds
what the choice loses, whatever the preference and whenever it was made (proof: after-looking).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._card import MOST_ROWS, Card, Mark, Table
from moltheory._core._html_repr import Shown
from moltheory._core._numbers import number_text, percent_text
from moltheory._core._text import few, joined, named
from moltheory._core._validation import FloatArray, as_readonly
from moltheory.certification._ends import certainly_dominated, ends_of, signs_of
from moltheory.certification._limits import limit_verdicts, limits_text, promise_of
from moltheory.certification._utilities import Utility, lexicographic_order, read_utility
from moltheory.errors import InvalidInputError

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.certification._certificate import Certificate

__all__ = ["Choice", "choose"]

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, repr=False)
class Choice(Shown):
    """The model that was chosen among M by a preference, with what the choice loses at most.

    Attributes
    ----------
    model : str
        The chosen model.
    utility : str
        The preference in words; smaller scores are better.
    excess : tuple of float
        What the chosen model's score is above the best one's, at most: one number. For a lexicographic preference one
        per objective: what it is worse, at most, than the best of the models that the objectives before it keep.
    naive_excess : tuple of float
        The same from the estimates alone, which are not corrected for having been looked at.
    naive_model : str
        The model that the estimates alone would choose.
    could_be_best : tuple of str
        The other models that may be the best one, or as good.
    names : tuple of str
    scores : (M, 3) ndarray
        Smallest possible score of each model, the score of its estimates, and the largest possible one; of a
        lexicographic preference those of its first objective.
    limits : mapping of str to float
        What the choice had to meet; empty if nothing. Then the chosen model certainly does, and the best one is the best
        of those that do.
    delta : float
        Probability that some statement about some choice is wrong, at most.
    engine : str
        As in the certificate: "asymptotic" guarantees nothing at this sample size.
    """

    model: str
    utility: str
    excess: tuple[float, ...]
    naive_excess: tuple[float, ...]
    naive_model: str
    could_be_best: tuple[str, ...]
    names: tuple[str, ...]
    scores: FloatArray
    limits: Mapping[str, float]
    delta: float
    engine: str = "exact"

    @property
    def promise(self) -> str:
        """One sentence that states what is guaranteed."""
        return promise_of(self.delta, self.engine, "statement about a choice", "for all preferences and limits at once")

    def to_frame(self) -> pd.DataFrame:
        """Return one row per model, the most promising first: its score, the interval of it, and whether it may be best."""
        import pandas as pd

        may = [name in self.could_be_best or name == self.model for name in self.names]
        table = {
            "model": list(self.names),
            "score": self.scores[:, 1],
            "low": self.scores[:, 0],
            "high": self.scores[:, 2],
        }
        frame = pd.DataFrame(table | {"may_be_best": may, "chosen": [name == self.model for name in self.names]})
        return frame.sort_values("score", kind="stable", ignore_index=True)

    def _line(self) -> str:
        """The chosen model and what it loses at most."""
        return f"Choice({named(self.model)!r} by {self.utility}: {self._excess_text()})"

    def _excess_text(self) -> str:
        most = ", then ".join(number_text(value) for value in self.excess)
        share = percent_text(1.0 - self.delta, 1).replace(".0%", "%")
        sure = f"at {share}" if self.engine == "exact" else f"nominal {share}"
        return f"at most {most} worse than the best, {sure}"

    def _card(self) -> Card:
        order = np.argsort(self.scores[:, 1], kind="stable").tolist()[:MOST_ROWS]
        marks = {name: Mark("may be best", "open") for name in self.could_be_best} | {
            self.model: Mark("chosen", "good")
        }
        rows = [
            [
                named(self.names[h]),
                marks.get(self.names[h], Mark("is not", "bad")),
                float(self.scores[h, 1]),
                f"[{number_text(float(self.scores[h, 0]))}, {number_text(float(self.scores[h, 2]))}]",
            ]
            for h in order
        ]
        naive = ", then ".join(number_text(value) for value in self.naive_excess)
        facts: list[tuple[str, Any]] = [("naive", f"{naive} worse than {named(self.naive_model)}")]
        if self.limits:
            facts.append(
                ("limits", ", ".join(f"{named(name)} {number_text(limit)}" for name, limit in self.limits.items()))
            )
        return Card(
            "Choice",
            f"{named(self.model)} by {self.utility}: {self._excess_text()}",
            facts,
            [Table(["model", "best?", "score", "interval"], rows, len(self.names), "model")],
            [self.promise],
            code=["choice.to_frame()"],
        )


def choose(certificate: Certificate, utility: Any, *, monotone: bool, limits: Any, tolerance: Any) -> Choice:
    """Return what `Certificate.choose` does.

    Raises
    ------
    InvalidInputError
        If the utility or the limits are not as they must be, or no model certainly meets the limits.
    """
    stages = _stages(certificate, utility, monotone=monotone, tolerance=tolerance)
    meets, may_meet, seems_to_meet = _feasible(certificate, limits)
    best, worst = ends_of(certificate)
    estimates = certificate.estimates * signs_of(certificate)
    # Of the best ones one is not dominated, and a model that dominates another one meets every limit that this one meets.
    search = _Search(meets, may_meet & ~certainly_dominated(certificate), seems_to_meet | meets)
    for unit, slack in stages:
        search.stage(unit(best), unit(estimates), unit(worst), slack)
    h, first = search.chosen(), stages[0][0]
    return Choice(
        model=certificate.names[h],
        utility=", then ".join(unit.text for unit, _ in stages),
        excess=tuple(float(most[h]) for most in search.excess),
        naive_excess=tuple(float(most[h]) for most in search.naive_excess),
        naive_model=certificate.names[search.naive()],
        could_be_best=tuple(certificate.names[k] for k in np.flatnonzero(search.may).tolist() if k != h),
        names=certificate.names,
        scores=as_readonly(np.column_stack([first(best), first(estimates), first(worst)])),
        limits={} if limits is None else dict(limits),
        delta=certificate.delta,
        engine=certificate.engine,
    )


class _Search:
    """Which models stages of a preference keep: certainly, possibly, and by the estimates alone."""

    def __init__(self, certain: Bools, may: Bools, naive: Bools) -> None:
        self._certain, self.may, self._naive = certain, may, naive
        self._open = certain  # of which one is chosen
        self.excess: list[FloatArray] = []
        self.naive_excess: list[FloatArray] = []
        self._order: list[FloatArray] = []

    def stage(self, low: FloatArray, middle: FloatArray, high: FloatArray, slack: float) -> None:
        """Keep models whose score is within `slack` of the best one's."""
        excess = _above(high, _least_of_others(low, self.may))
        kept = self._open & (excess <= slack)
        if not kept.any():
            # None is certainly kept: the one with the least to lose.
            least = excess == excess[self._open].min()
            kept = self._open & least
        self.excess.append(excess)
        self.naive_excess.append(_above(middle, middle[self._naive].min()))
        self._order.append(middle)
        most = high[self._certain].min() if self._certain.any() else np.inf
        self._certain = self._certain & (excess <= slack)
        self.may = self.may & (low <= most + slack)
        self._naive = self._naive & (self.naive_excess[-1] <= slack)
        self._open = kept

    def chosen(self) -> int:
        """Return the model with the least to lose in the last stage; of equal ones the best by the estimates."""
        places = np.flatnonzero(self._open)
        return int(places[np.lexsort((self._order[-1][places], self.excess[-1][places]))[0]])

    def naive(self) -> int:
        """Return the model that the estimates alone choose."""
        places = np.flatnonzero(self._naive)
        return int(places[self._order[-1][places].argmin()])


def _above(scores: FloatArray, least: FloatArray | np.float64) -> FloatArray:
    """Return by how much scores are above others, at least 0; an infinite one is not above one that is infinite too."""
    above = scores > least
    return np.subtract(scores, least, out=np.zeros_like(scores), where=above)


def _least_of_others(low: FloatArray, may: Bools) -> FloatArray:
    """Return for each model the least score of the others that may be kept, (M,); infinite if there is none."""
    found = np.where(may, low, np.inf)
    out = np.full(low.size, found.min())
    first = int(found.argmin())
    out[first] = np.delete(found, first).min(initial=np.inf)
    return out


def _stages(certificate: Certificate, utility: Any, *, monotone: bool, tolerance: Any) -> list[tuple[Utility, float]]:
    """Return the scores that are compared, the first one first, each with the tolerance within which models are kept."""
    if not isinstance(utility, Sequence) or isinstance(utility, str):
        if tolerance is not None:
            raise InvalidInputError(
                "`tolerance` must be left out unless `utility` is a list of objectives, the most important first."
            )
        return [(read_utility(certificate, utility, monotone=monotone), 0.0)]
    return [
        (Utility(named(certificate.objectives[place]), _coordinate(place)), slack)
        for place, slack in lexicographic_order(certificate, utility, tolerance)
    ]


def _coordinate(place: int) -> Callable[[FloatArray], FloatArray]:
    return lambda points: points[:, place]


def _feasible(certificate: Certificate, limits: Any) -> tuple[Bools, Bools, Bools]:
    """Return which models certainly meet the limits, which may, and which do by the estimates alone."""
    everybody = np.ones(len(certificate), dtype=np.bool_)
    if limits is None:
        return everybody, everybody, everybody
    found = limit_verdicts(certificate, limits)
    if not found.within.any():
        may = [name for name, verdict in found.verdicts.items() if verdict == "cannot tell"]
        what = f"{few(may)}, which may or may not" if may else "none that may"
        raise InvalidInputError(
            f"`limits` must leave a model that certainly meets {joined(limits_text(found.limits, found.maximise))}, got "
            f"{what}: see `within`."
        )
    places = [certificate.objectives.index(name) for name in found.limits]
    signs = signs_of(certificate)[places]
    seen = (certificate.estimates[:, places] * signs <= np.array(list(found.limits.values())) * signs).all(axis=1)
    return found.within, ~found.not_within, np.asarray(seen)
