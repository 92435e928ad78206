"""Labelled examples and the predictions of models for them, with the checks that objectives need."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._inputs import numbers_in
from moltheory._core._validation import FloatArray, as_readonly
from moltheory.errors import InvalidInputError
from moltheory.evaluation._label_codes import check_codes

__all__ = ["Bools", "Examples", "are_fractions", "format_value"]

Bools = npt.NDArray[np.bool_]

# Most classes that may have labels with fractions.
_MOST_CLASSES = 30


class Examples:
    """Predictions (n, H), targets (n,) and groups (n,), with the checks that objectives need.

    Residuals are in units of the target, or, if `standardized`, in standard deviations of the target. Labels that are
    already codes of classes (`coded`), with -1 for a label of no class, are not looked at again.
    """

    def __init__(
        self,
        predictions: npt.NDArray[Any],
        target: npt.NDArray[Any],
        group: npt.NDArray[Any] | None,
        *,
        standardized: bool = False,
        coded: bool = False,
    ) -> None:
        self.predictions = predictions
        self.target = target
        self._group = group
        self._standardized = standardized
        self._coded = coded
        # The objective that messages name.
        self.objective = "this objective"

    @cached_property
    def _wrong(self) -> Bools:
        if not self._coded:
            check_codes(self.predictions, self.target)
        return as_readonly(np.asarray(self.predictions != self.target[:, None], dtype=np.bool_))

    @cached_property
    def _predicted(self) -> Bools:
        return as_readonly(self.predictions.astype(np.bool_))

    def wrong(self) -> Bools:
        """Return 0/1 losses (n, H), one read-only array for all measures; labels must be of one kind."""
        kinds = [_kind(values) for values in (self.predictions, self.target)]
        if "objects" in kinds:
            argument = "target" if kinds[1] == "objects" else "predictions"
            raise InvalidInputError(
                f"`{argument}` must hold labels of one kind for {self.objective}, got texts and numbers: recode some."
            )
        if set(kinds) == {"numbers", "text"}:
            raise InvalidInputError(
                f"`predictions` must be labels of the kind that `target` holds for {self.objective}, got {kinds[0]} for "
                f"{kinds[1]}: recode one of them."
            )
        if kinds[1] == "numbers":
            self._refuse_scores()
        return self._wrong

    def _refuse_scores(self) -> None:
        """Refuse probabilities, scores and the numbers of regressions where labels are due: hardly one equals another."""
        remedy = "cut probabilities at a threshold, for example with (predictions > 0.5).astype(int)"
        if are_fractions(self.target):
            classes = _distinct(self.target)
            # Labels such as ratings in halves.
            halves = not any(are_fractions(2 * values) for values in (self.predictions, self.target))
            if len(classes) <= _MOST_CLASSES and (halves or np.isin(self.predictions, self.target).all()):
                return
            raise InvalidInputError(
                f"`target` must be labels for {self.objective}, got {_listed(classes)}: ask for a loss of numbers, such "
                f"as squared_error or absolute_error, with its loss_range."
            )
        if are_fractions(self.predictions):
            raise InvalidInputError(
                f"`predictions` must be labels for {self.objective}, got {_listed(_distinct(self.predictions))}: "
                f"{remedy}; of a regression, ask for squared_error or absolute_error, with its loss_range."
            )

    def group(self) -> npt.NDArray[Any]:
        """Return the group of each example."""
        if self._group is None:
            raise InvalidInputError(f"`group` must be given for {self.objective}, got None.")
        return self._group

    def groups(self) -> list[tuple[object, npt.NDArray[np.bool_]]]:
        """Return the name and the members of each group; there must be two or more."""
        group = self.group()
        found = np.unique(group)
        if found.size < 2:
            raise InvalidInputError(f"`group` must have at least two values for {self.objective}, got {found.size}.")
        return [(name, group == name) for name in found]

    def positive(self) -> tuple[Bools, Bools]:
        """Return positive predictions (n, H) and positive targets (n,)."""
        for argument, values in (("target", self.target), ("predictions", self.predictions)):
            found = _distinct(values)
            if not set(found) <= {0, 1}:
                remedy = (
                    f"cut probabilities at a threshold, for example with ({argument} > 0.5).astype(int)"
                    if are_fractions(values)
                    else f"recode, for example with ({argument} == positive).astype(int)"
                )
                raise InvalidInputError(
                    f"`{argument}` must be 0 or 1 for {self.objective} (1 is positive), got {_listed(found)}: {remedy}."
                )
        return self._predicted, self.target.astype(bool)

    def holding(self, label: int) -> npt.NDArray[np.bool_]:
        """Return which targets equal a label, 0 or 1; at least one must."""
        members = self.target == label
        if not members.any():
            raise InvalidInputError(f"`target` must hold at least one {label} for {self.objective}, got none.")
        return np.asarray(members)

    def residuals(self) -> FloatArray:
        """Return residuals (n, H), in units or in standard deviations of the target."""
        given = {"predictions": self.predictions, "target": self.target}
        for argument, values in given.items():
            if values.dtype.kind == "O":
                values = given[argument] = numbers_in(argument, values)
            if values.dtype.kind not in "iufb" or not np.isfinite(values).all():
                raise InvalidInputError(
                    f"`{argument}` must be finite numbers for {self.objective}, got {_unfit(values)}."
                )
        predictions, target = (values.astype(np.float64) for values in given.values())
        if not self._standardized:
            return np.asarray(predictions - target[:, None])
        spread = float(target.std())
        if spread == 0.0:
            raise InvalidInputError(f"`target` must not be constant for {self.objective}, got {target[0]:g} only.")
        return np.asarray((predictions - target[:, None]) / spread)


def format_value(value: object) -> str:
    """Return a value as text in its usual notation: 0.3 and not np.float64(0.3)."""
    plain = value.item() if isinstance(value, np.generic) else value
    return f"{plain:g}" if isinstance(plain, float) else repr(plain)


def are_fractions(values: npt.NDArray[Any]) -> bool:
    """Return whether some values are numbers that are not integers, such as probabilities."""
    if values.dtype.kind == "O":
        return any(isinstance(entry, float) and not entry.is_integer() for entry in values.flat)
    return values.dtype.kind == "f" and bool((values != np.rint(values)).any())


def _distinct(values: npt.NDArray[Any]) -> list[Any]:
    """Return the distinct values in order; values of several types in the order of their text."""
    if values.dtype.kind != "O":
        return list(np.unique(values).tolist())
    return sorted(set(values.ravel().tolist()), key=str)


def _listed(values: list[Any]) -> str:
    return ", ".join(format_value(value) for value in values[:4]) + (", ..." if len(values) > 4 else "")


def _kind(values: npt.NDArray[Any]) -> str:
    if values.dtype.kind == "O":
        kinds = {"text" if isinstance(entry, str) else "numbers" for entry in values.flat}
        return kinds.pop() if len(kinds) == 1 else "objects"
    return {"U": "text", "S": "text"}.get(values.dtype.kind, "numbers")


def _unfit(values: npt.NDArray[Any]) -> str:
    return "NaN or an infinity" if values.dtype.kind == "f" else f"dtype {values.dtype}"
