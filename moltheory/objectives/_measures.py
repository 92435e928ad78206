r"""Measures: what an objective is made of, in one place for problems, bounds and certificates.

A *cell* is an average of a loss over the examples that satisfy a condition. Each measure is a function of the
means of finitely many cells, and knows three things: its value from the cells' means, its interval from
intervals of the cells' means, and its width from the cells' widths. All three are deterministic; if the cells'
intervals hold at once, so does the measure's.

============  =============================  ==========================
measure       value                          width
============  =============================  ==========================
``Mean``      one cell over all examples     that of the cell
``Rate``      one cell over some examples    that of the cell
``Gap``       :math:`|a - b|`                sum of the two
``Worst``     largest of several             largest of several
``Known``     given numbers                  0, not counted in delta
============  =============================  ==========================
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, frozen, real_array
from moltheory.errors import InvalidInputError

__all__ = ["Cell", "Gap", "Known", "Mean", "Measure", "Rate", "Worst"]


@dataclass(frozen=True, eq=False)
class Cell:
    """One average: the loss of every hypothesis, over the examples where a condition holds.

    Attributes
    ----------
    losses : (n, H) ndarray
        Loss of each hypothesis on each example.
    where : (n,) ndarray of bool
        The examples that count.
    """

    losses: FloatArray
    where: npt.NDArray[np.bool_]


class Measure(ABC):
    """A risk as a function of the means of cells.

    Attributes
    ----------
    cells : tuple of Cell
        Empty for values known without data.
    """

    cells: tuple[Cell, ...]

    @property
    def data_dependent(self) -> bool:
        """Whether the measure is estimated from data."""
        return bool(self.cells)

    @abstractmethod
    def value(self, means: Sequence[FloatArray]) -> FloatArray:
        """Return the risk (..., H) from one array of means (..., H) per cell."""

    @abstractmethod
    def interval(self, lower: Sequence[FloatArray], upper: Sequence[FloatArray]) -> tuple[FloatArray, FloatArray]:
        """Return bounds of the risk from lower and upper bounds of each cell's mean."""

    @abstractmethod
    def width(self, widths: Sequence[FloatArray]) -> FloatArray:
        """Return the half-width of the risk from one half-width per cell."""


class Rate(Measure):
    """Average loss over the examples where a condition holds, such as a false-negative rate.

    Its denominator is random: in a sample where the condition never holds it is undefined.

    Parameters
    ----------
    losses : (n, H) array_like
        Loss of each hypothesis on each example; finite.
    where : (n,) array_like of bool
        The condition; it must hold for at least one example.

    Raises
    ------
    InvalidInputError
        If shapes disagree, a loss is not finite, or the condition never holds.

    Examples
    --------
    >>> rate = Rate([[1, 0], [0, 0], [1, 1]], where=[True, True, False])
    >>> rate.cells[0].losses.shape
    (3, 2)
    """

    def __init__(self, losses: npt.ArrayLike, where: npt.ArrayLike) -> None:
        table = real_array("losses", losses, shape="(n, H)", min_ndim=2, max_ndim=2)
        mask = np.asarray(where)
        if mask.dtype != np.bool_ or mask.shape != table.shape[:1]:
            raise InvalidInputError(f"`where` must be {table.shape[0]} bools, got shape {mask.shape} of {mask.dtype}.")
        if not mask.any():
            raise InvalidInputError("`where` must hold for at least one example, got none.")
        self.cells = (Cell(frozen(table), frozen(mask)),)

    def value(self, means: Sequence[FloatArray]) -> FloatArray:
        """Return the cell's mean."""
        return means[0]

    def interval(self, lower: Sequence[FloatArray], upper: Sequence[FloatArray]) -> tuple[FloatArray, FloatArray]:
        """Return the cell's interval."""
        return lower[0], upper[0]

    def width(self, widths: Sequence[FloatArray]) -> FloatArray:
        """Return the cell's width."""
        return widths[0]


class Mean(Rate):
    """Average loss over all examples.

    Parameters
    ----------
    losses : (n, H) array_like
        Loss of each hypothesis on each example; finite.

    Examples
    --------
    >>> Mean([[1, 0], [0, 0]]).data_dependent
    True
    """

    def __init__(self, losses: npt.ArrayLike) -> None:
        table = real_array("losses", losses, shape="(n, H)", min_ndim=2, max_ndim=2)
        super().__init__(table, np.ones(table.shape[0], bool))


