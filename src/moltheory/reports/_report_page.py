"""The report page: one self-contained HTML file, readable on a desk and on a phone."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from moltheory._core._file_names import file_stem
from moltheory._core._html_repr import Shown
from moltheory._core._numbers import bound_text, count_text, number_text
from moltheory._core._text import visible
from moltheory.reports._html import anchors, render_page
from moltheory.reports._images import css_size
from moltheory.reports._table_texts import head_texts, row_texts, text_columns

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Extra", "Opening", "Section", "report_page"]

_MOST_ROWS = 60

# What the page itself calls its sections.
_TAKEN = ("contents", "try", "overview", "columns", "record")
_COLUMNS = {
    "violations": "samples with coverage error above twice the largest deviation (plus discretization); must be 0",
    "above bound": "samples with coverage error above the bound; expected in at most 5% of them",
    "bound": "twice the joint width; it says nothing if it is no smaller than the largest possible risk",
    "uniform deviation": "largest difference between an empirical and a true risk",
    "undefined": "samples in which a group was empty, so that some rate does not exist; left out of the means",
    "discretization": "what the grids of weights of an infinite class can miss; 0 for a finite class",
    "worst ratio": "largest coverage error / (2 × uniform deviation) over all samples; at most 1",
    "p spurious": "probability that some member of the empirical front is not truly optimal",
    "low, high": "ends of a 95% normal interval for the mean",
    "share, certified share": "part of the simplex of weights for which a point is returned, and is so for certain",
    "excess": "true scalarized risk of an empirical minimiser, or value of a solution, above the smallest one",
    "gap, rigorous": "bound on how far a solver's value is above the smallest one, and whether it is proven",
    "largest augmentation": "ρ up to which an augmented Chebyshev scalarization still returns the point",
    "n types": "number of sample types enumerated",
}


@dataclass(frozen=True, repr=False)
class Section(Shown):
    """One figure of the page: its words, its two images and its tables.

    Attributes
    ----------
    name, title : str
    caption : str
        One paragraph per line.
    wide, narrow : bytes
        WebP or PNG, for a desk and for a phone.
    tables : dict
        By label.
    seconds : float
    part : str
        Heading of the chapter that starts with the first of its sections; none by default.
    details : str
        Further paragraphs, one per line, in a fold.
    alt : str
        What is seen; the title by default.
    lead : pandas.DataFrame, optional
        A table of texts above the picture.
    """

    name: str
    title: str
    caption: str
    wide: bytes
    narrow: bytes
    tables: dict[str, pd.DataFrame]
    seconds: float
    part: str = ""
    details: str = ""
    alt: str = ""
    lead: pd.DataFrame | None = None


@dataclass(frozen=True, repr=False)
class Extra(Shown):
    """A section of its own after the first chapter, such as one that the reader may play with.

    Attributes
    ----------
    heading : str
        Also what the link to it says.
    body : str
        HTML, trusted.
    style : str
        CSS, trusted, for the style sheet of the page.
    scripts : tuple of str
        Static scripts of the package, see `render_page`.
    """

    heading: str
    body: str
    style: str = ""
    scripts: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class Opening(Shown):
    """How a page begins.

    Attributes
    ----------
    heading : str
    introduction : str
        Two or three sentences of HTML, trusted: the first picture follows at once.
    details : str
        Further HTML, trusted, in a fold at the end.
    chapters : mapping of str to str
        A sentence about each chapter, by its heading.
    extra : Extra, optional
    """

    heading: str
    introduction: str
    details: str = ""
    chapters: Mapping[str, str] = field(default_factory=dict)
    extra: Extra | None = None


def report_page(
    sections: Sequence[Section], record: dict[str, Any], opening: Opening, *, overview: pd.DataFrame | None = None
) -> str:
    """Return the page as HTML without any reference to other files.

    Parameters
    ----------
    sections : sequence of Section
        Those of one chapter follow one another.
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

    headings = list(dict.fromkeys(section.part for section in sections))
    names = anchors([*(section.name for section in sections), *headings], taken=_TAKEN)
    shown = [_section(section, anchor, opening) for section, anchor in zip(sections, names, strict=False)]
    extra = opening.extra
    return render_page(
        "report.html.j2",
        scripts=() if extra is None else extra.scripts,
        title=f"moltheory: {opening.heading}",
        heading=opening.heading,
        introduction=Markup(opening.introduction),
        details=Markup(opening.details),
        quick=bool(record.get("parameters", {}).get("quick")),
        overview=None if overview is None else _overview(overview),
        chapters=_chapters(sections, shown, names[len(shown) :], opening),
        extra=None if extra is None else {"heading": extra.heading, "body": Markup(extra.body)},
        style=Markup("" if extra is None else extra.style),
        first=shown[0]["anchor"] if shown else "",
        columns=list(_COLUMNS.items()),
        record=[(key, _listed(value)) for key, value in record.items()],
    )


def _chapters(
    sections: Sequence[Section], shown: Sequence[dict[str, Any]], names: Sequence[str], opening: Opening
) -> list[dict[str, Any]]:
    """Return the sections by chapter, each with its heading and the sentence about it."""
    pairs = itertools.groupby(zip(sections, shown, strict=True), key=lambda pair: pair[0].part)
    known = iter(names)
    anchor_of: dict[str, str] = {}
    found = []
    for heading, group in pairs:
        if heading not in anchor_of:
            anchor_of[heading] = next(known)
        found.append(
            {
                "heading": heading,
                "anchor": anchor_of[heading],
                "introduction": opening.chapters.get(heading, ""),
                "sections": [section for _, section in group],
            }
        )
    return found


def _overview(table: pd.DataFrame) -> dict[str, Any]:
    head = (
        *("problem", "coverage error below 0.01 from n", "purity error there", "bound on coverage error there"),
        *("samples, all n", "violations"),
    )
    rows = []
    numbers = table[["n", "purity_error", "bound", "vacuous", "samples", "violations"]].to_numpy(dtype=float).tolist()
    for problem, (n, purity, bound, vacuous, samples, violations) in zip(table["problem"], numbers, strict=True):
        tail = (count_text(samples), count_text(violations))
        if math.isnan(n):
            rows.append((visible(str(problem)), "not reached", "", "", *tail))
            continue
        limit = bound_text(bound, largest=min(bound, 1.0) if vacuous else math.inf)
        rows.append((visible(str(problem)), count_text(n), number_text(purity), limit, *tail))
    return {"head": head, "rows": rows}


def _section(section: Section, anchor: str, opening: Opening) -> dict[str, Any]:
    return {
        "anchor": anchor,
        "short": visible(section.name).replace("_", " "),
        # A page of one figure has its title at the top.
        "title": "" if section.title == opening.heading else section.title,
        "alt": section.alt or section.title,
        "wide": section.wide,
        "wide_size": css_size(section.wide),
        "narrow": section.narrow,
        "narrow_size": css_size(section.narrow),
        "paragraphs": section.caption.splitlines(),
        "details": section.details.splitlines(),
        "lead": None if section.lead is None else {"head": head_texts(section.lead), "rows": row_texts(section.lead)},
        "tables": [_table(section.name, name, table) for name, table in section.tables.items()],
    }


def _table(section: str, name: str, table: pd.DataFrame) -> dict[str, Any]:
    shown = table.head(_MOST_ROWS)
    return {
        "label": name.replace("_", " "),
        "head": head_texts(shown),
        "rows": row_texts(shown),
        "texts": text_columns(shown),
        "rest": len(table) - len(shown),
        "file": f"{file_stem(section)}_{file_stem(name)}.csv",
    }


def _listed(value: object) -> str:
    return ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else str(value)
