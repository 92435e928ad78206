"""Identity of the events that bounds and intervals speak about: what they were conditioned on, what they claim, and where.

Words cannot tell two events apart: intervals for two samples of one probability have the same text, and so have bounds
for objectives with other numbers of examples. An event is therefore an object, equal to another only if what it was
made of is equal, number by number, and it is about the same entry.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Event"]


class Event:
    """One event for each entry of an array.

    Parameters
    ----------
    content : tuple
        The claim in words, and the arrays that it was made of; or the digest of an event that was written down.
    index : (...) ndarray of int
        Which entry of the content each of these events is; equal numbers are one event.
    """

    def __init__(self, content: tuple[Any, ...] | str, index: npt.ArrayLike) -> None:
        self._source = content if isinstance(content, str) else _Content(content)
        self.index = np.asarray(index, dtype=np.int64)

    @property
    def digest(self) -> str:
        """SHA-256 of the content, computed when it is asked for."""
        return self._source if isinstance(self._source, str) else self._source.digest

    def __getitem__(self, index: Any) -> Event:
        """Return the events of some entries."""
        found = Event.__new__(Event)
        found._source, found.index = self._source, np.asarray(self.index[index])
        return found

    def same(self, other: Event) -> npt.NDArray[np.bool_]:
        """Return where both are one event, (...)."""
        one = self._source is other._source or self.digest == other.digest
        return np.asarray((self.index == other.index) & one)

    def __eq__(self, other: object) -> bool:
        """Whether all entries are the same events."""
        return isinstance(other, Event) and self.index.shape == other.index.shape and bool(self.same(other).all())

    def __hash__(self) -> int:
        """Agrees with equality."""
        return hash((self.digest, self.index.tobytes()))

    def __repr__(self) -> str:
        """The start of the digest, and the shape."""
        return f"Event({self.digest[:8]}, shape={self.index.shape})"

    def written(self) -> list[Any]:
        """Return digest and entries for JSON; ``Event(*written)`` restores them."""
        return [self.digest, self.index.tolist()]


class _Content:
    """What slices of one event share, so that it is digested once, and not before that is needed."""

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
