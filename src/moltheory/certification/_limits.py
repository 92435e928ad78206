"""Which models certainly meet limits, which certainly do not: also for limits that are chosen after looking."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._card import MOST_ROWS, Card, Mark, Table
from moltheory._core._declared import owner
from moltheory._core._html_repr import Shown
from moltheory._core._numbers import number_text, percent_text
from moltheory._core._text import did_you_mean, few, joined, named, quoted
from moltheory._core._validation import FloatArray, as_readonly, check_real
from moltheory.certification._ends import certainly_dominated, certainly_on_front, ends_of, signs_of
from moltheory.errors import InvalidInputError
from moltheory.evaluation._objectives import Objective
from moltheory.objectives import Rate

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.certification._certificate import Certificate

__all__ = ["LimitVerdicts", "is_mean", "limit_verdicts", "limits_text", "named_limits", "read_limits"]

Bools = npt.NDArray[np.bool_]
_WORDS = {1: "within", 0: "cannot tell", -1: "not within"}
_STATUS = {"within": "good", "cannot tell": "open", "not within": "bad"}


@dataclass(frozen=True, eq=False, repr=False)
class LimitVerdicts(Shown):
    """Which of M models certainly meet limits, and which certainly do not.

    Attributes
    ----------
    names : tuple of str
        Names of the M models.
    limits : mapping of str to float
        Limit of each of k objectives, in its units: from above, or from below where larger is better.
    maximise : tuple of bool
        One per limit: whether it is from below.
    by_limit : (M, k) ndarray of int64
        1 = certainly within the limit, -1 = certainly not, 0 = cannot tell.
    candidates : (M,) ndarray of bool
        Models that may meet all limits and are not certainly dominated: they contain the front of those that do.
    on_front : (M,) ndarray of bool
        Models that certainly meet all limits and are certainly on the front: so on the front of those that do.
    delta : float
        Probability that some verdict of some limits is wrong, at most.
    engine : str
        As in the certificate: "asymptotic" guarantees nothing at this sample size.
    """

    names: tuple[str, ...]
    limits: Mapping[str, float]
    maximise: tuple[bool, ...]
    by_limit: npt.NDArray[np.int64]
    candidates: Bools
    on_front: Bools
    delta: float
    engine: str = "exact"

    @property
    def within(self) -> Bools:
        """Models that certainly meet all limits, (M,)."""
        return as_readonly((self.by_limit == 1).all(axis=1))

    @property
    def not_within(self) -> Bools:
        """Models that certainly break a limit, (M,)."""
        return as_readonly((self.by_limit == -1).any(axis=1))

    @property
    def verdicts(self) -> dict[str, str]:
        """Verdict on each model, by name.

        "within" and "not within" are certain; otherwise "cannot tell".
        """
        found = self.within.astype(np.int64) - self.not_within
        return {name: _WORDS[one] for name, one in zip(self.names, found.tolist(), strict=True)}

    @property
    def promise(self) -> str:
        """One sentence that states what is guaranteed."""
        return promise_of(self.delta, self.engine, "verdict", "for all limits at once")

    def to_frame(self) -> pd.DataFrame:
        """Return one row per model: its verdict, the verdict on every limit, and whether it is a candidate."""
        import pandas as pd

        table: dict[str, Any] = {"model": list(self.names), "verdict": list(self.verdicts.values())}
        for k, text in enumerate(limits_text(self.limits, self.maximise)):
            table[text] = [_WORDS[one] for one in self.by_limit[:, k].tolist()]
        return pd.DataFrame(table | {"candidate": self.candidates, "on_front": self.on_front})

    def _line(self) -> str:
        """How many models are within, not within, open."""
        found = list(self.verdicts.values())
        counts = [f"{found.count(word)} {word}" for word in _STATUS]
        return f"LimitVerdicts({joined(limits_text(self.limits, self.maximise))}: {joined(counts)})"

    def _card(self) -> Card:
        words = list(self.verdicts.values())
        order = sorted(range(len(words)), key=lambda h: list(_STATUS).index(words[h]))[:MOST_ROWS]
        rows = [
            [
                named(self.names[h]),
                Mark(words[h], _STATUS[words[h]]),
                *(_WORDS[one] for one in self.by_limit[h].tolist()),
            ]
            for h in order
        ]
        texts = limits_text(self.limits, self.maximise)
        return Card(
            "LimitVerdicts",
            f"{words.count('within')} within, {words.count('cannot tell')} open, {words.count('not within')} not within",
            [],
            [Table(["model", "verdict", *texts], rows, len(words), "model")],
            [self.promise],
            code=["verdicts.to_frame()"],
        )


def promise_of(delta: float, engine: str, thing: str, scope: str) -> str:
    """Return the sentence that says with which probability things are right."""
    share = percent_text(1.0 - delta, 1).replace(".0%", "%")
    if engine == "exact":
        return f"With probability at least {share}, {scope}, no {thing} is wrong."
    return f"Asymptotic, nominal {share}, {scope}: nothing is guaranteed at this number of examples."


def limits_text(limits: Mapping[str, float], maximise: tuple[bool, ...]) -> list[str]:
    """Return each limit as a short text, as the command line takes it."""
    return [
        f"{named(name)}{'>=' if up else '<='}{number_text(limit, 6)}"
        for (name, limit), up in zip(limits.items(), maximise, strict=True)
    ]


def named_limits(limits: Any, objectives: Sequence[str]) -> dict[str, float]:
    """Return limits by objective.

    Raises
    ------
    InvalidInputError
        If `limits` is no mapping of some of the objectives to finite numbers, or is empty.
    """
    if not isinstance(limits, Mapping) or not limits:
        found = "none" if isinstance(limits, Mapping) else type(limits).__name__
        raise InvalidInputError(f"`limits` must map objectives to numbers, such as {{'error': 0.1}}, got {found}.")
    for name in limits:
        if name not in objectives:
            hint = did_you_mean(str(name), objectives).removesuffix("?")
            raise InvalidInputError(
                f"`limits` must name objectives among {few(objectives, 8, describe=str)}, got {quoted(name)}{hint}."
            )
    return {name: check_real("limits", limit) for name, limit in limits.items()}


def read_limits(certificate: Certificate, limits: Any) -> dict[str, float]:
    """Return limits by objective of a certificate.

    Raises
    ------
    InvalidInputError
        As `named_limits`, or if a limit lies outside of what losses of the objective can be.
    """
    checked = named_limits(limits, certificate.objectives)
    for name, limit in checked.items():
        low, high = _range_of(certificate, name)
        if not low <= limit <= high:
            raise InvalidInputError(
                f"`limits` must lie between {low:g} and {high:g}, the possible values of {quoted(name)}, got {limit:g}."
            )
    return checked


def is_mean(objective: Objective) -> bool:
    """Return whether an objective is the mean of one column, of all examples or of those that meet a condition."""
    if len(objective.columns) != 1:
        return False
    return objective.measure is None or owner(type(objective.measure), "value") is Rate


def _range_of(certificate: Certificate, name: str) -> tuple[float, float]:
    """Return the possible values of a mean whose losses are at hand; no limits for anything else."""
    statistics = getattr(certificate, "_statistics", None)
    for objective in () if statistics is None else statistics.objectives:
        if objective.name == name and objective.testable and objective.measure is None and objective.tail is None:
            low, high = objective.loss_range
            return float(low), float(high)
    return -math.inf, math.inf


def limit_verdicts(certificate: Certificate, limits: Any) -> LimitVerdicts:
    """Return the verdicts of `Certificate.within`."""
    checked = read_limits(certificate, limits)
    places = [certificate.objectives.index(name) for name in checked]
    signs = signs_of(certificate)
    best, worst = ends_of(certificate)
    ends: FloatArray = signs[places] * np.array(list(checked.values()))
    by_limit = (worst[:, places] <= ends).astype(np.int64) - (best[:, places] > ends)
    within, broken = (by_limit == 1).all(axis=1), (by_limit == -1).any(axis=1)
    return LimitVerdicts(
        names=certificate.names,
        limits=checked,
        maximise=tuple(bool(certificate.maximise[place]) for place in places),
        by_limit=as_readonly(by_limit),
        candidates=as_readonly(~broken & ~certainly_dominated(certificate)),
        on_front=as_readonly(within & certainly_on_front(certificate)),
        delta=certificate.delta,
        engine=certificate.engine,
    )
