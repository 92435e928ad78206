r"""Markdown with formulas as LaTeX: the subset in which proofs are written, and nothing that goes beyond it.

Paragraphs, ``*emphasis*``, ``**bold**``, code, formulas between dollars, displays between double dollars on lines of
their own, lists with ``*`` or ``1.``, and a title with ``#``. What is none of these is text, and is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from moltheory._core._latex import escaped

__all__ = ["latex_of"]

_ITEM = re.compile(r"(\*|\d+\.)\s+")
_SPAN = re.compile(
    r"\$(?P<formula>(?:\\.|[^$\\])+)\$"
    r"|`(?P<code>[^`]+)`"
    r"|\*\*(?P<bold>[^\s*](?:.*?[^\s*])?)\*\*"
    r"|\*(?P<emphasis>[^\s*](?:[^*]*[^\s*])?)\*"
    r"|\\(?P<literal>[\\`*_{}\[\]<>()#+.!|~$-])"
)


def latex_of(text: str, *, heading: str = "section*") -> str:
    r"""Return LaTeX for a text in Markdown.

    Parameters
    ----------
    text : str
        Markdown with LaTeX between dollars.
    heading : str
        Command of the title.

    Examples
    --------
    >>> print(latex_of("**Proof.** Let $a_i \\le 1$; see *forward* & `a_b`. $\\square$"))
    \textbf{Proof.} Let $a_i \le 1$; see \emph{forward} \& \texttt{a\_b}. $\square$
    """
    written = ""
    for block, is_display in _blocks(text, heading):
        # A display belongs to the paragraph around it: a blank line would end that.
        goes_on = is_display or (written.endswith("\\]") and (block[:1].islower() or block[:1] == "$"))
        written += f"{'' if not written else chr(10) if goes_on else chr(10) * 2}{block}"
    return written


def _blocks(text: str, heading: str) -> Iterator[tuple[str, bool]]:
    """Return blocks in LaTeX, and whether each is a display."""
    # Displays first: a blank line inside of one is not the end of a paragraph.
    for number, part in enumerate(re.split(r"^\s*\$\$\s*$", text, flags=re.MULTILINE)):
        if number % 2:
            formula = "\n".join(line for line in part.strip().splitlines() if line.strip())
            yield f"\\[\n{formula}\n\\]", True
            continue
        for block in re.split(r"\n\s*\n", part):
            if block.strip():
                yield _block(block, heading), False


def _block(block: str, heading: str) -> str:
    lines = block.strip("\n").splitlines()
    if lines[0].startswith("# "):
        title = rf"\{heading}{{{_inline(lines[0][2:].strip())}}}"
        return "\n\n".join([title, *([_block("\n".join(lines[1:]), heading)] if lines[1:] else [])])
    if _ITEM.match(lines[0]):
        return _list(lines)
    for k, line in enumerate(lines):
        # A list may follow its introduction without a blank line; a line of a paragraph may begin with emphasis.
        if k and _ITEM.match(line):
            return "\n\n".join([_inline(_flow(lines[:k])), _list(lines[k:])])
    return _inline(_flow(lines))


def _list(lines: list[str]) -> str:
    items: list[list[str]] = []
    for line in lines:
        mark = _ITEM.match(line)
        if mark:
            items.append([line[mark.end() :]])
        else:
            items[-1].append(line)
    kind = "itemize" if lines[0].startswith("*") else "enumerate"
    body = "\n".join(rf"\item {_inline(_flow(item))}" for item in items)
    # A list that an own paragraph or a display interrupts goes on with its number.
    first = int(lines[0].partition(".")[0]) if kind == "enumerate" else 1
    start = "" if first == 1 else f"\\setcounter{{enumi}}{{{first - 1}}}\n"
    return f"\\begin{{{kind}}}\n{start}{body}\n\\end{{{kind}}}"


def _flow(lines: list[str]) -> str:
    return " ".join(line.strip() for line in lines)


def _inline(text: str) -> str:
    parts, end = [], 0
    for span in _SPAN.finditer(text):
        parts += [escaped(text[end : span.start()]), _span(span)]
        end = span.end()
    return "".join([*parts, escaped(text[end:])])


def _span(span: re.Match[str]) -> str:
    kind = span.lastgroup or ""
    inner = span[kind]
    if kind == "formula":
        return f"${inner}$"
    if kind == "code":
        return rf"\texttt{{{escaped(inner)}}}"
    if kind == "literal":
        return escaped(inner)
    return rf"\{'textbf' if kind == 'bold' else 'emph'}{{{_inline(inner)}}}"
