"""Losses from per-sample JSON-lines logs of evaluation harnesses of language models."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from moltheory._core._validation import Maximise
from moltheory.errors import InvalidInputError
from moltheory.evaluation._table import LossTable

__all__ = ["from_harness_logs"]

Logs = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
ClusterRule = str | Callable[[str, str], Hashable]

_SAMPLES = re.compile(r"samples_(?P<task>.+?)(_\d{4}-\d{2}-\d{2}T[-\d.:]+)?")


def from_harness_logs(
    logs: Logs | Mapping[str, Logs],
    /,
    *,
    metrics: Sequence[str],
    maximise: Maximise = True,
    filter_name: str | None = None,
    per_task: bool = True,
    cluster: ClusterRule | None = None,
) -> LossTable:
    r"""Return the losses in per-sample logs: one JSON object per line, with the id of a document and its metrics.

    The files are those of ``lm_eval --log_samples`` (lm-evaluation-harness: ``MODEL/samples_TASK_DATE.jsonl``, with
    ``doc_id``, ``filter``, ``doc_hash`` and the metrics by name), or any JSON lines with ``doc_id``, the metrics, and
    ``model`` and ``task`` unless file names contain them.

    Parameters
    ----------
    logs : path, sequence of paths, or mapping of str to these
        A folder stands for all files ``samples_*.jsonl`` below it, or all ``*.jsonl`` if none has such a name. The keys
        of a mapping are the models. Otherwise the model is the field ``model`` of the line, or the name of the folder.
    metrics : sequence of str
        Fields to read, such as ``"acc"`` or ``"exact_match"``: numbers or bools. A document without the field was not
        evaluated on it.
    maximise : bool or sequence of bool, default True
        Whether larger is better, for all metrics or one per metric.
    filter_name : str, optional
        Filter of the answers to score, such as ``"strict-match"``, if a task has several: the harness then writes one
        line per document and filter.
    per_task : bool, default True
        One objective per task and metric, named ``task/metric``; if False, one per metric, over the documents of all
        tasks.
    cluster : str or callable, optional
        What dependent documents have in common: ``"task"``, a field of the line (``"doc.story_id"`` for a nested
        field), or a function of the task and the document's id, for example ``lambda task, doc: doc.split("-")[0]``.

    Returns
    -------
    LossTable
        Examples are named ``task/doc_id``; `maximise` is set for each objective.

    Raises
    ------
    InvalidInputError
        If a line is malformed (its file and number are named), a document occurs twice or has different hashes under
        two models, a metric or the filter never occurs, or a task has several filters and none was chosen.

    Notes
    -----
    Lines are read one at a time; one number per line and metric is kept. Comparing hashes detects documents that are
    numbered differently in two runs; otherwise unrelated losses would be paired.

    References
    ----------
    Format of EleutherAI/lm-evaluation-harness, ``lm_eval/loggers/evaluation_tracker.py`` and
    ``lm_eval/evaluator.py``; for one line per filter see its issue 2025.

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for model, right in {"small": [0, 1], "large": [1, 1]}.items():
    ...         lines = [json.dumps({"model": model, "doc_id": i, "acc": a}) for i, a in enumerate(right)]
    ...         _ = pathlib.Path(folder, f"{model}.jsonl").write_text("\n".join(lines))
    ...     models = from_harness_logs(folder, metrics=["acc"])
    >>> models.model_names, models.objective_names, models.maximise
    (('large', 'small'), ('acc',), (True,))
    >>> models.losses[:, :, 0]
    array([[1., 0.],
           [1., 1.]])
    """
    wanted = _metric_names(metrics)
    upward = _upward(maximise, len(wanted))
    log = _Log(wanted, cluster)
    for model, path in _files(logs):
        log.read(model, path)
    return log.result(upward, filter_name, per_task)


class _Log:
    """The lines read so far, by model, task and filter; documents are numbered in the order in which they occur."""

    def __init__(self, metrics: tuple[str, ...], cluster: ClusterRule | None) -> None:
        self._metrics = metrics
        self._cluster = cluster
        self._documents: dict[tuple[str, str], int] = {}
        self._hashes: dict[int, str] = {}
        self._clusters: dict[int, Hashable] = {}
        self._models: dict[str, int] = {}
        self._parts: dict[tuple[str, str, str], dict[int, tuple[tuple[float, ...], str]]] = {}
        self._fields: dict[str, None] = {}

    def read(self, model: str | None, path: Path) -> None:
        """Read one file."""
        matched = _SAMPLES.fullmatch(path.stem)
        task = matched["task"] if matched else ""
        folder = path.resolve().parent.name
        try:
            with path.open("rb") as lines:
                for number, line in enumerate(lines, start=1):
                    if line.strip():
                        self._add(_parsed(line, f"{path} line {number}"), model, task, folder, f"{path} line {number}")
        except OSError as error:
            raise InvalidInputError(f"`logs` must be readable files, got {error.strerror} for {path}.") from error

    def _add(self, record: dict[str, Any], model: str | None, task: str, folder: str, place: str) -> None:
        name = model or str(record.get("model", folder))
        task = str(record.get("task", task))
        doc_id = record.get("doc_id")
        if isinstance(doc_id, bool) or not isinstance(doc_id, int | str):
            raise InvalidInputError(
                f"`logs` must have a doc_id, a number or text, in every line, got {doc_id!r} in {place}."
            )
        document = self._documents.setdefault((task, str(doc_id)), len(self._documents))
        found = record.get("doc_hash")
        if found is not None and self._hashes.setdefault(document, str(found)) != str(found):
            raise InvalidInputError(
                f"`logs` must give a document the same doc_id in every run, got another doc_hash for document {doc_id} "
                f"in {place}."
            )
        if self._cluster is not None:
            found = self._cluster_of(record, task, str(doc_id), place)
            if self._clusters.setdefault(document, found) != found:
                raise InvalidInputError(
                    f"`cluster` must be the same for a document in every run, got {found!r} and "
                    f"{self._clusters[document]!r} for document {doc_id} in {place}."
                )
        self._models.setdefault(name, len(self._models))
        part = self._parts.setdefault((name, task, str(record.get("filter", ""))), {})
        if document in part:
            raise InvalidInputError(
                f"`logs` must hold one line per model, task, document and filter, got document {doc_id} of {name!r} in "
                f"{part[document][1]} and again in {place}: give the files of one run."
            )
        self._fields.update(dict.fromkeys(record))
        part[document] = tuple(_number(record, metric, place) for metric in self._metrics), place

    def _cluster_of(self, record: dict[str, Any], task: str, doc_id: str, place: str) -> Hashable:
        if callable(self._cluster):
            return self._cluster(task, doc_id)
        if self._cluster == "task":
            return task
        value: Any = record
        for step in str(self._cluster).split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        if value is None or not isinstance(value, str | int | float):
            raise InvalidInputError(f"`cluster` must name a field with a number or text, got {value!r} in {place}.")
        return task, value

    def result(self, upward: tuple[bool, ...], filter_name: str | None, per_task: bool) -> LossTable:
        """Return the table of all lines read."""
        for metric in self._metrics:
            if metric not in self._fields:
                listed = ", ".join(self._fields)
                raise InvalidInputError(f"`metrics` must be fields of the logs, got {metric!r} among {listed}.")
        kept = _chosen_filters({(task, answer) for _, task, answer in self._parts}, filter_name)
        parts = {key: part for key, part in self._parts.items() if kept[key[1]] == key[2]}
        tasks = list(dict.fromkeys(task for _, task, _ in parts)) if per_task else [""]
        column = {(task, j): k for k, (task, j) in enumerate((t, j) for t in tasks for j in range(len(self._metrics)))}
        # Floats, whole numbers too: that all values seen are whole says nothing about the metric's type.
        losses = np.full((len(self._documents), len(self._models), len(column)), np.nan)
        for (model, task, _), part in parts.items():
            first = column[task if per_task else "", 0]
            rows = np.fromiter(part, np.intp, len(part))
            losses[rows, self._models[model], first : first + len(self._metrics)] = [
                values for values, _ in part.values()
            ]
        column_used, row_used = np.isfinite(losses).any(axis=(0, 1)), np.isfinite(losses).any(axis=(1, 2))
        documents = [f"{task}/{doc}" if task else doc for task, doc in self._documents]
        numbers: dict[Hashable, int] = {}
        codes = [numbers.setdefault(self._clusters[row], len(numbers)) for row in range(len(self._clusters))]
        kept_columns = [key for key, used in zip(column, column_used, strict=True) if used]
        return LossTable(
            losses[row_used][:, :, column_used],
            self._models,
            [f"{task}/{self._metrics[j]}" if task else self._metrics[j] for task, j in kept_columns],
            examples=[document for document, used in zip(documents, row_used, strict=True) if used],
            clusters=np.array(codes, np.int64)[row_used] if codes else None,
            maximise=[upward[j] for _, j in kept_columns],
        )


def _parsed(line: bytes, place: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0]
        raise InvalidInputError(f"`logs` must hold one JSON object per line, got {reason} in {place}.") from error
    if not isinstance(record, dict):
        raise InvalidInputError(f"`logs` must hold one JSON object per line, got {type(record).__name__} in {place}.")
    return record


def _number(record: dict[str, Any], metric: str, place: str) -> float:
    if metric not in record:
        return math.nan
    value = record[metric]
    if not isinstance(value, bool | int | float) or not math.isfinite(value):
        shown = repr(value)[:40]
        raise InvalidInputError(
            f"`metrics` must be finite numbers per document, got {shown} for {metric!r} in {place}."
        )
    return float(value)


def _metric_names(metrics: Sequence[str]) -> tuple[str, ...]:
    names = () if isinstance(metrics, str) else tuple(metrics)
    if not names or not all(isinstance(name, str) and name for name in names) or len(set(names)) < len(names):
        raise InvalidInputError(f"`metrics` must be a non-empty sequence of distinct names, got {metrics!r}.")
    return names


def _upward(maximise: Maximise, count: int) -> tuple[bool, ...]:
    flags = np.atleast_1d(np.asarray(maximise))
    if flags.dtype != np.bool_ or flags.shape not in ((1,), (count,)):
        raise InvalidInputError(f"`maximise` must be a bool or {count} of them, got {maximise!r}.")
    return tuple(bool(flag) for flag in np.broadcast_to(flags, (count,)))


def _chosen_filters(found: set[tuple[str, str]], filter_name: str | None) -> dict[str, str]:
    """Return the filter of each task: its only one, or the chosen one."""
    every = sorted({answer for _, answer in found})
    if filter_name is not None and filter_name not in every:
        listed = ", ".join(answer or "(none)" for answer in every)
        raise InvalidInputError(f"`filter_name` must be a filter of the logs, {listed}, got {filter_name!r}.")
    chosen = {}
    for task in {task for task, _ in found}:
        filters = sorted(answer for other, answer in found if other == task)
        if len(filters) > 1 and filter_name not in filters:
            raise InvalidInputError(
                f"`filter_name` must be one of {', '.join(filters)} for task {task!r}, got {filter_name!r}."
            )
        chosen[task] = filters[0] if len(filters) == 1 else str(filter_name)
    return chosen


def _files(logs: Logs | Mapping[str, Logs]) -> Iterator[tuple[str | None, Path]]:
    """Yield each file, with its model if that is given; in sorted order below a folder."""
    if isinstance(logs, Mapping):
        for name, given in logs.items():
            for _, path in _files(given):
                yield str(name), path
        return
    for given in [logs] if isinstance(logs, str | os.PathLike) else logs:
        path = Path(given)
        if path.is_dir():
            below = sorted(path.rglob("samples_*.jsonl")) or sorted(path.rglob("*.jsonl"))
            if not below:
                raise InvalidInputError(f"`logs` must hold at least one .jsonl file, got none below {path}.")
            yield from ((None, file) for file in below)
        elif path.is_file():
            yield None, path
        else:
            raise InvalidInputError(f"`logs` must be existing files or folders, got {path}.")
