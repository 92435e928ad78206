"""Writing a report: every figure computed and drawn, then all files written together: tables, a record, one page.

The record names every other file of the report with the SHA-256 of its content.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moltheory._core._file_names import file_stem
from moltheory._core._html_repr import Printed
from moltheory._core._text import named
from moltheory.plotting import panels, plain_powers, styled, to_bytes
from moltheory.reports._csv import csv_text
from moltheory.reports._figure import Figure, Settings
from moltheory.reports._images import as_webp
from moltheory.reports._report_page import Opening, Section, report_page
from moltheory.reports._run_parts import WatchedSettings, remove_finished, watched
from moltheory.runs import run_blocks, show_versions
from moltheory.runs._output_folder import OutputFolder

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Reproduction", "write_report"]

_PAGE, _RECORD, _OVERVIEW = "index.html", "record.json", "overview.csv"


@dataclass(frozen=True, repr=False)
class Reproduction(Printed):
    """What a run of `reproduce` wrote.

    Attributes
    ----------
    folder : pathlib.Path
    page : pathlib.Path
        The report, one self-contained HTML file.
    files : tuple of pathlib.Path
        Everything written, the page included.
    seconds : float
    sections : tuple of Section
        What the page shows: captions and tables, by figure.
    """

    folder: Path
    page: Path
    files: tuple[Path, ...]
    seconds: float
    sections: tuple[Section, ...]


def write_report(
    out: str | os.PathLike[str],
    parts: Mapping[str, Sequence[Figure[Any]]],
    opening: Opening,
    *,
    settings: Settings,
    report: Callable[[str], None] | None = None,
    overview: Callable[[Mapping[str, pd.DataFrame]], pd.DataFrame] | None = None,
) -> Reproduction:
    """Compute figures and write them to a folder with their tables and a page.

    The files of the report appear together when everything is computed: a run that fails or is killed leaves those of
    the report before it, or all new ones.

    Parameters
    ----------
    out : path
        Folder, made if it is missing; files of the same names are replaced, all others stay.
    parts : mapping of str to sequence of Figure
        The figures of each chapter of the page, by its heading; an empty heading is not shown.
    opening : Opening
        How the page begins.
    settings : Settings
        Without a store, finished blocks are kept in a folder ``runs`` inside `out` until the report is written: those
        that this report began, or a killed one before it, are removed then, unless ``keep_runs`` says otherwise. A
        store is never cleaned up.
    report : callable, optional
        Called with one line per finished figure.
    overview : callable, optional
        Makes one table for the whole page from the `summaries` of all figures.

    Returns
    -------
    Reproduction

    Raises
    ------
    OutputError
        If the folder cannot be written to or another run is at work in it, found out before any work starts; or if it
        was moved or removed during the run.

    Notes
    -----
    Between the first and the last of the renames that put the files into their places, about a millisecond, a kill
    leaves some files of the old report beside new ones; the next run on the folder first completes the renames. The
    file ``record.json`` comes last, and names all others with their SHA-256.

    In tables, a text that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line break, after any number of apostrophes,
    is written with one apostrophe more, so that no spreadsheet takes it for a formula; numbers are written as they are.
    """
    names = [
        f"{file_stem(figure.name)}.{kind}"
        for figures in parts.values()
        for figure in figures
        for kind in ("png", "pdf")
    ]
    with OutputFolder(out, [*names, _PAGE, _RECORD, _OVERVIEW]) as folder:
        return _write(folder, parts, opening, settings, report, overview)


def _write(
    out: OutputFolder,
    parts: Mapping[str, Sequence[Figure[Any]]],
    opening: Opening,
    settings: Settings,
    report: Callable[[str], None] | None,
    overview: Callable[[Mapping[str, pd.DataFrame]], pd.DataFrame] | None,
) -> Reproduction:
    folder = out.path
    chosen = watched(settings, folder / "runs")
    start = time.perf_counter()
    sections: list[Section] = []
    contents: dict[str, bytes] = {}
    summaries: dict[str, pd.DataFrame] = {}
    for part, figures in parts.items():
        for figure in figures:
            section, files, summary = _make(figure, chosen, part)
            sections.append(section)
            contents.update(files)
            summaries.update(summary)
            if report is not None:
                report(f"{named(figure.name):<18}{section.seconds:6.1f} s   {figure.title}")
    record = _record(chosen, sections)
    table = overview(summaries) if summaries and overview is not None else None
    if table is not None:
        contents[_OVERVIEW] = _csv(table)
    contents[_PAGE] = report_page(sections, record, opening, overview=table).encode()
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    contents[_RECORD] = (json.dumps({**record, "files": digests}, indent=2) + "\n").encode()
    written = out.replace(contents)
    # Only now: a run that is killed before this resumes from them.
    if isinstance(chosen, WatchedSettings) and not chosen.keep_runs:
        remove_finished(out, chosen.used)
    return Reproduction(folder, folder / _PAGE, tuple(written), time.perf_counter() - start, tuple(sections))


def _make(
    figure: Figure[Any], settings: Settings, part: str
) -> tuple[Section, Mapping[str, bytes], Mapping[str, pd.DataFrame]]:
    """Compute and draw one figure; return its section of the page, its files and its summaries."""
    start = time.perf_counter()
    result = figure.compute(settings)
    # Drawing costs more than most simulations of a quick report.
    (image, document), (narrow,) = run_blocks(
        _images, [(figure, result, False, ("png", "pdf")), (figure, result, True, ("png",))], n_jobs=settings.n_jobs
    )
    tables = figure.tables(result)
    stem = file_stem(figure.name)
    files = {f"{stem}.png": image, f"{stem}.pdf": document}
    files |= {f"{stem}_{file_stem(label)}.csv": _csv(table) for label, table in tables.items()}
    section = Section(
        name=figure.name,
        title=figure.title,
        caption=figure.caption(result),
        details=figure.details(result),
        alt=figure.alt(result),
        lead=figure.lead(result),
        wide=as_webp(image),
        narrow=as_webp(narrow),
        tables=dict(tables),
        seconds=time.perf_counter() - start,
        part=part,
    )
    return section, files, figure.summaries(result)


def _csv(table: pd.DataFrame) -> bytes:
    return csv_text(table).encode()


def _images(figure: Figure[Any], result: object, narrow: bool, kinds: Sequence[str]) -> list[bytes]:
    """Draw a figure once and return it as files of the given kinds."""
    with styled():
        canvas, axes = panels(figure.n_panels, narrow=narrow)
        for ax in figure.draw(result, axes):
            plain_powers(ax)
    return [to_bytes(canvas, kind) for kind in kinds]


def _record(settings: Settings, sections: Sequence[Section]) -> dict[str, Any]:
    versions = show_versions()
    return {
        "seed": settings.seed,
        "parameters": {"quick": settings.quick, "n_jobs": settings.n_jobs},
        "seconds": {section.name: round(section.seconds, 2) for section in sections},
        "python": versions.python,
        "platform": versions.platform,
        "versions": versions.packages,
        "processor": versions.processor,
        "blas": versions.blas,
    }
