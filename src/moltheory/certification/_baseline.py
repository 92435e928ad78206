"""Models against one that is there already: in which objectives each is better, worse, or not worse by a margin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from moltheory._core._card import MOST_ROWS, Card, Mark, Table
from moltheory._core._docs import document
from moltheory._core._html_repr import Shown
from moltheory._core._numbers import percent_text
from moltheory._core._text import did_you_mean, few, named, plural, quoted
from moltheory._core._validation import FloatArray, as_readonly, check_choice, check_fraction, check_real
from moltheory.certification._certify_claims import certify_claims
from moltheory.certification._claims import Better
from moltheory.errors import InvalidInputError
from moltheory.evaluation._comparison import read_comparison

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BaselineComparison", "compare_to_baseline"]

Bools = npt.NDArray[np.bool_]
Gate = Literal["worse", "not-better", "undecided"]
_GATES = ("not-better", "undecided", "worse")
_STATUS = {"better": "good", "not worse": "good", "cannot tell": "open", "trade-off": "open", "worse": "bad"}


@dataclass(frozen=True, eq=False, repr=False)
class BaselineComparison(Shown):
    """K models beside a baseline in m objectives; with probability at least 1 - delta every claim is true.

    Attributes
    ----------
    baseline : str
    names : tuple of str
        The other K models.
    objectives : tuple of str
    better, worse : (K, m) ndarray of bool
        The model is certainly better, or certainly worse, than the baseline in the objective.
    not_worse : (K, m) ndarray of bool
        It is certainly worse by less than the margin of the objective; without a margin, better, or of the same known
        cost.
    margins : mapping of str to float
        Margins by objective, in its units.
    p_values : (K, m) ndarray
        Adjusted p-values of "better", for data-dependent objectives; NaN for known costs.
    delta : float
    """

    baseline: str
    names: tuple[str, ...]
    objectives: tuple[str, ...]
    better: Bools
    worse: Bools
    not_worse: Bools
    margins: Mapping[str, float] = field(default_factory=dict)
    p_values: FloatArray = field(default_factory=lambda: np.empty((0, 0)))
    delta: float = 0.05

    @property
    def dominates(self) -> Bools:
        """Models that certainly dominate the baseline, (K,): better in some objective, and in the others too or equal."""
        equal = np.isnan(self.p_values) & ~self.worse
        return as_readonly(np.asarray(self.better.any(axis=1) & (self.better | equal).all(axis=1)))

    @property
    def dominated(self) -> Bools:
        """Models that the baseline certainly dominates, (K,): worse in some objective, and in the others too or equal."""
        equal = np.isnan(self.p_values) & ~self.better
        return as_readonly(np.asarray(self.worse.any(axis=1) & (self.worse | equal).all(axis=1)))

    @property
    def verdicts(self) -> dict[str, str]:
        """Verdict on each model.

        "better": certainly better in some objective and not worse, beyond the margin, in any. "worse": certainly worse
        in some objective, beyond what a margin forgives, and better in none. "trade-off": better in one, worse in
        another. "not worse": not worse by the margins, but better in none. "cannot tell": otherwise.
        """
        harm = (self.worse & ~self.not_worse).any(axis=1)
        safe, gain = self.not_worse.all(axis=1), self.better.any(axis=1)
        words = np.select(
            [safe & gain, safe, harm & gain, harm], ["better", "not worse", "trade-off", "worse"], "cannot tell"
        )
        return dict(zip(self.names, words.tolist(), strict=True))

    @property
    def promise(self) -> str:
        """One sentence that states what is guaranteed."""
        share = percent_text(1.0 - self.delta, 1).replace(".0%", "%")
        return f"With probability at least {share}, none of these claims is wrong."

    def failing(self, on: Gate, /) -> tuple[str, ...]:
        """Return the models that a gate stops.

        Parameters
        ----------
        on : {"worse", "not-better", "undecided"}
            "worse": certainly worse in some objective, beyond its margin. "not-better": not shown to be better in some
            objective and not worse in the others. "undecided": in some objective neither better, nor worse, nor within
            its margin.

        Raises
        ------
        InvalidInputError
            If `on` is none of these.
        """
        check_choice("on", on, _GATES)
        if on == "worse":
            stopped = (self.worse & ~self.not_worse).any(axis=1)
        elif on == "not-better":
            stopped = ~(self.better.any(axis=1) & self.not_worse.all(axis=1))
        else:
            stopped = ~(self.better | self.worse | self.not_worse).all(axis=1)
        return tuple(name for name, yes in zip(self.names, np.asarray(stopped).tolist(), strict=True) if yes)

    def word(self, model: int, objective: int) -> str:
        """Return what is known about a model in one objective, in a word or two."""
        if self.better[model, objective]:
            return "better"
        if self.not_worse[model, objective]:
            margin = self.margins.get(self.objectives[objective])
            return "equal" if margin is None else "within margin"
        return "worse" if self.worse[model, objective] else "cannot tell"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BaselineComparison):
            return NotImplemented
        return all(
            np.array_equal(getattr(self, one.name), getattr(other, one.name), equal_nan=one.name == "p_values")
            if isinstance(getattr(self, one.name), np.ndarray)
            else getattr(self, one.name) == getattr(other, one.name)
            for one in fields(self)
        )

    __hash__ = None  # type: ignore[assignment]

    def to_frame(self) -> pd.DataFrame:
        """Return one row per model: its verdict, and what is known in every objective."""
        import pandas as pd

        table: dict[str, Any] = {"model": list(self.names), "verdict": list(self.verdicts.values())}
        for i, name in enumerate(self.objectives):
            table[name] = [self.word(k, i) for k in range(len(self.names))]
        return pd.DataFrame(table | {"dominates": self.dominates, "dominated": self.dominated})

    def _line(self) -> str:
        """How many models are better, worse, open."""
        found = list(self.verdicts.values())
        counts = ", ".join(f"{found.count(word)} {word}" for word in _STATUS if word in found)
        return f"BaselineComparison({plural(len(found), 'model')} beside {named(self.baseline)!r}: {counts})"

    def _card(self) -> Card:
        words = list(self.verdicts.values())
        rows = [
            [named(name), Mark(words[k], _STATUS[words[k]]), *(self.word(k, i) for i in range(len(self.objectives)))]
            for k, name in enumerate(self.names[:MOST_ROWS])
        ]
        return Card(
            "BaselineComparison",
            f"{plural(len(words), 'model')} beside {named(self.baseline)}",
            [(f"margin of {named(name)}", margin) for name, margin in self.margins.items()],
            [Table(["model", "verdict", *map(named, self.objectives)], rows, len(words), "model")],
            [self.promise],
            code=["comparison.to_frame()", 'comparison.failing("worse")'],
        )


@document
def compare_to_baseline(
    losses: Any,
    baseline: str,
    /,
    *,
    margins: Mapping[str, float] | None = None,
    delta: float = 0.05,
    **options: Any,
) -> BaselineComparison:
    """Return in which objectives each model is certainly better or worse than a baseline.

    Parameters
    ----------
    losses : LossTable, source of blocks, (n, M, N) or (n, M) array_like, DataFrame, or mapping
        As in `certify`.
    baseline : str
        Name of the model that the others are compared with, such as the one in production.
    margins : mapping of str to float, optional
        For each of these objectives also whether a model is worse by less than the margin, > 0 and in units of the
        objective (non-inferiority). Fixed before the data.
    {delta_default}
    **options
        ``costs``, ``objectives``, ``names``, ``loss_range``, ``maximise``, ``clusters``, ``largest_cluster`` and
        ``cluster_weights``, as in `certify`.

    Returns
    -------
    BaselineComparison

    Raises
    ------
    InvalidInputError
        If there is no such model, a margin is not positive or of something else than an objective, or an objective
        has no paired test.

    Warns
    -----
    DataWarning
        As in `certify`.

    Notes
    -----
    Paired tests of each model against the baseline, in both directions and against the margins, at once by Holm's
    procedure (S. Holm 1979). Only these count, not the pairs among the others, so this decides more than the verdicts of
    a certificate do. Derived (proof: claims).

    Complexity: as `certify_claims` with at most 3 (M - 1) m claims.

    Examples
    --------
    >>> import numpy as np
    >>> losses = np.zeros((1000, 3), dtype=bool)
    >>> losses[:200, 0] = losses[:120, 1] = losses[10:215, 2] = True
    >>> found = compare_to_baseline(
    ...     losses, "prod", margins={"error": 0.03}, names=["prod", "new", "small"], objectives=["error"])
    >>> found.verdicts, found.failing("not-better")
    ({'new': 'better', 'small': 'not worse'}, ('small',))
    """
    total = check_fraction("delta", delta)
    problem = read_comparison(losses, **options)
    names = list(problem.model_names)
    if baseline not in names:
        hint = did_you_mean(str(baseline), names).removesuffix("?")
        raise InvalidInputError(
            f"`baseline` must be a model among {few(names, 8, describe=str)}, got {quoted(baseline)}{hint}."
        )
    titles = [objective.name for objective in problem.objectives]
    allowed = _margins(margins, titles)
    for objective in problem.objectives:
        low, high = objective.loss_range
        if objective.testable and objective.values is None and allowed.get(objective.name, 0.0) >= high - low:
            raise InvalidInputError(
                f"`margins` must be smaller than the range of the losses, {high - low:g} in {quoted(objective.name)}, got "
                f"{allowed[objective.name]:g}, which nothing exceeds."
            )
    others = [name for name in names if name != baseline]
    if not others:
        raise InvalidInputError("`losses` must be of the baseline and of another model, got the baseline alone.")
    tested = [objective.name for objective in problem.objectives if objective.values is None]
    claims: dict[tuple[str, str, str], Better] = {}
    for model in others:
        for name in tested:
            claims[model, name, "better"] = Better(model, baseline, name)
            claims[model, name, "worse"] = Better(baseline, model, name)
            if name in allowed:
                claims[model, name, "not worse"] = Better(model, baseline, (), {name: allowed[name]})
    tables = {word: np.zeros((len(others), len(titles)), dtype=np.bool_) for word in ("better", "worse", "not worse")}
    p_values = np.full((len(others), len(titles)), np.nan)
    if claims:
        results = certify_claims(losses, list(claims.values()), delta=total, **options)
        for (model, name, word), yes, p in zip(
            claims, results.confirmed.tolist(), results.adjusted_p_values.tolist(), strict=True
        ):
            place = others.index(model), titles.index(name)
            tables[word][place] = yes
            if word == "better":
                p_values[place] = p
    places = [names.index(model) for model in others]
    for i, objective in enumerate(problem.objectives):
        if objective.values is not None:
            gap = (objective.values[places] - objective.values[names.index(baseline)]) * (
                -1 if problem.maximise[i] else 1
            )
            tables["better"][:, i], tables["worse"][:, i] = gap < 0.0, gap > 0.0
            tables["not worse"][:, i] = (gap <= 0.0) | (gap < allowed.get(objective.name, 0.0))
    return BaselineComparison(
        baseline=baseline,
        names=tuple(others),
        objectives=tuple(titles),
        better=as_readonly(tables["better"]),
        worse=as_readonly(tables["worse"]),
        not_worse=as_readonly(tables["not worse"] | tables["better"]),
        margins=allowed,
        p_values=as_readonly(p_values),
        delta=total,
    )


def _margins(margins: Any, titles: list[str]) -> dict[str, float]:
    if margins is None:
        return {}
    if not isinstance(margins, Mapping):
        raise InvalidInputError(f"`margins` must map objectives to numbers > 0, got {type(margins).__name__}.")
    for name in margins:
        if name not in titles:
            hint = did_you_mean(str(name), titles).removesuffix("?")
            raise InvalidInputError(
                f"`margins` must name objectives among {few(titles, 8, describe=str)}, got {quoted(name)}{hint}."
            )
    found = {name: check_real("margins", margin) for name, margin in margins.items()}
    wrong = [f"{margin:g} in {quoted(name)}" for name, margin in found.items() if margin <= 0.0]
    if wrong:
        raise InvalidInputError(f"`margins` must be > 0, got {few(wrong, describe=str)}.")
    return found
