"""Losses from per-sample JSON-lines logs of evaluation harnesses of language models."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from moltheory._core._validation import Maximise
from moltheory.errors import InvalidInputError
from moltheory.evaluation._logs import Log, Record, Words
from moltheory.evaluation._logs_folder import found_below
from moltheory.evaluation._logs_guard import excerpt
from moltheory.evaluation._logs_json import label, lines
from moltheory.evaluation._reader import Request
from moltheory.evaluation._table import LossTable

__all__ = ["from_harness_logs", "harness_record", "name_of_samples"]

Logs = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
ClusterRule = str | Callable[[str, str], Hashable]

_SAMPLES = re.compile(r"samples_(?P<task>.+?)(_(?P<date>\d{4}-\d{2}-\d{2}T[-\d.:]+))?")


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
        If a line is malformed (its file and number are named), a file is empty, a document occurs twice or has
        different hashes under two models, a metric or the filter never occurs, or a task has several filters and none
        was chosen.

    Warns
    -----
    DataWarning
        If a model has fewer documents of a task than others, as a truncated log has.

    See Also
    --------
    open_losses : The same for a whole output folder: newest runs, names and directions from ``results_*.json``.

    Notes
    -----
    Lines are read one at a time; one number per line and metric is kept. Comparing hashes detects documents that are
    numbered differently in two runs; otherwise unrelated losses would be paired.

    Complexity: O(b) time for b bytes of lines; the result holds one number per example, model and objective, evaluated
    or not, so that t tasks of d documents each take O(t^2 d) numbers per model with `per_task`.

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
    request = Request(
        objectives=wanted,
        filter=filter_name,
        pooled=not per_task,
        clusters=None if callable(cluster) else cluster,
        cluster_rule=cluster if callable(cluster) else None,
        maximise=dict(zip(wanted, _upward(maximise, len(wanted)), strict=True)),
        # No limit has been promised here.
        most_in_memory=2**40,
    )
    log = Log(request, words=Words("logs", "metrics", "filter_name", "cluster"))
    for model, path in _files(logs):
        task, _ = name_of_samples(path)
        for line, place in lines(path, "logs"):
            log.add(harness_record(line, place, model=model, task=task, folder=path.resolve().parent.name))
    return log.table(strict=False)


def harness_record(
    line: Mapping[str, Any], place: str, *, model: str | None, task: str, folder: str = "", argument: str = "logs"
) -> Record:
    """Return what a line says, with the model and the task of its file where it names none.

    Raises
    ------
    InvalidInputError
        If it has no id of a document, or names of another kind.
    """
    doc_id = line.get("doc_id")
    if isinstance(doc_id, bool) or not isinstance(doc_id, int | str):
        raise InvalidInputError(
            f"`{argument}` must have a doc_id, a number or text, in every line, got {excerpt(doc_id)} in {place}."
        )
    answer = line.get("filter", "")
    return Record(
        model=model or label(line.get("model", folder), argument, place),
        example=str(doc_id),
        values=line,
        place=place,
        task=label(line["task"], argument, place) if line.get("task", "") != "" else task,
        answer=label(answer, argument, place) if answer not in ("", None) else "",
        fields=line,
        marks={name: line.get(name) for name in ("doc_hash", "target_hash")},
    )


def name_of_samples(path: Path) -> tuple[str, str]:
    """Return the task and the date in the name of a file of samples; empty where it has none."""
    matched = _SAMPLES.fullmatch(path.stem)
    return (matched["task"], matched["date"] or "") if matched else ("", "")


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


def _any(path: Path) -> bool:
    return True


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
            below = found_below([path], ["samples_*.jsonl"], _any) or found_below([path], ["*.jsonl"], _any)
            if not below:
                raise InvalidInputError(f"`logs` must hold at least one .jsonl file, got none below {path}.")
            yield from ((None, file) for file in below)
        elif path.is_file():
            yield None, path
        else:
            raise InvalidInputError(f"`logs` must be existing files or folders, got {path}.")
