"""Names of the models and objectives of a stream, given as such or by their number."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np

from moltheory._core._text import few, quoted
from moltheory._core._validation import check_count, check_names
from moltheory.errors import InvalidInputError

__all__ = ["counted_names", "listed_names"]


def counted_names(name: str, value: Any, *, low: int, stem: str) -> tuple[str, ...]:
    """Return names, given as such or by their number; at least `low` of them.

    Raises
    ------
    InvalidInputError
        If they are neither, too few, or not distinct non-empty strings.
    """
    if isinstance(value, Integral) and not isinstance(value, bool | np.bool_) and int(value) >= low:
        return check_names(name, None, length=check_count(name, value, low=low), stem=stem)
    names = _entries(value)
    if names is None or len(names) < low:
        got = _shown(value, names)
        raise InvalidInputError(f"`{name}` must be a list of names, or their number, at least {low}, got {got}.")
    return check_names(name, names, length=len(names), stem=stem)


def listed_names(models: Any, kind: str) -> tuple[str, ...]:
    """Return distinct names of models, at least one; `kind` says of which.

    Raises
    ------
    InvalidInputError
        If it is no list of such names.
    """
    names = _entries(models)
    if not names:
        raise InvalidInputError(f"`models` must be a list of names of {kind}, got {_shown(models, names)}.")
    return check_names("models", names, length=len(names), stem="model")


def _entries(value: Any) -> list[Any] | None:
    """Return the entries of a sequence, an array, an index or a series, in their order; None if it is none of these."""
    sequence = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    return list(value) if sequence or getattr(value, "ndim", 0) == 1 else None


def _shown(value: Any, names: list[Any] | None) -> str:
    if isinstance(value, str):
        return f"one string, {quoted(value)}"
    if names is None:
        return quoted(value)
    return few(names) if names else "an empty list"
