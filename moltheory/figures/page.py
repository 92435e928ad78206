"""The report page: one self-contained HTML file, readable on a desk and on a phone."""

from __future__ import annotations

import base64
import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Section", "report_page"]

_MOST_ROWS = 60

_CSS = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1120px; padding: 16px 20px 48px; background: #fff; color: #1a1a1a;
       font: 17px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0.6em 0 0.3em; }
h2 { font-size: 1.25rem; line-height: 1.3; margin: 2.2em 0 0.5em; }
p { max-width: 72ch; }
nav ul { padding-left: 1.1em; }
a { color: #00578a; }
figure { margin: 0; }
img { display: block; width: 100%; height: auto; }
details { margin: 0.6em 0; }
summary { cursor: pointer; color: #00578a; padding: 4px 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
th, td { padding: 3px 10px; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap; }
th { text-align: right; background: #f5f5f5; position: sticky; top: 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; font-size: 14px; }
dt { color: #555; }
dd { margin: 0; }
.overview th { white-space: normal; min-width: 7em; vertical-align: bottom; }
.overview td:first-child, .overview th:first-child { text-align: left; }
@media (max-width: 700px) { body { padding: 8px 14px 32px; font-size: 16px; } h1 { font-size: 1.4rem; } }
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
    "n types": "number of sample types enumerated",
}

_INTRODUCTION = (
    "Learning with several objectives gives an <em>empirical</em> Pareto front, from finite data. How far is it "
    "from the true one? Two questions, two answers. <strong>Coverage error</strong>: how far is each truly "
    "optimal model from the nearest one on the empirical front? It is at most twice the largest deviation between "
    "true and empirical risks, in every sample. <strong>Purity error</strong>: how far is each model on the "
    "empirical front from the nearest truly optimal one? It can stay large for every number of examples. All "
    "distances are in true risks; everything is minimised. The asymmetry is due to P. Súkeník and C. H. Lampert, "
    '"Generalization in multi-objective machine learning", arXiv 2208.13499.'
)


@dataclass(frozen=True)
class Section:
    """One figure of the page: its words, its two images and its tables."""

    name: str
    title: str
    caption: str
    wide: bytes
    narrow: bytes
    tables: dict[str, pd.DataFrame]
    seconds: float


def report_page(sections: Sequence[Section], record: dict[str, Any], *, overview: pd.DataFrame | None = None) -> str:
    """Return the page as HTML without any reference to other files.

    Parameters
    ----------
    sections : sequence of Section
    record : dict
        The run record: seed, parameters, seconds, versions.
    overview : pandas.DataFrame, optional
        As `overview_table` returns it.

    Returns
    -------
    str
    """
    links = "".join(f'<li><a href="#{s.name}">{html.escape(s.title)}</a></li>' for s in sections)
    body = "".join(_section(section) for section in sections)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>moltheory: which part of an empirical Pareto front is real?</title>\n<style>{_CSS}</style>\n"
        "</head>\n<body>\n<h1>Which part of an empirical Pareto front is real?</h1>\n"
        f"{_budget(record)}<p>{_INTRODUCTION}</p>\n<nav><ul>{links}</ul></nav>\n{_overview(overview)}{body}{_glossary()}{_record_section(record)}</body>\n</html>\n"
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
    cells = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    titles = "".join(f"<th>{html.escape(title)}</th>" for title in head)
    return (
        '<section id="overview">\n<h2>In numbers</h2>\n<p>Simulated means per problem; a sample that leaves some '
        "group empty makes no claim. The table scrolls sideways on a narrow screen.</p>\n"
        '<div class="scroll"><table class="overview"><thead><tr>'
        f"{titles}</tr></thead><tbody>{cells}</tbody></table></div></section>\n"
    )


def _section(section: Section) -> str:
    tables = "".join(_table(section.name, name, table) for name, table in section.tables.items())
    title = html.escape(section.title)
    return (
        f'<section id="{section.name}">\n<h2>{title}</h2>\n<figure><picture>'
        f'<source media="(max-width: 700px)" srcset="{_data_uri(section.narrow)}">'
        f'<img src="{_data_uri(section.wide)}" alt="{title}" style="max-width:{_css_width(section.wide)}px">'
        "</picture></figure>\n"
        f"<p>{html.escape(section.caption)}</p>\n{tables}</section>\n"
    )


def _table(section: str, name: str, table: pd.DataFrame) -> str:
    shown = table.head(_MOST_ROWS)
    rest = len(table) - len(shown)
    more = f"<p>{rest:,} more rows in <code>{section}_{name}.csv</code>.</p>" if rest else ""
    label = html.escape(name.replace("_", " "))
    head = "".join(f"<th>{html.escape(str(column)).replace('_', ' ')}</th>" for column in shown.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(_cell(value))}</td>" for value in row) + "</tr>"
        for row in shown.itertuples(index=False)
    )
    return (
        f'<details><summary>Numbers: {label}</summary><div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{more}</details>\n"
    )


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def _glossary() -> str:
    rows = "".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(text)}</dd>" for name, text in _COLUMNS.items())
    return f'<section id="columns">\n<h2>Columns of the tables</h2>\n<dl>{rows}</dl></section>\n'


def _record_section(record: dict[str, Any]) -> str:
    rows = []
    for key, value in record.items():
        text = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else str(value)
        rows.append(f"<dt>{html.escape(key)}</dt><dd>{html.escape(text)}</dd>")
    return f'<section id="record">\n<h2>Run record</h2>\n<dl>{"".join(rows)}</dl></section>\n'


def _css_width(png: bytes) -> int:
    """Return the width at which the text of a figure is about as large as that of the page."""
    pixels = int.from_bytes(png[16:20], "big")  # the header chunk begins with the width
    return round(pixels / 1.6)


def _data_uri(image: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(image).decode("ascii")
