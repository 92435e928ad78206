"""Reader of logs of Inspect AI: ``.eval`` archives and ``.json`` files, one evaluation of one model each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from moltheory._core._text import plural, quoted
from moltheory.errors import InvalidInputError
from moltheory.evaluation._logs import Log, Record, digest, is_missing
from moltheory.evaluation._logs_archive import archive, member
from moltheory.evaluation._logs_choice import names_a_loss
from moltheory.evaluation._logs_folder import found_below, head
from moltheory.evaluation._logs_guard import excerpt, guarded
from moltheory.evaluation._logs_json import document, field, label
from moltheory.evaluation._reader import Reader, Request
from moltheory.evaluation._table import LossTable

__all__ = ["INSPECT"]

_GRADES = frozenset("CPIN")

_TEXTS = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0, "yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
"""What the tool's metrics take texts for: correct, partial, incorrect, no answer."""

_MEASURED = ("total_time", "working_time", "input_tokens", "output_tokens", "total_tokens", "total_cost")
_SAMPLE = re.compile(r"samples/[^/]+\.json|samples/[^/]+/sample\.json")


_PATTERNS = ("*.eval", "*.json")


def _is_log(path: Path) -> bool:
    start = head(path)
    if path.suffix == ".eval":
        return start[:2] == b"PK"
    return path.suffix == ".json" and all(
        re.search(rb'"%s"\s*:' % key, start) for key in (b"status", b"eval", b"run_id")
    )


def _files(paths: tuple[Path, ...]) -> list[Path]:
    return found_below(paths, _PATTERNS, lambda path: path.suffix == ".eval" or _is_log(path))


def _sniff(paths: tuple[Path, ...]) -> bool:
    return bool(_files(paths)) and all(path.is_dir() or path.suffix == ".eval" or _is_log(path) for path in paths)


def _open(paths: tuple[Path, ...], request: Request) -> LossTable:
    upward = dict.fromkeys(_MEASURED, False)
    log = Log(request, upward=upward)
    newest: dict[tuple[str, str], tuple[bool, str, Path]] = {}
    found_files = _files(paths)
    log.say_left_out(paths, _PATTERNS, found_files)
    for path in found_files:
        said, place = _header(path), str(path)
        spec = field(said, "eval", place, (dict,), "the evaluation's specification")
        key = _model(spec, place), label(spec.get("task"), "path", place)
        # A complete log before a failed attempt, then the newer one.
        own = said.get("status") == "success", str(spec.get("created", "")), path
        before = newest.setdefault(key, own)
        if before is not own:
            if before[:2] == own[:2]:
                raise InvalidInputError(f"`path` must hold one log per model and task, got {before[2]} and {path}.")
            older, newest[key] = sorted((before, own))
            what = "An older log" if older[0] else "An incomplete log"
            log.say(f"{what} of {key[0]!r} on task {key[1]!r} is left out: {older[2].name}.")
    if not newest:
        raise InvalidInputError(f"`path` must hold logs of Inspect AI, got none below {paths[0]}.")
    for complete, _, path in newest.values():
        if not complete:
            status = excerpt(_header(path).get("status"))
            raise InvalidInputError(
                f"`path` must hold logs of complete evaluations, got status {status} in {path}: run inspect eval-retry, or "
                "leave the file out."
            )
    kinds: dict[tuple[str, str], set[str]] = {}
    for (model, task), (_, _, path) in newest.items():
        _read(log, model, task, path, kinds)
    for (task, name), found in kinds.items():
        # Grades, yes and no say which is better; of numbers, only their names may.
        if found == {"grade"} or ("number" not in found and not names_a_loss(name)):
            log.directed(task, name, True, str(paths[0]))
    return log.table()


def _model(spec: Mapping[str, Any], place: str) -> str:
    name = spec.get("model")
    if name in (None, "", "none", "none/none"):
        # Without a model of the evaluation, those of its roles take part, or the solver alone does.
        name = spec.get("solver")
    return label(name, "path", place)


def _header(path: Path) -> dict[str, Any]:
    if path.suffix != ".eval":
        return dict(document(path))
    with archive(path) as opened:
        names = opened.namelist()
        if "header.json" in names:
            return dict(member(opened, "header.json"))
        if "_journal/start.json" in names:
            return dict(member(opened, "_journal/start.json")) | {"status": "started"}
    raise InvalidInputError(f"`path` must hold logs of Inspect AI, got an archive without header.json in {path}.")


def _samples(path: Path) -> Iterator[tuple[dict[str, Any], str]]:
    if path.suffix != ".eval":
        samples = document(path).get("samples")
        if not isinstance(samples, list):
            raise InvalidInputError(f"`path` must hold logs with samples, got none in {path}: run inspect eval again.")
        yield from ((sample, f"sample {i + 1} of {path}") for i, sample in enumerate(samples))
        return
    with archive(path) as opened:
        # A name that occurs twice stands for its last content, as in the tool.
        for name in dict.fromkeys(opened.namelist()):
            if _SAMPLE.fullmatch(name):
                yield member(opened, name), f"{name} of {path}"


