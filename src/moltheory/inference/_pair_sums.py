"""What pair counts and moments are made of: tables that stay vectors while nothing is missing, and losses as bits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory.errors import InvalidInputError

__all__ = ["RowSums", "marked", "packed", "part_of"]

Indices = npt.NDArray[np.intp]


class RowSums:
    """An (M, M) table of sums, kept as one number per row as long as nothing depends on the column."""

    def __init__(self, size: int, dtype: npt.DTypeLike) -> None:
        self._each: npt.NDArray[Any] = np.zeros(size, dtype)
        self._table: npt.NDArray[Any] | None = None

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays from which `restore` makes equal sums."""
        return {"each": self._each} if self._table is None else {"each": self._each, "table": self._table}

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take over what `state` returned."""
        self._each = state["each"].copy()
        self._table = state["table"].copy() if "table" in state else None

    def add_each(self, values: npt.NDArray[Any] | int) -> None:
        """Add a number to every entry of a row."""
        if self._table is None:
            self._each += np.asarray(values, self._each.dtype)
        else:
            self._table += np.asarray(values, self._each.dtype)[..., None]

    def table(self) -> npt.NDArray[Any]:
        """Return the whole table, to be added to."""
        if self._table is None:
            self._table = np.repeat(self._each[:, None], self._each.size, axis=1)
        return self._table

    def add(self, values: npt.NDArray[Any]) -> None:
        """Add a table."""
        total = self.table()
        total += values

    def widen(self) -> None:
        """Go on with integers of 64 bits."""
        self._each = self._each.astype(np.int64)
        self._table = None if self._table is None else self._table.astype(np.int64)

    def most(self) -> int:
        """Return the largest entry."""
        return int((self._each if self._table is None else self._table).max(initial=0))

    def zero(self) -> tuple[int, int] | None:
        """Return the first entry that is 0, or None; one number per row means that none is apart from the others."""
        if self._table is None or self._table.all():
            return None
        row, column = divmod(int(np.argmin(self._table != 0)), self._each.size)
        return row, column

    def diagonal(self) -> npt.NDArray[Any]:
        """Return the entries (i, i)."""
        return self._each if self._table is None else np.diagonal(self._table)

    def rows(self, models: slice) -> npt.NDArray[Any]:
        """Return some of the rows."""
        if self._table is not None:
            return self._table[models]
        each = self._each[models, None]
        return np.broadcast_to(each, (each.shape[0], self._each.size))

    def columns(self, models: slice) -> npt.NDArray[Any]:
        """Return some of the columns, transposed."""
        if self._table is not None:
            return self._table[:, models].T
        return np.broadcast_to(self._each, (self._each[models].size, self._each.size))

    def at(self, first: Indices, second: Indices) -> npt.NDArray[Any]:
        """Return the entries (first, second)."""
        return self._each[first] if self._table is None else self._table[first, second]


def part_of(state: Mapping[str, npt.NDArray[Any]], name: str) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays whose names begin with one name and a point, without these."""
    start = f"{name}."
    return {key.removeprefix(start): array for key, array in state.items() if key.startswith(start)}


def marked(rows: npt.NDArray[Any]) -> tuple[int, npt.NDArray[Any], npt.NDArray[Any] | None]:
    """Return the number of rows, where a model errs and, with gaps, where it was evaluated."""
    ones = rows == 1
    seen = ones | (rows == 0)
    missing = not seen.all()
    if missing and not (seen | (rows != rows)).all():
        raise _not_binary()
    return rows.shape[0], ones, seen if missing else None


def packed(rows: npt.NDArray[Any]) -> tuple[int, npt.NDArray[Any], npt.NDArray[Any] | None]:
    """Return the same as packed words, (M, words)."""
    from moltheory.inference._pair_kernels import pack

    if rows.dtype not in (np.uint8, np.float32, np.float64):
        if rows.dtype.kind in "iu":  # 2 stands for everything that is refused
            rows = np.where((rows == 0) | (rows == 1), rows, 2).astype(np.uint8)
        else:
            rows = rows.astype(np.float64)
    bits, marks = (np.empty((rows.shape[1], -(-rows.shape[0] // 64)), np.uint64) for _ in range(2))
    binary, complete = pack(np.ascontiguousarray(rows), bits, marks)
    if not binary:
        raise _not_binary()
    return rows.shape[0], bits, None if complete else marks


def _not_binary() -> InvalidInputError:
    return InvalidInputError("`block` must hold the losses 0 and 1 or NaN, got another value.")
