"""Values of metrics by model, task, filter and example, as logs of evaluations hold them, and the table of them."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from moltheory._core._text import few, plural, quoted
from moltheory._core._warn_outside import warn_outside
from moltheory.errors import DataWarning, InvalidInputError, TooLargeError
from moltheory.evaluation._logs_choice import Column, chosen_columns, chosen_directions, chosen_filters, chosen_models
from moltheory.evaluation._logs_folder import others_below
from moltheory.evaluation._logs_guard import as_sentence, excerpt
from moltheory.evaluation._logs_json import measured
from moltheory.evaluation._reader import Request
from moltheory.evaluation._table import LossTable

__all__ = ["Contents", "Log", "Record", "Words", "digest", "is_missing"]


@dataclass(frozen=True)
class Words:
    """Names of the arguments, as messages call them."""

    logs: str = "path"
    metrics: str = "objectives"
    answer: str = "filter"
    clusters: str = "clusters"


class Record(NamedTuple):
    """One model's values for one example: where they stand, and what tells that two models saw the same example."""

    model: str
    example: str
    values: Mapping[str, Any]
    place: str
    task: str = ""
    answer: str = ""
    fields: Mapping[str, Any] = {}
    marks: Mapping[str, Any] = {}
    repeat: str = ""
    """Which of several runs on the same example; they form a cluster."""


class _Row(NamedTuple):
    names: Mapping[str, int]
    """Places of metrics in `values`, the same object for all rows with the same metrics."""
    values: tuple[float, ...]
    place: str


