"""The report of a certificate: one self-contained HTML page, readable on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory._core._text import named, visible
from moltheory.certification._certificate import Certificate
from moltheory.certification._explain import (
    alternatives_sentences,
    lean_text,
    open_rivals_text,
    tolerance_sentence,
    tolerances,
)
from moltheory.certification._format import (
    confidence_text,
    count_text,
    directions_text,
    summary_sentence,
    verdict_rows,
)
from moltheory.certification._groups import indistinguishable_groups
from moltheory.certification._plan import EARLIER_COLUMNS
from moltheory.plotting import panels, styled, to_bytes
from moltheory.reports._html import Marks, render_page

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["certificate_page"]

# With more models, long tables are folded and groups of models are listed.
_GROUPED_FROM = 12
_MOST_ROWS = 300
_MOST_NAMES = 100
_MOST_PANELS = 6

_HEADING = "Which models are really on the front?"
_CAPTIONS = {
    1: "Each model's estimate and the interval that holds its true value.",
    2: "Each model's estimates (marker) and its box (lines).",
    3: "Each model's estimates (marker) and its box (lines), for every pair of objectives.",
}
_CAPTION_OF_MANY = "The first objective against the others: estimates (markers) and boxes (lines)."

_WITHOUT_SLACK = (
    (
        "on the front",
        "No other model is at least as good in every objective and better in one: choosing another model means giving "
        "something up.",
    ),
    (
        "not on it",
        "The named model dominates it: at least as good in every objective, and better in one. After “probably”: some "
        "model does, and most likely this one.",
    ),
)
_WITH_SLACK = (
    (
        "on the front",
        "To within the tolerance: no other model is better by it, or more, in every objective, and none is shown to "
        "dominate this one.",
    ),
    (
        "not on it",
        "The named model dominates it: at least as good everywhere and better somewhere, whatever the tolerance. After "
        "“probably”: some model does, and most likely this one.",
    ),
)
_REPLACEABLE = (
    "replaceable by",
    "A model that costs no more, and less in some cost, and is worse by less than the tolerance in every other objective.",
)
_TERMS = (
    ("undecided", "These examples do not decide it; with more of them it may turn out either way."),
    (
        "[low, high]",
        "The box: intervals for all models and objectives that hold the true values all at once. Two models whose "
        "boxes overlap can still be distinguished, on the examples on which both were evaluated.",
    ),
    (
        "confidence",
        "One minus the adjusted p-value of the verdict, which allows for the number of models. Of an undecided model: the "
        "confidence at which it would have been decided, had that been chosen in advance. It is not the probability of "
        "being on the front, which no data give: equal models are on the front together.",
    ),
)


def certificate_page(certificate: Certificate, /, *, title: str = "", further: pd.DataFrame | None = None) -> str:
    """Return a report page as HTML without any reference to other files.

    Parameters
    ----------
    certificate : Certificate
    title : str, optional
        What was certified, such as the file's name.
    further : pandas.DataFrame, optional
        What `Certificate.plan` or `further_examples` returned.

    Returns
    -------
    str

    Notes
    -----
    Complexity: O(M^2) time at most for M models, and a page of O(M) bytes.

    Examples
    --------
    >>> import numpy as np
    >>> from moltheory.certification import certify
    >>> page = certificate_page(certify(np.eye(2)[:, :, None]), title="two models")
    >>> page.startswith("<!DOCTYPE html>"), "://" in page
    (True, False)
    """
    # Before the statistics are left behind.
    allowed = tolerances(certificate) if certificate.undecided.any() else []
    meaning = [tolerance_sentence(certificate).replace("'tolerance X%'", "Tolerance X%")] if any(allowed) else []
    drawn = {place: _drawn(certificate, narrow=place == "narrow") for place in ("wide", "narrow")}
    whole = {named(text): visible(text) for text in (*certificate.names, *certificate.objectives, title)}
    title = named(title)
    assumptions = [_with_names_cut(text, whole) for text in certificate.assumptions]
    certificate = _with_shown_names(certificate)
    head, rows = verdict_rows(certificate)
    statuses = sorted(certificate.status, key=("sure", "undecided", "excluded").index)
    slack = bool(certificate.epsilon.any())
    terms = [*(_WITH_SLACK if slack else _WITHOUT_SLACK), *_TERMS]
    if certificate.replaceable_by.max() >= 0:
        terms.append(_REPLACEABLE)
    tiles = {"sure": f"on the front{' (to within the tolerance)' if slack else ''}", "undecided": "undecided"}
    tiles["excluded"] = "not on it"
    return render_page(
        "certificate.html.j2",
        package="moltheory.certification",
        title=f"{_HEADING} {title}".strip(),
        heading=_HEADING,
        subtitle=title,
        summary=summary_sentence(certificate),
        tiles=[
            {"status": status, "count": int(getattr(certificate, status).sum()), "words": words}
            for status, words in tiles.items()
        ],
        **drawn,
        caption=_CAPTIONS.get(len(certificate.objectives), _CAPTION_OF_MANY),
        directions=directions_text(certificate),
        models={"head": head, "rows": rows[:_MOST_ROWS], "statuses": statuses[:_MOST_ROWS], "total": len(rows)},
        undecided=_undecided(certificate, allowed),
        statements=[*alternatives_sentences(certificate), *meaning],
        dominance=_dominance(certificate),
        groups=_groups(certificate),
        all_decided=not certificate.undecided.any(),
        plan=None if further is None else _plan(certificate, further),
        n_examples=certificate.n_examples,
        delta=f"{certificate.delta:g}",
        guarantee=_guarantee(certificate),
        assumptions=assumptions,
        shares=[(engine, f"{share:g} of {certificate.delta:g}") for engine, share in certificate.delta_allocation],
        methods=list(zip(certificate.objectives, certificate.methods, strict=True)),
        terms=terms,
        marks=Marks(whole),
    )


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


def _drawn(certificate: Certificate, *, narrow: bool) -> bytes:
    m = len(certificate.objectives)
    with styled():
        from matplotlib.figure import Figure

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
        return to_bytes(figure, "png")


def _projected(certificate: Certificate, pair: tuple[int, int]) -> Certificate:
    """Return the certificate, verdicts and all, with two of its objectives."""
    kept = list(pair)
    return replace(
        certificate,
        objectives=tuple(certificate.objectives[i] for i in kept),
        maximise=tuple(certificate.maximise[i] for i in kept),
        methods=tuple(certificate.methods[i] for i in kept),
        data_dependent=certificate.data_dependent[kept],
        measured=certificate.measured[kept],
        estimates=certificate.estimates[:, kept],
        boxes=certificate.boxes[:, kept],
        epsilon=certificate.epsilon[kept],
    )


def _guarantee(certificate: Certificate) -> str:
    """Return what the promise means."""
    delta, confidence = f"{certificate.delta:g}", confidence_text(certificate.delta)
    if certificate.engine == "asymptotic":
        return (
            f"{certificate.promise} Tests and boxes rest on normal approximations: as the sample grows, their failure "
            f"probability tends to at most {delta}; in small samples, and where many models are equal or losses are rare, "
            "it can be larger. The exact engine, the default, has a guarantee at every sample size."
        )
    if certificate.error == "share":
        return (
            f"Over draws of the examples, the expected share of wrong verdicts among those given is at most {delta}: some "
            "verdicts may be wrong. The probability that a dominance, a box or a statement about several models above is "
            f"false is at most {delta} as well."
        )
    wrong = "any verdict, dominance or box above is false (a model reported as on the front that is not, one ruled out "
    wrong += "that is on it, a box that misses the true value)"
    if certificate.error == "one":
        wrong = "more than one verdict, or any dominance or box above, is false"
    return (
        f"Over draws of the examples, the probability that {wrong} is at most {delta}, so the confidence is {confidence} "
        "for all of them together."
    )


def _undecided(certificate: Certificate, allowed: list[str]) -> dict[str, Any]:
    """Return what is known about the undecided models, those nearest to a verdict first."""
    rows = np.flatnonzero(certificate.undecided)
    rows = rows[np.argsort(certificate.decided_at[rows], kind="stable")]
    return {
        "rows": [
            [
                certificate.names[h],
                open_rivals_text(certificate, h),
                lean_text(certificate, h).removeprefix("would be decided "),
                *([allowed[h] or "unknown"] if any(allowed) else []),
            ]
            for h in rows[:_MOST_ROWS].tolist()
        ],
        "head": ["model", "may still be dominated by", "would be decided", *(["tolerance"] if any(allowed) else [])],
        "total": int(rows.size),
    }


def _dominance(certificate: Certificate) -> dict[str, Any]:
    """Return for every model that is not excluded which others it dominates, those with most first."""
    found = []
    for b in np.flatnonzero(~certificate.excluded).tolist():
        dominated = [certificate.names[h] for h in np.flatnonzero(certificate.dominates[b]).tolist()]
        if dominated:
            found.append((certificate.names[b], dominated))
    found.sort(key=lambda entry: -len(entry[1]))
    rows = [[name, f"{len(dominated):,}", _listed(dominated)] for name, dominated in found[:_MOST_ROWS]]
    return {
        "head": ["model", "dominates", "namely"],
        "rows": rows,
        "total": len(found),
        "folded": len(certificate) > _GROUPED_FROM,
    }


def _listed(names: list[str]) -> str:
    """Return names as text; the end of a long list is counted only."""
    more = [f"and {len(names) - _MOST_NAMES:,} more"] if len(names) > _MOST_NAMES else []
    return ", ".join(names[:_MOST_NAMES] + more)


def _groups(certificate: Certificate) -> dict[str, Any] | None:
    """Return, with many models, groups that the losses do not distinguish; None where there are none."""
    if len(certificate) <= _GROUPED_FROM or not certificate.data_dependent.any():
        return None
    groups = indistinguishable_groups(certificate)
    if len(groups) == len(certificate):
        return None
    rows = [
        [f"{g + 1}", f"{len(members):,}", _listed([certificate.names[h] for h in members])]
        for g, members in enumerate(groups.members[:_MOST_ROWS])
    ]
    return {"rows": rows, "total": len(groups)}


def _plan(certificate: Certificate, further: pd.DataFrame) -> dict[str, Any]:
    """Return how many further examples would decide each undecided model, as texts."""
    plan = further.rename(columns={earlier: name for name, earlier in EARLIER_COLUMNS.items()})
    rows = []
    for row in plan.head(_MOST_ROWS).to_dict("records"):
        bound, low = float(row["sufficient_additional"]), float(row["sufficient_additional_low"])
        high = float(row["sufficient_additional_high"])
        rows.append(
            [
                named(str(row["model"])),
                named(str(row["hardest_rival"])),
                f"{int(row['n_open_rivals']):,}",
                count_text(float(row["expected_additional"])),
                count_text(bound),
                count_text(low) if np.isinf(low) else f"{count_text(low)} to {count_text(high)}",
            ]
        )
    return {
        "rows": rows,
        "total": len(plan),
        "hopeless": int(np.isinf(plan["sufficient_additional"].to_numpy(dtype=float)).sum()),
        "slack": bool(certificate.epsilon.any()),
        "blocked": sorted({visible(names) for names in plan["blocked_by"].dropna()}) if "blocked_by" in plan else [],
    }
