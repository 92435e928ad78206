"""Counts and moments of all pairs of models on their common examples, accumulated over blocks.

A paired comparison depends only on the examples on which two models disagree: it needs, for every ordered pair, how
often one errs where the other does not; for losses in a range, the sum of the differences and of their squares.
Both add up over blocks: memory does not grow with the number of examples.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count
from moltheory.errors import InvalidInputError
from moltheory.inference._pair_sums import RowSums, marked, packed, part_of

__all__ = ["PairCounts", "PairMoments"]

IntArray = npt.NDArray[np.int64]
Indices = npt.NDArray[np.intp]

# Rows that are copied, packed and counted together: 64 words per model stay in the cache.
_ROWS = 4096
# Numbers of examples below which counts are kept as 32 bits.
_NARROW = 2**31
# Products (examples x models x models) from which loading numba pays.
_COMPILE_FROM = 300_000_000


class PairCounts:
    """Exact counts of errors and of one-sided errors of all pairs of models, from 0/1 losses of one objective.

    Parameters
    ----------
    n_models : int
        Number M >= 1 of models.

    Attributes
    ----------
    common : (M, M) ndarray of int64
        Examples on which both models were evaluated.
    only_first : (M, M) ndarray of int64
        Those among them on which the row's model errs and the column's does not.
    count, errors : (M,) ndarray of int64
        Examples on which the model was evaluated, and those on which it errs.

    Notes
    -----
    O(n M^2 / 64) word operations for n examples, 4 M^2 bytes of memory (12 if examples are missing, twice as many from
    2^31 examples) beside one block of packed bits. All sums are of integers. Small inputs go through products of
    float32 blocks, which are exact below 2^24 rows.

    Examples
    --------
    >>> counts = PairCounts(2)
    >>> counts.update([[1, 0], [0, 1], [1, 0], [1, float("nan")]])
    >>> counts.only_first.tolist(), counts.common.tolist(), counts.errors.tolist()
    ([[0, 2], [1, 0]], [[4, 3], [3, 3]], [3, 1])
    """

    def __init__(self, n_models: int) -> None:
        self.n_models = check_count("n_models", n_models)
        self._both: npt.NDArray[np.signedinteger[Any]] = np.zeros((self.n_models,) * 2, np.int32)
        self._common = RowSums(self.n_models, np.int32)
        # Errors of the row's model where the column's was evaluated.
        self._errs = RowSums(self.n_models, np.int32)
        self._rows = self._work = 0

    @property
    def common(self) -> IntArray:
        """Examples on which both models were evaluated."""
        return self._common.rows(slice(None)).astype(np.int64)

    @property
    def apart(self) -> tuple[int, int] | None:
        """The first two models without a common example, or None."""
        return self._common.zero()

    @property
    def count(self) -> IntArray:
        """Examples on which each model was evaluated."""
        return self._common.diagonal().astype(np.int64)

    @property
    def errors(self) -> IntArray:
        """Examples on which each model errs."""
        return np.diagonal(self._both).astype(np.int64)

    @property
    def only_first(self) -> IntArray:
        """Common examples on which the row's model errs and the column's does not."""
        return self.outcomes(slice(None))[1]

    def outcomes(self, models: slice) -> tuple[IntArray, IntArray, IntArray]:
        """Return, for some of the rows, how many examples are common, and on how many only first, only second errs."""
        both, first, common = self._both[models], self._errs.rows(models), self._common.rows(models)
        second = self._errs.columns(models)
        return (
            common.astype(np.int64),
            np.subtract(first, both, dtype=np.int64),
            np.subtract(second, both, dtype=np.int64),
        )

    def outcomes_of(self, first: Indices, second: Indices) -> tuple[IntArray, IntArray, IntArray]:
        """Return the same for pairs (p,) of models."""
        both = self._both[first, second].astype(np.int64)
        return (
            self._common.at(first, second).astype(np.int64),
            self._errs.at(first, second) - both,
            self._errs.at(second, first) - both,
        )

    def update(self, block: npt.ArrayLike) -> None:
        """Add a block of examples.

        Parameters
        ----------
        block : (b, M) array_like
            0, 1 or NaN for "not evaluated"; floats, integers or bools.

        Raises
        ------
        InvalidInputError
            If the shape is wrong or a loss is neither 0, 1 nor NaN; nothing is added then.
        """
        rows = _block(block, self.n_models)
        if rows.dtype == np.bool_:
            rows = rows.view(np.uint8)
        self._work += rows.shape[0] * self.n_models**2
        packing = self._work >= _COMPILE_FROM
        # All parts are read before the first is counted.
        read = packed if packing else marked
        parts = [read(rows[start : start + _ROWS]) for start in range(0, rows.shape[0], _ROWS)]
        self._rows += rows.shape[0]
        if self._rows >= _NARROW and self._both.dtype == np.int32:
            self._both = self._both.astype(np.int64)
            self._common.widen()
            self._errs.widen()
        for n, ones, seen in parts:
            (self._count_packed if packing else self._multiply)(n, ones, seen)

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays from which `restore` makes equal counts."""
        parts = {"common": self._common, "errs": self._errs}
        found = {f"{part}.{name}": array for part, sums in parts.items() for name, array in sums.state().items()}
        return found | {"both": self._both, "rows": np.array([self._rows, self._work])}

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take over what `state` returned."""
        self._common.restore(part_of(state, "common"))
        self._errs.restore(part_of(state, "errs"))
        self._both = state["both"].copy()
        self._rows, self._work = map(int, state["rows"])

    def _multiply(self, n: int, ones: npt.NDArray[Any], seen: npt.NDArray[Any] | None) -> None:
        """Count by products of float32, whose sums of at most 4096 ones are exact."""
        x = ones.astype(np.float32)
        kind = self._both.dtype
        # Some BLAS kernels flag an invalid operation in lanes that they never use (numpy issue 24067).
        with np.errstate(invalid="ignore"):
            self._both += (x.T @ x).astype(kind)
            if seen is None:
                self._errs.add_each(ones.sum(axis=0))
                self._common.add_each(n)
            else:
                present = seen.astype(np.float32)
                self._errs.add((x.T @ present).astype(kind))
                self._common.add((present.T @ present).astype(kind))

    def _count_packed(self, n: int, bits: npt.NDArray[Any], marks: npt.NDArray[Any] | None) -> None:
        """Count by population counts of packed words."""
        from moltheory.inference._pair_kernels import count_common, count_errors

        if marks is None:
            before = np.diagonal(self._both).copy()
            count_common(bits, self._both)
            self._errs.add_each(np.diagonal(self._both) - before)
            self._common.add_each(n)
        else:
            count_common(bits, self._both)
            count_errors(bits, marks, self._errs.table())
            count_common(marks, self._common.table())


class PairMoments:
    """Sums of losses and of differences of losses of all pairs of models, from bounded losses of one objective.

    Parameters
    ----------
    n_models : int
        Number M >= 1 of models.

    Attributes
    ----------
    common : (M, M) ndarray of int64
        Examples on which both models were evaluated.
    sum_diff, sum_sq_diff : (M, M) ndarray of float64
        Sums over them of (row's loss - column's loss) and of its square; the second is at most `rounding` below or
        above the exact sum.
    count : (M,) ndarray of int64
        Examples on which the model was evaluated.
    sum, sum_sq : (M,) ndarray of float64
        Sums over them of the loss and of its square.

    Notes
    -----
    O(n M^2) by matrix products. Before the products each row is shifted by its mean over the models, which changes no
    difference and takes away what all models have in common (hard and easy examples), so little cancels.

    Examples
    --------
    >>> moments = PairMoments(2)
    >>> moments.update([[0.5, 0.25], [0.0, 1.0]])
    >>> moments.sum_diff[0, 1], moments.sum_sq_diff[0, 1], moments.sum.tolist()
    (np.float64(-0.75), np.float64(1.0625), [0.5, 1.25])
    """

    def __init__(self, n_models: int) -> None:
        size = self.n_models = check_count("n_models", n_models)
        self.sum: FloatArray = np.zeros(size)
        self.sum_sq: FloatArray = np.zeros(size)
        self._common = RowSums(size, np.int64)
        self._cross: FloatArray = np.zeros((size, size))
        # Sums and squares of the row's shifted losses where the column's model was evaluated.
        self._first = RowSums(size, np.float64)
        self._square = RowSums(size, np.float64)
        self._blocks = 0

    @property
    def common(self) -> IntArray:
        """Examples on which both models were evaluated."""
        return self._common.rows(slice(None)).astype(np.int64)

    @property
    def apart(self) -> tuple[int, int] | None:
        """The first two models without a common example, or None."""
        return self._common.zero()

    @property
    def count(self) -> IntArray:
        """Examples on which each model was evaluated."""
        return self._common.diagonal().astype(np.int64)

    @property
    def sum_diff(self) -> FloatArray:
        """Sum over common examples of the row's loss minus the column's."""
        return self.differences(slice(None))[1]

    @property
    def sum_sq_diff(self) -> FloatArray:
        """Sum over common examples of the squared difference of losses."""
        return self.differences(slice(None))[2]

    @property
    def rounding(self) -> FloatArray:
        """Bound on the error of `sum_sq_diff` by rounding, (M, M): add it where an upper bound is needed."""
        return self.differences(slice(None))[3]

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays from which `restore` makes equal moments."""
        parts = {"common": self._common, "first": self._first, "square": self._square}
        found = {f"{part}.{name}": array for part, sums in parts.items() for name, array in sums.state().items()}
        own = {"sum": self.sum, "sum_sq": self.sum_sq, "cross": self._cross, "blocks": np.array([self._blocks])}
        return found | own

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take over what `state` returned."""
        for name, sums in (("common", self._common), ("first", self._first), ("square", self._square)):
            sums.restore(part_of(state, name))
        self.sum, self.sum_sq, self._cross = (state[name].copy() for name in ("sum", "sum_sq", "cross"))
        self._blocks = int(state["blocks"][0])

    def differences(self, models: slice) -> tuple[IntArray, FloatArray, FloatArray, FloatArray]:
        """Return `common`, `sum_diff`, `sum_sq_diff` and `rounding` for some of the rows."""
        both = self._square.rows(models) + self._square.columns(models)
        squares: FloatArray = np.maximum(both - 2.0 * self._cross[models], 0.0)
        own = np.arange(self.n_models)[models]
        squares[np.arange(own.size), own] = 0.0
        steps = min(_ROWS, self._common.most()) + self._blocks + 8
        rounding: FloatArray = 2.0 * steps * np.finfo(np.float64).eps * both
        total: FloatArray = self._first.rows(models) - self._first.columns(models)
        return self._common.rows(models).astype(np.int64), total, squares, rounding

    def differences_of(self, first: Indices, second: Indices) -> tuple[IntArray, FloatArray, FloatArray]:
        """Return `common`, `sum_diff` and `sum_sq_diff` for pairs (p,) of models."""
        both = self._square.at(first, second) + self._square.at(second, first)
        squares: FloatArray = np.maximum(both - 2.0 * self._cross[first, second], 0.0)
        squares[first == second] = 0.0
        total: FloatArray = self._first.at(first, second) - self._first.at(second, first)
        return self._common.at(first, second).astype(np.int64), total, squares

    def update(self, block: npt.ArrayLike) -> None:
        """Add a block of examples.

        Parameters
        ----------
        block : (b, M) array_like
            Losses, NaN for "not evaluated".

        Raises
        ------
        InvalidInputError
            If the shape is wrong or a loss is infinite; nothing is added then.
        """
        rows = _block(block, self.n_models)
        if rows.dtype.kind == "f" and np.isinf(rows).any():
            raise InvalidInputError("`block` must hold finite losses or NaN, got an infinity.")
        for start in range(0, rows.shape[0], _ROWS):
            self._add(rows[start : start + _ROWS].astype(np.float64))

    def _add(self, x: FloatArray) -> None:
        seen = ~np.isnan(x)
        complete = bool(seen.all())
        self._blocks += 1
        if complete:
            self.sum += x.sum(axis=0)
            self.sum_sq += np.einsum("ij,ij->j", x, x)
            x -= x.mean(axis=1, keepdims=True)
            self._common.add_each(x.shape[0])
            self._first.add_each(x.sum(axis=0))
            self._square.add_each(np.einsum("ij,ij->j", x, x))
        else:
            present = seen.astype(np.float64)
            x[~seen] = 0.0
            self.sum += x.sum(axis=0)
            self.sum_sq += np.einsum("ij,ij->j", x, x)
            x -= x.sum(axis=1, keepdims=True) / np.maximum(present.sum(axis=1, keepdims=True), 1.0)
            x *= present
            self._common.add((present.T @ present).astype(np.int64))
            self._first.add(x.T @ present)
            self._square.add((x * x).T @ present)
        self._cross += x.T @ x


def _block(block: npt.ArrayLike, n_models: int) -> npt.NDArray[Any]:
    """Return the block as a real (b, M) array."""
    rows = np.asarray(block)
    if rows.ndim != 2 or rows.shape[1] != n_models:
        raise InvalidInputError(f"`block` must have shape (b, {n_models}), got shape {rows.shape}.")
    if rows.dtype.kind not in "biuf":
        raise InvalidInputError(f"`block` must be real numbers, got dtype {rows.dtype}.")
    return rows
