"""Reader of runs of HELM: folders with ``run_spec.json`` and ``per_instance_stats.json``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moltheory._core._text import few, joined, plural, quoted
from moltheory.errors import InvalidInputError
from moltheory.evaluation._logs import Log, Record, is_missing
from moltheory.evaluation._logs_folder import found_below
from moltheory.evaluation._logs_guard import guarded
from moltheory.evaluation._logs_json import document, field, label
from moltheory.evaluation._reader import Reader, Request
from moltheory.evaluation._table import LossTable

__all__ = ["HELM"]

_STATS, _SPEC = "per_instance_stats.json", "run_spec.json"
_NAMES_A_MODEL = re.compile(r"model(_deployment)?=[^,]*,?")


def _files(paths: tuple[Path, ...]) -> list[Path]:
    return found_below(paths, [_STATS], lambda path: path.name == _STATS)


def _sniff(paths: tuple[Path, ...]) -> bool:
    return bool(_files(paths)) and all(path.is_dir() or path.name == _STATS for path in paths)


def _open(paths: tuple[Path, ...], request: Request) -> LossTable:
    # A filter is one of the tool's perturbations here.
    log = Log(request)
    found = _files(paths)
    if not found:
        raise InvalidInputError(f"`path` must hold runs of HELM with {_STATS}, got none below {paths[0]}.")
    perturbed: dict[str, int] = {}
    for path in found:
        spec = document(path.with_name(_SPEC))
        place = str(path.with_name(_SPEC))
        model = label(field(spec, "adapter_spec.model", place, (str,), "the model"), "path", place)
        name = label(field(spec, "name", place, (str,), "the run's name"), "path", place)
        task = _NAMES_A_MODEL.sub("", name).strip(",:") or name
        entries = document(path, list)
        if not entries:
            raise InvalidInputError(f"`path` must hold statistics of instances, got none in {path}: repeat that run.")
        splits = {split for entry in entries for split in _splits(entry)}
        # Where a run has several splits, results are those of the test split.
        split = "test" if "test" in splits and len(splits) > 1 else None
        if split:
            log.say(
                f"Instances of other splits than test ({few(sorted(splits - {'test'}))}) of {quoted(name)} are left out."
            )
        for number, entry in enumerate(entries, start=1):
            where = f"entry {number} of {path}"
            change = _perturbation(entry, where)
            if change != (request.filter or ""):
                perturbed[change] = perturbed.get(change, 0) + 1
                continue
            if split and _splits(entry) and split not in _splits(entry):
                continue
            trial = entry.get("train_trial_index", 0)
            log.add(
                Record(
                    model=model,
                    example=label(entry.get("instance_id"), "path", where),
                    values=_values(entry, split, where),
                    place=where,
                    task=task,
                    answer=change,
                    fields=entry,
                    repeat=f"trial {label(trial, 'path', where)}",
                )
            )
    if perturbed:
        shown = joined(
            f"{plural(count, 'entry', 'entries')} of {name or 'the original'}" for name, count in perturbed.items()
        )
        log.say(f"Other perturbations than the chosen one are left out: {shown}.")
    return log.table()


def _splits(entry: Any) -> set[str]:
    stats = entry.get("stats") if isinstance(entry, dict) else None
    names = [stat.get("name") for stat in stats if isinstance(stat, dict)] if isinstance(stats, list) else []
    return {str(name["split"]) for name in names if isinstance(name, dict) and name.get("split")}


def _perturbation(entry: Any, place: str) -> str:
    if not isinstance(entry, dict):
        raise InvalidInputError(
            f"`path` must hold entries of instances as objects, got {type(entry).__name__} in {place}."
        )
    found = entry.get("perturbation")
    return "" if found is None else label(field(found, "name", place, (str,), "the perturbation"), "path", place)


def _values(entry: Mapping[str, Any], split: str | None, place: str) -> dict[str, Any]:
    """Return the mean of each statistic of an instance; of several outputs, over these."""
    found: dict[str, Any] = {}
    for stat in field(entry, "stats", place, (list,), "the statistics"):
        name = field(stat, "name.name", place, (str,), "a statistic's name")
        own = stat["name"].get("split")
        if (split and own and own != split) or stat.get("count") == 0 or is_missing(stat.get("mean")):
            continue
        if name in found:
            raise InvalidInputError(
                f"`path` must hold each statistic of an instance once, got {quoted(name)} twice in {place}."
            )
        found[label(name, "path", place)] = stat["mean"]
    return found


HELM = Reader(
    "helm",
    "HELM: a folder of runs, each with run_spec.json and per_instance_stats.json; a filter is a perturbation",
    _sniff,
    guarded(_open),
    frozenset({"objectives", "models", "ignore", "clusters", "cluster_rule", "filter", "tasks", "pooled", "maximise"}),
)
