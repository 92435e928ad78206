"""Text from outside as a figure shows it: one line, every character visible, no formulas."""

from __future__ import annotations

import functools
from typing import Any

from moltheory._core._text import cut, named

__all__ = ["LITERAL", "name_text", "plain_text"]

# Properties of a text that is drawn as it is: no dollar sign starts a formula, and TeX never sees it.
LITERAL: Any = {"parse_math": False, "usetex": False}
# Number of characters to which names are cut at most, whatever their width.
_FEWEST = 20


def plain_text(text: str) -> str:
    r"""Return text that matplotlib draws in one line as it is: no dollar sign starts a formula.

    Examples
    --------
    >>> print(plain_text("cost in $ or $"))
    cost in \$ or \$
    """
    return " ".join(text.split("\n")).replace("$", r"\$")


def name_text(name: str, *, most: int = 40, widest: float = 25.0) -> str:
    r"""Return a name from outside as a figure shows it, to be drawn with the properties `LITERAL`.

    Parameters
    ----------
    name : str
        Any text.
    most : int, default 40
        Number of characters from which the middle is left out.
    widest : float, default 25.0
        The same in multiples of the size of the font, about; some 20 characters are always left.

    Returns
    -------
    str
        One line. Characters that cannot be seen, and those that the fonts in use (``rcParams["font.family"]``) do not
        have, are escapes.

    Examples
    --------
    >>> print(name_text("$x^2$"), name_text("two\nlines"), name_text("\ue000"))
    $x^2$ two\nlines \ue000
    """
    import matplotlib as mpl

    text = named(name, len(name) * 10)
    if not text.isascii():
        fonts = _fonts(tuple(mpl.rcParams["font.family"]), tuple(mpl.rcParams["font.sans-serif"]))
        text = "".join(
            letter
            if letter.isascii() or any(font.get_char_index(ord(letter)) for font in fonts)
            else letter.encode("unicode_escape").decode()
            for letter in text
        )
    shown = cut(text, most, of=name)
    while _width(shown) > widest and most > _FEWEST:
        most -= 2
        shown = cut(text, most, of=name)
    return shown


def _width(text: str) -> float:
    """Return about how wide a text is, in units of the size of its font."""
    return sum(0.64 if letter.isascii() and letter not in "mwMW@%" else 1.0 for letter in text)


@functools.lru_cache(maxsize=16)
def _fonts(families: tuple[str, ...], sans: tuple[str, ...]) -> tuple[Any, ...]:
    """Return the fonts of some families; those that are not installed are left out."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    found = []
    for family in (other for name in families for other in (sans if name in ("sans-serif", "sans") else (name,))):
        try:
            found.append(get_font(findfont(FontProperties(family=[family]), fallback_to_default=False)))
        except ValueError:
            continue
    return tuple(found)
