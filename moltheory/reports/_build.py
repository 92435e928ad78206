"""Writing a report: every figure computed, drawn and written with its tables, a record, and one page for all."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moltheory.plotting import STYLE, panels, plain_powers, to_bytes
from moltheory.reports._figure import Figure, Settings
from moltheory.reports._report_page import Opening, Section, report_page
from moltheory.runs import prepare_folder, run_blocks, show_versions, write_atomically

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Reproduction", "write_report"]


@dataclass(frozen=True)
class Reproduction:
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

    Parameters
    ----------
    out : path
        Folder, made if it is missing; files of the same names are replaced.
    parts : mapping of str to sequence of Figure
        The figures of each part of the page, by its heading; an empty heading is not shown.
    opening : Opening
        How the page begins.
    settings : Settings
        Without a store, finished blocks are kept in a folder ``runs`` inside `out`.
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
        If the folder cannot be written to; found out before any work starts.
    """
    folder = prepare_folder(out)
    chosen = replace(settings, store=folder / "runs") if settings.store is None else settings
    start = time.perf_counter()
    sections, files = [], []
    summaries: dict[str, pd.DataFrame] = {}
    for part, figures in parts.items():
        for figure in figures:
            section, written, summary = _make(figure, chosen, folder, part)
            sections.append(section)
            summaries.update(summary)
            files.extend(written)
            if report is not None:
                report(f"{figure.name:<18}{section.seconds:6.1f} s   {figure.title}")
    record = _record(chosen, sections)
    table = overview(summaries) if summaries and overview is not None else None
    for name, content in (
        ("record.json", json.dumps(record, indent=2) + "\n"),
        ("index.html", report_page(sections, record, opening, overview=table)),
        *([] if table is None else [("overview.csv", table.to_csv(index=False, float_format="%.17g"))]),
    ):
        write_atomically(folder / name, content)
        files.append(folder / name)
    return Reproduction(folder, folder / "index.html", tuple(files), time.perf_counter() - start, tuple(sections))


def _make(
    figure: Figure[Any], settings: Settings, folder: Path, part: str
) -> tuple[Section, list[Path], Mapping[str, pd.DataFrame]]:
    """Compute, draw and write one figure; its files appear only after everything about it worked."""
    start = time.perf_counter()
    result = figure.compute(settings)
    # Drawing costs more than most simulations of a quick report.
    (image, document), (narrow,) = run_blocks(
        _images, [(figure, result, False, ("png", "pdf")), (figure, result, True, ("png",))], n_jobs=settings.n_jobs
    )
    tables = figure.tables(result)
    contents: dict[str, bytes | str] = {f"{figure.name}.png": image, f"{figure.name}.pdf": document}
    for label, table in tables.items():
        # 17 digits restore every float exactly.
        contents[f"{figure.name}_{label}.csv"] = table.to_csv(index=False, float_format="%.17g")
    for name, content in contents.items():
        write_atomically(folder / name, content)
    section = Section(
        name=figure.name,
        title=figure.title,
        caption=figure.caption(result),
        wide=image,
        narrow=narrow,
        tables=dict(tables),
        seconds=time.perf_counter() - start,
        part=part,
    )
    return section, [folder / name for name in contents], figure.summaries(result)


def _images(figure: Figure[Any], result: object, narrow: bool, kinds: Sequence[str]) -> list[bytes]:
    """Draw a figure once and return it as files of the given kinds."""
    import matplotlib as mpl

    with mpl.rc_context(STYLE):
        canvas, axes = panels(figure.n_panels, narrow=narrow)
        for ax in figure.draw(result, axes):
            plain_powers(ax)
    return [to_bytes(canvas, kind) for kind in kinds]


def _record(settings: Settings, sections: Sequence[Section]) -> dict[str, Any]:
    versions = show_versions()
    return {
        "seed": settings.seed,
        "parameters": {key: value for key, value in asdict(settings).items() if key in ("quick", "n_jobs")},
        "seconds": {section.name: round(section.seconds, 2) for section in sections},
        "python": versions.python,
        "platform": versions.platform,
        "versions": versions.packages,
        "processor": versions.processor,
        "blas": versions.blas,
    }
