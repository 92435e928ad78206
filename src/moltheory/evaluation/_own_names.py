"""Names given beside those that the data have: the same names in another order would give a model to another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from moltheory._core._labels import axis_labels
from moltheory._core._text import few
from moltheory.errors import InvalidInputError

__all__ = ["check_order", "refuse_set", "selected"]


def check_order(argument: str, given: Any, own: Iterable[object] | None, *, of: str) -> None:
    """Refuse names that are those of the data in another order; those with labels of their own are matched elsewhere."""
    refuse_set(argument, given)
    if given is None or own is None or isinstance(given, str | Mapping) or axis_labels(given) is not None:
        return
    if not isinstance(given, Sequence) and not hasattr(given, "__len__"):
        return
    names, known = [str(name) for name in given], [str(name) for name in own]
    if names != known and sorted(names) == sorted(known):
        raise InvalidInputError(
            f"`{argument}` must not reorder the names that `{of}` has, got {few(names)} for {few(known)}: names do not "
            f"move columns, so select these in the order you want, for example by frame[{argument}]."
        )


def refuse_set(argument: str, given: Any) -> None:
    """Refuse names without an order."""
    if isinstance(given, set | frozenset):
        raise InvalidInputError(f"`{argument}` must have an order, got {type(given).__name__}: give a list.")


def selected(objectives: Any, own: Sequence[str]) -> list[str] | None:
    """Return names that choose among or reorder the objectives that the data have, None where they do neither."""
    if objectives is None or isinstance(objectives, Mapping):
        return None
    chosen = [objectives] if isinstance(objectives, str) else list(objectives)
    if not chosen or not all(isinstance(name, str) and name in own for name in chosen):
        return None
    if len(set(chosen)) < len(chosen) or chosen == list(own):
        return None
    return chosen
