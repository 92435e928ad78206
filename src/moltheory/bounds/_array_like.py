"""Array operations of a bound: indexing, comparison and arithmetic act on its half-widths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray

__all__ = ["ArrayLike"]

_Shape = tuple[int, ...]


class ArrayLike:
    """Mixin for results that stand where their array ``width`` is expected; every operation returns plain arrays.

    >>> from moltheory.bounds import finite_class
    >>> bound = finite_class(200, n_hypotheses=1, delta=0.05, n_objectives=2)
    >>> (2.0 * bound).round(3), bound[0] < 0.2, bound.shape
    (array([0.209, 0.209]), np.True_, (2,))
    """

    width: FloatArray

    @property
    def shape(self) -> _Shape:
        """Shape of the half-widths."""
        return self.width.shape

    @property
    def ndim(self) -> int:
        """Number of axes of the half-widths."""
        return self.width.ndim

    @property
    def size(self) -> int:
        """Number of half-widths."""
        return self.width.size

    def max(self, axis: int | _Shape | None = None) -> Any:
        """Return the largest half-width, or the largest along some axes."""
        return self.width.max(axis=axis)

    def min(self, axis: int | _Shape | None = None) -> Any:
        """Return the smallest half-width, or the smallest along some axes."""
        return self.width.min(axis=axis)

    def round(self, decimals: int = 0) -> FloatArray:
        """Return the half-widths rounded to a number of decimals."""
        return self.width.round(decimals)

    def tolist(self) -> Any:
        """Return the half-widths as nested lists of floats."""
        return self.width.tolist()

    def __getitem__(self, index: Any) -> Any:
        """Return some of the half-widths."""
        return self.width[index]

    def __len__(self) -> int:
        """Return the length of the first axis of the half-widths."""
        return len(self.width)

    def __bool__(self) -> bool:
        """Return True, as for any object: a bound has no truth value of its own."""
        return True

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the first axis of the half-widths."""
        return iter(self.width)

    # Two bounds are equal if they are one object; anything else is compared with the half-widths, entry by entry.
    def __eq__(self, other: object) -> Any:
        """Compare the half-widths with numbers; two bounds are equal only if they are the same object."""
        if isinstance(other, np.ndarray | np.generic | float | int | list | tuple):
            return np.equal(self.width, other)
        return NotImplemented

    def __ne__(self, other: object) -> Any:
        """Compare the half-widths with numbers; two bounds differ unless they are the same object."""
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else np.logical_not(equal)

    def __hash__(self) -> int:
        """Hash of the object, as two bounds are compared as objects."""
        return object.__hash__(self)

    def __lt__(self, other: npt.ArrayLike) -> Any:
        """Compare the half-widths."""
        return np.less(self.width, other)

    def __le__(self, other: npt.ArrayLike) -> Any:
        """Compare the half-widths."""
        return np.less_equal(self.width, other)

    def __gt__(self, other: npt.ArrayLike) -> Any:
        """Compare the half-widths."""
        return np.greater(self.width, other)

    def __ge__(self, other: npt.ArrayLike) -> Any:
        """Compare the half-widths."""
        return np.greater_equal(self.width, other)

    def __add__(self, other: npt.ArrayLike) -> Any:
        """Add to the half-widths."""
        return np.add(self.width, other)

    def __radd__(self, other: npt.ArrayLike) -> Any:
        """Add to the half-widths."""
        return np.add(other, self.width)

    def __sub__(self, other: npt.ArrayLike) -> Any:
        """Subtract from the half-widths."""
        return np.subtract(self.width, other)

    def __rsub__(self, other: npt.ArrayLike) -> Any:
        """Subtract the half-widths."""
        return np.subtract(other, self.width)

    def __mul__(self, other: npt.ArrayLike) -> Any:
        """Multiply the half-widths."""
        return np.multiply(self.width, other)

    def __rmul__(self, other: npt.ArrayLike) -> Any:
        """Multiply the half-widths."""
        return np.multiply(other, self.width)

    def __truediv__(self, other: npt.ArrayLike) -> Any:
        """Divide the half-widths."""
        return np.divide(self.width, other)

    def __rtruediv__(self, other: npt.ArrayLike) -> Any:
        """Divide by the half-widths."""
        return np.divide(other, self.width)

    def __matmul__(self, other: npt.ArrayLike) -> Any:
        """Multiply the half-widths by a vector or matrix."""
        return np.matmul(self.width, other)
