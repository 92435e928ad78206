"""What a report is made of: figures that are computed, drawn and described, and the page that shows them."""

from moltheory._core._listing import public_names
from moltheory.reports._build import Reproduction, write_report
from moltheory.reports._figure import Figure, Settings
from moltheory.reports._latex_table import latex_table
from moltheory.reports._report_page import Extra, Opening, Section

__all__ = ["Extra", "Figure", "Opening", "Reproduction", "Section", "Settings", "latex_table", "write_report"]

__dir__ = public_names(__name__)
