"""Figures as the bytes of files."""

from __future__ import annotations

import io
from functools import partial
from typing import TYPE_CHECKING, Any

from moltheory._core._validation import check_choice
from moltheory.plotting._style import STYLE, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["to_bytes"]


def to_bytes(figure: Figure, kind: str) -> bytes:
    """Return a figure as the bytes of a file, the same bytes for the same figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    kind : {"png", "webp", "pdf", "svg"}
        WebP is without loss, at about a third of the size of PNG.

    Returns
    -------
    bytes
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_pdf import FigureCanvasPdf
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    check_choice("kind", kind, ("png", "webp", "pdf", "svg"))
    buffer = io.BytesIO()
    dpi, engine = figure.dpi, figure.get_layout_engine()
    with styled():
        figure.dpi = STYLE["savefig.dpi"]
        try:
            # `savefig` draws twice and searches for the layout in every file; drawing is most of what a report costs.
            if engine is not None:
                engine.execute(figure)
                figure.set_layout_engine("none")
            # Dates would make equal figures differ.
            write: Any
            metadata: dict[str, None] | None
            if kind == "png":
                write, metadata = FigureCanvasAgg(figure).print_png, {}
            elif kind == "webp":
                lossless = {"lossless": True, "quality": 75, "method": 4}
                write, metadata = partial(FigureCanvasAgg(figure).print_webp, pil_kwargs=lossless), None
            elif kind == "pdf":
                write, metadata = FigureCanvasPdf(figure).print_pdf, {"CreationDate": None}
            else:
                write, metadata = FigureCanvasSVG(figure).print_svg, {"Date": None}
            write(buffer, metadata=metadata)
        finally:
            figure.dpi = dpi
            if engine is not None:
                figure.set_layout_engine(engine)
    return buffer.getvalue()
