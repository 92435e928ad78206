"""Drawing: Axes in, Axes out, one readable style, no global state of matplotlib.

Colors are those of M. Okabe and K. Ito (2008, "Color universal design"), which readers with any color
vision can distinguish; every series also has its own marker or line style.
"""

from __future__ import annotations

import functools
import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._deprecation import renamed_names
from moltheory._core._shared_state import one_thread
from moltheory._core._text import cut, named
from moltheory._core._validation import FloatArray, check_choice, check_count
from moltheory.errors import InvalidInputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "COLORS",
    "LITERAL",
    "STYLE",
    "axis_labels",
    "band",
    "log_sizes",
    "name_text",
    "note",
    "panels",
    "plain_powers",
    "plain_text",
    "staircase",
    "to_bytes",
]

COLORS = {
    "truth": "#000000",
    "coverage": "#0072B2",
    "purity": "#D55E00",
    "bound": "#6E6E6E",
    "deviation": "#009E73",
    "extra": "#CC79A7",
    "light": "#56B4E9",
}
STYLE: Any = {
    "font.size": 11.0,
    "font.family": "DejaVu Sans",
    "axes.titlesize": 12.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 11.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 10.0,
    "lines.linewidth": 2.0,
    "lines.markersize": 6.0,
    "pdf.fonttype": 42,
    "savefig.dpi": 160,
    "svg.hashsalt": "moltheory",
    # What a user may have set otherwise, and what texts of figures rely on.
    "text.usetex": False,
    "text.parse_math": True,
    "axes.formatter.use_mathtext": False,
}
# Properties of a text that is drawn as it is: no dollar sign starts a formula, and TeX never sees it.
LITERAL: Any = {"parse_math": False, "usetex": False}
# Number of characters to which names are cut at most, whatever their width.
_FEWEST = 20
_PANEL = (4.3, 3.7)
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the style of the package inside, one thread at a time: the settings of matplotlib are of the process.

    Raises
    ------
    InvalidInputError
        If the environment names a backend that matplotlib does not know: it cannot be imported then.
    """
    with one_thread(), _matplotlib().rc_context(STYLE):
        yield


@functools.lru_cache(maxsize=1)
def _matplotlib() -> Any:
    import logging

    logger = logging.getLogger("matplotlib")
    level = logger.level
    # Without a home folder it has no place for its cache, and says so on the standard error.
    logger.setLevel(logging.ERROR)
    try:
        import matplotlib as mpl
        import matplotlib.font_manager
    except ValueError as error:
        if "backend" not in str(error):
            raise
        raise InvalidInputError(
            f"`MPLBACKEND` must name a backend of matplotlib, got {os.environ.get('MPLBACKEND', '')!r}: unset this "
            f"variable of the environment."
        ) from None
    finally:
        logger.setLevel(level)
    return mpl


def panels(count: int, *, narrow: bool = False) -> tuple[Figure, list[Axes]]:
    """Make a figure with `count` panels: up to three side by side, more in two columns.

    Parameters
    ----------
    count : int
        Number of panels, >= 1.
    narrow : bool, default False
        One column, for a phone.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Not registered with pyplot: it goes when the last reference goes.
    axes : list of matplotlib.axes.Axes

    Examples
    --------
    >>> figure, axes = panels(3)
    >>> len(axes), len(panels(4, narrow=True)[1])
    (3, 4)
    """
    check_count("count", count)
    columns = 1 if narrow else count if count <= 3 else 2
    rows = -(-count // columns)
    with styled():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(_PANEL[0] * columns, _PANEL[1] * rows), layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False)
    for spare in grid.ravel()[count:]:
        spare.remove()
    return figure, list(grid.ravel()[:count])


def to_bytes(figure: Figure, kind: str) -> bytes:
    """Return a figure as the bytes of a file, the same bytes for the same figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    kind : {"png", "pdf", "svg"}

    Returns
    -------
    bytes
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_pdf import FigureCanvasPdf
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    check_choice("kind", kind, ("png", "pdf", "svg"))
    buffer = io.BytesIO()
    dpi = figure.dpi
    with styled():
        figure.dpi = STYLE["savefig.dpi"]
        try:
            # `savefig` draws twice and searches for the layout in every file; drawing is most of what a report costs.
            engine = figure.get_layout_engine()
            if engine is not None:
                engine.execute(figure)
                figure.set_layout_engine("none")
            # Dates would make equal figures differ.
            write: Any
            if kind == "png":
                write, metadata = FigureCanvasAgg(figure).print_png, {}
            elif kind == "pdf":
                write, metadata = FigureCanvasPdf(figure).print_pdf, {"CreationDate": None}
            else:
                write, metadata = FigureCanvasSVG(figure).print_svg, {"Date": None}
            write(buffer, metadata=metadata)
        finally:
            figure.dpi = dpi
    return buffer.getvalue()


