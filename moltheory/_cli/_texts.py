"""A certificate and its plan as the lines of a terminal, and as one JSON object that holds all that these say."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from moltheory._cli._console import aligned

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.certification import Certificate

__all__ = ["as_json", "plan_lines", "verdict_lines"]

_COUNTS = ("expected_additional", "sufficient_additional", "sufficient_additional_high")


def verdict_lines(certificate: Certificate) -> list[str]:
    """Return one line per model, a summary and the directions."""
    from moltheory.certification._format import directions_text, summary_sentence, verdict_rows

    return [*aligned(*verdict_rows(certificate)), "", summary_sentence(certificate), directions_text(certificate)]


def plan_lines(plan: pd.DataFrame) -> list[str]:
    """Return one line per undecided model with the numbers of additional examples."""
    from moltheory.certification._format import count_text

    if plan.empty:
        return ["", "No additional examples are needed: every model is decided."]
    rows = [
        [str(row["model"]), str(row["hardest_rival"]), *(count_text(float(row[name])) for name in _COUNTS)]
        for row in plan.to_dict("records")
    ]
    intro = [
        "Additional examples that would decide the undecided models: the expected number, and numbers that suffice with",
        "probability 80%, if the observed rates are the true ones and whatever the true rates are (an estimate, not a",
        "guarantee):",
    ]
    head = ["model", "hardest rival", "expected", "80%, observed rates", "80%, any rates"]
    lines = ["", *intro, "", *aligned(head, rows)]
    if plan["sufficient_additional_high"].isin([float("inf")]).any():
        lines += [
            "",
            "'no end in sight' means that the data do not rule out equal models, so no sample size can be planned;",
            "consider allowing a tolerance with --epsilon.",
        ]
    return lines


def as_json(
    certificate: Certificate,
    plan: pd.DataFrame | None,
    *,
    notes: Sequence[str],
    warnings: Sequence[str],
    files: dict[str, str],
) -> str:
    """Return the fields of a certificate and what else the text says, in ASCII and without NaN."""
    from moltheory.certification._format import directions_text, summary_sentence

    content = json.loads(certificate.to_json())
    content["status"] = list(certificate.status)
    content["summary"] = f"{summary_sentence(certificate)} {directions_text(certificate)}"
    content["plan"] = None if plan is None else [_plain(row) for row in plan.to_dict("records")]
    content |= {"notes": list(notes), "warnings": list(warnings), "files": files}
    return json.dumps(content, allow_nan=False)


def _plain(row: dict[Any, Any]) -> dict[str, Any]:
    """Return a row with numbers that JSON knows: null for one that was not estimated, a word for an infinite one."""
    found: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, float) and not math.isfinite(value):
            found[str(name)] = None if math.isnan(value) else "infinite"
        else:
            found[str(name)] = value.item() if hasattr(value, "item") else value
    return found
