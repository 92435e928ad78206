"""The main job: compute every figure, write images, tables, a record and one page that shows them all."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moltheory.errors import InvalidInputError
from moltheory.figures.base import Figure, Settings
from moltheory.figures.catalog import figure_names, get_figure
from moltheory.figures.curves import overview_table
from moltheory.figures.page import Section, report_page
from moltheory.plotting import STYLE, panels, rendered
from moltheory.runs import prepare_folder, show_versions, write_atomically

if TYPE_CHECKING:
    import matplotlib.figure
    import pandas as pd

__all__ = ["Reproduction", "reproduce"]


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
    """

    folder: Path
    page: Path
    files: tuple[Path, ...]
    seconds: float


def reproduce(
    out: str | os.PathLike[str],
    *,
    only: Sequence[str] | None = None,
    settings: Settings | None = None,
    report: Callable[[str], None] | None = None,
) -> Reproduction:
    """Compute figures and write them to a folder with their tables and a report page.

    Long simulations keep their finished blocks in a folder ``runs`` inside `out`: after a kill, the same call goes
    on where it stopped.

    Parameters
    ----------
    out : path
        Folder, made if it is missing; files of the same names are replaced.
    only : sequence of str, optional
        Names of the figures wanted, see `figure_names`; all by default.
    settings : Settings, optional
        Budget, seed and processes.
    report : callable, optional
        Called with one line per finished figure.

    Returns
    -------
    Reproduction

    Raises
    ------
    InvalidInputError
        If a name is unknown or repeated.
    OutputError
        If the folder cannot be written to; found out before any work starts.
    """
    chosen = settings or Settings()
    names = figure_names() if only is None else tuple(only)
    if not names or len(set(names)) != len(names):
        raise InvalidInputError(f"`only` must hold distinct names of figures, got {list(names)}.")
    figures = [get_figure(name) for name in names]
    folder = prepare_folder(out)
    if chosen.store is None:
        chosen = replace(chosen, store=folder / "runs")
    start = time.perf_counter()
    sections, files = [], []
    summaries: dict[str, pd.DataFrame] = {}
    for figure in figures:
        section, written, summary = _make(figure, chosen, folder)
        sections.append(section)
        summaries.update(summary)
        files.extend(written)
        if report is not None:
            report(f"{figure.name:<18}{section.seconds:6.1f} s   {figure.title}")
    record = _record(chosen, sections)
    overview = overview_table(summaries) if summaries else None
    for name, content in (
        ("record.json", json.dumps(record, indent=2) + "\n"),
        ("index.html", report_page(sections, record, overview=overview)),
        *([] if overview is None else [("overview.csv", overview.to_csv(index=False, float_format="%.17g"))]),
    ):
        write_atomically(folder / name, content)
        files.append(folder / name)
    return Reproduction(folder, folder / "index.html", tuple(files), time.perf_counter() - start)


def _make(
    figure: Figure[Any], settings: Settings, folder: Path
) -> tuple[Section, list[Path], Mapping[str, pd.DataFrame]]:
    """Compute, draw and write one figure; its files appear only after everything about it worked."""
    start = time.perf_counter()
    result = figure.compute(settings)
    wide = _drawn(figure, result, narrow=False)
    narrow = rendered(_drawn(figure, result, narrow=True), "png")
    tables = figure.tables(result)
    image = rendered(wide, "png")
    contents: dict[str, bytes | str] = {
        f"{figure.name}.png": image,
        f"{figure.name}.pdf": rendered(wide, "pdf"),
    }
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
    )
    return section, [folder / name for name in contents], figure.summaries(result)


def _drawn(figure: Figure[Any], result: object, *, narrow: bool) -> matplotlib.figure.Figure:
    import matplotlib as mpl

    with mpl.rc_context(STYLE):
        canvas, axes = panels(figure.n_panels, narrow=narrow)
        figure.draw(result, axes)
    return canvas


def _record(settings: Settings, sections: Sequence[Section]) -> dict[str, Any]:
    versions = show_versions()
    return {
        "seed": settings.seed,
        "parameters": {key: value for key, value in asdict(settings).items() if key in ("quick", "n_jobs")},
        "seconds": {section.name: round(section.seconds, 2) for section in sections},
        "python": versions.python,
        "platform": versions.platform,
        "versions": versions.packages,
    }
