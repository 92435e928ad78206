"""One readable style, light or dark, without global state of matplotlib.

Colors are those of M. Okabe and K. Ito (2008, "Color universal design"), which readers with any color
vision can distinguish; every series also has its own marker or line style.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory._core._shared_state import one_thread
from moltheory._core._validation import FloatArray, check_choice
from moltheory.errors import InvalidInputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["COLORS", "DARK_COLORS", "STYLE", "colors_of", "readable_color", "styled"]

COLORS = {
    "truth": "#000000",
    "coverage": "#0072B2",
    "purity": "#D55E00",
    "bound": "#6E6E6E",
    "deviation": "#009E73",
    "extra": "#CC79A7",
    "light": "#56B4E9",
}
# The same hues on a dark background.
DARK_COLORS = {
    "truth": "#F5F5F5",
    "coverage": "#56B4E9",
    "purity": "#FF8A3D",
    "bound": "#A8A8A8",
    "deviation": "#2FC79A",
    "extra": "#E6A3CB",
    "light": "#9AD3F5",
}
_INK, _DARK_INK, _DARK_FACE = "#222222", "#E6E6E6", "#16181D"
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


def _theme(face: str, ink: str, grid: str) -> dict[str, str]:
    inked = ("text.color", "axes.labelcolor", "axes.edgecolor", "axes.titlecolor", "xtick.color", "ytick.color")
    faces = ("figure.facecolor", "axes.facecolor", "savefig.facecolor")
    return {**dict.fromkeys(inked, ink), **dict.fromkeys(faces, face), "grid.color": grid}


_THEMES = {"light": _theme("#FFFFFF", _INK, "#E4E4E4"), "dark": _theme(_DARK_FACE, _DARK_INK, "#34383F")}


@contextmanager
def styled(theme: str | None = None) -> Iterator[None]:
    """Draw in the style of the package inside, one thread at a time: the settings of matplotlib are of the process.

    Parameters
    ----------
    theme : {"light", "dark"}, optional
        By default dark where the user's settings of matplotlib have a dark background, as after
        ``plt.style.use("dark_background")``, and light elsewhere.

    Raises
    ------
    InvalidInputError
        If there is no such theme, or if the environment names a backend that matplotlib does not know: it cannot be
        imported then.
    """
    if theme is not None:
        check_choice("theme", theme, tuple(_THEMES))
    with one_thread():
        mpl = _matplotlib()
        chosen = theme or ("dark" if _is_dark(mpl.rcParams["figure.facecolor"]) else "light")
        with mpl.rc_context(STYLE | _THEMES[chosen]):
            yield


def colors_of(ax: Axes) -> dict[str, str]:
    """Return the colors that can be distinguished on the background of some axes: `COLORS` or `DARK_COLORS`.

    Examples
    --------
    >>> from moltheory.plotting import panels
    >>> colors_of(panels(1)[1][0])["coverage"]
    '#0072B2'
    """
    return DARK_COLORS if _is_dark(_face(ax)) else COLORS


def readable_color(ax: Axes, color: str) -> str:
    """Return the color, made darker or lighter until text in it has a contrast of 4.5 to the axes' background (WCAG 2 AA).

    Examples
    --------
    >>> from moltheory.plotting import panels
    >>> ax = panels(1)[1][0]
    >>> readable_color(ax, "#0072B2"), readable_color(ax, "#56B4E9")
    ('#0072b2', '#387597')
    """
    from matplotlib.colors import to_hex, to_rgb

    background = np.array(to_rgb(_face(ax)))
    toward = np.ones(3) if _luminance(background) < 0.18 else np.zeros(3)
    start = np.array(to_rgb(color))
    mixed = start
    for share in np.linspace(0.0, 1.0, 21):
        mixed = (1.0 - share) * start + share * toward
        light, dark = sorted((_luminance(mixed), _luminance(background)), reverse=True)
        if (light + 0.05) / (dark + 0.05) >= 4.6:
            break
    return str(to_hex(tuple(mixed.tolist())))


def _face(ax: Axes) -> Any:
    """Return the color behind the axes; where theirs is transparent, that of the figure."""
    face: Any = ax.get_facecolor()
    return ax.figure.get_facecolor() if face[3] < 0.5 else face


def _is_dark(color: Any) -> bool:
    from matplotlib.colors import to_rgba

    channels: Any = to_rgba(color)
    return bool(channels[3] >= 0.5 and _luminance(np.array(channels[:3])) < 0.18)


def _luminance(rgb: FloatArray) -> float:
    """Return the relative luminance of a color, as WCAG 2 defines it."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


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
