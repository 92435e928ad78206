"""Fingerprints of losses: whether other losses begin with the same rows, from some hundred rows of any number.

The rows that count are fixed by their numbers alone: all of the first 128, and 32 evenly spaced ones of every doubling
after them. So the fingerprint of the first n rows of a larger file is that of a file of these n rows, whatever comes
after, and hashing costs nothing beside reading. Each model has a hash of its own, so files whose models come in another
order, or that have more or fewer, are compared by the models that both have.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from moltheory.evaluation._blocks import ColumnBlock

__all__ = ["Fingerprint", "Prints"]

# Of each column: how many rows there are, and 16 hexadecimal digits per model of the rows that count.
Fingerprint = tuple[tuple[int, str], ...]
Pairs = Sequence[tuple[int, int]]

_FIRST, _EACH = 128, 32
_DIGITS = 16


def _counted(start: int, stop: int) -> npt.NDArray[np.int64]:
    """Return the numbers of rows in [start, stop) that count."""
    found = [np.arange(start, min(stop, _FIRST))]
    power = _FIRST
    while power < stop:
        if 2 * power > start:
            places = power + np.arange(_EACH) * (power // _EACH)
            found.append(places[(places >= start) & (places < stop)])
        power *= 2
    return np.concatenate(found)


class Prints:
    """Fingerprints of all columns as their blocks are read, and of their beginnings.

    Parameters
    ----------
    n_columns, n_models : int
    beginnings : collection of int
        Numbers of rows of earlier losses: the fingerprints of as many first rows are kept.
    """

    def __init__(self, n_columns: int, n_models: int, beginnings: Collection[int] = ()) -> None:
        self._hashes = [[hashlib.blake2b(digest_size=_DIGITS // 2) for _ in range(n_models)] for _ in range(n_columns)]
        self.rows = [0] * n_columns  # read, of each column
        self._cuts = sorted(set(beginnings))
        self._beginnings: list[dict[int, str]] = [{} for _ in range(n_columns)]

    def add(self, block: ColumnBlock) -> None:
        """Go on with the rows of a block."""
        column, start, stop = block.column, self.rows[block.column], self.rows[block.column] + block.rows.shape[0]
        cuts = [start, *(cut for cut in self._cuts if start < cut <= stop)]
        for first, last in itertools.pairwise([*cuts, *([stop] if cuts[-1] < stop else [])]):
            places = _counted(first, last) - start
            if places.size:
                rows = block.rows[places].astype("<f8")
                if block.present is not None:
                    rows[~block.present[places]] = np.nan
                # One NaN and one zero.
                rows[np.isnan(rows)] = np.nan
                for found, losses in zip(self._hashes[column], np.ascontiguousarray((rows + 0.0).T), strict=True):
                    found.update(losses)
            if last in self._cuts:
                self._beginnings[column][last] = self._digits(column)
        self.rows[column] = stop

    def _digits(self, column: int) -> str:
        return "".join(found.hexdigest() for found in self._hashes[column])

    @property
    def fingerprint(self) -> Fingerprint:
        """The fingerprint of what was read."""
        return tuple((rows, self._digits(column)) for column, rows in enumerate(self.rows))

    def extend(self, earlier: Fingerprint, columns: Pairs, models: Pairs) -> bool:
        """Return whether these columns and models begin with the earlier ones in their pairs, and some column has more.

        Pairs are of a place among the earlier ones and one among those here.
        """
        more = False
        for old, new in columns:
            rows, digits = earlier[old]
            beginning = self._beginnings[new].get(rows)
            if beginning is None or not all(_part(digits, a) == _part(beginning, b) for a, b in models):
                return False
            more |= self.rows[new] > rows
        return more


def _part(digits: str, model: int) -> str:
    return digits[_DIGITS * model : _DIGITS * (model + 1)]
