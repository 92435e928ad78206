"""The opening of a certificate's page: one card per verdict, with names that are folded where there are many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory._core._text import joined, named, plural
from moltheory.certification._advice import NextStep, Substitution, Tier, advice_of
from moltheory.certification._advice_text import (
    TITLE,
    headline,
    is_tiered,
    none_text,
    promise_text,
    step_sentences,
    title_of,
    witnesses,
)
from moltheory.certification._explain import counted_text
from moltheory.certification._report_words import meaning_of
from moltheory.certification._words import verdict_words

if TYPE_CHECKING:
    from moltheory.certification._certificate import Certificate

__all__ = ["opening_of"]

# Names of a list, of one of several, and of a tier, and lists, that are shown; beyond, they are folded, and beyond the
# last number counted.
_SHOWN, _IN_LISTS, _IN_TIER, _LISTS, _MOST = 8, 4, 10, 3, 300


def opening_of(certificate: Certificate, step: NextStep | None, allowed: list[str]) -> dict[str, Any]:
    """Return what the page says first."""
    advice = advice_of(certificate)
    near, _ = witnesses(certificate)
    tiered = is_tiered(advice)
    entries = {
        "excluded": [_substitution(certificate, entry, few=len(advice.drop) > 1) for entry in advice.drop],
        "sure": [_entry(certificate, advice.keep)] if advice.keep else [],
        "undecided": _tiers(certificate, advice.open, tiered=tiered),
    }
    statements = {"undecided": near}
    replaceable = int((certificate.replaceable_by >= 0).sum())
    if replaceable:
        one = "One of all models" if replaceable == 1 else f"{replaceable:,} of all models"
        statements["sure"] = [f"{one} can be replaced by a cheaper one within the tolerance: see the table."]
    words = verdict_words(certificate)
    return {
        "title": TITLE,
        "headline": headline(certificate),
        "promise": promise_text(certificate),
        "tiered": tiered,
        "steps": step_sentences(certificate, step, allowed),
        "cards": [
            {
                "status": status,
                "title": title_of(certificate, status),
                "words": words[status] if status != "undecided" else "",
                "intro": _tier_text(certificate, advice.open, tiered=tiered) if status == "undecided" else "",
                "none": _sentence(none_text(certificate, status)),
                "entries": entries[status][: _shown_of(entries[status])],
                "more": _more(entries[status][_shown_of(entries[status]) :]),
                "statements": statements.get(status, []),
                "meaning": meaning_of(certificate, status) if entries[status] else "",
            }
            for status in ("excluded", "sure", "undecided")
        ],
    }


def _substitution(certificate: Certificate, entry: Substitution, *, few: bool) -> dict[str, Any]:
    found = _entry(certificate, entry.models, most=_IN_LISTS if few else _SHOWN)
    if entry.use < 0:
        return found | {"before": "Some model is better than"}
    use = "Use" if entry.certain else "Probably use"
    return found | {"before": use, "lead": named(certificate.names[entry.use]), "after": "instead of"}


def _tiers(certificate: Certificate, tiers: Sequence[Tier], *, tiered: bool) -> list[dict[str, Any]]:
    if not tiered:
        models = tuple(h for tier in tiers for h in tier.models)
        note = _lowest_cost(certificate, tiers[0]) if len(tiers) == 1 else {}
        return [_entry(certificate, models) | note] if models else []
    return [_entry(certificate, tier.models, most=_IN_TIER) | _about_tier(certificate, tier) for tier in tiers]


def _about_tier(certificate: Certificate, tier: Tier) -> dict[str, Any]:
    """Return the range of the estimates by which tiers are ordered, and the members with the lowest known costs."""
    i = int(np.flatnonzero(certificate.data_dependent)[0])
    values = certificate.estimates[list(tier.models), i]
    ends = dict.fromkeys(f"{end:.3g}" for end in (values.min(), values.max()))
    return {"lead": f"{named(certificate.objectives[i])} {' to '.join(ends)}:"} | _lowest_cost(certificate, tier)


def _lowest_cost(certificate: Certificate, tier: Tier) -> dict[str, Any]:
    if len(tier.cheapest) == len(tier.models):
        return {}
    lowest = [named(certificate.names[h]) for h in tier.cheapest[:3]]
    more = [f"{len(tier.cheapest) - 3:,} more"] if len(tier.cheapest) > 3 else []
    return {"note": f"(lowest cost: {joined([*lowest, *more])})"}


def _tier_text(certificate: Certificate, tiers: Sequence[Tier], *, tiered: bool) -> str:
    """Return what the groups of open models are."""
    what = f"certain difference in {counted_text(certificate)}"
    if tiered:
        return f"In groups without a {what}; the best come first."
    return f"The data show no {what} between these." if len(tiers) == 1 < len(tiers[0].models) else ""


def _entry(certificate: Certificate, models: Sequence[int], *, most: int = _SHOWN) -> dict[str, Any]:
    """Return names, the first ones to be shown and the others to be folded."""
    names = [named(certificate.names[h]) for h in models]
    # One more is not worth a fold.
    shown = names if len(names) <= most + 1 else names[:most]
    rest = names[len(shown) : len(shown) + _MOST]
    beyond = len(names) - len(shown) - len(rest)
    folded = None
    if rest:
        ending = [f"and {beyond:,} more"] if beyond else []
        folded = {"count": len(rest) + beyond, "text": ", ".join([*rest, *ending])}
    texts = dict.fromkeys(("before", "lead", "after", "note"), "")
    return texts | {"shown": [(name, " " not in name) for name in shown], "folded": folded, "count": len(names)}


def _shown_of(entries: list[dict[str, Any]]) -> int:
    # One more is not worth a fold.
    return len(entries) if len(entries) <= _LISTS + 1 else _LISTS


def _more(entries: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the lists that are folded."""
    if not entries:
        return None
    models = plural(sum(entry["count"] for entry in entries), "more model")
    return {"summary": f"{models} in {plural(len(entries), 'list')}", "entries": entries[:_MOST]}


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}." if text else ""
