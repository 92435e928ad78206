"""Reader of output folders of lm-evaluation-harness: the newest run of each model and task."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moltheory._core._places import first_repeated
from moltheory._core._text import few, joined, quoted
from moltheory.errors import InvalidInputError
from moltheory.evaluation._lm_eval import harness_record, name_of_samples
from moltheory.evaluation._logs import Log
from moltheory.evaluation._logs_folder import found_below, head
from moltheory.evaluation._logs_guard import guarded
from moltheory.evaluation._logs_json import document, label, lines
from moltheory.evaluation._reader import Reader, Request
from moltheory.evaluation._table import LossTable

__all__ = ["LM_EVAL"]

_RESULTS = re.compile(r".+_(?P<date>\d{4}-\d{2}-\d{2}T[-\d.:]+)")
_OWN = frozenset(
    {"doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics", "model", "task"}
)


@dataclass
class _Run:
    """The newest files of a model in one folder, by task, with the results that belong to them."""

    folder: Path
    model: str | None
    configuration: Any = None
    files: dict[str, tuple[str, Path]] = field(default_factory=dict)


def _is_log(path: Path) -> bool:
    return path.suffix == ".jsonl" and (path.name.startswith("samples_") or b'"doc_id"' in head(path))


def _files(paths: tuple[Path, ...]) -> list[Path]:
    """Return the files of samples: those with the harness's name, or else all with documents in them."""
    return found_below(paths, ["samples_*.jsonl"], lambda path: path.name.startswith("samples_")) or found_below(
        paths, ["*.jsonl"], _is_log
    )


def _sniff(paths: tuple[Path, ...]) -> bool:
    return bool(_files(paths)) and all(path.is_dir() or _is_log(path) for path in paths)


def _open(paths: tuple[Path, ...], request: Request) -> LossTable:
    log = Log(request)
    found = _files(paths)
    if not found:
        raise InvalidInputError(
            f"`path` must hold files samples_TASK_DATE.jsonl, got none below {paths[0]}: run lm_eval with --log_samples."
        )
    results: dict[Path, dict[str, dict[str, Any]]] = {}
    for folder in dict.fromkeys(path.parent for path in found):
        results[folder] = dict(_results(folder))
    runs = _merged(_newest(found, results, log))
    names = _names(runs, paths[0])
    prompts: dict[tuple[str, str], Any] = {}
    differing: set[str] = set()
    counts: dict[tuple[str, str], tuple[set[str], int | None, Path]] = {}
    for run, name in zip(runs, names, strict=True):
        for task, (date, path) in sorted(run.files.items()):
            said = results[path.parent].get(date, {})
            _read_directions(log, said, path)
            documents: set[str] = set()
            for line, place in lines(path):
                title = run.model or label(line.get("model", path.resolve().parent.name), "path", place)
                record = harness_record(line, place, model=title if name is None else name, task=task, argument="path")
                log.add(record._replace(values=_metrics(line, place, request), marks=_marks(line)))
                documents.add(record.example)
                prompt = line.get("prompt_hash")
                if prompts.setdefault((task, record.example), prompt) != prompt:
                    differing.add(task)
            counts[name or str(run.folder), task] = documents, _declared(said, task), path
    _refuse_truncated(counts, log)
    if differing:
        log.say(
            f"Prompts of {few(sorted(differing))} differ between models, as chat templates or other shots make them."
        )
    return log.table()


