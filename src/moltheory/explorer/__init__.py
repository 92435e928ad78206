"""The explorer: a finite world whose true risks one drags, its samples, and what their fronts get right and wrong.

In a notebook it is a widget, `explore`; elsewhere a page that needs neither Python nor a server, `explorer_page`.
"""

from moltheory._core._listing import public_names
from moltheory.explorer._explore import explore
from moltheory.explorer._moving import with_true_risks
from moltheory.explorer._page import ExplorerSection, explorer_page, explorer_section

__all__ = ["ExplorerSection", "explore", "explorer_page", "explorer_section", "with_true_risks"]
__dir__ = public_names(__name__)
