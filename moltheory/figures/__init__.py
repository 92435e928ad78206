"""The figures of the asymmetry, each a pair (compute, draw) in one file, and the report that shows them all."""

from moltheory.figures.base import Figure, Settings
from moltheory.figures.catalog import figure_names, get_figure
from moltheory.figures.report import Reproduction, reproduce

__all__ = ["Figure", "Reproduction", "Settings", "figure_names", "get_figure", "reproduce"]
