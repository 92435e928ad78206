"""Reader of evaluation tables of MLflow: ``eval_results_table.json``, one of each run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from moltheory._core._text import quoted
from moltheory.errors import InvalidInputError
from moltheory.evaluation._logs import Log, Record, digest, is_missing
from moltheory.evaluation._logs_folder import found_below, head
from moltheory.evaluation._logs_guard import guarded
from moltheory.evaluation._logs_json import document, field, label
from moltheory.evaluation._reader import Reader, Request
from moltheory.evaluation._table import LossTable

__all__ = ["MLFLOW"]

_TABLE = re.compile(rb'\s*\{\s*"columns"\s*:\s*\[')
_ASKED = ("inputs", "input", "question", "prompt", "query", "request", "targets", "target", "ground_truth")


def _is_log(path: Path) -> bool:
    return path.suffix == ".json" and bool(_TABLE.match(head(path)))


def _files(paths: tuple[Path, ...]) -> list[Path]:
    below = found_below(paths, ["*eval_results_table.json"], lambda path: path.name.endswith("eval_results_table.json"))
    return below or found_below(paths, ["*.json"], _is_log)


def _sniff(paths: tuple[Path, ...]) -> bool:
    return any(map(_is_log, _files(paths))) and all(path.is_dir() or _is_log(path) for path in paths)


def _open(paths: tuple[Path, ...], request: Request) -> LossTable:
    log = Log(request, upward={"latency": False, "token_count": False})
    for path in _files(paths) or paths:
        content = document(path)
        columns = field(content, "columns", str(path), (list,), "the columns")
        rows = field(content, "data", str(path), (list,), "the rows")
        names = [label(name, "path", str(path)) for name in columns]
        for argument, name in (("model", request.model), ("example", request.example)):
            if name is not None and name not in names:
                raise InvalidInputError(f"`{argument}` must be a column of {path}, got {quoted(name)}.")
        if not rows or len(set(names)) < len(names):
            raise InvalidInputError(f"`path` must hold tables of rows and distinct columns, got other ones in {path}.")
        for number, row in enumerate(rows):
            place = f"row {number + 1} of {path}"
            if not isinstance(row, list) or len(row) != len(names):
                raise InvalidInputError(f"`path` must hold rows of {len(names)} values, got something else in {place}.")
            _add(log, request, dict(zip(names, row, strict=True)), number, path, place)
    return log.table()


def _add(log: Log, request: Request, row: dict[str, Any], number: int, path: Path, place: str) -> None:
    asked = {name: row[name] for name in _ASKED if name in row}
    wanted = request.objectives or [name for name in row if name == "score" or name.endswith("/score")]
    log.add(
        Record(
            model=_run(path) if request.model is None else label(row[request.model], "path", place),
            example=str(number) if request.example is None else label(row[request.example], "path", place),
            values={name: row[name] for name in wanted if name in row and not is_missing(row[name])},
            place=place,
            fields=row,
            marks={"input": digest(asked)} if asked else {},
        )
    )


def _run(path: Path) -> str:
    """Return the name of the run: its tag, its folder (of artifacts: the folder above), or that of the file."""
    folder = path.resolve().parent
    if folder.name == "artifacts":
        folder = folder.parent
        tag = head(folder / "tags" / "mlflow.runName").decode("utf-8", "replace").strip()
        return label(tag or folder.name, "path", str(path))
    return label(folder.name if path.name == "eval_results_table.json" else path.stem, "path", str(path))


MLFLOW = Reader(
    "mlflow",
    "MLflow: eval_results_table.json of each run; objectives are its columns (by default those that end in /score)",
    _sniff,
    guarded(_open),
    frozenset({"objectives", "models", "ignore", "model", "example", "clusters", "cluster_rule", "maximise"}),
)
