"""The report of a certificate: one self-contained HTML page, readable on a desk and on a phone."""

from __future__ import annotations

import html
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from moltheory.certification._certificate import Certificate
from moltheory.certification._format import (
    confidence_text,
    count_text,
    directions_text,
    summary_sentence,
    verdict_rows,
)
from moltheory.certification._groups import groups_not_told_apart
from moltheory.plotting import STYLE, panels, rendered
from moltheory.reports._html import html_document, html_picture, html_rows, html_terms

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["certificate_page"]

_CSS = """
.tiles { display: flex; flex-wrap: wrap; gap: 10px; margin: 1em 0; padding: 0; list-style: none; }
.tiles li { flex: 1 1 100px; border-left: 5px solid; padding: 6px 12px; background: #f7f7f7; }
.tiles b { display: block; font-size: 1.7rem; line-height: 1.2; }
.sure, .sure > td:first-child { border-left-color: #0072B2 !important; }
.undecided, .undecided > td:first-child { border-left-color: #D55E00 !important; }
.excluded, .excluded > td:first-child { border-left-color: #6E6E6E !important; }
td, th { text-align: left; }
td:last-child, .verdicts td:first-child, .verdicts td:nth-child(3) { white-space: normal; overflow-wrap: anywhere; }
.verdicts td:first-child { min-width: 9em; }
tr.sure > td:first-child, tr.undecided > td:first-child, tr.excluded > td:first-child { border-left: 4px solid; }
.members td:last-child { min-width: 12em; overflow-wrap: anywhere; }
dl { grid-template-columns: minmax(6em, max-content) 1fr; font-size: 16px; }
@media (max-width: 700px) {
  dl { display: block; }
  dt { margin-top: 0.6em; }
  .tiles li { padding: 6px 8px; }
  tr.sure, tr.undecided, tr.excluded { border-left: 4px solid; }
  tr.sure > td:first-child, tr.undecided > td:first-child, tr.excluded > td:first-child { border-left: 0; }
}
"""

# With more models, long tables are folded and groups of models are listed.
_GROUPED_FROM = 12
_MOST_ROWS = 300
_MOST_PANELS = 6

_WITHOUT_SLACK = (
    (
        "on the front",
        "No other model is at least as good in every objective and better in one: whoever picks another model gives "
        "something up.",
    ),
    ("not on it", "The named model beats it: at least as good in every objective, and better in one."),
)
_WITH_SLACK = (
    (
        "on the front",
        "To within the slack: no other model is better by it, or more, in every objective, and none is seen to dominate "
        "this one.",
    ),
    ("not on it", "The named model dominates it: at least as good everywhere and better somewhere, slack or not."),
)
_REPLACEABLE = (
    "replaceable by",
    "A model that costs no more, and less in some cost, and is worse by less than the slack in every other objective.",
)
_TERMS = (
    ("undecided", "These examples cannot tell; it may turn out either way with more of them."),
    (
        "[low, high]",
        "The box: intervals for all models and objectives that hold the true values all at once. Two models whose "
        "boxes overlap can still be told apart, on the examples both were evaluated on.",
    ),
    ("confidence", "One minus the adjusted p-value of the verdict that the model is not on the front."),
)


def certificate_page(certificate: Certificate, /, *, title: str = "", further: pd.DataFrame | None = None) -> str:
    """Return a report page as HTML without any reference to other files.

    Parameters
    ----------
    certificate : Certificate
    title : str, optional
        What was certified, such as the file's name.
    further : pandas.DataFrame, optional
        As `further_examples` returns it.

    Returns
    -------
    str

    Examples
    --------
    >>> import numpy as np
    >>> from moltheory.certification import certify
    >>> page = certificate_page(certify(np.eye(2)[:, :, None]), title="two models")
    >>> page.startswith("<!DOCTYPE html>"), "http" in page
    (True, False)
    """
    head, rows = verdict_rows(certificate)
    kinds = sorted(certificate.status, key=("sure", "undecided", "excluded").index)
    more = f"<p>The first {_MOST_ROWS} of {len(rows):,} models.</p>" if len(rows) > _MOST_ROWS else ""
    terms = [*(_WITH_SLACK if certificate.epsilon.any() else _WITHOUT_SLACK), *_TERMS]
    if certificate.replaceable_by.max() >= 0:
        terms.append(_REPLACEABLE)
    heading = "Which models are really on the front?"
    subtitle = f"<p><strong>{html.escape(title)}</strong></p>\n" if title else ""
    body = (
        f"<h1>{heading}</h1>\n{subtitle}<p>{html.escape(summary_sentence(certificate))}</p>\n{_tiles(certificate)}"
        f"{_figure(certificate)}"
        f'<section id="models">\n<h2>Models</h2>\n<p>{html.escape(directions_text(certificate))}</p>\n'
        f"{html_rows(head, rows[:_MOST_ROWS], kind='stack verdicts', row_kinds=kinds[:_MOST_ROWS])}{more}</section>\n"
        f"{_winners(certificate)}{_groups(certificate)}{_further(certificate, further)}{_guarantee(certificate)}"
        f'<section id="reading">\n<h2>How to read this</h2>\n{html_terms(terms)}</section>\n'
    )
    return html_document(f"{heading} {title}".strip(), body, css=_CSS)


