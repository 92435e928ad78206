"""Figures of a certificate: Axes in, Axes out; verdicts by color and by marker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moltheory._core._shared_state import one_thread
from moltheory.certification._plot_rows import plot_rows, rows_height
from moltheory.certification._plot_two import plot_two
from moltheory.plotting import new_axes, styled, to_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from moltheory.certification._certificate import Certificate

__all__ = ["certificate_image", "draw_certificate", "plot_certificate"]

_PLANE = (8.4, 5.6)
_WIDTH = 8.4


def plot_certificate(certificate: Certificate, ax: Axes | None, theme: str | None = None) -> Any:
    """Return the axes, new ones by default, with all models drawn on them; see `Certificate.plot`."""
    if ax is not None:
        draw_certificate(certificate, ax)
        return ax
    with styled(theme):
        return draw_certificate(certificate, new_axes(size=figure_size(certificate), theme=theme))


def draw_certificate(certificate: Certificate, ax: Axes, *, numbered: bool = False) -> Any:
    """Draw on the place of some axes; return these, or one per objective where each has its own."""
    import matplotlib as mpl

    # Places of texts are found by drawing, and TeX, if a user wants it, never sees a name.
    with one_thread(), mpl.rc_context({"text.usetex": False}):
        for axis in (ax.xaxis, ax.yaxis):
            axis.reset_ticks()
        if len(certificate.objectives) == 2:
            return plot_two(certificate, ax, numbered=numbered)
        return plot_rows(certificate, ax, numbered=numbered)


def figure_size(certificate: Certificate) -> tuple[float, float]:
    """Return the size in inches at which a certificate is readable."""
    m = len(certificate.objectives)
    if m == 2:
        return _PLANE
    return max(_WIDTH, 3.0 + 1.6 * min(m, 8)) if m > 1 else _WIDTH, rows_height(certificate)


def certificate_image(certificate: Certificate, kind: str) -> bytes:
    """Return the plot as the bytes of a file of its own: "png", "pdf" or "svg"."""
    with styled():
        from matplotlib.figure import Figure

        figure = Figure(figsize=figure_size(certificate), layout="constrained")
        draw_certificate(certificate, figure.subplots())
        return to_bytes(figure, kind)
