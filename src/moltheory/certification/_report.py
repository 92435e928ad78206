"""The report of a certificate: one self-contained HTML page, readable on a desk and on a phone.

It opens with what can be done (`_report_advice`); tables (`_report_tables`) and words (`_report_words`) follow, and the
statistics are folded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from moltheory._core._text import joined, named, plural, visible
from moltheory.certification._advice import next_step_of
from moltheory.certification._advice_text import witnesses
from moltheory.certification._certificate import Certificate
from moltheory.certification._explain import tolerance_sentence, tolerances
from moltheory.certification._format import directions_text, examples_text
from moltheory.certification._page_figure import figure_caption, page_figure
from moltheory.certification._report_advice import opening_of
from moltheory.certification._report_tables import dominance_table, groups_table, models_table, open_table, plan_table
from moltheory.certification._report_words import guarantee_text, terms_of
from moltheory.certification._words import model_numbers
from moltheory.reports._html import Marks, render_page

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["certificate_page"]

_HEADING = "Which models are really on the front?"
# Models up to which the next step is planned where no plan is given, which takes O(M^2) time.
_PLANNED = 300
_UNPLANNED = "How many more examples would decide is not planned here: Certificate.plan and further_examples do it."
# Objectives that are named at the top.
_NAMED = 4


def certificate_page(certificate: Certificate, /, *, title: str = "", further: pd.DataFrame | None = None) -> str:
    """Return a report page as HTML without any reference to other files.

    The page opens with what can be done: models to drop, with the one to use instead, models to keep, those about which
    the data cannot tell yet, and the cheapest next step. A figure and tables follow, which a click on a title sorts.

    Parameters
    ----------
    certificate : Certificate
    title : str, optional
        What was certified, such as the file's name.
    further : pandas.DataFrame, optional
        What `Certificate.plan` or `further_examples` returned. Without it, the next step is planned without simulations,
        for at most 300 models and where the certificate holds its statistics.

    Returns
    -------
    str

    Notes
    -----
    Complexity: O(M^2) time at most for M models (that of `Certificate.plan` if there is no plan), and a page of O(M)
    bytes.

    Examples
    --------
    >>> import numpy as np
    >>> from moltheory.certification import certify
    >>> page = certificate_page(certify(np.eye(2)[:, :, None]), title="two models")
    >>> page.startswith("<!DOCTYPE html>"), "What you can safely do" in page
    (True, True)
    """
    # Before the statistics are left behind.
    is_open = bool(certificate.undecided.any())
    allowed = tolerances(certificate) if is_open else [""] * len(certificate)
    meaning = tolerance_sentence(certificate).partition(": ")[2] if any(allowed) else ""
    planned = further
    if planned is None and is_open and len(certificate) <= _PLANNED and hasattr(certificate, "_statistics"):
        planned = certificate.plan(simulate=0)
    step = None if planned is None or planned.empty else next_step_of(planned)
    numbers = model_numbers(certificate)
    drawn = {place: page_figure(certificate, numbers=numbers, narrow=place == "narrow") for place in ("wide", "narrow")}
    caption = figure_caption(certificate)
    opening = opening_of(certificate, step, allowed)
    if is_open and not opening["steps"]:
        opening["steps"] = [_UNPLANNED]
    whole = {named(text): visible(text) for text in (*certificate.names, *certificate.objectives, title)}
    title = named(title)
    assumptions = [_with_names_cut(text, whole) for text in certificate.assumptions]
    certificate = _with_shown_names(certificate)
    return render_page(
        "certificate.html.j2",
        package="moltheory.certification",
        title=f"{_HEADING} {title}".strip(),
        heading=_HEADING,
        subtitle=title,
        about=_about(certificate),
        advice=opening,
        **drawn,
        caption=_with_names_cut(caption, whole),
        directions=directions_text(certificate),
        models=models_table(certificate),
        undecided=open_table(certificate, allowed),
        statements=witnesses(certificate)[1],
        dominance=dominance_table(certificate),
        groups=groups_table(certificate),
        all_decided=not is_open,
        plan=None if further is None else plan_table(certificate, further),
        unit="clusters" if certificate.n_clusters else "examples",
        at_hand=certificate.n_clusters or certificate.n_examples,
        delta=f"{certificate.delta:g}",
        guarantee=guarantee_text(certificate),
        assumptions=assumptions,
        shares=[(engine, f"{share:g} of {certificate.delta:g}") for engine, share in certificate.delta_allocation],
        methods=list(zip(certificate.objectives, certificate.methods, strict=True)),
        terms=terms_of(certificate, tolerances=f"X%: {meaning}" if meaning else ""),
        marks=Marks(whole),
    )


def _about(certificate: Certificate) -> str:
    """Return what was compared."""
    names = certificate.objectives
    shown = [named(name) for name in names] if len(names) <= _NAMED + 1 else [named(name) for name in names[:_NAMED]]
    more = [f"{len(names) - len(shown)} more objectives"] if len(names) > len(shown) else []
    return f"{plural(len(certificate), 'model')}, {examples_text(certificate)}, compared in {joined([*shown, *more])}"


def _with_shown_names(certificate: Certificate) -> Certificate:
    """Return the certificate with names as they stand in texts: every character is seen, and long ones are cut."""
    names, objectives = (tuple(map(named, texts)) for texts in (certificate.names, certificate.objectives))
    return replace(certificate, names=names, objectives=objectives)


def _with_names_cut(text: str, whole: Mapping[str, str]) -> str:
    """Return a sentence, which may hold names, with these as they stand in other texts."""
    text = visible(text)
    for shown, name in whole.items():
        # Others stand there as they are.
        text = text.replace(name, shown) if len(name) > len(shown) else text
    return text