def _tiles(certificate: Certificate) -> str:
    slack = " (to within the slack)" if certificate.epsilon.any() else ""
    tiles = (("sure", f"on the front{slack}"), ("undecided", "undecided"), ("excluded", "not on it"))
    items = "".join(
        f'<li class="{status}"><b>{int(getattr(certificate, status).sum()):,}</b>{words}</li>'
        for status, words in tiles
    )
    return f'<ul class="tiles">{items}</ul>\n'


def _figure(certificate: Certificate) -> str:
    m = len(certificate.objectives)
    kinds = {
        1: "Each model's estimate and the interval that holds its true value.",
        2: "Each model's estimates (marker) and its box (lines).",
        3: "Each model's estimates (marker) and its box (lines), for every pair of objectives.",
    }
    caption = kinds.get(m, "The first objective against the others: estimates (markers) and boxes (lines).")
    picture = html_picture(_drawn(certificate, narrow=False), _drawn(certificate, narrow=True), "Front with boxes")
    return (
        f'<section id="front">\n<h2>The front with its boxes</h2>\n{picture}<p>{caption} Boxes hold all at once; verdicts '
        "may come from paired comparisons that are sharper than boxes, so boxes of decided models may overlap.</p>"
        "</section>\n"
    )


def _drawn(certificate: Certificate, *, narrow: bool) -> bytes:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    m = len(certificate.objectives)
    with mpl.rc_context(STYLE):
        if m <= 2:
            # Names of models stand beside their intervals.
            height = min(max(4.6, 0.24 * len(certificate)), 12.0) if m == 1 else 4.8
            figure = Figure(figsize=(4.3 if narrow else 7.6, height), layout="constrained")
            certificate.plot(figure.subplots())
        else:
            pairs = [(0, i) for i in range(1, min(m, _MOST_PANELS + 1))] + ([(1, 2)] if m == 3 else [])
            figure, axes = panels(len(pairs), narrow=narrow)
            for ax, pair in zip(axes, pairs, strict=True):
                _projected(certificate, pair).plot(ax)
                if ax is not axes[0]:
                    ax.set_title("")
                    legend = ax.get_legend()
                    if legend is not None:
                        legend.remove()
        return rendered(figure, "png")


def _projected(certificate: Certificate, pair: tuple[int, int]) -> Certificate:
    """Return the certificate, verdicts and all, with two of its objectives."""
    kept = list(pair)
    return replace(
        certificate,
        objectives=tuple(certificate.objectives[i] for i in kept),
        maximise=tuple(certificate.maximise[i] for i in kept),
        methods=tuple(certificate.methods[i] for i in kept),
        data_dependent=certificate.data_dependent[kept],
        estimates=certificate.estimates[:, kept],
        boxes=certificate.boxes[:, kept],
        epsilon=certificate.epsilon[kept],
    )


def _winners(certificate: Certificate) -> str:
    """Tell, for every model that is not excluded, whom it beats."""
    rows = []
    for b in np.flatnonzero(~certificate.excluded).tolist():
        beaten = [certificate.names[h] for h in np.flatnonzero(certificate.beats[b]).tolist()]
        if beaten:
            rows.append([certificate.names[b], f"{len(beaten):,}", ", ".join(beaten)])
    rows.sort(key=lambda row: -int(row[1].replace(",", "")))
    table = html_rows(["model", "beats", "namely"], rows, kind="stack members")
    if not rows:
        said = "<p>No model is shown to beat another one.</p>"
    elif len(certificate) <= _GROUPED_FROM:
        said = table
    else:
        said = f"<details><summary>{len(rows):,} models that beat others</summary>{table}</details>"
    return f'<section id="dominance">\n<h2>Who beats whom</h2>\n{said}</section>\n'


