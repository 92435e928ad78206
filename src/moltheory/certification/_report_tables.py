"""The tables of a certificate's page: texts, and the numbers by which they are sorted."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory._core._text import named, visible
from moltheory.certification._explain import lean_text, open_rivals_text
from moltheory.certification._format import count_text, simulated_text, verdict_rows
from moltheory.certification._groups import indistinguishable_groups
from moltheory.certification._plan import EARLIER_COLUMNS
from moltheory.certification._words import STATUSES, reading_order

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.certification._certificate import Certificate

__all__ = ["Cell", "PlanTable", "Table", "dominance_table", "groups_table", "models_table", "open_table", "plan_table"]

# With more rows a table is folded; of more models there are groups.
_FOLDED_FROM = 12
MOST_ROWS = 300
_MOST_NAMES = 40


@dataclass(frozen=True)
class Cell:
    """Text, the number by which it is sorted (None = by the text), and what may stand on a line of its own."""

    text: str
    value: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Table:
    """Titles and rows; of more than are shown the total is given.

    Attributes
    ----------
    label : str
        What the table is, for those who do not see it.
    head : tuple of str
    first : tuple of bool
        Whether the first click on a title brings the largest value to the top.
    rows : list of list of Cell
    total : int
        Number of rows that there are.
    counted : str
        What they are.
    sorted : int, optional
        Column by which they are sorted, ascending.
    statuses : tuple of str
        Status of the model of each row.
    """

    label: str
    head: tuple[str, ...]
    first: tuple[bool, ...]
    rows: list[list[Cell]]
    total: int
    counted: str
    sorted: int | None = None
    statuses: tuple[str, ...] = ()

    @property
    def folded(self) -> bool:
        """Whether the table is long."""
        return self.total > _FOLDED_FROM


@dataclass(frozen=True)
class PlanTable(Table):
    """A plan with what its numbers do not show: models without any, a tolerance, costs to be measured better."""

    hopeless: int = 0
    slack: bool = False
    simulated: bool = False
    blocked: list[str] = field(default_factory=list)


def models_table(certificate: Certificate) -> Table:
    """Return one row per model, in the order of its numbers; columns without any entry are left out."""
    head, texts = verdict_rows(certificate)
    order, status = reading_order(certificate), certificate.status
    n_objectives = len(certificate.objectives)
    fixed = len(head) - n_objectives
    rows = []
    for h, row in zip(order, texts, strict=True):
        confidence = certificate.adjusted_p_value[h] if certificate.excluded[h] else certificate.decided_at[h]
        values: list[float | None] = [None] * len(head)
        values[0], values[2] = float(row[0]), float(STATUSES.index(status[h]))
        # Certain by known costs: no confidence, and more than any.
        values[4] = 1.0 - (0.0 if math.isnan(confidence) else float(confidence)) if row[4] else None
        values[fixed:] = [float(value) for value in certificate.estimates[h]]
        cells = [Cell(text, value) for text, value in zip(row, values, strict=True)]
        for k in range(fixed, len(head)):
            text, bracket, box = row[k].partition(" [")
            cells[k] = Cell(text, values[k], f"[{box}" if bracket else "")
        rows.append(cells)
    kept = [k for k in range(len(head)) if k < 3 or any(row[k] for row in texts)]
    first = [False, False, False, False, True, *[False] * (fixed - 5), *certificate.maximise]
    return Table(
        "All models",
        tuple(head[k] for k in kept),
        tuple(first[k] for k in kept),
        [[row[k] for k in kept] for row in rows[:MOST_ROWS]],
        len(rows),
        "models, in the order of their numbers",
        sorted=0,
        statuses=tuple(status[h] for h in order[:MOST_ROWS]),
    )


def open_table(certificate: Certificate, allowed: list[str]) -> Table:
    """Return what is known about the undecided models, those nearest to a verdict first."""
    rows = np.flatnonzero(certificate.undecided)
    rows = rows[np.argsort(certificate.decided_at[rows], kind="stable")]
    tolerated = any(allowed)
    found = []
    for h in rows[:MOST_ROWS].tolist():
        lean, at = lean_text(certificate, h), float(certificate.decided_at[h])
        cells = [
            Cell(certificate.names[h]),
            Cell(open_rivals_text(certificate, h), float(np.count_nonzero(certificate.open_rivals[h]))),
            Cell(lean.removeprefix("would be decided as "), None if math.isnan(at) else 1.0 - at),
        ]
        if tolerated:
            size = float(allowed[h].rstrip("%")) if allowed[h] else math.inf
            cells.append(Cell(allowed[h] or "unknown", size if math.isfinite(size) else 1e9))
        found.append(cells)
    head = ("model", "may still be better", "would be decided as", *(["tolerance"] if tolerated else []))
    return Table(
        "What is still open",
        head,
        (False, False, True, *([False] if tolerated else [])),
        found,
        int(rows.size),
        "open models, those nearest to a verdict",
    )


def dominance_table(certificate: Certificate) -> Table:
    """Return for every model that is not excluded which others it dominates, those with most first."""
    found = []
    for b in np.flatnonzero(~certificate.excluded).tolist():
        dominated = [certificate.names[h] for h in np.flatnonzero(certificate.dominates[b]).tolist()]
        if dominated:
            found.append((certificate.names[b], dominated))
    found.sort(key=lambda entry: -len(entry[1]))
    rows = [[Cell(name), _counted(dominated), Cell(_listed(dominated))] for name, dominated in found[:MOST_ROWS]]
    return Table(
        "Which model is certainly better than which",
        ("model", "is better than", "namely"),
        (False, True, False),
        rows,
        len(found),
        "models that are better than others, those with most",
    )


def groups_table(certificate: Certificate) -> Table | None:
    """Return, with many models, groups that the losses do not distinguish; None where there are none."""
    if len(certificate) <= _FOLDED_FROM or not certificate.data_dependent.any():
        return None
    groups = indistinguishable_groups(certificate)
    if len(groups) == len(certificate):
        return None
    rows = []
    for g, members in enumerate(groups.members[:MOST_ROWS]):
        names = [certificate.names[h] for h in members]
        rows.append([Cell(f"{g + 1}", g + 1.0), _counted(names), Cell(_listed(names))])
    return Table(
        "Models that the data do not distinguish",
        ("group", "models", "members"),
        (False, True, False),
        rows,
        len(groups),
        "groups, those nearest to the front",
        sorted=0,
    )


def plan_table(certificate: Certificate, further: pd.DataFrame) -> PlanTable:
    """Return how many further examples would decide each undecided model."""
    plan = further.rename(columns={earlier: name for name, earlier in EARLIER_COLUMNS.items()})
    rows = []
    simulated = "additional_80" in plan and bool(plan["additional_80"].notna().any())
    for row in plan.head(MOST_ROWS).to_dict("records"):
        low, high = float(row["sufficient_additional_low"]), float(row["sufficient_additional_high"])
        between = count_text(low) if np.isinf(low) else f"{count_text(low)} to {count_text(high)}"
        sizes = ("expected_additional", "additional_80", "additional_95") if simulated else ("sufficient_additional",)
        rows.append(
            [
                Cell(named(str(row["model"]))),
                Cell(named(str(row["hardest_rival"]))),
                Cell(f"{int(row['n_open_rivals']):,}", float(row["n_open_rivals"])),
                *(_simulated(row, name) for name in sizes),
                _amount(between, high),
            ]
        )
    shown = ("50%, simulated", "80%, simulated", "95%, simulated") if simulated else ("80%, observed rates",)
    return PlanTable(
        "What more data would decide",
        ("model", "hardest rival", "rivals open", *shown, "80%, range of true rates"),
        (False,) * (4 + len(shown)),
        rows,
        len(plan),
        "open models, those that need fewest",
        hopeless=int(np.isinf(plan["sufficient_additional"].to_numpy(dtype=float)).sum()),
        slack=bool(certificate.epsilon.any()),
        simulated=simulated,
        blocked=sorted({visible(names) for names in plan["blocked_by"].dropna()}) if "blocked_by" in plan else [],
    )


def _simulated(row: dict[Hashable, Any], name: str) -> Cell:
    size = float(row[name])
    return _amount(simulated_text(size, float(row.get("simulated_up_to", math.nan))), size)


def _amount(text: str, value: float) -> Cell:
    """Return a number of examples; an infinite one comes last."""
    return Cell(text, None if math.isnan(value) else min(value, 1e300))


def _counted(names: list[str]) -> Cell:
    return Cell(f"{len(names):,}", float(len(names)))


def _listed(names: list[str]) -> str:
    """Return names as text; the end of a long list is counted only."""
    more = [f"and {len(names) - _MOST_NAMES:,} more"] if len(names) > _MOST_NAMES else []
    return ", ".join(names[:_MOST_NAMES] + more)
