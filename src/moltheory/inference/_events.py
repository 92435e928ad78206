"""Identity of the events on which bounds and intervals hold.

Two events can have the same description: intervals for one probability from two samples, or bounds for objectives with
different sample sizes. An event is therefore an object; two are equal only if they were made from the same claim and the
same numbers, and concern the same entry.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._html_repr import Shown
from moltheory._core._serialization import integers, string

__all__ = ["Event", "read_event"]


class Event(Shown):
    """One event for each entry of an array.

    Parameters
    ----------
    content : tuple
        The claim in words, and the arrays that it was made of; or the digest of an event that was written down.
    index : (...) ndarray of int
        Which entry of the content each of these events is; equal numbers are one event.

    Notes
    -----
    Complexity: O(k) memory for k events; the digest is one pass over the content.
    """

    def __init__(self, content: tuple[Any, ...] | str, index: npt.ArrayLike) -> None:
        self._source = content if isinstance(content, str) else _Content(content)
        self.index = np.asarray(index, dtype=np.int64)

    @property
    def digest(self) -> str:
        """SHA-256 of the content, computed on first use."""
        return self._source if isinstance(self._source, str) else self._source.digest

    def __getitem__(self, index: Any) -> Event:
        """Return the events of some entries."""
        found = Event.__new__(Event)
        found._source, found.index = self._source, np.asarray(self.index[index])
        return found

    def same(self, other: Event) -> npt.NDArray[np.bool_]:
        """Return whether both are the same event, entry by entry, (...)."""
        one = self._source is other._source or self.digest == other.digest
        return np.asarray((self.index == other.index) & one)

    def __eq__(self, other: object) -> bool:
        """Whether all entries are the same events."""
        return isinstance(other, Event) and self.index.shape == other.index.shape and bool(self.same(other).all())

    def __hash__(self) -> int:
        """Return a hash that agrees with equality."""
        return hash((self.digest, self.index.tobytes()))

    def _line(self) -> str:
        """Return the start of the digest, and the shape."""
        return f"Event({self.digest[:8]}, shape={self.index.shape})"

    def written(self) -> list[Any]:
        """Return digest and entries for JSON; `read_event` restores the event from them."""
        return [self.digest, self.index.tolist()]


def read_event(written: Any, /) -> Event:
    """Return the event that was written down as a digest and its entries."""
    digest, index = written
    return Event(string(digest), integers(index))


class _Content:
    """Content shared by all slices of one event, so that its digest is computed at most once."""

    def __init__(self, parts: tuple[Any, ...]) -> None:
        self.parts = parts

    @cached_property
    def digest(self) -> str:
        total = hashlib.sha256()
        for part in self.parts:
            if isinstance(part, np.ndarray):
                array = np.ascontiguousarray(part)
                total.update(f"{array.dtype.str}{array.shape}".encode())
                total.update(array.tobytes())
            else:
                total.update(repr(part).encode())
            total.update(b"\0")
        return total.hexdigest()
