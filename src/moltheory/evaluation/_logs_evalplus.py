"""Reader of results of EvalPlus: ``*_eval_results.json``, one of each model and data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from moltheory.errors import InvalidInputError
from moltheory.evaluation._logs import Log, Record
from moltheory.evaluation._logs_folder import found_below, head
from moltheory.evaluation._logs_guard import excerpt, guarded
from moltheory.evaluation._logs_json import document, field, label
from moltheory.evaluation._reader import Reader, Request
from moltheory.evaluation._table import LossTable

__all__ = ["EVALPLUS"]

_NAME = "eval_results.json"
_STATUSES = {"pass": True, "fail": False, "timeout": False}


def _is_log(path: Path) -> bool:
    return path.name.endswith(_NAME) and head(path).lstrip()[:1] == b"{"


def _files(paths: tuple[Path, ...]) -> list[Path]:
    return found_below(paths, [f"*{_NAME}"], lambda path: path.name.endswith(_NAME))


def _sniff(paths: tuple[Path, ...]) -> bool:
    return any(map(_is_log, _files(paths))) and all(path.is_dir() or _is_log(path) for path in paths)


def _open(paths: tuple[Path, ...], request: Request) -> LossTable:
    log = Log(request, upward={"base": True, "plus": True})
    for path in _files(paths) or paths:
        content = document(path)
        stem = path.name.removesuffix(_NAME).rstrip("_-.")
        model = label(stem or path.resolve().parent.name, "path", str(path))
        problems = field(content, "eval", str(path), (dict,), "the results")
        if not problems:
            raise InvalidInputError(f"`path` must hold results of at least one problem, got none in {path}.")
        for problem, results in problems.items():
            place = f"{problem} of {path}"
            task, _, number = problem.rpartition("/")
            for run, values in enumerate(_runs(results, place), start=1):
                log.add(
                    Record(
                        model=model,
                        example=label(number, "path", place),
                        values=values,
                        place=place,
                        task=task,
                        marks={"hash": content.get("hash")},
                        repeat=f"sample {run}",
                    )
                )
    return log.table()


def _runs(results: Any, place: str) -> list[dict[str, bool]]:
    """Return for each sample whether it passes the base tests, and these and the additional ones."""
    pairs: list[tuple[Any, Any]]
    if isinstance(results, list):
        if not all(isinstance(entry, dict) for entry in results):
            raise InvalidInputError(f"`path` must hold samples as objects, got something else in {place}.")
        pairs = [(entry.get("base_status"), entry.get("plus_status")) for entry in results]
    else:
        # Before version 0.2: lists of (status, details).
        base = [
            entry[0]
            for entry in field(results, "base", place, (list,), "statuses")
            if isinstance(entry, list) and entry
        ]
        further = field(results, "plus", place, (list, type(None)), "statuses") or []
        plus = [entry[0] for entry in further if isinstance(entry, list) and entry]
        if len(base) != len(results["base"]) or len(plus) != len(further) or (plus and len(plus) != len(base)):
            raise InvalidInputError(f"`path` must hold a status for each sample, got something else in {place}.")
        pairs = list(zip(base, plus or [None] * len(base), strict=True))
    found = []
    for own, more in pairs:
        for status in (own, more):
            if not (status is None or (isinstance(status, str) and status in _STATUSES)) or own is None:
                raise InvalidInputError(
                    f"`path` must hold statuses pass, fail or timeout, got {excerpt(status)} in {place}."
                )
        passed = _STATUSES[own]
        found.append({"base": passed} | ({} if more is None else {"plus": passed and _STATUSES[more]}))
    return found


EVALPLUS = Reader(
    "evalplus",
    "EvalPlus: *_eval_results.json of each model; objectives base and plus; several samples of a problem form a cluster",
    _sniff,
    guarded(_open),
    frozenset({"objectives", "models", "ignore", "cluster_rule", "tasks", "pooled", "maximise"}),
)
