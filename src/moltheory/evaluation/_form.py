"""The form of a table: wide, long or tidy; and which of its columns are models, which are losses and which are neither."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from moltheory._core._text import few, quoted
from moltheory.errors import InvalidInputError
from moltheory.evaluation._compressed import bare_stem
from moltheory.evaluation._long import LongSource
from moltheory.evaluation._no_models import is_no_model
from moltheory.evaluation._reader import Request
from moltheory.evaluation._several import JoinedRows
from moltheory.evaluation._source import LossSource
from moltheory.evaluation._tabular import Rows, brief
from moltheory.evaluation._wide import WideSource

__all__ = ["FORM_REQUESTS", "table_source"]

FORM_REQUESTS = frozenset({"clusters", "example", "model", "wide"})
"""What all tables understand, whatever their format."""

_FROM_FILE = "@file"
_SHOWN = 50
_CELLS = 200_000


def table_source(
    parts: Sequence[Rows],
    request: Request,
    *,
    constants: Sequence[Mapping[str, str]] | None = None,
    name: str | None = None,
) -> LossSource:
    """Return the losses in one or several files of rows, in the form that the columns or the request tell.

    Parameters
    ----------
    parts : sequence of Rows
    request : Request
    constants : sequence of mapping of str to str, optional
        Columns that have one value in each part, for the files of a folder.
    name : str, optional
        Of the folder; a file in it may be empty.

    Raises
    ------
    InvalidInputError
    """
    rows, request = _together(parts, request, constants, name)
    example = _named(rows, "example", request.example)
    model = _named(rows, "model", request.model)
    if example is not None and example == model:
        raise InvalidInputError(f"`example` must be another column than `model`, got {example!r} for both.")
    cluster = _cluster(rows, request.clusters, [name for name in (example, model, "objective", "loss") if name])
    ignored = set(request.ignore)
    columns = [column for column in rows.columns if column not in ignored]
    if not request.wide and model in columns:
        source: LossSource = _long(rows, columns, request, str(model), example, cluster)
    elif request.wide is False:
        raise rows.refuse("have a column 'model' where `wide` is False", f"columns {few(rows.columns)}")
    else:
        keys = [key for key in (example, cluster) if key is not None]
        columns = [column for column in columns if column not in keys]
        if request.models is None:
            _check_models(rows, columns, len(parts) > 1, bool(request.wide), example)
        source = WideSource(
            rows,
            columns,
            plain=bool(request.wide),
            example=example,
            cluster=cluster,
            objectives=request.objectives,
            models=request.models,
            ignore=request.ignore,
            loss_range=request.loss_range,
            most_in_memory=request.most_in_memory,
        )
    source.notes = (*rows.notes, *source.notes)
    known = {*rows.columns, *source.model_names, *(column.rpartition("/")[0] for column in rows.columns)}
    for left in request.ignore:
        if left not in known:
            raise InvalidInputError(f"`ignore` must name columns or models of {rows.name}, got {left!r}.")
    return source


def _together(
    parts: Sequence[Rows], request: Request, constants: Sequence[Mapping[str, str]] | None, name: str | None
) -> tuple[Rows, Request]:
    """Return all files as one, with the models' names from those of the files if they were asked for."""
    fixed = [dict(entry) for entry in constants or [{}] * len(parts)]
    if request.model == _FROM_FILE:
        stems = [bare_stem(part.path) for part in parts]
        counts = Counter(stems)
        for part, stem, entry in zip(parts, stems, fixed, strict=True):
            if "model" in part.columns or "model" in entry:
                raise part.refuse("have no column 'model' where `model` is '@file'", "one")
            if counts[stem] > 1:
                raise part.refuse("have a name that no other file has where `model` is '@file'", f"{stem!r} twice")
            entry["model"] = stem
    elif len(parts) == 1 and not any(fixed):
        return parts[0], request
    title = name or (parts[0].name if len(parts) == 1 else f"{parts[0].name} and {len(parts) - 1} more")
    joint = JoinedRows(parts, fixed, name=title, may_be_empty=name is not None)
    return joint, replace(request, model=None if request.model == _FROM_FILE else request.model)


def _named(rows: Rows, role: str, given: str | None) -> str | None:
    """Return the column of a role: the given one, or the one called so; None if there is none."""
    if given is not None and given not in rows.columns:
        raise InvalidInputError(
            f"`{role}` must be a column of {rows.name}, got {given!r} among {brief(few(rows.columns))}."
        )
    return given or (role if role in rows.columns else None)


