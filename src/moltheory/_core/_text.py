"""Lists, ranges and counts of things as they stand in sentences."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Iterable, Sequence

__all__ = ["cut", "did_you_mean", "few", "joined", "named", "plural", "quoted", "shortened", "span", "visible"]

_JOINERS = "\u200c\u200d"
# Letters and marks that are drawn as nothing.
_SHAPELESS = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
_MOST_ACCENTS = 4


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


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """Return a question with the names that begin with `name`, or are close to it; empty if there is none.

    Examples
    --------
    >>> did_you_mean("--maximse", ["--maximise", "--json"]), did_you_mean("zzz", ["--json"])
    (': did you mean --maximise?', '')
    """
    import difflib

    near = [entry for entry in known if name.strip("-") and entry.startswith(name)][:3]
    near = near or difflib.get_close_matches(name, known, n=1)
    return f": did you mean {joined(near, last=' or ')}?" if near else ""


def quoted(item: object) -> str:
    """Return an item as in Python; the middle of a long text is left out.

    Examples
    --------
    >>> quoted("a"), quoted(1.5), len(quoted("a" * 10_000))
    ("'a'", '1.5', 120)
    """
    return cut(repr(item), 120, of=str(item))


def few(items: Sequence[object], most: int = 3, *, describe: Callable[[object], str] = quoted) -> str:
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

    So are marks that reverse the direction of what follows, letters without a shape, characters for private use, and
    accents beyond the fourth on one letter or without a letter; letters of any script, and joined emoji, stay.

    Examples
    --------
    >>> print(visible("a\nb"), visible("\x1b[31m"), visible("\ud800"), visible("σ ↑"))
    a\nb \x1b[31m \ud800 σ ↑
    """
    if text.isascii() and text.isprintable():
        return text
    seen, accents = [], _MOST_ACCENTS
    for place, letter in enumerate(text):
        is_accent = unicodedata.category(letter) in ("Mn", "Me")
        accents = accents + 1 if is_accent else 0
        shown = not _is_hidden(letter)
        if is_accent:
            shown = shown and accents <= _MOST_ACCENTS and not _selects_nothing(letter, text[place - 1])
        elif letter in _JOINERS:
            shown = all(_may_be_joined(other) for other in (text[place - 1 : place], text[place + 1 : place + 2]))
        seen.append(letter if shown else _escape(letter))
    return "".join(seen)


def named(name: str, most: int = 80) -> str:
    r"""Return a name as it stands in texts: `visible`, without blanks that nobody sees, and not too long.

    The middle of a long name is left out; in its place stands a digest of the name, so that different names that begin
    and end alike stay different. What this function returned, it returns again.

    Examples
    --------
    >>> print(named("a"), named(" a "), named("tab\there"), named("a  b"))
    a \x20a\x20 tab\there a \x20b
    >>> named("x" * 10_000, 30)
    'xxxxxxxxxxxx...#a3385b...xxxxx'
    """
    text = visible(name)
    if text != text.strip() or "  " in text or not text.isascii():
        text = "".join(
            _escape(letter) if letter.isspace() and (letter != " " or _is_unseen(text, place)) else letter
            for place, letter in enumerate(text)
        )
    return cut(text, most, of=name)


def cut(text: str, most: int, *, of: str) -> str:
    """Return a text without its middle, if it is too long, with a digest of the name of which it is the text."""
    if len(text) <= most:
        return text
    middle = f"...#{hashlib.blake2s(of.encode('utf-8', 'surrogatepass'), digest_size=3).hexdigest()}..."
    room = max(most - len(middle), 0)
    last = room // 3
    first, end = text[: room - last].rstrip(_JOINERS), text[len(text) - last :].lstrip(_JOINERS)
    while end and unicodedata.category(end[0]) in ("Mn", "Me"):
        end = end[1:]
    return f"{first}{middle}{end}"


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape").decode() if letter != " " else r"\x20"


def _is_unseen(text: str, place: int) -> bool:
    """Whether a blank is the first or last letter, or follows another blank."""
    return place in (0, len(text) - 1) or text[place - 1] == " "


def _is_hidden(letter: str) -> bool:
    kind, code = unicodedata.category(letter), ord(letter)
    # The last two places of every plane are no characters, and XML refuses some of them.
    return (
        kind in ("Cc", "Co", "Cs", "Zl", "Zp")
        or (kind == "Cf" and letter not in _JOINERS)
        or letter in _SHAPELESS
        or code & 0xFFFE == 0xFFFE
        or 0xFDD0 <= code <= 0xFDEF
    )


def _may_be_joined(letter: str) -> bool:
    return bool(letter) and not letter.isascii() and letter not in _JOINERS and not _is_hidden(letter)


def _selects_nothing(letter: str, before: str) -> bool:
    """Whether a letter selects the form of one that has no other, as after ASCII other than the keys of a telephone."""
    selects = "\ufe00" <= letter <= "\ufe0f" or "\U000e0100" <= letter <= "\U000e01ef"
    return selects and before.isascii() and before not in "0123456789#*"
