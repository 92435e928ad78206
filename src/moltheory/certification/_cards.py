"""How certificates, streams and results of claims are shown in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._card import MOST_ROWS, Card, Fold, Mark, Table
from moltheory._core._numbers import number_text
from moltheory._core._text import named, plural
from moltheory.certification._format import confidence_text
from moltheory.certification._format import number_text as outward_text
from moltheory.certification._words import reading_order, verdict_words

if TYPE_CHECKING:
    from moltheory.certification._certificate import Certificate
    from moltheory.certification._certify_claims import ClaimResults
    from moltheory.certification._claims import Comparisons
    from moltheory.certification._stream import CertificateStream

__all__ = ["certificate_card", "claims_card", "comparisons_card", "stream_card", "stream_line"]

_MARKS = {"sure": "good", "undecided": "open", "excluded": "bad"}
_MOST_OBJECTIVES = 4


def certificate_card(certificate: Certificate) -> Card:
    """Return the verdicts in the order and the words of the certificate's page, each model with its intervals."""
    from moltheory.certification._advice_text import headline, promise_text

    words, status = verdict_words(certificate), certificate.status
    objectives = [
        f"{named(name)}{' ↑' if up else ''}"
        for name, up in zip(certificate.objectives, certificate.maximise, strict=True)
    ]
    shown = reading_order(certificate)[:MOST_ROWS]
    rivals = [_dominated_by(certificate, h) for h in shown]
    head = ["#", "model", "verdict", *(["dominated by"] if any(rivals) else [])]
    rows = [
        [
            number,
            named(certificate.names[h]),
            Mark(words[status[h]], _MARKS[status[h]]),
            *([rival] if any(rivals) else []),
            *(_estimate(certificate, h, i) for i in range(min(len(objectives), _MOST_OBJECTIVES))),
        ]
        for number, (h, rival) in enumerate(zip(shown, rivals, strict=True), start=1)
    ]
    left = len(objectives) - _MOST_OBJECTIVES
    return Card(
        "Certificate",
        headline(certificate),
        [],
        [Table([*head, *objectives[:_MOST_OBJECTIVES]], rows, len(certificate), "model")],
        [promise_text(certificate), *([f"... and {plural(left, 'more objective')}"] if left > 0 else [])],
        code=["certificate.plot()", "certificate.plan()", "certificate.to_frame()"],
        folds=[Fold("What is assumed", certificate.assumptions)],
    )


def _dominated_by(certificate: Certificate, h: int) -> str:
    by = int(certificate.excluded_by[h])
    if by < 0:
        return ""
    return f"{'' if certificate.dominates[by, h] else 'probably '}{named(certificate.names[by])}"


def _estimate(certificate: Certificate, h: int, i: int) -> str:
    value = number_text(float(certificate.estimates[h, i]))
    if not certificate.data_dependent[i]:
        return value
    low, high = certificate.boxes[h, i].tolist()
    return f"{value} [{outward_text(low, toward=-1)}, {outward_text(high, toward=1)}]"


def claims_card(results: ClaimResults) -> Card:
    """Return the first claims, confirmed or not."""
    rows = [
        [str(claim), float(p), Mark("confirmed", "good") if yes else Mark("not confirmed", "open")]
        for claim, p, yes in list(zip(results.claims, results.adjusted_p_values, results.confirmed, strict=True))[
            :MOST_ROWS
        ]
    ]
    return Card(
        "ClaimResults",
        f"{plural(int(np.sum(results.confirmed)), 'claim')} of {len(results):,} confirmed; with probability at least "
        f"{confidence_text(results.delta)}, all confirmed ones are true",
        tables=[Table(["claim", "adjusted p-value", "result"], rows, len(results), "claim")],
    )


def comparisons_card(comparisons: Comparisons) -> Card:
    """Return models, objectives, and which comparisons there are; p-values by pair stay in `tables`."""
    return Card(
        "Comparisons",
        f"of all pairs of {plural(len(comparisons.models), 'model')}",
        [
            ("models", [named(name) for name in comparisons.models[: MOST_ROWS + 1]]),
            ("objectives", [named(name) for name in comparisons.objectives]),
            ("known", [named(name) for name in comparisons.known]),
            ("tests", [f"{named(name)}, margin {margin:g}" for name, margin in comparisons.tables]),
        ],
    )


def stream_line(stream: CertificateStream) -> str:
    """Return sizes; no certificate is made, as only requested ones count as looks."""
    return (
        f"CertificateStream({plural(len(stream._names), 'model')}, {plural(len(stream._labels), 'objective')}, "
        f"{plural(stream.n_examples, 'example')}, delta={stream._delta:g})"
    )


def stream_card(stream: CertificateStream) -> Card:
    """Return names, sizes and confidence."""
    return Card(
        "CertificateStream",
        f"{plural(stream.n_examples, 'example')} so far, of {plural(len(stream._names), 'model')}",
        [
            ("models", [named(name) for name in stream._names[: MOST_ROWS + 1]]),
            ("objectives", [named(name) for name in stream._labels]),
            ("confidence", f"{confidence_text(stream._delta)}, at all times at once"),
        ],
        code=["stream.update(losses)", "stream.certificate()"],
    )
