"""Objectives of a finite hypothesis class: a table of risks, one row per hypothesis."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from moltheory._core._card import Card, names_text
from moltheory._core._docs import document
from moltheory._core._html_repr import Printed
from moltheory._core._validation import FloatArray, as_readonly, check_names, real_or_missing
from moltheory.errors import InvalidInputError
from moltheory.objectives._cards import finite_card

__all__ = ["FiniteObjectives"]


@document
class FiniteObjectives(Printed):
    """Table of the risks of finitely many hypotheses, true or empirical, with leading batch axes.

    Hypotheses are indices ``0..H-1``.

    Parameters
    ----------
    risks : (*batch, H, N) array_like
        Real and finite, except that the whole table of a batch entry may hold NaN columns where the sample
        makes no claim (an empty group); such entries are `undefined`.
    {names}
    data_dependent : (N,) array_like of bool, optional
        Which objectives are estimated from data; all by default.
    cell_sizes : (*batch, K) array_like of float, optional
        How many examples each of the K averages behind the risks is over; None for true risks.

    Attributes
    ----------
    names : tuple of str
    data_dependent : (N,) ndarray of bool
    batch_shape : tuple of int
    n_hypotheses, n_objectives : int
    undefined : (*batch,) ndarray of bool
        Where some risk is not defined.
    cell_sizes : (*batch, K) ndarray or None

    Raises
    ------
    InvalidInputError
        If the shape is wrong, the table is empty, or a risk is infinite or NaN for some hypotheses only.

    Notes
    -----
    Complexity: O(H N) time and memory per batch entry.

    Examples
    --------
    >>> objectives = FiniteObjectives([[0.1, 3.0], [0.2, 1.0]], names=["error", "size"])
    >>> objectives.batch_shape, objectives.names
    ((), ('error', 'size'))
    >>> objectives.risks([1])
    array([[0.2, 1. ]])
    """

    def __init__(
        self,
        risks: npt.ArrayLike,
        *,
        names: Iterable[str] | None = None,
        data_dependent: npt.ArrayLike | None = None,
        cell_sizes: npt.ArrayLike | None = None,
    ) -> None:
        table = real_or_missing("risks", risks).astype(np.float64, copy=False)
        if table.ndim < 2 or table.size == 0:
            raise InvalidInputError(
                f"`risks` must have shape (*batch, H, N) and not be empty, got shape {table.shape}."
            )
        missing = np.isnan(table)
        if np.isinf(table).any() or not np.array_equal(missing.any(axis=-2), missing.all(axis=-2)):
            raise InvalidInputError("`risks` must be finite, or NaN for every hypothesis at once, got another table.")
        dependent = np.ones(table.shape[-1], bool) if data_dependent is None else np.asarray(data_dependent)
        if dependent.dtype != np.bool_ or dependent.shape != table.shape[-1:]:
            raise InvalidInputError(
                f"`data_dependent` must be {table.shape[-1]} bools, got {dependent.dtype} {dependent.shape}."
            )
        self._risks = as_readonly(table)
        self.names = check_names("names", names, length=table.shape[-1], stem="objective")
        self.data_dependent = as_readonly(dependent)
        self.undefined = as_readonly(np.asarray(missing.any(axis=(-2, -1))))
        self.cell_sizes = None if cell_sizes is None else as_readonly(np.asarray(cell_sizes, dtype=np.float64))

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """Leading axes, for example ``(replicates,)``."""
        return self._risks.shape[:-2]

    @property
    def n_hypotheses(self) -> int:
        """Number H of hypotheses."""
        return int(self._risks.shape[-2])

    @property
    def n_objectives(self) -> int:
        """Number N of objectives."""
        return int(self._risks.shape[-1])

    @document
    def risks(self, hypotheses: npt.ArrayLike | None = None) -> FloatArray:
        """Return the risks of some hypotheses.

        Parameters
        ----------
        hypotheses : (k,) array_like of int, optional
            Indices in ``0..H-1``; None is all of them, in order.

        Returns
        -------
        (*batch, k, N) ndarray
            Read-only where `hypotheses` is None.

        {raises}
        """
        if hypotheses is None:
            return self._risks
        indices = np.asarray(hypotheses)
        if indices.ndim != 1 or indices.dtype.kind not in "iu":
            raise InvalidInputError(f"`hypotheses` must be a 1-d array of indices, got dtype {indices.dtype}.")
        if indices.size and not 0 <= indices.min() <= indices.max() < self.n_hypotheses:
            raise InvalidInputError(f"`hypotheses` must lie in 0..{self.n_hypotheses - 1}, got {indices.tolist()}.")
        return np.take(self._risks, indices, axis=-2)

    def _line(self) -> str:
        """Shapes and names."""
        sizes = f"batch_shape={self.batch_shape}, n_hypotheses={self.n_hypotheses}"
        return f"FiniteObjectives({sizes}, names={names_text(self.names)})"

    def _card(self) -> Card:
        return finite_card(self)
