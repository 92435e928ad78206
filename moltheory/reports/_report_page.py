"""The report page: one self-contained HTML file, readable on a desk and on a phone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moltheory._core._file_names import file_stem
from moltheory._core._text import visible
from moltheory.reports._html import anchors, render_page

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Opening", "Section", "report_page"]

_MOST_ROWS = 60

# What the page itself calls its sections.
_TAKEN = ("overview", "columns", "record")
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
    from markupsafe import Markup

    parts = ["", *(section.part for section in sections)]
    names = anchors((section.name for section in sections), taken=_TAKEN)
    return render_page(
        "report.html.j2",
        title=f"moltheory: {opening.heading}",
        heading=opening.heading,
        introduction=Markup(opening.introduction),
        quick=bool(record.get("parameters", {}).get("quick")),
        overview=None if overview is None else _overview(overview),
        sections=[
            _section(section, anchor, section.part if section.part != before else "")
            for before, section, anchor in zip(parts, sections, names, strict=False)
        ],
        columns=list(_COLUMNS.items()),
        record=[(key, _listed(value)) for key, value in record.items()],
    )


def _overview(table: pd.DataFrame) -> dict[str, Any]:
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
            rows.append((visible(str(problem)), "not reached", "", "", *tail))
            continue
        limit = "none" if math.isinf(bound) else f"{bound:.3g}{' (vacuous)' if vacuous else ''}"
        rows.append((visible(str(problem)), f"{n:,.0f}", f"{purity:.3g}", limit, *tail))
    return {"head": head, "rows": rows}


def _section(section: Section, anchor: str, part: str) -> dict[str, Any]:
    return {
        "anchor": anchor,
        "part": part,
        "title": section.title,
        "wide": section.wide,
        "narrow": section.narrow,
        "paragraphs": section.caption.splitlines(),
        "tables": [_table(section.name, name, table) for name, table in section.tables.items()],
    }


def _table(section: str, name: str, table: pd.DataFrame) -> dict[str, Any]:
    shown = table.head(_MOST_ROWS)
    return {
        "label": name.replace("_", " "),
        "head": [visible(str(column)).replace("_", " ") for column in shown.columns],
        "rows": [[_cell(value) for value in row] for row in shown.itertuples(index=False)],
        "rest": len(table) - len(shown),
        "file": f"{file_stem(section)}_{file_stem(name)}.csv",
    }


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else visible(str(value))


def _listed(value: object) -> str:
    return ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else str(value)
