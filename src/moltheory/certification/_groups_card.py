"""How groups of models are shown in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory._core._card import MOST_ROWS, Card, Table
from moltheory._core._text import few, named, plural
from moltheory.certification._words import verdict_words

if TYPE_CHECKING:
    from moltheory.certification._groups import ModelGroups

__all__ = ["groups_card"]


def groups_card(groups: ModelGroups) -> Card:
    """Return the first groups, with their members by status."""
    certificate = groups.certificate
    words = verdict_words(certificate)
    rows: list[list[Any]] = []
    for g in range(min(len(groups), MOST_ROWS)):
        members = np.flatnonzero(groups.group == g)
        counts = [int(getattr(certificate, status)[members].sum()) for status in words]
        names = few([named(certificate.names[h]) for h in members[:50]], 4, describe=str)
        more = f" and {len(members) - 50:,} others" if len(members) > 50 else ""
        rows.append([g, len(members), *counts, names + more])
    return Card(
        "ModelGroups",
        f"{plural(len(groups), 'group')} of {plural(len(certificate), 'model')}; within a group the data cannot choose",
        tables=[Table(["group", "models", *words.values(), "members"], rows, len(groups), "group")],
    )
