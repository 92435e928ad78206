"""Which models, tasks, filters, metrics and directions of evaluation logs are read, and what must be chosen."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from moltheory._core._places import places_of
from moltheory._core._text import few, joined, quoted
from moltheory.errors import InvalidInputError
from moltheory.evaluation._arguments import read_maximise
from moltheory.evaluation._reader import Request

__all__ = ["Column", "chosen_columns", "chosen_directions", "chosen_filters", "chosen_models", "names_a_loss"]

_Part = tuple[str, str]

_LARGER = re.compile(
    r"(.*[\W_])?(acc|accuracy|correct|exact_match|quasi_exact_match|prefix_exact_match|em|f1|score|reward|auc|auroc|mcc|"
    r"r2|pass|passed|success|win|bleu|chrf|rouge\w*|recall|precision|likelihood|pass(@|_at_)\d+)([\W_].*)?",
    re.IGNORECASE,
)
_SMALLER = re.compile(
    r"(.*[\W_])?(perplexity|ppl|bits_per_byte|loss|error|wer|cer|ter|latency\w*|time|seconds|runtime|duration|cost|usd|"
    r"\w*tokens|brier\w*|mae|mse|rmse)([\W_].*)?",
    re.IGNORECASE,
)


_LONGEST = 1000
"""Longest name, in characters, whose words are looked at: the search takes quadratic time."""


@dataclass(frozen=True)
class Column:
    """One objective: a metric over the examples of one task, or of all."""

    name: str
    metric: str
    parts: frozenset[_Part]


def chosen_models(found: tuple[str, ...], request: Request) -> tuple[str, ...]:
    """Return the models to read, in order.

    Raises
    ------
    InvalidInputError
        If an asked one never occurs, or none is left.
    """
    for argument, names in (("models", request.models or ()), ("ignore", request.ignore)):
        for name in names:
            if name not in found:
                raise InvalidInputError(
                    f"`{argument}` must be models of the logs, got {quoted(name)} among {few(found, 8)}."
                )
    kept = tuple(name for name in request.models or found if name not in request.ignore)
    if not kept or len(set(kept)) < len(kept):
        raise InvalidInputError(f"`models` must be at least one model, each named once, got {list(kept)}.")
    return kept


def chosen_filters(found: set[_Part], request: Request, argument: str) -> dict[_Part, str]:
    """Return the tasks and filters to read, in order, with the title of each.

    Raises
    ------
    InvalidInputError
        If a task or the filter never occurs, or a task has several and none is chosen.
    """
    filters: dict[str, list[str]] = {}
    for task, answer in sorted(found):
        filters.setdefault(task, []).append(answer)
    every = sorted({answer for _, answer in found})
    if request.filter is not None and request.filter not in every:
        listed = ", ".join(answer or "(none)" for answer in every)
        raise InvalidInputError(f"`{argument}` must be a filter of the logs, {listed}, got {request.filter!r}.")
    if request.tasks is None:
        return {(task, _only(task, answers, request.filter, argument)): task for task, answers in filters.items()}
    kept: dict[_Part, str] = {}
    for entry in request.tasks:
        task, _, answer = (entry, "", "") if entry in filters else entry.rpartition(":")
        if task not in filters or (answer and answer not in filters[task]):
            known = [f"{name}:{way}" if len(ways) > 1 else name for name, ways in filters.items() for way in ways]
            raise InvalidInputError(f"`tasks` must be tasks of the logs, got {entry!r} among {few(known, 8)}.")
        part = task, answer or _only(task, filters[task], request.filter, argument)
        if part in kept:
            raise InvalidInputError(f"`tasks` must be distinct, got {entry!r} twice.")
        kept[part] = task
    titles = Counter(kept.values())
    return {part: f"{part[0]}:{part[1]}" if titles[part[0]] > 1 else part[0] for part in kept}


def _only(task: str, answers: list[str], wanted: str | None, argument: str) -> str:
    if len(answers) > 1 and wanted not in answers:
        raise InvalidInputError(
            f"`{argument}` must be one of {', '.join(answers)} for task {task!r}, got {wanted!r}: name the one "
            "whose answers count."
        )
    return answers[0] if len(answers) == 1 else str(wanted)


def chosen_columns(
    found: Mapping[_Part, Mapping[str, None]],
    titles: Mapping[_Part, str],
    request: Request,
    argument: str,
    seen: Mapping[str, None],
    unreadable: Mapping[str, str],
    *,
    strict: bool,
) -> list[Column]:
    """Return the objectives: the metrics asked for, or the only one of each task.

    Raises
    ------
    InvalidInputError
        If one never occurs, or several do and none is asked for.
    """
    parts = [part for part in titles if part in found]
    asked = request.objectives
    if asked is None:
        asked = _only_metrics([found[part] for part in parts], argument, unreadable)
    columns: dict[str, Column] = {}
    whole = [name for name in asked if any(name in found[part] for part in parts)]
    exact = {f"{titles[part]}/{name}": (part, name) for part in parts for name in found[part]}
    common = set(whole)
    for name in asked:
        if name not in common and name not in exact:
            listed = ", ".join(list(seen)[:40])
            raise InvalidInputError(f"`{argument}` must be fields of the logs, got {quoted(name)} among {listed}.")
    if request.pooled:
        if len(whole) < len(asked):
            raise InvalidInputError(f"`{argument}` must be metrics without a task where tasks are pooled, got {asked}.")
        for name in asked:
            lacking = [titles[part] for part in parts if name not in found[part]]
            if lacking and strict:
                raise InvalidInputError(
                    f"`{argument}` must be metrics of all tasks where these are pooled, got {quoted(name)}, which "
                    f"{few(lacking)} lacks: choose `tasks`."
                )
            columns[name] = Column(name, name, frozenset(parts))
        return list(columns.values())
    if len(whole) == len(asked):
        # Task by task: the order of the tasks first, then that of the metrics.
        pairs = [(part, name) for part in parts for name in asked if name in found[part]]
    else:
        pairs = [pair for name in asked for pair in ([(p, name) for p in parts if name in found[p]] or [exact[name]])]
    for part, name in pairs:
        title = f"{titles[part]}/{name}" if titles[part] else name
        columns[title] = Column(title, name, frozenset([part]))
    return list(columns.values())


def _only_metrics(found: list[Mapping[str, None]], argument: str, unreadable: Mapping[str, str]) -> tuple[str, ...]:
    if found and all(len(names) == 1 for names in found):
        return tuple(dict.fromkeys(name for names in found for name in names))
    common = [name for name in (found[0] if found else ()) if all(name in names for names in found)]
    other = [name for names in found for name in names]
    if not other:
        reason = next(iter(unreadable.values()), "none")
        raise InvalidInputError(f"`{argument}` must be finite numbers per document, got {reason}.")
    listed = joined(map(repr, common or dict.fromkeys(other)))
    raise InvalidInputError(
        f"`{argument}` must be chosen where logs hold several metrics, got "
        f"{listed if common else 'none common to all tasks, but ' + listed}: name those that count, of which each task "
        "gives those that it has."
    )


def chosen_directions(columns: list[Column], request: Request, known: Mapping[tuple[str, str], bool]) -> list[bool]:
    """Return whether larger is better: as asked, else as the logs or the metric's name say.

    Raises
    ------
    InvalidInputError
        If neither is known, or a name in the request is no metric or objective.
    """
    given: Any = request.maximise
    asked = request.objectives or ()
    named = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else []
    if isinstance(given, Mapping):
        return _by_name(columns, given, known)
    if named and all(isinstance(entry, str) for entry in named):
        return _by_name(columns, dict.fromkeys(named, True), None)
    if given is None:
        return [_direction(column, known) for column in columns]
    if len(named) == len(asked) != len(columns) and {column.metric for column in columns} == set(asked):
        # One for each metric, over all tasks.
        places = places_of(asked)
        given = [named[places[column.metric]] for column in columns]
    return list(read_maximise(given, [column.name for column in columns], ()))


def _by_name(
    columns: list[Column], given: Mapping[str, Any], known: Mapping[tuple[str, str], bool] | None
) -> list[bool]:
    """Return the directions given by metric or objective, and others as known; without that, smaller is better."""
    names = {name for column in columns for name in (column.name, column.metric)}
    for name, flag in given.items():
        if name not in names:
            raise InvalidInputError(
                f"`maximise` must name metrics or objectives of the logs, got {quoted(name)} among {few(sorted(names), 8)}."
            )
        if not isinstance(flag, bool | np.bool_):
            raise InvalidInputError(f"`maximise` must map names to bools, got {flag!r} for {quoted(name)}.")
    found = []
    for column in columns:
        own = given.get(column.name, given.get(column.metric))
        if own is None:
            own = known is not None and _direction(column, known)
        found.append(bool(own))
    return found


def names_a_loss(metric: str) -> bool:
    """Whether a metric's name says that smaller is better."""
    return len(metric) <= _LONGEST and _SMALLER.fullmatch(metric) is not None


def _direction(column: Column, known: Mapping[tuple[str, str], bool]) -> bool:
    said = {known[task, column.metric] for task, _ in column.parts if (task, column.metric) in known}
    if len(said) == 1:
        return said.pop()
    if ("", column.metric) in known:
        return known["", column.metric]
    short = column.metric if len(column.metric) <= _LONGEST else ""
    larger, smaller = _LARGER.fullmatch(short), _SMALLER.fullmatch(short)
    if bool(larger) == bool(smaller):
        raise InvalidInputError(
            f"`maximise` must say whether larger is better for {column.metric!r}, which the logs do not, got None."
        )
    return larger is not None
