"""Axes that a notebook shows as a picture where they are the last value of a cell; nothing calls pyplot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes

from moltheory.plotting._files import to_bytes
from moltheory.plotting._labels import figure_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["AxesList", "ShownAxes"]

_DPI = 96.0


class ShownAxes(Axes):
    """Axes with a rich representation: the figure that they stand on, as PNG."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        return _picture(figure_of(self))


class AxesList(list[Any]):
    """The Axes of several panels of one figure; a notebook shows them as one picture."""

    @property
    def figure(self) -> Figure:
        """The figure that they stand on, as of one Axes: ``mt.plot.theorem(...).figure.savefig("file.png")``."""
        figure: Figure = figure_of(self[0])
        return figure

    def _repr_png_(self) -> tuple[bytes, dict[str, int]] | None:
        # Axes of the user's own figure are shown by whoever made it.
        return self[0]._repr_png_() if self and hasattr(self[0], "_repr_png_") else None


def _picture(figure: Any) -> tuple[bytes, dict[str, int]]:
    """Return a figure as PNG for screens of high resolution, with the size in pixels at which it is shown."""
    width, height = (round(float(side) * _DPI) for side in _size(figure))
    return to_bytes(figure, "png"), {"width": width, "height": height}


def _size(figure: Figure) -> tuple[float, float]:
    width, height = figure.get_size_inches()
    return float(width), float(height)
