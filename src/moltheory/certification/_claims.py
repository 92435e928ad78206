"""Claims about models that people write in papers, as objects: each has a p-value from paired comparisons.

A claim that consists of several comparisons is tested against "one of them fails": the largest of their p-values is a
p-value (intersection-union, R. L. Berger 1982, doi 10.1080/00401706.1982.10487790). Known costs are compared as they are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from moltheory._core._card import Card
from moltheory._core._html_repr import Shown
from moltheory._core._text import few, joined, named, quoted
from moltheory._core._validation import FloatArray, check_count, check_real
from moltheory.certification._cards import comparisons_card
from moltheory.errors import InvalidInputError

__all__ = ["AmongBest", "BestWithin", "Better", "Claim", "Comparisons"]


@dataclass(frozen=True, repr=False)
class Comparisons(Shown):
    """P-values of comparisons of all pairs of models, for `Claim.p_value`.

    Attributes
    ----------
    models, objectives : tuple of str
    maximise : tuple of bool
    known : mapping of str to (M,) ndarray
        Values of objectives that are known exactly.
    tables : mapping of (str, float) to (M, M) ndarray
        For an objective and a margin, p-values against "the row's model is worse than the column's by the margin or more"
        (margin 0: "not better").
    """

    models: tuple[str, ...]
    objectives: tuple[str, ...]
    maximise: tuple[bool, ...]
    known: Mapping[str, FloatArray]
    tables: Mapping[tuple[str, float], FloatArray]

    def index(self, model: str) -> int:
        """Return the index of a model.

        Raises
        ------
        InvalidInputError
            If there is no such model.
        """
        if model not in self.models:
            raise InvalidInputError(
                f"`claims` must be about models in the data, got {quoted(model)} beside {few(self.models)}."
            )
        return self.models.index(model)

    def is_maximised(self, objective: str) -> bool:
        """Whether larger is better."""
        return self.maximise[self.objectives.index(objective)]

    def table(self, objective: str, margin: float = 0.0) -> FloatArray:
        """Return p-values (M, M) against "the row's model is worse than the column's by the margin or more".

        Raises
        ------
        InvalidInputError
            If there is no such objective, or it is neither known nor has a paired test.
        """
        if objective not in self.objectives:
            raise InvalidInputError(
                f"`claims` must be about objectives in the data, got {objective!r} beside {few(self.objectives)}."
            )
        if objective in self.known:
            value = self.known[objective] * (-1.0 if self.is_maximised(objective) else 1.0)
            return np.where(value[:, None] < value[None, :] + margin, 0.0, 1.0)
        if (objective, margin) not in self.tables:
            raise InvalidInputError(
                f"`claims` must be about objectives with a paired test, or known exactly, got {objective!r}, which has none."
            )
        return self.tables[objective, margin]

    def _card(self) -> Card:
        return comparisons_card(self)


class Claim(Shown, ABC):
    """A statement about models whose truth is tested; a class of your own needs these three methods."""

    @abstractmethod
    def comparisons(self) -> tuple[tuple[str, float], ...]:
        """Return the objectives and margins (0 = better) whose tables are needed."""

    @abstractmethod
    def p_value(self, found: Comparisons, /) -> float:
        """Return a p-value against "the claim is false".

        Raises
        ------
        InvalidInputError
            If the claim does not fit the models and objectives.
        """

    @abstractmethod
    def __str__(self) -> str:
        """The claim in words."""


@dataclass(frozen=True, repr=False)
class Better(Claim):
    """The claim that a model is better than another one, and worse by less than a margin elsewhere.

    Parameters
    ----------
    model, than : str
        Names of two models.
    objectives : str or tuple of str
        In each of these the model is better. May be empty if there are margins.
    margins : mapping of str to float, optional
        In each of these objectives it is worse by less than the margin, > 0 and in the units of the objective.

    Raises
    ------
    InvalidInputError
        If nothing is claimed, a margin is not positive, or an objective or the model occurs twice.

    Examples
    --------
    >>> print(Better("small", "large", "price", margins={"accuracy": 0.02}))
    small is better than large in price and worse by less than 0.02 in accuracy
    """

    model: str
    than: str
    objectives: str | tuple[str, ...]
    margins: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        better = (self.objectives,) if isinstance(self.objectives, str) else tuple(self.objectives)
        margins = {name: check_real("margins", margin) for name, margin in self.margins.items()}
        object.__setattr__(self, "objectives", better)
        object.__setattr__(self, "margins", margins)
        wrong = [f"{margin:g} in {quoted(name)}" for name, margin in margins.items() if margin <= 0.0]
        if wrong:
            raise InvalidInputError(f"`margins` must be > 0, got {few(wrong, describe=str)}.")
        names = [*better, *margins]
        if not names or len(set(names)) < len(names):
            raise InvalidInputError(
                f"`objectives` and `margins` must name each objective once, got {few(names) or 'none'}."
            )
        if self.model == self.than:
            raise InvalidInputError(f"`than` must be another model than `model`, got {self.model!r} twice.")

    def comparisons(self) -> tuple[tuple[str, float], ...]:
        """Return the objectives and margins that are compared."""
        return (*((name, 0.0) for name in self.objectives), *self.margins.items())

    def p_value(self, found: Comparisons, /) -> float:
        """Return the largest p-value of the comparisons."""
        a, b = found.index(self.model), found.index(self.than)
        return max(float(found.table(*entry)[a, b]) for entry in self.comparisons())

    def __str__(self) -> str:
        better = [f"better than {named(self.than)} in {joined(map(named, self.objectives))}"] if self.objectives else []
        rest = [f"{margin:g} in {named(name)}" for name, margin in self.margins.items()]
        than = "" if better else f" than {named(self.than)}"
        worse = [f"worse{than} by less than {joined(rest)}"] if rest else []
        return f"{named(self.model)} is {' and '.join(better + worse)}"


@dataclass(frozen=True, repr=False)
class AmongBest(Claim):
    """The claim that a model is among the k best of all in one objective: fewer than k others are better.

    Parameters
    ----------
    model, objective : str
    k : int, default 1
        With 1: no other model is better.

    Raises
    ------
    InvalidInputError
        If `k` is not positive.

    Notes
    -----
    If the claim is false, k others are better. Among any k others, one of the k hypotheses "not better than this one" is
    then falsely refused where k times their smallest p-value is small (Bonferroni); the largest such value over
    all sets of k others is k times the k-th largest p-value. (Derived; proof: claims.)

    Examples
    --------
    >>> print(AmongBest("m3", "accuracy", 5))
    m3 is among the 5 best in accuracy
    """

    model: str
    objective: str
    k: int = 1

    def __post_init__(self) -> None:
        check_count("k", self.k)

    def comparisons(self) -> tuple[tuple[str, float], ...]:
        """Return the objective."""
        return ((self.objective, 0.0),)

    def p_value(self, found: Comparisons, /) -> float:
        """Return k times the k-th largest p-value against the others; 0 if there are not k others."""
        a, table = found.index(self.model), found.table(self.objective)
        if self.objective in found.known:
            # Models with the same value are not better.
            return float(np.count_nonzero(table[:, a] == 0.0) >= self.k)
        others = np.sort(np.delete(table[a], a))[::-1]
        return min(self.k * float(others[self.k - 1]), 1.0) if self.k <= others.size else 0.0

    def __str__(self) -> str:
        rank = "the best" if self.k == 1 else f"among the {self.k} best"
        return f"{named(self.model)} is {rank} in {named(self.objective)}"


@dataclass(frozen=True, repr=False)
class BestWithin(Claim):
    """The claim that a model is better in one objective than all other models within a limit of a known cost.

    Parameters
    ----------
    model, objective : str
    cost : str
        An objective that is known exactly.
    limit : float
        The other models are those that cost at most this (if the cost is maximised: at least).

    Raises
    ------
    InvalidInputError
        If `limit` is not finite.

    Examples
    --------
    >>> print(BestWithin("m3", "accuracy", "price", 2.0))
    m3 is better in accuracy than all others within price 2
    """

    model: str
    objective: str
    cost: str
    limit: float

    def __post_init__(self) -> None:
        check_real("limit", self.limit)

    def comparisons(self) -> tuple[tuple[str, float], ...]:
        """Return the objective."""
        return ((self.objective, 0.0),)

    def p_value(self, found: Comparisons, /) -> float:
        """Return the largest p-value against the others within the limit."""
        if self.cost not in found.known:
            raise InvalidInputError(f"`cost` must be an objective that is known exactly, got {self.cost!r}.")
        values, a = found.known[self.cost], found.index(self.model)
        within = values >= self.limit if found.is_maximised(self.cost) else values <= self.limit
        within[a] = False
        if not within.any():
            raise InvalidInputError(f"`limit` must admit another model than {self.model!r}, got {self.limit:g}.")
        return float(found.table(self.objective)[a, within].max())

    def __str__(self) -> str:
        return (
            f"{named(self.model)} is better in {named(self.objective)} than all others within {named(self.cost)} "
            f"{self.limit:g}"
        )