def _results(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the date and content of each file of results in a folder."""
    for path in sorted(folder.glob("*.json")):
        matched = _RESULTS.fullmatch(path.stem)
        if matched is not None and (path.name.startswith("results_") or b'"results"' in head(path)):
            yield matched["date"], document(path)


def _newest(found: list[Path], results: Mapping[Path, Mapping[str, dict[str, Any]]], log: Log) -> list[_Run]:
    """Return the runs, each task from its newest file; say what was left out."""
    runs: dict[tuple[Path, str | None], _Run] = {}
    left: dict[tuple[str, str], list[str]] = {}
    for path in found:
        task, date = name_of_samples(path)
        dated = results[path.parent]
        said = dated.get(date) or (dated[max(dated)] if len({_model(entry) for entry in dated.values()}) == 1 else {})
        run = runs.setdefault((path.parent, _model(said)), _Run(path.parent, _model(said)))
        key = task or path.stem
        before = run.files.get(key)
        if before is None or before[0] < date:
            run.files[key] = date, path
            run.configuration = _configuration(said)
        if before is not None:
            older, newer = sorted([before[0], date])
            other = _configuration(dated.get(older, {})) != _configuration(dated.get(newer, {}))
            text = f"{older or 'without a date'}{' (of another configuration)' if other else ''}"
            left.setdefault((run.model or run.folder.name, task), []).append(text)
    for (model, task), dates in left.items():
        log.say(f"Older runs of {quoted(model)} on task {task!r} are left out: {joined(dates)}.")
    return list(runs.values())


def _model(said: Mapping[str, Any]) -> str | None:
    """Return the model's name in a file of results, if it has one."""
    named = [said.get("model_name"), said.get("model_name_sanitized")]
    return next((name for name in named if isinstance(name, str) and name), None)


def _configuration(said: Mapping[str, Any]) -> Any:
    config = said.get("config")
    kept = ("model", "model_args", "gen_kwargs")
    return {name: config.get(name) for name in kept} if isinstance(config, dict) else None


def _merged(runs: list[_Run]) -> list[_Run]:
    """Return the runs, with those of one model and configuration on different tasks, in several folders, as one."""
    kept: list[_Run] = []
    for run in runs:
        same = [
            other
            for other in kept
            if run.model is not None and other.model == run.model and other.configuration == run.configuration
        ]
        if len(same) == 1 and not same[0].files.keys() & run.files.keys():
            same[0].files.update(run.files)
        else:
            kept.append(run)
    return kept


def _names(runs: list[_Run], root: Path) -> list[str | None]:
    """Return the names of the models: those in the results, or with the folder where two have the same; None: unknown.

    Raises
    ------
    InvalidInputError
        If two runs cannot be told apart.
    """
    given = Counter(run.model for run in runs)
    names: list[str | None] = []
    for run in runs:
        if run.model is None or given[run.model] == 1:
            names.append(run.model)
        else:
            inside = root.is_dir() and run.folder.is_relative_to(root) and run.folder != root
            names.append((run.folder.relative_to(root) if inside else run.folder).as_posix())
    twice = first_repeated(name for name in names if name is not None)
    if twice is not None:
        raise InvalidInputError(f"`path` must hold models of distinct names, got {twice!r} twice: rename a folder.")
    return names


def _read_directions(log: Log, said: Mapping[str, Any], path: Path) -> None:
    tasks = said.get("higher_is_better")
    for task, metrics in tasks.items() if isinstance(tasks, dict) else ():
        for metric, upward in metrics.items() if isinstance(metrics, dict) else ():
            if isinstance(upward, bool):
                log.directed(task, metric, upward, str(path.parent))


def _metrics(line: Mapping[str, Any], place: str, request: Request) -> dict[str, Any]:
    """Return the metrics of a line, and other fields that are asked for."""
    listed = line.get("metrics")
    if isinstance(listed, list) and all(isinstance(name, str) for name in listed):
        names = dict.fromkeys(listed)
    else:
        names = dict.fromkeys(
            name for name, value in line.items() if name not in _OWN and isinstance(value, int | float)
        )
    for name in request.objectives or ():
        names.setdefault(name)
    found = {name: line[name] for name in names if name in line}
    for name in request.objectives or ():
        value = found.get(name)
        if isinstance(value, list | dict):
            raise InvalidInputError(
                f"`objectives` must be metrics that are one number per document, got a {type(value).__name__} for "
                f"{quoted(name)} in {place}, which the harness aggregates otherwise than by a mean: choose another metric."
            )
    return found


def _marks(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return the hashes that must agree; prompts may differ, where the document is known to be the same."""
    marks = {name: line.get(name) for name in ("doc_hash", "target_hash")}
    return marks if any(marks.values()) else {"prompt_hash": line.get("prompt_hash")}


def _declared(said: Mapping[str, Any], task: str) -> int | None:
    sizes = said.get("n-samples")
    own = sizes.get(task) if isinstance(sizes, dict) else None
    count = own.get("effective") if isinstance(own, dict) else None
    return count if isinstance(count, int) else None


def _refuse_truncated(counts: Mapping[tuple[str, str], tuple[set[str], int | None, Path]], log: Log) -> None:
    """Refuse a file with fewer documents than its results say and than another model has."""
    for (_, task), (documents, declared, path) in counts.items():
        most = max(len(other) for (_, same), (other, _, _) in counts.items() if same == task)
        if declared is not None and len(documents) < declared:
            text = f"{len(documents):,} of the {declared:,} documents that its results name in {path}"
            if len(documents) < most:
                raise InvalidInputError(
                    f"`path` must hold complete logs, got {text}: copy the file again or, if the evaluation really skipped "
                    "documents, correct n-samples in its results."
                )
            # A selection of documents (--samples) is not counted there.
            log.say(f"The log of task {task!r} has {text}.")


LM_EVAL = Reader(
    "lm-eval",
    "lm-evaluation-harness: a folder with samples_TASK_DATE.jsonl (and results_DATE.json) of each model",
    _sniff,
    guarded(_open),
    frozenset({"objectives", "models", "ignore", "clusters", "cluster_rule", "filter", "tasks", "pooled", "maximise"}),
)