class Gap(Measure):
    """Absolute difference of two measures, such as a demographic-parity gap.

    Parameters
    ----------
    a, b : Measure
        Both estimated from data.

    Attributes
    ----------
    parts : tuple of Measure

    Examples
    --------
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

    def value(self, means: Sequence[FloatArray]) -> FloatArray:
        """Return the absolute difference."""
        a, b = (part.value(cells) for part, cells in _shares(self.parts, means))
        return np.abs(a - b)

    def interval(self, lower: Sequence[FloatArray], upper: Sequence[FloatArray]) -> tuple[FloatArray, FloatArray]:
        """Return the range of the absolute difference; its lower end is 0 where the two overlap."""
        (a_low, a_high), (b_low, b_high) = _part_intervals(self.parts, lower, upper)
        least = np.maximum(np.maximum(a_low - b_high, b_low - a_high), 0.0)
        return least, np.maximum(a_high - b_low, b_high - a_low)

    def width(self, widths: Sequence[FloatArray]) -> FloatArray:
        """Return the sum of the two widths."""
        a, b = (part.width(cells) for part, cells in _shares(self.parts, widths))
        return a + b


class Worst(Measure):
    """Largest of several measures, such as a worst-group error.

    Parameters
    ----------
    rates : sequence of Measure
        At least one, each estimated from data.

    Attributes
    ----------
    parts : tuple of Measure

    Examples
    --------
    >>> losses = [[1.0], [0.0], [1.0]]
    >>> worst = Worst([Rate(losses, [True, True, False]), Rate(losses, [False, False, True])])
    >>> worst.value([np.array([0.5]), np.array([1.0])])
    array([1.])
    """

    def __init__(self, rates: Sequence[Measure]) -> None:
        self.parts = _data_dependent_parts("Worst", tuple(rates))
        self.cells = tuple(cell for part in self.parts for cell in part.cells)

    def value(self, means: Sequence[FloatArray]) -> FloatArray:
        """Return the largest value."""
        return _largest([part.value(cells) for part, cells in _shares(self.parts, means)])

    def interval(self, lower: Sequence[FloatArray], upper: Sequence[FloatArray]) -> tuple[FloatArray, FloatArray]:
        """Return the largest of the lower and the largest of the upper ends."""
        ends = _part_intervals(self.parts, lower, upper)
        return _largest([low for low, _ in ends]), _largest([high for _, high in ends])

    def width(self, widths: Sequence[FloatArray]) -> FloatArray:
        """Return the largest width."""
        return _largest([part.width(cells) for part, cells in _shares(self.parts, widths)])


class Known(Measure):
    """Values known without data: parameters, FLOPs, number of features.

    Their empirical and true values are equal, their width is 0, and they are not counted in union bounds.

    Parameters
    ----------
    values : (H,) array_like
        Finite.

    Examples
    --------
    >>> Known([3, 5]).value([])
    array([3., 5.])
    """

    def __init__(self, values: npt.ArrayLike) -> None:
        self.values = frozen(real_array("values", values, shape="(H,)", min_ndim=1, max_ndim=1))
        self.cells = ()

    def value(self, means: Sequence[FloatArray]) -> FloatArray:
        """Return the values."""
        return self.values

    def interval(self, lower: Sequence[FloatArray], upper: Sequence[FloatArray]) -> tuple[FloatArray, FloatArray]:
        """Return the values twice."""
        return self.values, self.values

    def width(self, widths: Sequence[FloatArray]) -> FloatArray:
        """Return zero."""
        return np.zeros(1)


def _data_dependent_parts(owner: str, parts: tuple[Measure, ...]) -> tuple[Measure, ...]:
    if not parts:
        raise InvalidInputError(f"`{owner}` must be given at least one measure, got none.")
    for part in parts:
        if not isinstance(part, Measure) or not part.data_dependent:
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


def _part_intervals(
    parts: tuple[Measure, ...], lower: Sequence[FloatArray], upper: Sequence[FloatArray]
) -> list[tuple[FloatArray, FloatArray]]:
    lows, highs = _shares(parts, lower), _shares(parts, upper)
    return [part.interval(low, high) for (part, low), (_, high) in zip(lows, highs, strict=True)]


def _largest(arrays: list[FloatArray]) -> FloatArray:
    result = arrays[0]
    for array in arrays[1:]:
        result = np.maximum(result, array)
    return result
