"""Columns of labels: names of models, examples and clusters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["Distinct", "Keys", "distinct_hashes", "run_codes", "starts_of_runs"]

Codes = npt.NDArray[np.int64]


class Keys:
    """A column of labels: row i of a batch has the label ``labels[codes[i]]``, None if it is missing."""

    def __init__(self, codes: Codes, labels: Sequence[str | None]) -> None:
        self.codes = codes
        self.labels = tuple(labels)

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, row: int) -> str | None:
        return self.labels[int(self.codes[row])]

    def missing(self, words: Sequence[str] = ()) -> int | None:
        """Return the first row without a label, or with one of the given words for none, or None."""
        none = [label is None or label in words for label in self.labels]
        if not any(none):
            return None
        rows = np.flatnonzero(np.array(none)[self.codes])
        return int(rows[0]) if rows.size else None

    def hashes(self) -> Codes:
        """Return a 64-bit hash per row; a million hashes fit in memory where the labels might not."""
        return np.array([hash(label) for label in self.labels], np.int64)[self.codes]

    def numbered(self, numbers: dict[str, int]) -> Codes:
        """Return a number per row by its label; labels not in `numbers` are added with the next numbers."""
        used = np.bincount(self.codes, minlength=len(self.labels)) > 0
        table = np.zeros(len(self.labels), np.int64)
        for code in np.flatnonzero(used).tolist():
            table[code] = numbers.setdefault(str(self.labels[code]), len(numbers))
        return table[self.codes]


def starts_of_runs(column: Keys, last: str | None) -> npt.NDArray[np.bool_]:
    """Return which rows differ from the row before; `last` is the label before the first row, or None."""
    changes = np.empty(len(column), bool)
    np.not_equal(column.codes[1:], column.codes[:-1], out=changes[1:])
    changes[0] = last is None or column[0] != last
    return changes


def run_codes(changes: npt.NDArray[np.bool_], start: int) -> Codes:
    """Return numbers of runs of equal values: `start` plus the number of changes up to and including each row."""
    return start + np.cumsum(changes, dtype=np.int64)


def distinct_hashes(parts: Sequence[Codes]) -> bool:
    """Return whether all hashes are distinct."""
    seen = Distinct()
    for part in parts:
        seen.add(part)
    return seen.are_distinct()


class Distinct:
    """Whether all of many hashes are distinct; nothing is kept from the first repetition that is noticed on."""

    def __init__(self) -> None:
        self._seen = np.empty(0, np.int64)
        self._new: list[Codes] = []
        self._repeated = False

    def add(self, hashes: Codes) -> None:
        """Add hashes; they are compared whenever as many came as were there before, so that each is rarely moved."""
        if not self._repeated:
            self._new.append(hashes)
            if sum(map(len, self._new)) > max(len(self._seen), 1 << 20):
                self.are_distinct()

    def are_distinct(self) -> bool:
        """Return whether all hashes so far are distinct."""
        if not self._repeated and self._new:
            together = np.sort(np.concatenate([self._seen, *self._new]))
            self._repeated = bool((together[1:] == together[:-1]).any())
            self._seen, self._new = together[:0] if self._repeated else together, []
        return not self._repeated
