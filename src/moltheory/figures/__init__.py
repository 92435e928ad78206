"""The figures of the asymmetry, each a pair (compute, draw) in one file, and the report that shows them all."""

from moltheory._core._listing import public_names
from moltheory.figures._catalog import figure_names, get_figure
from moltheory.figures._report import reproduce
from moltheory.reports import Figure, Reproduction, Settings

__all__ = ["Figure", "Reproduction", "Settings", "figure_names", "get_figure", "reproduce"]

__dir__ = public_names(__name__)