class Log:
    """The records read so far; examples are numbered in the order in which they occur.

    Parameters
    ----------
    request : Request
        What is asked for; metrics are kept if they are.
    default : tuple of str
        Metrics read if none are asked for; empty: all that occur.
    upward : mapping of str to bool
        Whether larger is better, for metrics of this format; `directed` adds what a log says.
    """

    def __init__(
        self,
        request: Request,
        *,
        words: Words | None = None,
        default: tuple[str, ...] = (),
        upward: Mapping[str, bool] | None = None,
    ) -> None:
        self.request, self.words, self.default = request, words or Words(), default
        self.notes: list[str] = []
        self._upward: dict[tuple[str, str], bool] = {("", name): flag for name, flag in (upward or {}).items()}
        self._examples: dict[tuple[str, str, str], int] = {}
        self._marks: dict[tuple[str, str, str], Any] = {}
        self._clusters: dict[int, Hashable] = {}
        self._parts: dict[tuple[str, str, str], dict[int, _Row]] = {}
        self._models: dict[str, None] = {}
        self._seen: dict[str, None] = {}
        self._wanted: dict[str, bool] = {}
        self._unreadable: dict[str, str] = {}
        self._shared: dict[tuple[str, ...], dict[str, int]] = {}
        self._count = 0

    def directed(self, task: str, metric: str, upward: bool, place: str) -> None:
        """Note what a log says of a metric's direction.

        Raises
        ------
        InvalidInputError
            If another log says the opposite, and the request leaves it to them.
        """
        before = self._upward.setdefault((task, metric), upward)
        if before != upward and self.request.maximise is None:
            raise InvalidInputError(
                f"`maximise` must be given where logs disagree on the direction of {metric!r} of task {task!r}, got "
                f"higher_is_better {str(upward).lower()} in {place}."
            )

    def add(self, record: Record) -> None:
        """Take in one record.

        Raises
        ------
        InvalidInputError
            If a value that was asked for is no finite number, or the example occurred before for this model, or is
            another one under another model.
        """
        key = record.task, record.example, record.repeat
        row = self._examples.setdefault(key, len(self._examples))
        self._check_marks(record)
        self._check_cluster(record, row)
        self._models.setdefault(record.model)
        part = self._parts.setdefault((record.model, record.task, record.answer), {})
        if row in part:
            raise InvalidInputError(
                f"`{self.words.logs}` must hold one line per model, task, document and filter, got document "
                f"{record.example} of {record.model!r} in {part[row].place} and again in {record.place}: give the files "
                "of one run."
            )
        kept: dict[str, float] = {}
        for name, value in record.values.items():
            self._seen.setdefault(name)
            if self._wants(name):
                number = measured(value)
                if number is not None:
                    kept[name] = number
                else:
                    self._refuse(name, f"{excerpt(value)} for {quoted(name)} in {record.place}")
        names = tuple(kept)
        shared = self._shared.get(names)
        if shared is None:
            shared = self._shared[names] = {name: place for place, name in enumerate(names)}
        part[row] = _Row(shared, tuple(kept.values()), record.place)
        self._count += len(kept)
        if self._count > self.request.most_in_memory:
            raise TooLargeError(
                f"`{self.words.logs}` must hold at most {self.request.most_in_memory:,} values, got more at "
                f"{record.place}: choose `{self.words.metrics}` or tasks, or raise `most_in_memory`."
            )

    def _wants(self, name: str) -> bool:
        wanted = self._wanted.get(name)
        if wanted is None:
            asked = self.request.objectives
            if asked is None:
                wanted = not self.default or name in self.default
            else:
                wanted = name in asked or any(entry.endswith(f"/{name}") for entry in asked)
            self._wanted[name] = wanted
        return wanted

    def _refuse(self, name: str, found: str) -> None:
        """Refuse a value that was asked for by name; of others, remember the first."""
        if self.request.objectives is not None:
            raise InvalidInputError(f"`{self.words.metrics}` must be finite numbers per document, got {found}.")
        self._unreadable.setdefault(name, found)

    def _check_marks(self, record: Record) -> None:
        for name, mark in record.marks.items():
            if mark is not None and self._marks.setdefault((record.task, record.example, name), mark) != mark:
                raise InvalidInputError(
                    f"`{self.words.logs}` must give a document the same id in every run, got another {name} for "
                    f"document {record.example} in {record.place}: these runs evaluated different documents."
                )

    def _check_cluster(self, record: Record, row: int) -> None:
        rule, name = self.request.cluster_rule, self.request.clusters
        if rule is not None:
            found: Hashable = rule(record.task, record.example)
        elif name == "task":
            found = record.task
        elif name is not None:
            value: Any = record.fields
            for step in name.split("."):
                value = value.get(step) if isinstance(value, Mapping) else None
            if value is None or not isinstance(value, str | int | float):
                raise InvalidInputError(
                    f"`{self.words.clusters}` must name a field with a number or text, got {excerpt(value)} in "
                    f"{record.place}."
                )
            found = record.task, value
        else:
            found = record.task, record.example
        if self._clusters.setdefault(row, found) != found:
            raise InvalidInputError(
                f"`{self.words.clusters}` must be the same for a document in every run, got {found!r} and "
                f"{self._clusters[row]!r} for document {record.example} in {record.place}."
            )

    def table(self, *, strict: bool = True) -> LossTable:
        """Return the losses of all records as a table, with what was noted on the way.

        Parameters
        ----------
        strict : bool, default True
            Refuse a model that lacks a task, and warn of one that lacks documents.

        Raises
        ------
        InvalidInputError
            If a metric, task, filter or model never occurs, or must be chosen.
        TooLargeError
        """
        request, words = self.request, self.words
        if not self._parts:
            raise InvalidInputError(f"`{words.logs}` must hold at least one evaluated example, got none.")
        models = chosen_models(tuple(self._models), request)
        kept = chosen_filters({(task, answer) for _, task, answer in self._parts}, request, words.answer)
        parts = {key: part for key, part in self._parts.items() if key[0] in models and key[1:] in kept}
        found: dict[tuple[str, str], dict[str, None]] = {}
        for (_, task, answer), part in parts.items():
            for present in {id(row.names): row.names for row in part.values()}.values():
                found.setdefault((task, answer), {}).update(dict.fromkeys(present))
        self._check_complete(parts, models, strict=strict)
        columns = chosen_columns(found, kept, request, words.metrics, self._seen, self._unreadable, strict=strict)
        for column in columns:
            if column.metric in self._unreadable:
                found_bad = self._unreadable[column.metric]
                raise InvalidInputError(f"`{words.metrics}` must be finite numbers per document, got {found_bad}.")
        if strict:
            self._check_values(parts, models, columns)
        size = len(self._examples) * len(models) * len(columns)
        if size > 25 * request.most_in_memory:
            raise TooLargeError(
                f"`{words.logs}` must fill a table of at most {25 * request.most_in_memory:,} losses, got "
                f"{len(self._examples):,} examples, {len(models):,} models and {len(columns):,} objectives: choose tasks, "
                "or pool them."
            )
        # Floats, whole numbers too: that all values seen are whole says nothing about the metric's type.
        losses = np.full((len(self._examples), len(models), len(columns)), np.nan)
        place = {model: m for m, model in enumerate(models)}
        for (model, task, answer), part in parts.items():
            for k, column in enumerate(columns):
                if (task, answer) in column.parts:
                    pairs = [
                        (row, entry.values[entry.names[column.metric]])
                        for row, entry in part.items()
                        if column.metric in entry.names
                    ]
                    if pairs:
                        rows, values = zip(*pairs, strict=True)
                        losses[list(rows), place[model], k] = values
        used = np.isfinite(losses).any(axis=(1, 2))
        repeated = len({key[:2] for key in self._examples}) < len(self._examples)
        names = [_named(task, example, repeat if repeated else "") for task, example, repeat in self._examples]
        table = LossTable(
            losses[used],
            models,
            [column.name for column in columns],
            examples=[name for name, keep in zip(names, used, strict=True) if keep],
            clusters=self._codes(used),
            maximise=chosen_directions(columns, request, self._upward),
            loss_range=self._ranges(columns),
        )
        table.notes = tuple(self.notes)
        return table

    def _codes(self, used: np.ndarray[Any, np.dtype[np.bool_]]) -> np.ndarray[Any, np.dtype[np.int64]] | None:
        numbers: dict[Hashable, int] = {}
        codes = [numbers.setdefault(self._clusters[row], len(numbers)) for row in range(len(used))]
        asked = self.request.clusters is not None or self.request.cluster_rule is not None
        return np.array(codes, np.int64)[used] if asked or len(numbers) < len(codes) else None

    def _ranges(self, columns: list[Any]) -> Any:
        """Return the ranges by objective, where they are given by metric."""
        given = self.request.loss_range
        if not isinstance(given, Mapping):
            return given
        known = {column.metric: column for column in columns} | {column.name: column for column in columns}
        for name in given:
            if name not in known:
                raise InvalidInputError(
                    f"`loss_range` must name metrics or objectives of the logs, got {quoted(name)} among "
                    f"{few(list(known), 8)}."
                )
        ranges = {column.name: given.get(column.name, given.get(column.metric)) for column in columns}
        return {name: pair for name, pair in ranges.items() if pair is not None}

    def _check_complete(
        self, parts: Mapping[tuple[str, str, str], dict[int, _Row]], models: tuple[str, ...], *, strict: bool
    ) -> None:
        """Refuse models without a task or without common examples; say, and warn, which lack some."""
        keys = list(self._examples)
        for task, answer in dict.fromkeys(key[1:] for key in parts):
            have = {model: parts.get((model, task, answer), {}) for model in models}
            lacking = [model for model, part in have.items() if not part]
            title = f"task {task!r}" if task else "the logs"
            if lacking and strict:
                raise InvalidInputError(
                    f"`{self.words.logs}` must hold every task of every model, got none of {title} for "
                    f"{few(lacking)}: leave out the model (`models`) or the task (`tasks`)."
                )
            # Several runs on one example are as good as one here.
            seen = {model: {keys[row][1] for row in part} for model, part in have.items()}
            every = set[str]().union(*seen.values())
            if strict and not every.intersection(*seen.values()):
                raise InvalidInputError(
                    f"`{self.words.logs}` must hold the same examples for all models, got none in common in {title} of "
                    f"{few(models)}: these runs evaluated different examples."
                )
            for model, own in seen.items():
                if len(own) < len(every):
                    self.say(
                        f"Model {quoted(model)} has {len(own):,} of the {plural(len(every), 'example')} of "
                        f"{title}; the others "
                        "count as not evaluated.",
                        warn=True,
                    )

    def _check_values(
        self, parts: Mapping[tuple[str, str, str], dict[int, _Row]], models: tuple[str, ...], columns: list[Column]
    ) -> None:
        """Refuse models without any value of a metric; say, and warn, which lack it for examples that others have."""
        for column in columns:
            for task, answer in sorted(column.parts):
                rows = {model: parts[model, task, answer] for model in models}
                have = {
                    model: {row for row, entry in part.items() if column.metric in entry.names}
                    for model, part in rows.items()
                }
                every = set[int]().union(*have.values())
                title = f" of task {task!r}" if task else ""
                for model, own in have.items():
                    lacking = (every & rows[model].keys()) - own
                    if lacking and not own:
                        raise InvalidInputError(
                            f"`{self.words.metrics}` must be metrics of every model, got {column.metric!r}{title}, which "
                            f"{quoted(model)} lacks: choose other ones, or leave out the model (`models`)."
                        )
                    if lacking:
                        self.say(
                            f"Model {quoted(model)} has no {column.metric!r} for "
                            f"{plural(len(lacking), 'example')}{title} that "
                            "other models have; these count as not evaluated.",
                            warn=True,
                        )

    def say_left_out(self, paths: Sequence[Path], patterns: Iterable[str], found: Iterable[Path]) -> None:
        """Say which files below the folders look like logs by their names only, and refuse empty ones."""
        others = [str(file) for file in others_below(paths, patterns, found)]
        if others:
            self.say(f"Files that are no logs of this format are left out: {few(others)}.", warn=True)

    def say(self, note: str, *, warn: bool = False) -> None:
        """Add a sentence on what was left out, and warn of it where results may change."""
        note = as_sentence(note)
        self.notes.append(note)
        if warn:
            warn_outside(note, DataWarning)


def _named(task: str, example: str, repeat: str) -> str:
    name = f"{task}/{example}" if task else example
    return f"{name} ({repeat})" if repeat else name


def is_missing(value: Any) -> bool:
    """Whether a value says that there is none: null, or the NaN of a sample without a score."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def digest(content: Any) -> str:
    """Return a short text that is equal for equal JSON values, whatever the order of their keys."""
    try:
        text = json.dumps(content, sort_keys=True, ensure_ascii=True)
    except RecursionError:
        raise InvalidInputError(
            "`path` must hold inputs of limited depth, got too deep nesting: shorten them."
        ) from None
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


class Contents:
    """Numbers of examples that have no identifiers, by what they ask; and of repeated runs on one."""

    def __init__(self) -> None:
        self._numbers: dict[str, str] = {}
        self._runs: Counter[tuple[str, str]] = Counter()

    def named(self, model: str, content: Any, name: str = "") -> tuple[str, str]:
        """Return the name of an example and which run of the model on it this is."""
        key = digest(content)
        number = self._numbers.setdefault(key, name or str(len(self._numbers)))
        self._runs[model, key] += 1
        return number, f"run {self._runs[model, key]}"
