"""Pages: one self-contained HTML file, readable on a desk and on a phone, without any request to elsewhere."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence

__all__ = ["html_document", "html_picture", "html_rows", "html_terms"]

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
@media (max-width: 700px) {
  body { padding: 8px 14px 32px; font-size: 16px; }
  h1 { font-size: 1.4rem; }
  .stack, .stack tbody, .stack tr, .stack td { display: block; }
  .stack { font-size: 15px; }
  .stack thead, .stack td:empty { display: none; }
  .stack tr { padding: 6px 0 6px 10px; border-bottom: 1px solid #ddd; }
  .stack td { border: 0; padding: 0; text-align: left; white-space: normal; overflow-wrap: anywhere; }
  .stack td::before { content: attr(data-label) ": "; color: #555; }
  .stack td:first-child { font-weight: 600; }
  .stack td:first-child::before { content: none; }
}
"""


def html_document(title: str, body: str, *, css: str = "") -> str:
    """Return a page with the common style.

    Parameters
    ----------
    title : str
        Plain text, for the window.
    body : str
        HTML.
    css : str, optional
        Rules of this page, after the common ones.

    Returns
    -------
    str

    Examples
    --------
    >>> html_document("A < B", "<h1>Hello</h1>").count("A &lt; B")
    1
    """
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>{html.escape(title)}</title>\n<style>{_CSS}{css}</style>\n"
        f"</head>\n<body>\n{body}</body>\n</html>\n"
    )


def html_picture(wide: bytes, narrow: bytes, alt: str) -> str:
    """Return a figure with one PNG for a desk and one for a phone, both inline."""
    return (
        f'<figure><picture><source media="(max-width: 700px)" srcset="{_data_uri(narrow)}">'
        f'<img src="{_data_uri(wide)}" alt="{html.escape(alt)}" style="max-width:{_css_width(wide)}px">'
        "</picture></figure>\n"
    )


def html_rows(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    kind: str = "",
    row_kinds: Sequence[str] = (),
) -> str:
    """Return a table of plain texts that scrolls sideways by itself, not with the page.

    Parameters
    ----------
    head : sequence of str
        Titles of the columns.
    rows : sequence of sequence of str
    kind : str, optional
        Classes of the table; with ``"stack"`` a phone shows every row as a card, its first cell as the title.
    row_kinds : sequence of str, optional
        A class per row.

    Returns
    -------
    str

    Examples
    --------
    >>> html_rows(["n"], [["1 < 2"]])
    '<div class="scroll"><table><thead><tr><th>n</th></tr></thead><tbody><tr><td>1 &lt; 2</td></tr></tbody></table></div>'
    """
    stacked = "stack" in kind.split()
    titles = [html.escape(title) for title in head]
    labels = [f' data-label="{title}"' if stacked else "" for title in titles]
    names = [f' class="{name}"' for name in row_kinds] or [""] * len(rows)
    cells = (
        "".join(f"<td{label}>{html.escape(cell)}</td>" for label, cell in zip(labels, row, strict=True)) for row in rows
    )
    body = "".join(f"<tr{name}>{row}</tr>" for name, row in zip(names, cells, strict=True))
    table = f' class="{kind}"' if kind else ""
    titled = "".join(f"<th>{title}</th>" for title in titles)
    return f'<div class="scroll"><table{table}><thead><tr>{titled}</tr></thead><tbody>{body}</tbody></table></div>'


def html_terms(terms: Sequence[tuple[str, str]]) -> str:
    """Return a list of terms and what they mean, both plain texts."""
    rows = "".join(f"<dt>{html.escape(term)}</dt><dd>{html.escape(text)}</dd>" for term, text in terms)
    return f"<dl>{rows}</dl>"


def _css_width(png: bytes) -> int:
    """Return the width at which the text of a figure is about as large as that of the page."""
    pixels = int.from_bytes(png[16:20], "big")  # the header chunk begins with the width
    return round(pixels / 1.6)


def _data_uri(image: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(image).decode("ascii")
