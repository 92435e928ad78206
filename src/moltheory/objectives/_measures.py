r"""Measures: what an objective is made of, in one place for problems, bounds and certificates.

A *cell* is an average of a loss over the examples that satisfy a condition; the condition may depend on the model, as
that of precision does ("predicted positive"). Each measure is a function of the means of finitely many cells, and
states three things: its value from the cells' means, its interval from intervals of the cells' means, and its
half-width from the cells' half-widths. All three are deterministic; if the cells' intervals hold at once, so does the
measure's.

============  ==================================  ==========================
measure       value                               half-width
============  ==================================  ==========================
``Mean``      one cell over all examples          that of the cell
``Rate``      one cell over some examples         that of the cell
``Gap``       :math:`|a - b|`                     sum of the two
``Spread``    largest :math:`|a - b|` of several  sum of the two largest
``Worst``     largest of several                  largest of several
``F1Error``   1 - F1                              twice that of its cell
``Known``     given numbers                       0, not counted in delta
============  ==================================  ==========================

A class declares, and nothing is assumed that it does not: that a measure increases in all of its cells
(`Measure.is_increasing`), or is the largest of linear forms in their means (`Measure.linear_forms`), without which no
paired test is used; that its values are known without data (`Measure.is_exact`), without which it must have cells; and,
by defining ``value``, ``interval`` and ``width`` in one class, that the three belong together.
`moltheory.testing.check_measure` checks all of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._card import Card
from moltheory._core._docs import document
from moltheory._core._html_repr import Shown
from moltheory._core._validation import FloatArray, as_readonly, bools_in, real_array, real_or_missing, refuse_masked
from moltheory.errors import InvalidInputError
from moltheory.objectives._cards import measure_card, measure_line

__all__ = ["Cell", "F1Error", "Known", "Mean", "Measure", "Rate", "check_cell"]


@dataclass(frozen=True, eq=False, repr=False)
@document
class Cell(Shown):
    """One average: the loss of every hypothesis, over the examples where a condition holds.

    Attributes
    ----------
    losses : (n, H) ndarray
        Loss of each hypothesis on each example: bools, integers or floats.
    where : (n,) or (n, H) ndarray of bool
        The examples that count, for all hypotheses or for each.

    {raises}

    Notes
    -----
    Complexity: O(n H) time and memory.
    """

    losses: npt.NDArray[Any]
    where: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        check_cell(self)

    @property
    def depends_on_model(self) -> bool:
        """Whether the condition is one per hypothesis."""
        return self.where.ndim == 2


class Measure(Shown, ABC):
    """A risk as a function of the means of cells.

    A subclass of your own sets `cells` and defines `value`, `interval` and `width` together, in one class.

    Attributes
    ----------
    cells : tuple of Cell
        Empty for values known without data.
    is_increasing : bool
        Whether a smaller mean in every cell means a smaller risk, strictly if strictly in all. False unless a class
        declares it; tests of every cell are used only where it is declared by the class that defines `value`, or below it.
    is_exact : bool
        Whether the values are known without data, as those of `Known`. False unless the class that defines `value`,
        `interval` and `width`, or one below it, declares it; a measure that is not exact must have cells.
    loss_range : (float, float) or None
        The range of losses for which the three are defined, such as (0, 1) for F1; None for any range.
    default_range : (float, float) or None
        The range of the losses where none is stated, of losses that are made to lie in it; None for (0, 1).
    """

    cells: tuple[Cell, ...]
    is_increasing: bool = False
    is_exact: bool = False
    loss_range: tuple[float, float] | None = None
    default_range: tuple[float, float] | None = None

    @property
    def data_dependent(self) -> bool:
        """Whether the measure is estimated from data."""
        return bool(self.cells)

    def linear_forms(self) -> FloatArray | None:
        """Return coefficients (J, K) of linear forms in the K cells' means whose largest is the value; None = unknown.

        ``[[1, -1], [-1, 1]]`` for an absolute difference, the identity for the largest of several. Paired tests of
        measures that do not increase in their cells use them; they count only where they are defined by the class that
        defines `value`, or below it.
        """
        return None

    @abstractmethod
    def value(self, means: Sequence[FloatArray]) -> FloatArray:
        """Return the risk (..., H) from one array of means (..., H) per cell."""

    @abstractmethod
    def interval(self, lower: Sequence[FloatArray], upper: Sequence[FloatArray]) -> tuple[FloatArray, FloatArray]:
        """Return bounds of the risk from lower and upper bounds of each cell's mean."""

    @abstractmethod
    def width(self, widths: Sequence[FloatArray]) -> FloatArray:
        """Return the half-width of the risk from one half-width per cell."""

    def _line(self) -> str:
        return measure_line(self)

    def _card(self) -> Card:
        return measure_card(self)


