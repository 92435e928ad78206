"""Places of names and repeated names in one pass: `index` and `count` of a list in a loop are quadratic."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TypeVar

__all__ = ["first_repeated", "places_of"]

_Item = TypeVar("_Item", bound=Hashable)


def places_of(items: Iterable[_Item]) -> dict[_Item, int]:
    """Return the first place of each distinct item."""
    places: dict[_Item, int] = {}
    for place, item in enumerate(items):
        places.setdefault(item, place)
    return places


def first_repeated(items: Iterable[_Item]) -> _Item | None:
    """Return the item that is the first to occur a second time, or None."""
    seen: set[_Item] = set()
    for item in items:
        if item in seen:
            return item
        seen.add(item)
    return None