def _groups(certificate: Certificate) -> str:
    """With many models: which cannot be told apart by their losses."""
    if len(certificate) <= _GROUPED_FROM or not certificate.data_dependent.any():
        return ""
    groups = groups_not_told_apart(certificate)
    if len(groups) == len(certificate):
        return ""
    rows = [
        [f"{g + 1}", f"{len(members):,}", ", ".join(certificate.names[h] for h in members)]
        for g, members in enumerate(groups.members)
    ]
    return (
        '<section id="groups">\n<h2>Groups that cannot be told apart</h2>\n<p>Within a group no two models are told apart '
        "by their losses: choose among them by cost or taste.</p>\n<details><summary>"
        f"{len(groups):,} groups of {len(certificate):,} models</summary>"
        f"{html_rows(['group', 'models', 'members'], rows, kind='members')}</details></section>\n"
    )


def _further(certificate: Certificate, further: pd.DataFrame | None) -> str:
    title = '<section id="more">\n<h2>What more data would buy</h2>\n'
    if not certificate.undecided.any():
        return f"{title}<p>Nothing: every model is decided.</p></section>\n"
    if further is None:
        return ""
    rows = []
    for row in further.to_dict("records"):
        bound, low = float(row["bound"]), float(row["bound_low"])
        rows.append(
            [
                str(row["model"]),
                str(row["hardest"]),
                f"{int(row['open']):,}",
                count_text(float(row["more"])),
                count_text(bound),
                count_text(low) if np.isinf(low) else f"{count_text(low)} to {count_text(float(row['bound_high']))}",
            ]
        )
    hopeless = int(np.isinf(further["bound"].to_numpy(dtype=float)).sum())
    advice = (
        f" {hopeless:,} of them show no gap to some rival: more examples may never tell the two apart, and a slack "
        "(epsilon) is then the better question."
        if hopeless
        else ""
    )
    missing = int(certificate.undecided.sum()) - len(rows)
    if missing:
        advice += f" {missing:,} not listed should need few: each of their comparisons is settled by itself already."
    if certificate.epsilon.any():
        advice += " The slack is left out of account."
    advice += (
        " To look, add examples and look again is another experiment: certify the new examples alone, or use a "
        "CertificateStream, whose verdicts hold at every look."
    )
    head = ["model", "hardest rival", "rivals open", "expected", "80%, observed rates", "if gaps are ±1 s.e."]
    table = html_rows(head, rows, kind="stack") if rows else ""
    return (
        f"{title}<p>Further examples (of clustered ones: clusters) that would settle each undecided model, beyond the "
        f"{certificate.n_examples:,} at hand, if the rates observed so far are the true ones (about half of all cases need "
        f"more than the expected number; 80%: enough in that many). Last column: if gaps are one standard error larger or "
        f"smaller; its upper end is enough in 80% of cases whatever the true rates. A plan, not a guarantee.{advice}</p>\n"
        f"{table}</section>\n"
    )


def _guarantee(certificate: Certificate) -> str:
    shares = [(engine, f"{share:g} of {certificate.delta:g}") for engine, share in certificate.spent]
    methods = list(zip(certificate.objectives, certificate.methods, strict=True))
    assumed = "".join(f"<li>{html.escape(text)}</li>" for text in certificate.assumptions)
    return (
        f'<section id="guarantee">\n<h2>What is guaranteed</h2>\n<p>Over draws of the examples, the probability that any '
        f"verdict, dominance or box above is false (a model called on the front that is not, one ruled out that is on it, a "
        f"box that misses) is at most {certificate.delta:g}, so confidence is {confidence_text(certificate.delta)} for all "
        f"of them together. It rests on this:</p>\n<ul>{assumed}</ul>\n<p>How the {certificate.delta:g} was split, before "
        f"looking at the data:</p>\n{html_terms(shares)}\n<p>Methods:</p>\n{html_terms(methods)}</section>\n"
    )
