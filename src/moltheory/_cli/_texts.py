"""A certificate and its plan as the lines of a terminal, and as one JSON object that holds all that these say."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory._cli._console import aligned, shows
from moltheory._core._text import named

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.certification import Certificate

__all__ = ["as_json", "opening_lines", "plan_lines", "undecided_lines", "verdict_lines"]

# Undecided models that are explained one by one.
_EXPLAINED = 12
# Models up to which the next step is planned without --plan, which takes O(M^2) time.
_PLANNED = 300
# Open rivals that are named in JSON; `open_rivals` has all.
_RIVALS = 20
_COUNTS = ("expected_additional", "additional_80", "additional_95")


def opening_lines(certificate: Certificate, plan: pd.DataFrame | None) -> list[str]:
    """Return what can be done with the models, and the cheapest next step."""
    from moltheory.certification._advice_text import advice_lines

    return [*advice_lines(certificate, _steps(certificate, plan)), ""]


def verdict_lines(certificate: Certificate, *, draw: bool = False) -> list[str]:
    """Return one line per model, the front as a drawing if asked for, and the directions."""
    from moltheory.certification._format import directions_text, verdict_rows
    from moltheory.certification._text_front import PLAIN, RICH, front_lines

    drawn = ["", *front_lines(certificate, RICH if shows(RICH.characters()) else PLAIN)] if draw else []
    return [
        *aligned(*verdict_rows(certificate)),
        *drawn,
        "",
        directions_text(certificate),
        *_likely_lines(certificate),
    ]


def undecided_lines(certificate: Certificate) -> list[str]:
    """Return what is known about the undecided models, in words; nothing if there are none."""
    from moltheory.certification._advice_text import witnesses
    from moltheory.certification._explain import lean_text, still_text, tolerance_sentence, tolerances

    rows = np.flatnonzero(certificate.undecided).tolist()
    if not rows:
        return []
    # Those nearest to a verdict first.
    rows.sort(key=lambda h: (float(certificate.decided_at[h]), h))
    lines = [
        "",
        "Cannot tell yet: what may still dominate these models, and the confidence at which the tests would decide them",
    ]
    lines += ["(which is not a probability of being on the front):"]
    allowed = tolerances(certificate)
    for h in rows[:_EXPLAINED]:
        more = f"; tolerance {allowed[h]}" if allowed[h] else ""
        known = "; ".join(filter(None, [still_text(certificate, h), lean_text(certificate, h)]))
        lines.append(f"  {named(certificate.names[h])}: {known}{more}.")
    if len(rows) > _EXPLAINED:
        lines.append(f"  and {len(rows) - _EXPLAINED:,} more, see --json or --html")
    meaning = [tolerance_sentence(certificate)] if any(allowed) else []
    return [*lines, *witnesses(certificate)[1], *meaning]


def _steps(certificate: Certificate, plan: pd.DataFrame | None) -> list[str]:
    """Return the cheapest next step about the open models, planned without simulations where no plan is given."""
    from moltheory.certification._advice import next_step_of
    from moltheory.certification._advice_text import step_sentences
    from moltheory.certification._explain import tolerances

    if not certificate.undecided.any():
        return []
    if plan is None and len(certificate) <= _PLANNED and hasattr(certificate, "_statistics"):
        plan = certificate.plan(simulate=0)
    step = None if plan is None else next_step_of(plan)
    found = step_sentences(certificate, step, tolerances(certificate))
    return found or ["--plan estimates how many more examples would decide the open models."]


def _likely_lines(certificate: Certificate) -> list[str]:
    from moltheory.certification._format import LIKELY

    by = certificate.excluded_by
    some = ~certificate.dominates[by, np.arange(by.size)] & (by >= 0)
    text = f"'{LIKELY}X': the verdict is that some model dominates it, most likely X."
    return [text] if some.any() else []


def plan_lines(plan: pd.DataFrame, *, unit: str = "examples") -> list[str]:
    """Return one line per undecided model with the numbers of additional examples, or clusters."""
    from moltheory.certification._format import count_text, simulated_text

    if plan.empty:
        return ["", "No additional examples are needed: every model is decided."]
    rows = [
        [
            named(str(row["model"])),
            named(str(row["hardest_rival"])),
            *(simulated_text(float(row[name]), float(row["simulated_up_to"])) for name in _COUNTS),
            count_text(float(row["sufficient_additional_high"])),
        ]
        for row in plan.to_dict("records")
    ]
    intro = [
        "Additional examples that would decide the open models in 50%, 80% and 95% of new evaluations, by simulation from",
        "the examples at hand and what these leave open; and a number that suffices with probability 80% whatever the true",
        "rates are (estimates, not guarantees):",
    ]
    head = ["model", "hardest rival", "50%", "80%", "95%", "80%, any rates"]
    lines = ["", *intro, "", *aligned(head, rows)]
    if plan["sufficient_additional_high"].isin([float("inf")]).any():
        lines += [
            "",
            "'no end in sight' means that the data do not rule out equal models, so no sample size can be planned;",
            "consider allowing a tolerance with --epsilon.",
        ]
    return [*lines, "", f"Certify the new {unit} alone: testing again with the old ones voids the guarantee."]


def as_json(
    certificate: Certificate,
    plan: pd.DataFrame | None,
    *,
    notes: Sequence[str],
    warnings: Sequence[str],
    files: dict[str, str],
    after: dict[str, Any] | None = None,
) -> str:
    """Return the fields of a certificate and what else the text says, in ASCII and without NaN."""
    from moltheory.certification._advice import advice_of
    from moltheory.certification._explain import alternatives_sentences, tolerance_sentence, tolerances
    from moltheory.certification._format import directions_text, summary_sentence

    content = json.loads(certificate.to_json())
    content["status"] = list(certificate.status)
    names, advice = certificate.names, advice_of(certificate)
    content["advice"] = {
        "drop": [
            {
                "models": [names[h] for h in entry.models],
                "use_instead": names[entry.use] if entry.use >= 0 else None,
                "is_certain": entry.certain,
            }
            for entry in advice.drop
        ],
        "keep": [names[h] for h in advice.keep],
        "cannot_tell_yet": [
            {"models": [names[h] for h in tier.models], "lowest_cost": [names[h] for h in tier.cheapest]}
            for tier in advice.open
        ],
        "next_step": _steps(certificate, plan),
    }
    content["summary"] = f"{summary_sentence(certificate)} {directions_text(certificate)}"
    allowed = tolerances(certificate)
    content["undecided_models"] = [
        _undecided(certificate, h) | {"tolerance": allowed[h] or None}
        for h in np.flatnonzero(certificate.undecided).tolist()
    ]
    content["statements"] = alternatives_sentences(certificate) + (
        [tolerance_sentence(certificate)] if any(allowed) else []
    )
    content["plan"] = None if plan is None else [_plain(row) for row in plan.to_dict("records")]
    content |= after or {}
    content |= {"notes": list(notes), "warnings": list(warnings), "files": files}
    return json.dumps(content, allow_nan=False)


def _undecided(certificate: Certificate, h: int) -> dict[str, Any]:
    """Return what is known about an undecided model."""
    from moltheory.certification._explain import threatening
    from moltheory.certification._words import VERDICTS

    at = float(certificate.decided_at[h])
    return {
        "model": certificate.names[h],
        "leans_to": {1: VERDICTS["sure"], -1: VERDICTS["excluded"]}.get(int(certificate.leaning[h])),
        "confidence": None if math.isnan(at) else 1.0 - at,
        "n_open_rivals": int(np.count_nonzero(certificate.open_rivals[h])),
        "open_rivals": [certificate.names[b] for b in threatening(certificate, h, _RIVALS)],
        "text": certificate.explain(h),
    }


def _plain(row: dict[Any, Any]) -> dict[str, Any]:
    """Return a row with numbers that JSON knows: null for one that was not estimated, a word for an infinite one."""
    found: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, float) and not math.isfinite(value):
            found[str(name)] = None if math.isnan(value) else "infinite"
        else:
            found[str(name)] = value.item() if hasattr(value, "item") else value
    return found
