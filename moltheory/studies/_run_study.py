"""Running one study: its figure, tables, findings and page in a folder."""

from __future__ import annotations

import html
import os
from typing import Any

from moltheory.reports import Opening, Reproduction, Settings, write_report
from moltheory.studies._base import Study

__all__ = ["run_study"]


def run_study(study: Study[Any], out: str | os.PathLike[str], *, settings: Settings | None = None) -> Reproduction:
    """Compute a study and write its figure, tables and page to a folder.

    The folder is made if it is missing; files of the same names are replaced. Finished blocks are kept in a folder
    ``runs`` inside it: after a kill, the same call continues where it stopped.

    Raises
    ------
    OutputError
        If the folder cannot be written to; this is found out before any work starts.
    """
    opening = Opening(study.title, f"A case study of moltheory, after {html.escape(study.paper)}.")
    return write_report(out, {"": [study]}, opening, settings=settings or Settings())
