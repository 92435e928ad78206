"""Fingerprints of losses: whether other losses begin with the same rows, from some hundred rows of any number.

The rows that count are fixed by their numbers alone: all of the first 128, and 32 evenly spaced ones of every doubling
after them. So the fingerprint of the first n rows of a larger file is that of a file of these n rows, whatever comes
after, and hashing costs nothing beside reading. Equal fingerprints mean equal rows at all these places.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from moltheory.evaluation._blocks import ColumnBlock

__all__ = ["Fingerprint", "Prints"]

# Of each column: how many rows there are, and 32 hexadecimal digits of the rows that count.
Fingerprint = tuple[tuple[int, str], ...]

_FIRST, _EACH = 128, 32


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
    """Fingerprints of all columns as their blocks are read, and of the beginnings that earlier losses had.

    Parameters
    ----------
    n_columns : int
    earlier : sequence of (int, str)
        Fingerprint of earlier losses; empty if there are none.
    """

    def __init__(self, n_columns: int, earlier: Fingerprint = ()) -> None:
        self._hashes = [hashlib.blake2b(digest_size=16) for _ in range(n_columns)]
        self._rows = [0] * n_columns
        self._earlier = earlier
        self._beginnings: list[str | None] = [None] * n_columns

    def add(self, block: ColumnBlock) -> None:
        """Go on with the rows of a block."""
        column, start, stop = block.column, self._rows[block.column], self._rows[block.column] + block.rows.shape[0]
        cuts = [start, stop]
        if column < len(self._earlier) and start <= self._earlier[column][0] <= stop:
            cuts.insert(1, self._earlier[column][0])
        for k, (first, last) in enumerate(itertools.pairwise(cuts)):
            places = _counted(first, last) - start
            if places.size:
                rows = block.rows[places].astype("<f8")
                if block.present is not None:
                    rows[~block.present[places]] = np.nan
                # One NaN and one zero.
                rows[np.isnan(rows)] = np.nan
                self._hashes[column].update((rows + 0.0).tobytes())
            if k == 0 and len(cuts) == 3:
                self._beginnings[column] = self._hashes[column].hexdigest()
        self._rows[column] = stop

    @property
    def fingerprint(self) -> Fingerprint:
        """The fingerprint of what was read."""
        return tuple((rows, found.hexdigest()) for rows, found in zip(self._rows, self._hashes, strict=True))

    @property
    def extend_earlier(self) -> bool:
        """Whether the losses begin with the earlier ones in every column, and some column has more."""
        return _extends(self._rows, self._beginnings, self._earlier)


def _extends(rows: Sequence[int], beginnings: Sequence[str | None], earlier: Fingerprint) -> bool:
    if not earlier or len(rows) != len(earlier):
        return False
    same = all(found == digest for found, (_, digest) in zip(beginnings, earlier, strict=True))
    return same and any(now > then for now, (then, _) in zip(rows, earlier, strict=True))
