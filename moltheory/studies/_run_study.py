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

    Finished blocks are kept in a folder ``runs`` inside `out`: after a kill, the same call goes on where it stopped.

    Parameters
    ----------
    study : Study
        See `get_study`.
    out : path
        Folder, made if it is missing; files of the same names are replaced.
    settings : Settings, optional
        Budget, seed and processes.

    Returns
    -------
    Reproduction

    Raises
    ------
    OutputError
        If the folder cannot be written to; found out before any work starts.
    """
    opening = Opening(study.title, f"A case study of moltheory, after {html.escape(study.paper)}.")
    return write_report(out, {"": [study]}, opening, settings=settings or Settings())
