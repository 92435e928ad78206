"""Reader of logs of OpenAI evals: JSON lines of one run each, with events of samples."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from moltheory._core._text import plural, quoted
from moltheory.errors import InvalidInputError
from moltheory.evaluation._logs import Log, Record
from moltheory.evaluation._logs_folder import found_below, head
from moltheory.evaluation._logs_guard import guarded
from moltheory.evaluation._logs_json import field, label, lines
from moltheory.evaluation._reader import Reader, Request
from moltheory.evaluation._table import LossTable

__all__ = ["OPENAI_EVALS"]

_SPEC = re.compile(rb'\s*\{\s*"spec"\s*:\s*\{')


_PATTERNS = ("*.jsonl", "*.json", "*.log")


def _is_log(path: Path) -> bool:
    start = head(path)
    return path.suffix in (".jsonl", ".json", ".log") and bool(_SPEC.match(start)) and b'"eval_name"' in start


def _files(paths: tuple[Path, ...]) -> list[Path]:
    return found_below(paths, _PATTERNS, _is_log)


def _sniff(paths: tuple[Path, ...]) -> bool:
    return bool(_files(paths)) and all(path.is_dir() or _is_log(path) for path in paths)


def _open(paths: tuple[Path, ...], request: Request) -> LossTable:
    log = Log(request, upward={"correct": True})
    found = _files(paths)
    log.say_left_out(paths, _PATTERNS, found)
    for path in found or paths:
        _read(log, path)
    return log.table()


def _read(log: Log, path: Path) -> None:
    model = task = ""
    complete = False
    runs: dict[str, list[tuple[dict[str, Any], str]]] = {}
    failed: set[str] = set()
    for number, (line, place) in enumerate(lines(path)):
        if number == 0:
            used = field(line, "spec.completion_fns", place, (list,), "the completion functions")
            model = label("+".join(map(str, used)), "path", place)
            task = label(field(line, "spec.eval_name", place, (str,), "the name of the eval"), "path", place)
        elif "final_report" in line:
            complete = True
        elif line.get("type") in ("match", "metrics"):
            sample = label(line.get("sample_id"), "path", place)
            data = field(line, "data", place, (dict,), "the event's data")
            kept = {"correct": data.get("correct")} if line["type"] == "match" else data
            values = {label(name, "path", place): value for name, value in kept.items() if value is not None}
            # A second event of the kind belongs to another run on the sample.
            events = runs.setdefault(sample, [])
            free = next((own for own, _ in events if not own.keys() & values.keys()), None)
            if free is None:
                events.append((values, place))
            else:
                free.update(values)
        elif line.get("type") == "error":
            failed.add(str(line.get("sample_id")))
    if not complete:
        raise InvalidInputError(
            f"`path` must hold logs of complete runs, got no final_report in {path}: repeat that run, or leave it out."
        )
    for sample, events in runs.items():
        for run, (values, place) in enumerate(events, start=1):
            log.add(Record(model, sample, values, place, task=task, repeat=f"run {run}"))
    if failed - runs.keys():
        text = f"{plural(len(failed - runs.keys()), 'sample')} of {quoted(model)} on task {task!r} ended with an error and "
        log.say(f"{text}count as not evaluated.", warn=True)


OPENAI_EVALS = Reader(
    "openai-evals",
    "OpenAI evals: JSON-lines logs of oaieval, one of each model and eval; objective correct, or the recorded metrics",
    _sniff,
    guarded(_open),
    frozenset({"objectives", "models", "ignore", "cluster_rule", "tasks", "pooled", "maximise"}),
)
