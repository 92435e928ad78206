"""Counts and moments of all pairs of models on their common examples, accumulated over blocks.

A paired comparison depends only on the examples on which two models disagree: it needs, for every ordered pair, how
often one errs where the other does not; for losses in a range, the sum of the differences and of their squares.
Both add up over blocks: memory does not grow with the number of examples.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count
from moltheory.errors import InvalidInputError

__all__ = ["PairCounts", "PairMoments"]

IntArray = npt.NDArray[np.int64]

# Rows that are copied, packed and counted together: 64 words per model stay in the cache.
_ROWS = 4096
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
    O(n M^2 / 64) word operations for n examples, O(M^2) memory beside one block of packed bits. All sums are of
    integers. Small inputs go through products of float32 blocks, which are exact below 2^24 rows.

    Examples
    --------
    >>> counts = PairCounts(2)
    >>> counts.update([[1, 0], [0, 1], [1, 0], [1, float("nan")]])
    >>> counts.only_first.tolist(), counts.common.tolist(), counts.errors.tolist()
    ([[0, 2], [1, 0]], [[4, 3], [3, 3]], [3, 1])
    """

    def __init__(self, n_models: int) -> None:
        size = check_count("n_models", n_models)
        self.common: IntArray = np.zeros((size, size), np.int64)
        self._both: IntArray = np.zeros((size, size), np.int64)
        # Errors of the row's model where the column's was evaluated.
        self._errs: IntArray = np.zeros((size, size), np.int64)
        self._work = 0

    @property
    def n_models(self) -> int:
        """Number of models."""
        return len(self.common)

    @property
    def count(self) -> IntArray:
        """Examples on which each model was evaluated."""
        return np.diagonal(self.common).copy()

    @property
    def errors(self) -> IntArray:
        """Examples on which each model errs."""
        return np.diagonal(self._both).copy()

    @property
    def only_first(self) -> IntArray:
        """Common examples on which the row's model errs and the column's does not."""
        difference: IntArray = self._errs - self._both
        return difference

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
        add = self._pack if self._work >= _COMPILE_FROM else self._multiply
        both, errs, common = (np.zeros_like(self.common) for _ in range(3))
        for start in range(0, rows.shape[0], _ROWS):
            add(rows[start : start + _ROWS], both, errs, common)
        self._both += both
        self._errs += errs
        self.common += common

    def _multiply(self, rows: npt.NDArray[Any], both: IntArray, errs: IntArray, common: IntArray) -> None:
        """Count by products of float32, whose sums of at most 4096 ones are exact."""
        ones = rows == 1
        seen = ones | (rows == 0)
        missing = not seen.all()
        if missing and not (seen | (rows != rows)).all():
            raise _not_binary()
        x = ones.astype(np.float32)
        # Some BLAS kernels flag an invalid operation in lanes that they never use (numpy issue 24067).
        with np.errstate(invalid="ignore"):
            both += (x.T @ x).astype(np.int64)
            if missing:
                present = seen.astype(np.float32)
                errs += (x.T @ present).astype(np.int64)
                common += (present.T @ present).astype(np.int64)
            else:
                errs += ones.sum(axis=0)[:, None]
                common += rows.shape[0]

    def _pack(self, rows: npt.NDArray[Any], both: IntArray, errs: IntArray, common: IntArray) -> None:
        """Count by population counts of packed words."""
        from moltheory.inference._pair_kernels import count_common, count_errors, pack

        if rows.dtype not in (np.uint8, np.float32, np.float64):
            if rows.dtype.kind in "iu":  # 2 stands for everything that is refused
                rows = np.where((rows == 0) | (rows == 1), rows, 2).astype(np.uint8)
            else:
                rows = rows.astype(np.float64)
        words = -(-rows.shape[0] // 64)
        bits, marks = (np.empty((self.n_models, words), np.uint64) for _ in range(2))
        binary, complete = pack(np.ascontiguousarray(rows), bits, marks)
        if not binary:
            raise _not_binary()
        if complete:
            here = np.zeros_like(both)
            count_common(bits, here)
            both += here
            errs += np.diagonal(here)[:, None]
            common += rows.shape[0]
        else:
            count_common(bits, both)
            count_errors(bits, marks, errs)
            count_common(marks, common)


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
        size = check_count("n_models", n_models)
        self.common: IntArray = np.zeros((size, size), np.int64)
        self.sum: FloatArray = np.zeros(size)
        self.sum_sq: FloatArray = np.zeros(size)
        self._cross: FloatArray = np.zeros((size, size))
        # Sums and squares of the row's shifted losses where the column's model was evaluated.
        self._first: FloatArray = np.zeros((size, size))
        self._square: FloatArray = np.zeros((size, size))
        self._blocks = 0

    @property
    def n_models(self) -> int:
        """Number of models."""
        return len(self.common)

    @property
    def count(self) -> IntArray:
        """Examples on which each model was evaluated."""
        return np.diagonal(self.common).copy()

    @property
    def sum_diff(self) -> FloatArray:
        """Sum over common examples of the row's loss minus the column's."""
        difference: FloatArray = self._first - self._first.T
        return difference

    @property
    def sum_sq_diff(self) -> FloatArray:
        """Sum over common examples of the squared difference of losses."""
        squares: FloatArray = np.maximum(self._square + self._square.T - 2.0 * self._cross, 0.0)
        np.fill_diagonal(squares, 0.0)
        return squares

    @property
    def rounding(self) -> FloatArray:
        """Bound on the error of `sum_sq_diff` by rounding, (M, M): add it where an upper bound is needed."""
        steps = min(_ROWS, int(self.common.max(initial=0))) + self._blocks + 8
        bound: FloatArray = 2.0 * steps * np.finfo(np.float64).eps * (self._square + self._square.T)
        return bound

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
            self.common += x.shape[0]
            self._first += x.sum(axis=0)[:, None]
            self._square += np.einsum("ij,ij->j", x, x)[:, None]
        else:
            present = seen.astype(np.float64)
            x[~seen] = 0.0
            self.sum += x.sum(axis=0)
            self.sum_sq += np.einsum("ij,ij->j", x, x)
            x -= x.sum(axis=1, keepdims=True) / np.maximum(present.sum(axis=1, keepdims=True), 1.0)
            x *= present
            self.common += (present.T @ present).astype(np.int64)
            self._first += x.T @ present
            self._square += (x * x).T @ present
        self._cross += x.T @ x


def _block(block: npt.ArrayLike, n_models: int) -> npt.NDArray[Any]:
    """Return the block as a real (b, M) array."""
    rows = np.asarray(block)
    if rows.ndim != 2 or rows.shape[1] != n_models:
        raise InvalidInputError(f"`block` must have shape (b, {n_models}), got shape {rows.shape}.")
    if rows.dtype.kind not in "biuf":
        raise InvalidInputError(f"`block` must be real numbers, got dtype {rows.dtype}.")
    return rows


def _not_binary() -> InvalidInputError:
    return InvalidInputError("`block` must hold the losses 0 and 1 or NaN, got another value.")
