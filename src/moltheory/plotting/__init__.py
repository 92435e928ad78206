"""Drawing tools: Axes in, Axes out, one readable style, light or dark, no global state of matplotlib.

`moltheory.plot` draws whole pictures in one call; here is what these are drawn from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from moltheory._core._deprecation import renamed_names
from moltheory._core._listing import public_names
from moltheory.plotting._axes import (
    axis_labels,
    band,
    log_sizes,
    new_axes,
    note,
    panels,
    plain_powers,
    scale_axis,
    staircase,
)
from moltheory.plotting._files import to_bytes
from moltheory.plotting._fit import fit
from moltheory.plotting._labels import add_margin, ink_of, label_lines, label_points
from moltheory.plotting._names import LITERAL, name_text, plain_text
from moltheory.plotting._style import COLORS, DARK_COLORS, STYLE, colors_of, readable_color, styled
from moltheory.plotting._titles import headline, key

__all__ = [
    "COLORS",
    "DARK_COLORS",
    "LITERAL",
    "STYLE",
    "add_margin",
    "axis_labels",
    "band",
    "colors_of",
    "fit",
    "headline",
    "ink_of",
    "key",
    "label_lines",
    "label_points",
    "log_sizes",
    "name_text",
    "new_axes",
    "note",
    "panels",
    "plain_powers",
    "plain_text",
    "readable_color",
    "scale_axis",
    "staircase",
    "styled",
    "to_bytes",
]

__dir__ = public_names(__name__)

if not TYPE_CHECKING:
    __getattr__ = renamed_names(__name__, {"rendered": "to_bytes"})
