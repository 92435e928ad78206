"""A table whose columns of values per request become objectives that need no range."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._places import first_repeated
from moltheory._core._text import quoted
from moltheory._core._validation import check_choice, check_fraction, check_real
from moltheory.errors import InvalidInputError
from moltheory.evaluation._service import CappedMean, ExceedanceRate, MeasuredMean
from moltheory.evaluation._tails import Quantile, Tail
from moltheory.objectives import Measure

if TYPE_CHECKING:
    from moltheory.evaluation._table import LossTable

__all__ = ["request_measures"]

Column = npt.NDArray[Any]


@dataclass(frozen=True)
class _Kind:
    """An argument: how its numbers are checked, what the objective is called, and how it is made from a smallest value."""

    argument: str
    check: Callable[[str, object], float]
    title: Callable[[str, float], str]
    make: Callable[[Column, float, float], Measure | Tail]


_KINDS = (
    _Kind("quantile", check_fraction, lambda name, p: f"{name} p{100.0 * p:.12g}", lambda x, p, _: Quantile(x, p)),
    _Kind("limit", check_real, lambda name, y: f"{name} above {y:.12g}", lambda x, y, _: ExceedanceRate(x, y)),
    _Kind(
        "cap",
        check_real,
        lambda name, c: f"{name} capped at {c:.12g}",
        lambda x, c, low: CappedMean(x, c, smallest=low),
    ),
)


def request_measures(
    table: LossTable, quantile: Mapping[str, Any], limit: Mapping[str, Any], cap: Mapping[str, Any]
) -> tuple[dict[str, Measure | Tail], dict[str, str], Column, Column | None]:
    """Return measures, the column of each, all losses (n, M, N) and the clusters of the rows.

    Columns that are not named stay means, in their place.

    Raises
    ------
    InvalidInputError
        If there is no such column, it is maximised, none is named, or a number breaks its rule.
    """
    if not (quantile or limit or cap):
        raise InvalidInputError("`quantile` (or `limit`, or `cap`) must name an objective of the table, got none.")
    if table.measures is not None:
        raise InvalidInputError(
            "`quantile` (or `limit`, or `cap`) must be asked of a table of losses, got one of measures."
        )
    wanted: dict[str, list[tuple[_Kind, float]]] = {name: [] for name in table.objective_names}
    # The smallest possible value, unless a range says more.
    ends = zip(table.objective_names, table.loss_range[0].tolist(), strict=True)
    lows = {name: low if math.isfinite(low) else 0.0 for name, low in ends}
    for kind, asked in zip(_KINDS, (quantile, limit, cap), strict=True):
        for name, given in asked.items():
            _check_column(kind.argument, name, table)
            numbers = _numbers(kind, name, given)
            if kind.argument == "cap":
                _check_caps(name, numbers, lows[name])
            wanted[name] += [(kind, number) for number in numbers]
    titles = [kind.title(name, number) for name, asks in wanted.items() for kind, number in asks]
    kept = [name for name, asks in wanted.items() if not asks]
    twice = first_repeated([*kept, *titles])
    if twice is not None:
        raise InvalidInputError(f"`objective_names` must leave the names of new objectives free, got {twice!r} twice.")
    blocks = list(table.blocks())
    losses = np.concatenate([part for part, _ in blocks])
    codes = None if blocks[0][1] is None else np.concatenate([part for _, part in blocks if part is not None])
    found: dict[str, Measure | Tail] = {}
    columns: dict[str, str] = {}
    for place, (name, asks) in enumerate(wanted.items()):
        values = losses[:, :, place]
        _check_measured(name, values, table.model_names)
        for kind, _ in asks:
            _check_values(name, values, lows[name] if kind.argument == "cap" else -math.inf)
        made = {kind.title(name, number): kind.make(values, number, lows[name]) for kind, number in asks}
        found |= made or {name: MeasuredMean(values)}
        columns |= dict.fromkeys(made or [name], name)
    return found, columns, losses, codes


def _check_column(argument: str, name: str, table: LossTable) -> None:
    """Refuse an objective that the table does not have, or that is better when larger."""
    if table.maximise[table.objective_names.index(check_choice(argument, name, table.objective_names))]:
        raise InvalidInputError(
            f"`{argument}` must name values that are minimised, such as a latency, got {quoted(name)}, which is maximised."
        )


def _check_caps(name: str, caps: Sequence[float], low: float) -> None:
    """Refuse a cap that is not above the smallest possible value."""
    if min(caps) <= low:
        raise InvalidInputError(
            f"`cap` must be above the smallest possible value, {low:g} by `loss_range`, got {min(caps):g} for "
            f"{quoted(name)}."
        )


def _check_measured(name: str, values: Column, models: Sequence[str]) -> None:
    """Refuse an objective that a model has no value of, as a misspelled name leads to."""
    never = np.flatnonzero(np.isnan(values).all(axis=0))
    if never.size:
        raise InvalidInputError(
            f"`losses` must measure every model in every objective, got no value of {quoted(name)} for model "
            f"{quoted(models[int(never[0])])}: a model must have one name in all of them, letter by letter."
        )


def _check_values(name: str, values: Column, low: float) -> None:
    """Refuse an infinite value, and one below the smallest possible one."""
    if np.isinf(values).any():
        raise InvalidInputError(
            f"`losses` must be finite, or NaN where not evaluated, got an infinity in {quoted(name)}: of a "
            "request that was given "
            "up, give the time limit."
        )
    least = float(np.fmin.reduce(values, axis=None))
    if least < low:
        raise InvalidInputError(
            f"`loss_range` must state the smallest possible value of {quoted(name)}, at which its capped mean begins, got "
            f"{least:g} and none below {low:g}."
        )


def _numbers(kind: _Kind, name: str, given: Any) -> list[float]:
    """Return the numbers that are asked of an objective: one, or several different ones."""
    several = list(given) if isinstance(given, Sequence | np.ndarray) and not isinstance(given, str) else [given]
    found = [kind.check(kind.argument, number) for number in several]
    if not found or len(set(found)) < len(found):
        raise InvalidInputError(
            f"`{kind.argument}` must map objectives to a number, or to different numbers, got {given!r} for {quoted(name)}."
        )
    return found
