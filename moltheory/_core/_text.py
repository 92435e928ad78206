"""Lists, ranges and counts of things as they stand in sentences."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence

__all__ = ["few", "joined", "plural", "shortened", "span", "visible"]

_JOINERS = "\u200c\u200d"


def joined(items: Iterable[object], spec: str = "", *, last: str = " and ") -> str:
    """Return items as an enumeration, each formatted by `spec`.

    Examples
    --------
    >>> joined(["a", "b", "c"]), joined([0.5, 2.0], "g"), joined(["a"]), joined([])
    ('a, b and c', '0.5 and 2', 'a', '')
    >>> joined([1, 2, 3], last=", ")
    '1, 2, 3'
    """
    texts = [format(item, spec) for item in items]
    return last.join(filter(None, [", ".join(texts[:-1]), *texts[-1:]])) if texts else ""


def few(items: Sequence[object], most: int = 3, *, describe: Callable[[object], str] = repr) -> str:
    """Return the first items, and how many more there are.

    Examples
    --------
    >>> few(["a", "b"]), few(range(9), 2)
    ("'a', 'b'", '0, 1 and 7 more')
    """
    shown = ", ".join(describe(item) for item in items[:most])
    return shown if len(items) <= most else f"{shown} and {len(items) - most} more"


def span(low: float, high: float, spec: str) -> str:
    """Return a range of numbers, as one where both ends look the same.

    Examples
    --------
    >>> span(0.1, 0.25, ".2f"), span(0.1, 0.101, ".2f")
    ('0.10 to 0.25', '0.10')
    """
    first, second = format(low, spec), format(high, spec)
    return first if first == second else f"{first} to {second}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun.

    Examples
    --------
    >>> plural(1, "model"), plural(2_000, "model"), plural(2, "class", "classes")
    ('1 model', '2,000 models', '2 classes')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def shortened(text: str, most: int = 40) -> str:
    """Return a text of at most `most` characters, cut at its end.

    Examples
    --------
    >>> shortened("abcdefgh", 6), shortened("abcdef", 6)
    ('abc...', 'abcdef')
    """
    return text if len(text) <= most else f"{text[: most - 3]}..."


def visible(text: str) -> str:
    r"""Return text of one line in which every character is seen: line breaks, controls and lone surrogates as escapes.

    Marks that reverse the direction of what follows are escapes too; letters of any script, and joined emoji, stay.

    Examples
    --------
    >>> print(visible("a\nb"), visible("\x1b[31m"), visible("\ud800"), visible("σ ↑"))
    a\nb \x1b[31m \ud800 σ ↑
    """
    if text.isprintable():
        return text
    return "".join(letter.encode("unicode_escape").decode() if _is_hidden(letter) else letter for letter in text)


def _is_hidden(letter: str) -> bool:
    kind = unicodedata.category(letter)
    # The last two places of every plane are no characters, and XML refuses some of them.
    return (
        kind in ("Cc", "Cs", "Zl", "Zp") or (kind == "Cf" and letter not in _JOINERS) or ord(letter) & 0xFFFE == 0xFFFE
    )
