"""Names of many models in little room: what all of them share is left out first, and a digest is the last resort."""

from __future__ import annotations

import re
from collections.abc import Sequence

from moltheory.plotting import name_text

__all__ = ["short_names"]

_DIGEST = re.compile(r"\.\.\.#[0-9a-f]{6}\.\.\.")
# Parts of names end here; shorter parts are not worth an ellipsis, and longer names have digests.
_ENDS, _LEAST_PART, _MOST = "/-_.: @|", 4, 400
_LETTER = 0.64


def short_names(names: Sequence[str], *, widest: float) -> list[str]:
    """Return names as a figure shows them, all different, in about `widest` times the size of the font.

    A beginning or an end that all share is left out where some name is too wide, then the middle of wide ones; names that
    only their hidden parts tell apart keep a digest.
    """
    texts = [name_text(name, widest=widest) for name in names]
    if not any(_DIGEST.search(text) for text in texts) or max(map(len, names)) > _MOST:
        return texts
    parts = _own_parts(names, int(widest / _LETTER))
    own = [name_text(part, widest=widest) for part in parts]
    if len(set(own)) < len(names):
        return texts
    if not any(_DIGEST.search(text) for text in own):
        return own
    whole = [name_text(part, most=_MOST, widest=_MOST) for part in parts]
    cut = [_without_middle(text, max(int(widest / _LETTER), 14)) for text in whole]
    # Too wide still: with capital letters, and with escapes.
    return cut if len(set(cut)) == len(names) else own


def _own_parts(names: Sequence[str], most: int) -> list[str]:
    """Return names without as much of the beginning and of the end that all share as leaves at most some letters."""
    if len(names) < 2:
        return list(names)
    first = _common(names)
    room = min(map(len, names)) - len(first) - 1
    last = _common([name[::-1] for name in names])[::-1]
    last = last[max(len(last) - room, 0) :]
    starts = [0, *(k + 1 for k, letter in enumerate(first) if letter in _ENDS and k + 1 >= _LEAST_PART)]
    stops = [
        0,
        *(len(last) - k - 1 for k, letter in enumerate(last) if letter in _ENDS and len(last) - k > _LEAST_PART),
    ]
    longest = max(map(len, names))
    # What comes first, as the name of an organization, is missed least.
    pairs = [(start, stop) for stop in sorted(stops) for start in starts]
    fitting = (pair for pair in pairs if longest - sum(pair) + sum(map(bool, pair)) <= most)
    start, stop = next(fitting, (starts[-1], max(stops)))
    return [f"{'…' if start else ''}{name[start : len(name) - stop]}{'…' if stop else ''}" for name in names]


def _common(names: Sequence[str]) -> str:
    """Return the beginning that all names share."""
    # Of sorted texts the first and the last differ first.
    low, high = min(names), max(names)
    same = next((k for k, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))
    return low[:same]


def _without_middle(text: str, most: int) -> str:
    """Return a text of at most some letters; its end, where versions and sizes stand, keeps half of them."""
    if len(text) <= most:
        return text
    end = most // 2
    return f"{text[: most - end - 1]}…{text[-end:]}"
