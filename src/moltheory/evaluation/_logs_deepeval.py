"""Reader of test runs of deepeval: ``test_run_*.json`` or ``.latest_test_run.json``, one of each model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moltheory._core._text import plural, quoted
from moltheory.errors import InvalidInputError
from moltheory.evaluation._logs import Contents, Log, Record
from moltheory.evaluation._logs_folder import found_below, head
from moltheory.evaluation._logs_guard import guarded
from moltheory.evaluation._logs_json import document, field, label
from moltheory.evaluation._reader import Reader, Request
from moltheory.evaluation._table import LossTable

__all__ = ["DEEPEVAL"]

_TURNING = re.compile("bias|toxic|hallucinat|leak|violation|misuse", re.IGNORECASE)
"""Metrics whose scores changed their direction between versions of the tool."""

_MEASURED = {"completionTime": "completion_time", "tokenCost": "token_cost", "outputTokenCount": "output_token_count"}


_PATTERNS = ("*.json", ".*.json")


def _is_log(path: Path) -> bool:
    start = head(path, 65536)
    known = (b'"testRunData"', b'"testCases"', b'"test_cases"', b'"metricsData"')
    return path.suffix == ".json" and start.lstrip()[:1] == b"{" and any(name in start for name in known)


def _files(paths: tuple[Path, ...]) -> list[Path]:
    return found_below(paths, _PATTERNS, _is_log)


def _sniff(paths: tuple[Path, ...]) -> bool:
    return bool(_files(paths)) and all(path.is_dir() or _is_log(path) for path in paths)


def _open(paths: tuple[Path, ...], request: Request) -> LossTable:
    log = Log(request, default=("success",), upward={"success": True} | dict.fromkeys(_MEASURED, False))
    contents = Contents()
    models: dict[str, Path] = {}
    found = _files(paths)
    log.say_left_out(paths, _PATTERNS, found)
    for path in found or paths:
        run = document(path)
        run = run["testRunData"] if isinstance(run.get("testRunData"), dict) else run
        model = _model(run, path)
        if models.setdefault(model, path) != path:
            raise InvalidInputError(
                f"`path` must hold one test run per model, got {models[model]} and {path} of {quoted(model)}."
            )
        cases = []
        for kind in ("testCases", "test_cases", "conversationalTestCases"):
            if run.get(kind) is not None:
                cases += field(run, kind, str(path), (list,), "a list of test cases")
        if not cases:
            raise InvalidInputError(f"`path` must hold test runs with test cases, got none in {path}.")
        unscored = 0
        for number, case in enumerate(cases, start=1):
            place = f"test case {number} of {path}"
            if not isinstance(case, dict):
                raise InvalidInputError(
                    f"`path` must hold test cases as objects, got {type(case).__name__} in {place}."
                )
            values = _values(case, place, log)
            asked = case.get("input"), case.get("expectedOutput"), case.get("scenario"), case.get("context")
            example, again = contents.named(model, asked if any(asked) else case.get("name"))
            unscored += not values
            if values:
                log.add(Record(model, example, values, place, fields=case, repeat=again))
        if unscored:
            text = f"{plural(unscored, 'test case')} of {quoted(model)} have no result and count as not evaluated."
            log.say(text, warn=True)
    return log.table()


def _model(run: Mapping[str, Any], path: Path) -> str:
    """Return the hyperparameter ``model``, the run's identifier, or else the name of the file."""
    given = run.get("hyperparameters")
    named = given.get("model") if isinstance(given, dict) else None
    if named is None and isinstance(given, list):
        own = [entry.get("value") for entry in given if isinstance(entry, dict) and entry.get("name") == "model"]
        named = own[-1] if own else None
    hidden = path.resolve().parent.parent.name if path.parent.name == ".deepeval" else path.stem
    return label(named or run.get("identifier") or hidden, "path", str(path))


def _values(case: Mapping[str, Any], place: str, log: Log) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if case.get("success") is not None:
        found["success"] = case["success"]
    metrics = case.get("metricsData", case.get("metrics_data")) or []
    if not isinstance(metrics, list) or not all(isinstance(metric, dict) for metric in metrics):
        raise InvalidInputError(f"`path` must hold metricsData as a list of objects, got something else in {place}.")
    for metric in metrics:
        name = label(metric.get("name"), "path", place)
        if name in found:
            raise InvalidInputError(
                f"`path` must hold each metric of a test case once, got {quoted(name)} twice in {place}."
            )
        # A metric that failed to be computed has an error instead of a score.
        if metric.get("score") is not None and not metric.get("error"):
            found[name] = metric["score"]
            if not _TURNING.search(name):
                log.directed("", name, True, place)
    for name, other in _MEASURED.items():
        value = case.get(name, case.get(other))
        if value is not None:
            found.setdefault(name, value)
    return found


DEEPEVAL = Reader(
    "deepeval",
    "deepeval: JSON test runs, one of each model; objectives success (default), the metrics' names, completionTime, "
    "tokenCost",
    _sniff,
    guarded(_open),
    frozenset({"objectives", "models", "ignore", "clusters", "cluster_rule", "maximise"}),
)