def _cluster(rows: Rows, clusters: str | None, reserved: Sequence[str]) -> str | None:
    if clusters is None:
        return "cluster" if "cluster" in rows.columns else None
    if clusters not in rows.columns:
        raise InvalidInputError(f"`clusters` must be a column of {rows.name}, got {clusters!r}.")
    if clusters in reserved:
        raise InvalidInputError(f"`clusters` must be another column than {', '.join(reserved)}, got {clusters!r}.")
    return clusters


def _long(
    rows: Rows, columns: Sequence[str], request: Request, model: str, example: str | None, cluster: str | None
) -> LossSource:
    """Return the losses of a long table, or of a tidy one, whose columns of losses were named."""
    keys = [model, example or "example", *([] if cluster is None else [cluster])]
    objective = "objective" if "objective" in columns and "loss" in columns else None
    values: tuple[str, ...] = ("loss",)
    if example is None:
        raise rows.refuse(
            f"have a column 'example' beside the column {quoted(model)}",
            f"columns {few(columns)}: name it by `example` (averages per model are not enough: one row per model and "
            "example is needed)",
        )
    if request.objectives is not None and objective is None:
        values = request.objectives
        counts, known_columns = Counter(values), set(columns)
        for name in values:
            if name not in known_columns or name in keys or counts[name] > 1:
                offered = _numeric(rows, [column for column in columns if column not in keys])
                raise InvalidInputError(
                    f"`objectives` must be distinct columns of losses, such as {brief(few(offered))}, got "
                    f"{quoted(name)} for "
                    f"{rows.name}."
                )
    elif "loss" not in columns:
        offered = _numeric(rows, [column for column in columns if column not in keys])
        others = f": name the columns of losses by `objectives` (numbers are in {few(offered)})" if offered else ""
        raise rows.refuse(f"have a column 'loss' beside the column {quoted(model)}", f"columns {few(columns)}{others}")
    else:
        known = [model, keys[1], "loss", "objective", *keys[2:]]
        for name in columns:
            if name not in known:
                raise rows.refuse(
                    f"have the columns {', '.join(known)} only",
                    f"a column {quoted(name)}: leave it out by `ignore`, or name the columns of losses by `objectives`",
                )
    ranges = request.loss_range
    if isinstance(ranges, Mapping) and objective is None:
        # Columns of a tidy table that are not read may have ranges too.
        ranges = {name: pair for name, pair in ranges.items() if name in values or name not in rows.columns}
    return LongSource(
        rows,
        model=model,
        example=keys[1],
        objective=objective,
        values=values,
        cluster=cluster,
        objectives=request.objectives,
        models=request.models,
        ignore=request.ignore,
        loss_range=ranges,
        most_in_memory=request.most_in_memory,
    )


def _numeric(rows: Rows, columns: Sequence[str]) -> list[str]:
    """Return the columns whose first values are numbers."""
    first = rows.head(_SHOWN)
    return [name for name in columns if any(_is_number(value) for value in first.get(name, ()))]


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def _check_models(rows: Rows, columns: Sequence[str], are_several: bool, plain: bool, example: str | None) -> None:
    """Refuse columns of a wide table that look like something else than the losses of a model."""
    whole = example is not None or plain or all("/" in name.strip("/") for name in columns)
    if are_several and not whole:
        raise rows.refuse(
            "have a column of examples where several wide files are read",
            f"columns {few(columns)}: name it by `example`; give model='@file' if each file holds one model, wide=True "
            "if every column is one",
        )
    odd = [name for name in columns if is_no_model(name)]
    if odd:
        raise rows.refuse("have columns of models only", f"{few(odd)}: {_remedy(len(odd))}")
    shown = min(_SHOWN, max(_CELLS // max(len(rows.columns), 1), 6))
    first = rows.head(shown)
    for name in columns:
        if _is_numbering(first.get(name, ())):
            raise rows.refuse("have columns of models only", f"{quoted(name)}, which numbers the rows: {_remedy(1)}")


def _remedy(count: int) -> str:
    them = "it" if count == 1 else "them"
    return f"name the models by `models`, leave {them} out by `ignore`, or give the column of `example` or `clusters`"


def _is_numbering(values: Sequence[Any]) -> bool:
    """Return whether values are 0, 1, 2, ... or 1, 2, 3, ..., long enough not to be so by chance."""
    if len(values) < 5 or str(values[0]) not in ("0", "1", "0.0", "1.0"):
        return False
    start = float(values[0])
    return all(_is_number(value) and float(value) == start + i for i, value in enumerate(values))