def axis_labels(ax: Axes, x: str, y: str) -> Axes:
    """Label two minimised objectives, with the direction of better on both axes."""
    ax.set_xlabel(f"← better     {x}")
    ax.set_ylabel(f"← better     {y}")
    return ax


def log_sizes(ax: Axes) -> Axes:
    """Make the horizontal axis one of sample sizes, logarithmic, with labels at powers of ten only."""
    from matplotlib.ticker import NullFormatter

    ax.set_xscale("log")
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel("number of examples n")
    return ax


def staircase(ax: Axes, points: npt.ArrayLike, **line: Any) -> Axes:
    """Draw the boundary of what a set of points dominates (both objectives minimised).

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Its limits must be set: the boundary runs to them.
    points : (k, 2) array_like
        Dominated points are left out.
    **line
        Passed to ``ax.plot``.

    Returns
    -------
    matplotlib.axes.Axes
    """
    from moltheory.pareto import pareto_front

    front = pareto_front(np.asarray(points, dtype=np.float64)).points
    right, top = ax.get_xlim()[1], ax.get_ylim()[1]
    x = np.concatenate([[front[0, 0]], np.repeat(front[:, 0], 2)[1:], [right]])
    y = np.concatenate([[top], np.repeat(front[:, 1], 2)])
    ax.plot(x, y[: x.size], **line)
    return ax


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


def plain_powers(ax: Axes) -> Axes:
    """Write the labels of logarithmic axes as plain text, 10⁻² and not TeX: the same look, at a tenth of the time."""
    from matplotlib.ticker import Formatter, LogFormatterSciNotation

    class _Plain(Formatter):
        def __init__(self, formatter: LogFormatterSciNotation) -> None:
            self.formatter = formatter

        def set_locs(self, locs: Any) -> None:
            self.formatter.set_locs(locs)

        def __call__(self, x: float, pos: int | None = None) -> str:
            text = self.formatter(x, pos).replace(r"\times", "×")
            base, _, power = re.sub(r"\$|\\mathdefault|[{}]", "", text).partition("^")
            return base + power.replace("\N{MINUS SIGN}", "-").translate(_SUPERSCRIPTS)

    for axis in (ax.xaxis, ax.yaxis):
        for get, set_ in (
            (axis.get_major_formatter, axis.set_major_formatter),
            (axis.get_minor_formatter, axis.set_minor_formatter),
        ):
            formatter = get()
            if isinstance(formatter, LogFormatterSciNotation):
                set_(_Plain(formatter))
    return ax


def band(ax: Axes, x: npt.ArrayLike, low: FloatArray, high: FloatArray, *, color: str) -> Axes:
    """Shade the range between two curves."""
    ax.fill_between(np.asarray(x), low, high, color=color, alpha=0.22, linewidth=0)
    return ax


def note(ax: Axes, text: str, *, at: tuple[float, float], color: str = "#222222", ha: str = "left") -> Axes:
    """Write a short text inside the panel, at a place in axes coordinates."""
    ax.text(*at, text, transform=ax.transAxes, color=color, ha=ha, va="center", fontsize=10.0)
    return ax


if not TYPE_CHECKING:
    __getattr__ = renamed_names(__name__, {"rendered": "to_bytes"})
