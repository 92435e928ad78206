"""From the options of the input to a table of losses: names are read as the files have them."""

from __future__ import annotations

import argparse
import itertools
import math
import shutil
import weakref
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from moltheory._cli._names import COMMAS, NameLists, pieces, resolved
from moltheory._cli._per_request import Requests, requests_from, unknown_column, with_open_ranges, with_requests
from moltheory._core._text import quoted
from moltheory.errors import InvalidInputError, MoltheoryError

if TYPE_CHECKING:
    from moltheory.evaluation import LossTable

__all__ = ["opened", "read_ranges"]

_PLAIN = ("format", "model", "example", "clusters", "wide", "separator", "decimal", "filter", "pooled")
_NAMED = ("objectives", "models", "ignore", "tasks")
# Ways to read lists that are tried; each opens the files.
_MOST_WAYS = 64
_SEPARATORS = {"tab": "\t", "\\t": "\t"}


def opened(options: argparse.Namespace) -> LossTable:
    """Return the losses of the files, with the objectives per request that are asked for."""
    requests = requests_from(options)
    if not requests:
        return _opened(options, requests)
    try:
        table = _opened(options, requests)
    except InvalidInputError as error:
        raise unknown_column(error, requests) from None
    return with_requests(table, requests, chosen=options.objectives is not None)


def _opened(options: argparse.Namespace, requests: Requests) -> LossTable:
    """Return the losses of the files.

    A list at commas may also be one name that holds commas, which only the files can tell: every such entry is tried as
    one name, then as a list, then as any list of names that the files hold.
    """
    files: Any = options.file[0] if len(options.file) == 1 else options.file
    plain = {name: getattr(options, name) for name in _PLAIN if getattr(options, name, None) is not None}
    if "separator" in plain:
        plain["separator"] = _SEPARATORS.get(plain["separator"], plain["separator"])
    if options.loss_range:
        plain["loss_range"] = read_ranges(options.loss_range)
    if requests:
        plain["loss_range"] = with_open_ranges(plain.get("loss_range"), requests)
    entries = {name: [text for text in getattr(options, name) if text] for name in _NAMED if getattr(options, name)}
    if not any(_is_list(text) for texts in entries.values() for text in texts):
        return _open(files, plain | entries)
    from moltheory.evaluation._paths import readable_paths, removed_at_errors

    # Pipes can be read once, files with what they hold as often as there are ways to read the names.
    paths, folders = readable_paths(files)
    with removed_at_errors(folders):
        table = _first_read([*paths] if folders else files, plain, entries)
    for folder in folders:
        weakref.finalize(table, shutil.rmtree, folder, ignore_errors=True)
    return table


def _open(files: Any, arguments: dict[str, Any]) -> LossTable:
    from moltheory.evaluation import open_losses

    return open_losses(files, **arguments)


def _first_read(files: Any, plain: dict[str, Any], entries: NameLists) -> LossTable:
    """Return the losses by the first way to read the names in which the files open."""
    refusal: InvalidInputError | None = None
    try:
        for names in _readings(files, plain, entries):
            try:
                return _open(files, plain | names)
            except InvalidInputError as error:
                refusal = error
    except InvalidInputError as error:
        # No reading finds the names; unless something else was refused before.
        refusal = error if refusal is None or _is_of_names(refusal, entries) else refusal
    if refusal is None:
        raise InvalidInputError("`objectives` must be names, got none.")
    if _is_of_names(refusal, entries) and COMMAS not in str(refusal):
        raise InvalidInputError(f"{str(refusal).rstrip('.')}: {COMMAS}.") from None
    raise refusal


def _is_of_names(refusal: InvalidInputError, entries: NameLists) -> bool:
    """Whether a refusal is of a name among the entries, which the files may have in another way to read these."""
    message = str(refusal)
    return any(
        message.startswith(f"`{name}`") and any(f"got {quoted(piece)}" in message for piece in [*texts, *pieces(texts)])
        for name, texts in entries.items()
    )


def _readings(files: Any, plain: dict[str, Any], entries: NameLists) -> Iterator[NameLists]:
    """Yield the ways to read the entries: more of them as one name first, all as lists last."""
    texts = [(name, text) for name, values in entries.items() for text in values]
    ways = [(True, False) if _is_list(text) else (True,) for _, text in texts]
    few = math.prod(map(len, ways)) <= _MOST_WAYS
    chosen = itertools.product(*ways) if few else ([True] * len(texts), [len(way) == 1 for way in ways])
    for kept in sorted(chosen, key=lambda way: -sum(way)):
        found: NameLists = {name: [] for name in entries}
        for (name, text), one in zip(texts, kept, strict=True):
            found[name] += [str(text)] if one else pieces([text])
        yield found
    try:
        table = _open(files, plain)
    except MoltheoryError:
        # Only the files that open without names can tell theirs.
        yield {name: pieces(values) for name, values in entries.items()}
        return
    known = {"objectives": table.objective_names, "models": table.model_names, "ignore": table.model_names}
    yield {
        name: resolved(name, values, known[name]) if name in known else pieces(values)
        for name, values in entries.items()
    }


def _is_list(text: str) -> bool:
    """Whether an entry may be a list: a name that was given by itself is none."""
    return pieces([text]) != [str(text)]


def read_ranges(given: Sequence[Sequence[str]]) -> tuple[float, float] | dict[str, tuple[float, float]]:
    """Return the range of all losses, or of each objective, from ``LOW HIGH`` or ``NAME LOW HIGH``, several times.

    Raises
    ------
    InvalidInputError
        If an end is no number, or ranges are given for all objectives and for some.
    """
    named: dict[str, tuple[float, float]] = {}
    every: list[tuple[float, float]] = []
    for entry in given:
        if len(entry) not in (2, 3):
            hint = ": put the input before the options" if len(entry) > 3 else ""
            raise InvalidInputError(f"`loss-range` must be LOW HIGH or NAME LOW HIGH, got {' '.join(entry)!r}{hint}.")
        low, high = (_end(text) for text in entry[-2:])
        if len(entry) == 2:
            every.append((low, high))
        elif named.setdefault(entry[0], (low, high)) != (low, high):
            raise InvalidInputError(f"`loss-range` must give every objective one range, got two for {entry[0]!r}.")
    if len({*every}) > 1 or (named and every):
        raise InvalidInputError("`loss-range` must be given once for all objectives or for each by name, got both.")
    return named or every[0]


def _end(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidInputError(
            f"`loss-range` must be a number, got {text!r}: put the input before the options."
        ) from None
