r"""Texts, tables and documents in LaTeX: one way by which a name or a sentence enters it, so that none can break it.

What is written compiles with pdflatex, xelatex and lualatex, and needs amsmath and amssymb only.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["document", "escaped", "frame_table", "number", "table"]

_PLAIN = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "_": r"\_",
    "%": r"\%",
    "&": r"\&",
    "#": r"\#",
    "$": r"\$",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\ensuremath{<}",
    ">": r"\ensuremath{>}",
    "|": r"\ensuremath{|}",
    '"': r"{\char34}",
    "\N{NO-BREAK SPACE}": r"\nobreakspace{}",
    "\N{EN DASH}": r"\textendash{}",
    "\N{EM DASH}": r"\textemdash{}",
    "\N{LEFT DOUBLE QUOTATION MARK}": r"\textquotedblleft{}",
    "\N{RIGHT DOUBLE QUOTATION MARK}": r"\textquotedblright{}",
    "\N{RIGHT SINGLE QUOTATION MARK}": r"\textquoteright{}",
    "\N{LATIN SMALL LETTER SHARP S}": r"\ss{}",
    "\N{LATIN SMALL LETTER DOTLESS I}": r"\i{}",
    "\N{LATIN SMALL LETTER O WITH STROKE}": r"\o{}",
    "\N{LATIN CAPITAL LETTER O WITH STROKE}": r"\O{}",
    "\N{LATIN SMALL LETTER L WITH STROKE}": r"\l{}",
    "\N{LATIN CAPITAL LETTER L WITH STROKE}": r"\L{}",
    "\N{LATIN SMALL LETTER AE}": r"\ae{}",
    "\N{LATIN CAPITAL LETTER AE}": r"\AE{}",
}
_SYMBOLS = {
    "≤": r"\leq",
    "≥": r"\geq",
    "≠": r"\neq",
    "≈": r"\approx",
    "±": r"\pm",
    "×": r"\times",
    "·": r"\cdot",
    "−": "-",
    "∞": r"\infty",
    "∑": r"\sum",
    "√": r"\surd",
    "∈": r"\in",
    "→": r"\rightarrow",
    "←": r"\leftarrow",
    "⊂": r"\subset",
    "⊆": r"\subseteq",
    "∪": r"\cup",
    "∩": r"\cap",
    "°": r"{}^\circ",
    "µ": r"\mu",
    "ε": r"\varepsilon",
}
_GREEK = re.compile(r"GREEK (SMALL|CAPITAL) LETTER (\w+)")
# Capitals that look like Latin ones have no command of their own.
_LATIN = {"Alpha": "A", "Beta": "B", "Epsilon": "E", "Zeta": "Z", "Eta": "H", "Iota": "I", "Kappa": "K", "Mu": "M"}
_LATIN |= {"Nu": "N", "Rho": "P", "Tau": "T", "Chi": "X", "omicron": "o", "Omicron": "O"}
_ACCENTS = {
    "\N{COMBINING GRAVE ACCENT}": "`",
    "\N{COMBINING ACUTE ACCENT}": "'",
    "\N{COMBINING CIRCUMFLEX ACCENT}": "^",
    "\N{COMBINING TILDE}": "~",
    "\N{COMBINING DIAERESIS}": '"',
    "\N{COMBINING MACRON}": "=",
    "\N{COMBINING BREVE}": "u",
    "\N{COMBINING CARON}": "v",
    "\N{COMBINING RING ABOVE}": "r",
    "\N{COMBINING CEDILLA}": "c",
    "\N{COMBINING DOT ABOVE}": ".",
    "\N{COMBINING DOUBLE ACUTE ACCENT}": "H",
}
_SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-", strict=True))
_SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True))


# Characters that TeX joins to a dash or a quotation mark.
_JOINED = re.compile(r"(?<=[-'`?!])(?=[-'`])")


def escaped(text: object) -> str:
    r"""Return a text whose characters all print as themselves in LaTeX.

    What pdflatex has no glyph for is written by its code point, so that nothing is lost and nothing fails.

    Examples
    --------
    >>> print(escaped("50% of a_b & c"), escaped("Súkeník"), escaped("ρ ≤ 1"), escaped("中"))
    50\% of a\_b \& c S\'{u}ken\'{i}k \ensuremath{\rho} \ensuremath{\leq} 1 \texttt{U+4E2D}
    """
    # The marks are put between characters that are still their own.
    return "{}".join("".join(map(_character, part)) for part in _JOINED.split(str(text)))


def _character(one: str) -> str:
    if one in _PLAIN:
        return _PLAIN[one]
    if " " <= one <= "~":
        return one
    if one in _SYMBOLS:
        return rf"\ensuremath{{{_SYMBOLS[one]}}}"
    greek = _GREEK.fullmatch(unicodedata.name(one, ""))
    if greek:
        name = greek[2].lower().replace("lamda", "lambda")
        name = name.capitalize() if greek[1] == "CAPITAL" else name
        command = rf"\mathrm{{{_LATIN[name]}}}" if name in _LATIN else rf"\{name}"
        return rf"\ensuremath{{{command}}}"
    if one in _SUPERSCRIPTS:
        return rf"\ensuremath{{{{}}^{{{_SUPERSCRIPTS[one]}}}}}"
    if one in _SUBSCRIPTS:
        return rf"\ensuremath{{{{}}_{{{_SUBSCRIPTS[one]}}}}}"
    letter, *marks = list(unicodedata.normalize("NFD", one))
    if len(marks) == 1 and marks[0] in _ACCENTS and letter.isascii():
        return rf"\{_ACCENTS[marks[0]]}{{{letter}}}"
    return rf"\texttt{{U+{ord(one):04X}}}"


def number(value: float, digits: int = 6) -> str:
    r"""Return a number in mathematics, with some significant digits.

    Examples
    --------
    >>> print(number(0.0643972), number(-1.5e-7), number(float("inf")), number(1234), number(float("nan")))
    $0.0643972$ $-1.5 \cdot 10^{-7}$ $\infty$ $1234$ --
    """
    if math.isnan(value):
        return "--"
    if math.isinf(value):
        return r"$\infty$" if value > 0 else r"$-\infty$"
    mantissa, _, power = f"{value:.{digits}g}".partition("e")
    return rf"${mantissa} \cdot 10^{{{int(power)}}}$" if power else f"${mantissa}$"


def table(
    head: Sequence[object], rows: Iterable[Sequence[object]], *, columns: str | None = None, caption: str = ""
) -> str:
    r"""Return a table, all cells escaped; numbers are set to the right, in mathematics.

    It takes lines from ``\hline``, so that no package is needed. With a caption it is a float.

    Parameters
    ----------
    head : sequence
        Titles of the columns.
    rows : iterable of sequence
    columns : str, optional
        Specification for ``tabular``.
    caption : str
        Escaped as well.

    Examples
    --------
    >>> print(table(["model", "error"], [["a_b", 0.25]]))
    \begin{tabular}{lr}
    \hline
    model & error \\
    \hline
    a\_b & $0.25$ \\
    \hline
    \end{tabular}
    """
    body = [list(row) for row in rows]
    if columns is None:
        columns = "".join("r" if body and all(_is_number(row[k]) for row in body) else "l" for k in range(len(head)))
    lines = [" & ".join(map(_cell, row)) + r" \\" for row in (head, *body)]
    inner = [r"\hline", lines[0], r"\hline", *lines[1:], *([r"\hline"] if body else [])]
    text = "\n".join([rf"\begin{{tabular}}{{{columns}}}", *inner, r"\end{tabular}"])
    if not caption:
        return text
    return "\n".join([r"\begin{table}", r"\centering", rf"\caption{{{escaped(caption)}}}", text, r"\end{table}"])


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool | np.bool_)


def _cell(value: Any) -> str:
    if value is None:
        return "--"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    text = number(float(value)) if _is_number(value) else escaped(value)
    # A bracket at the start of a row would be read as the distance to it.
    return f"{{{text[0]}}}{text[1:]}" if text[:1] in ("[", "*") else text


def frame_table(frame: pd.DataFrame, *, caption: str = "") -> str:
    """Return the table of a frame, without its index."""
    return table(list(frame.columns), frame.itertuples(index=False, name=None), caption=caption)


def document(body: str, *, title: str = "") -> str:
    """Return a whole document; `body` is LaTeX, `title` a text."""
    opening = [rf"\title{{{escaped(title)}}}", r"\date{}"] if title else []
    lines = [
        r"\documentclass{article}",
        r"\usepackage{amsmath,amssymb}",
        r"\allowdisplaybreaks",
        # Proofs have long formulas: narrow margins without another package.
        r"\textwidth 17cm \oddsidemargin -0.5cm \textheight 23cm \topmargin -1cm",
        r"\emergencystretch 3em",
        *opening,
        r"\begin{document}",
        *([r"\maketitle"] if title else []),
        body,
        r"\end{document}",
    ]
    return "\n".join(lines) + "\n"
