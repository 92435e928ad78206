"""Probabilities and expectations over all sample types, in chunks of bounded memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, Literal, overload

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._html_repr import Shown
from moltheory._core._rational import read_rational
from moltheory._core._validation import FloatArray, check_count
from moltheory.errors import InvalidInputError, TooLargeError
from moltheory.oracle._types import count_types, multinomial_floats, multinomial_integers, types_by_rank

__all__ = ["TypeEnumeration"]

_CHUNK_BYTES = 64 * 2**20
_FLOAT_LIMIT = 10**8
_RATIONAL_LIMIT = 10**6
_MOST_PRINTED = 10**15


@document
class TypeEnumeration(Shown):
    """All samples of size n from a finite population, up to order.

    Parameters
    ----------
    probabilities : tuple of fractions.Fraction
        Probabilities of the s outcomes; they sum to one.
    {size}
    risks : callable
        Maps counts (T, s) to empirical risks (T, H, N).

    Attributes
    ----------
    n, n_types : int
    relative_error : float
        Certified bound of the relative error of each float probability of a type; sums of them are correctly
        rounded, so it bounds the relative error of every float `probability` too.

    Raises
    ------
    TooLargeError
        If there are more than 10**8 types (10**6 with ``rational=True``).

    Notes
    -----
    Complexity: the risks of T types, in blocks: memory does not grow with T = C(n + s - 1, s - 1), which is of the order
    of n^(s - 1). Exact fractions take integers of O(n log n) bits each.

    Examples
    --------
    >>> coin = TypeEnumeration((Fraction(1, 2), Fraction(1, 2)), 2, risks=lambda c: c[:, :, None] / 2)
    >>> coin.probability(lambda risks: risks[:, 0, 0] == 0.5)
    0.5
    >>> coin.probability(lambda risks: risks[:, 0, 0] == 0.5, rational=True)
    Fraction(1, 2)
    """

    def __init__(
        self,
        probabilities: tuple[Fraction, ...],
        n: int,
        *,
        risks: Callable[[npt.NDArray[np.int64]], FloatArray],
    ) -> None:
        self.n = check_count("n", n)
        self.n_types = count_types(self.n, len(probabilities))
        self._probabilities = probabilities
        self._risks = risks
        self._refuse_above(_FLOAT_LIMIT, "")
        self._weights = multinomial_floats(probabilities, self.n)
        self.relative_error = self._weights.relative_error

    def _refuse_above(self, limit: int, mode: str) -> None:
        if self.n_types > limit:
            # Longer numbers tell nothing more, and Python refuses to print those of thousands of digits.
            count = self.n_types if self.n_types <= _MOST_PRINTED else f"about 1e{round(math.log10(self.n_types))}"
            raise TooLargeError(
                f"`n` = {self.n} with {len(self._probabilities)} outcomes has {count} sample types, "
                f"above the limit of {limit}{mode}; simulate instead, or take a smaller n."
            )

    def _chunks(self) -> Iterator[tuple[npt.NDArray[np.int64], FloatArray]]:
        per_type = self._risks(types_by_rank(self.n, len(self._probabilities), 0, 1))[0].size
        # A callback needs a few arrays of the size of the risks beside them.
        length = max(1, _CHUNK_BYTES // (8 * (4 * per_type + 4 * len(self._probabilities))))
        for start in range(0, self.n_types, length):
            types = types_by_rank(self.n, len(self._probabilities), start, min(start + length, self.n_types))
            yield types, self._risks(types)

    def weighted_risks(self) -> Iterator[tuple[FloatArray, FloatArray]]:
        """Yield all types chunk by chunk: their probabilities (T,) and their risks (T, H, N).

        For sums that `expectation` does not cover, such as distributions; the chunks bound the memory.

        Yields
        ------
        probabilities : (T,) ndarray
            Each within `relative_error`.
        risks : (T, H, N) ndarray

        Examples
        --------
        >>> from fractions import Fraction
        >>> coin = TypeEnumeration((Fraction(1, 2), Fraction(1, 2)), 2, risks=lambda c: c[:, :, None] / 2)
        >>> [probabilities.tolist() for probabilities, _ in coin.weighted_risks()]
        [[0.25, 0.5, 0.25]]
        """
        for types, risks in self._chunks():
            yield self._weights(types), risks

    @overload
    def probability(
        self, event: Callable[[FloatArray], npt.NDArray[np.bool_]], *, rational: Literal[False] = False
    ) -> float: ...
    @overload
    def probability(
        self, event: Callable[[FloatArray], npt.NDArray[np.bool_]], *, rational: Literal[True]
    ) -> Fraction: ...
    def probability(
        self, event: Callable[[FloatArray], npt.NDArray[np.bool_]], *, rational: bool = False
    ) -> float | Fraction:
        """Return the probability that the empirical risks satisfy an event.

        Parameters
        ----------
        event : callable
            Maps risks (T, H, N) to bools (T,). Equal risks are bitwise equal on lattice problems, so ``==`` and
            ``<`` are safe there; where a group is empty the risks are NaN.
        rational : bool, default False
            Return the exact probability.

        Returns
        -------
        float or fractions.Fraction

        Raises
        ------
        InvalidInputError
            If the event does not return T bools.
        TooLargeError
            If there are too many types.
        """

        def indicator(risks: FloatArray) -> FloatArray:
            happens = np.asarray(event(risks))
            if happens.dtype != np.bool_:
                raise InvalidInputError(f"`event` must return bools, got dtype {happens.dtype}.")
            return happens.astype(np.float64)

        if rational:
            return Fraction(self.expectation(indicator, rational=True))
        return float(self.expectation(indicator))

    def expectation(self, f: Callable[[FloatArray], npt.ArrayLike], *, rational: bool = False) -> Any:
        """Return the expectation of a function of the empirical risks.

        Parameters
        ----------
        f : callable
            Maps risks (T, H, N) to numbers (T,), or to several per type (T, ...).
        rational : bool, default False
            Return fractions; values of `f` that are floats are read as the simplest fractions they round.

        Returns
        -------
        float, fractions.Fraction, or ndarray of shape (...)

        Raises
        ------
        InvalidInputError
            If `f` returns another number of rows, or NaN.
        TooLargeError
            If there are too many types.
        """
        if rational:
            self._refuse_above(_RATIONAL_LIMIT, " for exact fractions")
        partial: list[list[Any]] = []
        shape: tuple[int, ...] = ()
        for types, risks in self._chunks():
            values = np.asarray(f(risks))
            if values.ndim < 1 or values.shape[0] != types.shape[0]:
                raise InvalidInputError(f"`f` must return {types.shape[0]} rows, got shape {values.shape}.")
            if values.dtype != object and np.isnan(values).any():
                raise InvalidInputError("`f` must not return NaN, got at least one.")
            shape = values.shape[1:]
            columns = values.reshape(types.shape[0], -1)
            partial.append(self._rational_sums(types, columns) if rational else self._float_sums(types, columns))
        total = sum if rational else math.fsum
        sums = [total(parts) for parts in zip(*partial, strict=True)]
        if not shape:
            return sums[0]
        return np.array(sums, dtype=object if rational else np.float64).reshape(shape)

    def _float_sums(self, types: npt.NDArray[np.int64], columns: npt.NDArray[Any]) -> list[float]:
        weights = self._weights(types)
        return [math.fsum((weights * columns[:, j]).tolist()) for j in range(columns.shape[1])]

    def _rational_sums(self, types: npt.NDArray[np.int64], columns: npt.NDArray[Any]) -> list[Fraction]:
        weights, denominator = multinomial_integers(self._probabilities, self.n, types)
        sums = []
        for j in range(columns.shape[1]):
            order = np.argsort(columns[:, j], kind="stable")
            sorted_values = columns[order, j]
            starts = np.flatnonzero(np.append(True, sorted_values[1:] != sorted_values[:-1]))
            together = np.add.reduceat(weights[order].astype(object), starts)
            total = sum(
                read_rational(value) * int(weight)
                for value, weight in zip(sorted_values[starts].tolist(), together.tolist(), strict=True)
            )
            sums.append(Fraction(total) / denominator)
        return sums

    def _line(self) -> str:
        """Sizes."""
        return f"TypeEnumeration(n={self.n}, n_outcomes={len(self._probabilities)}, n_types={self.n_types})"
