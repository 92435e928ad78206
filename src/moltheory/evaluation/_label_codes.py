"""Predicted labels that the target never holds: another coding is refused, a class that is missing there is told."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._text import few
from moltheory.errors import DataWarning, InvalidInputError

__all__ = ["check_codes"]

_REMEDY = "recode the predictions as the target is coded"


def check_codes(predictions: npt.NDArray[Any], target: npt.NDArray[Any]) -> None:
    """Refuse predictions (n, M) that are coded otherwise than the target (n,); warn of labels that it never holds.

    Raises
    ------
    InvalidInputError
        If a model predicts no label of the target, labels differ only in case, blanks or type, are those of the target
        shifted, signs for 0 and 1, or are mostly numbers that are no labels.
    """
    _refuse_bytes(predictions, target)
    unknown = ~np.isin(predictions, target)
    if not unknown.any():
        return
    known = set(target.tolist())
    others = {_plain(label) for label in known}
    open_ended = target.dtype.kind in "OU" and len(known) > max(30, target.size // 2)
    found = [set(column.tolist()) for column in predictions.T]
    for labels in found:
        alike = [label for label in labels - known if _plain(label) in others]
        if alike and not (open_ended and labels & known):
            twin = next(label for label in known if _plain(label) == _plain(alike[0]))
            raise _refusal(f"{alike[0]!r} for {twin!r}")
    if open_ended:
        # Answers in free text are no classes.
        return
    for h, labels in enumerate(found):
        # A target of one class, as in a sample of negatives, leaves nothing to compare codings with.
        if len(known) > 1 and not labels & known:
            raise _refusal(f"{_shown(labels)} in column {h}, none of which is in the target ({_shown(known)})")
        if target.dtype.kind in "biuf" and unknown[:, h].mean() > 0.5 and len(labels - known) > 2 * len(known):
            raise _refusal(f"{_shown(labels)} for {_shown(known)} in column {h}, which look like scores or percentages")
    for labels in (*found, set().union(*found)):
        if _is_recoded(labels, known):
            raise _refusal(f"{_shown(labels)} for {_shown(known)}")
    extra = set().union(*found) - known
    warnings.warn(
        f"predictions hold labels that the target never holds: {_shown(extra)}; they count as wrong. Rare classes may be "
        f"missing from the target, or the predictions may be coded otherwise.",
        DataWarning,
        stacklevel=4,
    )


def _is_recoded(labels: set[Any], known: set[Any]) -> bool:
    """Whether labels are those of the target, counted from another number, or signs for 0 and 1."""
    if len(labels) < 2 or len(labels) != len(known) or not all(map(_is_number, labels | known)):
        return False
    if {frozenset(labels), frozenset(known)} == {frozenset({-1, 1}), frozenset({0, 1})}:
        return True
    shift = min(labels) - min(known)
    return bool(shift) and {label - shift for label in labels} == known


def _is_number(label: Any) -> bool:
    return isinstance(label, int | float)


def _refuse_bytes(predictions: npt.NDArray[Any], target: npt.NDArray[Any]) -> None:
    """Refuse bytes beside texts: none equals another."""
    kinds = [_has_bytes(values) for values in (predictions, target)]
    if kinds[0] != kinds[1]:
        argument = "predictions" if kinds[0] else "target"
        raise InvalidInputError(f"`{argument}` must be of the kind that the other labels are, got bytes: decode them.")


def _has_bytes(values: npt.NDArray[Any]) -> bool:
    return values.dtype.kind == "S" or (
        values.dtype.kind == "O" and any(isinstance(entry, bytes) for entry in values.flat)
    )


def _plain(label: Any) -> Any:
    """Return a label without case, blanks and type: numbers as floats, texts folded."""
    text = " ".join(str(label).split()).casefold()
    try:
        return float(text)
    except ValueError:
        return text


def _shown(labels: Iterable[Any]) -> str:
    try:
        return few(sorted(labels), 4)
    except TypeError:
        return few(sorted(labels, key=str), 4)


def _refusal(found: str) -> InvalidInputError:
    return InvalidInputError(f"`predictions` must be labels that `target` holds, got {found}: {_REMEDY}.")
