"""Known costs of models, from a CSV or JSON file."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from moltheory._core._labels import is_index
from moltheory._core._reading import distinct_keys, reading, small_file
from moltheory._core._text import did_you_mean, few, quoted, shortened, visible
from moltheory._core._validation import FloatArray
from moltheory._core._warn_outside import warn_outside
from moltheory.errors import DataWarning, InvalidInputError
from moltheory.evaluation._paths import readable_paths
from moltheory.evaluation._read_text import CsvRows
from moltheory.evaluation._tabular import brief

__all__ = ["read_costs"]

# Characters of names, and names, among which a misspelled one is looked for: long ones take for ever.
_LONGEST, _MOST_NEAR = 80, 2_000


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

    Notes
    -----
    Complexity: O(b) time and memory for a file of b bytes.

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
    file = Path(os.fsdecode(path))
    shown = visible(file.name)
    if file.suffix.lower() not in (".csv", ".json"):
        raise InvalidInputError(f"`{brief(file.name)}` must end in .csv or .json, got {brief(repr(file.suffix))}.")
    (kept,), folders = readable_paths(file)
    try:
        content = small_file(kept, shown)
        rows = _from_csv(kept) if file.suffix.lower() == ".csv" else _from_json(content, shown, models)
    finally:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
    found: dict[str, dict[str, object]] = {}
    places: dict[str, str] = {}
    for place, row in rows:
        label = row.pop("model", None)
        if isinstance(label, dict | list | bool):
            raise _refusal(shown, "name a model in every row", f"{quoted(label)} in {place}")
        model = "" if label is None else str(label)
        if not model:
            raise _refusal(shown, "name a model in every row", f"none in {place}")
        if model in found:
            raise _refusal(shown, "hold each model once", f"{quoted(model)} in {places[model]} and {place}")
        found[model], places[model] = row, place
    for model in models:
        if model not in found and found:
            raise _refusal(shown, "hold a cost for every model", f"none for {quoted(model)}{_near(model, found)}")
    names = tuple(found[models[0]]) if found and models else ()
    if not names:
        raise _refusal(shown, "hold models and at least one cost", "none")
    index = [name for name in names if is_index(name)]
    if index:
        raise _refusal(shown, "hold costs only", f"{few(index)}: leave the index out")
    if set(names) <= set(models):
        raise _refusal(
            shown, "hold named costs of models", f"the names of models as costs: {few(names)}: name the cost"
        )
    for model in models:
        differing = sorted(set(found[model]) ^ set(names))
        if differing:
            raise _refusal(
                shown,
                "hold the same costs for all models",
                f"{few(differing)} in one of {places[models[0]]} and {places[model]}",
            )
    wanted = set(models)
    unused = [model for model in found if model not in wanted]
    if unused:
        warn_outside(
            f"`{shown}` holds costs of models that do not occur, {brief(few(unused))}; they are left out", DataWarning
        )
    costs = [[_number(shown, found[model], name, places[model]) for name in names] for model in models]
    return names, np.array(costs, np.float64).reshape(len(models), len(names))


def _from_csv(file: Path) -> list[tuple[str, dict[str, Any]]]:
    rows = CsvRows(file)
    if "model" not in rows.columns:
        raise rows.refuse("have a column 'model'", f"columns {few(rows.columns)}")
    return [(f"line {line}", dict(zip(rows.columns, fields, strict=True))) for line, fields in rows.records()]


def _from_json(text: bytes, shown: str, models: Sequence[str]) -> list[tuple[str, dict[str, Any]]]:
    with reading(shown, "be JSON"):
        content = json.loads(text.decode("utf-8-sig"), object_pairs_hook=distinct_keys)
    if isinstance(content, dict) and all(isinstance(costs, dict) for costs in content.values()):
        names, entries = set(models), list(content.values())
        if content and names.isdisjoint(content) and all(names <= entry.keys() for entry in entries):
            named = dict.fromkeys([*models, *(model for entry in entries for model in entry)])
            content = {
                model: {name: entry[model] for name, entry in content.items() if model in entry} for model in named
            }
        for model, costs in content.items():
            if "model" in costs:
                raise _refusal(shown, "name each model once", f"a key 'model' in entry {quoted(model)}: leave it out")
        return [(f"entry {quoted(model)}", {**costs, "model": model}) for model, costs in content.items()]
    if isinstance(content, list) and all(isinstance(row, dict) for row in content):
        return [(f"entry {number}", dict(row)) for number, row in enumerate(content, start=1)]
    raise InvalidInputError(
        f'`{shown}` must hold named costs, such as {{"model A": {{"size": 7}}, "model B": {{"size": 9}}}}, got '
        f"{'a list' if isinstance(content, list) else 'values without the name of a cost'}."
    )


def _number(shown: str, row: dict[str, object], name: str, place: str) -> float:
    value = row.get(name)
    text = "" if isinstance(value, bool | dict | list) or value is None else str(value)
    try:
        number = float(text) if "_" not in text else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _refusal(shown, f"hold a finite number for {quoted(name)}", f"{shortened(repr(value), 80)} in {place}")
    return number


def _near(model: str, found: Mapping[str, object]) -> str:
    """Return which models the file has, and the one whose name differs least."""
    folded = [name for name in found if name.casefold().strip() == model.casefold().strip()]
    short = [name for name in [*found][:_MOST_NEAR] if len(name) <= _LONGEST] if len(model) <= _LONGEST else []
    hint = f": did you mean {folded[0]}?" if folded else did_you_mean(model, short)
    return f"; the file has {few(list(found))}{hint.removesuffix('?')}"


def _refusal(shown: str, rule: str, found: str) -> InvalidInputError:
    return InvalidInputError(f"`{shown}` must {brief(rule)}, got {brief(found)}.")
