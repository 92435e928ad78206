"""The report page: one self-contained HTML file, readable on a desk and on a phone."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moltheory.reports._html import html_document, html_picture, html_rows, html_terms

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Opening", "Section", "report_page"]

_MOST_ROWS = 60

_CSS = """
.overview th { white-space: normal; min-width: 7em; vertical-align: bottom; }
.overview td:first-child, .overview th:first-child { text-align: left; }
"""

_COLUMNS = {
    "violations": "samples with coverage error above twice the largest deviation (plus discretization); must be 0",
    "above bound": "samples with coverage error above the bound; expected in at most 5 % of them",
    "bound, vacuous": "twice the joint width; vacuous if no smaller than the largest possible risk",
    "uniform deviation": "largest difference between an empirical and a true risk",
    "undefined": "samples in which a group was empty, so that some rate does not exist; left out of the means",
    "discretization": "what the grids of weights of an infinite class can miss; 0 for a finite class",
    "worst ratio": "largest coverage error / (2 × uniform deviation) over all samples; at most 1",
    "p spurious": "probability that some member of the empirical front is not truly optimal",
    "low, high": "ends of a 95 % normal interval for the mean",
    "share, certified share": "part of the simplex of weights for which a point is returned, and is so for certain",
    "excess": "true scalarized risk of an empirical minimiser, or value of a solution, above the smallest one",
    "gap, rigorous": "bound on how far a solver's value is above the smallest one, and whether it is proven",
    "largest augmentation": "ρ up to which an augmented Chebyshev scalarization still returns the point",
    "n types": "number of sample types enumerated",
}


@dataclass(frozen=True)
class Section:
    """One figure of the page: its words, its two images and its tables.

    Attributes
    ----------
    name, title : str
    caption : str
        One paragraph per line.
    wide, narrow : bytes
        PNG, for a desk and for a phone.
    tables : dict
        By label.
    seconds : float
    part : str
        Heading of the part of the page that starts with the first of its sections; none by default.
    """

    name: str
    title: str
    caption: str
    wide: bytes
    narrow: bytes
    tables: dict[str, pd.DataFrame]
    seconds: float
    part: str = ""


@dataclass(frozen=True)
class Opening:
    """How a page begins: its heading, and what it is about in HTML."""

    heading: str
    introduction: str


def report_page(
    sections: Sequence[Section], record: dict[str, Any], opening: Opening, *, overview: pd.DataFrame | None = None
) -> str:
    """Return the page as HTML without any reference to other files.

    Parameters
    ----------
    sections : sequence of Section
        Those of one part follow one another.
    record : dict
        The run record: seed, parameters, seconds, versions.
    opening : Opening
    overview : pandas.DataFrame, optional
        As `moltheory.figures.overview_table` returns it.

    Returns
    -------
    str
    """
    links = "".join(f'<li><a href="#{s.name}">{html.escape(s.title)}</a></li>' for s in sections)
    parts = ["", *(section.part for section in sections)]
    body = "".join(
        (f"<h1>{html.escape(section.part)}</h1>\n" if section.part != before else "") + _section(section)
        for before, section in zip(parts, sections, strict=False)
    )
    return html_document(
        f"moltheory: {opening.heading}",
        f"<h1>{html.escape(opening.heading)}</h1>\n"
        f"{_budget(record)}<p>{opening.introduction}</p>\n<nav><ul>{links}</ul></nav>\n{_overview(overview)}{body}"
        f"{_glossary()}{_record_section(record)}",
        css=_CSS,
    )


def _budget(record: dict[str, Any]) -> str:
    if not record.get("parameters", {}).get("quick"):
        return ""
    return "<p><strong>Small budget</strong>: fewer samples and smaller n than the full report.</p>\n"


def _overview(table: pd.DataFrame | None) -> str:
    if table is None:
        return ""
    head = (
        "problem", "mean coverage error stays below 0.01 from n =", "mean purity error there", "bound on coverage "
        "there",
        "samples that make a claim, all n", "of these above 2 × deviation",
    )  # fmt: skip
    rows = []
    numbers = table[["n", "purity_error", "bound", "vacuous", "samples", "violations"]].to_numpy(dtype=float).tolist()
    for problem, (n, purity, bound, vacuous, samples, violations) in zip(table["problem"], numbers, strict=True):
        tail = (f"{samples:,.0f}", f"{violations:.0f}")
        if math.isnan(n):
            rows.append((str(problem), "not reached", "", "", *tail))
            continue
        limit = "none" if math.isinf(bound) else f"{bound:.3g}{' (vacuous)' if vacuous else ''}"
        rows.append((str(problem), f"{n:,.0f}", f"{purity:.3g}", limit, *tail))
    return (
        '<section id="overview">\n<h2>In numbers</h2>\n<p>Simulated means per problem; a sample that leaves some '
        "group empty makes no claim. The table scrolls sideways on a narrow screen.</p>\n"
        f"{html_rows(head, rows, kind='overview')}</section>\n"
    )


def _section(section: Section) -> str:
    tables = "".join(_table(section.name, name, table) for name, table in section.tables.items())
    title = html.escape(section.title)
    words = "".join(f"<p>{html.escape(line)}</p>\n" for line in section.caption.splitlines())
    return (
        f'<section id="{section.name}">\n<h2>{title}</h2>\n{html_picture(section.wide, section.narrow, section.title)}'
        f"{words}{tables}</section>\n"
    )


def _table(section: str, name: str, table: pd.DataFrame) -> str:
    shown = table.head(_MOST_ROWS)
    rest = len(table) - len(shown)
    more = f"<p>{rest:,} more rows in <code>{section}_{name}.csv</code>.</p>" if rest else ""
    label = html.escape(name.replace("_", " "))
    head = [str(column).replace("_", " ") for column in shown.columns]
    rows = [[_cell(value) for value in row] for row in shown.itertuples(index=False)]
    return f"<details><summary>Numbers: {label}</summary>{html_rows(head, rows)}{more}</details>\n"


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def _glossary() -> str:
    return f'<section id="columns">\n<h2>Columns of the tables</h2>\n{html_terms(list(_COLUMNS.items()))}</section>\n'


def _record_section(record: dict[str, Any]) -> str:
    rows = []
    for key, value in record.items():
        text = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else str(value)
        rows.append((key, text))
    return f'<section id="record">\n<h2>Run record</h2>\n{html_terms(rows)}</section>\n'