@document
class Rate(Measure):
    """Average loss over the examples where a condition holds, such as a false-negative rate.

    Its denominator is random: in a sample where the condition never holds it is undefined.

    Parameters
    ----------
    losses : (n, H) array_like
        Loss of each hypothesis on each example; finite. Bools and integers stay what they are.
    where : (n,) or (n, H) array_like of bool
        The condition, such as "is positive", or one per hypothesis, such as "is predicted positive" (the occurrence
        among those is then a ratio, such as the false discovery rate). It must hold for at least one example.

    {raises}

    Notes
    -----
    Complexity: O(n H) time and memory.

    Examples
    --------
    >>> rate = Rate([[1, 0], [0, 0], [1, 1]], where=[True, True, False])
    >>> rate.cells[0].losses.shape
    (3, 2)
    """

    is_increasing = True

    def __init__(self, losses: npt.ArrayLike, where: npt.ArrayLike) -> None:
        cell = Cell(as_readonly(_losses(losses)), as_readonly(bools_in("where", where)))
        if not cell.where.any(axis=0).all():
            raise InvalidInputError("`where` must hold for at least one example, got none.")
        self.cells = (cell,)

    def linear_forms(self) -> FloatArray | None:
        """Return one form, the cell's mean."""
        return np.ones((1, 1))

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

    Notes
    -----
    Complexity: O(n H) time and memory.

    Examples
    --------
    >>> Mean([[1, 0], [0, 0]]).data_dependent
    True
    """

    def __init__(self, losses: npt.ArrayLike) -> None:
        table = _losses(losses)
        super().__init__(table, np.ones(table.shape[0], bool))


class F1Error(Rate):
    r"""One minus the F1 score: :math:`1 - 2 TP / (2 TP + FP + FN)`.

    With :math:`l` the share of errors among the examples that are positive or predicted positive, it is
    :math:`l / (2 - l)`: a function of one mean, under a condition that depends on the model.

    Parameters
    ----------
    predicted : (n, H) array_like of bool
        Whether each hypothesis predicts the positive class.
    positive : (n,) array_like of bool
        Whether the example is positive.

    Notes
    -----
    Complexity: O(n H) time and memory.

    References
    ----------
    C. J. van Rijsbergen (1979), Information Retrieval, chapter 7. The reduction to one mean is derived (proof:
    f1-error): among those examples each is a true positive or an error, so TP = (1 - l) m and FP + FN = l m for m of
    them.

    Examples
    --------
    >>> f1 = F1Error([[True, True], [False, True], [False, True]], [True, True, False])
    >>> f1.value([np.array([1 / 2, 1 / 3])]).round(3)
    array([0.333, 0.2  ])
    """

    is_increasing = True
    loss_range = (0.0, 1.0)

    def __init__(self, predicted: npt.ArrayLike, positive: npt.ArrayLike) -> None:
        said, true = bools_in("predicted", predicted), bools_in("positive", positive)
        if said.dtype != np.bool_ or said.ndim != 2 or said.size == 0:
            raise InvalidInputError(f"`predicted` must be bools (n, H), got shape {said.shape} of {said.dtype}.")
        if true.dtype != np.bool_ or true.shape != said.shape[:1]:
            raise InvalidInputError(
                f"`positive` must be {said.shape[0]} bools, got shape {true.shape} of {true.dtype}."
            )
        super().__init__(said != true[:, None], said | true[:, None])

    def value(self, means: Sequence[FloatArray]) -> FloatArray:
        """Return l / (2 - l)."""
        return means[0] / (2.0 - means[0])

    def interval(self, lower: Sequence[FloatArray], upper: Sequence[FloatArray]) -> tuple[FloatArray, FloatArray]:
        """Return the ends of the cell's interval, transformed."""
        return lower[0] / (2.0 - lower[0]), upper[0] / (2.0 - upper[0])

    def width(self, widths: Sequence[FloatArray]) -> FloatArray:
        """Return twice the cell's half-width: the slope of l / (2 - l) is at most 2 on [0, 1]."""
        return 2.0 * widths[0]


class Known(Measure):
    """Values known without data: parameters, FLOPs, number of features.

    Their empirical and true values are equal, their width is 0, and they are not counted in union bounds.

    Parameters
    ----------
    values : (H,) array_like
        Finite.

    Notes
    -----
    Complexity: O(H) time and memory.

    Examples
    --------
    >>> Known([3, 5]).value([])
    array([3., 5.])
    """

    is_exact = True

    def __init__(self, values: npt.ArrayLike) -> None:
        self.values = as_readonly(real_array("values", values, shape="(H,)", min_ndim=1, max_ndim=1))
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


def check_cell(cell: Cell) -> None:
    """Refuse a cell whose condition would select something else than examples, or whose losses are no table."""
    losses, where = cell.losses, cell.where
    for name, array in (("losses", losses), ("where", where)):
        refuse_masked(name, array)
        if not isinstance(array, np.ndarray):
            raise InvalidInputError(
                f"`{name}` must be an array in a Cell, got {type(array).__name__}: convert it by `numpy.asarray`."
            )
    if losses.ndim != 2 or losses.dtype.kind not in "biuf" or not losses.size:
        raise InvalidInputError(
            f"`losses` must be real numbers of shape (n, H), got shape {losses.shape} of {losses.dtype}."
        )
    if where.dtype != np.bool_ or where.shape not in (losses.shape[:1], losses.shape):
        raise InvalidInputError(
            f"`where` must be bools of shape {losses.shape[:1]} or {losses.shape}, got shape {where.shape} of {where.dtype}."
        )
    if cell.depends_on_model is not (where.ndim == 2):
        raise InvalidInputError(
            f"`depends_on_model` must be whether `where` is one condition per model, got {cell.depends_on_model!r} from "
            f"{type(cell).__name__}: leave it to `Cell`."
        )


def _losses(losses: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return losses (n, H) of the type they are given in, finite."""
    refuse_masked("losses", losses)
    table = None if isinstance(losses, list | tuple) else real_or_missing("losses", losses)
    if table is not None and table.dtype.kind in "biu" and table.ndim == 2 and table.size:
        return table
    return real_array("losses", losses, shape="(n, H)", min_ndim=2, max_ndim=2)
