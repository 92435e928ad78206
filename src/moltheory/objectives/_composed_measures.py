"""Measures made of several: absolute differences and largest values, of two groups or of many."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.errors import InvalidInputError
from moltheory.objectives._measure_contract import check_definitions, forms_of, increases
from moltheory.objectives._measures import Measure

__all__ = ["Gap", "Spread", "Worst"]


class Gap(Measure):
    """Absolute difference of two measures, such as a demographic-parity gap.

    Parameters
    ----------
    a, b : Measure
        Both estimated from data.

    Attributes
    ----------
    parts : tuple of Measure

    Notes
    -----
    Complexity: O(H) time and memory for value, interval and width, besides those of the two parts.

    Examples
    --------
    >>> from moltheory.objectives import Rate
    >>> losses = [[1.0], [0.0], [1.0]]
    >>> gap = Gap(Rate(losses, [True, True, False]), Rate(losses, [False, False, True]))
    >>> gap.value([np.array([0.5]), np.array([1.0])])
    array([0.5])
    >>> gap.interval([np.array([0.4]), np.array([0.5])], [np.array([0.6]), np.array([0.9])])
    (array([0.]), array([0.5]))
    """

    def __init__(self, a: Measure, b: Measure) -> None:
        self.parts = _data_dependent_parts("Gap", (a, b))
        self.cells = a.cells + b.cells
        self.loss_range = _common_range(self.parts)

    def linear_forms(self) -> FloatArray | None:
        """Return the two signed differences, if each part is one linear form."""
        return _differences(self.parts)

    def value(self, means: Sequence[FloatArray]) -> FloatArray:
        """Return the absolute difference."""
        a, b = _part_values(self.parts, means)
        return np.abs(a - b)

    def interval(self, lower: Sequence[FloatArray], upper: Sequence[FloatArray]) -> tuple[FloatArray, FloatArray]:
        """Return the range of the absolute difference; its lower end is 0 where the two overlap."""
        (a_low, a_high), (b_low, b_high) = _part_intervals(self.parts, lower, upper)
        least = np.maximum(np.maximum(a_low - b_high, b_low - a_high), 0.0)
        return least, np.maximum(a_high - b_low, b_high - a_low)

    def width(self, widths: Sequence[FloatArray]) -> FloatArray:
        """Return the sum of the two widths."""
        a, b = _part_widths(self.parts, widths)
        return a + b


class Spread(Measure):
    """Largest absolute difference between any two of several measures, such as a demographic-parity gap of groups.

    The same value, interval and half-width as `Worst` over the `Gap` of every pair, in one object.

    Parameters
    ----------
    rates : sequence of Measure
        At least two, each estimated from data by one cell.

    Attributes
    ----------
    parts : tuple of Measure

    Notes
    -----
    Complexity: O(k H) time and memory for k groups; the linear forms, one per pair of them, O(k^2).

    Examples
    --------
    >>> from moltheory.objectives import Rate
    >>> losses = [[1.0], [0.0], [1.0]]
    >>> spread = Spread([Rate(losses, np.arange(3) == g) for g in range(3)])
    >>> spread.value([np.array([0.2]), np.array([0.5]), np.array([0.1])])
    array([0.4])
    """

    def __init__(self, rates: Sequence[Measure]) -> None:
        self.parts = _data_dependent_parts("Spread", tuple(rates))
        if len(self.parts) < 2:
            raise InvalidInputError("`Spread` must be given at least two measures, got one.")
        self.cells = tuple(cell for part in self.parts for cell in part.cells)
        self.loss_range = _common_range(self.parts)

    def linear_forms(self) -> FloatArray | None:
        """Return the difference of every ordered pair, if each part is one linear form."""
        return _differences(self.parts)

    def value(self, means: Sequence[FloatArray]) -> FloatArray:
        """Return the largest value minus the smallest."""
        table = np.stack(np.broadcast_arrays(*_part_values(self.parts, means)))
        largest: FloatArray = table.max(axis=0) - table.min(axis=0)
        return largest

    def interval(self, lower: Sequence[FloatArray], upper: Sequence[FloatArray]) -> tuple[FloatArray, FloatArray]:
        """Return the range of the largest difference, from that of each pair."""
        ends = _part_intervals(self.parts, lower, upper)
        low, high = (np.stack(np.broadcast_arrays(*side)) for side in zip(*ends, strict=True))
        least: FloatArray = np.maximum((low - _smallest_other(high)).max(axis=0), 0.0)
        most: FloatArray = (high - _smallest_other(low)).max(axis=0)
        return least, most

    def width(self, widths: Sequence[FloatArray]) -> FloatArray:
        """Return the sum of the two largest half-widths."""
        table = np.sort(np.stack(np.broadcast_arrays(*_part_widths(self.parts, widths))), axis=0)
        total: FloatArray = table[-1] + table[-2]
        return total


class Worst(Measure):
    """Largest of several measures, such as a worst-group error.

    Parameters
    ----------
    rates : sequence of Measure
        At least one, each estimated from data.

    Attributes
    ----------
    parts : tuple of Measure

    Notes
    -----
    Complexity: O(k H) time and memory for k parts.

    Examples
    --------
    >>> from moltheory.objectives import Rate
    >>> losses = [[1.0], [0.0], [1.0]]
    >>> worst = Worst([Rate(losses, [True, True, False]), Rate(losses, [False, False, True])])
    >>> worst.value([np.array([0.5]), np.array([1.0])])
    array([1.])
    """

    def __init__(self, rates: Sequence[Measure]) -> None:
        self.parts = _data_dependent_parts("Worst", tuple(rates))
        self.cells = tuple(cell for part in self.parts for cell in part.cells)
        self.loss_range = _common_range(self.parts)

    @property
    def is_increasing(self) -> bool:  # type: ignore[override]
        """Whether all parts are."""
        return all(increases(part) for part in self.parts)

    def linear_forms(self) -> FloatArray | None:
        """Return the forms of all parts, if each part has some."""
        forms = _part_forms(self.parts)
        return None if forms is None else np.concatenate(forms)

    def value(self, means: Sequence[FloatArray]) -> FloatArray:
        """Return the largest value."""
        return _largest(_part_values(self.parts, means))

    def interval(self, lower: Sequence[FloatArray], upper: Sequence[FloatArray]) -> tuple[FloatArray, FloatArray]:
        """Return the largest of the lower and the largest of the upper ends."""
        ends = _part_intervals(self.parts, lower, upper)
        return _largest([low for low, _ in ends]), _largest([high for _, high in ends])

    def width(self, widths: Sequence[FloatArray]) -> FloatArray:
        """Return the largest width."""
        return _largest(_part_widths(self.parts, widths))


def _data_dependent_parts(owner: str, parts: tuple[Measure, ...]) -> tuple[Measure, ...]:
    if not parts:
        raise InvalidInputError(f"`{owner}` must be given at least one measure, got none.")
    for part in parts:
        if not isinstance(part, Measure):
            raise InvalidInputError(f"`{owner}` must be given measures estimated from data, got {part!r}.")
        check_definitions(owner, part)
        if not part.data_dependent:
            raise InvalidInputError(f"`{owner}` must be given measures estimated from data, got {part!r}.")
    shapes = {cell.losses.shape for part in parts for cell in part.cells}
    if len(shapes) > 1:
        raise InvalidInputError(f"`{owner}` must be given measures of equal shape (n, H), got {sorted(shapes)}.")
    return parts


def _shares(parts: tuple[Measure, ...], values: Sequence[FloatArray]) -> list[tuple[Measure, Sequence[FloatArray]]]:
    """Give each part the values of its own cells."""
    shares, start = [], 0
    for part in parts:
        stop = start + len(part.cells)
        shares.append((part, values[start:stop]))
        start = stop
    return shares


def _part_values(parts: tuple[Measure, ...], means: Sequence[FloatArray]) -> list[FloatArray]:
    # Copies, here and below: a part that comes twice may write its second answer over the first.
    return [np.array(part.value(cells)) for part, cells in _shares(parts, means)]


def _part_widths(parts: tuple[Measure, ...], widths: Sequence[FloatArray]) -> list[FloatArray]:
    return [np.array(part.width(cells)) for part, cells in _shares(parts, widths)]


def _part_intervals(
    parts: tuple[Measure, ...], lower: Sequence[FloatArray], upper: Sequence[FloatArray]
) -> list[tuple[FloatArray, FloatArray]]:
    lows, highs = _shares(parts, lower), _shares(parts, upper)
    ends = (part.interval(low, high) for (part, low), (_, high) in zip(lows, highs, strict=True))
    return [(np.array(low), np.array(high)) for low, high in ends]


def _part_forms(parts: tuple[Measure, ...]) -> list[FloatArray] | None:
    """Return the forms of each part, in the means of the cells of all parts."""
    own = [forms_of("parts", part) for part in parts]
    found, start, size = [], 0, sum(len(part.cells) for part in parts)
    for forms in own:
        if forms is None:
            return None
        wide = np.zeros((forms.shape[0], size))
        wide[:, start : start + forms.shape[1]] = forms
        found.append(wide)
        start += forms.shape[1]
    return found


def _differences(parts: tuple[Measure, ...]) -> FloatArray | None:
    """Return the difference of every ordered pair of parts that are linear."""
    forms = _part_forms(parts)
    if forms is None or any(form.shape[0] > 1 for form in forms):
        return None
    return np.concatenate([a - b for a in forms for b in forms if a is not b])


def _common_range(parts: tuple[Measure, ...]) -> tuple[float, float] | None:
    """Return the range of losses for which all parts are defined; None for any."""
    ranges = [part.loss_range for part in parts if part.loss_range is not None]
    if not ranges:
        return None
    return max(low for low, _ in ranges), min(high for _, high in ranges)


def _smallest_other(table: FloatArray) -> FloatArray:
    """Return, for each row of a table (k, ...), the smallest entry of the other rows, in each column."""
    first, second = np.sort(table, axis=0)[:2]
    own = np.expand_dims(table.argmin(axis=0), 0) == np.arange(len(table)).reshape(-1, *[1] * (table.ndim - 1))
    smallest: FloatArray = np.where(own, second, first)
    return smallest


def _largest(arrays: list[FloatArray]) -> FloatArray:
    result = arrays[0]
    for array in arrays[1:]:
        result = np.maximum(result, array)
    return result
