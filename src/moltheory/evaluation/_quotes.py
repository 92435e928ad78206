"""Whether the quotes of a file of separated values are closed where they should be."""

from __future__ import annotations

from typing import IO

import numpy as np

__all__ = ["well_quoted"]

_QUOTE = ord('"')


def well_quoted(stream: IO[bytes], separator: str, *, size: int = 1 << 22) -> bool:
    """Return whether every quote opens or closes a field, or stands twice for one quote inside.

    A quote that is never closed, or closed by the next field's, takes the rows between into one field, where a reader
    loses them. False may also mean a bare quote in a field without quotes, which is in order.

    Parameters
    ----------
    stream : binary file
        Read from where it is.
    separator : str
    """
    borders = np.zeros(256, bool)
    borders[[ord(separator), _QUOTE, ord("\n"), ord("\r")]] = True
    count, last, closes = 0, ord("\n"), False
    while chunk := stream.read(size):
        signs = np.frombuffer(chunk, np.uint8)
        if closes and not borders[signs[0]]:
            return False
        places = np.flatnonzero(signs == _QUOTE)
        opening = (np.arange(count, count + len(places)) % 2) == 0
        before = np.concatenate([[last], signs[:-1]])[places[opening]]
        after = places[~opening] + 1
        closes = bool(after.size) and int(after[-1]) == len(signs)
        if not borders[before].all() or not borders[signs[after[: len(after) - closes]]].all():
            return False
        count += len(places)
        last = int(signs[-1])
    return count % 2 == 0
