"""What stands above a panel: its headline, in as many lines as it needs, and a key of its marks."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from moltheory.plotting._fit import fit
from moltheory.plotting._labels import ink_of, lay_out
from moltheory.plotting._names import LITERAL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["headline", "key"]

# Mean width of a bold letter of DejaVu Sans, in units of the size of the font; and that of the text of a key.
_LETTER, _KEY_LETTER = 0.66, 0.58
_KEY_SIZE = 9.5


def headline(ax: Axes, text: str) -> Axes:
    r"""Write a title that is wrapped to the width of the panel; one that the axes have already is kept.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    text : str
        Drawn as it is: no dollar sign starts a formula.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> from moltheory.plotting import new_axes
    >>> ax = headline(new_axes(size=(3.0, 3.0)), "A statement that is longer than the panel is wide")
    >>> "\n" in ax.get_title("left")
    True
    """
    if any(ax.get_title(place) for place in ("left", "center", "right")):
        return ax
    lay_out(ax)
    where: Any = "left"
    title = ax.set_title(text, loc=where, color=ink_of(ax), **LITERAL)
    width = ax.bbox.width * 72.0 / ax.figure.dpi
    title.set_text("\n".join(textwrap.wrap(text, max(12, int(width / (_LETTER * float(title.get_fontsize())))))))
    return fit(ax)


def key(ax: Axes, entries: Sequence[tuple[Any, str]]) -> Axes:
    """Explain marks in rows between the panel and its headline, where they hide no data.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        With its headline: that moves up.
    entries : sequence of (artist, str)
        Marks and what they mean.

    Returns
    -------
    matplotlib.axes.Axes
    """
    if not entries:
        return ax
    lay_out(ax)
    room = ax.bbox.width * 72.0 / ax.figure.dpi / _KEY_SIZE
    letters = max(12, int((room - 4.0) / _KEY_LETTER))
    texts = ["\n".join(textwrap.wrap(text, letters)) for _, text in entries]
    widest = max(len(line) for text in texts for line in text.split("\n")) * _KEY_LETTER + 4.0
    columns = max(1, min(len(entries), int(room / widest)))
    # The legend fills its columns one after the other.
    length = -(-len(entries) // columns)
    lines = [text.count("\n") + 1 for text in texts]
    rows = max(sum(lines[k : k + length]) for k in range(0, len(lines), length))
    # The exponent of all labels stands at the upper end of the vertical axis.
    ax.yaxis.get_tightbbox()
    lifted = 1.3 * _KEY_SIZE if ax.yaxis.get_offset_text().get_text() else 0.0
    # A title that is moved automatically ignores what stands between it and the panel.
    title = ax.title if ax.get_title("center") else ax._left_title  # type: ignore[attr-defined]
    if title.get_text():
        place: Any = "center" if ax.get_title("center") else "left"
        ax.set_title(
            title.get_text(), loc=place, pad=6.0 + lifted + 1.45 * _KEY_SIZE * rows, color=title.get_color(), **LITERAL
        )
    legend = ax.legend(
        [artist for artist, _ in entries],
        texts,
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0 + lifted / 72.0 * ax.figure.dpi / ax.bbox.height),
        ncols=columns,
        frameon=False,
        fontsize=_KEY_SIZE,
        labelcolor=ink_of(ax),
        borderaxespad=0.0,
        borderpad=0.2,
        handlelength=1.8,
        columnspacing=1.4,
        labelspacing=0.3,
    )
    for text in legend.get_texts():
        text.set(**LITERAL)
    return fit(ax)
