"""Known costs of models, from a CSV or JSON file."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.errors import InvalidInputError
from moltheory.evaluation._tabular import CsvRows

__all__ = ["read_costs"]


def read_costs(path: str | os.PathLike[str], /, *, models: Sequence[str]) -> tuple[tuple[str, ...], FloatArray]:
    r"""Return the costs of models, such as size, latency or price, from a file.

    Parameters
    ----------
    path : path
        CSV with a column ``model`` and one column per cost; or JSON: a list of objects with these keys, an object that
        maps models to objects of costs, or one that maps costs to objects of models.
    models : sequence of str
        Models to return, in this order; others in the file are ignored.

    Returns
    -------
    names : tuple of str
        Names of the costs.
    costs : (M, k) ndarray

    Raises
    ------
    InvalidInputError
        If a model is missing or occurs twice, or a cost is not a finite number; the line is named.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "costs.csv")
    ...     _ = file.write_text("model,size\nlarge,70\nsmall,7\n")
    ...     read_costs(file, models=["small", "large"])
    (('size',), array([[ 7.],
           [70.]]))
    """
    file = Path(path)
    if file.suffix.lower() not in (".csv", ".json"):
        raise InvalidInputError(f"`{file.name}` must end in .csv or .json, got {file.suffix!r}.")
    try:
        rows = _from_csv(file) if file.suffix.lower() == ".csv" else _from_json(file, models)
    except OSError as error:
        raise InvalidInputError(f"`{file.name}` must be a file that can be read, got {error.strerror}.") from None
    found: dict[str, dict[str, object]] = {}
    places: dict[str, str] = {}
    for place, row in rows:
        model = str(row.pop("model", ""))
        if not model:
            raise InvalidInputError(f"`{file.name}` must name a model in every row, got none in {place}.")
        if model in found:
            raise InvalidInputError(
                f"`{file.name}` must hold each model once, got {model!r} in {places[model]} and {place}."
            )
        found[model], places[model] = row, place
    names = tuple(next(iter(found.values()), {}))
    if not names:
        raise InvalidInputError(f"`{file.name}` must hold models and at least one cost, got none.")
    for model in models:
        if model not in found:
            raise InvalidInputError(f"`{file.name}` must hold a cost for every model, got none for {model!r}.")
    costs = [[_number(file.name, found[model], name, places[model]) for name in names] for model in models]
    return names, np.array(costs, np.float64).reshape(len(models), len(names))


def _from_csv(file: Path) -> list[tuple[str, dict[str, Any]]]:
    rows = CsvRows(file)
    if "model" not in rows.columns:
        raise rows.refuse("have a column 'model'", f"columns {list(rows.columns)}")
    return [(f"line {line}", dict(zip(rows.columns, fields, strict=True))) for line, fields in rows.records()]


def _from_json(file: Path, models: Sequence[str]) -> list[tuple[str, dict[str, Any]]]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InvalidInputError(f"`{file.name}` must be JSON, got {error}.") from None
    if isinstance(content, dict) and all(isinstance(costs, dict) for costs in content.values()):
        if content and all(model not in content and model in entry for entry in content.values() for model in models):
            content = {model: {name: entry[model] for name, entry in content.items()} for model in models}
        return [(f"entry {model!r}", {**costs, "model": model}) for model, costs in content.items()]
    if isinstance(content, list) and all(isinstance(row, dict) for row in content):
        return [(f"entry {number}", dict(row)) for number, row in enumerate(content, start=1)]
    raise InvalidInputError(
        f'`{file.name}` must hold named costs, such as {{"model A": {{"size": 7}}, "model B": {{"size": 9}}}}, got '
        f"{'a list' if isinstance(content, list) else 'values without the name of a cost'}."
    )


def _number(file: str, row: dict[str, object], name: str, place: str) -> float:
    value = row.get(name)
    try:
        number = math.nan if isinstance(value, bool) or value is None else float(str(value))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InvalidInputError(f"`{file}` must hold a finite number for {name!r}, got {value!r} in {place}.")
    return number