def _read(log: Log, model: str, task: str, path: Path, kinds: dict[tuple[str, str], set[str]]) -> None:
    failed = limited = unscored = count = 0
    for sample, place in _samples(path):
        if not isinstance(sample, dict):
            raise InvalidInputError(f"`path` must hold samples as objects, got {type(sample).__name__} in {place}.")
        count += 1
        scores = sample.get("scores")
        if sample.get("error") is not None:
            failed += 1
            continue
        if not isinstance(scores, dict) or not scores:
            unscored += 1
            continue
        limited += sample.get("limit") is not None
        given = _values(scores, place)
        values = {name: _number(value) for name, value in given.items() if not is_missing(value)}
        empty = len(values) < len(given)
        for name in values:
            kinds.setdefault((task, name), set()).add(_kind(given[name]))
        unscored += empty
        if empty and not values:
            continue
        epoch = sample.get("epoch", 1)
        if isinstance(epoch, bool) or not isinstance(epoch, int):
            raise InvalidInputError(f"`path` must hold epochs as whole numbers, got {excerpt(epoch)} in {place}.")
        log.add(
            Record(
                model=model,
                example=label(sample.get("id"), "path", place),
                values=values | _measurements(sample, log.request),
                place=place,
                task=task,
                fields=sample,
                marks={"input": _mark(sample.get("input"))},
                repeat=f"epoch {epoch}",
            )
        )
    if not count:
        raise InvalidInputError(f"`path` must hold logs with samples, got none in {path}: leave the file out.")
    for number, what in ((failed, "ended with an error"), (unscored, "have no score")):
        if number:
            text = f"{plural(number, 'sample')} of {quoted(model)} on task {task!r} {what} and count as not evaluated."
            log.say(text[0].upper() + text[1:], warn=True)
    if limited:
        log.say(f"{plural(limited, 'sample')} of {quoted(model)} on task {task!r} hit a limit and count as scored.")


def _mark(asked: Any) -> str:
    """Return a digest of the input; of messages, their contents, since their ids are random."""
    if isinstance(asked, list):
        asked = [message.get("content") if isinstance(message, dict) else message for message in asked]
    return digest(asked)


def _values(scores: Mapping[str, Any], place: str) -> dict[str, Any]:
    """Return the scores of all scorers, one per key where a scorer gives several."""
    found: dict[str, Any] = {}
    for scorer, score in scores.items():
        value = field(score, "value", place, (str, int, float, bool, list, dict, type(None)), "a score")
        parts = {f"{scorer}/{key}": part for key, part in value.items()} if isinstance(value, dict) else {scorer: value}
        found.update((label(name, "path", place), part) for name, part in parts.items())
    return found


def _kind(value: Any) -> str:
    """Return what a score is: a grade of the tool, an answer yes or no, or a number."""
    if isinstance(value, str) and value in _GRADES:
        return "grade"
    return "answer" if isinstance(value, bool) or (isinstance(value, str) and value.lower() in _TEXTS) else "number"


def _number(value: Any) -> Any:
    """Return a score as the tool's accuracy counts it; what is none stays, and is refused if it is asked for."""
    if isinstance(value, str):
        if value in _TEXTS or value.lower() in _TEXTS:
            return _TEXTS.get(value, _TEXTS.get(value.lower()))
        try:
            return float(value)
        except ValueError:
            return value
    return value


def _measurements(sample: Mapping[str, Any], request: Request) -> dict[str, Any]:
    """Return time, tokens and cost where they are asked for; tokens over all models that took part."""
    usage = sample.get("model_usage")
    used = [own for own in usage.values() if isinstance(own, dict)] if isinstance(usage, dict) else []
    found: dict[str, Any] = {}
    for name in _MEASURED:
        if not any(entry == name or entry.endswith(f"/{name}") for entry in request.objectives or ()):
            continue
        if name.endswith("_time"):
            value = sample.get(name)
        else:
            parts = [own.get(name) for own in used]
            numbers = [part for part in parts if isinstance(part, int | float) and not isinstance(part, bool)]
            value = sum(numbers) if numbers and len(numbers) == len(parts) else None
        if value is not None:
            found[name] = value
    return found


INSPECT = Reader(
    "inspect",
    "Inspect AI: .eval or .json logs, one of each model and task; epochs form clusters",
    _sniff,
    guarded(_open),
    frozenset({"objectives", "models", "ignore", "clusters", "cluster_rule", "tasks", "pooled", "maximise"}),
)
