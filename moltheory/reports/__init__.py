"""What a report is made of: figures that are computed, drawn and told in words, and the page that shows them."""

from moltheory.reports.base import Figure, Settings
from moltheory.reports.page import Opening, Section
from moltheory.reports.writing import Reproduction, write_report

__all__ = ["Figure", "Opening", "Reproduction", "Section", "Settings", "write_report"]
