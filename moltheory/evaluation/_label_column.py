"""Columns of labels: names of models, examples, clusters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["Keys", "distinct_hashes", "run_codes", "starts_of_runs"]

Codes = npt.NDArray[np.int64]


class Keys:
    """A column of labels: ``labels[codes[i]]`` is the label of row i of a batch, None where it is missing."""

    def __init__(self, codes: Codes, labels: Sequence[str | None]) -> None:
        self.codes = codes
        self.labels = tuple(labels)

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, row: int) -> str | None:
        return self.labels[int(self.codes[row])]

    def missing(self) -> int | None:
        """Return the first row without a label."""
        if None not in self.labels:
            return None
        rows = np.flatnonzero(self.codes == self.labels.index(None))
        return int(rows[0]) if rows.size else None

    def hashes(self) -> Codes:
        """Return a 64-bit hash per row: a million of them fit in memory where the labels might not."""
        return np.array([hash(label) for label in self.labels], np.int64)[self.codes]

    def numbered(self, numbers: dict[str, int]) -> Codes:
        """Number the rows by label, and give labels not seen before the next numbers."""
        used = np.bincount(self.codes, minlength=len(self.labels)) > 0
        table = np.zeros(len(self.labels), np.int64)
        for code in np.flatnonzero(used).tolist():
            table[code] = numbers.setdefault(str(self.labels[code]), len(numbers))
        return table[self.codes]


def starts_of_runs(column: Keys, last: str | None) -> npt.NDArray[np.bool_]:
    """Tell which rows differ from the row before; `last` is the label before the first, None if there is none."""
    changes = np.empty(len(column), bool)
    np.not_equal(column.codes[1:], column.codes[:-1], out=changes[1:])
    changes[0] = last is None or column[0] != last
    return changes


def run_codes(changes: npt.NDArray[np.bool_], start: int) -> Codes:
    """Number runs of equal values: `start` plus the number of changes up to and including each row."""
    return start + np.cumsum(changes, dtype=np.int64)


def distinct_hashes(parts: Sequence[Codes]) -> bool:
    """Tell whether no hash comes twice."""
    if not parts:
        return True
    together = np.sort(np.concatenate(parts))
    return not (together[1:] == together[:-1]).any()
