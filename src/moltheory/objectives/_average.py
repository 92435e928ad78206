"""The average of several measures, such as macro-averaged F1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.errors import InvalidInputError
from moltheory.objectives._composed_measures import (
    _common_range,
    _data_dependent_parts,
    _part_forms,
    _part_intervals,
    _part_values,
    _part_widths,
)
from moltheory.objectives._measure_contract import increases
from moltheory.objectives._measures import Measure

__all__ = ["Average"]


class Average(Measure):
    """Average of several measures with equal weights, such as the error within classes (1 - balanced accuracy) or macro-F1.

    Parameters
    ----------
    measures : sequence of Measure
        At least one, each estimated from data.

    Attributes
    ----------
    parts : tuple of Measure

    Raises
    ------
    InvalidInputError
        If there is none, one is known exactly, or shapes differ.

    Notes
    -----
    Complexity: O(k H) time and memory for k parts.

    Examples
    --------
    >>> from moltheory.objectives import Rate
    >>> losses = [[1.0], [0.0], [1.0]]
    >>> balanced = Average([Rate(losses, [True, True, False]), Rate(losses, [False, False, True])])
    >>> balanced.value([np.array([0.5]), np.array([1.0])])
    array([0.75])
    """

    def __init__(self, measures: Sequence[Measure]) -> None:
        if isinstance(measures, Measure):
            raise InvalidInputError("`Average` must be given a sequence of measures, got one measure.")
        self.parts = _data_dependent_parts("Average", tuple(measures))
        self.cells = tuple(cell for part in self.parts for cell in part.cells)
        self.loss_range = _common_range(self.parts)

    @property
    def is_increasing(self) -> bool:  # type: ignore[override]
        """Whether all parts are."""
        return all(increases(part) for part in self.parts)

    def linear_forms(self) -> FloatArray | None:
        """Return the average of the forms, if each part is one linear form."""
        forms = _part_forms(self.parts)
        return None if forms is None or any(len(form) > 1 for form in forms) else np.mean(np.stack(forms), axis=0)

    def value(self, means: Sequence[FloatArray]) -> FloatArray:
        """Return the average of the values."""
        return _average(_part_values(self.parts, means))

    def interval(self, lower: Sequence[FloatArray], upper: Sequence[FloatArray]) -> tuple[FloatArray, FloatArray]:
        """Return the averages of the lower and of the upper ends."""
        ends = _part_intervals(self.parts, lower, upper)
        return _average([low for low, _ in ends]), _average([high for _, high in ends])

    def width(self, widths: Sequence[FloatArray]) -> FloatArray:
        """Return the average of the half-widths."""
        return _average(_part_widths(self.parts, widths))


def _average(arrays: list[FloatArray]) -> FloatArray:
    average: FloatArray = np.mean(np.stack(np.broadcast_arrays(*arrays)), axis=0)
    return average
