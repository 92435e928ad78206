"""Known costs of models, from a CSV or JSON file."""

from __future__ import annotations

import json
import math
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from moltheory._core._labels import is_index
from moltheory._core._text import few
from moltheory._core._validation import FloatArray
from moltheory.errors import DataWarning, InvalidInputError
from moltheory.evaluation._read_json_lines import distinct_keys
from moltheory.evaluation._read_text import CsvRows
from moltheory.evaluation._reader import reading

__all__ = ["read_costs"]


def read_costs(path: str | os.PathLike[str], /, *, models: Sequence[str]) -> tuple[tuple[str, ...], FloatArray]:
    r"""Return the costs of models that are known exactly, such as size or price, from a file.

    Parameters
    ----------
    path : path
        CSV with a column ``model`` and one column per cost; or JSON: a list of objects with these keys, an object that
        maps models to objects of costs, or one that maps costs to objects of models.
    models : sequence of str
        Models to return, in this order; others in the file are left out, with a warning that names them.

    Returns
    -------
    names : tuple of str
        Names of the costs.
    costs : (M, k) ndarray

    Raises
    ------
    InvalidInputError
        If a model is missing or occurs twice, models have different costs, or a cost is not a finite number; the line
        is named.

    Warns
    -----
    DataWarning
        If there are costs of models that do not occur.

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
    for model in models:
        if model not in found and found:
            raise InvalidInputError(f"`{file.name}` must hold a cost for every model, got none for {model!r}.")
    names = tuple(found[models[0]]) if found and models else ()
    if not names:
        raise InvalidInputError(f"`{file.name}` must hold models and at least one cost, got none.")
    index = [name for name in names if is_index(name)]
    if index:
        raise InvalidInputError(f"`{file.name}` must hold costs only, got {few(index)}: leave the index out.")
    if set(names) <= set(models):
        raise InvalidInputError(
            f"`{file.name}` must hold named costs of models, got the names of models as costs: {few(names)}: name the cost."
        )
    for model in models:
        differing = sorted(set(found[model]) ^ set(names))
        if differing:
            raise InvalidInputError(
                f"`{file.name}` must hold the same costs for all models, got {few(differing)} in one of "
                f"{places[models[0]]} and {places[model]}."
            )
    unused = [model for model in found if model not in models]
    if unused:
        warnings.warn(
            f"`{file.name}` holds costs of models that do not occur, {few(unused)}; they are left out.", DataWarning, 2
        )
    costs = [[_number(file.name, found[model], name, places[model]) for name in names] for model in models]
    return names, np.array(costs, np.float64).reshape(len(models), len(names))


def _from_csv(file: Path) -> list[tuple[str, dict[str, Any]]]:
    rows = CsvRows(file)
    if "model" not in rows.columns:
        raise rows.refuse("have a column 'model'", f"columns {list(rows.columns)}")
    return [(f"line {line}", dict(zip(rows.columns, fields, strict=True))) for line, fields in rows.records()]


def _from_json(file: Path, models: Sequence[str]) -> list[tuple[str, dict[str, Any]]]:
    text = file.read_bytes()
    with reading(file.name, "be JSON"):
        content = json.loads(text.decode("utf-8-sig"), object_pairs_hook=distinct_keys)
    if isinstance(content, dict) and all(isinstance(costs, dict) for costs in content.values()):
        if content and all(model not in content and model in entry for entry in content.values() for model in models):
            named = dict.fromkeys([*models, *(model for entry in content.values() for model in entry)])
            content = {
                model: {name: entry[model] for name, entry in content.items() if model in entry} for model in named
            }
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
