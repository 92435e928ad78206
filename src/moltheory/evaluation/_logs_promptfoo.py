"""Reader of results of promptfoo: files of ``promptfoo eval --output results.json``."""

from __future__ import annotations

import re
from collections import Counter
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

__all__ = ["PROMPTFOO"]

_ERROR = 2
"""The tool's reason of failure of a request that gave no answer."""

_MEASURED = {"latencyMs": "latencyMs", "cost": "cost", "tokens": "tokenUsage.total"}


_PATTERNS = ("*.json",)


def _is_log(path: Path) -> bool:
    start = head(path)
    return path.suffix == ".json" and bool(re.match(rb'\s*\{\s*"(evalId|version)"', start) and b'"results"' in start)


def _files(paths: tuple[Path, ...]) -> list[Path]:
    return found_below(paths, _PATTERNS, _is_log)


def _sniff(paths: tuple[Path, ...]) -> bool:
    return bool(_files(paths)) and all(path.is_dir() or _is_log(path) for path in paths)


def _open(paths: tuple[Path, ...], request: Request) -> LossTable:
    upward = {"success": True, "score": True} | dict.fromkeys(_MEASURED, False)
    log = Log(request, default=("success",), upward=upward)
    contents = Contents()
    runs: dict[str, Path] = {}
    found = _files(paths)
    log.say_left_out(paths, _PATTERNS, found)
    for path in found or paths:
        content = document(path)
        results = field(content, "results.results", str(path), (list,), "the results")
        run = content.get("evalId")
        if isinstance(run, str) and runs.setdefault(run, path) is not path:
            raise InvalidInputError(f"`path` must hold each evaluation once, got {runs[run]} and {path} of {run!r}.")
        if not results:
            raise InvalidInputError(f"`path` must hold at least one result per file, got none in {path}.")
        prompts = _prompts(results, path)
        failed: dict[str, int] = {}
        for number, result in enumerate(results, start=1):
            place = f"result {number} of {path}"
            model = _model(result, prompts, place)
            if result.get("failureReason") == _ERROR:
                failed[model] = failed.get(model, 0) + 1
            example, run = contents.named(model, _asked(result))
            if result.get("failureReason") != _ERROR:
                log.add(Record(model, example, _values(result, place), place, fields=result, repeat=run))
        for model, count in failed.items():
            ended = f"{plural(count, 'request')} of {quoted(model)} in {path.name} ended with an error"
            log.say(f"{ended} and count as not evaluated.", warn=True)
    return log.table()


def _asked(result: Mapping[str, Any]) -> Any:
    """Return the variables and assertions, which are equal for repeated tests only."""
    test = result.get("testCase")
    variables = result.get("vars")
    own = (
        {k: v for k, v in variables.items() if k not in ("_conversation", "sessionId")}
        if isinstance(variables, dict)
        else {}
    )
    return own, test.get("assert") if isinstance(test, dict) else None, None if own else result.get("testIdx")


def _provider(result: Any, place: str) -> str:
    if not isinstance(result, dict):
        raise InvalidInputError(f"`path` must hold results as objects, got {type(result).__name__} in {place}.")
    given = result.get("provider")
    return label((given.get("label") or given.get("id")) if isinstance(given, dict) else given, "path", place)


def _prompts(results: list[Any], path: Path) -> dict[tuple[str, Any], str]:
    """Return the names of the prompts of each provider that has several."""
    found: dict[str, dict[Any, str]] = {}
    for number, result in enumerate(results, start=1):
        provider = _provider(result, f"result {number} of {path}")
        prompt = result.get("prompt")
        given = prompt.get("label") if isinstance(prompt, dict) else None
        index = _index(result)
        short = isinstance(given, str) and 0 < len(given) <= 40 and "\n" not in given
        found.setdefault(provider, {}).setdefault(index, str(given) if short else f"prompt {index}")
    counts = {provider: Counter(named.values()) for provider, named in found.items()}
    return {
        (provider, index): f"{provider} [{name if counts[provider][name] == 1 else f'prompt {index}'}]"
        for provider, named in found.items()
        if len(named) > 1
        for index, name in named.items()
    }


def _index(result: Mapping[str, Any]) -> Any:
    index = result.get("promptIdx", result.get("promptId", 0))
    return index if isinstance(index, int | str) else str(index)


def _model(result: Any, prompts: Mapping[tuple[str, Any], str], place: str) -> str:
    provider = _provider(result, place)
    return prompts.get((provider, _index(result)), provider)


def _values(result: Mapping[str, Any], place: str) -> dict[str, Any]:
    found = {"success": field(result, "success", place, (bool,), "true or false")}
    if result.get("score") is not None:
        found["score"] = result["score"]
    named = result.get("namedScores")
    for name, value in named.items() if isinstance(named, dict) else ():
        if value is not None and name not in found:
            found[label(name, "path", place)] = value
    for name, source in _MEASURED.items():
        measured: Any = result
        for step in source.split("."):
            measured = measured.get(step) if isinstance(measured, dict) else None
        if measured is not None:
            found.setdefault(name, measured)
    return found


PROMPTFOO = Reader(
    "promptfoo",
    "promptfoo: results.json of `promptfoo eval -o`; objectives success (default), score, latencyMs, cost, tokens and "
    "named scores",
    _sniff,
    guarded(_open),
    frozenset({"objectives", "models", "ignore", "clusters", "cluster_rule", "maximise"}),
)
